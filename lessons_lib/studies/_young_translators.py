"""Lesson 12's translator, trained for 400 steps from any seed, and what is measured of it (lessons 12 and 13)."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from lessons_lib.device import pick_precision, seed_everything
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.batching import Batches, Examples, encode_pairs
from lessons_lib.translation.data.corpus import Corpus, Pair, load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.loop import TrainingOptions, fit

STEPS, WARM_UP, PEAK, PLACES = 400, 110, 5e-3, 768
CPU = torch.device("cpu")


@cache
def material() -> tuple[Corpus, Tokenizer, Examples]:
    """The embedded corpus, its tokenizer of 4,000 pieces, and its training part as tokens."""
    corpus = load_grammar(seed=0)
    sides = (text for pair in corpus.train for text in (pair.source, pair.target))
    tokenizer = Tokenizer.train(sides, vocab_size=4_000)
    return corpus, tokenizer, encode_pairs(tokenizer, corpus.train, max_length=256)


def young_translator(seed: int, label_smoothing: float = 0.1, steps: int = STEPS) -> Translator:
    """Width 128, 2 + 2 layers: start and order of the batches by ``seed``; on a CPU, in its fastest precision."""
    _, tokenizer, examples = material()
    seed_everything(seed)
    layers = {"n_encoder_layers": 2, "n_decoder_layers": 2}
    model = Transformer(TransformerConfig(len(tokenizer), d_model=128, n_heads=4, d_ff=256, dropout=0.0, **layers))
    batches = Batches(examples, tokenizer, PLACES, seed).forever()
    options = TrainingOptions(
        steps=steps, learning_rate=PEAK, warmup_steps=WARM_UP * steps // STEPS, label_smoothing=label_smoothing
    )
    for _ in fit(model, batches, options, pick_precision(CPU)):
        pass
    return Translator(model.eval(), tokenizer)


def translated(
    translator: Translator, pairs: Sequence[Pair], beam: int = 1, length_penalty: float = 1.0
) -> dict[str, float]:
    """BLEU, mean log-probability, share of translations equal to the reference, words over the references' words."""
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    found = translator.translate(sources, beam=beam, length_penalty=length_penalty, attention=False)
    texts = [one.text for one in found]
    words = sum(len(text.split()) for text in texts) / sum(len(text.split()) for text in references)
    return {
        "BLEU": score(texts, references).bleu,
        "log P": float(np.mean([one.score for one in found])),
        "equal": float(np.mean([a == b for a, b in zip(texts, references, strict=True)])),
        "words": words,
    }
