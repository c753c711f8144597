"""Positions: attention alone cannot tell "dog bites man" from "man bites dog".

Six ways to tell it, one protocol. `Positions.add` acts once, on the embeddings; `Positions.for_attention` acts inside
every self-attention, on its scores (a bias) or on its queries and keys (a rotation). Each way overrides what it needs.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons_lib.attention import NO_POSITIONS, AttentionPositions
from lessons_lib.errors import UserError


class Positions(nn.Module):
    """The protocol, and the way of those who tell nothing."""

    def add(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        """The embeddings of positions ``start`` to ``start + T``, told where they stand."""
        return x

    def for_attention(self, length: int, start: int = 0) -> AttentionPositions:
        """For queries at ``start`` to ``start + length`` and keys at 0 to ``start + length``."""
        return NO_POSITIONS


def sinusoidal_table(max_length: int, d_model: int) -> Float[Tensor, "T D"]:
    """PE[t, 2i] = sin(t / 10000^(2i/D)), PE[t, 2i+1] = cos(the same) (Vaswani et al. 2017, section 3.5).

    Raises:
        ValueError: ``d_model`` is odd, so that a sine would have no cosine.
    """
    table = torch.empty(max_length, d_model)
    angles = _angles(max_length, d_model=d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


class _Table(Positions):
    """Adds row t of a table to the embedding at position t."""

    table: Float[Tensor, "T D"]

    def add(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        return x + self.table[start : _checked_end(start + x.shape[1], len(self.table))]


class SinusoidalPositions(_Table):
    """Adds the sinusoidal table. Nothing is learned, so nothing is saved.

    Args:
        interleaved: sine, cosine, sine … as published; False: all sines, then all cosines, as in Hugging
            Face's Marian: the same table, its columns in another order. (The paper's code, tensor2tensor, has this
            order too, with slightly other speeds: the exponents −i/(D/2 − 1) for i = 0 … D/2 − 1.)
    """

    def __init__(self, max_length: int, d_model: int, interleaved: bool = True):
        super().__init__()
        table = sinusoidal_table(max_length, d_model)
        if not interleaved:
            table = torch.cat([table[:, 0::2], table[:, 1::2]], dim=1)
        self.register_buffer("table", table, persistent=False)


class LearnedPositions(_Table):
    """Adds a learned vector a position (Gehring et al. 2017; BERT and GPT-2)."""

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)


class RotaryPositions(Positions):
    """Turns queries and keys by an angle that grows with the position (Su et al. 2021, section 3.2.2).

    Of two places only t − s then enters the product of a query at t and a key at s. The pairs that turn together are
    the two halves, dimensions i and i + d_head/2, as in Hugging Face's Llama. The paper and Meta's own Llama code pair
    neighbours, 2i and 2i + 1: for such weights, put the rows of each head's W_Q and W_K in the order 0, 2, 4 …, 1, 3 …

    Raises:
        ValueError: ``d_head`` is odd.
    """

    def __init__(self, max_length: int, d_head: int, base: float = 10_000.0):
        super().__init__()
        angles = _angles(max_length, base, d_head=d_head)
        self.register_buffer("cosine", angles.cos().repeat(1, 2), persistent=False)  # (T, d_head)
        self.register_buffer("sine", torch.cat([-angles.sin(), angles.sin()], dim=1), persistent=False)

    def for_attention(self, length: int, start: int = 0) -> AttentionPositions:
        end = _checked_end(start + length, len(self.cosine))
        cosine, sine = self.cosine[start:end], self.sine[start:end]

        def rotate(heads: Float[Tensor, "B H T d_head"]) -> Float[Tensor, "B H T d_head"]:
            partner = heads.roll(heads.shape[-1] // 2, dims=-1)
            return (heads * cosine + partner * sine).to(heads.dtype)

        return AttentionPositions(rotate=rotate)


class _Bias(Positions):
    """Adds to each score a number that depends on the head and on how far the key stands from the query."""

    def for_attention(self, length: int, start: int = 0) -> AttentionPositions:
        device = next((x.device for x in (*self.parameters(), *self.buffers())), None)
        keys = torch.arange(start + length, device=device)
        return AttentionPositions(bias=self.bias(keys - keys[start:, None]))

    def bias(self, distance: Int[Tensor, "T S"]) -> Float[Tensor, "H T S"]:
        """The bias at these distances, key − query: negative looks back."""
        raise NotImplementedError


class AlibiPositions(_Bias):
    """Less score for more distance, at a slope a head: −m·|t − s| (Press et al. 2022, section 3).

    It does not say on which side a key stands. A causal mask does; without one, in an encoder, a sentence read
    backwards gives the same outputs, backwards.
    """

    def __init__(self, n_heads: int):
        super().__init__()
        self.register_buffer("slopes", alibi_slopes(n_heads), persistent=False)

    def bias(self, distance: Int[Tensor, "T S"]) -> Float[Tensor, "H T S"]:
        return -self.slopes[:, None, None] * distance.abs()


def alibi_slopes(n_heads: int) -> Float[Tensor, " H"]:
    """2^(−8/H), 2^(−16/H) …; where H is no power of two, the next lower power's and every other one of the next."""
    power = 2 ** math.floor(math.log2(n_heads))
    slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    slopes += [2 ** (-4 * (i + 1) / power) for i in range(0, 2 * (n_heads - power), 2)]
    return torch.tensor(slopes)


