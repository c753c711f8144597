"""The splits: disjoint, the same for a seed, and each test set asks for what its name says."""

import re

import pytest

from lessons_lib.translation.data.corpus import load_grammar, load_grammar_tests
from lessons_lib.translation.data.grammar import LENGTHS, LONG, SHOWCASE, TESTS, fold, load_splits, load_tests, write
from lessons_lib.translation.data.language import adjectives, names, nouns, numbers, unseen, verbs
from lessons_lib.translation.data.language.meaning import Clause, Sentence, noun_phrase, verb
from lessons_lib.translation.data.language.small_words import PRONOUN
from lessons_lib.translation.data.language.words import rows

NAMES = ("in_distribution", "unseen_words", "unseen_constructions", "long")


@pytest.fixture(scope="module")
def training():
    """Training parts of two seeds: a test set has no sentence of any."""
    return [pair for seed in (0, 1) for pair in load_splits(6000, 200, 200, seed).train]


@pytest.fixture(scope="module")
def tests():
    return load_tests(200, seed=0)


def test_at_least_400_lemmas_in_each_language():
    common = [noun for noun in nouns.LEXICON if not noun.named]
    lemmas = [
        {noun.english for noun in common} | {word.english for word in (*adjectives.LEXICON, *verbs.LEXICON)},
        {noun.french for noun in common}
        | {adjective.masculine for adjective in adjectives.LEXICON}
        | {verb.french for verb in verbs.LEXICON},
    ]
    assert [len(part) >= 400 for part in lemmas] == [True, True], [len(part) for part in lemmas]


def test_names_differ_in_nothing_but_spelling():
    english = [noun.english.lower() for noun in nouns.LEXICON]
    assert len(set(english)) == len(english)
    assert all(noun.english == noun.french for noun in nouns.UNSEEN)
    assert len(nouns.UNSEEN) == len(rows(names.UNSEEN_NAMES)) == 20


def test_four_test_sets_of_the_size_asked(tests):
    assert tuple(tests) == NAMES == tuple(TESTS)
    assert [len(part) for part in tests.values()] == [200] * 4


def test_no_sentence_of_a_test_set_is_in_training_or_in_another(tests, training):
    for language in ("english", "french"):
        seen = {fold(getattr(pair, language)) for pair in training}
        seen |= {fold(getattr(write(sentence), language)) for sentence in SHOWCASE}
        for name, part in tests.items():
            assert not seen & {fold(getattr(pair, language)) for pair in part}, name
    english = [fold(pair.english) for part in tests.values() for pair in part]
    assert len(set(english)) == len(english)


def test_in_distribution_is_the_test_part_of_the_corpus():
    assert load_tests(50, seed=4)["in_distribution"] == load_splits(0, 0, 50, seed=4).test
    corpus, tests = load_grammar(4, n_train=0, n_valid=0, n_test=50), load_grammar_tests(4, n_test=50)
    assert tests["in_distribution"] == corpus.test
    assert list(tests) == list(NAMES)


def test_the_same_seed_gives_the_same_test_sets(tests):
    again = load_tests(200, seed=0)
    assert again == tests
    assert {name: part[:20] for name, part in again.items()} == load_tests(20, seed=0)
    assert not {pair.english for pair in load_tests(50, seed=1)["long"]} & {pair.english for pair in tests["long"]}


def words(part, language):
    texts = (fold(getattr(pair, language)) for pair in part)
    return {word for text in texts for word in text.replace("'", " ").split()}


def test_training_has_no_unseen_word_and_the_test_has_every_kind(tests, training):
    known = words(training, "english"), words(training, "french")
    asked = words(tests["unseen_words"], "english"), words(tests["unseen_words"], "french")
    copied = {noun.english.lower() for noun in nouns.UNSEEN}
    composed = {numbers.english(n) for n in range(21, 100) if unseen.unseen_number(n)}
    plurals = {noun.english_plural for noun in nouns.LEXICON if noun.english in unseen.SINGULAR_ONLY}
    feminines = {a.feminine for a in adjectives.LEXICON if a.english in unseen.MASCULINE_ONLY}
    pasts = {verb.past for verb in verbs.LEXICON if verb.english in unseen.PRESENT_ONLY}
    for kind, language in ((copied, 0), (composed, 0), (plurals, 0), (feminines, 1), (pasts, 0)):
        assert kind
        assert not kind & known[language]
        assert kind & asked[language]
    assert not {word for word in known[0] if word.isdigit() and unseen.unseen_number(int(word))}
    assert {word for word in asked[0] if word.isdigit() and unseen.unseen_number(int(word))}


