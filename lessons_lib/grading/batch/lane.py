"""The trusted side of one question: it makes the inputs, has them answered, and judges what comes back."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lessons_lib.grading.arrays import decode, encode, read_text, text_array
from lessons_lib.grading.batch import extra
from lessons_lib.grading.batch.answers import Answer, Notebook, with_what_they_use
from lessons_lib.grading.batch.server import MOST_MARKS, Server, blobs, disconnect, receive, send
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.verdict import Verdict, judge, steps
from lessons_lib.grading.parts import known
from lessons_lib.grading.report import Result

PATIENCE = 3.0  # times a question's own seconds of computing, by the clock: the machine is busy
BESIDE = 20.0  # seconds for what stands beside the answer: its imports, a helper made at the top of a cell
MOST_RESULTS = 2**20  # bytes: nine times what any question needs; against an array that is much longer than is due
TAKEN = re.compile(r"=\s*check\.part\(")  # a part of the course, and none of the learner's own
Ask = Callable[[dict[str, bytes]], dict[str, bytes]]
READY = 30.0  # seconds until a process is in its box


class NotGraded(Exception):
    """The machine failed, not the answer; the sentence says how."""


class Lane:
    """Questions one after another, each in a process of its own.

    Args:
        slot: a number that no other lane of this server has.
        patience, beside: see PATIENCE and BESIDE.
    """

    def __init__(self, server: Server, slot: int, patience: float = PATIENCE, beside: float = BESIDE):
        self._server, self._slot, self._patience, self._beside = server, slot, patience, beside

    def grade(self, lesson: str, question: str, notebook: Notebook, seeds: Sequence[int]) -> Result:
        """One question on its own: what it builds on is the course's.

        An answer that only fits the learner's own earlier parts is judged with those, if that gives more points.

        Raises:
            NotGraded: no process could be had, twice.
        """
        names, others = tuple(questions(lesson)[question].signatures), set(known())
        answer = notebook.answer(names, others)
        result = self._twice(lesson, question, answer, seeds)
        made = (one for one in notebook.statements if not TAKEN.search(one.text))
        own = {name for one in made for name in one.binds} & others
        if result.hint is not None and own - set(names):
            alone = notebook.answer(names, others - own)
            if alone.given != answer.given:
                second = self._twice(lesson, question, alone, seeds)
                if second.points > result.points:
                    result, answer = second, alone
        for check in extra.of(lesson, question):
            hint = self._twice(lesson, question, answer, seeds, check)
            result = replace(
                result,
                steps=(*result.steps, (check.title, check.points, hint is None)),
                hint=" ".join(filter(None, [result.hint, hint and f"{check.title}: {hint}"])) or None,
            )
        return result

    def _twice(
        self, lesson: str, question: str, answer: Answer, seeds: Sequence[int], check: extra.Extra | None = None
    ) -> Any:
        """The result of the question, or what an extra check says: a hint, or None."""
        for attempt in (1, 2):
            try:
                if check is not None:
                    return self._extra(lesson, question, answer, seeds, check)
                return self._once(lesson, question, answer, seeds)
            except OSError as error:
                if attempt == 2:
                    raise NotGraded(f"{question}: {error}") from None
        raise AssertionError

    def _once(self, lesson: str, question: str, answer: Answer, seeds: Sequence[int]) -> Result:
        declared = questions(lesson)[question]
        if answer.trouble is not None:
            error = encode({"error": text_array(answer.trouble)})
            return _result(lesson, question, judge(steps(lesson, question), {}, error))
        verdict = Verdict(0, None)
        with self._process(lesson, question, answer, len(seeds)) as ask:
            for seed in seeds:
                inputs = encode(declared.make(seed))
                verdict = judge(steps(lesson, question), decode(inputs), ask(inputs))
                if verdict.hint is not None:
                    break
        return _result(lesson, question, verdict)

    def _extra(
        self, lesson: str, question: str, answer: Answer, seeds: Sequence[int], check: extra.Extra
    ) -> str | None:
        if answer.trouble is not None:
            return answer.trouble
        with self._process(lesson, question, answer, len(seeds), check.driver) as ask:
            for seed in seeds:
                inputs = encode(dict(check.make(np.random.default_rng(seed))))
                hint = _extra_hint(check, decode(inputs), ask(inputs))
                if hint is not None:
                    return hint
        return None

    @contextlib.contextmanager
    def _process(self, lesson: str, question: str, answer: Answer, times: int, driver: str = "") -> Iterator[Ask]:
        """A process with the answer in it; what it gives asks it for the results of inputs."""
        declared = questions(lesson)[question]
        connection, handle = self._server.connect(self._slot)
        seconds = self._patience * declared.seconds + self._beside
        try:
            send(
                connection,
                {
                    "lesson": lesson,
                    "question": question,
                    "seconds": seconds * times,
                    "patience": self._patience,
                    "parts": with_what_they_use(answer.given, without=declared.signatures),
                    "statements": [(one.cell, one.line, one.text) for one in answer.statements],
                    "driver": driver,
                },
            )
            _wait_until_ready(connection)
            yield lambda inputs: _answered(connection, inputs, seconds)
        finally:
            disconnect(connection, handle)


def _wait_until_ready(connection: socket.socket) -> None:
    try:
        receive(connection, time.monotonic() + READY)
    except (TimeoutError, EOFError, ValueError):
        raise OSError("no process could be shut in a box") from None


def _answered(connection: socket.socket, inputs: dict[str, bytes], seconds: float) -> dict[str, bytes]:
    """The results of one set of inputs, or one sentence that says why there are none."""
    try:
        connection.settimeout(seconds)
        send(connection, inputs)
        results = blobs(receive(connection, time.monotonic() + seconds, MOST_MARKS))
        if (size := sum(map(len, results.values()))) > MOST_RESULTS:
            raise ValueError(f"{size / 2**20:.1f} MiB of results; at most {MOST_RESULTS // 2**20} MiB are judged")
        return results
    except TimeoutError:
        said = f"stopped after {seconds:g} s: is there a loop or a call that never ends?"
    except (EOFError, ConnectionError):
        said = "the process of this answer ended before it gave a result: exit, too much memory, or a crash?"
    except ValueError as error:
        said = f"the results cannot be read: {error}"
    return encode({"error": text_array(said)})


def _result(lesson: str, question: str, verdict: Verdict) -> Result:
    worth = [(step.title, step.points) for step in steps(lesson, question)]
    return Result.of(question, questions(lesson)[question].title, worth, verdict.passed, verdict.hint)


def _extra_hint(check: extra.Extra, inputs: dict[str, np.ndarray], blobs_: dict[str, bytes]) -> str | None:
    """What an instructor's judge says; results of a form that it did not foresee are the learner's mistake."""
    try:
        results = decode(blobs_)
        if "error" in results:
            return read_text(results["error"])
        return check.judge(inputs, results)
    except Exception as error:
        return f"the results have an unexpected form ({type(error).__name__}: {error})"
