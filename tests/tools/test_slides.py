"""The slides of every lesson in a browser: nothing sticks out, no markup is left, figures and verdicts are there."""

import re

import pytest
from accessibility import violations_of_structure
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from tools import build_book
from tools.claims import claims
from tools.lesson_files import lessons, read_notebook, read_text, views
from tools.slides import lesson, text
from tools.slides.deck import deck

LESSONS = [path.stem for path in lessons()]
# What a reader would see of a slide that is too full: text or pictures beyond its margins or under its verdict, each
# with the number of its slide. What a widget holds may be scrolled.
TOO_FULL = """() => [...document.querySelectorAll("main > section")].flatMap((slide, number) => {
  const PICTURES = "img:not(.logo), math";
  const whole = slide.getBoundingClientRect();
  const edge = { left: whole.left + 60, top: whole.top + 30, right: whole.right - 60, bottom: whole.bottom - 40 };
  const next = slide.querySelector(".next");
  const under = next && slide.matches(".claim") ? next.getBoundingClientRect().top : edge.bottom;
  const found = [];
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_ALL);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!(node.nodeType === Node.TEXT_NODE ? node.data.trim() : node.matches?.(PICTURES))) continue;
    if (node.parentElement.closest(".scrolled, math, svg")) continue;
    const range = document.createRange();
    range.selectNode(node);
    const box = range.getBoundingClientRect();
    const bottom = next?.contains(node) || node.parentElement.closest("figcaption") ? edge.bottom : under;
    const isOut = box.left < edge.left || box.top < edge.top || box.right > edge.right || box.bottom > bottom + 1;
    if (isOut) found.push(`${number + 1}: ${(node.data ?? node.alt ?? "a formula").trim().slice(0, 60)}`);
  }
  return found;
})"""
# The text that is read, without code and formulas.
PROSE = """() => [...document.querySelectorAll("main > section")].map((slide) => {
  const copy = slide.cloneNode(true);
  copy.querySelectorAll("pre, code, math, .scrolled, script").forEach((node) => node.remove());
  return copy.textContent;
}).join("\\n")"""
MARKUP = re.compile(r"\$|\\[([a-z]|`|\{\w+\}|\*\*|:::|&\w+;|<\w+|\]\(")
SMALLEST = 18  # pixels of the text, of a slide of 720


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The slides of each lesson, as files."""
    assert build_book.read_manifest() == build_book.sources(), "the site is not that of these sources; run: make book"
    folder, made = tmp_path_factory.mktemp("slides"), {}

    def of(name: str):
        if name not in made:
            made[name] = folder / f"{name}.html"
            made[name].write_text(deck(build_book.BUILD / "html" / "notebooks" / f"{name}.html"), "utf8")
        return made[name]

    return of


@pytest.fixture
def play(browser, decks):
    """Open the slides of a lesson as a file; nothing may go wrong there, and nothing else is loaded."""
    opened, wrongs = [], []

    def begin(name: str, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 720}, **options)
        page = context.new_page()
        opened.append(context)
        page.on("pageerror", lambda error: wrongs.append(f"page error: {error}"))
        page.on("console", lambda line: line.type in ("error", "warning") and wrongs.append(line.text))
        page.on("request", lambda request: wrongs.append(request.url) if "://" in request.url[5:] else None)
        page.goto(decks(name).as_uri())
        page.locator("html.is-ready").wait_for(state="attached")
        return page

    yield begin
    for context in opened:
        context.close()
    assert [wrong for wrong in wrongs if not wrong.startswith(("file:", "blob:"))] == []


def words(text: str) -> str:
    """The words of a text in MyST or of a page: no markup, no formulas, no marks."""
    text = re.sub(r"\$.*?\$|`[^`]*`", " ", re.sub(r"\{\w+\}`([^`<]*?)(?: <[^`]*>)?`", r"\1", text))
    return " ".join(re.findall(r"\w+", text))


@pytest.mark.parametrize("name", LESSONS)
def test_every_slide_of_a_lesson(play, name):
    page = play(name)
    path = next(path for path in lessons() if path.stem == name)
    drawn = views(read_notebook(path.with_suffix(".ipynb")))
    if drawn:
        page.locator(".widget-output.is-drawn").first.wait_for(state="attached")
    assert page.locator(".widget-output-error").count() == 0
    # nothing sticks out, on the screen and on paper
    assert page.evaluate(TOO_FULL) == []
    sizes = page.evaluate("slides.map((slide) => parseFloat(getComputedStyle(slide).fontSize))")
    assert min(sizes) >= SMALLEST, sizes
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(TOO_FULL) == []
    # no markup is left
    prose = page.evaluate(PROSE)
    assert MARKUP.findall(prose) == []
    # every figure, large enough and with its text
    cells = read_text(path).cells
    alts = [image["alt"] for cell in cells if (image := cell.metadata.get("mystnb", {}).get("image"))]
    shown = page.locator("figure img")
    assert [shown.nth(i).get_attribute("alt") for i in range(shown.count())] == alts
    assert all(height > 180 for height in shown.evaluate_all("(all) => all.map((image) => image.clientHeight)"))
    assert shown.evaluate_all("(all) => all.every((image) => image.naturalWidth > 0)")
    # every claim and its verdict; every question and its answer
    said = words(prose)
    for claim, verdict in claims(path):
        assert words(claim) in said
        assert words(verdict) in said
    written = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert page.locator(".check .right").count() == written.count('<details class="right">')
    assert page.locator(".claim .next").count() == len(claims(path))


def test_the_live_translator_takes_a_model_of_ones_own(play):
    page = play(LESSONS[0])
    page.locator(".translator-widget input[type=file]").set_input_files(build_book.BUILD / "html" / build_book.EVERYDAY)
    expect(page.locator(".translator-widget .cw-summary")).to_contain_text("French: J'attends depuis une heure.")


def test_keys_go_through_the_slides_and_show_an_answer_after_its_question(play):
    page = play(LESSONS[1])
    here, last = page.locator("section.here"), page.locator("main > section").count()
    page.keyboard.press("ArrowLeft")
    assert here.get_attribute("id") == "1"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") == "#2"
    assert page.get_by_role("status").inner_text().startswith(f"2 / {last}")
    question = page.locator(".check").first.get_attribute("id")
    page.evaluate("(id) => { location.hash = id; }", question)
    page.locator(f"section.here[id='{question}']").wait_for()
    answer = page.locator(".check .next").first
    assert here.get_attribute("id") == question
    assert not answer.is_visible()
    page.keyboard.press(" ")
    assert (here.get_attribute("id"), answer.is_visible()) == (question, True)
    page.keyboard.press(" ")
    assert here.get_attribute("id") == str(int(question) + 1)
    page.keyboard.press("PageUp")
    assert answer.is_visible()  # one comes back to a slide as one left it
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert here.get_attribute("id") == str(last)
    page.get_by_role("button", name="Back").click()
    assert here.get_attribute("id") == str(last - 1)


def test_the_overview_shows_all_slides_and_leads_to_one(play):
    page = play(LESSONS[1])
    page.keyboard.press("o")
    assert all(slide.is_visible() for slide in page.locator("main > section").all())
    page.locator("main > section").nth(4).click()
    assert page.locator("section.here").get_attribute("id") == "5"
    assert not page.locator("main > section").first.is_visible()


def test_a_swipe_turns_a_slide(play):
    page = play(LESSONS[1], has_touch=True)
    touch = """([from, to]) => ["touchstart", "touchend"].forEach((kind, i) => {
      const touch = new Touch({ identifier: 1, target: document.body, clientX: [from, to][i], clientY: 300 });
      const touches = { touches: i ? [] : [touch], changedTouches: [touch] };
      document.body.dispatchEvent(new TouchEvent(kind, { bubbles: true, ...touches }));
    })"""
    for swipe, slide in (((900, 400), "2"), ((400, 410), "2"), ((400, 900), "1")):
        page.evaluate(touch, swipe)
        assert page.locator("section.here").get_attribute("id") == slide


def test_a_widget_keeps_its_own_keys(play):
    page = play(LESSONS[1])
    widget = page.locator(".widget-output.is-drawn").first
    page.evaluate("show(slides.findIndex((slide) => slide.matches('.live')))")
    words = widget.locator("button[data-word]")
    words.nth(0).click()
    page.keyboard.press("ArrowRight")
    assert page.locator("section.here").get_attribute("class").startswith("live")
    page.keyboard.press("Enter")
    assert words.nth(1).get_attribute("aria-pressed") == "true"


def test_paper_takes_a_slide_a_page_in_light_colours_with_the_answers(play):
    page = play(LESSONS[1], color_scheme="dark")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == page.locator("main > section").count()
    assert set(re.findall(rb"/MediaBox\s*\[(.*?)\]", printed)) == {b"0 0 960 540"}  # points: 1280 × 720 pixels
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_slides_can_be_read_without_a_mouse_and_without_a_script(browser, play, decks):
    page = play(LESSONS[1])
    assert violations_of_structure(page) == []
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(decks(LESSONS[1]).as_uri())
    assert all(slide.is_visible() for slide in plain.locator("main > section, .next").all())
    plain.context.close()


# ---- what is taken of a page ----


def tag(text: str):
    return BeautifulSoup(text, "html.parser").find(True)


def test_sentences_keep_their_markup_and_end_in_bold_text_too():
    said = "<strong>The axis.</strong> It is <code>1</code>. See e.g. lesson 3 (Ba <em>et al.</em> [2016]): “No.” Yes?"
    assert text.sentences(tag(f"<p>{said}</p>")) == [
        "<strong>The axis.</strong>",
        "It is <code>1</code>.",
        "See e.g. lesson 3 (Ba <em>et al.</em> [2016]): “No.”",
        "Yes?",
    ]


def test_a_paragraph_gives_its_begin_and_what_is_bold_and_a_formula_what_leads_to_it():
    paragraph = tag("<p>One is here. Two is there. Three is <strong>bold</strong>. Four ends:</p>")
    assert text.begins(paragraph, 15) == "One is here. Three is <strong>bold</strong>."
    assert text.begins(paragraph, 30) == "One is here. Two is there. Three is <strong>bold</strong>."
    named = tag("<p><strong>Name.</strong> One is here. Two.</p>")
    assert text.begins(named, 5) == "<strong>Name.</strong> One is here."
    assert text.ends(paragraph, 10) == "Four ends:"
    assert text.ends(paragraph, 30) == "Three is <strong>bold</strong>. Four ends:"
    assert text.closed("Four ends:") == "Four ends …"


def test_blocks_are_spread_evenly_over_as_few_slides_as_take_them():
    third = text.SLIDE // 3
    assert list(text.packed([("a", third), ("b", third)])) == ["a\nb"]
    assert list(text.packed([(letter, third) for letter in "abcd"])) == ["a\nb", "c\nd"]
    assert list(text.packed([("a", 3 * text.SLIDE), ("b", third)])) == ["a", "b"]
    assert list(text.packed([])) == []


FRENCH = """<article><section id="x"><h1>6 · Normaliser</h1><p><strong>Pourquoi ?</strong> <em>80 minutes</em></p>
<section><h2>L’idée</h2><p>Une phrase.</p></section>
<section><h2>Affirmations</h2><section><span id="claim-06-1"></span><h3>Affirmation 1 : « Tout va »</h3>
<p>On essaie.</p><div class="verdict admonition"><p class="admonition-title">Verdict : faux</p><p>Parce que.</p></div>
</section></section>
<section><h2>Erreurs</h2><p><strong>L’axe.</strong> Il est faux.</p></section>
<section><h2>Testez-vous</h2><p><strong>1. Combien ?</strong></p><details><summary>8</summary><p>Non.</p></details>
<details class="right"><summary>160</summary><p>Oui. Par mot.</p></details></section>
<section><h2>Résumé</h2><ul><li><p>Une norme.</p></li></ul></section></section></article>"""


def test_the_rooms_are_told_apart_in_another_language():
    made = lesson.slides(BeautifulSoup(FRENCH, "html.parser"))
    assert [(slide.kind, slide.over, slide.title) for slide in made] == [
        ("title-slide", "6", "Normaliser"),
        ("text", "", "L’idée"),
        ("claim", "Affirmation 1", "« Tout va »"),
        ("text", "", "Erreurs"),
        ("check", "Testez-vous", "<strong>1. Combien ?</strong>"),
        ("text", "", "Résumé"),
    ]
    assert made[2].next == "<p><strong>Verdict : faux</strong></p><p>Parce que.</p>"
    assert made[4].body == "<ol><li>8</li><li class=right>160</li></ol>"
    assert made[4].next == "<p>Oui. Par mot.</p>"
