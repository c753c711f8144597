"""The exercises: made of the solutions to the byte, holding none of them, and running from top to bottom."""

import ast
import re
import subprocess
import sys
from dataclasses import dataclass

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from lessons_lib.grading import parts
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.verdict import steps
from lessons_lib.grading.reference import cut
from tools import make_exercises
from tools.lesson_files import ROOT
from tools.make_exercises import SourceError, exercise, main, repository, sources, target

SOURCES = sources()
TINY = """\
\"\"\"For authors.\"\"\"

# %% text [markdown]
r\"\"\"
# Tiny $\\sqrt{2}$
\"\"\"

# %% setup
import math

# %% answer f
def f(x):
    raise NotImplementedError

# %% solution f
def f(x):
    return math.sqrt(x)

# %% hints q1 [markdown]
r\"\"\"
<!-- hints q1 -->
:::{dropdown} Hint 1: a **root**
One.
:::

:::{dropdown} Hint 2
Two.
:::
<!-- /hints q1 -->
\"\"\"

# %% check
f(2)

# %% check
f(3)
"""


def cells(source, kind):
    """The cells of a source whose title begins with `kind`, by the rest of the title."""
    found = jupytext.read(source, fmt="py:percent").cells
    titles = [(cell.metadata.get("title", "").partition(" "), cell.source) for cell in found]
    return {subject: text for (first, _, subject), text in titles if first == kind}


def functions(definition):
    """The function itself, or the methods of a class."""
    if isinstance(definition, ast.FunctionDef):
        return [definition]
    return [part for part in definition.body if isinstance(part, ast.FunctionDef)]


def frame(definition):
    """What an answer keeps of its solution: kind, bases, and each function's name, parameters and text."""
    methods = [(f.name, ast.dump(f.args), ast.get_docstring(f)) for f in functions(definition)]
    bases = [ast.unparse(base) for base in getattr(definition, "bases", [])]
    return type(definition), bases, ast.get_docstring(definition), methods


def is_unanswered(function):
    """Whether a function only raises, after its text and, in `__init__`, the call of the parent's."""
    written = [line for line in function.body if "super().__init__()" not in ast.unparse(line)]
    return isinstance(written[-1], ast.Raise) and len(written) == 1 + (ast.get_docstring(function) is not None)


def notebook_of(source):
    return nbformat.reads(exercise(source), as_version=4)


