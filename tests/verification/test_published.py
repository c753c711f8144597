"""The table of the lessons is that of today's notebooks, and an edit of a notebook is seen and found."""

import copy
import importlib.metadata
import json
import re
import subprocess
import sys

import numpy
import pytest

from lessons_lib.verification import published
from lessons_lib.verification.published import Edits, Published
from lessons_lib.verification.shown import STATE, VIEW
from tools.lesson_files import NOTEBOOKS, ROOT, lessons, read_notebook
from tools.published import table

NAME = "01_self_attention"


@pytest.fixture
def notebook():
    return copy.deepcopy(read_notebook(NOTEBOOKS / f"{NAME}.ipynb"))


def code(notebook, number: int):
    """A code cell by its number, from 1."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"][number - 1]


def prints(notebook) -> int:
    """The number of the fifth cell that prints something."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [n for n, cell in enumerate(cells, 1) if any("text" in output for output in cell.outputs)][4]


def test_the_table_is_that_of_the_notebooks():
    """If not: make lessons."""
    text = published.TABLE.read_text("utf8")
    assert text == table(json.loads(text))


def test_the_table_is_written_where_nbval_is_not_installed():
    """As in a class's copy, whose lessons are made anew."""
    script = "import sys; sys.modules['nbval'] = sys.modules['pytest'] = None; import tools.published"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_every_lesson_has_a_measured_time():
    assert [path.stem for path in lessons() if not (Published().seconds(path.stem) or 0) > 1] == []


def test_a_notebook_of_the_course_has_no_edits_whatever_its_number(notebook):
    assert Published().edits(NAME, notebook) == Edits(None, frozenset())
    assert Published().edits("07_self_attention", notebook) == Edits(None, frozenset())
    assert Published().seconds("07_self_attention") == Published().seconds(NAME)
    assert Published().edits("01_nothing_such", notebook) is None


def test_an_edited_output_is_found(notebook):
    number = prints(notebook)
    code(notebook, number).outputs[0].text += "!"
    assert Published().edits(NAME, notebook) == Edits(None, frozenset({number}))


def test_an_edited_picture_or_widget_is_found(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    data = {n: output.data for n, cell in enumerate(cells, 1) for output in cell.outputs if "data" in output}
    drawn = next(n for n, kinds in data.items() if "image/png" in kinds)
    shown = next(n for n, kinds in data.items() if VIEW in kinds)
    data[drawn]["image/png"] = "A" + data[drawn]["image/png"]
    state = notebook.metadata.widgets[STATE]["state"][data[shown][VIEW]["model_id"]]["state"]
    state["_esm"] += "// a comment"
    assert Published().edits(NAME, notebook) == Edits(None, frozenset({drawn}))
    state[next(key for key in state if not key.startswith("_"))] = "another"
    assert Published().edits(NAME, notebook) == Edits(None, frozenset({drawn, shown}))


def test_edited_code_is_found_at_its_first_cell(notebook):
    number = prints(notebook)
    code(notebook, number).source += "\nprint()"
    assert Published().edits(NAME, notebook) == Edits(number, frozenset())


@pytest.mark.parametrize("last", [True, False])
def test_a_cell_too_few_or_too_many_is_found(notebook, last):
    cells = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    at = cells[-1] if last else cells[9]
    number = len(cells) if last else 10
    longer, shorter = copy.deepcopy(notebook), notebook
    longer.cells.insert(at + last, copy.deepcopy(longer.cells[cells[5]]))
    del shorter.cells[at]
    assert Published().edits(NAME, longer).code == number + last
    assert Published().edits(NAME, shorter).code == number


def test_a_class_may_install_the_library_from_elsewhere_and_write_other_prose(notebook):
    install = next(cell for cell in notebook.cells if "remove-cell" in cell.metadata.get("tags", []))
    install.source = re.sub(r"github\.com/[\w.-]+/[\w.-]+", "github.com/our-class/course", install.source)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert Published().edits(NAME, notebook) == Edits(None, frozenset())


def test_a_version_counts_if_its_package_was_imported():
    here = importlib.metadata.version("numpy")
    pins = {"numpy": "0.1", "Pillow": "0.2", "scipy": importlib.metadata.version("scipy"), "not-here": "1.0"}
    found = published.other_versions({"numpy", "scipy", "os", "PIL"}, pins)
    assert [(one.package, one.here, one.pinned) for one in found] == [
        ("numpy", here, "0.1"),
        ("Pillow", importlib.metadata.version("pillow"), "0.2"),
    ]
    assert str(found[0]) == f"numpy {numpy.__version__} (pinned: 0.1)"
    torch = importlib.metadata.version("torch").partition("+")[0]
    assert published.other_versions({"torch"}, {"torch": torch}) == []
