"""The mask widget makes the masks of the library, follows words through layers as they go, and is open to everybody."""

import re

import numpy as np
import pytest
import torch
from accessibility import CONTRAST

from lessons_lib.config import TransformerConfig
from lessons_lib.families import DecoderOnly
from lessons_lib.masks import (
    causal_mask,
    causal_padding_mask,
    explain,
    padding_mask,
    prefix_mask,
    sliding_window_mask,
)
from lessons_lib.widgets import MaskWidget

WORDS = "<s> Les petits chats noirs ne dorment pas .".split()
PAD = "<pad>"
PATTERNS = ("none", "causal", "padding", "causal+padding", "prefix", "window")
MISTAKES = ("none", "ahead", "inverted", "forgotten")


def the_mask(pattern: str, tokens: list[str], prefix: int, window: int) -> torch.Tensor:
    """What the library gives for a pattern, as (T, T)."""
    length = len(tokens)
    ids = torch.tensor([[0 if token == PAD else 1 for token in tokens]])
    masks = {
        "none": torch.ones(length, length, dtype=torch.bool),
        "causal": causal_mask(length),
        "padding": padding_mask(ids, 0)[0, 0].expand(length, length),
        "causal+padding": causal_padding_mask(ids, 0)[0, 0],
        "prefix": prefix_mask(length, prefix),
        "window": sliding_window_mask(length, window),
    }
    return masks[pattern]


def each_layer(mask: torch.Tensor, mistake: str, layers: int = 3) -> list[torch.Tensor]:
    ahead = torch.ones_like(mask).tril(1) & torch.ones_like(mask).triu(1)
    wrong = {"none": mask, "ahead": mask | ahead, "inverted": ~mask, "forgotten": mask}[mistake]
    masks = [wrong] * layers
    if mistake == "forgotten" and layers > 1:
        masks[1] = torch.ones_like(mask)
    return masks


def paths(masks: list[torch.Tensor]) -> torch.Tensor:
    """(T, T): whether anything gets from column to row; a word's own vector also goes around each layer."""
    reached = torch.eye(len(masks[0]), dtype=torch.long)
    for mask in masks:
        reached = ((mask.long() + torch.eye(len(mask), dtype=torch.long)) @ reached).clamp(max=1)
    return reached.bool()


def drawn_case(random):
    length, padding = int(random.integers(1, 14)), int(random.integers(0, 4))
    tokens = [*(f"w{i}" for i in range(length)), *([PAD] * padding)]
    if random.integers(2):
        tokens = tokens[length:] + tokens[:length]
    prefix, window = int(random.integers(0, len(tokens) + 1)), int(random.integers(1, len(tokens) + 1))
    return tokens, {"prefix": prefix, "window": window}


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_masks_and_their_words_equal_the_library_on_100_random_sentences(show):
    random = np.random.default_rng(0)
    cases = [drawn_case(random) for _ in range(100)]
    ours = show(MaskWidget(WORDS)).evaluate(
        """([cases, patterns]) => cases.map(([tokens, sizes]) => patterns.map((name) => {
          const mask = module.patternMask(name, tokens, sizes);
          return [mask, module.explain(mask, tokens)];
        }))""",
        [cases, PATTERNS],
    )
    for (tokens, sizes), made in zip(cases, ours, strict=True):
        for pattern, (mask, words) in zip(PATTERNS, made, strict=True):
            expected = the_mask(pattern, tokens, **sizes)
            assert torch.equal(torch.tensor(mask), expected), (pattern, tokens, sizes)
            assert words == explain(expected, tokens)


def test_single_functions_equal_those_of_the_library(show):
    page = show(MaskWidget(WORDS))
    tokens = torch.tensor([[5, 9, 7, 9, 9]])
    assert page.evaluate("module.paddingMask([5, 9, 7, 9, 9], 9)") == padding_mask(tokens, 9)[0, 0, 0].tolist()
    both = causal_padding_mask(tokens, 9)[0, 0]
    assert page.evaluate("module.causalPaddingMask([5, 9, 7, 9, 9], 9)") == both.tolist()
    assert page.evaluate("module.causalMask(4)") == causal_mask(4).tolist()
    assert page.evaluate("module.prefixMask(5, 3)") == prefix_mask(5, 3).tolist()
    assert page.evaluate("module.slidingWindowMask(6, 2)") == sliding_window_mask(6, 2).tolist()


