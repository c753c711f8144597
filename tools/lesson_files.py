"""The two files of a lesson: NN_name.py, which one edits, and NN_name.ipynb, which one runs; what must hold of them.

The text is MyST, as the site shows it; the notebook has the same in plain Markdown, which every program shows.
"""

import importlib
import json
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from lessons_lib.files import write_whole
from tools.plain_markdown import plain

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MAX_BYTES = 900_000
PROGRESS = re.compile(r"\r|\d(it/s|s/it)\b|%\|")
ABSOLUTE_PATH = re.compile(rf"{re.escape(str(ROOT))}|/home/\w|/root/|/Users/\w|/tmp/|site-packages")
UNREAD = re.compile(
    r"^\s*(?:`{3,}|:{3,})\{[\w-]+\}|\{[\w:]+\}`|^\(\S+\)=$", re.MULTILINE
)  # a directive, a role, a label of MyST
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")


def lessons() -> list[Path]:
    """The texts of the lessons, in order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.py"))


def read_text(path: Path) -> NotebookNode:
    """The notebook that a lesson's text stands for, with nothing executed."""
    return jupytext.read(path)


def learners(path: Path) -> NotebookNode:
    """The notebook that a learner opens: no directive or role in it, captions as text, hidden code folded."""
    notebook = read_text(path)
    caption = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = plain(cell.source, path.parent)
            cell.source = f"*{plain(caption, path.parent)}*\n\n{text}" if caption else text
            caption = ""
        else:
            caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
            if "hide-input" in cell.metadata.get("tags", []):
                cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook


def read_notebook(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """A reader finds the old notebook or the new one, never a half."""
    write_whole(path, nbformat.writes(notebook) + "\n")


def contents(notebook: NotebookNode) -> list[tuple]:
    """What the text decides: each cell's kind, source and metadata."""
    return [(cell.cell_type, cell.source, json.dumps(cell.metadata, sort_keys=True)) for cell in notebook.cells]


def widget_models(notebook: NotebookNode) -> dict[str, dict]:
    return notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


def views(notebook: NotebookNode) -> list[str]:
    """The id of each widget model that a cell shows."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]


def texts(notebook: NotebookNode) -> list[str]:
    """Every text that the cells gave: printed, or the written form of a result."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found.append(output.get("text", ""))
            found += [text for mime, text in output.get("data", {}).items() if mime.startswith("text/")]
    return found


def problems(notebook: NotebookNode) -> list[str]:
    """Why a reader would see an unfinished notebook: one line each, none when all is well."""
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("its cells were not all run once, in order")
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"a cell fails: {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                found.append(f"a cell writes to stderr: {output.text.strip()[:120]!r}")
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := UNREAD.search(cell.source)):
            found.append(f"its text holds {match[0].strip()!r}, which only the site can show")
    for text in texts(notebook):
        for pattern, name in (
            (PROGRESS, "a progress bar"),
            (ABSOLUTE_PATH, "a path of this machine"),
            (ADDRESS, "an address of an object"),
        ):
            if match := pattern.search(text):
                found.append(f"an output holds {name}: {text[max(0, match.start() - 30) : match.end() + 30]!r}")
    size = len(nbformat.writes(notebook).encode())
    if size > MAX_BYTES:
        found.append(f"it weighs {size:,} bytes, more than {MAX_BYTES:,}: draw fewer or smaller figures")
    return found + widget_problems(notebook)


def widget_class(state: dict) -> type | None:
    """The library's class of a stored widget; None for a widget of somebody else."""
    module, _, name = state.get("_anywidget_id", "").rpartition(".")
    return getattr(importlib.import_module(module), name) if module.startswith("lessons_lib.") else None


def widget_problems(notebook: NotebookNode) -> list[str]:
    """Shown widgets without a state, and stored modules that are not the library's any more."""
    models = widget_models(notebook)
    found = [f"the notebook holds no state for the widget {view}" for view in views(notebook) if view not in models]
    for model in models.values():
        state = model["state"]
        widget = widget_class(state)
        changed = [key for key in ("_esm", "_css") if widget and state.get(key, "") != str(getattr(widget, key, ""))]
        found += [f"the stored {key} of {widget.__name__} is not the library's any more" for key in changed]
    return found


def stale(path: Path) -> list[str]:
    """Why the notebook of the lesson `path` must be made anew; empty when it need not."""
    target = path.with_suffix(".ipynb")
    if not target.exists():
        return ["there is no notebook yet"]
    notebook = read_notebook(target)
    if contents(notebook) != contents(learners(path)):
        return ["the text changed"]
    return problems(notebook)
