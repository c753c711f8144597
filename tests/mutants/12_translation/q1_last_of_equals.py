"""The last of equals.

q1: 2 of 3: Of equally probable tokens the last is taken
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = len(logs) - 1 - logs.flip(0).argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
