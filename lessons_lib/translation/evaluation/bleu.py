"""BLEU from scratch (Papineni et al. 2002): the same number as sacreBLEU's, in a page that can be read.

`scoring.score` calls sacreBLEU itself; this is for the lesson, which asserts that the two agree.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from lessons_lib.errors import UserError

MAX_ORDER = 4  # n-grams of one word to four
NGram = tuple[str, ...]

_split = Tokenizer13a()


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU of plain text, from 0 to 100: BP · exp(mean of log p₁ … log p₄) (section 2.3 of the paper).

    The counts of all sentences are added before anything is divided. Settings as in sacreBLEU's
    ``eff:no|tok:13a|smooth:exp``.

    Raises:
        ValueError: there is nothing to score, or the two lists differ in length.
    """
    if not references or len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses)} translations and {len(references)} references; give one of each, and at least one"
        )
    return bleu_of_sums(sums_by_sentence(hypotheses, references).sum(0))


def sums_by_sentence(hypotheses: Sequence[str], references: Sequence[str]) -> Float[np.ndarray, "N 10"]:
    """Each sentence's four matches, four totals, length and length of its reference: what BLEU adds up.

    The sums over any sentences, drawn again and again, give the BLEU of that drawn test set (`bleu_of_sums`).
    """
    rows = []
    for hypothesis, reference in zip(map(words, hypotheses), map(words, references), strict=True):
        orders = range(1, MAX_ORDER + 1)
        matches = [clipped_matches(hypothesis, reference, order) for order in orders]
        totals = [max(len(hypothesis) - order + 1, 0) for order in orders]
        rows.append([*matches, *totals, len(hypothesis), len(reference)])
    return np.array(rows, dtype=float).reshape(-1, 2 * MAX_ORDER + 2)


def bleu_of_sums(sums: Float[np.ndarray, " 10"]) -> float:
    """The BLEU of sentences whose rows of `sums_by_sentence` were added up."""
    matches, totals, (length, due) = sums[:MAX_ORDER], sums[MAX_ORDER : 2 * MAX_ORDER], sums[2 * MAX_ORDER :]
    if not matches.any() or not totals.all():  # no translation has four words: p₄ is undefined, and the score 0
        return 0.0
    precisions = smoothed_precisions(matches.tolist(), totals.tolist())
    return 100 * brevity_penalty(length, due) * math.exp(sum(map(math.log, precisions)) / MAX_ORDER)


def words(text: str) -> list[str]:
    """The text split as sacreBLEU's 13a does: ASCII punctuation stands alone.

    But for apostrophes, most hyphens, and points and commas between digits.
    """
    return _split(text.rstrip()).split()


def clipped_matches(hypothesis: Sequence[str], reference: Sequence[str], order: int) -> int:
    """How many n-grams of the translation the reference has too.

    Each counts at most as often as it is in the reference, so that "the the the" earns one match (section 2.1).
    """
    return (Counter(ngrams(hypothesis, order)) & Counter(ngrams(reference, order))).total()


def ngrams(words: Sequence[str], order: int) -> Iterator[NGram]:
    """Every run of ``order`` words."""
    return (tuple(words[start : start + order]) for start in range(len(words) - order + 1))


def smoothed_precisions(matches: Sequence[int | float], totals: Sequence[int | float]) -> list[float]:
    """matches / totals; the k-th order without a match gets 1 / (2ᵏ · total) instead of 0, whose logarithm is −∞.

    This is the smoothing of NIST's mteval-v13a (Chen and Cherry 2014, method 3).
    """
    precisions, share = [], 1.0
    for matched, total in zip(matches, totals, strict=True):
        if matched == 0:
            share /= 2
        precisions.append((matched or share) / total)
    return precisions


def brevity_penalty(hypothesis_length: int | float, reference_length: int | float) -> float:
    """1 for translations as long as the references or longer, else exp(1 − r/c) (section 2.2.2).

    Precision alone would favour translations that say only what is sure.
    """
    if hypothesis_length >= reference_length:
        return 1.0
    return math.exp(1 - reference_length / hypothesis_length) if hypothesis_length else 0.0
