"""French verb forms: present, imparfait, futur simple, past participle."""

import unicodedata
from functools import cache

from .words import rows

# infinitive | present of je, tu, il, nous, vous, ils | past participle | stem of the future
IRREGULAR = """
être      | suis es est sommes êtes sont                               | été    | ser
avoir     | ai as a avons avez ont                                     | eu     | aur
aller     | vais vas va allons allez vont                              | allé   | ir
pouvoir   | peux peux peut pouvons pouvez peuvent                      | pu     | pourr
vouloir   | veux veux veut voulons voulez veulent                      | voulu  | voudr
devoir    | dois dois doit devons devez doivent                        | dû     | devr
savoir    | sais sais sait savons savez savent                         | su     | saur
dormir    | dors dors dort dormons dormez dorment                      | dormi  | dormir
partir    | pars pars part partons partez partent                      | parti  | partir
sortir    | sors sors sort sortons sortez sortent                      | sorti  | sortir
courir    | cours cours court courons courez courent                   | couru  | courr
venir     | viens viens vient venons venez viennent                    | venu   | viendr
revenir   | reviens reviens revient revenons revenez reviennent        | revenu | reviendr
boire     | bois bois boit buvons buvez boivent                        | bu     | boir
voir      | vois vois voit voyons voyez voient                         | vu     | verr
lire      | lis lis lit lisons lisez lisent                            | lu     | lir
écrire    | écris écris écrit écrivons écrivez écrivent                | écrit  | écrir
dire      | dis dis dit disons dites disent                            | dit    | dir
rire      | ris ris rit rions riez rient                               | ri     | rir
sourire   | souris souris sourit sourions souriez sourient             | souri  | sourir
ouvrir    | ouvre ouvres ouvre ouvrons ouvrez ouvrent                  | ouvert | ouvrir
connaître | connais connais connaît connaissons connaissez connaissent | connu  | connaîtr
prendre   | prends prends prend prenons prenez prennent                | pris   | prendr
suivre    | suis suis suit suivons suivez suivent                      | suivi  | suivr
comprendre | comprends comprends comprend comprenons comprenez comprennent  | compris | comprendr
apprendre | apprends apprends apprend apprenons apprenez apprennent     | appris | apprendr
construire | construis construis construit construisons construisez construisent | construit | construir
conduire  | conduis conduis conduit conduisons conduisez conduisent     | conduit | conduir
peindre   | peins peins peint peignons peignez peignent                 | peint  | peindr
tenir     | tiens tiens tient tenons tenez tiennent                     | tenu   | tiendr
croire    | crois crois croit croyons croyez croient                    | cru    | croir
servir    | sers sers sert servons servez servent                       | servi  | servir
recevoir  | reçois reçois reçoit recevons recevez reçoivent             | reçu   | recevr
cueillir  | cueille cueilles cueille cueillons cueillez cueillent       | cueilli | cueiller
envoyer   | envoie envoies envoie envoyons envoyez envoient            | envoyé | enverr
"""

# Verbs in -er whose stem changes before a silent e: "j'achète" but "nous achetons".
CHANGED_STEM = {
    "acheter": "achèt",
    "appeler": "appell",
    "préférer": "préfèr",
    "espérer": "espèr",
    "nettoyer": "nettoi",
    "essuyer": "essui",
    "aboyer": "aboi",
    "payer": "pai",
    "jeter": "jett",
    "protéger": "protèg",
}

# Verbs with être in the passé composé: "elle est arrivée".
WITH_ETRE = frozenset(
    {"aller", "arriver", "descendre", "entrer", "monter", "partir", "rentrer", "rester", "retourner", "revenir"}
    | {"sortir", "tomber", "venir"}
)

ENDINGS = {
    "er": ("e", "es", "e", "ons", "ez", "ent"),
    "ir": ("is", "is", "it", "issons", "issez", "issent"),
    "re": ("s", "s", "", "ons", "ez", "ent"),
    "imparfait": ("ais", "ais", "ait", "ions", "iez", "aient"),
    "futur": ("ai", "as", "a", "ons", "ez", "ont"),
}
PARTICIPLE_ENDINGS = {"er": "é", "ir": "i", "re": "u"}

_IRREGULAR = {verb: (tuple(forms.split()), past, stem) for verb, forms, past, stem in rows(IRREGULAR)}


def starts_with_vowel_sound(word: str, aspirated: frozenset[str]) -> bool:
    """Whether a word elides what stands before it: "ami", "homme", "école", but not "héros" (an aspirated h)."""
    first = unicodedata.normalize("NFD", word[0].lower())[0]
    return (first in "aeiouhœ" and word not in aspirated) or word == "y"


@cache
def present(infinitive: str) -> tuple[str, ...]:
    """The present: je, tu, il, nous, vous, ils."""
    if infinitive in _IRREGULAR:
        return _IRREGULAR[infinitive][0]
    stem, group = infinitive[:-2], infinitive[-2:]
    forms = [_soft(stem, ending) + ending for ending in ENDINGS[group]]
    if infinitive in CHANGED_STEM:
        silent = CHANGED_STEM[infinitive]
        forms = [form if person in (3, 4) else silent + ENDINGS[group][person] for person, form in enumerate(forms)]
    return tuple(forms)


@cache
def imparfait(infinitive: str) -> tuple[str, ...]:
    """The imparfait, from the "nous" form of the present (except "être")."""
    stem = "ét" if infinitive == "être" else present(infinitive)[3].removesuffix("ons")
    hard = stem.removesuffix("e") if stem.endswith("ge") else stem
    if hard.endswith("ç"):
        hard = hard[:-1] + "c"
    return tuple(_soft(hard, ending) + ending for ending in ENDINGS["imparfait"])


@cache
def futur(infinitive: str) -> tuple[str, ...]:
    """The futur simple."""
    if infinitive in _IRREGULAR:
        stem = _IRREGULAR[infinitive][2]
    elif infinitive in CHANGED_STEM and not infinitive.endswith(("érer", "éger")):
        stem = CHANGED_STEM[infinitive] + "er"
    else:
        stem = infinitive.removesuffix("e")
    return tuple(stem + ending for ending in ENDINGS["futur"])


@cache
def participle(infinitive: str, feminine: bool = False, plural: bool = False) -> str:
    """The past participle, agreeing in gender and number."""
    if infinitive in _IRREGULAR:
        form = _IRREGULAR[infinitive][1]
    else:
        form = infinitive[:-2] + PARTICIPLE_ENDINGS[infinitive[-2:]]
    return form + "e" * feminine + ("s" if plural and not (form.endswith("s") and not feminine) else "")


def _soft(stem: str, ending: str) -> str:
    """Keep g and c soft before a and o: "mangeons", "mangeait", "commençons"."""
    if ending[:1] not in ("a", "o"):
        return stem
    return stem + "e" if stem.endswith("g") else stem[:-1] + "ç" if stem.endswith("c") else stem
