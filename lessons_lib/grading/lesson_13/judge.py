"""Lesson 13: what BLEU, links, error rate and the capstone report must be, step by step.

The report is about the learner's own translator, so its numbers are computed again from the translations it holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import Axes, name_variation
from lessons_lib.grading.lesson_13.drive import (
    SYSTEMS,
    bleu_cases,
    exchanged,
    link_cases,
    pairs_of,
    rate_cases,
)
from lessons_lib.grading.lesson_13.mistakes import (
    BLEU_AXES,
    WRONG_BLEUS,
    Wrong,
    bleu,
    brevity,
    chosen_bleu,
    in_parts,
    shares,
    sums,
)
from lessons_lib.grading.lesson_13.mistakes_links import (
    RATE_AXES,
    WRONG_LINKS,
    WRONG_RATES,
    chosen_rate,
    error_rate,
    in_numbers,
    links,
)
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation.bleu import bleu as bleu_of_texts
from lessons_lib.translation.evaluation.bleu import words
from lessons_lib.translation.evaluation.diagnosis.categories import Example, tags
from lessons_lib.translation.evaluation.scoring import compare

Inputs = dict[str, np.ndarray]
Judge = Callable[[Inputs, Cases], str | None]
MARK = 15.0  # BLEU that the capstone asks for
LATE = 0.5  # an error rate above it is no alignment
WHERE = {  # at the limits
    "empty": "Where one of the translations has no word",
    "no_match": "Where nothing matches",
    "two_words": "Where no translation has more than two words",
    "nothing": "Where no translation has a word",
    "none": "Where no link is found",
}
BEAMS = {"greedy": 1, "beam": 4}  # with which each translation of the report is found


def runs(*names: tuple[str, str]) -> Judge:
    def judge(inputs: Inputs, cases: Cases) -> str | None:
        for case, name in names:
            _ = cases[case][name]  # raises Missing, with the sentence
        return None

    return judge


def numbers(
    about: str,
    name: str,
    names: tuple[str, ...],
    before: tuple[str, ...],
    arguments_of: Callable[[Inputs], dict[str, dict[str, Any]]],
    right: Callable[..., float],
    wrong: list[Wrong],
    chosen: tuple[Callable[..., float], Axes],
    otherwise: Callable[[str, dict[str, float], dict[str, tuple]], str],
) -> Judge:
    """Every named call gives the right number. A mistake is named if it explains the wrong one, and those before.

    `otherwise` says more of a mistake without a name: of the case that is wrong, all numbers given, and all arguments.
    """

    def judge(inputs: Inputs, cases: Cases) -> str | None:
        arguments = {case: tuple(given.values()) for case, given in arguments_of(inputs).items()}
        passed = list(before)
        for case in names:
            due = right(*arguments[case])
            if cases[case].error is not None and case in WHERE:
                return f"{WHERE[case]} it fails, and {due:.4g} is due: {cases[case].error}"
            given = cases[case][name]
            if close(given, np.array(due), 1e-6):
                passed.append(case)
                continue
            every = {one: cases[one].arrays.get(name) for one in arguments}
            for sentence, version in wrong:  # first the one that explains every number, of these steps and the next
                if all(
                    value is not None and close(value, np.array(_value(version, arguments[one])), 1e-6)
                    for one, value in every.items()
                ):
                    return sentence
            zero = float(given) == 0  # which many mistakes give, so that one call alone does not tell them apart
            for sentence, version in () if zero else wrong:
                if close(given, np.array(_value(version, arguments[case])), 1e-6) and all(
                    close(np.array(_value(version, arguments[one])), np.array(right(*arguments[one])), 1e-6)
                    for one in passed
                ):
                    return sentence
            numbers = {one: float(value) for one, value in every.items() if value is not None}
            asked = [arguments[one] for one in numbers]
            named = name_variation(np.array([*numbers.values()]), partial(_values, chosen[0], asked), chosen[1])
            return named or f"{about} {otherwise(case, numbers, arguments)}"
        return None

    return judge


def _values(version: Callable[..., float], asked: list[tuple], **how: Any) -> np.ndarray:
    return np.array([_value(partial(version, **how), arguments) for arguments in asked])


def _value(version: Callable[..., float], arguments: tuple) -> float:
    try:
        return version(*arguments)
    except (ZeroDivisionError, ValueError):
        return float("nan")


def right_links(inputs: Inputs, cases: Cases) -> str | None:
    arguments = {case: given["weights"] for case, given in link_cases(inputs).items()}
    passed: list[str] = []
    for case, weights in arguments.items():
        given = {(int(a), int(b)) for a, b in cases[case]["links"]}
        if given == links(weights):
            passed.append(case)
            continue
        for sentence, version in WRONG_LINKS:
            if given == version(weights) and all(version(arguments[one]) == links(arguments[one]) for one in passed):
                return sentence
        return _links_differ(given, weights)
    return None


def _links_differ(given: set[tuple[int, int]], weights: np.ndarray) -> str:
    """The first French word whose links are wrong."""
    due = {french: english for english, french in links(weights)}
    for french, english in sorted(due.items()):
        mine = sorted(a for a, b in given if b == french)
        if mine != [english]:
            said = f"is linked to word {mine[0]}" if len(mine) == 1 else f"has {len(mine)} links"
            return (
                f"Of {len(due)} French words and {weights.shape[2] - 1} English ones, French word {french} {said}: at "
                f"step {french} the mean of the heads is largest at English word {english}."
            )
    return f"There are links to French words beyond the last, {len(due) - 1}: the last step writes </s>, no word."


def _texts(case: Case, name: str) -> list[str]:
    text = case[name].tobytes().decode("utf8", "replace")
    return text.split("\n")


def complete(inputs: Inputs, cases: Cases) -> str | None:
    for case, pairs in _both(inputs):
        for name in SYSTEMS:
            count = len(_texts(cases[case], name))
            if count != len(pairs):
                return f"The report's {name!r} has {count} translations for {len(pairs)} pairs."
    return None


def _both(inputs: Inputs) -> tuple[tuple[str, list[Pair]], ...]:
    pairs = pairs_of(inputs)
    return ("report", pairs), ("exchanged", exchanged(pairs))


def from_sources(inputs: Inputs, cases: Cases) -> str | None:
    """The translations are made of the sources alone, whatever the translator makes of them: other references are no
    other translations.

    A few may differ all the same: the longest sentence of a batch decides how long a circle may go on. Of a translator
    that often goes in circles many do, so that this is asked of the others only.
    """
    (_, pairs), (_, others) = _both(inputs)
    references, sources = [pair.target for pair in pairs], [" ".join(pair.source.split()) for pair in pairs]
    read = _texts(cases["watched"], "read")
    for name in SYSTEMS:
        texts, again = _texts(cases["report"], name), _texts(cases["exchanged"], name)
        follows = [text == pair.target for text, pair in zip(again, others, strict=True)]
        changed = [text != before for text, before in zip(again, texts, strict=False)]
        targets = [text == after != before for text, before, after in zip(again, texts, texts[1:], strict=False)]
        if sum(targets) > len(others) // 2 and not sum(follows) > len(others) // 2:
            return f"The report's {name!r} is made of the references: give the translator each pair's source."
        if sum(follows) > len(others) // 2:
            return f"The report's {name!r} changes with the references: translate the sources, and each one by itself."
        if texts == sources:
            return f"The report's {name!r} holds the English sources, not their translations."
        if hint := _other_texts(sources, read):
            return hint
        in_turn = texts == _texts(cases["watched"], f"found_{BEAMS[name]}")
        if in_turn and set(read) == set(sources) and list(dict.fromkeys(read)) != sources:
            return "The translations are in another order than the pairs: translate the sources in their order."
        if sum(changed) > len(others) // 2 and bleu_of_texts(texts, references) > MARK:
            return f"The report's {name!r} holds other translations of the same sentences when it is made again."
    return None


def translates(inputs: Inputs, cases: Cases) -> str | None:
    """BLEU above the mark: the last step, for it is about the training and not about the report."""
    references = [pair.target for pair in pairs_of(inputs)]
    for name in SYSTEMS:
        score = bleu_of_texts(_texts(cases["report"], name), references)
        if score <= MARK:
            return (
                f"The report's {name!r} has BLEU {score:.1f}, and more than {MARK:.0f} is asked for: "
                "train longer (exercise 12)."
            )
    return None


def _other_texts(sources: list[str], read: list[str]) -> str | None:
    """A text that the translator was given in place of a source; to try another beside them all is no mistake."""
    others = [text for text in read if text and text not in sources]
    if others and set(sources) - set(read):
        return f"The translator was given “{others[0][:60]}”, which is the source of no pair: give it pair.source."
    return None


WRONG_SCORES: list[Wrong] = [
    (
        "is of words split at spaces; take `words(text)`, where punctuation stands alone.",
        lambda texts, references: bleu([t.split() for t in texts], [r.split() for r in references]),
    ),
    (
        "is of letters: `bleu` got texts where it wants lists of words.",
        lambda texts, references: bleu([list(t) for t in texts], [list(r) for r in references]),
    ),
    (
        "has translations and references exchanged.",
        lambda texts, references: bleu_of_texts(references, texts),
    ),
    (
        "goes from 0 to 1; BLEU goes from 0 to 100.",
        lambda texts, references: bleu_of_texts(texts, references) / 100,
    ),
    (
        "is of lower-cased text; capitals count.",
        lambda texts, references: bleu_of_texts([t.lower() for t in texts], [r.lower() for r in references]),
    ),
    (
        "is the mean of the sentences' scores; hand all sentences to `bleu` at once.",
        lambda texts, references: _mean_of(bleu_of_texts, texts, references),
    ),
    (
        "is the mean of the sentences' scores; hand all sentences to `bleu` at once.",
        lambda texts, references: _mean_of(bleu, *(map(words, side) for side in (texts, references))),
    ),
    (
        "is of all sentences joined into one; `bleu` wants a list of words for each sentence.",
        lambda texts, references: bleu_of_texts([" ".join(texts)], [" ".join(references)]),
    ),
    (
        "is that of the first sentence alone.",
        lambda texts, references: bleu_of_texts(texts[:1], references[:1]),
    ),
]


def _mean_of(score: Callable[..., float], translations: Iterable, references: Iterable) -> float:
    return float(np.mean([score([t], [r]) for t, r in zip(translations, references, strict=True)]))


def _seconds(cases: Cases) -> dict[int, float]:
    """How long `translate` took with each beam; nothing if the answer searches in another way."""
    return dict(zip(cases["watched"]["beams"].tolist(), cases["watched"]["seconds"].tolist(), strict=True))


def _wrong_beams(cases: Cases) -> str | None:
    used = _seconds(cases)
    for name, beam in BEAMS.items():
        if used and beam not in used:
            others = " and ".join(map(str, sorted(used)))
            return f"{name!r} asks for a beam of {beam}, and translate was called with beam={others} alone."
    return None


def _not_found(cases: Cases, texts: dict[str, list[str]]) -> str | None:
    """Texts that the translator never gave with that beam."""
    found = {beam: set(_texts(cases["watched"], f"found_{beam}")) for beam in BEAMS.values()}
    strange = {name: [text for text in texts[name] if text not in found[beam]] for name, beam in BEAMS.items()}
    if not _seconds(cases) or not any(strange.values()):
        return None
    if not set(texts["greedy"]) - found[4] and not set(texts["beam"]) - found[1]:
        return "greedy and beam are exchanged: beam=1 is greedy search, beam=4 the beam."
    name = next(name for name in SYSTEMS if strange[name])
    return f"“{strange[name][0][:60]}” is in {name!r}, and translate(…, beam={BEAMS[name]}) gave no such text."


def scored(inputs: Inputs, cases: Cases) -> str | None:
    """BLEU and p are those of the report's own translations."""
    if hint := _wrong_beams(cases):
        return hint
    references = [pair.target for pair in pairs_of(inputs)]
    texts = {name: _texts(cases["report"], name) for name in SYSTEMS}
    if hint := _not_found(cases, texts):
        return hint
    due = {name: bleu_of_texts(texts[name], references) for name in SYSTEMS}
    for name, other in (SYSTEMS, SYSTEMS[::-1]):
        given = cases["report"][f"bleu_{name}"]
        as_in_q1 = bleu(*([words(text) for text in side] for side in (texts[name], references)))  # without smoothing
        if any(close(given, np.array(one), 1e-4) for one in (due[name], as_in_q1)):
            continue
        if close(given, np.array(due[other]), 1e-4):
            return f"bleu_{name} is that of {other!r}."
        for sentence, version in WRONG_SCORES:
            if close(given, np.array(_value(version, (texts[name], references))), 1e-4):
                return f"bleu_{name} {sentence}"
        if given == 0:
            return f"bleu_{name} is 0: are English sources compared, in place of the references or the translations?"
        if close(given, np.array(bleu_of_texts(texts[name], texts[other])), 1e-4):
            return f"bleu_{name} compares {name} with {other}; compare both with the references."
        return f"bleu_{name} is {float(given):.2f}, but these translations have {due[name]:.2f}."
    given = float(cases["report"]["p"])
    hint = _wrong_p(given, texts, references)
    return _other_p(given, texts, inputs, unlikely=hint is not None) or hint


