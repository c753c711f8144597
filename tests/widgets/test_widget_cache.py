"""The cost of writing is that of the library, to the last digit, and every reader can take the steps."""

import random
import re

import pytest
import torch
from random_configs import lengths_of, random_config
from torch.utils.flop_counter import FlopCounterMode

from lessons_lib.attention import recorded_attention
from lessons_lib.masks import padding_mask
from lessons_lib.sizes import cache_memory, forward_flops, generation_flops, presets
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.search.uncached import Uncached
from lessons_lib.widgets import CacheWidget
from lessons_lib.widgets.sizes import checked_config

NAMES = ["Transformer base", "GPT-2 small", "Llama 2 7B", "Llama 3 8B"]


def models(names=NAMES) -> list[dict]:
    return [{"name": name, "config": presets()[name].config.to_dict()} for name in names]


def widget(**traits) -> CacheWidget:
    return CacheWidget(models(), **traits)


def numbers(page) -> dict[str, list[str]]:
    rows = page.locator(".cc-numbers tbody tr")
    return {row.locator("th").text_content(): row.locator("td").all_text_contents() for row in rows.all()}


def summary(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


# --- arithmetic ------------------------------------------------------------------------------------------------------


def one_pass(config, batch, source, n) -> int:
    """The decoder over n tokens, the last of which is asked: `forward_flops` without encoder and other projections."""
    parts = forward_flops(config, batch, *lengths_of(config, source, n))
    parts["output projection"] //= n
    return sum(flops for name, flops in parts.items() if not name.startswith("encoder"))


def step(config, batch, source, prompt, number, cached) -> int:
    if cached and number > 1:
        return generation_flops(config, batch, prompt + number - 2, source if config.n_encoder_layers else 0)
    n = prompt + number - 1
    parts = forward_flops(config, batch, *lengths_of(config, source, n))
    encoder = sum(flops for name, flops in parts.items() if name.startswith("encoder"))
    return one_pass(config, batch, source, n) + (encoder if number == 1 else 0)


def test_arithmetic_is_that_of_the_library_to_the_last_digit_on_120_random_shapes(show):
    draw, cases, expected = random.Random(0), [], []
    for number in range(120):
        family = ("encoder-decoder", "decoder-only")[number % 2]
        config = random_config(family, number)
        if number < len(NAMES):  # numbers beyond 2⁵³, too
            config = presets()[NAMES[number]].config
        batch, source = draw.randint(1, 300), draw.randint(1, config.max_length)
        prompt = draw.randint(1, config.max_length - 1)
        length = draw.randint(1, min(40, config.max_length - prompt))
        precision = draw.choice(["float32", "bfloat16"])
        cases.append([checked_config(config.to_dict(), "config"), batch, source, prompt, length, precision])
        steps = {
            cached: [step(config, batch, source, prompt, i, cached) for i in range(1, length + 1)]
            for cached in (True, False)
        }
        read = prompt + length - 1
        memory = cache_memory(config, batch, *lengths_of(config, source, read), precision)
        expected.append(
            {
                "steps": {"true": steps[True], "false": steps[False]},
                "running": {"true": sum(steps[True]), "false": sum(steps[False])},
                "bytes": list(memory.values()),
                "places": [prompt if length == 1 else 1, read, read, sum(range(prompt, read + 1))],
            }
        )
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([c, batch, source, prompt, length, precision]) => {
          const both = (make) => ({ true: make(true), false: make(false) });
          const steps = Array.from({ length }, (_, i) => i + 1);
          const [fast, slow] = [true, false].map((cached) => module.places(prompt, length, cached));
          return {
            steps: both((cached) => steps.map((i) => `${module.stepFlops(c, batch, source, prompt, i, cached)}`)),
            running: both((cached) => `${module.runningFlops(c, batch, source, prompt, length, cached).at(-1)}`),
            bytes: Object.values(module.cacheBytes(c, batch, source, prompt + length - 1, precision)),
            places: [fast.now, fast.all, slow.now, slow.all],
          };
        })""",
        cases,
    )
    for case, mine, theirs in zip(cases, ours, expected, strict=True):
        mine["steps"] = {way: [int(flops) for flops in row] for way, row in mine["steps"].items()}
        mine["running"] = {way: int(flops) for way, flops in mine["running"].items()}
        assert mine == theirs, case


def test_it_is_what_a_real_translator_computes(show):
    """The encoder once, then every step, with a cache and without; PyTorch counts."""
    config = random_config("encoder-decoder", 3, max_length=40)
    model, length = Transformer(config).eval(), 7
    src, tokens = torch.randint(3, config.vocab_size, (2, 5)), torch.randint(3, config.vocab_size, (2, length))
    page = show(widget())
    for network, cached in ((model, True), (Uncached(model), False)):
        with recorded_attention(model), FlopCounterMode(display=False) as counter, torch.no_grad():
            cache = network.new_cache(network.encode(src), length)
            for t in range(length):
                network.decode_step(tokens[:, t : t + 1], cache, padding_mask(src, config.pad_id))
        arguments = [checked_config(config.to_dict(), "config"), 2, 5, 1, length, cached]
        counted = page.evaluate("(all) => `${module.runningFlops(...all).at(-1)}`", arguments)
        assert int(counted) == counter.get_total_flops()


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_steps_by_button_slider_and_keyboard(show):
    page = show(widget(model=1, prompt=3, length=5))
    assert numbers(page)["places in each layer, this step"] == ["3", "3"]
    assert page.get_by_role("button", name="back").is_disabled()
    page.get_by_role("button", name="next").click()
    assert numbers(page)["places in each layer, this step"] == ["1", "4"]
    assert numbers(page)["places, all steps so far"] == ["4", "7"]
    assert "1 place goes through each layer; the keys and values of 3 come from the cache" in summary(page)
    slider = page.get_by_label("token being written")
    slider.focus()
    page.keyboard.press("End")
    assert summary(page).startswith("Token 5 of 5")
    assert page.get_by_role("button", name="next").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert numbers(page)["places, all steps so far"] == ["6", "18"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.get_by_role("button", name="back").focus()
    page.keyboard.press("Enter")
    assert summary(page).startswith("Token 3 of 5")


def test_the_picture_shows_what_is_computed_and_what_is_kept(show):
    page = show(widget(model=1, prompt=2, length=3, step=2))
    shape = lambda name: page.locator(f".cc-pictures .cc-{name}").first  # noqa: E731
    assert float(shape("kept").get_attribute("width")) == pytest.approx(50)  # 2 of 4 places
    assert float(shape("fresh").get_attribute("width")) == pytest.approx(25)
    assert shape("now").get_attribute("d") == "M0 50L75 50L75 75L0 75Z"
    assert shape("old").get_attribute("d") == "M0 0L25 0L25 25L50 25L50 50L0 50Z"
    page.get_by_text("without", exact=True).first.click()
    assert float(shape("kept").get_attribute("width")) == 0
    assert shape("now").get_attribute("d") == "M0 0L25 0L25 25L50 25L50 50L75 50L75 75L0 75Z"
    assert "without a cache: 3 places go through each layer." in summary(page)
    assert page.locator(".cc-chosen").first.text_content() == "without"
    page.locator("[data-field=length]").fill("400")  # too many for stairs
    assert shape("now").get_attribute("d").count("L") == 3


def test_fields_count_at_once_and_refuse_what_the_model_cannot_read(show):
    page = show(widget(model=1))
    page.locator("[data-field=length]").fill("400")
    page.locator("[data-field=prompt]").fill("100")
    page.locator("[data-field=batch]").fill("8")
    page.get_by_label("token being written").focus()
    page.keyboard.press("End")
    config = presets()["GPT-2 small"].config
    bytes_now = sum(cache_memory(config, 8, 0, 499).values())
    assert f"{bytes_now / 1e6:.0f} MB for 8 texts in float32" in summary(page)
    page.get_by_text("bfloat16", exact=True).click()
    assert f"{bytes_now / 2e6:.0f} MB for 8 texts in bfloat16" in summary(page)
    before = numbers(page)
    for field, value in (("prompt", "625"), ("prompt", "0"), ("length", "925"), ("batch", "1.5"), ("batch", "")):
        page.locator(f"[data-field={field}]").fill(value)
        assert "a whole number from 1 to" in summary(page)
        assert page.locator(f"[data-field={field}]").get_attribute("aria-invalid") == "true"
        assert numbers(page) == before
        page.locator(f"[data-field={field}]").fill({"prompt": "100", "length": "400", "batch": "8"}[field])
        assert numbers(page) == before


def test_another_model_keeps_what_fits(show):
    page = show(widget(model=3, prompt=2000, length=3000, step=2500))
    assert not page.get_by_label("source, tokens").is_visible()
    page.locator("select").select_option("GPT-2 small")
    assert page.locator("[data-field=prompt]").input_value() == "1023"
    assert summary(page).startswith("Token 1 of 1,")
    page.locator("select").select_option("Transformer base")
    assert page.get_by_label("source, tokens").is_visible()
    assert "of it for the source" in summary(page)


def test_heads_that_share_keys_make_a_quarter_of_the_cache(show):
    page = show(widget(model=2, prompt=1000, length=100, precision="bfloat16"))
    own = numbers(page)["bytes of the cache"][0]
    page.locator("select").select_option("Llama 3 8B")
    assert (own, numbers(page)["bytes of the cache"][0]) == ("524 MB", "131 MB")


def test_the_ratios_that_the_lesson_names(show):
    translator = {"name": "the course's translator", "config": load_course_translator("cpu").model.config.to_dict()}
    page = show(CacheWidget([translator, *models(["GPT-2 small"])], step=12))
    assert "without: 3.2 times" in summary(page)
    page.locator("select").select_option("GPT-2 small")
    page.locator("[data-field=prompt]").fill("100")
    page.locator("[data-field=length]").fill("400")
    page.get_by_label("token being written").focus()
    page.keyboard.press("End")
    assert "without: 182 times" in summary(page)


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('step', 12)")
    assert summary(page).startswith("Token 12 of 12")
    page.evaluate("models[0].set('length', 5)")  # the step that was shown is not there any more
    assert summary(page).startswith("Token 5 of 5")


def test_a_screen_reader_finds_names_headers_and_a_summary(show):
    page = show(widget())
    assert page.locator("label:has(select)").text_content().startswith("Model")
    for label in ("prompt, tokens", "tokens to write", "texts at once", "token being written"):
        assert page.get_by_label(label).count() == 1
    assert page.get_by_role("columnheader").all_text_contents() == ["counted", "with a cache", "without"]
    assert page.get_by_role("radio", name="with a cache").is_checked()
    assert page.locator("svg:not([aria-hidden=true])").count() == 0


@pytest.mark.parametrize("model", [0, 3])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, model):
    page = show(widget(model=model, prompt=200, length=300, batch=64), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("td:visible, input:visible, select, svg").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    assert page.locator(".cw-scroll").evaluate("node => node.scrollWidth <= node.clientWidth")


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    assert repr(widget()) == "CacheWidget: 'Transformer base' (run this cell to take the steps)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": []}, "models is empty; give at least one {name, config}"),
        ({"models": models(["BERT base"])}, "models[0] (BERT base) has no decoder; without one there is no cache"),
        ({"models": [{"name": "X", "config": None, "note": "?"}]}, "models[0] (X) has no decoder"),
        ({"model": 4}, "model=4 but there are 4 models; use 0 to 3"),
        ({"prompt": 0}, "prompt=0 is out of range; use 1 to"),
        ({"batch": 5000}, "batch=5000 is out of range; use 1 to 4096"),
        (
            {"model": 1, "prompt": 1000, "length": 100},
            "prompt=1000 and length=100 are longer than the model's max_leng",
        ),
        ({"source": 600}, "source=600 is longer than the model's max_length=512; shorten it"),
        ({"step": 13}, "step=13 but length=12 tokens are written; use 1 to 12"),
        ({"precision": "int8"}, "precision='int8' is not one of 'float32', 'bfloat16'"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        CacheWidget(**{"models": models(), **arguments})
