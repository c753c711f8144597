"""Assemble the page's kernels: every .wat of lessons_lib/widgets/engine/ into the .wasm beside it."""

from pathlib import Path

from lessons_lib.files import write_whole
from tools.lesson_files import ROOT

SOURCES = sorted((ROOT / "lessons_lib/widgets/engine").rglob("*.wat"))
_HEAD = 8  # bytes: "\\0asm", and the version


def assembled(source: Path) -> bytes:
    """The module, without the names that its source has for a reader."""
    from wasmtime import wat2wasm

    module = bytes(wat2wasm(source.read_text("utf8")))
    kept, at = [module[:_HEAD]], _HEAD
    while at < len(module):  # a section: its kind in a byte, the length of what follows, and that
        size, begin = _number(module, at + 1)
        if module[at]:  # 0 is what a machine need not read
            kept.append(module[at : begin + size])
        at = begin + size
    return b"".join(kept)


def _number(module: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the lowest first; and where it ends."""
    number = shift = 0
    while True:
        number |= (module[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if module[at - 1] < 128:
            return number, at


def main() -> None:
    for source in SOURCES:
        target, data = source.with_suffix(".wasm"), assembled(source)
        write_whole(target, data)
        print(f"{target.relative_to(ROOT)}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
