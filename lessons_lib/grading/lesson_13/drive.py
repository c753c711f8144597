"""Lesson 13: how the learner's BLEU, alignment and capstone report are called, and what their translator wrote."""

import copy
import functools
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call
from lessons_lib.grading.drive.question import Arrays, Question, Trouble
from lessons_lib.grading.final_report import decoder_steps, find_translator
from lessons_lib.translation.data.corpus import Pair, load_grammar_tests
from lessons_lib.translation.search.translator import Translator

BLEU = "bleu(translations, references)"
LINKS = "links(weights)"
ERROR_RATE = "alignment_error_rate(found, sure, possible)"
CAPSTONE = "capstone(translator, pairs)"
LIBRARY = (
    "lessons_lib.translation.evaluation.bleu",
    "lessons_lib.translation.evaluation.scoring",
    "lessons_lib.translation.evaluation.alignment",
    "sacrebleu",
    "nltk",
)

Sentences = list[list[str]]
Sets = list[set[tuple[int, int]]]
VOCABULARY = "le la les chat chien dort ne pas un grand petit noir".split()
NUMBERS = ("seconds_greedy", "seconds_beam", "bleu_greedy", "bleu_beam", "p", "aer")
SYSTEMS = ("greedy", "beam")
# Words that are not the same, though they are in small letters, without their marks, or written close together.
SPELT = (
    "Le chat noir dort ici . la vache ne dort pas".split(),
    "le chat noir dort ici ! lav ache ne dort pas".split(),
)
SMALL = "le le chat noir dort ici".split()  # 4 of 6 words, 3 of 5, 2 of 4, 1 of 3 are in the middle of it


def drive_cases(
    arguments: Mapping[str, Mapping[str, Any]], answer: Callable, convert: Callable[[Any], Arrays]
) -> Arrays:
    """Call the answer for every case: `case.NAME` is what `convert` makes of the result, or `case.error` says why."""
    arrays: Arrays = {}
    for case, given in arguments.items():
        try:
            arrays |= {f"{case}.{name}": value for name, value in convert(call(answer, *given.values())).items()}
        except Trouble as trouble:
            arrays[f"{case}.error"] = text_array(str(trouble))
    return arrays


def number(returned: Any, what: str = "the function returns") -> np.ndarray:
    """One number, as a float64 scalar.

    Raises:
        Trouble: it is something else.
    """
    if returned is None:
        raise Trouble(f"{what} nothing (print only shows a value): one number is due")
    if isinstance(returned, torch.Tensor | np.ndarray | np.generic) and returned.shape == ():
        returned = returned.item()
    if isinstance(returned, bool) or not isinstance(returned, int | float):
        raise Trouble(f"{what} a {type(returned).__name__}, and one number is due")
    return np.array(float(returned))


# --- q1 --------------------------------------------------------------------------------------------------------------


def make_sentences(seed: int) -> Arrays:
    """Sentences as rows of word numbers, −1 where one is over; a translation keeps most words of its reference."""
    draw = np.random.default_rng(seed)
    references = np.full((14, 12), -1)
    translations = np.full((14, 14), -1)
    for row in range(14):
        reference = draw.integers(len(VOCABULARY), size=draw.integers(6, 12))
        translation = np.where(draw.random(len(reference)) < 0.15, draw.integers(len(VOCABULARY)), reference)
        at = int(draw.integers(len(translation)))
        translation = np.insert(translation, at, translation[at])  # a word written twice: clipping
        references[row, : len(reference)], translations[row, : len(translation)] = reference, translation
    return {"references": references, "translations": translations}


def _sentences(rows: np.ndarray) -> Sentences:
    return [[VOCABULARY[word] for word in row if word >= 0] for row in rows]


