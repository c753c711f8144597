"""Numbers, dates, the clock, names and the rarer verbs: exact sentences in both languages."""

import pytest
from test_grammar import ADVERB, CLAUSES, HE, IT, PHRASES, SENTENCES, SHE, THEY, WE, YOU, I, at, clause, say

from lessons_lib.translation.data.grammar import write
from lessons_lib.translation.data.language import dates, numbers
from lessons_lib.translation.data.language.meaning import Sentence, changed, noun_phrase
from lessons_lib.translation.data.language.small_words import Adverb

COUNTED = {
    "two apples": "deux pommes",
    "eight owls": "huit hiboux",
    "eleven horses": "onze chevaux",
    "sixteen eggs": "seize œufs",
    "twenty-one cats": "vingt et un chats",
    "twenty-one apples": "vingt et une pommes",
    "thirty-two beds": "trente-deux lits",
    "sixty-one keys": "soixante et une clés",
    "seventy cakes": "soixante-dix gâteaux",
    "seventy-one keys": "soixante et onze clés",
    "seventy-eight birds": "soixante-dix-huit oiseaux",
    "eighty books": "quatre-vingts livres",
    "eighty-one lamps": "quatre-vingt-une lampes",
    "eighty-five books": "quatre-vingt-cinq livres",
    "ninety-one letters": "quatre-vingt-onze lettres",
    "ninety-nine flowers": "quatre-vingt-dix-neuf fleurs",
    "21 apples": "21 pommes",
    "47 old books": "47 vieux livres",
}


@pytest.mark.parametrize("english", COUNTED)
def test_number_before_a_noun(english):
    pair = say(SHE, "see", object=english)
    assert (pair.english, pair.french) == (f"she sees {english}", f"elle voit {COUNTED[english]}")


def test_round_numbers_and_words_that_no_elision_touches():
    a_thousand = changed(noun_phrase("ten books"), determiner="a thousand")
    assert say(HE, "buy", object=a_thousand).french == "il achète mille livres"
    two_hundred = changed(noun_phrase("ten books"), determiner="two hundred")
    assert say(HE, "buy", object=two_hundred).french == "il achète deux cents livres"
    asked = say("eleven dogs", "sleep", question="yes-no")
    assert (asked.english, asked.french) == ("do eleven dogs sleep", "est-ce que onze chiens dorment")


def test_every_number_has_one_name_in_each_language():
    names = [numbers.english(n) for n in range(2, 100)], [numbers.french(n) for n in range(2, 100)]
    assert all(len(set(part)) == 98 for part in names)


JANUARY, MAY, AUGUST = ("January", "janvier"), ("May", "mai"), ("August", "août")
DATES = [
    (dates.date(3, MAY, True), "on the 3rd of May", "le 3 mai"),
    (dates.date(3, MAY, False), "on 3 May", "le 3 mai"),
    (dates.date(1, JANUARY, True), "on the 1st of January", "le 1er janvier"),
    (dates.date(2, AUGUST, True), "on the 2nd of August", "le 2 août"),
    (dates.date(11, AUGUST, True), "on the 11th of August", "le 11 août"),
    (dates.date(12, AUGUST, True), "on the 12th of August", "le 12 août"),
    (dates.date(21, AUGUST, True), "on the 21st of August", "le 21 août"),
    (ADVERB["last week"], "last week", "la semaine dernière"),
    (ADVERB["last year"], "last year", "l'année dernière"),
    (ADVERB["in the afternoon"], "in the afternoon", "l'après-midi"),
    (ADVERB["in winter"], "in winter", "en hiver"),
]


@pytest.mark.parametrize(("when", "english", "french"), DATES)
def test_time(when: Adverb, english, french):
    pair = say(HE, "leave", tense="past", time=when)
    assert (pair.english, pair.french) == (f"he left {english}", f"il est parti {french}")


class Script:
    """A source of chance that gives what a test wants: the numbers for `Draw`."""

    def __init__(self, *values):
        self.values = list(values)

    def random(self):
        return self.values.pop(0)


@pytest.mark.parametrize(
    ("rolls", "english", "french"),
    [
        ((0.0, 0.0), "at one o'clock", "à une heure"),
        ((0.2, 0.0), "at three o'clock", "à trois heures"),
        ((0.2, 0.4), "at 3 o'clock", "à 3 heures"),
        ((0.2, 0.6), "at half past three", "à trois heures et demie"),
        ((0.2, 0.75), "at a quarter past three", "à trois heures et quart"),
        ((0.2, 0.85), "at a quarter to three", "à trois heures moins le quart"),
        ((0.2, 0.95, 0.0), "at noon", "à midi"),
        ((0.2, 0.95, 0.9), "at midnight", "à minuit"),
    ],
)
def test_clock(rolls, english, french):
    when = dates.clock(dates.Draw(Script(*rolls), polite=False))
    pair = say(SHE, "arrive", tense="past", time=when)
    assert (pair.english, pair.french) == (f"she arrived {english}", f"elle est arrivée {french}")
    assert {j for _, j in pair.alignment} == set(range(len(pair.french.split())))


