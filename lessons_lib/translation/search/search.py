"""How to search for a translation, in one place; and the search through many sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import pad
from lessons_lib.translation.search.constraints import Constraints
from lessons_lib.translation.search.decoding import LENGTH_PENALTY, Hypothesis, check_beam, greedy, n_best
from lessons_lib.translation.search.sampling import Sampler, check_sampling

STRONGEST = 50  # length penalty, in both directions


@dataclass(frozen=True)
class Search:
    """What kind of search. Greedy by default, beam search with a ``beam`` above 1, sampling with a ``temperature``.

    Attributes:
        length_penalty: α of `Hypothesis.normalised`, for beams.
        no_repeat: no run of so many tokens twice; 0 allows all.
        temperature, top_k, top_p, seed: of sampling, see `lessons_lib.translation.search.sampling.likely`.
        first: the number of the first sentence. What is drawn for a sentence depends on the seed and on its number.

    Raises:
        ValueError: a value is out of its range, or sampling is asked to have beams.
    """

    beam: int = 1
    length_penalty: float | int = LENGTH_PENALTY
    no_repeat: int = 0
    temperature: float | int | None = None
    top_k: int = 0
    top_p: float | int = 1.0
    seed: int = 0
    first: int = 0

    def __post_init__(self):
        if not -STRONGEST <= self.length_penalty <= STRONGEST:  # beyond, the powers of lengths leave the numbers
            raise UserError(
                f"length_penalty={self.length_penalty} is not between {-STRONGEST} and {STRONGEST}; 0 to 2 is usual"
            )
        if self.temperature is None:
            for name, given in (("top_k", self.top_k != 0), ("top_p", self.top_p != 1)):
                if given:
                    raise UserError(f"{name}={getattr(self, name)} is of sampling; add a temperature, 1 for example")
            return
        check_sampling(self.temperature, self.top_k, self.top_p)
        if self.seed < 0:
            raise UserError(f"seed={self.seed} is negative; use 0 or more")
        if self.beam > 1:
            raise UserError(f"beam={self.beam} with temperature={self.temperature}: sample or use beams, not both")

    def of_batch(
        self, model: Transformer, src: Tensor, constraints: Constraints, numbers: Sequence[int]
    ) -> list[list[Hypothesis]]:
        """The translations of each row of ``src`` (B, S), the best first; ``numbers`` say which sentence each is."""
        if self.beam > 1:
            return n_best(model, src, self.beam, self.length_penalty, constraints)
        if self.temperature is None:
            return [[found] for found in greedy(model, src, constraints)]
        sampler = Sampler(self.temperature, self.top_k, self.top_p, self.seed, [self.first + one for one in numbers])
        return [[found] for found in greedy(model, src, constraints, sampler)]


def search_all(
    model: Transformer,
    sources: Sequence[list[int]],
    search: Search = Search(),
    prefixes: Sequence[Sequence[int]] | None = None,
    token_budget: int = 4096,
    numbers: Sequence[int] | None = None,
) -> Iterator[tuple[int, list[Hypothesis]]]:
    """Decode many sentences (token ids without ``</s>``), sorted by length so that a batch has little padding.

    Args:
        prefixes: what each translation begins with.
        token_budget: rows of the batch, beams counted, times the longest sentence.
        numbers: which sentence each is, for what is drawn; its index, unless given.
    Yields:
        The index of each sentence and its translations, batch by batch, the longest first.
    Raises:
        ValueError: ``beam`` is less than 1, or more than half the vocabulary.
    """
    config = model.config
    check_beam(search.beam, config.vocab_size)
    device = model.embedding.weight.device
    waiting = sorted(range(len(sources)), key=lambda i: len(sources[i]), reverse=True)
    numbers = range(len(sources)) if numbers is None else numbers
    while waiting:
        count = max(1, token_budget // (search.beam * (len(sources[waiting[0]]) + 1)))
        group, waiting = waiting[:count], waiting[count:]
        src = pad([[*sources[i], config.eos_id] for i in group], config.pad_id).to(device)
        own = None if prefixes is None else [prefixes[i] for i in group]
        found = search.of_batch(model, src, Constraints(own, search.no_repeat), [numbers[i] for i in group])
        yield from zip(group, found, strict=True)
