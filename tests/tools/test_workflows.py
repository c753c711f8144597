"""The workflows: whole, and those for an instructor's repository run as their hosts run them, without the hosts."""

import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest
import yaml
from nbformat import v4, write

from tools.lesson_files import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
VERIFY = ROOT / ".github" / "workflows" / "verify.yml"
GITLAB = ROOT / ".gitlab" / "verify.yml"
ON = True  # what YAML 1.1 reads for the key `on`
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
TOP = {"name", ON, "permissions", "concurrency", "env", "defaults", "jobs"}
JOB = {"name", "if", "needs", "runs-on", "strategy", "container", "environment", "env", "timeout-minutes", "defaults"}
STEP = {"name", "id", "if", "uses", "with", "run", "env", "shell", "working-directory"}


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text("utf8"))


OUR_NAME = read(ROOT / "_config.yml")["repository"]["url"].removeprefix("https://github.com/")
NAMED = re.compile(r"(?:repository: |github\.com/)([\w.-]+/[\w.-]+)")


# ---- what a linter would say


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_known_keys_and_no_script_that_an_input_could_change(path):
    workflow = read(path)
    assert workflow.keys() - TOP == set()
    for job in workflow["jobs"].values():
        assert job.keys() - JOB == {"steps"}
        assert "runs-on" in job
        for step in job["steps"]:
            assert step.keys() - STEP == set()
            assert len({"uses", "run"} & step.keys()) == 1
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_inputs_of_a_workflow_are_declared_and_used(path):
    triggers = read(path)[ON]
    declared = [one["inputs"] for one in triggers.values() if isinstance(one, dict) and "inputs" in one]
    found = set(re.findall(r"inputs\.(\w+)", path.read_text("utf8")))
    for inputs in declared:
        assert inputs.keys() == found
        assert [name for name, one in inputs.items() if one["type"] != "string" or not one["description"]] == []
    assert bool(found) == any(declared)


def test_who_calls_and_who_starts_by_hand_gives_the_same_inputs():
    triggers = read(VERIFY)[ON]
    assert triggers["workflow_call"] == triggers["workflow_dispatch"]


def test_the_page_calls_them_with_what_they_have():
    page = (ROOT / "book" / "teaching.md").read_text("utf8")
    called, included = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "verify.yml" in block
    )
    (job,) = called["jobs"].values()
    assert job["uses"] == f"{OUR_NAME}/{VERIFY.relative_to(ROOT)}@main"
    assert job["with"].keys() <= read(VERIFY)[ON]["workflow_call"]["inputs"].keys()
    assert included["include"]["remote"].endswith(f"/{OUR_NAME}/main/{GITLAB.relative_to(ROOT)}")
    (name,) = read(GITLAB)
    assert included[name]["variables"].keys() <= read(GITLAB)[name]["variables"].keys()


def test_they_name_this_repository():
    for path in (VERIFY, GITLAB):
        assert set(NAMED.findall(path.read_text("utf8"))) == {OUR_NAME}


# ---- run


def small_lesson(path: Path, stored: str) -> None:
    cell = v4.new_code_cell("print(6 * 7)", execution_count=1)
    cell.outputs = [v4.new_output("stream", name="stdout", text=stored)]
    path.parent.mkdir(exist_ok=True)
    write(v4.new_notebook(cells=[cell]), path)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """The repository of the course: all that its package is made of, and one small lesson."""
    folder = tmp_path_factory.mktemp("hub") / "course"
    folder.mkdir()
    for name in (
        "pyproject.toml",
        "setup.py",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "LICENSE-prose",
        "requirements.txt",
    ):
        shutil.copy(ROOT / name, folder)
    for name in ("lessons_lib", "solutions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    small_lesson(folder / "notebooks" / "01_small.ipynb", "42\n")
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.fixture
def mine(tmp_path) -> Path:
    """The repository of a class: two lessons, one of them edited, and what pip shall install beside."""
    folder = tmp_path / "class"
    folder.mkdir()
    small_lesson(folder / "ours" / "01_small.ipynb", "42\n")
    small_lesson(folder / "ours" / "02_edited.ipynb", "43\n")
    (folder / "pip.txt").write_text("numpy>=1\n", "utf8")
    return folder


@pytest.fixture
def variables(tmp_path) -> dict[str, str]:
    """What both hosts set; a fresh Python, as they have, whose pip finds this environment's packages and no index."""
    python = tmp_path / "python"
    venv.create(python, with_pip=False)
    (packages,) = python.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf8")
    pip = python / "bin" / "pip"
    flags = "-q --no-compile --no-index --no-build-isolation --disable-pip-version-check"
    pip.write_text(f'#!/bin/sh -e\ntest "$1" = install\nshift\necho "$@" >> {tmp_path}/asked\n')
    with pip.open("a") as script:
        script.write(f'exec {python}/bin/python -m pip install {flags} "$@"\n')
    pip.chmod(0o755)
    return {"CI": "true", "HOME": str(tmp_path), "PATH": f"{python}/bin:{os.defpath}:/usr/local/bin", "LANG": "C.UTF-8"}


def shell(script: str, folder: Path, environment: dict[str, str]) -> int:
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL).returncode


