"""GPT and BERT of one size fill in blanks, and write, after a short and after a longer training (lesson 9)."""

import itertools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from lessons_lib.blocks import EncoderLayer
from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import LayerNorm
from lessons_lib.positions import sinusoidal_table
from lessons_lib.studies import Study
from lessons_lib.studies.short_sentences import BEGIN, BLANK, END, PAD, short_sentences, train

QUESTION = "Does BERT fill in more of the covered words than GPT, and can it write?"
LESSON = 9
BOUND = "0.02 of the covered words, 0.1 of the pairs of neighbours in what is written; over 5 seeds"
SEEDS = range(5)
STEPS = (400, 1_600)
WIDTH, CANDIDATES, N_TEXTS, N_WORDS, ROUNDS = 64, 20, 100, 7, 10

Draw = Callable[[Float[Tensor, "B V"]], Int[Tensor, " B"]]


class Stack(nn.Module):
    """Embeddings, layers, a norm, and the embedding again: the mask makes the family."""

    def __init__(self, vocab_size: int, n_layers: int = 2):
        super().__init__()
        shape = {"n_encoder_layers": n_layers, "n_decoder_layers": 0, "d_ff": 128, "dropout": 0.0}
        config = TransformerConfig(vocab_size, WIDTH, **shape)
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(n_layers))
        self.norm = LayerNorm(WIDTH)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)

    def forward(self, tokens: Int[Tensor, "B T"], mask: Tensor) -> Float[Tensor, "B T V"]:
        x = self.embedding(tokens) * WIDTH**0.5 + sinusoidal_table(tokens.shape[1], WIDTH)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T


