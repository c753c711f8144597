"""What a page loads, after the build: one style with the rules that are used, one script, light pictures when near.

Code is not marked word by word where a mark shows nothing: that is half of the nodes of a lesson.

The theme brings a style for every site that could be made with it, icons as two fonts, and each script as a request of
its own. Pages are changed in place, and may be ones that an earlier build has changed.
"""

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

from PIL import Image
from styles import style, used_words

STYLE = re.compile(r'<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"?]+)[^"]*"[^>]*>\s*')
SCRIPT = re.compile(r'<script\b([^>]*?)\ssrc="([^"?]+)([^"]*)"([^>]*)></script>\s*')
PRELOAD = re.compile(r'<link\b(?=[^>]*rel="preload")(?=[^>]*as="script")[^>]*>\s*')
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")  # the theme would look as one types; here it does not
BOOTSTRAP = "_static/scripts/bootstrap.js"  # menus.js does what is used of it
THEME = "_static/scripts/pydata-sphinx-theme.js"
MEASURED = re.compile(r'(?<=querySelectorAll\()\["pre",[^]]*\]\.join\(", "\)')  # each read of a width follows a change
AT_ONCE = re.compile(r'(?<="loading"!=document\.readyState\?)(\w)\(\)')
# The theme asks the system only once a page is there: a dark one is white until then, and each is drawn twice.
LATE_THEME = 'dataset.theme = localStorage.getItem("theme") || "auto"'
THEME_AT_ONCE = """dataset.theme = (({ mode }) =>
      mode !== "auto" ? mode : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
    )(document.documentElement.dataset)"""
OPTIONS = "documentation_options.js"  # small, and scripts inside the page need it at once
SEARCH_PAGE = "search.html"
IMAGE = re.compile(r'<img\b([^>]*?)\ssrc="([^"?]+\.(?:png|svg))"([^>]*?)\s*/?>')
BUNDLES = {"css": "_static/site.css", "js": "_static/site.js"}
SOURCES = re.compile(r"/\* of (.*?) \*/")
CODE_STYLE = "_static/pygments.css"
CODE_RULE = re.compile(r"^(.*)\.highlight(?: \.(\w+))? \{(.*)\}", re.MULTILINE)
COLOUR = re.compile(r"(?<![\w-])color: (#\w+)")
PNG = b"\x89PNG\r\n\x1a\n"


def lighten(site: Path, first: str) -> None:
    """Change the pages of a site.

    Args:
        first: the page whose styles and scripts all pages have, below `site`.
    """
    pool = ThreadPoolExecutor()  # Pillow lets other threads run
    pictures = [pool.submit(write_webp, path) for path in site.glob("_images/*.png")]
    pool.shutdown(wait=False)  # when these are written
    marks = plain_marks((site / CODE_STYLE).read_text("utf8"))
    found = {path: path.read_text("utf8") for path in site.rglob("*.html") if "_static" not in path.parts}
    pages = {path: marks.sub(r"\1", text) for path, text in found.items()}
    if not any(said in pages[site / first] for said in (LATE_THEME, THEME_AT_ONCE)):
        raise ValueError(f"{first} has changed: where does the theme choose between light and dark?")
    words = used_words(pages.values(), site)
    bundles = {}
    for kind, pattern in (("css", STYLE), ("js", SCRIPT)):
        target = site / BUNDLES[kind]
        others = BUNDLES[kind], OPTIONS, BOOTSTRAP, *SEARCH
        files = [name for name in local(pages[site / first], pattern) if not name.endswith(others)]
        if not files and target.exists():  # an earlier build has changed this page
            files = SOURCES.match(target.read_text("utf8"))[1].split()
        text = style(site, files, words) if kind == "css" else script(site, files)
        target.write_text(f"/* of {' '.join(files)} */\n{text}", "utf8")
        bundles[kind] = files, hashlib.sha256(text.encode()).hexdigest()[:8]
    for picture in pictures:
        picture.result()
    for path, text in pages.items():
        changed = with_light_pictures(with_bundles(text, path, site, bundles), path)
        if changed != found[path]:
            path.write_text(changed, "utf8")


