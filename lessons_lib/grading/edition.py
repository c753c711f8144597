"""What an instructor changes of the course for a class, in one TOML file; its `[points]` are what grading follows.

    name = "Transformers, spring"
    address = "https://github.com/a-university/transformers"
    branch = "main"
    lessons = "1-4, 6, 5"

    [points]
    3.q1 = 5
    3.q3 = 0        # left out

All of it may be missing. The copy of the course that `lessons handout` makes carries its own, beside this file, so that
`check` in a notebook counts as the class does; `lessons grade --class FILE` takes the instructor's.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons_lib.errors import UserError
from lessons_lib.grading.drive.question import Question
from lessons_lib.grading.drive.run import LESSONS, questions

OWN = Path(__file__).with_name("edition.toml")  # in a class's copy
COURSE, BRANCH = "The Executable Transformer", "main"
EXERCISES = [int(lesson[-2:]) for lesson in LESSONS]
MOST_POINTS = 1000
ADDRESS = re.compile(r"https://[\w.-]+(/[\w.-]+){2,}")
BRANCHES = re.compile(r"[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True)
class Edition:
    """One class's course.

    Args:
        name: of the course, as its site shows it.
        address: of its repository; None is the course's own.
        lessons: their numbers, in the order of the class; None is all.
        points: what a question is worth, by exercise and question; 0 leaves it out; without a number, as in the course.
    """

    name: str = COURSE
    address: str | None = None
    branch: str = BRANCH
    lessons: tuple[int, ...] | None = None
    points: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    @property
    def on_github(self) -> bool:
        """Whether Colab can open the class's notebooks."""
        return self.address is None or self.address.startswith("https://github.com/")

    def left_out(self, lesson: str, question: str) -> bool:
        return self.points.get(int(lesson[:2]), {}).get(question) == 0


def read(path: Path) -> Edition:
    """The edition that a TOML file describes.

    Raises:
        UserError: it cannot be read, or says something that it cannot mean; the sentence names the line's key.
    """
    try:
        said = tomllib.loads(path.read_text("utf8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML: {error}") from None
    return Edition(**checked(said, str(path)))


def checked(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of an `Edition`, from what stands in a file or on a command line.

    Raises:
        UserError: as `read`.
    """
    known = {"name": _name, "address": _address, "branch": _branch, "lessons": _lessons, "points": _points}
    if unknown := sorted(said.keys() - known):
        raise UserError(f"{where}: {unknown[0]!r} is not known there; use {', '.join(known)}")
    return {key: known[key](where, value) for key, value in said.items()}


def numbers(text: str, every: Sequence[int] = EXERCISES, what: str = "exercise") -> tuple[int, ...]:
    """Lessons by their numbers, in the order given: "1-8", "1,3,6,5".

    Args:
        every: those that there are, in order; each of them is a `what`.

    Raises:
        UserError: it is no such list, there is no such lesson, or one comes twice.
    """
    found: list[int] = []
    for part in text.split(","):
        span = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        if span is None or int(span[2] or span[1]) < int(span[1]):
            raise UserError(f"{text!r} is no list of lessons; write 1-8 or 1,3,5")
        found += range(int(span[1]), int(span[2] or span[1]) + 1)
    if wrong := [number for number in found if number not in every]:
        gaps = len(every) <= every[-1] - every[0]
        there = ", ".join(map(str, every)) if gaps else f"{every[0]} to {every[-1]}"
        raise UserError(f"{text!r}: there is no {what} {wrong[0]}; they are {there}")
    if twice := [number for number in found if found.count(number) > 1]:
        raise UserError(f"{text!r}: lesson {twice[0]} is there twice; name it once")
    return tuple(found)


def _name(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise UserError(f"{where}: name = {value!r} is no name; write one line of text")
    return value.strip()


def _address(where: str, value: Any) -> str:
    if not isinstance(value, str) or not ADDRESS.fullmatch(value.removesuffix("/").removesuffix(".git")):
        raise UserError(
            f"{where}: address = {value!r} is no repository; write it as https://github.com/a-university/transformers"
        )
    return value.removesuffix("/").removesuffix(".git")


def _branch(where: str, value: Any) -> str:
    if not isinstance(value, str) or not BRANCHES.fullmatch(value):
        raise UserError(f"{where}: branch = {value!r} is no branch; write a name such as main")
    return value


def _lessons(where: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, str):
        raise UserError(f'{where}: lessons = {value!r} is no text; write "1-8" or "1,3,5"')
    try:
        return numbers(value)
    except UserError as error:
        raise UserError(f"{where}: lessons = {error}") from None


def _points(where: str, value: Any) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    every = {str(int(lesson[-2:])): lesson[-2:] for lesson in LESSONS}
    if not isinstance(value, dict):
        raise UserError(f"{where}: points is no table; write [points], and below it 3.q1 = 5")
    for number, theirs in value.items():
        if number not in every:
            raise UserError(f"{where}: [points] has no exercise {number!r}; they are {', '.join(every)}")
        asked = questions(every[number])
        if not isinstance(theirs, dict):
            raise UserError(f"{where}: {number} = {theirs!r} names no question; write {number}.q1 = 5")
        for question, points in theirs.items():
            if question not in asked:
                raise UserError(f"{where}: exercise {number} has no question {question!r}; it has {', '.join(asked)}")
            if type(points) is not int or not 0 <= points <= MOST_POINTS:
                raise UserError(
                    f"{where}: {number}.{question} = {points!r} is no number of points; write a whole one from 0 "
                    f"(left out) to {MOST_POINTS}"
                )
        if not any(theirs.get(question, 1) for question in asked):
            raise UserError(f"{where}: every question of exercise {number} is left out; leave it out of `lessons`")
        found[int(number)] = dict(theirs)
    return found


_current: Edition | None = None


def current() -> Edition:
    """The edition in use: the one chosen by `use`, else this copy's own, else the course itself."""
    global _current
    if _current is None:
        _current = read(OWN) if OWN.is_file() else Edition()
    return _current


def use(edition: Edition | None) -> None:
    """Grade as this edition says, from now on in this process and those that it forks; None is this copy's own."""
    global _current
    _current = edition


def asked(lesson: str) -> dict[str, Question]:
    """The questions of a lesson that are not left out, in their order."""
    return {name: one for name, one in questions(lesson).items() if not current().left_out(lesson, name)}


def worth(lesson: str, question: str, points: Sequence[int]) -> tuple[int, ...]:
    """The points of a question's steps, `points` in the course, as this edition has them: whole, in like proportion."""
    given = current().points.get(int(lesson[:2]), {}).get(question)
    return tuple(points) if given is None else shared_out(given, points)


def shared_out(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Whole numbers with this sum, as nearly as can be in proportion to the weights; what is left goes to the largest
    remainders, the earlier first."""
    exact = [total * weight for weight in weights]
    whole = [each // sum(weights) for each in exact]
    order = sorted(range(len(weights)), key=lambda i: -(exact[i] % sum(weights)))
    for i in order[: total - sum(whole)]:
        whole[i] += 1
    return tuple(whole)
