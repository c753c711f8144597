"""Three widgets in JupyterLab, with a real kernel: drawn, and moved by the mouse and by the keyboard alone."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from accessibility import WIDGETS, sticking_out, violations
from nbformat import v4
from playwright.sync_api import expect

from tools.lesson_files import ROOT
from tools.make_lessons import METADATA

# Each widget twice, what a reader clicks in the first, and the keys that a reader presses in the second.
SHOWN = {
    "attention": (
        "[AttentionWidget(WORDS, torch.eye(4), torch.eye(4)) for _ in range(2)]",
        "[data-word='3']",
        ("[data-word]", "ArrowRight", "Enter"),
    ),
    "masks": (
        "[MaskWidget(WORDS) for _ in range(2)]",
        "[data-row='3']",
        ("[data-row]", "ArrowDown", "Enter"),
    ),
    "sizes": (
        "[SizesWidget(MODELS) for _ in range(2)]",
        "label:has-text('FLOPs')",
        ("select", "ArrowDown"),
    ),
}
IMPORTS = """\
import torch
from lessons_lib.sizes import presets
from lessons_lib.widgets import AttentionWidget, MaskWidget, SizesWidget
WORDS = "Les petits chats dorment".split()
MODELS = [{"name": name, "config": presets()[name].config.to_dict()} for name in ("GPT-2 small", "BERT base")]
"""
TALK = "print('chosen:', attention[0].selected)\nattention[0].selected = 1"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells that are out of sight are drawn too
    "apputils-extension/themes": {"adaptive-theme": True},  # light or dark, as the browser asks for
    "apputils-extension/notification": {"fetchNews": "false"},
}
# The number of the widget in which a place that fits the selector has the focus, or -1.
FOCUS = """(selector) => {
  const node = document.activeElement;
  const widgets = [...document.querySelectorAll(".course-widget")];
  return node.matches(selector) ? widgets.findIndex((widget) => widget.contains(node)) : -1;
}"""


def write_notebook(path: Path) -> None:
    sources = [IMPORTS, *(f"{name} = {made}\ndisplay(*{name})" for name, (made, _, _) in SHOWN.items()), TALK]
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(one) for one in sources], metadata=METADATA), path)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a notebook with the widgets, in a JupyterLab that knows no settings but these."""
    work, own = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("own")
    write_notebook(work / "widgets.ipynb")
    for name, values in SETTINGS.items():
        file = own / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), "utf8")
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = {**os.environ, **{key: str(own / name) for key, name in folders.items()}, "PYTHONPATH": str(ROOT)}
    options = ["--no-browser", "--allow-root", f"--ServerApp.root_dir={work}", "--ServerApp.port=0"]
    with (
        (own / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log
        ) as server,
    ):
        try:
            yield address(server, own)
        finally:
            server.terminate()


def address(server: subprocess.Popen, own: Path) -> str:
    """What the server writes down once it listens: its port and the token that it wants."""
    for _ in range(600):
        for file in (own / "runtime").glob("jpserver-*.json"):
            listens = json.loads(file.read_text("utf8"))
            return f"{listens['url']}lab/tree/widgets.ipynb?reset&token={listens['token']}"
        assert server.poll() is None, (own / "log").read_text("utf8")
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not start: {(own / 'log').read_text('utf8')}")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_three_widgets_in_jupyterlab(browser, lab, width, theme):
    page = browser.new_page(viewport={"width": width, "height": 1600}, color_scheme=theme)
    errors, requests = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(lab)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=60_000)  # the kernel listens
    if width < 500:
        page.locator(".jp-SideBar.jp-mod-left .lm-mod-current").click()  # the list of files covers a phone: close it
    cells = page.locator(".jp-CodeCell")
    for number in range(1 + len(SHOWN)):
        run(cells.nth(number))
    widgets = page.locator(WIDGETS)
    expect(widgets).to_have_count(2 * len(SHOWN), timeout=60_000)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", str(theme == "light").lower())
    assert sticking_out(page) == [0] * 2 * len(SHOWN)

    said = [widget.locator("[aria-live=polite]").first for widget in widgets.all()]
    for number, (_, click, keys) in enumerate(SHOWN.values()):
        first, second = said[2 * number : 2 * number + 2]
        begin = first.inner_text()
        assert second.inner_text() == begin
        widgets.nth(2 * number).locator(click).click()
        expect(first).not_to_have_text(begin)  # the mouse
        expect(second).to_have_text(begin)
        clicked = first.inner_text()
        reach(page, keys[0], 2 * number + 1)
        for key in keys[1:]:
            page.keyboard.press(key)
        expect(second).not_to_have_text(begin)  # the keyboard
        expect(first).to_have_text(clicked)
    expect(cells).to_have_count(2 + len(SHOWN))  # no key was taken for a command of the notebook
    assert violations(page, WIDGETS) == []

    talk = cells.nth(1 + len(SHOWN))
    run(talk)
    expect(talk).to_contain_text("chosen: 3")  # Python hears of a click ...
    expect(widgets.first.locator("[aria-pressed=true]")).to_have_attribute("data-word", "1")  # ... and can choose
    assert errors == []
    assert [url for url in requests if not url.startswith((lab[: lab.index("lab/")], "data:", "blob:"))] == []
    page.close()


def run(cell) -> None:
    cell.locator(".cm-content").click()
    cell.press("Shift+Enter")


def reach(page, selector: str, number: int) -> None:
    """Press Tab until such a place in the widget `number` has the focus, as a reader without a mouse does."""
    page.keyboard.press("Escape")  # out of the text of a cell, where Tab indents
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUS, selector) == number:
            return
    raise AssertionError(f"Tab does not reach {selector} in widget {number}")
