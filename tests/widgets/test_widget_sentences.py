"""The sentence browser scores as sacreBLEU does, shows what it was given, and every reader can use it."""

import itertools
import random
import re

import numpy as np
import pytest
import sacrebleu
from accessibility import CONTRAST

from lessons_lib.translation.evaluation.bleu import words
from lessons_lib.widgets import SentenceBrowser

SOURCE = "The small cats do not sleep."
REFERENCE = "Les petits chats ne dorment pas."
LINKS = [(0, 0, 1), (1, 1, 1), (2, 2, 1), (3, 4, 0), (4, 5, 1), (4, 3, 0), (5, 4, 1)]


def weights(target, source, seed=0):
    draw = np.random.default_rng(seed)
    return draw.dirichlet(np.full(len(source.split()), 0.3), size=len(target.split()))


def sentence(
    source=SOURCE, reference=REFERENCE, greedy=REFERENCE, beam=None, split="first", tags=((), ()), links=LINKS
):
    beam = greedy if beam is None else beam
    attention = {"greedy": weights(greedy, source)} | ({"beam": weights(beam, source, 1)} if beam != greedy else {})
    tags = {"greedy": list(tags[0]), "beam": list(tags[1])}
    texts = {"source": source, "reference": reference, "greedy": greedy, "beam": beam}
    return {**texts, "split": split, "tags": tags, "attention": attention, "links": links}


WRONG = "Les petites chats dorment bien."
SENTENCES = [
    sentence(),
    sentence(greedy=WRONG, beam=REFERENCE, tags=(["negation", "other"], [])),
    sentence(
        "Élise sings.", "Élise chante.", "Élise dort.", "Paul dort.", "second", (["other"], ["name", "other"]), []
    ),
    sentence("He runs.", "Il court.", "", "Il court.", "second", (["too short"], []), [(0, 0, 1), (1, 1, 1)]),
]


def widget(**traits) -> SentenceBrowser:
    return SentenceBrowser(SENTENCES, **traits)


def trait(page, name):
    return page.evaluate(f"models[0].get({name!r})")


def listed(page) -> list[int]:
    return page.locator(".sb-list button").evaluate_all("all => all.map((b) => Number(b.dataset.sentence))")


def live(page) -> str:
    return page.locator(".cw-summary").text_content()


def menu(page, label):
    return page.get_by_role("combobox", name=label)


# --- arithmetic ------------------------------------------------------------------------------------------------------


def random_pairs(count: int) -> list[tuple[str, str]]:
    """Sentences that share some words, with marks, numbers, accents, an emoji, and now and then nothing in common."""
    draw = random.Random(0)
    stock = "le la chat l'ami aujourd'hui n'a pas 3,5 14:30 -7 dix-sept Élise « très »".split()
    stock += "🐈 x & &amp; (oui) U.S. , . ? !".split()
    pairs = [("", "un chat"), ("chat", "chat"), ("un", "deux"), ("a b", "a c"), ("  le  chat ", "le chat")]
    while len(pairs) < count:
        reference = [draw.choice(stock) for _ in range(draw.randint(1, 14))]
        hypothesis = [draw.choice(stock) if draw.random() < 0.3 else word for word in reference]
        hypothesis = hypothesis[: draw.randint(0, 14)] * draw.choice([1, 1, 1, 2])
        pairs.append((" ".join(hypothesis), " ".join(reference)))
    return pairs


def longest_common(a: list, b: list) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def places_of(match: list[int], length: int) -> list[int]:
    """Between each two words that are the same: one for one, where there are as many on either side."""
    fixed = [(-1, -1), *((i, j) for i, j in enumerate(match) if j >= 0), (len(match), length)]
    places = list(match)
    for (i, j), (next_i, next_j) in itertools.pairwise(fixed):
        if next_i - i == next_j - j:
            places[i + 1 : next_i] = range(j + 1, next_j)
    return places


