"""Short sentences of frequent words, whole words as tokens, and how small models are trained on them (lesson 9)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from lessons_lib.translation.data.corpus import load_grammar

PAD, BEGIN, END, BLANK = range(4)
LONGEST, FREQUENT, UNSEEN = 8, 600, 300  # words a sentence, words a language, pairs kept apart

Words = list[str]


def words_of(text: str) -> Words:
    """Lower case, without the mark at the end."""
    return text.lower().replace(" ?", "").rstrip(".").split()


def rectangle(rows: Sequence[Sequence[int]]) -> Int[Tensor, "B T"]:
    """Rows of ids, filled up with `PAD` to the longest."""
    length = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (length - len(row))] for row in rows])


@dataclass(frozen=True)
class ShortSentences:
    """Pairs of English and French sentences of the grammar, each a list of words.

    Attributes:
        everything: all 20,000 that were drawn; training, unseen: the short ones of frequent words, with no French
            sentence in both.
    """

    everything: list[tuple[Words, Words]]
    training: list[tuple[Words, Words]]
    unseen: list[tuple[Words, Words]]

    @cached_property
    def french(self) -> Words:
        """The French vocabulary behind the four marks, in the order of the ids."""
        words = {word for _, french in self.training + self.unseen for word in french}
        return ["<pad>", "<s>", "</s>", "___", *sorted(words)]

    def sentences(self, pairs: list[tuple[Words, Words]]) -> Int[Tensor, "B T"]:
        """The French sentences as ids, between the two marks."""
        number = {word: i for i, word in enumerate(self.french)}
        return rectangle([[BEGIN, *(number[word] for word in french), END] for _, french in pairs])


@cache
def short_sentences() -> ShortSentences:
    """The same sentences for every seed; what a seed changes is the first weights and the order of the batches."""
    drawn = load_grammar(seed=0, n_train=20_000, n_valid=0, n_test=0).train
    everything = [(words_of(pair.source), words_of(pair.target)) for pair in drawn]
    frequent = []
    for side in (0, 1):
        count = Counter(word for pair in everything for word in pair[side])
        frequent.append({word for word, _ in count.most_common(FREQUENT)})
    short = {
        (" ".join(english), " ".join(french)): (english, french)
        for english, french in everything
        if max(len(english), len(french)) <= LONGEST
        and frequent[0].issuperset(english)
        and frequent[1].issuperset(french)
    }
    pairs = list(short.values())
    unseen = pairs[:UNSEEN]
    apart = {" ".join(french) for _, french in unseen}  # his, her and its are one word
    return ShortSentences(everything, [pair for pair in pairs[UNSEEN:] if " ".join(pair[1]) not in apart], unseen)


def train(
    model: nn.Module,
    loss_of: Callable[..., Float[Tensor, ""]],
    *texts: Int[Tensor, "N _"],
    steps: int,
    learning_rate: float = 8e-3,
    seed: int = 0,
) -> nn.Module:
    """Train on ``loss_of(model, *texts)``, 64 rows a step; the rate rises over 30 steps, then falls to 0.

    The order of the batches has its own dice, so that two models with one seed see the same ones.
    """
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), fused=True)
    order = torch.Generator().manual_seed(seed)
    for step in range(steps):
        rows = torch.randint(len(texts[0]), (64,), generator=order).to(texts[0].device)
        optimizer.param_groups[0]["lr"] = learning_rate * min((step + 1) / 30, 1 - step / steps)
        loss = loss_of(model, *(text[rows] for text in texts))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()
