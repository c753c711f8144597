"""Layers of PyTorch on the device meta, counted; a loop for the batch.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import torch
from torch import nn


def count_parameters(
    vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True
):
    with torch.device("meta"):
        parts = [nn.Embedding(vocab_size, d_model)]
        for layers, is_decoder in ((n_encoder_layers, False), (n_decoder_layers, True)):
            if layers:
                parts += [nn.LayerNorm(d_model)]
                parts += [nn.Embedding(n_positions, d_model)] if n_positions else []
            attentions = 2 if is_decoder and n_encoder_layers else 1
            for _ in range(layers):
                parts += [nn.Linear(d_model, d_model, bias=bias) for _ in range(4 * attentions)]
                parts += [nn.Linear(d_model, d_ff, bias=bias), nn.Linear(d_ff, d_model, bias=bias)]
                parts += [nn.LayerNorm(d_model) for _ in range(attentions + 1)]
        if n_decoder_layers and not tied:
            parts += [nn.Linear(d_model, vocab_size, bias=False)]
    return sum(p.numel() for part in parts for p in part.parameters())


def cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2):
    heads = n_heads if n_kv_heads is None else n_kv_heads
    total = 0
    for _ in range(n_layers):
        for tokens in (length, source_length):
            key = torch.empty(batch, heads, tokens, d_model // n_heads, device="meta")
            total += 2 * key.numel() * bytes_a_number
    return total


def largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False):
    each = [weight_bytes, 8 + weight_bytes, 4 * (weight_bytes < 4)]
    needed = sum(each if training else each[:1]) * n_parameters
    fits = 0
    step = 1 << 40
    while step:
        if needed + (fits + step) * bytes_a_sequence <= memory_gib * 2**30:
            fits += step
        step //= 2
    return fits
