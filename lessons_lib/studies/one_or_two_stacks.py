"""A prefix language model against an encoder–decoder with as many parameters, at three learning rates (lesson 9)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above
from lessons_lib.masks import causal_mask
from lessons_lib.studies import Study
from lessons_lib.studies.covered_words import Stack
from lessons_lib.studies.short_sentences import BEGIN, END, PAD, rectangle, short_sentences, train
from lessons_lib.transformer import Transformer
from lessons_lib.translation.evaluation.scoring import score

QUESTION = "With as many parameters, does an encoder–decoder translate better than a decoder-only model?"
LESSON = 9
BOUND = "the encoder–decoder ahead by more than 2 BLEU at each of three learning rates, and each at its best; 5 seeds"
SEEDS = range(5)
RATES = (6e-3, 1.2e-2, 2.4e-2)
STEPS, SEPARATOR = 240, 3

Ids = dict[str, int]


def both_languages() -> tuple[list[str], Ids]:
    corpus = short_sentences()
    words = {word for pair in corpus.training + corpus.unseen for side in pair for word in side}
    names = ["<pad>", "<s>", "</s>", "<sep>", *sorted(words)]
    return names, {word: i for i, word in enumerate(names)}


def prefix_left(tokens: Int[Tensor, "B T"]) -> Tensor:
    """Each row sees its prefix, up to and with the separator, and what came before."""
    in_prefix = ((tokens == SEPARATOR).cumsum(1) == 0) | (tokens == SEPARATOR)
    return causal_mask(tokens.shape[1]) | in_prefix[:, None, None, :]


def one_sequence(pairs: list, number: Ids) -> Int[Tensor, "N T"]:
    return rectangle(
        [[*map(number.get, english), SEPARATOR, *map(number.get, french), END] for english, french in pairs]
    )


def two_sequences(pairs: list, number: Ids) -> tuple[Int[Tensor, "N S"], Int[Tensor, "N T"]]:
    src = rectangle([[*map(number.get, english), END] for english, _ in pairs])
    return src, rectangle([[BEGIN, *map(number.get, french), END] for _, french in pairs])


def one_stack_loss(model: Stack, tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """The English is given: what stands at or behind the separator predicts."""
    asked = ((tokens == SEPARATOR).cumsum(1)[:, :-1] == 1) & (tokens[:, 1:] != PAD)
    return F.cross_entropy(model(tokens[:, :-1], prefix_left(tokens[:, :-1]))[asked], tokens[:, 1:][asked])


def two_stack_loss(model: Transformer, src: Int[Tensor, "B S"], tgt: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    asked = tgt[:, 1:] != PAD
    return F.cross_entropy(model(src, tgt[:, :-1])[asked], tgt[:, 1:][asked])


@torch.no_grad()
def translate_one(model: Stack, pairs: list, number: Ids) -> list[list[int]]:
    """Sentences of one length at a time, so that the separator stands in one column."""
    found: dict[int, list[int]] = {}
    for length in {len(english) for english, _ in pairs}:
        group = [i for i, (english, _) in enumerate(pairs) if len(english) == length]
        tokens = one_sequence([(pairs[i][0], []) for i in group], number)[:, : length + 1]
        for _ in range(10):
            tokens = torch.cat([tokens, model(tokens, prefix_left(tokens))[:, -1:].argmax(-1)], dim=1)
        found |= dict(zip(group, tokens[:, length + 1 :].tolist(), strict=True))
    return [found[i] for i in range(len(pairs))]


@torch.no_grad()
def translate_two(model: Transformer, pairs: list, number: Ids) -> list[list[int]]:
    src, _ = two_sequences(pairs, number)
    tgt = torch.full((len(pairs), 1), BEGIN)
    for _ in range(10):
        tgt = torch.cat([tgt, model(src, tgt)[:, -1:].argmax(-1)], dim=1)
    return tgt[:, 1:].tolist()


def run(seed: int) -> dict[str, float]:
    corpus, (names, number) = short_sentences(), both_languages()
    references = [" ".join(french) for _, french in corpus.unseen]
    halves = TransformerConfig(len(names), 64, n_encoder_layers=2, n_decoder_layers=2, d_ff=128, dropout=0.0)
    one, two = one_sequence(corpus.training, number), two_sequences(corpus.training, number)
    measured = {}
    for rate in RATES:
        seed_everything(seed)
        models = {
            "encoder–decoder": train(
                Transformer(halves), two_stack_loss, *two, steps=STEPS, learning_rate=rate, seed=seed
            ),
            "decoder-only": train(
                Stack(len(names), n_layers=5), one_stack_loss, one, steps=STEPS, learning_rate=rate, seed=seed
            ),
        }
        for name, model in models.items():
            rows = (translate_two if name == "encoder–decoder" else translate_one)(model, corpus.unseen, number)
            texts = [" ".join(names[token] for token in (row[: row.index(END)] if END in row else row)) for row in rows]
            measured[f"BLEU at rate {rate:g}: {name}"] = score(texts, references).bleu
    return measured


def conclude(study: Study) -> dict[str, str]:
    ahead = {
        f"at rate {rate:g} the encoder–decoder is ahead by more than 2 BLEU": above(
            study.difference(f"BLEU at rate {rate:g}: encoder–decoder", f"BLEU at rate {rate:g}: decoder-only"), 2
        )
        for rate in RATES
    }
    best = {
        name: max((f"BLEU at rate {rate:g}: {name}" for rate in RATES), key=lambda key: study.estimate(key).mean)
        for name in ("encoder–decoder", "decoder-only")
    }
    each_at_its_best = study.difference(best["encoder–decoder"], best["decoder-only"])
    return ahead | {"each at the rate that suits it best, by more than 2 BLEU": above(each_at_its_best, 2)}
