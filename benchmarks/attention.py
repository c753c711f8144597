"""The two paths of attention, as the length grows."""

import itertools
from collections.abc import Callable, Iterator

import torch

from lessons_lib.attention import fused_attention, scaled_dot_product_attention
from lessons_lib.device import PRECISIONS
from lessons_lib.masks import causal_mask
from lessons_lib.timing import ratio, take_turns


def attention(
    device: torch.device, lengths: tuple[int, ...] = (16, 32, 64, 128, 256, 512), tokens: int = 1_024, rounds: int = 7
) -> Iterator[tuple[str, ...]]:
    """The readable path, which can return its weights, against PyTorch's function: 4 heads of 32, causal, both ways.

    No two batches have the same number of sentences, as in training.
    """
    yield "precision", "sentences at first", "length", "readable, ms", "fused, ms", "fused is faster by"
    paths = {"readable": lambda *heads, mask: scaled_dot_product_attention(*heads, mask)[0], "fused": fused_attention}
    for name, length in itertools.product(("fp32", "bf16"), lengths):
        batch = max(1, tokens // length)
        works = {path: _batches(attend, batch, length, PRECISIONS[name], device) for path, attend in paths.items()}
        seconds = take_turns(works, rounds)
        times = (f"{1000 * sorted(seconds[path])[rounds // 2]:.1f}" for path in paths)
        yield name, str(batch), str(length), *times, ratio(seconds["readable"], seconds["fused"])


def _batches(attend: Callable, batch: int, length: int, dtype: torch.dtype, device: torch.device) -> Callable[[], None]:
    """A function that attends in a batch of one sentence more at each call."""
    sizes = itertools.count(batch)

    def work() -> None:
        shape = next(sizes), 4, length, 32
        heads = (torch.randn(shape, device=device, dtype=dtype, requires_grad=True) for _ in range(3))
        attend(*heads, mask=causal_mask(length, device)).sum().backward()

    return work
