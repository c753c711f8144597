"""The norm widget computes what PyTorch computes, and all can use it: mouse, finger, keyboard, screen reader."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets
from accessibility import CONTRAST

from lessons_lib.norms import layer_norm, rms_norm
from lessons_lib.widgets import NormWidget

SIZE = 8


def tensors(size=SIZE, seed=0):
    """Activations of two tokens, γ, β."""
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.randn(2, size, generator=generator) + 0.5
    gamma, beta = 2 * torch.rand(size, generator=generator), torch.randn(size, generator=generator) / 2
    return [tensor.round(decimals=4) for tensor in (x, gamma, beta)]


def widget(size=SIZE, seed=0, **traits) -> NormWidget:
    x, gamma, beta = tensors(size, seed)
    return NormWidget({"cats": x[0], "sleep": x[1]}, gamma, beta, **traits)


def numbers(page, name: str) -> list[float]:
    texts = page.locator(f".nw-{name} .nw-number").all_text_contents()
    return [float(text.replace("−", "-")) for text in texts]


def expected(x, gamma, beta, kind="layer"):
    return (rms_norm(x, gamma) if kind == "rms" else layer_norm(x, gamma, beta)).tolist()


def bars(page, name: str):
    return page.locator(f".nw-{name} .nw-bar")


def moved(page) -> float:
    """How far the output has moved since the start, as the summary says it."""
    text = page.locator("[aria-live]").text_content()
    return float(re.search(r"moved by at most ([\d.]+\d)\.", text)[1])


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_arithmetic_equals_the_library_and_pytorch_on_100_random_inputs(show):
    random = np.random.default_rng(0)
    cases = []
    for _ in range(100):
        size = int(random.integers(2, 65))
        x = random.normal(random.normal(0, 3), 10 ** random.uniform(-3, 3), size)
        cases.append([x.tolist(), random.normal(1, 1, size).tolist(), random.normal(0, 1, size).tolist()])
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([x, gamma, beta]) => [
          module.layerNorm(x, gamma, beta), module.rmsNorm(x, gamma), module.moments(x)])""",
        cases,
    )
    for case, (layer, rms, moments) in zip(cases, ours, strict=True):
        x, gamma, beta = (torch.tensor(values, dtype=torch.double) for values in case)
        layer, rms = (torch.tensor(values, dtype=torch.double) for values in (layer, rms))
        close = {"rtol": 0, "atol": 1e-5}
        torch.testing.assert_close(layer, layer_norm(x, gamma, beta), **close)
        torch.testing.assert_close(layer, F.layer_norm(x, x.shape, gamma, beta), **close)
        torch.testing.assert_close(rms, rms_norm(x, gamma), **close)
        torch.testing.assert_close(rms, F.rms_norm(x, x.shape, gamma, 1e-6), **close)
        assert moments["mean"] == pytest.approx(x.mean().item(), abs=1e-9, rel=1e-9)
        assert moments["spread"] == pytest.approx(x.std(correction=0).item(), rel=1e-9)
        assert moments["rms"] == pytest.approx(x.square().mean().sqrt().item(), rel=1e-9)


@pytest.mark.parametrize("x", [[0.0, 0.0], [3.0, 3.0, 3.0], [9999.0, -9999.0]])
def test_arithmetic_at_the_edges(show, x):
    ones, zeros = [1.0] * len(x), [0.0] * len(x)
    layer, rms = show(widget()).evaluate(
        "([x, ones, zeros]) => [module.layerNorm(x, ones, zeros), module.rmsNorm(x, ones)]", [x, ones, zeros]
    )
    x, ones, zeros = (torch.tensor(values, dtype=torch.double) for values in (x, ones, zeros))
    assert layer == pytest.approx(layer_norm(x, ones, zeros).tolist(), abs=1e-9)
    assert rms == pytest.approx(rms_norm(x, ones).tolist(), abs=1e-9)


@pytest.mark.parametrize(
    ("largest", "end"), [(0, 1), (1, 1), (1.01, 2), (-2.5, 5), (9, 10), (11, 20), (480, 500), (9999, 10_000)]
)
def test_the_scale_ends_at_a_round_number_that_holds_all_bars(show, largest, end):
    assert show(widget()).evaluate("(x) => module.scaleEnd([0.1, x])", largest) == end


# --- what one sees and does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_the_bars_show_what_the_library_computes(show, kind):
    x, gamma, beta = tensors()
    page = show(widget(kind=kind))
    assert numbers(page, "values") == pytest.approx(x[0].tolist(), abs=0.0051)
    assert numbers(page, "after") == pytest.approx(expected(x[0], gamma, beta, kind), abs=0.0051)
    assert numbers(page, "gamma") == pytest.approx(gamma.tolist(), abs=0.0051)
    assert bars(page, "beta").first.is_disabled() is (kind == "rms")
    cells = page.locator("tbody tr").nth(1).locator("td").all_text_contents()
    assert cells[1 if kind == "layer" else 2] == "1.00"  # spread of LayerNorm, root mean square of RMSNorm
    assert (cells[0] in ("0.00", "−0.00")) is (kind == "layer")


