"""The embedded corpus says what it should: exact sentences and alignments, in both languages."""

import re

import pytest

from lessons_lib.translation.data.grammar import SentencePair, write
from lessons_lib.translation.data.language import conjugation, small_words
from lessons_lib.translation.data.language.meaning import (
    Clause,
    PrepositionalPhrase,
    Sentence,
    Together,
    adjective,
    changed,
    modal,
    noun_phrase,
    place,
    verb,
)
from lessons_lib.translation.data.language.small_words import PRONOUN
from lessons_lib.translation.data.language.verbs import THERE_BE

I, HE, SHE, IT, WE, THEY, WHO, THERE = (
    PRONOUN[name] for name in ("I", "he", "she", "it", "we", "they", "who", "there")
)
YOU, POLITE_YOU = PRONOUN["you familiar"], PRONOUN["you polite"]
ADVERB = {re.sub(r"/\S+", "", adverb.english): adverb for adverb in small_words.ALL_ADVERBS}


def clause(subject, its_verb: str, **what) -> Clause:
    """A clause whose noun phrases, adjectives, modal and adverbs are given by their English words."""
    readers = {"object": noun_phrase, "recipient": noun_phrase, "modal": modal}
    readers |= dict.fromkeys(("middle", "manner", "time"), ADVERB.get)
    for role, value in what.items():
        if isinstance(value, str) and role in readers:
            what[role] = readers[role](value)
    what["complement"] = tuple(adjective(name) for name in what.get("complement", "").split())
    subject = noun_phrase(subject) if isinstance(subject, str) else subject
    return Clause(subject, verb(its_verb), **what)


def say(subject, its_verb: str, **what) -> SentencePair:
    """One clause, in bare lower case."""
    return write(Sentence(clause(subject, its_verb, **what), written=False))


PHRASES = [
    # adjectives: their side, their agreement, their form before a vowel
    ("the small black cats", "les petits chats noirs"),
    ("a small white mouse", "une petite souris blanche"),
    ("the beautiful bird", "le bel oiseau"),
    ("the old tree", "le vieil arbre"),
    ("the new hotel", "le nouvel hôtel"),
    ("the old trees", "les vieux arbres"),
    ("the happy young woman", "la jeune femme heureuse"),
    ("the brown shoes", "les chaussures marron"),
    ("these expensive shirts", "ces chemises chères"),
    # articles
    ("some water", "de l'eau"),
    ("some bread", "du pain"),
    ("some meat", "de la viande"),
    ("money", "de l'argent"),
    ("some apples", "des pommes"),
    ("some good apples", "de bonnes pommes"),
    ("some red apples", "des pommes rouges"),
    ("many eggs", "beaucoup d'œufs"),
    ("ten horses", "dix chevaux"),
    ("every school", "chaque école"),
    # elision and the aspirated h
    ("the friend", "l'ami"),
    ("the school", "l'école"),
    ("the man", "l'homme"),
    ("the hero", "le héros"),
    ("the axe", "la hache"),
    ("many owls", "beaucoup de hiboux"),
    # possessives and demonstratives
    ("her friend", "son ami"),
    ("my story", "mon histoire"),
    ("my beautiful story", "ma belle histoire"),
    ("his axe", "sa hache"),
    ("this child", "cet enfant"),
    ("this hero", "ce héros"),
    ("that old hospital", "ce vieil hôpital"),
    ("these men", "ces hommes"),
    ("their knives", "leurs couteaux"),
]


@pytest.mark.parametrize(("english", "french"), PHRASES)
def test_noun_phrase(english, french):
    pair = say(SHE, "see", object=english)
    assert (pair.english, pair.french) == (f"she sees {english}", f"elle voit {french}")


def at(preposition: str, where: str) -> tuple[PrepositionalPhrase]:
    return (place(preposition, noun_phrase(where)),)


WITH_HIM = (PrepositionalPhrase("with", "avec", HE),)
PAUL_AND_MARIE = Together(noun_phrase("Paul"), noun_phrase("Marie"))
KINGS_HORSE = noun_phrase("horse", noun_phrase("the king"))
APPLES = noun_phrase("apples", "generic")
IN_A_BOTTLE = at("in", "the bottle")

