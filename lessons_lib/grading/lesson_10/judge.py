"""Lesson 10: what the learner's counts must be, step by step. Whole numbers are compared exactly."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from lessons_lib.grading.judge.step import Cases, Step
from lessons_lib.grading.judge.variations import in_common
from lessons_lib.grading.lesson_10.drive import cache_cases, machine_cases, parameter_cases
from lessons_lib.grading.lesson_10.mistakes import (
    KNOWN_MACHINES,
    KNOWN_SHAPES,
    WRONG_CACHES,
    Cache,
    Machine,
    Shape,
    Wrong,
)
from lessons_lib.grading.lesson_10.remainders import of_a_cache, of_a_machine, of_parameters

Inputs = dict[str, np.ndarray]
Judge = Callable[[Inputs, Cases], str | None]


def runs(case: str) -> Judge:
    """A call that works, and gives a whole number."""

    def judge(inputs: Inputs, cases: Cases) -> str | None:
        number = cases[case]["number"]
        if number.dtype.kind != "i":
            return (
                f"It returns a float ({float(number):,.6g}): counts are whole numbers, and a float loses digits beyond "
                "2⁵³; divide with // and multiply by whole numbers."
            )
        return None

    return judge


def counts(
    about: str,
    names: tuple[str, ...],
    before: tuple[str, ...],
    arguments_of: Callable[[Inputs], dict[str, dict[str, Any]]],
    kind: Callable[..., Any],
    wrong: list[Wrong],
    remainder: Callable[[int, Any], str],
    both: Callable[[int, int, int], float] | None = None,
) -> Judge:
    """Every named call gives the right number; if not, the hint names the mistake or says what is due, and what is off.

    A mistake counts as found if it explains the wrong number, and all right ones before it; in the first step, where
    none is before it, all others of the step. Two mistakes together are found if they explain all numbers of the step.

    Args:
        both: what two mistakes make of the right number and of the two that each of them makes alone, if that tells.
    """

    def judge(inputs: Inputs, cases: Cases) -> str | None:
        arguments = arguments_of(inputs)
        passed = [kind(**arguments[name]) for name in before]
        for name in names:
            asked = kind(**arguments[name])
            given = ", ".join(f"{key}={value}" for key, value in arguments[name].items())
            if cases[name].error is not None:
                return f"{about}: {cases[name].error}. {asked.right:,} is due for {given}."
            number = cases[name]["number"]
            if number.dtype.kind != "i":
                return f"{about}: a float comes back ({float(number):,.6g}); divide with //."
            if int(number) == asked.right:
                passed.append(asked)
                continue
            also = {other: cases[other].arrays["number"] for other in names if "number" in cases[other].arrays}
            also = {name: number} if before else also
            for sentence, version in wrong:
                if all(version(one) == one.right for one in passed) and all(
                    int(value) == version(kind(**arguments[other])) for other, value in also.items()
                ):
                    return sentence
            off = remainder(int(number), asked)
            of_step = {kind(**arguments[other]): int(cases[other].arrays.get("number", -1)) for other in names}
            if both and not off and (found := _two(wrong, of_step, passed, both)):
                return found
            return f"{about}: {int(number):,} in place of {asked.right:,} for {given}.{off}"
        return None

    return judge


def _two(wrong: list[Wrong], numbers: dict[Any, int], passed: list[Any], both: Callable) -> str | None:
    """Two mistakes that give these numbers together, and change nothing that is right; what all such pairs share."""
    found = []
    for (one, first), (other, second) in itertools.combinations(wrong, 2):
        if (
            one != other
            and all(first(x) == x.right == second(x) for x in passed)
            and all(both(x.right, first(x), second(x)) == value for x, value in numbers.items())
        ):
            found.append((one, other))
    return in_common(found) if found else None


DECODER, BOTH = ("decoder", "positions", "gpt2"), ("both", "both_positions", "single")
SWITCHES = ("untied", "no_bias", "encoder", "encoder_untied", "bare", "single_untied")
PLAIN, GROUPED, SOURCE = ("short", "plain", "empty"), ("grouped", "one"), ("source", "all")
RUNNING, TRAINING = ("plain", "wide"), ("train_wide", "train", "train_byte")
LIMITS = ("exact", "alone", "short", "no_room", "too_large", "train_too_large")


def _shapes(about: str, names: tuple[str, ...], before: tuple[str, ...] = ()) -> Judge:
    def both(right: int, one: int, other: int) -> int:
        return one + other - right

    return counts(about, names, before, parameter_cases, Shape, KNOWN_SHAPES, of_parameters, both)


def _caches(about: str, names: tuple[str, ...], before: tuple[str, ...] = ()) -> Judge:
    def both(right: int, one: int, other: int) -> float:
        return one * other / right if right else 0

    return counts(about, names, before, cache_cases, Cache, WRONG_CACHES, of_a_cache, both)


def _machines(about: str, names: tuple[str, ...], before: tuple[str, ...] = ()) -> Judge:
    return counts(about, names, before, machine_cases, Machine, KNOWN_MACHINES, of_a_machine)


STEPS = {
    "q1": (
        Step("runs, and gives a whole number", 0, runs("decoder")),
        Step("a decoder alone", 2, _shapes("A decoder alone", DECODER)),
        Step("encoder and decoder", 1, _shapes("Encoder and decoder", BOTH, DECODER)),
        Step("untied, without biases, an encoder alone", 1, _shapes("The switches", SWITCHES, DECODER + BOTH)),
    ),
    "q2": (
        Step("runs, and gives a whole number", 0, runs("plain")),
        Step("keys and values of every layer, in bytes", 1, _caches("The plain cache", PLAIN)),
        Step("heads that share keys and values", 1, _caches("Shared heads", GROUPED, PLAIN)),
        Step("the source's keys and values", 1, _caches("With a source", SOURCE, PLAIN + GROUPED)),
    ),
    "q3": (
        Step("runs, and gives a whole number", 0, runs("plain")),
        Step("running: the weights, then the sequences", 1, _machines("Running", RUNNING)),
        Step("training: gradients, AdamW, a copy", 1, _machines("Training", TRAINING, RUNNING)),
        Step(
            "to the last byte, and when the model does not fit",
            1,
            _machines("At the limit", LIMITS, RUNNING + TRAINING),
        ),
    ),
}
