"""The key–value cache: while a sentence is generated, the past is projected once and kept."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


class KeyValueCache:
    """The keys and values of one self-attention layer, in memory that is allocated once.

    Args:
        like: any tensor (B, H, S, K) of keys; gives batch, heads, width, dtype and device.
        max_length: the number of positions that fit.
    """

    def __init__(self, like: Float[Tensor, "B H S K"], max_length: int):
        batch, heads, _, width = like.shape
        self.key = like.new_empty(batch, heads, max_length, width)
        self.value = torch.empty_like(self.key)
        self.length = 0

    def append(
        self, key: Float[Tensor, "B H T K"], value: Float[Tensor, "B H T K"]
    ) -> tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]:
        """Store T new positions; return all positions so far.

        Raises:
            ValueError: the new positions do not fit.
        """
        end = self.length + key.shape[2]
        if end > self.key.shape[2]:
            raise ValueError(f"position {end} does not fit a cache of max_length={self.key.shape[2]}; make it longer")
        self.key[:, :, self.length : end] = key
        self.value[:, :, self.length : end] = value
        self.length = end
        return self.key[:, :, :end], self.value[:, :, :end]

    def reorder(self, rows: Int[Tensor, " B2"]) -> None:
        """Keep these rows of the batch, in this order (beams that survive, sentences not yet finished)."""
        self.key, self.value = self.key[rows], self.value[rows]


@dataclass
class LayerCache:
    """One decoder layer: its own past, which grows, and the source sentence, which does not."""

    past: KeyValueCache
    source_key: Float[Tensor, "B H S K"]
    source_value: Float[Tensor, "B H S K"]


@dataclass
class DecoderCache:
    """What the decoder remembers between two steps: a `LayerCache` a layer."""

    layers: list[LayerCache]

    @property
    def length(self) -> int:
        """The number of target positions decoded so far."""
        return self.layers[0].past.length

    def reorder(self, rows: Int[Tensor, " B2"]) -> None:
        """Keep these rows of the batch, in this order, in every layer."""
        for layer in self.layers:
            layer.past.reorder(rows)
            layer.source_key, layer.source_value = layer.source_key[rows], layer.source_value[rows]
