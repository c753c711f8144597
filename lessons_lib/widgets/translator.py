"""The translator itself, in the page: type English, see French, and where it looked."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import engine_source, module_source, slim, style_source, text_form

ENGINE = ("arena", "plain", "kernels", "numbers", "file", "positions", "model", "tokenizer", "search", "worker")
PARTS = ("translator_words", "translator_weights", "translator_view")
BEAMS = (1, 2, 4, 8)
Weights = bytes | str | os.PathLike | Callable[[], bytes]


class TranslatorWidget(anywidget.AnyWidget):
    """A translator that runs where it is read: the browser computes the whole model, in a thread of its own.

    On the course's website the page loads the weights from the site. In a notebook the kernel hands them over when the
    reader asks for them, so that they never lie in the notebook. Everywhere the reader may choose a file that
    `lessons export-web` wrote.

    Args:
        sentences: examples to choose from; the first stands in the box at the start.
        weights: what a kernel hands over: the bytes of such a file, its path, or a function that makes the bytes.
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

    sentences = traitlets.List(traitlets.Unicode()).tag(sync=True)
    beam = traitlets.Int(1).tag(sync=True)
    layer = traitlets.Int(-1).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    unit = traitlets.Unicode("words").tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)

    def __init__(self, sentences: Sequence[str], weights: Weights | None = None, **traits: Any):
        if isinstance(sentences, str):
            raise ValueError(f"sentences={sentences!r} is one text; give a list of sentences")
        if isinstance(weights, str | os.PathLike) and not Path(weights).is_file():
            raise ValueError(f"weights={str(weights)!r} is not a file; write one with `lessons export-web`")
        super().__init__(sentences=list(sentences), **traits)
        self._weights = weights
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        return text_form(self, self.sentences[0], "translate")

    def _answer(self, widget, content: Any, buffers: Any) -> None:
        """The page asks for the weights: send them, or say why not."""
        if content != {"ask": "weights"}:
            return
        try:
            data = self._weights() if callable(self._weights) else self._weights
            if isinstance(data, str | os.PathLike):
                data = Path(data).read_bytes()
        except (OSError, ValueError) as error:
            self.send({"failed": str(error)})
            return
        if data is None:
            self.send({"failed": "this widget was made without weights; choose a file, or give it weights=…"})
        else:
            self.send({"weights": len(data)}, [data])

    @traitlets.validate("sentences")
    def _check_sentences(self, proposal):
        if not proposal.value or not all(text.strip() for text in proposal.value):
            raise ValueError("sentences is empty or has a blank one; give at least one English sentence")
        return proposal.value

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
