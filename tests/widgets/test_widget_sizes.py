"""The calculator of sizes says what `lessons_lib.sizes` says, and every reader can use it."""

import random
import re

import pytest
from random_configs import FAMILIES, lengths_of, random_config

from lessons_lib.config import CHOICES
from lessons_lib.sizes import (
    cache_memory,
    count_parameters,
    forward_flops,
    inference_memory,
    parameters,
    presets,
    training_flops,
    training_memory,
)
from lessons_lib.widgets import SizesWidget
from lessons_lib.widgets.sizes import _CHOICES, checked_config

NAMES = ["GPT-2 small", "BERT base", "Llama 2 7B", "Llama 3 8B", "Transformer base", "Gemma 2B", "GPT-4"]


def models(names=NAMES) -> list[dict]:
    chosen = [presets()[name] for name in names]
    return [{"name": p.name, "config": p.config.to_dict() if p.config else None, "note": p.note} for p in chosen]


def widget(**traits) -> SizesWidget:
    return SizesWidget(models(), **traits)


def counts(page) -> dict[str, int]:
    """What the table shows: parts and their exact numbers."""
    rows = page.locator(".sz-parts tbody tr")
    return {row.locator("th span").text_content(): int(row.get_attribute("data-count")) for row in rows.all()}


def summary(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


# --- arithmetic ------------------------------------------------------------------------------------------------------


def memory(found) -> dict:
    return {"parts": found.parts, "peak": found.peak, "moment": found.moment}


def test_arithmetic_is_that_of_the_library_to_the_last_digit_on_120_random_shapes(show):
    draw, cases, expected = random.Random(0), [], []
    for number in range(120):
        family = list(FAMILIES)[number % 3]
        config, batch = random_config(family, number), draw.randint(1, 40)
        lengths = lengths_of(config, draw.randint(1, config.max_length), draw.randint(1, config.max_length))
        dtype = draw.choice(["float64", "float32", "bfloat16"])
        fused, plain = draw.choice([True, False]), draw.choice([True, False])
        prompt = draw.randint(1, max(1, lengths[1]))
        shape = checked_config(config.to_dict(), "config")
        cases.append([shape, batch, *lengths, dtype, {"fused": fused, "plain": plain, "prompt": prompt}])
        training = training_memory(config, batch, *lengths, dtype, "plain" if plain else "chunked", fused)
        running = inference_memory(config, batch, *lengths, dtype, prompt, fused)
        expected.append(
            {
                "parameters": parameters(config),
                "flops": forward_flops(config, batch, *lengths),
                "training_flops": training_flops(config, batch, *lengths, fused=fused),
                "cache": cache_memory(config, batch, *lengths, dtype) if config.n_decoder_layers else None,
                "training": memory(training),
                "running": memory(running),
            }
        )
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([c, batch, src, tgt, dtype, options]) => ({
          parameters: module.parameters(c),
          flops: module.forwardFlops(c, batch, src, tgt),
          training_flops: module.trainingFlops(c, batch, src, tgt, options.fused),
          cache: tgt ? module.cacheMemory(c, batch, src, tgt, dtype) : null,
          training: module.trainingMemory(c, batch, src, tgt, dtype, options),
          running: module.inferenceMemory(c, batch, src, tgt, dtype, options),
        }))""",
        cases,
    )
    for case, mine, theirs in zip(cases, ours, expected, strict=True):
        assert mine == theirs, case


@pytest.mark.parametrize("name", [name for name, preset in presets().items() if preset.config])
def test_every_published_model_has_its_size(show, name):
    config = presets()[name].config
    page = show(SizesWidget(models([name])))
    assert counts(page) == parameters(config)
    assert f"{name}: {count_parameters(config):,} parameters" in summary(page)


# --- what one sees and does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("Parameters", lambda c: parameters(c)),
        ("FLOPs", lambda c: forward_flops(c, 3, tgt_length=4096)),
        ("Training", lambda c: training_memory(c, 3, 0, 4096, "bfloat16", "plain", True).parts),
        ("Running", lambda c: inference_memory(c, 3, 0, 4096, "bfloat16", fused=True).parts),
    ],
)
def test_a_click_shows_another_count(show, view, expected):
    page = show(widget())
    page.locator("select").select_option("Llama 2 7B")
    page.get_by_text("bfloat16", exact=True).click()
    page.locator("[data-field=batch]").fill("3")
    page.get_by_text(view, exact=True).click()
    assert counts(page) == {name: number for name, number in expected(presets()["Llama 2 7B"].config).items() if number}


def test_the_summaries_say_the_numbers_that_matter(show):
    page = show(widget(model=2, precision="bfloat16", batch=64, view="running"))
    assert "The KV cache takes 137 GB, 10.20 times the weights; a written token, 524 kB." in summary(page)
    page.get_by_text("Training", exact=True).click()
    assert "weights, gradients and states take 108 GB in place of 53.9 GB" in summary(page)
    page.get_by_text("Parameters", exact=True).click()
    assert "In bfloat16 they take 13.5 GB (12.6 GiB)." in summary(page)
    page.get_by_text("float32", exact=True).click()
    page.get_by_text("Training", exact=True).click()
    config = presets()["Llama 2 7B"].config
    peak = training_memory(config, 64, 0, 4096, loss="plain", fused=True)
    assert f"{peak.peak / 1e12:.2f} TB" in summary(page)
    assert f"({peak.moment})" in summary(page)


def test_a_typed_number_counts_at_once(show):
    page = show(widget())
    page.locator("[data-field=n_decoder_layers]").fill("6")
    config = presets()["GPT-2 small"].config
    changed = type(config)(**{**config.to_dict(), "n_decoder_layers": 6})
    assert counts(page) == parameters(changed)
    assert summary(page).startswith(f"GPT-2 small, changed: {count_parameters(changed):,} parameters")
    page.locator("[data-field=n_decoder_layers]").fill("12")
    assert summary(page).startswith("GPT-2 small: 124,439,808 parameters")


def test_heads_follow_the_width_until_a_width_of_a_head_is_given(show):
    page = show(widget())
    field = lambda name: page.locator(f"[data-field={name}]")  # noqa: E731
    field("d_model").fill("1536")
    assert field("d_head").input_value() == "128"
    field("n_heads").fill("24")
    assert (field("d_head").input_value(), field("n_kv_heads").input_value()) == ("64", "24")
    before = counts(page)["decoder self-attention"]
    field("n_kv_heads").fill("6")
    assert counts(page)["decoder self-attention"] < before
    field("d_head").fill("128")
    field("d_model").fill("768")
    assert field("d_head").input_value() == "128"


def test_an_impossible_shape_is_named_with_the_fix_and_keeps_the_last_numbers(show):
    page = show(widget())
    before = counts(page)
    page.locator("[data-field=d_model]").fill("770")
    assert summary(page).startswith("d_model = 770 is not divisible by 12 heads: change one of them")
    assert page.locator("[data-field=d_model]").get_attribute("aria-invalid") == "true"
    assert counts(page) == before
    page.locator("[data-field=n_heads]").fill("10")  # now it is possible
    assert page.locator("[data-field=d_head]").input_value() == "77"
    assert "parameters" in summary(page)
    for field, value, message in (
        ("n_kv_heads", "3", "10 heads cannot share 3 KV heads"),
        ("n_decoder_layers", "0", "There are no layers"),
        ("vocab_size", "1.5", "vocab_size must be a whole number from 1"),
        ("batch", "", "batch must be a whole number from 1"),
    ):
        page.locator("select").select_option("BERT base")
        page.locator("select").select_option("GPT-2 small")
        page.locator("[data-field=n_heads]").fill("10" if field == "n_kv_heads" else "12")
        if field == "n_kv_heads":
            page.locator("[data-field=d_model]").fill("770")
        page.locator(f"[data-field={field}]").fill(value)
        assert message in summary(page)


def test_back_to_the_shape_that_was_there_the_message_goes(show):
    page = show(widget())
    page.locator("[data-field=d_model]").fill("770")
    page.locator("[data-field=d_model]").fill("768")
    assert summary(page).startswith("GPT-2 small: 124,439,808")
    page.locator("[data-field=batch]").fill("0")
    page.locator("[data-field=batch]").fill("1")
    assert summary(page).startswith("GPT-2 small: 124,439,808")


def test_families_and_switches(show):
    page = show(widget())
    page.get_by_text("encoder–decoder").click()
    assert "decoder cross-attention" in counts(page)
    assert page.locator("[data-field=n_encoder_layers]").input_value() == "12"
    page.get_by_text("encoder", exact=True).click()
    assert not page.get_by_label("tied embeddings").is_visible()
    page.get_by_text("decoder", exact=True).click()
    assert sum(counts(page).values()) == 124_439_808
    page.get_by_label("tied embeddings").uncheck()
    assert counts(page)["output projection"] == 50_257 * 768
    page.get_by_label("gated feed-forward").check()
    assert counts(page)["decoder feed-forward"] == 12 * (3 * 768 * 3072 + 2 * 3072 + 768)
    page.get_by_text("Training", exact=True).click()
    with_kernel = counts(page)["activations"]
    page.get_by_label("fused attention").uncheck()
    assert counts(page)["activations"] > with_kernel
    with_logits = counts(page)["loss"]
    page.get_by_label("all logits at once").uncheck()
    assert counts(page)["loss"] < with_logits


def test_bert_as_another_family_loses_its_token_types_and_pooler(show):
    page = show(widget(model=1))
    assert {"token types", "pooler"} <= counts(page).keys()
    page.get_by_text("decoder", exact=True).click()
    assert {"token types", "pooler"} & counts(page).keys() == set()


def test_a_model_whose_size_was_never_disclosed_gets_no_numbers(show):
    page = show(widget())
    page.locator("select").select_option("GPT-4")
    assert summary(page) == "GPT-4: Its makers never disclosed its size."
    assert not page.locator(".sz-parts").is_visible()
    assert not page.locator(".cw-fields").is_visible()
    page.locator("select").select_option("BERT base")
    assert page.locator(".sz-parts").is_visible()


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('view', 'running')")
    assert "cache of the target" in counts(page)
    page.evaluate("models[0].set('batch', 8)")
    assert "writing 8 sequences of 1,024 tokens" in summary(page)


def test_bars_are_as_long_as_the_shares(show):
    page = show(widget())
    page.add_style_tag(content="* { transition: none !important; }")
    total = sum(counts(page).values())
    width = page.locator(".sz-bar").evaluate("node => node.getBoundingClientRect().width")
    lengths = page.locator(".sz-bar span").evaluate_all("all => all.map((s) => s.getBoundingClientRect().width)")
    for length, number in zip(lengths, counts(page).values(), strict=True):
        assert length == pytest.approx(width * number / total, abs=1.5)


# --- keyboard, screen reader, a guest on any page --------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(widget())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SELECT"
    page.keyboard.press("ArrowDown")
    assert summary(page).startswith("BERT base: 109,482,240 parameters")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.field") == "n_encoder_layers":
            break
    page.keyboard.press("ArrowUp")
    assert "BERT base, changed" in summary(page)
    assert page.locator("[data-field=n_encoder_layers]").input_value() == "13"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "parameters":
            break
    page.keyboard.press("ArrowRight")
    assert "FLOPs for a forward pass" in summary(page)


def test_a_screen_reader_finds_names_headers_and_a_summary(show):
    page = show(widget())
    assert page.locator("label:has(select)").text_content().startswith("Model")
    for label in ("width d_model", "KV heads", "vocabulary", "batch, sequences", "tied embeddings"):
        assert page.get_by_label(label).count() == 1
    assert page.get_by_role("columnheader").all_text_contents() == ["part", "parameters", "share"]
    assert page.get_by_role("rowheader").first.text_content() == "token embedding"
    assert page.locator(".sz-bar").get_attribute("aria-hidden") == "true"
    assert page.get_by_role("radio", name="Parameters").is_checked()


@pytest.mark.parametrize("view", ["parameters", "flops", "training", "running"])
@pytest.mark.parametrize("name", ["Transformer base", "GPT-3 175B"])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, name, view):
    page = show(SizesWidget(models([name]), view=view, batch=64), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("td:visible, input:visible, select").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    assert page.locator(".cw-scroll").evaluate("node => node.scrollWidth <= node.clientWidth")


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    assert repr(widget()) == "SizesWidget: 'GPT-2 small' (run this cell to change it)"


def test_the_choices_are_those_of_the_library():
    assert {name: set(choices) for name, choices in _CHOICES.items()} == {n: set(c) for n, c in CHOICES.items()}


def test_the_page_knows_the_librarys_choices_and_refuses_another_by_its_name(show):
    page = show(widget())
    tables = page.evaluate(
        "() => Object.entries(module.CONFIGURATION).map(([name, table]) => [name, Object.keys(table)])"
    )
    assert {name: set(entries) for name, entries in tables} == {name: set(names) for name, names in CHOICES.items()}
    shape = checked_config(random_config("encoder-decoder", 0).to_dict(), "config")
    for name in CHOICES:
        for call in ("parameters(c)", "trainingMemory(c, 1, 8, 8, 'float32')"):
            refusal = f"(c) => {{ try {{ module.{call}; return ''; }} catch (error) {{ return error.message; }} }}"
            message = page.evaluate(refusal, shape | {name: "newer"})
            assert message.startswith(f"{name} = newer is not known; use one of")


GOOD = models(["GPT-2 small"])[0]["config"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 770}, "config: d_model=770 is not divisible by n_heads=12; or give d_head"),
        ({"n_kv_heads": 5}, "config: n_heads=12 is not divisible by n_kv_heads=5"),
        ({"d_ff": 0}, "config: d_ff=0 is no whole number from 1"),
        ({"d_ff": 1.5}, "config: d_ff=1.5 is no whole number from 1"),
        ({"n_decoder_layers": 0}, "config has no layers; give the encoder or the decoder one"),
        ({"n_encoder_layers": -1}, "config: n_encoder_layers=-1 is no whole number from 0"),
        ({"activation": "tanh"}, "config: activation='tanh' is not one of 'relu'"),
        ({"bias": True}, "config: bias=True is not one of 'all', 'qkv', 'none'"),
    ],
)
def test_an_impossible_shape_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SizesWidget(models(), config=GOOD | change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": []}, "models is empty; give at least one {name, config}"),
        ({"models": [{"config": GOOD}]}, "models[0] has the name None; give a text that is not blank"),
        ({"models": [{"name": "X"}]}, "models[0] (X) has neither config nor note; say what is known of it"),
        ({"models": [{"name": "X", "config": {"d_model": 4}}]}, "models[0].config has no 'vocab_size'"),
        ({"model": 7}, "model=7 but there are 7 models; use 0 to 6"),
        ({"batch": 0}, "batch=0 is not positive; use 1 or more"),
        ({"view": "cost"}, "view='cost' is not one of 'parameters', 'flops', 'training', 'running'"),
        ({"precision": "int8"}, "precision='int8' is not one of 'float32', 'bfloat16'"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SizesWidget(**{"models": models(), **arguments})
