"""The attention widget computes what PyTorch computes, and every reader can use it: mouse, keyboard, screen reader."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from accessibility import CONTRAST

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.masks import causal_mask
from lessons_lib.widgets import AttentionWidget

WORDS = "The animal didn't cross the street because it was too tired".split()


def tensors(words=WORDS, width=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(len(words), width, generator=generator).round(decimals=4) for _ in range(3)]


def widget(words=WORDS, width=8, seed=0, **traits) -> AttentionWidget:
    return AttentionWidget(words, *tensors(words, width, seed), **{"selected": min(7, len(words) - 1), **traits})


def expected_weights(words=WORDS, width=8, seed=0, selected=7, scale=True, mask="all"):
    query, key, value = tensors(words, width, seed)
    allowed = causal_mask(len(words)) if mask == "causal" else None
    query = query if scale else query * width**0.5
    return scaled_dot_product_attention(query, key, value, allowed)[1][selected].tolist()


def shown_weights(page) -> list[float]:
    return [float(text) for text in page.locator("[data-weight]").all_text_contents()]


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_arithmetic_equals_the_library_and_pytorch_on_100_random_inputs(show):
    random = np.random.default_rng(0)
    cases = []
    for _ in range(100):
        length, width, value_width = (int(random.integers(1, top)) for top in (41, 65, 9))
        arrays = [random.normal(0, 2, (length, columns)) for columns in (width, width, value_width)]
        cases.append((arrays, {"scale": bool(random.integers(2)), "mask": str(random.choice(["all", "causal"]))}))
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([[queries, keys, values], settings]) => {
          const rows = queries.map((_, t) => module.attentionWeights(queries, keys, t, settings).weights);
          return [rows, rows.map((row) => module.output(row, values))];
        })""",
        [([array.tolist() for array in arrays], settings) for arrays, settings in cases],
    )
    for (arrays, settings), (weights, output) in zip(cases, ours, strict=True):
        query, key, value = (torch.tensor(array) for array in arrays)
        weights, output = (torch.tensor(rows, dtype=torch.double) for rows in (weights, output))
        allowed = causal_mask(len(query)) if settings["mask"] == "causal" else None
        unscaled = query if settings["scale"] else query * query.shape[-1] ** 0.5
        library_output, library_weights = scaled_dot_product_attention(unscaled, key, value, allowed)
        pytorch_output = F.scaled_dot_product_attention(
            query[None], key[None], value[None], allowed, scale=None if settings["scale"] else 1.0
        )[0]
        torch.testing.assert_close(weights, library_weights, rtol=0, atol=1e-5)
        torch.testing.assert_close(output, library_output, rtol=0, atol=1e-5)
        torch.testing.assert_close(output, pytorch_output, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "scores", [[0.0], [1000.0, 999.0], [-1000.0, -1001.0, -1e4], [3.0, float("-inf"), 1.0], [float("-inf")] * 3]
)
def test_softmax_survives_large_scores_and_nothing_allowed(show, scores):
    ours = torch.tensor(show(widget()).evaluate("(scores) => module.softmax(scores)", scores), dtype=torch.double)
    expected = torch.tensor(scores, dtype=torch.double).softmax(0).nan_to_num(0.0)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


def test_spread_is_the_exponential_of_the_entropy(show):
    weights = torch.tensor([0.7, 0.2, 0.1, 0.0], dtype=torch.double)
    expected = torch.distributions.Categorical(weights).entropy().exp().item()
    page = show(widget())
    assert page.evaluate("(weights) => module.spread(weights)", weights.tolist()) == pytest.approx(expected, abs=1e-9)
    assert page.evaluate("module.spread([0, 1, 0])") == 1


@pytest.mark.parametrize("architecture", ["attention", "rnn", "cnn"])
def test_path_length_is_the_number_of_layers_or_steps_until_information_arrives(show, architecture):
    """Against information that spreads one step at a time over the connections of each architecture."""
    length = 12
    position = torch.arange(length)
    distance = position[:, None] - position[None, :]  # to - from
    connected = {"attention": distance.abs() >= 0, "rnn": (distance == 1) | (distance == 0), "cnn": distance.abs() <= 1}
    reached, steps = torch.eye(length, dtype=torch.bool), torch.full((length, length), torch.inf)
    for step in range(length):
        steps[reached & steps.isinf()] = step
        reached = (connected[architecture].float() @ reached.float()) > 0
    ours = show(widget()).evaluate(
        """([name, n]) => Array.from({ length: n }, (_, to) => Array.from({ length: n }, (_, from) => {
          const steps = module.pathLength(name, from, to);
          return steps === Infinity ? -1 : steps;
        }))""",
        [architecture, length],
    )
    assert torch.equal(torch.tensor(ours, dtype=torch.float), steps.masked_fill(steps.isinf(), -1))


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_a_click_shows_the_weights_of_that_word(show):
    page = show(widget())
    for word in (7, 1, 10):
        page.locator(f"button[data-word='{word}']").click()
        assert shown_weights(page) == pytest.approx(expected_weights(selected=word), abs=0.0005001)
        assert page.locator("[aria-pressed=true]").get_attribute("data-word") == str(word)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("mask", ["all", "causal"])
