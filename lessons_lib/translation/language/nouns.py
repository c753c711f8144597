"""The nouns: English, French, gender, and the kinds of thing they name.

Kinds keep the sentences plausible: verbs, adjectives and prepositions say which kinds they go with, so that
people eat food and not tables. The noun itself is one of its kinds, so a table can also name a single noun. "thing"
is any object, garment, vehicle or piece of furniture. What is "shared" is nobody's: no "my king", no "her station".
A French noun that starts with * has an aspirated h: "le héros", never "l'héros".
"""

from dataclasses import dataclass
from functools import cache

from .words import rows


@dataclass(frozen=True, eq=False)
class Noun:
    english: str
    english_plural: str
    french: str
    french_plural: str
    feminine: bool
    kinds: frozenset[str]

    @property
    def countable(self) -> bool:
        return "mass" not in self.kinds

    @property
    def named(self) -> bool:
        """True for a proper noun, which takes no article in either language."""
        return "name" in self.kinds


# english[/plural] | french[/plural] gender | kinds
NOUNS = """
man/men          | homme m              | person shared
woman/women      | femme f              | person lady shared
boy              | garçon m             | person young shared
girl             | fille f              | person young lady shared
child/children   | enfant m             | person young
brother          | frère m              | person kin
sister           | sœur f               | person kin
mother           | mère f               | person kin
father           | père m               | person kin
uncle            | oncle m              | person kin
friend           | ami m                | person friend
neighbour        | voisin m             | person
teacher          | professeur m         | person job
doctor           | médecin m            | person job
student          | étudiant m           | person job
farmer           | fermier m            | person job
king             | roi m                | person job shared
queen            | reine f              | person lady shared
hero/heroes      | *héros m             | person shared
cat              | chat m               | animal small
dog              | chien m              | animal small
bird             | oiseau m             | animal small
mouse/mice       | souris f             | animal small
rabbit           | lapin m              | animal small
hen              | poule f              | animal small
owl              | *hibou/hiboux m      | animal small
horse            | cheval m             | animal big
cow              | vache f              | animal big
wolf/wolves      | loup m               | animal big
elephant         | éléphant m           | animal big
apple            | pomme f              | food fruit
pear             | poire f              | food fruit
tomato/tomatoes  | tomate f             | food fruit
strawberry       | fraise f             | food fruit
banana           | banane f             | food
orange           | orange f             | food
egg              | œuf m                | food dish
cake             | gâteau m             | food dish
sandwich         | sandwich m           | food dish
bread            | pain m               | food mass
cheese           | fromage m            | food mass
meat             | viande f             | food mass dish
rice             | riz m                | food mass dish
soup             | soupe f              | food mass dish
fish             | poisson m            | food mass dish
chocolate        | chocolat m           | food mass
water            | eau f                | drink mass
milk             | lait m               | drink mass
coffee           | café m               | drink mass
tea              | thé m                | drink mass
wine             | vin m                | drink mass
money            | argent m             | mass wealth
book             | livre m              | object text long
letter           | lettre f             | object text long
newspaper        | journal m            | object text
poem             | poème m              | object text
story            | histoire f           | tale long
song             | chanson f            | tale long
key              | clé f                | object
knife/knives     | couteau m            | object
umbrella         | parapluie m          | object
flower           | fleur f              | object plant
ring             | bague f              | object
gift             | cadeau m             | object
axe              | *hache f             | object
cup              | tasse f              | object fragile vessel
glass            | verre m              | object fragile vessel
bottle           | bouteille f          | object fragile vessel
lamp             | lampe f              | object fragile
computer         | ordinateur m         | object machine
phone            | téléphone m          | object machine
box              | boîte f              | object container
bag              | sac m                | object container
door             | porte f              | opening
window           | fenêtre f            | opening
table            | table f              | furniture
chair            | chaise f             | furniture
bed              | lit m                | furniture
hat              | chapeau m            | clothing
coat             | manteau m            | clothing
shirt            | chemise f            | clothing
dress            | robe f               | clothing
shoe             | chaussure f          | clothing
scarf/scarves    | écharpe f            | clothing
car              | voiture f            | vehicle
bike             | vélo m               | vehicle
boat             | bateau m             | vehicle
train            | train m              | vehicle transport shared
bus              | bus m                | vehicle transport shared
tree             | arbre m              | plant landmark shade
house            | maison f             | building indoors home
castle           | château m            | building indoors home venue shared
school           | école f              | building indoors venue
hospital         | hôpital m            | building indoors venue shared
church           | église f             | building indoors venue shared
hotel            | hôtel m              | building indoors venue shared
shop             | magasin m            | building indoors venue shared
restaurant       | restaurant m         | building indoors venue shared
library          | bibliothèque f       | building indoors venue shared
kitchen          | cuisine f            | indoors room
room             | chambre f            | indoors room
garden           | jardin m             | outdoors
park             | parc m               | outdoors venue shared
street           | rue f                | outdoors long shared
forest           | forêt f              | outdoors wild shared
village          | village m            | outdoors home venue town
city             | ville f              | outdoors home town
market           | marché m             | venue market shared
station          | gare f               | building venue landmark shared
beach            | plage f              | ground venue wild shared
bridge           | pont m               | ground landmark shade shared
river            | rivière f            | water wild shared
sea              | mer f                | water wild shared
Paul             | Paul m               | person name
Thomas           | Thomas m             | person name
Marie            | Marie f              | person lady name
Alice            | Alice f              | person lady name
Emma             | Emma f               | person lady name
Paris            | Paris m              | capital name
London           | Londres m            | capital name
"""

THINGS = frozenset({"object", "clothing", "vehicle", "furniture"})


def _english_plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def _french_plural(noun: str) -> str:
    if noun.endswith(("s", "x", "z")):
        return noun
    if noun.endswith(("eau", "eu")):
        return noun + "x"
    if noun.endswith("al"):
        return noun[:-2] + "aux"
    return noun + "s"


def _read(english: str, french: str, kinds: str) -> Noun:
    english, _, english_plural = english.partition("/")
    french, gender = french.lstrip("*").split()
    french, _, french_plural = french.partition("/")
    return Noun(
        english,
        english_plural or _english_plural(english),
        french,
        french_plural or _french_plural(french),
        gender == "f",
        frozenset([english, *kinds.split(), *("thing" for kind in kinds.split() if kind in THINGS)]),
    )


LEXICON: tuple[Noun, ...] = tuple(_read(*row) for row in rows(NOUNS))

ASPIRATED = frozenset(
    form
    for (_, french, _), noun in zip(rows(NOUNS), LEXICON, strict=True)
    if french.startswith("*")
    for form in (noun.french, noun.french_plural)
)


@cache
def nouns_of(kinds: str) -> tuple[Noun, ...]:
    """The nouns of any of these kinds, in the order of the table: "food drink -mass" is all food and drink but mass."""
    wanted = {kind for kind in kinds.split() if not kind.startswith("-")}
    unwanted = {kind[1:] for kind in kinds.split() if kind.startswith("-")}
    return tuple(noun for noun in LEXICON if noun.kinds & wanted and not noun.kinds & unwanted)


def fits(kinds: str, noun: Noun) -> bool:
    """Whether a noun is of any of these kinds."""
    return noun in nouns_of(kinds)
