"""The name holds something else.

q1: 0 of 3: is a Tensor, not a function
"""

import torch

scaled_dot_product_attention = torch.eye(3)
