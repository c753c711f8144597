"""A learner's translator, part by part: `my_translator.py`, written by `check.keep()`, read by `check.part(…)`.

The file is plain Python in cells, one for each part: `# %% lesson 03: MultiHeadAttention`. All share one namespace, in
the order of the lessons, and where the learner has none, the course's own cell takes its place. So an EncoderLayer that
was written in lesson 5 uses the LayerNorm of lesson 6 as soon as there is one.
"""

import ast
import functools
import linecache
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lessons_lib.files import write_whole
from lessons_lib.grading.drive.run import LESSONS, questions
from lessons_lib.grading.errors import PartError
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.source import NotPlain, names_used, standalone

FILE = Path("my_translator.py")
REFERENCE = "lessons_lib.grading.reference"  # under whose name the course's own parts run
HEAD = '''\
"""My translator: the parts that I wrote in the exercises of The Executable Transformer.

`check.keep()` writes an answer here when it has all its points, and writes it anew when it is kept again. Later
exercises use these parts, and the course's own where there is none.
"""
'''
# What an encoder–decoder is made of.
TRANSLATOR = (
    *("split_heads", "merge_heads", "MultiHeadAttention", "sinusoidal_table", "LayerNorm", "FeedForward"),
    *("causal_mask", "padding_mask", "EncoderLayer", "DecoderLayer", "EncoderDecoder"),
)
TITLE = re.compile(r"^# %% lesson \d\d: (\w+)\n", re.MULTILINE)


@functools.cache
def known() -> dict[str, str]:
    """Every name that an exercise asks for, in the order of the lessons, and its lesson, such as "03"."""
    numbers = [lesson.removeprefix("lesson_") for lesson in LESSONS]
    return {
        name: number for number in numbers for declared in questions(number).values() for name in declared.signatures
    }


def cell(name: str, text: str) -> str:
    """A cell of the file, with its title."""
    return f"{_title(name)}\n{text}"


def _title(name: str) -> str:
    return f"# %% lesson {known()[name]}: {name}"


def cells(text: str) -> dict[str, str]:
    """The cells of a file by name, with their titles, each after as many empty lines as stand before it in the file."""
    found = list(TITLE.finditer(text))
    ends = [*(match.start() for match in found), len(text)][1:]
    return {
        match[1]: "\n" * text.count("\n", 0, match.start()) + text[match.start() : end]
        for match, end in zip(found, ends, strict=True)
    }


def assemble(text: str) -> dict[str, Any]:
    """The namespace in which the learner's cells and, where one is missing, the course's have been run.

    Raises:
        PartError: a cell of the learner's does not run.
    """
    kept = cells(text)
    _check_titles(text, kept)
    lines = text.splitlines(keepends=True)
    linecache.cache[str(FILE)] = (len(text), None, lines, str(FILE))  # for who asks what stands on a line
    reference = solutions()
    space: dict[str, Any] = {}
    for name in known():
        space["__name__"] = FILE.stem if name in kept else REFERENCE
        _run(*((kept[name], str(FILE)) if name in kept else (reference[name], REFERENCE)), space)
        if name not in space:
            raise PartError(
                f"{FILE}: the cell `{_title(name)}` defines no `{name}`; give it its name back, or delete the cell"
            )
    space["__name__"] = FILE.stem
    return space


def forget_text() -> None:
    """The lines of `FILE` are those on the disk again."""
    linecache.cache.pop(str(FILE), None)


def assemble_kept() -> dict[str, Any]:
    """`assemble` of the learner's file."""
    return assemble(_read())


def _run(text: str, file: str, space: dict[str, Any]) -> None:
    try:
        exec(compile(text, file, "exec"), space)
    except Exception as error:
        inside = error.__traceback__.tb_next if error.__traceback__ else None
        line = error.lineno if isinstance(error, SyntaxError) else inside.tb_lineno if inside else "?"
        raise _does_not_run(file, line, error) from None


