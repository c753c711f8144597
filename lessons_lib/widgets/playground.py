"""The playground: train a Transformer in the page, or two side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import engine_text, module_source, slim, style_source, text_form
from lessons_lib.widgets.engine.training import TRAINING

PARTS = (
    "engine/training/settings",
    "engine_start",
    *(f"playground_{name}" for name in ("knobs", "presets", "run", "chart", "view")),
)
MOST_PAIRS = 2_000


class PlaygroundWidget(anywidget.AnyWidget):
    """Train a Transformer where it is read: the browser computes forward and backward, in threads of its own.

    On the course's website the page loads the engine from the site, in a notebook from the kernel: when the reader asks
    for a training, and not before.

    Args:
        a, b: changes of the default settings in each run, by the names of `engine/training/settings.js`, such as
            ``{"positions": "none"}``.
        compare: whether run b is there, too.
        pairs: sentences and their translations for the task "pairs", at most 2,000.
    Raises:
        ValueError: too many pairs, or one that is not two texts.
    """

    _esm = slim(module_source("playground", PARTS))
    _css = style_source("playground")

    a = traitlets.Dict().tag(sync=True)
    b = traitlets.Dict().tag(sync=True)
    compare = traitlets.Bool(False).tag(sync=True)
    pairs = traitlets.List().tag(sync=True)

    def __init__(
        self,
        a: Mapping | None = None,
        b: Mapping | None = None,
        compare: bool | None = None,
        pairs: Sequence[Sequence[str]] = (),
    ):
        two = b is not None if compare is None else compare
        super().__init__(a=dict(a or {}), b=dict(b or {}), compare=two, pairs=[list(pair) for pair in pairs])
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        changes = ", ".join(f"{name}={value}" for name, value in self.a.items())
        return text_form(self, changes or "an encoder and a decoder", "train it")

    def _answer(self, widget, content: Any, buffers: Any) -> None:
        if content == {"ask": "engine"}:
            self.send({"engine": engine_text(TRAINING)})

    @traitlets.validate("pairs")
    def _check_pairs(self, proposal):
        if len(proposal.value) > MOST_PAIRS:
            raise ValueError(f"{len(proposal.value)} pairs are too many for a page; give at most {MOST_PAIRS:,}")
        for i, pair in enumerate(proposal.value):
            if len(pair) != 2 or not all(isinstance(side, str) and side.strip() for side in pair):
                raise ValueError(f"pairs[{i}] is {pair!r}; give a sentence and its translation")
        return proposal.value
