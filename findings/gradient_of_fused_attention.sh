#!/bin/sh
# What gradient does fused attention on a CPU give where all scores of a row are equal, and large?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.3.5
cat > "$folder/check.py" <<'END'
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

T, d_head = 16, 16
print("torch", torch.__version__)
found = {}
for scale in (1.0, 1e4):
    torch.manual_seed(0)
    vector, value = scale * torch.randn(d_head), torch.randn(1, 1, T, d_head)
    same = vector.expand(1, 1, T, d_head)  # every query and every key, so that every weight is 1/16
    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH):
        values = value.clone().requires_grad_()
        with sdpa_kernel(backend):
            output = scaled_dot_product_attention(same.clone().requires_grad_(), same, values)
        output.sum().backward()
        torch.testing.assert_close(output, value.mean(dim=-2, keepdim=True).expand_as(output))
        found[backend.name, scale] = round(values.grad.mean().item(), 3)
print("gradient of the sum by a value; 1 is right, for each value gets 16 weights of 1/16:", found)
assert found["MATH", 1.0] == found["MATH", 1e4] == found["FLASH_ATTENTION", 1.0] == 1, "it behaves otherwise now"
assert found["FLASH_ATTENTION", 1e4] == T, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
