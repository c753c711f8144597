"""Eight layers wired in five ways learn to name the letter before each letter, or do not."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.feedforward import FeedForward
from lessons_lib.norms import LayerNorm
from lessons_lib.studies import Study

QUESTION = "Which of the wirings of a sub-layer lets eight layers learn to copy the letter before?"
LESSON = 5
BOUND = "learnt: more than 0.8 of the letters right at the better of two rates, interval included, over 10 seeds"
SEEDS = range(10)
RATES = (1e-3, 3e-3)
LETTERS, LENGTH, WIDTH, DEPTH, STEPS = 32, 12, 32, 8, 200
WIRINGS = ("pre-norm", "post-norm", "residual without norm", "norm without residual", "neither")


def wired(x: Tensor, norm: nn.Module, f: nn.Module, wiring: str) -> Tensor:
    """One sub-layer ``f``, put together with its norm in one of five ways; x (B, T, D), and so is the result."""
    match wiring:
        case "pre-norm":
            return x + f(norm(x))
        case "post-norm":
            return norm(x + f(x))
        case "residual without norm":
            return x + f(x)
        case "norm without residual":
            return f(norm(x))
        case _:
            return f(x)


class Speller(nn.Module):
    def __init__(self, wiring: str):
        super().__init__()
        self.wiring = wiring
        self.letter = nn.Embedding(LETTERS, WIDTH)
        self.place = nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.attentions = nn.ModuleList(MultiHeadAttention(WIDTH, 4) for _ in range(DEPTH))
        self.networks = nn.ModuleList(FeedForward(WIDTH, 2 * WIDTH) for _ in range(DEPTH))
        self.norms = nn.ModuleList(LayerNorm(WIDTH) for _ in range(2 * DEPTH))
        self.norm, self.classify = LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS)

    def forward(self, tokens: Tensor) -> Tensor:  # (B, T) -> (B, T, LETTERS)
        x = self.letter(tokens) + self.place
        for number, (attention, network) in enumerate(zip(self.attentions, self.networks, strict=True)):
            x = wired(x, self.norms[2 * number], lambda y, a=attention: a(y)[0], self.wiring)
            x = wired(x, self.norms[2 * number + 1], network, self.wiring)
        return self.classify(self.norm(x))


def learnt(wiring: str, rate: float, seed: int) -> float:
    """The share of letters that are right after one training; a guess is right in 1 of 32."""
    seed_everything(seed)
    speller = Speller(wiring)
    optimizer = torch.optim.AdamW(speller.parameters(), lr=rate)
    for _ in range(STEPS):
        letters = torch.randint(LETTERS, (32, LENGTH))
        loss = F.cross_entropy(speller(letters).flatten(0, 1), letters.roll(1, dims=1).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    letters = torch.randint(LETTERS, (500, LENGTH))
    with torch.no_grad():
        return (speller(letters).argmax(-1) == letters.roll(1, dims=1)).float().mean().item()


def run(seed: int) -> dict[str, float]:
    return {f"{wiring} {rate:g}": learnt(wiring, rate, seed) for wiring in WIRINGS for rate in RATES}


def best(study: Study, wiring: str) -> str:
    """The wiring at the rate at which more was right."""
    return max((f"{wiring} {rate:g}" for rate in RATES), key=lambda cell: study.estimate(cell).mean)


def conclude(study: Study) -> dict[str, str]:
    return {f"{wiring} learns": above(study.estimate(best(study, wiring)), 0.8) for wiring in WIRINGS}
