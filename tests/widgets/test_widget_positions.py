"""The positions widget computes what the library computes; mouse, keyboard and screen reader can use it."""

import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.positions import RotaryPositions, sinusoidal_table
from lessons_lib.widgets import PositionsWidget

WORDS = "the girl knows the boy".split()


def head(words=WORDS, width=8, d_head=4, seed=0, swap=(1, 4)) -> dict:
    draw = np.random.default_rng(seed)
    arrays = {
        "embeddings": draw.normal(size=(len(words), width)),
        "query": draw.normal(size=(d_head, width)),
        "query_bias": draw.normal(size=d_head),
        "key": draw.normal(size=(d_head, width)),
        "key_bias": draw.normal(size=d_head),
    }
    return {"words": list(words), "swap": list(swap)} | {name: array.round(4) for name, array in arrays.items()}


def head_weights(head: dict, order, t: int, with_positions: bool) -> list[float]:
    """The weights of word t by word, from PyTorch's layer norm and the library's table and attention."""
    tensors = {name: torch.tensor(head[name], dtype=torch.double) for name in head if name not in ("words", "swap")}
    x = tensors["embeddings"][list(order)]
    if with_positions:
        x = x + sinusoidal_table(len(order), x.shape[1]).double()
    x = F.layer_norm(x, x.shape[1:])
    query, key = (F.linear(x, tensors[name], tensors[f"{name}_bias"]) for name in ("query", "key"))
    weights = scaled_dot_product_attention(query, key, key)[1][list(order).index(t)]
    return [weights[list(order).index(word)].item() for word in range(len(order))]


def widget(**traits) -> PositionsWidget:
    return PositionsWidget(**{"width": 16, "length": 40, "position": 10, "dimension": 3, "distance": 2, **traits})


def summary(page) -> str:
    return page.locator("[aria-live=polite]").text_content()


def slide(page, name: str, value: int) -> None:
    page.get_by_role("slider", name=name).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def rotated(vector, position: int) -> torch.Tensor:
    order = RotaryPositions(position + 1, len(vector)).for_attention(1, start=position)
    return order.rotate(torch.tensor(vector, dtype=torch.float)[None, None, None])[0, 0, 0]


def cosine(a, b) -> float:
    return F.cosine_similarity(a, b, dim=0).item()


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_the_table_is_the_librarys(show):
    page = show(widget())
    for width, length in ((2, 5), (16, 40), (128, 200)):
        ours = page.evaluate(
            "([length, width]) => Array.from({ length }, (_, t) => module.sinusoidal(t, width))", [length, width]
        )
        torch.testing.assert_close(torch.tensor(ours), sinusoidal_table(length, width), rtol=0, atol=3e-5)
        exact = [[math.sin(t / 10_000 ** (i / width)) for i in range(0, width, 2)] for t in range(length)]
        np.testing.assert_allclose(np.array(ours)[:, 0::2], exact, atol=1e-12)


def test_rotation_equals_the_library_on_100_random_vectors(show):
    draw = np.random.default_rng(0)
    cases = [(draw.normal(size=2 * int(draw.integers(1, 33))).tolist(), int(draw.integers(100))) for _ in range(100)]
    ours = show(widget()).evaluate("(cases) => cases.map(([vector, t]) => module.rotate(vector, t))", cases)
    for (vector, t), turned in zip(cases, ours, strict=True):
        torch.testing.assert_close(torch.tensor(turned), rotated(vector, t), rtol=0, atol=1e-5 * (1 + t / 10))
        np.testing.assert_allclose(np.linalg.norm(turned), np.linalg.norm(vector), atol=1e-9)


def test_similarity_equals_the_library_and_depends_on_the_distance_alone(show):
    draw = np.random.default_rng(1)
    cases = []
    for _ in range(100):
        query, key = draw.normal(size=(2, 2 * int(draw.integers(1, 17)))).tolist()
        cases.append([*(int(n) for n in draw.integers(0, 60, 2)), 2 * int(draw.integers(1, 33)), query, key])
    page = show(widget())
    script = "(cases) => cases.map((case_) => module.similarity(...case_))"
    ours = page.evaluate(script, cases)
    later = page.evaluate(script, [[t + 17, s + 17, *rest] for t, s, *rest in cases])
    for (t, s, width, query, key), here, there in zip(cases, ours, later, strict=True):
        table = sinusoidal_table(60, width)
        assert here["sinusoidal"] == pytest.approx(cosine(table[t], table[s]), abs=1e-5)
        assert here["rope"] == pytest.approx(cosine(rotated(query, t), rotated(key, s)), abs=2e-5)
        assert there == pytest.approx(here, abs=1e-9)


