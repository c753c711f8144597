"""A loop that forgets to grow.

q1: 0 of 3: is there a loop that never ends?
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens = tokens or []
        total += logs[best].item()
    return tokens, total
