"""An error where nothing fits.

q3: 2 of 3: AssertionError on line
"""


def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    a_parameter = weight_bytes
    if training:
        a_parameter += weight_bytes
        a_parameter += 4 + 4
        if weight_bytes < 4:
            a_parameter += 4
    free = memory_gib * 2**30 - a_parameter * n_parameters
    assert free > 0
    return max(0, free // bytes_a_sequence)
