"""Who may look at whom, and what gets around a wrong mask: the widget of lesson 8."""

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, check_words, module_source, style_source, text_form

MAX_WORDS, MAX_PADDING = 10, 3
_NAMES = {
    "pattern": ("none", "causal", "padding", "causal+padding", "prefix", "window"),
    "mistake": ("none", "ahead", "inverted", "forgotten"),
    "side": ("right", "left"),
}


class MaskWidget(anywidget.AnyWidget):
    """The mask of a sentence as a matrix: who sees whom, and who has heard of whom after 1, 2 or 3 layers.

    The browser makes the masks of `lessons_lib.masks` and follows the words through the layers: a position hears of
    what it sees, and of what that has heard of. Later words that reach a row which must predict the next word are
    marked as leaks. Every trait may be changed later: `widget.pattern = "window"`.

    Args:
        words: the sentence, at most 10 words.
        length: how many of the words are shown; all of them if not given.
        padding: how many `<pad>` are added, at most 3.
        side: where they are added, "right" or "left".
        pattern: "none", "causal", "padding", "causal+padding", "prefix" or "window".
        prefix: how many positions everybody sees, for the pattern "prefix".
        window: how many positions a position sees, itself included, for the pattern "window".
        mistake: "none", "ahead" (each position sees one too many), "inverted", "forgotten" (no mask in layer 2).
        layers: 1, 2 or 3.
        predicts: each row must predict the word after it, as in a decoder; in an encoder it need not.
        selected: index of the row chosen first.
    Raises:
        ValueError: too many words, a number or a name out of range.
    """

    _esm = module_source("mask")
    _css = style_source("mask")

    words = traitlets.List().tag(sync=True)
    length = traitlets.Int(1).tag(sync=True)
    padding = traitlets.Int(0).tag(sync=True)
    side = traitlets.Unicode("right").tag(sync=True)
    pattern = traitlets.Unicode("causal").tag(sync=True)
    prefix = traitlets.Int(2).tag(sync=True)
    window = traitlets.Int(2).tag(sync=True)
    mistake = traitlets.Unicode("none").tag(sync=True)
    layers = traitlets.Int(1).tag(sync=True)
    predicts = traitlets.Bool(True).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)

    def __init__(self, words: Sequence[str], *, length: int | None = None, **traits: Any):
        words = _check_few_words(words)
        super().__init__(words=words, length=len(words) if length is None else length, **traits)

    def __repr__(self) -> str:
        return text_form(self, " ".join(self.words), "click the rows")

    @traitlets.validate("words")
    def _check_words(self, proposal):
        return _check_few_words(proposal.value)

    @traitlets.validate("length")
    def _check_length(self, proposal):
        return _check_number("length", proposal.value, 1, len(self.words), f"there are {len(self.words)} words")

    @traitlets.validate("padding")
    def _check_padding(self, proposal):
        return _check_number("padding", proposal.value, 0, MAX_PADDING, "there is no more room")

    @traitlets.validate("prefix")
    def _check_prefix(self, proposal):
        return _check_number("prefix", proposal.value, 0, MAX_WORDS + MAX_PADDING, "no sentence is longer")

    @traitlets.validate("window")
    def _check_window(self, proposal):
        return _check_number("window", proposal.value, 1, MAX_WORDS + MAX_PADDING, "a window of 0 sees nothing")

    @traitlets.validate("layers")
    def _check_layers(self, proposal):
        return _check_number("layers", proposal.value, 1, 3, "the figure follows three layers")

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        return check_index(proposal.value, "selected", self.length + self.padding, "rows")

    @traitlets.validate("pattern", "mistake", "side")
    def _check_name(self, proposal):
        name, value, allowed = proposal.trait.name, proposal.value, _NAMES[proposal.trait.name]
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value

    @traitlets.observe("words")
    def _keep_length_in_range(self, change):
        self.length = min(self.length, len(self.words))

    @traitlets.observe("length", "padding")
    def _keep_row_in_range(self, change):
        self.selected = min(self.selected, self.length + self.padding - 1)


def _check_few_words(words: Any) -> list[str]:
    words = check_words(words)
    if len(words) > MAX_WORDS:
        raise ValueError(f"words has {len(words)} words; give 1 to {MAX_WORDS}, or the matrix is too wide for a phone")
    return words


def _check_number(name: str, value: int, least: int, most: int, why: str) -> int:
    if not least <= value <= most:
        raise ValueError(f"{name}={value} but {why}; use {least} to {most}")
    return value
