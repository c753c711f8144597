"""The mean of the sentences' rates.

q2: 2 of 3: This is the mean of the sentences' rates
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def rate(found, sure, possible):
    right = sum(len(a & s) + len(a & p) for a, s, p in zip(found, sure, possible, strict=True))
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))


def alignment_error_rate(found, sure, possible):
    rates = [rate([a], [s], [p]) for a, s, p in zip(found, sure, possible, strict=True)]
    return sum(rates) / len(rates)
