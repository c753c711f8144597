"""The translator of everyday sentences: small, as its card and its page say, and read by somebody."""

import pytest

from lessons_lib.translation.data.tatoeba import ATTRIBUTION
from lessons_lib.translation.deployment.web_reading import read_web_file
from lessons_lib.translation.everyday_model import BEAM, FILE, FOLDER, load_everyday_translator, load_visitors
from lessons_lib.translation.search.model_folder import read_card
from tools.everyday_model import COMMAND, UNREAD
from tools.lesson_files import ROOT


@pytest.fixture(scope="module")
def translator():
    return load_everyday_translator("cpu")


@pytest.fixture(scope="module")
def card():
    return read_card(FOLDER)


@pytest.fixture(scope="module")
def page():
    return " ".join((ROOT / "book/translator.md").read_text("utf8").split())


def test_it_fits_into_five_megabytes():
    assert FILE.stat().st_size <= 5_000_000


def test_the_visitors_sentences_are_translated_as_their_file_says(translator):
    visits = load_visitors()
    found = translator.translate([visit.english for visit in visits], beam=BEAM, attention=False)
    same = sum(one.text == visit.french for one, visit in zip(found, visits, strict=True))
    assert same >= 0.95 * len(visits)  # another processor rounds otherwise


def test_the_page_shows_each_translation_that_a_reader_does_not_accept(page):
    visits = load_visitors()
    assert UNREAD not in {visit.wrong for visit in visits}
    wrong = [visit for visit in visits if visit.wrong]
    assert f"{len(visits) - len(wrong)} of {len(visits)} were acceptable" in page
    for visit in wrong:
        assert f"| {visit.english} | {visit.french} | {visit.wrong} |" in page


def test_8_bits_cost_next_to_nothing(card):
    for references in ("all references", "first reference"):
        trained, stored = (card["scores"][weights][references]["bleu"] for weights in ("as trained", "8 bits"))
        assert stored >= trained - 0.3


def test_its_card_on_the_page(translator, card, page):
    data, scores = card["data"], card["scores"]["8 bits"]
    assert card["command"] == COMMAND
    assert f"{card['parameters']:,} weights" in page
    assert card["parameters"] == sum(parameter.numel() for parameter in translator.model.parameters())
    assert f"{data['train']:,} pairs" in page
    assert data["sha256"] in page
    assert f"seed {card['seed']}" in page
    assert f"`{COMMAND}`" in page
    assert ATTRIBUTION in page
    assert f"{len(read_web_file(FILE.read_bytes())[0]['words']):,} words" in page
    for name in ("all references", "first reference"):
        assert f"| BLEU, {name} | {scores[name]['bleu']:.1f} in 8 bits" in page
        assert f"the {scores[name]['sentences']:,} sentences held out" in page
        assert f"{card['scores']['as trained'][name]['bleu']:.1f} " in page
    assert f"{card['minutes']:.0f} minutes by the clock" in page
    table = (ROOT / "book/translators.md").read_text("utf8")
    assert f"| {scores['all references']['bleu']:.1f} with 4 beams against all references" in table
