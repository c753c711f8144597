"""What holds for every widget of the lessons, on its example, and for each as it is stored in its lesson."""

import copy
import gzip
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import anywidget
import pytest
import traitlets
from accessibility import WIDGETS, sticking_out, too_small, violations, violations_of_colour
from playwright.sync_api import expect
from widget_examples import EXAMPLES, NEVER_SHOWN
from widget_page import WidgetPage

from lessons_lib import widgets
from lessons_lib.translation.course_model import course_web_model
from tools.lesson_files import lessons, read_notebook, views, widget_models

PHONES = (360, 240)  # pixels: a small phone, and what JupyterLab leaves of one
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}
# A text that computes in a thread of its own, and how large it may be, packed.
WITH_ENGINE = {widgets.TranslatorWidget: 15_000, widgets.PlaygroundWidget: 25_000}
STILL = "* { transition: none !important; }"

# What a reader sees and has chosen, of one widget.
SEEN = """(number) => {
  const root = document.body.querySelectorAll(":scope > div")[number];
  const all = (selector, key) => [...root.querySelectorAll(selector)].map((node) => node[key]);
  return {
    text: root.innerText,
    checked: all("input", "checked"),
    values: all("select, input, textarea", "value"),
    pressed: all("[aria-pressed]", "ariaPressed"),
  };
}"""
# Press three buttons, turn each choice to its last value, and press again: as a reader who tries everything.
PLAY = """(number) => {
  const root = document.body.querySelectorAll(":scope > div")[number];
  const all = (selector) => [...root.querySelectorAll(selector)].filter((node) => !node.disabled && node.offsetParent);
  const press = () => {
    for (const place of [1, 2, -1]) all("button:not([aria-pressed=true])").at(place)?.click();
  };
  press();
  for (const select of all("select")) {
    select.selectedIndex = select.options.length - 1;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const form of new Set(all("input[type=radio]").map((radio) => radio.form)))
    all("input[type=radio]").findLast((radio) => radio.form === form)?.click();
  press();
}"""
# As when Python changes a trait.
DRAW_AGAIN = """(number) => {
  for (const [event, callback] of models[number].listeners) if (event.startsWith("change:")) callback();
}"""
# All that the page says while every choice is tried and every button pressed, also to a screen reader.
EVERYTHING_SAID = """() => {
  const root = document.querySelector(".course-widget");
  const said = new Set();
  const note = () => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) said.add(node.data);
      for (const { value } of node.attributes ?? []) said.add(value);
      if ("value" in node) said.add(String(node.value));
      if (node.children?.length === 0) said.add(node.textContent);
    }
  };
  const usable = (node) => !node.disabled && node.offsetParent;
  const shown = (selector) => [...root.querySelectorAll(selector)].filter(usable);
  const press = (selector) => {
    for (let i = 0; i < shown(selector).length; i++) {
      shown(selector)[i].click();
      note();
    }
  };
  const turn = () => {
    for (let i = 0; i < shown("select").length; i++)
      for (let k = 0; k < (shown("select")[i]?.options.length ?? 0); k++) {
        const select = shown("select")[i];
        select.selectedIndex = k;
        select.dispatchEvent(new Event("change", { bubbles: true }));
        note();
      }
  };
  note();
  for (let i = 0; i < shown("input[type=radio]").length; i++) {
    shown("input[type=radio]")[i].click();
    note();
    press("button, input[type=checkbox]");
  }
  turn();
  press("button");
  return [...said];
}"""
# What a reader can operate: each radio group once, everything else for itself; `controls()` finds it anew, because a
# widget may draw it anew.
CONTROLS = """() => {
  const root = document.querySelector(".course-widget");
  const selector = "button, select, input, textarea, a[href], [role=slider], [tabindex='0']";
  const usable = (node) => !node.disabled && node.getClientRects().length;
  const shown = () => [...root.querySelectorAll(selector)].filter(usable);
  const first = (node) => (node.type === "radio" ? node.form.querySelector(`[name=${node.name}]`) : node);
  window.controls = () => [...new Set(shown().map(first))];
  window.placeOf = (node) => controls().indexOf(first(node));
  return controls().map((node) => node.outerHTML.slice(0, 100));
}"""
# The controls that arrows reach from one of them; a text, a list and a slider of the browser keep their arrows for
# themselves. Where an arrow also chooses, what was chosen is chosen again.
BY_ARROWS = """(start) => {
  const begin = controls()[start];
  if (begin.matches("input, select, textarea")) return [start];
  const chosen = begin.ariaPressed === "true" || begin.ariaCurrent;
  const reached = [start];
  for (const at of reached) {
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]) {
      const from = controls()[at];
      from.focus();
      from.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      const next = placeOf(document.activeElement);
      if (next >= 0 && !reached.includes(next)) reached.push(next);
    }
  }
  if (chosen && reached.length > 1) controls()[start].click();
  controls()[start].focus();
  return reached;
}"""
# Which control has the focus (-1: something that scrolls; null: nothing of the widget), whether one sees that, and
# whether JupyterLab's shortcuts spare it.
FOCUS = """() => {
  const node = document.activeElement;
  if (!node.closest(".course-widget")) return [null, true, true];
  const near = [node, node.nextElementSibling, node.parentElement].filter(Boolean);
  const outlined = near.some((one) => getComputedStyle(one).outlineStyle !== "none");
  return [placeOf(node), outlined, node.hasAttribute("data-lm-suppress-shortcuts")];
}"""