def test_weights_of_the_head_equal_pytorch_on_100_random_heads(show):
    draw = np.random.default_rng(2)
    cases, expected = [], []
    for seed in range(100):
        words = [f"w{i}" for i in range(int(draw.integers(2, 12)))]
        one = head(words, 2 * int(draw.integers(1, 17)), int(draw.integers(1, 9)), seed, (0, 1))
        order, t, on = draw.permutation(len(words)).tolist(), int(draw.integers(len(words))), bool(draw.integers(2))
        cases.append([{name: np.asarray(value).tolist() for name, value in one.items()}, order, t, on])
        expected.append(head_weights(one, order, t, on))
    ours = show(widget()).evaluate("(cases) => cases.map((case_) => module.headWeights(...case_))", cases)
    for weights, right in zip(ours, expected, strict=True):
        np.testing.assert_allclose(weights, right, atol=1e-5)


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_moving_position_and_dimension_shows_the_number(show):
    page = show(widget())
    for t, i in ((10, 3), (39, 15), (0, 0), (7, 4)):
        slide(page, "position", t)
        slide(page, "dimension", i)
        number = f"{sinusoidal_table(40, 16)[t, i]:.3f}".replace("-", "−").replace("−0.000", "0.000")
        assert f"Dimension {i} at position {t}: " in summary(page)
        assert f"= {number}. " in summary(page)
    assert "sin(7 " not in summary(page)
    assert "repeats every 62.8 positions" in summary(page)  # 2π · 10000^(4/16)


