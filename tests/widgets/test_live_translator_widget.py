"""The live translator's widget: what a reader sees and does, on a page of its own."""

import base64
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from accessibility import CONTRAST
from playwright.sync_api import expect
from toy import toy_translator
from widget_page import WidgetPage

from lessons_lib.translation.course_model import course_web_model
from lessons_lib.translation.deployment.web import web_model
from lessons_lib.translation.deployment.web_reading import read_web_model
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.translation.search.translator import Translator
from lessons_lib.widgets import TranslatorWidget

SENTENCES = ["The small black cats do not sleep.", "My sister is reading a book."]


@pytest.fixture(scope="module")
def translator():
    return Translator(*read_web_model(course_web_model()))


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    """The course's model, as a file to choose."""
    path = tmp_path_factory.mktemp("web") / "course.bin"
    path.write_bytes(course_web_model())
    return str(path)


@pytest.fixture
def show(pages):
    """Draw widgets on a page of their own; no error may have happened on it when the test ends."""

    def draw(*widgets, motion: bool = False, **options) -> WidgetPage:
        page = pages.show(*(widgets or [TranslatorWidget(SENTENCES)]), **options)
        page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
        return page

    yield draw
    assert pages.leave() == []


@pytest.fixture
def ready(show, file):
    """The widget with its model loaded and its first sentence translated."""

    def draw(*widgets, **options) -> WidgetPage:
        page = show(*widgets, **options)
        choose(page, file)
        shown(page)
        return page

    return draw


def choose(page, file) -> None:
    page.locator("input[type=file]").first.set_input_files(file)


def shown(page) -> str:
    """Wait for a translation; the French words."""
    page.locator(".cw-summary:visible").first.wait_for()
    return " ".join(french(page))


def french(page) -> list[str]:
    return page.locator("div.tw-words").first.locator("button").all_text_contents()


def translate(page, text: str) -> str:
    page.locator("textarea").fill(text)
    page.get_by_role("button", name="Translate").click()
    expect(page.locator(".tw-message")).not_to_contain_text("Translating")
    return shown(page)


def weights(page) -> np.ndarray:
    """The weights under the English words."""
    return np.array([float(text) for text in page.locator("ol.tw-words small").all_text_contents()])


def says(page) -> str:
    return page.locator(".tw-message").text_content()


# --- what one sees and does ------------------------------------------------------------------------------------------


def test_translation_and_where_each_word_looked(ready, translator):
    page = ready()
    (expected,) = translator.translate(SENTENCES[:1])
    assert " ".join(french(page)) == expected.text == "Les petits chats noirs ne dorment pas."
    assert page.locator("ol.tw-words span").all_text_contents() == [*SENTENCES[0].split(), "</s>"]
    table = expected.word_attention()
    for t in (0, 3, 6):
        page.locator("div.tw-words button").nth(t).click()
        assert page.locator("div.tw-words [aria-pressed=true]").all_text_contents() == [expected.text.split()[t]]
        found = weights(page)
        assert found[:-1] == pytest.approx(table[t], abs=0.0051)
        assert found.sum() == pytest.approx(1, abs=0.03)  # nothing is hidden: the rest is on </s>
    best = SENTENCES[0].split()[int(table[6].argmax())]
    expect(page.locator(".cw-summary")).to_contain_text(
        f"Before it wrote 'pas.', layer 2, the mean of the heads, looked most at '{best}'"
    )
    assert says(page) == ""


def test_blanks_between_words_do_not_matter(ready, translator):
    page = ready()
    translate(page, "  The  cat\tsleeps.\n")
    assert " ".join(french(page)) == translator.translate("The cat sleeps.").text
    assert page.locator("ol.tw-words span").all_text_contents() == ["The", "cat", "sleeps.", "</s>"]


def test_each_layer_and_head_in_words_and_pieces(ready, translator):
    page = ready(TranslatorWidget(["The old woman's uncle doesn't see the zebra."], selected=0))
    (expected,) = translator.translate(["The old woman's uncle doesn't see the zebra."])
    page.get_by_text("pieces", exact=True).click()
    assert french(page) == expected.target_tokens
    assert page.locator("ol.tw-words span").all_text_contents() == expected.source_tokens
    for layer, head in ((0, 0), (1, 3), (0, 2)):
        page.get_by_text(f"layer {layer + 1}", exact=True).click()
        page.get_by_label("Head").select_option(index=head + 1)
        for t in (0, 5):
            page.locator("div.tw-words button").nth(t).click()
            assert weights(page) == pytest.approx(expected.cross_attention[layer, head, t], abs=0.0051)
    assert [page.evaluate(f"models[0].get('{name}')") for name in ("layer", "head", "unit", "selected")] == [
        0, 2, "pieces", 5,
    ]  # fmt: skip


