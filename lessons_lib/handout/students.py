"""The copy of the course that a class gets: its lessons, in its order, at its address, without solutions."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.files import write_whole
from lessons_lib.grading import reference
from lessons_lib.grading.drive.run import LESSONS, questions
from lessons_lib.grading.edition import COURSE, Edition
from lessons_lib.grading.judge.verdict import declared
from lessons_lib.handout import texts

# What a class's repository has of the course. Tests, benchmarks and studies' sources stay with the course.
COPIED = (
    *("notebooks", "exercises", "solutions", "book", "lessons_lib", "tools", ".gitignore", "_config.yml", "_toc.yml"),
    *("pyproject.toml", "setup.py", "MANIFEST.in", "requirements.txt", "Makefile", "LICENSE", "LICENSE-prose"),
    "CITATION.cff",
)
NEVER = shutil.ignore_patterns(
    "__pycache__", ".*_cache", ".*_checkpoints", "*.egg-info", ".*.partial", "my_translator*", "runs"
)
TEXTS = {".py", ".md", ".ipynb", ".yml", ".toml", ".cff", ".html", ".js"}
STEPS = 3
FILES = Path(__file__).with_name("files")
START = "00_start_here"  # has no exercise, and the page of the translator shows its widget: every class has it
FOR_WHO_TEACHES = ("book/teaching",)
TARGETS = {
    "book",
    "serve",
    "pdf",
    "epub",
    "install",
    "test",
    "lessons",
    "exercises",
    "clean",
    "help",
}  # of the Makefile


def make(course: Path, edition: Edition, to: Path, solutions: bool, tell: Callable[[str], None]) -> None:
    """Write the class's copy of a checkout into the new folder ``to``.

    Args:
        solutions: whether they may stay.
        tell: is told what is done, step by step.

    Raises:
        UserError: a text of the course is not as it was, or a tool of the course fails.
    """
    tell("copying")
    for name in COPIED:
        source, target = course / name, to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=NEVER)
        else:
            shutil.copy(source, target)
    tell("cutting lessons and questions")
    chosen = lessons(course, edition)
    for folder, keeps in (("notebooks", [START, *chosen]), ("exercises", chosen), ("solutions", chosen)):
        for path in (to / folder).glob("[0-9][0-9]_*"):
            if path.stem not in keeps:
                path.unlink()
    for name in chosen:
        cut_exercise(to, name, edition, solutions)
    for page in FOR_WHO_TEACHES:
        (to / f"{page}.md").unlink()
    if not solutions:
        _edit(to / "book/how_to_use.md", texts.without_their_place)
    if edition.address:
        _move(to, course_address(course), (edition.address, edition.branch))
        if not edition.on_github:
            without_colab(to)
    _pages(to, [START, *chosen], edition, course_address(course)[0])
    write_whole(to / "lessons_lib/grading/edition.toml", points_toml(edition))
    tell("writing notebooks and exercises anew")
    for tool in ("make_lessons", "make_exercises"):
        _run(to, "-m", f"tools.{tool}")
    write_whole(to / "lessons_lib/grading" / reference.PACKED, pack())
    if not solutions:
        for path in (to / "solutions").glob("*.py"):
            write_whole(path, texts.without_solutions(path.read_text("utf8")))
    for path in to.rglob("__pycache__"):
        shutil.rmtree(path)


def lessons(course: Path, edition: Edition) -> list[str]:
    """The names of the class's lessons, in its order."""
    every = {int(path.stem[:2]): path.stem for path in sorted((course / "solutions").glob("[0-9][0-9]_*.py"))}
    return [every[number] for number in edition.lessons or every]


def course_address(course: Path) -> tuple[str, str]:
    """The address and the branch of the course's repository, from the one place where they stand."""
    text = (course / "_config.yml").read_text("utf8")
    return tuple(re.search(rf"^  {key}: (\S+)$", text, re.MULTILINE)[1] for key in ("url", "branch"))


def cut_exercise(to: Path, name: str, edition: Edition, solutions: bool) -> None:
    """The source of an exercise and the lesson's exercise room, as the class has them."""
    asked = {question: tuple(declared.signatures) for question, declared in questions(name).items()}
    left_out = [question for question in asked if edition.left_out(name, question)]
    points = {question: total(name, question, edition) for question in asked if question not in left_out}
    source, lesson = to / "solutions" / f"{name}.py", to / "notebooks" / f"{name}.py"
    text = texts.without_questions(source.read_text("utf8"), asked, left_out) if left_out else source.read_text("utf8")
    if not solutions:
        text = texts.without_their_place(text)
    write_whole(source, texts.with_points(text, points))
    write_whole(lesson, texts.lesson_for(lesson.read_text("utf8"), points, left_out, solutions))


def total(name: str, question: str, edition: Edition) -> int:
    """The points of a question in this class."""
    given = edition.points.get(int(name[:2]), {}).get(question)
    return sum(step.points for step in declared(name, question)) if given is None else given


def points_toml(edition: Edition) -> str:
    """The edition as a file that `edition.read` reads."""
    lines = [f"name = {json.dumps(edition.name, ensure_ascii=False)}"]
    lines += [f'address = "{edition.address}"', f'branch = "{edition.branch}"'] if edition.address else []
    lines += [f'lessons = "{",".join(map(str, edition.lessons))}"'] if edition.lessons else []
    lines += ["", "[points]"]
    lines += [f"{n}.{question} = {points}" for n, each in edition.points.items() for question, points in each.items()]
    return "\n".join(lines) + "\n"


