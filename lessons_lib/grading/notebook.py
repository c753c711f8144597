"""`check("q1")`: a question's make, drive and judge in one call, inside the learner's notebook.

It is for the learner. The bytes that pass between drive and judge are those of the batch grader, but both run in one
process here, so who wants to deceive it can; points that count come from a run in separate processes.
"""

import re
import secrets
import sys
from collections.abc import Mapping
from typing import Any

from lessons_lib.grading import edition
from lessons_lib.grading.arrays import decode, encode
from lessons_lib.grading.drive.limits import STILL
from lessons_lib.grading.drive.run import questions, run
from lessons_lib.grading.errors import CheckError, PartError
from lessons_lib.grading.judge.verdict import Verdict, judge, steps
from lessons_lib.grading.parts import (
    FILE,
    TRANSLATOR,
    assemble,
    assemble_kept,
    forget_text,
    known,
    namesake,
    owners,
    take,
    with_answers,
    write,
)
from lessons_lib.grading.report import Result, Summary

SEEDS = (0, 1)  # the same hint twice for the same mistake; a third seed is drawn anew
HARD_CODED = "Right for two inputs, wrong for one drawn just now: is a result or a size written into the code?"


def grade(lesson: str, question: str, namespace: Mapping[str, Any], seeds: tuple[int, ...] | None = None) -> Result:
    """One question on every seed, up to the first that is not fully right; nothing is shown."""
    declared, declared_steps = questions(lesson)[question], steps(lesson, question)
    verdict = Verdict(0, None)
    for seed in (*SEEDS, secrets.randbelow(2**32)) if seeds is None else seeds:
        inputs = encode(declared.make(seed))
        verdict = judge(declared_steps, decode(inputs), run(declared, namespace, inputs))
        if verdict.hint is not None:
            if seeds is None and seed not in SEEDS and not verdict.hint.startswith(STILL):
                verdict = Verdict(verdict.passed, f"{HARD_CODED} ({verdict.hint})")
            break
    worth = [(step.title, step.points) for step in declared_steps]
    return Result.of(question, declared.title, worth, verdict.passed, verdict.hint)


class Check:
    """The checks of one exercise. `check.open("01_self_attention")` chooses it, `check("q1")` and `check()` use it."""

    def __init__(self) -> None:
        self.lesson: str | None = None

    def open(self, lesson: Any) -> None:
        """Choose the exercise; its notebook does so in its first cell.

        Raises:
            CheckError: there is no such exercise.
        """
        try:
            if not isinstance(lesson, str) or not re.fullmatch(r"[0-9]{2}_\w+", lesson):
                raise ModuleNotFoundError
            questions(lesson)
        except ModuleNotFoundError:
            raise CheckError(f"no exercise {lesson!r}; use its notebook's name, such as 01_self_attention") from None
        self.lesson = lesson

    def __call__(self, question: Any = None, *, namespace: Mapping[str, Any] | None = None) -> Result | Summary:
        """Show the points of one question, or of all, for the answers in the calling notebook.

        Args:
            question: such as "q1"; all of them without it.
            namespace: where to look for the answers in place of the caller's variables.

        Raises:
            CheckError: no exercise is open, or it has no such question.
        """
        asked = edition.asked(self._opened())
        if question is not None and (not isinstance(question, str) or question not in asked):
            raise CheckError(f"question {question!r} is none of {self.lesson}; use {', '.join(asked)}")
        namespace = _callers_variables() if namespace is None else namespace
        if question is None:
            return _show(Summary(self.lesson, tuple(grade(self.lesson, name, namespace) for name in asked)))
        return _show(grade(self.lesson, question, namespace))

    def keep(self, *, namespace: Mapping[str, Any] | None = None) -> None:
        """Write each answer that has all its points to `my_translator.py`, for the exercises to come."""
        lesson = self._opened()
        namespace = _callers_variables() if namespace is None else namespace
        for names in dict.fromkeys(tuple(declared.signatures) for declared in edition.asked(lesson).values()):
            print(f"{', '.join(names)}: {_keep(lesson, names, namespace)}")

    def part(self, *names: str) -> Any:
        """The learner's own kept answers of these names, or the course's where there is none; one, or a list of them.

        Raises:
            PartError: there is no such part, it is asked for in this exercise, or `my_translator.py` does not run.
        """
        found = take(names)
        here = edition.asked(self.lesson) if self.lesson else {}
        for name in names:
            if any(name in declared.signatures for declared in here.values()):
                raise PartError(f"`{name}` is what this exercise asks for")
        for whose, mine in (("yours", True), ("the course's", False)):
            listed = [name for name, (_, own) in zip(names, found, strict=True) if own == mine]
            if listed:
                print(f"{whose}: {', '.join(listed)}")
        return found[0][0] if len(names) == 1 else [value for value, _ in found]

    def translate(self, sentence: Any) -> None:
        """Print a French sentence by the learner's translator: kept parts, the course's for the rest, trained weights.

        Raises:
            CheckError: this is no text.
            PartError: the parts do not work together, or `my_translator.py` does not run.
        """
        if not isinstance(sentence, str):
            raise CheckError(f'{sentence!r} is no sentence: write check.translate("The cat sleeps.")')
        from lessons_lib.grading.translator import translate  # it loads the course's translator

        own = [name for name in TRANSLATOR if owners()[name]]
        print(translate(assemble_kept(), sentence))
        rest = len(TRANSLATOR) - len(own)
        print(
            f"your parts in it: {', '.join(own) or 'none yet'}; the course's: {f'the other {rest}' if rest else 'none'}"
        )

    def parts(self) -> None:
        """Print every part of the translator, and whether it is the learner's or the course's."""
        for name, mine in owners().items():
            print(f"lesson {known()[name]}  {name:30} {'yours' if mine else 'the course' + chr(39) + 's'}")

    def _opened(self) -> str:
        if self.lesson is None:
            raise CheckError("no exercise is open: run the first cells, or check.open('01_self_attention')")
        return self.lesson

    def __repr__(self) -> str:
        return f"<check of {self.lesson or 'no exercise yet'}>"


def _callers_variables() -> dict[str, Any]:
    """The variables of who called the method of `check` that calls this."""
    caller = sys._getframe(2)
    return {**caller.f_globals, **caller.f_locals}


def _keep(lesson: str, names: tuple[str, ...], namespace: Mapping[str, Any]) -> str:
    """Keep answers that are right in each question about them, here and outside of the notebook; the outcome."""
    about = [question for question, declared in edition.asked(lesson).items() if set(names) & set(declared.signatures)]
    for question in about:
        result = grade(lesson, question, namespace)
        if result.hint is not None:
            return f"not kept, {question} has {result.points} of {result.total} points: {result.hint}"
    try:
        text = with_answers(names, namespace)
        alone = grade(lesson, about[-1], assemble(text))
    except PartError as error:
        return f"not kept: {error}"
    if alone.hint is not None:
        forget_text()  # the hint has quoted what was tried; the file holds something else
        return f"not kept, {namesake(names, namespace) or f'on its own it fails: {alone.hint}'}"
    write(text)
    return f"kept in {FILE}"


def _show(result: Result | Summary) -> Result | Summary:
    """In a notebook as HTML, in a terminal as text."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display({"text/plain": result.text(), "text/html": result.html()}, raw=True)
    else:
        print(result.text())
    return result


check = Check()
