"""The translator that the lessons look into: whole, small, as good as its card says, and it has not seen the test."""

import pytest
import torch

from lessons_lib.translation.corpus import load_grammar
from lessons_lib.translation.course_model import FOLDER, load_course_translator
from lessons_lib.translation.model_folder import WEIGHTS, read_card
from lessons_lib.translation.scoring import score


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


def test_it_is_stored_in_half_precision_and_computes_in_single(translator):
    assert translator.model.embedding.weight.dtype == torch.float32
    assert (FOLDER / WEIGHTS).stat().st_size < 3_000_000