def _other_p(given: float, texts: dict[str, list[str]], inputs: Inputs, unlikely: bool) -> str | None:
    """`compare` draws the same each time, so that its p tells what it compared with."""
    targets, sources = ([getattr(pair, side) for pair in pairs_of(inputs)] for side in ("target", "source"))
    right, wrong = (compare(texts["greedy"], texts["beam"], side).p for side in (targets, sources))
    if given == wrong != right:
        return "p compares with the English sources; compare needs the references."
    for name, other in (SYSTEMS, SYSTEMS[::-1]) if unlikely else ():
        if given == compare(texts[name], texts[name], targets).p:
            return f"p is {given:.3g}, as of {name} against itself; what is asked is greedy against beam."
        if given in (compare(texts[name], targets, texts[other]).p, compare(targets, texts[name], texts[other]).p):
            return "p has the references in another place: compare(greedy, beam, references)."
        if given == compare(texts[name], targets, targets).p:
            return f"p compares {name} with the references; what is asked is greedy against beam."
    return None


def _wrong_p(given: float, texts: dict[str, list[str]], references: list[str]) -> str | None:
    """sacreBLEU counts one tail, the lesson's own test two; and other draws give another p."""
    both = (compare(texts["greedy"], texts["beam"], references).p, _two_sided(texts, references))
    low, high = min(both) - 0.06, max(both) + 0.08
    if low <= given <= high:
        return None
    if not 0 <= given <= 1:
        return f"p is {given:.3g}; a probability goes from 0 to 1."
    if low <= 1 - given <= high:
        return "This is 1 − p: p is small where the difference is too large to be luck."
    return f"p is {given:.3f}, but a paired bootstrap of these translations gives {both[1]:.3f}."