@pytest.mark.parametrize("queries", [["le", "été", "x"], ["😀", "ab", "c"]])
def test_words_are_lined_up_and_keys_of_another_sentence_named_as_in_python(show, queries):
    mask, keys = torch.tensor([[True, False], [False, False], [True, True]]), ["the", "cat"]
    ours = show(MaskWidget(WORDS)).evaluate(
        "([mask, queries, keys]) => module.explain(mask, queries, keys)", [mask.tolist(), queries, keys]
    )
    assert ours == explain(mask, queries, keys)


def test_layers_until_is_the_number_of_layers_after_which_a_path_exists(show):
    random = np.random.default_rng(1)
    cases = [(*drawn_case(random), str(random.choice(PATTERNS)), str(random.choice(MISTAKES))) for _ in range(100)]
    ours = show(MaskWidget(WORDS)).evaluate(
        """(cases) => cases.map(([tokens, sizes, pattern, mistake]) => {
          const masks = module.layerMasks(module.patternMask(pattern, tokens, sizes), mistake, 3);
          return [masks, module.layersUntil(masks).map((row) => row.map((n) => (n === Infinity ? 9 : n)))];
        })""",
        cases,
    )
    for (tokens, sizes, pattern, mistake), (masks, first) in zip(cases, ours, strict=True):
        expected = each_layer(the_mask(pattern, tokens, **sizes), mistake)
        assert torch.equal(torch.tensor(masks), torch.stack(expected))
        first, after = torch.tensor(first), [paths(expected[:n]) for n in (1, 2, 3)]
        for n in (1, 2, 3):
            assert torch.equal(first <= n, after[n - 1])
        assert torch.equal(first.diagonal() == 1, expected[0].diagonal())


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("pattern", ["causal", "prefix", "window"])
def test_a_real_network_depends_on_just_what_the_widget_says(show, pattern, mistake):
    """Gradients of a decoder's output, after each of three layers, by what went in."""
    torch.manual_seed(0)
    length, sizes = 8, {"prefix": 3, "window": 2}
    tokens = [f"w{i}" for i in range(length)]
    config = TransformerConfig(
        20, d_model=16, n_heads=2, n_encoder_layers=0, n_decoder_layers=3, d_ff=16, dropout=0.0, max_length=16
    )
    layers = DecoderOnly(config).double().eval().decoder.layers
    masks = each_layer(the_mask(pattern, tokens, **sizes), mistake)
    x = torch.randn(1, length, 16, dtype=torch.double, requires_grad=True)
    first = show(MaskWidget(WORDS)).evaluate(
        """([tokens, sizes, pattern, mistake]) => module.layersUntil(
          module.layerMasks(module.patternMask(pattern, tokens, sizes), mistake, 3)
        ).map((row) => row.map((n) => (n === Infinity ? 9 : n)))""",
        [tokens, sizes, pattern, mistake],
    )
    hidden = x
    for n, (layer, mask) in enumerate(zip(layers, masks, strict=True), start=1):
        hidden = layer(hidden, mask=mask)
        outputs = (hidden[0] * torch.randn(length, 16, dtype=torch.double)).sum(-1)
        felt = [torch.autograd.grad(row, x, retain_graph=True)[0][0].abs().sum(-1) > 0 for row in outputs]
        assert torch.equal(torch.stack(felt), torch.tensor(first) <= n)


