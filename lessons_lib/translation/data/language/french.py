"""How French says a meaning: agreement, clitic pronouns, negation around the verb, adjectives on both sides."""

from . import conjugation
from .elision import after_preposition, elide, vowel_sound
from .meaning import Agreement, Clause, NounPhrase, PrepositionalPhrase, Sentence, Together, agreement
from .small_words import (
    CONJUNCTIONS,
    DEGREES,
    DETERMINER,
    INDEFINITE,
    NEGATION,
    QUESTION_WORDS,
    Adverb,
    Pronoun,
)
from .verbs import BE, EXPLETIVE, THERE_BE
from .words import Word, spell, spell_tagged, within

CLITIC_ORDER = {"me": 0, "te": 0, "nous": 0, "vous": 0, "le": 1, "la": 1, "les": 1, "lui": 2, "leur": 2}


def sentence(said: Sentence) -> list[Word]:
    """The words of a sentence, bare lower case: capital and final mark come later."""
    words = clause(said.main)
    if said.second:
        words += spell(CONJUNCTIONS[said.conjunction], "conjunction")
        if said.second.subject:
            words += within("second", clause(said.second))
        else:
            words += within("second", predicate(said.second, agreement(said.main.subject)))
    if said.third:
        words += [*spell(CONJUNCTIONS[said.link], "link"), *within("third", clause(said.third))]
    return elide(words)


def clause(said: Clause) -> list[Word]:
    """Subject and predicate; a question puts "est-ce que" before them."""
    agrees = agreement(said.subject)
    subject = within("subject", nominal(said.subject))
    if said.verb is THERE_BE:
        subject = [Word(subject[0].text, ("subject.pronoun?", *EXPLETIVE))]
    words = subject + predicate(said, agrees)
    if said.question == "where" and said.verb is BE:
        words = where_is(said, subject, agrees)
    elif said.question == "what":
        words = [Word("qu'est-ce", ("asked", "front?")), Word("que", ("asked?", "front?")), *words]
    elif said.inverted:
        asked = spell(QUESTION_WORDS.get(said.question, ""), "asked")
        words = [*asked, *spell("est-ce que", "front?"), *words]
    time = time_words(said)
    return time + words if said.time_first else words + time


def where_is(said: Clause, subject: list[Word], agrees: Agreement) -> list[Word]:
    """ "où est le chat", "où est-il": after "où", "être" comes before its subject."""
    finite, _ = verb_group(said, agrees)
    asked = Word("où", ("asked",))
    if isinstance(said.subject, Pronoun):
        return [asked, Word(f"{finite.text}-{subject[0].text}", finite.keys + subject[0].keys)]
    return [asked, finite, *subject]


def predicate(said: Clause, subject: Agreement) -> list[Word]:
    """Everything after the subject, but the time: "ne mange pas souvent de pommes dans la cuisine"."""
    finite, rest = verb_group(said, subject)
    pronouns = clitics(said)
    before_infinitive = said.modal is not None or said.tense == "going to"
    words = [] if before_infinitive else [*pronouns]
    if said.verb is THERE_BE:
        words.append(Word("y", ("subject.pronoun?", *EXPLETIVE)))
    words.append(finite)
    if said.polarity != "yes":
        words = [Word("ne", ("negation?",)), *words, Word(NEGATION[said.polarity][1], ("negation",))]
    words += within("middle", spell_tagged(said.middle.french)) if said.middle else []
    manner = within("manner", spell_tagged(said.manner.french)) if said.manner else []
    if said.manner and said.manner.use == "well":  # "a bien dormi", but "a dormi lentement"
        words, manner = words + manner, []
    if before_infinitive:
        words += pronouns
    return words + rest + complements(said, subject, manner)


def verb_group(said: Clause, subject: Agreement) -> tuple[Word, list[Word]]:
    """The finite verb, and the participle or infinitive that follows it. Keys as in English."""
    person = subject.person - 1
    infinitive = said.verb.french
    if said.complement and said.complement[0].place == "avoir":
        infinitive = "avoir"  # "be hungry" is "avoir faim"
    if said.modal:
        form = finite_form(said.modal.verb.french, said.tense, person, stative=True)
        return Word(form, ("finite",)), [Word(infinitive, ("verb",))]
    if said.tense == "going to":
        return Word(conjugation.present("aller")[person], ("finite",)), [Word(infinitive, ("verb",))]
    if said.tense == "perfect" or (said.tense == "past" and not said.verb.stative):
        with_etre = infinitive in conjugation.WITH_ETRE
        auxiliary = conjugation.present("être" if with_etre else "avoir")[person]
        feminine, plural = (subject.feminine, subject.plural) if with_etre else preceding_object(said)
        participle = conjugation.participle(infinitive, feminine, plural)
        return Word(auxiliary, ("finite",)), [Word(participle, ("verb",))]
    return Word(finite_form(infinitive, said.tense, person, said.verb.stative), ("finite?", "verb")), []