def test_a_click_into_the_pattern_chooses_both(show):
    page = show(widget())
    box = page.locator("canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 25.5 / 40, box["y"] + box["height"] * 9.5 / 16)
    assert summary(page).startswith("Dimension 9 at position 25: cos(")
    column = page.locator(".pw-column").bounding_box()
    assert column["x"] <= box["x"] + box["width"] * 25.5 / 40 <= column["x"] + column["width"]


def test_the_pattern_has_the_colours_of_the_numbers(show):
    page = show(widget())
    table = sinusoidal_table(40, 16)
    pixels = page.evaluate("""() => { const canvas = document.querySelector("canvas");
      return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]; }""")
    red_minus_blue = np.array(pixels).reshape(16, 40, 4)[:, :, 0] - np.array(pixels).reshape(16, 40, 4)[:, :, 2]
    clear = table.T.abs() > 0.1
    assert (np.sign(red_minus_blue)[clear] == np.sign(table.T.numpy())[clear]).all()
    page.evaluate("models[0].set('length', 30)")
    assert page.evaluate("document.querySelector('canvas').width") == 30


def test_similarity_stays_when_the_position_moves_and_changes_with_the_distance(show):
    draw = np.random.default_rng(3)
    query, key = draw.normal(size=(2, 8)).round(4)
    page = show(widget(view="similarity", query=query, key=key))
    table = sinusoidal_table(40, 16)

    def said():
        return [
            float(n.replace("−", "-")) for n in re.search(r"sinusoidal (\S+), RoPE ([−\d.]+)\.", summary(page)).groups()
        ]

    for k in (2, -3, 0, 9):
        slide(page, "distance", k)
        slide(page, "position", 12)
        first = said()
        assert first == pytest.approx(
            [cosine(table[12], table[12 + k]), cosine(rotated(query, 12), rotated(key, 12 + k))], abs=6e-4
        )
        slide(page, "position", 25)
        assert said() == first
    slide(page, "position", 39)  # no place for a key 9 further: the distance gives way
    assert "Query at 39, key at 39, distance 0" in summary(page)


@pytest.mark.parametrize("on", [True, False])
def test_swapped_words_are_told_apart_by_positions_alone(show, on):
    one = head()
    page = show(widget(view="words", head=one, with_positions=on))
    for word in (2, 0, 4):
        page.locator(f"button[data-word='{word}']").click()
        cells = page.locator(".pw-numbers tbody td").all_text_contents()
        columns = [[float(text) for text in cells[i::2]] for i in range(2)]
        for column, order in zip(columns, ([0, 1, 2, 3, 4], [0, 4, 2, 3, 1]), strict=True):
            assert column == pytest.approx(head_weights(one, order, word, on), abs=6e-4)
        assert (columns[0] == columns[1]) is not on
        assert ("the head cannot tell them apart" in summary(page)) is not on
    page.get_by_label("add positions").set_checked(not on)
    assert ("the head cannot tell them apart" in summary(page)) is on
    assert "“the boy knows the girl”" in summary(page)


def test_without_a_head_there_is_no_view_of_words(show):
    page = show(widget(view="words"))
    assert page.get_by_text("Words swapped").is_hidden()
    assert summary(page).startswith("Dimension 3 at position 10")


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('position', 20)")
    assert "at position 20" in summary(page)
    page.evaluate("models[0].set('view', 'similarity')")
    assert summary(page).startswith("Query at 20, key at 22")


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(widget(head=head()))
    page.keyboard.press("Tab")  # the views
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("ArrowRight")
    assert "at position 11" in summary(page)
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert summary(page).startswith("Dimension 15")
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    assert summary(page).startswith("Query at 11")
    page.keyboard.press("ArrowRight")
    assert summary(page).startswith("With positions 'the'")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    assert summary(page).startswith("Without positions 'the'")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert summary(page).startswith("Without positions 'girl'")


def test_a_screen_reader_finds_names_and_headers(show):
    page = show(widget(head=head()))
    assert page.get_by_role("slider", name="position").count() == 1
    assert page.get_by_role("slider", name="dimension").count() == 1
    assert page.get_by_role("columnheader").all_text_contents() == ["dimension", "speed", "repeats every", "value"]
    assert page.locator("canvas").get_attribute("aria-hidden") == "true"
    page.get_by_text("Words swapped").click()
    assert page.get_by_role("button", pressed=True).count() == 1
    assert page.get_by_role("rowheader").all_text_contents() == WORDS


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["pattern", "similarity", "words"])
def test_a_360_px_screen_shows_everything_without_scrolling_sideways(show, view):
    words = "the international girl knows unbelievably many of the boys".split()
    page = show(widget(view=view, width=128, length=128, head=head(words, swap=(2, 8))), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    right = page.locator("button:visible, td:visible, label:visible, canvas:visible").evaluate_all(
        "all => Math.max(...all.map((node) => node.getBoundingClientRect().right))"
    )
    assert right <= 360


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_has_the_colour_of_each_theme(show, theme):
    page = show(widget(view="similarity"), theme=theme)
    line = page.locator("polyline.pw-rope").evaluate("node => getComputedStyle(node).stroke")
    assert line == {"light": "rgb(180, 83, 9)", "dark": "rgb(240, 163, 94)"}[theme]


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = "PositionsWidget: '40 positions, 16 dimensions' (run this cell to move in it)"
    assert repr(widget()) == expected


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_vectors_become_rounded_lists(kind):
    shown = widget(query=kind([1.23456, 2.0]), key=kind([0.0, 1.0]))
    assert shown.query == pytest.approx([1.2346, 2.0])
    assert type(shown.query[0]) is float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 15, "dimension": 0}, "width=15 is not an even number from 2 to 256; use 32"),
        ({"width": 0, "dimension": 0}, "width=0 is not an even number"),
        ({"length": 1, "position": 0, "distance": 0}, "length=1 is not a number from 2 to 256; use 64"),
        ({"position": 40}, "position=40 but there are 40 positions; use 0 to 39"),
        ({"dimension": 16}, "dimension=16 but there are 16 dimensions; use 0 to 15"),
        ({"distance": 40}, "distance=40 but there are 40 positions; use −39 to 39"),
        ({"selected": 1}, "selected=1 but there are 1 words; use 0 to 0"),
        ({"view": "rope"}, "view='rope' is not one of 'pattern', 'similarity', 'words'"),
        (
            {"query": [1.0, 2.0, 3.0], "key": [1.0, 2.0, 3.0]},
            "query has 3 numbers and key has 3; RoPE turns pairs: give both the same even number",
        ),
        ({"query": [1.0, 2.0]}, "query has 2 numbers and key has 16; RoPE turns pairs"),
        ({"query": [1.0, float("nan")], "key": [1.0, 1.0]}, "query[0][1] is nan; every number must be finite"),
        ({"query": [0.0, 0.0], "key": [1.0, 1.0]}, "query is all zeros"),
        ({"head": {"words": WORDS}}, "head: swap, embeddings, query, query_bias, key, key_bias missing"),
        ({"head": head() | {"value": 1}}, "head: value unknown"),
        ({"head": head(swap=(1, 1))}, "swap=[1, 1] does not name two different words"),
        ({"head": head(swap=(1, 5))}, "swap=5 but there are 5 words; use 0 to 4"),
        ({"head": head() | {"embeddings": np.ones((4, 8))}}, "embeddings has 4 rows but there are 5 words"),
        ({"head": head() | {"key": np.ones((4, 6))}}, "key has 6 columns but the embeddings have 8"),
        ({"head": head() | {"key_bias": np.ones(3)}}, "key_bias has 3 rows but there are 4 dimensions of the head"),
        ({"head": head(width=7)}, "embeddings has 7 columns; sines and cosines come in pairs"),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        widget(**change)


def test_later_changes_are_checked_too():
    shown = widget()
    with pytest.raises(ValueError, match="position=40 but"):
        shown.position = 40
    with pytest.raises(ValueError, match="query has 2 numbers and key has 16"):
        shown.query = [1.0, 2.0]
    with shown.hold_trait_notifications():
        shown.query, shown.key = [1.0, 2.0], [2.0, 1.0]
    shown.length = 8
    assert (shown.position, shown.distance) == (7, 2)
