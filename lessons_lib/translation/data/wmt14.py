"""WMT14 English–French (Bojar et al. 2014): streamed from the Hugging Face hub, cleaned, kept as Parquet parts.

40 million pairs of proceedings, news and crawled pages. Validation is newstest2013, the test newstest2014. What is
kept are the first pairs of the stream that pass the filters of `cleaning.py`: who asks for more pairs gets the same
ones and then others.
"""

import re
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tqdm.auto import tqdm

from lessons_lib.errors import UserError
from lessons_lib.translation.data.cleaning import REASONS, Cleaner, Filters
from lessons_lib.translation.data.corpus import Corpus, Pair
from lessons_lib.translation.data.prepared import (
    FORMAT,
    MANIFEST,
    ParquetPairs,
    check_folder,
    count_pairs,
    load_prepared,
    locked,
    read_manifest,
    what_is_wrong,
    write_manifest,
    write_part,
)
from lessons_lib.translation.data.wmt14_source import Source

HELD_OUT = {"valid": "validation", "test": "test"}  # ours: the name of the split in the source
CACHE = Path.home() / ".cache" / "lessons" / "wmt14"
PART_PAIRS = 50_000  # what a cut costs, at most


def prepare(out: Path, n_pairs: int, source: Path | None = None, part_pairs: int = PART_PAIRS) -> dict:
    """Make ``out`` hold the first ``n_pairs`` clean pairs of the source; return its manifest.

    A folder cut off, at whatever moment, goes on after its last whole part and ends as it would have without the cut.
    Parts missing or damaged are made anew. Where the source has fewer clean pairs, all of them are there, and the
    manifest says ``exhausted``.

    Args:
        source: see `Source`. Without it: where the folder began, or the hub.

    Raises:
        ValueError: ``out`` holds other things, or was prepared from another source or with other filters; the source
            is not one, or has no clean pair; `datasets` is not installed.
        OSError: the hub cannot be reached, or ``out`` cannot be written; what is whole is kept.
    """
    out = Path(out)
    if n_pairs < 1:
        raise UserError(f"{n_pairs} pairs are too few; use 1 or more")
    check_folder(out)
    known = read_manifest(out) if (out / MANIFEST).exists() else None
    if source is None and known and "folder" in known["source"]:
        source = Path(known["source"]["folder"])
    opened = Source(source)
    with locked(out):
        return _Preparation(out, n_pairs, opened, part_pairs).run()


def load_wmt14(folder: Path | None = None, n_pairs: int | None = None) -> Corpus:
    """The first ``n_pairs`` clean pairs, from ``folder`` where it holds them, else prepared there first.

    Args:
        folder: `CACHE` without it.
        n_pairs: without it, all that the folder holds; a million where it holds none.

    Raises:
        ValueError, OSError: see `prepare` and `load_prepared`.
    """
    folder = Path(folder or CACHE)
    there = read_manifest(folder) if (folder / MANIFEST).exists() else {"parts": [], "exhausted": False}
    n_pairs = count_pairs(there) or 1_000_000 if n_pairs is None else n_pairs
    if n_pairs > count_pairs(there) and not there["exhausted"]:
        prepare(folder, n_pairs)
    return load_prepared(folder, n_pairs)


class _Preparation:
    """What one run holds together: the manifest so far, the source and where it stands in it."""

    def __init__(self, out: Path, n_pairs: int, source: Source, part_pairs: int):
        self.out, self.n_pairs, self.source, self.part_pairs, filters = out, n_pairs, source, part_pairs, Filters()
        asked = {"source": source.identity, "filters": asdict(filters), "part_pairs": part_pairs}
        known = read_manifest(out) if (out / MANIFEST).exists() else {}
        for name, value in asked.items():
            if known.get(name, value) != value:
                raise UserError(f"{out} was prepared with {name} {known[name]}, not {value}; give another folder")
        self.manifest = {"format": FORMAT, **asked, "exhausted": False, "parts": []} | known
        held_out = [pair for name, split in HELD_OUT.items() for pair in self._held_out(name, split)]
        self.cleaner = Cleaner(filters, held_out)

    def run(self) -> dict:
        """Mend what is broken, go on to the end, and say what is there."""
        parts, manifest = self.manifest["parts"], self.manifest
        more = self.n_pairs > count_pairs(manifest) and not manifest["exhausted"]
        # The last part of a corpus is shorter than the others; where more comes after it, it is made anew, in full.
        parts = parts[:-1] if more and parts and parts[-1]["pairs"] < self.part_pairs else list(parts)
        with tqdm(total=self.n_pairs, desc="preparing", unit=" pairs", file=sys.stderr) as bar:
            for number, part in enumerate(parts):
                self._mend(parts[:number], part)
                self.cleaner.remember(ParquetPairs([self.out / part["file"]]))
                bar.update(part["pairs"])
            while more:
                size = min(self.part_pairs, self.n_pairs - sum(part["pairs"] for part in parts))
                parts = [*parts, self._build(parts, size, bar)]
                manifest |= {"parts": parts, "exhausted": parts[-1]["pairs"] < size}
                write_manifest(self.out, manifest)
                more = count_pairs(manifest) < self.n_pairs and not manifest["exhausted"]
        named = {part["file"] for part in manifest["parts"]}
        for path in self.out.iterdir():
            if re.fullmatch(r"train-\d{5}-\d+\.parquet", path.name) and path.name not in named:
                path.unlink()
        if not count_pairs(manifest):
            raise UserError(f"{self.source.name} has no pair that passes the filters: {left_out(manifest)}")
        return manifest

    def _held_out(self, name: str, split: str) -> list[Pair]:
        known = self.manifest.get(name)
        if known is None or what_is_wrong(self.out, known):
            pairs = [pair for pair in self.source.read(split) if pair.source and pair.target]
            if not (self.out / MANIFEST).exists():
                write_manifest(self.out, self.manifest)  # from now on the folder is ours
            self.manifest[name] = self._same(known, write_part(self.out, f"{name}.parquet", pairs))
        return list(ParquetPairs([self.out / self.manifest[name]["file"]]))

    def _mend(self, before: list[dict], part: dict) -> None:
        """Make a part anew if it is missing or damaged."""
        if problem := what_is_wrong(self.out, part):
            tqdm.write(f"{self.out / part['file']} {problem}; making it anew", file=sys.stderr)
            self._same(part, self._build(before, part["pairs"]))

    def _same(self, known: dict | None, made: dict) -> dict:
        if known and known["sha256"] != made["sha256"]:
            raise UserError(
                f"{self.out / made['file']} came out other than before: the source has changed; give another folder"
            )
        return made

    def _build(self, before: list[dict], size: int, bar: tqdm | None = None) -> dict:
        """Write the part that comes after those ``before``: the next ``size`` clean pairs."""
        pairs, reasons = [], Counter()
        for pair in self.source.read("train", before[-1]["ends"] if before else None):
            if reason := self.cleaner.reason(pair):
                reasons[reason] += 1
                continue
            pairs.append(pair)
            if bar is not None:
                bar.update()
            if len(pairs) == size:
                break
        ends = self.source.position()
        self.cleaner.kept.seal()
        made = write_part(self.out, f"train-{len(before):05}-{len(pairs)}.parquet", pairs)
        return made | {"left_out": {reason: reasons[reason] for reason in REASONS}, "ends": ends}


def left_out(manifest: dict) -> dict[str, int]:
    """How many pairs each filter has left out."""
    return {reason: sum(part["left_out"][reason] for part in manifest["parts"]) for reason in REASONS}
