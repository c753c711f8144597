"""The course's own parts, cut out of `solutions/`: for who has not written them yet, and for those who test checks.

A class's copy without solutions has them packed (`lessons_lib/handout`), so that `check` can still use them.
"""

import ast
import functools
import json
import re
import zlib
from pathlib import Path

from lessons_lib.grading.source import names_used

PACKED = "parts.json.z"  # beside this file
CELL = re.compile(r"^# %% (\w+) ?(\w*).*\n", re.MULTILINE)


def folder() -> Path:
    """Where the solutions lie: in an installed package beside this file, in a checkout at its root."""
    packed = Path(__file__).with_name("solutions")
    return packed if packed.is_dir() else Path(__file__).parents[2] / "solutions"


@functools.cache
def solutions() -> dict[str, str]:
    """The text of each part by its name, in the order of the lessons: what it uses of its exercise's setup, and itself.

    A part may use earlier parts: they are in the namespace where it runs (`parts.assemble`).
    """
    packed = Path(__file__).with_name(PACKED)
    if packed.is_file():
        return json.loads(zlib.decompress(packed.read_bytes()))
    found = {}
    for path in sorted(folder().glob("[0-9][0-9]_*.py")):
        cells = cut(path.read_text("utf8"))
        setup = "\n".join(text for kind, _, text in cells if kind == "setup")
        for kind, name, text in cells:
            if kind == "solution":
                found[name] = f"{_used(setup, text)}\n\n\n{text}".lstrip("\n")
    return found


def cut(text: str) -> list[tuple[str, str, str]]:
    """The cells of a py:percent file: the first two words of the title, and the text."""
    titles = list(CELL.finditer(text))
    ends = [*(title.start() for title in titles[1:]), len(text)]
    return [
        (title[1], title[2], text[title.end() : end].strip("\n") + "\n")
        for title, end in zip(titles, ends, strict=True)
    ]


def _used(setup: str, text: str) -> str:
    """The imports and constants of the setup that the text uses; what calls something, such as a check, is left out."""
    needed, kept = set(names_used(text)), []
    for node in reversed(ast.parse(setup).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [each for each in node.names if (each.asname or each.name.partition(".")[0]) in needed]
            if node.names:
                kept.append(ast.unparse(node))
        elif isinstance(node, ast.Assign) and not any(isinstance(each, ast.Call) for each in ast.walk(node)):
            for name, value in _constants(node):
                if name in needed:
                    kept.append(f"{name} = {ast.unparse(value)}")
                    needed |= set(names_used(kept[-1]))
    return "\n".join(reversed(kept))


def _constants(node: ast.Assign) -> list[tuple[str, ast.expr]]:
    """`A = 1` or `A, B = 1, 2`, name by name."""
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return [(ast.unparse(name), value) for name, value in zip(target.elts, node.value.elts, strict=True)]
    return [(ast.unparse(target), node.value)]
