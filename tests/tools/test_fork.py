"""The course under another address, branch and name: nothing names the old ones, and its own tests of that agree."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lessons_lib.grading.edition import COURSE
from lessons_lib.handout.students import course_address
from tools.fork import KEPT, main, moved
from tools.lesson_files import ROOT

NEW = "https://github.com/a-university/transformers-2"
NAME = "Transformers, in the spring"
OLD = course_address(ROOT)
OWNER_AND_NAME = OLD[0].removeprefix("https://github.com/")


def git(folder: Path, *command: str) -> str:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *author, *command], cwd=folder, check=True, capture_output=True, text=True).stdout


def fork(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tools.fork", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of all that git keeps, in a repository of its own."""
    folder = tmp_path_factory.mktemp("fork") / "course"
    for name in filter(None, git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "the course")
    return folder


def texts(folder: Path) -> dict[str, str]:
    found = {}
    for name in filter(None, git(folder, "ls-files", "-z").split("\0")):
        try:
            found[name] = (folder / name).read_text("utf8")
        except UnicodeDecodeError:
            continue
    return found


def test_one_command_gives_the_course_another_home(course):
    done = fork(course, f"{NEW}.git", "--branch", "spring", "--name", NAME)
    assert done.returncode == 0, done.stderr
    found = texts(course)
    assert len(found) > 400
    assert [name for name, text in found.items() if OWNER_AND_NAME in text and name not in KEPT] == []
    named = {name for name, text in found.items() if COURSE in text.replace(f"{COURSE} authors", "")}
    assert named <= {*KEPT}
    assert (course / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    said = yaml.safe_load(found["_config.yml"])
    assert (said["title"], said["repository"]) == (NAME, {"url": NEW, "branch": "spring"})
    assert (
        f"{NEW.removeprefix('https://github.com')}/blob/spring/notebooks/01_self_attention.ipynb" in found["README.md"]
    )
    installed = "".join(json.loads(found["notebooks/01_self_attention.ipynb"])["cells"][1]["source"])
    assert f"git+{NEW}@spring" in installed
    checks = ["tests/tools/test_workflows.py", "tests/tools/test_notebooks.py", "tests/handout/test_texts.py"]
    words = "name_this_repository or link_to_the_repository or colab_link or address_changes"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", *checks, "-k", words]
    tested = subprocess.run(
        command, cwd=course, env={**os.environ, "PYTHONPATH": str(course)}, capture_output=True, text=True
    )
    assert tested.returncode == 0, tested.stdout


def test_what_is_not_committed_is_not_mixed_with_it(course):
    (course / "README.md").write_text("mine", "utf8")
    done = fork(course, NEW)
    assert done.returncode != 0
    assert "not committed" in done.stderr
    assert (course / "README.md").read_text("utf8") == "mine"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["transformers"], "transformers is no repository; write it as https://"),
        ([NEW, "--branch=-x y"], "is no branch"),
        ([NEW, "--name", 'A "name"'], "'\"' may not be in it"),
        ([NEW, "--name", " "], "can be no name"),
    ],
)
def test_what_cannot_be_is_named(command, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fork", *command])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert said in capsys.readouterr().err


def test_the_authors_stay_whoever_forks():
    text = f"{COURSE}, by {COURSE} authors: {OLD[0]}, git+{OLD[0]}"
    due = f"{NAME}, by {COURSE} authors: {NEW}, git+{NEW}@b"
    assert moved(text, OLD, (NEW, "b"), NAME) == due