def test_what_it_held_likely(ready, translator):
    page = ready()
    page.locator("div.tw-words button").nth(1).click()
    (expected,) = translator.translate(SENTENCES[:1])
    encode, model = translator.tokenizer.encode, translator.model
    logits = model(torch.tensor([[*encode(SENTENCES[0]), 2]]), torch.tensor([[1, *encode(expected.text)]]))[0]
    top = logits[1].softmax(-1).topk(5)
    rows = page.locator("table").nth(1).locator("tbody tr")
    assert rows.locator("th").all_text_contents() == translator.tokenizer.pieces(top.indices.tolist())
    assert [float(text) for text in rows.locator("td span").all_text_contents()] == pytest.approx(
        top.values.tolist(), abs=0.00051
    )
    assert page.locator("table").nth(1).locator("caption").text_content() == "After 'Les' it held likely"


def test_beams_and_what_they_ended_with(ready, translator):
    page = ready()
    page.get_by_text("4 beams", exact=True).click()
    page.locator(".tw-beams tbody tr").nth(3).wait_for()
    (expected,) = translator.translate(SENTENCES[:1], beam=4)
    rows = page.locator(".tw-beams tbody tr")
    ended = [(expected.text, expected.score), *expected.alternatives]
    scores = [float(row.locator("td").first.text_content().replace("−", "-")) for row in rows.all()]
    shown = dict(zip(reversed(rows.locator("th").all_text_contents()), reversed(scores), strict=True))
    # The page shows every beam, the library each text once, with its best score.
    assert list(shown)[::-1] == [text for text, _ in ended]
    assert list(shown.values())[::-1] == pytest.approx([score for _, score in ended], abs=0.0011)
    page.get_by_text("greedy", exact=True).click()
    page.locator(".tw-beams").wait_for(state="hidden")


def test_french_appears_token_by_token(show, file):
    page = show(motion=True)
    page.evaluate("""() => {
      window.seen = [];
      const words = document.querySelector('div.tw-words');
      const note = () => seen.push([...words.children].map((one) => one.textContent).join(' '));
      new MutationObserver(note).observe(words, { childList: true, subtree: true, characterData: true });
    }""")
    choose(page, file)
    text = shown(page)
    seen = list(dict.fromkeys(page.evaluate("seen")))
    beginnings = [one for one in seen if one and text.startswith(one)]
    assert len(beginnings) >= 5
    assert beginnings == sorted(beginnings, key=len)


def test_an_example_is_translated_when_it_is_chosen(ready, translator):
    page = ready()
    page.get_by_label("Example").select_option(index=1)
    expected = translator.translate(SENTENCES[1:])[0].text
    expect(page.locator(".cw-summary")).to_contain_text(f"French: {expected}")
    assert page.locator("textarea").input_value() == SENTENCES[1]


def test_python_redraws_by_changing_a_trait(ready):
    page = ready()
    page.evaluate("models[0].set('selected', 2)")
    assert page.locator("div.tw-words [aria-pressed=true]").text_content() == "chats"
    page.evaluate("models[0].set('layer', 0)")
    assert page.get_by_role("radio", name="layer 1").is_checked()


# --- what is not as one may think ------------------------------------------------------------------------------------


def test_words_never_seen_are_named(ready):
    page = ready()
    translate(page, "The CATS see a zebra 🚀.")
    assert "Never seen in training: ‘CATS’ (but it knows ‘cats’), ‘zebra’, ‘🚀’." in says(page)
    assert page.locator(".tw-unseen span").all_text_contents() == ["CATS", "zebra", "🚀."]
    page.get_by_text("pieces", exact=True).click()
    marked = "".join(page.locator(".tw-unseen span").all_text_contents())
    assert marked == "▁CATSzebra<0xF0><0x9F><0x9A><0x80>."  # the bare spaces between them are of no word


def test_empty_text_html_and_many_words(ready):
    page = ready()
    for blank in ("", " \n\t "):
        page.locator("textarea").fill(blank)
        page.get_by_role("button", name="Translate").click()
        expect(page.locator(".tw-message")).to_have_text("Type an English sentence first.")
    translate(page, "<img src=x onerror='throw 1'> <b>cat</b> &amp;")
    assert page.locator("img, b").count() == 0
    assert "<b>cat</b>" in page.locator("ol.tw-words span").all_text_contents()
    translate(page, "cat " * 500)
    assert "The text has 500 tokens, but this model reads at most 255: the rest was left out." in says(page)
    assert page.locator("ol.tw-words li").count() <= 257
    english = page.locator("ol.tw-words")
    assert english.bounding_box()["height"] < 300  # it scrolls, and so the keyboard reaches it
    assert english.get_attribute("tabindex") == "0"
    translate(page, "The cat sleeps. The dog eats. " * 300)
    assert "one sentence at a time" in says(page)
    assert "Only the first 5000 characters were read." in says(page)