def pack() -> bytes:
    """The course's own parts, which `check` needs, in a form in which nobody reads them by accident."""
    return zlib.compress(json.dumps(reference.solutions()).encode(), 9)


def _pages(to: Path, there: list[str], edition: Edition, address: str) -> None:
    """The table of contents, the links and the list of lessons, the name of the course, and where it is from."""
    _edit(to / "_toc.yml", lambda text: contents(text, there))
    for path in [*to.glob("book/*.md"), *to.glob("notebooks/*.py"), *to.glob("solutions/*.py")]:
        _edit(path, lambda text: texts.without_links(text, there))
    _edit(to / "book/how_to_use.md", lambda text: texts.without_section(text, "Teach with it"))
    missing = len(LESSONS) + 1 - len(there)
    if missing:
        note = f"This class has {len(there)} of the {len(LESSONS) + 1} lessons of [{COURSE}]({address})."
        _edit(
            to / "book/welcome.md",
            lambda text: texts.after(
                text, f"\n# {COURSE}\n", f"\n*{note} Where a text names others, they are there.*\n"
            ),
        )
    _edit(to / "book/welcome.md", lambda text: text.replace(f"\n# {COURSE}\n", f"\n# {edition.name}\n"))
    _edit(
        to / "_config.yml",
        lambda text: text.replace("Code: MIT.", f"Code: MIT. Made from <a href='{address}'>{COURSE}</a>."),
    )
    for name in ("_config.yml", "tools/build_book.py"):
        named = re.compile(rf"(^title: |logo: {{text: |<title>|welcome.html\">){COURSE}", re.MULTILINE)
        shown = json.dumps(edition.name, ensure_ascii=False) if name.endswith(".yml") else html.escape(edition.name)
        _edit(to / name, lambda text, n=named, s=shown: n.sub(lambda found: found[1] + s, text))
    _edit(to / "Makefile", makefile)
    write_whole(to / ".github/workflows/pages.yml", (FILES / "pages.yml").read_text("utf8"))
    write_whole(to / "README.md", (FILES / "README.md").read_text("utf8").format(name=edition.name, course=address))


def contents(toc: str, there: list[str]) -> str:
    """The table of contents with these lessons in this order, without the pages for who teaches."""
    lines = re.sub(r"^  - caption: Teach\n(?:    .*\n)+", "", toc, flags=re.MULTILINE).splitlines(keepends=True)
    entries = {line: re.search(r"notebooks/(\d\d_\w+)", line) for line in lines}
    lessons = [line for line in lines if entries[line] and entries[line][1] != START]
    in_order = sorted((line for line in lessons if entries[line][1] in there), key=lambda x: there.index(entries[x][1]))
    place = lines.index(lessons[0])
    rest = [line for line in lines if line not in lessons]
    return "".join([*rest[:place], *in_order, *rest[place:]])


def makefile(text: str) -> str:
    """The tasks of a class's copy: `make test` runs its notebooks."""
    for name in re.findall(r"^(\w+):", text, re.MULTILINE):
        if name not in TARGETS:
            text = re.sub(rf"^{name}:.*\n(?:\t.*\n)*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\.PHONY:.*", f".PHONY: {' '.join(sorted(TARGETS))}", text, flags=re.MULTILINE)
    for_the_course = r"^\t@\$\((?:MAKE|python)\) (?:-m tools\.(?:chromium|build_book)|--no-print-directory check)\n"
    test = re.search(r"^test:.*\n(?:\t.*\n)*", text, re.MULTILINE)[0]
    text = text.replace(test, re.sub(for_the_course, "", test, flags=re.MULTILINE))
    text = re.sub(r"^test: ##.*", "test: ## Run the notebooks, and compare what they print", text, flags=re.MULTILINE)
    return text.replace("--nbval-current-env tests notebooks", "--nbval-current-env notebooks")


def _move(to: Path, old: tuple[str, str], new: tuple[str, str]) -> None:
    """The class's address everywhere but where the course itself is cited."""
    for path in to.rglob("*"):
        if path.suffix in TEXTS and path.is_file() and path.name != "CITATION.cff":
            _edit(path, lambda text: texts.at_address(text, old, new))
    _edit(to / "_config.yml", lambda text: re.sub(r"^  branch: .*", f"  branch: {new[1]}", text, flags=re.MULTILINE))


def without_colab(to: Path) -> None:
    """Colab opens what lies on GitHub: elsewhere its buttons and links go."""
    for path in (*to.glob("notebooks/*.py"), *to.glob("book/*.md")):
        _edit(path, texts.without_colab)
    _edit(to / "_config.yml", lambda text: re.sub(r"^launch_buttons:\n(?:  .*\n)+", "", text, flags=re.MULTILINE))
    # The theme must be told what kind of host it is, where the address does not say.
    if not any(kind in course_address(to)[0] for kind in ("gitlab", "bitbucket")):
        options, kind = "    html_theme_options:\n", "      repository_provider: gitlab\n"
        _edit(to / "_config.yml", lambda text: text.replace(options, options + kind))


def _edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text("utf8")
    if (text := change(before)) != before:
        write_whole(path, text)


def _run(folder: Path, *command: str) -> None:
    """One tool of the copy, with this Python.

    Raises:
        UserError: it fails.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise UserError(
            f"{' '.join(command)} failed in the copy ({' '.join(last)}); is the course's checkout as it was?"
        )
