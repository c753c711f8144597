"""The function sees the last token only.

q1: 0 of 3: Only the last token is given to next_log_probabilities
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens[-1:])
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
