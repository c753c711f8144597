"""How soon the widgets of the built site are there, and how soon they answer."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from playwright.sync_api import Browser, sync_playwright

from tools import build_book, chromium
from tools.lesson_files import lessons
from tools.serve import served

# Milliseconds from the begin of the navigation until a widget has been drawn.
WATCH = """
window.seen = new Promise((resolve) => {
  const look = () => {
    document.querySelector(".widget-output")?.scrollIntoView(); // it is drawn when it comes near
    const widget = document.querySelector(".course-widget");
    if (widget?.offsetHeight && widget.innerText.trim()) resolve(performance.now());
    else requestAnimationFrame(look);
  };
  look();
});
"""
# Try what a reader can press, turn or choose, one by one; milliseconds until the picture after it, for each.
PLAY = """async () => {
  const widget = document.querySelector(".course-widget");
  const shown = (node) => !node.disabled && node.offsetParent;
  const all = (selector) => [...widget.querySelectorAll(selector)].filter(shown);
  const picture = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const turned = (node, value, kind) => {
    node.value = value;
    node.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const actions = [
    ...all("button:not([aria-pressed=true])").map((node) => () => node.click()),
    ...all("input[type=radio]:not(:checked), input[type=checkbox]").map((node) => () => node.click()),
    ...all("select").flatMap((node) => [...node.options].map((one) => () => turned(node, one.value, "change"))),
    ...all("input[type=range]").flatMap((node) => [node.max, node.min].map((end) => () => turned(node, end, "input"))),
  ].slice(0, 40);
  const times = [];
  for (const act of actions) {
    await picture();
    const begin = performance.now();
    act();
    await picture();
    times.push(performance.now() - begin);
  }
  return times;
}"""


def widgets(device: torch.device, runs: int = 3, pages: Sequence[Path] | None = None) -> Iterator[tuple[str, ...]]:
    """Lessons of the built site (all, unless `pages` says which), each opened `runs` times, and its widget tried.

    Each visit begins with nothing kept from before. A time is the median over the visits.

    Raises:
        SystemExit: the site is not built, or not from these sources.
    """
    if build_book.read_manifest() != build_book.sources():
        raise SystemExit("the site is not built from these sources; run: make book")
    yield "lesson", "drawn after, ms", "controls tried", "answer, median ms", "slowest, ms"
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options())
        for path in pages or lessons():
            address = f"{site}notebooks/{path.stem}.html"
            visits = [visit(browser, address) for _ in range(runs)]
            drawn = statistics.median(seen for seen, _ in visits)
            answers = [statistics.median(times) for times in zip(*(times for _, times in visits), strict=True)]
            middle, slowest = statistics.median(answers), max(answers)
            yield path.stem, f"{drawn:.0f}", str(len(answers)), f"{middle:.0f}", f"{slowest:.0f}"
        browser.close()


def visit(browser: Browser, address: str) -> tuple[float, list[float]]:
    """Milliseconds until the page's widget is drawn, and until it answered each control."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(address, wait_until="commit")
    seen = page.evaluate("seen")
    page.wait_for_load_state("networkidle")
    times = page.evaluate(PLAY)
    page.close()
    return seen, times
