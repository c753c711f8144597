"""The live translator on the built site: loaded when asked for, fast, alone with this host, wide and narrow."""

import re
import time

import pytest
from playwright.sync_api import expect
from visit import Visit

from lessons_lib.translation.course_model import FOLDER, course_web_model
from lessons_lib.translation.data.grammar import LENGTHS
from lessons_lib.translation.deployment.web_reading import read_web_file
from lessons_lib.translation.everyday_model import everyday_web_model
from lessons_lib.translation.search.model_folder import load_model
from tools import build_book
from tools.lesson_files import ROOT
from tools.serve import QuietHandler, served

SITE = build_book.BUILD / "html"
PAGES = ["book/translator.html", "notebooks/00_start_here.html"]
LOADED = [re.escape(build_book.EVERYDAY), r"_static/engine-\w{8}\.js"]
FRENCH = "J'attends depuis une heure."


def asked(one: Visit, name: str) -> int:
    """How often the page asked for a file of the site."""
    return sum(re.search(f"{name}$", url) is not None for url in one.requests)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light")])
def test_it_translates_on_its_page_and_in_lesson_0(visit, name, width, theme):
    one = visit(name, width=width, theme=theme)
    assert [asked(one, file) for file in LOADED] == [0, 0]  # not before the reader asks
    one.page.get_by_role("button", name="Load and translate").click()
    summary = one.page.locator(".translator-widget .cw-summary")
    expect(summary).to_contain_text(f"French: {FRENCH}")
    assert [asked(one, file) for file in LOADED] == [1, 1]
    one.page.locator(".translator-widget div.tw-words button").nth(2).click()
    expect(summary).to_contain_text("Before it wrote 'une', layer 2, the mean of the heads, looked most at 'an'")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    assert [worker.url[:5] for worker in one.page.workers] == ["blob:"]  # in a thread of its own


def test_with_the_keyboard_alone(visit):
    page = visit(PAGES[0]).page
    page.locator("textarea").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".translator-widget .cw-summary")).to_contain_text(f"French: {FRENCH}")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.at") == "0":
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".translator-widget .cw-summary")).to_contain_text("Before it wrote 'depuis'")


def test_a_page_holds_nothing_of_the_engine_and_a_notebook_all():
    for name in PAGES:
        assert "createKernels" not in (SITE / name).read_text("utf8")
    scripts = (SITE / "_static").glob("engine-*.js")
    assert all("createKernels" in script.read_text("utf8") for script in scripts)
    assert any(
        "export function serve(" in script.read_text("utf8") for script in (SITE / "_static").glob("engine-*.js")
    )
    assert "createKernels" in (ROOT / "notebooks/00_start_here.ipynb").read_text("utf8")


def test_a_page_opened_as_a_file_translates_with_a_model_of_ones_own(browser):
    page = browser.new_page()
    page.goto((SITE / PAGES[0]).as_uri())
    page.locator(".translator-widget input[type=file]").set_input_files(SITE / build_book.EVERYDAY)
    expect(page.locator(".translator-widget .cw-summary")).to_contain_text(f"French: {FRENCH}")
    page.close()


READY = """() => new Promise((resolve) => {
  const foot = document.querySelector(".tw-foot");
  const begin = performance.now();
  new MutationObserver(() => foot.hidden || resolve(performance.now() - begin)).observe(foot, { attributes: true });
  document.querySelector(".tw-go").click();
})"""


def test_it_is_ready_within_a_second_and_writes_a_token_within_30_ms(visit):
    """The best of some tries: a machine that tests something else beside it is slower."""
    times, tokens = [], []
    for _ in range(3):
        page = visit(PAGES[0]).page
        page.locator(".tw-foot").wait_for(state="attached")
        times.append(page.evaluate(READY))
        for _ in range(3):
            page.locator(".translator-widget .cw-summary").wait_for()
            tokens.append(float(page.locator(".tw-foot").get_attribute("data-milliseconds")))
            page.get_by_role("button", name="Translate").click()
    assert min(times) < 1000
    assert min(tokens) < 30


