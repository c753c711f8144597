"""The program that edits the solutions: what it changes, and that the checks notice a sample of it."""

import functools
import random

from lessons_lib.grading import parts
from tools import mutate


@functools.cache
def all_edits() -> list[mutate.Edit]:
    quick = ((name, text) for name, text in mutate.solutions().items() if name not in mutate.SLOW)
    return [edit for name, text in quick for edit in mutate.edits(name, text)]


def test_a_small_part_is_edited_in_every_way():
    text = "def f(x, n):\n    if n < 2:\n        return x\n    return (x[1:] - n).sum(dim=-1, keepdim=True)\n"
    found = {edit.new for edit in mutate.edits("causal_mask", text)}
    for new in (
        "if n <= 2:",
        "if n < 3:",
        "if n < 1:",
        "if not n < 2:",
        "return (x[1:] + n).sum(dim=-1, keepdim=True)",
        "return (n - x[1:]).sum(dim=-1, keepdim=True)",
        "return (x[1:] - n).sum(dim=1, keepdim=True)",
        "return (x[1:] - n).sum(dim=-2, keepdim=True)",
        "return (x[1:] - n).sum(dim=-1)",
        "return (x[1:] - n).sum(dim=-1, keepdim=False)",
        "return (x[2:] - n).sum(dim=-1, keepdim=True)",
        "return (x[:] - n).sum(dim=-1, keepdim=True)",
        "return (x[1:] - n).sum(dim=-1, keepdim=True).detach()",
        "return (x[1:] - n).sum(dim=-1, keepdim=True).double()",
    ):
        assert new in found, new


def test_every_explanation_belongs_to_an_edit():
    assert sorted(mutate.explained().keys() - {edit.key for edit in all_edits()}) == []
    assert all(len(why) > 20 for why in mutate.explained().values())


def test_what_survives_is_told_and_what_is_noticed_is_not():
    text = mutate.solutions()["causal_mask"]
    same = mutate.Edit("causal_mask", "", "the same", text)
    wrong = mutate.Edit("causal_mask", "", "upside down", text.replace("<=", ">="))
    loop = text.replace("    position", "    while True: pass\n    position")
    endless = mutate.Edit("causal_mask", "", "no end", loop)
    assert mutate.run([same, wrong, endless], 2) == [same]


def test_a_sample_of_all_edits_is_noticed():
    """The whole is tried once a week: it takes half an hour of a core."""
    known = mutate.explained()
    sample = [edit for edit in random.Random(1).sample(all_edits(), 40) if edit.key not in known]
    assert {parts.known()[edit.name] for edit in sample} > {"03", "05", "10", "13"}
    assert [edit.key for edit in mutate.run(sample, 2)] == []
