"""Rows of choices in which every pair of them occurs."""

import random
from itertools import combinations, product


def covering_array(choices: dict[str, list], seed: int = 0) -> list[dict]:
    """Every value of every name meets every value of every other in some row: far fewer rows than the full product."""
    rng = random.Random(seed)
    missing = {
        frozenset({(a, x), (b, y)}) for a, b in combinations(choices, 2) for x, y in product(choices[a], choices[b])
    }
    rows = []
    while missing:
        row = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        for name in sorted(choices, key=lambda _: rng.random()):
            if name not in row:
                row[name] = best(choices[name], name, row, missing)
        missing -= pairs_of(row)
        rows.append(row)
    return rows


def best(values: list, name: str, row: dict, missing: set[frozenset]):
    """The value with which the row has most of the pairs that are missing."""
    return max(values, key=lambda value: len(missing & pairs_of({**row, name: value})))


def pairs_of(row: dict) -> set[frozenset]:
    return {frozenset(pair) for pair in combinations(row.items(), 2)}
