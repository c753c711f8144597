"""`lessons handout` whole: a class's copy and its graders, each run as its host runs it, without the host."""

import base64
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
import zlib
from pathlib import Path

import nbformat
import pytest
import yaml

from lessons_lib.cli import main
from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.edition import COURSE, Edition
from lessons_lib.grading.reference import cut, solutions
from lessons_lib.handout.autograders import read_me
from lessons_lib.handout.students import course_address, without_colab
from tools.lesson_files import ROOT

CLASS = """
name = "A class & its <course>"
address = "https://github.com/a-university/transformers"
branch = "spring"
lessons = "3, 1"

[points]
3.q1 = 6
3.q3 = 0
"""
LESSON = "03_multi_head_attention"
OLD = course_address(ROOT)[0].removeprefix("https://github.com/")
TEXTS = {".py", ".md", ".ipynb", ".yml", ".toml", ".html", ".txt", ".js"}


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """The folder that a class gets."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "class.toml").write_text(CLASS, "utf8")
    assert main(["handout", "--class", str(folder / "class.toml"), "--out", str(folder / "CLASS")]) == 0
    return folder / "CLASS"


def run(*command, cwd, **environment):
    """A command of somebody who has Python's packages, but not this checkout, and no network."""
    paths = {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_INDEX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **paths, **environment}, capture_output=True, text=True, timeout=300
    )


def answered(to: Path, wrong: bool = False) -> None:
    """Hand in exercise 3: the solutions, or with heads that are split along the wrong axis."""
    cells = [text for kind, _, text in cut((ROOT / "solutions" / f"{LESSON}.py").read_text("utf8")) if kind != "check"]
    text = "\n\n".join(text for text in cells if not text.startswith(('r"""', "raise")))
    if wrong:
        text = text.replace("x.unflatten(", "x.flip(-1).unflatten(")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)]), to)


@pytest.fixture(scope="module")
def environment(handed, tmp_path_factory):
    """What Gradescope has after the setup: the zip unpacked, and what setup.sh makes."""
    root = tmp_path_factory.mktemp("autograder")
    for name in ("source", "submission", "results"):
        (root / name).mkdir()
    with zipfile.ZipFile(handed / f"autograders/gradescope/{LESSON}.zip") as archive:
        for entry in archive.infolist():
            archive.extract(entry, root / "source")
            (root / "source" / entry.filename).chmod(entry.external_attr >> 16)
    done = run("sh", "setup.sh", cwd=root / "source", AUTOGRADER=str(root))
    assert done.stdout.splitlines()[-1].startswith("lessons "), done.stderr
    return root