def bleu_cases(inputs: Arrays) -> dict[str, dict[str, Sentences]]:
    """Longer than the references; shorter; and the limits, up to orders of which no translation has an n-gram."""
    longer, references = _sentences(inputs["translations"]), _sentences(inputs["references"])
    shorter = [sentence[: len(sentence) - 3] if row % 3 else sentence for row, sentence in enumerate(longer)]
    one = [["le", "le", "le", "le", "chat", "dort", "ici", "ce", "soir"]]
    return {
        "longer": {"translations": longer, "references": references},
        "shorter": {"translations": shorter, "references": references},
        "equal": {"translations": references[:5], "references": references[:5]},
        "twice": {"translations": one, "references": [["le", "chat", "dort", "ici", "ce", "soir", "le", "oui", "non"]]},
        "empty": {"translations": [[], *shorter[1:], ["le"]], "references": [*references, ["le", "chat"]]},
        "no_match": {"translations": [["a", "b", "c", "d", "e"]], "references": [["e", "d", "c", "b", "a"]]},
        "last_long": {"translations": [references[0], references[1]], "references": [references[0], 4 * references[1]]},
        "small": {"translations": [SMALL], "references": [SMALL[1:-1]]},
        "spelt": {"translations": [SPELT[0]], "references": [SPELT[1]]},
        "two_words": {"translations": [["le", "chat"], ["dort"]], "references": [["le", "chat"], ["il", "dort"]]},
        "nothing": {"translations": [[], []], "references": [["le", "chat", "noir", "dort"], ["oui"]]},
    }


def drive_bleu(answer: Callable, inputs: Arrays) -> Arrays:
    return drive_cases(bleu_cases(inputs), answer, lambda returned: {"bleu": number(returned)})


# --- q2 --------------------------------------------------------------------------------------------------------------


def make_alignments(seed: int) -> Arrays:
    """Weights of several heads, in which `</s>`, the step after and a single head mislead; and links of sentences."""
    draw = np.random.default_rng(seed)
    heads, target, source = int(draw.choice([3, 5])), int(draw.integers(8, 11)), int(draw.integers(12, 15))
    weights = draw.dirichlet(np.full(source + 1, 0.4), size=(heads, target + 1))
    weights[..., -1] += draw.random((heads, target + 1)) < 0.5  # attention likes to rest on </s>
    weights[:, 1, -2] += 1.5  # one word looks at the last English word, one at the first
    weights[:, 2, 0] += 1.5
    weights /= weights.sum(axis=-1, keepdims=True)
    weights[:, 3] = 0  # of one word a single head is sure, and the others agree on another
    weights[0, 3, 1], weights[1:, 3, 2:4] = 1, (0.8, 0.2)
    found, sure, possible = [], [], []
    for sentence in range(6):
        words = int(draw.integers(7, 10))
        free = [(s, t) for s in range(words) for t in range(words)]
        draw.shuffle(free)
        gold = {(int(s), t) for t, s in enumerate(draw.permutation(words))}
        others = [(int(s), int(t)) for s, t in free if (int(s), int(t)) not in gold]
        maybe, wrong = set(others[: 4 + sentence]), others[-1]
        kept = sorted(gold)[2 + sentence % 3 :]
        for table, pairs in (
            (found, [*kept, *sorted(maybe)[:2], wrong]),
            (sure, gold),
            (possible, gold | maybe),
        ):
            table += [(sentence, *pair) for pair in sorted(pairs)]
    tables = {"found": np.array(found), "sure": np.array(sure), "possible": np.array(possible)}
    return {"weights": weights, **tables}


def link_cases(inputs: Arrays) -> dict[str, dict[str, np.ndarray]]:
    weights = inputs["weights"]
    return {"pair": {"weights": weights}, "one_head": {"weights": weights[:1]}, "one_word": {"weights": weights[:, :2]}}


def sets_of(table: np.ndarray, sentences: Iterable[int]) -> Sets:
    return [{(int(a), int(b)) for sentence, a, b in table if sentence == wanted} for wanted in sentences]


def rate_cases(inputs: Arrays) -> dict[str, dict[str, Sets]]:
    def of(*sentences: int) -> dict[str, Sets]:
        return {name: sets_of(inputs[name], sentences) for name in ("found", "sure", "possible")}

    everything = of(*range(6))
    sure = everything["sure"]
    return {
        "one": of(0),
        "all": everything,
        "sure_only": everything | {"possible": sure},
        "perfect": everything | {"found": sure},
        "none": everything | {"found": [set()] * 6},
    }