def _two_sided(texts: dict[str, list[str]], references: list[str]) -> float:
    """The lesson's test: how many of 1,000 differences, moved to mean 0, are as large as the one that was seen."""
    rows = {name: np.array([_counts(t, r) for t, r in zip(texts[name], references, strict=True)]) for name in SYSTEMS}
    draws = np.random.default_rng(0).integers(len(references), size=(1_000, len(references)))
    drawn = {name: _bleu_of(rows[name][draws].sum(axis=1)) for name in SYSTEMS}
    differences = drawn["beam"] - drawn["greedy"]
    seen = float(_bleu_of(rows["beam"].sum(axis=0)) - _bleu_of(rows["greedy"].sum(axis=0)))
    as_large = np.abs(differences - differences.mean()) >= abs(seen)
    return 1.0 if seen == 0 else float((as_large.sum() + 1) / (len(differences) + 1))


def _counts(text: str, reference: str) -> list[int]:
    """Of a sentence: matches, n-grams, its length and the reference's."""
    t, r = words(text), words(reference)
    matched, total = zip(*(sums([t], [r], n) for n in range(1, 5)), strict=True)
    return [*matched, *total, len(t), len(r)]


def _bleu_of(sums: np.ndarray) -> np.ndarray:
    matched, total, c, length = sums[..., :4], sums[..., 4:8], sums[..., 8], sums[..., 9]
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(matched, 1e-9) / np.maximum(total, 1)).mean(axis=-1)
    return np.asarray(100 * np.exp(np.minimum(0, 1 - length / np.maximum(c, 1)) + logs))


