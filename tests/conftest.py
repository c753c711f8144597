"""Every shape in a signature of lessons_lib is checked while the tests run: a wrong one fails the test.

The browser, and widgets drawn in it, are here too, for every test that looks at a page.
"""

import os

import jaxtyping
import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The grammar has no tensors and millions of small calls: imported before the hook, it runs 18 times faster.
import lessons_lib.translation.grammar  # noqa: F401

jaxtyping.install_import_hook("lessons_lib", "beartype.beartype")


@pytest.fixture
def unchecked_shapes():
    """No checks for the length of a test: a compiler that traces the model sees symbols where they want numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def browser():
    """Chromium, for the tests of one file."""
    from playwright.sync_api import sync_playwright

    from tools import chromium

    options = chromium.launch_options()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Draw widgets on a page of their own; no error may have happened on it when the test ends."""
    from widget_page import WidgetPage

    pages = []

    def draw(*widgets, **options) -> WidgetPage:
        pages.append(WidgetPage(browser, *widgets, **options))
        return pages[-1]

    yield draw
    errors = [error for page in pages for error in page.errors]
    for page in pages:
        page.close()
    assert errors == []
