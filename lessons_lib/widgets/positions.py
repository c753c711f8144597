"""Move over the pattern of positions, compare positions by distance, swap two words: the widget of lesson 4."""

from collections.abc import Mapping
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

MAX_WIDTH, MAX_LENGTH = 256, 256
_VIEWS = ("pattern", "similarity", "words")
_HEAD = ("words", "swap", "embeddings", "query", "query_bias", "key", "key_bias")


class PositionsWidget(anywidget.AnyWidget):
    """The sinusoidal table, similarity by distance, and what a head makes of two words that change places.

    The browser computes all of it: the table (Vaswani et al. 2017, section 3.5), the rotation of RoPE (Su et al. 2021,
    section 3.2.2) in the pairing of `lessons_lib.positions`, and the attention weights of one head. Every trait may be
    changed later: `widget.position = 10`.

    Args:
        width: the number of dimensions of the table; even, at most 256.
        length: the number of positions that are drawn; 2 to 256.
        query, key: (d_head,) the vectors that RoPE turns in the view "similarity"; as many ones as a head is
            wide unless given. Rounded to 4 decimals.
        head: for the view "words", a mapping of words (T of them), swap (two indices), embeddings (T, D; as they enter
            the model, before positions), query and key (d_head, D) and query_bias and key_bias (d_head,), which act on
            the sum of embedding and position after a layer norm without weights of its own.
        view: "pattern", "similarity" or "words".
        position, dimension, distance: where the marks stand first.
        selected: the word chosen first in the view "words".
        with_positions: add positions in the view "words".
    Raises:
        ValueError: a number or name out of range, vectors that do not fit, NaN.
    """

    _esm = module_source("positions")
    _css = style_source("positions")

    width = traitlets.Int(32).tag(sync=True)
    length = traitlets.Int(64).tag(sync=True)
    query = traitlets.List().tag(sync=True)
    key = traitlets.List().tag(sync=True)
    head = traitlets.Dict().tag(sync=True)
    view = traitlets.Unicode("pattern").tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    dimension = traitlets.Int(0).tag(sync=True)
    distance = traitlets.Int(0).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    with_positions = traitlets.Bool(True).tag(sync=True)

    def __init__(self, *, query: Any = None, key: Any = None, **traits: Any):
        query, key = (
            [1.0] * 16 if given is None else _vector(given, name) for given, name in ((query, "query"), (key, "key"))
        )
        _check_pair(query, key)
        super().__init__(query=query, key=key, **traits)

    def __repr__(self) -> str:
        return text_form(self, f"{self.length} positions, {self.width} dimensions", "move in it")

    @traitlets.validate("query", "key")
    def _check_vector(self, proposal):
        vector = _vector(proposal.value, proposal.trait.name)
        other = self.key if proposal.trait.name == "query" else self.query
        if other:  # both at once: inside `with widget.hold_trait_notifications()`
            _check_pair(vector, other)
        return vector

    @traitlets.validate("width")
    def _check_width(self, proposal):
        return _checked_width(proposal.value)

    @traitlets.validate("length")
    def _check_length(self, proposal):
        if not 2 <= proposal.value <= MAX_LENGTH:
            raise ValueError(f"length={proposal.value} is not a number from 2 to {MAX_LENGTH}; use 64")
        return proposal.value

    @traitlets.validate("position")
    def _check_position(self, proposal):
        return check_index(proposal.value, "position", self.length, "positions")

    @traitlets.validate("dimension")
    def _check_dimension(self, proposal):
        # Traits that come together are checked in any order: a width that is none is said first.
        return check_index(proposal.value, "dimension", _checked_width(self.width), "dimensions")

    @traitlets.validate("distance")
    def _check_distance(self, proposal):
        if abs(proposal.value) >= self.length:
            last = self.length - 1
            raise ValueError(f"distance={proposal.value} but there are {self.length} positions; use −{last} to {last}")
        return proposal.value

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        words = self.head.get("words", [""])
        return check_index(proposal.value, "selected", len(words), "words")

    @traitlets.validate("head")
    def _check_head(self, proposal):
        return _checked_head(proposal.value)

    @traitlets.validate("view")
    def _check_view(self, proposal):
        if proposal.value not in _VIEWS:
            raise ValueError(f"view={proposal.value!r} is not one of {', '.join(map(repr, _VIEWS))}")
        return proposal.value

    @traitlets.observe("width", "length", "head")
    def _keep_marks_in_range(self, change):
        self.position, self.dimension = min(self.position, self.length - 1), min(self.dimension, self.width - 1)
        self.distance = max(1 - self.length, min(self.distance, self.length - 1))
        self.selected = min(self.selected, len(self.head.get("words", [""])) - 1)


def _checked_width(width: int) -> int:
    if not 2 <= width <= MAX_WIDTH or width % 2:
        raise ValueError(f"width={width} is not an even number from 2 to {MAX_WIDTH}; use 32")
    return width


def _check_pair(query: list, key: list) -> None:
    if len(query) != len(key) or len(query) % 2:
        raise ValueError(
            f"query has {len(query)} numbers and key has {len(key)}; RoPE turns pairs: give both the same even number"
        )


def _vector(vector: Any, name: str) -> list[float]:
    if hasattr(vector, "detach"):
        vector = vector.detach().cpu().double().tolist()
    (row,) = check_matrix([vector], name, 1, "vectors")
    if not any(row):
        raise ValueError(f"{name} is all zeros; a vector without a direction is like nothing")
    return row


def _checked_head(head: Mapping) -> dict:
    if not head:
        return {}
    if missing := [name for name in _HEAD if name not in head]:
        raise ValueError(f"head: {', '.join(missing)} missing; give {', '.join(_HEAD)}")
    if unknown := sorted(set(head) - set(_HEAD)):
        raise ValueError(f"head: {', '.join(unknown)} unknown; give {', '.join(_HEAD)}")
    words = check_words(head["words"])
    swap = [check_index(int(index), "swap", len(words), "words") for index in head["swap"]]
    if len(swap) != 2 or swap[0] == swap[1]:
        raise ValueError(f"swap={swap} does not name two different words; give their two indices")
    embeddings = check_matrix(head["embeddings"], "embeddings", len(words))
    n_rows = len(head["query"])
    matrices = {name: check_matrix(head[name], name, n_rows, "dimensions of the head") for name in ("query", "key")}
    for name, matrix in matrices.items():
        if len(matrix[0]) != len(embeddings[0]):
            raise ValueError(f"{name} has {len(matrix[0])} columns but the embeddings have {len(embeddings[0])}")
    biases = {
        name: check_matrix(_column(head[name]), name, n_rows, "dimensions of the head")
        for name in ("query_bias", "key_bias")
    }
    flat = {name: [row[0] for row in rows] for name, rows in biases.items()}
    if len(embeddings[0]) % 2:
        raise ValueError(
            f"embeddings has {len(embeddings[0])} columns; sines and cosines come in pairs, give an even number"
        )
    return {"words": words, "swap": swap, "embeddings": embeddings, **matrices, **flat}


def _column(vector: Any) -> list[list[float]]:
    values = vector.detach().cpu().double().tolist() if hasattr(vector, "detach") else list(vector)
    return [[value] for value in values]
