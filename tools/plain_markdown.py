"""MyST as any notebook program shows it: Jupyter, Colab, VS Code and GitHub know Markdown and HTML, nothing more.

The site keeps the richer form of the same text (`book/_sphinx/course_site.py`).
"""

import html
import re
from functools import cache
from pathlib import Path

from pybtex.database import Entry, parse_file

ROOT = Path(__file__).resolve().parent.parent
OPENING = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w-]+)\}[ ]*(?P<title>.*)$")
OPTION = re.compile(r"^:([\w-]+):[ ]*(.*)$")
ROLE = re.compile(r"\{(?P<name>[\w:]+)\}`(?P<text>[^`]+)`", re.DOTALL)
TARGET = re.compile(r"^(?P<text>.+?)\s*<(?P<target>.+)>$", re.DOTALL)
LINK = re.compile(r"\]\((?P<path>[\w./-]*/)?(?P<name>[\w-]+)(?P<anchor>#[\w-]+)?\)")
LABEL = re.compile(r"^\(\S+\)=\n", re.MULTILINE)
MARKER = re.compile(r"^<!-- .*? -->\n?", re.MULTILINE)
TERM = re.compile(r"^(?P<terms>\S.*(?:\n\S.*)*)\n(?P<text>(?:[ ]{2}.*(?:\n|\Z)|\n(?=[ ]{2}))+)", re.MULTILINE)


class NotPlain(ValueError):
    """A directive or role that has no plain form here."""


def plain(text: str, folder: Path) -> str:
    """MyST to Markdown with HTML; files that it includes are named from ``folder``.

    Raises:
        NotPlain: a directive or role that is not known, a reference that is not in the bibliography or glossary.
    """
    return LINK.sub(_link, ROLE.sub(_role, _blocks(LABEL.sub("", text), folder)))


def _blocks(text: str, folder: Path) -> str:
    """The same text with every directive written out, the inner ones first."""
    lines, made = text.splitlines(), []
    while lines:
        line = lines.pop(0)
        opening = OPENING.match(line)
        if opening is None:
            made.append(line)
            if line.startswith("```"):  # code: nothing in it is a directive
                made += [*_until(lines, "```"), "```"]
            continue
        inside = _until(lines, opening["fence"])
        options = {}
        while inside and (option := OPTION.match(inside[0])):
            options[option[1]] = option[2].strip('"')
            inside.pop(0)
        body = _blocks("\n".join(inside).strip("\n"), folder)
        made.append(_block(opening["name"], opening["title"], options, body, folder))
    return "\n".join(made)


def _until(lines: list[str], fence: str) -> list[str]:
    """Take the lines up to the closing fence, and the fence."""
    taken = []
    while lines:
        line = lines.pop(0)
        if line.rstrip() == fence:
            return taken
        taken.append(line)
    raise NotPlain(f"no {fence} closes what {taken[:1]} begins")


def _block(name: str, title: str, options: dict[str, str], body: str, folder: Path) -> str:
    if name == "admonition":
        quoted = "\n".join(f"> {line}".rstrip() for line in body.splitlines())
        return f"> **{title}**\n>\n{quoted}"
    if name == "dropdown":
        return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"
    if name in ("include", "literalinclude"):
        found = _part(folder / title, options)
        if name == "literalinclude":
            return f"```{options.get('language', '')}\n{found}\n```"
        written = "\n".join(line.removeprefix("# ").removeprefix("#") for line in found.splitlines())
        return _blocks(MARKER.sub("", written if found.startswith("#") else found).strip("\n"), folder)
    raise NotPlain(f"the directive {{{name}}} has no plain form; teach it to tools/plain_markdown.py")


def _part(path: Path, options: dict[str, str]) -> str:
    """What stands between two marks of a file."""
    text = path.read_text("utf8")
    if start := options.get("start-after"):
        if start not in text:
            raise NotPlain(f"{path.name} has no {start!r}")
        text = text.split(start, 1)[1].partition("\n")[2] if path.suffix == ".py" else text.split(start, 1)[1]
    if end := options.get("end-before"):
        text = text.split(end, 1)[0]
    return text.strip("\n").removesuffix("\n#").rstrip()


def _role(match: re.Match) -> str:
    name, text = match["name"], " ".join(match["text"].split())
    if name == "term":
        named = TARGET.match(text)
        shown, term = (named["text"], named["target"]) if named else (text, text)
        meaning = glossary().get(term.lower())
        if meaning is None:
            raise NotPlain(f"the glossary has no {term!r}")
        return f'<abbr title="{html.escape(meaning)}">{shown}</abbr>'
    if name in ("cite:t", "cite:p"):
        cited = [_cited(key.strip(), parenthesis=name == "cite:t") for key in text.split(",")]
        return ", ".join(cited) if name == "cite:t" else f"({'; '.join(cited)})"
    raise NotPlain(f"the role {{{name}}} has no plain form; teach it to tools/plain_markdown.py")


def _cited(key: str, parenthesis: bool) -> str:
    """`Vaswani et al. (2017)`, linked to where the work can be read."""
    entry = bibliography().get(key)
    if entry is None:
        raise NotPlain(f"the bibliography has no {key!r}")
    people = [_surname(person) for person in entry.persons.get("author") or entry.persons.get("editor", [])]
    who = " and ".join(people) if len(people) < 3 and "others" not in people else f"{people[0]} et al."
    year = entry.fields.get("year", "no year")
    shown = f"{who} ({year})" if parenthesis else f"{who} {year}"
    address = f"https://doi.org/{entry.fields['doi']}" if "doi" in entry.fields else entry.fields.get("url")
    return f"[{shown}]({address})" if address else shown


def _surname(person) -> str:
    return " ".join(str(name) for name in [*person.rich_prelast_names, *person.rich_last_names])


@cache
def bibliography() -> dict[str, Entry]:
    """The references of the course, by key."""
    return dict(parse_file(ROOT / "book" / "references.bib").entries)


@cache
def glossary() -> dict[str, str]:
    """Each word of the glossary, in lower case, and what it means, without roles and marks."""
    found = {}
    for entry in TERM.finditer((ROOT / "book" / "glossary.md").read_text("utf8")):
        meaning = ROLE.sub(
            lambda role: "" if role["name"].startswith("cite") else role["text"].split(" <")[0], entry["text"]
        )
        meaning = re.sub(r" (?=[.,;])", "", " ".join(meaning.replace("*", "").split()))
        found |= dict.fromkeys((term.strip().lower() for term in entry["terms"].splitlines()), meaning)
    return found


def _link(match: re.Match) -> str:
    """A page of the course, named as the site does, gets the name of its file."""
    path, name = match["path"] or "", match["name"]
    ending = ".md" if path.endswith("book/") else ".ipynb" if re.match(r"\d\d_", name) else ""
    return f"]({path}{name}{ending}{match['anchor'] or ''})" if ending else match[0]
