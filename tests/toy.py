"""A language that a tiny model learns in seconds: every word has one translation, and adjectives follow their noun."""

import random
from functools import cache

import torch

from lessons_lib.device import seed_everything
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import Corpus, Pair
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.loop import TrainingOptions, fit

NOUNS = {"cat": "chat", "dog": "chien", "bird": "oiseau", "horse": "cheval"}
ADJECTIVES = {"black": "noir", "white": "blanc", "little": "petit"}
VERBS = {"sees": "voit", "follows": "suit", "hears": "entend"}


def toy_pair(rng: random.Random) -> Pair:
    """ "the black cat sees the dog" and "le chat noir voit le dog", with the links between their words."""
    english, french, links = [], [], []

    def noun_phrase() -> None:
        e, f = len(english), len(french)
        noun = rng.choice(list(NOUNS))
        if rng.random() < 0.5:
            adjective = rng.choice(list(ADJECTIVES))
            english.extend(["the", adjective, noun])
            french.extend(["le", NOUNS[noun], ADJECTIVES[adjective]])
            links.extend([(e, f), (e + 1, f + 2), (e + 2, f + 1)])
        else:
            english.extend(["the", noun])
            french.extend(["le", NOUNS[noun]])
            links.extend([(e, f), (e + 1, f + 1)])

    noun_phrase()
    verb = rng.choice(list(VERBS))
    links.append((len(english), len(french)))
    english.append(verb)
    french.append(VERBS[verb])
    noun_phrase()
    return Pair(" ".join(english), " ".join(french), tuple(links))


def toy_corpus(n_train: int = 500, seed: int = 0) -> Corpus:
    """Training, validation and test pairs, no sentence in two of them."""
    rng, pairs = random.Random(seed), {}
    while len(pairs) < n_train + 40:
        pair = toy_pair(rng)
        pairs.setdefault(pair.source, pair)
    pairs = list(pairs.values())
    return Corpus("toy", pairs[:n_train], pairs[n_train : n_train + 20], pairs[n_train + 20 :])


def toy_config(**changes) -> TransformerConfig:
    sizes = {"vocab_size": 340, "d_model": 32, "n_heads": 2, "n_encoder_layers": 1, "n_decoder_layers": 1}
    return TransformerConfig(**(sizes | {"d_ff": 64, "dropout": 0.0, "max_length": 24} | changes))


def toy_model(**changes) -> tuple[Transformer, Tokenizer]:
    """An untrained model, the same on every call, and the tokenizer of the toy language."""
    seed_everything(0)
    tokenizer = toy_tokenizer()
    return Transformer(toy_config(vocab_size=len(tokenizer), **changes)).eval(), tokenizer


@cache
def toy_tokenizer() -> Tokenizer:
    return Tokenizer.train([text for pair in toy_corpus().train for text in pair[:2]], 340)


@cache
def toy_translator() -> Translator:
    """A model that has learned the toy language."""
    model, tokenizer = toy_model()
    batches = Batches(encode_pairs(tokenizer, toy_corpus().train, 24), tokenizer, token_budget=300)
    options = TrainingOptions(steps=200, learning_rate=1.5e-2, warmup_steps=20)
    for _ in fit(model, batches.forever(), options):
        pass
    return Translator(model.eval(), tokenizer)


def toy_sources(count: int = 8) -> torch.Tensor:
    """Token ids (B, S) of the first test sentences, padded."""
    from lessons_lib.translation.data.batching import pad

    return pad([[*toy_tokenizer().encode(pair.source), 2] for pair in toy_corpus().test[:count]], 0)
