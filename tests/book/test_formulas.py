"""Formulas: what becomes of TeX when the site is built, and whether the font of the site has each of their signs."""

from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from docutils.utils.math import MathError
from fontTools.ttLib import TTFont
from formulas import mathml

from tools.build_book import BUILD
from tools.math_font import FONT, LICENCE, PLANCK

SITE = BUILD / "html"
LATIN, GREEK = 0x1D434, 0x1D6FC  # where the italic letters begin


def parts(tex: str) -> list[str]:
    return [node.tag for node in ElementTree.fromstring(mathml(tex)).iter()]


def test_the_label_of_a_brace_stands_under_it_and_others_beside():
    assert parts(r"\underbrace{Q}_{T \times d}")[:6] == ["math", "semantics", "mrow", "munder", "mrow", "mi"]
    assert parts(r"\overbrace{Q}^{T}")[3:5] == ["mover", "mrow"]
    assert 'class="braced over"' in mathml(r"\overbrace{Q + K}")
    assert 'class="braced"' in mathml(r"\underbrace{Q + K}_{d}")
    assert parts("Q_t")[3] == "msub"


def test_a_formula_keeps_its_tex_and_says_its_form():
    made = ElementTree.fromstring(mathml("a <\n b", as_block=True))
    assert made.get("display") == "block"
    assert made.findtext(".//annotation") == "a < b"
    assert ElementTree.fromstring(mathml(r"\Phi")).find(".//mi").get("mathvariant") == "normal"


def test_a_function_stands_apart_from_what_has_no_bracket():
    apart = ["rspace" in mathml(tex) for tex in (r"\log P", r"\log(P)")]
    assert apart == [True, False]


def test_what_is_not_tex_is_refused():
    for wrong in (r"\dotz", r"\frac{1}{", r"\begin{cases} 1"):
        with pytest.raises(MathError):
            mathml(wrong)


def test_the_font_has_every_sign_of_every_formula():
    signs = set(TTFont(FONT).getBestCmap())
    lacking, formulas = set(), 0
    for page in SITE.rglob("*.html"):
        for formula in BeautifulSoup(page.read_text("utf8"), "html.parser").find_all("math"):
            formulas += 1
            for token in formula.find_all(["mi", "mn", "mo", "mtext"]):
                text = token.get_text()
                is_letter = token.name == "mi" and len(text) == 1 and token.get("mathvariant") != "normal"
                lacking |= {sign for sign in map(italic if is_letter else ord, text)} - signs - {0x2061, 0xA0}
    assert formulas > 500
    assert not lacking, [chr(sign) for sign in lacking]
    assert "SIL OPEN FONT LICENSE" in LICENCE.read_text("utf8")


def italic(letter: str) -> int:
    """Of a letter alone in its element, as a browser draws it."""
    if letter == "h":
        return PLANCK
    if letter.isascii() and letter.isalpha():
        return LATIN + (ord(letter) - ord("A") if letter.isupper() else 26 + ord(letter) - ord("a"))
    return GREEK + ord(letter) - ord("α") if "α" <= letter <= "ω" else ord(letter)


def test_a_page_needs_no_script_for_its_formulas(browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto((SITE / "notebooks" / "01_self_attention.html").as_uri())
    widths = page.locator("article math").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().width)")
    assert len(widths) > 20
    assert min(widths) > 2
    context.close()


def test_a_copied_formula_is_its_tex_and_stays_mathml_where_that_is_understood(visit):
    page = visit("notebooks/03_multi_head_attention.html").page
    copied = page.evaluate("""() => {
        const paragraph = document.querySelector("#the-mathematics p:has(math)");
        const inside = paragraph.querySelector("math mi").firstChild;
        getSelection().setBaseAndExtent(inside, 0, paragraph, paragraph.childNodes.length);
        const data = new DataTransfer();
        document.dispatchEvent(new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
        return { plain: data.getData("text/plain"), html: data.getData("text/html") };
    }""")
    assert copied["plain"].startswith(
        r"$T$ words that look, the rows of $X \in \mathbb{R}^{T \times D}$, and $S$ words"
    )
    assert "<math" in copied["html"]
    assert "annotation" not in copied["plain"]
    left = page.evaluate("""() => {
        getSelection().selectAllChildren(document.querySelector("h1"));
        const data = new DataTransfer();
        document.dispatchEvent(new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
        return data.getData("text/plain");
    }""")
    assert left == ""  # the browser's own copying
