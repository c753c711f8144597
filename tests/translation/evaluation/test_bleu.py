"""Our BLEU is sacreBLEU's, whatever the text."""

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons_lib.translation.evaluation.bleu import (
    bleu,
    bleu_of_sums,
    brevity_penalty,
    clipped_matches,
    smoothed_precisions,
    sums_by_sentence,
    words,
)

WORDS = ["le", "chat", "noir", "dort", "ne", "pas", "L'ami", "d'Alice", "3,5", "fin.", "?", "«", "&amp;", "-"]
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


def reference_bleu(hypotheses, references) -> float:
    return sacrebleu.corpus_bleu(hypotheses, [references], force=True).score


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_equals_sacrebleu_on_random_sentences(pairs):
    hypotheses, references = (list(side) for side in zip(*pairs, strict=True))
    assert bleu(hypotheses, references) == pytest.approx(reference_bleu(hypotheses, references), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.data())
def test_rows_drawn_again_are_the_bleu_of_the_drawn_sentences(pairs, data):
    hypotheses, references = (list(side) for side in zip(*pairs, strict=True))
    drawn = data.draw(st.lists(st.integers(0, len(pairs) - 1), min_size=1, max_size=8))
    sums = sums_by_sentence(hypotheses, references)[drawn].sum(0)
    of_texts = reference_bleu([hypotheses[i] for i in drawn], [references[i] for i in drawn])
    assert bleu_of_sums(sums) == pytest.approx(of_texts, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=4))
def test_equals_sacrebleu_on_any_text(pairs):
    hypotheses, references = (list(side) for side in zip(*pairs, strict=True))
    assert bleu(hypotheses, references) == pytest.approx(reference_bleu(hypotheses, references), abs=1e-6)


@pytest.mark.parametrize(
    ("hypotheses", "references"),
    [
        (["Le chat noir dort ici."], ["Le chat noir ne dort pas ici."]),
        (["le chat dort"], ["le chat dort"]),  # no four words in a row anywhere
        (["", "le chat noir dort bien"], ["rien", "le chat noir dort"]),
        ([""], [""]),
        (["le le le le le"], ["le chat noir dort"]),
        (["un deux trois quatre"], ["le chat noir dort"]),
        (["le chat noir dort bien ici ce soir"], ["le chat noir dort"]),
    ],
)
def test_equals_sacrebleu_at_the_corners(hypotheses, references):
    assert bleu(hypotheses, references) == pytest.approx(reference_bleu(hypotheses, references), abs=1e-6)


def test_the_example_of_the_paper():
    """Papineni et al. 2002, section 2.1: "the" is in the reference twice, so that two of seven count."""
    hypothesis, reference = ["the"] * 7, words("the cat is on the mat")
    assert clipped_matches(hypothesis, reference, 1) == 2
    assert clipped_matches(hypothesis, reference, 2) == 0


def test_parts():
    assert smoothed_precisions([3, 0, 0], [4, 4, 2]) == [0.75, 0.125, 0.125]
    assert brevity_penalty(12, 12) == brevity_penalty(13, 12) == 1.0
    assert brevity_penalty(6, 12) == pytest.approx(0.36788, abs=1e-5)
    assert brevity_penalty(0, 12) == 0.0


def test_words_split_ascii_marks_and_no_others():
    assert words("(«oui», 1,000 ou 3.5 !)") == ["(", "«oui»", ",", "1,000", "ou", "3.5", "!", ")"]
    assert words("l'eau grand-père 5-6.") == ["l'eau", "grand-père", "5", "-", "6", "."]


@pytest.mark.parametrize(("hypotheses", "references"), [([], []), (["a"], ["a", "b"])])
def test_lists_that_do_not_fit(hypotheses, references):
    with pytest.raises(ValueError, match="give one of each, and at least one"):
        bleu(hypotheses, references)
