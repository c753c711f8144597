"""Each widget of the lessons, twice on one page: what is done to one leaves the other as it was."""

import copy

import pytest
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


@pytest.mark.parametrize("state", stored())
def test_two_of_a_kind_do_not_disturb_each_other(browser, state):
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(PAGE.format(theme=""))
    page.add_script_tag(path=HOST)
    shown = {name: value for name, value in state.items() if not name.startswith("_")}
    page.evaluate("(all) => mount(...all)", [state["_esm"], state["_css"], [shown, copy.deepcopy(shown)]])
    first, second = (page.evaluate(SEEN, number) for number in (0, 1))
    assert first == second
    page.evaluate(PLAY, 0)
    played = page.evaluate(SEEN, 0)
    assert played != first
    assert page.evaluate(SEEN, 1) == second
    page.evaluate(PLAY, 1)
    assert page.evaluate(SEEN, 1) == played
    assert page.evaluate(SEEN, 0) == played
    assert errors == []
    page.close()
