"""Browse what a translator wrote: source, reference, greedy, beam, where it looked, and what went wrong (lesson 13)."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from lessons_lib.widgets._common import check_index, module_source, style_source, text_form

SYSTEMS = ("greedy", "beam")
TEXTS = ("source", "reference", *SYSTEMS)
SORTS = ("given", "worst", "best", "gain", "loss")
SCORES = ("bleu", "chrf")
MAX_WORDS = 120  # a translation that went round in circles is long


class SentenceBrowser(anywidget.AnyWidget):
    """Translations of a test set, to filter, sort and search, each with its scores and with what it looked at.

    The texts and the attention are a model's own; the browser computes sentence BLEU and chrF (as sacreBLEU's
    `sentence_bleu` and `sentence_chrf`), marks the words that the reference does not have, and says for a chosen word
    where the model looked and where it should have. Every trait may be changed later: `widget.split = "long"`.

    Args:
        sentences: mappings with the texts `source`, `reference`, `greedy` and `beam`; and, if there are any, `split`
            (which test it belongs to), `tags` (a list of kinds of error for "greedy" and for "beam"), `attention`
            (for "greedy" and "beam" a (T, S) matrix of weights between words, kept in percent; without the beam's, an
            equal translation has the greedy one's) and `links` (triples of reference word, source word, sure or not).
        sentence: index of the sentence shown first.
        system: "greedy" or "beam", whose words are chosen.
        selected: index of the word chosen first.
        split, tag: show only these; "" shows all.
        sort: "given", "worst", "best", or by what the beam gains ("gain") or loses ("loss").
        score: "bleu" or "chrf", which the list shows and sorts by.
        search: show only sentences with this text in one of their four.
    Raises:
        ValueError: a text is missing or too long, a matrix does not fit its words, an index or a name is out of range.
    """

    _esm = module_source("sentences")
    _css = style_source("sentences")

    sentences = traitlets.List().tag(sync=True)
    sentence = traitlets.Int(0).tag(sync=True)
    system = traitlets.Unicode("greedy").tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    split = traitlets.Unicode("").tag(sync=True)
    tag = traitlets.Unicode("").tag(sync=True)
    sort = traitlets.Unicode("given").tag(sync=True)
    score = traitlets.Unicode("bleu").tag(sync=True)
    search = traitlets.Unicode("").tag(sync=True)

    def __init__(self, sentences: Sequence[Mapping], **traits: Any):
        super().__init__(sentences=list(sentences), **traits)

    def __repr__(self) -> str:
        return text_form(self, self.sentences[0]["source"], "browse them")

    @traitlets.validate("sentences")
    def _check_sentences(self, proposal):
        if not proposal.value:
            raise ValueError("sentences is empty; give at least one with source, reference, greedy and beam")
        return [_check_sentence(sentence, f"sentences[{i}]") for i, sentence in enumerate(proposal.value)]

    @traitlets.validate("sentence")
    def _check_index(self, proposal):
        return check_index(proposal.value, "sentence", len(self.sentences), "sentences")

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        count = len(self.sentences[self.sentence][self.system].split())
        return check_index(proposal.value, "selected", max(count, 1), "words")

    @traitlets.validate("system", "sort", "score")
    def _check_name(self, proposal):
        allowed = {"system": SYSTEMS, "sort": SORTS, "score": SCORES}[proposal.trait.name]
        return _one_of(proposal.trait.name, proposal.value, allowed)

    @traitlets.validate("split")
    def _check_split(self, proposal):
        return _one_of("split", proposal.value, ("", *dict.fromkeys(one["split"] for one in self.sentences)))

    @traitlets.validate("tag")
    def _check_tag(self, proposal):
        return _one_of("tag", proposal.value, ("", *sorted({t for s in self.sentences for t in _all_tags(s)})))

    @traitlets.observe("sentences", "sentence", "system")
    def _keep_in_range(self, change):
        self.sentence = min(self.sentence, len(self.sentences) - 1)
        count = len(self.sentences[self.sentence][self.system].split())
        self.selected = min(self.selected, max(count - 1, 0))
        if change.name == "sentences":
            self.split = self.split if self.split in {one["split"] for one in self.sentences} else ""
            self.tag = self.tag if self.tag in {t for s in self.sentences for t in _all_tags(s)} else ""


def _one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
    return value


def _all_tags(sentence: Mapping) -> list[str]:
    return [tag for system in SYSTEMS for tag in sentence["tags"][system]]


def _check_sentence(given: Mapping, name: str) -> dict:
    if missing := [key for key in TEXTS if not isinstance(given.get(key), str)]:
        raise ValueError(f"{name} has no text {missing[0]!r}; give {', '.join(TEXTS)}")
    if unknown := sorted(set(given) - {*TEXTS, "split", "tags", "attention", "links"}):
        raise ValueError(f"{name} has {unknown[0]!r}; use {', '.join(TEXTS)}, split, tags, attention, links")
    texts = {key: given[key] for key in TEXTS}
    for key, text in texts.items():
        if len(text.split()) > MAX_WORDS:
            raise ValueError(f"{name} {key} has {len(text.split())} words; give at most {MAX_WORDS}")
    if not (texts["source"].strip() and texts["reference"].strip()):
        raise ValueError(f"{name} has a blank source or reference; leave it out")
    tags, attention = given.get("tags") or {}, given.get("attention") or {}
    for what, value in (("tags", tags), ("attention", attention)):
        if not isinstance(value, Mapping) or set(value) - set(SYSTEMS):
            raise ValueError(f"{name} {what} is no mapping from 'greedy' and 'beam'; give one")
    return texts | {
        "split": str(given.get("split", "")),
        "tags": {system: [str(tag) for tag in tags.get(system, ())] for system in SYSTEMS},
        "attention": {
            system: _percent(weights, texts[system], texts["source"], f"{name} attention[{system!r}]")
            for system, weights in attention.items()
        },
        "links": " ".join(_check_link(link, texts, name) for link in given.get("links", ())),
    }


def _percent(weights: Any, target: str, source: str, name: str) -> list[str]:
    """A matrix of weights from 0 to 1 as whole numbers of percent, a text a row (short in a notebook's file)."""
    if hasattr(weights, "detach"):
        weights = weights.detach().cpu().double()
    array = np.asarray(weights, dtype=np.float64)
    wanted = (len(target.split()), len(source.split()))
    if array.size == 0:
        return []
    if array.shape != wanted:
        raise ValueError(f"{name} has shape {array.shape}; give {wanted}, words of the translation and of the source")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1 + 1e-5:
        raise ValueError(f"{name} goes from {array.min():.3g} to {array.max():.3g}; weights are 0 to 1")
    return [" ".join(map(str, row)) for row in np.rint(100 * array).astype(int)]


def _check_link(link: Sequence, texts: Mapping[str, str], name: str) -> str:
    """In the Pharaoh format: source word, - for sure or ? for possible, target word."""
    target, source, sure = (int(part) for part in link)
    for word, key in ((target, "reference"), (source, "source")):
        check_index(word, f"{name} links: {key} word", len(texts[key].split()), "words")
    return f"{source}{'-' if sure else '?'}{target}"
