#!/bin/sh
# How many FLOPs does PyTorch's counter see in attention on a CPU?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.3.5
cat > "$folder/check.py" <<'END'
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

B, H, T, D = 2, 4, 64, 32
query, key, value = torch.randn(3, B, H, T, D)
print("torch", torch.__version__)
counted = {}
for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.MATH):
    with sdpa_kernel(backend), FlopCounterMode(display=False) as counter:
        scaled_dot_product_attention(query, key, value)
    counted[backend.name] = counter.get_total_flops()
print(f"by hand: {4 * B * H * T * T * D:,}; counted: {counted}")
assert counted == {"FLASH_ATTENTION": 0, "MATH": 4 * B * H * T * T * D}, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
