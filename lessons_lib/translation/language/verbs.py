"""The verbs: their English forms, their French infinitive, who does what to whom, and where."""

from dataclasses import dataclass
from functools import cache

from .words import rows


@dataclass(frozen=True, eq=False)
class Verb:
    """An English verb (base form, past, participle) and a French infinitive.

    ``particle`` is the English word that follows it ("look *for*"), ``preposition`` the French one ("répondre *à*").
    """

    english: str
    past: str
    participle: str
    particle: str
    french: str
    preposition: str
    subjects: str
    objects: str
    options: frozenset[str]

    @property
    def stative(self) -> bool:
        """A state has no progressive, and its French past is the imparfait: "knew" is "connaissait"."""
        return "state" in self.options

    def place_kinds(self, preposition: str) -> str:
        """The kinds of place a verb asks for after a preposition, "" if none: ``place_kinds("in")`` of "live"."""
        found = [option for option in self.options if option.startswith(preposition + "=")]
        return found[0].partition("=")[2].replace(",", " ") if found else ""


# In the first column: base [past participle], both regular when absent, then a particle after "+".
# Options:
#   place      a place may follow ("in the kitchen")
#   outdoors   a place out of doors may follow
#   in=home    a place of that kind must follow "in"; so too "to=", "from=" and "at="
#   well speed an adverb may follow: "well"; "quickly", "slowly"
#   with for   "with my sister", "for my sister" may follow
#   optional   the object may be left out ("she eats")
#   recipient  something is given to a person
#   generic    the object is the whole kind: "likes cats" is "aime les chats", not "des chats"
#   state      no progressive, and the French past is the imparfait
#   event      no progressive
# english | french [+ preposition] | subjects | objects | options
VERBS = """
sleep slept slept          | dormir         | person animal |  | place well
work                       | travailler     | person        |  | place well speed with
cry                        | pleurer        | person        |  | place
laugh                      | rire           | person        |  |
sing sang sung             | chanter        | person        |  | place well with
dance                      | danser         | person        |  | place well with
swim swam swum             | nager          | person big    |  | in=water well speed with
run ran run                | courir         | person animal |  | outdoors speed
walk                       | marcher        | person animal |  | outdoors speed with
play                       | jouer          | person animal |  | place with
smile                      | sourire        | person        |  |
wait                       | attendre       | person animal |  | place
travel travelled travelled | voyager        | person        |  | with
arrive                     | arriver        | person transport |  | at=venue
leave left left            | partir         | person transport |  | event
fall fell fallen           | tomber         | person animal object -text |  | event
go went gone               | aller          | person        |  | to=venue,capital
come came come             | venir          | person        |  | to=venue,capital
come came come + back      | revenir        | person        |  | from=venue,capital
go went gone + out         | sortir         | person animal |  | event
stay                       | rester         | person animal |  | in=indoors
live                       | habiter        | person        |  | in=home,capital state
eat ate eaten              | manger         | person animal | food | place optional speed with
drink drank drunk          | boire          | person animal | drink | place optional with
prepare                    | préparer       | person        | dish | place for
see saw seen               | voir           | person animal | person animal building vehicle tree sea | event
look + at                  | regarder       | person animal | person animal object clothing vehicle building | place
look + for                 | chercher       | person        | person animal object clothing wealth | place
find found found           | trouver        | person        | object clothing wealth animal | place event
lose lost lost             | perdre         | person        | object clothing wealth | place event
like                       | aimer          | person        | food drink clothing town text tale | generic state
love                       | aimer          | person        | person animal food tale | generic state
hate                       | détester       | person        | food drink clothing town animal | generic state
buy bought bought          | acheter        | person        | food drink thing | place for
sell sold sold             | vendre         | person        | food drink thing | place recipient
have had had               | avoir          | person        | animal thing house shop friend wealth | state
want                       | vouloir        | person        | food drink thing animal | state
read read read             | lire           | person        | text tale | place
write wrote written        | écrire         | person        | letter book poem tale | place for
open                       | ouvrir         | person        | opening container letter bottle | event
close                      | fermer         | person        | opening container book | event
listen + to                | écouter        | person animal | person tale | place
wait + for                 | attendre       | person animal | person transport | place
help                       | aider          | person        | person | place
know knew known            | connaître      | person        | person tale town | state
visit                      | visiter        | person        | castle church town house hospital school |
take took taken            | prendre        | person        | object clothing transport |
carry                      | porter         | person        | object food chair young |
wear wore worn             | porter         | person        | clothing |
follow                     | suivre         | person animal | person animal vehicle |
call                       | appeler        | person        | person dog cat |
wash                       | laver          | person        | clothing vehicle cup glass dog fruit opening | place
choose chose chosen        | choisir        | person        | clothing text gift food animal vehicle song | event
forget forgot forgotten    | oublier        | person        | object clothing tale | event
break broke broken         | casser         | person animal | fragile machine furniture window | event
clean                      | nettoyer       | person        | room building furniture clothing vehicle window |
draw drew drawn            | dessiner       | person        | person animal plant building boat | place for
give gave given            | donner         | person        | food object clothing wealth animal | recipient
show showed shown          | montrer        | person        | object clothing building animal | recipient
send sent sent             | envoyer        | person        | text gift plant wealth -tree | recipient
lend lent lent             | prêter         | person        | object clothing bike car wealth -gift | recipient
bring brought brought      | apporter       | person        | food drink object clothing wealth | recipient
tell told told             | raconter       | person        | story | recipient
answer                     | répondre + à   | person        | person | event
speak spoke spoken + to    | parler + à     | person        | person | place
phone                      | téléphoner + à | person        | person | place
obey                       | obéir + à      | person animal | kin job | event
"""

