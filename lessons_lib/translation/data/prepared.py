"""A prepared corpus on disk: Parquet parts and a ``manifest.json`` that says what they are and how they came to be.

The manifest lists the parts of the training pairs in order, each with its SHA-256 and the place in the source where
it ends. Parts are whole before the manifest names them, so that a folder can be read at any moment of its making.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import overload

from lessons_lib.errors import UserError
from lessons_lib.files import write_whole
from lessons_lib.translation.data.corpus import Corpus, Pair

MANIFEST, FORMAT = "manifest.json", 1
NEEDED = frozenset({"source", "filters", "exhausted", "parts"})  # in the manifest of WMT14
GO_ON = "free some space, or mend what is wrong, and run the same command: it goes on from the last whole part"
ROW_GROUP = 10_000  # pairs that are read, and held in memory, at a time


def load_prepared(folder: Path, n_pairs: int | None = None) -> Corpus:
    """The first ``n_pairs`` training pairs of a folder that `lessons prepare` wrote, all without it, and its test sets.

    Every part that is needed is compared with its SHA-256. The training pairs stay on disk until they are read.

    Raises:
        ValueError: the folder is not one, holds fewer pairs, or a part is missing or damaged; says which.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    there = count_pairs(manifest)
    if n_pairs is not None and n_pairs < 1:
        raise UserError(f"{n_pairs} pairs are too few; use 1 or more")
    n_pairs = there if n_pairs is None else n_pairs
    if not there or (n_pairs > there and not manifest["exhausted"]):
        raise UserError(f"{folder} holds {there:,} pairs, not {n_pairs:,}; {_prepare(folder, n_pairs)}")
    n_pairs, needed, before = min(n_pairs, there), [], 0
    for part in manifest["parts"]:
        needed += [part] * (before < n_pairs)
        before += part["pairs"]
    for part in [*needed, manifest["valid"], manifest["test"]]:
        if problem := what_is_wrong(folder, part):
            raise UserError(
                f"{folder / part['file']} {problem}; {_prepare(folder, there)}: it makes this part anew, no other"
            )
    train = ParquetPairs([folder / part["file"] for part in needed], n_pairs)
    valid, test = (list(ParquetPairs([folder / manifest[name]["file"]])) for name in ("valid", "test"))
    return Corpus("wmt14", train, valid, test)


def _prepare(folder: Path, n_pairs: int) -> str:
    return f"run `lessons prepare --corpus wmt14 --pairs {n_pairs} --out {folder}`"


class ParquetPairs(Sequence[Pair]):
    """Sentence pairs in Parquet files, read a row group at a time: as long as the disk, as small as 10,000 pairs.

    Reading them in order, or a slice of them, costs no more than reading the files; jumping about does.

    Raises:
        ValueError: a file cannot be read; names it.
    """

    def __init__(self, paths: Sequence[Path], length: int | None = None):
        self._groups, sizes = [], []
        for path in paths:
            metadata = _open(path).metadata
            for group in range(metadata.num_row_groups):
                self._groups.append((path, group))
                sizes.append(metadata.row_group(group).num_rows)
        self._ends = list(accumulate(sizes))
        total = self._ends[-1] if self._ends else 0
        self._length = total if length is None else min(length, total)
        self._cached, self._rows = -1, []

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is not within the {len(self)} pairs")
        index %= len(self)
        group = bisect_right(self._ends, index)
        if group != self._cached:
            self._cached, self._rows = group, self._read(group)
        return self._rows[index - self._ends[group]]  # counted from the end of the group

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    def _read(self, group: int) -> list[Pair]:
        path, number = self._groups[group]
        try:
            columns = _open(path).read_row_group(number, ["source", "target"]).to_pydict()
        except (OSError, ValueError) as error:  # pyarrow's own errors are of both kinds
            raise _unreadable(path, error) from None
        return [Pair(*sides) for sides in zip(columns["source"], columns["target"], strict=True)]


def _open(path: Path):
    import pyarrow.parquet as parquet

    try:
        return parquet.ParquetFile(path, memory_map=True)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> ValueError:
    return UserError(f"{path} cannot be read ({str(error).splitlines()[0]}); run `lessons prepare` again")


def to_parquet(pairs: Sequence[Pair]) -> bytes:
    """The bytes of a Parquet file: the same pairs give the same bytes."""
    import pyarrow
    import pyarrow.parquet as parquet

    columns = {"source": [pair.source for pair in pairs], "target": [pair.target for pair in pairs]}
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns, schema), sink, row_group_size=ROW_GROUP, compression="zstd")
    return sink.getvalue().to_pybytes()


def write_part(folder: Path, name: str, pairs: Sequence[Pair]) -> dict:
    """Write ``pairs`` to a part of ``folder``; what the manifest says of it.

    Raises:
        OSError: see `write_whole`.
    """
    data = to_parquet(pairs)
    write_whole(folder / name, data, GO_ON)
    return {"file": name, "pairs": len(pairs), "sha256": hashlib.sha256(data).hexdigest()}


def check_folder(out: Path) -> None:
    """Raise ValueError unless a corpus may be prepared in ``out``: there is nothing, or a corpus."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; give a folder for the corpus")
    held = sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) if out.exists() else []
    if held and MANIFEST not in held:
        raise UserError(f"{out} holds {held[0]}, which is not part of a corpus; give another folder")


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """The processes of a `torchrun` all come here: the first one works, in a folder that goes if it stays empty."""
    from filelock import FileLock  # comes with torch

    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".lock"):
            yield
    finally:
        if not (out / MANIFEST).exists():
            (out / ".lock").unlink(missing_ok=True)
            with suppress(OSError):
                out.rmdir()


def what_is_wrong(folder: Path, part: dict) -> str | None:
    """What keeps a part from being read; None if it is as the manifest says."""
    path = folder / part["file"]
    if not path.is_file():
        return "is missing"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == part["sha256"] else "is damaged: its SHA-256 is not that of manifest.json"


def read_manifest(folder: Path, needed: Set[str] = NEEDED) -> dict:
    """The manifest of a prepared folder, with the names that are ``needed``.

    Raises:
        ValueError: there is none, or it is not one of ours.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise UserError(f"{folder} is not a prepared corpus: it has no {MANIFEST}; run `lessons prepare`")
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        manifest = json.loads(path.read_text("utf-8-sig"))
        if manifest["format"] == FORMAT and needed <= manifest.keys():
            return manifest
    raise UserError(f"{path} is not one that this version of `lessons prepare` wrote; give it another folder")


def write_manifest(folder: Path, manifest: dict) -> None:
    """Replace the manifest in one step.

    Raises:
        OSError: see `write_whole`.
    """
    write_whole(folder / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"), GO_ON)


def count_pairs(manifest: dict) -> int:
    """How many training pairs the parts hold."""
    return sum(part["pairs"] for part in manifest["parts"])
