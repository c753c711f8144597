"""The built site in a real browser: nothing missing, no other host, narrow and dark too; the widgets work."""

import json
import re
from html.parser import HTMLParser
from math import exp, sqrt
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from accessibility import thin, violations_of_colour, violations_of_structure
from playwright.sync_api import expect

from tools import build_book
from tools.lesson_files import ROOT, VIEW, lessons, read_notebook, read_text, views, widget_models

SITE = build_book.BUILD / "html"
LESSON = "notebooks/01_self_attention.html"
LESSON_PAGES = [f"notebooks/{path.stem}.html" for path in lessons()]
MAX_KILOBYTES, MAX_REQUESTS = 3_000, 60


def toc_pages() -> list[str]:
    """The pages of the table of contents, with the ones that Sphinx adds."""
    files = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text("utf8"))
    return [f"{name}.html" for name in files] + ["index.html", "genindex.html", "search.html"]


# ---- every page ----


# Numbers in the tables of widgets that stand on more than one line.
BROKEN_NUMBERS = """() => {
  const texts = [...document.querySelectorAll(".course-widget td, .course-widget td *")].flatMap((node) =>
    [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE && /^[−-]?[\\d.,]+$/.test(child.data)));
  return texts.filter((text) => {
    const range = document.createRange();
    range.selectNode(text);
    return new Set([...range.getClientRects()].map((box) => box.top)).size > 1;
  }).map((text) => text.data);
}"""


