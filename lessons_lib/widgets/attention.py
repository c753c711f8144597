"""Click a word, see what it attends to: the widget of lesson 1."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import (
    check_index,
    check_matrix,
    check_words,
    module_source,
    style_source,
    text_form,
)

_MATRICES = ("queries", "keys", "values")
_NAMES = {
    "view": ("weights", "steps"),
    "mask": ("all", "causal"),
    "architecture": ("attention", "rnn", "cnn"),
}


class AttentionWidget(anywidget.AnyWidget):
    """Attention weights of a clicked word, and the steps that information needs to reach it.

    The browser computes softmax(QKᵀ/√d_head) from `queries` and `keys` (Vaswani et al. 2017, 3.2.1), so a click,
    the mask and the scale work with no kernel. A second view compares the path lengths of attention, RNN and CNN
    (the same paper, section 4). Every trait may be changed later: `widget.selected = 3`.

    Args:
        words: T words, at most 40.
        queries: (T, d_head) one query a word; array, tensor or lists. Rounded to 4 decimals.
        keys: (T, d_head) one key a word.
        values: (T, d_value) one value a word, if the widget is to show the output Σ weight × value.
        sentences: instead of the four above, several sentences to choose from: mappings with those names as keys.
        sentence: index of the sentence shown first.
        selected: index of the word chosen first.
        view: "weights" or "steps".
        scale: divide the scores by √d_head.
        mask: "all", or "causal": a word may not look at the words after it.
        architecture: "attention", "rnn" or "cnn", for the view "steps".
    Raises:
        ValueError: arrays that do not fit the words, NaN, more than 40 words, an index or a name out of range.
    """

    _esm = module_source("attention")
    _css = style_source("attention")

    sentences = traitlets.List().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    view = traitlets.Unicode("weights").tag(sync=True)
    scale = traitlets.Bool(True).tag(sync=True)
    mask = traitlets.Unicode("all").tag(sync=True)
    architecture = traitlets.Unicode("attention").tag(sync=True)

    def __init__(
        self,
        words: Sequence | None = None,
        queries: Any = None,
        keys: Any = None,
        values: Any = None,
        *,
        sentences: Sequence[Mapping] | None = None,
        **traits: Any,
    ):
        if sentences is None:
            sentences = [{"words": words, "queries": queries, "keys": keys, "values": values}]
        elif any(argument is not None for argument in (words, queries, keys, values)):
            raise ValueError("sentences is given beside words, queries, keys or values; put them into sentences")
        super().__init__(sentences=list(sentences), **traits)

    def __repr__(self) -> str:
        return text_form(self, " ".join(self.sentences[0]["words"]), "click the words")

    @traitlets.validate("sentences")
    def _check_sentences(self, proposal):
        if not proposal.value:
            raise ValueError("sentences is empty; give at least one {words, queries, keys}")
        one = len(proposal.value) == 1
        return [
            _check_sentence(sentence, "" if one else f"sentences[{i}]: ") for i, sentence in enumerate(proposal.value)
        ]

    @traitlets.validate("sentence")
    def _check_sentence_index(self, proposal):
        return check_index(proposal.value, "sentence", len(self.sentences), "sentences")

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        words = self.sentences[self.sentence]["words"]
        return check_index(proposal.value, "selected", len(words), "words")

    @traitlets.validate("view", "mask", "architecture")
    def _check_name(self, proposal):
        name, value, allowed = proposal.trait.name, proposal.value, _NAMES[proposal.trait.name]
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value

    @traitlets.observe("sentences", "sentence")
    def _keep_indices_in_range(self, change):
        if self.sentence >= len(self.sentences):
            self.sentence = 0
        if self.selected >= len(self.sentences[self.sentence]["words"]):
            self.selected = 0


def _check_sentence(sentence: Mapping, where: str) -> dict:
    try:
        return _checked(sentence)
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None


def _checked(sentence: Mapping) -> dict:
    given = {name for name, value in sentence.items() if value is not None}
    if missing := sorted({"words", "queries", "keys"} - given):
        raise ValueError(f"{', '.join(missing)} missing; give words, queries, keys and, if you like, values")
    if unknown := sorted(given - {"words", *_MATRICES}):
        raise ValueError(f"{', '.join(unknown)} unknown; give words, queries, keys and, if you like, values")
    words = check_words(sentence["words"])
    matrices = {name: check_matrix(sentence[name], name, len(words)) for name in _MATRICES if name in given}
    n_query, n_key = (len(matrices[name][0]) for name in ("queries", "keys"))
    if n_query != n_key:
        raise ValueError(f"queries has {n_query} columns but keys has {n_key}; q · k needs the same d_head")
    return {"words": words, **matrices}