def test_only_a_row_that_is_asked_can_be_told_too_much(show):
    page = show(MaskWidget(WORDS))
    ask = "([pattern, t, s]) => module.forbidden(pattern, ['a', 'b', 'c', 'd', '<pad>'], 3, t, s)"
    assert page.evaluate(ask, ["causal", 1, 2])
    assert not page.evaluate(ask, ["causal", 1, 1])
    assert not page.evaluate(ask, ["causal", 4, 4])
    assert not page.evaluate(ask, ["prefix", 1, 2])  # inside the prefix nothing is predicted
    assert page.evaluate(ask, ["prefix", 2, 3])  # its last word predicts the first word behind it


# --- what one sees and does ------------------------------------------------------------------------------------------


def cells(page) -> list[list[str]]:
    rows = page.locator(".mk-matrix tbody tr").all()
    return [row.locator("td").all_text_contents() for row in rows]


def leaks(page) -> list[tuple[int, int]]:
    """Row and column of each striped cell."""
    found = page.locator(".mk-leak").evaluate_all(
        "all => all.map((cell) => [cell.parentNode.rowIndex - 1, cell.cellIndex - 1])"
    )
    return [tuple(place) for place in found]


def slider(page, name: str):
    return page.locator(".mk-slider", has_text=name).locator("input")


def says(page) -> str:
    return page.locator(".cw-summary").text_content()


def reach(page) -> list[list[str]]:
    return [row.locator("th, td").all_text_contents() for row in page.locator(".mk-reach tbody tr").all()]


def test_the_matrix_is_the_mask(show):
    page = show(MaskWidget("le chat dort".split()))
    assert cells(page) == [["1", "", ""], ["1", "1", ""], ["1", "1", "1"]]
    assert page.locator(".mk-matrix thead th").all_text_contents() == ["le", "chat", "dort"]
    assert leaks(page) == []


def test_a_click_on_a_row_says_whom_it_sees(show):
    page = show(MaskWidget(WORDS))
    for row in (3, 0, 8):
        page.locator(f"button[data-row='{row}']").click()
        assert says(page).startswith(f"{WORDS[row]} sees {' '.join(WORDS[: row + 1])}.")
        assert "No later word reaches its logits" in says(page)
    page.locator(".mk-matrix tbody tr").nth(2).locator("td").nth(5).click()  # anywhere in the row
    assert says(page).startswith("petits sees <s> Les petits.")
    assert page.locator(".mk-matrix [aria-pressed=true]").text_content() == "petits"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_is_shown_and_written_out(show, pattern):
    page = show(MaskWidget(WORDS[:5], padding=2, prefix=3, window=2))
    page.get_by_label("Mask").select_option(index=PATTERNS.index(pattern))
    tokens = [*WORDS[:5], PAD, PAD]
    mask = the_mask(pattern, tokens, prefix=3, window=2)
    shown = torch.tensor([[text == "1" for text in row] for row in cells(page)])
    assert torch.equal(shown, mask)
    assert page.locator("pre").text_content() == explain(mask, tokens)
    assert slider(page, "prefix").is_visible() is (pattern == "prefix")
    assert slider(page, "window").is_visible() is (pattern == "window")


def test_one_column_too_far_leaks_further_with_each_layer(show):
    page = show(MaskWidget(WORDS, selected=3, mistake="ahead"))
    assert leaks(page) == [(t, t + 1) for t in range(8)]
    assert "A leak: the logits that must predict what follows depend on 'noirs'." in says(page)
    page.get_by_text("3 layers", exact=True).first.click()
    assert leaks(page) == [(t, s) for t in range(8) for s in range(t + 1, min(t + 4, 9))]
    assert "After 3 layers a leak" in says(page)
    assert reach(page) == [
        ["1 layer", "<s> Les petits chats noirs", "chats"],
        ["2 layers", "<s> Les petits chats noirs ne", "petits chats"],
        ["3 layers", "<s> Les petits chats noirs ne dorment", "Les petits chats"],
    ]


def test_one_forgotten_layer_tells_everybody_everything(show):
    page = show(MaskWidget(WORDS, mistake="forgotten"))
    assert leaks(page) == []
    page.get_by_text("2 layers", exact=True).first.click()
    assert len(leaks(page)) == 9 * 8 // 2
    assert "After 2 layers a leak" in says(page)


