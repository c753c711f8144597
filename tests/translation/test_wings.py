"""The wings of translation/ import one way, and what learners kept under old names still loads."""

import ast
import importlib
from pathlib import Path

import pytest

from lessons_lib import translation
from lessons_lib.translation import course_model, training

FOLDER = Path(translation.__file__).parent
ORDER = ["data", "search", "evaluation", "training", "deployment", "course_model", "everyday_model"]


def imported(path: Path) -> set[str]:
    """The wings that a file imports from."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
    ours = f"{translation.__name__}."
    return {name.removeprefix(ours).partition(".")[0] for name in names if name.startswith(ours)}


@pytest.mark.parametrize("wing", ORDER)
def test_a_wing_imports_from_those_before_it_alone(wing):
    allowed = set(ORDER[: ORDER.index(wing) + 1])
    wrong = {str(path.relative_to(FOLDER)): imported(path) - allowed for path in (FOLDER / wing).rglob("*.py")}
    assert {path: wings for path, wings in wrong.items() if wings} == {}


def test_everything_lies_in_a_wing():
    assert {path.stem for path in FOLDER.glob("[a-z]*") if path.name != "__pycache__"} == set(ORDER)


@pytest.mark.parametrize("old", translation.OLD)
def test_an_old_name_is_the_module_of_today(old):
    assert importlib.import_module(f"lessons_lib.translation.{old}") is importlib.import_module(translation.OLD[old])


def test_the_old_module_of_training_is_its_loop():
    assert training.fit is training.loop.fit
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = training.nothing
    assert course_model.FOLDER.is_dir()
