"""The heads widget shows what it was given, computes what PyTorch computes, and every reader can use it."""

import re

import numpy as np
import pytest
import torch
from accessibility import CONTRAST

from lessons_lib.widgets import HeadsWidget

ENGLISH = "The small black cats do not sleep. </s>".split()
FRENCH = "Les petits chats noirs ne dorment pas. </s>".split()
LAYERS, HEADS = 2, 3


def weights(rows, columns, seed=0, layers=LAYERS, heads=HEADS):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(layers, heads, len(rows), len(columns), generator=generator).mul(2).softmax(-1)


def sentence(english=ENGLISH, french=FRENCH, seed=0, kinds=("encoder", "decoder", "cross")):
    sides = {"encoder": (english, english), "decoder": (["<s>", *french[:-1]],) * 2, "cross": (french, english)}
    return {
        "title": " ".join(english[:-1]),
        **{k: {"rows": sides[k][0], "columns": sides[k][1], "weights": weights(*sides[k], seed)} for k in kinds},
    }


FACTS = [
    {"kind": "encoder", "text": "noun found", "values": np.arange(6).reshape(2, 3) / 10, "baseline": 0.25},
    {"kind": "cross", "text": "agrees with gold", "values": np.arange(6).reshape(2, 3) / 8},
]
LOST = {"cross": [[0.1, 7.25, -0.2], [1.0, 2.0, 3.0]], "encoder": [[0.5] * 3] * 2}


def widget(**traits) -> HeadsWidget:
    return HeadsWidget(
        [sentence(), sentence(ENGLISH[:4] + ENGLISH[-1:], FRENCH[:3] + FRENCH[-1:], 1)], FACTS, LOST, **traits
    )


def shown_map(page) -> np.ndarray:
    """The weights of the map, from the titles of its cells."""
    rows = page.locator(".hw-map tbody tr").all()
    titles = [row.locator("td").evaluate_all("all => all.map((cell) => cell.title)") for row in rows]
    return np.array([[float(title.rpartition(": ")[2]) for title in row] for row in titles])


