"""The small words: determiners, pronouns, prepositions, adverbs, negations, conjunctions."""

from dataclasses import dataclass

from . import numbers
from .words import rows


@dataclass(frozen=True)
class Determiner:
    """English singular and plural, French forms. "de le" is the partitive: before a vowel it gives "de l'"."""

    name: str
    english: str
    english_plural: str
    masculine: str
    feminine: str
    masculine_vowel: str
    feminine_vowel: str
    plural: str
    feminine_plural: str = ""  # "vingt et une", where it differs

    def french(self, feminine: bool, plural: bool, before_vowel: bool) -> str:
        if plural:
            return (feminine and self.feminine_plural) or self.plural
        if before_vowel:
            return self.feminine_vowel if feminine else self.masculine_vowel
        return self.feminine if feminine else self.masculine


# "you" is said in two ways in French. English does not show which, so the corpus follows the register: a sentence
# written with care ("You are tired.") is polite, one typed in a hurry ("you are tired") is familiar.
# "bare" is an English noun with no article ("she drinks water"), "generic" a whole kind ("she likes cats").
# name | English singular | plural | French masculine | feminine | masculine before a vowel | feminine | plural
DETERMINERS = """
the           | the   | the   | le          | la          | le          | la          | les
a             | a     |       | un          | une         | un          | une         |
some          | some  | some  | du          | de la       | de le       | de la       | des
any           | any   | any   | du          | de la       | de le       | de la       | des
bare          |       |       | du          | de la       | de le       | de la       | des
generic       |       |       | le          | la          | le          | la          | les
none of       | no    | no    | de          | de          | de          | de          | de
name          |       |       |             |             |             |             |
my            | my    | my    | mon         | ma          | mon         | mon         | mes
your familiar | your  | your  | ton         | ta          | ton         | ton         | tes
your polite   | your  | your  | votre       | votre       | votre       | votre       | vos
his           | his   | his   | son         | sa          | son         | son         | ses
her           | her   | her   | son         | sa          | son         | son         | ses
our           | our   | our   | notre       | notre       | notre       | notre       | nos
their         | their | their | leur        | leur        | leur        | leur        | leurs
this          | this  | these | ce          | cette       | cet         | cette       | ces
that          | that  | those | ce          | cette       | cet         | cette       | ces
every         | every |       | chaque      | chaque      | chaque      | chaque      |
many          |       | many  |             |             |             |             | beaucoup de
"""
NUMBERS = frozenset(numbers.ALL)
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
INDEFINITE = frozenset({"a", "some", "any", "bare"})  # "de" after a negation: "pas de chat"


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun. ``person`` is that of the French verb, 1 to 6 (je, tu, il, nous, vous, ils)."""

    name: str
    english: str
    english_object: str
    french: str
    direct: str
    indirect: str
    stressed: str
    person: int
    feminine: bool
    plural: bool


# name | English subject | object | French subject | direct | indirect object | after a preposition | person | gender
PRONOUNS = """
I             | I    | me   | je    | me   | me   | moi   | 1 | m
you familiar  | you  | you  | tu    | te   | te   | toi   | 2 | m
you polite    | you  | you  | vous  | vous | vous | vous  | 5 | m
he            | he   | him  | il    | le   | lui  | lui   | 3 | m
she           | she  | her  | elle  | la   | lui  | elle  | 3 | f
it            | it   | it   | il    | le   | lui  | lui   | 3 | m
it feminine   | it   | it   | elle  | la   | lui  | elle  | 3 | f
we            | we   | us   | nous  | nous | nous | nous  | 4 | m plural
they          | they | them | ils   | les  | leur | eux   | 6 | m plural
they feminine | they | them | elles | les  | leur | elles | 6 | f plural
there         | there|      | il    |      |      |       | 3 | m
who           | who  |      | qui   |      |      |       | 3 | m
"""

# What stands around the French verb: "ne ... pas". "no longer" comes before the English verb, as "never" does.
# name | English | French after the verb
NEGATIONS = """
not       | not       | pas
never     | never     | jamais
no longer | no longer | plus
"""


@dataclass(frozen=True)
class Preposition:
    """Which kinds of noun may follow it, and which kinds may be found there."""

    english: str
    french: str
    kinds: str
    located: str

    @property
    def rest(self) -> bool:
        """Whether one stays there, at work or asleep: not on the way, not in the sea."""
        return self.english not in ("to", "from") and (self.english, self.kinds) != ("in", "water")


# english | french | kinds of noun after it | who or what is there
PREPOSITIONS = """
in          | dans     | indoors             | person small object
in          | dans     | outdoors home       | person animal
in          | dans     | container           | object food wealth -soup
in          | dans     | vessel              | drink soup
in          | dans     | water               | person big
in          | à        | capital             | person
in          | en       | en                  | person
in          | au       | au                  | person
on          | sur      | furniture           | small object clothing
on          | sur      | table               | food
on          | sur      | ground              | person animal
under       | sous     | furniture           | small object clothing
under       | sous     | shade               | person animal
behind      | derrière | building landmark   | person animal vehicle
in front of | devant   | building landmark   | person animal vehicle
near        | près de  | building landmark water | person animal vehicle building
at          | à        | venue               | person
at          | à        | station             | transport
next to     | à côté de | building landmark water | person animal vehicle building
opposite    | en face de | building           | person vehicle building
to          | à        | venue capital       | person
to          | en       | en                  | person
to          | au       | au                  | person
from        | de       | venue capital en    | person
from        | du       | au                  | person
"""
COMPANY = (("with", "avec"), ("without", "sans"), ("for", "pour"))


@dataclass(frozen=True)
class Adverb:
    """An adverb or a fixed phrase. Words with the same tag after the slash are aligned."""

    english: str
    french: str
    use: str


# Where each stands: middle (with the finite verb), well (before a participle: "a bien dormi"), speed, place and time;
# middle and time with the tenses they go with.
ADVERBS = """
always/1              | toujours/1           | middle present future
often/1               | souvent/1            | middle present
sometimes/1           | parfois/1            | middle present
rarely/1              | rarement/1           | middle present
already/1             | déjà/1               | middle perfect
well/1                | bien/1               | well
badly/1               | mal/1                | well
carefully/1           | prudemment/1         | speed
slowly/1              | lentement/1          | speed
quickly/1             | vite/1               | speed
here/1                | ici/1                | place
there/1               | là/1                 | place
everywhere/1          | partout/1            | place
outside/1             | dehors/1             | place
at/1 home/2           | à/1 la/2? maison/2   | place
every/1 day/2         | tous/1 les/1? jours/2 | time present
in/1? the/1 morning/2 | le/1 matin/2         | time present
in/1? the/1 evening/2 | le/1 soir/2          | time present
in/1? the/1 afternoon/2 | le/1 après-midi/2   | time present
at/1? night/2         | la/1? nuit/2         | time present
in/1 summer/2         | en/1 été/2           | time present future
in/1 winter/2         | en/1 hiver/2         | time present future
every/1 morning/2     | tous/1 les/1? matins/2 | time present
today/1               | aujourd'hui/1        | time progressive past
now/1                 | maintenant/1         | time progressive
yesterday/1           | hier/1               | time past
this/1 morning/2      | ce/1 matin/2         | time past
last/1 night/2        | hier/1 soir/2        | time past
last/1 week/2         | la/2? semaine/2 dernière/1 | time past
last/1 month/2        | le/2? mois/2 dernier/1 | time past
last/1 year/2         | l'année/2 dernière/1 | time past
next/1 week/2         | la/2? semaine/2 prochaine/1 | time future
next/1 month/2        | le/2? mois/2 prochain/1 | time future
next/1 year/2         | l'année/2 prochaine/1 | time future
tomorrow/1            | demain/1             | time future
soon/1                | bientôt/1            | time future
this/1 evening/2      | ce/1 soir/2          | time future
"""
DEGREES = {"very": "très", "too": "trop"}
CONJUNCTIONS = {
    "because": "parce que",
    "and": "et",
    "but": "mais",
    "so": "donc",
    "while": "pendant que",
    "when": "quand",
    "if": "si",
}
QUESTION_WORDS = {"where": "où", "when": "quand", "why": "pourquoi", "how": "comment"}

DETERMINER = {row[0]: Determiner(*row) for row in rows(DETERMINERS)}
DETERMINER |= {
    english: Determiner(english, "", english, "", "", "", "", masculine, feminine)
    for english, masculine, feminine in numbers.determiners()
}
PRONOUN = {
    row[0]: Pronoun(*row[:7], int(row[7]), row[8].startswith("f"), row[8].endswith("plural")) for row in rows(PRONOUNS)
}
NEGATION = {name: (english, french) for name, english, french in rows(NEGATIONS)}
ALL_PREPOSITIONS = tuple(Preposition(*row) for row in rows(PREPOSITIONS))
ALL_ADVERBS = tuple(Adverb(*row) for row in rows(ADVERBS))
