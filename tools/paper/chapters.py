"""The pages of the site as chapters of one book, told apart by their form, never by words.

What is folded on the site is open here, but for hints, answers and solutions: these go into an appendix, which each
place names. Every id begins with the name of its page, so that all chapters can stand in one document.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin

import yaml
from bs4 import BeautifulSoup, NavigableString, Tag

from tools.lesson_files import ROOT

# What leads nowhere on paper: links to a heading's own address, buttons, scripts, signs of what folds.
IDLE = "script, button, .headerlink, .sd-summary-state-marker, .course-progress, span.label:empty, .hero-links"
ANSWERS, ANSWERS_TITLE = "answers", "Answers, hints and solutions"  # the appendix
NEEDS = re.compile(r"\(open the page with JavaScript to ")
TO_DO = "(in a browser one can "
NAMES = {"id", "aria-labelledby", "aria-describedby"}
CAMEL = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio", "gradienttransform": "gradientTransform"}


@dataclass
class Chapter:
    """A page of the site.

    Attributes:
        page: its name below the site, without `.html`.
        part: the part of the book that it stands in; "" for the first page.
        address: where it is on the web; "" if the site does not say.
        body: what stands in its place.
        answers: what stands in the appendix, or None.
    """

    page: str
    part: str
    title: str
    address: str
    body: Tag
    answers: Tag | None

    @property
    def name(self) -> str:
        return PurePosixPath(self.page).name


def chapters(site: Path) -> list[Chapter]:
    """All pages of a built site in the order of its contents.

    Raises:
        OSError: a page was not built.
        ValueError: a link of a page leads to a place that is in no chapter.
    """
    pages = list(in_order(yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))))
    names = {page: PurePosixPath(page).name for page, _ in pages}
    made = [chapter(site, page, part, names) for page, part in pages]
    resolve(made)
    return made


def in_order(contents: dict) -> Iterator[tuple[str, str]]:
    """Each page, and the part that it stands in."""
    yield contents["root"], ""
    for part in contents["parts"]:
        for one in part["chapters"]:
            yield one["file"], part["caption"]


def chapter(site: Path, page: str, part: str, names: dict[str, str]) -> Chapter:
    html = BeautifulSoup((site / f"{page}.html").read_text("utf8"), "html.parser")
    canonical = html.find("link", rel="canonical")
    address = canonical["href"] if canonical else ""
    body = html.select_one("article.bd-article > section")
    name = names[page]
    for node in body.select(IDLE):
        node.decompose()
    title = body.h1.get_text().strip()
    for node in body.find_all(True):
        for key in NAMES & node.attrs.keys():
            node[key] = " ".join(f"{name}--{one}" for one in node[key].split())
    body["id"], body["class"] = name, "chapter"
    for svg in body("svg"):
        svg.attrs = {CAMEL.get(key, key): value for key, value in svg.attrs.items()}
    for image in body("img"):
        source = image["src"].replace(".webp", ".png")  # not every e-reader knows WebP
        image["src"] = normal(PurePosixPath(page).parent / unquote(source))
        image.attrs.pop("loading", None)
    for link in body("a", href=True):
        link["href"] = target(link["href"], page, names, address)
    for number, place in enumerate(body.select(".widget-output"), start=1):
        place["id"] = f"{name}--widget-{number}"
        for text in place.find_all(string=NEEDS):
            text.replace_with(NEEDS.sub(TO_DO, text))
    for fold in body.select("details.hide"):
        fold.summary.decompose()
        fold.unwrap()
    return Chapter(page, part, title, address, body, without_answers(body, name, title))


def target(href: str, page: str, names: dict[str, str], address: str) -> str:
    """Where a link leads: to a place in the book, to the web, or nowhere ("")."""
    if re.match(r"[a-z]+:", href):
        return href
    path, _, fragment = href.partition("#")
    leads = normal(PurePosixPath(page).parent / path.removesuffix(".html")) if path else page
    if (path and not path.endswith(".html")) or leads not in names:
        return urljoin(address, href) if address else ""
    return f"#{names[leads]}--{fragment}" if fragment else f"#{names[leads]}"


def normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def without_answers(body: Tag, name: str, title: str) -> Tag | None:
    """Take hints, answers and solutions out of a chapter: what the appendix says of it, or None."""
    new = BeautifulSoup("", "html.parser").new_tag
    section = new("section", attrs={"id": f"{name}--{ANSWERS}", "class": "answers"})
    heading = new("h2")
    heading.append(title)
    section.append(heading)
    number = 0
    for group in groups(body):
        number += 1
        is_question = "sd-dropdown" not in group[0].get("class", [])
        pointer = new("ol" if is_question else "ul", attrs={"class": "choices" if is_question else "turn-to"})
        group[0].insert_before(pointer)
        if is_question:
            pointer["type"] = "a"
            section.append(question(group, pointer, f"{name}--{ANSWERS}-{number}", new))
        else:
            for place, fold in enumerate(group, start=1):
                section.append(hint(fold, pointer, f"{name}--{ANSWERS}-{number}-{place}", new))
    return section if number else None


def groups(body: Tag) -> Iterator[list[Tag]]:
    """What folds, and stands one after the other: the choices of a question, or the hints of an exercise."""
    group: list[Tag] = []
    for fold in [one for one in body("details") if not one.find_parent("details")]:
        before = fold.find_previous_sibling()
        if (group and before is not group[-1]) or (group and kind(group[-1]) != kind(fold)):
            yield group
            group = []
        group.append(fold)
    if group:
        yield group


def kind(fold: Tag) -> bool:
    return "sd-dropdown" in fold.get("class", [])


def question(group: list[Tag], choices: Tag, place: str, new) -> Tag:
    """The choices go into the chapter, what is said of each into the appendix, with the question before it."""
    asked = group[0].find_previous("p")
    said = new("div", attrs={"class": "question", "id": place})
    if asked is not None:
        said.append(copy_of(asked))
    answers = new("ol", attrs={"type": "a"})
    for fold in group:
        item = new("li")
        item.extend(list(fold.summary.contents))
        fold.summary.decompose()
        choices.append(item)
        answer = new("li")
        answer.extend(list(fold.contents))
        answers.append(answer)
        fold.decompose()
    said.append(answers)
    after = new("p", attrs={"class": "turn-to"})
    after.append(reference(place, "The answers", new))
    choices.insert_after(after)
    return said


def hint(fold: Tag, pointers: Tag, place: str, new) -> Tag:
    """A line in the chapter that names it, and what it says in the appendix."""
    title = fold.summary.get_text().strip()
    item = new("li")
    item.append(reference(place, title, new))
    pointers.append(item)
    said = new("div", attrs={"class": "hint", "id": place})
    heading = new("h3")
    heading.append(title)
    said.append(heading)
    fold.summary.decompose()
    said.extend(list(fold.contents))
    fold.decompose()
    return said


def reference(place: str, text: str, new) -> Tag:
    link = new("a", attrs={"href": f"#{place}", "class": "page-of"})
    link.append(NavigableString(text))
    return link


def copy_of(paragraph: Tag) -> Tag:
    made = BeautifulSoup(str(paragraph), "html.parser").p
    for node in [made, *made("a"), *made.select("[id]")]:
        node.attrs = {}
    for link in made("a"):
        link.unwrap()
    return made


def resolve(made: list[Chapter]) -> None:
    """Mend links to the places that have none of their own, and complain of those that lead nowhere.

    Raises:
        ValueError: such links, each with its page.
    """
    trees = [tree for one in made for tree in (one.body, one.answers) if tree]
    ids = {node["id"] for tree in trees for node in [tree, *tree.select("[id]")]}
    lost = []
    for one in made:
        for tree in filter(None, (one.body, one.answers)):
            for link in tree("a", href=True):
                if not link["href"]:
                    link.unwrap()
                elif link["href"].startswith("#") and link["href"][1:] not in ids:
                    lost.append(f"{one.page}: {link['href']}")
    if lost:
        raise ValueError("these links lead nowhere: " + ", ".join(lost))
