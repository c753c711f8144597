"""What of a lesson's page stands on slides: its rooms (CONTRIBUTING.md), told apart by their form, never by words.

A paragraph gives its first sentences and those with something bold; formulas keep the sentence that leads to them.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, NavigableString, Tag

from tools.slides.text import begins, closed, ends, inner, letters, packed

# How many letters of a paragraph, of a point of a list, of a verdict, and of what leads to a formula stand on a slide.
PARAGRAPH, POINT, VERDICT, LEAD = 260, 170, 260, 300
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
    for node in lesson.select("a.headerlink, details.hide, annotation"):
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


def heading(section: Tag) -> str:
    return inner(section.find(["h1", "h2", "h3", "h4"], recursive=False))


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
