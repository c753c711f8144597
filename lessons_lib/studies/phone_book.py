"""The phone book: read pairs of a name and a number, then say the number of one name (lesson 1)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.studies import Study

QUESTION = "Is it the width of its memory that keeps an LSTM from learning a phone book?"
LESSON = 1
BOUND = "a difference of more than 0.1 in the share of right answers for 16 pairs, whole 95 % interval, over 5 seeds"
SEEDS = range(5)

BATCH = 64
PAIRS, NAMES, NUMBERS = 16, 64, 8
LEARNING_RATE = 3e-3  # at 1e-2 the wide LSTM learns next to nothing
SHORT, LONG, LONGEST = 300, 1_200, 2_400
DIFFERENCE = 0.1

Draw = Callable[[int], tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Int[Tensor, " B"]]]


class SelfAttention(nn.Module):
    """One head, as wide as its input: (B, T, D) to (B, T, D), and its weights."""

    def __init__(self, width: int):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        return scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))


def lstm(width: int, forget_bias: float | None = None) -> nn.LSTM:
    """An LSTM; its forget gates start at about this bias (a second, random one is added), or as PyTorch starts them."""
    layer = nn.LSTM(width, width, batch_first=True)
    if forget_bias is not None:  # the gates lie in the order input, forget, cell, output
        nn.init.constant_(layer.bias_hh_l0.data[width : 2 * width], forget_bias)
    return layer


LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "LSTM": lstm,
    "LSTM, bias 5": lambda width: lstm(width, 5.0),
    "attention": SelfAttention,
}


class Reader(nn.Module):
    """Reads symbols (B, T), each with a mark (B, T), and answers at the last place: (B, answers) scores."""

    def __init__(self, layer: str, width: int, symbols: int, marks: int, answers: int):
        super().__init__()
        self.symbol, self.mark = nn.Embedding(symbols, width), nn.Embedding(marks, width)
        self.layer = LAYERS[layer](width)
        self.classify = nn.Linear(width, answers)

    def forward(self, symbols, marks):
        return self.classify(self.layer(self.symbol(symbols) + self.mark(marks))[0][:, -1])


def shares_learnt(model: nn.Module, draw: Draw, learning_rate: float, after: tuple[int, ...]) -> list[float]:
    """The shares of right answers on 1,000 fresh examples, after so many updates (rising) on batches of ``draw``."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    shares = []
    for update in range(1, after[-1] + 1):
        symbols, marks, answer = draw(BATCH)
        loss = F.cross_entropy(model(symbols, marks), answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update in after:
            with torch.no_grad():
                symbols, marks, answer = draw(1_000)
                shares.append((model(symbols, marks).argmax(-1) == answer).float().mean().item())
    return shares


def phone_book(pairs: int) -> Draw:
    """So many pairs, no name twice, then the name that is asked for, with a blank in place of its number."""

    def draw(batch):
        listed = torch.rand(batch, NAMES).argsort(1)[:, :pairs]
        number = torch.randint(NUMBERS, (batch, pairs))
        asked = torch.randint(pairs, (batch, 1))
        blank = torch.full_like(asked, NUMBERS)
        symbols, marks = torch.cat([listed, listed.gather(1, asked)], 1), torch.cat([number, blank], 1)
        return symbols, marks, number.gather(1, asked)[:, 0]

    return draw


def learnt(layer: str, width: int, pairs: int, seed: int, after: tuple[int, ...] = (SHORT,)) -> list[float]:
    """One training on phone books of so many pairs: the shares of right answers after these numbers of updates."""
    seed_everything(seed)
    reader = Reader(layer, width, NAMES, NUMBERS + 1, NUMBERS)
    return shares_learnt(reader, phone_book(pairs), LEARNING_RATE, after)


def run(seed: int) -> dict[str, float]:
    found = {}
    for layer in ("LSTM, bias 5", "attention"):
        for pairs in (1, 4):
            (found[f"{layer}, 64 wide, {pairs} pairs, {SHORT} updates"],) = learnt(layer, 64, pairs, seed)
    trainings = {
        ("attention", 64): (SHORT,),
        ("LSTM, bias 5", 16): (SHORT, LONG),
        ("LSTM, bias 5", 64): (SHORT, LONG, LONGEST),
        ("LSTM, bias 5", 128): (SHORT, LONG),
    }
    for (layer, width), after in trainings.items():
        for updates, share in zip(after, learnt(layer, width, PAIRS, seed, after), strict=True):
            found[f"{layer}, {width} wide, {PAIRS} pairs, {updates} updates"] = share
    return found


def conclude(study: Study) -> dict[str, str]:
    def name(layer: str, width: int, updates: int) -> str:
        return f"{layer}, {width} wide, {PAIRS} pairs, {updates} updates"

    memory = "LSTM, bias 5"
    return {
        f"after {SHORT} updates, attention is ahead of the LSTM of the same width": above(
            study.difference(name("attention", 64, SHORT), name(memory, 64, SHORT)), DIFFERENCE
        ),
        f"after {SHORT} updates, the LSTM 128 wide is ahead of the one 16 wide": above(
            study.difference(name(memory, 128, SHORT), name(memory, 16, SHORT)), DIFFERENCE
        ),
        f"after {LONG} updates, the LSTM 128 wide is ahead of the one 16 wide": above(
            study.difference(name(memory, 128, LONG), name(memory, 16, LONG)), DIFFERENCE
        ),
        f"the LSTM 64 wide is better after {LONGEST} updates than after {SHORT}": above(
            study.difference(name(memory, 64, LONGEST), name(memory, 64, SHORT)), DIFFERENCE
        ),
        f"the LSTM 64 wide after {LONGEST} updates is still behind attention after {SHORT}": above(
            study.difference(name("attention", 64, SHORT), name(memory, 64, LONGEST)), DIFFERENCE
        ),
    }
