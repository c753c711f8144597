"""The gold alignment: which links are sure, which are possible, and which of those are drawn."""

import pytest
from test_grammar import ADVERB, APPLES, HE, IT, KINGS_HORSE, SHE, THERE, THEY, WE, I, at, clause

from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.grammar import SHOWCASE, SentencePair, generate, load_tests, write
from lessons_lib.translation.data.language import dates
from lessons_lib.translation.data.language.meaning import Clause, Sentence, changed, noun_phrase
from lessons_lib.translation.data.language.verbs import THERE_BE
from lessons_lib.translation.data.pharaoh import format_links, gold_of, parse_links

ON_THE_SECOND = dates.date(2, ("May", "mai"), ordinal=True)
FIVE_HUNDRED = changed(noun_phrase("ten eggs"), determiner="five hundred")


def there_is(what: str, **more) -> Clause:
    return Clause(THERE, THERE_BE, object=noun_phrase(what, more.pop("determiner", None)), **more)


# a=b is sure, a~b possible, a~~b possible and not drawn.
CLAUSES = {
    # articles, pronouns and words of content; an auxiliary with an auxiliary
    "the=les old=vieilles women=femmes have=ont seen=vu the=le black=noir cat=chat": clause(
        "the old women", "see", object="the black cat", tense="perfect"
    ),
    # "do" and "ne"; an article that English lacks
    "he=il does~n'aime not~n'aime like=n'aime not=pas apples~les apples=pommes": clause(
        HE, "like", object=APPLES, polarity="not"
    ),
    "he=il did=a not~ne not=pas give=donné it=le to~lui her=lui": clause(
        HE, "give", object=IT, recipient=SHE, tense="past", polarity="not"
    ),
    "we=nous never~ne never=jamais close=fermons many=beaucoup many~de books=livres": clause(
        WE, "close", object="many books", polarity="never"
    ),
    "he=il no~n'a longer~n'a no=plus longer=plus has=n'a a=de dog=chien": clause(
        HE, "have", object="a dog", polarity="no longer"
    ),
    # an auxiliary that only one language has
    "she=elle ate~a ate=mangé some=de some=la meat=viande": clause(SHE, "eat", object="some meat", tense="past"),
    "they=ils are~dorment sleeping=dorment": clause(THEY, "sleep", tense="progressive"),
    "I=je will~viendrai come=viendrai on~le the=le 2nd=2 of~mai May=mai": clause(
        I, "come", tense="future", time=ON_THE_SECOND
    ),
    "we=nous are~allons going=allons to~dormir sleep=dormir": clause(WE, "sleep", tense="going to"),
    "he=il did~voulait want=voulait not~ne not=pas to~nager swim=nager": clause(
        HE, "swim", modal="want", tense="past", polarity="not"
    ),
    # questions
    "does~est-ce does~que does~dort the=le king=roi sleep=dort": clause("the king", "sleep", question="yes-no"),
    "what=qu'est-ce what~que did~qu'est-ce did~que did=a the=le boy=garçon eat=mangé": clause(
        "the boy", "eat", question="what", tense="past"
    ),
    # prepositions and particles that only one language has
    "he=il looks=cherche for~cherche it=le": clause(HE, "look for", object=IT),
    "he=il answers=répond answers~à the=la girl=fille": clause(HE, "answer", object="the girl"),
    "I=je see=vois the=du king's=roi king's~le king's=du horse=cheval": clause(I, "see", object=KINGS_HORSE),
    "she=elle sings=chante in~le the=le morning=matin": clause(SHE, "sing", time="in the morning"),
    "my=ma mother=mère is=est a~médecin doctor=médecin": clause("my mother", "be", complement="doctor"),
    # fixed expressions
    "there~il there~y there~~a is~~il is~~y is=a a=un cat=chat in~devant front=devant of~devant the=la house=maison": (
        there_is("a cat", places=at("in front of", "the house"))
    ),
    "there~il there~n'y there~~a is~~il is~~n'y is=a no~n'y no=pas no~de milk=lait": there_is(
        "milk", determiner="none of", polarity="not"
    ),
    "we=nous work=travaillons next~à next=côté next~de to~à to~côté to~de the=l'école school=l'école": clause(
        WE, "work", places=at("next to", "the school")
    ),
    "I=je see=vois five=cinq five~cents hundred~cinq hundred=cents eggs=œufs": clause(I, "see", object=FIVE_HUNDRED),
}


# These may have no sure link: particles, auxiliaries, articles, prepositions, "heures" in "trois heures et demie".
SMALL_WORDS = """
do does did don't doesn't didn't is are am was were will there there'll a an to on in of at for off up down out back
home ne n'y il y qu'il est-ce que qu'est-ce ai as a avons avez ont suis es est sommes êtes sont n'ai n'as n'a n'avons
n'avez n'ont de du des le la les à au aux en dans heure heures
"""


