"""Generating with and without the key–value cache."""

from collections.abc import Iterator

import torch

from lessons_lib.masks import padding_mask
from lessons_lib.timing import milliseconds
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.search.uncached import Uncached

SIZE = TransformerConfig(vocab_size=8_000)


@torch.inference_mode()
def generate(model: Transformer, src: torch.Tensor, length: int, cached: bool) -> torch.Tensor:
    """(B, length) most probable tokens, whether or not a sentence has ended."""
    source_mask, memory = padding_mask(src, model.config.pad_id), model.encode(src)
    model = model if cached else Uncached(model)
    cache = model.new_cache(memory, length)
    tokens = src.new_full((len(src), 1), model.config.bos_id)
    for _ in range(length):
        logits = model.decode_step(tokens[:, -1:], cache, source_mask)
        tokens = torch.cat([tokens, logits.argmax(dim=-1, keepdim=True)], dim=1)
    return tokens[:, 1:]


def generation(
    device: torch.device, config: TransformerConfig = SIZE, lengths: tuple[int, ...] = (16, 32, 64)
) -> Iterator[tuple[str, ...]]:
    """64 sentences of 20 tokens; the tokens that come out are the same."""
    model = Transformer(config).to(device).eval()
    src = torch.randint(3, config.vocab_size, (64, 20), device=device)
    yield "tokens", "with cache, ms", "without, ms", "the cache is faster by"
    for length in lengths:
        cached, uncached = (
            milliseconds(lambda n=length, c=cached: generate(model, src, n, c), runs=3) for cached in (True, False)
        )
        yield str(length), f"{cached:.0f}", f"{uncached:.0f}", f"{uncached / cached:.1f}"