def link_array(returned: Any) -> Arrays:
    """A set of pairs as sorted rows.

    Raises:
        Trouble: it is something else.
    """
    if returned is None:
        raise Trouble("`links` returns nothing (print only shows a value): end it with return")
    if not isinstance(returned, set | frozenset):
        raise Trouble(f"`links` returns a {type(returned).__name__}, and a set of pairs is due")
    try:
        rows = sorted((int(a), int(b)) for a, b in returned)
        exact = all(a == int(a) and b == int(b) for a, b in returned)
    except (TypeError, ValueError):
        raise Trouble("`links` returns a set, but not of pairs of whole numbers such as (0, 1)") from None
    if not exact:
        raise Trouble("`links` returns a set, but not of pairs of whole numbers such as (0, 1)")
    if any(abs(number) >= 2**31 for row in rows for number in row):
        raise Trouble("`links` returns numbers of words that no sentence has")
    return {"links": np.array(rows, dtype=np.int64).reshape(-1, 2)}


def drive_alignment(answers: tuple[Callable, Callable], inputs: Arrays) -> Arrays:
    links, rate = answers
    fresh = {case: {name: value.copy() for name, value in given.items()} for case, given in link_cases(inputs).items()}
    return drive_cases(fresh, links, link_array) | drive_cases(
        rate_cases(inputs), rate, lambda returned: {"rate": number(returned, "`alignment_error_rate` returns")}
    )


# --- q3 --------------------------------------------------------------------------------------------------------------


@functools.cache
def held_out() -> dict[str, list[Pair]]:
    """Sentences that no training part of seed 0 has."""
    return load_grammar_tests(seed=0, n_test=60)


def make_test_set(seed: int) -> Arrays:
    """Which held-out sentences: 20 with new combinations of words, 10 with new words."""
    draw = np.random.default_rng(seed)
    return {"known": draw.permutation(60)[:20], "unseen": draw.permutation(60)[:10]}


def pairs_of(inputs: Arrays) -> list[Pair]:
    tests = held_out()
    known = [tests["in_distribution"][i] for i in inputs["known"]]
    *unseen, last = [tests["unseen_words"][i] for i in inputs["unseen"]]
    return [*known, *unseen, last._replace(target=last.target.upper())]  # capitals count


def exchanged(pairs: list[Pair]) -> list[Pair]:
    """The first twelve, each with the reference and the links of the next: who translates must not notice."""
    few = pairs[:12]
    return [mine._replace(target=other.target, alignment=other.alignment, possible=other.possible)
            for mine, other in zip(few, few[1:] + few[:1], strict=True)]  # fmt: skip


def capstone_cases(translator: Translator, inputs: Arrays) -> dict[str, dict[str, Any]]:
    """A translator with the test set, and with references that belong to other sentences."""
    pairs = pairs_of(inputs)
    return {
        "report": {"translator": translator, "pairs": pairs},
        "exchanged": {"translator": translator, "pairs": exchanged(pairs)},
    }


def report_arrays(returned: Any) -> Arrays:
    """The report's entries; texts one a line.

    Raises:
        Trouble: it is no dictionary, an entry is missing, or of another kind.
    """
    if not isinstance(returned, Mapping):
        raise Trouble(f"`capstone` returns a {type(returned).__name__}, and a dictionary is due")
    for name in (*SYSTEMS, *NUMBERS, "failures"):
        if name not in returned:
            raise Trouble(f"the report has no {name!r}")
    arrays = {name: _lines(returned[name], name) for name in SYSTEMS}
    arrays |= {name: number(returned[name], f"the report's {name!r} is") for name in NUMBERS}
    for name in NUMBERS:
        if not math.isfinite(arrays[name]):
            raise Trouble(f"the report's {name!r} is {float(arrays[name])}")
    return arrays | {"failures": _counts(returned["failures"])}


def _lines(texts: Any, name: str) -> np.ndarray:
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise Trouble(f"the report's {name!r} is not a list of texts")
    return _bytes("\n".join(" ".join(text.split()) for text in texts))


