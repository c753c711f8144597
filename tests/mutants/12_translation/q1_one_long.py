"""One token too many.

q1: 0 of 3: was asked for more than max_length tokens
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) <= max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        tokens.append(best)
        total += logs[best].item()
        if best == eos_id:
            break
    return tokens, total
