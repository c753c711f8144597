"""The ePub: a file of XHTML for each chapter, widgets by their sentence, formulas as MathML.

Written as "EPUB 3.3" (W3C Recommendation, 2023) wants it; a file that is no XML is never written.
"""

import html
import io
import os
import re
import time
import uuid
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from bs4 import BeautifulSoup, Tag

from lessons_lib.files import write_whole
from tools.paper.chapters import ANSWERS, ANSWERS_TITLE, Chapter

HERE = Path(__file__).parent
TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".css": "text/css",
    ".woff2": "font/woff2",
}
PICTURE = re.compile(r'<img [^>]*src="([^"]+)"')
FONT = "fonts/stix-two-math.woff2"
NAMESPACES = {"math": "http://www.w3.org/1998/Math/MathML", "svg": "http://www.w3.org/2000/svg"}
PAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" href="book.css"/></head>
<body>
{body}
</body>
</html>
"""
CONTAINER = """\
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
PACKAGE = """\
<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator>
<dc:language>en</dc:language>
<dc:rights>{rights}</dc:rights>
<meta property="dcterms:modified">{time}</meta>
<meta property="schema:accessMode">textual</meta>
<meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">structuralNavigation</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every figure has a description; formulas are MathML.</meta>
</metadata>
<manifest>
{items}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def write_epub(made: list[Chapter], site: Path, out: Path, title: str, author: str, rights: str) -> None:
    """Write a book.

    Args:
        made: its chapters; they are changed.
        site: the built site, which has the pictures.

    Raises:
        ValueError: a chapter is no XML; the message names it.
        OSError: a picture is missing.
    """
    trees = {one.name: (one.title, one.body) for one in made} | {ANSWERS: (ANSWERS_TITLE, appendix(made))}
    homes = {node["id"]: f"{name}.xhtml" for name, (_, tree) in trees.items() for node in [tree, *tree.select("[id]")]}
    texts = {"nav.xhtml": page(title, contents(made))}
    for name, (heading, tree) in trees.items():
        become_xhtml(tree, homes)
        texts[f"{name}.xhtml"] = page(heading, tree.decode(formatter="minimal"))
    for name, text in texts.items():
        try:
            ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise ValueError(f"{name} is no XML: {error}") from error
    files = {name: text.encode() for name, text in texts.items()}
    files |= {name: (site / name).read_bytes() for text in texts.values() for name in PICTURE.findall(text)}
    files |= {FONT: (site / "_static" / FONT).read_bytes(), "book.css": style(site).encode()}
    package = PACKAGE.format(
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, made[0].address or title),
        title=html.escape(title),
        author=html.escape(author),
        rights=html.escape(rights),
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())))),
        items="\n".join(item(name, texts.get(name, "")) for name in files),
        spine="\n".join(f'<itemref idref="{identifier(name)}"/>' for name in texts),
    )
    write_whole(out, packed(files, package))


def appendix(made: list[Chapter]) -> Tag:
    section = BeautifulSoup(f'<section id="{ANSWERS}"><h1>{ANSWERS_TITLE}</h1></section>', "html.parser").section
    section.extend([one.answers for one in made if one.answers])
    return section


def become_xhtml(tree: Tag, homes: dict[str, str]) -> None:
    """Mend what HTML allows and XHTML, or an e-reader, does not; `homes` are the files of all places."""
    for link in tree.select('a[href^="#"]'):
        link["href"] = f"{homes[link['href'][1:]]}{link['href']}"
    for place in tree.select(".widget-output"):
        place["class"] = "widget"
        for script in place("script"):
            script.decompose()
    for fraction in tree("mfrac", displaystyle=True):  # MathML 3, which ePub asks for, knows this of a style alone
        style = {name: fraction.attrs.pop(name) for name in ("displaystyle", "scriptlevel") if name in fraction.attrs}
        fraction.wrap(BeautifulSoup("", "html.parser").new_tag("mstyle", attrs=style))
    for name, namespace in NAMESPACES.items():
        for node in tree(name):
            node["xmlns"] = namespace
    for node in tree.select("details"):
        node["open"] = "open"


def page(title: str, body: str) -> str:
    return PAGE.format(title=html.escape(title), body=body)


def contents(made: list[Chapter]) -> str:
    """The navigation document: parts, their chapters, and the sections of these."""
    lines, part = [f'<li><a href="{made[0].name}.xhtml">{html.escape(made[0].title)}</a></li>'], ""
    for one in made[1:]:
        if one.part != part:
            lines += ["</ol></li>"] * bool(part) + [f"<li><span>{html.escape(one.part)}</span><ol>"]
            part = one.part
        lines.append(f'<li><a href="{one.name}.xhtml">{html.escape(one.title)}</a></li>')
    lines += [*["</ol></li>"] * bool(part), f'<li><a href="{ANSWERS}.xhtml">{ANSWERS_TITLE}</a></li>']
    return '<nav epub:type="toc"><h1>Contents</h1><ol>\n' + "\n".join(lines) + "\n</ol></nav>"


def style(site: Path) -> str:
    """The colours of code, the formulas, and a few lines of its own: the rest is the reader's."""
    static = site / "_static"
    light = [line for line in (static / "pygments.css").read_text("utf8").splitlines() if "dark" not in line]
    return "\n".join([(static / "formulas.css").read_text("utf8"), *light, (HERE / "epub.css").read_text("utf8")])


def identifier(name: str) -> str:
    return "f-" + re.sub(r"[^\w-]", "-", name)


def item(name: str, text: str) -> str:
    """The line of the manifest."""
    kind = TYPES[Path(name).suffix]
    properties = ["nav"] * (name == "nav.xhtml")
    properties += [word for mark, word in (("<math ", "mathml"), ("<svg ", "svg")) if mark in text]
    more = f' properties="{" ".join(properties)}"' if properties else ""
    return f'<item id="{identifier(name)}" href="{name}" media-type="{kind}"{more}/>'


def packed(files: dict[str, bytes], package: str) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w") as book:
        book.writestr(ZipInfo("mimetype"), "application/epub+zip", ZIP_STORED)  # first, and as it is
        for name, data in {"META-INF/container.xml": CONTAINER, "book/package.opf": package}.items():
            book.writestr(ZipInfo(name), data, ZIP_DEFLATED)
        for name, data in files.items():
            book.writestr(ZipInfo(f"book/{name}"), data, ZIP_DEFLATED)
    return made.getvalue()
