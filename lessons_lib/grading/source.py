"""The source of an answer, with everything that it needs from the notebook around it: text that runs elsewhere."""

import ast
import builtins
import inspect
import linecache
import math
import symtable
import sys
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch

from lessons_lib.grading.drive.calls import LIBRARIES

PLAIN = (bool, int, complex, str, bytes, type(None))
OF_TORCH = (torch.device, torch.dtype)  # their text needs `import torch`
ALIASES = (types.GenericAlias, types.UnionType, type(typing.Optional[int]), type(list[int]))  # noqa: UP045
HERE = ("__main__", "builtins", None)


class NotPlain(ValueError):
    """An answer that would not run outside its notebook."""


def standalone(names: Collection[str], namespace: Mapping[str, Any], given: Collection[str] = ()) -> str:
    """Python text that defines `names` as they are in `namespace`: imports, constants, then functions and classes.

    Args:
        names: of functions or classes that were written in the notebook (or file).
        namespace: its variables.
        given: names that will be there where the text runs, and are left out.

    Raises:
        NotPlain: something that is used cannot be written as text, such as a tensor.
    """
    imports: set[str] = set()
    constants: list[str] = []
    definitions: list[str] = []
    done = {*given, *dir(builtins)}

    def add(name: str, user: str) -> None:
        if (
            name in done or name not in namespace
        ):  # a name that is nowhere is the learner's own mistake, told when it runs
            return
        done.add(name)
        value = namespace[name]
        if isinstance(value, types.ModuleType):
            imports.add(_import_module(value.__name__, name))
        elif (text := constant(value)) is not None:
            imports.update({"import torch"} if "torch." in text else ())
            constants.append(f"{name} = {text}")
        elif _is_written_here(value):
            text = definition(value, name, namespace)
            for needed in names_used(text):
                add(needed, name)
            definitions.append(text)
        elif callable(value) and hasattr(value, "__name__"):
            own = value.__name__
            if getattr(sys.modules.get(value.__module__), own, None) is not value:
                raise NotPlain(f"`{user}` uses `{name}`, which no module has by its name `{own}`; use `{own}`")
            imports.add(f"from {value.__module__} import {own}" + (f" as {name}" if own != name else ""))
        elif name == user:
            raise NotPlain(f"`{name}` is a {type(value).__name__}; define it with `def` or `class`")
        else:
            raise NotPlain(
                f"`{user}` uses `{name}`, a {type(value).__name__} of this notebook; make it inside `{user}`"
            )

    for name in names:
        done.discard(name)
        add(name, name)
    head = "\n".join([*sorted(imports, key=_plain_imports_first), *constants])
    return "\n\n\n".join([head, *definitions] if head else definitions) + "\n"


def constant(value: Any) -> str | None:
    """The text of a number, a text, a dtype or a device, or of such in a tuple, list, set or dictionary; else None."""
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if isinstance(value, OF_TORCH):
        return f'torch.device("{value}")' if isinstance(value, torch.device) else repr(value)
    if type(value) in PLAIN:
        return repr(value)
    if type(value) is dict:
        inside = [(constant(key), constant(each)) for key, each in value.items()]
        whole = all(text is not None for pair in inside for text in pair)
        return "{" + ", ".join(f"{key}: {each}" for key, each in inside) + "}" if whole else None
    if type(value) not in (tuple, list, set, frozenset):
        return None
    each = [constant(one) for one in (sorted(value, key=repr) if isinstance(value, set | frozenset) else value)]
    if None in each:
        return None
    inner = ", ".join(text for text in each if text is not None)
    if type(value) is tuple:
        return f"({inner},)" if len(each) == 1 else f"({inner})"
    if type(value) is list:
        return f"[{inner}]"
    name = type(value).__name__
    return f"{name}([{inner}])"


def definition(value: Any, name: str, namespace: Mapping[str, Any]) -> str:
    """The text of a function, class or alias, from the cell or file that defined it last.

    Raises:
        NotPlain: there is no such text.
    """
    for lines in _where_it_may_stand(value, namespace):
        try:
            parsed = ast.parse("".join(lines))
        except SyntaxError:  # a cell with a %magic in it
            continue
        found = [node for node in parsed.body if _defines(node, name)]
        if not found:
            continue
        node = found[-1]
        if isinstance(node, ast.ClassDef) and any(
            isinstance(base, ast.Name) and base.id == name for base in node.bases
        ):
            raise NotPlain(f"`{name}` is built on an earlier `{name}`; write it as one class, in one cell")
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        return "".join(lines[first - 1 : node.end_lineno]).rstrip("\n")
    raise NotPlain(f"the text of `{name}` is not to be had; define it with `def` or `class` in a cell without magics")


def names_used(text: str) -> list[str]:
    """The names that a definition looks up outside of itself, in alphabetical order."""
    return sorted({*_looked_up(symtable.symtable(text, "answer", "exec"), True)})


def _looked_up(table: symtable.SymbolTable, top: bool) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or top) and not (top and symbol.is_assigned()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _looked_up(child, False)


def _is_written_here(value: Any) -> bool:
    if isinstance(value, ALIASES):
        return True
    return callable(value) and getattr(value, "__module__", None) in HERE and hasattr(value, "__name__")


def _where_it_may_stand(value: Any, namespace: Mapping[str, Any]) -> Iterator[list[str]]:
    """The lines of the cell or file with its code; then, for what has none, those of all cells, the last one first."""
    inner = vars(value).values() if inspect.isclass(value) else [value]
    codes = [getattr(inspect.unwrap(each), "__code__", None) for each in inner if callable(each)]
    files = dict.fromkeys(code.co_filename for code in codes if code and not code.co_filename.startswith(LIBRARIES))
    found = [lines for lines in map(linecache.getlines, files) if lines]
    yield from found
    if found:  # an older cell may hold an older version
        return
    yield from (text.splitlines(keepends=True) for text in reversed(namespace.get("In", [])) if isinstance(text, str))
    cells = [entry for entry in linecache.cache.values() if len(entry) == 4 and entry[1] is None]
    yield from (entry[2] for entry in reversed(cells))


def _defines(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name and node.value is not None
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name


def _plain_imports_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _import_module(full: str, name: str) -> str:
    parent, _, last = full.rpartition(".")
    if full == name:
        return f"import {full}"
    return f"from {parent} import {last}" if last == name and parent else f"import {full} as {name}"
