"""What this site needs beyond Jupyter Book: no request to another host, and widgets that degrade to text."""

import functools
import hashlib
import json
import re
import shutil
from pathlib import Path

import jupytext
import pybtex.plugin
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

LOG = logging.getLogger(__name__)
WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
FONTAWESOME_SCRIPT = re.compile(r"<script[^>]*fontawesome\.js[^>]*></script>")
SIDEBAR = '<div id="pst-primary-sidebar"'
# The only icon of a brand costs a font of 118 kB on every first visit; the icons' other font is loaded anyway.
BRAND, ICON = 'class="fab fa-github"', 'class="fas fa-code-branch"'
# Menus open without a script; what a button does is its title, which the theme shows by 80 kB of bootstrap.
MENU = re.compile(
    r'<div class="(dropdown dropdown-[\w-]+)">\s*<button class="(btn dropdown-toggle)"[^>]*( aria-label="[^"]*")>'
    r"(.*?)</button>(.*?</ul>)\s*</div>",
    re.DOTALL,
)
TOOLTIP = re.compile(r'\s+data-bs-(?:toggle|placement)="[^"]*"|data-bs-(?=title=)')
BIBLIOGRAPHY_ROLE = re.compile(r' role="doc-biblioentry"|(?<=<div) role="list"(?= class="citation-list")')
SCRIPTS = ("widgets.js", "menus.js", "progress.js", "keyboard.js", "print.js", "copy.js", "copy_code.js")
# What a widget computes with: the first line of its module, a constant with the text of a worker.
ENGINE_LINE = re.compile(r"const ENGINE = (.*);\n")
MOVED = re.compile(r"(?:widgets|engine)-\w{8}\.js")
MODULE = '<script type="module">'  # the first of SCRIPTS: scripts that wait run in the order of the page
STATE_SCRIPT = re.compile(rf'<script type="{re.escape(STATE)}">(.*?)</script>', re.DOTALL)
# Source maps, the icons' script and fonts (icons.css draws them), the theme's other languages, what menus.js does.
UNUSED = ("scripts/bootstrap.js*", "scripts/fontawesome.js*", "**/*.map", "vendor", "locales", "*macros.html")


class WidgetFallback(SphinxPostTransform):
    """Put the text of a widget's output beside the widget: what is read until, or unless, the script draws it."""

    default_priority = 3  # just before myst-nb keeps one representation of each output
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            by_mime = {child["mime_type"]: child for child in bundle.children}
            if WIDGET not in by_mime:
                continue
            text = by_mime.get("text/html") or by_mime.get("text/plain")
            widget = by_mime[WIDGET]
            without_script(text)
            fallback = text.children if text else [nodes.paragraph(text="This figure needs JavaScript.")]
            widget[:] = [
                raw('<div class="widget-output">'),
                *widget.children,
                raw('<div class="widget-output-text">'),
                *fallback,
                raw("</div></div>"),
            ]
        for node in self.document.findall(nodes.raw):
            if '<div class="widget-output">' in node.astext():
                mark_ancestors(node)


def mark_ancestors(node: nodes.Node) -> None:
    """Sections and outputs with a widget say so: a style that asked what is in them would be slow on every change."""
    while node := node.parent:
        if isinstance(node, nodes.section) or "cell_output" in node["classes"]:
            node["classes"] = ["has-widget", *(one for one in node["classes"] if one != "has-widget")]


def without_script(text: nodes.Element | None) -> None:
    """A notebook says "run this cell to click the words"; a page says what it needs itself."""
    for said in list(text.findall(nodes.Text)) if text else []:
        said.parent.replace(said, nodes.Text(said.replace("(run this cell to ", "(open the page with JavaScript to ")))


class WidgetOf(Directive):
    """``{widget-of} notebook class``: the widget of that class in a notebook, on a page that is no notebook.

    The content is what is read until, or unless, the script draws it.
    """

    required_arguments = 2
    has_content = True

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        name, wanted = self.arguments
        relative, path = env.relfn2path(name)
        env.note_dependency(relative)
        saved = json.loads(Path(path).read_text("utf-8"))["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
        ids = [i for i, one in saved.items() if one["state"].get("_anywidget_id", "").endswith(f".{wanted}")]
        if not ids:
            raise self.error(f"{name} holds no {wanted}; execute it with: make lessons")
        shown = {"version_major": 2, "version_minor": 0, "state": {ids[0]: saved[ids[0]]}}
        text = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, text)
        return [
            raw(embedded(STATE, shown) + '<div class="widget-output">' + embedded(WIDGET, {"model_id": ids[0]})),
            raw('<div class="widget-output-text">'),
            *text.children,
            raw("</div></div>"),
        ]


