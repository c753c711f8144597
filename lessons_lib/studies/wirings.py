"""Who does what to whom: what one attention layer learns when its queries, keys or values share a matrix (lesson 2)."""

import random
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn

from lessons_lib.attention import scaled_dot_product_attention
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, within
from lessons_lib.studies import Study
from lessons_lib.translation.data.language import english
from lessons_lib.translation.data.language.meaning import NounPhrase
from lessons_lib.translation.data.language.sampling import sample_sentence

QUESTION = "What does one attention layer not learn, or learn later, when queries and keys come from one matrix?"
LESSON = 2
BOUND = (
    "by the worst question of a task, whole 95 % interval, over 5 seeds: learnt with more than 0.7 of right answers; "
    "behind by more than 0.1; no worse if the difference is less than 0.05"
)
SEEDS = range(5)

SHORT, LONG = 300, 2_400
LEARNT, BEHIND, MARGIN = 0.7, 0.1, 0.05
SENTENCES, TRAINING, LENGTH, WIDTH, BATCH = 6_000, 5_000, 10, 32, 64

ROLES = ("subject", "verb", "object")
SUBJECT, VERB, OBJECT = range(3)
TASKS = {  # (the role that is asked, the role that it must name)
    "one way": [(VERB, SUBJECT)],
    "two ways": [(SUBJECT, OBJECT), (OBJECT, SUBJECT)],
    "circle": [(VERB, SUBJECT), (SUBJECT, OBJECT), (OBJECT, VERB)],
}
WIRINGS = (
    "three matrices",
    "Q = K",
    "Q = K, never itself",
    "K = V",
    "Q only: K = V = X",
    "none: Q = K = V = X",
)
LONGER = (("Q = K", "two ways"), ("Q = K", "circle"), ("Q = K, never itself", "circle"))


class Corpus(NamedTuple):
    """Different sentences of a subject, a verb and an object, as numbers; 0 fills short ones up."""

    sentences: list[tuple[str, ...]]
    words: dict[str, int]
    tokens: Int[Tensor, "N T"]
    places: Int[Tensor, "N 3"]
    named: Int[Tensor, "N 3"]  # the words that stand at the places


def numbered(sentences: Iterable[Iterable[str]]) -> dict[str, int]:
    """A number for each word, from 1 on, in order of appearance."""
    words = dict.fromkeys(word for sentence in sentences for word in sentence)
    return {word: number for number, word in enumerate(["<pad>", *words])}


@cache
def corpus() -> Corpus:
    """6,000 sentences of the course's grammar, which knows their subjects, verbs and objects; the same each time."""
    rng, found = random.Random(0), {}
    while len(found) < SENTENCES:
        meaning = sample_sentence(rng, {"action": 1})
        if type(meaning.main.subject) is type(meaning.main.object) is NounPhrase:
            tagged = english.sentence(meaning)
            keys = ("subject.noun", "verb", "object.noun")
            places = [[i for i, word in enumerate(tagged) if key in word.keys] for key in keys]
            if len(tagged) <= LENGTH and all(len(place) == 1 for place in places):
                found[tuple(word.text.lower() for word in tagged)] = [place[0] for place in places]
    words = numbered(found)
    tokens = torch.tensor([[words[word] for word in one] + [0] * (LENGTH - len(one)) for one in found])
    places = torch.tensor(list(found.values()))
    return Corpus(list(found), words, tokens, places, tokens.gather(1, places))