def test_the_page_stays_awake_while_it_translates_500_words(ready):
    page = ready(TranslatorWidget(SENTENCES, beam=8))
    page.evaluate("""() => {
      window.longest = 0;
      let last = performance.now();
      setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 5);
    }""")
    page.locator("textarea").fill("the small black cat " * 125)
    page.get_by_role("button", name="Translate").click()
    page.wait_for_timeout(1500)
    assert page.evaluate("longest") < 500  # it works for seconds; the page's own thread only draws
    page.locator("textarea").fill(SENTENCES[1])  # and a new sentence need not wait for the old one
    page.get_by_role("button", name="Translate").click()
    expect(page.locator(".cw-summary")).to_contain_text("French: Ma sœur lit un livre.", timeout=10_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"\x89PNG and so on" * 100, "not a file that `lessons export-web` wrote"),
        (lambda data: b"", "not a file that `lessons export-web` wrote"),
        (lambda data: data[:700_000], "This file is cut off: 6"),
        (lambda data: data[:8] + b"\2" + data[9:], "of version 2, and this page reads version 1"),
        (lambda data: data.replace(b'"d_model"', b'"d_mode1"'), "damaged (it does not say its d_model). Export"),
        (lambda data: data.replace(b"encoder.norm.gamma", b"encoder.norm.gimma"), "lacks a part of the model"),
        (lambda data: data.replace(b'"sinusoidal"', b'"spherical!"'), "positions='spherical!' is not known"),
    ],
)
def test_a_file_that_is_no_model_is_a_message_and_the_old_model_stays(ready, tmp_path, change, message):
    page = ready()
    broken = tmp_path / "broken.bin"
    broken.write_bytes(change(course_web_model()))
    choose(page, str(broken))
    expect(page.locator(".tw-message")).to_contain_text(message)
    assert page.locator("progress").is_hidden()
    assert translate(page, SENTENCES[1]) == "Ma sœur lit un livre."


def test_a_model_of_ones_own(ready, tmp_path):
    save_model(tmp_path, toy_translator().model, toy_translator().tokenizer)
    (tmp_path / "own.bin").write_bytes(web_model(tmp_path, name="<i>mine</i>"))
    page = ready(TranslatorWidget(["the black cat sees the dog"], layer=1, head=3))
    choose(page, str(tmp_path / "own.bin"))
    expect(page.locator(".tw-foot")).to_contain_text("<i>mine</i>")
    assert shown(page) == "le chat noir voit le chien"
    expect(page.locator(".tw-foot")).to_contain_text("It does not say which words it has seen")
    assert page.locator(".cw-choice label:has-text('layer')").count() == 1  # it has one layer, of two heads
    assert page.get_by_label("Head").locator("option").count() == 3


# --- where the weights come from -------------------------------------------------------------------------------------

ASK = {"ask": "weights", "model": 0}
KERNEL = """([data]) => {
  const reply = data ? (view) => [{ weights: 1 }, [view]] : () => [{ failed: 'no file' }, []];
  models[0].send = (content) => {
    window.asked = [...(window.asked ?? []), content];
    const all = Uint8Array.from('before' + atob(data), (letter) => letter.charCodeAt(0));
    const view = new DataView(all.buffer, 6); // as Jupyter gives it: a window into a longer message
    const [[, take]] = models[0].listeners.filter(([name]) => name === 'msg:custom');
    setTimeout(() => take(...reply(view)));
  };
}"""


def test_a_kernel_hands_the_weights_over_when_asked(show):
    page = show()
    page.evaluate(KERNEL, [base64.b64encode(course_web_model()).decode()])
    page.get_by_role("button", name="Load and translate").click()
    assert shown(page) == "Les petits chats noirs ne dorment pas."
    assert page.evaluate("asked") == [ASK]
    page.get_by_role("button", name="Translate").click()
    expect(page.locator(".cw-summary")).to_be_visible()
    assert len(page.evaluate("asked")) == 1
    assert page.evaluate("models[0].listeners.filter(([name]) => name === 'msg:custom').length") == 0


