"""Small translators, trained from different starts; then one feed-forward network is taken out of each."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.training.loop import TrainingOptions, fit

QUESTION = "Which feed-forward network does a small translator miss most, and is it the same one from every start?"
LESSON = 7
BOUND = "missed: without it the loss on unseen sentences is higher by over 0.5 nats a token, interval included, 6 seeds"
SEEDS = range(6)
STEPS, WIDTH = 400, 64
LAYERS = ("encoder 1", "encoder 2", "decoder 1", "decoder 2")


def run(seed: int) -> dict[str, float]:
    seed_everything(seed)
    tokenizer = load_course_translator(torch.device("cpu")).tokenizer
    corpus = load_grammar(seed=0, n_train=8_000, n_valid=0, n_test=200)
    sizes = {"d_model": WIDTH, "d_ff": 2 * WIDTH, "n_encoder_layers": 2, "n_decoder_layers": 2}
    model = Transformer(TransformerConfig(len(tokenizer), dropout=0.0, **sizes))
    train, test = (
        Batches(encode_pairs(tokenizer, part, 256), tokenizer, token_budget=512, seed=seed)
        for part in (corpus.train, corpus.test)
    )
    options = TrainingOptions(steps=STEPS, learning_rate=5e-3, warmup_steps=100, label_smoothing=0.0)
    for _ in fit(model, train.forever(), options):
        pass
    found = {"whole": _loss(model, test, tokenizer.pad_id)}
    for name in LAYERS:
        network = _network(model, name)
        mean = _mean_output(model, network, train)
        for what, instead in (("removed", torch.zeros_like(mean)), ("its mean", mean)):
            hook = network.register_forward_hook(lambda _, __, output, v=instead: v.expand_as(output))
            found[f"{name} {what}"] = _loss(model, test, tokenizer.pad_id)
            hook.remove()
    return found


def _network(model: Transformer, name: str) -> nn.Module:
    side, number = name.split()
    return getattr(model, side).layers[int(number) - 1].feed_forward


@torch.no_grad()
def _mean_output(model: Transformer, network: nn.Module, batches: Batches) -> Tensor:
    """(D,), over the positions of some batches of training."""
    outputs: list[Tensor] = []
    hook = network.register_forward_hook(lambda _, __, output: outputs.append(output.flatten(0, -2)))
    for _, batch in zip(range(10), batches.epoch(0), strict=False):
        model(batch.src, batch.tgt_in)
    hook.remove()
    return torch.cat(outputs).mean(dim=0)


@torch.no_grad()
def _loss(model: Transformer, batches: Batches, pad_id: int) -> float:
    """Nats a token."""
    model.eval()
    total = tokens = 0.0
    for batch in batches.epoch(0):
        logits = model(batch.src, batch.tgt_in).flatten(0, 1)
        total += F.cross_entropy(logits, batch.tgt_out.flatten(), ignore_index=pad_id, reduction="sum").item()
        tokens += batch.tokens
    return total / tokens


def conclude(study: Study) -> dict[str, str]:
    missed = {f"{name} is missed": above(study.difference(f"{name} removed", "whole"), 0.5) for name in LAYERS}
    others = [name for name in LAYERS if name != "decoder 1"]
    first = [above(study.difference("decoder 1 removed", f"{name} removed")) for name in others]
    missed["decoder 1 is missed most"] = "true" if set(first) == {"true"} else "false" if "false" in first else "open"
    return missed
