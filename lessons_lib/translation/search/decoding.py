"""Decoding: from probabilities to a sentence, token by token. Each step adds one position to a key–value cache."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lessons_lib.errors import UserError
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.search.constraints import FREE, Constraints

LENGTH_PENALTY = 1.0
ROWS = 32  # rows of log-probabilities that a CPU computes and reads at a time: few enough for its cache
BLOCK = 64  # tokens of which `_largest` looks at the greatest first


@dataclass
class Hypothesis:
    """A translation as token ids, its ``</s>`` at the end (absent if the length limit cut it off).

    ``log_probability`` is the natural logarithm of the probability of all its tokens together.
    """

    tokens: list[int]
    log_probability: float

    def normalised(self, length_penalty: float) -> float:
        """The log-probability over ((5 + length) / 6)^α, so that long sentences can win (Wu et al. 2016, eq. 14)."""
        return self.log_probability / ((5 + len(self.tokens)) / 6) ** length_penalty


def output_limit(config: TransformerConfig, source_length: int) -> int:
    """The most tokens that a translation may have: twice the source and ten, if the model has as many positions."""
    return min(config.max_length, 2 * source_length + 10)


def output_limits(config: TransformerConfig, src: Int[Tensor, "B S"]) -> list[int]:
    """The `output_limit` of each row by its own tokens: what stands beside it in the batch must not matter."""
    return [output_limit(config, length) for length in (src != config.pad_id).sum(dim=1).tolist()]


# Log-probabilities (rows, V), and which sentence each row belongs to -> one token a row.
Choose = Callable[[Tensor, list[int]], Tensor]


def most_probable(log_probabilities: Float[Tensor, "rows V"], sentences: list[int]) -> Int[Tensor, " rows"]:
    """The token of greedy search."""
    return log_probabilities.max(dim=-1).indices  # on CPUs twice as fast as argmax


def _log_probabilities(logits: Float[Tensor, "rows V"], config: TransformerConfig) -> Float[Tensor, "rows V"]:
    """Of the next token, in single precision: −inf for ``<pad>`` and ``<s>``, which no sentence contains."""
    log_probabilities = logits.float().log_softmax(dim=-1)
    log_probabilities[:, [token for token in (config.pad_id, config.bos_id) if token != config.eos_id]] = -torch.inf
    return log_probabilities


# Log-probabilities (rows, V), the same with −inf where a rule forbids it, which sentence each row belongs to -> what is
# taken of them, a row for each.
_Pick = Callable[[Tensor, Tensor, list[int]], tuple[Tensor, ...]]


def _step(
    model: Transformer,
    beginnings: Int[Tensor, "rows T"],
    cache: object,
    source_mask: Bool[Tensor, "rows 1 1 S"],
    constraints: Constraints,
    sentences: list[int],
    pick: _Pick,
) -> list[Tensor]:
    """Let ``pick`` take from the next token's log-probabilities; on a CPU a few rows at a time, which stay near it."""
    logits = model.decode_step(beginnings[:, -1:], cache, source_mask)
    size = ROWS if logits.device.type == "cpu" else len(logits)
    picked = []
    for part in (slice(start, start + size) for start in range(0, len(logits), size)):
        log_probabilities = _log_probabilities(logits[part], model.config)
        allowed = constraints.apply(log_probabilities, beginnings[part], sentences[part])
        picked.append(pick(log_probabilities, allowed, sentences[part]))
    return [torch.cat(parts) for parts in zip(*picked, strict=True)]


def _largest(values: Float[Tensor, "rows V"], count: int) -> tuple[Float[Tensor, "rows K"], Int[Tensor, "rows K"]]:
    """`torch.topk` of each row, on CPUs in less time: it searches only the blocks with the greatest maxima."""
    rows, size = values.shape
    if size < 4 * count * BLOCK:
        return tuple(values.topk(count))
    whole = size - size % BLOCK
    blocks = values[:, :whole].unflatten(1, (-1, BLOCK)).amax(dim=-1).topk(count).indices  # (rows, K)
    places = (blocks[:, :, None] * BLOCK + torch.arange(BLOCK, device=values.device)).flatten(1)
    rest = torch.arange(whole, size, device=values.device).expand(rows, -1)
    places = torch.cat([places, rest], dim=1)
    found, at = values.gather(1, places).topk(count)
    return found, places.gather(1, at)