def of_every_class(test):
    return pytest.mark.parametrize("widget", EXAMPLES, ids=lambda widget: widget.__name__)(test)


@pytest.fixture
def ready(show):
    """An example on a page, as a reader uses it: the translator with its model."""

    def draw(widget, **options) -> WidgetPage:
        page = show(EXAMPLES[widget](), **options)
        page.add_style_tag(content=STILL)
        if widget is widgets.TranslatorWidget:
            page.emulate_media(reduced_motion="reduce")
            model = {"name": "course.bin", "mimeType": "application/octet-stream", "buffer": course_web_model()}
            page.locator("input[type=file]").set_input_files(model)
            expect(page.locator(".cw-summary")).to_contain_text("French:")
        return page

    return draw


def test_every_widget_has_an_example():
    modules = [
        importlib.import_module(f"{widgets.__name__}.{one.name}") for one in pkgutil.iter_modules(widgets.__path__)
    ]
    classes = {one for module in modules for one in vars(module).values() if inspect.isclass(one)}
    assert {one for one in classes if issubclass(one, anywidget.AnyWidget)} - {anywidget.AnyWidget} == set(EXAMPLES)
    assert all(isinstance(make(), widget) for widget, make in EXAMPLES.items())


# --- the module and Python -------------------------------------------------------------------------------------------


