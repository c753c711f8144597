"""The playground's models in PyTorch: those of lessons_lib, with the choices that only the playground has."""

import math
import random
from itertools import combinations, product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.blocks import Residual
from lessons_lib.config import TransformerConfig
from lessons_lib.families import DecoderOnly
from lessons_lib.masks import causal_mask, causal_padding_mask, padding_mask
from lessons_lib.transformer import Transformer

PAD, BOS, EOS, NOT_ASKED = 0, 1, 2, -1

# Every choice that changes what is computed.
CHOICES = {
    "model": ["encoder-decoder", "decoder-only"],
    "positions": ["none", "sinusoidal", "learned", "rope"],
    "norm": ["none", "pre", "post"],
    "activation": ["relu", "gelu", "swiglu"],
    "causal_mask": [True, False],
    "scale_scores": [True, False],
    "tied": [True, False],
    "n_heads": [1, 2, 3],
    "d_head": [2, 4, 6],
    "n_layers": [1, 2],
    "d_ff": [7, 16],
    "optimizer": ["sgd", "adam", "adamw"],
    "clip_norm": [0, 0.5],
    "warmup_steps": [0, 4],
    "batch_size": [1, 5],
    "simd": [True, False],
}


def covering_array(choices: dict[str, list], seed: int = 0) -> list[dict]:
    """Rows in which every value of every name meets every value of every other: far fewer than the full product."""
    rng = random.Random(seed)
    open_pairs = {
        frozenset({(a, x), (b, y)}) for a, b in combinations(choices, 2) for x, y in product(choices[a], choices[b])
    }
    rows = []
    while open_pairs:
        row = dict(sorted(min(open_pairs, key=sorted_text)))
        for name in sorted(choices, key=lambda _: rng.random()):
            if name not in row:
                gain = lambda value, name=name: len(open_pairs & pairs_of({**row, name: value}))  # noqa: E731
                row[name] = max(choices[name], key=gain)
        open_pairs -= pairs_of(row)
        rows.append(row)
    return rows


def pairs_of(row: dict) -> set[frozenset]:
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def sorted_text(pair: frozenset) -> list[str]:
    return sorted(map(str, pair))


def without_causal_mask(length: int, device=None) -> Tensor:
    return torch.ones(length, length, dtype=torch.bool)


class TorchModel(nn.Module):
    """The model of these settings, with what lessons_lib cannot choose put on top:

    no norm at all: that of post-norm is the identity; no causal mask: padding is then masked, as nothing else hides it;
    no scale: queries are multiplied by the √d_head that the scores are divided by.
    """

    def __init__(self, settings: dict, config: dict):
        super().__init__()
        self.causal, norm = config["causal_mask"], config["norm"]
        given = {k: v for k, v in config.items() if k not in ("causal_mask", "scale_scores")}
        given |= {"norm": "post" if norm == "none" else norm, "dropout": 0.0}
        family = Transformer if config["n_encoder_layers"] else DecoderOnly
        self.model = family(TransformerConfig(**given))
        for module in self.model.modules():
            if norm == "none" and isinstance(module, Residual):
                module.norm = nn.Identity()
            if not config["scale_scores"] and isinstance(module, MultiHeadAttention):
                module.query.register_forward_hook(lambda _, __, y, scale=math.sqrt(module.d_head): y * scale)

    def loss(self, examples: list[dict]) -> Tensor:
        """The mean cross-entropy of the targets of a padded batch."""
        sources = [[*one["source"], EOS] for one in examples]
        before = [[BOS, *one["target"]] for one in examples]
        asked = [[*one["target"], EOS] for one in examples]
        if isinstance(self.model, DecoderOnly):
            asked = [[NOT_ASKED] * len(s) + a for s, a in zip(sources, asked, strict=True)]
            tokens = padded([s + b for s, b in zip(sources, before, strict=True)], PAD)
            mask = causal_mask(tokens.shape[1]) if self.causal else padding_mask(tokens, PAD)
            logits = self.model.project(self.model.decoder(self.model.embed(tokens), mask=mask))
        else:
            src, tgt = padded(sources, PAD), padded(before, PAD)
            mask = causal_padding_mask(tgt, PAD) if self.causal else padding_mask(tgt, PAD)
            memory = self.model.encode(src)
            hidden = self.model.decoder(self.model.embed(tgt), memory, mask, padding_mask(src, PAD))
            logits = self.model.project(hidden)
        return F.cross_entropy(logits.flatten(0, 1), padded(asked, NOT_ASKED).flatten(), ignore_index=NOT_ASKED)


def padded(rows: list[list[int]], value: int) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


def torch_optimizer(model: nn.Module, settings: dict) -> torch.optim.Optimizer:
    rate = settings["learning_rate"]
    if settings["optimizer"] == "sgd":
        return torch.optim.SGD(model.parameters(), lr=rate, momentum=settings["momentum"])
    betas, eps = tuple(settings["betas"]), settings["eps"]
    if settings["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate, betas=betas, eps=eps)
    return torch.optim.AdamW(model.parameters(), lr=rate, betas=betas, eps=eps, weight_decay=settings["weight_decay"])