def test_weights_that_do_not_come_are_a_message(visit):
    one = visit(PAGES[0])
    one.page.route("**/*.bin", lambda route: route.fulfill(status=404, body="gone"))
    one.page.get_by_role("button", name="Load and translate").click()
    message = one.page.locator(".tw-message")
    expect(message).to_contain_text("The weights could not be loaded: 404")
    one.page.unroute("**/*.bin")
    one.page.route("**/*.bin", lambda route: route.abort())
    one.page.get_by_role("button", name="Load and translate").click()
    expect(message).to_contain_text("The weights could not be loaded: Failed to fetch. Choose a model file below")
    assert one.page.locator("progress").is_hidden()
    one.page.unroute("**/*.bin")
    one.page.get_by_role("button", name="Load and translate").click()
    expect(one.page.locator(".cw-summary")).to_contain_text(FRENCH)
    one.wrongs.clear()  # the two failures that this test made


class SlowHandler(QuietHandler):
    """Sends in ten pieces, as a network does."""

    def copyfile(self, source, outputfile) -> None:
        data = source.read()
        for start in range(0, len(data), len(data) // 10 + 1):
            outputfile.write(data[start : start + len(data) // 10 + 1])
            outputfile.flush()
            time.sleep(0.1 if len(data) > 1e6 else 0)


def test_progress_is_shown_while_the_weights_come(browser, monkeypatch):
    monkeypatch.setattr("tools.serve.QuietHandler", SlowHandler)
    with served(SITE) as slow:
        one = Visit(browser, slow, PAGES[0])
        watch_progress(one.page)
        one.close()
    assert one.wrongs == []


def watch_progress(page) -> None:
    page.locator("progress").wait_for(state="attached")
    page.evaluate("""() => {
      window.shares = [];
      const bar = document.querySelector('progress');
      new MutationObserver(() => bar.hidden || shares.push(bar.position)).observe(bar, { attributes: true });
    }""")
    page.get_by_role("button", name="Load and translate").click()
    page.locator(".cw-summary").wait_for()
    shares = page.evaluate("shares")
    assert shares[-1] == 1
    assert sum(0 < share < 1 for share in shares) >= 3
    assert shares == sorted(shares)
    assert page.locator("progress").is_hidden()


def test_without_javascript_a_text_stands_there(visit):
    one = visit(PAGES[0], java_script_enabled=False)
    one.wrongs.clear()  # Chromium reports each script that it was told not to run as a failed request
    assert one.page.get_by_text("This translator needs JavaScript.").is_visible()


def test_the_site_carries_the_files_of_these_weights():
    assert (SITE / build_book.TRANSLATOR).read_bytes() == course_web_model()
    assert (SITE / build_book.EVERYDAY).read_bytes() == everyday_web_model()


def test_the_other_model_is_loaded_when_it_is_chosen(visit):
    one = visit(PAGES[0])
    one.page.get_by_role("combobox", name="Model").select_option("The course's")
    one.page.get_by_role("button", name="Load and translate").click()
    expect(one.page.locator(".cw-summary")).to_contain_text("French: Les petits chats noirs ne dorment pas.")
    assert [asked(one, re.escape(file)) for file in (build_book.TRANSLATOR, build_book.EVERYDAY)] == [1, 0]


def test_another_model_is_chosen_while_the_first_one_writes(visit):
    """What that still says is dropped: nothing of it is shown, and nothing goes wrong in the page."""
    page = visit(PAGES[0]).page
    page.emulate_media(reduced_motion="no-preference")  # a word after the other is shown
    page.get_by_role("button", name="Load and translate").click()
    page.locator("div.tw-words button").first.wait_for()
    page.get_by_role("combobox", name="Model").select_option("The course's")
    page.wait_for_timeout(1500)
    expect(page.get_by_role("button", name="Load and translate")).to_be_visible()
    assert page.locator(".cw-summary:visible").count() == 0


def test_the_numbers_of_the_page_are_true():
    page = " ".join((ROOT / "book/translator.md").read_text("utf8").split())
    model, _ = load_model(FOLDER)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    data = course_web_model()
    assert f"{parameters:,} weights" in page
    assert f"with the tokenizer the file has {len(data) / 1e6:.1f}." in page
    assert f" MB instead of {4 * parameters / 1e6:.1f};" in page
    assert f"{len(read_web_file(data)[0]['words']):,} words and signs of English" in page
    assert f"longer than {model.config.max_length - 1} tokens" in page
    assert f"up to {max(LENGTHS)} words" in page
