"""A picture of each widget, as the page first draws it, in the place of the widget, with its sentence under it."""

from pathlib import Path

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser
from tqdm import tqdm

from tools.paper.chapters import Chapter

WIDTH, SCALE = 860, 2  # of the window, in CSS pixels, and pixels of the picture in one of these
# A page gives a section its height when it comes near, so that a place may move on while one scrolls to it.
TRIES, WAIT = 50, 300  # and the milliseconds between two; after the last one a widget has drawn what comes by and by
IS_DRAWN = "(node) => node.matches('.is-drawn')"
LIES_ABOVE = ".bd-header, .bd-header-article, #pst-back-to-top"  # the page, wherever one scrolls to
ALONE = f"{LIES_ABOVE} {{ display: none !important; }}"


def draw_widgets(browser: Browser, address: str, made: list[Chapter], folder: Path) -> None:
    """Change the chapters; the pictures go into `folder`.

    Args:
        address: of the built site, with a slash at its end.

    Raises:
        playwright.sync_api.TimeoutError: a widget was not drawn.
    """
    window = {"viewport": {"width": WIDTH, "height": 1000}, "device_scale_factor": SCALE}
    page = browser.new_page(**window, color_scheme="light", reduced_motion="reduce")
    for one in tqdm([one for one in made if one.body.select(".widget-output")], desc="widgets", leave=False):
        page.goto(f"{address}{one.page}.html", wait_until="networkidle")
        page.add_style_tag(content=ALONE)
        places = one.body.select(".widget-output")
        for number, place in enumerate(places):
            shown = page.locator(".widget-output").nth(number)
            for _ in range(TRIES):
                shown.scroll_into_view_if_needed()
                page.wait_for_timeout(WAIT)
                if shown.evaluate(IS_DRAWN):
                    break
            page.wait_for_function(IS_DRAWN, arg=shown.element_handle())
            picture = folder / f"{place['id']}.png"
            shown.screenshot(path=picture, animations="disabled")
            become_figure(place, picture.name, one.address)
    page.close()


def become_figure(place: Tag, picture: str, address: str) -> None:
    new = BeautifulSoup("", "html.parser").new_tag
    text = place.select_one(".widget-output-text")
    sentence = " ".join(text.get_text().split())
    caption = new("figcaption")
    caption.append(f"{sentence} ")
    if address:
        link = new("a", href=address)
        link.append("Open it in a browser.")
        caption.append(link)
    place.clear()
    place.name, place["class"] = "figure", "widget"
    place.extend([new("img", src=picture, alt=sentence), caption])