# Verbs that take another clause ("I think that ...") or an infinitive ("she wants to sleep").
REPORTING = """
think thought thought | penser  | person | | state
say said said         | dire    | person | | state
know knew known       | savoir  | person | | state
hope                  | espérer | person | | state
"""


@dataclass(frozen=True, eq=False)
class Modal:
    """A verb before an infinitive. An auxiliary needs no "do" and no "to": "cannot sleep"."""

    verb: Verb
    auxiliary: bool
    tenses: tuple[str, ...]


# english [past] | french | tenses | auxiliary or not
MODALS = """
want       | vouloir | present past future | verb
like       | aimer   | present past        | verb
can could  | pouvoir | present past        | auxiliary
must       | devoir  | present             | auxiliary
"""


# Verbs whose last consonant is doubled before -ing.
DOUBLED = frozenset({"forget", "run", "swim", "travel"})


def _regular_past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def _read(english: str, french: str, subjects: str, objects: str, options: str) -> Verb:
    forms, _, particle = english.partition("+")
    base, past, participle = (*forms.split(), "", "")[:3]
    infinitive, _, preposition = french.partition("+")
    return Verb(
        base,
        past or _regular_past(base),
        participle or past or _regular_past(base),
        particle.strip(),
        infinitive.strip(),
        preposition.strip(),
        subjects,
        objects,
        frozenset(options.split()),
    )


def _read_modal(english: str, french: str, tenses: str, kind: str) -> Modal:
    return Modal(_read(english, french, "person", "", "state"), kind == "auxiliary", tuple(tenses.split()))


BE = _read("be was been", "être", "", "", "state")
THERE_BE = _read("be was been", "avoir", "", "", "state")  # "there is" is "il y a"

LEXICON: tuple[Verb, ...] = tuple(_read(*row) for row in rows(VERBS))
REPORTING_VERBS: tuple[Verb, ...] = tuple(_read(*row) for row in rows(REPORTING))
MODAL_VERBS: tuple[Modal, ...] = tuple(_read_modal(*row) for row in rows(MODALS))


@cache
def third_person(base: str) -> str:
    """The English form after he, she, it: "goes", "carries", "has"."""
    if base == "have":
        return "has"
    if base.endswith(("s", "sh", "ch", "x", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


@cache
def ing_form(base: str) -> str:
    """The English -ing form: "sleeping", "writing", "running"."""
    if base in DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    return base + "ing"
