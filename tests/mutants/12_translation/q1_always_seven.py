"""A limit of its own.

q1: 2 of 3: Right up to 7 tokens, but not with max_length=3
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < 7:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
