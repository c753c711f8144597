"""Tables as CSV that a spreadsheet may open: no cell of them is a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
NOTHING = "-"  # alone it is no formula; Moodle reads it as "no mark"


def table(rows: Iterable[Sequence[str | int]]) -> str:
    """The rows as CSV (RFC 4180), numbers as they are and texts defused."""
    text = io.StringIO()
    csv.writer(text).writerows([defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def defused(cell: str) -> str:
    """The text, with a quotation mark in front where a spreadsheet would read it as a formula.

    The characters, and the mark, are those of https://owasp.org/www-community/attacks/CSV_Injection.
    """
    cell = cell.replace("\0", "")
    return f"'{cell}" if is_formula(cell) and cell != NOTHING else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may take the text for a formula: also behind blanks, which some programs strip."""
    return cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(FORMULA)
