"""What a grading host runs: a zip for each exercise for Gradescope, a template repository for GitHub Classroom.

Both call `lessons grade`. Gradescope's zip stays with the instructor and holds the solutions; what GitHub Classroom
runs lies in each learner's repository, so it has only what the learners have anyway.
"""

import io
import secrets
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.grading.edition import COURSE, Edition
from lessons_lib.handout.students import FILES, course_address, lessons, points_toml
from lessons_lib.handout.wheels import wheel

STEPS = 3
READ_ME = "READ_ME.txt"
SCRIPTS = ("setup.sh", "run_autograder")
LATEST = (2000, 1, 1, 0, 0, 0)  # the time of every file in a zip: the same handout gives the same bytes


def make(course: Path, edition: Edition, to: Path, solutions: bool, tell: Callable[[str], None]) -> None:
    """Write `for_students`, `autograders`, class.toml and READ_ME.txt beside the folder `students`, which is there.

    Raises:
        UserError: no wheel can be built.
    """
    tell("building the wheels")
    theirs = wheel(to / "students", to / "for_students")
    ours = wheel(course, to / ".wheel")
    write_whole(to / "class.toml", points_toml(edition))
    tell("packing for Gradescope")
    seed = secrets.randbelow(2**32)
    for name in lessons(course, edition):
        files = {script: (FILES / "gradescope" / script).read_bytes() for script in SCRIPTS}
        files |= {"class.toml": points_toml(edition).encode(), "lesson": f"{int(name[:2])}\n".encode()}
        files |= {"seed": f"{seed}\n".encode(), "requirements.txt": (course / "requirements.txt").read_bytes()}
        write_whole(to / f"autograders/gradescope/{name}.zip", _zipped(files | {ours.name: ours.read_bytes()}))
    shutil.rmtree(ours.parent)
    tell("packing for GitHub Classroom")
    template = to / "autograders/github_classroom"
    shutil.copytree(to / "students/exercises", template / "exercises")
    write_whole(template / ".github/workflows/classroom.yml", (FILES / "classroom.yml").read_text("utf8"))
    for path in (theirs, to / "class.toml", course / "requirements.txt"):
        (template / ".github/lessons").mkdir(exist_ok=True)
        shutil.copy(path, template / ".github/lessons")
    write_whole(to / READ_ME, read_me(edition, course_address(course)[0], solutions))


def read_me(edition: Edition, course: str, solutions: bool) -> str:
    """What to do with each folder, and what could not be hidden."""
    keep = {"no address": not edition.address, "no colab": not edition.on_github, "hidden": not solutions}
    shown, *parts = (FILES / READ_ME).read_text("utf8").split("--- ")
    for part in parts:
        mark, _, rest = part.partition(" ---\n")
        shown += rest if keep[mark] else ""
    return shown.format(name=edition.name, course=COURSE, public=course, address=edition.address or "(none was given)")


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, LATEST)
            entry.external_attr = (0o755 if name in SCRIPTS else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()
