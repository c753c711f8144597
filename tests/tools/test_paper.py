"""The course as a PDF and as an ePub: every page and widget, no link that leads nowhere, nothing beyond the margin."""

import copy
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZIP_STORED, ZipFile

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, Destination

from tools.build_book import BUILD
from tools.paper.chapters import ANSWERS, ANSWERS_TITLE, Chapter, chapter, chapters, resolve
from tools.paper.epub import write_epub
from tools.paper.pdf import write_pdf
from tools.paper.widgets import ALONE, WIDTH

SITE = BUILD / "html"
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")  # of the package
XHTML = "{http://www.w3.org/1999/xhtml}"
TEXT_WIDTH = 166  # millimetres of the page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("paper")


# ---- the chapters


@pytest.fixture(scope="module")
def made():
    return chapters(SITE)


def test_every_page_is_a_chapter_and_every_place_has_one_name(made):
    built = {path.relative_to(SITE).with_suffix("").as_posix() for path in SITE.glob("*/*.html")}
    assert {one.page for one in made} == {page for page in built if page.startswith(("book/", "notebooks/"))}
    trees = [tree for one in made for tree in (one.body, one.answers) if tree]
    ids = [node["id"] for tree in trees for node in [tree, *tree.select("[id]")]]
    assert len(ids) == len({*ids}) > 500


def test_answers_and_solutions_are_in_the_appendix_alone(made):
    lesson = next(one for one in made if one.name == "03_multi_head_attention")
    assert lesson.body("details") == lesson.body("script") == lesson.body("button") == []
    choices = lesson.body.select("ol.choices")
    assert len(choices) == len(lesson.answers.select(".question")) == 4
    assert all(len(one("li")) >= 3 for one in choices)
    hints = [link.get_text() for link in lesson.body.select(".turn-to a")]
    assert "Hint 1 of q1: which axis is cut?" in hints
    assert (
        sum("Solution" in hint for hint in hints)
        == len([one for one in lesson.answers("h3") if "Solution" in one.get_text()])
        > 0
    )
    assert "Right. For each sentence and head" in lesson.answers.get_text()
    assert "Right. For each sentence and head" not in lesson.body.get_text()


def small(folder: Path, second: str) -> list[Chapter]:
    """A book of two pages; what the second one says is in `second`."""
    pages = {"book/a": "<h1>A</h1><p id='x'>One <a href='b.html#y'>b</a></p>", "book/b": f"<h1>B</h1>{second}"}
    names = {page: page[-1] for page in pages}
    (folder / "book").mkdir(exist_ok=True)
    for page, text in pages.items():
        (folder / f"{page}.html").write_text(f"<article class='bd-article'><section>{text}</section></article>", "utf8")
    return [chapter(folder, page, "", names) for page in pages]


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    resolve(small(tmp_path, "<p id='y'><a href='a.html#x'>a</a> <a href='a.html'>a</a></p>"))
    with pytest.raises(ValueError, match=r"^these links lead nowhere: book/a: #b--y, book/b: #a--z$"):
        resolve(small(tmp_path, "<p><a href='a.html#z'>a</a></p>"))


# ---- the PDF


@pytest.fixture(scope="module")
def pdf(folder, made):
    write_pdf(copy.deepcopy(made), SITE, folder / "paper", folder / "course.pdf", "A course & more", "Its authors")
    return PdfReader(folder / "course.pdf")


def test_the_pdf_has_every_chapter_in_its_outline_and_on_the_page_that_the_contents_say(pdf, made):
    titles = [one.title for one in pdf.outline if isinstance(one, Destination)]
    assert [title for title in titles if title in {one.title for one in made}] == [one.title for one in made]
    texts = [squeezed(page.extract_text()) for page in pdf.pages[1:4]]
    listed = "".join(texts)
    for one in pdf.outline:
        if isinstance(one, Destination) and one.title in {*(chapter.title for chapter in made[1:]), ANSWERS_TITLE}:
            number = pdf.get_destination_page_number(one) + 1
            assert f"{squeezed(one.title)}{number}" in listed, (one.title, number)
            assert squeezed(one.title) in squeezed(pdf.pages[number - 1].extract_text())


