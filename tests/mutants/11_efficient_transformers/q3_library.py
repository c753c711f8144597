"""One block at a time, with another's attention.

q3: 0 of 3: the answer calls lessons_lib.attention
"""

from lessons_lib.attention import scaled_dot_product_attention


def attention_over_blocks(query, blocks):
    return sum(scaled_dot_product_attention(query, keys, values)[0] for keys, values in blocks)