def test_scale_and_mask_change_the_weights(show, scale, mask):
    page = show(widget())
    page.get_by_label("divide by √8").set_checked(scale)
    if mask == "causal":
        page.get_by_text("causal mask").click()
    assert shown_weights(page) == pytest.approx(expected_weights(scale=scale, mask=mask), abs=0.0005001)
    cells = page.locator("tbody tr").nth(9).locator("visible=true").locator("td").all_text_contents()
    assert (cells[1:] == ["−∞", "0.000"]) is (mask == "causal")
    assert page.locator(".aw-out").count() == (3 if mask == "causal" else 0)
    assert page.locator("svg path").count() == (8 if mask == "causal" else 11)  # no arc to a word in the future


def test_without_the_scale_the_attention_narrows(show):
    """What the lesson asks the reader to see: the softmax saturates."""
    page = show(widget(width=64))
    spread = r"spread over ([\d.]+) words?\."
    scaled = float(re.search(spread, page.locator("[aria-live]").text_content())[1])
    page.get_by_label("divide by √64").uncheck()
    assert float(re.search(spread, page.locator("[aria-live]").text_content())[1]) < scaled / 2


def test_the_summary_names_the_three_largest_weights(show):
    weights = expected_weights()
    top = sorted(range(len(WORDS)), key=lambda s: -weights[s])[:3]
    named = ", then ".join(f"'{WORDS[s]}' ({weights[s]:.2f})" for s in top)
    summary = show(widget()).locator("[aria-live=polite]").text_content()
    assert summary.startswith(f"'it' attends most to {named}. Its attention is spread over ")


def test_the_output_is_shown_when_there_are_values(show):
    query, key, value = tensors()
    output = scaled_dot_product_attention(query, key, value)[0][7]
    numbers = ", ".join(f"{number:.2f}".replace("-", "−") for number in output.tolist())
    assert show(widget()).locator(".aw-output").text_content().endswith(f"= [{numbers}]")
    page = show(AttentionWidget(WORDS, query, key))
    assert not page.locator(".aw-output").is_visible()


@pytest.mark.parametrize(
    ("architecture", "notes", "summary"),
    [
        ("attention", ["1"] * 7 + ["0"] + ["1"] * 3, "every other word reaches 'it' in 1 step"),
        ("rnn", [*"76543210", "never", "never", "never"], "'The' reaches 'it' after 7 steps"),
        ("cnn", [*"76543210123"], "'The' reaches 'it' after 7 layers"),
    ],
)
def test_the_path_length_view_compares_the_architectures(show, architecture, notes, summary):
    page = show(widget())
    page.get_by_text("Path length").click()
    page.locator(f"input[value={architecture}]").check(force=True)
    assert page.locator(".aw-note").all_text_contents() == notes
    assert summary in page.locator("[aria-live]").text_content()
    column = page.locator("td.aw-current").all_text_contents()
    assert column == [*notes, "1" if architecture == "attention" else "7"]
    assert not page.locator("[data-weight]").first.is_visible()


