#!/bin/sh
# A model in two pieces, and in each a tensor of the same name: does the index say which of the two is read?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q transformers==5.23.0 torch==2.13.0 safetensors==0.8.0
cat > "$folder/check.py" <<'END'
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2Model

NAME = "wte.weight"
folder = pathlib.Path(sys.argv[1]) / "model"
model = GPT2Model(GPT2Config(vocab_size=8, n_positions=4, n_embd=4, n_layer=1, n_head=1))
model.save_pretrained(folder)
tensors = load_file(folder / "model.safetensors")
(folder / "model.safetensors").unlink()


def read(listed: int, stale: int) -> str:
    """Which one is loaded where the index lists the piece `listed`, and the piece `stale` holds another of that name."""
    pieces = {1: {}, 2: {}}
    for i, (name, tensor) in enumerate(sorted(tensors.items())):
        pieces[1 + i % 2][name] = tensor
    for piece in pieces.values():
        piece.pop(NAME, None)
    where = {name: number for number, piece in pieces.items() for name in piece} | {NAME: listed}
    pieces[listed][NAME] = torch.ones(8, 4)
    pieces[stale][NAME] = torch.zeros(8, 4)
    for number, piece in pieces.items():
        save_file(piece, folder / f"model-0000{number}-of-00002.safetensors", {"format": "pt"})
    index = {"metadata": {}, "weight_map": {n: f"model-0000{p}-of-00002.safetensors" for n, p in where.items()}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    loaded = GPT2Model.from_pretrained(folder).get_input_embeddings().weight
    return "the one of the piece that the index names" if (loaded == 1).all() else "the other one"


print("transformers", transformers.__version__)
found = {f"the index names piece {listed}": read(listed, 3 - listed) for listed in (1, 2)}
for case, which in found.items():
    print(f"{case}, the other piece holds an old tensor of that name: {which} is loaded")
assert len(set(found.values())) == 2, "it behaves otherwise now"
END
"$folder/venv/bin/python" "$folder/check.py" "$folder" 2>/dev/null
