"""What beam searches look at, as a tree of log-probabilities: so that a page can search with no model (lesson 12)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lessons_lib.translation.search.constraints import Constraints
from lessons_lib.translation.search.decoding import n_best, output_limit
from lessons_lib.translation.search.translator import Translator

LENGTH_PENALTIES = (0.0, 0.6, 1.0, 2.0)
DECIMALS = 7


@dataclass(frozen=True)
class _Recorder(Constraints):
    """No rule at all: it keeps the most probable next tokens of each beginning that a search asks about."""

    count: int = 10
    seen: dict[tuple[int, ...], list[tuple[int, float]]] = field(default_factory=dict)

    def apply(
        self, scores: Float[Tensor, "rows V"], beginnings: Int[Tensor, "rows T"], sentences: Sequence[int]
    ) -> Float[Tensor, "rows V"]:
        best = scores.topk(self.count)
        rows = zip(beginnings[:, 1:].tolist(), best.indices.tolist(), best.values.tolist(), strict=True)
        for tokens, ids, logs in rows:
            self.seen.setdefault(tuple(tokens), list(zip(ids, logs, strict=True)))
        return scores


def beam_tree(
    translator: Translator,
    sentence: str,
    beam: int = 5,
    length_penalties: Sequence[float] = LENGTH_PENALTIES,
) -> dict:
    """Every beginning that a search of up to ``beam`` beams expands, with its ``2·beam`` most probable next tokens.

    No such search ever looks at another token: of all beams together it takes ``2·beam``. A length penalty does not
    change what is expanded, only when a search stops; hence the list of those that must be followed to their end.

    Returns:
        What `lessons_lib.widgets.BeamTree` shows: ``source``; ``pieces``, the tokens that occur; ``end``, which of
        them is ``</s>``; ``limit``, the most tokens of a translation; and ``nodes``, the root first. A node is the list
        of its children, the most probable first, each ``[piece, log-probability, node]``, node −1 if nobody expands it.
    """
    translator.model.eval()
    tokenizer, config = translator.tokenizer, translator.model.config
    device = translator.model.embedding.weight.device
    src = torch.tensor([[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device)
    recorder = _Recorder(count=2 * beam)
    for width in range(1, beam + 1):
        for length_penalty in length_penalties:
            n_best(translator.model, src, width, length_penalty, recorder)
    beginnings = sorted(recorder.seen, key=lambda tokens: (len(tokens), tokens))
    node = {tokens: number for number, tokens in enumerate(beginnings)}
    ids = sorted({token for children in recorder.seen.values() for token, _ in children} | {tokenizer.eos_id})
    piece = {token: number for number, token in enumerate(ids)}
    return {
        "source": sentence,
        "pieces": tokenizer.pieces(ids),
        "end": piece[tokenizer.eos_id],
        "limit": output_limit(config, src.shape[1]),
        "nodes": [
            [
                [piece[token], round(log, DECIMALS), node.get((*tokens, token), -1)]
                for token, log in recorder.seen[tokens]
            ]
            for tokens in beginnings
        ],
    }
