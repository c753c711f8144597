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
BIBLIOGRAPHY_ROLE = re.compile(r' role="doc-biblioentry"|(?<=<div) role="list"(?= class="citation-list")')
SCRIPTS = ("widgets.js", "progress.js", "keyboard.js", "print.js", "copy.js")
# What a widget computes with: the first line of its module, a constant with the text of a worker.
ENGINE_LINE = re.compile(r"const ENGINE = (.*);\n")
STATE_SCRIPT = re.compile(rf'<script type="{re.escape(STATE)}">(.*?)</script>', re.DOTALL)
# Source maps, the icons' script and fonts (icons.css draws them), the theme's other languages.
UNUSED = ("scripts/fontawesome.js*", "**/*.map", "vendor", "locales", "*macros.html")


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
    context["with_landmark"] = lambda html: html.replace(
        SIDEBAR, f'{SIDEBAR} role="complementary" aria-label="Site"', 1
    ).replace(BRAND, ICON)
    # docutils gives the references roles that ARIA has dropped, or does not allow there.
    context["body"] = BIBLIOGRAPHY_ROLE.sub("", context.get("body") or "")


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


def move_engines(app, exception) -> None:
    """Take the widgets' engines out of the pages, into scripts of the site that a page loads when one is needed.

    Classic scripts: a page that was opened as a file, without a server, may load them too.
    """
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        html = page.read_text("utf8")
        moved = STATE_SCRIPT.sub(lambda script: with_engines_moved(script[1], Path(app.outdir)), html)
        if moved != html:
            page.write_text(moved, "utf8")


def with_engines_moved(text: str, site: Path) -> str:
    """The script with the state of a page's widgets, and the engines of these written to the site."""
    saved = json.loads(text)
    for one in saved["state"].values():
        source = one["state"].get("_esm", "")
        if (line := ENGINE_LINE.match(source)) and line[1].startswith('"'):
            name = f"engine-{hashlib.sha256(line[1].encode()).hexdigest()[:8]}.js"
            script = f'(globalThis.courseEngines ??= {{}})["{name}"] = {line[1]};\n'
            (site / "_static" / name).write_text(script, "utf8")
            one["state"]["_esm"] = f'const ENGINE = {{ file: "{name}" }};\n' + source[line.end() :]
    return embedded(STATE, saved)


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
    app.connect("build-finished", move_engines)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
