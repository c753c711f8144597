"""Each claim of a lesson has an experiment and a verdict, and the page of claims says the same."""

import re

import pytest

from tools import claims
from tools.lesson_files import lessons, read_text

# What every tutorial says, and the lesson that puts it to the test; its code cell has the tag `claim-N`.
EVERYBODY_SAYS = {
    1: (1, "without 1/√d_head the softmax saturates"),
    2: (1, "self-attention is permutation-invariant"),
    3: (3, "multi-head attention costs the same as single-head"),
    4: (11, "attention is O(n²d)"),
    5: (1, "any two tokens are one step apart, recurrent networks forget"),
    6: (4, "sinusoids extrapolate to longer sequences"),
    7: (3, "heads specialise"),
    8: (13, "attention weights explain the output"),
    9: (6, "LayerNorm stabilises training, post-norm needs warm-up"),
    10: (7, "two thirds of a block's parameters are in the FFN"),
    11: (8, "the causal mask stops the decoder from cheating"),
    12: (10, "GPT-2 has 117M parameters, BERT-base 110M, GPT-3 175B"),
    13: (11, "training is parallel over positions, generation is not"),
    14: (11, "fused attention gives the same numbers with less memory"),
    15: (6, "RMSNorm is cheaper and as good"),
    16: (12, "beam search beats greedy"),
    17: (10, "bigger is better"),
}
WRITTEN = {int(path.stem[:2]): path for path in lessons()}


def tags(path) -> set[str]:
    return {tag for cell in read_text(path).cells if cell.cell_type == "code" for tag in cell.metadata.get("tags", [])}


@pytest.mark.parametrize("number", [n for n, (lesson, _) in EVERYBODY_SAYS.items() if lesson in WRITTEN])
def test_what_everybody_says_is_tested_in_its_lesson(number):
    lesson, said = EVERYBODY_SAYS[number]
    assert f"claim-{number}" in tags(WRITTEN[lesson]), f"lesson {lesson} has no experiment on: {said}"


@pytest.mark.parametrize("path", WRITTEN.values(), ids=lambda path: path.stem)
def test_between_a_claim_and_its_verdict_something_is_computed(path):
    """`tools.claims.claims` asserts that there is a verdict; here, that an experiment stands before it."""
    assert len(claims.claims(path)) == len(re.findall(r"^# ### Claim ", path.read_text("utf8"), re.M))
    waiting = False
    for cell in read_text(path).cells:
        if cell.cell_type == "code":
            waiting = False
            continue
        for match in re.finditer(f"{claims.CLAIM.pattern}|{claims.VERDICT.pattern}", cell.source, re.MULTILINE):
            is_claim = match[0].startswith("(claim-")
            assert is_claim or not waiting, f"a verdict with no experiment: {match[0]}"
            waiting = is_claim


def test_the_page_says_what_the_lessons_say():
    assert claims.PAGE.read_text("utf8") == claims.page(), "run: make lessons"


def lesson_with(tmp_path, *marks):
    """A lesson, in French, of claims (numbers) and verdicts."""
    verdict = "# ```{admonition} Conclusion : vrai\n# :class: note verdict\n# Oui.\n# ```"
    heading = "# (claim-90-{0})=\n# ### Affirmation {0} : « l'attention est légère »"
    path = tmp_path / "90_a.py"
    parts = [verdict if mark == "verdict" else heading.format(mark) for mark in marks]
    path.write_text("\n#\n".join(["# %% [markdown]", *parts]) + "\n", "utf8")
    return path


def test_marks_are_read_and_not_words(tmp_path):
    found = claims.claims(lesson_with(tmp_path, 1, "verdict", 2, "verdict"))
    assert found == [("l'attention est légère", "vrai")] * 2


def test_a_verdict_without_a_claim_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"90_a.py: 2 verdicts but 1 claims"):
        claims.claims(lesson_with(tmp_path, 1, "verdict", "verdict"))


@pytest.mark.parametrize("marks", [(1, 2, "verdict"), (2, "verdict")])
def test_a_claim_without_a_verdict_is_named(tmp_path, marks):
    with pytest.raises(ValueError, match=r"90_a.py: claim \d has no verdict"):
        claims.claims(lesson_with(tmp_path, *marks))
