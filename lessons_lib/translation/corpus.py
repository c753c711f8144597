"""Parallel text: sentence pairs to train on, to choose by, and to test on, wherever they come from."""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lessons_lib.translation import grammar

MAX_CHARACTERS = 5_000  # of a sentence; what is longer is a page, or no text
GRAMMAR_SIZES = {"n_train": 20_000, "n_valid": 500, "n_test": 1_000}


class Pair(NamedTuple):
    """A sentence and its translation; ``alignment`` holds (source word, target word) links where they are known.

    ``possible`` are the links that are not sure: some of ``alignment``, and others that are not drawn.
    """

    source: str
    target: str
    alignment: tuple[tuple[int, int], ...] = ()
    possible: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs in three parts. ``test`` is empty where the corpus brings none of its own.

    ``train`` may be read from the disk as it is asked for. ``left_out`` counts the pairs that are in the files but not
    in the parts, by reason.
    """

    name: str
    train: Sequence[Pair]
    valid: list[Pair]
    test: list[Pair]
    left_out: dict[str, int] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """SHA-256 over every sentence in order: the same fingerprint is the same data, split the same way."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            for pair in part:
                digest.update(f"{pair.source}\t{pair.target}\n".encode())
            digest.update(b"\n")
        return digest.hexdigest()


def load_grammar(seed: int = 0, **sizes: int) -> Corpus:
    """The embedded English–French corpus, generated: the same seed gives the same sentences and the same split.

    Args:
        sizes: ``n_train``, ``n_valid`` and ``n_test`` sentence pairs; `GRAMMAR_SIZES` without them.
    """
    splits = grammar.load_splits(**{**GRAMMAR_SIZES, **sizes}, seed=seed)
    return Corpus("grammar", _pairs(splits.train), _pairs(splits.valid), _pairs(splits.test))


def load_grammar_tests(seed: int = 0, n_test: int = 500) -> dict[str, list[Pair]]:
    """Four test sets that go with `load_grammar`, ``n_test`` pairs each; no training part has a sentence of theirs.

    ``in_distribution`` begins as ``load_grammar(seed).test`` does. The others, ``unseen_words``,
    ``unseen_constructions`` and ``long``, each differ from training in that one thing.

    Raises:
        ValueError: ``n_test`` is negative.
    """
    return {name: _pairs(part) for name, part in grammar.load_tests(n_test, seed).items()}


def _pairs(part: Sequence[grammar.SentencePair]) -> list[Pair]:
    return [Pair(pair.english, pair.french, pair.alignment, pair.possible) for pair in part]


def load_pairs(train: Sequence[Path], valid: Sequence[Path], test: Sequence[Path] = ()) -> Corpus:
    """Text files of your own: for each part two aligned files, or one with source, tab, target on a line.

    Pairs with a blank side teach nothing, and those of more than `MAX_CHARACTERS` are no sentences: they are left
    out, and counted.

    Raises:
        ValueError, OSError: see `read_pairs` and `read_tab_pairs`; or nothing is left of a part.
    """
    parts, left_out = [], {"blank": 0, "too_long": 0}
    for paths in (train, valid, test):
        kept = []
        for pair in _read_part(paths) if paths else []:
            if not (pair.source.strip() and pair.target.strip()):
                left_out["blank"] += 1
            elif max(len(pair.source), len(pair.target)) > MAX_CHARACTERS:
                left_out["too_long"] += 1
            else:
                kept.append(pair)
        if paths and not kept:
            names = " and ".join(map(str, paths))
            raise ValueError(f"{names}: no line has text on both sides, up to {MAX_CHARACTERS} characters; give others")
        parts.append(kept)
    return Corpus("pairs", *parts, left_out)


def _read_part(paths: Sequence[Path]) -> list[Pair]:
    if len(paths) > 2:
        raise ValueError(f"{paths[2]} is one file too many; give two aligned files, or one with source, tab, target")
    return read_pairs(*paths) if len(paths) == 2 else read_tab_pairs(*paths)


def read_pairs(source: Path, target: Path) -> list[Pair]:
    """The lines of two aligned files.

    Raises:
        ValueError, OSError: see `read_lines`; or the two differ in length.
    """
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources)} lines but {target} has {len(targets)}; "
            "line n of one must translate line n of the other"
        )
    return [Pair(*sides) for sides in zip(sources, targets, strict=True)]


def read_tab_pairs(path: Path) -> list[Pair]:
    """Sentence pairs from one file: source, tab, target. A side may be blank.

    Raises:
        ValueError, OSError: see `read_lines`; or a line has not just one tab; says which line.
    """
    pairs = []
    for number, line in enumerate(read_lines(path), start=1):
        sides = line.split("\t")
        if len(sides) != 2 and line.strip():
            raise ValueError(
                f"{path}, line {number}: {len(sides)} columns ({line[:60]!r}); write source, one tab, target"
            )
        pairs.append(Pair(*sides) if line.strip() else Pair("", ""))
    return pairs


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file; one whose name ends in .gz is unpacked.

    Raises:
        ValueError: the file is not UTF-8, holds nothing but blank lines, or is a .gz cut off or of another kind.
        OSError: it is missing or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file, one sentence a line")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; check the path (from here: {Path.cwd()})")
    raw = _unpacked(path) if path.suffix == ".gz" else path.read_bytes()
    lines = split_lines(decode_utf8(raw, str(path)))
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path} is empty; it must hold one sentence a line")
    return lines


def _unpacked(path: Path) -> bytes:
    pieces = []
    try:
        with gzip.open(path) as file:
            while piece := file.read(1 << 20):
                pieces.append(piece)
        return b"".join(pieces)
    except EOFError:
        lines = b"".join(pieces).count(b"\n")
        raise ValueError(f"{path} is cut off in line {lines + 1} or later; copy it again (gzip -t tests it)") from None
    except gzip.BadGzipFile as error:
        raise ValueError(f"{path} is no gzip file ({error}); pack it with gzip, or name it without .gz") from None
    except zlib.error as error:
        raise ValueError(f"{path} is damaged ({error}); copy it again (gzip -t tests it)") from None


def split_lines(text: str) -> list[str]:
    """The lines of ``text`` without their ends, \\n or \\r\\n.

    `str.splitlines` also breaks at characters such as U+2028 that occur inside sentences, and from there on two
    aligned files would be out of step.
    """
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def decode_utf8(raw: bytes, name: str) -> str:
    """Text from bytes; a byte order mark is dropped.

    Raises:
        ValueError: the bytes are not UTF-8; names the line.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{name} is not UTF-8: line {line} holds byte 0x{raw[error.start]:02x}; "
            f"convert it, for example with iconv -f ISO-8859-1 -t UTF-8"
        ) from None
