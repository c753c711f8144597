"""The library as a wheel: every file of it is inside, and a lesson runs with nothing else beside it."""

import pytest

from tools import alone
from tools.lesson_files import ROOT


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return alone.unpacked_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_library_the_solutions_and_the_pins(library):
    def files(folder):
        found = (path.relative_to(folder) for path in (folder / "lessons_lib").rglob("*") if path.is_file())
        return {str(path) for path in found if "__pycache__" not in path.parts}

    solutions = {f"lessons_lib/grading/solutions/{path.name}" for path in (ROOT / "solutions").glob("*.py")}
    assert files(library) == files(ROOT) | solutions | {"lessons_lib/verification/requirements.txt"}


def test_a_lesson_runs_alone_in_an_empty_folder(library, tmp_path):
    assert alone.run_alone("00_start_here", library, tmp_path) is None


def test_what_the_wheel_lacks_is_noticed(library, tmp_path):
    """The check in front of each notebook: a library from anywhere else is not taken for the wheel's."""
    assert "AssertionError" in alone.run_alone("00_start_here", tmp_path / "elsewhere", tmp_path)
