"""What exercises 1 to 3 have in common: other divisors of the scores than √d_head, and other shares than a softmax."""

from collections.abc import Callable

import numpy as np

from lessons_lib.grading.judge.reference import softmax

# The sentence, and the divisor for a head that is k wide.
ODD_SCALES: list[tuple[str, Callable[[int], float]]] = [
    ("√d_head is cut to a whole number; leave the root as it is, without int or //.", lambda k: np.floor(np.sqrt(k))),
    (
        "`d_head ** 1/2` is (d_head ** 1) / 2, for ** comes before /: write d_head ** 0.5, or math.sqrt(d_head).",
        lambda k: k / 2,
    ),
    (
        "`… / d_head ** 1/2` divides by d_head, and then by 2: write d_head ** 0.5, or math.sqrt(d_head).",
        lambda k: 2 * k,
    ),
    ("The scores are multiplied by √d_head, the width of a query; divide by it.", lambda k: 1 / np.sqrt(k)),
    *(
        (f"The scores are divided by a fixed number, {name}; d_head is the last size of the query.", lambda k, c=c: c)
        for name, c in (("8", 8.0), ("√8", np.sqrt(8)), ("64", 64.0))
    ),
]

# The sentence, and what is made of the scaled scores in place of a softmax over the last axis.
ODD_SHARES: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
    (
        "Each score goes through a sigmoid by itself; a softmax shares 1 among the keys.",
        lambda s: 1 / (1 + np.exp(-s)),
    ),
    ("e to the power of the scores is not divided by the sum of its row; a softmax does both.", np.exp),
    (
        "The scores are divided by their sum as they are; a softmax takes e to their power first.",
        lambda s: s / s.sum(axis=-1, keepdims=True),
    ),
    (
        "Each row is divided by its largest weight; divide e to the power of the scores by the sum of the row.",
        lambda s: (e := np.exp(s)) / e.max(axis=-1, keepdims=True),
    ),
    (
        "The powers of the scores have the base 2; a softmax takes e.",
        lambda s: softmax(s * np.log(2)),
    ),
    (
        "The scores lose their sign, or are squared, before the softmax; it takes them as they are.",
        lambda s: softmax(np.abs(s)),
    ),
    (
        "The scores lose their sign, or are squared, before the softmax; it takes them as they are.",
        lambda s: softmax(s**2),
    ),
    (
        "Negative scores become 0 (a ReLU) before the softmax; it takes them as they are.",
        lambda s: softmax(np.maximum(s, 0)),
    ),
]
