"""The end is left out.

q1: 0 of 3: eos_id is missing from the tokens: it is the last token
"""


def greedy(next_log_probabilities, eos_id, max_length):
    tokens, total = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)
        best = logs.argmax().item()
        total += logs[best].item()
        if best == eos_id:
            break
        tokens.append(best)
    return tokens, total
