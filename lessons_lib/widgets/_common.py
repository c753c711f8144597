"""What the widgets share: a self-contained ES module each, a text form that never changes, checked data."""

import base64
import json
import re
import textwrap
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

MAX_WORDS = 40
_COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)  # one that has its lines for itself
_IMPORT = re.compile(r'^import \{[^}]*\} from "\.{1,2}/[a-z_/]+\.js";\n', re.MULTILINE)


def module_source(name: str, parts: Sequence[str] = ()) -> str:
    """The ES module of a widget: shared.js, other parts, then `name`.js, without their imports of one another.

    Colab and VS Code load a widget's module from text, so it can't import a file that lies beside it.
    """
    return "".join(_IMPORT.sub("", _read(f"{one}.js")) for one in ("shared", *parts, name))


def engine_source(names: Sequence[str]) -> str:
    """A constant `ENGINE` in front of a widget's module: `engine_text` as a text.

    A worker starts from text for the same reason as a widget.
    """
    return f"const ENGINE = {json.dumps(engine_text(names), ensure_ascii=False)};\n"


def engine_text(names: Sequence[str]) -> str:
    """One ES module for a worker, of several files of `engine/`: joined in this order, without their imports of one
    another. It begins with a constant `KERNELS`, the assembled kernels in base64; another name that ends with .wasm
    becomes such a constant, too."""
    assembled = ["kernels.wasm", *(name for name in names if name.endswith(".wasm"))]
    constants = "".join(f'const {Path(name).stem.upper()} = "{_base64(name)}";\n' for name in assembled)
    text = "".join(_IMPORT.sub("", _read(f"engine/{name}.js")) for name in names if name not in assembled)
    return constants + slim(text)


def _base64(name: str) -> str:
    return base64.b64encode(files(__package__).joinpath("engine", name).read_bytes()).decode()


def slim(source: str) -> str:
    """The same module without its comments and indentation, for what a page must load; no text may span lines."""
    return re.sub(r"^ +|\n(?=\n)", "", _COMMENT.sub("", source), flags=re.MULTILINE)


def slim_style(source: str) -> str:
    """The same style sheet without its comments, and without blanks that say nothing."""
    source = re.sub(r"/\*(?:.|\n)*?\*/", "", source)
    return re.sub(r"\s*([{};,])\s*|(:)\s+", r"\1\2", source)


def style_source(name: str) -> str:
    """The style sheet of a widget: shared.css, then `name`.css."""
    return _read("shared.css") + _read(f"{name}.css")


def _read(file_name: str) -> str:
    return files(__package__).joinpath(file_name).read_text(encoding="utf-8")


def text_form(widget: Any, shows: str, action: str) -> str:
    """What `repr` says of a widget: where no kernel draws it, for print, and the same at every execution.

    The site says there that the page needs JavaScript (`book/_sphinx/course_site.py`).

    At most 110 characters where `action` has 15 or fewer: older versions of anywidget cut the rest.
    """
    start = textwrap.shorten(shows, 40, placeholder=" …")
    return f"{type(widget).__name__}: {start!r} (run this cell to {action})"


def check_words(words: Any, name: str = "words") -> list[str]:
    """1 to 40 words as a list.

    Raises:
        ValueError: not a list of texts, empty, or too long to read on a page.
    """
    if isinstance(words, str):
        raise ValueError(f"{name}={words!r} is one text; give a list of words, for example {name}.split()")
    words = list(words)
    if not 1 <= len(words) <= MAX_WORDS:
        raise ValueError(f"{name} has {len(words)} words; give 1 to {MAX_WORDS}")
    for i, word in enumerate(words):
        if not isinstance(word, str) or not word.strip():
            raise ValueError(f"{name}[{i}] is {word!r}; each word must be a text that is not blank")
    return words


def check_matrix(matrix: Any, name: str, n_rows: int, row_name: str = "words") -> list[list[float]]:
    """A (n_rows, ≥1) matrix of finite numbers (array, tensor or lists) as lists, rounded to 4 decimals.

    Raises:
        ValueError: not a matrix of numbers, another number of rows, or NaN or infinity in it.
    """
    if hasattr(matrix, "detach"):  # a tensor, on any device, in any precision
        matrix = matrix.detach().cpu().double()
    try:
        array = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not a matrix of numbers ({error}); give rows of equal length") from None
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} has shape {array.shape}; give one row of numbers for each of the {n_rows} {row_name}")
    if len(array) != n_rows:
        raise ValueError(f"{name} has {len(array)} rows but there are {n_rows} {row_name}; give one row for each")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"{name}[{row}][{column}] is {array[row, column]}; every number must be finite")
    return (array.round(4) + 0.0).tolist()


def check_index(index: int, name: str, length: int, things: str) -> int:
    """`index`, if it is one of 0 … length − 1.

    Raises:
        ValueError: it is not.
    """
    if not 0 <= index < length:
        raise ValueError(f"{name}={index} but there are {length} {things}; use 0 to {length - 1}")
    return index
