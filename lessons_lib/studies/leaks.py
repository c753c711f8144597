"""A small translator trained with its causal mask, without it, and with padding counted in the loss (lesson 8)."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, estimate, within
from lessons_lib.studies import Study
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Example, collate, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.search.uncached import Uncached

QUESTION = "What does a translator learn without its causal mask, and what if padding is counted in its loss?"
LESSON = 8
BOUND = (
    "without the mask, on unseen sentences, the loss under a quarter and BLEU under 1; with padding counted, the "
    "training loss under three quarters, the loss of real tokens within 0.1 nats, sentences within half a word; 5 seeds"
)
SEEDS = range(5)
STEPS, WORDS, VOCABULARY, BATCH = 400, 6, 2_000, 32

Loss = Callable[[Float[Tensor, "B T V"], Int[Tensor, "B T"]], Float[Tensor, ""]]


class Unmasked(Uncached):
    """Its decoder sees all that it reads."""

    def decode_hidden(self, tgt: Tensor, memory: Tensor, source_mask: Tensor) -> Tensor:
        return self.decoder(self.embed(tgt), memory, None, source_mask)


def real_tokens(logits: Float[Tensor, "B T V"], wanted: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    return F.cross_entropy(logits[wanted != Tokenizer.pad_id], wanted[wanted != Tokenizer.pad_id])


def everything(logits: Float[Tensor, "B T V"], wanted: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())


def train(
    kind: type[Uncached], loss_of: Loss, examples: list[Example], tokenizer: Tokenizer, seed: int
) -> tuple[Uncached, float]:
    """The translator, and the mean of its last 50 losses."""
    seed_everything(seed)
    shape = {"n_encoder_layers": 1, "n_decoder_layers": 1, "d_ff": 128, "dropout": 0.0}
    model = kind(Transformer(TransformerConfig(len(tokenizer), 64, **shape))).train()
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), fused=True)
    draw, losses = np.random.default_rng(seed), []
    for step in range(STEPS):
        batch = collate([examples[row] for row in draw.choice(len(examples), BATCH)], tokenizer)
        loss = loss_of(model(batch.src, batch.tgt_in), batch.tgt_out)
        optimizer.param_groups[0]["lr"] = 8e-3 * min((step + 1) / 30, 1 - step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return model.eval(), float(np.mean(losses[-50:]))


@torch.no_grad()
def loss_on(model: Uncached, examples: list[Example], tokenizer: Tokenizer) -> float:
    batch = collate(examples, tokenizer)
    return real_tokens(model(batch.src, batch.tgt_in), batch.tgt_out).item()


def run(seed: int) -> dict[str, float]:
    corpus = load_grammar(seed=0, n_train=12_000)
    short = [pair for pair in corpus.train if len(pair.target.split()) <= WORDS]
    test = [pair for pair in corpus.test if len(pair.target.split()) <= WORDS][:200]
    tokenizer = Tokenizer.train((text for pair in short for text in (pair.source, pair.target)), VOCABULARY)
    examples, unseen = (encode_pairs(tokenizer, pairs, max_length=64)[:] for pairs in (short, test))
    measured = {}
    ways = {
        "with the mask": (Uncached, real_tokens),
        "without": (Unmasked, real_tokens),
        "padding counted": (Uncached, everything),
    }
    for name, (kind, loss_of) in ways.items():
        model, trained = train(kind, loss_of, examples, tokenizer, seed)
        found = Translator(model, tokenizer).translate([pair.source for pair in test], attention=False)
        texts = [translation.text for translation in found]
        measured[f"training loss, {name}"] = trained
        measured[f"loss on unseen sentences, {name}"] = loss_on(model, unseen, tokenizer)
        measured[f"BLEU, {name}"] = score(texts, [pair.target for pair in test]).bleu
        measured[f"words a sentence, {name}"] = float(np.mean([len(text.split()) for text in texts]))
        if name == "without":
            measured["empty translations, without"] = float(np.mean([not text for text in texts]))
            measured["loss on unseen sentences, put back"] = loss_on(Uncached(model), unseen, tokenizer)
    return measured


def conclude(study: Study) -> dict[str, str]:
    honest, leaky, padded = (
        f"loss on unseen sentences, {name}" for name in ("with the mask", "without", "padding counted")
    )
    quarter = [loss / 4 - leak for loss, leak in zip(study.results[honest], study.results[leaky], strict=True)]
    flattered = [
        0.75 * loss - pretty
        for loss, pretty in zip(
            study.results["training loss, with the mask"], study.results["training loss, padding counted"], strict=True
        )
    ]
    lengths = study.difference("words a sentence, padding counted", "words a sentence, with the mask")
    none = above(study.estimate("BLEU, without"), 1)
    return {
        "without the mask the loss on unseen sentences is under a quarter": above(estimate(quarter)),
        "without the mask BLEU is above 1": none,
        "the mask put back, the loss is worse than guessing (log 2,000)": above(
            study.estimate("loss on unseen sentences, put back"), np.log(VOCABULARY)
        ),
        "with padding counted the training loss is under three quarters": above(estimate(flattered)),
        "with padding counted the loss of real tokens is within 0.1 nats": within(
            study.difference(padded, honest), 0.1
        ),
        "with padding counted sentences are within half a word as long": within(lengths, 0.5),
    }
