"""What `make` calls: it finds what it needs or says what to run, does nothing twice, fails when something is wrong."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import build_book, chromium, firefox, pins
from tools.lesson_files import ROOT

BROKEN_PAGE = "# A page\n\nSee {term}`no such term`.\n"


def run(*command, **variables) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True)


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


# ---- pins ----


def test_every_requirement_is_pinned_at_a_version_that_it_allows():
    lines = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pinned.items()}
    for requirement in map(Requirement, pins.asked()):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)


def test_the_website_asks_for_no_torch_and_not_for_the_library():
    book = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["optional-dependencies"]["book"]
    assert not {"torch", "lessons-lib", "numpy"} & {canonicalize_name(Requirement(one).name) for one in book}


# ---- finding Python and Chromium ----


def test_a_python_that_is_too_old_is_refused_with_its_version(tmp_path):
    old = program(tmp_path, "python", 'test "$1" = --version && echo "Python 3.9.2" && exit 0; exit 1')
    found = run("sh", "tools/find_python.sh", PYTHON=str(old))
    assert found.returncode == 1
    assert "Python 3.11 or newer" in found.stderr
    assert "Python 3.9.2" in found.stderr
    assert "make PYTHON=" in found.stderr


def test_a_python_that_is_new_enough_is_found():
    found = run("sh", "tools/find_python.sh", PYTHON="")
    assert found.returncode == 0
    assert Path(found.stdout.strip()).exists()


def test_the_chromium_that_is_named_is_taken(tmp_path, monkeypatch):
    browser = program(tmp_path, "my-browser", "exit 0")
    monkeypatch.setenv("CHROMIUM", str(browser))
    assert chromium.find() == str(browser)
    assert chromium.launch_options()["executable_path"] == str(browser)


def test_a_missing_chromium_says_what_to_run(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/no/such/chromium")
    with pytest.raises(RuntimeError, match="sudo apt-get install chromium"):
        chromium.launch_options()


# What a browser does with the pages that tools.firefox hands out: it tells what is wrong with b.html, and goes on.
BROWSER = """
import sys
from urllib.parse import urljoin
from urllib.request import urlopen
first = address = sys.argv[-1]
while address != "about:blank":
    page = urlopen(address).read().decode()
    wrongs = b'["e is not defined"]' if "<title>b" in page and "<head><script>" in page else b"[]"
    address = urljoin(first, urlopen(urljoin(first, "/told"), wrongs).read().decode())
"""


def test_firefox_looks_at_every_page_with_a_widget_and_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(firefox, "SITE", tmp_path)
    (tmp_path / "browser.py").write_text(BROWSER)
    browser = program(tmp_path, "firefox", f'exec "{sys.executable}" "{tmp_path}/browser.py" "$@"')
    for name, text in {"a": '<div class="widget-output">', "b": '<div class="widget-output">', "c": ""}.items():
        (tmp_path / f"{name}.html").write_text(f"<!doctype html><html><head><title>{name}</title></head>{text}</html>")
    with pytest.raises(SystemExit) as end:
        firefox.main(str(browser))
    assert capsys.readouterr().out == "a.html\n  works\nb.html\n  e is not defined\n"
    assert end.value.code == 1
    (tmp_path / "b.html").unlink()
    with pytest.raises(SystemExit) as end:
        firefox.main(str(browser))
    assert end.value.code == 0
    with pytest.raises(SystemExit, match="no Firefox here; install one, or give its path"):
        firefox.main(str(tmp_path / "none"))


# ---- make ----


def test_help_names_every_task():
    makefile = (ROOT / "Makefile").read_text("utf8")
    tasks = re.search(r"\.PHONY: (.*)", makefile).group(1).split()
    shown = run("make", "help").stdout
    assert [task for task in tasks if f"make {task} " not in shown] == []


# ---- building the site ----


@pytest.fixture
def small_site(tmp_path, monkeypatch):
    """The course's configuration with its pages but no lessons, in a folder of its own."""
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "_config.yml", tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/references\nchapters:\n- file: book/page\n")
    (tmp_path / "book" / "page.md").write_text("# A page\n\nIt says something.\n")
    for name, path in {"ROOT": "", "BUILD": "_build", "INDEX": "_build/html/index.html"}.items():
        monkeypatch.setattr(build_book, name, tmp_path / path)
    monkeypatch.setattr(build_book, "MANIFEST", tmp_path / "_build" / "sources.json")
    return tmp_path


def test_a_second_build_does_nothing_and_a_removed_page_goes(small_site, capsys):
    page = small_site / "_build" / "html" / "book" / "page.html"
    build_book.build()
    assert page.exists()
    build_book.build()
    assert capsys.readouterr().out.endswith("The site is up to date.\n")
    (small_site / "book" / "page.md").unlink()
    (small_site / "_toc.yml").write_text("format: jb-book\nroot: book/references\n")
    build_book.build()
    assert not page.exists()


def test_a_term_is_found_still_when_another_page_has_changed(small_site):
    (small_site / "book" / "terms.md").write_text("# Terms\n\n```{glossary}\nhead\n  Attention of its own.\n```\n")
    toc = small_site / "_toc.yml"
    toc.write_text(toc.read_text() + "- file: book/terms\n")
    index = small_site / "_build" / "html" / "searchindex.js"
    build_book.build()
    assert '"term-head"' in index.read_text("utf8")
    (small_site / "book" / "page.md").write_text("# A page\n\nIt says something else.\n")
    build_book.build()
    assert '"term-head"' in index.read_text("utf8")


def test_a_warning_fails_the_build(small_site, capfd):
    (small_site / "book" / "page.md").write_text(BROKEN_PAGE)
    with pytest.raises(SystemExit, match="not built"):
        build_book.build()
    assert "no such term" in capfd.readouterr().err
    with pytest.raises(SystemExit, match="not built"):
        build_book.build()


# What Colab's image held in August 2026, of what the library stands on: pip must find it good enough and replace none.
COLAB = {"anywidget": "0.9.21", "ipywidgets": "7.7.1", "numpy": "2.1.3", "torch": "2.11.0"}


def test_nothing_that_colab_has_is_replaced():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    extras = project["optional-dependencies"]["colab"]
    asked = {one.name: one.specifier for one in map(Requirement, [*project["dependencies"], *extras])}
    assert {name: version for name, version in COLAB.items() if version not in asked[name]} == {}
    assert "3.13" in SpecifierSet(project["requires-python"])
