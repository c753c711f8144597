"""All sentences in one set.

q2: 2 of 3: The sets of all sentences are put into one
"""


def links(weights):
    return {(int(row.argmax()), t) for t, row in enumerate(weights.mean(axis=0)[:-1, :-1])}


def alignment_error_rate(found, sure, possible):
    a, s, p = (set().union(*sets) for sets in (found, sure, possible))
    return 1 - (len(a & s) + len(a & p)) / (len(a) + len(s))
