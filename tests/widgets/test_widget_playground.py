"""The playground trains when it is asked to, says what cannot be, and hands out what it made."""

import re

import pytest
import traitlets
from accessibility import too_small
from PIL import Image
from playwright.sync_api import expect
from safetensors.torch import load

from lessons_lib.widgets import PlaygroundWidget
from lessons_lib.widgets.playground import CHOICES, NUMBERS

SMALL = {
    "task": "copy",
    "d_model": 16,
    "n_heads": 2,
    "n_layers": 1,
    "d_ff": 16,
    "shortest": 1,
    "longest": 4,
    "batch_size": 8,
    "schedule": "constant",  # it has no end
}


BOTH = re.compile(r"Run A \(task copy.*\) after 1 steps: loss .* Run B \(.*\) after 1 steps: loss")


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def told(page) -> str:
    return page.locator(".pg-message").text_content()


def turn(page, knob: str, value: str, run: str = "A") -> None:
    page.get_by_label(f"{knob}, run {run}", exact=True).select_option(value)


def steps(page) -> list[int]:
    """How many each run has done, as its status says."""
    return [
        int(number.replace(",", ""))
        for number in re.findall(r"step ([\d,]+)", page.locator(".pg-status").text_content())
    ]


def test_nothing_trains_before_it_is_asked_to_and_a_step_is_one(show):
    page = show(PlaygroundWidget(SMALL))
    assert page.workers == []
    assert page.locator(".pg-own").is_hidden()
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text("The run after 1 steps: loss")
    assert steps(page) == [1]
    assert [worker.url[:5] for worker in page.workers] == ["blob:"]
    expect(page.locator(".pg-examples").first.locator("li")).to_have_count(8)
    expect(page.locator(".pg-heads").first.locator("button")).to_have_count(6)  # one layer, two heads, three kinds


def test_it_plays_until_it_is_paused_and_begins_anew(show):
    page = show(PlaygroundWidget(SMALL))
    press(page, "Train")
    expect(page.locator(".pg-status")).to_contain_text(re.compile(r"step [\d,]{2,}"))
    press(page, "Pause")
    expect(page.locator(".pg-message")).to_contain_text("of 100 held-out examples right")
    done = steps(page)
    page.wait_for_timeout(300)
    assert steps(page) == done
    assert len(page.locator(".pg-lossa, .pg-loss.pg-a").first.get_attribute("points").split()) > 1
    press(page, "Reset")
    assert page.locator(".pg-status").text_content() == ""
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text("after 1 steps")


def trained(page) -> None:
    """It trains, and has told of some steps."""
    press(page, "Train")
    expect(page.locator(".pg-status")).to_contain_text(re.compile(r"step [\d,]{2,}"))


def test_while_it_trains_only_what_is_on_the_screen_is_drawn(show):
    page = show(PlaygroundWidget(SMALL), width=360)
    page.set_viewport_size({"width": 360, "height": 500})
    trained(page)
    parts, chart = page.locator(".pg-norms tbody tr"), page.locator(".pg-loss.pg-a")
    assert parts.count() == 0
    page.locator(".pg-files").scroll_into_view_if_needed()
    expect(parts).not_to_have_count(0)
    drawn = chart.get_attribute("points")
    page.wait_for_timeout(300)
    assert chart.get_attribute("points") == drawn
    page.get_by_role("button", name="Pause", exact=True).evaluate("(button) => button.click()")
    expect(page.locator(".pg-message")).to_contain_text("held-out examples right")
    assert chart.get_attribute("points") != drawn


def test_a_new_beginning_hears_nothing_of_the_run_before(show):
    page = show(PlaygroundWidget(SMALL))
    for anew in (lambda: press(page, "Reset"), lambda: turn(page, "seed", "3")):
        trained(page)
        anew()
        page.wait_for_timeout(300)
        assert page.locator(".pg-status").text_content() == told(page) == ""
        assert page.locator(".pg-loss.pg-a").get_attribute("points") == ""
        assert page.workers == []


def test_at_the_end_of_its_schedule_it_pauses_and_says_so(show):
    page = show(PlaygroundWidget(SMALL | {"schedule": "linear", "steps": 20}))
    press(page, "Train")
    expect(page.locator(".pg-message")).to_contain_text(re.compile(r"after 20 steps: .* right. Its schedule ends here"))
    page.wait_for_timeout(200)
    assert steps(page) == [20]
    press(page, "Train")  # who wants more gets it
    expect(page.locator(".pg-status")).to_contain_text(re.compile(r"step (2[1-9]|[3-9]\d|\d{3}|[\d,]{5,})"))
    press(page, "Pause")
    expect(page.locator(".pg-message")).to_contain_text("held-out examples right")
    assert "schedule" not in told(page)


