"""The tree of beam search finds what the library's search finds, says each step, and is open to everybody."""

import functools
import re

import pytest
import torch
from torch import nn

from lessons_lib.config import TransformerConfig
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import load_grammar_tests
from lessons_lib.translation.search import beam_tree as builder
from lessons_lib.translation.search.beam_tree import beam_tree
from lessons_lib.translation.search.decoding import greedy, n_best
from lessons_lib.widgets import BeamTree
from lessons_lib.widgets import beam as widget_module

TEXT = "the small black cats do not sleep"
SURPRISING = ["does this girl who walks in the garden live in Barcelona", "I have already borrowed the poem"]
# By hand: greedy says "a" (0.6) and ends at 0.6 · 0.5; a beam of 2 finds "b" (0.4 · 0.9).
TINY = {
    "source": "tiny",
    "pieces": ["</s>", "▁a", "▁b", "c"],
    "end": 0,
    "limit": 4,
    "nodes": [
        [[1, -0.5108256, 1], [2, -0.9162907, 2], [3, -6.0, -1], [0, -7.0, -1]],
        [[0, -0.6931472, -1], [3, -1.3862944, 3], [1, -1.6, -1], [2, -3.0, -1]],
        [[0, -0.1053605, -1], [3, -3.0, 4], [1, -4.0, -1], [2, -5.0, -1]],
        [[0, -0.05, -1], [1, -3.5, -1], [2, -4.0, -1], [3, -5.0, -1]],
        [[0, -0.05, -1], [1, -3.5, -1], [2, -4.0, -1], [3, -5.0, -1]],
    ],
}


@functools.cache
def translator():
    return load_course_translator("cpu")


@functools.cache
def tree_of(text: str) -> dict:
    return beam_tree(translator(), text)


def tiny(**traits) -> BeamTree:
    return BeamTree([TINY], **{"width": 2, **traits})


def press(page, name: str, times: int = 1):
    for _ in range(times):
        page.get_by_role("button", name=name, exact=True).click(force=True)  # some look as if they could not be pressed


def trait(page, name: str, widget: int = 0):
    return page.evaluate(f"models[{widget}].get('{name}')")


# --- arithmetic ------------------------------------------------------------------------------------------------------


def test_the_page_finds_what_the_library_finds(show, unchecked_shapes):
    """The winner and the others, for sentences of four kinds, every width and every length penalty."""
    texts = [pair.source for part in load_grammar_tests(n_test=2).values() for pair in part] + SURPRISING
    trees = [tree_of(text) for text in texts]
    cases = [(w, a) for w in range(1, widget_module.MAX_WIDTH + 1) for a in widget_module.LENGTH_PENALTIES]
    found = show(tiny()).evaluate(
        "([trees, cases]) => trees.map((tree) => cases.map(([w, a]) => module.search(tree, w, a).ranking))",
        [trees, cases],
    )
    tokenizer, model, wider = translator().tokenizer, translator().model, 0
    for text, tree, by_case in zip(texts, trees, found, strict=True):
        src = torch.tensor([[*tokenizer.encode(text), tokenizer.eos_id]])
        for (width, penalty), ranking in zip(cases, by_case, strict=True):
            expected = n_best(model, src, width, penalty)[0]
            assert len(ranking) == len(expected)
            for ours, theirs in zip(ranking, expected, strict=True):
                assert [tree["pieces"][i] for i in ours["pieces"]] == tokenizer.pieces(theirs.tokens)
                assert ours["total"] == pytest.approx(theirs.log_probability, abs=1e-5)
                assert ours["score"] == pytest.approx(theirs.normalised(penalty), abs=1e-5)
        alone = greedy(model, src)[0]
        assert by_case[0][0]["total"] == pytest.approx(alone.log_probability, abs=1e-5)
        wider += by_case[-1][0]["total"] > by_case[0][0]["total"] + 1e-3
    assert wider >= 2  # in some of them a beam finds something more probable than greedy search


BOS, END = 1, 2


def random_tree(seed: int, vocabulary: int = 8, limit: int = 4) -> dict:
    """Every beginning of up to ``limit`` − 1 tokens, with all its children."""
    draw = torch.Generator().manual_seed(seed)
    nodes, waiting = [None], [(0, 0)]
    while waiting:
        number, depth = waiting.pop(0)
        children = []
        logs = torch.randn(vocabulary, generator=draw, dtype=torch.float64) * 1.5
        logs[[0, BOS]] = -100.0  # nobody writes padding or the start mark
        logs = logs.log_softmax(-1)
        for piece in logs.argsort(descending=True).tolist():
            onward = -1
            if piece != END and depth + 1 < limit:
                onward = len(nodes)
                nodes.append(None)
                waiting.append((onward, depth + 1))
            children.append([piece, logs[piece].item(), onward])
        nodes[number] = children
    pieces = ["<pad>", "<s>", "</s>", "▁a", "▁b", "▁c", "▁d", "▁e"]  # numbered as the tokens of `TreeModel`
    return {"source": "random", "pieces": pieces, "end": END, "limit": limit, "nodes": nodes}