@torch.inference_mode()
def greedy(
    model: Transformer, src: Int[Tensor, "B S"], constraints: Constraints = FREE, choose: Choose = most_probable
) -> list[Hypothesis]:
    """At each step one token. Sentences that end leave the batch, so nobody waits for the longest.

    Args:
        choose: the most probable one, or one that is drawn (`lessons_lib.translation.search.sampling`).
    """

    def pick(log_probabilities: Tensor, allowed: Tensor, sentences: list[int]) -> tuple[Tensor, Tensor]:
        tokens = choose(allowed, sentences)[:, None]
        return tokens, log_probabilities.gather(1, tokens)

    config = model.config
    source_mask, limits = padding_mask(src, config.pad_id), torch.tensor(output_limits(config, src), device=src.device)
    longest = int(limits.max())
    cache = model.new_cache(model.encode(src), longest)
    totals = torch.zeros(len(src), device=src.device)
    rows = torch.arange(len(src), device=src.device)  # which sentence each row of the batch still writes
    beginnings = torch.full_like(rows[:, None], config.bos_id)  # (rows, tokens so far)
    hypotheses: list[Hypothesis | None] = [None] * len(src)
    for step in range(longest):
        tokens, gained = _step(model, beginnings, cache, source_mask, constraints, rows.tolist(), pick)
        totals += gained[:, 0]
        beginnings = torch.cat([beginnings, tokens], dim=1)
        ends = (tokens[:, 0] == config.eos_id) | (step == limits[rows] - 1)
        for row in ends.nonzero()[:, 0].tolist():
            hypotheses[rows[row]] = Hypothesis(beginnings[row, 1:].tolist(), totals[row].item())
        if ends.all():
            break
        if ends.any():
            on = _closed_up((~ends).nonzero()[:, 0])
            rows, beginnings, totals, source_mask = rows[on], beginnings[on], totals[on], source_mask[on]
            cache.reorder(on)
    return hypotheses


def beam_search(
    model: Transformer,
    src: Int[Tensor, "B S"],
    beam: int,
    length_penalty: float = LENGTH_PENALTY,
    constraints: Constraints = FREE,
) -> list[Hypothesis]:
    """The best of `n_best` for each sentence."""
    return [ended[0] for ended in n_best(model, src, beam, length_penalty, constraints)]


