"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    s = token @ expand_weight.T + expand_bias
    values, idx = s.sort(descending=True)
    idx = idx[values > 0]
    fired = idx
    added = s[fired].unsqueeze(1) * contract_weight[:, fired].T
    output = added.sum(0) + contract_bias
    return fired, added, output