class TreeModel(Transformer):
    """A stand-in for a model, for `n_best`: its log-probabilities are those of a tree."""

    def __init__(self, tree: dict):
        nn.Module.__init__(self)
        self.tree = tree
        self.config = TransformerConfig(len(tree["pieces"]), d_model=8, n_heads=1, max_length=tree["limit"])

    def encode(self, src):
        return src

    def new_cache(self, memory, limit):
        self.at = None
        return self

    def reorder(self, rows, beam=1):
        self.at = torch.zeros_like(rows) if self.at is None else self.at[rows]

    def decode_step(self, tokens, cache, mask):
        if (tokens != self.config.bos_id).any() or self.at.any():
            steps = zip(self.at.tolist(), tokens[:, 0].tolist(), strict=True)
            self.at = torch.tensor([next(n for piece, _, n in self.tree["nodes"][at] if piece == t) for at, t in steps])
        logs = torch.empty(len(self.at), self.config.vocab_size)
        for row, at in enumerate(self.at.tolist()):
            for piece, log, _ in self.tree["nodes"][at]:
                logs[row, piece] = log
        return logs


def test_100_random_trees_are_searched_as_the_library_does(show, unchecked_shapes):
    trees = [random_tree(seed) for seed in range(100)]
    cases = [(1 + seed % 3, (0.0, 0.6, 1.0, 2.0)[seed % 4]) for seed in range(100)]
    found = show(tiny()).evaluate(
        "([trees, cases]) => trees.map((tree, i) => module.search(tree, ...cases[i]).ranking)", [trees, cases]
    )
    for tree, (width, penalty), ranking in zip(trees, cases, found, strict=True):
        expected = n_best(TreeModel(tree), torch.tensor([[5]]), width, penalty)[0]
        assert [one["pieces"] for one in ranking] == [one.tokens for one in expected]
        for ours, theirs in zip(ranking, expected, strict=True):
            assert ours["total"] == pytest.approx(theirs.log_probability, abs=1e-5)
            assert ours["score"] == pytest.approx(theirs.normalised(penalty), abs=1e-5)


def test_the_tree_holds_every_beginning_that_a_search_expands_and_no_more():
    tree = tree_of(TEXT)
    reached = {child for node in tree["nodes"] for _, _, child in node} - {-1}
    assert reached == set(range(1, len(tree["nodes"])))
    assert all(len(node) == 10 for node in tree["nodes"])
    assert all(node == sorted(node, key=lambda child: -child[1]) for node in tree["nodes"])
    assert builder.LENGTH_PENALTIES == widget_module.LENGTH_PENALTIES
    text = "".join(tree["pieces"][piece] for piece in winner(tree)).replace("▁", " ")
    assert text == " les petits chats noirs ne dorment pas</s>"
    assert len(str(tree)) < 40_000


def winner(tree: dict) -> list[int]:
    """Greedily, the most probable child of each node."""
    pieces, node = [], 0
    while node >= 0:
        piece, _, node = tree["nodes"][node][0]
        pieces.append(piece)
    return pieces


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_each_step_is_drawn_and_said_and_the_end_names_the_winner(show):
    page = show(tiny())
    assert page.locator(".bt-nodes button").count() == 1
    assert page.locator("[aria-live]").first.text_content() == (
        "2 beams, nothing written yet. The search will take 2 steps."
    )
    press(page, "Step")
    assert trait(page, "step") == 1
    assert page.locator(".bt-nodes button").all_inner_texts() == ["<s>", "▁a\n−0.51", "▁b\n−0.92"]
    assert "Step 1 of 2, 2 beams. Kept: 'a', 'b'." in page.locator("[aria-live]").first.text_content()
    assert page.locator(".bt-candidates tbody tr").count() == 4
    assert page.locator(".bt-ranking").is_hidden()
    press(page, "Step")
    said = page.locator("[aria-live]").first.text_content()
    assert "Ended together: 'b', 'a'. The search stops. Best: 'b', log-probability −1.02." in said
    assert "Greedy search would write 'a', log-probability −1.20" in said
    assert page.locator(".bt-candidates tbody tr td:last-child").all_text_contents() == [
        "ended",
        "ended",
        "kept",
        "kept",
    ]
    assert page.locator(".bt-ranking tbody th").all_text_contents() == ["b", "a"]
    assert page.locator(".bt-nodes .bt-winner").all_inner_texts() == ["<s>", "▁b\n−0.92", "</s>\n−1.02"]
    press(page, "Step")  # there is no further step
    assert trait(page, "step") == 2
    press(page, "Back")
    assert page.locator(".bt-nodes button").count() == 3
    press(page, "End")
    press(page, "Start")
    assert trait(page, "step") == 0
    press(page, "Back")
    assert trait(page, "step") == 0


