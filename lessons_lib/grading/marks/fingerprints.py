"""Fingerprints of an answer: what is left of it when names, comments and layout are other ones.

Winnowing: S. Schleimer, D. S. Wilkerson, A. Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
SIGMOD 2003, https://doi.org/10.1145/872757.872770. Every run of at least `K + WINDOW - 1` tokens that two texts have in
common gives them a fingerprint in common; no run of fewer than `K` does.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Container

K = 8  # tokens that are hashed together
WINDOW = 5  # of so many hashes in a row, the least is kept
LONGEST = 50_000  # characters of an answer; a longer one is not compared
SILENT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
CLOSING = {")", "]", "}", ",", ":"}  # said already by what opens, or by what comes


def tokens(text: str, kept: Container[str] = ()) -> list[str]:
    """The words of Python text, one spelling for all: names of its own are `v`, texts are `""`.

    Names that it has from elsewhere stay, such as `softmax`. Comments, docstrings, annotations and imports are dropped.

    Args:
        kept: names that stay though the text defines them, because a question asks for them.
    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python cannot read it.
    """
    tree = ast.parse(text)
    own, real = _names(tree)
    own = {name for name in own if name not in kept}
    plain = ast.unparse(_Plain(own, real).visit(tree))
    return [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(plain).readline)
        if token.type not in SILENT and token.string not in CLOSING
    ]


def grams(words: list[str]) -> list[int]:
    """The hash of each `K` tokens in a row, 64 bits, the same on every machine."""
    each = ("\0".join(words[i : i + K]) for i in range(len(words) - K + 1))
    return [int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest()) for gram in each]


def winnow(hashes: list[int]) -> set[int]:
    """The least of each `WINDOW` hashes in a row."""
    return {min(hashes[i : i + WINDOW]) for i in range(max(1, len(hashes) - WINDOW + 1)) if hashes}


def _names(tree: ast.AST) -> tuple[set[str], dict[str, str]]:
    """Names that the text gives itself, and the real names of what it imports under another."""
    own: set[str] = set()
    real: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            own.add(node.attr)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not node.name.startswith("__"):
                own.add(node.name)
        elif isinstance(node, ast.alias) and node.asname:
            real[node.asname] = node.name.rpartition(".")[2]
    return own, real


class _Plain(ast.NodeTransformer):
    """The same program, as its author did not write it."""

    def __init__(self, own: set[str], real: dict[str, str]):
        self.own, self.real = own, real

    def _name(self, name: str) -> str:
        return "v" if name in self.own else self.real.get(name, name)

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._name(node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = "v" if node.attr in self.own else node.attr
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg("v")

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        node.arg = "v" if node.arg in self.own else node.arg
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str | bytes) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return ast.copy_location(ast.Assign([node.target], node.value), node) if node.value else None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._block(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._block(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._block(node)

    def _block(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        self.generic_visit(node)
        node.name = self._name(node.name)
        node.body = node.body or [ast.Pass()]
        return node
