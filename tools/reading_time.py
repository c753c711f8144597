"""How long a lesson and its exercise take somebody who meets them for the first time, from what there is to read.

People read plain non-fiction silently at 238 words a minute (Brysbaert 2019, doi 10.1016/j.jml.2019.104047). Here they
stop, go back to a formula, click a widget and answer questions: we count 100 words a minute, and 15 lines of code. In
an exercise they write: a minute for each line of the solution, beside the reading. Rounded to 5 minutes.

`reading_estimates.json` holds what cold readers (language models in a newcomer's place, four, each with three or four
lessons) thought that a person needs, lesson and exercise, after they had read and solved all of it.
"""

import json
import re
import sys
from pathlib import Path

import jupytext

from tools.lesson_files import ROOT, lessons, read_text

WORDS_A_MINUTE, LINES_A_MINUTE, MINUTES_A_WRITTEN_LINE = 100, 15, 1
ESTIMATES = Path(__file__).parent / "reading_estimates.json"
SPENT = re.compile(r"\*\d+ minutes(?:, and \d+ for the exercise)?(?=[.,])")
SOLVING = re.compile(r"\*\d+ minutes(?=, \d+ points)")
ROW = r"(\| \d+ \| \[[^]]+\]\(\.\./notebooks/{name}\) \| [^|]+ \|) [^|]+ \|"
TABLES = (ROOT / "book" / "welcome.md", ROOT / "book" / "teaching.md")


def words(text: str) -> int:
    """The words of a text; a formula, a link's address, an HTML tag and an included file are none."""
    text = re.sub(r"^[`:]{3,}\{(?:lit\w+)?include\}.*?^[`:]{3,}$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<[^>]+>|\]\([^)]*\)|\$[^$]+\$|\{[\w:]+\}", " ", text)
    return len(re.findall(r"[^\W\d_][\w'’-]*", text))


def lines(code: str) -> int:
    """The lines of code that say something."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in code.splitlines())


def rounded(minutes: float) -> int:
    return max(5, 5 * round(minutes / 5))


def lesson(path: Path) -> int:
    """Minutes to read a lesson, its exercise left out."""
    cells = read_text(path).cells
    prose = sum(words(cell.source) for cell in cells if cell.cell_type == "markdown")
    shown = [cell for cell in cells if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])]
    code = sum(lines(cell.source) for cell in shown)
    return rounded(prose / WORDS_A_MINUTE + code / LINES_A_MINUTE)


def exercise(path: Path) -> int:
    """Minutes to read the exercise whose source is ``path``, and to write what it asks for."""
    if "# %% solution" not in (text := path.read_text("utf8")):  # a class's copy: as it was counted with solutions
        return int(re.search(r"\d+", SOLVING.search(text)[0])[0])
    kinds = [(cell, cell.metadata.get("title", "").partition(" ")[0]) for cell in jupytext.read(path).cells]
    prose = sum(words(cell.source) for cell, kind in kinds if kind in ("text", "question"))
    written = sum(lines(cell.source) for cell, kind in kinds if kind == "solution")
    return rounded(prose / WORDS_A_MINUTE + MINUTES_A_WRITTEN_LINE * written)


def estimates() -> tuple[list[float], list[float]]:
    """Estimated minutes over counted ones, of each lesson and of each exercise."""
    found = json.loads(ESTIMATES.read_text("utf8"))
    reading = [minutes / lesson(path) for path in lessons() if (minutes := found[path.stem][0])]
    solving = [
        minutes / exercise(ROOT / "solutions" / path.name) for path in lessons() if (minutes := found[path.stem][1])
    ]
    return reading, solving


def texts() -> dict[Path, str]:
    """Every file that names these minutes, as it must be."""
    tables = [path for path in TABLES if path.exists()]  # a class's copy has one
    found = {path: path.read_text("utf8") for path in tables}
    for path in lessons():
        solution = ROOT / "solutions" / path.name
        reading, solving = lesson(path), exercise(solution) if solution.exists() else 0
        spent = f"{reading} minutes" + (f", and {solving} for the exercise" if solving else "")
        found[path] = SPENT.sub(f"*{spent}", path.read_text("utf8"), count=1)
        if solving:
            found[solution] = SOLVING.sub(f"*{solving} minutes", solution.read_text("utf8"), count=1)
        shown = f"{reading} + {solving} min" if solving else f"{reading} min"
        for table in tables:
            found[table] = re.sub(ROW.format(name=path.stem), rf"\1 {shown} |", found[table])
    return found


def main() -> None:
    for path, text in texts().items():
        if path.read_text("utf8") != text:
            path.write_text(text, "utf8")
            print(f"{path.relative_to(ROOT)}: minutes written")


if __name__ == "__main__":
    sys.exit(main())
