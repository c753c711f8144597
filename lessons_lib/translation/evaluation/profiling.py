"""What a translation costs: time and memory over batch size, length, beam, key–value cache and precision."""

import copy
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.device import pick_precision
from lessons_lib.errors import UserError
from lessons_lib.timing import peak_bytes, take_turns
from lessons_lib.transformer import Transformer
from lessons_lib.translation.search.constraints import Constraints
from lessons_lib.translation.search.decoding import Hypothesis, check_beam, greedy, n_best
from lessons_lib.translation.search.uncached import Uncached


@dataclass(frozen=True)
class Point:
    """One way to decode. ``source_length`` counts tokens, ``</s>`` included; the translations are as long."""

    batch: int = 8
    source_length: int = 16
    beam: int = 1
    cached: bool = True
    precision: str = "fp32"


@dataclass(frozen=True)
class Measured(Point):
    """What it costs.

    Attributes:
        ms: median milliseconds of a batch, from token ids to token ids, the encoder included.
        ms_a_sentence: the same, divided by the sentences of the batch.
        tokens_per_second: target tokens of the translations, one a sentence and step whatever the beam.
        weights_bytes: of the model in this precision.
        peak_bytes: of tensors at the fullest moment, without the weights; see `lessons_lib.timing.peak_bytes`.
    """

    ms: float = 0.0
    ms_a_sentence: float = 0.0
    tokens_per_second: float = 0.0
    weights_bytes: int = 0
    peak_bytes: int | None = None


@dataclass(frozen=True)
class ExactLength(Constraints):
    """``</s>`` may not come before the ``length``-th token, and must come then: the same work for every model."""

    length: int = 2
    eos_id: int = 2

    def apply(
        self, scores: Float[Tensor, "rows V"], beginnings: Int[Tensor, "rows T"], sentences: Sequence[int]
    ) -> Float[Tensor, "rows V"]:
        """The scores of the next token, −inf where it would be too early for ``</s>``, or too late for another."""
        is_eos = torch.arange(scores.shape[1], device=scores.device) == self.eos_id
        is_last = beginnings.shape[1] == self.length
        return scores.masked_fill(~is_eos if is_last else is_eos, -torch.inf)


def points(
    batch: Sequence[int] = (1, 8, 64),
    source_length: Sequence[int] = (8, 16, 32),
    beam: Sequence[int] = (1, 4),
    precision: Sequence[str] = ("fp32", "bf16"),
    grid: bool = False,
) -> list[Point]:
    """One factor at a time, from a base; or, as a ``grid``, every value with every other.

    The base has the batch size and the length in the middle of their lists, the first beam and precision, and a cache.
    Every length is also decoded without: what a cache is worth depends on it.
    """
    lists = [batch, source_length, beam, (True, False), precision]
    if grid:
        return [Point(*values) for values in product(*lists)]
    base = [batch[len(batch) // 2], source_length[len(source_length) // 2], beam[0], True, precision[0]]

    def varied(factor: int, cached: bool = True) -> list[Point]:
        return [Point(*base[:factor], value, *base[factor + 1 : 3], cached, base[4]) for value in lists[factor]]

    found = [*varied(0), *varied(1), *varied(1, cached=False), *varied(2)]
    found += [Point(*base[:4], name) for name in precision]
    return list(dict.fromkeys(found))


def profile(model: Transformer, wanted: Sequence[Point], rounds: int = 3) -> list[Measured]:
    """Decode random tokens in each way and measure it. The ways take turns, ``rounds`` times after one to warm up.

    Raises:
        ValueError: a value is out of its range, or a length does not fit the model.
    """
    if rounds < 1:
        raise UserError(f"rounds={rounds} is not positive; 3 is usual")
    device = model.embedding.weight.device
    for point in wanted:
        _check(point, model)
    models = {p.precision: _in_precision(model, p.precision) for p in wanted}
    works = {point: partial(decode, models[point.precision], point, _sources(model, point)) for point in wanted}
    seconds = take_turns(works, rounds)
    measured = []
    for point, work in works.items():
        median = statistics.median(seconds[point])
        numbers = {
            "ms": 1000 * median,
            "ms_a_sentence": 1000 * median / point.batch,
            "tokens_per_second": point.batch * point.source_length / median,
            "weights_bytes": sum(p.numel() * p.element_size() for p in models[point.precision].parameters()),
            "peak_bytes": peak_bytes(work, device),
        }
        measured.append(Measured(**vars(point), **numbers))
    return measured


def decode(model: Transformer, point: Point, src: Int[Tensor, "B S"]) -> list[Hypothesis]:
    """Translations of exactly as many tokens as the source has, ``</s>`` included, by the library's own search."""
    if not point.cached:
        model = Uncached(model)
    constraints = ExactLength(length=src.shape[1], eos_id=model.config.eos_id)
    if point.beam == 1:
        return greedy(model, src, constraints)
    return [ended[0] for ended in n_best(model, src, point.beam, constraints=constraints)]


def _check(point: Point, model: Transformer) -> None:
    if point.batch < 1:
        raise UserError(f"batch={point.batch} is not positive; use 1 or more")
    if not 2 <= point.source_length <= model.config.max_length:
        raise UserError(
            f"source_length={point.source_length} is not between 2 and {model.config.max_length}, "
            "the most that this model reads"
        )
    check_beam(point.beam, model.config.vocab_size)
    pick_precision(model.embedding.weight.device, point.precision)


def _in_precision(model: Transformer, name: str) -> Transformer:
    """The model with all its weights in ``name``; itself, if they are."""
    dtype = pick_precision(model.embedding.weight.device, name)
    return model.eval() if model.embedding.weight.dtype == dtype else copy.deepcopy(model).to(dtype).eval()


def _sources(model: Transformer, point: Point) -> Int[Tensor, "B S"]:
    config = model.config
    special = max(config.pad_id, config.bos_id, config.eos_id)
    generator = torch.Generator().manual_seed(0)
    src = torch.randint(special + 1, config.vocab_size, (point.batch, point.source_length), generator=generator)
    src[:, -1] = config.eos_id
    return src.to(model.embedding.weight.device)
