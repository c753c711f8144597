"""The growth widget shows a training's own numbers at every state, plays by itself, and refuses what does not fit."""

import copy
import json

import pytest
import traitlets

from lessons_lib.translation.course_model import GROWTH, load_growth
from lessons_lib.widgets import GrowthWidget

PAIR = {"source": ["the", "cat", "sleeps"], "target": ["le", "chat", "dort"], "links": [(0, 0), (1, 1), (2, 2)]}
EVEN = [[[[34, 33, 33]] * 3] * 2] * 2  # 2 layers, 2 heads
SURE = [[[[90, 10, 0], [5, 90, 5], [60, 0, 40]]] * 2] * 2


def state(step, text="", weights=EVEN, **numbers):
    return {"step": step, "loss": 5.0, "bleu": 0.0, "aer": 1.0, "texts": [text], "weights": [weights]} | numbers


STATES = [
    state(0),
    state(50, "le le chat", loss=3.21),
    state(1_000, "le chat dort", SURE, loss=1.5, bleu=62.34, aer=0.25),
]


def widget(**traits) -> GrowthWidget:
    return GrowthWidget([PAIR], STATES, **traits)


def test_each_state_shows_its_own_numbers_texts_and_maps(show):
    page = show(widget())
    assert page.locator(".gw-step").text_content() == "step 0 of 1,000"
    assert "writes nothing: 0 of 0 words" in page.locator(".cw-summary").text_content()
    page.locator("input[type=range]").fill("2")
    assert page.locator(".gw-keys").text_content() == "loss 1.50BLEU 62.3alignment error 0.25"
    summary = page.locator(".cw-summary").text_content()
    assert summary.startswith("After 1,000 steps it writes 'le chat dort': 3 of 3 words")
    assert "In 2 of 3 rows the mean of the heads" in summary
    cells = page.locator(".gw-map tbody tr").nth(2).locator("td").all_text_contents()
    assert cells == ["60", "", "40"]
    assert page.locator(".gw-link").count() == 3


def test_words_of_the_right_translation_are_marked_each_as_often_as_it_has_them(show):
    page = show(widget(at=1))
    assert page.locator(".gw-found").all_text_contents() == ["le ", "chat "]


def test_a_head_is_chosen_by_its_small_map(show):
    one = copy.deepcopy(SURE)
    one[0] = [one[0][0], [[0, 0, 100]] * 3]
    page = show(GrowthWidget([PAIR], [state(0, weights=one)]))
    page.get_by_role("button", name="layer 1, head 2").click()
    assert page.locator(".gw-map tbody td").all_text_contents() == ["", "", "100"] * 3
    assert "In 1 of 3 rows this head" in page.locator(".cw-summary").text_content()


def test_it_plays_to_the_end_and_stops_at_a_click(show):
    page = show(widget())
    page.clock.install()
    play = page.locator(".gw-play")
    play.click()
    assert play.text_content() == "Pause"
    assert page.locator(".cw-summary").get_attribute("aria-live") == "off"
    page.clock.run_for(5_000)
    assert page.locator(".gw-step").text_content() == "step 1,000 of 1,000"
    assert play.text_content() == "Play"
    play.click()  # again from the start, and stopped
    page.clock.run_for(1_000)
    play.click()
    page.clock.run_for(5_000)
    assert page.locator(".gw-step").text_content() == "step 50 of 1,000"
    assert page.locator(".cw-summary").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"states": []}, "states is empty"),
        ({"sentences": []}, "sentences is empty"),
        ({"states": [state(5), state(5)]}, "step 5 behind 5"),
        ({"states": [state(0, loss=float("nan"))]}, "finite"),
        ({"states": [state(0, weights=[[[[1, 2]] * 3]])]}, "give \\(layers, heads, 3, 3\\)"),
        ({"states": [state(0, weights=[[[[101, 0, 0]] * 3]])]}, "hundredths are 0 to 100"),
        ({"states": [state(0), state(1, weights=EVEN[:1])]}, "use one model"),
        ({"states": [state(0) | {"texts": []}]}, "0 texts and 1 maps for 1 sentences"),
        ({"sentences": [PAIR | {"links": [(3, 0)]}]}, "links 3 with 0"),
        ({"sentences": [{"source": ["a"]}]}, "no target"),
        ({"at": 3}, "at=3"),
        ({"layer": 2}, "layer=2"),
        ({"head": -2}, "head=-2"),
        ({"sentence": 1}, "sentence=1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, told):
    with pytest.raises((ValueError, traitlets.TraitError), match=told):
        GrowthWidget(**{"sentences": [PAIR], "states": STATES} | change)


def test_the_stored_growth_is_of_the_courses_training():
    stored = json.loads(GROWTH.read_text("utf8"))
    card = json.loads((GROWTH.parent / "run.json").read_text("utf8"))
    steps = [one["step"] for one in stored["steps"]]
    assert (steps[0], steps[-1]) == (0, card["steps"])
    pairs, states = load_growth()
    for state in states:  # rows are the words of the right translation: they add up to 1 with what </s> gets
        for pair, table in zip(pairs, state["weights"], strict=True):
            assert all(sum(row) <= 102 for layer in table for head in layer for row in head)
            assert len(table[0][0]) == len(pair["target"])
    first, last = states[0], states[-1]
    assert first["bleu"] < 1 < 80 < last["bleu"]
    assert last["loss"] < 1 < 8 < first["loss"]
    assert last["aer"] < first["aer"] / 2


def test_some_of_its_sentences_can_be_asked_for_and_no_others():
    pairs, states = load_growth("The children have not worn them.")
    assert [pair["source"] for pair in pairs] == [["The", "children", "have", "not", "worn", "them."]]
    assert {len(state["texts"]) for state in states} == {len(state["weights"]) for state in states} == {1}
    with pytest.raises(ValueError, match=r"'Hello\.' was not looked at; there are 'Laura"):
        load_growth("Hello.")