@pytest.mark.parametrize("name", toc_pages())
def test_page_on_a_phone_and_in_the_dark(visit, name):
    page = visit(name, width=360).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(BROKEN_NUMBERS) == []
    thin(page)
    assert violations_of_structure(page) == []
    readable(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert luminance(style(page, "body", "backgroundColor")) < 0.05
    readable(page)


@pytest.mark.parametrize("height", [640, 850])
def test_at_the_end_of_a_page_the_way_to_its_top_covers_no_text(visit, height):
    page = visit("book/welcome.html", width=390).page
    page.set_viewport_size({"width": 390, "height": height})
    page.add_style_tag(content="#pst-back-to-top { display: block !important }")  # the theme shows it on a way up
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    button, text = (page.locator(one).bounding_box() for one in ("#pst-back-to-top", ".bd-footer-content__inner"))
    assert 0 < text["y"] + text["height"] <= button["y"]
    assert button["y"] + button["height"] <= height


def test_link_to_the_content_is_out_of_sight_until_it_has_the_focus(visit):
    page = visit("book/welcome.html", width=390).page
    bottom = "document.querySelector('.skip-link').getBoundingClientRect().bottom"
    assert page.evaluate(bottom) <= -1
    page.keyboard.press("Tab")
    page.wait_for_function(f"{bottom} > 20")


def readable(page):
    """Widgets, text, links and the bars that scroll stand out from what is behind them."""
    thumb, track = re.findall(r"rgba?\([^)]*\)", style(page, "html", "scrollbarColor"))
    assert between(thumb, style(page, "body", "backgroundColor")) >= 3
    assert track.endswith(", 0)")
    assert violations_of_colour(page) == []
    assert contrast(page, "article p, article li") >= 4.5
    assert contrast(page, "article a.reference") >= 4.5


def style(page, selector: str, key: str) -> str:
    return page.evaluate(f"getComputedStyle(document.querySelector({selector!r}))[{key!r}]")


def luminance(colour: str) -> float:
    """Relative luminance of "rgb(…)" (WCAG 2, 0 to 1)."""
    parts = [float(number) / 255 for number in re.findall(r"[\d.]+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page, selector: str) -> float:
    """The contrast of the first such text with the page behind it; 21 where the page has none."""
    if page.locator(selector).count() == 0:
        return 21.0
    return between(style(page, selector, "color"), style(page, "body", "backgroundColor"))


def between(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2, 1 to 21)."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


class Links(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "base":  # where the page for lost links lies: not in this folder
            return
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


MADE_LATER = {"../course.pdf", "../course.epub"}  # make pdf, make epub; pages.yml runs them


def test_every_local_link_leads_to_a_file():
    broken = []
    for page in SITE.rglob("*.html"):
        for link in Links(page.read_text("utf8")).found:
            parts = urlsplit(link)
            if (
                not parts.scheme
                and parts.path
                and link not in MADE_LATER
                and not (page.parent / unquote(parts.path)).exists()
            ):
                broken.append(f"{page.relative_to(SITE)}: {link}")
    assert broken == []


def test_no_page_names_a_script_or_style_of_another_host():
    loaded = r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(https?:)?//"
    for page in SITE.rglob("*.html"):
        found = [
            match.group(0) for match in re.finditer(loaded, page.read_text("utf8")) if "canonical" not in match.group(0)
        ]
        assert found == [], page.name


def test_a_lesson_stays_light(visit):
    one = visit(LESSON)
    assert one.bytes < MAX_KILOBYTES * 1000
    assert len(one.requests) < MAX_REQUESTS


def test_icons_are_drawn_without_a_font(visit):
    one = visit(LESSON)
    icons = one.page.locator("[class*=fa-]")
    drawn = "(all) => all.map((icon) => getComputedStyle(icon, '::before').maskImage.startsWith('url'))"
    assert icons.count() > 8
    assert all(icons.evaluate_all(drawn))
    fonts = [request for request in one.requests if "fonts/" in request]
    assert [font.rpartition("/")[2] for font in fonts] == ["stix-two-math.woff2"]


def test_colab_button_opens_this_lesson(visit):
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    repository = config["repository"]["url"].removeprefix("https://github.com/")
    wanted = f"https://colab.research.google.com/github/{repository}/blob/{config['repository']['branch']}/{LESSON[:-5]}.ipynb"
    assert visit(LESSON).page.locator(f'a[href="{wanted}"]').count() >= 1


def test_the_first_page_lists_the_lessons_that_are_written():
    rows = re.findall(
        r"\| (\d+) \| \[[^]]+\]\(\.\./notebooks/(\w+)\) \| ([^|]+) \| [\d +]+ min \|",
        (ROOT / "book/welcome.md").read_text("utf8"),
    )
    written = []
    for path in lessons():
        question = re.search(r"\*\*([^*]+\?)\*\*\s+\*\d+ minutes", read_text(path).cells[0].source)[1]
        written.append((str(int(path.stem[:2])), path.stem, " ".join(question.split())))
    assert rows == written


def test_a_page_opened_as_a_file_is_whole(browser):
    page = browser.new_page()
    wrongs = []
    page.on("console", lambda line: line.type == "error" and wrongs.append(line.text))
    page.goto((SITE / LESSON).as_uri())
    page.locator(".widget-output").first.scroll_into_view_if_needed()
    page.locator(".widget-output.is-drawn").first.wait_for()
    page.locator("math:visible").first.wait_for()
    page.locator(".course-progress").wait_for(state="attached")
    page.close()
    assert wrongs == []


# ---- the widget of lesson 1 ----


def shown_weights(page) -> list[float]:
    return [float(text) for text in page.locator(".attention-widget").first.locator("[data-weight]").all_inner_texts()]


def stored_state() -> dict:
    notebook = read_notebook(ROOT / "notebooks/01_self_attention.ipynb")
    return widget_models(notebook)[views(notebook)[0]]["state"]


def expected_weights(t: int) -> list[float]:
    """Row t of softmax(QKᵀ/√d), from the queries and keys in the notebook."""
    sentence = stored_state()["sentences"][stored_state()["sentence"]]
    query = sentence["queries"][t]
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / sqrt(len(query)) for key in sentence["keys"]]
    powers = [exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_click_on_a_word_changes_the_weights(visit, width):
    page = visit(LESSON, width=width).page
    words = page.locator(".attention-widget").first.locator("button[data-word]")
    before = shown_weights(page)
    for t in (0, 1):
        words.nth(t).click()
        assert words.nth(t).get_attribute("aria-pressed") == "true"
        assert shown_weights(page) == pytest.approx(expected_weights(t), abs=0.006)
    assert shown_weights(page) != before


def test_the_keyboard_does_what_the_mouse_does(visit):
    page = visit(LESSON).page
    words = page.locator(".attention-widget").first.locator("button[data-word]")
    words.nth(0).click()
    first = shown_weights(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert words.nth(1).get_attribute("aria-pressed") == "true"
    assert shown_weights(page) == pytest.approx(expected_weights(1), abs=0.006)
    assert shown_weights(page) != first


def test_without_javascript_the_widgets_text_is_read(visit):
    one = visit(LESSON, java_script_enabled=False)
    one.wrongs.clear()  # Chromium reports each script that it was told not to run as a failed request
    text = one.page.locator(".widget-output-text").first
    assert text.is_visible()
    assert stored_state()["sentences"][0]["words"][3] in text.inner_text()


# ---- progress, in the sidebar ----


def marks(page) -> dict[str, str]:
    """What stands beside the lessons in the sidebar, for the eye and in words."""
    links = page.locator(".bd-sidebar-primary a:has(.progress-mark)").all()
    return {link.text_content().split(" ")[0]: link.locator(".progress-mark").text_content() for link in links}


def open_answer(page, begin: str):
    """Open the first answer that begins so."""
    answer = page.locator("#check-yourself details", has=page.locator(f"p:text-matches('^{begin}')")).first
    answer.locator("summary").click()
    answer.evaluate("() => new Promise((done) => setTimeout(done, 50))")  # a fold tells that it opened a moment later


def test_progress_is_remembered_shown_and_forgotten(visit):
    page = visit(LESSON).page
    note = page.locator(".course-progress-note")
    assert marks(page) == {}
    assert not note.is_visible()
    open_answer(page, "No")
    assert marks(page) == {}
    open_answer(page, "Right")
    questions = page.locator("#check-yourself p > strong").count()
    assert marks(page) == {"1": f"1/{questions} (1 of {questions} questions)"}
    page.locator("section#summary p").last.scroll_into_view_if_needed()
    page.locator(".course-progress-note:has-text('Lessons read: 1.')").wait_for()
    page.goto(page.url.replace("01_self_attention", "02_query_key_value"), wait_until="networkidle")
    assert marks(page) == {"1": f"1/{questions} (read, 1 of {questions} questions)"}
    assert note.inner_text() == "Lessons read: 1. Questions answered: 1. Kept in this browser only."
    page.get_by_role("button", name="Forget it").press("Enter")
    assert marks(page) == {}
    assert not note.is_visible()
    page.reload(wait_until="networkidle")
    assert marks(page) == {}


def test_a_lesson_that_is_read_and_answered_has_a_tick(visit):
    page = visit(LESSON).page
    page.evaluate("document.querySelectorAll('#check-yourself details').forEach(answer => { answer.open = true; })")
    page.locator("section#summary p").last.scroll_into_view_if_needed()
    page.locator(".progress-mark:has-text('✓')").wait_for()


def test_progress_that_somebody_else_wrote_breaks_nothing(visit):
    page = visit(LESSON).page
    open_answer(page, "Right")
    others = ['{"01_self_attention": {}}', '{"01_self_attention": null, "02_x": 3, "y": {}}']
    for saved in ["not JSON", "[]", "7", *others]:
        page.evaluate(
            "text => localStorage.setItem(Object.keys(localStorage).find(key => /^progress/.test(key)), text)", saved
        )
        page.reload()
        open_answer(page, "Right")
        assert marks(page)["1"].startswith("1/"), saved


def test_each_question_has_one_right_answer_and_says_why_the_others_are_wrong():
    for path in lessons():
        text = "\n".join(cell.source for cell in read_text(path).cells if cell.cell_type == "markdown")
        asked = re.split(
            r"^\*\*\d+\. ", text.partition("## Check yourself")[2].partition("\n## ")[0], flags=re.MULTILINE
        )[1:]
        for question in asked:
            answers = re.findall(r"<details( class=\"right\")?><summary>.*?</summary>\s+(\w+)", question, re.DOTALL)
            assert len(answers) >= 2, (path.stem, question[:60])
            assert [mark != "" for mark, _ in answers].count(True) == 1, (path.stem, question[:60])
            assert [mark != "" for mark, _ in answers] == [word == "Right" for _, word in answers]


# ---- the loader, on pages of its own ----

COUNTER = (ROOT / "tests/js/counter.js").read_text("utf8")
FACTORY = "export default async () => ({ render({ el }) { el.textContent = 'made by a function'; } });"
FAILS = "export default { render() { throw new Error('no such data'); } };"
SYNTAX_ERROR = "export default {"


def loader_page(browser, states: dict, shown: list[str]):
    """A page with these widgets' models and views, as the site's pages have them, and the loader."""
    outputs = [
        f'<div class="widget-output"><script type="{VIEW}">{json.dumps({"model_id": one})}</script>'
        f'<div class="widget-output-text">text of {one}</div></div>'
        for one in shown
    ]
    models = f"<script>globalThis.courseWidgets = {json.dumps(states)}</script>" if states else ""
    page = browser.new_page()
    page.set_content(f"<!doctype html><html lang=en><head>{models}</head><body>{''.join(outputs)}</body></html>")
    page.add_style_tag(path=ROOT / "book/assets/course.css")
    page.add_script_tag(content=(ROOT / "book/assets/widgets.js").read_text("utf8"), type="module")
    return page


@pytest.fixture
def load(browser):
    pages = []

    def draw(states: dict, shown: list[str]):
        pages.append(loader_page(browser, states, shown))
        return pages[-1]

    yield draw
    for page in pages:
        page.close()


def model(source: str, **state) -> dict:
    return {"model_name": "AnyModel", "model_module": "anywidget", "state": {"_esm": source, **state}}


def test_loader_two_views_share_one_model(load):
    buffers = [{"path": ["data"], "encoding": "base64", "data": "AAc="}]
    counter = {**model(COUNTER, n=1, _css="button { color: rgb(1, 2, 3); }"), "buffers": buffers}
    page = load({"a": counter, "b": model(COUNTER, n=5)}, ["a", "a", "b"])
    buttons = page.locator("button")
    buttons.nth(2).wait_for()
    buttons.nth(0).click()
    assert buttons.all_inner_texts() == ["2 of 7, started 1", "2 of 7, started 1", "5 of -, started 1"]
    assert style(page, "button", "color") == "rgb(1, 2, 3)"
    assert not page.locator(".widget-output-text").first.is_visible()


def test_loader_takes_a_function_as_the_module(load):
    page = load({"a": model(FACTORY)}, ["a"])
    page.get_by_text("made by a function").wait_for()


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ({"a": model(FAILS)}, "no such data"),
        ({"a": model(SYNTAX_ERROR)}, "could not be drawn"),
        ({"a": {"model_name": "LayoutModel", "state": {}}}, "holds no state for a"),
        ({}, "holds no state for a"),
    ],
)
def test_loader_says_what_failed_and_draws_the_rest(load, states, says):
    page = load({**states, "b": model(COUNTER, n=1)}, ["a", "b"])
    page.locator("button").wait_for()
    note = page.locator(".widget-output-error")
    note.wait_for()
    assert says in note.inner_text()
    assert page.get_by_text("text of a", exact=True).is_visible()


@pytest.mark.parametrize("name", [*LESSON_PAGES, "book/translator.html", "book/playground.html"])
def test_each_widget_of_a_page_is_drawn_when_a_reader_comes_to_it(visit, name):
    page = visit(name).page
    places = page.locator(".widget-output")
    for place in places.all():
        place.scroll_into_view_if_needed()
        expect(place).to_have_class(re.compile(r"\bis-drawn\b"), timeout=10_000)
    assert places.count() == (SITE / name).read_text("utf8").count('<div class="widget-output">') >= 1
