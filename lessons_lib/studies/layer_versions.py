"""Six versions of one encoder layer, in networks that translate word by word, in place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.attention import NO_POSITIONS
from lessons_lib.blocks import EncoderLayer
from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.transformer import Encoder
from lessons_lib.translation.data.corpus import Pair, load_grammar

QUESTION = "What is lost without activation, without a feed-forward network, and what is won by a gate?"
LESSON = 7
BOUND = (
    "a version is better if its loss on unseen sentences is lower by more than 0.02 nats a word, in pairs, each at its "
    "best of three rates (chosen on other sentences), interval included, over 10 seeds"
)
SEEDS = range(10)
RATES = (0.008, 0.03, 0.07)
WIDTH, STEPS, LONG = 48, 150, 400
LENGTH, FRENCH_WORDS, UNKNOWN, NO_ANSWER = 12, 500, 1, -1
MARGIN = 0.02

Sentence = tuple[list[str], list[str | None]]


def word_by_word(pairs: Sequence[Pair]) -> list[Sentence]:
    """English words of short sentences, and for each the first French word that it is aligned with, or None."""
    sentences = []
    for pair in pairs:
        english, french = (text.lower().rstrip(".?!").split() for text in (pair.source, pair.target))
        first: dict[int, str] = {}
        for e, f in sorted(pair.alignment):
            if e < len(english) and f < len(french):
                first.setdefault(e, french[f])
        if len(english) <= LENGTH:
            sentences.append((english, [first.get(e) for e in range(len(english))]))
    return sentences


@dataclass(frozen=True)
class Words:
    """English words and French answers (N, 12) of three parts; 0 is padding, 1 an unknown word, −1 no answer."""

    english: dict[str, int]
    french: dict[str, int]
    train: tuple[Tensor, Tensor]
    valid: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


@cache
def words() -> Words:
    """The course's corpus, word by word: the 500 most frequent French words are the answers."""
    corpus = load_grammar(seed=0, n_train=8000)
    train, valid, test = (word_by_word(part) for part in (corpus.train, corpus.valid, corpus.test))
    counts = Counter(word for sentence, _ in train for word in sentence)
    english = {word: i + 2 for i, (word, n) in enumerate(counts.most_common()) if n >= 5}
    answers = Counter(word for _, sentence in train for word in sentence if word)
    french = {word: i for i, (word, _) in enumerate(answers.most_common(FRENCH_WORDS))}

    def to_tensors(sentences: list[Sentence]) -> tuple[Tensor, Tensor]:
        asked = torch.zeros(len(sentences), LENGTH, dtype=torch.long)
        due = torch.full_like(asked, NO_ANSWER)
        for row, sentence in enumerate(sentences):
            for place, (word, answer) in enumerate(zip(*sentence, strict=True)):
                asked[row, place] = english.get(word, UNKNOWN)
                if word in english:
                    due[row, place] = french.get(answer, NO_ANSWER)
        return asked, due

    return Words(english, french, to_tensors(train), to_tensors(valid), to_tensors(test))


