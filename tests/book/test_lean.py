"""What a page loads: rules that it uses, scripts that wait, pictures that have their place."""

import re

import pytest
from lean import SEARCH, lighten, plain_marks, script, with_light_pictures, write_webp
from PIL import Image, ImageChops
from styles import style
from test_site import style as computed

from tools.build_book import BUILD
from tools.lesson_files import STATE, VIEW

SITE = BUILD / "html"
THEME = """\
:root { --used: #123; --unused: #456; }
@font-face { font-family: "Font Awesome 6"; src: url(../vendor/icons.woff2); }
.there, .gone > a { color: var(--used); }
.gone { color: red; }
#main .there:not(.gone)::before { background: url("pictures/a.svg"); }
.fa-bars::before { font-family: "Font Awesome 6"; }
@media (min-width: 9px) { .gone { color: red; } .by-script { color: red; } }
@media print { .gone { color: red; } }
@keyframes turn { from { top: 0 } to { top: 1px } }
"""
PAGE = """\
<html><head>
<link rel="preload" as="script" href="{root}_static/scripts/theme.js?digest=1" />
<link rel="stylesheet" type="text/css" href="{root}_static/styles/theme.css?digest=1" />
<link rel="stylesheet" href="{root}_static/own.css" />
<script src="{root}_static/scripts/theme.js?digest=1"></script>
<script src="{root}_static/searchtools.js"></script>
<script defer src="{root}_static/more.js"></script>
<script>document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto"; inline()</script>
</head><body id="main"><p class="there fa-bars">text</p>
<img class="logo__image" src="{root}_static/a.svg"><img alt="one" src="{root}_static/a.png">
<img alt="two" src="{root}_static/a.png"/>
<img alt="three" width="7" src="{root}_static/a.png">
</body></html>
"""
CODE = """\
html[data-theme="light"] .highlight .k { color: #00f } /* Keyword */
html[data-theme="light"] .highlight .p { color: #111 } /* Punctuation */
html[data-theme="light"] .highlight { background: #fff; color: #111 }
html[data-theme="light"] .highlight .n { color: #111 } /* Name */
html[data-theme="light"] .highlight .gs { color: #111; font-weight: bold } /* Generic.Strong */
html[data-theme="dark"] .highlight { background: #000; color: #eee }
html[data-theme="dark"] .highlight .n { color: #eee } /* Name */
html[data-theme="dark"] .highlight .p { color: #f00 } /* Punctuation */
"""
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x05\x00\x00\x00\x09" + bytes(9)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64.4 32"></svg>'


@pytest.fixture
def site(tmp_path):
    for name, text in {
        "index.html": PAGE.format(root=""),
        "book/one.html": PAGE.format(root="../"),
        "search.html": PAGE.format(root=""),
        "_static/styles/theme.css": THEME,
        "_static/own.css": "p { margin: 0; }",
        "_static/pygments.css": CODE,
        "_static/scripts/theme.js": "classList.add('by-script')",
        "_static/more.js": "more()",
        "_static/searchtools.js": "tools()",
        "_static/a.svg": SVG,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf8")
    (tmp_path / "_static/a.png").write_bytes(PNG)
    return tmp_path


def test_a_style_keeps_what_some_page_uses(site):
    made = style(site, ["_static/styles/theme.css"], {"there", "main", "by-script", "fa-bars"})
    rules = "".join(made.split())
    assert ".there{color:var(--used);}" in rules
    assert "#main.there:not(.gone)::before" in rules
    assert 'url("styles/pictures/a.svg")' in rules
    assert ".by-script" in rules
    assert "@keyframesturn{from{top:0;}to{top:1px;}}" in rules
    for gone in ("--unused", "@font-face", ".gone>", "{color:red;}.gone", "print", "fa-bars"):
        assert gone not in rules, gone


def test_a_page_asks_for_one_style_and_one_script_and_twice_is_as_once(site):
    lighten(site, "index.html")
    page = (site / "book/one.html").read_text("utf8")
    assert re.findall(r'<link[^>]*href="([^"?]+)', page) == ["../_static/site.css"]
    assert re.findall(r"<script[^>]*>", page)[0].startswith('<script defer src="../_static/site.js?digest=')
    assert page.count("<script") == 2
    bundle = (site / "_static/site.js").read_text("utf8")
    assert bundle.index("by-script") < bundle.index("more()")
    assert "margin" in (site / "_static/site.css").read_text("utf8")
    assert re.findall(r"<script defer +src=\"([^\"?]+)", (site / "search.html").read_text("utf8")) == [
        "_static/site.js",
        "_static/searchtools.js",
    ]
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    lighten(site, "index.html")
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_a_page_that_is_built_anew_beside_old_ones_has_its_style(site):
    lighten(site, "index.html")
    (site / "book/one.html").write_text(PAGE.format(root="../").replace("there fa-bars", "gone"), "utf8")
    lighten(site, "index.html")
    assert ".gone{color:red;}" in "".join((site / "_static/site.css").read_text("utf8").split())
    digests = {
        re.search(r"site\.css\?digest=(\w+)", (site / name).read_text("utf8"))[1]
        for name in ("index.html", "book/one.html")
    }
    assert len(digests) == 1


def test_pictures_have_their_place_and_come_when_they_are_near(site):
    lighten(site, "index.html")
    logo, one, two, three = re.findall(r"<img[^>]*>", (site / "index.html").read_text("utf8"))
    assert 'width="64" height="32"' in logo
    assert 'width="5" height="9"' in one
    assert "lazy" not in logo
    assert all("lazy" in picture for picture in (one, two, three))
    assert 'width="7"' in three
    assert "height" not in three


def test_a_picture_is_webp_without_loss_where_that_is_smaller(tmp_path):
    (tmp_path / "_images").mkdir()
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "_images/large.png", compress_level=0)
    Image.new("RGB", (1, 1)).save(tmp_path / "_images/small.png", optimize=True)
    (tmp_path / "_images/small.webp").write_bytes(b"")
    for path in (tmp_path / "_images").glob("*.png"):
        write_webp(path)
    made = with_light_pictures('<img src="_images/large.png"><img src="_images/small.png">', tmp_path / "a.html")
    assert re.findall(r'src="_images/(\S+)"', made) == ["large.webp", "small.png"]
    with Image.open(tmp_path / "_images/large.webp") as webp, Image.open(tmp_path / "_images/large.png") as png:
        assert ImageChops.difference(webp.convert("RGB"), png).getbbox() is None
    assert with_light_pictures(made, tmp_path / "a.html") == made