def test_another_sentence_is_drawn_and_keeps_the_word(show):
    short = "Le chat dort".split()
    sentences = [
        {"words": words, "queries": tensors(words, seed=seed)[0], "keys": tensors(words, seed=seed)[1]}
        for seed, words in enumerate([WORDS, [*WORDS[:-1], "wide"], short])
    ]
    page = show(AttentionWidget(sentences=sentences, selected=7))
    page.locator("select").select_option(index=1)
    assert page.locator("[aria-pressed=true]").text_content() == "it"
    assert shown_weights(page) == pytest.approx(expected_weights(sentences[1]["words"], seed=1), abs=0.0005001)
    page.locator("select").select_option(index=2)
    assert page.locator("button[data-word]").all_text_contents() == short
    assert shown_weights(page) == pytest.approx(expected_weights(short, seed=2, selected=0), abs=0.0005001)


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('selected', 2)")
    assert page.locator("[aria-pressed=true]").text_content() == "didn't"
    page.evaluate("models[0].set('mask', 'causal')")
    assert shown_weights(page) == pytest.approx(expected_weights(selected=2, mask="causal"), abs=0.0005001)
    page.evaluate("models[0].set('sentences', [{words: ['one', 'two'], queries: [[1], [2]], keys: [[1], [2]]}])")
    assert page.locator("button[data-word]").all_text_contents() == ["one", "two"]


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def focused(page) -> str | None:
    return page.evaluate("document.activeElement.dataset.word ?? null")


def test_keyboard_alone_is_enough(show):
    page = show(widget())
    for _ in range(10):
        page.keyboard.press("Tab")
        if focused(page):
            break
    assert focused(page) == "7"  # Tab reaches the chosen word
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "5"
    assert page.locator("[aria-pressed=true]").get_attribute("data-word") == "7"  # moving does not choose
    page.keyboard.press("Enter")
    assert page.locator("[aria-pressed=true]").get_attribute("data-word") == "5"
    assert focused(page) == "5"
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    assert page.locator("[aria-pressed=true]").get_attribute("data-word") == "6"
    page.evaluate("addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))")
    page.keyboard.press("End")
    assert page.evaluate("taken")  # the page does not scroll to its end
    page.keyboard.press("ArrowRight")  # there is nothing further right
    assert focused(page) == "10"
    page.keyboard.press("Shift+Tab")
    assert focused(page) is None  # one stop of the Tab key for the whole sentence
    page.keyboard.press("Tab")
    assert focused(page) == "10"
    page.keyboard.press("Home")
    assert focused(page) == "0"
    # Without this attribute on the focused element itself, "d d" would delete the cell in JupyterLab.
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_headers_and_one_pressed_word(show):
    page = show(widget())
    assert page.get_by_role("button", name="animal", exact=True).count() == 1
    assert page.get_by_role("button", pressed=True).count() == 1
    assert page.get_by_role("columnheader").all_text_contents() == ["word", "q · k", "÷ √8", "weight"]
    assert page.get_by_role("rowheader").all_text_contents() == WORDS
    assert page.get_by_role("radio", name="no mask").is_checked()
    assert page.locator("svg").get_attribute("aria-hidden") == "true"


