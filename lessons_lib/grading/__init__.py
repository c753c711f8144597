"""Graded exercises: `check("q1")` in a notebook, and the parts that a batch grader reuses.

A question is three functions. `make(seed)` gives the inputs, `drive(answer, inputs)` calls the learner's code and gives
arrays, and the judge's steps compare those arrays with a reference and with named wrong versions of it. What belongs
to one exercise lies in one folder, `lesson_NN/`: `drive.py`, `judge.py`, `mistakes.py`; what all share, in `drive/` and
`judge/`. What drives runs beside the learner's code, so it imports nothing that judges; what passes between the two are
`.npy` bytes (`arrays.py`).
"""

__all__ = ["check"]


def __getattr__(name):
    if name == "check":  # loaded when asked for: importing `grading.drive` must not load the judge
        from lessons_lib.grading.notebook import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