def test_a_hidden_page_pauses_and_says_so(show):
    page = show(PlaygroundWidget(SMALL))
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    assert told(page) == ""
    page.evaluate(hide, False)
    trained(page)
    page.evaluate(hide, True)
    expect(page.locator(".pg-message")).to_contain_text("right. It paused when the page was hidden.")
    page.evaluate(hide, False)
    press(page, "One step")
    expect(page.locator(".pg-message")).not_to_contain_text("hidden")


def test_a_view_that_closes_takes_its_training_along(show):
    page = show(PlaygroundWidget(SMALL, SMALL))
    trained(page)
    assert len(page.workers) == 2
    page.evaluate("() => unmount[0]()")
    page.wait_for_timeout(100)
    assert page.workers == []


def test_a_text_that_it_cannot_read_is_said_and_the_run_goes_on(show):
    page = show(PlaygroundWidget(SMALL))
    trained(page)
    box = page.get_by_label("a text of your own")
    box.fill("b4")
    box.press("Enter")
    expect(page.locator(".pg-own")).to_contain_text("'4' is not in the vocabulary; use a b c")
    done = steps(page)
    expect(page.locator(".pg-status")).not_to_contain_text(f"step {done[0]:,},")
    box.fill("ab")
    box.press("Enter")
    expect(page.locator(".pg-own")).not_to_contain_text("vocabulary")
    press(page, "Pause")
    expect(page.locator(".pg-message")).to_contain_text("The run after")


def test_a_text_of_ones_own_is_answered_and_a_length_that_it_never_learns_is_said(show):
    page = show(PlaygroundWidget(SMALL | {"shortest": 3}))
    press(page, "One step")
    box = page.get_by_label("a text of your own")
    box.fill("ABC")
    box.press("Enter")
    expect(page.locator(".pg-answer").first).to_contain_text("a b c → ")
    assert page.locator(".pg-own [role=status]").text_content() == ""
    box.fill("a")
    box.press("Enter")
    expect(page.locator(".pg-own")).to_contain_text("It learns from texts of 3 to 4 symbols; this one has 1.")


def test_the_first_of_two_runs_stays_when_the_other_goes(show):
    page = show(PlaygroundWidget(SMALL, SMALL, compare=True))
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text(BOTH)
    page.get_by_label("two runs side by side").click()
    expect(page.locator(".pg-knobs .pg-b").first).to_be_hidden()
    assert steps(page) == [1]


def test_a_model_that_no_memory_holds_is_a_sentence(show):
    page = show(PlaygroundWidget(SMALL | {"d_model": 2**20}))
    press(page, "Train")
    expect(page.locator(".pg-message")).to_contain_text(re.compile(r"stopped: \d+ MB are needed, .* smaller model\.$"))
    turn(page, "d_model", "16")
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text("after 1 steps")


def test_what_a_run_shows_is_large_enough_on_a_phone_and_in_its_picture(show, tmp_path):
    page = show(PlaygroundWidget(SMALL), width=360)
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text("after 1 steps")
    expect(page.locator(".pg-examples").first.locator("li")).to_have_count(8)
    expect(page.locator(".pg-heads").first.locator("button")).to_have_count(6)  # the last that it draws
    labels = page.locator(".pg-axes text")
    assert labels.all_text_contents() == ["0.0", "0 %", "2.5", "50 %", "5.0", "100 %", "0", "50", "100"]
    beyond = "(all) => all.map((one) => one.getBBox().x + one.getBBox().width - one.ownerSVGElement.clientWidth)"
    assert max(labels.evaluate_all(beyond)) <= 0
    assert too_small(page) == []
    with page.expect_download() as download:
        press(page, "Picture (PNG)")
    download.value.save_as(tmp_path / "runs.png")
    with Image.open(tmp_path / "runs.png") as image:
        width = page.locator(".pg-chart").evaluate("(chart) => chart.clientWidth")
        assert image.size == (2 * width, 440)
        assert len(image.getcolors(1 << 20)) > 10  # its axes have labels


def test_two_runs_that_are_the_same_do_the_same_and_another_does_not(show):
    page = show(PlaygroundWidget(SMALL, SMALL))
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text(BOTH)
    losses = re.findall(r"loss (\d+\.\d+)", told(page))
    assert losses[0] == losses[1]
    turn(page, "seed", "3", "B")
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text(BOTH)
    losses = re.findall(r"loss (\d+\.\d+)", told(page))
    assert losses[0] != losses[1]