@of_every_class
def test_the_module_needs_nothing_from_elsewhere_and_is_small(widget):
    source = widget._esm + widget._css
    assert not re.search(r"^\s*(import|@import)\b|url\(", source, re.MULTILINE)
    # Those with an engine import the text that they carry, where no worker may start.
    carried = ["import(address(text))"] if widget in WITH_ENGINE else []
    assert re.findall(r"\bimport\([\w()]*\)?", source) == carried
    assert set(re.findall(r"https?://[^\"'\s]+", source)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    engine, page = re.fullmatch(r"(const ENGINE = .*\n)?((?:.|\n)*)", source).groups(default="")
    assert bool(engine) == (widget in WITH_ENGINE)
    assert len(gzip.compress(page.encode())) < 15_000
    # The site loads it when the reader asks for it.
    assert len(gzip.compress(engine.encode())) < WITH_ENGINE.get(widget, 100)


@of_every_class
def test_the_text_form_says_something_and_is_what_stands_where_nothing_draws(widget):
    made = EXAMPLES[widget]()
    text = repr(made)
    assert re.fullmatch(rf"{widget.__name__}: .{{8,}} \(run this cell to \w.*\)", text)
    assert len(text) <= 110
    assert made._repr_mimebundle_()[0]["text/plain"] == text == repr(EXAMPLES[widget]())


def texts(value, path=()) -> Iterator[tuple[tuple, str]]:
    """Each text in a trait, and where it lies."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list | dict):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(one, (*path, key))


def with_text(value, path: tuple, text: str):
    """The same trait with another text at one place."""
    if not path:
        return text
    changed = copy.copy(value)
    changed[path[0]] = with_text(value[path[0]], path[1:], text)
    return changed


def given_texts(widget) -> list[tuple[str, tuple, str]]:
    """Of the example: the trait, the place in it, and the text."""
    state = EXAMPLES[widget]().get_state()
    return [(name, *found) for name in widget.class_own_traits(sync=True) for found in texts(state[name])]


@of_every_class
def test_the_example_has_markup_in_every_text_that_may_have_some(widget):
    """So that the next test is about all of them: a text without markup is one of a few names, and refuses it."""
    for trait, path, text in given_texts(widget):
        if "<u>" not in text:
            made = EXAMPLES[widget]()
            with pytest.raises((ValueError, traitlets.TraitError)):
                setattr(made, trait, with_text(getattr(made, trait), path, "<u>x&lt;"))


# --- on a page -------------------------------------------------------------------------------------------------------


@of_every_class
def test_markup_in_a_text_is_shown_as_text(ready, widget):
    page = ready(widget)
    said = " ".join(page.evaluate(EVERYTHING_SAID))
    assert page.locator("u").count() == 0
    wanted = {part for _, _, text in given_texts(widget) for part in re.findall(r"<u>[^<&]+&lt;", text)} - {NEVER_SHOWN}
    assert wanted
    assert {part for part in wanted if part not in said} == set()
    assert not re.search(r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|parseFromString|setHTML", widget._esm)


@of_every_class
def test_two_on_a_page_do_not_meet(show, widget):
    page = show(EXAMPLES[widget](), EXAMPLES[widget]())

    def seen(number):
        """What a playground trains, and how fast, comes when it comes: there what was chosen is compared."""
        found = page.evaluate(SEEN, number)
        return found | {"text": "", "pressed": ""} if widget is widgets.PlaygroundWidget else found

    first, second = seen(0), seen(1)
    assert first == second
    page.evaluate(PLAY, 0)
    played = seen(0)
    assert played != first
    page.evaluate(DRAW_AGAIN, 1)
    assert seen(1) == second
    page.evaluate(PLAY, 1)
    assert seen(1) == played
    assert seen(0) == played
    assert page.locator("[id]").count() == 0


@of_every_class
def test_nothing_is_left_when_a_view_closes(show, widget):
    page = show(EXAMPLES[widget](), EXAMPLES[widget](), ledger=True)
    assert page.evaluate("ledger.left()") != []  # each follows its width, at least
    page.evaluate(PLAY, 0)
    heads = page.evaluate("unmount[0](), document.head.children.length")
    assert page.evaluate("models.map((model) => model.listeners.length > 0)") == [False, True]
    assert page.locator(WIDGETS).count() == 1
    page.evaluate(f"({PLAY})(1), unmount[1]()")
    page.evaluate("new Promise((done) => setTimeout(done, 30))")  # what was under way has come to its end
    assert page.evaluate("ledger.left()") == []
    assert page.evaluate("models.map((model) => model.listeners.length)") == [0, 0]
    assert page.evaluate("document.body.innerHTML") == "<div></div>" * 2
    assert page.evaluate("document.head.children.length") == heads


@of_every_class
def test_nothing_sticks_out_of_a_phone_or_is_too_small_for_it(ready, widget):
    page = ready(widget)
    for state in ("at first", "played with"):
        for width in PHONES:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert sticking_out(page) == [0], (state, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (state, width)
            assert width < 360 or too_small(page) == [], state
        page.evaluate(PLAY, 0)


@of_every_class
def test_axe_finds_nothing_in_either_theme(ready, widget):
    page = ready(widget)
    for theme, look in (("light", violations), ("dark", violations_of_colour)):
        page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
        back = page.locator(WIDGETS).evaluate("node => getComputedStyle(node).backgroundColor")
        assert back == BACKGROUNDS[theme]
        assert (look(page, WIDGETS) if look is violations else look(page)) == []
        page.evaluate(PLAY, 0)


@of_every_class
def test_the_keyboard_alone_reaches_every_control_and_shows_where_it_is(ready, widget):
    page = ready(widget)
    page.evaluate("document.activeElement.blur()")
    controls = page.evaluate(CONTROLS)
    reached = set()
    for _ in range(2 * len(controls)):
        page.keyboard.press("Tab")
        at, outlined, spared = page.evaluate(FOCUS)
        if at is None:
            break
        name = page.evaluate("document.activeElement.outerHTML.slice(0, 100)")
        assert outlined, name
        assert spared, name
        reached |= set(page.evaluate(BY_ARROWS, at)) if at >= 0 else set()
    assert [control for i, control in enumerate(controls) if i not in reached] == []


# --- as the lessons have it ------------------------------------------------------------------------------------------


def stored() -> list:
    """The state of the widget of each lesson, under the lesson's name."""
    found = []
    for path in lessons()[1:]:  # lesson 0 has the live translator, which wants its weights
        notebook = read_notebook(path.with_suffix(".ipynb"))
        found.append(pytest.param(widget_models(notebook)[views(notebook)[0]]["state"], id=path.stem))
    return found


@pytest.mark.parametrize("state", stored())
def test_nothing_sticks_out_of_the_room_that_jupyterlab_leaves_on_a_phone(pages, show, state):
    shown = {name: value for name, value in state.items() if not name.startswith("_")}
    page = WidgetPage.of_states(pages.take(), state["_esm"], state["_css"], [shown], width=min(PHONES))
    pages.keep(page)
    assert sticking_out(page) == [0]
