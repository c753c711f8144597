"""Execute the lessons: notebooks/NN_name.py -> NN_name.ipynb with its outputs and widget states inside.

    make lessons            those whose text or widget changed; where the code still does the same, outputs stay
    make lessons ALL=1      every one, after a change of the library

Two executions give the same bytes, apart from what really changed: no times, no paths, ids made from contents.
A lesson that fails leaves its old notebook as it was.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from lessons_lib.prose import WRITING
from tools import claims, published, reading_time
from tools.lesson_files import (
    STATE,
    contents,
    learners,
    lessons,
    problems,
    read_notebook,
    stale,
    views,
    widget_class,
    widget_models,
    write_notebook,
)

SECONDS_A_CELL = 900
INSTALLED = re.compile(r"(?<=\"lessons_lib @ )git\+[^\"]+")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def execute(notebook: NotebookNode, path: Path) -> None:
    """Run all cells in the folder of `path`, as Jupyter does, with a line of progress on a terminal."""
    total = len(notebook.cells)

    def tell(cell: NotebookNode, cell_index: int) -> None:
        if sys.stdout.isatty():
            print(f"\r  {path.stem}: cell {cell_index + 1} of {total} ", end="", flush=True)

    NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=True,
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=tell,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    ).execute(env={**os.environ, WRITING: "1"})


def shown_models(notebook: NotebookNode) -> dict[str, dict]:
    """The state of the widgets that are shown, and of what they refer to (their layout), in order of appearance."""
    models, kept = widget_models(notebook), {}
    waiting = views(notebook)
    while waiting:
        model = waiting.pop(0)
        if model in models and model not in kept:
            kept[model] = models[model]
            text = json.dumps(models[model])
            waiting += [other for other in models if f"IPY_MODEL_{other}" in text]
    return kept


def tidy(notebook: NotebookNode, name: str) -> NotebookNode:
    """The same notebook with nothing in it that differs from one execution to the next."""
    models = shown_models(notebook)
    metadata = dict(METADATA)
    if models:
        metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": models}}
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        seen[cell.source] = seen.get(cell.source, 0) + 1
        cell.id = digest(f"{cell.cell_type} {cell.source} {seen[cell.source]}")[:12]
    text = nbformat.writes(NotebookNode(notebook, metadata=nbformat.from_dict(metadata)))
    for number, model in enumerate(models):
        text = text.replace(model, digest(f"{name} widget {number}")[:32])
    return nbformat.reads(text, as_version=4)


def refresh_modules(notebook: NotebookNode) -> None:
    """Give stored widgets the library's present module and style, where they still have the same traits."""
    for model in widget_models(notebook).values():
        state, widget = model["state"], widget_class(model["state"])
        if widget and {"_anywidget_id", "_esm", "_css", *widget.class_traits(sync=True)} == state.keys():
            state |= {key: str(getattr(widget, key)) for key in ("_esm", "_css")}


def program(source: str) -> str:
    """What a cell does, without its comments, docstrings, line breaks and brackets."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def same_program(before: str, after: str) -> bool:
    """Whether two sources of a cell do the same; from where Colab installs the library makes no difference."""
    before, after = (INSTALLED.sub("git+", source) for source in (before, after))
    try:
        return before == after or program(before) == program(after)
    except SyntaxError:  # a line that only IPython understands
        return False


def with_stored_outputs(path: Path) -> NotebookNode | None:
    """The lesson's text with the outputs of its notebook, if they belong to the same code and nothing else is amiss."""
    target = path.with_suffix(".ipynb")
    if not target.exists():
        return None
    stored, notebook = read_notebook(target), learners(path)
    before, now = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (stored, notebook))
    if len(before) != len(now):
        return None
    if not all(same_program(old.source, new.source) for old, new in zip(before, now, strict=True)):
        return None
    refresh_modules(stored)
    for old, new in zip(before, now, strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    notebook.metadata = stored.metadata
    made = tidy(notebook, path.stem)
    return None if problems(made) else made


def make(path: Path, execution: bool = True) -> list[str]:
    """Store the notebook of one lesson, executed if asked for or needed; the reasons why not, if any."""
    kept = None if execution else with_stored_outputs(path)
    if kept is not None:
        write_notebook(kept, path.with_suffix(".ipynb"))
        return []
    notebook = learners(path)
    written = contents(notebook)
    try:
        execute(notebook, path)
    except CellExecutionError as error:
        return [str(error)]
    except (CellTimeoutError, DeadKernelError) as error:
        return [f"{type(error).__name__}: {error}"]
    notebook = tidy(notebook, path.stem)
    if contents(notebook) != written:
        return ["its text has something that a notebook does not keep (an unusual cell header?)"]
    found = problems(notebook)
    if not found:
        write_notebook(notebook, path.with_suffix(".ipynb"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="execute every lesson, changed or not")
    parser.add_argument("names", nargs="*", help="execute these only, changed or not (01_self_attention ...)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {path.stem for path in lessons()}
    if unknown:
        sys.exit(f"no such lesson: {', '.join(sorted(unknown))}; there are {', '.join(p.stem for p in lessons())}")
    reading_time.main()
    failed = []
    for path in lessons():
        if arguments.names and path.stem not in arguments.names:
            continue
        asked = bool(arguments.all or arguments.names)
        why = ["asked for"] if asked else stale(path)
        if not why:
            print(f"{path.stem}: up to date")
            continue
        print(f"{path.stem}: {why[0]} ...", flush=True)
        begin = time.perf_counter()
        found = make(path, execution=asked)
        print(
            f"\r{path.stem}: {'NOT WRITTEN' if found else 'written'} after {time.perf_counter() - begin:.0f} s",
            flush=True,
        )
        print(*found, sep="\n", end="\n" if found else "")
        failed += [path.stem] if found else []
    claims.main()
    published.main()
    if failed:
        sys.exit(f"Not written: {', '.join(failed)}. The old notebooks are as they were.")


if __name__ == "__main__":
    main()
