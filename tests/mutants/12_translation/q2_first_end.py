"""The first end is the result.

q2: 0 of 4: The search stops at the first translation that ends
"""


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    def score(tokens, total):
        return total / ((5 + len(tokens)) / 6) ** length_penalty

    beams, finished = [([], 0.0)], []
    for length in range(1, max_length + 1):
        candidates = []
        for tokens, total in beams:
            logs = next_log_probabilities(tokens).tolist()
            candidates += [([*tokens, token], total + log) for token, log in enumerate(logs)]
        candidates.sort(key=lambda one: -one[1])
        finished += [one for one in candidates[:beam] if one[0][-1] == eos_id or length == max_length]
        beams = [one for one in candidates if one[0][-1] != eos_id][:beam]
        if finished:
            break
    return max(finished, key=lambda one: score(*one))