@torch.inference_mode()
def n_best(
    model: Transformer,
    src: Int[Tensor, "B S"],
    beam: int,
    length_penalty: float = LENGTH_PENALTY,
    constraints: Constraints = FREE,
) -> list[list[Hypothesis]]:
    """The ``beam`` best beginnings of each sentence, side by side, until so many have ended and none is ahead of them.

    A beginning ends when ``</s>`` is among the ``beam`` best next tokens of its sentence. ``beam=1`` is `greedy`.

    Args:
        length_penalty: α of `Hypothesis.normalised`; 0 compares plain log-probabilities, and favours short sentences.
    Returns:
        Up to ``beam`` finished translations of each sentence, the best first.
    Raises:
        ValueError: ``beam`` is less than 1, or more than half the vocabulary.
    """

    def pick(log_probabilities: Tensor, allowed: Tensor, sentences: list[int]) -> tuple[Tensor, Tensor]:
        # Twice as many children as beams: at most half of them end, so enough are left to go on.
        return _largest(allowed, 2 * beam)

    config = model.config
    check_beam(beam, config.vocab_size)
    limits = torch.tensor(output_limits(config, src), device=src.device)
    cache = model.new_cache(model.encode(src), int(limits.max()))
    rows = torch.arange(len(src), device=src.device).repeat_interleave(beam)  # beam rows for each sentence
    cache.reorder(rows, beam)
    source_mask = padding_mask(src, config.pad_id)[rows]
    finished: list[list[Hypothesis]] = [[] for _ in src]
    searching = list(range(len(src)))  # the sentences that still have rows in the batch
    beginnings = torch.full((len(rows), 1), config.bos_id, device=src.device)  # (rows, tokens so far)
    # All beams of a sentence begin alike: only the first may have children at the first step.
    scores = src.new_full((len(src), beam), float("-inf"), dtype=torch.float)
    scores[:, 0] = 0.0
    for step in range(int(limits.max())):
        sentences = [sentence for sentence in searching for _ in range(beam)]
        children, tokens = _step(model, beginnings, cache, source_mask, constraints, sentences, pick)
        totals = scores.flatten()[:, None] + children
        best, child = totals.view(len(searching), -1).topk(2 * beam)  # (sentences, 2·beam)
        token = tokens.view(len(searching), -1).gather(1, child)
        parent = child // (2 * beam)
        parent += torch.arange(0, len(beginnings), beam, device=src.device)[:, None]  # its row in the batch
        ends = token == config.eos_id
        last = step == limits[searching] - 1  # (sentences,)
        over = (ends | last[:, None]) & best.isfinite()  # what a rule forbids is not a translation
        for i, rank in over[:, :beam].nonzero().tolist():
            text = [*beginnings[parent[i, rank], 1:].tolist(), token[i, rank].item()]
            finished[searching[i]].append(Hypothesis(text, best[i, rank].item()))
        best_open = best.masked_fill(ends, float("-inf")).amax(dim=1).tolist()
        open_ = [
            i
            for i, sentence in enumerate(searching)
            if not last[i] and _may_still_win(best_open[i], step + 1, finished[sentence], beam, length_penalty)
        ]
        if not open_:
            break
        open_ = _closed_up(torch.tensor(open_)).tolist()
        # The best children that go on, in order; stable sorting puts the ended ones behind them.
        onward = ends[open_].to(torch.uint8).sort(dim=1, stable=True).indices[:, :beam]
        onward = onward.gather(1, _near_parents(parent[open_].gather(1, onward) % beam))
        rows = parent[open_].gather(1, onward).flatten()
        beginnings = torch.cat([beginnings[rows], token[open_].gather(1, onward).view(-1, 1)], dim=1)
        scores = best[open_].gather(1, onward)
        cache.reorder(rows, beam)
        source_mask = source_mask[rows]
        searching = [searching[i] for i in open_]
    rank = lambda hypothesis: -hypothesis.normalised(length_penalty)  # noqa: E731
    return [sorted(ended, key=rank)[:beam] for ended in finished]


def _closed_up(rows: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The same rows, in an order that moves few of them: the last fill the holes, all others stay where they are."""
    stays = rows < len(rows)
    order = torch.arange(len(rows), device=rows.device)
    hole = torch.ones_like(stays).index_fill(0, rows[stays], False)
    order[hole] = rows[~stays]
    return order


def _near_parents(parent: Int[Tensor, "n beam"]) -> Int[Tensor, "n beam"]:
    """An order of the beams of each sentence in which few move: the first child of each takes its parent's place."""
    first = ~(parent[:, :, None] == parent[:, None, :]).tril(-1).any(dim=-1)
    place = parent.clone()
    free = torch.ones_like(first).scatter(1, parent, False)
    place[~first] = free.nonzero()[:, 1]
    return place.argsort(dim=1)


def _may_still_win(
    log_probability: float, length: int, ended: list[Hypothesis], beam: int, length_penalty: float
) -> bool:
    """Whether to search on: fewer than ``beam`` have ended, or the best beginning is ahead of all that have.

    To count alone is not enough: a few bad early endings would close the search before the good one arrives. With a
    ``length_penalty`` above 0 this is a heuristic: what is behind now may be ahead when it has grown longer.
    """
    if len(ended) < beam:
        return True
    ahead = log_probability / ((5 + length) / 6) ** length_penalty
    return ahead > max(hypothesis.normalised(length_penalty) for hypothesis in ended)


def check_beam(beam: int, vocab_size: int) -> None:
    """Raise ValueError unless the vocabulary, without ``<pad>`` and ``<s>``, has twice as many tokens as beams."""
    most = (vocab_size - 2) // 2
    if not 1 <= beam <= most:
        raise UserError(f"beam={beam} is not between 1 and {most}; 4 or 5 is usual")
