"""BLEU and chrF are sacreBLEU's, with the signature that says how; so is the test of which system is better."""

import os
import random

import pytest
import sacrebleu

from lessons_lib.translation.evaluation.scoring import compare, score, sentence_chrf

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


def test_of_several_references_a_blank_one_is_none():
    """Taken for a sentence of no words, it would be nearest in length to a translation that is cut off."""
    hypotheses, references = (
        ["the cat sat on", "a b c d e f g h"],
        ["the cat sat on the mat today ok", "a b c d e f g h"],
    )
    alone = score(hypotheses, references)
    assert alone.bleu < 80
    for more in (["", "x y"], [" \t", "x y"]):
        assert score(hypotheses, references, more=[more]).bleu == pytest.approx(alone.bleu)
        assert score(hypotheses, more, more=[references]).bleu == pytest.approx(alone.bleu)
        found = compare(hypotheses, references, references, resamples=10, more=[more])
        assert found.a.bleu == pytest.approx(alone.bleu)
    theirs = sacrebleu.corpus_bleu(hypotheses, [references, [None, "x y"]])
    assert score(hypotheses, references, more=[["", "x y"]]).bleu == pytest.approx(theirs.score)
    assert "nrefs:var" in score(hypotheses, references, more=[["", "x y"]]).signature
    assert score(hypotheses, ["", "b"], more=[["", ""]]).bleu == score(hypotheses, ["", "b"]).bleu


@pytest.mark.parametrize("hypotheses", [[], ["one"]])
def test_lists_of_different_length(hypotheses):
    with pytest.raises(ValueError, match=rf"{len(hypotheses)} translations and 3 references"):
        score(hypotheses, REFERENCES)


def test_nothing_to_score():
    with pytest.raises(ValueError, match="at least one"):
        score([], [])


def system(errors: int, seed: int, size: int = 120) -> tuple[list[str], list[str]]:
    """References of eight words, and translations with so many wrong words in each hundred."""
    rng = random.Random(seed)
    references = [" ".join(rng.choices("le chat noir dort ici ce soir bien".split(), k=8)) for _ in range(size)]
    wrong = random.Random(f"{seed} {errors}")
    return [
        " ".join("xxx" if wrong.random() < errors / 100 else word for word in text.split()) for text in references
    ], references


def test_a_clearly_better_system_is_found():
    (worse, references), (better, _) = system(30, 1), system(5, 1)
    found = compare(worse, better, references)
    assert found.a.bleu == score(worse, references).bleu
    assert found.b.bleu == score(better, references).bleu
    assert found.difference == found.b.bleu - found.a.bleu > 20
    assert found.p == pytest.approx(1 / 1001)
    assert found.a.low < found.a.bleu < found.a.high < found.b.low < found.b.high
    assert "bs:1000|seed:12345" in found.signature
    assert found.sentences == 120


def test_a_difference_by_chance_is_not():
    references = system(0, 2)[1]
    one, other = ([*system(10, 2)[0][:60], *references[60:]], [*references[:60], *system(10, 2)[0][60:]])
    assert compare(one, other, references).p > 0.1


def test_a_system_is_as_good_as_itself():
    hypotheses, references = system(20, 3)
    found = compare(hypotheses, hypotheses, references, resamples=50)
    assert (found.difference, found.p) == (0.0, 1.0)


def test_the_seed_decides_the_draws_and_stays_inside(monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "77")
    (a, references), (b, _) = system(20, 4), system(18, 4)
    first, same, other = (compare(a, b, references, resamples=60, seed=seed) for seed in (7, 7, 8))
    assert first == same
    assert first.a.low != other.a.low
    assert os.environ["SACREBLEU_SEED"] == "77"
    monkeypatch.delenv("SACREBLEU_SEED")
    assert compare(a, b, references, resamples=60, seed=7) == first
    assert "SACREBLEU_SEED" not in os.environ


@pytest.mark.parametrize(
    ("options", "message"), [({"resamples": 0}, "resamples=0 is not positive"), ({"seed": 0}, "seed=0 is less than 1")]
)
def test_options_of_the_comparison(options, message):
    with pytest.raises(ValueError, match=message):
        compare(["a"], ["b"], ["c"], **options)


def test_comparison_of_lists_that_do_not_fit():
    with pytest.raises(ValueError, match="1 translations and 3 references"):
        compare(REFERENCES, ["one"], REFERENCES)


def test_sentence_chrf():
    assert sentence_chrf(REFERENCES[0], REFERENCES[0]) == pytest.approx(100)
    assert sentence_chrf("", REFERENCES[0]) == 0
    assert 0 < sentence_chrf("Le chat", REFERENCES[0]) < 60


def test_bounds_are_on_the_scale():
    """sacreBLEU's rounding can give 100.00000000000004."""
    found = compare(REFERENCES, REFERENCES, REFERENCES, resamples=20, tokenize="char")
    assert 0 <= found.a.low <= found.a.high <= 100
