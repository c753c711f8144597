"""One run of a notebook: what its cells show is compared, and it can be stopped."""

import base64
import io

import pytest
from nbformat import v4, write
from PIL import Image

from lessons_lib.verification.nbval_run import run


def picture(colour: str) -> str:
    written = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(written, "png")
    return base64.b64encode(written.getvalue()).decode()


@pytest.fixture
def notebook(tmp_path):
    """A function that writes a notebook whose cell draws in black, and stores another colour."""

    def make(colour: str):
        imports = "import base64\nimport wave\n\nfrom IPython.display import Image\n\n"
        draws = f"{imports}Image(base64.b64decode({picture('black')!r}))"
        data = {"image/png": picture(colour), "text/plain": "<IPython.core.display.Image object>"}
        shown = v4.new_output("execute_result", data, execution_count=1)
        cells = [v4.new_code_cell(draws, execution_count=1, outputs=[shown]), v4.new_code_cell("1 / 0")]
        write(v4.new_notebook(cells=cells), tmp_path / "01_small.ipynb")
        return tmp_path / "01_small.ipynb"

    return make


def test_another_picture_and_a_failure_are_seen(notebook):
    told = []
    found = run(notebook("white"), {}, lambda: told.append(1))
    assert [cell.problem for cell in found.cells] == ["shows", "fails"]
    assert found.cells[0].now.startswith("picture 1 looks otherwise than the stored one")
    assert found.cells[1].now == "ZeroDivisionError: division by zero"
    assert len(told) == 2
    assert "wave" in found.modules
    assert "ipykernel" not in found.modules  # the kernel's own
    assert run(notebook("black"), {}).cells[0].problem is None


def test_a_run_that_is_stopped_does_not_look_like_one_that_went_well(notebook):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(notebook("black"), {}, stop)