def squeezed(text: str) -> str:
    """Without blanks, and without ligatures."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def test_links_in_the_pdf_lead_to_places_in_it_or_to_the_web(pdf):
    places, count = pdf.named_destinations, 0
    for page in pdf.pages:
        for link in (one.get_object() for one in page.get("/Annots", [])):
            action = link.get("/A", {})
            if "/URI" in action:
                assert re.match("(https?|mailto):", action["/URI"]), action["/URI"]
            else:
                where = link.get("/Dest", action.get("/D"))
                assert isinstance(where, ArrayObject) or where in places, where
                count += 1
    assert count > 1000


@pytest.fixture(scope="module")
def browser(pdf, browser):
    """After the PDF: what prints it starts a Chromium of its own, and a process drives one at a time."""
    return browser


def test_nothing_of_the_page_lies_on_the_picture_of_a_widget(browser, address):
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000})
    page.goto(f"{address}notebooks/00_start_here.html")
    page.mouse.wheel(0, 5000)
    page.wait_for_function("scrollY > 3000")
    page.mouse.wheel(0, -300)
    page.locator("#pst-back-to-top").wait_for()  # the way up is offered to who scrolls back
    above = """() => { const text = document.querySelector("article").getBoundingClientRect();
        const box = (one) => one.getBoundingClientRect();
        return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && box(one).bottom > 0
            && ["fixed", "sticky"].includes(getComputedStyle(one).position)
            && box(one).left < text.right && box(one).right > text.left)
            .map((one) => `${one.id} ${one.className}`); }"""
    assert page.evaluate(above)
    page.add_style_tag(content=ALONE)
    assert page.evaluate(above) == []
    page.close()


def test_every_widget_is_a_picture_with_a_sentence_and_no_line_is_too_long(browser, folder, made):
    widgets = sum(len(one.body.select(".widget-output")) for one in made)
    assert len(list((folder / "paper").glob("*.png"))) == widgets > 15
    page = browser.new_page(viewport={"width": round(TEXT_WIDTH / 25.4 * 96), "height": 1000})
    page.emulate_media(media="print")
    # Pictures and styles are found beside the site.
    document = (folder / "paper/book.html").as_uri()
    page.goto(document, wait_until="load")
    assert page.locator("figure.widget > img").count() == widgets
    lines = "(all) => all.map((one) => parseFloat(getComputedStyle(one).lineHeight))"
    assert min(page.locator("article p, .chapter p, .chapter li").evaluate_all(lines)) > 9  # none over another
    empty = page.evaluate("[...document.images].filter((one) => !one.naturalWidth).map((one) => one.src)")
    assert empty == []
    assert all(len(text) > 20 for text in page.locator("figure.widget > figcaption").all_inner_texts())
    wide = page.evaluate("""() => [...document.querySelectorAll("body *:not(math *, svg *)")]
        .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map((one) => `${one.closest(".chapter")?.id}: ${one.tagName} ${one.textContent.slice(0, 50)}`)""")
    page.close()
    assert wide == []


# ---- the ePub


@pytest.fixture(scope="module")
def epub(folder, made):
    write_epub(copy.deepcopy(made), SITE, folder / "course.epub", "A course & more", "Its authors", "Text: CC BY 4.0.")
    return folder / "course.epub"


def test_each_file_of_the_epub_is_xml_and_every_link_leads_somewhere(epub, made):
    with ZipFile(epub) as book:
        assert book.infolist()[0].filename == "mimetype"
        assert book.infolist()[0].compress_type == ZIP_STORED
        trees = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist() if name.endswith(".xhtml")}
        names = {*book.namelist()}
    assert {f"book/{one.name}.xhtml" for one in made} | {"book/nav.xhtml", f"book/{ANSWERS}.xhtml"} == {*trees}
    ids = {name: {node.get("id") for node in tree.iter() if node.get("id")} for name, tree in trees.items()}
    for name, tree in trees.items():
        for link in tree.iter(f"{XHTML}a"):
            if re.match(r"[a-z]+:", link.get("href")):
                continue
            file, _, place = link.get("href").partition("#")
            assert f"book/{file}" in names, (name, link.get("href"))
            assert not place or place in ids[f"book/{file}"], (name, link.get("href"))
        assert not list(tree.iter(f"{XHTML}script")), name
    lesson = trees["book/03_multi_head_attention.xhtml"]
    assert len(list(lesson.iter("{http://www.w3.org/1998/Math/MathML}math"))) > 50
    assert "HeadsWidget: 'The small black cats do not sleep.'" in "".join(lesson.itertext())


def test_a_chapter_that_is_no_xml_is_not_written(tmp_path):
    made = small(tmp_path, "<p id='y' a'b='c'>One</p>")
    with pytest.raises(ValueError, match=r"^b\.xhtml is no XML: "):
        write_epub(made, tmp_path, tmp_path / "course.epub", "A", "B", "C")
    assert not (tmp_path / "course.epub").exists()


@pytest.mark.skipif(not (EPUBCHECK.exists() and shutil.which("java")), reason="apt-get install epubcheck")
def test_epubcheck_has_nothing_to_say(epub):
    done = subprocess.run(["java", "-jar", EPUBCHECK, epub], capture_output=True, text=True)
    assert (done.returncode, re.findall(r"^(?:ERROR|WARNING|FATAL).*", done.stdout + done.stderr, re.MULTILINE)) == (
        0,
        [],
    )
