"""Take more and more heads out of the course's translator: in the order of what each costs alone, and by lot.

A third order tests a cause: it takes the cheapest too, but leaves one head in each attention as long as it can.
"""

import contextlib
import random
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import Pair, load_grammar
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.translation.search.translator import Translator

QUESTION = "Does what a head costs alone tell which heads can be taken out together?"
LESSON = 3
BOUND = (
    "5 BLEU: 6 of 24 heads, the cheapest, cost less; in the order of their costs more is left than by lot, at 6, 12 "
    "and 16 heads, by more; each seed ranks the heads on 100 sentences and is scored on 100 others"
)
SEEDS = range(10)

COUNTS = (2, 4, 6, 8, 10, 12, 16)
SENTENCES = 100

Head = tuple[str, int, int]


def attentions(model: nn.Module) -> dict[str, list[nn.Module]]:
    """The attentions of a translator by kind, a module a layer."""
    return {
        "encoder": [layer.attention for layer in model.encoder.layers],
        "decoder": [layer.attention for layer in model.decoder.layers],
        "cross": [layer.cross_attention for layer in model.decoder.layers],
    }


def all_heads(model: nn.Module) -> list[Head]:
    """(kind, layer, head) of every head."""
    return [
        (kind, layer, head)
        for kind, modules in attentions(model).items()
        for layer in range(len(modules))
        for head in range(model.config.n_heads)
    ]


@contextlib.contextmanager
def without(model: nn.Module, heads: Sequence[Head]) -> Iterator[None]:
    """The translator with these heads taken out: their blocks of W_O are zero. Afterwards it is whole again."""
    width = model.config.head_width
    outputs = {
        module.output: module.output.weight.detach().clone() for of in attentions(model).values() for module in of
    }
    with torch.no_grad():
        for kind, layer, head in heads:
            attentions(model)[kind][layer].output.weight[:, head * width : (head + 1) * width] = 0
    try:
        yield
    finally:
        with torch.no_grad():
            for output, weight in outputs.items():
                output.weight.copy_(weight)


def translations(translator: Translator, pairs: Sequence[Pair]) -> list[str]:
    """Greedy translations."""
    return [one.text for one in translator.translate([pair.source for pair in pairs], attention=False)]


def bleu_without(translator: Translator, heads: Sequence[Head], pairs: Sequence[Pair]) -> float:
    """BLEU of these sentences when these heads are taken out."""
    with without(translator.model, heads):
        return score(translations(translator, pairs), [pair.target for pair in pairs]).bleu


def by_lot(heads: Sequence[Head], seed: int) -> list[Head]:
    """All heads in an order drawn by lot."""
    return random.Random(seed).sample(heads, len(heads))


def one_left_in_each(order: Sequence[Head]) -> list[Head]:
    """The same order, but the last head of each attention comes only after all others."""
    last = {(kind, layer): head for kind, layer, head in order}
    kept = [(kind, layer, head) for (kind, layer), head in last.items()]
    return [place for place in order if place not in kept] + kept


def run(seed: int) -> dict[str, float]:
    """BLEU by the number of heads taken out, on sentences that did not decide the order."""
    translator = load_course_translator()
    heads = all_heads(translator.model)
    chosen = random.Random(f"sentences {seed}").sample(load_grammar(seed=0, n_train=1).test, 2 * SENTENCES)
    ranked_on, scored_on = chosen[:SENTENCES], chosen[SENTENCES:]
    left = {head: bleu_without(translator, [head], ranked_on) for head in heads}
    cheapest = sorted(heads, key=lambda head: -left[head])
    orders = {
        "cheapest first": cheapest,
        "cheapest first, one left in each": one_left_in_each(cheapest),
        "by lot": by_lot(heads, seed),
    }
    found = {"whole": bleu_without(translator, [], scored_on)}
    for name, order in orders.items():
        for count in COUNTS:
            found[f"{name}, {count}"] = bleu_without(translator, order[:count], scored_on)
    return found


def conclude(study: Study) -> dict[str, str]:
    """The bounds, applied."""
    price = study.difference("whole", "cheapest first, 6")
    said = {"6 of 24 heads, the cheapest, cost more than 5 BLEU": above(price, 5)}
    for count in (6, 12, 16):
        said[f"{count} heads: more is left in the order of their costs than by lot, by more than 5 BLEU"] = above(
            study.difference(f"cheapest first, {count}", f"by lot, {count}"), 5
        )
    said["16 heads: more is left by lot than in the order of their costs, by more than 5 BLEU"] = above(
        study.difference("by lot, 16", "cheapest first, 16"), 5
    )
    said["16 heads: more is left if each attention keeps one head, by more than 5 BLEU"] = above(
        study.difference("cheapest first, one left in each, 16", "cheapest first, 16"), 5
    )
    return said