def finite_form(infinitive: str, tense: str, person: int, stative: bool) -> str:
    """A tense of one word: present, imparfait or futur."""
    if tense == "future":
        return conjugation.futur(infinitive)[person]
    if tense == "past progressive" or (tense == "past" and stative):
        return conjugation.imparfait(infinitive)[person]
    return conjugation.present(infinitive)[person]


def preceding_object(said: Clause) -> tuple[bool, bool]:
    """Gender and number of a direct object before "avoir", with which the participle agrees: "il l'a vue"."""
    if isinstance(said.object, Pronoun) and not said.verb.preposition:
        return said.object.feminine, said.object.plural
    return False, False


def clitics(said: Clause) -> list[Word]:
    """The object pronouns, in their order: "me le", "le lui"."""
    words = []
    if isinstance(said.object, Pronoun):
        indirect = bool(said.verb.preposition)
        text = said.object.indirect if indirect else said.object.direct
        words += within("object", [Word(text, ("pronoun",))])
        if said.verb.particle and indirect:  # "speak to him": "lui parle"
            words[-1] = Word(text, (*words[-1].keys, "particle?"))
    if isinstance(said.recipient, Pronoun):
        words += within("recipient", [Word(said.recipient.indirect, ("pronoun", "to?"))])
    return sorted(words, key=lambda word: CLITIC_ORDER[word.text])


def complements(said: Clause, subject: Agreement, manner: list[Word]) -> list[Word]:
    """All that follows the verb, but clitics and the time."""
    words = []
    if said.object and not isinstance(said.object, Pronoun):
        negated = said.polarity != "yes" and not said.verb.preposition
        words = within("object", nominal(said.object, negated))
        if said.verb.preposition:
            key = "particle" if said.verb.particle else "verb?"
            words = after_preposition(said.verb.preposition, key, words)
    if said.recipient and not isinstance(said.recipient, Pronoun):
        words += within("recipient", after_preposition("à", "to", nominal(said.recipient)))
    words += spell(DEGREES.get(said.degree, ""), "degree")
    for index, adjective in enumerate(said.complement):
        words += spell("et" if index else "", "and")
        words.append(Word(adjective.french(subject.feminine, subject.plural), (f"complement{index}",)))
    words += manner
    for index, place in enumerate(said.places):
        words += within(f"place{index}", prepositional(place))
    if said.that:
        words += [Word("que", ("that",)), *within("that", clause(said.that))]
    return words


def prepositional(place: PrepositionalPhrase | Adverb) -> list[Word]:
    """ "dans le jardin", "au marché", "avec lui", "ici"."""
    if isinstance(place, Adverb):
        return spell_tagged(place.french)
    if isinstance(place.object, Pronoun):
        return [*spell(place.french, "preposition"), Word(place.object.stressed, ("pronoun",))]
    return after_preposition(place.french, "preposition", nominal(place.object))


def time_words(said: Clause) -> list[Word]:
    """ "hier", with a comma in front of the sentence."""
    words = within("time", spell_tagged(said.time.french)) if said.time else []
    if words and said.time_first:
        words[-1] = Word(words[-1].text + ",", words[-1].keys)
    return words


def nominal(said: NounPhrase | Together | Pronoun, negated: bool = False) -> list[Word]:
    """A noun phrase, two of them, or a subject pronoun."""
    match said:
        case NounPhrase():
            return noun_phrase(said, negated)
        case Together(first=first, second=second):
            first = within("first", noun_phrase(first, negated))
            return [*first, Word("et", ("and",)), *within("second", noun_phrase(second, negated))]
        case _:
            return [Word(said.french, ("pronoun",))]


def noun_phrase(phrase: NounPhrase, negated: bool = False) -> list[Word]:
    """Determiner, adjectives before, noun, adjectives after, owner, relative clause.

    Built from the noun outwards, because what stands before a word depends on its first sound.
    """
    noun, plural = phrase.noun, phrase.plural
    words = [Word(noun.french_plural if plural else noun.french, ("noun",))]
    for index, adjective in enumerate(phrase.adjectives):
        before_vowel = adjective.prenominal and vowel_sound(words[0].text)
        word = Word(adjective.french(noun.feminine, plural, before_vowel), (f"adjective{index}",))
        words = [word, *words] if adjective.prenominal else [*words, word]
    if isinstance(phrase.determiner, NounPhrase):
        owner = within("owner", noun_phrase(phrase.determiner))
        words = determiner("the", phrase, words[0]) + words + after_preposition("de", "of", owner)
    else:
        prenominal = any(adjective.prenominal for adjective in phrase.adjectives)
        name = phrase.determiner
        if name in INDEFINITE and (negated or (plural and prenominal)):  # "pas de chat", "de petits chats"
            name = "none of"
        words = determiner(name, phrase, words[0]) + words
    if phrase.relative:
        clause = [Word("qui", ("who",)), *predicate(phrase.relative, agreement(phrase))]
        words += within("relative", clause)
    return words


def determiner(name: str, phrase: NounPhrase, following: Word) -> list[Word]:
    """The form of a determiner that agrees with the noun and suits the sound of the next word."""
    text = DETERMINER[name].french(phrase.noun.feminine, phrase.plural, vowel_sound(following.text))
    return spell(text, "determiner")
