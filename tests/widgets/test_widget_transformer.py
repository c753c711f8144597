"""The Transformer widget counts what the library's model has and shows its shapes, and everybody can use it."""

import random
import re

import pytest
import torch
from accessibility import CONTRAST

from lessons_lib.attention import MultiHeadAttention, scaled_dot_product_attention
from lessons_lib.config import TransformerConfig
from lessons_lib.masks import causal_mask
from lessons_lib.sizes import count_parameters, parameters, presets
from lessons_lib.transformer import Transformer
from lessons_lib.widgets import TransformerWidget
from lessons_lib.widgets.transformer import FAMILIES, MOST, NORMS, block_names

ENGLISH, FRENCH = "the small cats do not sleep".split(), "<s> les petits chats ne dorment pas".split()


def widget(**traits) -> TransformerWidget:
    return TransformerWidget(ENGLISH, FRENCH, **traits)


def sizes_of(shown: TransformerWidget) -> dict:
    return {name: getattr(shown, name) for name in (*MOST, "family", "norm")}


def library_config(c: dict) -> TransformerConfig:
    layers = {"n_encoder_layers": c["n_encoder_layers"], "n_decoder_layers": c["n_decoder_layers"]}
    if c["family"] == "decoder-only":
        layers["n_encoder_layers"] = 0
    if c["family"] == "encoder-only":
        layers["n_decoder_layers"] = 0
    shape = {name: c[name] for name in ("d_model", "n_heads", "d_ff", "vocab_size", "norm")}
    return TransformerConfig(**shape, **layers, dropout=0.0, max_length=max(c["src_length"], c["tgt_length"]))


def random_sizes(seed: int, small: bool = False) -> dict:
    draw = random.Random(seed)
    heads, top = draw.choice([1, 2, 4, 8, 12]), 4 if small else 120
    return {
        "family": FAMILIES[0] if small else draw.choice(FAMILIES),
        "norm": draw.choice(NORMS),
        "batch": draw.randint(1, 5),
        "src_length": draw.randint(1, 9),
        "tgt_length": draw.randint(1, 9),
        "n_heads": heads,
        "d_model": heads * draw.choice([2, 4, 8] if small else [16, 64, 128, 1024]),
        "d_ff": draw.randint(1, 40 if small else 50_000),
        "n_encoder_layers": draw.randint(1, top),
        "n_decoder_layers": draw.randint(1, top),
        "vocab_size": draw.randint(4, 90 if small else 300_000),
    }


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_parameters_equal_the_librarys_formulas_on_100_random_models(show):
    cases = [random_sizes(seed) for seed in range(100)]
    ours = show(widget()).evaluate(
        """(cases) => cases.map((c) => [module.allParameters(c), module.blocks(c).map((block) =>
          [block.id, block.kind, block.times * module.blockParameters(c, block)])])""",
        cases,
    )
    parts = {  # ours to the library's
        ("encoder", "attention"): "encoder attention",
        ("encoder", "feed-forward"): "encoder feed-forward",
        ("decoder", "masked"): "decoder self-attention",
        ("decoder", "cross"): "decoder cross-attention",
        ("decoder", "feed-forward"): "decoder feed-forward",
    }
    for case, (total, counts) in zip(cases, ours, strict=True):
        config = library_config(case)
        assert total == count_parameters(config)
        expected = parameters(config)
        found = {}
        for name, kind, count in counts:
            stack = name.split()[0]
            part = parts.get((stack, kind)) or {"embedding": "token embedding", "norm": f"{stack} norms"}.get(kind)
            part = "final norms" if name.endswith("final norm") else part
            if count:
                found[part] = found.get(part, 0) + count
        assert found == expected


