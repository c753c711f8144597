"""The end is a word like any other.

q1: 0 of 3: was asked what follows an end
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
    return tokens, total
