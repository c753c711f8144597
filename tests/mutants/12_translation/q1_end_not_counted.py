"""The end adds nothing.

q1: 0 of 3: The log-probability of the end is missing from the sum
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        if best == eos_id:
            break
        total += logs[best].item()
    return tokens, total
