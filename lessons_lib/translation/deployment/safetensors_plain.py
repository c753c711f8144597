"""Safetensors without any library: the website is built where neither PyTorch nor NumPy is installed.

The format: the length of a JSON header in 8 bytes, the header, the numbers (https://huggingface.co/docs/safetensors).
"""

import json
import struct
from array import array
from math import prod
from pathlib import Path
from typing import NamedTuple

from lessons_lib.errors import UserError

SIZES = {"F32": 4, "F16": 2, "BF16": 2}  # bytes of a number


class PlainTensor(NamedTuple):
    """The numbers of a tensor, row by row."""

    shape: list[int]
    values: array  # of single-precision floats


def read_safetensors(path: Path) -> dict[str, PlainTensor]:
    """Every tensor of the file, in single precision, in the order of their names.

    Raises:
        ValueError: the file is no safetensors, is cut off, or holds numbers of another kind than `SIZES`.
    """
    raw = Path(path).read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        header.pop("__metadata__", None)
        data = memoryview(raw)[8 + length :]
        return {name: _tensor(header[name], data) for name in sorted(header)}
    except KeyError as error:
        raise UserError(f"{path} holds numbers of the kind {error}; save it in one of {', '.join(SIZES)}") from None
    except (struct.error, ValueError, TypeError, AttributeError):
        raise UserError(f"{path} is not a safetensors file, or is cut off; train again") from None


def _tensor(entry: dict, data: memoryview) -> PlainTensor:
    kind, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    raw, count = bytes(data[start:end]), prod(shape)
    if len(raw) != count * SIZES[kind]:
        raise UserError("another number of bytes than the shape says")
    if kind == "BF16":  # the upper half of a single-precision number
        raw = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
    return PlainTensor(shape, array("f", struct.unpack(f"<{count}{'e' if kind == 'F16' else 'f'}", raw)))
