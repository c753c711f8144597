"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

import math
import torch


def greedy(next_log_probabilities, eos_id, max_length):
    tokens = []
    total = 0.0
    for _ in range(max_length):
        lp = next_log_probabilities(tokens)
        t = int(torch.argmax(lp))
        total += float(lp[t])
        tokens.append(t)
        if t == eos_id:
            break
    return tokens, total