class TestStudents:
    def test_no_file_shows_a_solution(self, handed):
        bodies = [
            text.partition('"""\n')[2].partition('"""\n')[2] or text
            for path in sorted((ROOT / "solutions").glob("*.py"))
            for kind, _, text in cut(path.read_text("utf8"))
            if kind == "solution"
        ]
        ends = {"\n".join(body.strip().splitlines()[-3:]) for body in bodies}
        assert len(ends) > 30
        with zipfile.ZipFile(next((handed / "for_students").glob("*.whl"))) as wheel:
            seen = [wheel.read(name).decode("utf8", "replace") for name in wheel.namelist()]
        seen += [path.read_text("utf8") for path in handed.rglob("*") if path.suffix in TEXTS and path.is_file()]
        assert len(seen) > 300
        library = "\n".join(path.read_text("utf8") for path in (ROOT / "lessons_lib").rglob("*.py"))
        assert [end for end in ends if end not in library and any(end in text for text in seen)] == []

    def test_its_address_its_branch_and_its_name_are_everywhere(self, handed):
        students = handed / "students"
        texts = {path: path.read_text("utf8") for path in students.rglob("*") if path.suffix in TEXTS}
        old = {path.relative_to(students).as_posix() for path, text in texts.items() if OLD in text}
        assert old == {"README.md", "_config.yml", "book/welcome.md"}  # where the course itself is named
        assert texts[students / "_config.yml"].count(OLD) == 1
        exercise = texts[students / f"exercises/{LESSON}.ipynb"]
        assert "git+https://github.com/a-university/transformers@spring" in exercise
        for ending in ("py", "ipynb"):
            lesson = texts[students / f"notebooks/{LESSON}.{ending}"]
            assert "git+https://github.com/a-university/transformers@spring" in lesson
            assert f"github/a-university/transformers/blob/spring/exercises/{LESSON}.ipynb" in lesson
        config = yaml.safe_load(texts[students / "_config.yml"])
        assert (
            config["title"] == config["sphinx"]["config"]["html_theme_options"]["logo"]["text"] == CLASS.split('"')[1]
        )
        assert config["repository"] == {"url": "https://github.com/a-university/transformers", "branch": "spring"}

    def test_it_has_the_lessons_asked_for_in_their_order(self, handed):
        students = handed / "students"
        toc = re.findall(r"file: notebooks/(\d\d)", (students / "_toc.yml").read_text("utf8"))
        assert toc == ["00", "03", "01"]
        assert sorted(path.name[:2] for path in (students / "exercises").iterdir()) == ["01", "03"]
        welcome = (students / "book/welcome.md").read_text("utf8")
        assert f"This class has 3 of the 14 lessons of [{COURSE}]" in welcome
        assert "\n# A class & its <course>\n" in welcome
        rows = re.findall(r"^\| (\d+) \|", welcome, re.MULTILINE)
        assert rows == ["0", "1", "3"]

    def test_outputs_are_the_courses_and_exercises_have_the_points_of_the_class(self, handed):
        for name in ("01_self_attention", LESSON):
            both = [nbformat.read(root / f"notebooks/{name}.ipynb", 4) for root in (ROOT, handed / "students")]
            ours, theirs = ([cell.outputs for cell in each.cells if cell.cell_type == "code"] for each in both)
            assert ours == theirs
        exercise = (handed / f"students/exercises/{LESSON}.ipynb").read_text("utf8")
        assert "# Edition: A class & its <course>" in exercise
        assert "(6 points)" in exercise
        assert "minutes, 10 points" in exercise
        assert 'check(\\"q3\\")' not in exercise
        assert "## q3" not in exercise
        assert "the solution is" not in exercise

    def test_a_push_publishes_its_site(self, handed):
        (workflow,) = (handed / "students/.github/workflows").iterdir()
        read = yaml.safe_load(workflow.read_text("utf8"))
        assert "push" in read[True]  # YAML 1.1 reads `on` so
        runs = [step["run"] for step in read["jobs"]["deploy"]["steps"] if "run" in step]
        assert runs == ["make book pdf epub"]
        makefile = (handed / "students/Makefile").read_text("utf8")
        recipes = dict(re.findall(r"^(\w+):.*\n((?:\t.*\n)+)", makefile, re.MULTILINE))
        assert {"book", "pdf", "epub"} <= recipes.keys()
        assert "tools.chromium" in recipes["pdf"]
        assert not re.search("chromium|build_book|check", recipes["test"])

    def test_check_counts_as_the_class_does(self, handed):
        code = f"""
from lessons_lib.grading.edition import asked
from lessons_lib.grading.notebook import Check
from lessons_lib.grading.reference import solutions
mine = {{"__name__": "mine"}}
for name in ("split_heads", "merge_heads", "MultiHeadAttention"):
    exec(solutions()[name], mine)
check = Check()
check.open("{LESSON}")
print([(one.question, one.points, one.total) for one in check(namespace=mine).results])
"""
        done = run(sys.executable, "-c", code, cwd=handed / "students", PYTHONPATH=str(handed / "students"))
        assert done.stdout.splitlines()[-1] == "[('q1', 6, 6), ('q2', 4, 4)]", done.stderr

    def test_its_site_is_built_and_every_link_in_it_leads_somewhere(self, handed):
        students = handed / "students"
        done = run(sys.executable, "-m", "tools.build_book", cwd=students, PYTHONPATH=str(students))
        assert done.returncode == 0, done.stdout + done.stderr
        site = students / "_build/html"
        assert (site / ".nojekyll").exists()
        pages = {page.relative_to(site).as_posix(): page.read_text("utf8") for page in site.rglob("*.html")}
        assert "notebooks/03_multi_head_attention.html" in pages
        assert "notebooks/02_query_key_value.html" not in pages
        for name, text in pages.items():
            for link in re.findall(r'(?<!<base )(?:href|src)="([^"#?]+)', text):
                if not re.match(r"\w+:|//|\.\./course\.(pdf|epub)$", link):  # these two are made after it
                    assert not link.startswith("/"), (name, link)  # it may lie below any address
                    assert (site / name).parent.joinpath(link).exists(), (name, link)
        assert 'content="https://github.com/a-university/transformers@spring"' in pages["book/welcome.html"]
        assert "A class &amp; its &lt;course&gt;" in pages["index.html"]
        assert "Solution of question" not in "".join(pages.values())


