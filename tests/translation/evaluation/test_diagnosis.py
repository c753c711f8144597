"""The diagnosis: each rule with sentences that it must and must not catch, the numbers, and the page."""

import re
from html.parser import HTMLParser

import pytest
from toy import toy_corpus, toy_model, toy_translator

from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.evaluation.diagnosis.categories import CATEGORIES, Example, tags
from lessons_lib.translation.evaluation.diagnosis.measure import diagnose, rare_words, score_by_length
from lessons_lib.translation.evaluation.diagnosis.page import render, write_page
from lessons_lib.translation.evaluation.diagnosis.text import (
    NUMBER_WORDS,
    bare,
    is_negated,
    names,
    numbers,
    repeats,
    words,
)
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.translator import Translation, Translator

RULES = {category.name: category.applies for category in CATEGORIES}


@pytest.mark.parametrize(
    ("kind", "source", "hypothesis", "reference", "applies"),
    [
        ("too short", "", "le chat", "le chat noir dort ici", True),
        ("too short", "", "le chat noir dort", "le chat noir dort ici", False),
        ("too short", "", "oui", "oui oui", False),
        ("too short", "", "", "il dort", True),
        ("too long", "", "le chat noir dort ici ce soir", "le chat noir dort", True),
        ("too long", "", "le chat noir dort ici", "le chat noir dort", False),
        ("number", "", "il a trois chats", "il a deux chats", True),
        ("number", "", "il a 2 chats", "il a deux chats", False),
        ("number", "", "en 1989", "en 1998", True),
        ("number", "", "vingt et un jours", "21 jours", False),
        ("number", "", "un chat", "le chat", False),
        ("name", "I see Alice", "je vois Anne", "je vois Alice", True),
        ("name", "Alice's cat", "Le chat d'Alice", "Le chat d'Alice", False),
        ("name", "Alice sleeps.", "Anne dort.", "Alice dort.", True),
        ("name", "The cat sleeps.", "Un chat dort.", "Le chat dort.", False),
        ("negation", "", "il dort", "il ne dort pas", True),
        ("negation", "", "il n'aime pas", "il aime", True),
        ("negation", "", "il n’aime pas", "il ne mange pas", False),
        ("repetition", "", "le chat le chat dort", "le chat dort", True),
        ("repetition", "", "il dort dort", "il dort", True),
        ("repetition", "", "nous nous levons", "nous nous levons tôt", False),
        ("copied word", "the cat sleeps", "le cat dort", "le chat dort", True),
        ("copied word", "the table is on 100", "la table est sur 100", "la table est là", False),
        ("word order", "", "le noir chat dort.", "le chat noir dort", True),
        ("word order", "", "le noir chat mange", "le chat noir dort", False),
    ],
)
def test_rules(kind, source, hypothesis, reference, applies):
    assert RULES[kind](Example(source, hypothesis, reference)) == applies


@pytest.mark.parametrize(("hypothesis", "applies"), [("la toque dort", True), ("la Girouette dort", False)])
def test_rule_of_rare_words(hypothesis, applies):
    example = Example("", hypothesis, "la girouette dort", frozenset({"girouette"}))
    assert RULES["rare word"](example) == applies


def test_every_rule_is_tried_above():
    marks = [mark for mark in test_rules.pytestmark if mark.name == "parametrize"]
    tried = {(case[0], case[-1]) for case in marks[0].args[1]}
    assert tried == {(name, applies) for name in RULES if name != "rare word" for applies in (True, False)}


def test_tags():
    assert tags(Example("a", "le chat dort", "le chat  dort ")) == []
    assert tags(Example("a", "le chat mange", "le chat dort")) == ["other"]
    assert tags(Example("a", "", "il ne dort pas")) == ["too short", "negation"]


def test_words_and_what_they_are():
    assert words("L’ami « dort-il » à 14:30 ?") == ["L’ami", "dort-il", "à", "14:30"]
    assert [bare(word) for word in ("d'Alice", "qu’elle", "Alice's", "aujourd'hui", "l'")] == [
        "Alice",
        "elle",
        "Alice",
        "aujourd'hui",
        "l'",
    ]
    assert is_negated("N'y va pas")
    assert not is_negated("une amie neuve")
    assert names("Il voit Paris. Puis Bob dort. Jean rit.", "He sees Paris. Then Bob sleeps. Jean laughs.") == {
        "Paris",
        "Bob",
        "Jean",
    }
    assert repeats("a b a b".split()) == {("a", "b"): 1}


def test_french_numbers():
    assert {*range(2, 101), 0, 1000} == set(NUMBER_WORDS.values())
    spelled = {"soixante-et-onze": 71, "quatre-vingts": 80, "quatre-vingt-un": 81, "quatre-vingt-dix-sept": 97}
    assert {name: NUMBER_WORDS[name] for name in spelled} == spelled
    assert numbers("vingt et une pommes, 3,5 kilos et 1\u202f000 euros") == {"21": 1, "3,5": 1, "1000": 1}
    assert numbers("un jour, une nuit") == {}


