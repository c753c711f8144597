"""Places that a link can lead to, and what the search finds first."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from places import folded, without_gone_words
from test_site import style

from tools.build_book import BUILD
from tools.claims import claims
from tools.lesson_files import lessons

SITE = BUILD / "html"


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_each_claim_and_each_verdict_has_an_address_that_its_sign_gives(path):
    page = BeautifulSoup((SITE / "notebooks" / f"{path.stem}.html").read_text("utf8"), "html.parser")
    for number in range(1, len(claims(path)) + 1):
        section = page.find(id=f"claim-{path.stem[:2]}-{number}")
        assert section.h3.find("a", "headerlink")["href"] == f"#{section['id']}"
        verdict = section.find(id=f"verdict-{path.stem[:2]}-{number}")
        assert "verdict" in verdict["class"]
        assert verdict.find("p", "admonition-title").find("a", "headerlink")["href"] == f"#{verdict['id']}"
    for figure in page.select("article figure:not(.hero figure)"):
        assert figure.find("a", "headerlink")["href"] == f"#{figure['id']}"


def test_the_sign_is_there_for_the_keyboard_too(visit):
    page = visit("notebooks/08_masking.html").page
    sign = page.locator("#verdict-08-2 .admonition-title > a.headerlink")
    assert style(page, "#verdict-08-2 .admonition-title > a.headerlink", "opacity") == "0"
    sign.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert style(page, "#verdict-08-2 .admonition-title > a.headerlink", "opacity") == "1"
    page.keyboard.press("Enter")
    assert page.url.endswith("#verdict-08-2")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("exercise 5", "notebooks/05_encoder_decoder.html#exercise-build-it"),
        ("exercise 1", "notebooks/01_self_attention.html#exercise-build-it"),
        ("Exercise 12", "notebooks/12_translation.html#exercise-"),
        ("claim 2 padding", "notebooks/08_masking.html#claim-08-2"),
        ("beam search beats greedy", "notebooks/1"),
        ("RoPE formula", "book/cheat_sheet.html#formula-rope"),
        ("formula layernorm", "book/cheat_sheet.html#formula-layernorm"),
        ("label smoothing", "book/glossary.html#term-label-smoothing"),
        ("soeur", ""),
        ("sœur", ""),
        ("cle", ""),
        ("écoles", ""),
    ],
)
def test_search_finds_first_what_was_meant(visit, query, first):
    page = visit(f"search.html?q={query}").page
    page.wait_for_function("document.querySelectorAll('#search-results li').length > 0")
    page.wait_for_function("document.querySelector('.search-summary').textContent")
    found = page.locator("#search-results li > a").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    assert found[0].startswith(first), found[:5]
    said = page.locator("#search-results p.context")
    said.first.wait_for()
    assert "code cell" not in " ".join(said.all_inner_texts())
    if not first:  # the word stands there as the page writes it
        marked = page.locator("#search-results .context .highlighted").all_inner_texts()
        assert {folded(word)[: len(folded(query)) - 1] for word in marked} == {folded(query)[:-1]}


def test_words_are_folded_alike_in_the_index_and_in_what_one_asks(visit):
    page = visit("search.html").page
    for text in ("Sœurs à l'ŒUVRE", "clé", "naïve", "Straße", "Ægir"):
        assert page.evaluate("(text) => splitQuery(text)", text) == folded(text).replace("'", " ").split()


def test_a_word_that_no_page_holds_any_more_leaves_the_index(tmp_path):
    index = tmp_path / "searchindex.js"
    index.write_text('Search.setIndex({"terms": {"gone": [], "here": 0, "two": [1, 2]}, "titleterms": {"gone": []}})')
    without_gone_words(SimpleNamespace(outdir=tmp_path), None)
    assert index.read_text() == 'Search.setIndex({"terms": {"here": 0, "two": [1, 2]}, "titleterms": {}})'
    built = (SITE / "searchindex.js").read_text("utf8")
    without_gone_words(SimpleNamespace(outdir=SITE), None)
    assert (SITE / "searchindex.js").read_text("utf8") == built