class TestGraders:
    def grade(self, root):
        done = run(root / "source/run_autograder", cwd="/", AUTOGRADER=str(root))
        assert done.returncode == 0, done.stderr
        return json.loads((root / "results/results.json").read_text("utf8"))

    def test_gradescope_gets_points_a_question_and_their_sum(self, environment):
        answered(environment / "submission/mine.ipynb")
        (environment / "submission/mine.ipynb").rename(environment / f"submission/{LESSON} (1).ipynb")
        result = self.grade(environment)
        assert (result["score"], [test["max_score"] for test in result["tests"]]) == (10, [6, 4])
        answered(environment / f"submission/{LESSON} (1).ipynb", wrong=True)
        result = self.grade(environment)
        assert 0 <= result["score"] < 10
        assert result["score"] == sum(test["score"] for test in result["tests"])
        assert "→" in result["tests"][0]["output"]

    def test_gradescope_is_told_when_nothing_can_be_graded(self, environment):
        for path in (environment / "submission").iterdir():
            path.unlink()
        (environment / "submission/essay.txt").write_text("nothing", "utf8")
        result = self.grade(environment)
        assert result["score"] == 0
        assert "holds no hand-in" in result["output"]

    def test_github_classroom_gets_them_from_its_workflow(self, handed, environment, tmp_path):
        template = handed / "autograders/github_classroom"
        workflow = yaml.safe_load((template / ".github/workflows/classroom.yml").read_text("utf8"))
        (job,) = workflow["jobs"].values()
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        paths = {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(tmp_path)}
        paths |= {"PATH": f"{environment / 'lessons/bin'}:{os.environ['PATH']}"}
        for step in job["steps"]:
            if "run" in step:
                done = run("bash", "-e", "-c", step["run"], cwd=template, **paths)
                assert done.returncode == 0, done.stderr
        result = files["GITHUB_OUTPUT"].read_text("utf8").removeprefix("result=")
        told = json.loads(base64.b64decode(result))
        assert (sum(test["score"] for test in told["tests"]), told["max_score"]) == (0, 20)  # untouched
        assert told["status"] == "fail"
        assert told["tests"][0]["message"] != ""
        assert "q1" in files["GITHUB_STEP_SUMMARY"].read_text("utf8")
        reporter = job["steps"][-1]
        assert reporter["with"]["runners"] == "lessons"
        assert set(reporter["env"]) == {"LESSONS_RESULTS"}
        assert "steps.lessons.outputs.result" in reporter["env"]["LESSONS_RESULTS"]


@pytest.mark.parametrize(("host", "told"), [("git.a-school.example", "gitlab"), ("gitlab.com", None)])
def test_a_host_that_the_theme_does_not_know_is_told_and_colab_is_gone(tmp_path, host, told):
    """Without it the theme stops the site's build."""
    text = (ROOT / "_config.yml").read_text("utf8").replace("https://github.com/", f"https://{host}/")
    (tmp_path / "_config.yml").write_text(text, "utf8")
    without_colab(tmp_path)
    config = yaml.safe_load((tmp_path / "_config.yml").read_text("utf8"))
    assert config["sphinx"]["config"]["html_theme_options"].get("repository_provider") == told
    assert "launch_buttons" not in config


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--lessons", "1-20"], "the command line: lessons = '1-20': there is no exercise 14; they are 1 to 13"),
            (["--address", "here"], "the command line: address = 'here' is no repository"),
            (["--course", "/"], "/ is no checkout of the course; clone it"),
            (["--class", "/nowhere.toml"], "/nowhere.toml: No such file"),
        ],
    )
    def test_an_error_is_one_line_and_nothing_is_written(self, tmp_path, capsys, arguments, told):
        assert main(["handout", "--out", str(tmp_path / "new/CLASS"), *arguments]) == 2
        assert told in capsys.readouterr().err
        assert not (tmp_path / "new").exists()

    def test_what_is_there_stays(self, handed, capsys):
        before = sorted(handed.rglob("*"))
        assert main(["handout", "--out", str(handed)]) == 2
        assert "is there already; give a new folder for --out" in capsys.readouterr().err
        assert sorted(handed.rglob("*")) == before

    def test_a_copy_is_not_made_of_a_copy(self, handed, tmp_path, capsys):
        assert main(["handout", "--out", str(tmp_path / "x"), "--course", str(handed / "students")]) == 2
        assert "was itself handed out" in capsys.readouterr().err

    def test_what_to_do_is_said_whatever_the_class_is_called(self):
        elsewhere = Edition("A --- {class}", "https://git.a-school.example/x/y")
        said = read_me(elsewhere, "https://github.com/the/course", solutions=True)
        assert said.startswith("A --- {class}: a class's copy")
        assert "Colab opens notebooks from GitHub only" in said
        assert "What could not" not in said
        assert "No address" in read_me(Edition(), "https://github.com/the/course", solutions=False)

    def test_what_could_not_be_hidden_is_said(self, handed):
        said = (handed / "READ_ME.txt").read_text("utf8")
        assert "---" not in said
        assert "What could not" in said
        assert "No address" not in said
        packed = (handed / "students/lessons_lib/grading/parts.json.z").read_bytes()
        assert json.loads(zlib.decompress(packed)) == solutions()
        assert {name for q in questions(LESSON).values() for name in q.signatures} <= solutions().keys()