RARER = {
    # names of cities and countries
    "we live in London | nous habitons à Londres": clause(WE, "live", places=at("in", "London")),
    "we live in Athens | nous habitons à Athènes": clause(WE, "live", places=at("in", "Athens")),
    "she goes to France | elle va en France": clause(SHE, "go", places=at("to", "France")),
    "she has gone to Japan | elle est allée au Japon": clause(SHE, "go", tense="perfect", places=at("to", "Japan")),
    "they came back from Italy | ils sont revenus d'Italie": clause(
        THEY, "come back", tense="past", places=at("from", "Italy")
    ),
    "they came back from Canada | ils sont revenus du Canada": clause(
        THEY, "come back", tense="past", places=at("from", "Canada")
    ),
    "he likes Spain | il aime l'Espagne": clause(HE, "like", object=noun_phrase("Spain", "generic")),
    "I see Emma's cat | je vois le chat d'Emma": clause(I, "see", object=noun_phrase("cat", noun_phrase("Emma"))),
    # être, and its agreement
    "the princesses went out | les princesses sont sorties": clause("the princesses", "go out", tense="past"),
    "Marie went up | Marie est montée": clause("Marie", "go up", tense="past"),
    "the girls did not come home | les filles ne sont pas rentrées": clause(
        "the girls", "come home", tense="past", polarity="not"
    ),
    "the tourists returned to Rome | les touristes sont retournés à Rome": clause(
        "the tourists", "return", tense="past", places=at("to", "Rome")
    ),
    "she has entered the castle | elle est entrée dans le château": clause(
        SHE, "enter", tense="perfect", object="the castle"
    ),
    # clitics and the agreement with them
    "he caught them | il les a attrapés": clause(HE, "catch", tense="past", object=THEY),
    "I understood it | je l'ai compris": clause(I, "understand", tense="past", object=IT),
    "they smile at me | ils me sourient": clause(THEY, "smile at", object=I),
    "she cannot open it | elle ne peut pas l'ouvrir": clause(SHE, "open", modal="can", polarity="not", object=IT),
    "he never lends them to me | il ne me les prête jamais": clause(
        HE, "lend", object=THEY, recipient=I, polarity="never"
    ),
    "we write to them | nous leur écrivons": clause(WE, "write to", object=THEY),
    # negation and articles
    "he does not serve beer | il ne sert pas de bière": clause(HE, "serve", object="beer", polarity="not"),
    "we never eat onions | nous ne mangeons jamais d'oignons": clause(WE, "eat", object="onions", polarity="never"),
    "she does not like onions | elle n'aime pas les oignons": clause(
        SHE, "like", object=noun_phrase("onions", "generic"), polarity="not"
    ),
    # articles of English
    "he has an honest friend | il a un ami honnête": clause(HE, "have", object="a honest friend"),
    "he uses a useful dictionary | il utilise un dictionnaire utile": clause(HE, "use", object="a useful dictionary"),
    # spelling of verbs
    "we are starting the lesson | nous commençons la leçon": clause(
        WE, "start", tense="progressive", object="the lesson"
    ),
    "he was drying the plates | il essuyait les assiettes": clause(
        HE, "dry", tense="past progressive", object="the plates"
    ),
    "you throw the ball | tu jettes le ballon": clause(YOU, "throw", object="the ball"),
    "she pays for the wine | elle paie le vin": clause(SHE, "pay for", object="the wine"),
    "the dogs bark | les chiens aboient": clause("the dogs", "bark"),
    "he will receive a letter | il recevra une lettre": clause(HE, "receive", tense="future", object="a letter"),
    "how does she dance | comment est-ce qu'elle danse": clause(SHE, "dance", question="how"),
}


@pytest.mark.parametrize("expected", RARER)
def test_rarer_words(expected):
    pair = write(Sentence(RARER[expected], written=False))
    assert f"{pair.english} | {pair.french}" == expected
    assert {i for i, _ in pair.alignment} == set(range(len(pair.english.split())))
    assert {j for _, j in pair.alignment} == set(range(len(pair.french.split())))


def test_three_clauses():
    said = Sentence(
        clause(SHE, "be", complement="tired"),
        "so",
        clause(SHE, "sleep", tense="progressive"),
        link="but",
        third=clause("the children", "play", tense="progressive"),
    )
    pair = write(said)
    assert pair.english == "She is tired so she is sleeping but the children are playing."
    assert pair.french == "Elle est fatiguée donc elle dort mais les enfants jouent."


def test_there_are_enough_written_expectations():
    assert sum(map(len, (PHRASES, CLAUSES, SENTENCES, COUNTED, DATES, RARER))) >= 80
