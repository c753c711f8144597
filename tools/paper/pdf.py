"""The PDF: all chapters as one document that Chromium prints again and again until it knows its page numbers."""

import html
import os
import re
from importlib.util import find_spec
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from pikepdf import ObjectStreamMode, Pdf
from playwright.sync_api import Browser, sync_playwright

from tools import chromium
from tools.paper.chapters import ANSWERS, ANSWERS_TITLE, Chapter
from tools.paper.widgets import draw_widgets
from tools.serve import served

HERE = Path(__file__).parent
FONTS = Path(find_spec("matplotlib").submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
FACES = {  # all come with matplotlib, so that the book looks the same wherever it is made
    "STIXGeneral.ttf": ("Book", "normal", 400),
    "STIXGeneralItalic.ttf": ("Book", "italic", 400),
    "STIXGeneralBol.ttf": ("Book", "normal", 700),
    "STIXGeneralBolIta.ttf": ("Book", "italic", 700),
    "DejaVuSans.ttf": ("Book Label", "normal", 400),
    "DejaVuSans-Bold.ttf": ("Book Label", "normal", 700),
    "DejaVuSansMono.ttf": ("Book Code", "normal", 400),
    "DejaVuSansMono-Oblique.ttf": ("Book Code", "italic", 400),
    "DejaVuSansMono-Bold.ttf": ("Book Code", "normal", 700),
}
# A box of text that is higher than its line is painted on two pages where a page ends, and then stands twice in what
# programs read: STIXGeneral says 1.5 em of itself. These are the heights of its letters.
FACE = """\
@font-face {{ font-family: "{0}"; font-style: {1}; font-weight: {2}; src: url("{3}");
  ascent-override: 90%; descent-override: 25%; }}
"""
HEAD = '@page {page} {{ @top-left {{ content: "{title}"; }} }}\n'
PAGE = """\
<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="{site}/_static/pygments.css">
<link rel="stylesheet" href="{site}/_static/formulas.css">
<style>
{style}
</style></head>
<body>
<header class="title-page">
<img src="{site}/_static/logo.svg" alt="">
<h1>{title}</h1>
<p class="lede">Learn how a Transformer works by building one</p>
<p class="imprint">{imprint}</p>
</header>
<nav class="contents">
<h1 id="contents">Contents</h1>
{contents}
</nav>
{chapters}
<section class="chapter" id="{answers}">
<h1>{answers_title}</h1>
{appendix}
</section>
</body>
</html>
"""


def write_pdf(made: list[Chapter], site: Path, folder: Path, out: Path, title: str, imprint: str) -> None:
    """Print a book.

    Args:
        made: its chapters; they are changed.
        site: the built site.
        folder: where the document that is printed and its pictures stay.
        out: the file.
        imprint: what stands under the title, in HTML.

    Raises:
        RuntimeError: there is no Chromium.
        playwright.sync_api.TimeoutError: a widget was not drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document, from_there = folder / "book.html", os.path.relpath(site, folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options())
        with served(site) as address:
            draw_widgets(browser, address, made, folder)
        for one in made:
            settle(one, from_there)
        before, numbers = None, {}
        while numbers != before:  # a number that is longer than the one before can move a line to the next page
            document.write_text(book(made, numbers, from_there, title, imprint), "utf8")
            print_to(browser, document, folder / out.name)
            before, numbers = numbers, page_numbers(folder / out.name)
        browser.close()
    packed = out.with_suffix(".part")
    with Pdf.open(folder / out.name) as read:  # Chromium writes three times as much
        read.save(packed, object_stream_mode=ObjectStreamMode.generate)
    os.replace(packed, out)


def settle(one: Chapter, site: str) -> None:
    """Make a chapter a part of the document: addresses of its pictures, its running head, its links as notes."""
    one.body["style"] = f"page: {page_of(one)}"
    for tree in filter(None, (one.body, one.answers)):
        for image in tree.select("img:not(.widget > img)"):
            image["src"] = f"{site}/{image['src']}"
        with_notes(tree)


def page_of(one: Chapter) -> str:
    return f"page-{one.name}"


def with_notes(tree: Tag) -> None:
    """Number the links that lead to the web, and list their addresses at the end."""
    new = BeautifulSoup("", "html.parser").new_tag
    addresses: dict[str, int] = {}
    for link in tree("a", href=re.compile("^https?:")):
        if link.get_text().strip().rstrip("/") != link["href"].rstrip("/"):
            mark = new("sup", attrs={"class": "to-web"})
            mark.append(str(addresses.setdefault(link["href"], len(addresses) + 1)))
            link.insert_after(mark)
    if addresses:
        notes = new("ol", attrs={"class": "to-web"})
        for address in addresses:
            item = new("li")
            item.append(address)
            notes.append(item)
        tree.append(notes)


def book(made: list[Chapter], numbers: dict[str, int], site: str, title: str, imprint: str) -> str:
    """The whole document; `numbers` are the pages of its places, as far as they are known."""
    trees = [tree for one in made for tree in (one.body, one.answers) if tree]
    for link in (link for tree in trees for link in tree.select("a.page-of")):
        link["data-page"] = numbers.get(link["href"][1:], "000")
    heads = [(page_of(one), one.title) for one in made] + [(f"page-{ANSWERS}", ANSWERS_TITLE)]
    return PAGE.format(
        title=html.escape(title),
        imprint=imprint,
        site=site,
        style="".join(FACE.format(*face, (FONTS / file).as_uri()) for file, face in FACES.items())
        + (HERE / "paper.css").read_text("utf8")
        + "".join(HEAD.format(page=page, title=name.replace('"', r"\"")) for page, name in heads),
        contents="\n".join(contents(made, numbers)),
        chapters="\n".join(str(one.body) for one in made),
        answers=ANSWERS,
        answers_title=ANSWERS_TITLE,
        appendix="\n".join(str(one.answers) for one in made if one.answers),
    )


def contents(made: list[Chapter], numbers: dict[str, int]) -> list[str]:
    lines, part = [], ""
    for one in made[1:]:
        if one.part != part:
            part = one.part
            lines.append(f"<p class='part'>{html.escape(part)}</p>")
        lines.append(line(one.name, one.title, numbers))
    return [*lines, "<p class='part'>Appendix</p>", line(ANSWERS, ANSWERS_TITLE, numbers)]


def line(place: str, title: str, numbers: dict[str, int]) -> str:
    number = numbers.get(place, "000")
    return f'<p><a href="#{place}"><span>{html.escape(title)}</span><span class="number">{number}</span></a></p>'


def print_to(browser: Browser, document: Path, out: Path) -> None:
    page = browser.new_page()
    page.goto(document.as_uri(), wait_until="load")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.pdf(path=out, prefer_css_page_size=True, outline=True, tagged=True, print_background=True)
    page.close()


def page_numbers(pdf: Path) -> dict[str, int]:
    """The page on which each place begins that some link leads to."""
    with Pdf.open(pdf) as read:
        numbers = {page.obj.objgen: number for number, page in enumerate(read.pages, start=1)}
        return {name.removeprefix("/"): numbers[place[0].objgen] for name, place in read.Root.Dests.items()}
