"""Train on 32 letters, test on 256: what does each way of telling the order lose past the trained length?"""

import math
from collections import Counter
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, estimate, within
from lessons_lib.masks import causal_mask
from lessons_lib.positions import (
    AlibiPositions,
    ClippedRelativePositions,
    LearnedPositions,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
    T5Positions,
)
from lessons_lib.studies import Study
from lessons_lib.translation.data.corpus import load_grammar

QUESTION = "Which ways of telling the order work past the length that was trained?"
LESSON = 4
BOUND = (
    "0.05 nats a letter for better or worse than no positions; level: a rise of less than 0.1 nats from the letters "
    "16–31 to 128–255; a way keeps its lead if more than half of its lead over no positions is left there"
)
SEEDS = range(8)

SHORT, LONG, D, H = 32, 256, 32, 4
UPDATES = 500
PARTS = {
    "16–31": slice(16, 32),
    "32–47": slice(32, 48),
    "48–63": slice(48, 64),
    "64–127": slice(64, 128),
    "128–255": slice(128, 256),
}
SEEN, FAR = "16–31", "128–255"


class MovedSinusoids(SinusoidalPositions):
    """In training, begins anywhere in the table (Kiyono et al. 2021)."""

    def add(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        if self.training:
            start = int(torch.randint(len(self.table) - x.shape[1] + 1, ()))
        return super().add(x, start)


KINDS = {
    "none": lambda: Positions(),
    "sinusoidal": lambda: SinusoidalPositions(LONG, D),
    "learned": lambda: LearnedPositions(LONG, D),  # 256 rows, of which training touches 32
    "RoPE": lambda: RotaryPositions(LONG, D // H),
    "ALiBi": lambda: AlibiPositions(H),
    "clipped": lambda: ClippedRelativePositions(H, max_distance=16),
    "T5's buckets": lambda: T5Positions(H, causal=True),
    "sinusoidal, random starts": lambda: MovedSinusoids(LONG, D),
    "sinusoidal, words not times √D": lambda: SinusoidalPositions(LONG, D),
}
MASKED = ("sinusoidal", "RoPE", "ALiBi", "clipped", "T5's buckets", "sinusoidal, random starts")


@cache
def letters() -> tuple[list[str], Int[Tensor, " N"], Int[Tensor, " M"]]:
    """The letters there are, and the English of the corpus as one text to learn from and one to be tested on."""
    corpus = load_grammar(seed=0, n_train=2_000, n_valid=10, n_test=500)
    texts = [" ".join(pair.source for pair in part).lower() for part in (corpus.train, corpus.test)]
    known = sorted(set("".join(texts)))
    numbers = {letter: i for i, letter in enumerate(known)}
    return known, *(torch.tensor([numbers[letter] for letter in text]) for text in texts)


def windows(text: Int[Tensor, " N"], length: int, count: int, generator: torch.Generator) -> Int[Tensor, "B T"]:
    """Pieces of the text, cut out anywhere."""
    starts = torch.randint(len(text) - length, (count, 1), generator=generator)
    return text[starts + torch.arange(length)]


def test_windows(seed: int) -> Int[Tensor, "B T"]:
    """The 64 windows of 256 letters, and one to guess, on which a seed is tested."""
    return windows(letters()[2], LONG + 1, 64, torch.Generator().manual_seed(1_000 + seed))


class LetterModel(nn.Module):
    """A layer of attention and a small network behind it, told the order by ``positions``."""

    def __init__(self, positions: Positions, scale: float = math.sqrt(D)):
        super().__init__()
        self.positions, self.scale = positions, scale
        self.embedding = nn.Embedding(len(letters()[0]), D)
        nn.init.normal_(self.embedding.weight, std=D**-0.5)
        self.attention = MultiHeadAttention(D, H)
        self.norms = nn.ModuleList([nn.LayerNorm(D), nn.LayerNorm(D)])
        self.network = nn.Sequential(nn.Linear(D, 4 * D), nn.GELU(), nn.Linear(4 * D, D))
        self.output = nn.Linear(D, len(letters()[0]))

    def forward(self, text: Int[Tensor, "B T"], reach: int | None = None) -> Float[Tensor, "B T V"]:
        """With a ``reach``, a letter sees itself and the ``reach`` − 1 letters before it only."""
        length = text.shape[1]
        mask = causal_mask(length, device=text.device)
        if reach is not None:
            mask = mask & ~mask.tril(-reach)
        x = self.positions.add(self.embedding(text) * self.scale)
        x = x + self.attention(self.norms[0](x), mask=mask, positions=self.positions.for_attention(length))[0]
        return self.output(x + self.network(self.norms[1](x)))


def losses(model: LetterModel, text: Int[Tensor, "B T1"], reach: int | None = None) -> Float[Tensor, "B T"]:
    """How surprising the next letter is at each place, in nats."""
    return F.cross_entropy(model(text[:, :-1], reach).transpose(1, 2), text[:, 1:], reduction="none")


def trained(name: str, seed: int, updates: int = UPDATES) -> LetterModel:
    """A model with these positions, after so many updates on 32 windows each."""
    seed_everything(seed)
    model = LetterModel(KINDS[name](), 1.0 if "not times" in name else math.sqrt(D))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, updates)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(updates):
        loss = losses(model, windows(letters()[1], SHORT + 1, 32, generator)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()
    return model.eval()


def bigram_losses(text: Int[Tensor, "B T1"]) -> Float[Tensor, "B T"]:
    """The baseline: guess the next letter from this one alone, by counting pairs in the text to learn from."""
    known, training, _ = letters()
    pairs = Counter(zip(training[:-1].tolist(), training[1:].tolist(), strict=True))
    counts = torch.full((len(known), len(known)), 0.1)
    for (one, two), count in pairs.items():
        counts[one, two] += count
    surprise = -(counts / counts.sum(1, keepdim=True)).log()
    return surprise[text[:, :-1], text[:, 1:]]


@torch.no_grad()
def measured(models: dict[str, LetterModel], seed: int) -> dict[str, float]:
    """The loss of each model by part of the window, with all letters in sight and with the last 32 only."""
    text = test_windows(seed)
    curves = {name: losses(model, text).mean(0) for name, model in models.items()}
    curves["bigram"] = bigram_losses(text).mean(0)
    found = {f"{name}, {part}": curve[where].mean() for name, curve in curves.items() for part, where in PARTS.items()}
    for name in [name for name in MASKED if name in models]:
        curve = losses(models[name], text, SHORT).mean(0)
        found |= {f"{name}, last 32 seen, {part}": curve[PARTS[part]].mean() for part in (SEEN, FAR)}
    return {name: float(value) for name, value in found.items()}


def run(seed: int) -> dict[str, float]:
    """One training of each kind."""
    return measured({name: trained(name, seed) for name in KINDS}, seed)


def lead_left(study: Study, name: str, kept: float = 0.5) -> list[float]:
    """By seed: the lead over no positions far out, less this part of the lead where it was trained."""
    of = {key: np.array(values) for key, values in study.results.items()}
    far, seen = (of[f"none, {part}"] - of[f"{name}, {part}"] for part in (FAR, SEEN))
    return list(far - kept * seen)


def conclude(study: Study) -> dict[str, str]:
    """The bounds, applied."""

    def difference(a: str, b: str):
        return study.difference(a, b)

    said = {}
    for name in ("sinusoidal", "learned", "RoPE", "ALiBi", "clipped", "T5's buckets"):
        said[f"{name}: better than no positions where trained"] = above(
            difference(f"none, {SEEN}", f"{name}, {SEEN}"), 0.05
        )
        said[f"{name}: worse than no positions far out"] = above(difference(f"{name}, {FAR}", f"none, {FAR}"), 0.05)
        said[f"{name}: more than half of its lead is left far out"] = above(estimate(lead_left(study, name)))
    for name in MASKED:
        said[f"{name}: level, if a letter sees the last 32 only"] = within(
            difference(f"{name}, last 32 seen, {FAR}", f"{name}, last 32 seen, {SEEN}"), 0.1
        )
    said["sinusoidal: random starts cost more than 0.05 nats where trained"] = above(
        difference(f"sinusoidal, random starts, {SEEN}", f"sinusoidal, {SEEN}"), 0.05
    )
    said["sinusoidal: without √D the loss is higher where trained, by more than 0.05 nats"] = above(
        difference(f"sinusoidal, words not times √D, {SEEN}", f"sinusoidal, {SEEN}"), 0.05
    )
    said["no positions: better than counting pairs of letters, by more than 0.05 nats"] = above(
        difference(f"bigram, {SEEN}", f"none, {SEEN}"), 0.05
    )
    return said
