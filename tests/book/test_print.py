"""The browser's own printing of a page: light on a dark system, folded code open and there, solutions shut."""

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader
from test_site import LESSON, luminance, style


@pytest.fixture
def page(visit) -> Page:
    page = visit(LESSON, theme="dark").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return page


def test_paper_is_light_and_folded_code_is_read(page):
    assert luminance(style(page, "article p", "color")) < 0.2
    assert luminance(style(page, "article .highlight pre", "color")) < 0.2
    folds = page.locator("details.hide")
    assert folds.count() > 2
    assert folds.evaluate_all("(all) => all.every((fold) => fold.open)")
    shown = "(all) => all.map((code) => [getComputedStyle(code).animationName, code.getBoundingClientRect().height])"
    assert all(name == "none" and height > 0 for name, height in folds.locator(":scope > div").evaluate_all(shown))


def test_no_block_of_code_is_wider_than_the_paper(page):
    page.set_viewport_size({"width": 680, "height": 960})
    wide = (
        "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.slice(0, 60))"
    )
    assert page.locator("article pre").evaluate_all(wide) == []


def test_solutions_stay_shut_and_the_screen_comes_back(page):
    assert page.locator("details.sd-dropdown[open]").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.hide[open]").count() == 0
    page.emulate_media(media="screen")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_cheat_sheet_is_one_sheet(visit, tmp_path):
    visit("book/cheat_sheet.html").page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
    (sheet,) = PdfReader(tmp_path / "sheet.pdf").pages
    text = sheet.extract_text()
    assert text.index("Cheat sheet") < text.index("From tokens to logits") < text.index("words (13)")
    left, bottom, right, top = sheet.mediabox
    assert right - left > top - bottom
