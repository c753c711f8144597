"""The translator itself, in the page: type English, see French, and where it looked."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, engine_source, module_source, slim, style_source, text_form

ENGINE = ("arena", "plain", "kernels", "numbers", "file", "positions", "model", "tokenizer", "search", "worker")
PARTS = ("engine_start", "translator_words", "translator_weights", "translator_view")
BEAMS = (1, 2, 4, 8)
FILE = "course-translator.bin"  # on the course's site
FILE_NAME = re.compile(r"[\w-]+\.bin")
Weights = bytes | str | os.PathLike | Callable[[], bytes]


class TranslatorWidget(anywidget.AnyWidget):
    """A translator that runs where it is read: the browser computes the whole model, in a thread of its own.

    On the course's website the page loads the weights from the site. In a notebook the kernel hands them over when the
    reader asks for them, so that they never lie in the notebook. Everywhere the reader may choose a file that
    `lessons export-web` wrote.

    Args:
        sentences: examples to choose from; the first stands in the box at the start.
        weights: what a kernel hands over: the bytes of such a file, its path, or a function that makes the bytes.
        models: in place of the two, several models to choose from: mappings with `name`, `knows` (a sentence on what it
            can), `file` (its name on the site), `sentences` and `weights`.
        model: index of the model that is loaded first, when the reader asks for one.
        beam: 1 is greedy search; 2, 4 or 8 beams.
        layer: whose cross-attention is shown first; −1 is the last.
        head: −1 is the mean of the heads.
        unit: "words" or "pieces".
        selected: index of the French word, or piece, shown first.
    Raises:
        ValueError: no sentence, a number or a name out of range, or a file that is not there.
    """

    _esm = engine_source(ENGINE) + slim(module_source("translator", PARTS))
    _css = style_source("translator")

    models = traitlets.List(traitlets.Dict()).tag(sync=True)
    model = traitlets.Int(0).tag(sync=True)
    beam = traitlets.Int(1).tag(sync=True)
    layer = traitlets.Int(-1).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    unit = traitlets.Unicode("words").tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        sentences: Sequence[str] | None = None,
        weights: Weights | None = None,
        models: Sequence[Mapping] = (),
        **traits: Any,
    ):
        if models and (sentences is not None or weights is not None):
            raise ValueError("sentences and weights are those of one model; give them, or models, not both")
        given = models or [{"name": "", "knows": "", "file": FILE, "sentences": sentences or (), "weights": weights}]
        self._weights = [_checked_weights(one.get("weights")) for one in given]
        super().__init__(models=[{key: one[key] for key in one if key != "weights"} for one in given], **traits)
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        return text_form(self, self.models[0]["sentences"][0], "translate")

    def _answer(self, widget, content: Any, buffers: Any) -> None:
        """The page asks for the weights of a model: send them, or say why not."""
        asked = [weights for i, weights in enumerate(self._weights) if content == {"ask": "weights", "model": i}]
        if not asked:
            return
        try:
            (data,) = asked
            data = data() if callable(data) else data
            if isinstance(data, str | os.PathLike):
                data = Path(data).read_bytes()
        except (OSError, ValueError) as error:
            self.send({"failed": str(error)})
            return
        if data is None:
            self.send({"failed": "this widget was made without weights; choose a file, or give it weights=…"})
        else:
            self.send({"weights": len(data)}, [data])

    @traitlets.validate("models")
    def _check_models(self, proposal):
        return [_checked_model(one, i) for i, one in enumerate(proposal.value)]

    @traitlets.validate("model")
    def _check_model(self, proposal):
        return check_index(proposal.value, "model", len(self.models), "models")

    @traitlets.validate("beam")
    def _check_beam(self, proposal):
        if proposal.value not in BEAMS:
            raise ValueError(f"beam={proposal.value} is not one of {', '.join(map(str, BEAMS))}; 1 is greedy search")
        return proposal.value

    @traitlets.validate("layer", "head", "selected")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        least = 0 if name == "selected" else -1
        if value < least:
            raise ValueError(f"{name}={value} is less than {least}; use {least} or more")
        return value

    @traitlets.validate("unit")
    def _check_unit(self, proposal):
        if proposal.value not in ("words", "pieces"):
            raise ValueError(f"unit={proposal.value!r} is not one of 'words', 'pieces'")
        return proposal.value


def _checked_model(given: Mapping, i: int) -> dict:
    """What the page is told of a model."""
    if missing := [key for key in ("name", "knows", "file", "sentences") if key not in given]:
        raise ValueError(
            f"models[{i}] has no {missing[0]}; give name, knows, file, sentences and, if it has some, weights"
        )
    sentences = given["sentences"]
    if isinstance(sentences, str):
        raise ValueError(f"sentences={sentences!r} is one text; give a list of sentences")
    if not sentences or not all(text.strip() for text in sentences):
        raise ValueError("sentences is empty or has a blank one; give at least one English sentence")
    if not FILE_NAME.fullmatch(given["file"]):
        raise ValueError(
            f"file={given['file']!r} is not the name of a file on the site; use letters, digits, - and .bin"
        )
    return {key: str(given[key]) for key in ("name", "knows", "file")} | {"sentences": list(sentences)}


def _checked_weights(weights: Weights | None) -> Weights | None:
    if isinstance(weights, str | os.PathLike) and not Path(weights).is_file():
        raise ValueError(f"weights={str(weights)!r} is not a file; write one with `lessons export-web`")
    return weights
