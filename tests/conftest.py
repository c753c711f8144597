"""The shapes in the signatures of lessons_lib are checked while the tests run: a wrong one fails the test.

Not all of them can be: of a list or a dictionary one element is looked at, drawn by chance, and the fields of a named
tuple and what a generator yields are not; where these matter, a test compares them itself.

The browser, and widgets drawn in it, are here too, for every test that looks at a page.
"""

import os

import jaxtyping
import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The grammar has no tensors and millions of small calls: imported before the hook, it runs 18 times faster.
import lessons_lib.translation.data.grammar  # noqa: F401

jaxtyping.install_import_hook("lessons_lib", "beartype.beartype")


@pytest.fixture
def unchecked_shapes():
    """No checks for the length of a test: a compiler that traces the model sees symbols where they want numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def take_path(monkeypatch: pytest.MonkeyPatch):
    """A function: from its call on every attention is PyTorch's function (True), or none is; another way fails."""
    from lessons_lib import attention

    def take(fused: bool) -> None:
        readable = attention.scaled_dot_product_attention

        def refuse(*_, **__):
            raise AssertionError("an attention computes its weights")

        if fused:
            monkeypatch.setattr(attention, "scaled_dot_product_attention", refuse)
        else:
            monkeypatch.setattr(attention, "fused_attention", lambda *heads, **extras: readable(*heads, **extras)[0])

    return take


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A folder with a model that has learned the toy language, for the commands."""
    from toy import toy_translator

    from lessons_lib.translation.search.model_folder import save_model

    folder = tmp_path_factory.mktemp("models") / "toy"
    folder.mkdir()
    save_model(folder, toy_translator().model, toy_translator().tokenizer)
    return str(folder)


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


@pytest.fixture(scope="module")
def pages(browser):
    """Pages of the browser for the tests of one file, taken again when they were left."""
    from widget_page import Pages

    return Pages(browser)


@pytest.fixture
def show(pages):
    """Draw widgets on a page of their own; no error may have happened on it when the test ends."""
    yield pages.show
    assert pages.leave() == []


@pytest.fixture(scope="module")
def address():
    """Where the built site is served, for the tests of one file; it must be that of the present sources."""
    from tools import build_book
    from tools.serve import served

    assert build_book.read_manifest() == build_book.sources(), (
        "the site is not built from these sources; run: make book"
    )
    with served(build_book.BUILD / "html") as address:
        yield address


@pytest.fixture
def visit(browser, address):
    """Open a page of the site; when the test ends, nothing may have gone wrong on it."""
    from visit import Visit

    visits = []

    def go(name: str, **options) -> Visit:
        visits.append(Visit(browser, address, name, **options))
        return visits[-1]

    yield go
    for one in visits:
        one.close()
    assert [wrong for one in visits for wrong in one.wrongs] == []