def statements(code: str) -> set[str]:
    """Each statement that holds no other, written the same way however it was laid out."""
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if not hasattr(node, "body") and isinstance(node, ast.stmt)
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem, scope="class")
class TestEach:
    def test_the_exercise_is_what_its_source_gives(self, source):
        assert target(source).read_bytes() == exercise(source).encode(), "run: make exercises"

    def test_it_is_a_valid_notebook_with_no_outputs_and_ids_that_stay(self, source):
        notebook = notebook_of(source)
        nbformat.validate(notebook)
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert code[0].id == "install"
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)

    def test_no_statement_of_a_solution_is_in_it(self, source):
        shown = nbformat.read(target(source), as_version=4).cells
        given, solved = (
            {one for text in cells(source, kind).values() for one in statements(text)}
            for kind in ("answer", "solution")
        )
        secret = {one for one in solved - given if len(one) > 6}
        assert len(secret) > 5
        code = {one for cell in shown if cell.cell_type == "code" for one in statements(cell.source)}
        prose = "\n".join(cell.source.replace('"', "'") for cell in shown if cell.cell_type == "markdown")
        assert [one for one in secret if one in code or one in prose] == []

    def test_an_answer_cell_has_the_name_parameters_and_text_of_its_solution(self, source):
        answers, solutions = cells(source, "answer"), cells(source, "solution")
        asked = [name for question in questions(source.stem).values() for name in question.signatures]
        assert list(answers) == list(solutions) == list(dict.fromkeys(asked))
        for name in answers:
            given, solved = (ast.parse(text).body[0] for text in (answers[name], solutions[name]))
            assert given.name == solved.name == name
            assert frame(given) == frame(solved)
            assert any(map(is_unanswered, functions(given)))
            for asked, solution in zip(functions(given), functions(solved), strict=True):
                assert is_unanswered(asked) or ast.dump(asked) == ast.dump(solution)  # a method may be given
                assert not is_unanswered(solution)

    def test_it_states_the_signatures_and_the_points_of_the_checks(self, source):
        text = "\n".join(cell.source for cell in notebook_of(source).cells)
        asked = cells(source, "question")
        total = 0
        for name, question in questions(source.stem).items():
            points = sum(step.points for step in steps(source.stem, name))
            total += points
            assert f"## {name}: {question.title} ({points} points)" in asked[name]
            assert all(f"`{signature}`" in text for signature in question.signatures.values())
            assert f'check("{name}")' in cells(source, "check")[name]
        assert f"{total} points" in text
        assert cells(source, "check")[""] == "check()"
        assert cells(source, "keep")[""].splitlines()[0] == "check.keep()"

    def test_no_question_names_another_by_its_number(self, source):
        """A class may leave that one out (`lessons handout`)."""
        for kind, about, text in cut(source.read_text("utf8")):
            if kind in ("question", "hints"):
                assert set(re.findall(r"\bq\d\b", text)) == {about}, text[:200]

    def test_each_question_has_three_hints_in_steps(self, source):
        for name in questions(source.stem):
            summaries = re.findall(
                r"^:::\{dropdown\} Hint (\d) of (q\d): .", cells(source, "hints")[name], re.MULTILINE
            )
            assert summaries == [("1", name), ("2", name), ("3", name)]
        shown = target(source).read_text("utf8")
        assert shown.count("<details>") == shown.count("</details>") == 3 * len(questions(source.stem))
        assert ":::" not in shown
        assert "<!--" not in shown

    def test_the_lesson_ends_with_the_hints_and_then_the_solution(self, source):
        page = "\n".join(cell.source for cell in jupytext.read(ROOT / "notebooks" / source.name).cells)
        text, found = source.read_text("utf8"), []
        shown = re.compile(rf"```\{{(\w+)\}} \.\./solutions/{source.name}\n((?::[\w-]+: .*\n)+)```")
        for directive, options in shown.findall(page):
            start, end = (re.search(rf':{option}: "(.*)"', options)[1] for option in ("start-after", "end-before"))
            assert text.count(start) == 1
            assert end in text.split(start)[1]
            found.append((directive, start))
        hints = [("include", f"<!-- hints {name} -->") for name in questions(source.stem)]
        solutions = [("literalinclude", f"# %% solution {name}") for name in cells(source, "solution")]
        assert sorted(found) == sorted(hints + solutions)
        assert found[-1] == solutions[-1]

    def test_the_code_in_its_texts_prints_what_they_say(self, source, capsys):
        blocks = re.findall(
            r"^```python\n(.*?)^```", "\n".join(cells(source, "question").values()), re.MULTILINE | re.DOTALL
        )
        assert blocks
        for block in blocks:
            space: dict = {}
            exec("\n".join([*cells(source, "setup").values(), *cells(source, "solution").values()]), space)
            capsys.readouterr()  # whose parts they are
            exec(block, space)
            said = re.search(r"# (.*)$", block.strip())[1]
            assert capsys.readouterr().out.replace("'", "").strip("[]\n") == said

    def test_untouched_it_runs_gives_no_points_and_keeps_nothing(self, source, ran):
        results = [cell.outputs[0].data["text/plain"] for cell in ran.untouched if "check" in tags(cell)]
        assert re.search(r"^\w+: 0 of \d+ points$", results[-1], re.MULTILINE)
        assert results[-1].count("not answered yet") == len(questions(source.stem))
        assert ran.kept_untouched == []

    def test_with_the_solution_pasted_in_it_runs_gives_all_and_keeps_its_parts(self, source, ran):
        solutions = cells(source, "solution")
        checked = [cell.outputs for cell in ran.solved if "check" in tags(cell)]
        (keep,) = (cell for cell in ran.solved if "keep" in tags(cell))
        kept = "".join(output.text for output in keep.outputs)
        assert all(len(outputs) == 1 for outputs in checked)
        assert "→" not in "".join(outputs[0].data["text/plain"] for outputs in checked)
        total = re.match(r"\w+: (\d+) of (\d+) points\n", checked[-1][0].data["text/plain"])
        assert total[1] == total[2]
        assert checked[-1][0].data["text/html"].startswith("<div ")
        assert list(parts.cells(ran.file)) == list(solutions)
        spoken = [name for name in solutions if name in parts.TRANSLATOR]
        if spoken:
            assert (
                f"\nLes petits chats noirs ne dorment pas.\nyour parts in it: {', '.join(spoken)}; the course's" in kept
            )

    def test_the_source_itself_runs_and_gives_all(self, source, ran):
        assert "→" not in ran.source
        assert "10 of 10 points" in ran.source


@dataclass
class Ran:
    """What an exercise gave, untouched, then solved, then as the script that its source is."""

    untouched: list
    kept_untouched: list[str]
    solved: list
    file: str  # `my_translator.py` after it was solved
    source: str


@pytest.fixture(scope="class")
def ran(source, tmp_path_factory):
    """All three in one kernel: it takes longer to start than most exercises to run."""
    folder = tmp_path_factory.mktemp("exercise")
    untouched, solved, solutions = notebook_of(source).cells, notebook_of(source).cells, cells(source, "solution")
    for cell in solved:
        if "answer" in tags(cell):
            cell.source = solutions[tags(cell)[1]]
    listed = nbformat.v4.new_code_cell("import os; print(*os.listdir())")
    script = nbformat.v4.new_code_cell(f"%cd -q {tmp_path_factory.mktemp('script')}\n%run {source}")
    together = [*untouched, listed, *solved, script]
    for number, cell in enumerate(together):
        cell.id = str(number)
    whole = nbformat.v4.new_notebook(cells=together)
    NotebookClient(whole, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return Ran(
        untouched,
        "".join(output.text for output in listed.outputs).split(),
        solved,
        (folder / parts.FILE).read_text("utf8"),
        "".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in script.outputs),
    )


