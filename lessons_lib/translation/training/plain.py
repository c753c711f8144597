"""The training loop with nothing around it: what remains of `training.Trainer` on one device, in single precision."""

from collections.abc import Iterable

import torch

from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batch
from lessons_lib.translation.training.options import TrainingOptions, schedule


def train_plainly(model: Transformer, batches: Iterable[Batch], options: TrainingOptions) -> list[float]:
    """Train ``model`` in place for ``options.steps`` batches; the loss of each (nats a token).

    Without dropout, `fit` of `loop.py` gives the same losses. It can do more: stop and go on, share a batch among
    processes or cut it into pieces, scale the loss for fp16, and average the last weights.
    """
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), eps=1e-9, weight_decay=options.weight_decay)
    losses = []
    model.train()
    for step, batch in zip(range(options.steps), batches, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * schedule(step, step / options.steps, options.warmup_steps)
        logits = model(batch.src, batch.tgt_in)  # (B, T, V): at each position, what comes next
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1),
            batch.tgt_out.flatten(),
            ignore_index=model.config.pad_id,  # padding is not asked for
            label_smoothing=options.label_smoothing,
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        optimizer.step()
        losses.append(loss.item())
    return losses
