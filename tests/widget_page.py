"""Draw widgets in Chromium, without a notebook and without the site."""

from pathlib import Path

HOST = Path(__file__).parent / "js" / "host.js"
PAGE = '<!doctype html><html lang="en"{theme}><meta charset="utf-8"><title>Widgets</title><body></body></html>'


def state_of(widget) -> dict:
    """The traits that reach the browser, without anywidget's own."""
    return {name: value for name, value in widget.get_state().items() if not name.startswith("_")}


class WidgetPage:
    """A page that shows widgets of one class, and remembers what went wrong in it."""

    def __init__(self, browser, *widgets, width: int = 1000, theme: str | None = None):
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: line.type == "error" and self.errors.append(line.text))
        self.page.set_content(PAGE.format(theme=f' data-theme="{theme}"' if theme else ""))
        self.page.add_script_tag(path=HOST)
        first = widgets[0]
        states = [state_of(widget) for widget in widgets]
        self.page.evaluate("([...all]) => mount(...all)", [first._esm, first._css, states])

    def __getattr__(self, name):
        return getattr(self.page, name)
