"""A token is drawn.

q1: 0 of 3: The same call gives another answer each time
"""

import random


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = random.choices(range(len(logs)), logs.exp().tolist())[0]
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
