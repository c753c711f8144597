"""By what else than √d_head the scores of attention get divided: what exercises 1 to 3 have in common."""

from collections.abc import Callable

import numpy as np

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
