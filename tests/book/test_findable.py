"""How a page is found and shared: address, description, preview, map, structured data, a page for lost links."""

import json
import re
from collections import defaultdict
from types import SimpleNamespace
from urllib.parse import urlsplit
from xml.etree import ElementTree

import course_site
import findable
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from findable import address
from nbformat import v4
from sphinx.errors import ExtensionError

from tools.build_book import BUILD
from tools.lesson_files import ROOT, lessons, read_text

SITE = BUILD / "html"
PAGES = [path for folder in ("book", "notebooks") for path in sorted((SITE / folder).glob("*.html"))]


def config(url: str, baseurl: str = "") -> SimpleNamespace:
    return SimpleNamespace(html_baseurl=baseurl, html_theme_options={"repository_url": url})


def test_the_address_follows_from_the_repository_or_is_said():
    assert address(config("https://github.com/Anna-B/course.git")) == "https://anna-b.github.io/course/"
    assert address(config("https://github.com/anna/anna.github.io")) == "https://anna.github.io/"
    assert address(config("https://gitlab.com/anna/course", "https://anna.example/c")) == "https://anna.example/c/"
    assert address(config("https://gitlab.com/anna/course")) == ""


def base() -> str:
    said = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    return address(config(said["repository"]["url"], said["html"].get("baseurl", "")))


def test_each_page_says_what_it_is_and_where():
    seen = {}
    for path in PAGES:
        head = BeautifulSoup(path.read_text("utf8"), "html.parser").head
        said = {tag.get("property") or tag.get("name"): tag["content"] for tag in head.find_all("meta", content=True)}
        name = path.relative_to(SITE).as_posix()
        assert head.find("link", rel="canonical")["href"] == said["og:url"] == base() + name
        assert 40 <= len(said["description"]) <= 210, (name, said["description"])
        assert not re.search(r"\\\w|\$|\{|<", said["description"]), (name, said["description"])
        picture = urlsplit(said["og:image"]).path.removeprefix(urlsplit(base()).path)
        assert (SITE / picture).is_file(), (name, picture)
        assert said["og:image:alt"], name
        seen.setdefault(said["description"], []).append(name)
    assert len(PAGES) > 25
    assert [names for names in seen.values() if len(names) > 1] == []


def test_the_map_has_every_page_and_the_page_for_lost_links_leads_back():
    rows = ElementTree.parse(SITE / "sitemap.xml").getroot()
    found = {row[0].text for row in rows}
    assert found == {base() + path.relative_to(SITE).as_posix() for path in PAGES}
    assert f"Sitemap: {base()}sitemap.xml" in (SITE / "robots.txt").read_text("utf8")
    lost = BeautifulSoup((SITE / "404.html").read_text("utf8"), "html.parser")
    assert lost.base["href"] == urlsplit(base()).path
    links = [link["href"] for link in lost.find_all("a")]
    assert all((SITE / link).is_file() for link in links)
    assert len(links) == 2 + len(lessons())


def test_the_course_and_its_lessons_are_told_to_search_engines():
    course = data(SITE / "book/welcome.html")
    assert course["@type"] == "Course"
    assert [part["url"] for part in course["hasPart"]] == [f"{base()}notebooks/{path.stem}.html" for path in lessons()]
    for path in lessons():
        one = data(SITE / "notebooks" / f"{path.stem}.html")
        minutes = re.findall(r"(\d+)(?= minutes|, and)|and (\d+) for the exercise", read_text(path).cells[0].source)
        assert one["isPartOf"]["url"] == course["url"]
        assert one["timeRequired"] == f"PT{sum(int(a or b) for a, b in minutes)}M", path.stem


def data(path) -> dict:
    page = BeautifulSoup(path.read_text("utf8"), "html.parser")
    return json.loads(page.find("script", type="application/ld+json").string)


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    """What the builder was warned of: with -W each of these ends the build."""
    found: list[str] = []
    monkeypatch.setattr(findable.LOG, "warning", lambda text, *values, location: found.append(text % values))
    return found


def test_a_page_without_a_description_and_a_picture_without_words_end_the_build(warned):
    page = nodes.section("", nodes.paragraph(text="One."), nodes.image(uri="a.png"), nodes.image(uri="b.png", alt=" "))
    page += nodes.image(uri="c.png", alt="a cat")
    findable.ask_for_what_is_missing(None, "book/a", "", {"metatags": "<title>"}, page)
    assert warned == [
        "nothing on the page can be its description: write a first paragraph",
        "no alt text for the picture a.png",
        "no alt text for the picture b.png",
    ]
    warned.clear()
    whole = nodes.section("", nodes.paragraph(text="One."), nodes.image(uri="c.png", alt="a cat"))
    findable.ask_for_what_is_missing(None, "book/a", "", {"metatags": '<meta name="description">'}, whole)
    findable.ask_for_what_is_missing(None, "search", "", {"metatags": ""}, None)
    assert warned == []


def test_an_output_of_other_code_ends_the_build(tmp_path, monkeypatch):
    found: list[str] = []
    monkeypatch.setattr(course_site.LOG, "warning", lambda text, *values, location: found.append(text % values))
    (tmp_path / "01_a.py").write_text("# %% [markdown]\n# # A\n\n# %%\nprint(2)\n", "utf8")
    cells = [v4.new_markdown_cell("# A"), v4.new_code_cell("print(1)")]
    (tmp_path / "01_a.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=cells)), "utf8")
    app = SimpleNamespace(
        env=SimpleNamespace(doc2path=lambda _: tmp_path / "01_a.ipynb", dependencies=defaultdict(set))
    )
    source = [(tmp_path / "01_a.ipynb").read_text("utf8")]
    course_site.with_rich_text(app, "notebooks/01_a", source)
    assert found == ["the output of cell 2 is stored, but its code in 01_a.py is another; run: make lessons"]
    (tmp_path / "01_a.py").write_text("# %%\nprint(1)\n", "utf8")
    with pytest.raises(ExtensionError, match=r"01_a\.ipynb has other cells than 01_a\.py; run: make lessons"):
        course_site.with_rich_text(app, "notebooks/01_a", source)
