"""How good is a translation? BLEU (Papineni et al. 2002) and chrF (Popović 2015), as sacreBLEU computes them.

And is one system better than another, or was it lucky with this test set? Paired bootstrap resampling (Koehn 2004).
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, Result

from lessons_lib.errors import UserError

RESAMPLES = 1_000
SEED = 12345  # sacreBLEU's own default
SEED_VARIABLE = "SACREBLEU_SEED"
# Thai to Tibetan, Burmese, Khmer; kana and Chinese characters. Korean has blanks.
UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
ENOUGH = 1_000  # references that tell the script


@dataclass(frozen=True)
class Scores:
    """Both from 0 to 100. Only BLEU of equal ``signature`` may be compared: it says how it was computed (Post 2018).

    ``too_long`` counts the sentences that are too long for the model; their translations are empty.
    """

    bleu: float
    chrf: float
    signature: str
    sentences: int
    too_long: int = 0


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

    @property
    def verdict(self) -> str:
        """Whether a difference in either direction may be chance: twice ``p``, against 0.05."""
        # Of fewer than six sentences, all may well speak for the same system by chance: 2 · 0.5⁵ is more than 0.05.
        return "hardly chance" if 2 * max(self.p, 0.5**self.sentences) < 0.05 else "may be chance"


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    tokenize: str | None = None,
    more: Sequence[Sequence[str]] = (),
) -> Scores:
    """Corpus BLEU and chrF of plain text, not of tokens: sacreBLEU splits words itself, the same way for everybody.

    Args:
        tokenize: how BLEU splits words, a name of sacreBLEU's; "13a" without it, for languages with blanks.
        more: further references, each a whole set. Of several, a blank one is none at all.
    Raises:
        ValueError: there is nothing to score, or the lists differ in length, or sacreBLEU cannot split so.
    """
    for one in (references, *more):
        _check_lengths(hypotheses, one)
    bleu, chrf = _bleu(tokenize), CHRF()
    together = _together(references, more)
    return Scores(
        bleu=_at_most_100(bleu.corpus_score(list(hypotheses), together).score),
        chrf=_at_most_100(chrf.corpus_score(list(hypotheses), together).score),
        signature=bleu.get_signature().format(),
        sentences=len(references),
    )


def _together(references: Sequence[str], more: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """What sacreBLEU takes: as many sets as a sentence has references at most, None where it has fewer.

    A blank reference beside others would be the one whose length is nearest to a translation that is cut off, and
    spare it the brevity penalty (sacreBLEU 2.6 takes None for none, and "" for a reference of no words).
    """
    rows = []
    for row in zip(references, *more, strict=True):
        filled = [reference for reference in row if reference.strip()] or [row[0]]
        rows.append([*filled, *[None] * (len(row) - len(filled))])
    return [list(column) for column in zip(*rows, strict=True)]


def check_tokenize(tokenize: str | None) -> None:
    """Raise ValueError unless sacreBLEU can split words so here: some ways need a package, or the network."""
    _bleu(tokenize)


def says_nothing(references: Sequence[str], tokenize: str | None = None) -> bool:
    """Whether BLEU would take whole clauses for words: most letters are of scripts that put no blanks between words."""
    if tokenize not in (None, "13a", "intl", "none"):
        return False
    letters = [letter for text in references[:ENOUGH] for letter in text if letter.isalpha()]
    return 2 * sum(UNSPACED.match(letter) is not None for letter in letters) > len(letters)


def _bleu(tokenize: str | None, **options) -> BLEU:
    try:
        return BLEU(tokenize=tokenize, **options)
    except Exception as error:  # of many kinds: no such name, a package that is missing, no network
        known = ", ".join(BLEU.TOKENIZERS)
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"tokenize={tokenize!r} cannot be used ({reason}); use one of {known}") from error


def _at_most_100(value: float) -> float:
    """sacreBLEU's rounding can give 100.00000000000004."""
    return min(value, 100.0)


def sentence_chrf(hypothesis: str, reference: str) -> float:
    """chrF of one sentence, 0 to 100: unlike BLEU it is not 0 as soon as no four words in a row agree."""
    return _at_most_100(CHRF().sentence_score(hypothesis, [reference]).score)


def compare(
    hypotheses_a: Sequence[str],
    hypotheses_b: Sequence[str],
    references: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
    tokenize: str | None = None,
    more: Sequence[Sequence[str]] = (),
) -> Comparison:
    """Paired bootstrap resampling (Koehn 2004, section 3), by sacreBLEU's own test.

    Test sets of the same size are drawn with replacement, and both systems are scored on each.

    Args:
        tokenize, more: see `score`.
    Raises:
        ValueError: there is nothing to score, the lists differ in length, or an option is out of its range.
    """
    for one in (references, *more):
        _check_lengths(hypotheses_a, one)
        _check_lengths(hypotheses_b, one)
    if resamples < 1:
        raise UserError(f"resamples={resamples} is not positive; {RESAMPLES} is usual")
    if seed < 1:
        raise UserError(f"seed={seed} is less than 1; use {SEED} (sacreBLEU takes 0 for no seed)")
    systems = [("a", list(hypotheses_a)), ("b", list(hypotheses_b))]
    with _sacrebleu_seed(seed):
        metrics, together = {"BLEU": _bleu(tokenize, force=True)}, _together(references, more)
        test = PairedTest(systems, metrics, together, "bs", n_samples=resamples)
        signatures, results = test()
    a, b = results["BLEU"]
    difference = _at_most_100(b.score) - _at_most_100(a.score)
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
        raise UserError(
            f"{len(hypotheses)} translations and {len(references)} references; give one of each, and at least one"
        )


def _interval(result: Result) -> Interval:
    # `ci` is half the width of the interval around the mean of the resamples.
    low, high = max(float(result.mean - result.ci), 0.0), float(result.mean + result.ci)
    return Interval(*map(_at_most_100, (result.score, low, high)))


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
