"""`check("q1")`: a question's make, drive and judge in one call, inside the learner's notebook.

It is for the learner. The bytes that pass between drive and judge are those of the batch grader, but both run in one
process here, so who wants to deceive it can; points that count come from a run in separate processes.
"""

import re
import secrets
import sys
from collections.abc import Mapping
from typing import Any

from lessons_lib.grading.arrays import decode, encode
from lessons_lib.grading.drive.run import questions, run
from lessons_lib.grading.judge.run import Verdict, judge, steps
from lessons_lib.grading.report import Result, Summary

SEEDS = (0, 1)  # the same hint twice for the same mistake; a third seed is drawn anew
HARD_CODED = "Right for two inputs, wrong for one drawn just now: is a result or a size written into the code?"


class CheckError(ValueError):
    """`check` was called for something that is not there. A notebook shows the sentence without the calls inside."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def grade(lesson: str, question: str, namespace: Mapping[str, Any], seeds: tuple[int, ...] | None = None) -> Result:
    """One question on every seed, up to the first that is not fully right; nothing is shown."""
    declared, declared_steps = questions(lesson)[question], steps(lesson, question)
    verdict = Verdict(0, None)
    for seed in (*SEEDS, secrets.randbelow(2**32)) if seeds is None else seeds:
        inputs = encode(declared.make(seed))
        verdict = judge(declared_steps, decode(inputs), run(declared, namespace, inputs))
        if verdict.hint is not None:
            if seeds is None and seed not in SEEDS:
                verdict = Verdict(verdict.passed, f"{HARD_CODED} ({verdict.hint})")
            break
    reached = [True] * verdict.passed + [False] * (verdict.hint is not None)
    reached += [None] * (len(declared_steps) - len(reached))
    rows = tuple((step.title, step.points, state) for step, state in zip(declared_steps, reached, strict=True))
    return Result(question, declared.title, rows, verdict.hint)


class Check:
    """The checks of one exercise. `check.open("01_self_attention")` chooses it, `check("q1")` and `check()` use it."""

    def __init__(self) -> None:
        self.lesson: str | None = None

    def open(self, lesson: str) -> None:
        """Choose the exercise; its notebook does so in its first cell.

        Raises:
            CheckError: there is no such exercise.
        """
        try:
            if not re.fullmatch(r"[0-9]{2}_\w+", lesson):
                raise ModuleNotFoundError
            questions(lesson)
        except ModuleNotFoundError:
            raise CheckError(f"no exercise {lesson!r}; use its notebook's name, such as 01_self_attention") from None
        self.lesson = lesson

    def __call__(self, question: str | None = None, *, namespace: Mapping[str, Any] | None = None) -> Result | Summary:
        """Show the points of one question, or of all, for the answers in the calling notebook.

        Args:
            question: such as "q1"; all of them without it.
            namespace: where to look for the answers in place of the caller's variables.

        Raises:
            CheckError: no exercise is open, or it has no such question.
        """
        if self.lesson is None:
            raise CheckError("no exercise is open: run the first cells, or check.open('01_self_attention')")
        known = questions(self.lesson)
        if question is not None and question not in known:
            raise CheckError(f"question {question!r} is none of {self.lesson}; use {', '.join(known)}")
        if namespace is None:
            caller = sys._getframe(1)
            namespace = {**caller.f_globals, **caller.f_locals}
        if question is None:
            return _show(Summary(self.lesson, tuple(grade(self.lesson, name, namespace) for name in known)))
        return _show(grade(self.lesson, question, namespace))

    def __repr__(self) -> str:
        return f"<check of {self.lesson or 'no exercise yet'}>"


def _show(result: Result | Summary) -> Result | Summary:
    """In a notebook as HTML, in a terminal as text."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display({"text/plain": result.text(), "text/html": result.html()}, raw=True)
    else:
        print(result.text())
    return result


check = Check()
