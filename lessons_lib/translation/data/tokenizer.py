"""Subwords: one byte-pair vocabulary for both languages (Sennrich et al. 2016), from which text comes back exactly.

A piece begins with a space where a word begins; it is shown as ▁. Characters that the training text never had are
spelled in their UTF-8 bytes, so nothing is ever lost and nothing is "unknown".
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Engine

from lessons_lib.errors import UserError

PAD, BOS, EOS = "<pad>", "<s>", "</s>"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORD_START = "▁"

# Merges never cross these borders. An apostrophe stays with the elided word before it (l'|herbe), except where
# English writes it with what follows (woman|'s, does|n't would be doesn|'t); digits and punctuation stand alone.
_CONTRACTION = r"'(?:s|t|re|ve|ll|m|d)\b"
_PATTERN = rf" ?\p{{L}}+(?={_CONTRACTION})|{_CONTRACTION}| ?[\p{{L}}\p{{M}}]+['’]?| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s"


class Tokenizer:
    """Text to token ids and back. ``<pad>``, ``<s>`` and ``</s>`` are 0, 1 and 2; no text is encoded as one of them."""

    pad_id, bos_id, eos_id = 0, 1, 2

    def __init__(self, vocabulary: dict[str, int], merges: list[tuple[str, str]]):
        self._engine = Engine(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True))
        self._engine.pre_tokenizer = pre_tokenizers.Split(Regex(_PATTERN), "isolated")
        self._engine.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
        self._pieces = [piece for piece, _ in sorted(vocabulary.items(), key=lambda item: item[1])]

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "Tokenizer":
        """Learn ``vocab_size`` pieces from ``texts`` (fewer, if the texts have no more pairs to merge).

        Raises:
            ValueError: ``vocab_size`` has no room for the bytes and the letters of the texts.
        """
        engine = Engine(models.BPE(byte_fallback=True))
        engine.pre_tokenizer = pre_tokenizers.Split(Regex(_PATTERN), "isolated")
        trainer = trainers.BpeTrainer(  # its sizes have 64 bits
            vocab_size=min(vocab_size, 2**63), special_tokens=[PAD, BOS, EOS, *BYTES], show_progress=False
        )
        engine.train_from_iterator((" " + text for text in texts), trainer)
        tokenizer = cls(*_vocabulary_and_merges(json.loads(engine.to_str())))
        if len(tokenizer) > vocab_size:
            raise UserError(
                f"vocab_size={vocab_size} has no room for the {len(tokenizer)} bytes and letters "
                f"of the training text; use {2 * len(tokenizer)} or more"
            )
        return tokenizer

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """The tokenizer that `save` wrote.

        Raises:
            ValueError: the file is not one of ours.
        """
        try:
            vocabulary, merges = _vocabulary_and_merges(json.loads(Path(path).read_text("utf-8-sig")))
            tokenizer = cls(vocabulary, merges)
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path} is not a tokenizer that `lessons train` wrote; train again") from None
        if tokenizer._pieces[:3] != [PAD, BOS, EOS]:
            raise UserError(f"{path} does not begin with {PAD}, {BOS}, {EOS}; train again")
        return tokenizer

    def save(self, path: Path) -> None:
        """Write the vocabulary and the merges as the JSON of the `tokenizers` library."""
        Path(path).write_text(self._engine.to_str(pretty=False), "utf-8")

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def vocabulary(self) -> list[str]:
        """Every piece by its id, no two alike; a piece begins with a space where a word begins."""
        return self._pieces

    def encode(self, text: str) -> list[int]:
        """Token ids, without ``<s>`` and ``</s>``.

        Raises:
            ValueError: see `encode_all`.
        """
        try:
            return self._engine.encode(" " + text).ids
        except TypeError:
            raise UserError(_no_text([text])) from None

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """`encode`, for many texts at once on all cores.

        Raises:
            ValueError: one is not text, or holds half a character (a lone surrogate); says which.
        """
        texts = list(texts)
        try:
            return [encoding.ids for encoding in self._engine.encode_batch_fast([" " + text for text in texts])]
        except TypeError:
            raise UserError(_no_text(texts)) from None

    def decode(self, ids: Iterable[int]) -> str:
        """The text: exactly the one that was encoded. ``<pad>``, ``<s>`` and ``</s>`` are left out."""
        text = self._engine.decode([token for token in ids if token > self.eos_id])
        return text.removeprefix(" ")

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The pieces as people read them: ▁ marks a space, <0xC3> is one byte of a character never seen."""
        return [self._pieces[token].replace(" ", WORD_START) for token in ids]

    def word_ids(self, ids: Iterable[int]) -> list[int | None]:
        """For each token, the index of its word in `split_words`; None for ``</s>`` and for bare blanks.

        This is what turns a table of attention between subwords into one between words.
        """
        spans, end = [], 0  # where each piece lies in the text, in bytes
        raw = b""
        for token in ids:
            raw += self._bytes(token)
            spans.append((end, len(raw)))
            end = len(raw)
        words = [match.span() for match in re.finditer(rb"[^ \t\n\v\f\r]+", raw)]
        found, word = [], 0
        for start, stop in spans:
            while word < len(words) and words[word][1] <= start:
                word += 1
            inside = word < len(words) and start < stop and words[word][0] < stop
            found.append(word if inside else None)
        return found

    def _bytes(self, token: int) -> bytes:
        if token <= self.eos_id:
            return b""
        if token <= self.eos_id + len(BYTES):
            return bytes([token - self.eos_id - 1])
        return self._pieces[token].encode()


def _no_text(texts: list) -> str:
    """Which of the texts is none, and what to do: the library `tokenizers` says neither."""
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            return f"text {number} is of type {type(text).__name__}; give a str"
        if half := re.search("[\ud800-\udfff]", text):
            return f"text {number} holds half a character, {half[0]!a}; read it anew, or drop it"
    return "the texts cannot be encoded"


def _vocabulary_and_merges(saved: dict) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = saved["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def split_words(text: str) -> list[str]:
    """What stands between blanks, tabs and line ends: the words that programs which read Pharaoh files count.

    A no-break space, as French has it before « ? », belongs to its word; `str.split` would split there.
    """
    return re.findall(r"[^ \t\n\v\f\r]+", text)


def plain(text: str) -> str:
    """One blank between words, none around them, accents in composed form (NFC): as models read text, and learn it.

    A second blank, a tab or a line end would be a token of its own, which hardly any training text has.
    """
    return " ".join(split_words(unicodedata.normalize("NFC", text)))