def aligned_and_timed(inputs: Inputs, cases: Cases) -> str | None:
    report = cases["report"]
    rates = (float(cases[case]["aer"]) for case in ("report", "exchanged"))
    sides = _sides(inputs, cases)
    aligns = error_rate(*sides) <= LATE  # where it does not, wrong links and wrong gold are no worse than right ones
    return (
        (_wrong_aer(*rates) if aligns else None)
        or _other_aer(report, sides)
        or _wrong_time(report)
        or _other_time(report, _seconds(cases))
        or _wrong_failures(inputs, report)
    )


# The error rate made of the links found, the sure and the possible ones of all pairs.
WRONG_AERS: list[Wrong] = [
    ("The sure and the possible links are exchanged in aer.", lambda a, s, p: error_rate(a, p, s)),
    (
        "aer takes the sure links for the possible ones too: those are gold.possible.",
        lambda a, s, p: error_rate(a, s, s),
    ),
    ("aer takes the possible links for the sure ones too: those are gold.sure.", lambda a, s, p: error_rate(a, p, p)),
    (
        "aer is the mean of the sentences' rates; hand all sentences to alignment_error_rate at once.",
        lambda a, s, p: float(np.mean([error_rate([x], [y], [z]) for x, y, z in zip(a, s, p, strict=True)])),
    ),
    ("aer is that of the first sentence alone.", lambda a, s, p: error_rate(a[:1], s[:1], p[:1])),
]


