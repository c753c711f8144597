"""The results for GitHub Classroom: its points are the sum of its tests' scores."""

from a_class import a_class

from lessons_lib.grading.marks.github_classroom import results


def test_scores_add_up_to_the_learners_points_and_hints_are_messages():
    for learner in a_class():
        told = results(learner)
        assert sum(test["score"] for test in told["tests"]) == learner.points
        assert told["max_score"] == learner.total
        assert (told["status"] == "pass") == (learner.points == learner.total)
        assert all((test["status"] == "pass") == (test["score"] > 0) for test in told["tests"])
        hints = [one.hint for exercise in learner.exercises for one in exercise.results if one.hint]
        assert [test["message"] for test in told["tests"] if test["message"]] == hints
