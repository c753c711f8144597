"""Name the letter before and the letter after: one layer of attention, its 64 numbers split into 1, 2 or 4 heads."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, within
from lessons_lib.studies import Study

QUESTION = "Do two heads learn to look at two places at once where one head does not?"
LESSON = 3
BOUND = (
    "two heads ahead by more than 0.2 of right answers, mean over ten seeds; with four times the updates one head is "
    "as good as two were if it is at most 0.1 away"
)
SEEDS = range(10)

LETTERS, PLACES, WIDTH = 20, 8, 64
UPDATES, LONGER = 400, 1_600


class Neighbours(nn.Module):
    """At each place: which letter stands before it, and which after?"""

    def __init__(self, n_heads: int):
        super().__init__()
        self.letter = nn.Embedding(LETTERS, WIDTH)
        self.place = nn.Parameter(torch.randn(PLACES, WIDTH))
        self.attention = MultiHeadAttention(WIDTH, n_heads)
        self.answer = nn.Linear(WIDTH, 2 * LETTERS)

    def forward(self, letters: Int[Tensor, "B T"], return_weights: bool = False) -> tuple[Tensor, Tensor | None]:
        """Logits (B, T, 2, LETTERS), and the attention weights (B, H, T, T) if they are wanted."""
        mixed, weights = self.attention(self.letter(letters) + self.place, return_weights=return_weights)
        return self.answer(mixed).unflatten(-1, (2, LETTERS)), weights


def rows_and_answers(count: int) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B inner 2"]]:
    """Random letters, and both neighbours of each but the first and the last, which have one only."""
    letters = torch.randint(LETTERS, (count, PLACES))
    both = torch.stack([letters.roll(1, dims=1), letters.roll(-1, dims=1)], dim=-1)
    return letters, both[:, 1:-1]


def trained(n_heads: int, seed: int, updates: int = UPDATES) -> Neighbours:
    """A network after so many updates on 64 new rows each."""
    seed_everything(seed)
    network = Neighbours(n_heads)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(updates):
        letters, answers = rows_and_answers(64)
        loss = F.cross_entropy(network(letters)[0][:, 1:-1].flatten(0, 2), answers.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


@torch.no_grad()
def examined(network: Neighbours) -> tuple[list[float], float, Float[Tensor, "H T T"]]:
    """Share right of (before, after), share where both are right, mean weights; over 1,000 new rows."""
    letters, answers = rows_and_answers(1_000)
    logits, weights = network(letters, return_weights=True)
    right = logits[:, 1:-1].argmax(-1) == answers
    return right.float().mean((0, 1)).tolist(), right.all(-1).float().mean().item(), weights.mean(0)


def run(seed: int) -> dict[str, float]:
    """Shares of right answers by the number of heads; for one head also by side, and after a longer training."""
    sides, one, _ = examined(trained(1, seed))
    return {
        "one head": one,
        "one head, its better side": max(sides),
        "one head, its other side": min(sides),
        f"one head, {LONGER:,} updates": examined(trained(1, seed, LONGER))[1],
        "two heads": examined(trained(2, seed))[1],
        "four heads": examined(trained(4, seed))[1],
    }


def conclude(study: Study) -> dict[str, str]:
    """The bounds, applied."""
    longer = study.difference("two heads", f"one head, {LONGER:,} updates")
    return {
        "two heads get both neighbours right more often than one, by more than 0.2": above(
            study.difference("two heads", "one head"), 0.2
        ),
        "one head with four times the updates is as good as two, up to 0.1": within(longer, 0.1),
    }
