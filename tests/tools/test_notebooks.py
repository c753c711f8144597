"""The lessons' notebooks are what their texts give, and nothing in them differs from one machine or run to the next."""

import base64
import importlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from nbformat import v4
from PIL import Image

from tools.lesson_files import (
    ROOT,
    UNREAD,
    VIEW,
    contents,
    learners,
    lessons,
    problems,
    read_notebook,
    read_text,
    views,
    widget_models,
    write_notebook,
)
from tools.make_lessons import make, same_program, tidy

NAMES = [path.stem for path in lessons()]
WITH_EVERYTHING = """\
# %% [markdown]
# # A small lesson

# %%
import matplotlib.pyplot as plt
import torch

from lessons_lib.widgets import AttentionWidget

AttentionWidget("a b c".split(), torch.eye(3), torch.eye(3))

# %%
plt.plot([1, 2])
plt.show()
print("BLEU 83.12")
"""


@pytest.fixture
def lesson(tmp_path) -> Path:
    path = tmp_path / "90_small.py"
    path.write_text(WITH_EVERYTHING, "utf8")
    return path


def test_every_notebook_has_a_text_and_every_text_a_notebook():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == set(NAMES)
    assert {"00_start_here", "01_self_attention", "12_translation"} <= notebooks


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_what_the_text_gives(name):
    path = ROOT / "notebooks" / f"{name}.py"
    assert contents(read_notebook(path.with_suffix(".ipynb"))) == contents(learners(path)), "run: make lessons"


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_whole_and_clean(name):
    notebook = read_notebook(ROOT / "notebooks" / f"{name}.ipynb")
    assert problems(notebook) == [], "mend the lesson, then run: make lessons"


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_reads_every_verdict_hint_and_solution(name):
    """What stands in a directive on the site stands in plain Markdown in the notebook, as often."""
    path = ROOT / "notebooks" / f"{name}.py"
    rich = "\n".join(cell.source for cell in read_text(path).cells if cell.cell_type == "markdown")
    read = "\n".join(cell.source for cell in read_notebook(path.with_suffix(".ipynb")).cells)
    assert read.count("> **Verdict:") == rich.count("{admonition} Verdict:")
    assert read.count("<summary>Solution of") == rich.count("{dropdown} Solution of")
    for hints in re.findall(r':start-after: "(<!-- hints q\d -->)"', rich):
        source = (ROOT / "solutions" / path.name).read_text("utf8").split(hints)[1].split("<!-- /hints")[0]
        assert set(re.findall(r":::\{dropdown\} (.+)", source)) <= set(re.findall("<summary>(.+)</summary>", read))


