"""The trusted half of a check: bytes from the learner's side in, the steps passed and one hint out."""

import importlib
from dataclasses import dataclass, replace

import numpy as np

from lessons_lib.grading.arrays import decode, read_text
from lessons_lib.grading.edition import worth
from lessons_lib.grading.judge.step import Cases, Missing, Step


@dataclass(frozen=True)
class Verdict:
    """How many of the steps were passed, in their order, and the hint of the first that was not."""

    passed: int
    hint: str | None


def declared(lesson: str, question: str) -> tuple[Step, ...]:
    """The steps of one question of a lesson, such as `01_self_attention`, `q1`, as the course has them."""
    return importlib.import_module(f"lessons_lib.grading.lesson_{lesson[:2]}.judge").STEPS[question]


def steps(lesson: str, question: str) -> tuple[Step, ...]:
    """The same with the points of the edition in use."""
    ours = declared(lesson, question)
    points = worth(lesson, question, [step.points for step in ours])
    return tuple(replace(step, points=each) for step, each in zip(ours, points, strict=True))


def judge(steps: tuple[Step, ...], inputs: dict[str, np.ndarray], blobs: dict[str, bytes]) -> Verdict:
    """Take the steps in order, up to the first that fails. Never raises, whatever the bytes are."""
    try:
        arrays = decode(blobs)
    except ValueError as error:
        return Verdict(0, f"the results cannot be read: {error}")
    if "error" in arrays:
        return Verdict(0, read_text(arrays["error"]))
    cases = Cases(arrays)
    for passed, step in enumerate(steps):
        try:
            hint = step.judge(inputs, cases)
        except Missing as missing:
            hint = str(missing)
        except Exception as error:  # results of a form that no step foresaw; a class must not wait for one answer
            hint = f"the results have an unexpected form ({type(error).__name__}: {error})"
        if hint is not None:
            return Verdict(passed, hint)
    return Verdict(len(steps), None)
