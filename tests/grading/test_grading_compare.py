"""What a hint says of an array that is wrong: the place, and how it is related to the right one."""

import numpy as np
import pytest

from lessons_lib.grading.judge.compare import difference

RIGHT = np.random.default_rng(0).normal(size=(3, 4, 5))


def changed(*places):
    given = RIGHT.copy()
    given[places] += 1
    return given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (2 * RIGHT, "all of it is 2 times what is due"),
        (-RIGHT, "all of it is -1 times what is due"),
        (RIGHT + 0.5, "all of it is 0.5 too large"),
        (RIGHT - 0.5, "all of it is 0.5 too small"),
        (RIGHT**2, "all of it is the square of what is due"),
        (np.exp(RIGHT), "all of it is e to the power of what is due"),
        (1 - RIGHT, "all of it is 1 minus what is due"),
        (np.abs(RIGHT), "all of it is what is due without its sign"),
        (RIGHT[:, ::-1], "the right numbers, but turned round along axis 1"),
        (np.roll(RIGHT, 1, axis=2), "the right numbers, but moved by +1 along axis 2"),
        (changed(slice(None), 3), "on axis 1 only place 3 is wrong"),
        (changed(slice(None), slice(None), slice(1, 3)), "on axis 2 only places 1 to 2 are wrong"),
    ],
)
def test_a_difference_says_how_the_arrays_are_related(given, said):
    phrase, _, related = difference("output", given, RIGHT).partition("; ")
    assert phrase.startswith("output[")
    assert related == said


def test_exchanged_axes_are_told_where_the_shape_allows_it():
    square = RIGHT[:, :3]
    assert difference("a", square.swapaxes(0, 1), square).endswith("with axes 0 and 1 exchanged")


@pytest.mark.parametrize("right", [RIGHT, np.full((3, 4), 0.25), np.ones(1), np.zeros((2, 2))])
@pytest.mark.parametrize("seed", range(1, 6))
def test_no_relation_is_told_where_there_is_none(right, seed):
    given = right + np.random.default_rng(seed).normal(size=right.shape)
    assert ";" not in difference("output", given, right)


def test_nan_is_the_largest_difference():
    given = RIGHT.copy()
    given[1, 2, 3] = np.nan
    assert difference("output", given, RIGHT).startswith("output[1, 2, 3] is nan and should be")


def test_two_numbers_that_look_alike_are_written_with_more_digits():
    given, right = np.array([1.0, 3.7331]), np.array([1.0, 3.7334])
    assert difference("output", given, right).startswith("output[1] is 3.7331 and should be 3.7334")
    assert difference("output", right, right).startswith("output[0] is 1 and should be 1")
