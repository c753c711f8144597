"""How good is a translation? BLEU (Papineni et al. 2002) and chrF (Popović 2015), as sacreBLEU computes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics import BLEU, CHRF


@dataclass(frozen=True)
class Scores:
    """Both from 0 to 100. Only BLEU of equal ``signature`` may be compared: it says how it was computed (Post 2018)."""

    bleu: float
    chrf: float
    signature: str
    sentences: int


def score(hypotheses: Sequence[str], references: Sequence[str]) -> Scores:
    """Corpus BLEU and chrF of plain text, not of tokens: sacreBLEU splits words itself, the same way for everybody.

    Raises:
        ValueError: there is nothing to score, or the two lists differ in length.
    """
    if not references or len(hypotheses) != len(references):
        raise ValueError(
            f"{len(hypotheses)} translations and {len(references)} references; give one of each, and at least one"
        )
    bleu, chrf = BLEU(), CHRF()
    return Scores(
        bleu=bleu.corpus_score(hypotheses, [references]).score,
        chrf=chrf.corpus_score(hypotheses, [references]).score,
        signature=bleu.get_signature().format(),
        sentences=len(references),
    )