CLAUSES = {
    # negation
    "the small black cats do not sleep | les petits chats noirs ne dorment pas": clause(
        "the small black cats", "sleep", polarity="not"
    ),
    "he does not love Marie | il n'aime pas Marie": clause(HE, "love", object="Marie", polarity="not"),
    "she does not have a dog | elle n'a pas de chien": clause(SHE, "have", object="a dog", polarity="not"),
    "we never drink water | nous ne buvons jamais d'eau": clause(WE, "drink", object="water", polarity="never"),
    "I no longer work | je ne travaille plus": clause(I, "work", polarity="no longer"),
    "the girls did not eat | les filles n'ont pas mangé": clause("the girls", "eat", tense="past", polarity="not"),
    "he does not answer a king | il ne répond pas à un roi": clause(HE, "answer", object="a king", polarity="not"),
    "he cannot swim | il ne peut pas nager": clause(HE, "swim", modal="can", polarity="not"),
    "there is no milk in the bottle | il n'y a pas de lait dans la bouteille": Clause(
        THERE, THERE_BE, polarity="not", object=noun_phrase("milk", "none of"), places=IN_A_BOTTLE
    ),
    # tenses
    "the mice are sleeping | les souris dorment": clause("the mice", "sleep", tense="progressive"),
    "the women arrived | les femmes sont arrivées": clause("the women", "arrive", tense="past"),
    "she has gone to the market | elle est allée au marché": clause(
        SHE, "go", tense="perfect", places=at("to", "the market")
    ),
    "I knew the king | je connaissais le roi": clause(I, "know", object="the king", tense="past"),
    "the birds were playing | les oiseaux jouaient": clause("the birds", "play", tense="past progressive"),
    "we will buy a car | nous achèterons une voiture": clause(WE, "buy", object="a car", tense="future"),
    "you are going to leave | tu vas partir": clause(YOU, "leave", tense="going to"),
    "she wanted to sing | elle voulait chanter": clause(SHE, "sing", modal="want", tense="past"),
    # object pronouns
    "she sees him | elle le voit": clause(SHE, "see", object=HE),
    "he saw her | il l'a vue": clause(HE, "see", object=SHE, tense="past"),
    "they did not help us | ils ne nous ont pas aidés": clause(THEY, "help", object=WE, tense="past", polarity="not"),
    "Paul speaks to her | Paul lui parle": clause("Paul", "speak to", object=SHE),
    "I give it to them | je le leur donne": clause(I, "give", object=IT, recipient=THEY),
    "the king gives me a horse | le roi me donne un cheval": clause("the king", "give", object="a horse", recipient=I),
    "we are going to look for you | nous allons te chercher": clause(WE, "look for", object=YOU, tense="going to"),
    # contractions
    "she speaks to the doctors | elle parle aux médecins": clause(SHE, "speak to", object="the doctors"),
    "he answers the man | il répond à l'homme": clause(HE, "answer", object="the man"),
    "they come back from the park | ils reviennent du parc": clause(THEY, "come back", places=at("from", "the park")),
    "we work near the school | nous travaillons près de l'école": clause(WE, "work", places=at("near", "the school")),
    "I see the king's horse | je vois le cheval du roi": clause(I, "see", object=KINGS_HORSE),
    # be
    "Paul and Marie are very tired | Paul et Marie sont très fatigués": clause(
        PAUL_AND_MARIE, "be", complement="tired", degree="very"
    ),
    "the children were hungry | les enfants avaient faim": clause(
        "the children", "be", complement="hungry", tense="past"
    ),
    "my mother is a doctor | ma mère est médecin": clause("my mother", "be", complement="doctor"),
    "our new house is small and white | notre nouvelle maison est petite et blanche": clause(
        "our new house", "be", complement="small white"
    ),
    # questions
    "do you like apples | est-ce que tu aimes les pommes": clause(YOU, "like", object=APPLES, question="yes-no"),
    "doesn't he work with him | est-ce qu'il ne travaille pas avec lui": clause(
        HE, "work", question="yes-no", polarity="not", places=WITH_HIM
    ),
    "do eight dogs sleep | est-ce que huit chiens dorment": clause("eight dogs", "sleep", question="yes-no"),
    "where is she | où est-elle": clause(SHE, "be", question="where"),
    "what did Alice eat | qu'est-ce qu'Alice a mangé": clause("Alice", "eat", question="what", tense="past"),
    "who is reading a book | qui lit un livre": clause(
        WHO, "read", question="who", tense="progressive", object="a book"
    ),
    # adverbs
    "he often eats meat in the evening | il mange souvent de la viande le soir": clause(
        HE, "eat", object="meat", middle="often", time="in the evening"
    ),
    "yesterday I slept well | hier j'ai bien dormi": clause(
        I, "sleep", tense="past", manner="well", time="yesterday", time_first=True
    ),
}


@pytest.mark.parametrize("expected", CLAUSES)
def test_clause(expected):
    pair = write(Sentence(CLAUSES[expected], written=False))
    assert f"{pair.english} | {pair.french}" == expected


