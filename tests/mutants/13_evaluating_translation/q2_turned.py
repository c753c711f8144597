"""French first.

q2: 0 of 3: The pairs are the wrong way round
"""


def links(weights):
    return {(t, int(row.argmax())) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    right = sum(len(a & s) + len(a & p) for a, s, p in zip(found, sure, possible, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))
