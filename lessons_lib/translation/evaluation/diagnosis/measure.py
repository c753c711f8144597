"""The numbers of a diagnosis: a translator and a test set in, one object out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from lessons_lib.errors import UserError
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.alignment import Reading, word_tables
from lessons_lib.translation.evaluation.diagnosis.categories import (
    CATEGORIES,
    OTHER,
    OTHER_RULE,
    RARE_PIECES,
    Example,
    tags,
)
from lessons_lib.translation.evaluation.diagnosis.text import words
from lessons_lib.translation.evaluation.scoring import Comparison, Scores, check_tokenize, compare, score, sentence_chrf
from lessons_lib.translation.search.translator import Translator

LENGTHS = (4, 8, 12, 16, 24, 40)  # source words: up to 4, 5 to 8, …, more than 40


@dataclass(frozen=True)
class System:
    """One search. ``length_ratio`` is the words of all translations over those of all references."""

    beam: int
    scores: Scores
    length_ratio: float
    exact: int  # translations that are the reference, word for word


@dataclass(frozen=True)
class LengthGroup:
    """The sentences of ``first`` to ``last`` source words; ``last`` is None where there is no upper bound."""

    first: int
    last: int | None
    sentences: int
    bleu: float
    chrf: float


@dataclass(frozen=True)
class WorstSentence:
    """One of the sentences with the lowest chrF, its number in the test set counted from 1.

    ``attention`` has a row for each word of ``greedy`` and a column for each source word: the mean over the heads of
    the last layer. It is empty where the translation is, or where a side fills the model to its last position.
    """

    number: int
    source: str
    reference: str
    greedy: str
    beam: str
    chrf: float
    beam_chrf: float
    tags: list[str]
    attention: list[list[float]] = field(repr=False)


@dataclass(frozen=True)
class Diagnosis:
    """Everything that the page shows. ``categories`` counts the greedy translations that a rule applies to."""

    sentences: int
    too_long: int  # for the model: translated by nothing
    greedy: System
    beam: System
    comparison: Comparison
    by_length: list[LengthGroup]
    categories: dict[str, int]
    rules: dict[str, str]
    worst: list[WorstSentence]

    def to_dict(self) -> dict:
        """The same as plain dictionaries and lists, for JSON."""
        return asdict(self)


def diagnose(
    translator: Translator, pairs: Sequence[Pair], beam: int = 4, worst: int = 20, tokenize: str | None = None
) -> Diagnosis:
    """Translate a test set greedily and with a beam, and say where the translations differ from the references.

    Args:
        beam: 2 or more.
        worst: how many of the worst sentences to show; those equal to their reference are never among them.
        tokenize: how BLEU splits words, see `score`.
    Raises:
        ValueError: there is no pair, or an option is out of its range.
    """
    if beam < 2:
        what = "greedy search, which the report has anyway" if beam == 1 else "no number of beams"
        raise UserError(f"beam={beam} is {what}; 4 or 5 is usual")
    if worst < 0:
        raise UserError(f"worst={worst} is negative; use 0 or more")
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    check_tokenize(tokenize)
    texts = {k: translator.translate_all(sources, beam=k)[0] for k in (1, beam)}
    examples = [
        Example(source, hypothesis, reference, rare_words(reference, translator.tokenizer))
        for source, hypothesis, reference in zip(sources, texts[1], references, strict=True)
    ]
    tagged = [tags(example) for example in examples]
    counts = Counter(tag for kinds in tagged for tag in kinds)
    rules = {category.name: category.rule for category in CATEGORIES} | {OTHER: OTHER_RULE}
    return Diagnosis(
        sentences=len(pairs),
        too_long=len(translator.too_long(sources)),
        greedy=_system(1, texts[1], references, tokenize),
        beam=_system(beam, texts[beam], references, tokenize),
        comparison=compare(texts[1], texts[beam], references, tokenize=tokenize),
        by_length=score_by_length(sources, texts[1], references, tokenize),
        categories={name: counts[name] for name in rules},
        rules=rules,
        worst=_worst(translator, examples, tagged, texts[beam], worst),
    )


def score_by_length(
    sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], tokenize: str | None = None
) -> list[LengthGroup]:
    """BLEU and chrF of the sentences of each length; a length that no sentence has is left out."""
    groups, first = [], 0
    for last in (*LENGTHS, None):
        chosen = [i for i, text in enumerate(sources) if first <= len(text.split()) <= (last or len(text))]
        if chosen:
            scores = score([hypotheses[i] for i in chosen], [references[i] for i in chosen], tokenize)
            groups.append(LengthGroup(first, last, len(chosen), scores.bleu, scores.chrf))
        first = (last or 0) + 1
    return groups


def rare_words(text: str, tokenizer: Tokenizer) -> frozenset[str]:
    """The words that the vocabulary splits into three pieces or more: what is frequent has a piece of its own.

    So the rule needs no training text, only the model (Sennrich et al. 2016, section 3.2). An elided word and the
    parts between hyphens count apart, and a capital does not: "L'arbre" is as rare as "arbre".
    """

    def pieces(part: str) -> int:
        # The vocabulary knows a word after a space, or after a mark as in "l'arbre"; the mark is a piece too.
        forms = {part, part.lower()}
        return min(min(len(tokenizer.encode(form)), len(tokenizer.encode(f"-{form}")) - 1) for form in forms)

    spelled = [word for word in words(text) if not word[0].isdigit()]  # numbers have a rule of their own
    return frozenset(word for word in spelled if any(pieces(part) >= RARE_PIECES for part in re.split("[-’']", word)))


def _system(beam: int, hypotheses: list[str], references: list[str], tokenize: str | None) -> System:
    length = sum(len(words(text)) for text in references)
    return System(
        beam=beam,
        scores=score(hypotheses, references, tokenize),
        length_ratio=sum(len(words(text)) for text in hypotheses) / max(length, 1),
        exact=sum(a.split() == b.split() for a, b in zip(hypotheses, references, strict=True)),
    )


def _worst(
    translator: Translator, examples: list[Example], tagged: list[list[str]], beam: list[str], count: int
) -> list[WorstSentence]:
    wrong = [i for i, kinds in enumerate(tagged) if kinds]
    chrf = {i: sentence_chrf(examples[i].hypothesis, examples[i].reference) for i in wrong}
    chosen = sorted(wrong, key=lambda i: chrf[i])[:count]
    return [
        WorstSentence(
            number=i + 1,
            source=examples[i].source,
            reference=examples[i].reference,
            greedy=examples[i].hypothesis,
            beam=beam[i],
            chrf=chrf[i],
            beam_chrf=sentence_chrf(beam[i], examples[i].reference),
            tags=tagged[i],
            attention=_attention(translator, Pair(examples[i].source, examples[i].hypothesis)),
        )
        for i in chosen
    ]


def _attention(translator: Translator, pair: Pair) -> list[list[float]]:
    if translator.too_long(pair[:2]):  # the source, or a translation that was cut off: no place for </s>
        return []
    (table,) = word_tables(translator.model, translator.tokenizer, [pair])
    return [[round(float(weight), 3) for weight in row] for row in Reading().weights(table)]
