"""Edit the solutions, one small mistake at a time, and see whether the checks of the exercises notice each one.

    python -m tools.mutate                     every edit of every lesson; fails if one survives without an explanation
    python -m tools.mutate 05 08               these lessons
    python -m tools.mutate --sample 40 --seed 3

An edit is another axis, constant, comparison or sign, a dropped line, swapped arguments, one off, a missing transpose
or keepdim, a detached result, another dtype. An edit that changes nothing that the question asks for is explained in
`tools/survivors.toml`; each explanation must still belong to an edit that there is.
"""

import argparse
import ast
import copy
import os
import pickle
import random
import select
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lessons_lib.grading import parts
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.notebook import grade
from lessons_lib.grading.reference import solutions

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools" / "survivors.toml"
LESSONS = {path.stem[:2]: path.stem for path in sorted((ROOT / "solutions").glob("*.py"))}
SEEDS = (0, 1, 2)
SECONDS = 10.0  # of one question: an edit may never end
KILL = 120  # seconds until the process of an edit is stopped from outside
SLOW = {"capstone"}  # 20 s an edit: it translates; only when asked for by its name

Compared = {ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt],
            ast.GtE: [ast.Gt, ast.LtE], ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot],
            ast.IsNot: [ast.Is]}  # fmt: skip
Computed = {ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add], ast.Div: [ast.Mult],
            ast.FloorDiv: [ast.Div], ast.Pow: [ast.Mult], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd]}  # fmt: skip
Swapped = (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult, ast.Pow)


@dataclass(frozen=True)
class Edit:
    """A solution with one small mistake."""

    name: str  # of the part
    line: str  # that was changed, as `ast.unparse` writes it
    new: str  # what has become of it
    text: str  # of the whole part

    @property
    def lesson(self) -> str:
        return LESSONS[parts.known()[self.name]]

    @property
    def key(self) -> str:
        """By which `survivors.toml` knows it."""
        return f"{self.name}: {self.line} → {self.new}"


def edits(name: str, text: str) -> list[Edit]:
    """Every edit of a part, each once, in the order of its lines."""
    tree = ast.parse(text)
    plain, packed = ast.unparse(tree), pickle.dumps(tree)  # read again much sooner than `copy.deepcopy` copies
    found: dict[str, Edit] = {}
    for number, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            twin = pickle.loads(packed)
            change(next(each for i, each in enumerate(ast.walk(twin)) if i == number), twin)
            try:
                changed = ast.unparse(ast.fix_missing_locations(twin))
                compile(changed, name, "exec")
            except (SyntaxError, ValueError, AttributeError):
                continue
            if changed != plain and changed not in found:
                found[changed] = Edit(name, *_difference(plain, changed), changed)
    return list(found.values())


def _difference(old: str, new: str) -> tuple[str, str]:
    before, after = old.splitlines(), new.splitlines()
    head = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    tail = next((i for i, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), 0)
    tail = min(tail, len(before) - head, len(after) - head)
    return tuple(" / ".join(map(str.strip, lines[head : len(lines) - tail])) for lines in (before, after))


Change = Callable[[Any, ast.AST], None]


def _changes(node: ast.AST) -> Iterator[Change]:
    """What may go wrong with a node, as functions of its twin and the twin's tree."""
    if isinstance(node, ast.Constant):
        yield from (_set("value", value) for value in _other_constants(node.value))
    elif isinstance(node, ast.Compare):
        yield from (_set("ops", [other()]) for other in Compared.get(type(node.ops[0]), []) if len(node.ops) == 1)
    elif isinstance(node, ast.BinOp):
        yield from (_set("op", other()) for other in Computed.get(type(node.op), []))
        yield from (_set("op", None, lambda twin: _become(twin, twin.left)), _set("op", None, _to_right))
        if isinstance(node.op, Swapped):
            yield _set("op", None, _exchange)
    elif isinstance(node, ast.UnaryOp):
        yield _set("op", None, lambda twin: _become(twin, twin.operand))
    elif isinstance(node, ast.Call):
        yield from _call_changes(node)
    elif isinstance(node, ast.Slice):
        for bound in ("lower", "upper"):
            if getattr(node, bound) is not None:
                yield _set(bound, None)
                yield from (
                    _set(bound, ast.BinOp(getattr(node, bound), op, ast.Constant(1))) for op in (ast.Add(), ast.Sub())
                )
    elif isinstance(node, ast.IfExp | ast.If):
        yield _set("test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None:
        yield from _return_changes(node.value)
    elif isinstance(node, ast.AugAssign):
        yield _replaced(lambda twin: [ast.Assign([twin.target], twin.value)])
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.While | ast.If | ast.Break):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring:
            yield _replaced(lambda twin: [])


def _other_constants(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1] if value else [1, -1]
    if isinstance(value, float):
        return [value * 1.1 + 0.1] if value else [1.0]
    return []


