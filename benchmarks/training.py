"""Tokens a second in training: ours against models of the same size from elsewhere, on the same bucketed batches."""

import statistics
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.rivals import HuggingFaceMarian, TorchTransformer
from lessons_lib.device import PRECISIONS, autocast
from lessons_lib.timing import ratio, take_turns
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.batching import Batch, Example, bucket, pad
from lessons_lib.translation.training.loop import batch_loss

SMOOTHING = 0.1
SIZE = TransformerConfig(vocab_size=8_000, d_model=256, n_encoder_layers=3, n_decoder_layers=3, d_ff=1_024)
OURS, TORCH, MARIAN = "ours", "torch.nn.Transformer", "transformers Marian"
TORCH_SAME_DROPOUT = f"{TORCH}, our dropout"


def random_batches(config: TransformerConfig, tokens: int, count: int, seed: int = 0) -> list[Batch]:
    """Batches of random tokens in sentences of about 20, both sides of like length, bucketed like real ones."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.normal(20, 6, size=count * tokens // 12), 4, 60).astype(int)
    sentences = lambda n: rng.integers(3, config.vocab_size, n).tolist()  # noqa: E731
    examples = [Example(sentences(n), sentences(max(3, int(n * rng.normal(1.1, 0.1))))) for n in lengths]
    batches = []
    for group in bucket(examples, tokens, rng)[:count]:
        src = pad([[*examples[i].src, config.eos_id] for i in group], config.pad_id)
        tgt_in = pad([[config.bos_id, *examples[i].tgt] for i in group], config.pad_id)
        tgt_out = pad([[*examples[i].tgt, config.eos_id] for i in group], config.pad_id)
        batches.append(Batch(src, tgt_in, tgt_out, int((tgt_out != config.pad_id).sum())))
    return batches


def trainer(
    model: nn.Module, loss: Callable[[Batch], Tensor], batches: list[Batch], dtype: torch.dtype
) -> Callable[[], None]:
    """A function that trains one step a batch. The optimizer is the same for everybody."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), fused=True)
    device = next(model.parameters()).device
    scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    def train() -> None:
        for batch in batches:
            with autocast(device, dtype):
                value = loss(batch)
            scaler.scale(value).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)

    return train


def trainers(
    device: torch.device, config: TransformerConfig, data: list[Batch], dtype: torch.dtype
) -> dict[str, Callable[[], None]]:
    """The four systems, each a function that trains on all of ``data``."""
    torch.manual_seed(0)
    faster = "eager" if device.type == "cpu" and dtype == torch.bfloat16 else "sdpa"
    ours, marian = Transformer(config), HuggingFaceMarian(config, faster)
    theirs, same = TorchTransformer(config), TorchTransformer(config, inner_dropout=False)
    losses = {
        OURS: (ours, partial(batch_loss, ours, label_smoothing=SMOOTHING)),
        TORCH: (theirs, partial(theirs.loss, smoothing=SMOOTHING)),
        TORCH_SAME_DROPOUT: (same, partial(same.loss, smoothing=SMOOTHING)),
        MARIAN: (marian, partial(marian.loss, smoothing=SMOOTHING)),
    }
    return {name: trainer(model.to(device).train(), loss, data, dtype) for name, (model, loss) in losses.items()}


def training(
    device: torch.device, config: TransformerConfig = SIZE, tokens: int = 4_096, batches: int = 4, rounds: int = 7
) -> Iterator[tuple[str, ...]]:
    """One table: a row a system and precision; ratios are medians over the rounds, with their range."""
    yield "precision", "system", "target tokens/s", "ours is faster by"
    data = [batch.to(device) for batch in random_batches(config, tokens, batches)]
    total = sum(batch.tokens for batch in data)
    for name in ("fp32", "bf16") if device.type == "cpu" else PRECISIONS:
        seconds = take_turns(trainers(device, config, data, PRECISIONS[name]), rounds)
        for system, spent in seconds.items():
            faster = "" if system == OURS else ratio(spent, seconds[OURS])
            yield name, system, f"{total / statistics.median(spent):,.0f}", faster
