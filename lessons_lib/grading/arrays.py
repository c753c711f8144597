"""What crosses between the learner's code and the judge: named arrays as `.npy` bytes, never pickles.

The side that reads trusts nothing: names, number, total size, dtype and the header's own claim about its length are all
checked before an array is made.
"""

import io
import math
import re

import numpy as np

MAX_BYTES = 16 * 2**20  # of all arrays of one crossing together
MAX_ARRAYS = 200
MAX_TEXT = 400  # characters
MAX_HEADER = 256
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?")
KINDS = "biuf"  # booleans, integers, floats


def encode(arrays: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Each array as the bytes of a `.npy` file, version 1.0.

    Raises:
        ValueError: a name, a dtype or a size that `decode` would refuse.
    """
    blobs = {}
    _check_size(sum(array.nbytes for array in arrays.values()), len(arrays))
    for name, array in arrays.items():
        _check_name_and_dtype(name, array.dtype)
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
        blobs[name] = stream.getvalue()
    return blobs


def decode(blobs: dict[str, bytes]) -> dict[str, np.ndarray]:
    """The arrays of `encode`, read-only.

    Raises:
        ValueError: anything but well-formed `.npy` files of numbers within the limits.
    """
    _check_size(sum(len(blob) - MAX_HEADER for blob in blobs.values()), len(blobs))
    return {name: _decode_one(name, blob) for name, blob in blobs.items()}


def text_array(text: str) -> np.ndarray:
    """A sentence as bytes, so that it can cross like every other array."""
    return np.frombuffer(text[:MAX_TEXT].encode("utf8", "replace"), np.uint8)


def read_text(array: np.ndarray) -> str:
    """The sentence of `text_array`: one printable line of bounded length, whatever the bytes were."""
    text = array.tobytes().decode("utf8", "replace")
    return "".join(char if char.isprintable() else " " for char in text[:MAX_TEXT])


def _decode_one(name: str, blob: bytes) -> np.ndarray:
    stream = io.BytesIO(blob)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=MAX_HEADER)
    except Exception as error:  # the header is the sender's text: its parser may fail in many ways
        raise ValueError(f"array {name[:40]!r} is not a .npy file of version 1.0 ({error})") from None
    _check_name_and_dtype(name, dtype)
    held = len(blob) - stream.tell()
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"array {name!r} says shape {shape} and {dtype}, but holds {held} bytes")
    if any(size > MAX_BYTES for size in shape):  # beside a 0; what is summed along that would be as long
        raise ValueError(f"array {name!r} says shape {shape}: too long, and empty")
    return np.ndarray(shape, dtype, buffer=blob, offset=stream.tell(), order="F" if fortran else "C")


def _check_name_and_dtype(name: str, dtype: np.dtype) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"array name {name[:60]!r} is not of the form case.name")
    if dtype.kind not in KINDS:
        raise ValueError(f"array {name!r} has dtype {dtype}; only booleans, integers and floats cross")


def _check_size(n_bytes: int, n_arrays: int) -> None:
    if n_bytes > MAX_BYTES:
        raise ValueError(f"{n_bytes / 2**20:,.0f} MiB of results; at most {MAX_BYTES // 2**20} MiB are read")
    if n_arrays > MAX_ARRAYS:
        raise ValueError(f"{n_arrays} arrays of results; at most {MAX_ARRAYS} are read")