def head_button(page, layer, head):
    return page.locator(f".hw-picker button[data-layer='{layer}'][data-head='{head}']")


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_arithmetic_equals_pytorch_on_100_random_inputs(show):
    random, cases = np.random.default_rng(0), []
    for _ in range(100):
        heads, rows, columns = (int(random.integers(1, top)) for top in (9, 20, 20))
        cases.append((random.dirichlet(np.ones(columns), size=(heads, rows)), int(random.integers(-2, 3))))
    ours = show(widget()).evaluate(
        """(cases) => cases.map(([heads, offset]) => {
          const mean = module.meanOverHeads(heads);
          const top = mean.map((row) => module.largest(row, 3));
          return [mean, mean.map(module.spread), module.shareAt(heads[0], offset), top];
        })""",
        [(array.tolist(), offset) for array, offset in cases],
    )
    for (array, offset), (mean, spread, share, largest) in zip(cases, ours, strict=True):
        table = torch.tensor(array)
        expected = table.mean(0)
        entropy = torch.distributions.Categorical(expected).entropy().exp()
        diagonal = table[0].diagonal(offset)
        torch.testing.assert_close(torch.tensor(mean, dtype=torch.double), expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(torch.tensor(spread, dtype=torch.double), entropy, rtol=0, atol=1e-5)
        assert share == pytest.approx(diagonal.mean().item() if len(diagonal) else 0, abs=1e-5)
        assert largest == expected.topk(min(3, expected.shape[1])).indices.tolist()


def test_spread_of_a_row_that_lacks_some_weight(show):
    page = show(widget())
    assert page.evaluate("module.spread([0.25, 0.25])") == pytest.approx(2)
    assert page.evaluate("module.spread([0, 0])") == 0


# --- what one sees and does ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_each_kind_layer_and_head_shows_its_own_weights(show, kind):
    page = show(widget())
    page.locator(f"input[value={kind}]").check(force=True)
    given = sentence()[kind]
    for layer, head in ((0, 0), (1, 2), (0, 1)):
        head_button(page, layer, head).click()
        assert shown_map(page) == pytest.approx(given["weights"][layer, head].numpy(), abs=0.0056)
        assert head_button(page, layer, head).get_attribute("aria-pressed") == "true"
        assert page.locator(".hw-picker [aria-pressed=true]").count() == 1
    assert page.locator(".hw-map thead th").all_text_contents() == given["columns"]
    assert page.locator(".hw-map tbody button").all_text_contents() == given["rows"]


def test_the_mean_of_the_heads(show):
    page = show(widget())
    head_button(page, 1, -1).click()
    assert shown_map(page) == pytest.approx(sentence()["cross"]["weights"][1].mean(0).numpy(), abs=0.0061)
    assert "Cross, layer 2, mean of the heads." in page.locator("[aria-live]").text_content()
    assert not page.locator(".hw-facts").is_visible()  # what was measured was measured of single heads


def test_a_click_on_a_row_or_cell_says_where_that_word_looks(show):
    page = show(widget(head=1))
    for t in (2, 5):
        page.locator(".hw-map tbody tr").nth(t).locator("td").nth(3).click()
        row = sentence()["cross"]["weights"][0, 1, t].round(decimals=3)
        order = row.argsort(descending=True, stable=True).tolist()
        summary = page.locator("[aria-live=polite]").text_content()
        assert (
            f"Before it writes '{FRENCH[t]}', this head looks most at '{ENGLISH[order[0]]}' ({row[order[0]]:.2f})"
            in summary
        )
        assert page.locator(".hw-weights tbody th").all_text_contents() == [ENGLISH[s] for s in order[:5]]
    spread = torch.distributions.Categorical(sentence()["cross"]["weights"][0, 1, 5]).entropy().exp().item()
    assert float(re.search(r"spread over ([\d.]+) words", summary)[1]) == pytest.approx(spread, abs=0.06)


def test_what_was_measured_and_what_is_lost(show):
    page = show(widget(layer=0, head=1))
    cells = page.locator(".hw-facts tbody tr").evaluate_all("all => all.map((row) => row.innerText.split('\\t'))")
    assert cells[0][:2] == ["BLEU lost without it", "7.3"]
    assert cells[1][:2] == ["agrees with gold", "0.13"]
    assert [text.strip() for text in page.locator(".hw-lost").all_text_contents()] == (
        ["−0.1", "−7.3", "+0.2", "", "−1.0", "−2.0", "−3.0", ""]
    )
    assert page.get_by_role("button", name="layer 1, head 2, 7.3 BLEU lost without it").count() == 1
    page.locator("input[value=encoder]").check(force=True)
    cells = page.locator(".hw-facts tbody tr").evaluate_all("all => all.map((row) => row.innerText.split('\\t'))")
    assert cells[1] == ["noun found", "0.10", "0.25"]
    diagonal = sentence()["encoder"]["weights"][0, 1].diagonal(-1).mean().item()
    assert cells[2][0] == "this sentence, word before"
    assert float(cells[2][1]) == pytest.approx(diagonal, abs=0.006)
    page.locator("input[value=decoder]").check(force=True)  # nothing was lost or measured of this kind
    assert page.locator(".hw-facts tbody tr").count() == 2
    assert "BLEU" not in page.locator(".hw-note").first.text_content()


def test_another_sentence_with_fewer_words_is_drawn(show):
    page = show(widget(selected=7))
    page.locator("select").select_option(index=1)
    assert page.locator(".hw-map tbody button").all_text_contents() == FRENCH[:3] + FRENCH[-1:]
    assert page.locator(".hw-map tbody [aria-pressed=true]").text_content() == FRENCH[-1]
    assert page.evaluate("models[0].get('selected')") == 3


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('head', 2)")
    assert shown_map(page) == pytest.approx(sentence()["cross"]["weights"][0, 2].numpy(), abs=0.0056)
    page.evaluate("models[0].set('kind', 'decoder')")
    assert page.locator(".hw-map thead th").first.text_content() == "<s>"
    page.evaluate("models[0].set('lost', {decoder: [[1, 2, 3], [4, 5, 6]]})")
    assert page.locator(".hw-lost").nth(2).text_content() == "−3.0"


def test_small_maps_hold_the_large_weights(show):
    page = show(widget())
    given = sentence()["cross"]["weights"].round(decimals=3)
    for layer, head in ((0, 0), (1, 1)):
        weights = given[layer, head]
        shown = torch.zeros_like(weights)
        for path in head_button(page, layer, head).locator("path").all():
            for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path.get_attribute("d")):
                assert shown[int(y), int(x)] == 0  # once
                shown[int(y), int(x)] = float(path.get_attribute("opacity"))
        below = weights - shown  # a shade is a twentieth
        assert (below > -1e-6).all()
        assert (below < 0.05).all()
        assert ((shown == 0) == (weights < 0.05)).all()


