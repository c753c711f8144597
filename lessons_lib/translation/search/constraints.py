"""What a translation must begin with, and what it must not say again: rules on the scores of the next token."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.errors import UserError


@dataclass(frozen=True)
class Constraints:
    """Rules of a search.

    Attributes:
        prefixes: for each sentence the token ids that its translation begins with; None for no prefix at all.
        no_repeat: no run of so many tokens may occur twice in a translation; 0 allows all (Paulus et al. 2018, 2.5).

    Raises:
        ValueError: ``no_repeat`` is negative.
    """

    prefixes: Sequence[Sequence[int]] | None = None
    no_repeat: int = 0

    def __post_init__(self):
        if self.no_repeat < 0:
            raise UserError(f"no_repeat={self.no_repeat} is negative; use 0 for no rule, 3 is usual")

    def apply(
        self, scores: Float[Tensor, "rows V"], beginnings: Int[Tensor, "rows T"], sentences: Sequence[int]
    ) -> Float[Tensor, "rows V"]:
        """The scores of the next token, −inf where a rule forbids it.

        Args:
            beginnings: the tokens so far, ``<s>`` first.
            sentences: which sentence each row belongs to.
        """
        if self.prefixes is None and not self.no_repeat:
            return scores
        scores = scores.clone()
        for row, (tokens, sentence) in enumerate(zip(beginnings[:, 1:].tolist(), sentences, strict=True)):
            prefix = self.prefixes[sentence] if self.prefixes is not None else ()
            if len(tokens) < len(prefix):
                wanted = scores[row, prefix[len(tokens)]].clone()
                scores[row] = -torch.inf
                scores[row, prefix[len(tokens)]] = wanted
            elif self.no_repeat:
                scores[row, _repeating(tokens, self.no_repeat)] = -torch.inf
        return scores


def _repeating(tokens: list[int], length: int) -> list[int]:
    """The tokens that would complete a run of ``length`` that is there already."""
    if len(tokens) < length - 1:
        return []
    last = tokens[len(tokens) - length + 1 :]
    starts = range(len(tokens) - length + 1)
    return [tokens[start + length - 1] for start in starts if tokens[start : start + length - 1] == last]


FREE = Constraints()