def test_scores_are_sacrebleus_and_matches_are_longest_on_100_random_pairs(show):
    pairs = random_pairs(100)
    ours = show(widget()).evaluate(
        """(pairs) => pairs.map(([a, b]) => [
          module.split13a(a), module.sentenceBleu(a, b), module.sentenceChrf(a, b),
          module.matchWords(module.wordsOf(a), module.wordsOf(b)),
          module.placesOf(module.matchWords(module.wordsOf(a), module.wordsOf(b)), module.wordsOf(b).length),
        ])""",
        pairs,
    )
    for (hypothesis, reference), (split, bleu, chrf, match, stands_for) in zip(pairs, ours, strict=True):
        assert split == words(hypothesis)
        assert bleu == pytest.approx(sacrebleu.sentence_bleu(hypothesis, [reference]).score, abs=1e-5)
        assert chrf == pytest.approx(sacrebleu.sentence_chrf(hypothesis, [reference]).score, abs=1e-5)
        mine, theirs = hypothesis.split(), reference.split()
        places = [place for place in match if place >= 0]
        assert places == sorted(set(places))
        assert all(mine[i] == theirs[place] for i, place in enumerate(match) if place >= 0)
        assert len(places) == longest_common(mine, theirs)
        assert stands_for == places_of(match, len(theirs))


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_filters_orders_and_search(show):
    page = show(widget())
    assert listed(page) == [0, 1, 2, 3]
    menu(page, "Test").select_option(label="second")
    assert listed(page) == [2, 3]
    assert trait(page, "sentence") == 2  # what is shown is in the list
    menu(page, "Test").select_option(label="all")
    menu(page, "Error").select_option(label="other")
    assert listed(page) == [1, 2]
    page.get_by_role("radio", name="Beam").check(force=True)
    assert listed(page) == [2]
    menu(page, "Error").select_option(label="any, or none")
    for label, due in (
        ("worst first", [2, 0, 1, 3]),
        ("best first", [0, 1, 3, 2]),
        ("most gained by the beam", [3, 1, 0, 2]),
        ("most lost by the beam", [2, 0, 1, 3]),
        ("as in the test", [0, 1, 2, 3]),
    ):
        menu(page, "Order").select_option(label=label)
        assert listed(page) == due, label
    for text, due in (("elise", [2]), ("CHATS", [0, 1]), ("xyz", []), ("", [0, 1, 2, 3])):
        page.get_by_role("searchbox").fill(text)
        assert listed(page) == due
    page.get_by_role("searchbox").fill("xyz")
    assert page.locator(".sb-status").text_content() == "None of the 4 sentences is like that."


def test_the_list_and_the_lines_hold_the_scores(show):
    page = show(widget())
    for name, score in (("BLEU", sacrebleu.sentence_bleu), ("chrF", sacrebleu.sentence_chrf)):
        page.get_by_role("radio", name=name).check(force=True)
        due = [[score(one[k], [one["reference"]]).score for k in ("greedy", "beam")] for one in SENTENCES]
        shown = [int(text) for text in page.locator(".sb-list .sb-score").all_text_contents()]
        assert shown == pytest.approx([pair[0] for pair in due], abs=0.51)
        means = re.findall(r"([\d.]+) (?:greedy|beam)", page.locator(".sb-status").text_content())
        assert [float(mean) for mean in means] == pytest.approx(np.mean(due, axis=0), abs=0.051)
    page.locator(".sb-list button").nth(1).click()
    for system in ("greedy", "beam"):
        bleu, chrf = re.findall(r"[\d.]+", page.locator(f".sb-{system} .sb-scores").text_content())
        assert float(bleu) == pytest.approx(sacrebleu.sentence_bleu(SENTENCES[1][system], [REFERENCE]).score, abs=0.051)
        assert float(chrf) == pytest.approx(sacrebleu.sentence_chrf(SENTENCES[1][system], [REFERENCE]).score, abs=0.051)


def test_a_chosen_word_shows_where_it_looked_and_the_gold_link_is_ringed(show):
    page = show(widget())
    for t in range(6):
        page.locator(".sb-greedy button").nth(t).click()
        row = np.rint(100 * SENTENCES[0]["attention"]["greedy"][t])
        shown = page.locator(".sb-source .sb-words span").evaluate_all(
            "all => all.map((s) => Number(s.dataset.weight))"
        )
        assert shown == row.tolist()
        ringed = page.locator(".sb-source .sb-words span").evaluate_all(
            "all => all.map((s, i) => [i, s.className]).filter(([, name]) => name)"
        )
        due = sorted((s, "sb-gold" if sure else "sb-gold sb-possible") for target, s, sure in LINKS if target == t)
        assert [tuple(pair) for pair in ringed] == due
        top = int(row.argmax())
        assert f"looked most at '{SOURCE.split()[top]}' ({row[top]:.0f} %)" in live(page)
        right = any(s == top for s, _ in due)
        assert ("That is where it looked most." if right else "It looked elsewhere.") in live(page)


