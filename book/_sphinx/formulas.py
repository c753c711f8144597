"""Formulas as MathML, written when the site is built: browsers set it without a script, and programs read it aloud.

The converter is that of docutils; what it does not know is a warning, which ends the build. Four things are mended
behind it, so that a formula looks as TeX sets it and the page stays XML.
"""

import re
from itertools import pairwise
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

FONT = "fonts/stix-two-math.woff2"
OPENS, CLOSES = r"(?<!\\){|\\left\b|\\begin\b", r"(?<!\\)}|\\right\b|\\end\b"
# Not where the page was opened as a file: there a browser refuses to ask for it in this way.
PRELOAD = """<script>location.protocol === "file:" || document.head.insertAdjacentHTML("beforeend",
`<link rel="preload" as="font" type="font/woff2" crossorigin href="{font}">`)</script>
"""
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'  # a page of HTML needs none
APPLY = "&ApplyFunction;", "\N{FUNCTION APPLICATION}"  # HTML has this entity, XML has not
FENCES = {"(", "[", "{", "|"}
BRACES = {"⏟": "braced", "⏞": "braced over"}  # and the class of what they hold together
UNDER = {"msub": "munder", "msup": "mover"}


def mathml(tex: str, as_block: bool = False) -> str:
    r"""A `math` element with the formula, and its TeX as an annotation.

    Raises:
        MathError: a command is not known, or something is not closed.
    """
    if len(re.findall(OPENS, tex)) != len(re.findall(CLOSES, tex)):
        raise MathError("something is opened and not closed")
    made = tex2mathml(tex, as_block=as_block).replace(NAMESPACE, "", 1).replace(*APPLY)
    formula = ElementTree.fromstring(re.sub(r">\s+<", "><", made))
    for node in formula.iter():
        if len(node) and node.tag in UNDER and node[0].tag in UNDER.values() and node[0][-1].text in BRACES:
            node.tag = UNDER[node.tag]  # the label of a brace stands under it, not beside it
        if node.get("class") == "capital-greek":  # upright, as TeX has it
            node.set("mathvariant", "normal")
        for before, after in pairwise(node):
            if before.text == APPLY[1] and after.text not in FENCES:
                before.set("rspace", "0.1667em")  # log P, but softmax(x)
    for node in formula.iter():
        if node.tag in UNDER.values() and node[-1].text in BRACES:
            node.set("class", BRACES[node[-1].text])  # the style draws it
            node.tag = "mrow"
            node.remove(node[-1])
    parts = list(formula)
    row = ElementTree.Element("mrow")
    row.extend(parts)
    for part in parts:
        formula.remove(part)
    meaning = ElementTree.SubElement(formula, "semantics")
    meaning.append(row)
    ElementTree.SubElement(meaning, "annotation", encoding="application/x-tex").text = " ".join(tex.split())
    return ElementTree.tostring(formula, encoding="unicode")


def visit_math(translator, node: nodes.math) -> None:
    translator.body.append(_element(translator, node, "span"))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    translator.body.append(_element(translator, node, "div"))
    raise nodes.SkipNode


def _element(translator, node: nodes.Element, tag: str) -> str:
    attributes = {"class": "math notranslate nohighlight"}
    try:
        formula = mathml(node.astext(), as_block=tag == "div")
    except MathError as error:
        logging.getLogger(__name__).warning("%s in the formula %r", error, node.astext(), location=node)
        return ""
    return f"{translator.starttag(node, tag, '', **attributes)}{formula}</{tag}>"


def with_font(app, pagename, templatename, context, doctree) -> None:
    """A page with a formula asks for the formulas' font at once: no line moves when it comes."""
    if doctree and any(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))):
        font = context["pathto"](f"_static/{FONT}", resource=True)
        context["metatags"] += PRELOAD.format(font=font)


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_block, None))
    app.connect("html-page-context", with_font)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