def test_bars_are_as_high_as_the_numbers(show):
    x, gamma, beta = tensors()
    page = show(widget())
    for name, values in (("values", x[0].tolist()), ("after", expected(x[0], gamma, beta))):
        rows = page.locator(f".nw-{name} .nw-track").evaluate_all(
            """all => all.map((track) => {
              const [whole, bar] = [track, track.firstElementChild].map((node) => node.getBoundingClientRect());
              const zero = (whole.top + whole.bottom) / 2;
              return [zero - bar.top, bar.bottom - zero];
            })"""
        )
        heights = [up if value > 0 else -down for (up, down), value in zip(rows, values, strict=True)]
        largest = int(np.argmax(np.abs(values)))
        assert np.array(heights) / heights[largest] == pytest.approx(np.array(values) / values[largest], abs=0.03)


def test_dragging_a_bar_moves_it_and_the_output(show):
    x, gamma, beta = tensors()
    page = show(widget())
    track = page.locator(".nw-values .nw-track").nth(2).bounding_box()
    end = float(page.locator(".nw-values .nw-scale").text_content().removeprefix("scale ±"))
    middle = track["x"] + track["width"] / 2
    page.mouse.move(middle, track["y"] + track["height"] / 2)
    page.mouse.down()
    page.mouse.move(middle, track["y"] + track["height"] / 4)
    assert numbers(page, "values")[2] == pytest.approx(end / 2, abs=end / 40)
    page.mouse.move(middle, track["y"] - 50)  # beyond the top: the end of the scale
    page.mouse.up()
    assert numbers(page, "values")[2] == pytest.approx(end)
    changed = x[0].clone()
    changed[2] = end
    assert numbers(page, "after") == pytest.approx(expected(changed, gamma, beta), abs=0.0051)
    page.mouse.move(middle, track["y"] + track["height"])  # the button is up: nothing moves any more
    assert numbers(page, "values")[2] == pytest.approx(end)
    page.get_by_role("button", name="start again").click()
    assert numbers(page, "values") == pytest.approx(x[0].tolist(), abs=0.0051)


def test_the_scale_stays_while_a_bar_is_dragged_and_fits_afterwards(show):
    page = show(NormWidget({"a": [4.9, 0.1, 0.2]}))
    scale = page.locator(".nw-values .nw-scale")
    track = page.locator(".nw-values .nw-track").first.bounding_box()
    page.mouse.move(track["x"] + 5, track["y"] + 2)
    page.mouse.down()
    page.mouse.move(track["x"] + 5, track["y"] + track["height"] / 2)
    assert scale.text_content() == "scale ±5"
    page.mouse.up()
    assert scale.text_content() == "scale ±1"


@pytest.mark.parametrize(("kind", "stays"), [("layer", True), ("rms", False)])
def test_adding_a_constant_moves_rmsnorm_and_not_layernorm(show, kind, stays):
    page = show(widget(kind=kind))
    before = numbers(page, "after")
    page.get_by_role("button", name="add 1 to all").click()
    assert numbers(page, "values") == pytest.approx((tensors()[0][0] + 1).tolist(), abs=0.0051)
    assert (numbers(page, "after") == pytest.approx(before, abs=0.011)) is stays
    assert (moved(page) < 0.005) is stays


@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_multiplying_all_by_ten_moves_neither(show, kind):
    page = show(widget(kind=kind))
    before = numbers(page, "after")
    button = page.get_by_role("button", name="all × 10")
    button.click()
    assert numbers(page, "values")[0] == pytest.approx(10 * tensors()[0][0, 0].item(), abs=0.051)
    assert numbers(page, "after") == pytest.approx(before, abs=0.011)
    assert moved(page) < 0.005
    button.click()
    button.click()
    assert button.is_disabled()  # five digits would not fit under a bar


def test_gamma_and_beta_can_be_taken_away_and_given_back(show):
    x, gamma, beta = tensors()
    page = show(widget())
    page.get_by_text("γ = 1, β = 0").click()
    plain = layer_norm(x[0], torch.ones(SIZE), torch.zeros(SIZE))
    assert numbers(page, "after") == pytest.approx(plain.tolist(), abs=0.0051)
    assert numbers(page, "beta") == [0.0] * SIZE
    bars(page, "gamma").nth(1).press("ArrowUp")
    assert page.locator(".cw-choice input:checked").count() == 1  # neither the learned γ nor γ = 1 any more
    page.get_by_text("γ, β as learned").click()
    assert numbers(page, "after") == pytest.approx(expected(x[0], gamma, beta), abs=0.0051)


