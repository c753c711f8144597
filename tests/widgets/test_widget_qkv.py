"""The widget of lesson 2 computes what PyTorch computes, shows every number, and every reader can take its steps."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from accessibility import CONTRAST

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.widgets import QKVWidget

WORDS = "the small black cats sleep".split()
NAMES = ["le", "la", "les"]
STEPS = ["embeddings", "project", "scores", "scale", "softmax", "output"]


def network(words=WORDS, sizes=(4, 2, 3), seed=0):
    """Embeddings (T, D), and the matrices of queries, keys and values."""
    generator = torch.Generator().manual_seed(seed)
    d_model, d_head, d_value = sizes
    shapes = [(len(words), d_model), (d_model, d_head), (d_model, d_head), (d_model, d_value)]
    return [torch.randn(shape, generator=generator).round(decimals=4) for shape in shapes]


def widget(words=WORDS, sizes=(4, 2, 3), seed=0, **traits) -> QKVWidget:
    names = {"value_names": NAMES} if sizes[2] == 3 else {}
    return QKVWidget(words, *network(words, sizes, seed), **{**names, **traits})


def expected(seed=0, words=WORDS):
    """Every matrix, from the library and PyTorch."""
    x, w_query, w_key, w_value = (tensor.double() for tensor in network(words, seed=seed))
    query, key, value = x @ w_query, x @ w_key, x @ w_value
    output, weights = scaled_dot_product_attention(query, key, value)
    return {
        "embeddings": x,
        "query": query,
        "key": key,
        "value": value,
        "scores": query @ key.T,
        "scale": query @ key.T / 2**0.5,
        "softmax": weights,
        "output": output,
    }


def result(page) -> torch.Tensor:
    """The numbers of the matrix that the step makes."""
    rows = page.locator(".qw-result tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('button')].map((cell) => cell.textContent))"
    )
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in rows], dtype=torch.double)


def said(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_arithmetic_equals_the_library_and_pytorch_on_100_random_inputs(show):
    random = np.random.default_rng(0)
    cases = []
    for _ in range(100):
        n_words, d_model, d_head, d_value = (int(random.integers(1, top)) for top in (7, 5, 5, 5))
        shapes = (n_words, d_model), (d_model, d_head), (d_model, d_head), (d_model, d_value)
        cases.append([random.normal(0, 2, shape) for shape in shapes])
    ours = show(widget()).evaluate(
        "(cases) => cases.map(([x, query, key, value]) => module.forward(x, { query, key, value }))",
        [[array.tolist() for array in arrays] for arrays in cases],
    )
    for arrays, found in zip(cases, ours, strict=True):
        x, *matrices = (torch.tensor(array) for array in arrays)
        query, key, value = (x @ matrix for matrix in matrices)
        output, weights = scaled_dot_product_attention(query, key, value)
        pytorch = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
        right = {"q": query, "k": key, "v": value, "scores": query @ key.T, "weights": weights, "output": output}
        for name, tensor in (right | {"output": pytorch, "scaled": query @ key.T / key.shape[1] ** 0.5}).items():
            given = torch.tensor(found[name], dtype=torch.double)
            torch.testing.assert_close(given, tensor, rtol=0, atol=1e-5)
        torch.testing.assert_close(output, pytorch, rtol=0, atol=1e-9)


def test_softmax_survives_large_scores(show):
    rows = [[1000.0, 999.0], [-1000.0, -1001.0]]
    ours = torch.tensor(show(widget()).evaluate("(rows) => module.softmaxRows(rows)", rows), dtype=torch.double)
    torch.testing.assert_close(ours, torch.tensor(rows, dtype=torch.double).softmax(-1), rtol=0, atol=1e-12)


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_next_and_back_take_the_steps_and_every_number_is_shown(show):
    page, right = show(widget()), expected()
    for step in STEPS:
        torch.testing.assert_close(result(page), right["query" if step == "project" else step], rtol=0, atol=0.00501)
        assert page.locator("[aria-current=step]").get_attribute("data-step") == step
        assert said(page).startswith(f"Step {STEPS.index(step) + 1} of 6. ")
        page.get_by_role("button", name="Next").click(force=True)  # at the end it is disabled, and must do nothing
    assert page.get_by_role("button", name="Next").get_attribute("aria-disabled") == "true"
    assert page.locator("[aria-current=step]").get_attribute("data-step") == "output"  # there is no seventh
    page.get_by_role("button", name="Back").click()
    assert page.locator("[aria-current=step]").get_attribute("data-step") == "softmax"
    page.locator("[data-step=embeddings]").click()
    assert page.get_by_role("button", name="Back").get_attribute("aria-disabled") == "true"


@pytest.mark.parametrize("part", ["query", "key", "value"])
def test_the_second_step_shows_each_projection_with_its_matrix(show, part):
    page, right = show(widget(step="project")), expected()
    page.locator(f"input[value={part}]").check(force=True)
    torch.testing.assert_close(result(page), right[part], rtol=0, atol=0.00501)
    letter, width = {"query": "Q", "key": "K", "value": "V"}[part], right[part].shape[1]
    captions = page.locator("caption").all_text_contents()
    assert captions == ["X, 5 × 4", f"W_{letter}, 4 × {width}", f"{letter}, 5 × {width}"]
    assert f"X (5 × 4) · W_{letter} (4 × {width}) = {letter} (5 × {width})" in said(page)
    matrix = dict(zip(("query", "key", "value"), network()[1:], strict=True))[part]
    shown = page.locator(".qw-matrix").nth(1).locator("tbody td").all_text_contents()
    assert [float(text.replace("−", "-")) for text in shown] == pytest.approx(matrix.flatten().tolist(), abs=0.00501)


def test_every_step_says_its_shapes(show):
    page = show(widget())
    for step, shapes in {
        "embeddings": "X is 5 × 4",
        "scores": "Q (5 × 2) · Kᵀ (2 × 5) = the scores S (5 × 5)",
        "scale": "√2 = 1.41",
        "softmax": "A is 5 × 5, and every row sums to 1",
        "output": "A (5 × 5) · V (5 × 3) = the output O (5 × 3)",
    }.items():
        page.locator(f"[data-step={step}]").click()
        assert shapes in said(page)


def test_a_cell_shows_its_arithmetic_and_what_it_is_made_of(show):
    page, right = show(widget(step="scores")), expected()
    page.locator("[data-cell='3,1']").click()
    query, key, score = right["query"][3], right["key"][1], right["scores"][3, 1].item()
    text = page.locator(".qw-arithmetic").text_content().replace("−", "-")
    assert text.startswith("Score of 'cats' for 'small': ")
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d\d", text)]
    pairs = [number.item() for pair in zip(query, key, strict=True) for number in pair]
    assert numbers == pytest.approx([*pairs, score], abs=0.00501)
    assert page.locator("[aria-pressed=true]").get_attribute("data-cell") == "3,1"
    used = page.locator(".qw-used").all_text_contents()
    assert [float(number.replace("−", "-")) for number in used] == pytest.approx(
        [*query.tolist(), *key.tolist()], abs=0.00501
    )


@pytest.mark.parametrize(
    ("step", "used"), [("embeddings", 0), ("project", 8), ("scale", 1), ("softmax", 5), ("output", 10)]
)
def test_each_step_marks_the_numbers_that_a_cell_is_made_of(show, step, used):
    page = show(widget(step=step, row=2, column=1))
    assert page.locator(".qw-used").count() == used
    assert page.locator("[aria-pressed=true]").get_attribute("data-cell") == "2,1"


def test_the_last_step_names_the_largest_output(show):
    page, right = show(widget(step="output", row=0)), expected()["output"]
    assert said(page).endswith(f"The largest output of 'the' is {NAMES[right[0].argmax()]}.")


def test_another_sentence_is_drawn(show):
    short = "is the king tired".split()
    x, *matrices = network()
    sentences = [{"words": WORDS, "embeddings": x}, {"words": short, "embeddings": network(short, seed=1)[0]}]
    page = show(QKVWidget(None, None, *matrices, sentences=sentences, step="softmax", row=4, column=4))
    page.locator("select").select_option(index=1)
    assert result(page).shape == (4, 4)
    assert page.locator("[aria-pressed=true]").get_attribute("data-cell") == "3,3"


def test_python_redraws_by_changing_a_trait(show):
    page, right = show(widget()), expected()
    page.evaluate("models[0].set('step', 'project')")
    page.evaluate("models[0].set('part', 'value')")
    torch.testing.assert_close(result(page), right["value"], rtol=0, atol=0.00501)
    page.evaluate("models[0].set('row', 4)")
    assert page.locator("[aria-pressed=true]").get_attribute("data-cell") == "4,0"


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def focused(page, name) -> str | None:
    return page.evaluate(f"document.activeElement.getAttribute({name!r})")


def test_keyboard_alone_is_enough(show):
    page, right = show(widget()), expected()
    page.keyboard.press("Tab")
    assert focused(page, "data-step") == "embeddings"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page, "data-step") == "scores"
    torch.testing.assert_close(result(page), right["scores"], rtol=0, atol=0.00501)
    page.keyboard.press("End")
    assert page.locator("[aria-current=step]").get_attribute("data-step") == "output"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Back
    assert page.locator("[aria-current=step]").get_attribute("data-step") == "scale"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Next
    assert page.locator("[aria-current=step]").get_attribute("data-step") == "softmax"
    page.keyboard.press("Tab")
    assert focused(page, "data-cell") == "0,0"  # one stop of the Tab key for the whole matrix
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert focused(page, "data-cell") == "2,1"
    assert said(page).split("Weight of ")[1].startswith("'small' for 'black'")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # there is nothing further left
    assert focused(page, "data-cell") == "2,0"
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_headers_and_one_pressed_cell(show):
    page = show(widget(step="softmax", row=1, column=3))
    assert page.get_by_role("button", name="Step 5: attention weights").get_attribute("aria-current") == "step"
    assert page.get_by_role("button", pressed=True).count() == 1
    weight = f"{expected()['softmax'][1, 3]:.2f}"
    assert page.get_by_role("button", pressed=True).get_attribute("aria-label") == f"A: small, cats: {weight}"
    headers = page.locator(".qw-result").get_by_role("columnheader").all_text_contents()
    assert [text for text in headers if text] == WORDS
    assert page.locator(".qw-result").get_by_role("rowheader").all_text_contents() == WORDS
    assert page.get_by_role("table").count() == 2


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["one"], WORDS, "the unbelievable grandmother of somebody understood".split()])
@pytest.mark.parametrize("step", STEPS)
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, words, step):
    page = show(widget(words, step=step, sizes=(4, 4, 4)), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = page.locator("td, button, th span, p").evaluate_all(
        "all => all.map((node) => node.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert min(left for left, _ in boxes) >= 0
    assert max(right for _, right in boxes) <= 360


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_can_be_read_on_the_strongest_colour_in_both_themes(show, theme):
    sure = QKVWidget(["never", "always"], [[0.0], [9.0]], [[9.0]], [[9.0]], [[1.0]], step="softmax")
    page = show(sure, theme=theme)
    assert result(page)[1].tolist() == [0.0, 1.0]
    for cell in page.locator("[data-cell], [aria-current=step], .qw-go").all():
        assert cell.evaluate(CONTRAST) >= 4.5
    page.locator("[data-cell='1,1']").click()
    for cell in page.locator(".qw-used").all():
        assert cell.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = "QKVWidget: 'the small black cats sleep' (run this cell to take the steps)"
    assert repr(widget()) == repr(widget(seed=1)) == expected


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_arrays_tensors_and_lists_become_rounded_lists(kind):
    shown = QKVWidget(["a", "b"], kind([[1.23456], [-0.00001]]), kind([[2.0]]), kind([[3.0]]), kind([[4.0]]))
    assert shown.sentences == [{"words": ["a", "b"], "embeddings": [[1.2346], [0.0]]}]
    assert shown.matrices == {"query": [[2.0]], "key": [[3.0]], "value": [[4.0]]}


def test_another_network_is_shown_at_once_and_keeps_the_step():
    shown = widget(step="softmax", row=4, column=4)
    words = ["a", "b"]
    x, *matrices = network(words, sizes=(3, 1, 2), seed=3)
    shown.show([{"words": words, "embeddings": x}], *matrices)
    assert (shown.step, shown.row, shown.column, shown.value_names) == ("softmax", 0, 0, [])
    assert len(shown.matrices["query"]) == 3
    with pytest.raises(ValueError, match="w_key has 4 rows but there are 3 columns of the embeddings"):
        shown.show([{"words": words, "embeddings": x}], matrices[0], network()[2], matrices[2])
    assert len(shown.matrices["query"]) == 3  # the old network stays


GOOD = dict(zip(("words", "embeddings", "w_query", "w_key", "w_value"), (WORDS, *network()), strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": "a b"}, "words='a b' is one text; give a list of words"),
        ({"words": ["a"] * 7}, "words has 7 words; give 1 to 6, so that every number can be shown"),
        ({"words": ["a"]}, "embeddings has 5 rows but there are 1 words"),
        ({"words": None}, "a sentence has ['embeddings']; give words and embeddings"),
        ({"embeddings": torch.ones(5, 5)}, "embeddings has 5 columns; give 1 to 4, so that they can be shown"),
        ({"embeddings": torch.full((5, 4), float("nan"))}, "embeddings[0][0] is nan; every number must be finite"),
        ({"w_query": None}, "w_query is missing; give the matrix of X · W, 4 rows"),
        ({"w_query": torch.ones(2, 4)}, "w_query has 2 rows but there are 4 columns of the embeddings"),
        ({"w_query": torch.ones(2, 4)}, "(an nn.Linear stores the transpose: give weight.T)"),
        ({"w_value": torch.ones(4, 5)}, "w_value has 5 columns; give 1 to 4"),
        ({"w_key": torch.ones(4, 3)}, "w_query has 2 columns but w_key has 3; q · k needs the same d_head"),
        ({"value_names": ["le"]}, "value_names has 1 names but w_value has 3 columns; give one for each"),
        ({"step": "mask"}, "step='mask' is not one of 'embeddings', 'project'"),
        ({"part": "Q"}, "part='Q' is not one of 'query', 'key', 'value'"),
        ({"row": 5}, "row=5 but there are 5 words; use 0 to 4"),
        ({"column": 9}, "column=9 but there are 5 columns; use 0 to 4"),
        ({"sentence": 1}, "sentence=1 but there are 1 sentences; use 0 to 0"),
        ({"sentences": [{"words": WORDS, "embeddings": torch.ones(5, 4)}]}, "sentences is given beside words"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        QKVWidget(**{**GOOD, **change})


def test_bad_sentences_are_refused():
    _, *matrices = network()
    good, narrow = ({"words": WORDS, "embeddings": torch.ones(5, width)} for width in (4, 3))
    for sentences, message in (
        ([], "sentences is empty; give at least one"),
        ([good, narrow], "the sentences have embeddings of [3, 4] columns; give all the same width"),
        ([good, {"words": ["a"]}], "sentences[1]: a sentence has ['words']; give words and embeddings"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            QKVWidget(None, None, *matrices, sentences=sentences)
