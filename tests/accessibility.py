"""What keeps a reader out of a page: WCAG 2, and good practice, as axe reads them."""

from axe_playwright_python.sync_playwright import Axe

WIDGETS = ".course-widget"


def violations(page, within: str | None = None, **options) -> list[str]:
    """What axe finds, each with the first place where it is; `within` a selector, or on the whole page."""
    options |= {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}, {one['nodes'][0]['html'][:150]}" for one in found]


def thin(page) -> None:
    """Empty all formulas and blocks of code but the first: nine tenths of a lesson's nodes, all made the same way."""
    page.evaluate("""() => ["math", ".highlight pre"].forEach((kind) =>
      [...document.querySelectorAll(kind)].slice(1).forEach((node) => node.replaceChildren()))""")


def violations_of_structure(page) -> list[str]:
    """All but colours, which take axe seconds in a long text."""
    return violations(page, rules={"color-contrast": {"enabled": False}})


def violations_of_colour(page) -> list[str]:
    """In the widgets; the colours of a text are few, and `contrast` in test_site.py looks at them."""
    return violations(page, WIDGETS, runOnly=["color-contrast"]) if page.locator(WIDGETS).count() else []


def sticking_out(page) -> list[int]:
    """How many pixels of each widget on the page stand beyond its edge."""
    return page.locator(WIDGETS).evaluate_all("(all) => all.map((node) => node.scrollWidth - node.clientWidth)")


# Of the widgets: what is less than 24 pixels wide or high and wants to be hit (WCAG 2.5.8, which spares links in a
# text), and texts in letters of less than 10.5 pixels. What is written in letters of no size is not meant to be seen.
TOO_SMALL = """(all) => all.flatMap((widget) => {
  const shown = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 0;
  const hit = [...widget.querySelectorAll("button, select, input, textarea, summary")].filter(shown).map((node) => {
    const { width, height } = (node.closest("label") ?? node).getBoundingClientRect();
    return [Math.min(width, height), 24, node.outerHTML];
  });
  const texts = [...widget.querySelectorAll("*")].filter((node) => node.tagName !== "OPTION" && shown(node));
  const own = (node) => [...node.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim());
  const letters = texts.filter(own).map((node) => {
    const scale = node.ownerSVGElement ? node.getScreenCTM().d : 1;
    return [scale * parseFloat(getComputedStyle(node).fontSize), 10.5, node.outerHTML];
  });
  return [...hit, ...letters.filter(([size]) => size > 0)].filter(([size, least]) => size < least - 0.01)
    .map(([size, , html]) => `${size.toFixed(1)}: ${html.slice(0, 100)}`);
})"""


def too_small(page) -> list[str]:
    return page.locator(WIDGETS).evaluate_all(TOO_SMALL)


# How far the colour of a node's text, or of another `key` of its style, stands out from the colour behind it, as WCAG
# counts it: that of the node itself, the least of its stripes, or `back`.
CONTRAST = """(node, given) => {
  const { key = "color", back } = given ?? {};
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(node);
  const stripes = style.backgroundImage.match(/(?:color|rgb|oklab)[^)]*\\)/g) ?? [style.backgroundColor];
  return Math.min(...(back ? [back] : stripes).map((behind) => {
    const [dark, light] = [luminance(style[key]), luminance(behind)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }));
}"""
