"""An encoder–decoder of the same size from elsewhere: `torch.nn.Transformer`, or the Marian of `transformers`.

Each is given what ours has: the embedding shared by both sides and the output, sinusoidal positions, label smoothing,
padding that is neither seen nor asked for. What differs is the code inside; and Marian is post-norm, without a last
norm, whatever ``config.norm`` says.
"""

import math
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import MarianConfig, MarianMTModel

from lessons_lib.positions import sinusoidal_table
from lessons_lib.transformer import TransformerConfig
from lessons_lib.translation.data.batching import Batch


def smoothed_loss(logits: Tensor, batch: Batch, config: TransformerConfig, smoothing: float) -> Tensor:
    """Cross-entropy of logits (B, T, V), as everybody writes it."""
    return F.cross_entropy(
        logits.flatten(0, 1), batch.tgt_out.flatten(), ignore_index=config.pad_id, label_smoothing=smoothing
    )


class TorchTransformer(nn.Module):
    """`torch.nn.Transformer` between a tied embedding and projection.

    Args:
        inner_dropout: whether it also drops attention weights and what is hidden in the feed-forward network, as it
            does for everybody who does not forbid it; ours does not.
    """

    def __init__(self, config: TransformerConfig, inner_dropout: bool = True):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_id)
        nn.init.normal_(self.embedding.weight, std=config.d_model**-0.5)
        self.register_buffer("table", sinusoidal_table(config.max_length, config.d_model))
        self.dropout = nn.Dropout(config.dropout)
        layers = (config.n_encoder_layers, config.n_decoder_layers, config.d_ff, config.dropout)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has no fast path with pre-norm, and says so
            self.layers = nn.Transformer(
                config.d_model, config.n_heads, *layers, batch_first=True, norm_first=config.norm == "pre"
            )
        if not inner_dropout:
            for layer in (*self.layers.encoder.layers, *self.layers.decoder.layers):
                layer.dropout.p = layer.self_attn.dropout = 0.0
            for layer in self.layers.decoder.layers:
                layer.multihead_attn.dropout = 0.0

    def loss(self, batch: Batch, smoothing: float) -> Tensor:
        embedded = [
            self.dropout(self.embedding(tokens) * math.sqrt(self.config.d_model) + self.table[: tokens.shape[1]])
            for tokens in (batch.src, batch.tgt_in)
        ]
        padding = batch.src == self.config.pad_id
        length = batch.tgt_in.shape[1]
        hidden = self.layers(
            *embedded,
            tgt_mask=torch.ones(length, length, dtype=torch.bool, device=padding.device).triu(1),
            tgt_is_causal=True,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return smoothed_loss(F.linear(hidden, self.embedding.weight), batch, self.config, smoothing)


class HuggingFaceMarian(nn.Module):
    """`transformers.MarianMTModel` of the same size; ``attention`` is "eager" or "sdpa", whichever is faster."""

    def __init__(self, config: TransformerConfig, attention: str = "eager"):
        super().__init__()
        self.config = config
        both = {
            f"{side}_{name}": value
            for side, n_layers in (("encoder", config.n_encoder_layers), ("decoder", config.n_decoder_layers))
            for name, value in (
                ("layers", n_layers),
                ("attention_heads", config.n_heads),
                ("ffn_dim", config.d_ff),
            )
        }
        special = {"pad_token_id": config.pad_id, "eos_token_id": config.eos_id, "bos_token_id": config.bos_id}
        sizes = {"vocab_size": config.vocab_size, "d_model": config.d_model, "dropout": config.dropout}
        self.model = MarianMTModel(
            MarianConfig(
                **both,
                **special,
                **sizes,
                max_position_embeddings=config.max_length,
                decoder_start_token_id=config.bos_id,
                activation_function="relu",
                scale_embedding=True,
                attn_implementation=attention,
                use_cache=False,
            )
        )

    def loss(self, batch: Batch, smoothing: float) -> Tensor:
        seen = batch.src != self.config.pad_id
        logits = self.model(batch.src, attention_mask=seen, decoder_input_ids=batch.tgt_in).logits
        return smoothed_loss(logits, batch, self.config, smoothing)