def on_github(inputs: dict[str, str], course: Path, mine: Path, variables: dict[str, str], folder: Path) -> int:
    """Run the job of the workflow, step by step; the exit code of the first step that fails, or 0."""
    workflow = read(VERIFY)
    given = {name: one["default"] for name, one in workflow[ON]["workflow_call"]["inputs"].items()} | inputs
    (job,) = workflow["jobs"].values()
    assert job["defaults"]["run"]["shell"] == "bash"  # with pipefail; GitHub's default is without

    def filled(texts: dict) -> dict[str, str]:
        return {k: EXPRESSION.sub(lambda one: given[one[1].removeprefix("inputs.")], v) for k, v in texts.items()}

    summary = folder / "summary.md"
    host = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(folder), "GITHUB_STEP_SUMMARY": str(summary)}
    for step in job["steps"]:
        options = filled(step.get("with", {}))
        if step.get("uses", "").startswith("actions/checkout@"):
            shutil.copytree(course if options.get("repository") == OUR_NAME else mine, folder / options["path"])
        elif "run" in step:
            code = shell(step["run"], folder, variables | host | filled(job["env"]) | filled(step.get("env", {})))
            if code:
                return code
    return 0


def on_gitlab(changed: dict[str, str], course: Path, mine: Path, variables: dict[str, str], folder: Path) -> int:
    """Run the job in a checkout of the class; its exit code. Git finds the course here in place of its address."""
    (job,) = read(GITLAB).values()
    shutil.copytree(mine, folder, dirs_exist_ok=True)
    address = {
        "GIT_CONFIG_KEY_0": f"url.file://{course}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{OUR_NAME}",
    }
    host = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(folder), "GIT_CONFIG_COUNT": "1"}
    return shell("\n".join(job["script"]), folder, variables | host | address | job["variables"] | changed)


def test_github_verifies_the_lessons_of_a_class(course, mine, variables, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    inputs = {"notebooks": "ours", "requirements": "pip.txt", "torch": torch_version()}
    assert on_github(inputs, course, mine, variables, folder) == 1
    assert (tmp_path / "asked").read_text() == f"./course[verify] -r mine/pip.txt torch=={torch_version()}\n"
    summary = (folder / "summary.md").read_text("utf8")
    assert "01_small: as stored" in summary
    assert "02_edited: 1 difference" in summary
    assert "      stored: 43\n      now:    42\n" in summary
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert on_github({"lessons": "1"}, course, mine, variables, folder) == 0
    assert "1 of 1 lesson as stored" in (folder / "summary.md").read_text("utf8")


def test_gitlab_verifies_the_lessons_of_a_class(course, mine, variables, tmp_path):
    changed = {"NOTEBOOKS": "ours", "REQUIREMENTS": "pip.txt", "TORCH": torch_version()}
    assert on_gitlab(changed, course, mine, variables, tmp_path / "one") == 1
    assert (tmp_path / "asked").read_text() == f"./.course[verify] -r pip.txt torch=={torch_version()}\n"
    assert "02_edited: 1 difference" in (tmp_path / "one" / "verify.txt").read_text("utf8")
    assert on_gitlab({"LESSONS": "1"}, course, mine, variables, tmp_path / "two") == 0
    (job,) = read(GITLAB).values()
    (kept,) = job["artifacts"]["paths"]
    assert "1 of 1 lesson as stored" in (tmp_path / "two" / kept).read_text("utf8")


def torch_version() -> str:
    import torch

    return torch.__version__.partition("+")[0]
