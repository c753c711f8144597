"""Decoding without a key–value cache: the decoder reads the whole beginning again for each token. To compare with."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from lessons_lib.transformer import Transformer


class Beginnings:
    """What is kept between two steps in the place of keys and values: the encoder's output, and the tokens so far."""

    def __init__(self, memory: Float[Tensor, "B S D"]):
        self.memory = memory
        self.tokens = torch.empty(len(memory), 0, dtype=torch.long, device=memory.device)

    def reorder(self, rows: Int[Tensor, " B2"], beam: int = 1) -> None:
        """Keep these rows of the batch, in this order; every row has its own source, whatever the ``beam``."""
        self.memory, self.tokens = self.memory[rows], self.tokens[rows]


class Uncached(Transformer):
    """The same weights as ``model``, with which every search runs as before; a step costs all positions, not one."""

    def __init__(self, model: Transformer):
        nn.Module.__init__(self)
        self.config, self.embedding, self.output = model.config, model.embedding, model.output
        self.encoder, self.decoder = model.encoder, model.decoder
        self.train(model.training)

    def new_cache(self, memory: Float[Tensor, "B S D"], max_length: int) -> Beginnings:
        """No tokens so far; ``max_length`` needs no room."""
        return Beginnings(memory)

    def decode_step(
        self, tokens: Int[Tensor, "B 1"], cache: Beginnings, source_mask: Bool[Tensor, "B 1 1 S"]
    ) -> Float[Tensor, "B V"]:
        """Logits of the next token, from the whole beginning."""
        cache.tokens = torch.cat([cache.tokens, tokens], dim=1)
        return self.project(self.decode_hidden(cache.tokens, cache.memory, source_mask)[:, -1])
