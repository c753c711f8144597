"""One file that the page "Live translator" runs in a browser: weights in 8 bits, tokenizer, and words seen in training.

The file, numbers little-endian: ``MAGIC``, the version and the length of the header (4 bytes each), the header as JSON,
the data. A matrix is stored as a scale for each of its rows (single precision) and then a whole number from −127 to 127
for each weight: weight = scale · number, and the error of a weight is at most half its row's scale. Vectors (biases,
norms) stay in single precision. Offsets count bytes from the beginning of the data.

Written with Python's own library only: `tools.build_book` calls it where no PyTorch is.
"""

import json
import re
import struct
import sys
from array import array
from collections.abc import Iterable
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.translation.deployment.safetensors_plain import PlainTensor, read_safetensors
from lessons_lib.translation.deployment.support import refuse_unknown

MAGIC, VERSION = b"lessons\0", 1
LEVELS = 127  # of a sign
# What the page computes (engine/numbers.js and positions.js have the same names).
CHOICES = {
    "norm": ("pre", "post"),
    "norm_type": ("layer", "rms"),
    "activation": ("relu", "gelu", "gelu_tanh", "silu", "swiglu", "geglu"),
    "positions": ("sinusoidal", "sinusoidal_halves", "learned", "rope", "alibi", "relative", "t5", "none"),
}
WORDS = "words.json"  # beside a model: what `seen_words` says of its training text
_UNITS = re.compile(r"[^\W_]+|[^\w\s]|_")  # runs of letters and digits, and every other sign alone


def seen_words(texts: Iterable[str]) -> list[str]:
    """What the texts are made of, as they write it: runs of letters and digits, and other signs one by one; sorted."""
    return sorted({unit for text in texts for unit in _UNITS.findall(text)})


def stored_words(folder: Path) -> list[str] | None:
    """The ``words.json`` of a model's folder; None if it has none."""
    path = Path(folder) / WORDS
    return json.loads(path.read_text("utf-8-sig")) if path.is_file() else None


def web_model(folder: Path, words: list[str] | None = None, name: str = "") -> bytes:
    """The file, of a folder that `lessons train` wrote.

    Args:
        words: `seen_words` of the training's source text; without it, `stored_words`. A page names the words of a
            sentence that are not among them.
        name: what the page calls the model; the folder's name, if none is given.
    Raises:
        ValueError: the folder is not a model, or the model has no encoder, no decoder, or what the page does not know.
    """
    folder = Path(folder)
    try:
        config, tokenizer = (
            json.loads((folder / f"{part}.json").read_text("utf-8-sig")) for part in ("config", "tokenizer")
        )
        tensors = read_safetensors(folder / "model.safetensors")
        vocabulary, merges = tokenizer["model"]["vocab"], tokenizer["model"]["merges"]
        layers = {side: config[f"n_{side}_layers"] for side in ("encoder", "decoder")}
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{folder} is not a model ({reason}); give the --out of a `lessons train`") from None
    for side, count in layers.items():
        if not count:
            raise UserError(f"n_{side}_layers=0: the page runs an encoder and a decoder; give a translator")
    refuse_unknown(config, "for the page", **CHOICES)
    if words is None:
        words = stored_words(folder)
    table, data = _packed(tensors)
    header = {
        "name": name or folder.resolve().name,
        "config": config,
        "pieces": sorted(vocabulary, key=vocabulary.get),
        "merges": [vocabulary[piece] for merge in merges for piece in merge],
        "words": words,
        "parameters": sum(len(tensor.values) for tensor in tensors.values()),
        "bytes": len(data),
        "tensors": table,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)  # the data begins at a multiple of 4, where a browser can read floats in place
    return MAGIC + struct.pack("<II", VERSION, len(text)) + text + data


def quantise(row: array) -> tuple[float, array]:
    """A scale and whole numbers: scale · number is the nearest that 8 bits can say of each weight of the row."""
    scale = _single(max(map(abs, row)) / LEVELS)
    if scale == 0:
        return 0.0, array("b", bytes(len(row)))
    return scale, array("b", [max(-LEVELS, min(LEVELS, round(weight / scale))) for weight in row])


def _packed(tensors: dict[str, PlainTensor]) -> tuple[dict[str, dict], bytes]:
    """The header's table of tensors, and the data: all that is in single precision first, then the whole numbers."""
    table, floats, whole = {}, array("f"), array("b")
    for name, (shape, values) in tensors.items():
        entry = table[name] = {"shape": shape, "floats": floats.itemsize * len(floats)}
        if len(shape) != 2:
            floats.extend(values)
            continue
        entry["whole"] = len(whole)
        width = shape[1]
        for start in range(0, len(values), width):
            scale, numbers = quantise(values[start : start + width])
            floats.append(scale)
            whole.extend(numbers)
    for entry in table.values():
        if "whole" in entry:
            entry["whole"] += floats.itemsize * len(floats)
    if sys.byteorder == "big":
        floats.byteswap()
    return table, floats.tobytes() + whole.tobytes()


def _single(number: float) -> float:
    """The nearest number of single precision."""
    return struct.unpack("f", struct.pack("f", number))[0]
