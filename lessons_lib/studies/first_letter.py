"""The first letter: read a row of random letters, then say the first one (lesson 1)."""

import torch

from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.studies.phone_book import Draw, Reader, shares_learnt

QUESTION = "Does an LSTM learn to carry one letter over 40 steps, and does its forget gate decide it?"
LESSON = 1
BOUND = "a letter is learnt if more than 0.7 of the answers are right, whole 95 % interval, over 5 seeds"
SEEDS = range(5)

LETTERS, WIDTH = 16, 64
LENGTHS = (8, 40)
SHORT, LONG = 200, 1_000
LEARNT = 0.7


def first_letter(length: int) -> Draw:
    """Rows of random letters, marked with their places; the answer is the first."""

    def draw(batch):
        letters = torch.randint(LETTERS, (batch, length))
        return letters, torch.arange(length).expand(batch, -1), letters[:, 0]

    return draw


def learnt(layer: str, length: int, seed: int, after: tuple[int, ...] = (SHORT,)) -> list[float]:
    """One training on rows of this length: the shares of right answers after these numbers of updates."""
    seed_everything(seed)
    reader = Reader(layer, WIDTH, LETTERS, length, LETTERS)
    return shares_learnt(reader, first_letter(length), 3e-3, after)


def run(seed: int) -> dict[str, float]:
    found = {}
    for length in LENGTHS:
        for layer in ("LSTM", "LSTM, bias 5", "attention"):
            after = (SHORT, LONG) if (layer, length) == ("LSTM", LENGTHS[-1]) else (SHORT,)
            for updates, share in zip(after, learnt(layer, length, seed, after), strict=True):
                found[f"{layer}, {length} letters, {updates} updates"] = share
    return found


def conclude(study: Study) -> dict[str, str]:
    return {f"learnt: {name}": above(study.estimate(name), LEARNT) for name in study.results}
