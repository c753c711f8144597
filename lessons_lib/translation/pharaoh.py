"""Word links in text files, in the Pharaoh format: one sentence pair a line, ``0-0 1-2 2?1``.

A link is the number of a source word, a mark, and the number of a target word; both count from 0. ``-`` marks a sure
link. ``?`` or ``p`` in its place marks a possible one, which a good annotator might also leave out (Och and Ney 2003).
Programs that know no possible links write and read the dash alone. A blank line is a pair without links.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lessons_lib.translation.alignment import Gold, Links
from lessons_lib.translation.corpus import Pair, decode_utf8, read_tab_pairs, split_lines

_LINK = re.compile(r"(\d{1,9})([-?p])(\d{1,9})", re.ASCII)


def read_filled_pairs(path: Path) -> list[Pair]:
    """Sentence pairs from one file: source, tab, target; no side is blank, as links count the lines.

    Raises:
        ValueError, OSError: see `read_tab_pairs`; or a side is blank.
    """
    pairs = read_tab_pairs(path)
    for number, pair in enumerate(pairs, start=1):
        if not (pair.source.strip() and pair.target.strip()):
            raise ValueError(f"{path}, line {number}: a side is blank; write source, one tab, target")
    return pairs


def gold_of(pairs: Sequence[Pair]) -> list[Gold]:
    """The alignment that the pairs bring: a link is sure unless ``possible`` holds it.

    Raises:
        ValueError: a pair has none; says which.
    """
    for number, pair in enumerate(pairs, start=1):
        if not pair.alignment:
            raise ValueError(f"pair {number}, {pair.source[:40]!r}, has no gold alignment; give a file of links")
    return [
        Gold(set(pair.alignment).difference(pair.possible), set(pair.alignment).union(pair.possible)) for pair in pairs
    ]


def read_links(path: Path, pairs: Sequence[Pair]) -> list[Gold]:
    """The links of each pair.

    Raises:
        ValueError: the file is not UTF-8, has more or fewer lines than ``pairs``, or a link cannot be read or names a
            word that its sentence does not have; says the line.
        OSError: it is missing or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file, the links of one sentence pair a line")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; check the path (from here: {Path.cwd()})")
    lines = split_lines(decode_utf8(path.read_bytes(), str(path)))
    if len(lines) != len(pairs):
        raise ValueError(
            f"{path} has {len(lines)} lines for {len(pairs)} sentence pairs; give the links of one pair a line"
        )
    return [
        parse_links(line, pair, f"{path}, line {number}")
        for number, (line, pair) in enumerate(zip(lines, pairs, strict=True), start=1)
    ]


def parse_links(line: str, pair: Pair, name: str = "the line") -> Gold:
    """The links of one pair. A link that stands there as sure and as possible is sure.

    Raises:
        ValueError: see `read_links`; the message begins with ``name``.
    """
    found: dict[str, Links] = {"-": set(), "?": set(), "p": set()}
    for text in line.split():
        match = _LINK.fullmatch(text)
        if match is None:
            raise ValueError(f"{name}: {text!r} is not a link; write 0-0 for a sure link, 0?0 for a possible one")
        link = (int(match[1]), int(match[3]))
        for word, side, sentence in zip(link, ("source", "target"), pair[:2], strict=True):
            count = len(sentence.split())
            if word >= count:
                raise ValueError(f"{name}: {text!r} names {side} word {word}, but there are {count}, counted from 0")
        found[match[2]].add(link)
    return Gold(found["-"], found["-"] | found["?"] | found["p"])


def format_links(sure: Links, possible: Links | None = None) -> str:
    """One line of the format, in the order of the source words: ``0-0 1-2 2?1``."""
    return " ".join(f"{link[0]}{'-' if link in sure else '?'}{link[1]}" for link in sorted(sure | (possible or set())))


def write_links(path: Path, links: Iterable[Links]) -> None:
    """Write the links of each pair, replacing an old file in one step.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text("".join(f"{format_links(found)}\n" for found in links), "utf-8")
    os.replace(temporary, path)