def _counts(failures: Any) -> np.ndarray:
    if not isinstance(failures, Mapping):
        raise Trouble(f"the report's 'failures' is a {type(failures).__name__}, and a dictionary is due")
    rows = []
    for kind, count in failures.items():
        value = number(count, f"the count of {str(kind)[:40]!r} is")
        if float(value) != int(value) or value < 0:
            raise Trouble(f"the count of {str(kind)[:40]!r} is {float(value):g}, and sentences are whole")
        if value:
            rows.append(f"{' '.join(str(kind).split())}\t{int(value)}")
    return _bytes("\n".join(sorted(rows)))


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf8", "replace"), np.uint8)


class Watched:
    """A translator whose `translate` notes how long it took with each beam, and what it read, as `translator`."""

    def __init__(self, translator: Translator):
        self.translator = copy.copy(translator)
        self.calls: list[tuple[int, list[str], float]] = []  # the beam, the sentences, the seconds
        self.read: list[str] = []
        self.found: dict[int, list[str]] = {}  # the texts, by the beam
        find = translator.translate

        def translate(sentences: str | Sequence[str], beam: int = 1, *more: Any, **how: Any) -> Any:
            alone = isinstance(sentences, str)
            given = [text for text in ([sentences] if alone else sentences) if isinstance(text, str)]
            self.read += given
            begin = time.perf_counter()
            try:
                made = find(sentences, beam, *more, **how)
                each = [made] if alone else made
                self.found.setdefault(beam, []).extend(one.text for one in each)
                return made
            finally:
                self.calls.append((beam, given, time.perf_counter() - begin))

        self.translator.translate = translate

    def seconds(self, sources: Sequence[str]) -> dict[int, float]:
        """By the beam, without warming up: calls for other sentences, or for such as are translated once more."""
        spent: dict[int, float] = {}
        for i, (beam, given, seconds) in enumerate(self.calls):
            later = {text for other, texts, _ in self.calls[i + 1 :] if other == beam for text in texts}
            if any(text in sources and text not in later for text in given):
                spent[beam] = spent.get(beam, 0.0) + seconds
        return spent


def drive_capstone(answer: Callable, inputs: Arrays) -> Arrays:
    """Beside the report: with which beams it translated, for how long, and the translator's cross-attention."""
    translator = find_translator()[0]
    pairs = pairs_of(inputs)
    steps = decoder_steps(translator, pairs)
    watched = Watched(translator)
    cases = capstone_cases(watched.translator, inputs)
    arrays = drive_cases({"report": cases.pop("report")}, answer, report_arrays)
    arrays["watched.read"] = _lines(watched.read, "texts")
    for beam in (1, 4):
        arrays[f"watched.found_{beam}"] = _lines(watched.found.get(beam, []), "texts")
    seconds = watched.seconds([pair.source for pair in pairs])
    arrays["watched.beams"] = np.array(list(seconds), dtype=np.int64)
    arrays["watched.seconds"] = np.array(list(seconds.values()), dtype=np.float64)
    arrays |= {f"steps.pair_{i}": np.asarray(weights, dtype=np.float64) for i, weights in enumerate(steps)}
    return arrays | drive_cases(cases, answer, report_arrays)


def ready_capstone() -> None:
    """The sentences and the course's translator: seconds, at the first call in a process."""
    find_translator()[0].translate(held_out()["in_distribution"][0].source)


QUESTIONS = {
    "q1": Question(
        title="BLEU of a whole test set",
        signature=BLEU,
        make=make_sentences,
        drive=drive_bleu,
        forbidden=LIBRARY,
        instead={f"{LIBRARY[0]}.words": "the sentences are lists of words already, so leave it out"},
    ),
    "q2": Question(
        title="links, and how many are wrong",
        signature=LINKS,
        make=make_alignments,
        drive=drive_alignment,
        forbidden=LIBRARY,
        also=(ERROR_RATE,),
    ),
    "q3": Question(
        title="the report on your translator",
        signature=CAPSTONE,
        make=make_test_set,
        drive=drive_capstone,
        ready=ready_capstone,
        seconds=120.0,
    ),
}