def with_rich_text(app, docname: str, source: list[str]) -> None:
    """Give a lesson's notebook the text of its NN_name.py: admonitions, terms, citations, hints.

    The notebook itself holds the same text in plain Markdown, for the programs that open notebooks. Outputs of other
    code than that of NN_name.py are a warning.
    """
    notebook = Path(app.env.doc2path(docname))
    text = notebook.with_suffix(".py")
    if notebook.suffix != ".ipynb" or not text.exists():
        return
    app.env.dependencies[docname].add(str(text))
    saved, rich = json.loads(source[0]), jupytext.read(text)
    if [cell["cell_type"] for cell in saved["cells"]] != [cell.cell_type for cell in rich.cells]:
        raise ExtensionError(f"{notebook.name} has other cells than {text.name}; run: make lessons")
    for number, (cell, written) in enumerate(zip(saved["cells"], rich.cells, strict=True), start=1):
        if cell["cell_type"] == "markdown":
            cell["source"] = written.source
        elif "".join(cell["source"]) != written.source:
            stale = "the output of cell %d is stored, but its code in %s is another; run: make lessons"
            LOG.warning(stale, number, text.name, location=docname)
    source[0] = json.dumps(saved)


def embedded(kind: str, values: dict) -> str:
    """JSON for a script of the page; no text in it may end the script."""
    text = json.dumps(values).replace("</", r"<\/")
    return f'<script type="{kind}">{text}</script>'


def raw(html: str) -> nodes.raw:
    return nodes.raw(text=html, format="html")


def add_page_context(app, pagename, templatename, context, doctree) -> None:
    context["without_fontawesome"] = lambda html: FONTAWESOME_SCRIPT.sub("", html)
    context["with_landmark"] = with_landmark
    # docutils gives the references roles that ARIA has dropped, or does not allow there.
    context["body"] = BIBLIOGRAPHY_ROLE.sub("", context.get("body") or "")


def with_landmark(html: str) -> str:
    """The theme's frame of a page, its sidebar named, its menus and tooltips without bootstrap."""
    html = html.replace(SIDEBAR, f'{SIDEBAR} role="complementary" aria-label="Site"', 1).replace(BRAND, ICON)
    menus = MENU.sub(r'<details class="\1"><summary class="\2"\3>\4</summary>\5</details>', html)
    return TOOLTIP.sub("", menus)


def drop_what_no_page_loads(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for pattern in (*UNUSED, *SCRIPTS):
        for path in list(static.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def move_widgets(app, exception) -> None:
    """Take what widgets are made of out of the pages, into scripts of the site: text is read before they come.

    Classic scripts: a page that was opened as a file, without a server, may load them too.
    """
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    used: set[str] = set()
    for page in site.rglob("*.html"):
        html = page.read_text("utf8")
        models = {}
        for script in STATE_SCRIPT.finditer(html):
            models |= with_engines_moved(json.loads(script[1])["state"], site)
        if models:
            text = f"globalThis.courseWidgets = {json.dumps(models)};\n"
            name = named("widgets", text)
            (site / "_static" / name).write_text(text, "utf8")
            root = "../" * (len(page.relative_to(site).parts) - 1)
            loads = f'<script defer src="{root}_static/{name}"></script>\n'
            html = STATE_SCRIPT.sub("", html).replace(MODULE, loads + MODULE, 1)
            page.write_text(html, "utf8")
        used.update(MOVED.findall(html))
    for name in list(used):
        used.update(MOVED.findall((site / "_static" / name).read_text("utf8")))
    for path in (site / "_static").glob("*.js"):
        if MOVED.fullmatch(path.name) and path.name not in used:  # an earlier build's
            path.unlink()


def with_engines_moved(models: dict, site: Path) -> dict:
    """The models of a page that draw something, and their engines written to the site: a page loads one on need."""
    drawn = {name: one for name, one in models.items() if "_esm" in one["state"]}
    for one in drawn.values():
        source = one["state"]["_esm"]
        if (line := ENGINE_LINE.match(source)) and line[1].startswith('"'):
            name = named("engine", line[1])
            script = f'(globalThis.courseEngines ??= {{}})["{name}"] = {line[1]};\n'
            (site / "_static" / name).write_text(script, "utf8")
            one["state"]["_esm"] = f'const ENGINE = {{ file: "{name}" }};\n' + source[line.end() :]
    return drawn


def named(kind: str, text: str) -> str:
    """A file name that changes with the text."""
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.js"


def setup(app) -> dict:
    # sphinxcontrib-bibtex asks for it at every citation, and each time pybtex looks into all installed packages.
    pybtex.plugin.find_plugin = functools.cache(pybtex.plugin.find_plugin)
    # Loaded by sphinx-external-toc, and at work on numbered contents only, which these are not; it does not say that
    # pages may be read in parallel.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
    for name in SCRIPTS:  # inside the page: opened as a file, without a server, a browser loads no module from another
        app.add_js_file(None, body=(Path(app.srcdir) / "book" / "assets" / name).read_text("utf8"), type="module")
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it, for an extension that is not loaded
    app.add_post_transform(WidgetFallback)
    app.add_directive("widget-of", WidgetOf)
    app.connect("source-read", with_rich_text)
    app.connect("html-page-context", add_page_context)
    app.connect("build-finished", drop_what_no_page_loads)
    app.connect("build-finished", move_widgets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
