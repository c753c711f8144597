"""What of a lesson's page stands on slides: its rooms (CONTRIBUTING.md), told apart by their form, never by words.

A paragraph gives its first sentences and those with something bold; formulas keep the sentence that leads to them.
"""

import html
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby

from bs4 import BeautifulSoup, NavigableString, Tag

BOLD = re.compile(r"<strong>[^<]*</strong>")
SENTENCE_END = re.compile(r"(?<=[.!?])([”\"’)]*)\s+(?![a-zà-ÿ])")
# How much stands on a slide and on a part of one, in letters; `deck.js` sets a slide smaller that is still too full.
SLIDE, PARAGRAPH, POINT, VERDICT, LEAD = 1050, 260, 170, 260, 300
FORMULA, ROW, ITEM = 230, 60, 40  # what these take of a slide beyond their letters
LINES, COLUMNS, CODE = 12, 100, 24  # of a printed result; of a cell of code


@dataclass
class Slide:
    """One slide: a word over its title, the title, what stands on it, and what the next key shows (all HTML)."""

    kind: str
    over: str
    title: str
    body: str
    next: str = ""


def slides(page: BeautifulSoup) -> list[Slide]:
    """The slides of a lesson, from its page of the site."""
    lesson = page.select_one("article section")
    tidy(lesson)
    rooms = lesson.find_all("section", recursive=False)
    check = next((room for room in rooms if room.select("details.right")), None)
    made = list(beginning(lesson))
    for number, room in enumerate(rooms):
        if claim_label(room) or any(map(claim_label, room("section"))):
            made += claims(room)
        elif room is check:
            made += questions(room)
        elif number and number + 1 < len(rooms) and rooms[number + 1] is check:
            made += bugs(room)
        elif room.select("details.sd-dropdown"):
            made += exercise(room)
        elif room is rooms[-1] and check:
            made += summary(room)
        else:
            made += text(room, is_idea=number == 0 or check is None, is_code=number == 2)
    return made


def tidy(lesson: Tag) -> None:
    """Drop what leads elsewhere on the site: a deck is a file of its own."""
    for node in lesson.select("a.headerlink, details.hide"):
        node.decompose()
    for link in lesson.select("a.internal"):
        link.unwrap()
    for node in lesson.select("span.xref, span.std, code span"):
        node.unwrap()
    lesson.smooth()
    for formula in lesson.select("span.math"):  # no line begins with the comma after a formula
        after = formula.next_sibling
        if isinstance(after, NavigableString) and (mark := re.match(r"[,.;:!?)]+", after)):
            after.replace_with(after[mark.end() :])
            formula.wrap(Tag(name="span", attrs={"class": "together"})).append(mark[0])


# ---- parts of a text ----


def inner(node: Tag) -> str:
    return node.decode_contents().strip()


def letters(part: str) -> int:
    """How long a text is when it is read; of a formula half of what TeX writes is not seen."""
    said = BeautifulSoup(part, "html.parser").get_text()
    return len(said) - sum(map(len, re.findall(r"\\\(.*?\\\)", said, re.DOTALL))) // 2


def heading(section: Tag) -> str:
    return inner(section.find(["h1", "h2", "h3", "h4"], recursive=False))


def sentences(paragraph: Tag) -> list[str]:
    """The sentences of a paragraph, each with its markup; an end inside of bold text counts too."""
    parts = [""]
    ended = False
    for child in paragraph.children:
        if isinstance(child, NavigableString):
            said = html.escape(str(child), quote=False)
            if ended and said[:1].isspace():
                parts.append("")
            first, *others = SENTENCE_END.sub(r"\1\0", said).split("\0")
            parts[-1] += first
            parts += others
        else:
            parts[-1] += str(child)
        ended = child.name in ("strong", "span") and bool(re.search(r"[.!?]$", child.get_text()))
    return [part.strip() for part in parts if part.strip()]


def begins(paragraph: Tag, most: int) -> str:
    """The first sentences of a paragraph, up to `most` letters, at least one beside a bold one; and any bold ones."""
    kept, length, is_begin = [], 0, True
    for sentence in sentences(paragraph):
        length += letters(sentence)
        is_begin &= all(map(BOLD.fullmatch, kept)) or length <= most
        if is_begin or "<strong>" in sentence:
            kept.append(sentence)
    return " ".join(kept)