def in_words(pair: SentencePair) -> set[str]:
    """ "not=pas", "not~ne", "there~~a"."""
    english, french = pair.english.split(), pair.french.split()
    marks = {link: "~" if link in pair.alignment else "~~" for link in pair.possible}
    return {english[i] + marks.get((i, j), "=") + french[j] for i, j in {*pair.alignment, *pair.possible}}


@pytest.mark.parametrize("links", CLAUSES)
def test_links_of_a_clause(links):
    assert in_words(write(Sentence(CLAUSES[links], written=False))) == set(links.split())


SENTENCES = {
    "Does~Est-ce Does~que Does~dort the=le king=roi sleep?=dort sleep?=?": Sentence(
        clause("the king", "sleep", question="yes-no")
    ),
    "The=Le king=roi is=est here=ici because=parce because~qu'il he's=qu'il he's=est tired.=fatigué.": Sentence(
        clause("the king", "be", places=(ADVERB["here"],)),
        "because",
        clause(HE, "be", complement="tired"),
        contracted=True,
    ),
    "I=Je think=pense that=qu'elle she=qu'elle cannot~ne cannot=peut cannot=pas sing.=chanter.": Sentence(
        clause(I, "think", that=clause(SHE, "sing", modal="can", polarity="not"))
    ),
}


@pytest.mark.parametrize("links", SENTENCES)
def test_links_of_a_sentence(links):
    assert in_words(write(SENTENCES[links])) == set(links.split())


@pytest.mark.parametrize(
    ("roll", "links"),
    [
        (0.1, "at=à three=trois o'clock=heures"),
        (0.6, "at=à half=demie past~heures past=et three=trois"),
        (0.75, "at=à a~quart quarter=quart past~heures past=et three=trois"),
        (0.85, "at=à a=le a~quart quarter~le quarter=quart to~heures to=moins three=trois"),
    ],
)
def test_links_of_the_clock(roll, links):
    class Script:
        rolls = iter((0.2, roll))

        def random(self) -> float:
            return next(self.rolls)

    when = dates.clock(dates.Draw(Script(), polite=False))
    pair = write(Sentence(clause(SHE, "sing", time=when), written=False))
    assert in_words(pair) == {"she=elle", "sings=chante", *links.split()}


def test_alignment_of_the_readme_example():
    assert write(SHOWCASE[0]) == SentencePair(
        "the small black cats do not sleep",
        "les petits chats noirs ne dorment pas",
        alignment=((0, 0), (1, 1), (2, 3), (3, 2), (4, 5), (5, 4), (5, 6), (6, 5)),
        possible=((4, 5), (5, 4)),
    )


@pytest.fixture(scope="module")
def pairs() -> list[SentencePair]:
    tests = load_tests(100, seed=4)
    return [*generate(2_000, seed=4), *(pair for part in tests.values() for pair in part)]


def test_one_drawn_link_in_five_is_only_possible(pairs):
    drawn = sum(len(pair.alignment) for pair in pairs)
    only_possible = sum(len({*pair.alignment} & {*pair.possible}) for pair in pairs)
    assert 0.17 < only_possible / drawn < 0.23
    assert sum(len({*pair.possible} - {*pair.alignment}) for pair in pairs) / drawn < 0.04


def test_links_are_sorted_and_inside_their_sentence(pairs):
    for pair in pairs:
        assert list(pair.possible) == sorted({*pair.possible})
        lengths = len(pair.english.split()), len(pair.french.split())
        assert all(i < lengths[0] and j < lengths[1] for i, j in pair.possible)


def test_words_with_possible_links_only_are_small_words(pairs):
    """Every word of content has a sure link."""
    alone = set()
    for pair in pairs:
        words = pair.english.lower().split(), pair.french.lower().split()
        sure = {*pair.alignment} - {*pair.possible}
        for side in (0, 1):
            linked = {link[side] for link in sure}
            alone |= {word.strip(",.") for i, word in enumerate(words[side]) if i not in linked}
    assert alone <= set(SMALL_WORDS.split()), sorted(alone - set(SMALL_WORDS.split()))


def test_gold_of_the_corpus_is_the_same_for_the_same_seed():
    sizes = {"n_train": 0, "n_valid": 20, "n_test": 40}
    pairs = load_grammar(seed=3, **sizes).test
    gold = gold_of(pairs)
    assert gold == gold_of(load_grammar(seed=3, **sizes).test)
    assert all(links.sure <= links.possible for links in gold)
    assert any(links.sure < links.possible for links in gold)
    for pair, links in zip(pairs, gold, strict=True):
        assert parse_links(format_links(links.sure, links.possible), pair) == links
