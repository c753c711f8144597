"""BLEU and chrF are sacreBLEU's, with the signature that says how."""

import pytest
import sacrebleu

from lessons_lib.translation.scoring import score

REFERENCES = ["Le chat noir ne dort pas ici.", "Il pleut , dit-elle .", "Où est la gare la plus proche ?"]


def test_equals_sacrebleu_and_names_its_settings():
    hypotheses = ["Le chat noir dort ici.", "Il pleut, dit-elle.", "Où est la gare plus proche ?"]
    scores = score(hypotheses, REFERENCES)
    assert scores.bleu == sacrebleu.corpus_bleu(hypotheses, [REFERENCES]).score
    assert scores.chrf == sacrebleu.corpus_chrf(hypotheses, [REFERENCES]).score
    assert scores.sentences == 3
    assert f"tok:13a|smooth:exp|version:{sacrebleu.__version__}" in scores.signature
    assert 20 < scores.bleu < 90


def test_ends_of_the_scale():
    perfect, hopeless = score(REFERENCES, REFERENCES), score(["xyz"] * 3, REFERENCES)
    assert perfect.bleu == pytest.approx(100)
    assert perfect.chrf == pytest.approx(100)
    assert hopeless.bleu < 1


@pytest.mark.parametrize("hypotheses", [[], ["one"]])
def test_lists_of_different_length(hypotheses):
    with pytest.raises(ValueError, match=rf"{len(hypotheses)} translations and 3 references"):
        score(hypotheses, REFERENCES)


def test_nothing_to_score():
    with pytest.raises(ValueError, match="at least one"):
        score([], [])