def test_what_makes_no_model_is_said_and_cannot_be_trained(show):
    page = show(PlaygroundWidget(SMALL))
    turn(page, "heads", "3")
    assert told(page) == "d_model=16 is not divisible by n_heads=3; use 1, 2, 4, 8, 16."
    assert page.get_by_role("button", name="Train").is_disabled()
    turn(page, "heads", "4")
    assert told(page) == ""
    turn(page, "shortest", "8")
    assert told(page).startswith("shortest=8 is more than longest=4")


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_rate(show):
    page = show(PlaygroundWidget(SMALL | {"optimizer": "sgd", "learning_rate": 1, "clip_norm": 0, "norm": "none"}))
    turn(page, "rate", "1")
    press(page, "Train")
    expect(page.locator(".pg-message")).to_contain_text("learning_rate=1 is too high for sgd", timeout=30_000)
    assert page.get_by_role("button", name="Train").is_enabled()


def test_every_preset_makes_models_and_has_a_name_of_its_own(show):
    page = show(PlaygroundWidget(SMALL))
    titles = page.get_by_label("Try").locator("option").all_text_contents()
    assert len({*titles}) == len(titles) > 3
    for title in titles:
        page.get_by_label("Try").select_option(title)
        assert told(page) == ""
        assert page.get_by_role("button", name="Train").is_enabled()
        assert page.get_by_label("Try").evaluate("node => node.selectedOptions[0].text") == title


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("#play=positions=none,causal_mask=false&with=", ""),
        ("#play=nonsense", "‘nonsense’ in the address is no setting; the defaults stand."),
        ("#play=d_model", "‘’ in the address is no d_model; use one of 8, 16"),
        ("#play=shortest=12,longest=4", "shortest=12 is more than longest=4; use 4 or less."),
        ("#play=d_model=x", "‘x’ in the address is no d_model; use one of 8, 16"),
        ("#play=%E0%A4%A", "the address cannot be read"),
        ("#other", ""),
    ],
)
def test_a_setting_in_the_address_is_read_or_refused(show, address, says):
    page = show(PlaygroundWidget(SMALL))
    page.evaluate("(hash) => { location.hash = hash; unmount[0](); }", address)
    page.evaluate("() => { module.default.render({ model: models[0], el: document.body }); }")
    assert told(page).startswith(says)
    if "none" in address:
        assert page.get_by_label("positions, run A").input_value() == "none"
        assert page.get_by_label("two runs side by side").is_checked()


def test_a_link_that_is_opened_where_the_page_is_open_already_is_read(show):
    page = show(PlaygroundWidget(SMALL))
    page.evaluate("() => { location.hash = '#play=d_model=8,n_heads=2,longest=12'; }")
    expect(page.get_by_label("d_model, run A", exact=True)).to_have_value("8")
    press(page, "One step")
    page.get_by_role("link", name="Link to this setting").click()  # to what is there: nothing begins anew
    page.wait_for_timeout(100)
    assert steps(page) == [1]
    page.evaluate("() => { location.hash = '#play=d_model=9'; }")
    expect(page.locator(".pg-message")).to_contain_text("‘9’ in the address is no d_model; use one of 8, 16")
    assert steps(page) == [1]


def test_a_link_holds_every_knob_that_was_turned(show):
    page = show(PlaygroundWidget(SMALL))
    turn(page, "positions", "RoPE")
    press(page, "One step")
    link = page.get_by_role("link", name="Link to this setting")
    link.wait_for()
    assert "positions=rope" in link.get_attribute("href")
    assert "n_heads=2" in link.get_attribute("href")


def test_the_model_the_numbers_and_the_picture_are_handed_out(show, tmp_path):
    page = show(PlaygroundWidget(SMALL))
    press(page, "One step")
    expect(page.locator(".pg-message")).to_contain_text("after 1 steps")
    for button, check in (
        ("Model A", lambda data: {"embedding.weight", "encoder.norm.gamma"} <= load(data).keys()),
        (
            "Numbers (CSV)",
            lambda data: re.match(rb"step,loss,gradient_norm,learning_rate,held_out_accuracy\n1,\d", data),
        ),
        ("Picture (PNG)", lambda data: data.startswith(b"\x89PNG")),
    ):
        with page.expect_download() as download:
            press(page, button)
        download.value.save_as(tmp_path / "file")
        assert check((tmp_path / "file").read_bytes())


def test_the_settings_that_python_knows_are_those_of_the_page(show):
    page = show(PlaygroundWidget(SMALL))
    knobs = page.locator(".pg-knob select.pg-a").evaluate_all("nodes => nodes.length")
    assert knobs == len(CHOICES) + len(NUMBERS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": {"positions": "alibi"}}, "positions='alibi' is not one of 'none'"),
        ({"b": {"width": 3}}, "'width' is no setting"),
        ({"a": {"d_model": "64"}}, "d_model='64' is no number"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=re.escape(message)):
        PlaygroundWidget(**given)
