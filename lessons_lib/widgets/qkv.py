"""Attention step by step, every number shown: the widget of lesson 2."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, check_matrix, check_words, module_source, style_source, text_form

MAX_WORDS, MAX_WIDTH = 6, 4
STEPS = ("embeddings", "project", "scores", "scale", "softmax", "output")
PARTS = ("query", "key", "value")


class QKVWidget(anywidget.AnyWidget):
    """Embeddings → Q, K, V → QKᵀ → scale → softmax → · V for a short sentence (Vaswani et al. 2017, section 3.2.1).

    The browser computes every number from the embeddings and the three matrices, so it works with no kernel. A chosen
    cell of the result shows its arithmetic. Every trait may be changed later: `widget.step = "softmax"`.

    Args:
        words: T words, at most 6.
        embeddings: (T, D) one row a word, D at most 4; array, tensor or lists. Rounded to 4 decimals.
        w_query: (D, d_head) the matrix of X · W_Q, d_head at most 4. `nn.Linear` stores its transpose: give `weight.T`.
        w_key: (D, d_head) the matrix of the keys.
        w_value: (D, d_value) the matrix of the values.
        sentences: instead of words and embeddings, several to choose from: mappings with those names as keys.
        value_names: what the d_value columns of the values stand for, if they stand for anything.
        sentence: index of the sentence shown first.
        step: "embeddings", "project", "scores", "scale", "softmax" or "output".
        part: "query", "key" or "value", which of the three the step "project" shows.
        row: index of the word whose row of the result is chosen first.
        column: index of its column.
    Raises:
        ValueError: shapes that do not fit each other, NaN, too many words or columns, a name or an index out of range.
    """

    _esm = module_source("qkv")
    _css = style_source("qkv")

    sentences = traitlets.List().tag(sync=True)
    matrices = traitlets.Dict().tag(sync=True)
    value_names = traitlets.List().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    step = traitlets.Unicode("embeddings").tag(sync=True)
    part = traitlets.Unicode("query").tag(sync=True)
    row = traitlets.Int(0).tag(sync=True)
    column = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        words: Sequence | None = None,
        embeddings: Any = None,
        w_query: Any = None,
        w_key: Any = None,
        w_value: Any = None,
        *,
        sentences: Sequence[Mapping] | None = None,
        value_names: Sequence[str] = (),
        **traits: Any,
    ):
        if sentences is None:
            sentences = [{"words": words, "embeddings": embeddings}]
        elif words is not None or embeddings is not None:
            raise ValueError("sentences is given beside words or embeddings; put them into sentences")
        super().__init__()
        self.show(sentences, w_query, w_key, w_value, value_names)
        for name, value in traits.items():
            setattr(self, name, value)

    def show(
        self,
        sentences: Sequence[Mapping],
        w_query: Any,
        w_key: Any,
        w_value: Any,
        value_names: Sequence[str] = (),
    ) -> None:
        """Other sentences and another network, at once.

        Raises:
            ValueError: as the constructor.
        """
        if not sentences:
            raise ValueError("sentences is empty; give at least one {words, embeddings}")
        one = len(sentences) == 1
        checked = [_sentence(given, "" if one else f"sentences[{i}]: ") for i, given in enumerate(sentences)]
        widths = {len(given["embeddings"][0]) for given in checked}
        if len(widths) > 1:
            raise ValueError(f"the sentences have embeddings of {sorted(widths)} columns; give all the same width")
        matrices = {
            part: _projection(matrix, f"w_{part}", *widths)
            for part, matrix in zip(PARTS, (w_query, w_key, w_value), strict=True)
        }
        n_query, n_key, n_value = (len(matrix[0]) for matrix in matrices.values())
        if n_query != n_key:
            raise ValueError(f"w_query has {n_query} columns but w_key has {n_key}; q · k needs the same d_head")
        names = check_words(value_names, "value_names") if len(value_names) else []
        if names and len(names) != n_value:
            raise ValueError(f"value_names has {len(names)} names but w_value has {n_value} columns; give one for each")
        with self.hold_sync():
            self.sentences, self.matrices, self.value_names = checked, matrices, names
            self._keep_indices_in_range()

    def __repr__(self) -> str:
        return text_form(self, " ".join(self.sentences[0]["words"]), "take the steps")

    @traitlets.validate("sentence", "row", "column")
    def _check_index(self, proposal):
        name = proposal.trait.name
        words = self.sentences[self.sentence]["words"]
        lengths = {"sentence": (len(self.sentences), "sentences"), "row": (len(words), "words")}
        widest = max(len(words), MAX_WIDTH)  # the results of the steps differ in width; the browser stays inside
        return check_index(proposal.value, name, *lengths.get(name, (widest, "columns")))

    @traitlets.validate("step", "part")
    def _check_name(self, proposal):
        name, value = proposal.trait.name, proposal.value
        allowed = STEPS if name == "step" else PARTS
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value

    @traitlets.observe("sentence")
    def _keep_indices_in_range(self, change=None):
        if self.sentence >= len(self.sentences):
            self.sentence = 0
        words = self.sentences[self.sentence]["words"]
        if self.row >= len(words):
            self.row = 0
        if self.column >= max(len(words), MAX_WIDTH):
            self.column = 0


def _sentence(given: Mapping, where: str) -> dict:
    try:
        names = {name for name, value in given.items() if value is not None}
        if names != {"words", "embeddings"}:
            raise ValueError(f"a sentence has {sorted(names)}; give words and embeddings, and nothing else")
        words = check_words(given["words"])
        if len(words) > MAX_WORDS:
            raise ValueError(f"words has {len(words)} words; give 1 to {MAX_WORDS}, so that every number can be shown")
        embeddings = _narrow(check_matrix(given["embeddings"], "embeddings", len(words)), "embeddings")
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None
    return {"words": words, "embeddings": embeddings}


def _projection(matrix: Any, name: str, width: int) -> list[list[float]]:
    if matrix is None:
        raise ValueError(f"{name} is missing; give the matrix of X · W, {width} rows")
    try:
        return _narrow(check_matrix(matrix, name, width, "columns of the embeddings"), name)
    except ValueError as error:
        raise ValueError(f"{error} (an nn.Linear stores the transpose: give weight.T)") from None


def _narrow(matrix: list[list[float]], name: str) -> list[list[float]]:
    if len(matrix[0]) > MAX_WIDTH:
        raise ValueError(f"{name} has {len(matrix[0])} columns; give 1 to {MAX_WIDTH}, so that they can be shown")
    return matrix
