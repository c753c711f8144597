"""What other hosts read of a repository: Binder, development containers, Dependabot, pre-commit."""

import json
import os
import re
import shlex
import tomllib

import yaml

from tools.lesson_files import ROOT

PINS = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text("utf8").splitlines() if "==" in line)
MAKEFILE = (ROOT / "Makefile").read_text("utf8")


def test_binder_takes_the_same_torch_for_the_cpu_and_a_python_that_the_library_allows():
    asked = [line for line in (ROOT / ".binder/requirements.txt").read_text("utf8").splitlines() if line[0] not in "#-"]
    assert asked == [f"torch=={PINS['torch']}+cpu"]
    assert os.access(ROOT / ".binder/postBuild", os.X_OK)
    python = (ROOT / ".binder/runtime.txt").read_text("utf8").strip().removeprefix("python-")
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["requires-python"]
    assert tuple(map(int, python.split("."))) >= tuple(map(int, lowest.removeprefix(">=").split(".")))[:2]


def test_a_development_container_installs_by_a_task_of_the_makefile():
    said = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf8"))
    make, target = said["postCreateCommand"].split()
    assert make == "make"
    assert re.search(rf"^{target}: ", MAKEFILE, re.MULTILINE)
    assert said["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"] == ".venv/bin/python"


def test_pre_commit_runs_what_make_check_runs():
    said = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf8"))
    hooks = [shlex.split(hook["entry"]) for repo in said["repos"] for hook in repo["hooks"]]
    checks = re.search(r"^check: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
    due = [shlex.split(line.replace("$(python)", ".venv/bin/python")) for line in checks.splitlines()[1:]]
    assert [[word for word in hook if word != "--force-exclude"] for hook in hooks] == [
        [word for word in command if word != "."] for command in due
    ]
    assert {repo["repo"] for repo in said["repos"]} == {"local"}


def test_dependabot_looks_after_the_pins_and_the_actions():
    said = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text("utf8"))
    assert said["version"] == 2
    assert {one["package-ecosystem"] for one in said["updates"]} == {"pip", "github-actions"}
    assert all(one["directory"] == "/" and len(one["groups"]) == 1 for one in said["updates"])
