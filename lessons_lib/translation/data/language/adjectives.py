"""The adjectives: their French forms, the side of the noun they stand on, and what they describe."""

from dataclasses import dataclass
from functools import cache

from .nouns import Noun, fits
from .words import rows


@dataclass(frozen=True, eq=False)
class Adjective:
    english: str
    masculine: str
    feminine: str
    before_vowel: str  # the masculine singular before a vowel: "bel", "vieil", "nouvel"
    place: str
    rank: int
    kinds: str

    @property
    def prenominal(self) -> bool:
        return self.place == "before"

    @property
    def graded(self) -> bool:
        """Whether "very" goes with it: not with a colour, a job, "empty"."""
        return self.rank != 5 and self.place != "job" and self.english not in UNGRADED

    def french(self, feminine: bool, plural: bool, before_vowel: bool = False) -> str:
        """The form that agrees with its noun."""
        form = self.feminine if feminine else self.masculine
        if not plural:
            return self.before_vowel if before_vowel and not feminine else form
        if self.place in ("same", "avoir") or form.endswith(("s", "x")):
            return form
        return form + ("x" if form.endswith("eau") else "s")


ATTRIBUTIVE = frozenset({"new"})  # "le lit est neuf", but "le nouveau lit"
UNGRADED = frozenset({"empty", "broken", "open", "closed", "delicious", "huge", "ready", "wonderful"})