def test_what_scrolls_can_be_reached_with_the_keyboard(show):
    long = show(widget([f"word{i}" for i in range(40)])).locator(".cw-scroll").first
    assert long.evaluate("node => [node.scrollHeight > node.clientHeight, node.tabIndex]") == [True, 0]
    short = show(widget()).locator(".cw-scroll").first
    assert short.evaluate("node => [node.scrollHeight > node.clientHeight, node.tabIndex]") == [False, -1]


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_words", [1, 11, 40])
@pytest.mark.parametrize("view", ["weights", "steps"])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, n_words, view):
    words = (WORDS * 4)[:n_words]
    page = show(widget(words, view=view), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("button[data-word], td:visible").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360
    assert page.locator("svg").is_visible() is (n_words == 1)  # on several lines, bars take over from arcs


def test_bars_are_as_long_as_the_weights(show):
    page = show(widget())
    page.add_style_tag(content="* { transition: none !important; }")
    lengths = page.locator(".cw-bar i").evaluate_all("all => all.map((bar) => bar.getBoundingClientRect().width)")
    assert np.array(lengths) / max(lengths) == pytest.approx(
        np.array(expected_weights()) / max(expected_weights()), abs=0.02
    )


def test_arcs_follow_the_weights_and_the_width(show):
    page = show(widget())
    widths = page.locator("svg path").evaluate_all(
        "all => all.map((path) => parseFloat(getComputedStyle(path).strokeWidth))"
    )
    weights = expected_weights()
    assert sorted(range(11), key=lambda s: widths[s]) == sorted(range(11), key=lambda s: weights[s])
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator("svg").wait_for(state="hidden")
    page.set_viewport_size({"width": 1200, "height": 800})
    page.locator("svg").wait_for(state="visible")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read_on_the_strongest_colour_in_both_themes(show, theme):
    sure = AttentionWidget(["never", "always"], [[50.0], [50.0]], [[0.0], [50.0]])
    page = show(sure, theme=theme)
    page.add_style_tag(content="* { transition: none !important; }")
    assert shown_weights(page) == [0.0, 1.0]
    for word in page.locator("button[data-word]").all():
        assert word.evaluate(CONTRAST) >= 4.5
    assert page.locator(".cw-choice :checked + span").first.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = """AttentionWidget: "The animal didn't cross the street …" (run this cell to click the words)"""
    assert repr(widget()) == repr(widget(seed=1)) == expected
    assert len(repr(widget(["x" * 200]))) <= 110


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_arrays_tensors_and_lists_become_rounded_lists(kind):
    shown = AttentionWidget(["a", "b"], kind([[1.23456, 2], [-0.00001, 4]]), kind([[1.0, 0.0], [0.0, 1.0]]))
    assert shown.sentences[0]["queries"] == pytest.approx(np.array([[1.2346, 2], [0, 4]]), abs=1e-7)
    assert str(shown.sentences[0]["queries"][1][0]) == "0.0"
    assert type(shown.sentences[0]["queries"][0][0]) is float


def test_tensors_with_a_gradient_and_in_half_precision_are_taken():
    parameter = torch.ones(2, 3, requires_grad=True)
    shown = AttentionWidget(["a", "b"], parameter, parameter.bfloat16(), parameter.half())
    assert shown.sentences[0]["keys"] == shown.sentences[0]["values"] == [[1.0] * 3] * 2


GOOD = {"words": ["a", "b"], "queries": [[1.0], [2.0]], "keys": [[1.0], [2.0]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": []}, "words has 0 words; give 1 to 40"),
        ({"words": ["a"] * 41}, "words has 41 words; give 1 to 40"),
        ({"words": "a b"}, "words='a b' is one text; give a list of words"),
        ({"words": ["a", 2]}, "words[1] is 2; each word must be a text"),
        ({"words": ["a", " "]}, "words[1] is ' '; each word must be a text that is not blank"),
        ({"words": ["a"]}, "queries has 2 rows but there are 1 words; give one row for each"),
        ({"queries": [[1.0]]}, "queries has 1 rows but there are 2 words"),
        ({"keys": [[1.0, 2.0], [3.0, 4.0]]}, "queries has 1 columns but keys has 2; q · k needs the same d_head"),
        ({"keys": [[1.0], [float("nan")]]}, "keys[1][0] is nan; every number must be finite"),
        ({"queries": [[float("inf")], [1.0]]}, "queries[0][0] is inf; every number must be finite"),
        ({"queries": [[1.0], [2.0, 3.0]]}, "queries is not a matrix of numbers"),
        ({"queries": [["x"], ["y"]]}, "queries is not a matrix of numbers"),
        ({"queries": [1.0, 2.0]}, "queries has shape (2,); give one row of numbers for each of the 2 words"),
        ({"values": [[1.0]]}, "values has 1 rows but there are 2 words"),
        ({"keys": None}, "keys missing; give words, queries, keys and, if you like, values"),
        ({"selected": 2}, "selected=2 but there are 2 words; use 0 to 1"),
        ({"sentence": 1}, "sentence=1 but there are 1 sentences; use 0 to 0"),
        ({"mask": "future"}, "mask='future' is not one of 'all', 'causal'"),
        ({"view": ""}, "view='' is not one of 'weights', 'steps'"),
        ({"architecture": "lstm"}, "architecture='lstm' is not one of 'attention', 'rnn', 'cnn'"),
        ({"sentences": [GOOD]}, "sentences is given beside words, queries, keys or values"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        AttentionWidget(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ([], "sentences is empty; give at least one"),
        ([{**GOOD, "query": 1}], "query unknown; give words, queries, keys and, if you like, values"),
        ([GOOD, {"words": ["a"]}], "sentences[1]: keys, queries missing"),
        ([GOOD, {**GOOD, "keys": [[1.0]]}], "sentences[1]: keys has 1 rows but there are 2 words"),
    ],
)
def test_bad_sentences_are_refused(sentences, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        AttentionWidget(sentences=sentences)


def test_later_changes_are_checked_too():
    shown = widget(selected=10)
    with pytest.raises(ValueError, match=re.escape("selected=11 but there are 11 words; use 0 to 10")):
        shown.selected = 11
    with pytest.raises(ValueError, match="queries has 2 rows but there are 1 words"):
        shown.sentences = [{**GOOD, "words": ["a"]}]
    assert (shown.selected, len(shown.sentences[0]["words"])) == (10, 11)
    shown.sentences = [GOOD]
    assert shown.selected == 0