class ClippedRelativePositions(_Bias):
    """A learned bias for each head and distance; beyond ``max_distance`` all are one (after Shaw et al. 2018).

    Distances run from −max to +max, which is 2·max + 1 numbers: with one column less, +max has none.
    """

    def __init__(self, n_heads: int, max_distance: int = 16):
        super().__init__()
        self.max_distance = max_distance
        self.table = nn.Parameter(torch.zeros(n_heads, 2 * max_distance + 1))

    def bias(self, distance: Int[Tensor, "T S"]) -> Float[Tensor, "H T S"]:
        return self.table[:, distance.clamp(-self.max_distance, self.max_distance) + self.max_distance]


class T5Positions(_Bias):
    """A learned bias for each head and bucket of distances; the buckets widen with distance (Raffel et al. 2020, 2.1).

    In T5 all layers of a stack share one table, and so they do here. Unlike T5's, our scores are divided by √d_head.

    Args:
        causal: nobody looks ahead, so all buckets are for the past.
    """

    def __init__(self, n_heads: int, causal: bool, n_buckets: int = 32, max_distance: int = 128):
        super().__init__()
        self.causal, self.max_distance = causal, max_distance
        self.table = nn.Parameter(torch.zeros(n_heads, n_buckets))

    def bias(self, distance: Int[Tensor, "T S"]) -> Float[Tensor, "H T S"]:
        return self.table[:, t5_bucket(distance, self.causal, self.table.shape[1], self.max_distance)]


def t5_bucket(distance: Int[Tensor, "T S"], causal: bool, n_buckets: int, max_distance: int) -> Int[Tensor, "T S"]:
    """The bucket of each distance (Raffel et al. 2020, section 2.1).

    Half of the buckets, of each direction, hold one distance each; the rest widen, and from ``max_distance`` on all
    distances share one.
    """
    if causal:
        offset, distance = 0, (-distance).clamp(min=0)
    else:
        n_buckets //= 2
        offset, distance = (distance > 0) * n_buckets, distance.abs()
    exact = n_buckets // 2
    widened = torch.log(distance.clamp(min=1) / exact) / math.log(max_distance / exact) * (n_buckets - exact)
    wide = (exact + widened.to(distance.dtype)).clamp(max=n_buckets - 1)
    return offset + torch.where(distance < exact, distance, wide)


# How a configuration names them: each makes the positions of one stack, which is causal or not.
POSITIONS: dict[str, Callable[..., Positions]] = {
    "sinusoidal": lambda config, causal: SinusoidalPositions(config.max_length, config.d_model),
    "sinusoidal_halves": lambda config, causal: SinusoidalPositions(config.max_length, config.d_model, False),
    "learned": lambda config, causal: LearnedPositions(config.max_length, config.d_model),
    "rope": lambda config, causal: RotaryPositions(config.max_length, config.head_width, config.rope_base),
    "alibi": lambda config, causal: AlibiPositions(config.n_heads),
    "relative": lambda config, causal: ClippedRelativePositions(config.n_heads),
    "t5": lambda config, causal: T5Positions(config.n_heads, causal),
    "none": lambda config, causal: Positions(),
}


def _angles(max_length: int, base: float = 10_000.0, **named: int) -> Float[Tensor, "T K2"]:
    """t / base^(2i/width): the angle of pair i at position t; the width comes under its name."""
    ((name, width),) = named.items()
    if width % 2:
        raise UserError(f"{name}={width} is odd; sines and cosines come in pairs, use {width + 1}")
    return torch.arange(max_length)[:, None] * base ** (-torch.arange(0, width, 2) / width)


def _checked_end(end: int, max_length: int) -> int:
    if end > max_length:
        raise UserError(f"a sequence of {end} tokens is longer than max_length={max_length}; shorten it")
    return end