@pytest.mark.parametrize("path", sorted((ROOT / "exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_exercise_shows_what_only_the_site_reads(path):
    assert [cell.source for cell in read_notebook(path).cells if UNREAD.search(cell.source)] == []


def notebook_with(*outputs, execution_count=1, source="1"):
    cell = v4.new_code_cell(source, execution_count=execution_count, outputs=list(outputs))
    return v4.new_notebook(cells=[cell])


def printed(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


@pytest.mark.parametrize(
    ("notebook", "complaint"),
    [
        (notebook_with(execution_count=None), "not all run"),
        (notebook_with(execution_count=3), "not all run"),
        (notebook_with(v4.new_output("error", ename="ValueError", evalue="no")), "a cell fails"),
        (notebook_with(printed("UserWarning: old", "stderr")), "stderr"),
        (notebook_with(printed("  5%|▌ | 1/20 [00:01, 1.2it/s]")), "progress bar"),
        (notebook_with(printed("step 1\rstep 2")), "progress bar"),
        (notebook_with(printed(f"saved to {ROOT}/runs")), "path of this machine"),
        (notebook_with(printed("saved to /home/ada/runs")), "path of this machine"),
        (notebook_with(printed("<Model at 0x7f12ab34cd56>")), "address of an object"),
        (notebook_with(printed("x" * 900_001)), "bytes"),
        (notebook_with(v4.new_output("display_data", {VIEW: {"model_id": "abc"}})), "no state"),
        (v4.new_notebook(cells=[v4.new_markdown_cell("see\n\n```{note}\nA note.\n```")]), "'```{note}'"),
        (v4.new_notebook(cells=[v4.new_markdown_cell("a {term}`query`")]), "'{term}`'"),
    ],
)
def test_a_notebook_that_is_not_whole_is_named(notebook, complaint):
    assert any(complaint in line for line in problems(notebook))


def test_a_clean_notebook_has_no_problems():
    assert problems(notebook_with(printed("accuracy 0.97 (97%), 120 it\n"))) == []


def test_making_a_lesson_twice_gives_the_same_bytes(lesson):
    notebook = lesson.with_suffix(".ipynb")
    assert make(lesson) == []
    first = notebook.read_bytes()
    assert make(lesson) == []
    assert notebook.read_bytes() == first
    made = read_notebook(notebook)
    (shown,) = views(made)
    assert "_esm" in widget_models(made)[shown]["state"]


def test_where_only_prose_changed_the_outputs_stay(lesson):
    notebook = lesson.with_suffix(".ipynb")
    assert make(lesson) == []
    text = notebook.read_text("utf8").replace(
        "BLEU 83.12\\n", "BLEU 99.99\\n"
    )  # an output that no execution would give
    notebook.write_text(text, "utf8")
    lesson.write_text(WITH_EVERYTHING.replace("small lesson", "lesson, better told"), "utf8")
    assert make(lesson, execution=False) == []
    assert contents(read_notebook(notebook)) == contents(learners(lesson))
    assert problems(read_notebook(notebook)) == []
    assert notebook.read_text("utf8").replace("better told", "") != text
    assert "BLEU 99.99" in notebook.read_text("utf8")
    lesson.write_text(WITH_EVERYTHING.replace('print("BLEU', 'print("A BLEU'), "utf8")
    assert make(lesson, execution=False) == []
    assert "A BLEU 83.12" in notebook.read_text("utf8")
    assert "99.99" not in notebook.read_text("utf8")


def test_an_old_widget_in_a_notebook_is_noticed(lesson):
    make(lesson)
    made = read_notebook(lesson.with_suffix(".ipynb"))
    state = widget_models(made)[views(made)[0]]["state"]
    state["_esm"] += "// an older version"
    assert problems(made) == ["the stored _esm of AttentionWidget is not the library's any more"]


def test_a_widget_whose_module_changed_is_refreshed_without_an_execution(lesson):
    notebook = lesson.with_suffix(".ipynb")
    make(lesson)
    first = notebook.read_bytes()
    made = read_notebook(notebook)
    widget_models(made)[views(made)[0]]["state"]["_css"] += "/* an older version */"
    write_notebook(made, notebook)
    assert make(lesson, execution=False) == []
    assert notebook.read_bytes() == first
    widget_models(made)[views(made)[0]]["state"]["another"] = 1  # a trait that the class has not any more
    write_notebook(made, notebook)
    assert make(lesson, execution=False) == []
    assert notebook.read_bytes() == first


def test_a_lesson_that_fails_keeps_its_old_notebook(lesson):
    notebook = lesson.with_suffix(".ipynb")
    notebook.write_text("the old one", "utf8")
    lesson.write_text("# %%\nprint(1)\n\n# %%\n1 / 0\n", "utf8")
    (complaint,) = make(lesson)
    assert "1 / 0" in complaint
    assert "ZeroDivisionError" in complaint
    assert notebook.read_text("utf8") == "the old one"
    assert [path.name for path in lesson.parent.iterdir() if path.suffix == ".new"] == []


def test_cells_with_the_same_source_keep_different_ids():
    cells = [v4.new_code_cell("x", execution_count=n) for n in (1, 2)]
    tidied = tidy(v4.new_notebook(cells=cells), "name")
    assert len({cell.id for cell in tidied.cells}) == 2


def nbval(notebook: Path) -> subprocess.CompletedProcess:
    plugins = ["-p", "no:cacheprovider", "-p", "lessons_lib.verification.plugin"]
    options = ["--nbval", "--nbval-current-env", *plugins, "-c", "/dev/null", str(notebook)]
    return subprocess.run([sys.executable, "-m", "pytest", *options], cwd=ROOT, capture_output=True, text=True)


def test_only_a_change_of_what_a_cell_does_asks_for_another_execution():
    source = 'print(f"{scores:.2f}" + name)  # as a table'
    assert same_program(source, 'print(\n    f"{scores:.2f}"\n    + name\n)')
    assert same_program('text = "one two"', 'text = (\n    "one "\n    "two"\n)')
    assert same_program('def f():\n    """Two."""\n    return 2', "def f():\n    return 2")
    assert not same_program(source, source.replace(".2f", ".3f"))
    assert same_program("%time x", "%time x")
    assert not same_program("%time x", "%time  x")


def encoded_anew(picture: str) -> str:
    """The same picture in other bytes, a little smaller, as another version of matplotlib might write it."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        image.resize((image.width - 3, image.height - 2)).save(written, "png", compress_level=1)
    return base64.b64encode(written.getvalue()).decode()


def one_pixel() -> str:
    written = io.BytesIO()
    Image.new("RGB", (1, 1), "white").save(written, "png")
    return base64.b64encode(written.getvalue()).decode()


def test_nbval_compares_numbers_pictures_and_widgets(lesson):
    """What runs on the notebooks passes other bytes of the same, and fails whatever shows something else."""
    assert make(lesson) == []
    path = lesson.with_suffix(".ipynb")
    text = path.read_text("utf8")
    (shown,) = views(read_notebook(path))
    picture = json.loads(re.search(r'"image/png": ("[^"]*")', text)[1]).replace("\n", "")
    stored = re.sub(r'"image/png": "[^"]*"', '"image/png": "PICTURE"', text)
    path.write_text(stored.replace("PICTURE", encoded_anew(picture)).replace(shown, "f" * 32), "utf8")
    assert nbval(path).returncode == 0
    for changed, told in (
        (text.replace("BLEU 83.12\\n", "BLEU 83.13\\n"), "83.12"),
        (stored.replace("PICTURE", one_pixel()), "picture 1 looks otherwise"),
        (re.sub(r'("keys": \[\s*\[\s*)1.0', r"\g<1>9.9", text), "keys[0][0] is 1.0, stored 9.9"),
    ):
        assert changed != text
        path.write_text(changed, "utf8")
        failed = nbval(path)
        assert failed.returncode == 1
        assert told in failed.stdout


def repository() -> str:
    return yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["repository"]["url"]


LEADS_HERE = re.compile(
    r"(?:colab\.research\.google\.com/github/|git\+https://github\.com/|git clone https://github\.com/"
    r"|\[repository\]\(https://github\.com/|repository-code: https://github\.com/)([\w.-]+/[\w.-]+)"
)


def test_every_link_to_the_repository_is_the_one_of_the_configuration():
    texts = [*lessons(), *ROOT.glob("*.md"), *ROOT.glob("*.cff"), *ROOT.glob("pyproject.toml")]
    texts += [*ROOT.glob("book/*.md"), *ROOT.glob("exercises/*.ipynb"), *ROOT.glob("solutions/*.py")]
    owner_and_name = repository().removeprefix("https://github.com/")
    links = [(path.name, link) for path in texts for link in LEADS_HERE.findall(path.read_text("utf8"))]
    ours = [(name, link.removesuffix(".git")) for name, link in links]
    assert len({name for name, _ in ours}) >= 30
    assert {link for _, link in ours} == {owner_and_name}


def test_every_colab_link_names_a_notebook_that_exists():
    branch = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["repository"]["branch"]
    target = re.compile(rf"colab\.research\.google\.com/github/[\w.-]+/[\w.-]+/blob/{re.escape(branch)}/([^)\s\"\\]+)")
    count = 0
    for path in [*lessons(), *ROOT.glob("book/*.md"), *ROOT.glob("exercises/*.ipynb"), ROOT / "README.md"]:
        for name in target.findall(path.read_text("utf8")):
            assert (ROOT / name).exists(), f"{path.name} links to {name}"
            count += 1
    assert count >= len(lessons())


def public_names(module: str) -> list[str]:
    """What a package exports, or the functions and classes that a file defines without an underscore."""
    loaded = importlib.import_module(f"lessons_lib.{module}")
    own = [
        n for n, value in vars(loaded).items() if getattr(value, "__module__", "") == loaded.__name__ and n[0] != "_"
    ]
    return list(getattr(loaded, "__all__", own))


@pytest.mark.parametrize(
    "module",
    "attention masks positions norms feedforward dropout config cache blocks transformer families sizes".split(),
)
def test_every_public_name_of_the_model_is_taught_in_a_lesson(module):
    taught = set(re.findall(r"\w+", "\n".join(path.read_text("utf8") for path in lessons())))
    assert len(public_names(module)) > 0
    assert [name for name in public_names(module) if name not in taught] == []