def closed(text: str) -> str:
    """A text whose last sentence leads to nothing, since what it leads to stands on no slide."""
    return re.sub(r"\s*:$", " …", text)


def ends(paragraph: Tag, most: int) -> str:
    """The last sentences of a paragraph, at least one: what leads to a formula or a table."""
    *others, kept = sentences(paragraph)
    while others and letters(kept) + letters(others[-1]) <= most:
        kept = f"{others.pop()} {kept}"
    return kept


def packed(blocks: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Blocks of HTML with their sizes, on as few slides as take them, each about as full as the others."""
    blocks = list(blocks)
    total = sum(size for _, size in blocks)
    count = math.ceil(total / SLIDE)
    ends_at = accumulate(size for _, size in blocks)
    slide = [int((end - size / 2) * count / total) for end, (_, size) in zip(ends_at, blocks, strict=True)]
    for _, held in groupby(zip(slide, blocks, strict=True), key=lambda pair: pair[0]):
        yield "\n".join(block for _, (block, _) in held)


def figure(node: Tag) -> str:
    """A figure without its place on the page."""
    image, caption = node.select_one("img"), node.select_one(".caption-text")
    return f'<figure>{image}<figcaption class="caption">{inner(caption)}</figcaption></figure>'


def own(section: Tag, selector: str) -> list[Tag]:
    """The nodes of a section that are in none of its subsections."""
    return [node for node in section.select(selector) if node.find_parent("section") is section]


def with_subsections(room: Tag) -> list[Tag]:
    return [room, *room("section")]


# ---- the rooms ----


def beginning(lesson: Tag) -> Iterator[Slide]:
    """The title, the question and the minutes; what one can do afterwards."""
    number, _, name = heading(lesson).rpartition(" · ")
    head, *rest = lesson.find_all("p", recursive=False)
    question, minutes = head.find("strong"), head.find("em")
    asked = f'<p class="question">{inner(question)}</p>' if question else f"<p>{inner(head)}</p>"
    yield Slide("title-slide", number, name or heading(lesson), asked + (f"<p>{inner(minutes)}</p>" if minutes else ""))
    goals = lesson.find("ul", recursive=False)
    if goals:
        yield Slide("goals", name, inner(rest[-1]), str(goals))


def text(room: Tag, is_idea: bool, is_code: bool) -> Iterator[Slide]:
    """The idea, the mathematics, the code, and rooms that only this lesson has."""
    for section in with_subsections(room):
        over = heading(room) if section is not room else ""
        pictures = list(figures(section, over))
        for widget in own(section, ".widget-output"):
            before = widget.find_parent(class_="cell").find_previous_sibling(True)
            said = f"<p>{ends(before, LEAD)}</p>" if before.name == "p" else ""
            pictures.insert(0, Slide("live", over, heading(section), f'{said}<div class="scrolled">{widget}</div>'))
            if said:
                before.decompose()
        for body in packed(blocks(section, is_idea)):
            yield Slide("text", over, heading(section), body)
        if is_code:
            yield from code(section, over)
        yield from pictures


def blocks(section: Tag, is_idea: bool) -> Iterator[tuple[str, int]]:
    """Formulas, lists and tables with what leads to them; of the idea, the beginnings of all up to its widget."""
    before = None
    for node in section.find_all(["p", "ul", "ol", "blockquote", "div"], recursive=False):
        if is_idea and node.select(".widget-output"):
            return
        is_table = "pst-scrollable-table-container" in node.get("class", [])
        is_formula = "math" in node.get("class", [])
        if node.name == "p" and is_idea:
            part = begins(node, PARAGRAPH)
            yield f"<p>{part}</p>", letters(part) + ITEM
        elif node.name == "blockquote" and is_idea:
            yield str(node), letters(str(node)) + ITEM
        elif node.name in ("ul", "ol"):
            items = [begins(item.find("p") or item, POINT) for item in node.find_all("li", recursive=False)]
            part = f"<{node.name}>{''.join(f'<li>{item}</li>' for item in items)}</{node.name}>"
            yield part, letters(part) + ITEM * len(items)
        elif is_formula or is_table:
            part = f"<p>{ends(before, LEAD)}</p>" if before is not None and not is_idea else ""
            rows = len(node("tr"))
            yield part + str(node), letters(part) + (FORMULA if is_formula else letters(str(node)) // 3 + ROW * rows)
        before = node if node.name == "p" else None


def figures(section: Tag, over: str = "") -> Iterator[Slide]:
    for node in own(section, "figure"):
        yield Slide("figure", over, heading(section), figure(node))


def code(section: Tag, over: str) -> Iterator[Slide]:
    """The first short cell of a section that begins with a definition."""
    for cell in own(section, ".cell_input pre"):
        written = cell.get_text().strip()
        if len(written.splitlines()) <= CODE and written.startswith(("def ", "class ", "@")):
            yield Slide("code", over, heading(section), f'<div class="highlight"><pre>{inner(cell)}</pre></div>')
            return


def claim_label(section: Tag) -> bool:
    first = section.find(True, recursive=False)
    return first is not None and first.name == "span" and first.get("id", "").startswith("claim-")


def claims(room: Tag) -> Iterator[Slide]:
    """Each claim with its figures, its verdict under the last; without a figure, with what was printed last."""
    for section in with_subsections(room):
        if not claim_label(section):
            continue
        name, title = re.match(r"([^\"“«]*)(.*)", heading(section), re.DOTALL).groups()
        over = name.strip(" :\u00a0")
        verdict, *because = section.select(".verdict > p")
        said = f"<p><strong>{inner(verdict)}</strong></p><p>{closed(begins(because[0], VERDICT))}</p>"
        shown = [figure(node) for node in own(section, "figure")] or [evidence(section)]
        for body in shown[:-1]:
            yield Slide("figure claim", over, title, body)
        yield Slide("figure claim" if own(section, "figure") else "claim", over, title, shown[-1], said)


def evidence(section: Tag) -> str:
    """How a claim is put to the test, and what its last cell printed."""
    first = section.find("p", recursive=False)
    printed = [node.get_text().rstrip() for node in own(section, ".cell_output pre")]
    short = [one for one in printed if len(lines := one.splitlines()) <= LINES and max(map(len, lines)) <= COLUMNS]
    said = f"<pre>{html.escape(short[-1], quote=False)}</pre>" if short else ""
    return f"<p>{closed(begins(first, LEAD))}</p>{said}"


def bugs(room: Tag) -> Iterator[Slide]:
    """The names of the bugs, and a sentence about each."""
    named = [node for node in room.find_all("p", recursive=False) if inner(node).startswith("<strong>")]
    yield from points(room, [closed(begins(node, POINT)) for node in named])
    yield from figures(room)


def points(room: Tag, items: list[str]) -> Iterator[Slide]:
    for body in packed((f"<li>{item}</li>", letters(item) + ITEM) for item in items):
        yield Slide("text", "", heading(room), f"<ul>{body}</ul>")


def questions(room: Tag) -> Iterator[Slide]:
    """A question a slide; the right answer is marked, and explained, with the next key."""
    asked, answers = None, []
    for node in [*room.find_all(["p", "details"], recursive=False), None]:
        if node is not None and node.name == "details":
            answers.append(node)
            continue
        if asked is not None and answers:
            right = next(one for one in answers if "right" in one.get("class", []))
            options = "".join(
                f"<li{' class=right' if one is right else ''}>{inner(one.find('summary'))}</li>" for one in answers
            )
            why = begins(right.find("p"), VERDICT)
            yield Slide("check", heading(room), inner(asked), f"<ol>{options}</ol>", f"<p>{why}</p>")
        asked, answers = node, []


def exercise(room: Tag) -> Iterator[Slide]:
    """The last step of the lesson: what is to be built, without hints and solutions."""
    section = next(one for one in reversed(with_subsections(room)) if own(one, "details.sd-dropdown"))
    first, *rest = section.find_all("p", recursive=False)
    tasks = [begins(node, PARAGRAPH) for node in rest if node.find("strong")]
    body = f"<p>{inner(first)}</p><ul>{''.join(f'<li>{task}</li>' for task in tasks)}</ul>"
    yield Slide("text", heading(room), heading(section), body)


def summary(room: Tag) -> Iterator[Slide]:
    """What to remember."""
    yield from points(room, [begins(item.find("p") or item, POINT) for item in room.select("ul > li")])
