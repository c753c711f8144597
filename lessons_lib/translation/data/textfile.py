"""Text from bytes: what is packed is unpacked, and what is no UTF-8 text is called by its name, with a way out."""

import bz2
import gzip
import io
import itertools
import lzma
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from lessons_lib.errors import UserError

# Its name, what opens it, and what tests it.
PACKED = {
    "gzip": ("gzip", gzip.open, "gzip -t"),
    "xz": ("xz", lzma.open, "xz -t"),
    "bzip2": ("bzip2", bz2.open, "bzip2 -t"),
}
BEGINNINGS = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\0": "xz"} | {b"BZh%d1AY&SY" % size: "bzip2" for size in range(1, 10)}
ENDINGS = {".gz": "gzip", ".xz": "xz", ".bz2": "bzip2"}
# How other files begin: what they are, and what makes text of them.
OTHERS = {
    b"\xff\xfe\0\0": ("UTF-32", "convert it: iconv -f UTF-32 -t UTF-8"),
    b"\0\0\xfe\xff": ("UTF-32", "convert it: iconv -f UTF-32 -t UTF-8"),
    b"\xff\xfe": ("UTF-16", "convert it: iconv -f UTF-16 -t UTF-8"),
    b"\xfe\xff": ("UTF-16", "convert it: iconv -f UTF-16 -t UTF-8"),
    b"PK\x03\x04": ("a zip archive or an office document", "unpack it (unzip), or save it as text"),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "unpack it: zstd -d"),
    b"\x04\x22\x4d\x18": ("packed with lz4", "unpack it: lz4 -d"),
    b"\x1f\x9d": ("packed with compress", "unpack it: uncompress"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it: 7z x"),
    b"Rar!\x1a": ("a RAR archive", "unpack it: unrar x"),
    b"PAR1\x15": ("a Parquet file", "write its columns as text, one sentence a line"),
    b"%PDF": ("a PDF", "save it as text"),
}
STANDARD_INPUT = "-"  # in the place of a file's name
NULS = 0.1  # share of the bytes


def read_raw(path: Path) -> bytes:
    """The bytes of a file, unpacked if they are gzip, xz or bzip2, whatever it is called; ``-`` is standard input.

    Raises:
        ValueError: it is a folder, or packed and damaged, or named as if it were packed.
        OSError: it is missing or cannot be read.
    """
    path = Path(path)
    if str(path) == STANDARD_INPUT:
        raw = b"" if sys.stdin is None else sys.stdin.buffer.read()
        packed = _packing(raw)
        return _unpacked(path, raw, *packed[1:]) if packed else raw
    if path.is_dir():
        raise UserError(f"{path} is a folder; give a text file, one sentence a line")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; check the path (from here: {Path.cwd()})")
    raw = path.read_bytes()
    if packed := _packing(raw):
        return _unpacked(path, raw, *packed[1:])
    if name := ENDINGS.get(path.suffix.lower()):
        raise UserError(
            f"{path} is no {name} file (it begins otherwise); pack it with {name}, or name it without {path.suffix}"
        )
    return raw


def _packing(raw: bytes) -> tuple[str, Callable, str] | None:
    return next((PACKED[name] for beginning, name in BEGINNINGS.items() if raw.startswith(beginning)), None)


def _unpacked(path: Path, raw: bytes, opened: Callable, test: str) -> bytes:
    pieces = []
    try:
        with opened(io.BytesIO(raw)) as file:
            while piece := file.read(1 << 20):
                pieces.append(piece)
        return b"".join(pieces)
    except EOFError:
        lines = b"".join(pieces).count(b"\n")
        raise UserError(f"{path} is cut off in line {lines + 1} or later; copy it again ({test} tests it)") from None
    except (OSError, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{path} is damaged ({error}); copy it again ({test} tests it)") from None


def decode_utf8(raw: bytes, name: str) -> str:
    """Text from bytes; a byte order mark is dropped.

    Raises:
        ValueError: the bytes are another kind of file or another encoding; says which, or names the line.
    """
    check_kind(raw, name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, line = raw[error.start], raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name} is not UTF-8: line {line} holds byte 0x{byte:02x}; {_way_out(raw, error)}") from None


def check_kind(raw: bytes, name: str) -> None:
    """Raise ValueError if the bytes are of a kind that is known to be no UTF-8 text; says what makes text of them."""
    for beginning, (what, way_out) in OTHERS.items():
        if raw.startswith(beginning):
            raise UserError(f"{name} is {what}, not UTF-8 text; {way_out}")
    if packed := _packing(raw):
        raise UserError(f"{name} is packed with {packed[0]}, not UTF-8 text; unpack it: {packed[0]} -dc")
    if raw[257:262] == b"ustar" and b"\0" in raw[:257]:
        raise UserError(f"{name} is a tar archive, not UTF-8 text; unpack it: tar -xf")
    # NUL is a character like others, and UTF-8; but each second byte is one in UTF-16, and many are in what is no text.
    if raw.count(b"\0") > max(4, NULS * len(raw)):
        encoding = "UTF-16LE" if raw[1::2].count(b"\0") > raw[::2].count(b"\0") else "UTF-16BE"
        raise UserError(f"{name} is UTF-16, or no text: many of its bytes are NUL; try iconv -f {encoding} -t UTF-8")


def _way_out(raw: bytes, error: UnicodeDecodeError) -> str:
    text = raw.decode("utf-8", errors="replace")
    damaged, whole = text.count("\ufffd"), sum(not letter.isascii() and letter != "\ufffd" for letter in text)
    # "café" in another encoding ends so too: only where the rest is UTF-8 has it been cut.
    if error.end == len(raw) and error.reason == "unexpected end of data" and whole:
        return "it is cut off in the middle of a character; copy it again"
    halves = sum(0xA0 <= low < 0xC0 for high, low in itertools.pairwise(raw) if high == 0xED)
    if halves and damaged <= 3 * halves:
        return "it writes characters as two halves (surrogates), which UTF-8 forbids: mend that line"
    if whole > damaged:  # as another encoding all of these would be read wrongly
        return "the rest is UTF-8: mend that line, or drop such bytes with iconv -c -f UTF-8 -t UTF-8"
    windows = any(0x80 <= byte < 0xA0 for byte in raw)
    return f"convert it, for example with iconv -f {'WINDOWS-1252' if windows else 'ISO-8859-1'} -t UTF-8"