class AttentionAlone(EncoderLayer):
    """An encoder layer without its second half."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        del self.feed_forward, self.feed_forward_residual

    def forward(self, x, mask=None, positions=NO_POSITIONS):
        return self.attention_residual(x, lambda x: self.attention(x, None, mask, positions)[0])


class WordTranslator(nn.Module):
    """Word vectors, one encoder layer, a score for each French word; ``linear``: without activation."""

    def __init__(self, layer: type[EncoderLayer] = EncoderLayer, linear: bool = False, **sizes):
        super().__init__()
        config = TransformerConfig(
            len(words().english) + 2, d_model=WIDTH, n_encoder_layers=1, n_decoder_layers=0, dropout=0.0, **sizes
        )
        self.embedding = nn.Embedding(config.vocab_size, WIDTH)
        self.encoder = Encoder(config)
        self.encoder.layers[0] = layer(config)
        self.output = nn.Linear(WIDTH, len(words().french))
        for module in self.encoder.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        if linear:
            self.encoder.layers[0].feed_forward.activation = nn.Identity()

    def forward(self, asked: Tensor) -> Tensor:  # (B, T) -> (B, T, French words)
        return self.output(self.encoder(self.embedding(asked), (asked != 0)[:, None, None, :]))


VERSIONS = {
    "ReLU": {"d_ff": 4 * WIDTH},
    "no activation": {"d_ff": 4 * WIDTH, "linear": True},
    "attention alone": {"layer": AttentionAlone, "d_head": 3 * WIDTH // 4},
    "attention alone, a third": {"layer": AttentionAlone},
    "SwiGLU": {"d_ff": 8 * WIDTH // 3, "activation": "swiglu"},
    "SwiGLU, unfair": {"d_ff": 4 * WIDTH, "activation": "swiglu"},
}


LONGER = [version for version in VERSIONS if version != "SwiGLU, unfair"]  # trained with more steps, too


def trained(version: str, rate: float, seed: int, steps: int = STEPS) -> WordTranslator:
    """One training: the rate goes up in 30 steps, then down in a straight line."""
    seed_everything(seed)
    model = WordTranslator(**VERSIONS[version])
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, fused=True)
    generator = torch.Generator().manual_seed(seed)
    asked, due = words().train
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min((step + 1) / 30, 1 - step / steps)
        rows = torch.randint(len(asked), (32,), generator=generator)
        loss = F.cross_entropy(model(asked[rows]).flatten(0, 1), due[rows].flatten(), ignore_index=NO_ANSWER)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@torch.no_grad()
def loss_on(model: WordTranslator, part: tuple[Tensor, Tensor]) -> float:
    """Nats a word."""
    asked, due = part
    return F.cross_entropy(model(asked).flatten(0, 1), due.flatten(), ignore_index=NO_ANSWER).item()


@torch.no_grad()
def dead(model: WordTranslator) -> int:
    """How many neurons fire for no word of the test sentences."""
    sums: list[Tensor] = []
    expand = model.encoder.layers[0].feed_forward.expand
    hook = expand.register_forward_hook(lambda module, given, out: sums.append(out))
    asked, _ = words().test
    model(asked)
    hook.remove()
    return int((sums[0][asked != 0] <= 0).all(dim=0).sum())


def run(seed: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for version in VERSIONS:
        cells = [(f"{rate:g}", rate, STEPS) for rate in RATES]
        if version in LONGER:
            cells.append(("long", RATES[1], LONG))
        for name, rate, steps in cells:
            model = trained(version, rate, seed, steps)
            found[f"{version} {name}, valid"] = loss_on(model, words().valid)
            found[f"{version} {name}, test"] = loss_on(model, words().test)
            if version == "ReLU":
                found[f"{version} {name}, dead"] = dead(model)
    return found


def best(study: Study, version: str) -> str:
    """The version at the rate with the lowest loss on the sentences to choose by."""
    return min((f"{version} {rate:g}" for rate in RATES), key=lambda cell: study.estimate(f"{cell}, valid").mean)


def behind(study: Study, a: str, b: str, at: str | None = None):
    """How much higher the loss of a is than that of b: each at its best rate, or both at one."""
    cells = (f"{a} {at}", f"{b} {at}") if at else (best(study, a), best(study, b))
    return study.difference(*(f"{cell}, test" for cell in cells))


def conclude(study: Study) -> dict[str, str]:
    pairs = {
        "ReLU is better than no activation": ("no activation", "ReLU"),
        "attention alone is better than ReLU": ("ReLU", "attention alone"),
        "attention alone, a third as large, is better than ReLU": ("ReLU", "attention alone, a third"),
        "ReLU is better than attention alone, a third as large": ("attention alone, a third", "ReLU"),
        "SwiGLU is better than ReLU": ("ReLU", "SwiGLU"),
        "SwiGLU, unfair, is better than SwiGLU": ("SwiGLU", "SwiGLU, unfair"),
    }
    places = {"at the lowest rate": f"{RATES[0]:g}", "each at its best rate": None, "after 400 steps": "long"}
    return {
        f"{statement}, {where}": above(behind(study, *pair, at), MARGIN)
        for statement, pair in pairs.items()
        for where, at in places.items()
        if at != "long" or set(pair) <= set(LONGER)
    }
