"""The button of a block of code: there when it is near, seen by who hovers or tabs, copies what one would type."""

import pytest
from playwright.sync_api import expect

LESSON, CONSOLE = "notebooks/03_multi_head_attention.html", "book/how_to_use.html"
BUTTON = "button.copy-code"
CELL = ".cell_input div.highlight:not(details *)"


@pytest.fixture
def page(browser, address):
    page = browser.new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(address + LESSON)
    yield page
    page.context.close()


def pasted(page) -> str:
    return page.evaluate("navigator.clipboard.readText()")


def test_a_click_copies_the_code_and_says_so(page):
    block = page.locator(CELL).first
    button = block.locator(BUTTON)
    block.scroll_into_view_if_needed()
    expect(button).to_have_css("opacity", "0")
    block.hover()
    expect(button).to_have_css("opacity", "1")
    button.click()
    expect(button).to_have_accessible_name("Copied")
    assert pasted(page) == block.locator("pre").text_content().rstrip()
    expect(button).to_have_accessible_name("Copy")
    page.emulate_media(media="print")
    expect(button).to_be_hidden()


def test_who_tabs_sees_the_button(page):
    block = page.locator(CELL).first
    block.scroll_into_view_if_needed()
    button = block.locator(BUTTON)
    button.focus()
    page.keyboard.press("Shift+Tab")
    expect(button).to_have_css("opacity", "0")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(button).to_have_accessible_name("Copied")


def test_a_block_that_is_far_has_none_yet(page):
    blocks = page.locator("div.highlight pre").count()
    page.locator(CELL).first.scroll_into_view_if_needed()
    expect(page.locator(CELL).first.locator(BUTTON)).to_have_count(1)
    assert page.locator(BUTTON).count() < blocks / 2
    last = page.locator(CELL).last
    last.scroll_into_view_if_needed()
    expect(last.locator(BUTTON)).to_have_count(1)


def test_commands_are_copied_without_their_prompts(page, address):
    page.goto(address + CONSOLE)
    block = page.locator("div.highlight:has(.gp)").first
    block.hover()
    block.locator(BUTTON).click()
    expect(block.locator(BUTTON)).to_have_accessible_name("Copied")
    lines = pasted(page).splitlines()
    assert lines[0].startswith("git clone")
    assert not any(line.startswith("$") or not line for line in lines)


def test_where_nothing_may_be_copied_the_code_is_selected(page):
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    block = page.locator(CELL).first
    block.hover()
    block.locator(BUTTON).click()
    expect(block.locator(BUTTON)).to_have_accessible_name("Selected: copy it with the keyboard")
    assert page.evaluate("getSelection().toString()").strip() == block.locator("pre").text_content().strip()