def _call_changes(node: ast.Call) -> Iterator[Change]:
    turned = isinstance(node.func, ast.Attribute) and node.func.attr == "transpose"  # the same in either order
    if len(node.args) >= 2 and not turned and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
        yield lambda twin, tree: twin.args.__setitem__(slice(0, 2), twin.args[1::-1])
    for i in range(len(node.keywords)):
        yield lambda twin, tree, i=i: twin.keywords.pop(i)
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if not (isinstance(owner, ast.Name) and owner.id in {"torch", "math", "F", "nn", "np", "time"}):
            yield lambda twin, tree: _become(twin, twin.func.value)
        if len(node.args) == 2 and node.func.attr == "transpose":
            yield (
                lambda twin, tree: (
                    twin.func.__setattr__("attr", "swapaxes") or twin.args.__setitem__(0, ast.Constant(0))
                )
            )
    if node.args and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield lambda twin, tree: _become(twin, twin.args[0])


def _return_changes(value: ast.expr) -> Iterator[Change]:
    if isinstance(value, ast.Tuple):
        yield _set("value", ast.Tuple(value.elts[::-1], ast.Load()))
        for i, each in enumerate(value.elts):
            for method in ("detach", "double", "half"):
                cut = [*value.elts[:i], _called(each, method), *value.elts[i + 1 :]]
                yield _set("value", ast.Tuple(cut, ast.Load()))
    else:
        yield from (_set("value", _called(value, method)) for method in ("detach", "double", "half", "float"))


def _called(value: ast.expr, method: str) -> ast.Call:
    return ast.Call(ast.Attribute(value, method, ast.Load()), [], [])


def _set(field: str, value: Any, instead: Callable[[Any], None] | None = None) -> Change:
    if instead is not None:
        return lambda twin, tree: instead(twin)
    return lambda twin, tree: setattr(twin, field, copy.deepcopy(value))


def _become(twin: ast.AST, other: ast.AST) -> None:
    twin.__class__ = other.__class__
    twin.__dict__.clear()
    twin.__dict__.update(other.__dict__)


def _to_right(twin: ast.BinOp) -> None:
    _become(twin, twin.right)


def _exchange(twin: ast.BinOp) -> None:
    twin.left, twin.right = twin.right, twin.left


def _replaced(by: Callable[[Any], list[ast.stmt]]) -> Change:
    def change(twin: Any, tree: ast.AST) -> None:
        for parent in ast.walk(tree):
            for field in ("body", "orelse"):
                lines = getattr(parent, field, None)
                if isinstance(lines, list) and twin in lines:
                    at = lines.index(twin)
                    lines[at : at + 1] = by(twin) or ([ast.Pass()] if len(lines) == 1 else [])

    return change


def survives(edit: Edit, space: Mapping[str, Any]) -> bool:
    """Whether the edited part gets all points of every question about it."""
    mine = {**space, "__name__": "__main__"}
    try:
        exec(compile(edit.text, f"<{edit.key}>", "exec"), mine)
        for question, declared in questions(edit.lesson).items():
            if edit.name in declared.signatures and grade(edit.lesson, question, mine, SEEDS).hint is not None:
                return False
    except Exception:
        return False
    return True


def run(chosen: list[Edit], n_processes: int = 1, tell: Callable[[Edit], None] = lambda edit: None) -> list[Edit]:
    """The edits that no check notices. Each is tried in a process of its own."""
    torch.set_num_threads(1)
    space = parts.assemble("")
    for value in space.values():
        if getattr(value, "__module__", None) == parts.REFERENCE:
            value.__module__ = "__main__"
    for lesson in LESSONS.values():
        asked = questions(lesson)
        for name, question in asked.items():
            asked[name] = replace(question, seconds=min(question.seconds, SECONDS))
    waiting, running, survivors = chosen[::-1], {}, []
    while waiting or running:
        while waiting and len(running) < n_processes:
            edit, (read, write) = waiting.pop(), os.pipe()
            if (child := os.fork()) == 0:
                signal.alarm(KILL)
                os.close(read)
                os.write(write, b"y" if survives(edit, space) else b"n")
                os._exit(0)
            os.close(write)
            running[read] = edit, child
        for ready in select.select(list(running), [], [])[0]:
            edit, child = running.pop(ready)
            if os.read(ready, 1) == b"y":
                survivors.append(edit)
                tell(edit)
            os.close(ready)
            os.waitpid(child, 0)
    return survivors


def explained() -> dict[str, str]:
    """Why an edit survives, by its key."""
    return tomllib.loads(TABLE.read_text("utf8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help="such as 05, or a part's name; all without it")
    parser.add_argument("--sample", type=int, help="how many edits, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    chosen = [
        edit
        for name, text in solutions().items()
        if name in given.lessons or (name not in SLOW and (not given.lessons or parts.known()[name] in given.lessons))
        for edit in edits(name, text)
    ]
    known = explained()
    if not given.lessons and (stale := known.keys() - {edit.key for edit in chosen}):
        print("no such edit any more:", *sorted(stale), sep="\n  ")
        return 1
    if given.sample:
        chosen = random.Random(given.seed).sample(chosen, min(given.sample, len(chosen)))
    chosen = [edit for edit in chosen if edit.key not in known]
    survivors = run(chosen, given.processes, lambda edit: print(edit.key, flush=True))
    print(f"{len(chosen)} edits tried, {len(survivors)} survive without an explanation")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main())