@pytest.mark.parametrize("seed", range(8))
def test_parameters_and_shapes_are_those_of_the_real_model(show, seed):
    """Every attention, feed-forward and norm runs, and leaves the shapes that it was given and gave."""
    c = random_sizes(seed, small=True)
    model, met = Transformer(library_config(c)).eval(), {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda module, args, output, name=name: met.__setitem__(
                name,
                (tuple(args[0].shape), tuple((output[0] if isinstance(output, tuple) else output).shape)),
            )
        )
    src = torch.randint(3, c["vocab_size"], (c["batch"], c["src_length"]))
    tgt = torch.randint(3, c["vocab_size"], (c["batch"], c["tgt_length"]))
    with torch.no_grad():
        logits, weights = model(src, tgt, return_attention=True)
    page = show(widget())
    blocks = page.evaluate(
        """(c) => module.blocks(c).map((block) => [block.id, module.tensors(c, block).map(([name, letters]) =>
          [name, module.numbers(c, letters)])])""",
        c,
    )
    shapes = {name: {tensor: tuple(size) for tensor, size in tensors} for name, tensors in blocks}
    places = {
        "encoder self-attention norm": "encoder.layers.0.attention_residual.norm",
        "encoder feed-forward": "encoder.layers.0.feed_forward",
        "encoder feed-forward norm": "encoder.layers.0.feed_forward_residual.norm",
        "decoder self-attention norm": "decoder.layers.0.attention_residual.norm",
        "decoder cross-attention norm": "decoder.layers.0.cross_attention_residual.norm",
        "decoder feed-forward": "decoder.layers.0.feed_forward",
    }
    for block, name in places.items():
        assert (shapes[block]["in"], shapes[block]["out"]) == met[name]
    assert shapes["encoder feed-forward"]["hidden"] == met["encoder.layers.0.feed_forward.expand"][1]
    embedding = shapes["decoder embedding"]  # the hook's last call was for the target
    assert (embedding["in"], embedding["out"]) == met["embedding"]
    assert shapes["encoder self-attention"]["weights"] == tuple(weights.encoder[0].shape)
    assert shapes["decoder self-attention"]["weights"] == tuple(weights.decoder[0].shape)
    assert shapes["decoder cross-attention"]["weights"] == tuple(weights.cross[0].shape)
    memory = met["encoder"][1]
    assert shapes["decoder cross-attention"]["memory"] == memory
    attention = model.decoder.layers[0].cross_attention
    assert shapes["decoder cross-attention"]["keys, values"] == tuple(
        attention.keys_values(torch.zeros(memory))[0].shape
    )
    assert isinstance(attention, MultiHeadAttention)
    assert shapes["decoder logits"]["table"] == tuple(model.output_weight.shape)
    assert shapes["decoder softmax"]["out"] == shapes["decoder logits"]["out"] == tuple(logits.shape)
    total = page.evaluate("(c) => module.allParameters(c)", c)
    assert total == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_who_sees_whom_is_the_librarys_mask(show, family, norm):
    c = sizes_of(widget(family=family, norm=norm))
    tables = show(widget()).evaluate(
        """(c) => Object.fromEntries(module.blocks(c).map((block) => {
          const [rows, columns] = module.ends(block).map((letter) => module.numbers(c, letter)[0]);
          const row = (t) => Array.from({ length: columns }, (_, s) => module.sees(block, t, s));
          return [block.id, Array.from({ length: rows }, (_, t) => row(t))];
        }))""",
        c,
    )
    S, T = c["src_length"], c["tgt_length"]
    expected = {
        "encoder self-attention": torch.ones(S, S),
        "decoder self-attention": causal_mask(T),
        "decoder cross-attention": torch.ones(T, S),
    }
    for block, rows in tables.items():
        size = S if block.startswith("encoder") else T
        assert torch.equal(torch.tensor(rows), expected.get(block, torch.eye(size)).bool()), block
    uniform = scaled_dot_product_attention(*torch.zeros(3, T, 2), causal_mask(T))[1]
    if family != "encoder-only":
        assert torch.equal(uniform > 0, torch.tensor(tables["decoder self-attention"]))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("norm", NORMS)
def test_python_knows_the_names_of_all_blocks(show, family, norm):
    names = show(widget()).evaluate(
        "(c) => module.blocks(c).map(({ id }) => id)", sizes_of(widget(family=family, norm=norm))
    )
    assert len(set(names)) == len(names)
    assert set(names) <= set(block_names())
    if family == "encoder-decoder" and norm == "pre":
        assert names == block_names()


