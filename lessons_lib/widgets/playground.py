"""The playground: train a Transformer in the page, or two side by side."""

from collections.abc import Mapping

import anywidget
import traitlets

from lessons_lib.widgets._common import engine_source, module_source, slim, slim_style, style_source, text_form
from lessons_lib.widgets.engine.training import TRAINING

PARTS = (
    "engine/training/settings",
    "engine_start",
    "small_map",
    *(f"playground_{name}" for name in ("knobs", "presets", "run", "chart", "view")),
)
# Those of engine/training/config.js; every other setting is a number.
CHOICES = {
    "task": ("copy", "reverse", "sort", "agreement", "french"),
    "symbols": ("letters", "digits"),
    "model": ("encoder-decoder", "decoder-only"),
    "positions": ("none", "sinusoidal", "learned", "rope"),
    "norm": ("none", "pre", "post"),
    "activation": ("relu", "gelu", "swiglu"),
    "causal_mask": (True, False),
    "scale_scores": (True, False),
    "tied": (True, False),
    "optimizer": ("sgd", "adam", "adamw"),
    "schedule": ("constant", "inverse_sqrt", "linear"),
}
NUMBERS = (
    *("shortest", "longest", "d_model", "n_heads", "n_layers", "d_ff", "dropout"),
    *("learning_rate", "warmup_steps", "steps", "batch_size", "weight_decay", "clip_norm", "seed"),
)


class PlaygroundWidget(anywidget.AnyWidget):
    """Train a Transformer where it is read: the browser computes forward and backward, in threads of its own.

    On the course's website a page loads the engine when the reader asks for a training, and not before.

    Args:
        a, b: changes of the default settings in each run, by the names of `engine/training/settings.js`, such as
            ``{"positions": "none"}``.
        compare: whether run b is there, too.
        text: where the heads look is shown for this text; without it, for one that fits the task.
    Raises:
        ValueError: a setting or a value that is not known.
    """

    _esm = engine_source(TRAINING) + slim(module_source("playground", PARTS))
    _css = slim_style(style_source("playground"))

    a = traitlets.Dict().tag(sync=True)
    b = traitlets.Dict().tag(sync=True)
    compare = traitlets.Bool(False).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        a: Mapping | None = None,
        b: Mapping | None = None,
        compare: bool | None = None,
        text: str = "",
    ):
        two = b is not None if compare is None else compare
        super().__init__(a=dict(a or {}), b=dict(b or {}), compare=two, text=text)

    def __repr__(self) -> str:
        changes = ", ".join(f"{name}={value}" for name, value in self.a.items())
        return text_form(self, changes or "an encoder and a decoder", "train it")

    @traitlets.validate("a", "b")
    def _check_settings(self, proposal):
        for name, value in proposal.value.items():
            if name in CHOICES and value not in CHOICES[name]:
                known = ", ".join(map(repr, CHOICES[name]))
                raise ValueError(f"{proposal.trait.name}: {name}={value!r} is not one of {known}")
            if name not in CHOICES and name not in NUMBERS:
                known = ", ".join((*CHOICES, *NUMBERS))
                raise ValueError(f"{proposal.trait.name}: {name!r} is no setting; use one of {known}")
            if name in NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"{proposal.trait.name}: {name}={value!r} is no number")
        return proposal.value
