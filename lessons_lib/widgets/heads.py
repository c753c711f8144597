"""Pick a head of a trained translator: what it looks at, what it is good for, what is lost without it (lesson 3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from lessons_lib.widgets._common import check_index, check_words, module_source, style_source, text_form

KINDS = ("encoder", "decoder", "cross")
DECIMALS = 3


class HeadsWidget(anywidget.AnyWidget):
    """Maps of attention weights of every head, by kind of attention and layer, with what was measured of each head.

    The data is a model's own, computed beforehand; the browser computes what depends on what is chosen: the mean over
    the heads of a layer, over how many words a query is spread, and how much falls on the neighbours. Every trait may
    be changed later: `widget.head = 3`.

    Args:
        sentences: mappings from a kind ("encoder", "decoder", "cross"; one or more of them, the same in each) to a
            mapping with `rows` (T words that look), `columns` (S words that are looked at) and `weights` (L, H, T, S),
            rounded to 3 decimals; and `title`, what the list of sentences shows.
        facts: what was measured of the heads: mappings with `kind`, `text`, `values` (L, H) and, if there is one, a
            `baseline` to compare them with.
        lost: a mapping from a kind to (L, H) BLEU points that are lost without each head; kinds may be left out.
        kind, layer, head: what is shown first; layer and head count from 0, head -1 is the mean over all heads.
        sentence: index of the sentence shown first.
        selected: index of the row chosen first.
    Raises:
        ValueError: arrays that do not fit the words or each other, weights outside 0 to 1, an index out of range.
    """

    _esm = module_source("heads", ["small_map"])
    _css = style_source("heads")

    sentences = traitlets.List().tag(sync=True)
    facts = traitlets.List().tag(sync=True)
    lost = traitlets.Dict().tag(sync=True)
    kind = traitlets.Unicode("cross").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, sentences: Sequence[Mapping], facts: Sequence[Mapping] = (), lost: Mapping | None = None, **traits: Any
    ):
        checked = _check_sentences(sentences)
        self._shapes = _shapes(checked[0])
        traits.setdefault("kind", "cross" if "cross" in self._shapes else next(iter(self._shapes)))
        super().__init__(sentences=checked, facts=list(facts), lost=dict(lost or {}), **traits)

    def __repr__(self) -> str:
        return text_form(self, self.sentences[0]["title"], "choose a head")

    @traitlets.validate("sentences")
    def _check_sentences(self, proposal):
        checked = _check_sentences(proposal.value)
        self._shapes = _shapes(checked[0])
        return checked

    @traitlets.validate("facts")
    def _check_facts(self, proposal):
        return [_check_fact(fact, i, self._shapes) for i, fact in enumerate(proposal.value)]

    @traitlets.validate("lost")
    def _check_lost(self, proposal):
        return {kind: _by_head(table, kind, f"lost[{kind!r}]", self._shapes) for kind, table in proposal.value.items()}

    @traitlets.validate("kind")
    def _check_kind(self, proposal):
        if proposal.value not in self._shapes:
            raise ValueError(f"kind={proposal.value!r} is not one of {', '.join(map(repr, self._shapes))}")
        return proposal.value

    @traitlets.validate("layer")
    def _check_layer(self, proposal):
        return check_index(proposal.value, "layer", self._shapes[self.kind][0], "layers")

    @traitlets.validate("head")
    def _check_head(self, proposal):
        if proposal.value == -1:
            return -1
        return check_index(proposal.value, "head", self._shapes[self.kind][1], "heads")

    @traitlets.validate("sentence")
    def _check_sentence(self, proposal):
        return check_index(proposal.value, "sentence", len(self.sentences), "sentences")

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        rows = self.sentences[self.sentence][self.kind]["rows"]
        return check_index(proposal.value, "selected", len(rows), "rows")

    @traitlets.observe("sentences", "kind", "sentence")
    def _keep_in_range(self, change):
        if self.kind not in self._shapes:
            self.kind = next(iter(self._shapes))
        self.sentence = min(self.sentence, len(self.sentences) - 1)
        self.selected = min(self.selected, len(self.sentences[self.sentence][self.kind]["rows"]) - 1)
        layers, heads = self._shapes[self.kind]
        self.layer, self.head = min(self.layer, layers - 1), min(self.head, heads - 1)


def _check_sentences(sentences: Sequence[Mapping]) -> list[dict]:
    if not len(sentences):
        raise ValueError("sentences is empty; give at least one with a kind of attention")
    checked = []
    for i, sentence in enumerate(sentences):
        if unknown := sorted(set(sentence) - {"title", *KINDS}):
            raise ValueError(f"sentences[{i}] has {unknown[0]!r}; use title, {', '.join(KINDS)}")
        maps = {kind: _check_map(sentence[kind], f"sentences[{i}][{kind!r}]") for kind in KINDS if kind in sentence}
        if not maps:
            raise ValueError(f"sentences[{i}] has no attention; give one of {', '.join(KINDS)}")
        title = sentence.get("title") or " ".join(next(iter(maps.values()))["columns"])
        checked.append({"title": str(title), **maps})
    shapes = [_shapes(one) for one in checked]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(f"sentences[{i}] has (layers, heads) {shape}, sentences[0] has {shapes[0]}; use one model")
    return checked


def _shapes(sentence: Mapping) -> dict[str, tuple[int, ...]]:
    """(layers, heads) of each kind of attention."""
    return {kind: np.shape(sentence[kind]["weights"])[:2] for kind in KINDS if kind in sentence}


def _check_map(given: Mapping, name: str) -> dict:
    if missing := [key for key in ("rows", "columns", "weights") if key not in given]:
        raise ValueError(f"{name} has no {missing[0]}; give rows, columns and weights")
    rows, columns = (check_words(given[key], f"{name} {key}") for key in ("rows", "columns"))
    weights = _numbers(given["weights"], f"{name} weights", 4)
    if weights.shape[2:] != (len(rows), len(columns)):
        raise ValueError(
            f"{name} weights have shape {weights.shape}; "
            f"give (layers, heads, {len(rows)}, {len(columns)}) for these rows and columns"
        )
    if weights.min() < 0 or weights.max() > 1 + 1e-5:
        raise ValueError(f"{name} weights go from {weights.min():.3g} to {weights.max():.3g}; weights are 0 to 1")
    return {"rows": rows, "columns": columns, "weights": (weights.round(DECIMALS) + 0.0).tolist()}


def _check_fact(fact: Mapping, i: int, shapes: Mapping[str, tuple]) -> dict:
    name = f"facts[{i}]"
    if missing := [key for key in ("kind", "text", "values") if key not in fact]:
        raise ValueError(f"{name} has no {missing[0]}; give kind, text, values and, if there is one, baseline")
    baseline = fact.get("baseline")
    return {
        "kind": fact["kind"],
        "text": str(fact["text"]),
        "values": _by_head(fact["values"], fact["kind"], f"{name} values", shapes),
        "baseline": None if baseline is None else round(float(baseline), DECIMALS),
    }


def _by_head(values: Any, kind: str, name: str, shapes: Mapping[str, tuple]) -> list[list[float]]:
    if kind not in shapes:
        raise ValueError(f"{name}: no sentence has the kind {kind!r}; use one of {', '.join(map(repr, shapes))}")
    array = _numbers(values, name, 2)
    if array.shape != shapes[kind]:
        raise ValueError(f"{name} has shape {array.shape}; give one number for each of {shapes[kind]} layers and heads")
    return (array.round(DECIMALS) + 0.0).tolist()


def _numbers(given: Any, name: str, axes: int) -> np.ndarray:
    if hasattr(given, "detach"):
        given = given.detach().cpu().double()
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not an array of numbers ({error}); give rows of equal length") from None
    if array.ndim != axes or 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; give an array of {axes} axes, none of them empty")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity; every number must be finite")
    return array
