"""Fingerprints of an answer: what is left of it when names, comments and layout are other ones.

Winnowing: S. Schleimer, D. S. Wilkerson, A. Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
SIGMOD 2003, https://doi.org/10.1145/872757.872770. Every run of at least `K + WINDOW - 1` words that two texts have in
common gives them a fingerprint in common; no run of fewer than `K` does.
"""

import ast
import hashlib
from collections.abc import Container, Iterator

K = 10  # words that are hashed together
WINDOW = 5  # of so many hashes in a row, the least is kept
LONGEST = 50_000  # characters of an answer; a longer one is not compared
TEXT = '""'
SILENT = (ast.expr_context, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.type_ignore)
THROUGH = (ast.arguments, ast.Expr, ast.Module)  # say nothing themselves


def words(text: str, kept: Container[str] = ()) -> list[list[str]]:
    """Python text as words in the order of its syntax tree, a list for each statement at the top.

    Names of its own are `v` and texts are `""`; names that it has from elsewhere stay, such as `softmax`. Comments,
    docstrings, annotations and imports are dropped.

    Args:
        kept: names that stay though the text defines them, because a question asks for them.
    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python cannot read it.
    """
    tree = ast.parse(text)
    nodes = ast.walk(tree) if " as " in text else ()
    real = {node.asname: node.name for node in nodes if isinstance(node, ast.alias) and node.asname}
    defined = {getattr(node, "name", None) for node in tree.body}
    given = [node for each in tree.body if isinstance(each, ast.Assign) for node in each.targets]
    top = defined | {node.id for node in given if isinstance(node, ast.Name)}
    found = []
    for node in tree.body:
        own = {name for name in (*top, *_bound(node)) if name not in kept}
        names = {name: whole.rpartition(".")[2] for name, whole in real.items()} | dict.fromkeys(own, "v")
        found.append([])
        _write(node, names, found[-1])
    return [each for each in found if each]


def grams(said: list[str]) -> list[int]:
    """The hash of each `K` words in a row, 64 bits, the same on every machine."""
    each = ("\0".join(said[i : i + K]) for i in range(len(said) - K + 1))
    hashes = (hashlib.blake2b(gram.encode("utf-8", "surrogatepass"), digest_size=8) for gram in each)
    return [int.from_bytes(one.digest(), "big") for one in hashes]


def winnow(hashes: list[int]) -> set[int]:
    """The least of each `WINDOW` hashes in a row."""
    return {min(hashes[i : i + WINDOW]) for i in range(max(1, len(hashes) - WINDOW + 1)) if hashes}


def _bound(tree: ast.AST) -> Iterator[str]:
    """Names that a statement gives to what is in it, attributes included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[:2] != "__":
            yield node.name


def _write(node: ast.AST, names: dict[str, str], said: list[str]) -> None:
    """Append the words of the node and of all below it."""
    match node:
        case ast.Constant(value=value):
            said.append(TEXT if isinstance(value, str | bytes) else repr(value))
            return
        case ast.JoinedStr():
            said.append(TEXT)
            return
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):  # a docstring or `...`; a mere annotation
            return
        case ast.AnnAssign():
            said.append("Assign")
            below = [node.target, node.value]
        case ast.arg():
            said.append(names.get(node.arg, node.arg))
            return
        case ast.Name():
            said.append(names.get(node.id, node.id))
            return
        case ast.Attribute():
            said.append("." + names.get(node.attr, node.attr))
            below = [node.value]
        case ast.keyword():
            said.append(f"{names.get(node.arg, node.arg)}=" if node.arg else "**")
            below = [node.value]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            said.append(f"def {names.get(node.name, node.name)}")
            below = [*node.decorator_list, node.args, *node.body]
        case ast.ClassDef():
            said.append(f"class {names.get(node.name, node.name)}")
            below = [*node.decorator_list, *node.bases, *node.keywords, *node.body]
        case _:
            if isinstance(node, SILENT):
                return
            if not isinstance(node, THROUGH):
                said.append(type(node).__name__)
            below = list(ast.iter_child_nodes(node))
    for child in below:
        _write(child, names, said)
