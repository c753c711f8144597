"""Slides as one file of HTML: pictures, formulas, style and scripts are all in it."""

import base64
import html
import re
from pathlib import Path

from bs4 import BeautifulSoup

from tools.slides.lesson import Slide, slides

HERE = Path(__file__).parent
ASSETS = HERE.parent.parent / "book" / "assets"
FONT = "fonts/stix-two-math.woff2"
# The page's widgets, and the engine that they name: as book/_sphinx/course_site.py writes them.
WIDGETS_FILE = re.compile(r'src="[./]*_static/(widgets-\w+\.js)"')
ENGINE_FILE = re.compile(r'const ENGINE = \{ file: \\?"(engine-\w+\.js)')
TYPES = {".png": "image/png", ".webp": "image/webp", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
PAGE = """\
<!DOCTYPE html>
<html lang="{language}" data-theme="light">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:image/svg+xml;base64,{icon}">
<style>
{style}
</style>
{models}</head>
<body>
<main aria-label="Slides">
{slides}
</main>
<nav aria-label="Slides">
<button type="button" data-do="back" aria-label="Back">‹</button>
<span class="place" role="status"></span>
<button type="button" data-do="next" aria-label="Next">›</button>
<button type="button" data-do="overview" aria-label="Overview" aria-pressed="false">▦</button>
<button type="button" data-do="theme" aria-label="Light or dark">◐</button>
</nav>
<script>
{script}
</script>
<script type="module">
{widgets}
</script>
</body>
</html>
"""
SECTION = """\
<section class="{kind}" id="{number}" aria-labelledby="title-{number}" aria-roledescription="slide">
{logo}{over}<{tag} class="title" id="title-{number}">{title}</{tag}>
<div class="body">{body}</div>
{next}</section>"""


def deck(page: Path) -> str:
    """The slides of a lesson, from its page of the site, as one file.

    Raises:
        OSError: a picture of the page is missing.
    """
    text = page.read_text("utf8")
    site = BeautifulSoup(text, "html.parser")
    title = re.sub(r"\s+[—-].*", "", site.title.get_text())
    made = slides(site)
    return PAGE.format(
        language=site.html.get("lang", "en"),
        title=html.escape(title),
        icon=base64.b64encode((ASSETS / "favicon.svg").read_bytes()).decode(),
        style=formulas()
        + (HERE / "deck.css").read_text("utf8")
        + (page.parents[1] / "_static" / "pygments.css").read_text("utf8"),
        models=models(text, page.parents[1] / "_static"),
        slides="\n".join(section(slide, number, page.parent) for number, slide in enumerate(made, start=1)),
        script=safe((HERE / "deck.js").read_text("utf8")),
        widgets=safe((ASSETS / "widgets.js").read_text("utf8")),
    )


def formulas() -> str:
    """The style of the formulas, with their font inside."""
    font = base64.b64encode((ASSETS / FONT).read_bytes()).decode()
    return (ASSETS / "formulas.css").read_text("utf8").replace(FONT, f"data:font/woff2;base64,{font}")


def models(page: str, static: Path) -> str:
    """The scripts of the site with the widgets of a page and what these compute with."""
    widgets = [(static / name).read_text("utf8") for name in WIDGETS_FILE.findall(page)]
    engines = sorted({name for text in widgets for name in ENGINE_FILE.findall(text)})
    texts = [*widgets, *((static / name).read_text("utf8") for name in engines)]
    return "".join(f"<script>{safe(text)}</script>\n" for text in texts)


def safe(script: str) -> str:
    """A script in which no text ends the element that holds it."""
    return script.replace("</script", r"<\/script")


def section(slide: Slide, number: int, folder: Path) -> str:
    made = BeautifulSoup(
        SECTION.format(
            kind=slide.kind,
            number=number,
            logo='<img class="logo" alt="" src="../_static/logo.svg">\n' if number == 1 else "",
            over=f'<p class="over">{slide.over}</p>\n' if slide.over else "",
            tag="h1" if number == 1 else "h2",
            title=slide.title,
            body=slide.body,
            next=f'<div class="next">{slide.next}</div>\n' if slide.next else "",
        ),
        "html.parser",
    )
    for node in made.select("section section[id], section :not(.title)[id]"):
        del node["id"]
    for image in made("img"):
        path = folder / image["src"]
        image["src"] = f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return str(made)
