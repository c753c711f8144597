"""How good is a translation? BLEU (Papineni et al. 2002) and chrF (Popović 2015), as sacreBLEU computes them.

And is one system better than another, or was it lucky with this test set? Paired bootstrap resampling (Koehn 2004).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, Result

RESAMPLES = 1_000
SEED = 12345  # sacreBLEU's own default
SEED_VARIABLE = "SACREBLEU_SEED"


@dataclass(frozen=True)
class Scores:
    """Both from 0 to 100. Only BLEU of equal ``signature`` may be compared: it says how it was computed (Post 2018)."""

    bleu: float
    chrf: float
    signature: str
    sentences: int


@dataclass(frozen=True)
class Interval:
    """A BLEU and the bounds that 95 % of the resampled test sets keep to."""

    bleu: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Two systems on one test set. ``difference`` is the BLEU of b less that of a.

    ``p`` is the probability of a difference at least as large if the two were equally good, by sacreBLEU's paired
    bootstrap (Koehn 2004). It counts one tail: differences in the direction that was found.
    """

    a: Interval
    b: Interval
    difference: float
    p: float
    resamples: int
    seed: int
    signature: str
    sentences: int


def score(hypotheses: Sequence[str], references: Sequence[str]) -> Scores:
    """Corpus BLEU and chrF of plain text, not of tokens: sacreBLEU splits words itself, the same way for everybody.

    Raises:
        ValueError: there is nothing to score, or the two lists differ in length.
    """
    _check_lengths(hypotheses, references)
    bleu, chrf = BLEU(), CHRF()
    return Scores(
        bleu=bleu.corpus_score(hypotheses, [references]).score,
        chrf=chrf.corpus_score(hypotheses, [references]).score,
        signature=bleu.get_signature().format(),
        sentences=len(references),
    )


def sentence_chrf(hypothesis: str, reference: str) -> float:
    """chrF of one sentence, 0 to 100: unlike BLEU it is not 0 as soon as no four words in a row agree."""
    return CHRF().sentence_score(hypothesis, [reference]).score


def compare(
    hypotheses_a: Sequence[str],
    hypotheses_b: Sequence[str],
    references: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Paired bootstrap resampling (Koehn 2004, section 3), by sacreBLEU's own test.

    Test sets of the same size are drawn with replacement, and both systems are scored on each.

    Raises:
        ValueError: there is nothing to score, the lists differ in length, or an option is out of its range.
    """
    _check_lengths(hypotheses_a, references)
    _check_lengths(hypotheses_b, references)
    if resamples < 1:
        raise ValueError(f"resamples={resamples} is not positive; {RESAMPLES} is usual")
    if seed < 1:
        raise ValueError(f"seed={seed} is less than 1; use {SEED} (sacreBLEU takes 0 for no seed)")
    systems = [("a", list(hypotheses_a)), ("b", list(hypotheses_b))]
    with _sacrebleu_seed(seed):
        test = PairedTest(systems, {"BLEU": BLEU(force=True)}, [list(references)], "bs", n_samples=resamples)
        signatures, results = test()
    a, b = results["BLEU"]
    difference = b.score - a.score
    return Comparison(
        a=_interval(a),
        b=_interval(b),
        difference=difference,
        # sacreBLEU would call a system significantly different from itself.
        p=b.p_value if difference else 1.0,
        resamples=resamples,
        seed=seed,
        signature=signatures["BLEU"].format(),
        sentences=len(references),
    )


def _check_lengths(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if not references or len(hypotheses) != len(references):
        raise ValueError(
            f"{len(hypotheses)} translations and {len(references)} references; give one of each, and at least one"
        )


def _interval(result: Result) -> Interval:
    # `ci` is half the width of the interval around the mean of the resamples.
    return Interval(result.score, float(result.mean - result.ci), float(result.mean + result.ci))


@contextmanager
def _sacrebleu_seed(seed: int) -> Iterator[None]:
    """sacreBLEU reads its seed from the environment and nowhere else."""
    before = os.environ.get(SEED_VARIABLE)
    os.environ[SEED_VARIABLE] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ[SEED_VARIABLE]
        else:
            os.environ[SEED_VARIABLE] = before
