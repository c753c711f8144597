"""The translator that the lessons look into: whole, small, as good as its card says, and it has not seen the test."""

import inspect

import pytest
import torch

from lessons_lib.prose import says
from lessons_lib.translation.course_model import FOLDER, load_course_translator
from lessons_lib.translation.data.batching import encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.model_folder import WEIGHTS, read_card
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.averaging import WeightAverage
from tools.lesson_files import ROOT


@pytest.fixture(scope="module")
def translator():
    return load_course_translator("cpu")


def test_it_translates_what_it_has_not_seen(translator):
    sentence = "The small black cats do not sleep."
    assert all(sentence.lower() != pair.source.lower() for pair in load_grammar(0).train)
    assert translator.translate([sentence])[0].text == "Les petits chats noirs ne dorment pas."


def test_it_is_as_good_as_its_card_says(translator):
    corpus, card = load_grammar(0), read_card(FOLDER)
    found = translator.translate([pair.source for pair in corpus.test], attention=False)
    bleu = score([one.text for one in found], [pair.target for pair in corpus.test]).bleu
    assert bleu == pytest.approx(card["scores"]["bleu"], abs=0.1)
    assert card["data"]["sha256"] == corpus.fingerprint()


def test_how_many_tokens_a_pair_has():
    """Lesson 10 counts the FLOPs of the training by them."""
    train = load_grammar(0, n_valid=0, n_test=0).train
    examples = encode_pairs(load_course_translator("cpu").tokenizer, train, max_length=64)
    sentence = "A pair has about 9 English and 10 French tokens, </s> counted"
    assert sentence in (ROOT / "notebooks" / "10_model_sizes.py").read_text("utf8")
    says(sentence, *(examples.lengths.mean(axis=0) + 1).tolist(), slack=0.0)


def test_what_its_weights_are_the_mean_of():
    sentence = "the mean of 8 states of the last 30 % of its training"
    assert sentence in (ROOT / "notebooks" / "12_translation.py").read_text("utf8")
    share = inspect.signature(WeightAverage).parameters["share"].default
    says(sentence, float(read_card(FOLDER)["averaged"]), 100 * share, slack=0.0)


def test_it_is_stored_in_half_precision_and_computes_in_single(translator):
    assert translator.model.embedding.weight.dtype == torch.float32
    assert (FOLDER / WEIGHTS).stat().st_size < 3_000_000


def test_in_bf16_it_says_nearly_the_same_and_counts_in_single_precision(translator):
    sentences = [pair.source for pair in load_grammar(0).test[:100]]
    half = Translator.load(FOLDER, "cpu", "bf16")
    assert half.model.embedding.weight.dtype == torch.bfloat16
    for beam in (1, 3):
        ours, theirs = (one.translate(sentences, beam=beam) for one in (translator, half))
        same = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.text == b.text]
        assert len(same) >= 95
        assert all(a.score == pytest.approx(b.score, abs=0.5) for a, b in same)
        assert all(a.cross_attention == pytest.approx(b.cross_attention, abs=0.2) for a, b in same)