def test_differences_from_the_reference_are_marked_and_said(show):
    page = show(widget(sentence=1))
    off = page.locator(".sb-greedy .sb-off").all_text_contents()
    assert off == ["petites", "bien."]
    assert page.locator(".sb-reference .sb-lost").all_text_contents() == ["petits", "ne", "pas."]
    assert page.get_by_role("button", name="petites, not in the reference").count() == 1
    page.locator(".sb-greedy button").nth(1).click()
    assert "The reference has 'petits' in its place. Gold: 'small'." in live(page)
    page.locator(".sb-greedy button").nth(4).click()
    assert "The reference has 'pas.' in its place. Gold: 'not'." in live(page)
    assert "Errors: negation, other." in live(page)
    page.locator(".sb-beam button").nth(0).click()  # the other search's words: lost words are now those of the beam
    assert page.locator(".sb-reference .sb-lost").count() == 0
    assert trait(page, "system") == "beam"
    assert "Before 'Les', the beam looked" in live(page)


def test_a_translation_without_words_or_attention(show):
    page = show(widget(sentence=3))
    assert live(page) == "Greedy wrote nothing."
    plain = {key: SENTENCES[0][key] for key in ("source", "reference", "greedy", "beam")}
    page = show(SentenceBrowser([plain]))
    assert live(page) == "Greedy wrote 'Les'; what it looked at is not known."
    for label in ("Test", "Error"):
        assert not menu(page, label).is_visible()  # one test, no errors: nothing to choose


def test_what_is_chosen_can_be_seen_in_the_list(show):
    page = show(SentenceBrowser(SENTENCES * 12, sentence=40))
    inside = """() => {
      const [box, row] = [".sb-list", ".sb-list [aria-pressed=true]"].map((name) =>
        document.querySelector(name).getBoundingClientRect());
      return row.top >= box.top && row.bottom <= box.bottom + 1;
    }"""
    assert page.evaluate(inside)
    page.evaluate("document.querySelector('.sb-list').scrollTop = 0")
    page.locator(".sb-greedy button").first.click()  # who has scrolled away is not called back by another word
    assert page.evaluate("document.querySelector('.sb-list').scrollTop") == 0
    page.evaluate("models[0].set('sentence', 20)")
    assert page.evaluate(inside)


def test_python_redraws_by_changing_a_trait(show):
    page = show(widget())
    page.evaluate("models[0].set('sentence', 2)")
    assert page.locator(".sb-greedy button").all_text_contents() == ["Élise", "dort."]
    page.evaluate("models[0].set('split', 'first')")
    assert listed(page) == [0, 1]
    page.evaluate("models[0].set('sentences', models[0].get('sentences').slice(0, 1))")
    assert listed(page) == [0]


