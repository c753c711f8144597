"""How a page is found and shared: its address, what search engines read, a map of the site, a page for lost links.

Descriptions and previews are made by sphinxext.opengraph, of the first words of a page.
"""

import html
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.util import logging

LOG = logging.getLogger(__name__)
REPOSITORY = re.compile(r"https://github\.com/([^/]+)/([^/]+)")
MINUTES = re.compile(r"(\d+) minutes(?:, and (\d+) for the exercise)?")
LOST = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>Not here · {name}</title><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><base href="{path}"><link rel="icon" href="_static/favicon.svg">
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 34rem; margin: 12vh auto; padding: 0 1.2rem; font: 1.05rem/1.6 system-ui, sans-serif; }}
h1 {{ font-family: Charter, Georgia, serif; }}
</style></head>
<body><main>
<h1>This page is not here</h1>
<p>It may have moved, or the address has a slip in it.
<a href="search.html">Search the course</a>, or choose a page:</p>
<ul>
{pages}
</ul>
</main></body>
</html>
"""


def address(config) -> str:
    """Where the site is: `html.baseurl` of _config.yml, or the GitHub Pages of its repository; "" if neither tells."""
    if config.html_baseurl:
        return config.html_baseurl.rstrip("/") + "/"
    url = config.html_theme_options["repository_url"]
    found = REPOSITORY.match(url)
    if not found:
        return ""
    owner, name = found[1].lower(), found[2].removesuffix(".git")
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io" else f"{name}/")


def with_address(app, config) -> None:
    config.html_baseurl = config.ogp_site_url = address(config)


def with_course_data(app, pagename, templatename, context, doctree) -> None:
    """Structured data (schema.org): the first page is a course, a lesson is a part of it."""
    if not app.config.html_baseurl:
        return
    name, first = app.config.project, app.config.root_doc
    course = {"@type": "Course", "name": name, "url": f"{app.config.html_baseurl}{first}.html"}
    course |= {"provider": {"@type": "Organization", "name": app.config.author}}
    if pagename == first:
        data = course | {"description": paragraph(doctree), "inLanguage": "en", "isAccessibleForFree": True}
        data["hasPart"] = [
            {"@type": "LearningResource", "name": title(app.env, page), "url": f"{app.config.html_baseurl}{page}.html"}
            for page in lessons(app.env)
        ]
    elif pagename in lessons(app.env):
        minutes = sum(int(number) for number in MINUTES.search(paragraph(doctree)).groups() if number)
        data = {"@type": "LearningResource", "name": context["title"], "url": context["pageurl"], "isPartOf": course}
        data |= {"learningResourceType": "Jupyter notebook", "timeRequired": f"PT{minutes}M"}
    else:
        return
    text = json.dumps({"@context": "https://schema.org"} | data, ensure_ascii=False).replace("</", r"<\/")
    context["metatags"] += f'<script type="application/ld+json">{text}</script>\n'


def ask_for_what_is_missing(app, pagename, templatename, context, doctree) -> None:
    """A page without a description, and a picture without words, are warnings."""
    if doctree is None:  # a page of Sphinx's own
        return
    if 'name="description"' not in context["metatags"]:
        LOG.warning("nothing on the page can be its description: write a first paragraph", location=pagename)
    for picture in doctree.findall(nodes.image):
        if not picture.get("alt", "").strip():
            LOG.warning("no alt text for the picture %s", picture["uri"], location=pagename)


def paragraph(doctree: nodes.document) -> str:
    """The first of a page, as plain text."""
    return next((" ".join(one.astext().split()) for one in doctree.findall(nodes.paragraph)), "")


def lessons(env) -> list[str]:
    return sorted(page for page in env.found_docs if page.startswith("notebooks/"))


def title(env, page: str) -> str:
    return env.titles[page].astext()


def write_map(app, exception) -> None:
    """`404.html`, and where the address is known `sitemap.xml` and `robots.txt`."""
    if exception or app.builder.format != "html":
        return
    base, out = app.config.html_baseurl, Path(app.outdir)
    pages = sorted(app.env.found_docs, key=lambda page: (page != app.config.root_doc, page))
    rows = "\n".join(f"<url><loc>{html.escape(base + page)}.html</loc></url>" for page in pages)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    if base:
        (out / "sitemap.xml").write_text(f"{head}\n{rows}\n</urlset>\n", "utf8")
        (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", "utf8")
    links = "\n".join(
        f'<li><a href="{page}.html">{html.escape(title(app.env, page))}</a></li>'
        for page in [app.config.root_doc, *lessons(app.env)]
    )
    found = {"language": "en", "name": html.escape(app.config.project), "path": urlsplit(base).path or "/"}
    (out / "404.html").write_text(LOST.format(**found, pages=links), "utf8")


def setup(app) -> dict:
    app.connect("config-inited", with_address)
    app.connect("html-page-context", with_course_data)
    app.connect("html-page-context", ask_for_what_is_missing, priority=900)  # when the descriptions are there
    app.connect("build-finished", write_map)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
