"""A cost in place of a log-probability.

q1: 0 of 3: The log-probability has the wrong sign
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        total -= logs[best].item()
        if best == eos_id:
            break
    return tokens, total