def next_words(model: Stack, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
    return model(tokens, causal_mask(tokens.shape[1]))


def these_words(model: Stack, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
    return model(tokens, padding_mask(tokens, PAD))


def next_word_loss(model: Stack, tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    read, wanted = tokens[:, :-1], tokens[:, 1:]
    return F.cross_entropy(next_words(model, read)[wanted != PAD], wanted[wanted != PAD])


def covered_word_loss(dice: Generator) -> Callable[[Stack, Tensor], Tensor]:
    """BERT's: 15 % of the places, of ten a random word in one, itself in one, else a blank."""

    def loss(model: Stack, tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
        asked = (torch.rand(tokens.shape, generator=dice) < 0.15) & (tokens > END)
        draw = torch.rand(tokens.shape, generator=dice)
        noise = torch.randint(4, model.embedding.num_embeddings, tokens.shape, generator=dice)
        read = torch.where(asked & (draw < 0.8), BLANK, torch.where(asked & (draw >= 0.9), noise, tokens))
        return F.cross_entropy(these_words(model, read)[asked], tokens[asked])

    return loss


@torch.no_grad()
def fill_in(gpt: Stack, bert: Stack, tokens: Int[Tensor, "B T"]) -> dict[str, float]:
    """The share of all words that are guessed right, each covered once."""
    rows, places = (tokens > BLANK).nonzero(as_tuple=True)
    gold, each = tokens[rows, places], torch.arange(len(rows))
    covered = tokens[rows].index_put((each, places), torch.tensor(BLANK))
    left = next_words(gpt, tokens)[rows, places - 1]
    candidates = left.topk(CANDIDATES).indices  # (N, 20)
    scores = []
    for column in candidates.T:
        whole = tokens[rows].index_put((each, places), column)
        found = next_words(gpt, whole).log_softmax(-1)[:, :-1].gather(2, whole[:, 1:, None])[..., 0]
        scores.append((found * (whole[:, 1:] != PAD)).sum(-1))
    weighed = candidates[each, torch.stack(scores).argmax(0)]
    guesses = {
        "BERT": these_words(bert, covered)[each, places].argmax(-1),
        "GPT, from the left": left.argmax(-1),
        "GPT, sentences weighed": weighed,
    }
    return {name: (guess == gold).float().mean().item() for name, guess in guesses.items()}


def dice_of(seed: int) -> Draw:
    """Draw a token of each row of logits, by its probability; no mark but the end."""
    dice = torch.Generator().manual_seed(seed)

    def draw(logits: Float[Tensor, "B V"]) -> Int[Tensor, " B"]:
        logits = logits.index_fill(1, torch.tensor([PAD, BEGIN, BLANK]), -torch.inf)
        return torch.multinomial(logits.softmax(-1), 1, generator=dice)[:, 0]

    return draw


@torch.no_grad()
def gpt_writes(model: Stack, draw: Draw) -> Int[Tensor, "B T"]:
    tokens = torch.full((N_TEXTS, 1), BEGIN)
    for _ in range(12):
        tokens = torch.cat([tokens, draw(next_words(model, tokens)[:, -1])[:, None]], dim=1)
    return tokens


@torch.no_grad()
def bert_writes(model: Stack, draw: Draw, rounds: int) -> Int[Tensor, "B T"]:
    """Seven blanks, all from one look (0 rounds); or one place after the other, covered and drawn anew."""
    tokens = torch.full((N_TEXTS, N_WORDS + 2), BLANK)
    tokens[:, 0], tokens[:, -1] = BEGIN, END
    places = range(1, N_WORDS + 1)
    if not rounds:
        logits = no_end(these_words(model, tokens))
        tokens[:, 1:-1] = torch.stack([draw(logits[:, place]) for place in places], dim=1)
    for _ in range(rounds):
        for place in places:
            tokens[:, place] = BLANK
            tokens[:, place] = draw(no_end(these_words(model, tokens))[:, place])
    return tokens


def no_end(logits: Float[Tensor, "B T V"]) -> Float[Tensor, "B T V"]:
    """The number of blanks is given, so no sentence ends early."""
    return logits.index_fill(2, torch.tensor([END]), -torch.inf)


def share_written(tokens: Int[Tensor, "B T"], pairs: set[tuple[str, str]], words: list[str]) -> float:
    """Of all pairs of neighbours, those that the grammar wrote somewhere."""
    found = []
    for row in tokens[:, 1:].tolist():
        text = [words[token] for token in (row[: row.index(END)] if END in row else row)]
        found += [pair in pairs for pair in itertools.pairwise(text)]
    return sum(found) / len(found)


def run(seed: int) -> dict[str, float]:
    corpus = short_sentences()
    known, unseen = corpus.sentences(corpus.training), corpus.sentences(corpus.unseen)
    measured, trained = {}, {}
    for steps in STEPS:
        dice = torch.Generator().manual_seed(seed)
        for name, loss in (("GPT", next_word_loss), ("BERT", covered_word_loss(dice))):
            seed_everything(seed)
            trained[name] = train(Stack(len(corpus.french)), loss, known, steps=steps, seed=seed)
        for name, share in fill_in(trained["GPT"], trained["BERT"], unseen).items():
            measured[f"right, {steps} steps: {name}"] = share
    draw, pairs = dice_of(seed), {pair for _, french in corpus.everything for pair in itertools.pairwise(french)}
    texts = {
        "GPT": gpt_writes(trained["GPT"], draw),
        "BERT, one look": bert_writes(trained["BERT"], draw, 0),
        "BERT, ten rounds": bert_writes(trained["BERT"], draw, ROUNDS),
    }
    return measured | {f"written: {name}": share_written(t, pairs, corpus.french) for name, t in texts.items()}


def conclude(study: Study) -> dict[str, str]:
    few, many = (
        study.difference(f"right, {steps} steps: BERT", f"right, {steps} steps: GPT, sentences weighed")
        for steps in STEPS
    )
    one_look = study.difference("right, 1600 steps: BERT", "right, 1600 steps: GPT, from the left")
    writes = study.difference("written: GPT", "written: BERT, ten rounds")
    return {
        "after 1,600 steps BERT fills in more than GPT from the left, by more than 0.02": above(one_look, 0.02),
        "after 400 steps BERT fills in more than GPT with sentences weighed, by more than 0.02": above(few, 0.02),
        "after 1,600 steps BERT fills in more than GPT with sentences weighed, by more than 0.02": above(many, 0.02),
        "GPT writes more of the grammar's pairs than BERT in ten rounds, by more than 0.1": above(writes, 0.1),
    }
