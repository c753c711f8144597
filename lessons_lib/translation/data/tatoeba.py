"""Tatoeba's English–French pairs: everyday sentences, split by sentence, and kept as text.

The English sentence alone decides which part a pair belongs to, whatever its case and punctuation: so all translations
of a sentence stand in one part, and a later edition of the file moves none to another. A French sentence may translate
several English ones; where one of these is held out, the others are left out of training.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.files import finish, replacing_whole
from lessons_lib.translation.data.corpus import MAX_CHARACTERS, Corpus, Pair, split_lines
from lessons_lib.translation.data.prepared import (
    FORMAT,
    MANIFEST,
    check_folder,
    locked,
    read_manifest,
    what_is_wrong,
)
from lessons_lib.translation.data.sameness import hash_of, normalise
from lessons_lib.translation.data.tatoeba_source import Source

LICENCE = "CC BY 2.0 FR"
ATTRIBUTION = f"Tatoeba (tatoeba.org) through manythings.org, {LICENCE}"
CACHE = Path.home() / ".cache" / "lessons" / "tatoeba"
PARTS = ("train", "valid", "test")
KEY = "lessons, Tatoeba"  # so that the split has nothing to do with any other use of the hash
TEST, VALID = 15, 5  # of a thousand sentences
REASONS = ("blank", "too_long", "duplicate", "in_a_test_set")
NEEDED = frozenset({*PARTS, "origin", "left_out"})  # in the manifest


def prepare(out: Path, source: Path | None = None) -> dict:
    """Make ``out`` hold the corpus, in the place of an older edition if it holds one; return its manifest.

    Args:
        source: see `tatoeba_source.Source`.

    Raises:
        ValueError: ``out`` holds other things, or the source is damaged, another file, or too small.
        OSError: the source cannot be fetched or read, or ``out`` written; what was there before stays.
    """
    out = Path(out)
    _check(out)
    with locked(out):
        return _write(out, source)


def load_tatoeba(folder: Path | None = None) -> Corpus:
    """The corpus from ``folder``, prepared there first if it holds none. The test part has a row for each sentence.

    Args:
        folder: `CACHE` without it.

    Raises:
        ValueError, OSError: see `prepare`; or a part is missing or damaged.
    """
    folder = Path(folder or CACHE)
    _check(folder)
    if not (folder / MANIFEST).exists():
        with locked(folder):
            if not (folder / MANIFEST).exists():  # else another process has been here
                _write(folder, None)
    manifest = read_manifest(folder, NEEDED)
    train, valid, test = (_read(folder, manifest[name]) for name in PARTS)
    test, references = with_references(test)
    return Corpus("tatoeba", train, valid, test, manifest["left_out"], {}, references, manifest["origin"])


def part_of(source: str) -> str:
    """Which part a sentence belongs to, for ever."""
    drawn = hash_of(f"{KEY}\t{normalise(source)}") % 1000
    return "test" if drawn < TEST else "valid" if drawn < TEST + VALID else "train"


def split(pairs: Iterable[Pair]) -> tuple[dict[str, list[Pair]], dict[str, int]]:
    """The pairs of each part, in their order, and how many are left out, by reason."""
    parts, left_out, kept = {name: [] for name in PARTS}, dict.fromkeys(REASONS, 0), set()
    for pair in pairs:
        if not (pair.source and pair.target):
            left_out["blank"] += 1
        elif max(len(pair.source), len(pair.target)) > MAX_CHARACTERS:
            left_out["too_long"] += 1
        elif pair in kept:
            left_out["duplicate"] += 1
        else:
            kept.add(pair)
            parts[part_of(pair.source)].append(pair)
    found = {normalise(side) for name in ("valid", "test") for pair in parts[name] for side in pair[:2]}
    train = [pair for pair in parts["train"] if found.isdisjoint(map(normalise, pair[:2]))]
    left_out["in_a_test_set"] = len(parts["train"]) - len(train)
    return parts | {"train": train}, left_out


def with_references(pairs: Sequence[Pair]) -> tuple[list[Pair], list[list[str]]]:
    """A pair for each source, with the first of its translations; and the others, as `Corpus.references` has them.

    Sources are the same if no character differs: a question's translation is none of a statement's.
    """
    by_source = {}
    for pair in pairs:
        by_source.setdefault(pair.source, []).append(pair.target)
    first, *more = zip_longest(*by_source.values(), fillvalue="")
    return [Pair(*sides) for sides in zip(by_source, first, strict=True)], [list(one) for one in more]


def _check(folder: Path) -> None:
    """Raise ValueError if the folder holds other things. An edition whose files were being moved there is completed."""
    finish(folder)
    check_folder(folder)
    if (folder / MANIFEST).exists():
        read_manifest(folder, NEEDED)


def _write(out: Path, file: Path | None) -> dict:
    source = Source(file, out)
    parts, left_out = split(source.pairs())
    if empty := [name for name in PARTS if not parts[name]]:
        count = sum(map(len, parts.values()))
        raise UserError(f"{source.name} holds {count} pairs, too few for a {empty[0]} part; give the whole file")
    origin = {"source": source.name, "sha256": source.sha256, "licence": LICENCE, "attribution": ATTRIBUTION}
    manifest = {"format": FORMAT, "origin": origin, "left_out": left_out}
    with replacing_whole(out, "the corpus") as partial:
        for name, pairs in parts.items():
            data = "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode()
            sha256 = hashlib.sha256(data).hexdigest()
            manifest[name] = {"file": f"{name}.tsv", "pairs": len(pairs), "sha256": sha256}
            (partial / f"{name}.tsv").write_bytes(data)
        (partial / MANIFEST).write_bytes((json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return manifest


def _read(folder: Path, part: dict) -> list[Pair]:
    if problem := what_is_wrong(folder, part):
        again = f"run `lessons prepare --corpus tatoeba --out {folder}` again, with the --source that it had"
        raise UserError(f"{folder / part['file']} {problem}; {again}")
    text = (folder / part["file"]).read_bytes().decode()
    return [Pair(*line.split("\t")) for line in split_lines(text)]
