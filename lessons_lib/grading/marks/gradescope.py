"""One learner's results in the form that Gradescope reads.

https://gradescope-autograders.readthedocs.io/en/latest/specs/, "Output format". A score at the top overrides the sum
of the tests there, so it is given, and it is their sum.
"""

import json
from typing import Any

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.questions import title


def results(learner: Learner) -> dict[str, Any]:
    """The `results.json` of one learner: an entry a question, with its steps and its hint as plain text.

    Raises:
        ValueError: the points of the questions are not those of the learner, or not between 0 and what is possible.
    """
    tests = [
        {
            "score": one.points,
            "max_score": one.total,
            "name": f"{title(exercise.lesson)}: {one.question}, {one.title}",
            "output": one.text(),
            "visibility": "visible",
        }
        for exercise in learner.exercises
        for one in exercise.results
    ]
    for test in tests:
        if not 0 <= test["score"] <= test["max_score"]:
            raise ValueError(
                f"{learner.key!r}, {test['name']}: {test['score']} of {test['max_score']} points; grade it again"
            )
    if sum(test["score"] for test in tests) != learner.points:
        raise ValueError(f"{learner.key!r}: the questions have not {learner.points} points together; grade it again")
    return {
        "score": learner.points,
        "output": f"{learner.points} of {learner.total} points",
        "visibility": "visible",
        "tests": tests,
    }


def results_json(learner: Learner) -> str:
    """`results` as text."""
    return json.dumps(results(learner), ensure_ascii=False, indent=1) + "\n"
