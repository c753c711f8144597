"""The trained decoder gets used to another memory than it learnt with: 60 batches, cross-attention alone."""

import copy
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.studies import Study
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.batching import Batches, encode_pairs, pad
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.evaluation.scoring import score

QUESTION = "What does the course's decoder need from its encoder, once cross-attention got used to the memory?"
LESSON = 5
BOUND = (
    "used to it: BLEU within 2 of what the whole memory gives after the same 60 batches, in pairs, interval included, "
    "over 8 seeds; a layer counts if it is worth more than 2"
)
SEEDS = range(8)
BATCHES, RATE = 60, 2e-3
MEMORIES = ("embeddings", "1 layer", "2 layers", "2 layers, no norm")


@cache
def material():
    """The course's translator, its tokenizer, and the sentences: 6,000 pairs to train on, 100 unseen ones."""
    translator = load_course_translator(torch.device("cpu"))
    corpus = load_grammar(seed=0, n_train=6_000, n_valid=0, n_test=100)
    return translator.model.eval(), translator.tokenizer, corpus


def memory_of(model: Transformer, src: Tensor, kind: str) -> Tensor:
    """(B, S) -> (B, S, D): the encoder's vectors after 0, 1 or 2 layers, through its last norm or not."""
    x, mask = model.encoder.enter(model.embed(src)), padding_mask(src, 0)
    for layer in model.encoder.layers[: {"embeddings": 0, "1 layer": 1}.get(kind, 2)]:
        x = layer(x, mask)
    return x if kind == "2 layers, no norm" else model.encoder.norm(x)


def logits_of(model: Transformer, tgt: Tensor, memory: Tensor, src: Tensor) -> Tensor:
    x = model.decoder(model.embed(tgt), memory, causal_mask(tgt.shape[1]), padding_mask(src, 0))
    return x @ model.output_weight.T


@torch.no_grad()
def bleu_of(model: Transformer, kind: str, limit: int = 28) -> float:
    """BLEU of greedy translations of the unseen sentences, made from that memory."""
    _, tokenizer, corpus = material()
    src = pad([[*tokenizer.encode(pair.source), tokenizer.eos_id] for pair in corpus.test], tokenizer.pad_id)
    memory = memory_of(model, src, kind)
    tgt = torch.full((len(src), 1), tokenizer.bos_id)
    ended = torch.zeros(len(src), dtype=torch.bool)
    while tgt.shape[1] <= limit and not ended.all():
        token = logits_of(model, tgt, memory, src)[:, -1].argmax(dim=-1).masked_fill(ended, tokenizer.pad_id)
        tgt, ended = torch.cat([tgt, token[:, None]], dim=1), ended | (token == tokenizer.eos_id)
    return score([tokenizer.decode(row) for row in tgt.tolist()], [pair.target for pair in corpus.test]).bleu


def used_to(kind: str, seed: int) -> Transformer:
    """The translator after some batches in which its decoder read that memory; only cross-attention learnt."""
    whole, tokenizer, corpus = material()
    seed_everything(seed)
    model = copy.deepcopy(whole).requires_grad_(False)
    for layer in model.decoder.layers:
        layer.cross_attention.requires_grad_(True)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE)
    batches = Batches(encode_pairs(tokenizer, corpus.train, 256), tokenizer, token_budget=768, seed=seed)
    for _, batch in zip(range(BATCHES), batches.forever(), strict=False):
        with torch.no_grad():
            memory = memory_of(model, batch.src, kind)
        logits = logits_of(model, batch.tgt_in, memory, batch.src)
        loss = F.cross_entropy(logits.flatten(0, 1), batch.tgt_out.flatten(), ignore_index=tokenizer.pad_id)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def run(seed: int) -> dict[str, float]:
    return {kind: bleu_of(used_to(kind, seed), kind) for kind in MEMORIES}


def conclude(study: Study) -> dict[str, str]:
    whole = "2 layers"
    return {
        "embeddings do as well": _as_good(study, "embeddings", whole),
        "one layer does as well as two": _as_good(study, "1 layer", whole),
        "the first layer is worth more than 2": above(study.difference("1 layer", "embeddings"), 2),
        "a memory without the last norm does as well": _as_good(study, "2 layers, no norm", whole),
    }


def _as_good(study: Study, a: str, b: str) -> str:
    return above(study.difference(a, b), -2)