def _sides(inputs: Inputs, cases: Cases) -> tuple[list[set], list[set], list[set]]:
    """Of each pair the links found, the sure and the possible ones: the translator's weights and the gold are known."""
    pairs = pairs_of(inputs)
    gold = gold_of(pairs)
    found = [links(cases["steps"][f"pair_{i}"]) for i in range(len(pairs))]
    return found, [set(one.sure) for one in gold], [set(one.possible) for one in gold]


def _other_aer(report: Case, sides: tuple[list[set], list[set], list[set]]) -> str | None:
    """The rate itself."""
    given, due = report["aer"], error_rate(*sides)
    if close(given, np.array(due), 1e-3):
        return None
    for sentence, version in WRONG_AERS:
        if close(given, np.array(_value(version, sides)), 1e-3):
            return sentence
    return f"aer is {float(given):.3f}, and the links of these weights have {due:.3f}: links and alignment_error_rate."


def _wrong_aer(rate: float, with_wrong_gold: float) -> str | None:
    if not 0 <= rate <= 1:
        return f"aer is {rate:.3g}; an error rate goes from 0 to 1 (is it in percent?)."
    if with_wrong_gold < rate - 0.05:
        return "aer falls when the gold links are exchanged for wrong ones: this is agreement, and not the error rate."
    if rate > LATE:
        return (
            f"aer is {rate:.2f}: read the weights of the step that writes a word, not of the step that reads it; and "
            "compare each pair's links with its own gold."
        )
    if with_wrong_gold < rate + 0.05:
        return "aer stays the same when the gold links are exchanged for wrong ones: compare with gold_of(pairs)."
    return None


def _wrong_time(report: Case) -> str | None:
    for name in SYSTEMS:
        seconds = float(report[f"seconds_{name}"])
        if seconds < 0:
            return f"seconds_{name} is negative: take the begin from the end."
        if seconds == 0:
            return f"seconds_{name} is 0: read the clock before and after the search."
        if seconds > 300:  # more than the check waits for
            return (
                f"seconds_{name} is {seconds:,.0f}, longer than the check took: is it another unit, or the time of day?"
            )
    return None


