"""Watch a translator learn: the states of one training, with texts and every head at each of them (lessons 3, 12)."""

import base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import anywidget
import numpy as np
import traitlets

from lessons_lib.widgets._common import check_index, check_words, module_source, slim, style_source, text_form

NUMBERS = ("step", "loss", "bleu", "aer")


class GrowthWidget(anywidget.AnyWidget):
    """A slider over the states of a training: loss, BLEU, what it makes of some sentences, where each head looks.

    The maps are those of reading the right translation, so that their rows are the same in every state.

    Args:
        sentences: mappings with `source` (S words), `target` (the T words of the right translation) and `links`, pairs
            (index in source, index in target) of words that translate each other.
        states: mappings, a state each, in the order of the training: `step`, `loss`, `bleu` (0 to 100), `aer` (0 to 1),
            `texts` (what it writes, a text a sentence) and `weights` (for each sentence (L, H, T, S), in hundredths).
        at: index of the state shown first.
        sentence: index of the sentence shown first.
        layer, head: count from 0; layer -1 is the last one, head -1 the mean over its heads.
    Raises:
        ValueError: states out of order, a text too few, numbers or maps that do not fit, an index out of range.
    """

    _esm = slim(module_source("growth", ["small_map"]))
    _css = style_source("growth")

    sentences = traitlets.List().tag(sync=True)
    states = traitlets.List().tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)  # layers, heads
    at = traitlets.Int(0).tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)

    def __init__(self, sentences: Sequence[Mapping], states: Sequence[Mapping], layer: int = -1, **traits: Any):
        pairs = [_check_pair(pair, f"sentences[{i}]") for i, pair in enumerate(sentences)]
        if not pairs:
            raise ValueError("sentences is empty; give at least one with source, target and links")
        if not len(states):
            raise ValueError("states is empty; give at least one state of a training")
        checked = [_check_state(state, f"states[{i}]", pairs) for i, state in enumerate(states)]
        _check_order(checked)
        shape = checked[0]["weights"][0].shape[:2]
        packed = [state | {"weights": [_packed(table) for table in state["weights"]]} for state in checked]
        last = shape[0] - 1 if layer == -1 else layer
        super().__init__(sentences=pairs, states=packed, shape=list(shape), layer=last, **traits)

    def __repr__(self) -> str:
        return text_form(self, " ".join(self.sentences[0]["source"]), "watch it")

    @traitlets.validate("states")
    def _check_states(self, proposal):
        for i, state in enumerate(proposal.value):
            for text, pair in zip(state["weights"], self.sentences, strict=True):
                wanted = np.prod([*self.shape, len(pair["target"]), len(pair["source"])])
                if len(base64.b64decode(text, validate=True)) != wanted:
                    raise ValueError(f"states[{i}] has weights that are not {wanted} bytes in base64")
        return proposal.value

    @traitlets.validate("at")
    def _check_at(self, proposal):
        return check_index(proposal.value, "at", len(self.states), "states")

    @traitlets.validate("sentence")
    def _check_sentence(self, proposal):
        return check_index(proposal.value, "sentence", len(self.sentences), "sentences")

    @traitlets.validate("layer")
    def _check_layer(self, proposal):
        return check_index(proposal.value, "layer", self.shape[0], "layers")

    @traitlets.validate("head")
    def _check_head(self, proposal):
        return -1 if proposal.value == -1 else check_index(proposal.value, "head", self.shape[1], "heads")


def _check_pair(pair: Mapping, name: str) -> dict:
    if missing := [key for key in ("source", "target", "links") if key not in pair]:
        raise ValueError(f"{name} has no {missing[0]}; give source, target and links")
    source, target = (check_words(pair[side], f"{name} {side}") for side in ("source", "target"))
    links = [[int(a), int(b)] for a, b in pair["links"]]
    for a, b in links:
        if not (0 <= a < len(source) and 0 <= b < len(target)):
            raise ValueError(f"{name} links {a} with {b}; it has {len(source)} and {len(target)} words, from 0")
    return {"source": source, "target": target, "links": links}


def _check_state(state: Mapping, name: str, pairs: Sequence[Mapping]) -> dict:
    if missing := [key for key in (*NUMBERS, "texts", "weights") if key not in state]:
        raise ValueError(f"{name} has no {missing[0]}; give {', '.join(NUMBERS)}, texts and weights")
    checked: dict = {key: float(state[key]) for key in NUMBERS}
    if not np.isfinite(list(checked.values())).all() or min(checked.values()) < 0:
        raise ValueError(f"{name} has {checked}; every number must be finite and not negative")
    texts, tables = ([*state[key]] for key in ("texts", "weights"))
    if not len(texts) == len(tables) == len(pairs):
        raise ValueError(
            f"{name} has {len(texts)} texts and {len(tables)} maps for {len(pairs)} sentences; give as many"
        )
    weights = [_check_map(*both, f"{name} weights[{i}]") for i, both in enumerate(zip(tables, pairs, strict=True))]
    return checked | {"step": int(state["step"]), "texts": list(map(str, texts)), "weights": weights}


def _check_map(table: Any, pair: Mapping, name: str) -> np.ndarray:
    weights = np.asarray(table)
    size = (len(pair["target"]), len(pair["source"]))
    if weights.ndim != 4 or weights.shape[2:] != size:
        raise ValueError(f"{name} has shape {weights.shape}; give (layers, heads, {size[0]}, {size[1]})")
    if weights.min() < 0 or weights.max() > 100:
        raise ValueError(f"{name} goes from {weights.min()} to {weights.max()}; hundredths are 0 to 100")
    return weights.round().astype(np.uint8)


def _check_order(states: Sequence[Mapping]) -> None:
    first = states[0]["weights"][0].shape[:2]
    for i, (before, after) in enumerate(pairwise(states)):
        if after["step"] <= before["step"]:
            raise ValueError(f"states[{i + 1}] has step {after['step']} behind {before['step']}; put them in order")
    for i, state in enumerate(states):
        for table in state["weights"]:
            if (found := table.shape[:2]) != first:
                raise ValueError(f"states[{i}] has (layers, heads) {found}, states[0] has {first}; use one model")


def _packed(table: np.ndarray) -> str:
    """A byte a weight, in base64: as numbers, a notebook would give each of them a line."""
    return base64.b64encode(table.tobytes()).decode()
