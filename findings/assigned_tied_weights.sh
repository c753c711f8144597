#!/bin/sh
# Are tied weights still one parameter after `load_state_dict(..., assign=True)`?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.3.5
cat > "$folder/check.py" <<'END'
import torch
from torch import nn


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.output = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.output.weight = self.embedding.weight


print("torch", torch.__version__)
found = {}
for assign in (False, True):
    model = Tied()
    model.load_state_dict(Tied().state_dict(), assign=assign)
    one_memory = model.output.weight.data_ptr() == model.embedding.weight.data_ptr()
    found[assign] = len(list(model.parameters())), model.output.weight is model.embedding.weight, one_memory
    print(f"assign={assign}: {found[assign][0]} parameters, the same object: {found[assign][1]}, one memory: {one_memory}")
assert found == {False: (1, True, True), True: (2, False, True)}, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py"
