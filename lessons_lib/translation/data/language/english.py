"""How English says a meaning: word order, do-support, agreement, contractions."""

from .contractions import NOT_CONTRACTED, article, contract
from .meaning import Agreement, Clause, NounPhrase, PrepositionalPhrase, Sentence, Together, agreement
from .small_words import DETERMINER, NEGATION, Adverb, Pronoun
from .verbs import BE, EXPLETIVE, THERE_BE, Verb, ing_form, third_person
from .words import Word, merge, spell, spell_tagged, within


def sentence(said: Sentence) -> list[Word]:
    """The words of a sentence, bare lower case: capital and final mark come later."""
    words = clause(said.main)
    if said.second:
        words += spell(said.conjunction, "conjunction")
        if said.second.subject:
            words += within("second", clause(said.second))
        else:
            words += within("second", predicate(said.second, agreement(said.main.subject)))
    if said.third:
        words += [*spell(said.link, "link"), *within("third", clause(said.third))]
    return contract(words, said.contracted)


def clause(said: Clause) -> list[Word]:
    """Subject and predicate; in a question the auxiliary stands before the subject."""
    subject = within("subject", nominal(said.subject, "subject"))
    if said.verb is THERE_BE:
        subject = [Word(text, keys + EXPLETIVE) for text, keys in subject]
    verb_subject = said.object if said.verb is THERE_BE else said.subject
    if said.inverted:
        words = question(said, subject, agreement(verb_subject))
    else:
        words = subject + predicate(said, agreement(verb_subject))
    time = time_words(said)
    return time + words if said.time_first else words + time


def predicate(said: Clause, subject: Agreement) -> list[Word]:
    """Everything after the subject, but the time: "does not often eat apples in the kitchen"."""
    auxiliary, rest = verb_group(said, subject)
    words = [auxiliary] if auxiliary else []
    if said.polarity == "not" and said.verb is not THERE_BE:  # "there is no milk" says it in the determiner
        words.append(Word("not", ("negation",)))
    return words + middle(said) + rest + complements(said)


def question(said: Clause, subject: list[Word], agrees: Agreement) -> list[Word]:
    """ "does the cat sleep", "where does the cat sleep", "doesn't the cat sleep"."""
    auxiliary, rest = verb_group(said, agrees)
    front = Word(auxiliary.text, (*auxiliary.keys, "front"))
    if said.polarity == "not" and said.verb is not THERE_BE and auxiliary.text != "am":
        front = merge(NOT_CONTRACTED[auxiliary.text], front, Word("not", ("negation",)))
        subject = [front, *subject]
    elif said.polarity == "not" and said.verb is not THERE_BE:
        subject = [front, *subject, Word("not", ("negation",))]
    else:
        subject = [front, *subject]
    asked = [] if said.question == "yes-no" else [Word(said.question, ("asked",))]
    return asked + subject + middle(said) + rest + complements(said)


def verb_group(said: Clause, subject: Agreement) -> tuple[Word | None, list[Word]]:
    """The auxiliary if there is one, and the other verb forms.

    An auxiliary expresses "finite" (tense and person), the main verb "verb"; a verb alone expresses "verb" and goes
    with "finite". So "did" and "sleep" are surely linked to "a" and "dormi", "slept" to "dormi" and possibly to "a".
    """
    supported = said.inverted or said.polarity == "not"
    particle = spell(said.verb.particle, "particle" if said.verb.preposition else "verb?")
    if said.modal is None:
        auxiliary, rest = conjugate(said.verb, said.tense, subject, "verb", supported)
        return auxiliary, rest + particle
    infinitive = [Word(said.verb.english, ("verb",)), *particle]
    modal = said.modal.verb
    if said.modal.auxiliary:
        return Word(modal.past if said.tense == "past" else modal.english, ("finite",)), infinitive
    auxiliary, rest = conjugate(modal, said.tense, subject, "finite", supported)
    if auxiliary:  # "did want", "will want" is one word in French
        auxiliary = Word(auxiliary.text, ("finite?",))
    return auxiliary, [*rest, Word("to", ("verb?",)), *infinitive]


def conjugate(verb: Verb, tense: str, subject: Agreement, key: str, supported: bool) -> tuple[Word | None, list[Word]]:
    """The forms of one verb in a tense; ``supported`` asks for "do" where there is no other auxiliary."""
    third = subject.person == 3
    be = {1: "am", 3: "is"}.get(subject.person, "are")
    was = "was" if subject.person in (1, 3) else "were"
    match tense:
        case "progressive":
            return Word(be, ("finite",)), [Word(ing_form(verb.english), (key,))]
        case "past progressive":
            return Word(was, ("finite",)), [Word(ing_form(verb.english), (key,))]
        case "perfect":
            return Word("has" if third else "have", ("finite",)), [Word(verb.participle, (key,))]
        case "future":
            return Word("will", ("finite",)), [Word(verb.english, (key,))]
        case "going to":
            infinitive = [Word("to", (f"{key}?",)), Word(verb.english, (key,))]
            return Word(be, ("finite?",)), [Word("going", ("finite",)), *infinitive]
    past = tense == "past"
    if verb in (BE, THERE_BE):
        return Word(was if past else be, ("finite?", key)), []
    if supported:
        do = "did" if past else "does" if third else "do"
        return Word(do, ("finite",)), [Word(verb.english, (key,))]
    form = verb.past if past else third_person(verb.english) if third else verb.english
    return None, [Word(form, ("finite?", key))]