def test_what_scripts_do_once_a_page_is_there_each_does_in_a_task_of_its_own(site):
    theme = site / "_static/scripts/pydata-sphinx-theme.js"
    ready = 'function e(e){"loading"!=document.readyState?e():document.addEventListener("DOMContentLoaded",e)}'
    measure = 'document.querySelectorAll(["pre",".c"].join(", "))'
    theme.write_text(f"{ready}\ne(()=>{{{measure}}})", "utf8")
    name = theme.relative_to(site).as_posix()
    made = script(site, [name])
    assert "?setTimeout(e):document" in made
    assert 'querySelectorAll("none")' in made
    for changed in (ready, measure):
        theme.write_text(theme.read_text("utf8").replace(changed, ""), "utf8")
        with pytest.raises(ValueError, match=r"pydata-sphinx-theme\.js has changed"):
            script(site, [name])
    built = (SITE / "_static/site.js").read_text("utf8")
    assert built.count("?setTimeout(") == 2  # of sphinx-book-theme and pydata-sphinx-theme
    assert "readyState?e():" not in built


@pytest.mark.parametrize(
    ("system", "chosen", "theme"), [("dark", None, "dark"), ("light", "dark", "dark"), ("dark", "light", "light")]
)
def test_a_page_has_its_theme_before_anything_is_drawn(browser, address, system, chosen, theme):
    page = browser.new_page(color_scheme=system)
    mode = f"localStorage.setItem('mode', '{chosen}');" if chosen else ""
    page.add_init_script(
        mode + "seen = new Set(); const look = () => document.body && seen.add(document.documentElement.dataset.theme);"
        "new MutationObserver(look).observe(document, { attributes: true, childList: true, subtree: true })"
    )
    page.goto(f"{address}book/welcome.html", wait_until="networkidle")
    assert page.evaluate("[...seen]") == [theme]
    page.close()


def test_a_page_that_chooses_its_theme_elsewhere_is_named(site):
    page = site / "index.html"
    page.write_text(page.read_text("utf8").replace("dataset.theme", "dataset.colour"), "utf8")
    with pytest.raises(ValueError, match=r"index\.html has changed: where does the theme choose"):
        lighten(site, "index.html")


def test_code_is_marked_where_a_mark_shows_something():
    code = '<span class="k">in</span> <span class="n">a</span><span class="p">.</span><span class="gs">b</span>'
    left = '<span class="k">in</span> a<span class="p">.</span><span class="gs">b</span>'
    assert plain_marks(CODE).sub(r"\1", code) == left
    page = (SITE / "notebooks/03_multi_head_attention.html").read_text("utf8")
    assert '<span class="k">' in page
    assert not re.search(r'<span class="[npw]">', page)


def test_code_without_a_mark_has_the_colour_that_its_mark_had(visit):
    page = visit("notebooks/03_multi_head_attention.html").page
    around, plain = (computed(page, f"div.cell_input div.highlight{inside}", "color") for inside in ("", " pre"))
    assert plain == around


def test_every_page_of_the_site_is_lean():
    for path in SITE.rglob("*.html"):
        page = path.read_text("utf8")
        if path.name in ("index.html", "404.html") or "_static" in path.parts:
            continue
        assert page.count('rel="stylesheet"') == 1, path.name
        waiting = [script for script in re.findall(r"<script[^>]*\ssrc=[^>]*>", page) if "defer" not in script]
        assert waiting == [], path.name
        scripts = ["site.js", *SEARCH] if path.name == "search.html" else ["site.js"]
        loaded = re.findall(r"<script[^>]*\ssrc=\"([^\"?]+)", page)
        assert [name.split("/")[-1] for name in loaded if "/widgets-" not in name] == scripts, path.name
        assert (len(loaded) == len(scripts)) == (f'<script type="{VIEW}">' not in page), path.name
        assert STATE not in page, path.name  # text is read before what widgets are made of
        for image in re.findall(r"<img[^>]*\.(?:png|webp)[^>]*>", page):
            assert re.search(r"\s(width|style)=", image), image
    style = (SITE / "_static/site.css").read_text("utf8")
    assert len(style) < 130_000
    assert style.count("data:image/svg+xml") == 1  # each is a document of its own, made before the first paint
    assert "Font Awesome" not in style
