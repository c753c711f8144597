"""Row t + 1 for word t.

q2: 0 of 3: The links are read one step late
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[1:, :-1])}


def alignment_error_rate(found, sure, possible):
    right = sum(len(a & s) + len(a & p) for a, s, p in zip(found, sure, possible, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))