def middle(said: Clause) -> list[Word]:
    """ "never", "often": after the auxiliary, before a verb alone."""
    words = within("middle", spell_tagged(said.middle.english)) if said.middle else []
    if said.polarity in ("never", "no longer"):
        words = spell(NEGATION[said.polarity][0], "negation") + words
    return words


def complements(said: Clause) -> list[Word]:
    """All that follows the verb, but the time."""
    words = within("object", nominal(said.object, "object")) if said.object else []
    if said.verb is THERE_BE and said.polarity == "not":  # "no" is "ne ... pas de"
        words[0] = Word(words[0].text, (*(f"{key}?" for key in words[0].keys), "negation"))
    if said.recipient:
        recipient = nominal(said.recipient, "object")
        if isinstance(said.recipient, Pronoun) and not isinstance(said.object, Pronoun):
            words = within("recipient", recipient) + words  # "gives him the book"
        else:
            words += within("recipient", [Word("to", ("to",)), *recipient])
    words += spell(said.degree or "", "degree")
    for index, adjective in enumerate(said.complement):
        words += spell("and" if index else "", "and")
        if adjective.place == "job":
            plural = agreement(said.subject).plural
            words += spell("" if plural else article("a", adjective.english), f"complement{index}?")
            words += spell(adjective.english + "s" * plural, f"complement{index}")
        else:
            words.append(Word(adjective.english, (f"complement{index}",)))
    if said.manner:
        words += within("manner", spell_tagged(said.manner.english))
    for index, place in enumerate(said.places):
        words += within(f"place{index}", prepositional(place))
    if said.that:
        words += [Word("that", ("that",)), *within("that", clause(said.that))]
    return words


def prepositional(place: PrepositionalPhrase | Adverb) -> list[Word]:
    """ "in the garden", "with him", "here"."""
    if isinstance(place, Adverb):
        return spell_tagged(place.english)
    return spell(place.english, "preposition") + nominal(place.object, "object")


def time_words(said: Clause) -> list[Word]:
    """ "yesterday", with a comma in front of the sentence."""
    words = within("time", spell_tagged(said.time.english)) if said.time else []
    if words and said.time_first:
        words[-1] = Word(words[-1].text + ",", words[-1].keys)
    return words


def nominal(said: NounPhrase | Together | Pronoun, case: str) -> list[Word]:
    """A noun phrase, two of them, or a pronoun in the case "subject" or "object"."""
    match said:
        case NounPhrase():
            return noun_phrase(said)
        case Together(first=first, second=second):
            first, second = within("first", noun_phrase(first)), within("second", noun_phrase(second))
            return [*first, Word("and", ("and",)), *second]
        case _:
            return [Word(said.english if case == "subject" else said.english_object, ("pronoun",))]


def noun_phrase(phrase: NounPhrase) -> list[Word]:
    """Determiner, adjectives in the order of their rank, noun, relative clause."""
    noun = phrase.noun
    adjectives = sorted(enumerate(phrase.adjectives), key=lambda item: item[1].rank)
    words = [Word(adjective.english, (f"adjective{index}",)) for index, adjective in adjectives]
    words.append(Word(noun.english_plural if phrase.plural else noun.english, ("noun",)))
    if isinstance(phrase.determiner, NounPhrase):
        words = genitive(phrase.determiner) + words
    else:
        determiner = DETERMINER[phrase.determiner]
        text = determiner.english_plural if phrase.plural else determiner.english
        if not text and phrase.determiner != "name":  # the noun alone says what the French article says
            words[-1] = Word(words[-1].text, ("noun", "determiner?"))
        words = spell(article(text, words[0].text), "determiner") + words
    if phrase.relative:
        who = Word("who" if "person" in noun.kinds else "that", ("who",))
        words += within("relative", [who, *predicate(phrase.relative, agreement(phrase))])
    return words


def genitive(owner: NounPhrase) -> list[Word]:
    """ "the girl's", "the girls'", "the children's": the mark says "of" and that the thing owned is definite."""
    *before, last = within("owner", noun_phrase(owner))
    mark = "'" if owner.plural and last.text.endswith("s") else "'s"
    return [*before, Word(last.text + mark, (*last.keys, "of", "determiner?"))]
