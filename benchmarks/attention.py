"""The two paths of attention, as the length grows."""

from collections.abc import Iterator

import torch

from lessons_lib.attention import fused_attention, scaled_dot_product_attention
from lessons_lib.timing import milliseconds


def attention(
    device: torch.device, lengths: tuple[int, ...] = (16, 32, 64, 128, 256, 512), tokens: int = 4_096
) -> Iterator[tuple[str, ...]]:
    """The readable path, which can return its weights, against PyTorch's fused kernel: 4 heads of 64, both ways."""
    yield "sentences", "length", "readable, ms", "fused, ms", "fused is faster by"
    for length in lengths:
        batch = max(1, tokens // length)
        heads = [torch.randn(batch, 4, length, 64, device=device, requires_grad=True) for _ in range(3)]
        readable = milliseconds(lambda x=heads: scaled_dot_product_attention(*x)[0].sum().backward(), runs=9)
        fused = milliseconds(lambda x=heads: fused_attention(*x).sum().backward(), runs=9)
        yield str(batch), str(length), f"{readable:.1f}", f"{fused:.1f}", f"{readable / fused:.2f}"
