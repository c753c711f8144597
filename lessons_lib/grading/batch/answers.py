"""The answer to one question, out of the cells of a hand-in: the definitions that it needs, and no others.

Nothing is run here. A cell that Python cannot read costs only itself; magics and shell lines are passed over; of
several definitions the last holds, as in the notebook after all cells were run in their order. What a cell does beside
defining, such as training or calling `check`, is left out.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lessons_lib.errors import UserError
from lessons_lib.grading.drive.run import LESSONS
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.source import names_used

MOST_BYTES = 16 * 2**20  # of a notebook; pictures are in its outputs
MOST_CELLS = 2_000
MOST_CODE = 50_000  # characters of a cell
MOST_CODE_IN_ALL = 500_000
MOST_STATEMENTS = 5_000
MOST_BESIDE = 100  # statements of a cell that share a line with another
PERCENT = re.compile(r"^# %%.*$", re.MULTILINE)
TIMING = re.compile(r"^\s*%%(time|timeit|capture|prun)\b.*\n")  # cell magics that run what follows as Python
# Lines that only IPython reads: magics, shell lines, questions, and what is taken from such.
MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|\w[\w, \t]*=[ \t]*[%!].*|[\w.*%]+\?\??[ \t]*)$", re.MULTILINE)
TIMED_LINE = re.compile(r"^([ \t]*)%time[ \t]+", re.MULTILINE)
MOST_FOR_IPYTHON = 20  # such lines in a cell that it reads: it begins anew after each
IN_A_CELL = re.compile(r"^[ \t]*(?:class|(?:async[ \t]+)?def)[ \t]+(\w+)", re.MULTILINE)
STAR = "*"  # what `from x import *` binds


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a cell: what it binds and what it looks up, and whether it only imports."""

    cell: int
    line: int
    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    imports: bool = False


@dataclass(frozen=True)
class Answer:
    """What runs, in this order, to have one answer.

    Args:
        statements: of the learner.
        given: names that the course's own parts stand for.
        trouble: why there is no answer, if that is sure before it runs.
    """

    statements: tuple[Statement, ...]
    given: tuple[str, ...] = ()
    trouble: str | None = None


@dataclass
class Notebook:
    """The cells of a hand-in, read."""

    cells: list[str]
    statements: list[Statement] = field(init=False)
    unread: dict[int, str] = field(init=False)  # why a cell cannot be read, by its number

    def __post_init__(self) -> None:
        self.statements, self.unread, left = [], {}, MOST_CODE_IN_ALL
        for number, text in enumerate(self.cells, 1):
            try:
                left -= len(text)
                if len(text) > MOST_CODE or left < 0:
                    raise ValueError(f"it has {len(text)} characters of code, which is more than is read")
                self.statements += list(_statements(number, text, MOST_STATEMENTS - len(self.statements)))
            except Exception as error:  # Python's readers fail in many ways
                self.unread[number] = _why(error)
        self._binding: dict[str, list[int]] = {}
        for i, one in enumerate(self.statements):
            for name in one.binds:
                self._binding.setdefault(name, []).append(i)

    def answer(self, names: Sequence[str], parts: Collection[str]) -> Answer:
        """The statements that define `names` and whatever they need.

        Args:
            parts: names for which the course's parts stand, also where the learner has defined them; not where they
                are imported, for what an answer may not use is found out when it runs.
        """
        for name in names:
            if name not in self._binding:
                return Answer((), (), self._missing(name))
        needed, waiting, given = {*names, STAR}, [*names, STAR], set()
        chosen: set[int] = set()
        while waiting:
            name = waiting.pop()
            if name in parts and name not in names and not self._is_imported(name):
                given.add(name)
                continue
            for i in self._binding.get(name, ()):
                if i not in chosen:
                    chosen.add(i)
                    new = (self.statements[i].uses | self.statements[i].binds) - needed
                    needed |= new
                    waiting += new
        taken = tuple(self.statements[i] for i in sorted(chosen))
        quoted = {name for one in taken for name in re.findall(r"""["'](\w+)["']""", one.text) if name in parts}
        return Answer(taken, tuple(sorted((given | quoted) - set(names))))  # quoted: check.part("LayerNorm")

    def _is_imported(self, name: str) -> bool:
        return next((one.imports for one in reversed(self.statements) if name in one.binds), False)

    def _missing(self, name: str) -> str:
        for number, why in self.unread.items():
            if name in IN_A_CELL.findall(self.cells[number - 1]):
                return f"cell {number}, which should define `{name}`, cannot be read: {why}"
        return f"not found: no cell defines `{name}`"


