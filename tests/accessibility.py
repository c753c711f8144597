"""What keeps a reader out of a page: WCAG 2, and good practice, as axe reads them."""

from axe_playwright_python.sync_playwright import Axe

WIDGETS = ".course-widget"


def violations(page, within: str | None = None, **options) -> list[str]:
    """What axe finds, each with the first place where it is; `within` a selector, or on the whole page."""
    options |= {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}, {one['nodes'][0]['html'][:150]}" for one in found]


def violations_of_structure(page) -> list[str]:
    """All but colours, which take axe seconds in a long text."""
    return violations(page, rules={"color-contrast": {"enabled": False}})


def violations_of_colour(page) -> list[str]:
    """In the widgets; the colours of a text are few, and `contrast` in test_site.py looks at them."""
    return violations(page, WIDGETS, runOnly=["color-contrast"]) if page.locator(WIDGETS).count() else []


def sticking_out(page) -> list[int]:
    """How many pixels of each widget on the page stand beyond its edge."""
    return page.locator(WIDGETS).evaluate_all("(all) => all.map((node) => node.scrollWidth - node.clientWidth)")