def test_another_width_or_penalty_searches_again(show):
    page = show(BeamTree([tree_of(TEXT), TINY], width=1, step=99))
    assert "Best: 'les petits chats noirs ne dorment pas'" in page.locator("[aria-live]").first.text_content()
    page.locator("select").select_option(index=1)
    assert "Best: 'a'" in page.locator("[aria-live]").first.text_content()  # the end of the other search
    page.locator("input[value='2']").first.check(force=True)
    assert trait(page, "width") == 2
    assert "Best: 'b'" in page.locator("[aria-live]").first.text_content()
    before = page.locator(".bt-ranking td:last-child").all_text_contents()
    page.locator("input[value='0']").check(force=True)
    assert trait(page, "length_penalty") == 0
    after = page.locator(".bt-ranking td:last-child").all_text_contents()
    assert after != before
    assert after == ["−1.022", "−1.204"]


def test_python_redraws_by_changing_a_trait(show):
    page = show(tiny())
    page.evaluate("models[0].set('step', 1)")
    assert page.locator(".bt-nodes button").count() == 3
    page.evaluate("models[0].set('width', 1)")
    assert page.locator(".bt-nodes button").all_inner_texts() == ["<s>", "▁a\n−0.51"]


def test_a_click_on_a_beginning_says_what_the_model_would_say_next(show):
    page = show(tiny(step=1))
    page.locator(".bt-nodes button").nth(2).click()
    assert page.locator(".bt-chosen").text_content() == (
        "'b': log-probability −0.92, normalised −0.92. Next, says the model: </s> 0.900, c 0.050, ▁a 0.018, ▁b 0.007."
    )
    assert page.locator(".bt-nodes [aria-pressed=true]").count() == 1
    assert page.locator("path.bt-path").count() == 1
    page.locator(".bt-nodes button").nth(2).click()
    assert page.locator(".bt-chosen").is_hidden()


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(tiny())
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Step":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press(" ")
    assert trait(page, "step") == 2
    assert page.evaluate("document.activeElement.textContent") == "Step"  # the focus stays
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.parentNode.className") == "bt-nodes"  # one stop for the whole tree
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".bt-chosen").text_content().startswith("'a': log-probability −0.51")
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_and_states(show):
    page = show(tiny(step=2))
    assert page.get_by_role("group", name="Beam search, step by step").count() == 1
    assert page.get_by_role("group", name="Steps of the search").get_by_role("button").count() == 4
    assert page.get_by_role("radio", name="2", exact=True).first.is_checked()
    names = page.locator(".bt-nodes button").evaluate_all("all => all.map((b) => b.getAttribute('aria-label'))")
    assert names[0] == "the start"
    assert "step 2, </s>: 'b', log-probability −1.02, ended" in names
    assert page.locator(".bt-inner svg").get_attribute("aria-hidden") == "true"


# --- a guest on any page ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 5])
def test_a_360_px_screen_does_not_scroll_sideways(show, width):
    page = show(BeamTree([tree_of(TEXT)], width=width, step=99), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for selector in (".cw-controls", ".bt-tree", ".cw-summary", ".bt-candidates td"):
        right = page.locator(selector).evaluate_all(
            "all => Math.max(...all.map((n) => n.getBoundingClientRect().right))"
        )
        assert right <= 360


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = f"BeamTree: '{TEXT}' (run this cell to step through it)"
    assert repr(BeamTree([tree_of(TEXT)])) == repr(BeamTree([tree_of(TEXT)], width=1, step=3)) == expected


def changed(**parts) -> dict:
    return {"sentences": [{**TINY, **parts}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentences": []}, "sentences is empty; give at least one tree, beam_tree(translator, text)"),
        ({"sentences": [{"source": "x"}]}, "sentences[0] has no pieces; give source, pieces, end, limit, nodes"),
        (changed(end=4), "sentences[0] end=4 but there are 4 pieces; use 0 to 3"),
        (changed(limit=0), "sentences[0] limit=0; a translation may have at least 1 token"),
        (changed(nodes=[]), "sentences[0] nodes is empty; the first one is the root"),
        (changed(nodes=[[]]), "sentences[0] nodes[0] has no children; mark what is not expanded"),
        (changed(nodes=[[[9, -1.0, -1]]]), "sentences[0] nodes[0] piece=9 but there are 4 pieces"),
        (changed(nodes=[[[1, 0.5, -1]]]), "sentences[0] nodes[0] holds the log-probability 0.5; use finite numbers up"),
        (changed(nodes=[[[1, float("nan"), -1]]]), "holds the log-probability nan"),
        (changed(nodes=[[[1, -1.0, 0]]]), "nodes[0] leads to node 0; use -1, or a later one of the 1 nodes"),
        ({"sentence": 1}, "sentence=1 but there are 1 sentences; use 0 to 0"),
        ({"width": 6}, "width=6 is not on offer; use 1 to 5"),
        ({"length_penalty": 0.5}, "length_penalty=0.5 is not on offer; use one of 0, 0.6, 1, 2"),
        ({"step": -1}, "step=-1 is negative; use 0 for the start"),
    ],
)
def test_bad_data_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        BeamTree(**{"sentences": [TINY], **change})


def test_later_changes_are_checked_too():
    shown = BeamTree([TINY, TINY], sentence=1)
    with pytest.raises(ValueError, match="width=0 is not on offer"):
        shown.width = 0
    with pytest.raises(ValueError, match="sentences is empty"):
        shown.sentences = []
    shown.sentences = [TINY]
    assert shown.sentence == 0