def _other_time(report: Case, watched: dict[int, float]) -> str | None:
    """Against the clock that stood beside `translate`."""
    if not all(beam in watched for beam in BEAMS.values()):
        return None
    both = watched[1] + watched[4]
    greedy, beam = (float(report[f"seconds_{name}"]) for name in SYSTEMS)
    if (
        watched[1] < 0.8 * watched[4]
        and 0.8 * watched[4] < greedy < both
        and 0.8 * watched[1] < beam < 0.8 * watched[4]
    ):
        return "seconds_greedy and seconds_beam are exchanged."
    for name, beam in BEAMS.items():
        seconds, took = float(report[f"seconds_{name}"]), watched[beam]
        if seconds < 0.8 * took:
            return (
                f"seconds_{name} is {seconds:.3g}, and the search took {took:.3g} s: of all sentences together, in s."
            )
        if abs(seconds - both) < 0.2 * (both - took):
            return f"seconds_{name} holds both searches: read the clock again before the second one begins."
        if seconds > 20 * took + 1:
            return f"seconds_{name} is {seconds:.3g}, and the search took {took:.3g} s: is it another unit?"
    return None


def _kinds(pairs: list[Pair], texts: list[str]) -> Counter:
    return Counter(tag for p, text in zip(pairs, texts, strict=True) for tag in tags(Example(p.source, text, p.target)))


def _wrong_failures(inputs: Inputs, report: Case) -> str | None:
    lines = [line for line in report["failures"].tobytes().decode("utf8", "replace").split("\n") if line]
    given = Counter({kind: int(count) for kind, _, count in (line.rpartition("\t") for line in lines)})
    pairs = pairs_of(inputs)
    due = _kinds(pairs, _texts(report, "greedy"))
    if given == due:
        return None
    if given == _kinds(pairs, _texts(report, "beam")):
        return "failures counts the errors of the beam; count those of greedy search."
    if given == _kinds(pairs, [pair.target for pair in pairs]):
        return "failures is made of the references; tag the greedy translations."
    found = [tags(Example(p.source, text, p.target)) for p, text in zip(pairs, _texts(report, "greedy"), strict=True)]
    if given == Counter(kinds[0] for kinds in found if kinds):
        return "failures counts one kind for each sentence; a sentence may have several."
    if given == _kinds([pair._replace(target=text) for pair, text in zip(pairs, _texts(report, "greedy"), strict=True)],
                       [pair.target for pair in pairs]):  # fmt: skip
        return "failures has translation and reference exchanged: Example(source, translation, reference)."
    if given == _kinds([pair._replace(target=pair.source) for pair in pairs], _texts(report, "greedy")):
        return "failures compares the translations with the English sources; the third of an Example is the reference."
    if given == Counter({kind: 1 for kind in due}):
        return "failures has each kind once; count the sentences that have it."
    if given and not set(given) & set(due):
        return f"failures has the key {next(iter(given))[:40]!r}; its keys are the kinds that `tags` gives, each alone."
    kind = next(kind for kind in [*due, *given] if given[kind] != due[kind])
    return f"failures: {kind!r} is {given[kind]} and should be {due[kind]}."


LONGER, SHORTER, LIMITS = (
    ("longer",),
    ("shorter",),
    ("equal", "twice", "empty", "no_match", "last_long", "small", "spelt", "two_words", "nothing"),
)
ONE, ALL = ("one",), ("all", "sure_only", "perfect", "none")
RATES = {
    "one": "one sentence",
    "all": "all sentences",
    "sure_only": "links of which all are sure",
    "perfect": "a perfect alignment",
    "none": "no link found",
}


def _bleus(names: tuple[str, ...], before: tuple[str, ...] = ()) -> Judge:
    return numbers(
        "BLEU", "bleu", names, before, bleu_cases, bleu, WRONG_BLEUS, (chosen_bleu, BLEU_AXES), _bleu_differs
    )