def local(page: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """The files that a page asks for, below the site's own folder."""
    for found in pattern.finditer(page):
        name = next(group for group in found.groups() if group and group.endswith((".css", ".js")))
        yield name.removeprefix("./").replace("../", "")


def with_bundles(page: str, path: Path, site: Path, bundles: dict[str, tuple[list[str], str]]) -> str:
    """The page with one style and one script in the place of those that all pages have; each other script waits."""
    root = "../" * (len(path.relative_to(site).parts) - 1)
    css, js = (f"{root}{BUNDLES[kind]}?digest={bundles[kind][1]}" for kind in ("css", "js"))
    said = {"css": f'<link rel="stylesheet" href="{css}">\n', "js": f'<script defer src="{js}"></script>\n'}
    placed: set[str] = set()

    def replaced(kind: str, name: str, other: str) -> str:
        name = name.removeprefix("./").replace("../", "")
        if name not in (*bundles[kind][0], BUNDLES[kind]):
            return other
        first = kind not in placed
        placed.add(kind)
        return said[kind] if first else ""

    def deferred(found: re.Match[str]) -> str:
        before, name, digest, after = found.groups()
        if name.endswith(BOOTSTRAP) or (path.name != SEARCH_PAGE and name.endswith(SEARCH)):
            return ""
        if name.endswith(OPTIONS):
            return f"<script>{(path.parent / name).read_text('utf8')}</script>\n"
        waits = "" if "defer" in before + after else " defer"
        return replaced("js", name, f'<script{waits}{before} src="{name}{digest}"{after}></script>\n')

    page = PRELOAD.sub("", page.replace(LATE_THEME, THEME_AT_ONCE))
    page = STYLE.sub(lambda found: replaced("css", found[1], found[0]), page)
    return SCRIPT.sub(deferred, page)


def script(site: Path, files: list[str]) -> str:
    """The files in one, without what keeps a page from answering for long.

    The theme measures every block of code, a second on a page of many: keyboard.js does it for less. And what the files
    do once the page is there, each does in a task of its own: a phone draws and hears its reader between two.
    """
    text = "".join(f"{(site / name).read_text('utf8')}\n;\n" for name in files)
    if THEME in files:
        for costly, question in (
            (MEASURED, "does it still measure every block of code after each change of a page?"),
            (AT_ONCE, "does it still do all its work on a page in one task?"),
        ):
            if not costly.search(text):
                raise ValueError(f"{THEME} has changed: {question}")
    return AT_ONCE.sub(lambda found: f"setTimeout({found[1]})", MEASURED.sub('"none"', text))


def plain_marks(style: str) -> re.Pattern[str]:
    """The marks of words of code that look like the code around them, in every theme; their text is group 1."""
    rules = CODE_RULE.findall(style)
    around = {theme: COLOUR.search(said)[1] for theme, name, said in rules if not name}
    plain: dict[str, set[bool]] = {}
    for theme, name, said in rules:
        plain.setdefault(name, set()).add(said.strip() == f"color: {around[theme]}")
    names = "|".join(name for name, same in plain.items() if same == {True})
    return re.compile(rf'<span class="(?:{names})">([^<]*)</span>')


def write_webp(png: Path) -> None:
    """The same picture as WebP beside it, without loss; an empty file where that would not be smaller.

    The PNG stays, for previews and e-readers.
    """
    webp = png.with_suffix(".webp")
    if not webp.exists():
        made = io.BytesIO()
        with Image.open(png) as picture:
            picture.save(made, "WEBP", lossless=True, method=2, quality=50)  # the effort: more saves 0.6 %
        webp.write_bytes(made.getvalue() if made.tell() < png.stat().st_size else b"")


def with_light_pictures(page: str, path: Path) -> str:
    """Pictures that have their place before they come, and come when they are near: no page begins with one."""

    def one(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        file, rest = path.parent / unquote(name), before + after
        more = ""
        if not re.search(r"\s(width|height|style)=", rest) and (size := size_of(file)):
            more += f' width="{size[0]}" height="{size[1]}"'
        if "logo__image" not in rest and "loading=" not in rest:
            more += ' loading="lazy"'
        webp = file.with_suffix(".webp")
        if webp.is_file() and webp.stat().st_size:
            name = name.removesuffix(".png") + ".webp"
        return f'<img{before} src="{name}"{after}{more}>' if more or name != found[2] else found[0]

    return IMAGE.sub(one, page)


def size_of(file: Path) -> tuple[int, int] | None:
    """Width and height of a PNG or SVG in pixels; None where the file does not say."""
    if not file.is_file():
        return None
    head = file.read_bytes()[:2000]
    if head.startswith(PNG):
        return struct.unpack(">II", head[16:24])
    box = re.search(rb'viewBox="\s*[\d.]+[ ,]+[\d.]+[ ,]+([\d.]+)[ ,]+([\d.]+)', head)
    return (round(float(box[1])), round(float(box[2]))) if box else None


def after_the_build(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        lighten(Path(app.outdir), f"{app.config.root_doc}.html")


def setup(app) -> dict:
    app.connect("build-finished", after_the_build, priority=900)  # when all others have written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
