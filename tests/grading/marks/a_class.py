"""Small invented classes, as grading gives them."""

from lessons_lib.grading.batch.results import Exercise, Learner
from lessons_lib.grading.report import Result

ABSENT = "not handed in"


def result(question: str, points: int | None, total: int = 3, hint: str = "scores of the wrong shape") -> Result:
    """A question of two steps; points None: there is no answer."""
    first = ("it runs", 0, points is not None)
    if points is None:
        return Result(question, f"title of {question}", (first, ("it is right", total, None)), ABSENT)
    steps = (first, ("the half of it", points, True), ("all of it", total - points, points == total))
    return Result(question, f"title of {question}", steps, None if points == total else hint)


def exercise(lesson: str, *points: int | None, total: int = 3, hint: str = "scores of the wrong shape", **more):
    """Its questions q1, q2, … with these points; without any, it was not handed in."""
    results = tuple(result(f"q{i}", n, total, hint) for i, n in enumerate(points, 1))
    there = any(n is not None for n in points)
    return Exercise(lesson, f"ana/{lesson}.ipynb" if there else "", results, **more)


def learner(key: str, *exercises: Exercise, **more) -> Learner:
    return Learner(
        key, exercises or (exercise("01_self_attention", 3, 1), exercise("02_query_key_value", 2, 0)), **more
    )


def a_class() -> list[Learner]:
    """Four: all points, some, one exercise missing, nothing."""
    return [
        learner(
            "ana",
            exercise("01_self_attention", 3, 3),
            exercise("02_query_key_value", 3, 3),
            name="Ana García",
            email="ana@uni.example",
            number="4001",
        ),
        learner("ben", name="Ben", email="ben@uni.example", number="4002"),
        learner(
            "cem",
            exercise("01_self_attention", 1, None),
            exercise("02_query_key_value", None, None),
            email="cem@uni.example",
        ),
        learner("dot", exercise("01_self_attention", None, None), exercise("02_query_key_value", None, None)),
    ]


# What a learner's name, a cell of a hand-in or a file can hold.
MARKUP = """</title><script>alert("x")</script><img src=x onerror='alert(1)'>&amp;{{7*7}}"""
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("http://x","y")')