def test_another_token_is_drawn_and_keeps_gamma_and_beta(show):
    x, _, beta = tensors()
    page = show(widget())
    page.get_by_role("button", name="all × 10").click()
    bars(page, "gamma").first.press("PageUp")
    changed = torch.tensor(page.evaluate("models[0].get('edited').gamma"))
    page.locator("select").select_option(index=1)
    assert numbers(page, "values") == pytest.approx(x[1].tolist(), abs=0.0051)
    assert numbers(page, "after") == pytest.approx(expected(x[1], changed, beta), abs=0.0051)
    assert page.get_by_text("before: x of 'sleep'", exact=True).count() == 1


def test_python_redraws_by_changing_a_trait(show):
    x, gamma, beta = tensors()
    page = show(widget())
    page.evaluate("models[0].set('kind', 'rms')")
    assert numbers(page, "after") == pytest.approx(expected(x[0], gamma, beta, "rms"), abs=0.0051)
    page.evaluate("models[0].set('edited', {values: [1, 1, 1, 1, 1, 1, 1, 1]})")
    assert numbers(page, "values") == [1.0] * SIZE
    assert numbers(page, "after") == pytest.approx(gamma.tolist(), abs=0.0051)


def test_one_token_has_no_list_of_tokens(show):
    page = show(NormWidget({"cats": [1.0, 2.0]}))
    assert not page.locator("select").is_visible()
    assert numbers(page, "after") == [-1.0, 1.0]
    assert page.locator(".nw-values .nw-dimension").all_text_contents() == ["0", "1"]


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def focused(page) -> tuple[str, int]:
    return tuple(
        page.evaluate(
            """() => {
              const bar = document.activeElement, panel = bar.closest(".nw-panel");
              return panel ? [panel.classList[1], [...bar.parentElement.children].indexOf(bar)] : ["", -1];
            }"""
        )
    )