# --- keyboard, screen reader, guests ---------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(show):
    page = show(widget())
    focus = "({ ...document.activeElement.dataset })"
    for _ in range(12):
        page.keyboard.press("Tab")
        if "sentence" in page.evaluate(focus):
            break
    assert page.evaluate(focus)["sentence"] == "0"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert trait(page, "sentence") == 1
    page.keyboard.press("Tab")
    assert page.evaluate(focus)["word"] == "0"  # one stop of the Tab key for the list, one for each line of words
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    assert trait(page, "selected") == 1
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # there is nothing further
    page.keyboard.press("Enter")
    assert trait(page, "selected") == 4
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert trait(page, "system") == "beam"
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_and_one_pressed_button_a_group(show):
    page = show(widget())
    assert page.get_by_role("group", name="Translations of the test sets").count() == 1
    assert page.get_by_role("group", name="Sentences").get_by_role("button", pressed=True).count() == 1
    assert page.locator(".sb-words").get_by_role("button", pressed=True).count() == 1
    assert page.get_by_role("group", name="Beam: choose a word to see where it looked").count() == 1
    assert page.locator("[aria-live=polite]").count() == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_360_px_screen_does_not_scroll_sideways_and_words_can_be_read(show, theme):
    long = " ".join(f"{SOURCE} {'x' * 30}" for _ in range(6))
    sure = sentence(long, long, long, links=[(0, 0, 1)])
    sure["attention"]["greedy"][:] = 0
    sure["attention"]["greedy"][:, 0] = 1
    page = show(SentenceBrowser([sure, *SENTENCES]), width=360, theme=theme)
    page.add_style_tag(content="* { transition: none !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for selector in (".sb-words > *", ".sb-scores", ".cw-summary", ".cw-controls > *"):
        right = page.locator(selector).evaluate_all(
            "all => Math.max(...all.map((n) => n.getBoundingClientRect().right))"
        )
        assert right <= 360, selector
    assert page.locator(".sb-source .sb-words span").first.evaluate(CONTRAST) >= 4.5
    page.evaluate("models[0].set('sentence', 2)")
    for word in page.locator(".sb-greedy button.sb-off").all():
        assert word.evaluate(CONTRAST) >= 4.5


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed_and_weights_become_percent():
    expected = "SentenceBrowser: 'The small cats do not sleep.' (run this cell to browse them)"
    assert repr(widget()) == repr(widget(sentence=2)) == expected
    stored = widget().sentences[1]["attention"]["beam"]
    assert [[int(part) for part in row.split()] for row in stored] == np.rint(
        100 * SENTENCES[1]["attention"]["beam"]
    ).tolist()
    assert widget().sentences[0]["links"] == "0-0 1-1 2-2 4?3 5-4 3?4 4-5"
    assert widget().sentences[3]["attention"]["greedy"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentences": []}, "sentences is empty; give at least one"),
        ({"sentences": [{"source": "a", "reference": "b", "greedy": "c"}]}, "sentences[0] has no text 'beam'; give"),
        ({"sentences": [SENTENCES[0] | {"german": "a"}]}, "sentences[0] has 'german'; use source,"),
        ({"sentences": [SENTENCES[0] | {"greedy": "a " * 121}]}, "greedy has 121 words; give at most 120"),
        ({"sentences": [SENTENCES[0] | {"reference": " "}]}, "has a blank source or reference; leave it out"),
        ({"sentences": [SENTENCES[0] | {"tags": {"beams": []}}]}, "tags is no mapping from 'greedy' and 'beam'"),
        ({"sentences": [SENTENCES[0] | {"attention": {"greedy": [[1]]}}]}, "has shape (1, 1); give (6, 6)"),
        (
            {"sentences": [SENTENCES[0] | {"attention": {"greedy": 30 * np.ones((6, 6))}}]},
            "attention['greedy'] goes from 30 to 30; weights are 0 to 1",
        ),
        ({"sentences": [SENTENCES[0] | {"attention": {"greedy": np.full((6, 6), np.nan)}}]}, "weights are 0 to 1"),
        ({"sentences": [SENTENCES[0] | {"links": [(6, 0, 1)]}]}, "reference word=6 but there are 6 words; use 0 to 5"),
        ({"sentence": 4}, "sentence=4 but there are 4 sentences; use 0 to 3"),
        ({"selected": 6}, "selected=6 but there are 6 words; use 0 to 5"),
        ({"system": "sampling"}, "system='sampling' is not one of 'greedy', 'beam'"),
        ({"split": "third"}, "split='third' is not one of '', 'first', 'second'"),
        ({"tag": "taste"}, "tag='taste' is not one of '', 'name'"),
        ({"sort": "random"}, "sort='random' is not one of 'given', 'worst'"),
        ({"score": "TER"}, "score='TER' is not one of 'bleu', 'chrf'"),
    ],
)
def test_bad_data_is_refused_with_the_value_and_the_fix(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SentenceBrowser(**{"sentences": SENTENCES, **change})


def test_later_changes_are_checked_and_what_no_longer_exists_is_let_go():
    shown = widget(sentence=2, selected=1, split="second", tag="name")
    with pytest.raises(ValueError, match="sentence=9 but there are 4"):
        shown.sentence = 9
    shown.sentences = SENTENCES[:1]
    assert (shown.sentence, shown.selected, shown.split, shown.tag) == (0, 1, "", "")
