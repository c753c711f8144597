"""One learner's results in the form that GitHub Classroom's reporter reads.

https://github.com/classroom-resources/autograding-grading-reporter, `src/notify-classroom.js`: the points are the sum
of the tests' scores, of `max_score`. The table in its log counts passed tests instead; the points are not taken there.
"""

import json
from typing import Any

from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks.questions import title


def results(learner: Learner) -> dict[str, Any]:
    """One test for each step that is worth points; of a question's first failed one, the hint as its message."""
    tests = []
    for exercise in learner.exercises:
        for one in exercise.results:
            told = False
            for step, points, passed in one.steps:
                name = f"{title(exercise.lesson)}, {one.question}: {step}"
                if points:
                    test = {"name": name, "status": "pass" if passed else "fail", "score": points if passed else 0}
                    tests.append(test | {"message": "" if passed or told else one.hint or "", "line_no": 0})
                    told = told or not passed
    whole = learner.points == learner.total
    return {"version": 1, "status": "pass" if whole else "fail", "max_score": learner.total, "tests": tests}


def results_json(learner: Learner) -> str:
    """`results` as text."""
    return json.dumps(results(learner), ensure_ascii=False, indent=1) + "\n"
