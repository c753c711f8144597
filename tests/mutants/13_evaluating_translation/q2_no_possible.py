"""Possible links are errors.

q2: 1 of 3: The possible links are not used
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    right = 2 * sum(len(a & s) for a, s in zip(found, sure, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))
