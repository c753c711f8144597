"""Three tables, a minute on two CPU cores: the two paths of attention, generating with a cache, a training step.

Each figure is the median of several runs, after one that is not counted.
"""

import statistics
import time
from collections.abc import Callable, Iterator

import psutil
import torch

from lessons_lib.attention import fused_attention, scaled_dot_product_attention
from lessons_lib.device import describe, pick_device, seed_everything
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer, TransformerConfig

Row = tuple[str, ...]


def milliseconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `work`, a GPU's queue included."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        work()
        wait()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times[1:])


def attention(device: torch.device, lengths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)) -> Iterator[Row]:
    """The readable path, which can return its weights, against PyTorch's fused kernel: 8 sentences, 4 heads of 64."""
    yield "length", "readable, ms", "fused, ms"
    for length in lengths:
        query, key, value = (torch.randn(8, 4, length, 64, device=device) for _ in range(3))
        readable = milliseconds(lambda q=query, k=key, v=value: scaled_dot_product_attention(q, k, v))
        fused = milliseconds(lambda q=query, k=key, v=value: fused_attention(q, k, v))
        yield str(length), f"{readable:.2f}", f"{fused:.2f}"


@torch.inference_mode()
def generate(model: Transformer, src: torch.Tensor, length: int, cached: bool) -> torch.Tensor:
    """(B, length) most probable tokens, whether or not a sentence has ended."""
    source_mask, memory = padding_mask(src, model.config.pad_id), model.encode(src)
    cache = model.new_cache(memory, length)
    tokens = src.new_full((len(src), 1), model.config.bos_id)
    for _ in range(length):
        if cached:
            logits = model.decode_step(tokens[:, -1:], cache, source_mask)
        else:
            logits = model.project(model.decode_hidden(tokens, memory, source_mask)[:, -1])
        tokens = torch.cat([tokens, logits.argmax(dim=-1, keepdim=True)], dim=1)
    return tokens[:, 1:]


def generation(model: Transformer, src: torch.Tensor, lengths: tuple[int, ...] = (16, 32, 64)) -> Iterator[Row]:
    """Generating with and without the key–value cache; the tokens are the same."""
    yield "tokens", "with cache, ms", "without, ms"
    for length in lengths:
        with_cache = milliseconds(lambda n=length: generate(model, src, n, True), runs=3)
        without = milliseconds(lambda n=length: generate(model, src, n, False), runs=3)
        yield str(length), f"{with_cache:.0f}", f"{without:.0f}"


def training(model: Transformer, src: torch.Tensor, tgt: torch.Tensor) -> Iterator[Row]:
    """One update: forward, loss, backward, AdamW."""
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        logits = model(src, tgt)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), tgt.flatten()).backward()
        optimizer.step()

    spent = milliseconds(step)
    yield "a step, ms", "tokens a second", "memory of the process, MB"
    memory = psutil.Process().memory_info().rss / 1e6
    yield f"{spent:.0f}", f"{tgt.numel() / spent * 1000:,.0f}", f"{memory:,.0f}"


def show(title: str, rows: Iterator[Row]) -> None:
    print(f"\n{title}")
    for row in rows:
        print("".join(f"{cell:>27}" for cell in row), flush=True)


def main() -> None:
    device = pick_device()
    seed_everything(0)
    print(f"PyTorch {torch.__version__}, {describe(device)}")
    config = TransformerConfig(vocab_size=4_000)
    model = Transformer(config).to(device).eval()
    tokens = torch.randint(3, config.vocab_size, (16, 32), device=device)
    size = sum(parameter.numel() for parameter in model.parameters())
    show("Attention: 8 sentences, 4 heads, d_head 64", attention(device))
    show(f"Generation: 16 sentences of 32 tokens, {size:,} parameters", generation(model, tokens))
    show("Training: 16 pairs of 32 tokens", training(model.train(), tokens, tokens))


if __name__ == "__main__":
    main()
