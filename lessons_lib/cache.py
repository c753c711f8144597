"""The key–value cache: while a sentence is generated, the past is projected once and kept."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.errors import UserError


class KeyValueCache:
    """The keys and values of one self-attention layer, in memory that is allocated once.

    Args:
        batch, n_kv_heads, d_head: the sizes of what will be stored.
        max_length: the number of positions that fit.
        like: any tensor of the dtype and device to store in.
    """

    def __init__(self, batch: int, n_kv_heads: int, max_length: int, d_head: int, like: Tensor):
        self.key = like.new_empty(batch, n_kv_heads, max_length, d_head)
        self.value = torch.empty_like(self.key)
        self.length = 0

    def append(
        self, key: Float[Tensor, "B G T d_head"], value: Float[Tensor, "B G T d_head"]
    ) -> tuple[Float[Tensor, "B G S d_head"], Float[Tensor, "B G S d_head"]]:
        """Store T new positions; return all positions so far.

        Raises:
            ValueError: the new positions do not fit.
        """
        end = self.length + key.shape[2]
        if end > self.key.shape[2]:
            raise UserError(f"position {end} does not fit a cache of max_length={self.key.shape[2]}; make it longer")
        self.key[:, :, self.length : end] = key
        self.value[:, :, self.length : end] = value
        self.length = end
        return self.key[:, :, :end], self.value[:, :, :end]

    def reorder(self, rows: Int[Tensor, " B2"]) -> None:
        """Keep these rows of the batch, in this order (beams that survive, sentences not yet finished)."""
        self.key, self.value = (_rows_of(memory, rows, self.length) for memory in (self.key, self.value))


@dataclass
class LayerCache:
    """One decoder layer: its own past, which grows, and the keys and values of the source, which do not.

    The past has a row a sentence, or ``beam`` neighbouring rows, which then share the sentence's row of the source.
    """

    past: KeyValueCache
    source: tuple[Float[Tensor, "B G S d_head"], Float[Tensor, "B G S d_head"]] | None = None
    beam: int = 1


@dataclass
class DecoderCache:
    """What the decoder remembers between two steps: a `LayerCache` a layer."""

    layers: list[LayerCache]

    @property
    def length(self) -> int:
        """The number of target positions decoded so far."""
        return self.layers[0].past.length

    def reorder(self, rows: Int[Tensor, " B2"], beam: int = 1) -> None:
        """Keep these rows of the batch, in this order, in every layer; each ``beam`` of them are of one sentence."""
        for layer in self.layers:
            if layer.source is not None:
                sentences = rows[::beam] // layer.beam
                layer.source = tuple(_rows_of(x, sentences, x.shape[2]) for x in layer.source)
            layer.past.reorder(rows)
            layer.beam = beam


def _rows_of(memory: Tensor, rows: Tensor, length: int) -> Tensor:
    """These rows, in the same memory where they fit; what stays, or is behind ``length``, is not copied."""
    if len(rows) > len(memory):
        memory, old = memory.new_empty(len(rows), *memory.shape[1:]), memory
        memory[:, :, :length] = old[:, :, :length].index_select(0, rows)
        return memory
    moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero()[:, 0]
    if len(moved):
        memory[moved, :, :length] = memory[:, :, :length].index_select(0, rows[moved])
    return memory[: len(rows)]
