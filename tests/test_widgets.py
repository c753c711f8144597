"""Each widget of the lessons as it is stored: twice on one page, and where there is hardly any room."""

import copy

import pytest
from accessibility import sticking_out
from widget_page import HOST, PAGE

from tools.lesson_files import lessons, read_notebook, views, widget_models

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
# Press three buttons, turn each choice to its last value: as a reader who tries everything.
PLAY = """(number) => {
  const root = document.body.querySelectorAll(":scope > div")[number];
  const all = (selector) => [...root.querySelectorAll(selector)].filter((node) => !node.disabled && node.offsetParent);
  for (const select of all("select")) {
    select.selectedIndex = select.options.length - 1;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }
  for (const name of new Set(all("input[type=radio]").map((radio) => radio.name)))
    all("input[type=radio]").findLast((radio) => radio.name === name)?.click();
  for (const place of [1, 2, -1]) all("button:not([aria-pressed=true])").at(place)?.click();
}"""


def stored() -> list:
    """The state of the widget of each lesson, under the lesson's name."""
    found = []
    for path in lessons()[1:]:  # lesson 0 has the live translator, which wants its weights
        notebook = read_notebook(path.with_suffix(".ipynb"))
        found.append(pytest.param(widget_models(notebook)[views(notebook)[0]]["state"], id=path.stem))
    return found


@pytest.fixture
def mount(browser):
    """Draws a widget so many times on a page so wide; a page with an error fails its test."""
    pages, errors = [], []

    def draw(state: dict, times: int, width: int = 1280):
        page = browser.new_page(viewport={"width": width, "height": 800})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content(PAGE.format(theme=""))
        page.add_script_tag(path=HOST)
        shown = {name: value for name, value in state.items() if not name.startswith("_")}
        states = [copy.deepcopy(shown) for _ in range(times)]
        page.evaluate("(all) => mount(...all)", [state["_esm"], state["_css"], states])
        return page

    yield draw
    for page in pages:
        page.close()
    assert errors == []


@pytest.mark.parametrize("state", stored())
def test_two_of_a_kind_do_not_disturb_each_other(mount, state):
    page = mount(state, times=2)
    first, second = (page.evaluate(SEEN, number) for number in (0, 1))
    assert first == second
    page.evaluate(PLAY, 0)
    played = page.evaluate(SEEN, 0)
    assert played != first
    assert page.evaluate(SEEN, 1) == second
    page.evaluate(PLAY, 1)
    assert page.evaluate(SEEN, 1) == played
    assert page.evaluate(SEEN, 0) == played


@pytest.mark.parametrize("state", stored())
def test_nothing_sticks_out_of_the_room_that_jupyterlab_leaves_on_a_phone(mount, state):
    page = mount(state, times=1, width=240)
    assert sticking_out(page) == [0]
