"""Only how many found links are right.

q2: 1 of 3: This is 1 − precision
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    right = sum(len(a & p) for a, p in zip(found, possible, strict=True))
    return 1 - right / max(sum(map(len, found)), 1)
