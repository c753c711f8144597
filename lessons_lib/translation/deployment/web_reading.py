"""What `web.web_model` wrote, back as a model of PyTorch: to say what the browser will say, and to check it."""

import json
import struct

import torch
from torch import Tensor

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.deployment.web import MAGIC, VERSION

START = len(MAGIC) + 8


def read_web_model(data: bytes) -> tuple[Transformer, Tokenizer]:
    """The model in single precision, its matrices as their 8 bits say, in evaluation mode; and its tokenizer.

    Raises:
        ValueError: the file is of another kind or version, or is cut off.
    """
    header, numbers = read_web_file(data)
    model = Transformer(TransformerConfig.from_dict(header["config"]))
    model.load_state_dict({name: _dequantised(entry, numbers) for name, entry in header["tensors"].items()})
    pieces, merges = header["pieces"], header["merges"]
    pairs = [(pieces[first], pieces[second]) for first, second in zip(merges[::2], merges[1::2], strict=True)]
    return model.eval(), Tokenizer({piece: i for i, piece in enumerate(pieces)}, pairs)


def read_web_file(data: bytes) -> tuple[dict, bytearray]:
    """The header, and the data.

    Raises:
        ValueError: the file is of another kind or version, or is cut off.
    """
    if data[: len(MAGIC)] != MAGIC or len(data) < START:
        raise UserError("this is not a file that `lessons export-web` wrote; export the model again")
    version, length = struct.unpack_from("<II", data, len(MAGIC))
    if version != VERSION:
        raise UserError(f"the file is of version {version}, but this is for version {VERSION}; export the model again")
    try:
        header = json.loads(data[START : START + length])
        missing = header["bytes"] - (len(data) - START - length)
    except (ValueError, KeyError):
        missing = 1
    if missing:
        raise UserError("the file is cut off or damaged; export the model again")
    return header, bytearray(data[START + length :])


def _dequantised(entry: dict, data: bytearray) -> Tensor:
    shape = entry["shape"]
    if "whole" not in entry:
        return _numbers(data, torch.float32, entry["floats"], shape)
    scales = _numbers(data, torch.float32, entry["floats"], [shape[0], 1])
    return scales * _numbers(data, torch.int8, entry["whole"], shape)


def _numbers(data: bytearray, dtype: torch.dtype, offset: int, shape: list[int]) -> Tensor:
    count = torch.Size(shape).numel()
    return torch.frombuffer(data, dtype=dtype, count=count, offset=offset).view(shape)
