"""The source of an answer, with everything that it needs from the notebook around it: text that runs elsewhere."""

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import types
from collections.abc import Collection, Mapping
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, type(None))


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
    imports: list[str] = []
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
            imports.append(_import_module(value.__name__, name))
        elif _is_constant(value):
            constants.append(f"{name} = {value!r}")
        elif getattr(value, "__module__", None) in {"__main__", "builtins", None} and callable(value):
            text = definition(value, name)
            for needed in _names_used(text):
                add(needed, name)
            definitions.append(text)
        elif callable(value) and hasattr(value, "__name__"):
            own = value.__name__
            if getattr(sys.modules.get(value.__module__), own, None) is not value:
                raise NotPlain(f"`{user}` uses `{name}`, which no module has by its name `{own}`; use `{own}`")
            imports.append(f"from {value.__module__} import {own}" + (f" as {name}" if own != name else ""))
        else:
            raise NotPlain(
                f"`{user}` uses `{name}`, a {type(value).__name__} of this notebook; make it inside `{user}`"
            )

    for name in names:
        done.discard(name)
        add(name, name)
    head = "\n".join([*sorted(imports, key=_plain_imports_first), *constants])
    return "\n\n\n".join([head, *definitions] if head else definitions) + "\n"


def definition(value: Any, name: str) -> str:
    """The text of a function or class, from the cell or file that defined it last.

    Raises:
        NotPlain: there is no such text.
    """
    function = inspect.unwrap(value)
    if inspect.isclass(value):
        function = next((part for part in vars(value).values() if inspect.isfunction(part)), None)
    code = getattr(function, "__code__", None)
    lines = linecache.getlines(code.co_filename) if code else []
    try:
        parsed = ast.parse("".join(lines))
    except SyntaxError:  # a cell with a %magic in it
        parsed = ast.parse("")
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = [node for node in parsed.body if isinstance(node, kinds) and node.name == name]
    if not found:
        raise NotPlain(
            f"the text of `{name}` is not to be had; define it with `def` or `class` in a cell without magics"
        )
    first = min([found[-1].lineno, *(decorator.lineno for decorator in found[-1].decorator_list)])
    return "".join(lines[first - 1 : found[-1].end_lineno]).rstrip("\n")


def _plain_imports_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _is_constant(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_constant, value))
    return type(value) in PLAIN


def _import_module(full: str, name: str) -> str:
    parent, _, last = full.rpartition(".")
    if full == name:
        return f"import {full}"
    return f"from {parent} import {last}" if last == name and parent else f"import {full} as {name}"


def _names_used(text: str) -> list[str]:
    """The names that a definition looks up outside of itself, in alphabetical order."""
    found: set[str] = set()

    def walk(table: symtable.SymbolTable, top: bool) -> None:
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or top) and not (top and symbol.is_assigned()):
                found.add(symbol.get_name())
        for child in table.get_children():
            walk(child, False)

    walk(symtable.symtable(text, "answer", "exec"), True)
    return sorted(found)