def _exponents(given: dict[str, float], arguments: dict[str, tuple]) -> str | None:
    """Of the four shares, where all numbers that are not 0 are a product of powers of them, times the penalty."""
    rows, logs = [], []
    for case, number in given.items():
        parts = shares(*arguments[case])
        if number > 0 and min(parts) > 0 and max(parts) < 1:
            rows.append(np.log(parts))
            logs.append(np.log(number / (100 * brevity(*arguments[case]))))
    if len(rows) < 5:
        return None
    powers, _, rank, _ = np.linalg.lstsq(np.array(rows), np.array(logs), rcond=None)
    if rank < 4 or not close(np.array(rows) @ powers, np.array(logs), 1e-6) or close(powers, np.full(4, 0.25)):
        return None
    said = ", ".join(f"{power:.3g}" for power in powers)
    return f"takes the four shares to the powers {said}; each is due to the power 1/4, the fourth root of the product."


def _bleu_differs(case: str, given: dict[str, float], arguments: dict[str, tuple]) -> str:
    """The smallest pair of sentences that goes wrong too, with what is counted in it."""
    if named := _exponents(given, arguments):
        return named
    short = [one for one in ("small", "twice", "no_match", "two_words", "spelt", "nothing") if one in given]
    wrong = [one for one in short if not close(np.array(given[one]), np.array(bleu(*arguments[one])), 1e-6)]
    if case == "shorter":
        c, length = (sum(map(len, side)) for side in arguments[case])
        due, mine = bleu(*arguments[case]), given[case]
        return (
            f"is right for translations that are long enough; for c = {c} and ℓ = {length} it is {mine:.2f}, and "
            f"e^(1 − {length}/{c}) times the root gives {due:.2f}."
        )
    if given[case] == 0 and bleu(*arguments[case]) > 0:
        return "is 0 where each order has matches: print the four counts of matches; one stays 0, or the penalty is 0."
    one = wrong[0] if wrong else case
    translations, references = arguments[one]
    if bleu(*arguments[one]) == 0:
        return (
            f"is {given[one]:.2f} for {_spoken(translations)}, with the references {_spoken(references)}: where "
            "nothing matches for some n it is 0, and not a small number in its place (smoothing)."
        )
    if not wrong:
        return (
            f"is {given[one]:.2f} in place of {bleu(*arguments[one]):.2f}, for {len(translations)} sentences; "
            "of one alone it is right: what is added up, and where?"
        )
    return (
        f"is {given[one]:.2f} in place of {bleu(*arguments[one]):.2f} for {_spoken(translations)}, with the references "
        f"{_spoken(references)}: {in_parts(translations, references)}."
    )


def _spoken(sentences: list[list[str]]) -> str:
    return ", ".join(f"“{' '.join(sentence)}”" for sentence in sentences)


def _rates(names: tuple[str, ...], before: tuple[str, ...] = ()) -> Judge:
    return numbers(
        "The error rate",
        "rate",
        names,
        before,
        rate_cases,
        error_rate,
        WRONG_RATES,
        (chosen_rate, RATE_AXES),
        _rate_differs,
    )


def _rate_differs(case: str, given: dict[str, float], arguments: dict[str, tuple]) -> str:
    return (
        f"is {given[case]:.4f} in place of {error_rate(*arguments[case]):.4f} for "
        f"{RATES[case]}: there {in_numbers(*arguments[case])}."
    )


STEPS = {
    "q1": (
        Step("runs, and gives a number", 0, runs(("longer", "bleu"))),
        Step("clipped precisions of the whole set", 2, _bleus(LONGER)),
        Step("the brevity penalty", 1, _bleus(SHORTER, LONGER)),
        Step("nothing matches, sentences of few words or none", 1, _bleus(LIMITS, LONGER + SHORTER)),
    ),
    "q2": (
        Step("both run", 0, runs(("pair", "links"), ("one", "rate"))),
        Step("links of the step that writes a word", 1, right_links),
        Step("the error rate of one sentence", 1, _rates(ONE)),
        Step("of all sentences, and at the limits", 1, _rates(ALL, ONE)),
    ),
    "q3": (
        Step("runs, and holds all that is asked", 0, complete),
        Step("translations of the sources alone", 0, from_sources),
        Step("BLEU of both searches, and p", 1, scored),
        Step("alignment, time, failures", 1, aligned_and_timed),
        Step("it translates, BLEU above 15", 1, translates),
    ),
}
