"""Word alignment: which source word did each target word come from, as far as cross-attention tells?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.pharaoh import Gold, Links
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.search.attention_weights import cross_attention, word_weights

WordTable = Float[np.ndarray, "L H T2 S2"]
AnyWordTable = Float[np.ndarray, "L H _ _"]  # among others, each of the size of its sentences


@dataclass(frozen=True)
class AlignmentScores:
    """From 0 to 1; the error rate is best at 0, precision and recall at 1."""

    aer: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Reading:
    """How links are read off the cross-attention: by which head, and by which rule.

    ``layer`` and ``head`` count from 0; None is the mean over all of them. By the rule, every target word is linked to
    the source word that it looks at most; with ``both`` every source word that this left alone is also linked, to the
    target word that looks at it most.
    """

    layer: int | None = -1
    head: int | None = None
    both: bool = False

    def weights(self, table: WordTable) -> Float[np.ndarray, "T2 S2"]:
        """One table out of those of all layers and heads."""
        if self.layer is not None:
            table = table[self.layer][None]
        if self.head is not None:
            table = table[:, self.head][:, None]
        return table.mean(axis=(0, 1))

    def links(self, table: WordTable) -> Links:
        """The links of a sentence pair."""
        weights = self.weights(table)
        found = links(weights) if weights.size else set()
        return links_of_both(weights) if self.both and weights.size else found


def links(weights: Float[np.ndarray, "T2 S2"]) -> Links:
    """Each target word linked to the source word that it looked at most."""
    return {(int(source), target) for target, source in enumerate(weights.argmax(axis=1))}


def links_of_both(weights: Float[np.ndarray, "T2 S2"]) -> Links:
    """`links`, and each source word that has none linked to the target word that looked at it most."""
    found = links(weights)
    alone = set(range(weights.shape[1])) - {source for source, _ in found}
    return found | {(source, int(weights[:, source].argmax())) for source in alone}


def word_tables(
    model: Transformer, tokenizer: Tokenizer, pairs: Sequence[Pair], steps_late: int = 0
) -> list[AnyWordTable]:
    """The attention between words, in every layer and head, while the model writes the target of each pair.

    Args:
        steps_late: 0 reads each row at the step that emits the word, 1 at the next one: the mistake to know.
    Raises:
        ValueError: a sentence is too long for the model; says which.
    """
    sides = []
    for side in (0, 1):
        sides.append([[*ids, tokenizer.eos_id] for ids in tokenizer.encode_all(pair[side] for pair in pairs)])
        for number, ids in enumerate(sides[-1], start=1):
            if len(ids) > model.config.max_length:
                raise UserError(
                    f"the {('source', 'target')[side]} of pair {number} has {len(ids) - 1} tokens, "
                    f"but this model reads at most {model.config.max_length - 1}; leave the pair out"
                )
    tables = []
    for weights, src, tgt in zip(cross_attention(model, *sides), *sides, strict=True):
        rows, words = weights.roll(-steps_late, dims=2).numpy(), (tokenizer.word_ids(src), tokenizer.word_ids(tgt))
        tables.append(np.stack([np.stack([word_weights(head, *words) for head in layer]) for layer in rows]))
    return tables


def readable(model: Transformer, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[int]:
    """Which of the pairs have text on both sides, and fit the model."""
    sides = [tokenizer.encode_all(pair[side] for pair in pairs) for side in (0, 1)]
    fits = [max(map(len, both)) < model.config.max_length for both in zip(*sides, strict=True)]
    return [i for i, pair in enumerate(pairs) if fits[i] and pair.source.strip() and pair.target.strip()]


def read_off(
    reading: Reading, model: Transformer, tokenizer: Tokenizer, pairs: Sequence[Pair], steps_late: int = 0
) -> list[Links]:
    """The links of each pair; none of a pair that is not `readable`."""
    found: list[Links] = [set() for _ in pairs]
    kept = readable(model, tokenizer, pairs)
    for i, table in zip(kept, word_tables(model, tokenizer, [pairs[i] for i in kept], steps_late), strict=True):
        found[i] = reading.links(table)
    return found


def score_readings(tables: Sequence[AnyWordTable], gold: Sequence[Gold]) -> dict[Reading, AlignmentScores]:
    """Every head, the mean of every layer, and the mean of all, by both rules; the best reading first.

    Choose by a validation set: chosen by the test set, the best of so many would look better than it is.

    Raises:
        ValueError: there is no sentence, or no link in any.
    """
    if not tables:
        raise UserError("no sentence pairs to choose by; give at least one")
    n_layers, n_heads = tables[0].shape[:2]
    places = [(layer, head) for layer in range(n_layers) for head in (None, *range(n_heads))] + [(None, None)]
    readings = [Reading(*place, both) for place in places for both in (False, True)]
    scores = {reading: score_links([reading.links(table) for table in tables], gold) for reading in readings}
    return dict(sorted(scores.items(), key=lambda item: item[1].aer))


def score_links(predicted: Sequence[Links], gold: Sequence[Gold]) -> AlignmentScores:
    """Error rate, precision |A ∩ P| / |A| and recall |A ∩ S| / |S| (Och and Ney 2003, section 6).

    Raises:
        ValueError: there is no link on either side.
    """
    sure, possible = [g.sure for g in gold], [g.possible for g in gold]
    aer = alignment_error_rate(predicted, sure, possible)
    found, wanted = sum(map(len, predicted)), sum(map(len, sure))
    return AlignmentScores(
        aer=aer,
        precision=_overlap(predicted, possible) / max(found, 1),
        recall=_overlap(predicted, sure) / max(wanted, 1),
    )


def alignment_error_rate(
    predicted: Iterable[Links], gold: Iterable[Links], possible: Iterable[Links] | None = None
) -> float:
    """1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|) over all sentences: 0 is perfect (Och and Ney 2003, section 6).

    Args:
        gold: the sure links S.
        possible: the possible links P, which hold S; without them, every gold link is sure.
    Raises:
        ValueError: there is no link on either side.
    """
    predicted, sure = list(predicted), list(gold)
    total = sum(map(len, predicted)) + sum(map(len, sure))
    if total == 0:
        raise UserError("no links to compare; give sentences with a gold alignment")
    allowed = sure if possible is None else [p | s for p, s in zip(possible, sure, strict=True)]
    return 1 - (_overlap(predicted, sure) + _overlap(predicted, allowed)) / total


def _overlap(predicted: Iterable[Links], gold: Iterable[Links]) -> int:
    return sum(len(a & g) for a, g in zip(predicted, gold, strict=True))
