"""Numbers in sentences are found, and a wrong one is named."""

import ast
import re

import pytest

from lessons_lib.prose import numbers, says
from tools.lesson_files import lessons, read_notebook, read_text, texts

VERDICT = re.compile(r"^(`{3,})\{admonition\} (Verdict: .+?)^\1$", re.MULTILINE | re.DOTALL)
REFERENCE = re.compile(
    r"lessons? [\d, and]+|claims? \d+|section [\d.]+|sections [\d.]+|exercises? \d+|\{cite[^}]*\}`[^`]+`"
)


def plain(text: str) -> str:
    """One line, without marks of emphasis: how a sentence is compared with a text."""
    return re.sub(r"\s+", " ", re.sub(r"[*_`]", "", text))


def said(notebook) -> list[str]:
    """The sentences that a lesson compares with what it measured."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and "says(" in cell.source:
            for node in ast.walk(ast.parse(re.sub(r"^[%!].*$", "", cell.source, flags=re.MULTILINE))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "says":
                    found.append(ast.literal_eval(node.args[0]))
    return found


def prose(notebook) -> str:
    """All that a lesson tells: its text, captions and alt texts."""
    parts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in notebook.cells:
        shown = cell.metadata.get("mystnb", {})
        parts += [shown.get("figure", {}).get("caption", ""), shown.get("image", {}).get("alt", "")]
    return plain(" ".join(parts))


def test_numbers_are_found_as_prose_writes_them():
    assert numbers("From 17 to 1,056, that is .83 or −0.4; W1 and 3D are none, 60.7 is.") == [
        "17",
        "1,056",
        ".83",
        "−0.4",
        "60.7",
    ]


def test_what_is_written_may_be_rounded():
    says("from 17 to 1,056 (0.83)", 16.6, 1055.8, 0.8266)


@pytest.mark.parametrize(
    ("sentence", "measured"),
    [("about 17", [15.4]), ("0.83", [0.81]), ("17 and 18", [17.0]), ("it is 2", [float("nan")])],
)
def test_a_wrong_number_is_named(sentence, measured):
    with pytest.raises(AssertionError, match=re.escape(repr(sentence))):
        says(sentence, *measured)


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_a_compared_sentence_stands_in_the_lesson(path):
    notebook = read_text(path)
    told = prose(notebook)
    assert [sentence for sentence in said(notebook) if plain(sentence) not in told] == []


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_numbers_of_alt_texts_and_verdicts_were_measured(path):
    """Each stands in a compared sentence, or in what a cell printed or drew a table of."""
    notebook = read_notebook(path.with_suffix(".ipynb"))
    text = read_text(path)
    known = {number for sentence in [*said(text), *texts(notebook)] for number in numbers(sentence)}
    claims = [match[2] for cell in text.cells for match in VERDICT.finditer(cell.source)]
    claims += [cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "") for cell in text.cells]
    loose = {
        claim[:60]: missing
        for claim in claims
        if (missing := [n for n in numbers(REFERENCE.sub("", claim)) if n not in known and len(n) > 1])
    }
    assert loose == {}


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_scores_and_units_lead_to_the_glossary(path):
    told = " ".join(cell.source for cell in read_text(path).cells if cell.cell_type == "markdown")
    used = [word for word in ("BLEU", "chrF", "nats", "perplexity") if re.search(rf"\b{word}\b", told)]
    assert [word for word in used if not re.search(rf"{{term}}`[^`]*\b{word}\b", told, re.IGNORECASE)] == []


def test_where_lessons_are_written_a_number_is_rounded_as_it_is_stored(monkeypatch):
    says("It was 87 of them.", 87.9)
    monkeypatch.setenv("LESSONS_ARE_WRITTEN", "1")
    says("It was 87.5 and 0.25 of them.", 87.45, 0.2451)
    with pytest.raises(AssertionError, match=r"writes 87; measured: 87\.9"):
        says("It was 87 of them.", 87.9, slack=3.0)