def tags(cell):
    return cell.metadata.get("tags", [])


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    for name in ("SOLUTIONS", "EXERCISES"):
        monkeypatch.setattr(make_exercises, name, tmp_path / name.lower())
    path = tmp_path / "solutions" / "90_tiny.py"
    path.parent.mkdir()
    path.write_text(TINY, "utf8")
    return path


def test_what_becomes_of_each_kind_of_cell(tiny):
    made = notebook_of(tiny).cells
    assert [cell.id for cell in made] == ["text", "install", "setup", "answer-f", "hints-q1", "check", "check-2"]
    assert made[0].source == "# Tiny $\\sqrt{2}$"
    assert made[3].source == "def f(x):\n    raise NotImplementedError"
    assert made[3].metadata == {"tags": ["answer", "f"]}
    details = "<details>\n<summary>Hint {}</summary>\n\n{}\n\n</details>"
    assert made[4].source == details.format("1: a **root**", "One.") + "\n\n" + details.format("2", "Two.")
    assert "For authors" not in exercise(tiny)


def test_a_cell_that_changes_keeps_the_ids_of_the_others(tiny):
    before = notebook_of(tiny)
    tiny.write_text(
        TINY.replace("f(3)", "f(4)").replace("# %% setup\n", "# %% question q1 [markdown]\n# new\n\n# %% setup\n")
    )
    after = notebook_of(tiny)
    assert {cell.id for cell in after.cells} - {cell.id for cell in before.cells} == {"question-q1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# %% check\n", "# %%\n"),
        ("# %% answer f", "# %% stub f"),
        ("# %% solution f", "# %% solution"),
        ("# %% setup", "# %% text"),
        ('"""For authors."""\n\n# %% text [markdown]', "# %% [markdown]"),
    ],
)
def test_a_cell_of_no_known_kind_is_refused(tiny, old, new):
    tiny.write_text(TINY.replace(old, new))
    with pytest.raises(SourceError, match=r"90_tiny.py: a (code|markdown) cell is called '.*'; use one of"):
        exercise(tiny)


def test_check_mode_writes_nothing_and_names_what_is_out_of_date(tiny, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["make_exercises", "--check"])
    with pytest.raises(SystemExit, match=r"out of date: 90_tiny.ipynb; run `make exercises`"):
        main()
    assert not target(tiny).exists()
    monkeypatch.setattr(sys, "argv", ["make_exercises"])
    main()
    assert "90_tiny.ipynb: written" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["make_exercises", "--check"])
    main()
    written = target(tiny).read_bytes()
    target(tiny).write_bytes(written + b" ")
    with pytest.raises(SystemExit, match="out of date"):
        main()
    assert target(tiny).read_bytes() == written + b" "
    assert [path.name for path in target(tiny).parent.iterdir()] == ["90_tiny.ipynb"]


def test_the_first_code_cell_installs_on_colab_and_does_nothing_elsewhere(monkeypatch):
    install = next(cell.source for cell in notebook_of(SOURCES[0]).cells if cell.cell_type == "code")
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: calls.append((command, options)))
    exec(install, {})
    assert calls == []
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    exec(install, {})
    [(command, options)] = calls
    assert command == [sys.executable, "-m", "pip", "install", "--quiet", f"lessons_lib @ git+{repository()}"]
    assert options == {"check": True}
    assert "torch" not in install


CLASS = """
class Layer(nn.Module):
    '''A layer.'''

    def __init__(self, size):
        super().__init__()
        raise NotImplementedError("write it")

    def forward(self, x):
        '''What it does.'''
        raise NotImplementedError
"""


@pytest.mark.parametrize(
    ("old", "new", "unanswered"),
    [
        ("", "", [True, True]),
        ("        super().__init__()\n", "", [True, True]),
        ("raise NotImplementedError\n", "return x\n", [True, False]),
        ("super().__init__()", "self.size = size", [False, True]),
        (
            "        raise NotImplementedError\n",
            "        x = x + 1\n        raise NotImplementedError\n",
            [True, False],
        ),
    ],
)
def test_which_methods_of_a_class_are_unanswered(old, new, unanswered):
    methods = functions(ast.parse(CLASS.replace(old, new, 1)).body[0])
    assert [method.name for method in methods] == ["__init__", "forward"]
    assert [is_unanswered(method) for method in methods] == unanswered


@pytest.mark.parametrize(("old", "new"), [("x)", "y)"), ("nn.Module", "Base"), ("A layer", "B"), ("What", "How")])
def test_the_frame_of_an_answer_sees_what_it_must_share_with_its_solution(old, new):
    given, other = (frame(ast.parse(text).body[0]) for text in (CLASS, CLASS.replace(old, new)))
    assert given != other
    assert given == frame(ast.parse(CLASS.replace("raise NotImplementedError\n", "return x\n")).body[0])
