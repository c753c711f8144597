"""Hand-ins as they come: a folder, a zip, or one notebook; who handed in which exercise.

A folder in it is a learner, by its name (Moodle's `Anna Smith_12345_assignsubmission_file_` is Anna Smith, if there is
one), and everything below is theirs. A notebook that lies at the top belongs to the learner whose name its file bears,
without the exercise's: `anna_03_multi_head_attention.ipynb`, as Canvas and Moodle write them too.
"""

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from lessons_lib.errors import UserError
from lessons_lib.grading.batch.answers import Notebook, exercises, lesson_of, read_notebook

ENDINGS = (".ipynb", ".py")
PASSED_OVER = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git"}
EDITION = re.compile(r"^# Edition: (.+)$", re.MULTILINE)
MOODLES = re.compile(r"_\d+_assignsubmission_\w*$")  # how Moodle calls the folder of one learner, behind the name
MOST_FILES, MOST_BYTES = 100_000, 4 * 2**30  # of a zip, unpacked
COLUMNS = {
    "key": ("key", "folder", "file", "id", "username"),
    "name": ("name", "student", "full name"),
    "email": ("email", "e-mail", "email address"),
    "number": ("number", "sis user id", "id number", "idnumber"),
}


@dataclass(frozen=True)
class HandIn:
    """One notebook of one learner; `notebook` is None where it cannot be read, and `trouble` says why."""

    learner: str
    lesson: str
    file: str
    notebook: Notebook | None
    trouble: str | None = None

    @property
    def edition(self) -> str | None:
        """The name of the class's copy that it was handed out with (`tools/make_exercises.py`), if it tells."""
        found = EDITION.search("\n".join(self.notebook.cells)) if self.notebook else None
        return found[1] if found else None

    @property
    def opens(self) -> bool:
        """Whether it opens its exercise, as the notebooks do that are handed out."""
        return self.notebook is not None and any("check.open" in cell for cell in self.notebook.cells)


def find(
    source: Path, lessons: Sequence[str], learner: str | None = None
) -> tuple[dict[str, dict[str, HandIn]], list[str]]:
    """The hand-ins of each learner by exercise, and one sentence for each file that is passed over.

    Of several notebooks for one exercise the last by name counts, as platforms number what is handed in again; but one
    that opens no exercise, such as the lesson itself, counts only where nothing else is there.

    Args:
        learner: to whom all of it belongs; else folders and file names tell.
    Raises:
        ValueError: there is no such folder or file, or no hand-in in it.
    """
    found: dict[str, dict[str, HandIn]] = {}
    notes: list[str] = []
    for file, data in _files(source):
        path = PurePosixPath(file)
        if path.suffix.lower() not in ENDINGS or PASSED_OVER & set(path.parts) or path.name.startswith("._"):
            continue
        try:
            notebook, trouble = read_notebook(path.name, data), None
        except UserError as error:
            notebook, trouble = None, str(error)
        lesson = lesson_of(path.stem, notebook) if notebook else next((x for x in exercises() if x in path.stem), None)
        if lesson is None:
            notes.append(f"{file}: passed over, {trouble or 'its exercise is not known'}; give it the exercise's name")
            continue
        if lesson not in lessons:
            continue
        if trouble:
            notes.append(f"{file}: cannot be read, 0 points ({trouble})")
        key = learner or (path.parts[0] if len(path.parts) > 1 else _owner(path.stem, lesson))
        mine = HandIn(key, lesson, file, notebook, trouble)
        before = found.setdefault(key, {}).get(lesson, mine)
        found[key][lesson] = last = before if before.opens and not mine.opens else mine
        if before is not mine:
            passed_over = mine if last is before else before
            notes.append(f"{passed_over.file}: passed over, {last.file} is another hand-in of the same exercise")
    if not found:
        raise UserError(f"{source} holds no hand-in; give a folder with a folder for each learner, or a notebook")
    return dict(sorted(_named(found).items())), notes


def _named(found: Mapping[str, dict[str, HandIn]]) -> dict[str, dict[str, HandIn]]:
    """The same by the learners' names, where Moodle's folders have a number behind them that nobody needs."""
    short = {key: MOODLES.sub("", key) for key in found}
    many = Counter(short.values())
    names = {key: name if many[name] == 1 else key for key, name in short.items()}
    return {
        names[key]: {lesson: replace(one, learner=names[key]) for lesson, one in theirs.items()}
        for key, theirs in found.items()
    }


def read_roster(path: Path) -> dict[str, dict[str, str]]:
    """Learners by key from a CSV with a header: a column key (or folder, file, id), and name, email, number.

    Raises:
        ValueError: it is no such table, or a key stands twice.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV in UTF-8 ({error}); save the table as CSV UTF-8") from None
    headers = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    columns = {ours: next((headers[one] for one in theirs if one in headers), None) for ours, theirs in COLUMNS.items()}
    if columns["key"] is None:
        raise UserError(f"{path} has no column key; name the column with the folders of the learners key")
    roster: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 2):
        one = {ours: (row.get(theirs) or "").strip() if theirs else "" for ours, theirs in columns.items()}
        key = one.pop("key")
        if key in roster:
            raise UserError(f"{path}, line {number}: {key!r} stands there twice; a key belongs to one learner")
        if key:
            roster[key] = one
    return roster


def by_roster(found: Mapping[str, dict[str, HandIn]], roster: Mapping[str, object]) -> dict[str, dict[str, HandIn]]:
    """The same by the roster's keys, where one differs in capitals alone."""
    alike = {key: [one for one in roster if one.casefold() == key.casefold()] for key in found if key not in roster}
    free = {key: ones[0] for key, ones in alike.items() if len(ones) == 1 and ones[0] not in found}
    return {free.get(key, key): theirs for key, theirs in found.items()}


def missing(found: Mapping[str, object], roster: Mapping[str, object]) -> list[str]:
    """Learners of the roster without any hand-in."""
    return [key for key in roster if key not in found]


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below, by its path with "/", in the order of names. Links are not followed out of the folder."""
    if source.is_dir():
        root = source.resolve()
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.resolve().is_relative_to(root) and path.suffix.lower() in ENDINGS:
                yield path.relative_to(source).as_posix(), path.read_bytes()
    elif source.suffix.lower() == ".zip":
        yield from _zipped(source)
    elif source.is_file():
        yield source.name, source.read_bytes()
    else:
        raise UserError(f"{source} is not there; give a folder, a zip or a notebook")


def _zipped(source: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > MOST_FILES or sum(one.file_size for one in entries) > MOST_BYTES:
                raise UserError(f"{source} holds more than {MOST_FILES:,} files or {MOST_BYTES // 2**30} GiB; split it")
            for one in sorted(entries, key=lambda one: one.filename):
                if PurePosixPath(one.filename).suffix.lower() in ENDINGS:
                    yield one.filename.lstrip("/"), archive.read(one)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UserError(f"{source} cannot be unpacked ({error}); download it again") from None


def _owner(stem: str, lesson: str) -> str:
    """`anna_12345_678_03_multi_head_attention-1` is anna's: what stands before the exercise, without numbers."""
    before, _, behind = stem.partition(lesson)
    rest = re.sub(r"^[\s_\-.()0-9]*$", "", behind).strip("_- .")
    name = re.sub(r"(_LATE)?(_\d+)*_*$", "", before).strip("_- .")
    return name or rest or "the hand-in"
