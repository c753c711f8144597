#!/bin/sh
# How much memory does a product in bfloat16 on a CPU keep for each number of rows that is new?
set -eu
if ! grep -q avx512 /proc/cpuinfo; then
  echo "to be seen on processors with AVX-512 only: on others PyTorch multiplies bfloat16 in another way"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.3.5
cat > "$folder/check.py" <<'END'
import json
import sys
from pathlib import Path

import torch

ROWS = range(1024, 1424, 2)
weight = torch.randn(128, 128).to(getattr(torch, sys.argv[1]))
x = torch.randn(ROWS[-1], 128).to(weight.dtype)


def kilobytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e3


torch.mm(x, weight)  # the largest first
before = kilobytes()
for rows in ROWS:
    torch.mm(x[:rows], weight)
print(json.dumps(round((kilobytes() - before) / len(ROWS))))
END
python="$folder/venv/bin/python"
"$python" -c 'import torch; print("torch", torch.__version__)'
wide=$("$python" "$folder/check.py" float32)
narrow=$("$python" "$folder/check.py" bfloat16)
bounded=$(ONEDNN_PRIMITIVE_CACHE_CAPACITY=10 "$python" "$folder/check.py" bfloat16)
echo "kB kept for each new number of rows: float32 $wide, bfloat16 $narrow, where ten products are kept $bounded"
[ "$wide" -lt 60 ] && [ "$narrow" -gt 250 ] && [ "$bounded" -gt 100 ] || { echo "it behaves otherwise now"; exit 1; }