def test_an_inverted_mask_lets_the_last_row_see_nothing(show):
    page = show(MaskWidget(WORDS, selected=8, mistake="inverted"))
    assert says(page).startswith(
        ". sees nothing. With −∞ for its scores its softmax is NaN; lessons_lib gives it zeros."
    )
    assert cells(page)[8] == [*[""] * 8, "0"]  # its own vector, on the residual path


def test_an_encoder_has_nothing_to_leak(show):
    page = show(MaskWidget(WORDS, pattern="none"))
    assert len(leaks(page)) == 36
    page.get_by_label("each row must predict").uncheck()
    assert leaks(page) == []
    assert "leak" not in says(page)


def test_padding_on_the_left_takes_the_first_rows_and_is_read_without_its_mask(show):
    page = show(MaskWidget(WORDS, length=4, padding=2, pattern="causal+padding"))
    assert says(page).startswith("<s> sees <s>.")
    page.get_by_label("padding on the left").check()
    assert page.locator("button[data-row]").all_text_contents() == [PAD, PAD, *WORDS[:4]]
    assert says(page).startswith("<pad> sees nothing.")
    page.get_by_label("Mask").select_option(index=1)
    page.locator("button[data-row='3']").click()
    assert "It reads padding." in says(page)
    page.get_by_label("padding on the left").uncheck()
    page.locator("button[data-row='3']").click()
    assert "padding" not in says(page)  # behind a causal mask, padding on the right is never seen


def test_sliders_change_the_lengths(show):
    page = show(MaskWidget(WORDS, pattern="window", window=2, selected=8))
    slider(page, "words").fill("5")
    assert page.locator("button[data-row]").all_text_contents() == WORDS[:5]
    assert page.locator("[data-row][aria-pressed=true]").text_content() == WORDS[4]
    slider(page, "window").fill("3")
    assert says(page).startswith("noirs sees petits chats noirs.")
    slider(page, "padding").fill("3")
    assert page.locator("button[data-row]").count() == 8


def test_a_window_reaches_one_less_than_its_width_further_in_each_layer(show):
    page = show(MaskWidget(WORDS, pattern="window", window=3, layers=3, selected=8))
    assert cells(page)[8] == ["", "", "3", "3", "2", "2", "1", "1", "1"]


def test_python_redraws_by_changing_a_trait(show):
    page = show(MaskWidget(WORDS))
    page.evaluate("models[0].set('pattern', 'none')")
    assert len(leaks(page)) == 36
    page.evaluate("models[0].set('words', ['un', 'deux'])")
    assert page.locator("button[data-row]").all_text_contents() == ["un", "deux"]


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def focused(page) -> str | None:
    return page.evaluate("document.activeElement.dataset.row ?? null")


def test_keyboard_alone_is_enough(show):
    page = show(MaskWidget(WORDS, selected=2))
    for _ in range(12):
        page.keyboard.press("Tab")
        if focused(page):
            break
    assert focused(page) == "2"  # Tab reaches the chosen row
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "4"
    assert says(page).startswith("petits sees")  # moving does not choose
    page.keyboard.press("Enter")
    assert says(page).startswith("noirs sees <s> Les petits chats noirs.")
    assert focused(page) == "4"
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    assert says(page).startswith("chats sees")
    page.evaluate("addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))")
    page.keyboard.press("End")
    assert page.evaluate("taken")  # the page does not scroll to its end
    page.keyboard.press("ArrowDown")  # there is nothing further down
    assert focused(page) == "8"
    page.keyboard.press("Shift+Tab")
    assert focused(page) is None  # one stop of the Tab key for all rows
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert focused(page) == "0"
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_slider_moves_with_the_arrows(show):
    page = show(MaskWidget(WORDS))
    slider(page, "padding").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("button[data-row]").count() == 10
    assert page.locator(".mk-slider output").nth(1).text_content() == "1"