THEY_ARE_TIRED = clause(PRONOUN["they feminine"], "be", complement="tired")
SHE_IS_NOT_READY = clause(SHE, "be", complement="ready", polarity="not")
WHO_IS_SINGING = changed(noun_phrase("the man"), relative=Clause(None, verb("sing"), tense="progressive"))
WHO_SEES_IT = changed(noun_phrase("the man"), relative=Clause(None, verb("see"), object=IT))

SENTENCES = {
    "The cows are sleeping because they're tired. | Les vaches dorment parce qu'elles sont fatiguées.": Sentence(
        clause("the cows", "sleep", tense="progressive"), "because", THEY_ARE_TIRED, contracted=True
    ),
    "Will he sing if he is happy? | Est-ce qu'il chantera s'il est heureux ?": Sentence(
        clause(HE, "sing", tense="future", question="yes-no"), "if", clause(HE, "be", complement="happy")
    ),
    "She sings and dances. | Elle chante et danse.": Sentence(clause(SHE, "sing"), "and", Clause(None, verb("dance"))),
    "The man who is singing is not here. | L'homme qui chante n'est pas ici.": Sentence(
        clause(WHO_IS_SINGING, "be", polarity="not", places=(ADVERB["here"],))
    ),
    # "it is" are not joined where "it" is not the subject
    "The man who sees it is here. | L'homme qui le voit est ici.": Sentence(
        clause(WHO_SEES_IT, "be", places=(ADVERB["here"],)), contracted=True
    ),
    "I think that she isn't ready. | Je pense qu'elle n'est pas prête.": Sentence(
        clause(I, "think", that=SHE_IS_NOT_READY), contracted=True
    ),
    "Tomorrow, you will be in Paris. | Demain, vous serez à Paris.": Sentence(
        clause(POLITE_YOU, "be", tense="future", places=at("in", "Paris"), time="tomorrow", time_first=True)
    ),
}


@pytest.mark.parametrize("expected", SENTENCES)
def test_sentence_with_capital_and_mark(expected):
    pair = write(SENTENCES[expected])
    assert f"{pair.english} | {pair.french}" == expected


@pytest.mark.parametrize(
    "forms",  # infinitive: present, imparfait and futur of "je" and "nous"
    [
        "manger: mange mangeons mangeais mangions mangerai mangerons",
        "acheter: achète achetons achetais achetions achèterai achèterons",
        "préférer: préfère préférons préférais préférions préférerai préférerons",
        "appeler: appelle appelons appelais appelions appellerai appellerons",
        "nettoyer: nettoie nettoyons nettoyais nettoyions nettoierai nettoierons",
        "envoyer: envoie envoyons envoyais envoyions enverrai enverrons",
        "choisir: choisis choisissons choisissais choisissions choisirai choisirons",
        "vendre: vends vendons vendais vendions vendrai vendrons",
        "être: suis sommes étais étions serai serons",
        "venir: viens venons venais venions viendrai viendrons",
        "rire: ris rions riais riions rirai rirons",
        "commencer: commence commençons commençais commencions commencerai commencerons",
        "protéger: protège protégeons protégeais protégions protégerai protégerons",
        "jeter: jette jetons jetais jetions jetterai jetterons",
        "payer: paie payons payais payions paierai paierons",
        "peindre: peins peignons peignais peignions peindrai peindrons",
        "conduire: conduis conduisons conduisais conduisions conduirai conduirons",
        "tenir: tiens tenons tenais tenions tiendrai tiendrons",
        "croire: crois croyons croyais croyions croirai croirons",
        "recevoir: reçois recevons recevais recevions recevrai recevrons",
        "cueillir: cueille cueillons cueillais cueillions cueillerai cueillerons",
        "servir: sers servons servais servions servirai servirons",
        "remplir: remplis remplissons remplissais remplissions remplirai remplirons",
    ],
)
def test_conjugation(forms):
    infinitive, expected = forms.split(": ")
    tenses = [tense(infinitive) for tense in (conjugation.present, conjugation.imparfait, conjugation.futur)]
    assert [tense[person] for tense in tenses for person in (0, 3)] == expected.split()


@pytest.mark.parametrize("look_up", [noun_phrase, verb, adjective, modal])
def test_a_word_that_the_lexicon_lacks_is_named(look_up):
    with pytest.raises(ValueError, match=r"'unicorn' is not in the lexicon; add it to \w+\.py"):
        look_up("unicorn")


def test_a_field_that_a_meaning_lacks_is_named():
    with pytest.raises(TypeError, match=r"Clause has no field \['tens'\]"):
        changed(clause(HE, "sleep"), tens="past")