def test_one_kind_is_no_choice(show):
    assert show(HeadsWidget([sentence(kinds=["encoder"])])).locator(".cw-choice").is_hidden()


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def focused(page) -> dict:
    return page.evaluate("({ ...document.activeElement.dataset })")


def test_keyboard_alone_is_enough(show):
    page = show(widget(layer=0, head=1, selected=2))
    for _ in range(10):
        page.keyboard.press("Tab")
        if "head" in focused(page):
            break
    assert (focused(page)["layer"], focused(page)["head"]) == ("0", "1")  # Tab reaches the chosen head
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")  # the head below it, in the next layer
    page.keyboard.press("ArrowRight")
    assert (focused(page)["layer"], focused(page)["head"]) == ("1", "2")
    assert page.evaluate("models[0].get('layer')") == 0  # moving does not choose
    page.keyboard.press("Enter")
    assert [page.evaluate(f"models[0].get('{name}')") for name in ("layer", "head")] == [1, 2]
    page.keyboard.press("Tab")
    assert focused(page)["row"] == "2"  # one stop of the Tab key for all heads, one for all rows
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    assert page.evaluate("models[0].get('selected')") == 3
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.evaluate("models[0].get('selected')") == 1
    page.keyboard.press("Home")
    assert focused(page)["row"] == "0"
    page.keyboard.press("ArrowUp")  # there is nothing above
    assert focused(page)["row"] == "0"
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_headers_and_one_pressed_button_a_group(show):
    page = show(widget())
    assert page.get_by_role("group", name="What each head looks at").count() == 1
    picker, rows = page.get_by_role("group", name="Choose a head"), page.locator(".hw-map tbody")
    for group in (picker, rows):
        assert group.get_by_role("button", pressed=True).count() == 1
    assert page.locator(".hw-map").get_by_role("columnheader").all_text_contents() == ENGLISH
    assert page.locator(".hw-map").get_by_role("rowheader").all_text_contents() == FRENCH
    assert page.get_by_role("radio", name="Cross").is_checked()
    assert page.locator("svg").first.get_attribute("aria-hidden") == "true"


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_words", [1, 8, 14, 40])
def test_a_360_px_screen_does_not_scroll_sideways(show, n_words):
    words = (ENGLISH * 5)[:n_words]
    page = show(
        HeadsWidget([{"encoder": {"rows": words, "columns": words, "weights": weights(words, words)}}]), width=360
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for selector in (".hw-picker button", ".cw-summary", ".hw-weights td"):
        right = page.locator(selector).evaluate_all(
            "all => Math.max(...all.map((n) => n.getBoundingClientRect().right))"
        )
        assert right <= 360
    scroll = page.locator(".hw-scroll").evaluate("node => [node.scrollWidth > node.clientWidth, node.tabIndex]")
    assert scroll == ([True, 0] if n_words == 40 else [False, -1])  # what scrolls, the keyboard reaches


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_and_numbers_can_be_read_in_both_themes(show, theme):
    sure = np.zeros((1, 1, 2, 2))
    sure[..., 0] = 1
    page = show(HeadsWidget([{"encoder": {"rows": ["a", "b"], "columns": ["a", "b"], "weights": sure}}]), theme=theme)
    page.add_style_tag(content="* { transition: none !important; }")
    for cell in page.locator(".hw-map tbody td").all():
        assert cell.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = "HeadsWidget: 'The small black cats do not sleep.' (run this cell to choose a head)"
    assert repr(widget()) == repr(widget(head=2)) == expected


def test_weights_are_rounded_to_three_decimals_and_tensors_are_taken():
    shown = widget()
    for kind in ("encoder", "decoder", "cross"):
        stored = np.array(shown.sentences[0][kind]["weights"])
        assert stored == pytest.approx(sentence()[kind]["weights"].numpy(), abs=0.00051)
        assert (stored * 1000 == pytest.approx((stored * 1000).round(), abs=1e-9)) is True
    assert shown.facts[1]["baseline"] is None


WORDS = ["a", "b"]
MAP = {"rows": WORDS, "columns": WORDS, "weights": np.full((1, 2, 2, 2), 0.5)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentences": []}, "sentences is empty; give at least one"),
        ({"sentences": [{"title": "x"}]}, "sentences[0] has no attention; give one of encoder, decoder, cross"),
        ({"sentences": [{"self": MAP}]}, "sentences[0] has 'self'; use title, encoder, decoder, cross"),
        (
            {"sentences": [{"cross": {"rows": WORDS, "columns": WORDS}}]},
            "sentences[0]['cross'] has no weights; give rows",
        ),
        ({"sentences": [{"cross": MAP | {"rows": ["a"]}}]}, "give (layers, heads, 1, 2) for these rows and columns"),
        ({"sentences": [{"cross": MAP | {"rows": "a b"}}]}, "sentences[0]['cross'] rows='a b' is one text"),
        ({"sentences": [{"cross": MAP | {"weights": MAP["weights"][0]}}]}, "give an array of 4 axes"),
        (
            {"sentences": [{"cross": MAP | {"weights": MAP["weights"] * 3}}]},
            "weights go from 1.5 to 1.5; weights are 0 to 1",
        ),
        ({"sentences": [{"cross": MAP | {"weights": MAP["weights"] * np.nan}}]}, "weights holds NaN or infinity"),
        ({"sentences": [{"cross": MAP | {"weights": [[1], [1, 2]]}}]}, "weights is not an array of numbers"),
        (
            {"sentences": [{"cross": MAP}, {"cross": MAP | {"weights": np.full((2, 2, 2, 2), 0.5)}}]},
            "sentences[1] has (layers, heads) {'cross': (2, 2)}, sentences[0] has {'cross': (1, 2)}; use one model",
        ),
        ({"facts": [{"kind": "cross", "text": "x"}]}, "facts[0] has no values; give kind, text, values"),
        (
            {"facts": [{"kind": "encoder", "text": "x", "values": [[1, 2]]}]},
            "no sentence has the kind 'encoder'; use one of",
        ),
        (
            {"facts": [{"kind": "cross", "text": "x", "values": [[1]]}]},
            "facts[0] values has shape (1, 1); give one number",
        ),
        ({"lost": {"cross": [[1, 2], [3, 4]]}}, "lost['cross'] has shape (2, 2); give one number for each of (1, 2)"),
        ({"kind": "decoder"}, "kind='decoder' is not one of 'cross'"),
        ({"layer": 1}, "layer=1 but there are 1 layers; use 0 to 0"),
        ({"head": 2}, "head=2 but there are 2 heads; use 0 to 1"),
        ({"head": -2}, "head=-2 but there are 2 heads"),
        ({"sentence": 1}, "sentence=1 but there are 1 sentences"),
        ({"selected": 2}, "selected=2 but there are 2 rows; use 0 to 1"),
    ],
)
def test_bad_data_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        HeadsWidget(**{"sentences": [{"cross": MAP}], **change})


def test_later_changes_are_checked_too():
    shown = widget(selected=7)
    with pytest.raises(ValueError, match="head=3 but there are 3 heads"):
        shown.head = 3
    with pytest.raises(ValueError, match="facts\\[0\\] has no kind"):
        shown.facts = [{"text": "x"}]
    with pytest.raises(ValueError, match=r"lost\['self'\]: no sentence has the kind 'self'"):
        shown.lost = {"self": [[1.0]]}
    shown.kind, shown.layer, shown.head = "encoder", 1, 2
    shown.sentences = [{"cross": MAP}]
    assert (shown.kind, shown.layer, shown.head, shown.selected) == ("cross", 0, 1, 1)
