"""One text of the course as a class gets it: without solutions, without what is left out, with other points.

The texts mark what is to be cut, in the titles of a source and in the directives of a lesson. Words are looked
for only where a number of points stands among them; where it does not stand as it should, this is an error.
"""

import re
from collections.abc import Collection, Mapping
from itertools import pairwise

from lessons_lib.errors import UserError
from lessons_lib.grading.source import names_used

TITLE = re.compile(r"^# %%.*\n", re.MULTILINE)
SUM = re.compile(r"^(\*\d+ minutes, )\d+ points", re.MULTILINE)
COUNTED = re.compile(r"\b(?:One question|Two questions|Three questions), \d+ points")
COUNTS = {1: "One question", 2: "Two questions", 3: "Three questions"}
HEADING = r"^(## {}: .*) \(\d+ points?\)$"
WHERE_SOLUTIONS_ARE = re.compile(r"; the solution is\s+(?:folded )?at\s+the end of the lesson's page")
HEAD = """\"An exercise: its questions, the answer cells as a learner finds them, the checks and the hints.\"""\n\n"""
FOLD = re.compile(r"^# (?P<fence>`{4,})\{dropdown\} Solution.*?^# (?P=fence)\n(?:#\n)?", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r"^# ```\{include\}.*?^# ```\n(?:#\n)?", re.MULTILINE | re.DOTALL)
ABOUT = re.compile(r"^# \*\*Questions? (\d(?:(?:, | and )\d)*):\*\*.*(?:\n#[^\n]*\S[^\n]*)*\n(?:#\n)?", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^]\n]*)\]\((?P<path>[\w./:-]*/)?(?P<name>\d\d_\w+)(?:\.\w+)?(?:#[\w-]*)?\)")
TABLE_ROW = re.compile(r"^\| \d+ \| \[[^]]*\]\(\.\./notebooks/(\d\d_\w+)\).*\n", re.MULTILINE)
ANCHOR = re.compile(r'^<a [^>]*href="[^"]*/(?P<name>\d\d_\w+)\.html"[^>]*>.*</a>\n', re.MULTILINE)


def cells(text: str) -> list[str]:
    """A py:percent file in pieces that give it back when joined: what stands before the first title, then its cells."""
    starts = [0, *(title.start() for title in TITLE.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(starts) if end > start]


def kind(cell: str) -> tuple[str, str]:
    """The first two words of a cell's title: `answer`, `split_heads`."""
    words = [*cell.partition("\n")[0].removeprefix("# %%").split(), "", ""]
    return words[0], words[1]


def without_solutions(text: str) -> str:
    """The source of an exercise without its `solution` cells, and without what its head says to authors."""
    first, *rest = cells(text)
    kept = [cell for cell in rest if kind(cell)[0] != "solution"]
    return "".join([first if first.startswith("# %%") else HEAD, *kept])


def without_their_place(text: str) -> str:
    """A text that no longer says where the solutions are to be found."""
    return WHERE_SOLUTIONS_ARE.sub("", text)


def without_questions(text: str, asked: Mapping[str, Collection[str]], left_out: Collection[str]) -> str:
    """The source of an exercise without some of its questions.

    An answer that no other question asks for goes, too; where another cell needs it, the course's own is taken.

    Args:
        asked: the names that each question asks for.
        left_out: the questions to be cut, such as `q3`.
    """
    kept_names = {name for question, names in asked.items() if question not in left_out for name in names}
    gone = {name for question in left_out for name in asked[question]} - kept_names
    found = []
    for cell in cells(text):
        first, second = kind(cell)
        if first in ("question", "check", "hints") and second in left_out:
            continue
        if first in ("answer", "solution") and second in gone:
            if first == "answer" and _needed(second, text, gone):
                found.append(f'# %% answer {second}\n{second} = check.part("{second}")  # the course\'s own\n\n\n')
            continue
        found.append(cell)
    return "".join(found)


def _needed(name: str, text: str, gone: Collection[str]) -> bool:
    """Whether a cell that stays uses this answer."""
    code = [cell for cell in cells(text) if kind(cell)[0] in ("setup", "answer", "keep", "train")]
    return any(name in names_used(cell) for cell in code if kind(cell)[1] not in gone)


def with_points(text: str, points: Mapping[str, int]) -> str:
    """The source of an exercise with these points in its headings and their sum in its head.

    Raises:
        UserError: a heading with points is not there, or more than once.
    """
    for question, number in points.items():
        counted = f"{number} point{'s' * (number != 1)}"
        text = _once(
            HEADING.format(question), rf"\g<1> ({counted})", text, f"the heading of {question} with its points"
        )
    return _once(SUM.pattern, rf"\g<1>{sum(points.values())} points", text, "a sum of points")


def lesson_for(text: str, points: Mapping[str, int], left_out: Collection[str], solutions: bool) -> str:
    """The text of a lesson: its exercise room follows the class.

    Args:
        points: of the questions that are asked.
        left_out: the others; their hints go.
        solutions: whether solutions may stay.

    Raises:
        UserError: how many questions it has is not written there.
    """
    if not solutions:
        text = FOLD.sub("", text)
    for question in left_out:
        text = INCLUDED.sub(lambda found, q=question: "" if f"<!-- hints {q} -->" in found[0] else found[0], text)
        text = FOLD.sub(lambda found, q=question: "" if _only_about(found[0], {*left_out}) else found[0], text)
    text = ABOUT.sub(lambda found: _about(found, {question.removeprefix("q") for question in left_out}), text)
    return _once(
        COUNTED.pattern, f"{COUNTS[len(points)]}, {sum(points.values())} points", text, "the number of questions"
    )


def _about(found: re.Match, left_out: Collection[str]) -> str:
    """`**Questions 2 and 3:** …` without those that are left out; nothing where none stays."""
    numbers = re.findall(r"\d", found[1])
    kept = [number for number in numbers if number not in left_out]
    if kept == numbers or not kept:
        return found[0] if kept else ""
    return re.sub(r"\*\*Questions? [^:]*:\*\*", f"**Question{'s' * (len(kept) > 1)} {' and '.join(kept)}:**", found[0])


def _only_about(fold: str, left_out: Collection[str]) -> bool:
    """Whether the title of a solution's fold names no question that stays."""
    named = re.findall(r"\d", fold.partition("Solution of question")[2].partition("\n")[0].partition(":")[0])
    return bool(named) and {f"q{number}" for number in named} <= {*left_out}


def without_links(text: str, there: Collection[str]) -> str:
    """Links to lessons that the class does not have become their text; rows of the list of lessons go."""
    text = TABLE_ROW.sub(lambda row: row[0] if row[1] in there else "", text)
    text = ANCHOR.sub(lambda link: link[0] if link["name"] in there else "", text)
    return LINK.sub(lambda link: link[0] if link["name"] in there else link["text"], text)


def without_section(text: str, heading: str) -> str:
    """A page without the section of this heading, which is its last."""
    return text.partition(f"\n## {heading}\n")[0].rstrip("\n") + "\n"


def after(text: str, mark: str, said: str) -> str:
    """The same text with a sentence after a mark.

    Raises:
        UserError: the mark is not there.
    """
    if mark not in text:
        raise UserError(f"{mark.strip()!r} is not in a text of the course; give the course's own copy back")
    return text.replace(mark, mark + said, 1)


def at_address(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The same text with the repository's address, its owner and name, and its branch in links and installations.

    Args:
        old, new: address and branch.
    """
    (old_address, old_branch), (address, branch) = old, new
    name, old_name = (each.partition("://")[2].partition("/")[2] for each in (address, old_address))
    installed = f"git+{address}" if branch == "main" else f"git+{address}@{branch}"
    text = text.replace(f"git+{old_address}", installed)
    text = re.sub(
        rf"{re.escape(old_name)}/(blob|tree|raw|edit)/{re.escape(old_branch)}/", rf"{name}/\1/{branch}/", text
    )
    text = text.replace(old_address, address).replace(f"/{old_name}", f"/{name}")
    return re.sub(
        rf"(?<=\$ cd ){re.escape(old_name.rpartition('/')[2])}$", name.rpartition("/")[2], text, flags=re.MULTILINE
    )


def without_colab(text: str) -> str:
    """A page without its links to Colab; "… on Colab, or open X" becomes "Open X"."""
    link = r"\[[^]]*\]\(https://colab\.research\.google\.com/[^)]*\)"
    text = re.sub(rf"{link},\s+(?:# )?or\s+(?:# )?open ", "Open ", text)
    return re.sub(link, "Colab", text)


def _once(pattern: str, new: str, text: str, what: str) -> str:
    changed, many = re.subn(pattern, new, text, flags=re.MULTILINE)
    if many != 1:
        raise UserError(
            f"{what} stands {many} times in a text of the course, not once; give the course's own copy back"
        )
    return changed
