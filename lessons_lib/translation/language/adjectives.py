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
UNGRADED = frozenset({"empty", "broken", "open", "delicious", "ready"})

# The rank is the order of adjectives in English, "happy young black": opinion 1, size 2, age 3, state 4, colour 5.
# place: before | after the noun | same (after, no agreement) | avoir ("be hungry" is "avoir faim")
#        | only (after "be" only) | job ("be a doctor" is "être médecin": no article).
# english | french masculine[/feminine[/masculine before a vowel]] | place | rank | kinds of noun described
ADJECTIVES = """
small       | petit                   | before | 2 | animal young thing opening building room town tree -big -poem
big         | grand                   | before | 2 | animal thing opening building room town tree park -small -poem
old         | vieux/vieille/vieil     | before | 3 | person animal thing building town tree bridge -young -flower
young       | jeune                   | before | 3 | person animal
beautiful   | beau/belle/bel          | before | 1 | lady young animal clothing vehicle plant building outdoors wild
good        | bon/bonne               | before | 1 | food drink job friend text tale
bad         | mauvais                 | before | 1 | food drink text tale job
new         | nouveau/nouvelle/nouvel | before | 3 | vehicle clothing machine text furniture building friend job
pretty      | joli                    | before | 1 | lady clothing plant gift house room village
long        | long/longue             | before | 2 | long
black       | noir                    | after  | 5 | animal clothing vehicle furniture container machine -transport
white       | blanc/blanche           | after  | 5 | animal clothing vehicle furniture container house cup -transport
red         | rouge                   | after  | 5 | clothing vehicle furniture fruit container opening plant cup -tree
green       | vert                    | after  | 5 | clothing vehicle furniture fruit opening bottle
blue        | bleu                    | after  | 5 | clothing vehicle furniture opening container cup
yellow      | jaune                   | after  | 5 | clothing vehicle fruit furniture container plant -tree
grey        | gris                    | after  | 5 | animal clothing vehicle furniture
brown       | marron                  | same   | 5 | animal clothing furniture container
happy       | heureux/heureuse        | after  | 1 | person animal
sad         | triste                  | after  | 1 | person animal tale
tired       | fatigué                 | after  | 4 | person animal
sick        | malade                  | after  | 4 | person animal
clever      | intelligent             | after  | 1 | person animal
kind        | gentil/gentille         | after  | 1 | person
famous      | célèbre                 | after  | 1 | job lady tale text castle hotel
rich        | riche                   | after  | 1 | person -young
strong      | fort                    | after  | 1 | person big coffee tea
lazy        | paresseux/paresseuse    | after  | 1 | person animal
dangerous   | dangereux/dangereuse    | after  | 1 | wild big
heavy       | lourd                   | after  | 1 | furniture container axe computer gift
empty       | vide                    | after  | 4 | building room container cup glass bottle transport
clean       | propre                  | after  | 4 | clothing vehicle room street beach cup glass
dirty       | sale                    | after  | 4 | clothing vehicle room street beach cup glass
broken      | cassé                   | after  | 4 | fragile machine furniture opening umbrella
open        | ouvert                  | after  | 4 | opening container school church library restaurant shop market park
expensive   | cher/chère              | after  | 1 | vehicle clothing machine gift restaurant hotel wine meat -transport
delicious   | délicieux/délicieuse    | after  | 1 | food coffee tea wine
fresh       | frais/fraîche           | after  | 4 | fruit egg fish bread milk
hot         | chaud                   | after  | 4 | drink dish
cold        | froid                   | after  | 4 | drink dish river sea
interesting | intéressant             | after  | 1 | text tale town
funny       | drôle                   | after  | 1 | text tale animal friend
quiet       | calme                   | after  | 1 | outdoors room beach sea
modern      | moderne                 | after  | 1 | building kitchen lamp -castle
ready       | prêt                    | only   | 0 | person
busy        | occupé                  | only   | 0 | person
hungry      | faim                    | avoir  | 0 | person animal
thirsty     | soif                    | avoir  | 0 | person animal
cold        | froid                   | avoir  | 0 | person animal
afraid      | peur                    | avoir  | 0 | person animal
doctor      | médecin/médecin         | job    | 0 | person -job -young
teacher     | professeur/professeur   | job    | 0 | person -job -young
student     | étudiant                | job    | 0 | person -job -young
nurse       | infirmier/infirmière    | job    | 0 | person -job -young
farmer      | fermier/fermière        | job    | 0 | person -job -young
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
