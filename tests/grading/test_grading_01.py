"""The checks of exercise 1, and what all exercises share: what a notebook shows, and what counts as equal."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike
from answers import namespace, slips

from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.reference import attention, attention_gradients, dot_products
from lessons_lib.grading.judge.verdict import steps
from lessons_lib.grading.lesson_01 import drive as drive_01
from lessons_lib.grading.lesson_01 import mistakes as mistakes_01
from lessons_lib.grading.notebook import Check, grade
from tools.make_exercises import sources

LESSONS = [source.stem for source in sources()]


@pytest.mark.parametrize("seed", range(30))
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive_01.make_tensors(seed)
    query, key, value = drive_01.plain_cases(inputs)["plain"].values()
    right = attention(query, key, value)[1]
    dots, mask = dot_products(query, key), inputs["mask"]
    sizes = (query.shape[-1], len(query), len(key), value.shape[-1])
    weights = [right, *(version(dots, *sizes) for _, version in mistakes_01.WRONG_WEIGHTS)]
    scores = dots / np.sqrt(sizes[0])
    masked = [attention(query, key, value, mask)[1], *(version(scores, mask) for _, version in mistakes_01.WRONG_MASKS)]
    square = drive_01.plain_cases(inputs)["square"].values()
    products = [attention(*square)[1], *(version(*square) for _, version in mistakes_01.WRONG_PRODUCTS)]
    for versions in (weights, masked, products):
        assert alike(versions, 1e-2) == []


@pytest.mark.parametrize("seed", range(30))
def test_inputs_have_four_different_sizes_and_masks_that_say_something(seed):
    inputs = drive_01.make_tensors(seed)
    sizes = (*inputs["query"].shape[2:], *inputs["value"].shape[2:])
    assert len(set(sizes)) == 4
    assert inputs["key"].shape[2:] == (sizes[2], sizes[1])
    allowed = inputs["mask"].sum(axis=-1)
    assert allowed.min() >= 2
    assert allowed.max() <= sizes[2] - 2
    assert (inputs["order"] != np.arange(sizes[2])).any()


@pytest.mark.parametrize("case", ["plain", "masked", "empty"])
def test_the_reference_is_pytorchs(case):
    inputs = drive_01.make_tensors(3)
    arguments = (drive_01.plain_cases(inputs) | drive_01.masked_cases(inputs))[case]
    query, key, value = (torch.from_numpy(arguments[n].astype(np.float64)) for n in ("query", "key", "value"))
    mask = torch.from_numpy(arguments.get("mask", np.ones(1, dtype=bool))).expand(len(query), len(key))
    leaves = [tensor.requires_grad_() for tensor in (query, key, value)]
    some = mask.any(dim=-1)
    output = F.scaled_dot_product_attention(query[some], key, value, attn_mask=mask[some])
    cotangent = torch.from_numpy(inputs["cotangent"]).double()
    expected = torch.autograd.grad((output * cotangent[some]).sum(), leaves)
    right, weights = attention(**arguments)
    np.testing.assert_allclose(right[some.numpy()], output.detach(), atol=1e-12)
    assert not right[~some.numpy()].any()
    np.testing.assert_allclose(weights.sum(-1), some, atol=1e-12)
    given = attention_gradients(inputs["cotangent"], **arguments)
    for name, gradient in zip(("query", "key", "value"), expected, strict=True):
        np.testing.assert_allclose(given[name], gradient, atol=1e-6)


def test_points_and_steps_are_declared_for_the_same_questions():
    for lesson in LESSONS:
        assert all(len(steps(lesson, name)) >= 2 for name in questions(lesson))
        assert sum(step.points for name in questions(lesson) for step in steps(lesson, name)) == 10


def test_the_notebook_shows_points_steps_and_hint(capsys):
    check = Check()
    check.open("01_self_attention")
    wrong = next(slip for slip in slips(LESSONS[0]) if slip.hint == "gets NaN")
    written = {name: value for name, value in namespace(wrong).items() if name != "previous_word_head"}
    result = check("q2", namespace=written)
    assert capsys.readouterr().out.splitlines() == [
        "q2, attention with a mask: 2 of 4 points",
        "  ✓ runs with a mask",
        "  ✓ forbidden keys get no weight (2 points)",
        "  ✗ a query with no allowed key gets zeros (1 point)",
        "  · it holds for padding masks, float16 and gradients (1 point)",
        "  → A query with no allowed key gets NaN (a softmax over nothing but −∞, or 0 / 0); give it zeros.",
    ]
    assert repr(result) == "<q2: 2 of 4 points>"
    total = check(namespace=written)
    assert (total.points, total.total) == (5, 10)
    assert "✗ q3, a head that looks one word back: 0 of 3 → not found: define" in capsys.readouterr().out
    html = dataclasses.replace(result, hint="<script>alert(1)</script>").html()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_check_finds_the_answer_in_the_notebook_that_calls_it():
    code = """
from lessons_lib.grading import check
check.open("01_self_attention")
import torch
def previous_word_head(length):
    key = torch.eye(length)
    return 1000 * key[(torch.arange(length) - 1).clamp(min=0)], key
assert check("q3").points == 3
def in_a_function():
    previous_word_head = 5
    return check("q3")
assert in_a_function().points == 0
import time; begin = time.process_time(); check("q1"); assert time.process_time() - begin < 2
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "→ not found: define scaled_dot_product_attention" in done.stdout


def test_wrong_use_of_check_is_one_line():
    check = Check()
    with pytest.raises(ValueError, match="no exercise is open"):
        check("q1")
    for lesson in ("99_nothing", "01/../x", "drive"):
        with pytest.raises(ValueError, match="no exercise"):
            check.open(lesson)
    check.open("01_self_attention")
    with pytest.raises(ValueError, match="question 'q7' is none of 01_self_attention; use q1, q2, q3") as caught:
        check("q7")
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_hints_are_the_same_each_time():
    wrong = next(slip for slip in slips(LESSONS[0]) if slip.hint == "A causal mask is applied")
    hints = {grade(wrong.lesson, "q1", namespace(wrong)).hint for _ in range(3)}
    assert len(hints) == 1


@pytest.mark.parametrize(
    ("given", "right", "same"),
    [
        ([1.0, 0.00009], [1.0, 0.0], True),
        ([1.0, 0.0002], [1.0, 0.0], False),
        ([99.0, 0.0002], [99.0, 0.0], False),
        ([6034.0, 0.004], [6034.2, 0.0], True),  # thousands that cancel, in float32
        ([6034.0, 0.01], [6034.2, 0.0], False),
        ([np.inf, 0.0002], [np.inf, 0.0], False),
        ([np.nan], [np.nan], False),
        ([1.0], [[1.0]], False),
    ],
)
def test_what_counts_as_equal(given, right, same):
    assert close(np.array(given), np.array(right)) is same
