"""Draw widgets in Chromium, without a notebook and without the site."""

import json
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "js"
HOST, LEDGER = SCRIPTS / "host.js", SCRIPTS / "ledger.js"
PAGE = '<!doctype html><html lang="en"{theme}><meta charset="utf-8"><title>Widgets</title><body></body></html>'


def state_of(widget) -> dict:
    """The traits that reach the browser, without anywidget's own."""
    return {name: value for name, value in widget.get_state().items() if not name.startswith("_")}


class WidgetPage:
    """A page that shows widgets of one class, and remembers what went wrong in it."""

    def __init__(self, page, *widgets, width: int = 1000, theme: str | None = None, ledger: bool = False):
        first = widgets[0]
        self._open(page, width, theme, ledger)
        self._draw(first._esm, first._css, [state_of(widget) for widget in widgets])

    @classmethod
    def of_states(cls, page, source: str, style: str, states: list[dict], width: int) -> "WidgetPage":
        """The same for a module, a style sheet and states, without Python."""
        made = cls.__new__(cls)
        made._open(page, width, None, False)
        made._draw(source, style, states)
        return made

    def _open(self, page, width: int, theme: str | None, ledger: bool) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", self._note_error)
        page.on("console", self._note_line)
        page.set_viewport_size({"width": width, "height": 900})
        page.set_content(PAGE.format(theme=f' data-theme="{theme}"' if theme else ""))
        if ledger:
            page.add_script_tag(path=LEDGER)
        page.add_script_tag(path=HOST)

    def _draw(self, source: str, style: str, states: list[dict]) -> None:
        self.evaluate("([...all]) => mount(...all)", [source, style, states])

    def evaluate(self, expression: str, given: Any = None) -> Any:
        """As a page's own, which takes seconds for what it is given where that is large; one text is cheap."""
        try:
            text = None if given is None else json.dumps(given, allow_nan=False)
        except (TypeError, ValueError):
            return self.page.evaluate(expression, given)
        return self.page.evaluate(f"(text) => ({expression})(JSON.parse(text))" if text else expression, text)

    def _note_error(self, error) -> None:
        self.errors.append(str(error))

    def _note_line(self, line) -> None:
        if line.type == "error":
            self.errors.append(line.text)

    def leave(self) -> list[str]:
        """Let go of the page, for others; what went wrong in it."""
        if self.page.is_closed():
            return self.errors
        self.page.mouse.move(0, 0)  # now: in a document that is written anew, a moved mouse can't be captured
        self.page.goto("about:blank")
        self.page.emulate_media(reduced_motion="null")
        self.page.remove_listener("pageerror", self._note_error)
        self.page.remove_listener("console", self._note_line)
        return self.errors

    def __getattr__(self, name):
        return getattr(self.page, name)


class Pages:
    """Pages of a browser, taken again when they were left: a new document is cheaper than a new page.

    A test that changes a page for good, such as its clock, closes it.
    """

    def __init__(self, browser):
        self.browser = browser
        self.idle: list = []
        self.shown: list[WidgetPage] = []

    def take(self):
        return self.idle.pop() if self.idle else self.browser.new_page()

    def show(self, *widgets, **options) -> WidgetPage:
        return self.keep(WidgetPage(self.take(), *widgets, **options))

    def keep(self, shown: WidgetPage) -> WidgetPage:
        self.shown.append(shown)
        return shown

    def leave(self) -> list[str]:
        """Take back all that is shown; what went wrong in it."""
        errors = [error for one in self.shown for error in one.leave()]
        self.idle += [one.page for one in self.shown if not one.page.is_closed()]
        self.shown = []
        return errors