def test_the_words_of_unseen_forms_are_known_in_another_form(training):
    known = words(training, "english") | words(training, "french")
    listed = unseen.SINGULAR_ONLY | unseen.MASCULINE_ONLY | unseen.PRESENT_ONLY
    assert listed <= {word.english for word in (*nouns.LEXICON, *adjectives.LEXICON, *verbs.LEXICON)}
    assert listed <= known
    parts = {part for n in range(21, 100) if unseen.unseen_number(n) for part in numbers.english(n).split("-")}
    assert len(parts) >= 10
    seen = {part for word in known for part in word.split("-")}
    assert parts <= seen


HE, SHE, IT = PRONOUN["he"], PRONOUN["she"], PRONOUN["it"]
UNSEEN = {
    "doesn't he see her": Clause(HE, verb("see"), question="yes-no", polarity="not", object=SHE),
    "he does not give it to her": Clause(HE, verb("give"), polarity="not", object=IT, recipient=SHE),
    "he is not going to see her": Clause(HE, verb("see"), tense="going to", polarity="not", object=SHE),
}
SEEN = {
    "he does not see her": Clause(HE, verb("see"), polarity="not", object=SHE),
    "he gives it to her": Clause(HE, verb("give"), object=IT, recipient=SHE),
    "he is going to see her": Clause(HE, verb("see"), tense="going to", object=SHE),
    "does he see her": Clause(HE, verb("see"), question="yes-no", object=SHE),
    "he does not see the cat": Clause(HE, verb("see"), polarity="not", object=noun_phrase("the cat")),
}


@pytest.mark.parametrize("english", UNSEEN | SEEN)
def test_unseen_constructions(english):
    said = Sentence((UNSEEN | SEEN)[english], written=False)
    assert write(said).english == english
    assert unseen.has_unseen_construction(said) == (english in UNSEEN)
    inside = Sentence(Clause(SHE, verb("say"), that=said.main))
    assert unseen.has_unseen_construction(inside) == (english in UNSEEN)


INFINITIVE = f"(?:{'|'.join(verb.french for verb in verbs.LEXICON)})"
FINITE = r"(?:vais|vas|va|allons|allez|vont|veu\w+|voul\w+|peu\w+|pouv\w+|doi\w+|dev\w+)"
CLITIC = r"(?:me|te|le|la|les|lui|leur|nous|vous)"
CONSTRUCTIONS = {
    "clitic before the infinitive after a negation": rf"\b{FINITE} (?:pas|jamais) (?:{CLITIC} |l'){INFINITIVE}\b",
    "two clitics after ne": r"\bne (?:me|te|nous|vous) (?:l[ea]s? |l')|\bne (?:l[ea]s?) (?:lui|leur)\b",
    "question about a relative clause": r"^(?:est-ce|pourquoi).* (?:le|la|un|une|ce|cet|cette) \w+ qui .* \?$",
}


@pytest.mark.parametrize("rule", CONSTRUCTIONS)
def test_training_never_shows_them_and_the_test_does(rule, tests, training):
    wanted = re.compile(CONSTRUCTIONS[rule])
    assert not [pair.french for pair in training if wanted.search(pair.french.lower())]
    assert [pair.french for pair in tests["unseen_constructions"] if wanted.search(pair.french.lower())]


def test_long_sentences_are_longer_than_training(tests, training):
    lengths = [len(pair.english.split()) for pair in training]
    assert max(lengths) == max(LENGTHS) < min(LONG)
    assert all(len(pair.english.split()) in LONG for pair in tests["long"])


def test_long_sentences_have_only_known_words(tests, training):
    known = words(training, "english")
    assert len(words(tests["long"], "english") - known) < 12


def test_no_long_sentence_says_but_twice(tests):
    assert not [pair.french for pair in tests["long"] if pair.french.split().count("mais") > 1]


def test_every_pair_of_the_tests_is_aligned(tests):
    for part in tests.values():
        for pair in part:
            assert {i for i, _ in pair.alignment} == set(range(len(pair.english.split()))), pair
            assert {j for _, j in pair.alignment} == set(range(len(pair.french.split()))), pair


def test_a_negative_size_is_named():
    with pytest.raises(ValueError, match=r"n_pairs=-1 is negative; use 0 or more"):
        load_tests(-1)
