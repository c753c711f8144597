"""The corpus as a whole: the same for a seed, no leak between splits, no form that either language forbids."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from lessons_lib.translation.data.grammar import LENGTHS, SHOWCASE, fold, generate, load_splits, write
from lessons_lib.translation.data.language import adjectives, nouns, small_words, verbs
from lessons_lib.translation.data.language.combinations import combinations, held_out
from lessons_lib.translation.data.language.conjugation import present
from lessons_lib.translation.data.language.sampling import sample_sentence

VOWEL = "[aeiouhâàéèêîôûœ]"
ASPIRATED = "(?:héros|hibou|hiboux|hache|haches|huit|onze)\\b"
BEFORE = (
    "(?:petite?s|grande?s|vieux|vieilles|jeunes|beaux|belles|bon(?:ne)?s|mauvais(?:es)?|nou\\w+x|nouvelles|jolie?s)"
)


class TwoValues(random.Random):
    """Chance with two values only, so that sentences come again."""

    def __init__(self, seed: int):
        super().__init__(seed)
        self.shift = seed * 0.618 % 1

    def random(self) -> float:
        return (int(2 * super().random()) + self.shift) / 2


@pytest.fixture(scope="module")
def pairs():
    return generate(4000, seed=1)


@pytest.fixture(scope="module")
def splits():
    return load_splits(n_train=6000, n_valid=200, n_test=200, seed=0)


FORBIDDEN_FRENCH = {
    "no contraction": r"\b(?:de|à) les?\b",
    "no elision": rf"\b(?:le|la|de|ne|je|me|te|que) (?!{ASPIRATED}){VOWEL}",
    "elision before an aspirated h": rf"'{ASPIRATED}",
    "croire des": r"\bcroi\w+ (?:pas |jamais )?(?:des?|du|de la|d'|de l') ?\w+",
    "si il": r"\bsi ils?\b",
    "du before a vowel": rf"\bdu (?!{ASPIRATED}){VOWEL}",
    "ma, ce before a vowel": rf"\b(?:ma|ta|sa|ce) (?!{ASPIRATED}){VOWEL}",
    "beau before a vowel": rf"\b(?:beau|nouveau) (?!et\b|{ASPIRATED}){VOWEL}",
    "cet, bel before a consonant": rf"\b(?:cet|bel|vieil|nouvel) (?:{ASPIRATED}|(?!{VOWEL}))",
    "pas un, pas des": r"^(?!.*\brev[ei]).*\b(?:pas|jamais|plus) (?:un|une|du|de la|des)\b",
    "des before an adjective": rf"^(?!.*(?:près des|\brev[ei])).*\bdes {BEFORE}\b",
    "plural subject, singular verb": r"^(?:les|mes|ces|ils|elles) (?:\w+ )?(?:est|a|va|n'est|n'a) ",
    "singular subject, plural verb": r"^(?:le|la|une?|mon|son|il|elle) (?:\w+ )?(?:sont|ont|vont|n'ont) ",
    "masculine adjective": r"\belles? (?:n'|ne )?(?:est|sont|étai\w+) (?:pas )?(?:prêts?|fatigués?|occupés?|heureux)\b",
    "participle without agreement": r"\b(?:elle est|elles sont) (?:pas )?(?:allé|arrivé|tombé|venu|parti|sorti)s?\b",
    "doubled word": r"\b(?!nous nous|vous vous)(\w+) \1\b",
}
FORBIDDEN_ENGLISH = {
    "a before a vowel": r"\ba (?!useful|universit)[aeiou]",
    "an before a consonant": r"\ban (?!honest)[^aeiouEI]",
    "plural verb": r"\b(?:he|she) (?:do|don't|are|were|haven't)\b",
    "plural verb after it": r"(?:^|\b(?:and|but|because|so|if|when|while) )[Ii]t (?:do|don't|are|were|haven't)\b",
    "unlikely wish": r"\bnot (?:hate|prefer) to\b|\b(?:hate|like|prefer|want)\w* to (?:fall|lose|forget|break)\b",
    "singular verb": r"\b(?:we|they) (?:is|has|does|was|doesn't|isn't)\b",
    "I": r"\bI (?:is|are|has|does|were)\b",
    "there are a": r"\bthere (?:are|were) an? (?!hundred|thousand)",
    "there is two": r"\bthere (?:is|was) (?:two|three|four|five|six|seven|eight|nine|ten|many)\b",
    "irregular plural": r"\b(?:mans|womans|childs|mouses|knifes|scarfs|wolfs|tomatos|heros)\b",
    "irregular past": r"\b(?:eated|goed|comed|seed|buyed|gived|taked|writed|runned|drinked)\b",
    "mass noun counted": r"\b(?:breads|milks|moneys|a (?:water|bread|rice|money)(?:[.?]|$))",
    "small letter": r"\b(?:i|paul|marie|alice|emma|thomas|paris|london|france|french|monday|may)\b",
}


SHOWN = {  # a French pattern for each construction
    "article contracted with à": r"\baux? \w+",
    "article contracted with de": r"\b(?:près|côté|face) (?:du|des) \w+",
    "partitive": r" (?:de la|de l'|du) ?\w+",
    "elision": r"\b[lndjmtqs]u?'",
    "adjective before and after": r"\b(?:petite?|grande?|vieille)s? \w+ (?:noire?|blanc(?:he)?|rouge|bleue?)s?\b",
    "de before a plural adjective": rf"\bde {BEFORE}\b",
    "pas de": r"\b(?:pas|jamais|plus) (?:de |d')\w+",
    "clitic": r"\b(?:il|elle|nous|je) (?:le|la|les|lui|leur|l')\b",
    "two clitics": r"\b(?:le|la|les) (?:lui|leur) ",
    "clitic and infinitive": r"\b(?:va|peut|veut|doit) (?:le|la|les|lui|leur|l')",
    "question": r"^est-ce qu",
    "question word": r"^(?:où|quand|pourquoi|comment|qui|qu'est-ce) ?",
    "être in the past": r"\b(?:est|sont) (?:allé|arrivé|parti|tombé|venu|sorti|rentré|entré|monté|descendu)e?s?\b",
    "participle that agrees with its object": r"\b(?:l'a|les a|les ont) \w+(?:e|s|es)\b",
    "imparfait": r"\w+(?:ait|aient)\b",
    "futur": r"\w+r(?:a|ont|ai|ons|ez)\b",
    "number in words": r"\b(?:vingt|trente|soixante|quatre-vingt)",
    "number in digits": r"\b\d\d \w+s\b",
    "date": r"\ble \d+ (?:janvier|mars|mai|juin|août|octobre)",
    "first of the month": r"\b1er ",
    "year": r"\ben (?:19|20)\d\d",
    "day": r"\b(?:lundi|mardi|jeudi|samedi)",
    "clock": r"\bheures?\b",
    "city": r"\bà (?:paris|londres|rome|berlin)",
    "country": r"\b(?:en (?:france|italie|espagne)|au (?:japon|canada))",
    "name": r"\b(?:paul|marie|sophie|emma)\b",
    "relative clause": r" qui (?:ne |n')?\w+",
    "reported clause": r"\b(?:pense|dit|sait|croit|espère)\w* qu",
    "three conjunctions": r" (?:parce qu|donc |pendant qu)",
}


@pytest.mark.parametrize("construction", SHOWN)
def test_construction_occurs(pairs, construction):
    wanted = re.compile(SHOWN[construction])
    assert any(wanted.search(pair.french.lower()) for pair in pairs)


@pytest.mark.parametrize("rule", FORBIDDEN_FRENCH)
def test_french_has_no_forbidden_form(pairs, rule):
    wrong = re.compile(FORBIDDEN_FRENCH[rule])
    assert [pair.french for pair in pairs if wrong.search(pair.french.lower())] == []


@pytest.mark.parametrize("rule", FORBIDDEN_ENGLISH)
def test_english_has_no_forbidden_form(pairs, rule):
    wrong = re.compile(FORBIDDEN_ENGLISH[rule])
    assert [pair.english for pair in pairs if wrong.search(pair.english)] == []


def test_every_word_is_aligned(pairs):
    for pair in pairs:
        assert list(pair.alignment) == sorted(set(pair.alignment))
        assert {i for i, _ in pair.alignment} == set(range(len(pair.english.split()))), pair
        assert {j for _, j in pair.alignment} == set(range(len(pair.french.split()))), pair


def test_text_is_what_people_write_or_type(pairs):
    written = [pair for pair in pairs if pair.english[-1] in ".?"]
    typed = [pair for pair in pairs if pair.english[-1] not in ".?"]
    assert 0.6 < len(written) / len(pairs) < 0.7
    for pair in written:
        assert pair.english[0].isupper() or pair.english[0].isdigit()
        assert pair.french[0].isupper() or pair.french[0].isdigit()
        assert pair.french.endswith(" ?" if pair.english.endswith("?") else ".")
    for pair in typed:
        assert not re.search("[.,?]", pair.english + pair.french)
    assert not any(re.search(r"\b(tu|te|ton|ta|tes)\b|\bt'", pair.french) for pair in written)
    assert not any(re.search(r"\b(vous|votre|vos)\b", pair.french) for pair in typed)


def test_sentences_have_a_fair_length(pairs):
    assert all(len(pair.english.split()) in LENGTHS for pair in pairs)
    assert sum(len(pair.english.split()) >= 4 for pair in pairs) > 0.9 * len(pairs)


def test_no_english_sentence_twice(pairs):
    assert len({fold(pair.english) for pair in pairs}) == len(pairs)


def test_a_seed_gives_the_same_corpus_whatever_the_hash_seed():
    code = (
        "from lessons_lib.translation.data.grammar import *;"
        "print(generate(50, 3), load_splits(40, 10, 10, 3), load_tests(5, 3))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != b""
    assert generate(50, 3) == generate(60, 3)[:50] != generate(50, 4)


def test_splits_share_no_sentence_in_either_language(splits):
    for language in ("english", "french"):
        train, valid, test = (
            {fold(getattr(p, language)) for p in part} for part in (splits.train, splits.valid, splits.test)
        )
        assert not train & test
        assert not train & valid
        assert not valid & test
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [6000, 200, 200]


def test_showcase_is_in_no_split(splits):
    shown = [write(sentence) for sentence in SHOWCASE]
    for part in (splits.train, splits.valid, splits.test):
        assert not {fold(p.english) for p in shown} & {fold(p.english) for p in part}
        assert not {fold(p.french) for p in shown} & {fold(p.french) for p in part}
    for sentence in SHOWCASE:
        assert not any(held_out(*pair) for pair in combinations(sentence))


def neighbours(part) -> set[str]:
    """Every two words in a row of the French text."""
    found = set()
    for pair in part:
        words = fold(pair.french).split()
        found.update(f"{a.split(chr(39))[-1]} {b}" for a, b in pairwise(words))
    return found


def test_held_out_adjectives_never_stand_beside_their_noun_in_training(splits):
    unseen = []
    for noun in nouns.LEXICON:
        for adjective in adjectives.attributive(noun):
            if held_out(noun.french, adjective.masculine):
                for plural, text in ((False, noun.french), (True, noun.french_plural)):
                    form = adjective.french(noun.feminine, plural, before_vowel=False)
                    vowel = adjective.french(noun.feminine, plural, before_vowel=True)
                    unseen += [f"{form} {text}", f"{vowel} {text}"] if adjective.prenominal else [f"{text} {form}"]
    assert len(unseen) > 100
    assert not set(unseen) & neighbours(splits.train)
    assert set(unseen) & neighbours(splits.test)


ARTICLES = frozenset(
    "le la les l un une mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet".split()
)
AUXILIARIES = ("avoir", "aller", "vouloir", "aimer", "détester", "préférer")  # another verb may follow


def test_held_out_verbs_never_meet_their_subject_in_training(splits):
    openings = {tuple(fold(pair.french).replace("'", " ").split()[:3]) for pair in splits.train}
    openings = {opening[1:] for opening in openings if opening[0] in ARTICLES}
    phrases = {
        (noun, verb, (text, present(verb.french)[person]))
        for noun in nouns.LEXICON
        for verb in verbs.LEXICON
        if verb.french not in AUXILIARIES
        for text, person in ((noun.french, 2), (noun.french_plural, 5))
    }
    seen = [(noun, verb) for noun, verb, phrase in phrases if phrase in openings]
    assert len(seen) > 100
    assert not any(held_out(noun.french, verb.french) for noun, verb in seen)


def test_every_word_of_the_test_is_known_from_training(splits):
    known = {word for pair in splits.train for word in fold(pair.english).split()}
    unknown = {word for pair in splits.test for word in fold(pair.english).split()} - known
    assert len(unknown) < 12, unknown


def test_every_lemma_occurs_in_training(splits):
    english = " ".join(f" {fold(pair.english)} " for pair in splits.train)
    for noun in nouns.LEXICON:
        assert (f" {noun.english.lower()} " in english) != (noun in nouns.UNSEEN), noun.english
    for word in (*adjectives.LEXICON, *verbs.LEXICON):
        assert f" {word.english.lower()} " in english, word.english
    for adverb in small_words.ALL_ADVERBS:
        assert f" {re.sub('/[0-9?,]+', '', adverb.english)} " in english, adverb.english


def test_tests_are_as_long_as_training(splits):
    """That a long sentence has many combinations does not make it likelier in the test."""
    means = [
        sum(len(p.english.split()) for p in part) / len(part) for part in (splits.train, splits.valid + splits.test)
    ]
    assert 6.5 < means[0] < 7.5
    assert abs(means[1] - means[0]) < 0.7


def test_frequent_nouns_come_more_often(splits):
    seen = Counter(word for pair in splits.train for word in fold(pair.english).split())
    for frequent, rare in (("man", "engineer"), ("cat", "turtle"), ("house", "apartment"), ("book", "ladder")):
        assert seen[frequent] > seen[rare]


def test_animals_drink_water_and_milk():
    drinks = [verb.objects for verb in verbs.LEXICON if verb.english == "drink" and "animal" in verb.subjects.split()]
    assert [{noun.english for noun in nouns.nouns_of(kinds)} for kinds in drinks] == [{"water", "milk"}]


def test_number_of_a_noun_is_never_left_open():
    """ "The sheep" could be "le mouton" or "les moutons"."""
    assert not [noun.english for noun in nouns.LEXICON if noun.countable and noun.english == noun.english_plural]


def test_nothing_of_the_french_is_left_open_by_the_english():
    """Drawn with little chance the same English comes often, and always with the same French."""
    french: dict[str, set[str]] = {}
    for seed in range(30):
        rng = TwoValues(seed)
        for _ in range(200):
            pair = write(sample_sentence(rng))
            french.setdefault(pair.english, set()).add(pair.french)
    assert len(french) < 5500  # of 6000
    assert {english: said for english, said in french.items() if len(said) > 1} == {}


def test_every_kind_that_a_table_names_is_the_kind_of_a_noun():
    used = " ".join(
        [adjective.kinds for adjective in adjectives.LEXICON]
        + [f"{verb.subjects} {verb.objects}" for verb in verbs.LEXICON]
        + [f"{preposition.kinds} {preposition.located}" for preposition in small_words.ALL_PREPOSITIONS]
    )
    known = {kind for noun in nouns.LEXICON for kind in noun.kinds}
    assert {kind.removeprefix("-") for kind in used.split()} - known == set()


@pytest.mark.parametrize("sizes", [{"n_train": -1}, {"n_valid": -1}, {"n_test": -1}])
def test_a_negative_size_is_named(sizes):
    with pytest.raises(ValueError, match=r"n_pairs=-1 is negative; use 0 or more"):
        load_splits(**{"n_train": 0, "n_valid": 0, "n_test": 0, **sizes})