# The rank is the order of adjectives in English, "happy young black": opinion 1, size 2, age 3, state 4, colour 5.
# place: before | after the noun | same (after, no agreement) | avoir ("be hungry" is "avoir faim")
#        | only (after "be" only) | job ("be a doctor" is "être médecin": no article).
# english | french masculine[/feminine[/masculine before a vowel]] | place | rank | kinds of noun described
ADJECTIVES = """
small       | petit                    | before | 2 | animal young thing opening building room town tree -big -poem
big         | grand                    | before | 2 | animal thing opening building room town tree park -small -poem
old         | vieux/vieille/vieil      | before | 3 | person animal thing building town tree bridge -young -flower
young       | jeune                    | before | 3 | person animal
beautiful   | beau/belle/bel           | before | 1 | lady young animal clothing vehicle plant building outdoors wild
good        | bon/bonne                | before | 1 | food drink job friend text tale
bad         | mauvais                  | before | 1 | food drink text tale job
new         | nouveau/nouvelle/nouvel  | before | 3 | vehicle clothing machine text furniture building friend job
pretty      | joli                     | before | 1 | lady clothing plant gift house room village
long        | long/longue              | before | 2 | long
black       | noir                     | after  | 5 | animal clothing vehicle furniture container machine -transport
white       | blanc/blanche            | after  | 5 | animal clothing vehicle furniture container house cup -transport
red         | rouge                    | after  | 5 | clothing vehicle furniture fruit container opening plant cup -tree
green       | vert                     | after  | 5 | clothing vehicle furniture fruit opening bottle
blue        | bleu                     | after  | 5 | clothing vehicle furniture opening container cup
yellow      | jaune                    | after  | 5 | clothing vehicle fruit furniture container plant -tree
grey        | gris                     | after  | 5 | animal clothing vehicle furniture
brown       | marron                   | same   | 5 | animal clothing furniture container
happy       | heureux/heureuse         | after  | 1 | person animal
sad         | triste                   | after  | 1 | person animal tale
tired       | fatigué                  | after  | 4 | person animal
sick        | malade                   | after  | 4 | person animal
clever      | intelligent              | after  | 1 | person animal
kind        | gentil/gentille          | after  | 1 | person
famous      | célèbre                  | after  | 1 | job lady tale text castle hotel -letter -message
rich        | riche                    | after  | 1 | person -young
strong      | fort                     | after  | 1 | person big coffee tea
lazy        | paresseux/paresseuse     | after  | 1 | person animal
dangerous   | dangereux/dangereuse     | after  | 1 | wild big
heavy       | lourd                    | after  | 1 | furniture container axe computer gift
empty       | vide                     | after  | 4 | building room container cup glass bottle transport
clean       | propre                   | after  | 4 | clothing vehicle room street beach cup glass
dirty       | sale                     | after  | 4 | clothing vehicle room street beach cup glass
broken      | cassé                    | after  | 4 | fragile machine furniture opening umbrella
open        | ouvert                   | after  | 4 | opening container school church library shop market park
expensive   | cher/chère               | after  | 1 | vehicle clothing machine gift hotel wine meat -transport
delicious   | délicieux/délicieuse     | after  | 1 | food coffee tea wine
fresh       | frais/fraîche            | after  | 4 | fruit vegetable egg fish bread milk
hot         | chaud                    | after  | 4 | drink dish -juice -salad -sandwich -cake
cold        | froid                    | after  | 4 | drink dish river sea
interesting | intéressant              | after  | 1 | text tale town show idea -rule
funny       | drôle                    | after  | 1 | text tale animal friend
quiet       | calme                    | after  | 1 | outdoors room beach sea
modern      | moderne                  | after  | 1 | building kitchen lamp -castle
tall        | grand                    | before | 2 | tree tower wall woman boy girl son daughter child
huge        | énorme                   | after  | 2 | big tree castle tower mountain fish cake suitcase
short       | court                    | after  | 2 | long skirt coat
ugly        | laid                     | after  | 1 | clothing building furniture doll
pleasant    | agréable                 | after  | 1 | outdoors beach garden room hotel
wonderful   | merveilleux/merveilleuse | after  | 1 | tale show town island valley gift
strange     | étrange                  | after  | 1 | tale show machine question word animal
simple      | simple                   | after  | 1 | idea tale soup
easy        | facile                   | after  | 1 | idea song
difficult   | difficile                | after  | 1 | idea poem
important   | important                | after  | 1 | letter message word question lesson rule
useful      | utile                    | after  | 1 | machine dictionary map ladder knife word rule
angry       | fâché                    | after  | 4 | person
proud       | fier/fière               | after  | 1 | person
brave       | courageux/courageuse     | after  | 1 | person big
shy         | timide                   | after  | 1 | person animal -lion -tiger -bear
polite      | poli                     | after  | 1 | person
serious     | sérieux/sérieuse         | after  | 1 | job letter problem question
honest      | honnête                  | after  | 1 | person -thief
curious     | curieux/curieuse         | after  | 1 | person animal
jealous     | jaloux/jalouse           | after  | 1 | person
rare        | rare                     | after  | 1 | flower bird book word turtle
fast        | rapide                   | after  | 1 | vehicle horse
slow        | lent                     | after  | 1 | bus boat tractor truck bike turtle donkey computer
sweet       | sucré                    | after  | 4 | fruit tea coffee lemonade biscuit
ripe        | mûr                      | after  | 4 | fruit banana tomato
bitter      | amer/amère               | after  | 1 | coffee chocolate beer
warm        | chaud                    | after  | 4 | coat sweater blanket glove scarf kitchen
dark        | sombre                   | after  | 4 | room forest street
wet         | mouillé                  | after  | 4 | clothing towel dog carpet
dry         | sec/sèche                | after  | 4 | clothing towel bread
round       | rond                     | after  | 4 | table plate box mirror tower
soft        | doux/douce               | after  | 4 | blanket towel sweater
sharp       | tranchant                | after  | 4 | knife axe
light       | léger/légère             | after  | 1 | suitcase bag basket coat bike
full        | plein                    | after  | 4 | container basket cup glass bottle transport restaurant
closed      | fermé                    | after  | 4 | opening school library restaurant shop bank bakery pharmacy
pink        | rose                     | after  | 5 | clothing flower toy
purple      | violet/violette          | after  | 5 | clothing flower
orange      | orange                   | same   | 5 | clothing blanket
French      | français/française       | after  | 5 | job tourist restaurant wine song car text
English     | anglais/anglaise         | after  | 5 | job tourist text song
Italian     | italien/italienne        | after  | 5 | job tourist restaurant dish wine
Spanish     | espagnol/espagnole       | after  | 5 | job tourist song dish wine
ready       | prêt                     | only   | 0 | person
busy        | occupé                   | only   | 0 | person
hungry      | faim                     | avoir  | 0 | person animal
thirsty     | soif                     | avoir  | 0 | person animal
cold        | froid                    | avoir  | 0 | person animal
afraid      | peur                     | avoir  | 0 | person animal
doctor      | médecin/médecin          | job    | 0 | person -job -young
teacher     | professeur/professeur    | job    | 0 | person -job -young
student     | étudiant                 | job    | 0 | person -job -young
nurse       | infirmier/infirmière     | job    | 0 | person -job -young
farmer      | fermier/fermière         | job    | 0 | person -job -young
actor       | acteur/actrice           | job    | 0 | person -job -young
singer      | chanteur/chanteuse       | job    | 0 | person -job -young
lawyer      | avocat                   | job    | 0 | person -job -young
baker       | boulanger/boulangère     | job    | 0 | person -job -young
musician    | musicien/musicienne      | job    | 0 | person -job -young
"""


def _read(english: str, french: str, place: str, rank: str, kinds: str) -> Adjective:
    masculine, feminine, before_vowel = (*french.split("/"), "", "")[:3]
    feminine = feminine or (masculine if masculine.endswith("e") else masculine + "e")
    if place in ("same", "avoir"):
        feminine = masculine
    return Adjective(english, masculine, feminine, before_vowel or masculine, place, int(rank), kinds)


LEXICON: tuple[Adjective, ...] = tuple(_read(*row) for row in rows(ADJECTIVES))


@cache
def attributive(noun: Noun) -> tuple[Adjective, ...]:
    """The adjectives that can stand beside a noun: "the small cat"."""
    beside = ("before", "after", "same")
    return tuple(a for a in LEXICON if a.place in beside and not noun.named and fits(a.kinds, noun))


@cache
def predicative(noun: Noun) -> tuple[Adjective, ...]:
    """What can be said of a noun after "be": "the cat is small", "the cat is hungry", "my brother is a doctor"."""
    return tuple(a for a in LEXICON if a.english not in ATTRIBUTIVE and fits(a.kinds, noun))
