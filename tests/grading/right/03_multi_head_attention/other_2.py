"""Another form, of which some wrong answers are edits.

q1: 3 of 3
q2: 4 of 4
q3: 3 of 3
"""

def split_heads(x, n_heads):
    B, T, D = x.shape
    return x.reshape(B, T, n_heads, -1).transpose(1, 2).contiguous()
def merge_heads(heads):
    B, H, T, d = heads.shape
    return heads.permute(0, 2, 1, 3).contiguous().view(B, T, H * d)