def test_a_kernel_that_has_none_or_is_not_there(show):
    page = show()
    page.evaluate(KERNEL, [""])
    page.get_by_role("button", name="Load and translate").click()
    expect(page.locator(".tw-message")).to_have_text(
        "The weights could not be loaded: no file. Choose a model file below, or try again."
    )
    page = show()
    page.clock.install()
    page.evaluate("() => { models[0].send = () => {}; }")
    page.get_by_role("button", name="Load and translate").click()
    page.locator("progress").wait_for()
    page.clock.fast_forward(21_000)
    expect(page.locator(".tw-message")).to_contain_text("no kernel answers; run the cell first")
    page.close()  # its clock is not that of other tests


def test_of_several_models_the_chosen_one_is_loaded(show):
    course = {"name": "grammar", "knows": "Cats and queens.", "file": "course-translator.bin", "sentences": SENTENCES}
    other = course | {"name": "everyday", "knows": "All sorts.", "sentences": ["What time is it?"]}
    page = show(TranslatorWidget(models=[course, other]))
    page.evaluate(KERNEL, [base64.b64encode(course_web_model()).decode()])
    assert page.locator(".tw-knows").text_content() == "Cats and queens."
    page.get_by_role("button", name="Load and translate").click()
    assert shown(page) == "Les petits chats noirs ne dorment pas."
    page.get_by_role("combobox", name="Model").select_option("everyday")
    assert page.locator(".tw-knows").text_content() == "All sorts."
    assert page.locator("textarea").input_value() == "What time is it?"
    assert page.locator(".tw-stage").is_hidden()  # what stood there was the other's
    page.get_by_role("button", name="Load and translate").click()
    shown(page)
    assert page.evaluate("asked") == [ASK, ASK | {"model": 1}]
    page.get_by_role("combobox", name="Model").select_option("grammar")
    assert page.locator("textarea").input_value() == SENTENCES[0]


def test_python_answers_with_bytes_a_path_or_a_function(tmp_path, monkeypatch):
    path = tmp_path / "x.bin"
    path.write_bytes(b"abc")
    for weights_given in (b"abc", str(path), path, lambda: b"abc"):
        widget, sent = TranslatorWidget(SENTENCES, weights_given), []
        monkeypatch.setattr(widget, "send", lambda *message, sent=sent: sent.append(message))
        widget._handle_custom_msg(ASK, [])
        for other in ({"ask": "nothing"}, ASK | {"model": 1}, ASK | {"model": [0]}, "weights"):
            widget._handle_custom_msg(other, [])
        assert sent == [({"weights": 3}, [b"abc"])]
        assert b"abc" not in widget.get_state().values()
    widget, sent = TranslatorWidget(SENTENCES), []
    monkeypatch.setattr(widget, "send", lambda *message: sent.append(message))
    widget._handle_custom_msg(ASK, [])
    assert "made without weights" in sent[0][0]["failed"]
    widget = TranslatorWidget(SENTENCES, path)
    monkeypatch.setattr(widget, "send", lambda *message: sent.append(message))
    path.unlink()
    widget._handle_custom_msg(ASK, [])
    assert "x.bin" in sent[1][0]["failed"]


@pytest.mark.parametrize("lack", ["throws", "is silently refused"])
def test_where_no_worker_may_start_the_page_itself_translates(show, file, lack):
    page = show()
    page.evaluate(
        """(lack) => {
          window.Worker = class {
            constructor() {
              if (lack === 'throws') throw new DOMException('no workers here', 'SecurityError');
              setTimeout(() => this.onerror(new Event('error')), 50);
            }
            postMessage() {}
            terminate() {}
          };
        }""",
        lack,
    )
    choose(page, file)
    assert shown(page) == "Les petits chats noirs ne dorment pas."


# --- keyboard, screen reader -----------------------------------------------------------------------------------------


def test_keyboard_alone_is_enough(ready):
    page = ready()
    page.locator("textarea").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("The old woman has found the key.")
    page.keyboard.press("Shift+Enter")  # a new line, and nothing else
    assert page.locator("textarea").input_value().endswith("\n")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(page.locator(".cw-summary")).to_contain_text("French: La vieille femme a trouvé la clé.")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.at") is not None:
            break
    assert page.evaluate("document.activeElement.dataset.at") == "0"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".cw-summary")).to_have_text(re.compile(r"^Before it wrote 'vieille', .*looked most at 'old'"))
    page.keyboard.press("End")
    page.keyboard.press(" ")
    assert page.locator("div.tw-words [aria-pressed=true]").text_content() == "clé."
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # from layer 2
    assert page.evaluate("models[0].get('layer')") == 0
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("models[0].get('head')") == 0
    assert page.evaluate("document.activeElement.hasAttribute('data-lm-suppress-shortcuts')")


