"""Another form, of which some wrong answers are edits.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    memory = memory_gib * 1024 ** 3
    used = n_parameters * weight_bytes
    if training:
        used += n_parameters * weight_bytes
        used += n_parameters * 4 * 2
        if weight_bytes < 4:
            used += n_parameters * 4
    left = memory - used
    if left < 0:
        return 0
    return left // bytes_a_sequence
