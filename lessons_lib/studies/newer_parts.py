"""The block of 2019 against that of 2023 with as many parameters, each at its best learning rate (lesson 9)."""

import dataclasses

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.config import TransformerConfig
from lessons_lib.device import seed_everything
from lessons_lib.evidence import above, within
from lessons_lib.families import DecoderOnly
from lessons_lib.studies import Study
from lessons_lib.studies.short_sentences import PAD, short_sentences, train

QUESTION = "Do the parts of 2023 make a better small language model than those of 2019?"
LESSON = 9
BOUND = "better by more than 0.1 nats a word on unseen sentences, each at its best learning rate; 5 seeds"
SEEDS = range(5)
RATES = {150: (4e-3, 8e-3, 1.6e-2), 400: (4e-3, 8e-3)}  # by the number of steps
YEARS = ("2019", "2023")


def config_of(year: str, vocab_size: int) -> TransformerConfig:
    """Both have about as many parameters: without biases and with fewer key heads, d_ff fills up."""
    shape = {"n_encoder_layers": 0, "n_decoder_layers": 2, "d_ff": 128, "dropout": 0.0, "max_length": 16}
    old = TransformerConfig(vocab_size, 64, activation="gelu", positions="learned", scaled=False, **shape)
    if year == "2019":
        return old
    new = {"positions": "rope", "norm_type": "rms", "bias": "none", "activation": "swiglu", "n_kv_heads": 2}
    return dataclasses.replace(old, d_ff=108, **new)


def loss_of(model: DecoderOnly, tokens: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    asked = tokens[:, 1:] != PAD
    return F.cross_entropy(model(tokens[:, :-1])[asked], tokens[:, 1:][asked])


def name_of(year: str, steps: int, rate: float) -> str:
    return f"{year}, {steps} steps at rate {rate:g}"


def run(seed: int) -> dict[str, float]:
    corpus = short_sentences()
    known, unseen = corpus.sentences(corpus.training), corpus.sentences(corpus.unseen)
    measured = {}
    for steps, rates in RATES.items():
        for rate in rates:
            for year in YEARS:
                seed_everything(seed)
                model = DecoderOnly(config_of(year, len(corpus.french)))
                train(model, loss_of, known, steps=steps, learning_rate=rate, seed=seed)
                with torch.no_grad():
                    measured[name_of(year, steps, rate)] = loss_of(model, unseen).item()
    return measured


def best(study: Study, year: str, steps: int) -> str:
    """What was measured of this year's parts at the rate that suits them best."""
    return min((name_of(year, steps, rate) for rate in RATES[steps]), key=lambda name: study.estimate(name).mean)


def conclude(study: Study) -> dict[str, str]:
    verdicts = {}
    for steps in RATES:
        gain = study.difference(best(study, "2019", steps), best(study, "2023", steps))
        verdicts[f"after {steps} steps the parts of 2023 are better by more than 0.1 nats"] = above(gain, 0.1)
        verdicts[f"after {steps} steps both are within 0.1 nats"] = within(gain, 0.1)
    return verdicts
