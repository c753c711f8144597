"""Click through a whole Transformer: the widget of lesson 5."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_words, module_source, style_source, text_form

FAMILIES = ("encoder-decoder", "encoder-only", "decoder-only")
NORMS = ("pre", "post")
MOST = {  # of each size
    "batch": 4_096,
    "src_length": 16_384,
    "tgt_length": 16_384,
    "d_model": 32_768,
    "n_heads": 512,
    "d_ff": 262_144,
    "n_encoder_layers": 512,
    "n_decoder_layers": 512,
    "vocab_size": 2_000_000,
}
_LAYERS = {"n_encoder_layers": 6, "n_decoder_layers": 6}
PRESETS = [  # Vaswani et al. 2017, table 3, with a vocabulary of "about 37000 tokens" (section 5.1)
    {
        "name": "Transformer base (2017)",
        "sizes": {"d_model": 512, "n_heads": 8, "d_ff": 2_048, **_LAYERS, "vocab_size": 37_000},
    },
    {
        "name": "Transformer big (2017)",
        "sizes": {"d_model": 1_024, "n_heads": 16, "d_ff": 4_096, **_LAYERS, "vocab_size": 37_000},
    },
]


class TransformerWidget(anywidget.AnyWidget):
    """Every block of a Transformer as a box: its shapes, its parameters, and who sees whom in it.

    The model is `lessons_lib.transformer.Transformer` with a tied output, biases and sinusoidal positions (Vaswani et
    al. 2017); the browser counts its parameters as `lessons_lib.sizes.parameters` does. Every trait may be changed
    later: `widget.d_model = 256`.

    Args:
        src_words, tgt_words: names of the source and target positions, at most 40 each; they give S and T, unless those
            are given too.
        family: "encoder-decoder", "encoder-only" or "decoder-only". Alone, a stack keeps its own number of layers.
        norm: "pre" or "post".
        batch, src_length, tgt_length, d_model, n_heads, d_ff, n_encoder_layers, n_decoder_layers, vocab_size: sizes.
        selected: the block chosen first, such as "decoder cross-attention".
        presets: sizes to choose from: mappings with a ``name`` and ``sizes``; two of the paper, without it.
    Raises:
        ValueError: a size that is out of range, heads that do not divide d_model, an unknown name.
    """

    _esm = module_source("transformer")
    _css = style_source("transformer")

    family = traitlets.Unicode("encoder-decoder").tag(sync=True)
    norm = traitlets.Unicode("pre").tag(sync=True)
    batch = traitlets.Int(2).tag(sync=True)
    src_length = traitlets.Int(7).tag(sync=True)
    tgt_length = traitlets.Int(6).tag(sync=True)
    d_model = traitlets.Int(512).tag(sync=True)
    n_heads = traitlets.Int(8).tag(sync=True)
    d_ff = traitlets.Int(2_048).tag(sync=True)
    n_encoder_layers = traitlets.Int(6).tag(sync=True)
    n_decoder_layers = traitlets.Int(6).tag(sync=True)
    vocab_size = traitlets.Int(37_000).tag(sync=True)
    selected = traitlets.Unicode("encoder self-attention").tag(sync=True)
    src_words = traitlets.List().tag(sync=True)
    tgt_words = traitlets.List().tag(sync=True)
    presets = traitlets.List().tag(sync=True)

    def __init__(self, src_words: Sequence = (), tgt_words: Sequence = (), presets: Any = PRESETS, **traits: Any):
        named = {"src_words": src_words, "tgt_words": tgt_words}
        words = {name: check_words(given, name) for name, given in named.items() if len(given)}
        lengths = {name.replace("words", "length"): len(given) for name, given in words.items()}
        super().__init__(presets=list(presets), **(lengths | words | traits))

    def __repr__(self) -> str:
        counts = {"encoder-only": self.n_encoder_layers, "decoder-only": self.n_decoder_layers}
        layers = counts.get(self.family, f"{self.n_encoder_layers} + {self.n_decoder_layers}")
        return text_form(self, f"d_model {self.d_model}, {self.n_heads} heads, {layers} layers", "click through")

    @traitlets.validate("src_words", "tgt_words")
    def _check_words(self, proposal):
        return check_words(proposal.value, proposal.trait.name) if len(proposal.value) else []

    @traitlets.validate(*(name for name in MOST if name not in ("d_model", "n_heads")))
    def _check_one_size(self, proposal):
        return _check_size(proposal.trait.name, proposal.value)

    @traitlets.validate("d_model", "n_heads")
    def _check_heads(self, proposal):
        value = _check_size(proposal.trait.name, proposal.value)
        sizes = {"d_model": self.d_model, "n_heads": self.n_heads, proposal.trait.name: value}
        _check_divisible(**sizes)
        return value

    @traitlets.validate("family", "norm")
    def _check_name(self, proposal):
        name, value = proposal.trait.name, proposal.value
        allowed = {"family": FAMILIES, "norm": NORMS}[name]
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        known = block_names()
        if proposal.value not in known:
            raise ValueError(f"selected={proposal.value!r} is no block; use one of {', '.join(known)}")
        return proposal.value

    @traitlets.validate("presets")
    def _check_presets(self, proposal):
        return [_check_preset(preset, f"presets[{i}]") for i, preset in enumerate(proposal.value)]


def block_names() -> list[str]:
    """Every block that some family has, in the order in which data meets it."""
    parts = {"encoder": ("self-attention", "feed-forward")}
    parts["decoder"] = ("self-attention", "cross-attention", "feed-forward")
    return [
        f"{stack} {block}"
        for stack, sublayers in parts.items()
        for block in (
            *("tokens", "embedding", "positions"),
            *(f"{part}{end}" for part in sublayers for end in (" norm", "", " add")),
            "final norm",
            *(("logits", "softmax") if stack == "decoder" else ()),
        )
    ]


def _check_size(name: str, value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= MOST[name]:
        raise ValueError(f"{name}={value} is not a whole number from 1 to {MOST[name]:,}")
    return value


def _check_divisible(d_model: int, n_heads: int) -> None:
    if d_model % n_heads:
        fits = ", ".join(str(n) for n in range(1, 17) if d_model % n == 0)
        raise ValueError(f"d_model={d_model} is not divisible by n_heads={n_heads}; use {fits} …")


def _check_preset(preset: Any, where: str) -> dict:
    if not isinstance(preset, Mapping) or set(preset) != {"name", "sizes"}:
        raise ValueError(f"{where} is {preset!r}; give a mapping with name and sizes")
    sizes = dict(preset["sizes"])
    if unknown := sorted(set(sizes) - set(MOST)):
        raise ValueError(f"{where}: {', '.join(unknown)} unknown; sizes are {', '.join(MOST)}")
    if missing := sorted({"d_model", "n_heads"} - set(sizes)):
        raise ValueError(f"{where}: {' and '.join(missing)} missing; give both, for heads must divide d_model")
    try:
        checked = {name: _check_size(name, value) for name, value in sizes.items()}
        _check_divisible(checked["d_model"], checked["n_heads"])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return {"name": str(preset["name"]), "sizes": checked}
