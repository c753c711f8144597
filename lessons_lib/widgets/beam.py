"""Beam search as a tree, step by step, on the log-probabilities of a real model: the widget of lesson 12."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, module_source, style_source, text_form

MAX_WIDTH = 5
LENGTH_PENALTIES = (0.0, 0.6, 1.0, 2.0)
KEYS = ("source", "pieces", "end", "limit", "nodes")


class BeamTree(anywidget.AnyWidget):
    """Beam search with a width of 1 to 5 and a length penalty, forth and back, on trees that hold what it needs.

    The browser searches, so it works with no kernel; its rules are those of `translation.search.decoding.n_best`.
    Every trait may be changed later: `widget.width = 1` is greedy search.

    Args:
        sentences: trees, as `translation.search.beam_tree` makes them: mappings with `source`, a text;
            `pieces`, the tokens that occur, of which number `end` is the end of a sentence; `limit`, the most tokens of
            a translation; `nodes`, lists of [piece, log-probability, node], the root first, -1 where the tree ends.
        sentence: index of the sentence shown first.
        width: the number of beams.
        length_penalty: 0, 0.6, 1 or 2.
        step: how many steps are made already; more than the search has is its end.
    Raises:
        ValueError: a tree with a part missing or out of range, a width or length penalty that is not on offer.
    """

    _esm = module_source("beam")
    _css = style_source("beam")

    sentences = traitlets.List().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    width = traitlets.Int(3).tag(sync=True)
    length_penalty = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, sentences: Sequence[Mapping], **traits: Any):
        super().__init__(sentences=_check_sentences(sentences), **traits)

    def __repr__(self) -> str:
        return text_form(self, self.sentences[0]["source"], "step through it")

    @traitlets.validate("sentences")
    def _validate_sentences(self, proposal):
        return _check_sentences(proposal.value)

    @traitlets.validate("sentence")
    def _validate_sentence(self, proposal):
        return check_index(proposal.value, "sentence", len(self.sentences), "sentences")

    @traitlets.validate("width")
    def _validate_width(self, proposal):
        if not 1 <= proposal.value <= MAX_WIDTH:
            raise ValueError(f"width={proposal.value} is not on offer; use 1 to {MAX_WIDTH}")
        return proposal.value

    @traitlets.validate("length_penalty")
    def _validate_length_penalty(self, proposal):
        if proposal.value not in LENGTH_PENALTIES:
            offered = ", ".join(f"{penalty:g}" for penalty in LENGTH_PENALTIES)
            raise ValueError(f"length_penalty={proposal.value:g} is not on offer; use one of {offered}")
        return proposal.value

    @traitlets.validate("step")
    def _validate_step(self, proposal):
        if proposal.value < 0:
            raise ValueError(f"step={proposal.value} is negative; use 0 for the start")
        return proposal.value

    @traitlets.observe("sentences")
    def _keep_in_range(self, change):
        self.sentence = min(self.sentence, len(self.sentences) - 1)


def _check_sentences(sentences: Sequence[Mapping]) -> list[dict]:
    if not len(sentences):
        raise ValueError("sentences is empty; give at least one tree, beam_tree(translator, text)")
    return [_check_tree(tree, f"sentences[{i}]") for i, tree in enumerate(sentences)]


def _check_tree(tree: Mapping, name: str) -> dict:
    if missing := [key for key in KEYS if key not in tree]:
        raise ValueError(f"{name} has no {missing[0]}; give {', '.join(KEYS)}, as beam_tree does")
    pieces, nodes = [str(piece) for piece in tree["pieces"]], tree["nodes"]
    check_index(tree["end"], f"{name} end", len(pieces), "pieces")
    if tree["limit"] < 1:
        raise ValueError(f"{name} limit={tree['limit']}; a translation may have at least 1 token")
    if not len(nodes):
        raise ValueError(f"{name} nodes is empty; the first one is the root")
    checked = [_check_node(node, f"{name} nodes[{i}]", i, len(pieces), len(nodes)) for i, node in enumerate(nodes)]
    return {
        "source": str(tree["source"]),
        "pieces": pieces,
        "end": tree["end"],
        "limit": tree["limit"],
        "nodes": checked,
    }


def _check_node(node: Sequence, name: str, number: int, n_pieces: int, n_nodes: int) -> list[list]:
    if not len(node):
        raise ValueError(f"{name} has no children; mark what is not expanded with node -1 in its parent")
    children = []
    for piece, log_probability, child in node:
        check_index(piece, f"{name} piece", n_pieces, "pieces")
        if not (math.isfinite(log_probability) and log_probability <= 1e-6):
            raise ValueError(f"{name} holds the log-probability {log_probability}; use finite numbers up to 0")
        if child != -1 and not number < child < n_nodes:
            raise ValueError(f"{name} leads to node {child}; use -1, or a later one of the {n_nodes} nodes")
        children.append([int(piece), float(log_probability), int(child)])
    return children
