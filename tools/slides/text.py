"""Parts of a text that stand on slides: sentences of a paragraph with their markup, and blocks spread over slides."""

import html
import math
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby

from bs4 import BeautifulSoup, NavigableString, Tag

BOLD = re.compile(r"<strong>[^<]*</strong>")
SENTENCE_END = re.compile(r"(?<=[.!?])([”\"’)]*)\s+(?![a-zà-ÿ])")
SLIDE = 1050  # how many letters a slide takes; `deck.js` sets one smaller that is still too full


def inner(node: Tag) -> str:
    return node.decode_contents().strip()


def letters(part: str) -> int:
    """How long a text is when it is read; of a formula half of what TeX writes is not seen."""
    said = BeautifulSoup(part, "html.parser").get_text()
    return len(said) - sum(map(len, re.findall(r"\\\(.*?\\\)", said, re.DOTALL))) // 2


def sentences(paragraph: Tag) -> list[str]:
    """The sentences of a paragraph, each with its markup; an end inside of bold text counts too."""
    parts = [""]
    ended = False
    for child in paragraph.children:
        if isinstance(child, NavigableString):
            said = html.escape(str(child), quote=False)
            if ended and said[:1].isspace():
                parts.append("")
            first, *others = SENTENCE_END.sub(r"\1\0", said).split("\0")
            parts[-1] += first
            parts += others
        else:
            parts[-1] += str(child)
        ended = child.name in ("strong", "span") and bool(re.search(r"[.!?]$", child.get_text()))
    return [part.strip() for part in parts if part.strip()]


def begins(paragraph: Tag, most: int) -> str:
    """The first sentences of a paragraph, up to `most` letters, at least one beside a bold one; and any bold ones."""
    kept, length, is_begin = [], 0, True
    for sentence in sentences(paragraph):
        length += letters(sentence)
        is_begin &= all(map(BOLD.fullmatch, kept)) or length <= most
        if is_begin or "<strong>" in sentence:
            kept.append(sentence)
    return " ".join(kept)


def closed(text: str) -> str:
    """A text whose last sentence leads to nothing, since what it leads to stands on no slide."""
    return re.sub(r"\s*:$", " …", text)


def ends(paragraph: Tag, most: int) -> str:
    """The last sentences of a paragraph, at least one: what leads to a formula or a table."""
    *others, kept = sentences(paragraph)
    while others and letters(kept) + letters(others[-1]) <= most:
        kept = f"{others.pop()} {kept}"
    return kept


def packed(blocks: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Blocks of HTML with their sizes, on as few slides as take them, each about as full as the others."""
    blocks = list(blocks)
    total = sum(size for _, size in blocks)
    count = math.ceil(total / SLIDE)
    ends_at = accumulate(size for _, size in blocks)
    slide = [int((end - size / 2) * count / total) for end, (_, size) in zip(ends_at, blocks, strict=True)]
    for _, held in groupby(zip(slide, blocks, strict=True), key=lambda pair: pair[0]):
        yield "\n".join(block for _, (block, _) in held)