def test_a_screen_reader_finds_names_and_live_texts(ready):
    page = ready()
    assert page.get_by_role("group", name="A translator that runs in this page").count() == 1
    for role, name in (
        ("textbox", "English sentence"),
        ("combobox", "Example"),
        ("combobox", "Head"),
        ("list", "English"),
    ):
        assert page.get_by_role(role, name=name).count() == 1, name
    assert page.get_by_label("Your own model:").get_attribute("type") == "file"
    group = page.get_by_role("group", name="French: choose a word to see where it looked")
    assert group.get_by_role("button", pressed=True).count() == 1
    assert page.locator("[aria-live=polite]").count() == 2
    assert page.get_by_role("status").count() == 1


# --- a guest on any page ---------------------------------------------------------------------------------------------


def test_two_widgets_do_not_meet_and_nothing_is_left_when_they_close(show, file):
    page = show(TranslatorWidget(SENTENCES), TranslatorWidget(SENTENCES[1:], beam=4))
    choose(page, file)
    shown(page)
    second = page.locator(".translator-widget").nth(1)
    assert second.locator(".cw-summary").is_hidden()
    second.locator("input[type=file]").set_input_files(file)
    expect(second.locator(".cw-summary")).to_contain_text("French: Ma sœur lit un livre.")
    assert french(page)[0] == "Les"
    assert page.locator("[id]").count() == 0
    assert len(page.workers) == 2
    page.evaluate("unmount[0](); unmount[1]()")
    assert page.locator(".translator-widget").count() == 0
    assert page.evaluate("models.map((model) => model.listeners.length)") == [0, 0]
    page.wait_for_timeout(200)
    assert len(page.workers) == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_narrow_and_readable_in_both_themes(ready, theme):
    page = ready(TranslatorWidget(SENTENCES, beam=4), width=360, theme=theme)
    page.add_style_tag(content="* { transition: none !important; }")
    translate(page, "The old policeman's Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen sleeps.")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    parts = page.locator(".translator-widget :is(button, select, textarea, li, p, input[type=file])").all()
    assert max(part.bounding_box()["x"] + part.bounding_box()["width"] for part in parts if part.is_visible()) <= 360
    for selector in ("ol.tw-words li", "div.tw-words button", ".tw-go", "textarea"):
        for node in page.locator(selector).all():
            assert node.evaluate(CONTRAST) >= 4.5, selector


def test_the_engine_is_in_the_package_that_pip_installs():
    """Data files are taken from packages alone."""
    assert (files("lessons_lib.widgets.engine") / "worker.js").is_file()


# --- Python ----------------------------------------------------------------------------------------------------------


def test_the_text_form_is_fixed():
    expected = f"TranslatorWidget: {SENTENCES[0]!r} (run this cell to translate)"
    assert repr(TranslatorWidget(SENTENCES)) == repr(TranslatorWidget(SENTENCES, b"x", beam=4)) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sentences": []}, "sentences is empty or has a blank one; give at least one English sentence"),
        ({"sentences": ["a", " "]}, "sentences is empty or has a blank one"),
        ({"sentences": "The cat."}, "sentences='The cat.' is one text; give a list"),
        ({"weights": "no.bin"}, "weights='no.bin' is not a file; write one with `lessons export-web`"),
        ({"models": [{"name": "x"}]}, "give them, or models, not both"),
        ({"sentences": None, "models": [{"name": "x", "knows": "", "file": "a.bin"}]}, "models[0] has no sentences"),
        (
            {"sentences": None, "models": [{"name": "", "knows": "", "file": "../a.bin", "sentences": ["a"]}]},
            "file='../a.bin' is not the name of a file",
        ),
        ({"model": 1}, "model=1"),
        ({"beam": 0}, "beam=0 is not one of 1, 2, 4, 8; 1 is greedy search"),
        ({"beam": 3}, "beam=3 is not one of 1, 2, 4, 8"),
        ({"layer": -2}, "layer=-2 is less than -1; use -1 or more"),
        ({"head": -2}, "head=-2 is less than -1"),
        ({"selected": -1}, "selected=-1 is less than 0"),
        ({"unit": "letters"}, "unit='letters' is not one of 'words', 'pieces'"),
    ],
)
def test_bad_data_is_refused_with_the_value_and_the_fix(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TranslatorWidget(**{"sentences": SENTENCES, **given})
