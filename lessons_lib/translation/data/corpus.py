"""Parallel text: sentence pairs to train on, to choose by, and to test on, wherever they come from."""

import hashlib
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from lessons_lib.errors import UserError
from lessons_lib.translation.data import grammar
from lessons_lib.translation.data.sameness import hash_of, normalise
from lessons_lib.translation.data.textfile import decode_utf8, read_raw
from lessons_lib.translation.data.tokenizer import plain

MAX_CHARACTERS = 5_000  # of a sentence; what is longer is a page, or no text
BARS = "|||"
GRAMMAR_SIZES = {"n_train": 20_000, "n_valid": 500, "n_test": 1_000}
Item = TypeVar("Item")


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
    in the parts, by reason; ``seen`` those of "valid" and "test" of which the training part has a side too.

    ``references`` are further translations of the test sentences as `scoring.score` takes them: each a whole set, blank
    where a sentence has no more. ``origin`` is what a card must say of text that others wrote: its source, SHA-256,
    licence and attribution.
    """

    name: str
    train: Sequence[Pair]
    valid: list[Pair]
    test: list[Pair]
    left_out: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    references: list[list[str]] = field(default_factory=list)
    origin: dict[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """SHA-256 over every sentence in order: the same fingerprint is the same data, split the same way."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            for pair in part:
                digest.update(f"{pair.source}\t{pair.target}\n".encode())
            digest.update(b"\n")
        for one in self.references:
            digest.update("".join(f"{reference}\n" for reference in one).encode() + b"\n")
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
    ``unseen_constructions`` and ``long``, each ask for what their name says (`grammar.load_tests`).

    Raises:
        ValueError: ``n_test`` is negative.
    """
    return {name: _pairs(part) for name, part in grammar.load_tests(n_test, seed).items()}


def _pairs(part: Sequence[grammar.SentencePair]) -> list[Pair]:
    return [Pair(pair.english, pair.french, pair.alignment, pair.possible) for pair in part]


def load_pairs(train: Sequence[Path], valid: Sequence[Path], test: Sequence[Path] = ()) -> Corpus:
    """Text files of your own: for each part two aligned files, or one with source, tab, target on a line.

    Pairs with a blank side teach nothing, and those of more than `MAX_CHARACTERS` are no sentences: they are left
    out, and counted. Pairs to validate or test by that the training part has too, in one side at least, are counted.

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
            raise UserError(f"{names}: no line has text on both sides, up to {MAX_CHARACTERS} characters; give others")
        parts.append(kept)
    train, *held_out = parts
    seen = {name: count_seen(part, train) for name, part in zip(("valid", "test"), held_out, strict=True)}
    return Corpus("pairs", *parts, left_out, seen)


def count_seen(pairs: Sequence[Pair], train: Sequence[Pair]) -> int:
    """How many of the pairs have a side that is in ``train``, whatever its case and its punctuation."""
    sides = [tuple(hash_of(normalise(side)) for side in pair[:2]) for pair in pairs]
    wanted = {one for both in sides for one in both}
    found = {value for pair in train for side in pair[:2] if (value := hash_of(normalise(side))) in wanted}
    return sum(not found.isdisjoint(both) for both in sides)


def evenly(pairs: Sequence[Item], count: int) -> list[Item]:
    """``count`` of the pairs, or of their references, at even distances, or all: files are often sorted by length."""
    if len(pairs) <= count:
        return list(pairs)
    return [pairs[i * len(pairs) // count] for i in range(count)]


def _read_part(paths: Sequence[Path]) -> list[Pair]:
    if len(paths) > 2:
        raise UserError(f"{paths[2]} is one file too many; give two aligned files, or one with source, tab, target")
    return read_pairs(*paths) if len(paths) == 2 else read_tab_pairs(*paths)


def read_pairs(source: Path, target: Path) -> list[Pair]:
    """The lines of two aligned files, one blank between words.

    Raises:
        ValueError, OSError: see `read_lines`; or the two differ in length.
    """
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise UserError(
            f"{source} has {len(sources)} lines but {target} has {len(targets)}; "
            "line n of one must translate line n of the other"
        )
    return [Pair(*map(plain, sides)) for sides in zip(sources, targets, strict=True)]


def read_tab_pairs(path: Path) -> list[Pair]:
    """Sentence pairs from one file: source, tab, target; or source, |||, target on every line. A side may be blank.

    Each word is one blank away from the next, as in `read_pairs`.

    Further columns, such as the attribution in Tatoeba's files, are left out if every line has as many; stderr says so.
    Four columns of which the first and the third are numbers are Tatoeba's own: number, source, number, target.

    Raises:
        ValueError, OSError: see `read_lines`; or a line has another number of columns; says which line.
    """
    lines = read_lines(path)
    # fast_align and its like write "source ||| target", often with no blank beside the bars.
    bars = BARS in next(line for line in lines if line.strip()) and not any("\t" in line for line in lines)
    rows = [line.split(BARS if bars else "\t") if line.strip() else [] for line in lines]
    first = next(row for row in rows if row)
    for number, row in enumerate(rows, start=1):
        if row and (len(row) < 2 or len(row) != len(first)):
            as_others = "" if len(first) < 3 else f", not {len(first)} as the first line"
            raise UserError(
                f"{path}, line {number}: {len(row)} columns{as_others} ({lines[number - 1][:60]!r}); "
                f"write source, {'|||' if bars else 'one tab'}, target"
            )
    source, target = text_columns(row for row in rows if row)
    if len(first) > 2:
        read = f"{path}: read columns {source + 1} and {target + 1} of {len(first)}"
        others = [column for i, column in enumerate(first) if i not in (source, target)]
        print(f"lessons: {read}; the rest, such as {others[-1][:60]!r}, is left out", file=sys.stderr)
    return [Pair(plain(row[source]), plain(row[target])) if row else Pair("", "") for row in rows]


def text_columns(rows: Iterable[list[str]]) -> tuple[int, int]:
    """Which columns hold the sides: the first two, but in Tatoeba's own exports (number, source, number, target)."""
    numbered = all(len(row) == 4 and row[0].isdigit() and row[2].isdigit() for row in rows)
    return (1, 3) if numbered else (0, 1)


def read_lines(path: Path, may_be_blank: bool = False) -> list[str]:
    """The lines of a UTF-8 text file, in Unicode's composed form (NFC); gzip, xz and bzip2 are unpacked.

    An accent may be typed as one character with its letter or as a character behind it. To a reader that is the same,
    so it must be the same to a model and to a score.

    Raises:
        ValueError: the file is not UTF-8 text, is packed and damaged, or holds nothing but blank lines, unless it may.
        OSError: it is missing or cannot be read.
    """
    text = unicodedata.normalize("NFC", decode_utf8(read_raw(path), str(path)))
    if "\n" not in text and text.strip().count("\r") > 1:
        raise UserError(f"{path} ends its lines with a carriage return alone; convert it: tr '\\r' '\\n'")
    lines = split_lines(text)
    if not (may_be_blank or any(line.strip() for line in lines)):
        raise UserError(f"{path} is empty; it must hold one sentence a line")
    return lines


def split_lines(text: str) -> list[str]:
    """The lines of ``text`` without their ends, \\n or \\r\\n.

    `str.splitlines` also breaks at characters such as U+2028 that occur inside sentences, and from there on two
    aligned files would be out of step.
    """
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