def test_rare_words_are_those_in_many_pieces():
    tokenizer = toy_translator().tokenizer
    assert rare_words("Le chat et l'xylophone: Voltaire, le chien-chat, 1234", tokenizer) == {
        "l'xylophone",
        "Voltaire",
    }


def test_scores_by_length():
    sources, references = ["a b", "a b c d e", "x " * 50, "c"], ["un", "deux trois quatre cinq", "six", "sept"]
    groups = score_by_length(sources, references, references)
    assert [(group.first, group.last, group.sentences) for group in groups] == [(0, 4, 2), (5, 8, 1), (41, None, 1)]
    assert groups[1].bleu == pytest.approx(100)
    assert groups[0].chrf == pytest.approx(100)


@pytest.fixture(scope="module")
def found():
    pairs = [
        *toy_corpus().test,
        Pair("<script> cat", "<b>le chien</b> & le chat"),
        Pair("", ""),
        Pair("the dog", ""),
    ]
    return pairs, diagnose(toy_translator(), pairs, beam=3, worst=5)


def test_diagnosis(found):
    pairs, diagnosis = found
    translations = toy_translator().translate([pair.source for pair in pairs])
    texts, references = [t.text for t in translations], [pair.target for pair in pairs]
    assert diagnosis.greedy.scores == score(texts, references)
    assert diagnosis.comparison.a.bleu == diagnosis.greedy.scores.bleu
    assert diagnosis.comparison.b.bleu == diagnosis.beam.scores.bleu
    assert diagnosis.sentences == 23 == sum(group.sentences for group in diagnosis.by_length)
    wrong = sum(text.split() != reference.split() for text, reference in zip(texts, references, strict=True))
    assert diagnosis.greedy.exact == 23 - wrong
    assert sum(diagnosis.categories.values()) >= wrong
    assert set(diagnosis.categories) == set(diagnosis.rules)
    assert [sentence.chrf for sentence in diagnosis.worst] == sorted(sentence.chrf for sentence in diagnosis.worst)
    assert {22 - 1, 23} <= {sentence.number for sentence in diagnosis.worst}
    for sentence in diagnosis.worst:
        assert (sentence.source, sentence.reference) == pairs[sentence.number - 1][:2]
        assert sentence.greedy == texts[sentence.number - 1]
        cut_off = len(toy_translator().tokenizer.encode(sentence.greedy)) >= toy_translator().model.config.max_length
        assert len(sentence.attention) == (0 if cut_off else len(sentence.greedy.split()))


class Reader(HTMLParser):
    """Which tags the page has, and that each is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_page(found):
    _, diagnosis = found
    html = render(diagnosis, "runs/<b>toy")
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    names = {tag for tag, _ in reader.tags}
    assert not {"script", "link", "img", "b"} & names
    assert not re.search(r"url\(|https?:|@import", html)
    assert "<script> cat" in reader.text
    assert "runs/<b>toy" in reader.text
    assert diagnosis.greedy.scores.signature in reader.text
    assert all(rule in reader.text for rule in diagnosis.rules.values())
    (chart,) = (attributes for tag, attributes in reader.tags if tag == "svg")
    assert chart["role"] == "img"
    assert "1–4 words: BLEU" in chart["aria-label"]
    assert sum(tag == "caption" for tag, _ in reader.tags) == sum(tag == "table" for tag, _ in reader.tags)
    assert all("scope" in attributes for tag, attributes in reader.tags if tag == "th")
    assert sum(tag == "article" for tag, _ in reader.tags) == len(diagnosis.worst)


def test_page_is_written_whole(found, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_page(path, found[1], "title")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_page_without_worst_sentences():
    diagnosis = diagnose(toy_translator(), toy_corpus().test[:4], beam=2, worst=0)
    assert diagnosis.worst == []
    assert "none was asked for" in render(diagnosis, "title")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"beam": 1}, "beam=1 is greedy search"), ({"beam": 999}, "beam=999"), ({"worst": -1}, "worst=-1 is negative")],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        diagnose(toy_translator(), toy_corpus().test[:2], **options)


class Parrot(Translator):
    """Says the same, whatever it is asked."""

    def __init__(self, text: str):
        super().__init__(*toy_model())
        self.text = text

    def translate(self, sentences, **_):
        return [Translation(sentence, self.text, [], [], 0.0, None, [], []) for sentence in sentences]


@pytest.mark.parametrize(("words", "is_cut_off"), [(23, False), (24, True)])
def test_a_translation_cut_off_by_the_model_has_no_attention(words, is_cut_off):
    """A translation of 24 tokens fills this model, so that no place is left for ``</s>``."""
    translator = Parrot(" ".join(["chat"] * words))
    assert len(translator.tokenizer.encode(translator.text)) == words
    (worst,) = diagnose(translator, [Pair("the cat", "le chat")], beam=2).worst
    assert worst.tags[0] == "too long"
    assert [len(row) for row in worst.attention] == ([] if is_cut_off else [2] * words)


def test_nothing_to_diagnose():
    with pytest.raises(ValueError, match="at least one"):
        diagnose(toy_translator(), [])
