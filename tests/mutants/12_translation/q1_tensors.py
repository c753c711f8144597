"""Tokens that are tensors.

q1: 0 of 3: `tokens` is not a list of token ids
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities([int(token) for token in tokens])
        best = logs.argmax()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
