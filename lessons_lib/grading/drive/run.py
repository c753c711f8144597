"""The untrusted half of a check, whole: inputs as bytes in, results as bytes out, and never an exception."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lessons_lib.grading.arrays import decode, encode, text_array
from lessons_lib.grading.drive.calls import learner_line
from lessons_lib.grading.drive.limits import TimeUp, quiet, time_limit, uncompiled, watch_calls
from lessons_lib.grading.drive.question import Question, Trouble

GRADING = Path(__file__).parents[1]
LESSONS = sorted(folder.name for folder in GRADING.glob("lesson_[0-9][0-9]"))
# Names for `watch_calls`; the modules are never loaded here.
TRUSTED = (
    "lessons_lib.grading.judge",
    *(f"lessons_lib.grading.{x.parent.name}.{x.stem}" for x in GRADING.glob("lesson_*/[a-z]*.py") if x.stem != "drive"),
)


def questions(lesson: str) -> dict[str, Question]:
    """The questions of a lesson, such as `01_self_attention`, in their order."""
    return importlib.import_module(f"lessons_lib.grading.lesson_{lesson[:2]}.drive").QUESTIONS


def run(question: Question, namespace: Mapping[str, Any], inputs: dict[str, bytes]) -> dict[str, bytes]:
    """Drive the answer found in `namespace`: its arrays, or the single entry `error` with a sentence."""
    try:
        return encode(_drive(question, namespace, inputs))
    except Trouble as trouble:
        return encode({"error": text_array(str(trouble))})
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # results that cannot cross, or PyTorch itself changed by the learner's code
        return encode({"error": text_array(f"the check cannot use this answer: {type(error).__name__}: {error}")})


def _drive(question: Question, namespace: Mapping[str, Any], inputs: dict[str, bytes]) -> dict:
    answer = find(question, namespace)
    try:
        with (
            quiet(),
            uncompiled(),
            time_limit(question.seconds, question.busy),
            watch_calls((*question.forbidden, *TRUSTED)) as called,
        ):
            arrays = question.drive(answer, decode(inputs))
    except TimeUp as error:
        raise Trouble(f"{error}{learner_line(error.__traceback__)}: {error.question}") from None
    if called:
        name = sorted(called)[0]
        raise Trouble(f"the answer calls {name}: {question.instead.get(name, 'build that yourself')}")
    return arrays


def find(question: Question, namespace: Mapping[str, Any]) -> Any:
    """The learner's own function or class, or a tuple of them where the question asks for several.

    Raises:
        Trouble: one is not there, it cannot be called, or it is the library's.
    """
    answers = tuple(_find_one(name, signature, namespace) for name, signature in question.signatures.items())
    return answers if question.also else answers[0]


def _find_one(name: str, signature: str, namespace: Mapping[str, Any]) -> Any:
    if name not in namespace:
        raise Trouble(f"not found: define {signature} and run its cell")
    answer = namespace[name]
    if not callable(answer):
        raise Trouble(f"`{name}` is a {type(answer).__name__}, not a function: define {signature}")
    home = getattr(answer, "__module__", None)
    if isinstance(home, str) and home.startswith("lessons_lib"):
        raise Trouble(f"`{name}` is the one of {home}: define your own")
    return answer
