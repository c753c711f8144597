"""Batches: sentences of like length together, so that little of the arithmetic is spent on padding."""

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.tokenizer import Tokenizer

ENCODED_AT_ONCE = 10_000  # pairs


class Example(NamedTuple):
    """One sentence pair as token ids, without ``<s>`` and ``</s>``."""

    src: list[int]
    tgt: list[int]


class Examples(Sequence[Example]):
    """Many examples in little memory: the ids of all of them in one array, of 2 bytes an id for up to 65,536 pieces.

    As lists of Python's integers, a million pairs of 25 tokens a side would take 2 GB; so they take 0.1.
    """

    def __init__(self, ids: np.ndarray, lengths: Int[np.ndarray, "N 2"]):
        self._ids, self.lengths = ids, lengths  # of source and target; each target follows its source
        self._starts = np.concatenate([[0], np.cumsum(lengths.sum(1))])

    @classmethod
    def of(cls, pairs: Iterable[tuple[list[int], list[int]]], vocab_size: int) -> "Examples":
        """Put examples together as they come."""
        ids = array("H" if vocab_size <= 1 << 16 else "I")
        lengths = array("I")
        for src, tgt in pairs:
            ids.extend(src)
            ids.extend(tgt)
            lengths.extend((len(src), len(tgt)))
        return cls(np.asarray(ids), np.asarray(lengths).reshape(-1, 2).astype(np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        start, (src, tgt) = self._starts[:-1][index], self.lengths[index]
        return Example(self._ids[start : start + src].tolist(), self._ids[start + src : start + src + tgt].tolist())


class Batch(NamedTuple):
    """What one training step reads. ``tgt_out`` is ``tgt_in`` one step later: at each position, the token to predict.

    src is ``x₁ … xₙ </s>``, tgt_in ``<s> y₁ … yₘ`` and tgt_out ``y₁ … yₘ </s>``; the rest of each row is padding.
    ``tokens`` counts the tokens to predict, without padding.
    """

    src: Int[Tensor, "B S"]
    tgt_in: Int[Tensor, "B T"]
    tgt_out: Int[Tensor, "B T"]
    tokens: int

    def part(self, index: int, count: int, pad_id: int) -> tuple["Batch", Float[Tensor, ""]]:
        """Every ``count``-th row from ``index`` on, and its share of the tokens; ``tokens`` stays that of the whole.

        Where there are fewer rows than parts, the parts left over get the first row, and a share of 0.
        """
        rows = slice(index, None, count) if index < len(self.src) else slice(0, 1)
        sides = [side[rows] for side in self[:3]]
        share = (sides[2] != pad_id).sum() / self.tokens
        return Batch(*sides, self.tokens), share * (index < len(self.src))

    def to(self, device: torch.device) -> "Batch":
        """The same batch on ``device``."""
        if device.type != "cuda":
            return Batch(*(tensor.to(device) for tensor in self[:3]), self.tokens)
        # Pinned memory lets the copy run while the GPU still computes the step before.
        return Batch(*(tensor.pin_memory().to(device, non_blocking=True) for tensor in self[:3]), self.tokens)


def encode_pairs(tokenizer: Tokenizer, pairs: Iterable[Pair], max_length: int) -> Examples:
    """Token ids of each pair; pairs that do not fit ``max_length`` on both sides, ``</s>`` included, are left out."""

    def encoded() -> Iterator[tuple[list[int], list[int]]]:
        rest = iter(pairs)
        while some := list(itertools.islice(rest, ENCODED_AT_ONCE)):
            sources = tokenizer.encode_all(pair.source for pair in some)
            targets = tokenizer.encode_all(pair.target for pair in some)
            yield from zip(sources, targets, strict=True)

    fitting = ((src, tgt) for src, tgt in encoded() if max(len(src), len(tgt)) < max_length)
    return Examples.of(fitting, len(tokenizer))


def bucket(examples: Sequence[Example], token_budget: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Indices of examples, grouped by length: a group's rows times its longest row stay within ``token_budget``.

    Examples of equal length fall into another group each time, and the groups come in random order; an example
    longer than the whole budget is a group of its own.
    """
    lengths = _lengths(examples)
    shuffled = rng.permutation(len(lengths))
    by_length = shuffled[np.lexsort((lengths[shuffled, 0], lengths[shuffled, 1]))]  # target first, then source
    starts, longest = [], 0
    for place, length in enumerate((lengths[by_length].max(1) + 1).tolist()):
        longest = max(longest, length)
        if not starts or longest * (place - starts[-1] + 1) > token_budget:
            starts.append(place)
            longest = length
    groups = np.split(by_length, starts[1:]) if starts else []
    return [groups[i] for i in rng.permutation(len(groups))]


def _lengths(examples: Sequence[Example]) -> Int[np.ndarray, "N 2"]:
    """Of source and target of each example, without ``</s>``, which each row has beside."""
    if isinstance(examples, Examples):
        return examples.lengths
    return np.array([[len(example.src), len(example.tgt)] for example in examples]).reshape(-1, 2).astype(np.int64)


def collate(examples: Sequence[Example], tokenizer: Tokenizer) -> Batch:
    """Pad these examples to a rectangle."""
    bos, eos = [tokenizer.bos_id], [tokenizer.eos_id]
    return Batch(
        src=pad([example.src + eos for example in examples], tokenizer.pad_id),
        tgt_in=pad([bos + example.tgt for example in examples], tokenizer.pad_id),
        tgt_out=pad([example.tgt + eos for example in examples], tokenizer.pad_id),
        tokens=sum(len(example.tgt) + 1 for example in examples),
    )


def pad(rows: Sequence[list[int]], pad_id: int) -> Int[Tensor, "B T"]:
    """A rectangle of the rows, each filled with ``pad_id`` on the right."""
    lengths = np.array([len(row) for row in rows])
    filled = np.full((len(rows), lengths.max()), pad_id)
    filled[np.arange(lengths.max()) < lengths[:, None]] = list(itertools.chain.from_iterable(rows))
    return torch.from_numpy(filled)


class Batches:
    """All examples once an epoch, in length-bucketed batches; the same seed gives the same batches.

    Args:
        token_budget: rows times length of the longer side, at most, in each batch.
        device: where the batches are put; the CPU, without it.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        tokenizer: Tokenizer,
        token_budget: int,
        seed: int = 0,
        device: torch.device | None = None,
    ):
        self.examples, self.tokenizer, self.token_budget = examples, tokenizer, token_budget
        self.seed, self.device = seed, device or torch.device("cpu")

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, on the device."""
        yield from map(self._batch, self._groups(number))

    def forever(self, done: int = 0) -> Iterator[Batch]:
        """Epoch after epoch, without the first ``done`` batches: those that a training had before it was cut off."""
        for number in itertools.count():
            groups = self._groups(number)
            yield from (self._batch(group) for group in groups[done:])
            done = max(0, done - len(groups))

    def efficiency(self) -> float:
        """The share of positions that hold a token and not padding, both sides together (first epoch)."""
        tokens = positions = 0
        lengths = _lengths(self.examples) + 1
        for group in self._groups(0):
            tokens += int(lengths[group].sum())
            positions += len(group) * int(lengths[group].max(0).sum())
        return tokens / positions

    def _groups(self, number: int) -> list[np.ndarray]:
        return bucket(self.examples, self.token_budget, np.random.default_rng([self.seed, number]))

    def _batch(self, group: np.ndarray) -> Batch:
        return collate([self.examples[i] for i in group], self.tokenizer).to(self.device)