def read_notebook(name: str, data: bytes) -> Notebook:
    """The code cells of an .ipynb, or of a .py with `# %%` lines.

    Raises:
        ValueError: it is neither, or too large.
    """
    if len(data) > MOST_BYTES:
        raise UserError(
            f"{name} has {len(data) / 2**20:.0f} MiB, and {MOST_BYTES // 2**20} are read; clear its outputs"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no text: byte {error.start} is not UTF-8; hand in the .ipynb itself") from None
    cells = PERCENT.split(text) if Path(name).suffix == ".py" else list(_code_cells(name, text))
    if len(cells) > MOST_CELLS:
        raise UserError(f"{name} has {len(cells)} cells, and {MOST_CELLS} are read; hand in the exercise alone")
    return Notebook(cells)


def lesson_of(name: str, notebook: Notebook) -> str | None:
    """Which exercise a hand-in answers: by its file's name, or else by the `check.open("…")` in it."""
    known = exercises()
    inside = " ".join(re.findall(r"""check\.open\(\s*["'](\w+)["']""", "\n".join(notebook.cells)))
    found = [lesson for text in (name, inside) for lesson in known if lesson in text]
    return found[0] if found else None


def exercises() -> list[str]:
    """Names of all exercises, such as `01_self_attention`."""
    from lessons_lib.grading.reference import folder

    numbers = {lesson.removeprefix("lesson_") for lesson in LESSONS}
    return sorted(path.stem for path in folder().glob("[0-9][0-9]_*.py") if path.stem[:2] in numbers)


def with_what_they_use(given: Collection[str], without: Collection[str] = ()) -> dict[str, str]:
    """The texts of the course's parts of these names, and of the parts that those use, in the order of the lessons.

    Args:
        without: names that are asked for: a part that uses one uses the learner's.
    """
    whole, needed, waiting = solutions(), set(), list(given)
    while waiting:
        name = waiting.pop()
        if name in whole and name not in needed and name not in without:
            needed.add(name)
            waiting += names_used(whole[name])
    return {name: text for name, text in whole.items() if name in needed}


def _code_cells(name: str, text: str) -> Iterator[str]:
    try:
        cells = json.loads(text)["cells"]
        for cell in cells:
            if cell.get("cell_type") == "code":
                source = cell.get("source", "")
                yield source if isinstance(source, str) else "".join(source)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        is_what = "no notebook" if text.strip() else "empty"
        raise UserError(f"{name} is {is_what}; hand in the .ipynb as Jupyter or Colab saves it") from None


def _statements(number: int, text: str, most: int) -> Iterator[Statement]:
    text = _without_magics(re.sub(r"\r\n?", "\n", text))
    lines, body, beside = text.split("\n"), ast.parse(text).body, 0
    if len(body) > most:
        raise ValueError(f"with it, there are more than {MOST_STATEMENTS} statements")
    for before, node, after in zip([None, *body], body, [*body[1:], None], strict=False):
        binds = frozenset(_bound(node))
        if not binds:
            continue
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        source = "\n".join(lines[first - 1 : node.end_lineno])
        if (before and before.end_lineno == first) or (after and after.lineno == node.end_lineno):
            beside += 1
            if beside > MOST_BESIDE:
                raise ValueError(f"more than {MOST_BESIDE} statements share a line with another")
            source = ast.get_source_segment(text, node) or source
        imports = isinstance(node, ast.Import | ast.ImportFrom)
        yield Statement(number, first, source, binds, frozenset(names_used(source)), imports)


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds at the top, or whose object it changes (`Model.forward = forward`)."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        base: Any = node
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if isinstance(base, ast.Name):
            yield base.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
        yield from (each.id for each in node.args[:1] if isinstance(each, ast.Name))
    elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _without_magics(text: str) -> str:
    text = text.lstrip("\n") if text.lstrip("\n").startswith("%%") else text
    while TIMING.match(text):
        text = TIMING.sub("\n", text)
    if text.lstrip().startswith("%%"):
        return ""  # another language, or a file that is written
    if not re.search("[%!?]", text):
        return text
    readers = [lambda: text, lambda: MAGIC_LINE.sub(r"\1pass", TIMED_LINE.sub(r"\1", text))]
    if len(MAGIC_LINE.findall(text)) <= MOST_FOR_IPYTHON:
        readers.append(lambda: _as_ipython_reads(text))
    for reader in readers:
        try:
            ast.parse(read := reader())
            return read
        except Exception:
            continue
    return text  # what Python says of it is told


def _as_ipython_reads(text: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(text)


def _why(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} on line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {str(error)[:100]}"
