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
PERCENT = re.compile(r"^# %%.*$", re.MULTILINE)
TIMING = re.compile(r"^\s*%%(time|timeit|capture|prun)\b.*\n")  # cell magics that run what follows as Python
IN_A_CELL = re.compile(r"^\s*(?:class|def)\s+(\w+)", re.MULTILINE)


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
        self.statements, self.unread = [], {}
        for number, text in enumerate(self.cells, 1):
            try:
                self.statements += _statements(number, text)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self.unread[number] = _why(error)

    def answer(self, names: Sequence[str], parts: Collection[str]) -> Answer:
        """The statements that define `names` and whatever they need.

        Args:
            parts: names for which the course's parts stand, also where the learner has defined them; not where they
                are imported, for what an answer may not use is found out when it runs.
        """
        for name in names:
            if not any(name in one.binds for one in self.statements):
                return Answer((), (), self._missing(name))
        needed, waiting, chosen, given = set(names), list(names), set(), set()
        while waiting:
            name = waiting.pop()
            if name in parts and name not in names and not self._is_imported(name):
                given.add(name)
                continue
            for i, one in enumerate(self.statements):
                if name in one.binds and i not in chosen:
                    chosen.add(i)
                    new = (one.uses | one.binds) - needed
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


def with_what_they_use(given: Collection[str]) -> dict[str, str]:
    """The texts of the course's parts of these names, and of the parts that those use, in the order of the lessons."""
    whole, needed, waiting = solutions(), set(), list(given)
    while waiting:
        name = waiting.pop()
        if name in whole and name not in needed:
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
        raise UserError(f"{name} is no notebook; hand in the .ipynb as Jupyter or Colab saves it") from None


def _statements(number: int, text: str) -> Iterator[Statement]:
    text = _without_magics(text)
    lines = text.split("\n")
    for node in ast.parse(text).body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        binds = frozenset(_bound(node))
        if binds:
            source = "\n".join(lines[first - 1 : node.end_lineno])
            if node.col_offset or len(ast.parse(source).body) != 1:  # one of several on a line
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
    elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _without_magics(text: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    text = TIMING.sub("\n", text)
    if not re.search(r"^\s*[%!?]|[?!]", text, re.MULTILINE):
        return text
    try:
        ast.parse(text)
    except SyntaxError:
        return TransformerManager().transform_cell(text)
    return text


def _why(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} on line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {str(error)[:100]}"
