"""The header's menus, its titles, the way back to the top, without the theme's bootstrap, and the list of pages."""

import re

import pytest
from playwright.sync_api import expect

from tools.build_book import BUILD

LESSON = "notebooks/03_multi_head_attention.html"
LAUNCH, DOWNLOAD = "details.dropdown-launch-buttons", "details.dropdown-download-buttons"


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport={"width": 320, "height": 600})
    page.goto(address + LESSON)
    yield page
    page.close()


def test_a_menu_closes_by_the_next_click_and_by_escape(page):
    page.locator(f"{LAUNCH} > summary").click()
    expect(page.locator(f"{LAUNCH} a")).to_be_visible()
    page.locator(f"{DOWNLOAD} > summary").click()
    expect(page.locator(f"{LAUNCH} a")).to_be_hidden()
    page.locator(f"{DOWNLOAD} a").focus()
    page.keyboard.press("Escape")
    expect(page.locator(f"{DOWNLOAD} a")).to_be_hidden()
    expect(page.locator(f"{DOWNLOAD} > summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"{DOWNLOAD} a")).to_be_visible()
    page.mouse.click(160, 500)
    expect(page.locator(f"{DOWNLOAD} a")).to_be_hidden()


def test_a_menu_lies_on_the_screen_of_a_small_phone(page):
    for menu in (LAUNCH, DOWNLOAD):
        page.locator(f"{menu} > summary").click()
        box = page.locator(f"{menu} > .dropdown-menu").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= 320


def test_menus_open_without_a_script(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + LESSON)
    page.locator(f"{DOWNLOAD} > summary").click()
    expect(page.locator(f"{DOWNLOAD} a")).to_be_visible()
    context.close()


def test_the_list_of_pages_shows_the_page(browser, address):
    page = browser.new_page(viewport={"width": 1440, "height": 700})
    for name in ("references", "playground", "glossary"):  # by other links than the list's
        page.goto(f"{address}book/{name}.html")
        expect(page.locator("#pst-primary-sidebar li.active")).to_be_in_viewport()
    page.close()


def test_the_way_back_to_the_top_is_offered_to_who_scrolls_back(page):
    up = page.locator("#pst-back-to-top")
    page.mouse.move(160, 300)
    page.mouse.wheel(0, 3000)
    page.wait_for_function("scrollY > 2000")
    expect(up).to_be_hidden()
    page.mouse.wheel(0, -300)
    up.click()
    page.wait_for_function("scrollY === 0")
    expect(up).to_be_hidden()


def test_each_button_of_the_header_says_what_it_does():
    page = (BUILD / "html" / LESSON).read_text("utf8")
    header = page[page.index('class="article-header-buttons"') : page.index("<article")]
    assert "data-bs-" not in page
    for button in re.findall(r"<(?:button|summary)\b[^>]*>|<a\b[^>]*\bbtn\b[^>]*>", header):
        assert re.search(r'\b(?:title|aria-label)="\w', button), button
