"""All tokens from one answer.

q1: 0 of 3: All tokens are chosen from what follows the start
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    logs = next_log_probabilities([])
    while len(tokens) < max_length:
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
