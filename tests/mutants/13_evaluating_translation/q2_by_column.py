"""A link for each English word.

q2: 0 of 3: Each English word is linked to a French one
"""


def links(weights):
    return {(s, int(row.argmax())) for s, row in enumerate(weights.mean(axis=0)[:-1, :-1].T)}


def alignment_error_rate(found, sure, possible):
    right = sum(len(a & s) + len(a & p) for a, s, p in zip(found, sure, possible, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))
