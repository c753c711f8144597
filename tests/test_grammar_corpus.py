"""The corpus as a whole: the same for a seed, no leak between splits, no form that either language forbids."""

import os
import re
import subprocess
import sys
from itertools import islice, pairwise

import pytest

from lessons_lib.translation.grammar import LENGTHS, SHOWCASE, fold, generate, load_splits, meanings, write
from lessons_lib.translation.language import adjectives, nouns, small_words, verbs
from lessons_lib.translation.language.combinations import combinations, held_out
from lessons_lib.translation.language.conjugation import present

VOWEL = "[aeiouhâàéèêîôûœ]"
ASPIRATED = "(?:héros|hibou|hiboux|hache|haches|huit)\\b"
BEFORE = (
    "(?:petite?s|grande?s|vieux|vieilles|jeunes|beaux|belles|bon(?:ne)?s|mauvais(?:es)?|nou\\w+x|nouvelles|jolie?s)"
)


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
    "a before a vowel": r"\ba [aeiou]",
    "an before a consonant": r"\ban [^aeiou]",
    "plural verb": r"\b(?:he|she|it) (?:do|don't|are|were|haven't)\b",
    "singular verb": r"\b(?:we|they) (?:is|has|does|was|doesn't|isn't)\b",
    "I": r"\bI (?:is|are|has|does|were)\b",
    "there are a": r"\bthere (?:are|were) (?:a|an)\b",
    "there is two": r"\bthere (?:is|was) (?:two|three|four|five|six|seven|eight|nine|ten|many)\b",
    "irregular plural": r"\b(?:mans|womans|childs|mouses|knifes|scarfs|wolfs|tomatos|heros)\b",
    "irregular past": r"\b(?:eated|goed|comed|seed|buyed|gived|taked|writed|runned|drinked)\b",
    "mass noun counted": r"\b(?:breads|milks|waters|moneys|a (?:water|bread|rice|money)(?:[.?]|$))",
    "small letter": r"\b(?:i|paul|marie|alice|emma|thomas|paris|london)\b",
}


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
        assert pair.english[0].isupper()
        assert pair.french[0].isupper()
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
    code = "from lessons_lib.translation.grammar import *; print(generate(50, 3), load_splits(40, 10, 10, 3))"
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


def test_held_out_verbs_never_meet_their_subject_in_training(splits):
    openings = {" ".join(pair.french.lower().split()[:3]) for pair in splits.train}
    phrases = {
        (noun, verb, f"{article} {text} {present(verb.french)[person]}")
        for noun in nouns.LEXICON
        for verb in verbs.LEXICON
        if verb.french not in ("avoir", "aller", "vouloir", "aimer")  # auxiliaries: another verb may follow
        for article, text, person in (("le", noun.french, 2), ("la", noun.french, 2), ("les", noun.french_plural, 5))
    }
    seen = [(noun, verb) for noun, verb, phrase in phrases if phrase in openings]
    assert len(seen) > 100
    assert not any(held_out(noun.french, verb.french) for noun, verb in seen)


def test_every_word_of_the_test_is_known_from_training(splits):
    known = {word for pair in splits.train for word in fold(pair.english).split()}
    unknown = {word for pair in splits.test for word in fold(pair.english).split()} - known
    assert len(unknown) < 5, unknown


def test_every_lemma_occurs_in_training(splits):
    english = " ".join(f" {fold(pair.english)} " for pair in splits.train)
    for noun in nouns.LEXICON:
        assert f" {noun.english.lower()} " in english, noun.english
    for word in (*adjectives.LEXICON, *verbs.LEXICON):
        assert f" {word.english} " in english, word.english
    for adverb in small_words.ALL_ADVERBS:
        assert f" {re.sub('/[0-9]', '', adverb.english)} " in english, adverb.english


def test_every_kind_that_a_table_names_is_the_kind_of_a_noun():
    used = " ".join(
        [adjective.kinds for adjective in adjectives.LEXICON]
        + [f"{verb.subjects} {verb.objects}" for verb in verbs.LEXICON]
        + [f"{preposition.kinds} {preposition.located}" for preposition in small_words.ALL_PREPOSITIONS]
    )
    known = {kind for noun in nouns.LEXICON for kind in noun.kinds}
    assert {kind.removeprefix("-") for kind in used.split()} - known == set()


def test_a_held_out_combination_is_in_every_test_sentence():
    drawn = islice(meanings("test 0"), 600)
    new = {write(said).english for said in drawn if any(held_out(*pair) for pair in combinations(said))}
    assert {pair.english for pair in load_splits(0, 0, 30, seed=0).test} <= new


@pytest.mark.parametrize("sizes", [{"n_train": -1}, {"n_valid": -1}, {"n_test": -1}])
def test_a_negative_size_is_named(sizes):
    with pytest.raises(ValueError, match=r"n_pairs=-1 is negative; use 0 or more"):
        load_splits(**{"n_train": 0, "n_valid": 0, "n_test": 0, **sizes})
