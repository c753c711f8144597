"""Word links in text files, in the Pharaoh format: one sentence pair a line, ``0-0 1-2 2?1``.

A link is the number of a source word, a mark, and the number of a target word; both count from 0. ``-`` marks a sure
link. ``?`` or ``p`` in its place marks a possible one, which a good annotator might also leave out (Och and Ney 2003).
Programs that know no possible links write and read the dash alone. A blank line is a pair without links.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.files import write_whole
from lessons_lib.translation.data.corpus import Pair, split_lines
from lessons_lib.translation.data.textfile import decode_utf8, read_raw
from lessons_lib.translation.data.tokenizer import split_words

Links = set[tuple[int, int]]  # (source word, target word)
ENOUGH = 10  # links of which none names a first word: some first word nearly always has one
_LINK = re.compile(r"(\d{1,9})([-?p])(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class Gold:
    """What people linked. ``possible`` links are right but need not be found; the ``sure`` ones are among them."""

    sure: Links
    possible: Links


def gold_of(pairs: Sequence[Pair]) -> list[Gold]:
    """The alignment that the pairs bring: a link is sure unless ``possible`` holds it.

    Raises:
        ValueError: a pair has none; says which.
    """
    for number, pair in enumerate(pairs, start=1):
        if not pair.alignment:
            raise UserError(f"pair {number}, {pair.source[:40]!r}, has no gold alignment; give a file of links")
    return [
        Gold(set(pair.alignment).difference(pair.possible), set(pair.alignment).union(pair.possible)) for pair in pairs
    ]


def read_links(path: Path, pairs: Sequence[Pair], one_based: bool = False) -> list[Gold]:
    """The links of each pair.

    Args:
        one_based: words are counted from 1 in the file. Where no link names a word 0 without it, stderr says so.
    Raises:
        ValueError: the file is not UTF-8, has more or fewer lines than ``pairs``, or a link cannot be read or names a
            word that its sentence does not have; says the line.
        OSError: it is missing or cannot be read.
    """
    lines = split_lines(decode_utf8(read_raw(path), str(path)))
    if len(lines) != len(pairs):
        raise UserError(
            f"{path} has {len(lines)} lines for {len(pairs)} sentence pairs; give the links of one pair a line"
        )
    found = [
        parse_links(line, pair, f"{path}, line {number}", one_based)
        for number, (line, pair) in enumerate(zip(lines, pairs, strict=True), start=1)
    ]
    links = [link for gold in found for link in gold.possible]
    if len(links) >= ENOUGH and not one_based and not any(0 in link for link in links):
        hint = "no link names word 0 of a sentence; if the file counts from 1, add --one-based"
        print(f"lessons: {path}: {hint}", file=sys.stderr)
    return found


def parse_links(line: str, pair: Pair, name: str = "the line", one_based: bool = False) -> Gold:
    """The links of one pair. A link that stands there as sure and as possible is sure.

    A word is what stands between blanks (`lessons_lib.translation.data.tokenizer.split_words`).

    Raises:
        ValueError: see `read_links`; the message begins with ``name``.
    """
    found: dict[str, Links] = {"-": set(), "?": set(), "p": set()}
    for text in line.split():
        match = _LINK.fullmatch(text)
        if match is None:
            raise UserError(f"{name}: {text!r} is not a link; write 0-0 for a sure link, 0?0 for a possible one")
        link = (int(match[1]) - one_based, int(match[3]) - one_based)
        for word, side, sentence in zip(link, ("source", "target"), pair[:2], strict=True):
            count = len(split_words(sentence))
            if not 0 <= word < count:
                named = f"{text!r} names {side} word {word + one_based}, but there are {count}"
                other = "" if one_based else " (a file that counts from 1 needs --one-based)"
                raise UserError(f"{name}: {named}, counted from {int(one_based)}{other}")
        found[match[2]].add(link)
    return Gold(found["-"], found["-"] | found["?"] | found["p"])


def format_links(sure: Links, possible: Links | None = None) -> str:
    """One line of the format, in the order of the source words: ``0-0 1-2 2?1``."""
    return " ".join(f"{link[0]}{'-' if link in sure else '?'}{link[1]}" for link in sorted(sure | (possible or set())))


def write_links(path: Path, links: Iterable[Links]) -> None:
    """Write the links of each pair, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    write_whole(path, "".join(f"{format_links(found)}\n" for found in links), "give another --out")