def test_keyboard_alone_is_enough(show):
    x, gamma, beta = tensors()
    page = show(widget())
    for _ in range(12):
        page.keyboard.press("Tab")
        if focused(page)[0]:
            break
    assert focused(page) == ("nw-values", 0)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == ("nw-values", 2)
    assert numbers(page, "values") == pytest.approx(x[0].tolist(), abs=0.0051)  # moving does not change
    end = float(page.locator(".nw-values .nw-scale").text_content().removeprefix("scale ±"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowUp")
    assert numbers(page, "values")[2] == pytest.approx(x[0, 2].item() + end / 20, abs=0.0051)
    changed = x[0].clone()
    changed[2] += end / 20
    assert numbers(page, "after") == pytest.approx(expected(changed, gamma, beta), abs=0.0051)
    assert focused(page) == ("nw-values", 2)  # drawing again keeps the focus
    page.evaluate("addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))")
    page.keyboard.press("PageDown")
    assert page.evaluate("taken")  # the page does not scroll
    page.keyboard.press("End")
    assert focused(page) == ("nw-values", SIZE - 1)
    page.keyboard.press("Tab")
    assert focused(page) == ("nw-gamma", 0)  # one stop of the Tab key for a whole row
    page.keyboard.press("Tab")
    assert focused(page) == ("nw-beta", 0)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == ("nw-values", SIZE - 1)
    # Without this attribute on the focused element itself, "d d" would delete the cell in JupyterLab.
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_values_and_headers(show):
    x, _, _ = tensors()
    page = show(widget(dimensions=range(40, 48)))
    slider = page.get_by_role("slider", name="before: x of 'cats', dimension 43")
    assert slider.count() == 1
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(x[0, 3].item())
    assert slider.get_attribute("aria-valuetext") == f"{x[0, 3]:.2f}".replace("-", "−")
    assert page.get_by_role("slider").count() == 3 * SIZE
    assert page.get_by_role("columnheader").all_text_contents() == ["mean", "spread", "root mean square"]
    assert page.get_by_role("rowheader").all_text_contents() == ["before", "normalised", "after γ, β"]
    assert page.get_by_role("radio", name="LayerNorm").is_checked()


def test_the_summary_says_what_the_norm_does(show):
    x = tensors()[0][0]
    page = show(widget())
    mean, spread = (f"{number:.2f}".replace("-", "−") for number in (x.mean(), x.std(correction=0)))
    summary = page.locator("[aria-live=polite]")
    start = f"LayerNorm takes away the mean, {mean}, and divides by the spread, {spread}."
    assert summary.text_content().startswith(start)
    page.get_by_text("RMSNorm", exact=True).click()
    assert summary.text_content().startswith(
        f"RMSNorm divides by the root mean square, {x.square().mean().sqrt():.2f}."
    )


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 5, 8])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, size):
    page = show(widget(size, edited={"values": [-9999.0] * size}), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    wide = page.locator(".nw-number").evaluate_all("all => Math.max(...all.map((n) => n.scrollWidth - n.clientWidth))")
    assert wide <= 0  # no number runs into its neighbour


def test_a_wide_page_shows_before_and_after_side_by_side(show):
    page = show(widget(), width=1280)
    before, after = (page.locator(f".nw-{name}").bounding_box() for name in ("values", "after"))
    assert before["y"] == after["y"]
    assert before["x"] + before["width"] <= after["x"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bars_and_numbers_stand_out_in_both_themes(show, theme):
    page = show(widget(), theme=theme)
    back = page.locator(".norm-widget").evaluate("node => getComputedStyle(node).backgroundColor")
    assert back == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}[theme]
    for selector, key, least in (
        (".nw-number", "color", 4.5),
        (".nw-dimension", "color", 4.5),
        (".nw-action", "color", 4.5),
        (".nw-values i", "backgroundColor", 3),
        (".nw-after i", "backgroundColor", 3),
    ):
        shown = page.locator(selector).first
        assert shown.evaluate(CONTRAST, {"key": key, "back": back}) >= least, selector


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    text = "NormWidget: 'cats sleep' (run this cell to drag the bars)"
    assert repr(widget()) == repr(widget(seed=1)) == text


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_arrays_tensors_and_lists_become_rounded_lists(kind):
    shown = NormWidget({"a": kind([1.23456, -0.00001])}, kind([1.0, 2.0]), kind([0.5, 0.0]))
    assert shown.tokens[0]["values"] == pytest.approx([1.2346, 0.0], abs=1e-9)
    assert str(shown.tokens[0]["values"][1]) == "0.0"
    assert shown.beta == [0.5, 0.0]


def test_tensors_with_a_gradient_and_in_half_precision_are_taken():
    parameter = torch.ones(3, requires_grad=True)
    shown = NormWidget({"a": parameter}, parameter.bfloat16(), parameter.half())
    assert shown.gamma == shown.beta == [1.0] * 3


GOOD = {"tokens": {"a": [1.0, 2.0]}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens": {}}, "tokens has 0 words; give 1 to 40"),
        ({"tokens": {" ": [1.0, 2.0]}}, r"tokens\[0\] is ' '"),
        ({"tokens": {"a": [1.0]}}, r"tokens\['a'\] has 1 numbers; give 2 to 8, a bar for each"),
        ({"tokens": {"a": range(11)}}, "has 11 numbers; give 2 to 8"),
        ({"tokens": {"a": [1, 2], "b": [1, 2, 3]}}, r"tokens\['b'\] has 3 numbers but there are 2 dimensions"),
        ({"tokens": {"a": [[1, 2]]}}, r"tokens\['a'\] has shape \(1, 2\); give one list of numbers"),
        ({"tokens": {"a": ["x", "y"]}}, "is not a list of numbers"),
        ({"tokens": {"a": [1, float("nan")]}}, r"tokens\['a'\]\[1\] is nan; every number must be finite"),
        ({**GOOD, "gamma": [1.0]}, "gamma has 1 numbers but there are 2 dimensions"),
        ({**GOOD, "beta": [0.0, float("inf")]}, r"beta\[1\] is inf"),
        ({**GOOD, "beta": [0.0, 10_000.0]}, r"beta\[1\] is 10000.0; every number must be finite, from −9999 to 9999"),
        ({**GOOD, "dimensions": [7]}, "dimensions has 1 names but there are 2 bars"),
        ({**GOOD, "token": 1}, "token=1 but there are 1 tokens; use 0 to 0"),
        ({**GOOD, "kind": "batch"}, "kind='batch' is not one of 'layer', 'rms'"),
        ({**GOOD, "edited": {"eps": [1]}}, r"edited\['eps'\] is unknown; use values, gamma, beta"),
        ({**GOOD, "edited": {"values": [1.0]}}, r"edited\['values'\] has 1 numbers but there are 2 dimensions"),
    ],
)
def test_bad_data_is_refused_with_the_value_and_the_fix(arguments, message):
    with pytest.raises((ValueError, traitlets.TraitError), match=message):
        NormWidget(**arguments)


def test_a_change_later_is_checked_too():
    shown = widget()
    with pytest.raises(ValueError, match="token=2"):
        shown.token = 2
    with pytest.raises(ValueError, match="has 2 numbers but there are 8"):
        shown.edited = {"beta": [1.0, 2.0]}
    shown.edited = {"beta": [1.0] * SIZE}
    assert shown.edited["beta"] == [1.0] * SIZE
