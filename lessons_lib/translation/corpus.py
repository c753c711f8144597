"""Parallel text: sentence pairs to train on, to choose by, and to test on, wherever they come from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lessons_lib.translation import grammar

GRAMMAR_SIZES = {"n_train": 20_000, "n_valid": 500, "n_test": 1_000}


class Pair(NamedTuple):
    """A sentence and its translation; ``alignment`` holds (source word, target word) links where they are known."""

    source: str
    target: str
    alignment: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs in three parts. ``test`` is empty where the corpus brings none of its own."""

    name: str
    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]

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

    def pairs(part: Sequence[grammar.SentencePair]) -> list[Pair]:
        return [Pair(pair.english, pair.french, pair.alignment) for pair in part]

    return Corpus("grammar", pairs(splits.train), pairs(splits.valid), pairs(splits.test))


def load_pairs(train: tuple[Path, Path], valid: tuple[Path, Path]) -> Corpus:
    """Two pairs of text files, one sentence a line, line by line translations of each other.

    Pairs with a blank side teach nothing and are left out.

    Raises:
        ValueError, OSError: see `read_pairs`.
    """

    def filled(paths: tuple[Path, Path]) -> list[Pair]:
        pairs = [pair for pair in read_pairs(*paths) if pair.source.strip() and pair.target.strip()]
        if not pairs:
            raise ValueError(f"{paths[0]} and {paths[1]} share no line with text on both sides; give aligned files")
        return pairs

    return Corpus("pairs", filled(train), filled(valid), [])


def read_pairs(source: Path, target: Path) -> list[Pair]:
    """The lines of two aligned files.

    Raises:
        ValueError: a file is empty or not UTF-8, or the two differ in length.
        OSError: a file is missing or cannot be read.
    """
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources)} lines but {target} has {len(targets)}; "
            "line n of one must translate line n of the other"
        )
    return [Pair(*sides) for sides in zip(sources, targets, strict=True)]


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file.

    Raises:
        ValueError: the file is not UTF-8, or holds nothing but blank lines.
        OSError: it is missing or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file, one sentence a line")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; check the path (from here: {Path.cwd()})")
    lines = split_lines(decode_utf8(path.read_bytes(), str(path)))
    if not any(line.strip() for line in lines):
        raise ValueError(f"{path} is empty; it must hold one sentence a line")
    return lines


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
