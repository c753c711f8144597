"""The first sentence only.

q2: 2 of 3: Only the first sentence is counted
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    a, s, p = found[0], sure[0], possible[0]
    return 1 - (len(a & s) + len(a & p)) / (len(a) + len(s))
