"""Places of the course that search finds and a link can lead to: claims, verdicts, formulas, exercises.

Each is known by its form: a claim by its label, a verdict by its class, an exercise by the hints in it, a formula by
the bold words before it, or by its row in the cheat sheet. To Sphinx they are objects of a domain, as functions are.
"""

import json
import re
import unicodedata
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx.domains import Domain, ObjType
from sphinx.search.en import SearchEnglish
from sphinx.transforms import SphinxTransform

CLAIM = re.compile(r"claim-(\d\d-\d+)")
LIGATURES = {"œ": "oe", "æ": "ae", "ß": "ss"}
FIRST, LATER = 0, 1  # priorities of a domain's objects in a search
INDEX, BEFORE, AFTER = "searchindex.js", "Search.setIndex(", ")"
MARK = '<a class="headerlink" href="#{0}" title="Link to this verdict">#</a>'


class CoursePlaces(Domain):
    """What the course has beside pages, sections and terms."""

    name = "course"
    label = "Course"
    object_types: ClassVar = {kind: ObjType(kind) for kind in ("claim", "exercise", "formula")}
    initial_data: ClassVar = {"places": []}

    def add(self, name: str, kind: str, docname: str, anchor: str) -> None:
        self.data["places"].append((name, kind, docname, anchor))

    def get_objects(self):
        for name, kind, docname, anchor in self.data["places"]:
            yield name, name, kind, docname, anchor, LATER if kind == "formula" else FIRST

    def clear_doc(self, docname: str) -> None:
        self.data["places"] = [place for place in self.data["places"] if place[2] != docname]

    def merge_domaindata(self, docnames, otherdata) -> None:
        self.data["places"] += [place for place in otherdata["places"] if place[2] in docnames]


class FindPlaces(SphinxTransform):
    """Give verdicts an address, and tell the domain of all places of a page."""

    default_priority = 870  # when labels have become ids

    def apply(self, **kwargs) -> None:
        docname = self.env.docname
        add = self.env.get_domain(CoursePlaces.name).add
        for section in self.document.findall(nodes.section):
            label = next((found[1] for name in section["ids"] if (found := CLAIM.fullmatch(name))), None)
            if label:
                section["ids"].sort(key=lambda name: not CLAIM.fullmatch(name))  # the name that stays comes first
                add(section[0].astext(), "claim", docname, section["ids"][0])
                with_address(section, f"verdict-{label}")
            elif any(is_fold(node) for node in section.children):
                add(section[0].astext(), "exercise", docname, section["ids"][0])
        for block in self.document.findall(nodes.math_block):
            if name := said_before(block):
                add(name, "formula", docname, anchored(block, name))
        for row in self.document.findall(nodes.row):
            cells = [cell for cell in row if isinstance(cell, nodes.entry)]
            has_formula = any(list(cell.findall(nodes.math)) for cell in cells[1:])
            if docname.endswith("cheat_sheet") and has_formula:
                name = re.sub(r"\s*\([\d, ]+\)$", "", cells[0].astext())
                add(name, "formula", docname, anchored(cells[0][0], name))


def with_address(section: nodes.section, address: str) -> None:
    for verdict in section.findall(nodes.admonition):
        if "verdict" in verdict["classes"]:
            verdict["ids"].append(address)
            verdict[0] += nodes.raw(text=MARK.format(address), format="html")


def is_fold(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("design_component") == "dropdown"


def said_before(block: nodes.math_block) -> str:
    """The bold words at the beginning of the paragraph that leads to a formula, without the full stop."""
    parent = block.parent
    for node in reversed(parent[: parent.index(block)]):
        if isinstance(node, nodes.paragraph):
            return node[0].astext().rstrip(".:") if isinstance(node[0], nodes.strong) else ""
        if not isinstance(node, nodes.math_block):
            return ""
    return ""


def anchored(node: nodes.Element, name: str) -> str:
    if not node["ids"]:
        node["ids"].append(f"formula-{nodes.make_id(name)}")
    return node["ids"][0]


def folded(text: str) -> str:
    """Letters as one types them: no accents, no ligatures, no capitals."""
    if text.isascii():
        return text.lower()
    plain = "".join(LIGATURES.get(letter, letter) for letter in text.lower())
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))


class SearchFolded(SearchEnglish):
    """English in which sœur and soeur are one word, for the index and for what one asks."""

    js_splitter_code = (Path(__file__).parent / "search.js").read_text("utf8")

    def split(self, input: str) -> list[str]:
        return super().split(folded(input))


def read_again(app, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """The pages with terms, where any page is new: Sphinx 7 leaves those of pages not read anew out of the search."""
    terms = env.get_domain("index").entries
    return [page for page in terms if terms[page] and page not in removed] if added | changed | removed else []


def without_gone_words(app, exception) -> None:
    """Words that no page holds any more leave the index: from build to build Sphinx 7 keeps them, with no page."""
    path = Path(app.outdir) / INDEX
    if exception or not path.is_file():
        return
    text = path.read_text("utf8")
    index = json.loads(text.removeprefix(BEFORE).removesuffix(AFTER))
    for part in ("terms", "titleterms"):
        index[part] = {word: pages for word, pages in index[part].items() if pages != []}
    left = BEFORE + json.dumps(index, sort_keys=True) + AFTER  # as Sphinx writes it
    if left != text:
        path.write_text(left, "utf8")


def setup(app) -> dict:
    app.add_domain(CoursePlaces)
    app.connect("env-get-outdated", read_again)
    app.connect("build-finished", without_gone_words)
    app.add_transform(FindPlaces)
    app.add_search_language(SearchFolded)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
