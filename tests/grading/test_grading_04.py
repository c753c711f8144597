"""Lesson 4's checks: the references are the library's, and each named mistake is one of its own."""

import numpy as np
import pytest
import torch
from alike import alike, unnamed

from lessons_lib import positions as library
from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.lesson_04 import drive, judge
from lessons_lib.grading.lesson_04 import mistakes as mistakes_04
from lessons_lib.grading.lesson_04 import reference as reference_positions
from lessons_lib.grading.reference import solutions

LESSON = "04_positional_encoding"


@pytest.mark.parametrize("seed", range(30))
def test_named_mistakes_can_be_told_apart(seed):
    length, width = drive.make_sizes(seed)["sizes"].tolist()
    assert length != width
    assert unnamed(mistakes_04.chosen_table, mistakes_04.TABLE_AXES, 3, width) == []
    calls = drive.rotation_cases(drive.make_heads(seed))
    heads, start = calls["later"]["heads"].astype(np.float64), calls["later"]["start"]
    right = reference_positions.rotary(heads)
    assert alike([right, *(w(heads, 0) for _, w in mistakes_04.RARE_ROTATIONS)], 1e-2) == []

    def both(**choices):
        return np.concatenate([mistakes_04.chosen_rotation(heads, at, **choices) for at in (0, start)])

    assert unnamed(both, mistakes_04.ROTATION_AXES) == []
    table, length = drive.bias_cases(drive.make_bias_table(seed))["plain"].values()
    assert length > table.shape[1] // 2 + 1  # something needs clipping
    assert unnamed(mistakes_04.chosen_bias, mistakes_04.BIAS_AXES, table, length) == []


def test_the_formulas_without_a_wrong_choice_are_the_references():
    np.testing.assert_allclose(mistakes_04.chosen_table(9, 6), reference_positions.sinusoidal(9, 6))
    heads, table = np.random.default_rng(0).normal(size=(7, 10)), np.random.default_rng(1).normal(size=(2, 7))
    np.testing.assert_allclose(mistakes_04.chosen_rotation(heads, 5), reference_positions.rotary(heads, 5))
    np.testing.assert_allclose(mistakes_04.chosen_bias(table, 8), reference_positions.relative_bias(table, 8))


def test_the_references_are_the_librarys():
    np.testing.assert_allclose(reference_positions.sinusoidal(60, 12), library.sinusoidal_table(60, 12), atol=1e-5)
    heads, start = torch.randn(2, 3, 7, 10), 5
    rotate = library.RotaryPositions(20, 10).for_attention(7, start).rotate
    np.testing.assert_allclose(reference_positions.rotary(heads.numpy(), start), rotate(heads), atol=1e-5)
    bias = library.ClippedRelativePositions(2, max_distance=3)
    bias.table.data.normal_()
    expected = bias.for_attention(6, start).bias.detach()
    given = reference_positions.relative_bias(bias.table.detach().numpy(), 6, start)
    np.testing.assert_allclose(given, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_far_along_a_text_the_solution_turns_short_numbers_as_exactly_as_they_are(dtype):
    exec(solutions()["rotate"], space := {})
    heads = torch.randn(600, 16, generator=torch.Generator().manual_seed(0)).to(dtype)
    right = torch.from_numpy(reference_positions.rotary(heads.double().numpy()))
    gap = space["rotate"](heads).double() - right
    assert (gap.norm(dim=-1) / right.norm(dim=-1)).max() < torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_sixteen_bits_are_enough_for_the_heads_and_too_few_for_the_angles(dtype):
    for seed in range(30):
        heads, start = drive.rotation_cases(drive.make_heads(seed))["float16"].values()
        right, given = reference_positions.rotary(heads, start), torch.from_numpy(heads).to(dtype)
        rotate = library.RotaryPositions(start + len(heads), heads.shape[1]).for_attention(len(heads), start).rotate
        turned = rotate(given[None, None])[0, 0]
        assert close(turned.float().numpy(), right, judge.SIXTEEN_BITS)
        rounded = torch.from_numpy(reference_positions.angles_at(heads, start)).to(dtype).double().numpy()
        assert not close(reference_positions.turn(heads, rounded), right, judge.SIXTEEN_BITS)


def test_the_gradients_are_pytorchs():
    heads, cotangent = torch.randn(7, 10, requires_grad=True), torch.randn(7, 10)
    (library.RotaryPositions(20, 10).for_attention(7, 5).rotate(heads[None, None])[0, 0] * cotangent).sum().backward()
    np.testing.assert_allclose(reference_positions.rotary_gradient(cotangent.numpy(), 5), heads.grad, atol=1e-5)
    bias, cotangent = library.ClippedRelativePositions(2, max_distance=3), torch.randn(2, 6, 11)
    (bias.for_attention(6, 5).bias * cotangent).sum().backward()
    given = reference_positions.relative_gradient(cotangent.numpy(), bias.table.detach().numpy(), 6, 5)
    np.testing.assert_allclose(given, bias.table.grad, atol=1e-5)
