"""The page of claims, book/claims.md: its table is what the lessons say, claim by claim. `make lessons` writes it.

A lesson marks a claim with a label, `(claim-06-2)=`, before its heading, and its verdict with the class `verdict`.
Words are not looked for: an edition in another language has the same marks.
"""

import re
import sys
from pathlib import Path

from tools.lesson_files import ROOT, lessons, read_text

PAGE = ROOT / "book" / "claims.md"
START, END = "<!-- the table: written by make lessons -->", "<!-- end of the table -->"
CLAIM = re.compile(r"^\(claim-(\d\d)-(\d+)\)=\n### [^\"“«\n]*[\"“«] ?(.+?) ?[\"”»]\s*$", re.MULTILINE)
VERDICT = re.compile(r"^`{3,}\{admonition\} [^:\n]+: (.+)\n:class: (?:\S+ )*verdict\b", re.MULTILINE)


def claims(path: Path) -> list[tuple[str, str]]:
    """Each claim of a lesson with its verdict, in order.

    Raises:
        ValueError: a claim has no verdict before the next one, the numbers are not 1, 2, 3 …, a verdict has no claim.
    """
    text = "\n".join(cell.source for cell in read_text(path).cells if cell.cell_type == "markdown")
    found = list(CLAIM.finditer(text))
    rows = []
    for number, match in enumerate(found, start=1):
        end = found[number].start() if number < len(found) else len(text)
        verdict = VERDICT.search(text, match.end(), end)
        if verdict is None or match.group(1, 2) != (path.stem[:2], str(number)):
            raise ValueError(f"{path.name}: claim {match[2]} has no verdict, or is not claim-{path.stem[:2]}-{number}")
        rows.append((match[3], verdict[1].strip()))
    if len(verdicts := VERDICT.findall(text)) > len(rows):
        raise ValueError(
            f"{path.name}: {len(verdicts)} verdicts but {len(rows)} claims; label each, as in CONTRIBUTING.md"
        )
    return rows


def title(path: Path) -> str:
    """`1 · Self-attention`, from the lesson's first heading."""
    return re.search(r"^# (.+)$", read_text(path).cells[0].source, re.MULTILINE)[1]


def table() -> str:
    rows = ["| The claim | The verdict | Tested in |", "|---|---|---|"]
    for path in lessons():
        for number, (claim, verdict) in enumerate(claims(path), start=1):
            where = f"{{ref}}`{title(path)} <claim-{path.stem[:2]}-{number}>`"
            rows.append(f"| “{claim}” | {verdict} | {where} |")
    return "\n".join(rows)


def page() -> str:
    """The whole page, with the table as it must be."""
    before, _, rest = PAGE.read_text("utf8").partition(START)
    after = rest.partition(END)[2]
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    wanted = page()
    if PAGE.read_text("utf8") == wanted:
        return
    PAGE.write_text(wanted, "utf8")
    print(f"{PAGE.name}: written")


if __name__ == "__main__":
    sys.exit(main())
