"""Published models as configurations: what their makers said of their shape, and of their size.

A size that was never disclosed is not guessed: such a model has no configuration here.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lessons_lib.config import TransformerConfig
from lessons_lib.families.encoder_only import EncoderOnlyConfig


@dataclass(frozen=True)
class Preset:
    """A published model.

    Attributes:
        year, citation: of the publication; the key is one of the course's references.
        config: its shape, or None where it was not disclosed. Dropout and ids of special tokens are our defaults.
        published: the number of parameters, as its ``source`` rounds it, or None.
        tolerance: how far `count_parameters` may be from that, as a share: the rounding, or more with a ``note``.
        source: where in the citation, or where else, the figures stand.
        note: what the configuration cannot say, or why the figures differ.
    """

    name: str
    year: int
    citation: str
    config: TransformerConfig | None
    published: int | None
    tolerance: float
    source: str
    note: str


@cache
def presets() -> dict[str, Preset]:
    """All of them by name, ordered by year."""
    text = resources.files("lessons_lib.sizes").joinpath("presets.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return {name: _preset(name, entry, document["family"]) for name, entry in document["model"].items()}


def _preset(name: str, entry: dict, families: dict[str, dict]) -> Preset:
    entry = families.get(entry.get("family"), {}) | entry
    shape = entry.get("shared", {}) | entry.get("shape", {})
    return Preset(
        name=name,
        year=entry["year"],
        citation=entry["citation"],
        config=_config(shape) if shape else None,
        published=entry.get("published"),
        tolerance=entry.get("tolerance", 0.0),
        source=entry["source"],
        note=entry.get("note", ""),
    )


def _config(shape: dict) -> TransformerConfig:
    kind = EncoderOnlyConfig if "n_token_types" in shape else TransformerConfig
    return kind(**shape)
