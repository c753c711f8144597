"""Formulas with wrong choices: one is named before two, and what cannot be told apart is said so."""

import numpy as np

from lessons_lib.grading.judge.variations import deviations, name_variation

X = np.arange(1.0, 5.0)
AXES = {
    "factor": [("Twice.", 2.0), ("Four times.", 4.0)],
    "more": [("One more.", 1.0), ("One more, again.", 1.0)],
    "power": [("A square.", 2), ("A cube.", 3)],
}


def line(x, *, factor=1.0, more=0.0, power=1):
    return factor * x**power + more


def named(**choices):
    return name_variation(line(X, **choices), line, AXES, X)


def test_one_wrong_choice_is_named_and_two_are_where_one_is_not_enough():
    assert named(factor=2.0) == "Twice."
    assert named(factor=4.0, power=3) == "Four times. A cube."
    assert named(factor=3.0) is None
    assert name_variation(X + np.array([0, 0, 0, 1.0]), line, AXES, X) is None


def test_of_choices_that_give_the_same_only_what_they_share_is_said():
    assert named(more=1.0) == "Either: One more. Or: One more, again."
    assert named(more=1.0, factor=2.0) == "Twice."
    three = {"more": [*AXES["more"], ("And again.", 1.0)]}
    assert name_variation(X + 1, line, three, X) is None


def test_a_choice_that_these_shapes_do_not_allow_is_passed_over():
    axes = {"factor": [("Of another size.", np.ones(3)), ("Twice.", 2.0)]}
    assert name_variation(2 * X, line, axes, X) == "Twice."


def test_deviations_are_of_different_choices():
    assert [said for said, _ in deviations(AXES, 1)] == [(said,) for axis in AXES.values() for said, _ in axis]
    assert len(list(deviations(AXES, 2))) == 12
    assert all(len(choices) == 2 for _, choices in deviations(AXES, 2))