def test_a_screen_reader_finds_names_headers_and_one_pressed_row(show):
    page = show(MaskWidget(WORDS))
    assert page.get_by_role("button", name="chats", exact=True).count() == 1
    assert page.get_by_role("button", pressed=True).count() == 1
    assert page.locator(".mk-matrix").get_by_role("columnheader").all_text_contents() == WORDS
    assert page.locator(".mk-matrix").get_by_role("rowheader").all_text_contents() == WORDS
    assert page.get_by_role("radio", name="1 layer").is_checked()
    assert page.get_by_role("slider", name="words").input_value() == "9"
    assert page.locator("[aria-live=polite]").count() == 1


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["prefix", "window"])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, pattern):
    words = "<s> Les petits chats noirs ne dorment jamais longtemps ici".split()
    page = show(MaskWidget(words, padding=3, pattern=pattern, layers=3, mistake="ahead"), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("button, td:visible, select, input").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    assert page.locator(".mk-matrix").evaluate("node => [node.scrollWidth > node.clientWidth, node.tabIndex]") == [
        False,
        -1,
    ]


def test_long_words_scroll_and_the_keyboard_gets_there(show):
    page = show(MaskWidget(["incompréhensiblement"] * 10, padding=3), width=260)
    assert page.locator(".mk-matrix").evaluate("node => [node.scrollWidth > node.clientWidth, node.tabIndex]") == [
        True,
        0,
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_can_be_read_on_each_colour_in_both_themes(show, theme):
    page = show(MaskWidget(WORDS, layers=3, pattern="window", mistake="ahead"), theme=theme)
    for name in ("mk-1", "mk-2", "mk-3", "mk-leak"):
        assert page.locator(f".{name}").first.evaluate(CONTRAST) >= 4.5
    assert page.locator(".cw-choice :checked + span").first.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = "MaskWidget: '<s> Les petits chats noirs ne dorment …' (run this cell to click the rows)"
    assert repr(MaskWidget(WORDS)) == repr(MaskWidget(WORDS, padding=2)) == expected
    assert len(repr(MaskWidget(["x" * 200]))) <= 110


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": []}, "words has 0 words; give 1 to 40"),
        ({"words": "le chat"}, "words='le chat' is one text; give a list of words"),
        ({"words": ["le", ""]}, "words[1] is ''; each word must be a text that is not blank"),
        ({"words": ["le"] * 11}, "words has 11 words; give 1 to 10"),
        ({"length": 10}, "length=10 but there are 9 words; use 1 to 9"),
        ({"length": 0}, "length=0 but there are 9 words; use 1 to 9"),
        ({"padding": 4}, "padding=4 but there is no more room; use 0 to 3"),
        ({"prefix": -1}, "prefix=-1 but no sentence is longer; use 0 to 13"),
        ({"window": 0}, "window=0 but a window of 0 sees nothing; use 1 to 13"),
        ({"layers": 4}, "layers=4 but the figure follows three layers; use 1 to 3"),
        ({"selected": 9}, "selected=9 but there are 9 rows; use 0 to 8"),
        ({"pattern": "casual"}, "pattern='casual' is not one of 'none', 'causal', 'padding'"),
        ({"mistake": "all"}, "mistake='all' is not one of 'none', 'ahead', 'inverted', 'forgotten'"),
        ({"side": "top"}, "side='top' is not one of 'right', 'left'"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        MaskWidget(**{"words": WORDS, **change})


def test_later_changes_are_checked_too_and_numbers_stay_in_range():
    shown = MaskWidget(WORDS, padding=2, selected=10)
    with pytest.raises(ValueError, match=re.escape("selected=11 but there are 11 rows; use 0 to 10")):
        shown.selected = 11
    with pytest.raises(ValueError, match="words has 11 words"):
        shown.words = ["le"] * 11
    assert (shown.selected, len(shown.words)) == (10, 9)
    shown.padding = 0
    assert shown.selected == 8
    shown.words = ["un", "deux"]
    assert (shown.length, shown.selected) == (2, 1)
    assert MaskWidget(WORDS, length=3, padding=1, selected=3).length == 3