def _does_not_run(file: str, line: int | str | None, error: Exception) -> PartError:
    said = error.msg if isinstance(error, SyntaxError) else str(error).partition("\n")[0]
    return PartError(
        f"{file}, line {line}: {type(error).__name__}: {said}. Mend it, or delete its cell and keep it again"
    )


def _check_titles(text: str, kept: Mapping[str, str]) -> None:
    """No part may stand in the file without its title: it would be passed over."""
    try:
        found = ast.parse(text).body
    except SyntaxError:  # told when its cell runs
        return
    for node in found:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in known() and node.name not in kept:
            raise PartError(
                f"{FILE}, line {node.lineno}: `{node.name}` has lost its title; write "
                f"`{_title(node.name)}` on a line above it, or delete it"
            )


def take(names: Sequence[str]) -> list[tuple[Any, bool]]:
    """Parts that fit each other, and whether each is the learner's.

    Raises:
        PartError: no exercise asks for such a name, or the learner's file does not run.
    """
    for name in names:
        if name not in known():
            raise PartError(f"no exercise has a part {name!r}; use {', '.join(known())}")
    text = _read()
    space, kept = assemble(text), cells(text)
    return [(space[name], name in kept) for name in names]


def owners() -> dict[str, bool]:
    """Every part, in the order of the lessons, and whether it is the learner's."""
    kept = cells(_read())
    return {name: name in kept for name in known()}


def with_answers(names: Iterable[str], namespace: Mapping[str, Any]) -> str:
    """The text of the file with these answers in it; nothing is written.

    Raises:
        PartError: an answer cannot be written as text, or a helper of it has the name of another cell's.
    """
    order, old = list(known()), _read()
    try:
        new = {name: cell(name, standalone([name], namespace, given=order)) for name in names}
    except NotPlain as error:
        raise PartError(str(error)) from None
    kept = cells(old) | new
    for name in names:
        _check_helpers(name, kept)
    first = TITLE.search(old)
    head = (old[: first.start()] if first else old).rstrip("\n") or HEAD.rstrip("\n")
    ordered = sorted(kept, key=lambda each: order.index(each) if each in order else len(order))
    return "\n\n\n".join([head, *(kept[each].strip("\n") for each in ordered)]) + "\n"


def write(text: str) -> None:
    """Replace the file, whole."""
    write_whole(FILE, text)


def _read() -> str:
    try:
        return FILE.read_text("utf8") if FILE.exists() else ""
    except UnicodeDecodeError as error:
        raise PartError(
            f"{FILE}: byte {error.start} is not UTF-8; save the file with that encoding, or delete it and keep anew"
        ) from None


def namesake(names: Iterable[str], namespace: Mapping[str, Any]) -> str | None:
    """Why answers fail on their own that use a function of the notebook with the name of another exercise's part."""
    lessons = known()
    for name in names:
        for used in names_used(standalone([name], namespace, given=list(lessons))):
            own = getattr(namespace.get(used), "__module__", None) == "__main__"
            if own and used in lessons and lessons[used] != lessons[name]:
                return (
                    f"`{name}` uses your `{used}`, but in {FILE} this is the name of the part of exercise "
                    f"{int(lessons[used])}: give yours another name"
                )
    return None


def _check_helpers(name: str, kept: dict[str, str]) -> None:
    mine = _helpers(kept[name])
    for other, text in kept.items():
        theirs = _helpers(text) if other != name else {}
        for helper in mine.keys() & theirs.keys():
            if mine[helper] != theirs[helper]:
                raise PartError(
                    f"`{helper}` is something else beside `{other}` in {FILE}; give one of the two a new name"
                )


def _helpers(text: str) -> dict[str, str]:
    """What a cell defines beside its parts, name by name."""
    found: dict[str, str] = {}
    try:
        body = ast.parse(text).body
    except SyntaxError as error:
        raise _does_not_run(str(FILE), error.lineno, error) from None
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.asname or alias.name for alias in node.names]
        else:
            names = [
                part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            ]
        found |= {name: ast.unparse(node) for name in names if name not in known()}
    return found