def wired(wiring: str, width: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """What makes the queries, the keys and the values."""
    query, key, value = (nn.Linear(width, width) for _ in range(3))
    same = nn.Identity()
    return {
        "three matrices": (query, key, value),
        "Q = K": (query, query, value),
        "Q = K, never itself": (query, query, value),
        "K = V": (query, key, key),
        "Q only: K = V = X": (query, same, same),
        "none: Q = K = V = X": (same, same, same),
    }[wiring]


class WhoDoesWhat(nn.Module):
    """Embeddings with learned places, one attention, one linear layer that names a word of the corpus."""

    def __init__(self, wiring: str):
        super().__init__()
        n_words = len(corpus().words)
        self.embedding, self.name_word = nn.Embedding(n_words, WIDTH), nn.Linear(WIDTH, n_words)
        self.place = nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.query, self.key, self.value = wired(wiring, WIDTH)
        self.never_itself = "never itself" in wiring

    def forward(self, tokens, places):  # (B, T), (B, asked) -> (B, asked, words)
        x = self.embedding(tokens) + self.place
        allowed = (tokens != 0)[:, None, :].repeat(1, LENGTH, 1)
        if self.never_itself:
            allowed &= ~torch.eye(LENGTH, dtype=torch.bool)
        output, _ = scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), allowed)
        return self.name_word(output.gather(1, places[..., None].expand(-1, -1, WIDTH)))


def learnt(wiring: str, task: str, seed: int, after: tuple[int, ...] = (SHORT,)) -> list[list[float]]:
    """One training: for each number of updates, the share of right answers to each question, on unseen sentences."""
    asked, named = (list(roles) for roles in zip(*TASKS[task], strict=True))
    data = corpus()
    seed_everything(seed)
    network = WhoDoesWhat(wiring)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    shares = []
    for update in range(1, after[-1] + 1):
        rows = torch.randint(TRAINING, (BATCH,))
        logits = network(data.tokens[rows], data.places[rows][:, asked])
        loss = F.cross_entropy(logits.flatten(0, 1), data.named[rows][:, named].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update in after:
            with torch.no_grad():
                guesses = network(data.tokens[TRAINING:], data.places[TRAINING:][:, asked]).argmax(-1)
            shares.append((guesses == data.named[TRAINING:][:, named]).float().mean(0).tolist())
    return shares


def name(wiring: str, task: str, question: str = "worst", updates: int = SHORT) -> str:
    """How the stored numbers are called."""
    return f"{wiring}; {task}; {question}; {updates} updates"


def questions(task: str) -> list[str]:
    """The questions of a task in words, such as "verb → subject"."""
    return [f"{ROLES[asked]} → {ROLES[named]}" for asked, named in TASKS[task]]


def run(seed: int) -> dict[str, float]:
    found = {}
    for wiring in WIRINGS:
        for task in TASKS:
            after = (SHORT, LONG) if (wiring, task) in LONGER else (SHORT,)
            for updates, shares in zip(after, learnt(wiring, task, seed, after), strict=True):
                for question, share in zip(questions(task), shares, strict=True):
                    found[name(wiring, task, question, updates)] = share
                found[name(wiring, task, updates=updates)] = min(shares)
    return found


def conclude(study: Study) -> dict[str, str]:
    def behind(wiring: str, task: str, updates: int, other: int) -> str:
        best, worse = name("three matrices", task, updates=other), name(wiring, task, updates=updates)
        return above(study.difference(best, worse), BEHIND)

    words = {
        f"{wiring}: {task} learnt after {updates} updates": above(
            study.estimate(name(wiring, task, updates=updates)), LEARNT
        )
        for wiring in WIRINGS
        for task in TASKS
        for updates in (SHORT, LONG)
        if name(wiring, task, updates=updates) in study.results
    }
    for wiring, task in (("Q = K", "two ways"), ("Q = K", "circle"), ("Q = K, never itself", "circle")):
        words[f"{wiring}: {task} behind three matrices after {SHORT} updates"] = behind(wiring, task, SHORT, SHORT)
        words[f"{wiring}: {task} after {LONG} updates behind three matrices after {SHORT}"] = behind(
            wiring, task, LONG, SHORT
        )
    for wiring in ("K = V", "Q only: K = V = X"):
        for task in TASKS:
            difference = study.difference(name(wiring, task), name("three matrices", task))
            words[f"{wiring}: {task} no worse than three matrices"] = (
                "true" if difference.low > -MARGIN else within(difference, MARGIN)
            )
    return words