def test_the_presets_of_the_paper_are_the_librarys(show):
    page = show(widget())
    for i, name in enumerate(("Transformer base", "Transformer big")):
        shown = TransformerWidget(norm="post", **widget().presets[i]["sizes"])
        count = page.evaluate("(c) => module.allParameters(c)", sizes_of(shown))
        assert count == count_parameters(presets()[name].config)


# --- what one sees and does ------------------------------------------------------------------------------------------


def pressed(page) -> str:
    return page.locator("button[aria-pressed=true]").get_attribute("data-block")


def summary(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


def marks(page) -> int:
    return page.locator(".tw-yes").count()


def test_a_click_shows_shapes_parameters_and_whom(show):
    page = show(widget())
    page.locator("[data-block='decoder cross-attention']").click()
    assert pressed(page) == "decoder cross-attention"
    text = summary(page)
    assert text.startswith("Cross-attention (decoder, in each of 6 layers). Out: (B, T, D) = (2, 7, 512).")
    count = 4 * 512 * 512 + 4 * 512
    assert f"{count:,} parameters a layer, {6 * count:,} together: 10 % of the model's" in text
    assert "Every target position sees every source position." in text
    rows = page.locator(".tw-shapes tbody tr").all_text_contents()
    assert "weights(B, H, T, S)(2, 8, 7, 6)" in rows
    assert marks(page) == 42
    page.locator("[data-block='decoder self-attention']").click()
    assert "itself and those before it" in summary(page)
    assert marks(page) == 28
    assert page.locator(".tw-caption").text_content() == "Who sees whom: 28 of 49 pairs"
    page.locator("[data-block='decoder logits']").click()
    assert "Nothing to learn" in summary(page)
    assert not page.locator(".tw-learns").is_visible()


def test_every_block_can_be_chosen_and_says_something_of_its_own(show):
    page, texts = show(widget()), set()
    for name in block_names():
        page.locator(f"[data-block='{name}']").click()
        assert pressed(page) == name
        texts.add(summary(page))
    assert len(texts) > len(block_names()) * 2 / 3
    assert all("undefined" not in text and "NaN" not in text for text in texts)


def test_sizes_can_be_typed(show):
    page = show(widget(selected="encoder feed-forward"))
    page.get_by_label("F, d_ff").fill("100")
    page.get_by_label("F, d_ff").press("Enter")
    expected = TransformerConfig(37_000, 512, 8, n_encoder_layers=6, n_decoder_layers=6, d_ff=100)
    assert f"the model's {count_parameters(expected):,}." in summary(page)
    assert page.evaluate("models[0].get('d_ff')") == 100
    assert page.locator("select").evaluate("node => node.selectedOptions[0].textContent") == "your own"


@pytest.mark.parametrize(
    ("label", "typed", "message"),
    [
        ("H, heads", "7", "d_model=512 is not divisible by n_heads=7; use 1, 2, 4, 8, 16 …"),
        ("V, vocabulary", "0", "vocab_size=0 is not a whole number from 1 to 2,000,000."),
        ("encoder layers", "2.5", "n_encoder_layers=2.5 is not a whole number from 1 to 512."),
        ("B, sentences", "", "batch=NaN is not a whole number from 1 to 4,096."),
    ],
)
def test_sizes_that_do_not_fit_are_named_and_change_nothing(show, label, typed, message):
    page = show(widget())
    before = summary(page)
    page.get_by_label(label).fill(typed)
    page.get_by_label(label).blur()
    assert page.get_by_role("alert").text_content() == message
    assert summary(page) == before
    page.get_by_label(label).fill("8")
    page.get_by_label(label).blur()
    assert page.get_by_role("alert").text_content() == ""


def test_families_and_norms_change_the_drawing(show):
    page = show(widget(selected="decoder cross-attention"))
    order = page.locator(".tw-layer button").first
    assert order.get_attribute("data-block") == "encoder self-attention norm"
    assert page.locator(".tw-diagram path").count() == 6
    page.get_by_text("post-norm").click()
    assert order.get_attribute("data-block") == "encoder self-attention"
    assert page.locator("[data-block='encoder final norm']").count() == 0
    assert page.locator("path.tw-bridge").count() == 1
    page.get_by_text("decoder only").click()
    assert page.locator("[data-block*=cross]").count() == 0
    assert pressed(page) == "decoder self-attention"
    assert not page.get_by_label("encoder layers").is_visible()
    assert page.locator(".tw-bridge").count() == 0
    page.get_by_text("encoder only").click()
    assert page.locator("[data-block^=decoder]:visible").count() == 0
    assert pressed(page) == "encoder self-attention"
    page.get_by_text("encoder–decoder").click()
    assert pressed(page) == "decoder cross-attention"  # the choice comes back with its block


def test_a_preset_sets_all_its_sizes(show):
    mine = {"name": "mine", "sizes": {"d_model": 12, "n_heads": 3, "vocab_size": 50}}
    page = show(widget(presets=[*widget().presets, mine]))
    page.locator("select").select_option("mine")
    assert page.evaluate("['d_model', 'n_heads', 'vocab_size', 'd_ff'].map((name) => models[0].get(name))") == [
        *(12, 3, 50, 2048)
    ]
    page.locator("select").select_option("Transformer big (2017)")
    assert page.get_by_label("F, d_ff").input_value() == "4096"


def test_long_sequences_show_their_beginning(show):
    page = show(TransformerWidget(src_length=512, selected="encoder self-attention"))
    assert marks(page) == 144
    assert page.locator(".tw-caption").text_content() == (
        "Who sees whom: 262,144 of 262,144 pairs; the first 12 × 12 of 512 × 512"
    )


def test_words_name_the_positions_as_long_as_there_is_one_for_each(show):
    page = show(widget(selected="decoder cross-attention"))
    assert page.locator(".tw-top span").all_text_contents() == ["", *ENGLISH]
    assert page.locator(".tw-left span").all_text_contents() == FRENCH
    page.get_by_label("S, source length").fill("3")
    page.get_by_label("S, source length").blur()
    assert page.locator(".tw-top span").all_text_contents() == ["", "1", "2", "3"]


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('selected', 'decoder softmax')")
    assert pressed(page) == "decoder softmax"
    page.evaluate("models[0].set('vocab_size', 10)")
    assert "(2, 7, 10)" in summary(page)


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(widget(selected="decoder cross-attention"))
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.block"):
            break
    focused = "document.activeElement.dataset.block ?? null"
    assert page.evaluate(focused) == "decoder cross-attention"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for key, block in (
        ("ArrowDown", "decoder cross-attention add"),
        ("ArrowUp", "decoder cross-attention"),
        ("ArrowRight", "decoder cross-attention"),
        ("Home", "encoder tokens"),
        ("ArrowUp", "encoder tokens"),
        ("ArrowRight", "decoder tokens"),
        ("ArrowLeft", "encoder tokens"),
        ("End", "decoder softmax"),
        ("ArrowDown", "decoder softmax"),
        ("ArrowLeft", "encoder final norm"),
    ):
        page.keyboard.press(key)
        assert (page.evaluate(focused), pressed(page)) == (block, block), key
    page.keyboard.press("Tab")
    assert page.evaluate(focused) is None  # one stop of the Tab key for the whole diagram
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == "encoder final norm"
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_groups_and_one_pressed_block(show):
    page = show(widget())
    assert page.get_by_role("button", pressed=True).count() == 1
    assert page.get_by_role("group", name="encoder", exact=True).get_by_role("button").count() == 10
    assert page.get_by_role("group", name="decoder", exact=True).get_by_role("button").count() == 15
    assert page.get_by_role("radio", name="pre-norm").is_checked()
    assert page.get_by_role("spinbutton", name="D, d_model").input_value() == "512"
    assert page.locator("svg").get_attribute("aria-hidden") == "true"
    headers = page.get_by_role("columnheader").all_text_contents()
    assert headers == ["tensor", "letters", "here", "learned", "formula", "number"]


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("selected", ["encoder self-attention", "decoder logits"])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, family, selected):
    big = {"d_model": 8192, "n_heads": 64, "d_ff": 28672, "n_decoder_layers": 80, "vocab_size": 128_256}
    page = show(widget(family=family, selected=selected, **big), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("button, td:visible, input:visible").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    cut = page.locator(".tw-column button").evaluate_all(
        "all => all.filter((b) => b.scrollWidth > b.clientWidth).length"
    )
    assert cut == 0


@pytest.mark.parametrize("width", [360, 1000])
def test_the_bridge_runs_from_the_encoders_end_to_cross_attention(show, width):
    page = show(widget(), width=width)
    start, end = page.locator("path.tw-bridge").evaluate(
        """(path) => [0, path.getAttribute('d').split('M')[1].length].map((_, i) => {
          const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
          line.setAttribute('d', 'M' + path.getAttribute('d').split('M')[1]);
          const point = line.getPointAtLength(i ? line.getTotalLength() : 0);
          const box = path.ownerSVGElement.getBoundingClientRect();
          return [point.x + box.left, point.y + box.top];
        })"""
    )
    last = page.locator("[data-block='encoder final norm']").bounding_box()
    cross = page.locator("[data-block='decoder cross-attention']").bounding_box()
    assert start == pytest.approx([last["x"] + last["width"], last["y"] + last["height"] / 2], abs=1.5)
    assert end == pytest.approx([cross["x"], cross["y"] + cross["height"] / 2], abs=1.5)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_block_can_be_read_in_both_themes(show, theme):
    page = show(widget(), theme=theme)
    page.add_style_tag(content="* { transition: none !important; }")
    for block in page.locator(".tw-column button").all():
        assert block.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = "TransformerWidget: 'd_model 512, 8 heads, 6 + 6 layers' (run this cell to click through)"
    assert repr(widget()) == expected
    assert "'d_model 512, 8 heads, 6 layers'" in repr(widget(family="decoder-only"))
    assert len(repr(widget(d_model=32_768, n_heads=512, n_encoder_layers=512))) <= 110


PRESET = {"name": "x", "sizes": {"d_model": 8, "n_heads": 2}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_heads": 7}, "d_model=512 is not divisible by n_heads=7; use 1, 2, 4, 8, 16 …"),
        ({"d_model": 0}, "d_model=0 is not a whole number from 1 to 32,768"),
        ({"vocab_size": 2_000_001}, "vocab_size=2000001 is not a whole number from 1 to 2,000,000"),
        ({"batch": -1}, "batch=-1 is not a whole number from 1 to 4,096"),
        ({"family": "rnn"}, "family='rnn' is not one of 'encoder-decoder', 'encoder-only', 'decoder-only'"),
        ({"norm": "none"}, "norm='none' is not one of 'pre', 'post'"),
        ({"selected": "cross"}, "selected='cross' is no block; use one of encoder tokens, "),
        ({"src_words": "a b"}, "src_words='a b' is one text; give a list of words"),
        ({"tgt_words": ["a", 2]}, "tgt_words[1] is 2; each word must be a text"),
        ({"presets": [1]}, "presets[0] is 1; give a mapping with name and sizes"),
        ({"presets": [PRESET, {"name": "y", "sizes": {"d_model": 9, "n_heads": 2}}]}, "presets[1]: d_model=9 is not"),
        ({"presets": [{"name": "y", "sizes": {"d_model": 9}}]}, "presets[0]: n_heads missing; give both"),
        ({"presets": [{"name": "y", "sizes": {"width": 9}}]}, "presets[0]: width unknown; sizes are batch, "),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TransformerWidget(**change)


def test_words_give_the_lengths_unless_those_are_given():
    assert (widget().src_length, widget().tgt_length) == (6, 7)
    assert widget(src_length=9).src_length == 9


def test_later_changes_are_checked_too():
    shown = widget()
    with pytest.raises(ValueError, match="d_model=500 is not divisible by n_heads=8"):
        shown.d_model = 500
    assert shown.d_model == 512
    with shown.hold_trait_notifications():
        shown.d_model, shown.n_heads = 300, 6
    assert (shown.d_model, shown.n_heads) == (300, 6)
