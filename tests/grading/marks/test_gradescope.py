"""results.json, as Gradescope documents it."""

import json
from dataclasses import dataclass

import pytest
from a_class import ABSENT, MARKUP, a_class, exercise, learner

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.gradescope import results, results_json
from lessons_lib.grading.report import Result

# https://gradescope-autograders.readthedocs.io/en/latest/specs/
TOP = {"score", "execution_time", "output", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"}
TEST = {"score", "max_score", "name", "number", "output", "tags", "visibility", "extra_data"}


@pytest.mark.parametrize("one", a_class(), ids=lambda one: one.key)
def test_points_add_up_and_every_key_is_known(one):
    found = json.loads(results_json(one))
    assert found["score"] == one.points == sum(test["score"] for test in found["tests"])
    assert sum(test["max_score"] for test in found["tests"]) == one.total == 12
    assert len(found["tests"]) == 4
    assert set(found) <= TOP
    for test in found["tests"]:
        assert {"score", "max_score", "name", "output", "visibility"} <= set(test) <= TEST
        assert test["visibility"] == "visible"
        assert type(test["score"]) is type(test["max_score"]) is int


def test_a_test_says_its_question_and_its_hint():
    _, second, *_ = results(learner("ana"))["tests"]
    assert second["name"] == "Exercise 1: build attention: q2, title of q2"
    assert (second["score"], second["max_score"]) == (1, 3)
    assert "✗ all of it (2 points)" in second["output"]
    assert "→ scores of the wrong shape" in second["output"]


def test_what_was_not_handed_in_is_said():
    assert all(ABSENT in test["output"] for test in results(a_class()[3])["tests"])


def test_any_text_gives_json():
    one = learner("ana", exercise("01_self_attention", 1, hint=MARKUP + '\\ " \n \udce9 é'))
    assert MARKUP in json.loads(results_json(one))["tests"][0]["output"]


def test_points_that_do_not_add_up_are_refused():
    @dataclass(frozen=True)
    class Forged(Learner):
        @property
        def points(self) -> int:
            return 99

    with pytest.raises(ValueError, match="have not 99 points together"):
        results(Forged("ana", learner("ana").exercises))
    steps = (("a", -1, True), ("b", 2, False))
    strange = exercise("01_x", 3)
    strange = type(strange)(strange.lesson, strange.file, (Result("q1", "t", steps, "h"),))
    with pytest.raises(ValueError, match="-1 of 1 points; grade it again"):
        results(learner("ana", strange))
