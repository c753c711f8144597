"""Batches: sentences of like length together, so that little of the arithmetic is spent on padding."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.translation.corpus import Pair
from lessons_lib.translation.tokenizer import Tokenizer


class Example(NamedTuple):
    """One sentence pair as token ids, without ``<s>`` and ``</s>``."""

    src: list[int]
    tgt: list[int]


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


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[Pair], max_length: int) -> list[Example]:
    """Token ids of each pair; pairs that do not fit ``max_length`` on both sides, ``</s>`` included, are left out."""
    sources = tokenizer.encode_all(pair.source for pair in pairs)
    targets = tokenizer.encode_all(pair.target for pair in pairs)
    return [
        Example(src, tgt) for src, tgt in zip(sources, targets, strict=True) if max(len(src), len(tgt)) < max_length
    ]


def bucket(examples: Sequence[Example], token_budget: int, rng: np.random.Generator) -> list[list[int]]:
    """Indices of ``examples``, grouped by length: a group's rows times its longest row stay within ``token_budget``.

    Examples of equal length fall into another group each time, and the groups come in random order; an example
    longer than the whole budget is a group of its own.
    """
    shuffled = rng.permutation(len(examples)).tolist()
    by_length = sorted(shuffled, key=lambda i: (len(examples[i].tgt), len(examples[i].src)))
    groups, longest = [], 0
    for index in by_length:
        longest = max(longest, *(len(side) + 1 for side in examples[index]))
        if not groups or longest * (len(groups[-1]) + 1) > token_budget:
            groups.append([])
            longest = max(len(side) + 1 for side in examples[index])
        groups[-1].append(index)
    return [groups[i] for i in rng.permutation(len(groups))]


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
    length = max(len(row) for row in rows)
    return torch.tensor([row + [pad_id] * (length - len(row)) for row in rows])


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
        for group in self._groups(0):
            for side in ("src", "tgt"):
                lengths = [len(getattr(self.examples[i], side)) + 1 for i in group]
                tokens += sum(lengths)
                positions += len(lengths) * max(lengths)
        return tokens / positions

    def _groups(self, number: int) -> list[list[int]]:
        return bucket(self.examples, self.token_budget, np.random.default_rng([self.seed, number]))

    def _batch(self, group: list[int]) -> Batch:
        return collate([self.examples[i] for i in group], self.tokenizer).to(self.device)
