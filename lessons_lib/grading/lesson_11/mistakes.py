"""Lesson 11: the ways in which cache, writing and online softmax go wrong, each as a version of the reference."""

from collections.abc import Callable, Sequence

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import attention, softmax
from lessons_lib.grading.judge.scales import ODD_SCALES

Pair = tuple[np.ndarray, np.ndarray]


def shifted(new: int, n: int, by: int = 0) -> np.ndarray:
    """Row t of `new` rows sees the columns up to n − new + t, and `by` more."""
    return np.tri(new, n, n - new + by, dtype=bool)


def cached(q: np.ndarray, k: np.ndarray, v: np.ndarray, new: int) -> np.ndarray:
    """What the last `new` queries of a text take home: the whole past, and everything up to themselves."""
    return attention(q[:, :, -new:], k, v, shifted(new, k.shape[2]))[0]


def _scores(q: np.ndarray, k: np.ndarray, new: int) -> np.ndarray:
    return q[:, :, -new:].astype(np.float64) @ k.swapaxes(-2, -1) / np.sqrt(q.shape[-1])


# The output of the one token behind a past, made of q, k, v of all tokens so far.
WRONG_ONE: list[Wrong] = [
    (
        "The past is not read: the new token sees nothing but itself. Put past[0] in front of the new keys; "
        "and is the mask a lower triangle (tril)?",
        lambda q, k, v: v[:, :, -1:].astype(np.float64),
    ),
    (
        "The new token does not see itself: its own key and value belong to what it attends to.",
        lambda q, k, v: attention(q[:, :, -1:], k[:, :, :-1], v[:, :, :-1])[0],
    ),
    (
        "The new token sees only the first key: the triangle starts in the corner; move it by the length of the past.",
        lambda q, k, v: v[:, :, :1].astype(np.float64),
    ),
    (
        "The scores are not divided by √d_head.",
        lambda q, k, v: softmax(q[:, :, -1:].astype(np.float64) @ k.swapaxes(-2, -1)) @ v,
    ),
    (
        "The softmax runs over the queries (dim=-2): with one query every weight is 1.",
        lambda q, k, v: v.astype(np.float64).sum(axis=2, keepdims=True),
    ),
    (
        "The values of the past stand behind the new one, its keys in front: keep both in the same order.",
        lambda q, k, v: attention(q[:, :, -1:], k, np.roll(v, 1, axis=2))[0],
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_ONE: list[Wrong] = [
    (
        "The keys of the past stand in the place of its values; past[0] holds keys, past[1] values.",
        lambda q, k, v: attention(q[:, :, -1:], k, np.concatenate([k[:, :, :-1], v[:, :, -1:]], axis=2))[0],
    ),
    (
        "The values of the past stand in the place of its keys; past[0] holds keys, past[1] values.",
        lambda q, k, v: attention(q[:, :, -1:], np.concatenate([v[:, :, :-1], k[:, :, -1:]], axis=2), v)[0],
    ),
    (
        "Keys and values of the past are exchanged; past[0] holds keys, past[1] values.",
        lambda q, k, v: attention(
            q[:, :, -1:],
            np.concatenate([v[:, :, :-1], k[:, :, -1:]], axis=2),
            np.concatenate([k[:, :, :-1], v[:, :, -1:]], axis=2),
        )[0],
    ),
    (
        "These are the weights, a number for each key; what they take home is weights @ values.",
        lambda q, k, v: softmax(_scores(q, k, 1)),
    ),
    (
        "The weights are the logarithms of a softmax; take the softmax itself.",
        lambda q, k, v: np.log(softmax(_scores(q, k, 1))) @ v,
    ),
    (
        "The output is 0: the new token may attend to nothing. Is the mask inverted? True means may attend.",
        lambda q, k, v: 0.0 * v[:, :, -1:],
    ),
    *(
        (
            sentence,
            lambda q, k, v, scale=scale: (
                softmax(q[:, :, -1:].astype(np.float64) @ k.swapaxes(-2, -1) / scale(q.shape[-1])) @ v
            ),
        )
        for sentence, scale in [("The scores are divided by d_head; divide by its square root.", float), *ODD_SCALES]
    ),
    (
        "The scores are divided by the root of the number of tokens; divide by √d_head.",
        lambda q, k, v: softmax(q[:, :, -1:].astype(np.float64) @ k.swapaxes(-2, -1) / np.sqrt(k.shape[2])) @ v,
    ),
    (
        "The query takes the place of its key: queries are not kept, keys and values are.",
        lambda q, k, v: attention(q[:, :, -1:], np.concatenate([k[:, :, :-1], q[:, :, -1:]], axis=2), v)[0],
    ),
    *(
        (
            f"The new token sees only the last {n} tokens; it sees the whole past.",
            lambda q, k, v, n=n: attention(q[:, :, -1:], k[:, :, -n:], v[:, :, -n:])[0],
        )
        for n in (2, 3, 4)
    ),
]

# The output of `new` tokens behind a past.
WRONG_SEVERAL: list[Wrong] = [
    (
        "Of several new tokens, each sees all the others, later ones too: a causal mask is due among them.",
        lambda q, k, v, new: attention(q[:, :, -new:], k, v)[0],
    ),
    (
        "The scores of later tokens are set to 0, and a score of 0 has a weight, too: set them to −∞.",
        lambda q, k, v, new: softmax(_scores(q, k, new) * shifted(new, k.shape[2])) @ v,
    ),
    (
        "Of several new tokens, each sees the past and itself, but not the new ones before it.",
        lambda q, k, v, new: attention(q[:, :, -new:], k, v, _past_and_own(new, k.shape[2]))[0],
    ),
    (
        "Of several new tokens, each sees one later token: the triangle is moved one column too far.",
        lambda q, k, v, new: attention(q[:, :, -new:], k, v, shifted(new, k.shape[2], 1))[0],
    ),
    (
        "Of several new tokens only the last sees the past; each sees all of it.",
        lambda q, k, v, new: attention(
            q[:, :, -new:],
            k,
            v,
            shifted(new, k.shape[2])
            & ((np.arange(k.shape[2]) >= k.shape[2] - new) | (np.arange(new)[:, None] == new - 1)),
        )[0],
    ),
    (
        "Of several new tokens, all see what the first of them may see: each later row must reach one further.",
        lambda q, k, v, new: attention(q[:, :, -new:], k, v, np.tri(1, k.shape[2], k.shape[2] - new, dtype=bool))[0],
    ),
]

# What is kept, keys or values, made of those of the past p and the new ones n.
WRONG_KEPT: list[Wrong] = [
    ("Only the new {} are kept: the next token needs those of the past too.", lambda p, n: n),
    (
        "The new {} are not kept, or the last of them: return those of the past with all new ones behind.",
        lambda p, n: p,
    ),
    ("The new {} stand in front of the past; they belong behind it.", lambda p, n: np.concatenate([n, p], axis=2)),
    (
        "The {} of the past are kept twice: past + past + new.",
        lambda p, n: np.concatenate([p, p, n], axis=2),
    ),
    (
        "The new {} are kept twice: past + new + new.",
        lambda p, n: np.concatenate([p, n, n], axis=2),
    ),
]


def _past_and_own(new: int, n: int) -> np.ndarray:
    return (shifted(new, n) & ~shifted(new, n, -1)) | (np.arange(n) < n - new)


def next_logits(inputs: dict[str, np.ndarray], tokens: np.ndarray) -> np.ndarray:
    """Logits (B, T, V) of the decoder of question 2, over a whole text (B, T)."""
    weights = {name: inputs[name].astype(np.float64) for name in ("embedding", "table", "output", "projections")}
    x = weights["embedding"][tokens] + weights["table"][: tokens.shape[1]]
    query, key, value = (x @ matrix for matrix in weights["projections"])
    mixed = attention(query, key, value, np.tri(tokens.shape[1], dtype=bool))[0]
    return (x + 3 * mixed) @ weights["output"]


def greedy(inputs: dict[str, np.ndarray], take: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The prompt and what is written; `take` gives the next token of each row for the logits (B, T, V)."""
    tokens = inputs["prompt"]
    for _ in range(int(inputs["n_tokens"])):
        tokens = np.concatenate([tokens, take(next_logits(inputs, tokens))[:, None]], axis=1)
    return tokens


def most_probable(logits: np.ndarray) -> np.ndarray:
    return logits[:, -1].argmax(axis=-1)


# The text that comes out, made of the inputs.
WRONG_TEXT: list[Wrong] = [
    (
        "The least probable token is taken (argmin); greedy search takes the most probable.",
        lambda inputs: greedy(inputs, lambda logits: logits[:, -1].argmin(axis=-1)),
    ),
    (
        "After the prompt, the logits of its first place are read; its last place says what comes, logits[:, -1].",
        lambda inputs: _first_place(inputs),
    ),
    (
        "The last token of the prompt is read once more before the first is written.",
        lambda inputs: _once_more(inputs),
    ),
    (
        "All rows get the token of the first row; each text has its own.",
        lambda inputs: greedy(inputs, lambda logits: np.full(len(logits), most_probable(logits)[0])),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_TEXT: list[Wrong] = [
    (
        "All rows get the token of the last row: it is logits[:, -1], the last place of each text, and not logits[-1].",
        lambda inputs: greedy(inputs, lambda logits: np.full(len(logits), most_probable(logits)[-1])),
    ),
    (
        "The highest logit is looked for among the texts (dim=0); it is among the words of the vocabulary, dim=-1.",
        lambda inputs: greedy(inputs, lambda logits: logits[:, -1].argmax(axis=0)[: len(logits)]),
    ),
]


def _first_place(inputs: dict[str, np.ndarray]) -> np.ndarray:
    length = inputs["prompt"].shape[1]
    return greedy(inputs, lambda logits: logits[:, 0 if logits.shape[1] == length else -1].argmax(axis=-1))


def _once_more(inputs: dict[str, np.ndarray]) -> np.ndarray:
    prompt = inputs["prompt"]
    longer = greedy(inputs | {"prompt": np.concatenate([prompt, prompt[:, -1:]], axis=1)}, most_probable)
    return np.delete(longer, prompt.shape[1], axis=1)


Call = tuple[int, int, int]  # tokens read, start, length of the past
# What the calls of `step` tell, by the length of the prompt and the number of tokens to write.
CALLS: list[tuple[str, Callable[[Sequence[Call], int, int], bool]]] = [
    (
        "The past is never handed in, so a step knows nothing of what was written: hand in what the step before gave.",
        lambda calls, prompt, written: all(past == 0 for *_, past in calls) and all(t == 1 for t, *_ in calls[1:]),
    ),
    (
        "The whole text is read again behind the past that holds it already: with a past, hand in only the last token.",
        lambda calls, prompt, written: any(t > 1 and past > 0 for t, _, past in calls[1:]),
    ),
    (
        "The past of the first step is handed in each time: take the new one that each step gives.",
        lambda calls, prompt, written: len(calls) > 2 and {past for *_, past in calls[1:]} == {prompt},
    ),
    (
        "Places start again at 0 in each step: start is the place of the new token, the number of tokens in the past.",
        lambda calls, prompt, written: len(calls) > 1 and all(start == 0 < past for _, start, past in calls[1:]),
    ),
    (
        "The places of the written tokens are counted without the prompt: start is the number of all tokens before.",
        lambda calls, prompt, written: len(calls) > 1 and all(start == past - prompt for _, start, past in calls[1:]),
    ),
    (
        "Places are one too far: the first of P tokens stands at 0, so the one behind them at P.",
        lambda calls, prompt, written: len(calls) > 1 and all(start == past + 1 for _, start, past in calls[1:]),
    ),
    (
        "Places are one short: the token behind P others stands at P.",
        lambda calls, prompt, written: len(calls) > 1 and all(start == past - 1 for _, start, past in calls[1:]),
    ),
    (
        "Of the prompt, only one token is read: the first step takes all of it.",
        lambda calls, prompt, written: calls[0][0] == 1 < prompt and len(calls) <= written + 1,
    ),
]


def over_blocks(
    q: np.ndarray, blocks: Sequence[Pair], step: Callable, end: Callable = lambda m, t, o: o / t
) -> np.ndarray:
    """The loop of the online softmax, with another `step(state, scores, values)` or another end."""
    q = q.astype(np.float64)
    state = (np.full((*q.shape[:2], 1), -np.inf), np.zeros((*q.shape[:2], 1)), 0.0)
    for keys, values in blocks:
        state = step(state, q @ keys.astype(np.float64).swapaxes(-2, -1) / np.sqrt(q.shape[-1]), values)
    return end(*state)


def online(state, scores, values, shrink_total=None, shrink_output=None, scale=1.0, weigh=lambda s, m: np.exp(s - m)):
    """One block more (Milakov and Gimelshein 2018, algorithm 3).

    The sum and the output so far are multiplied by exp(m − m'), or by what is given instead.
    """
    largest, total, output = state
    larger = np.maximum(largest, scores.max(axis=-1, keepdims=True) * scale)
    weights, shrink = weigh(scores * scale, larger), np.exp(largest - larger)
    total = (shrink if shrink_total is None else shrink_total) * total + weights.sum(axis=-1, keepdims=True)
    return larger, total, (shrink if shrink_output is None else shrink_output) * output + weights @ values


def own_softmax(state, scores, values):
    """Each block alone: how many there were, and the sum of what they gave."""
    _, count, output = state
    return 0.0, count + 1, output + softmax(scores) @ values


def _step(state, scores, values, larger, shrink, weights, kept):
    """One block with another largest score, factor or weights; `kept` is the largest score so far behind it."""
    _, total, output = state
    return kept, shrink * total + weights.sum(axis=-1, keepdims=True), shrink * output + weights @ values


def _parts(state, scores) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The block's own largest score, the larger one of it and the largest so far, and the factor that is due."""
    own = scores.max(axis=-1, keepdims=True)
    larger = np.maximum(state[0], own)
    return own, larger, np.exp(state[0] - larger)


def _upside_down(state, scores, values):
    _, larger, shrink = _parts(state, scores)
    grow = np.where(shrink > 0, 1 / np.where(shrink > 0, shrink, 1.0), 0.0)
    return _step(state, scores, values, larger, grow, np.exp(scores - larger), larger)


def _shrinks_the_new(state, scores, values):
    _, larger, shrink = _parts(state, scores)
    first = ~np.isfinite(state[0])
    return _step(state, scores, values, larger, 1.0, np.exp(scores - larger) * np.where(first, 1.0, shrink), larger)


def _own_largest(state, scores, values):
    own, larger, shrink = _parts(state, scores)
    return _step(state, scores, values, larger, shrink, np.exp(scores - own), larger)


def _forgets_the_largest(state, scores, values):
    own, larger, shrink = _parts(state, scores)
    return _step(state, scores, values, larger, shrink, np.exp(scores - larger), own)


def _keeps_the_first(state, scores, values):
    own, larger, shrink = _parts(state, scores)
    kept = np.where(np.isfinite(state[0]), state[0], own)
    return _step(state, scores, values, larger, shrink, np.exp(scores - larger), kept)


def _mean_of_weights(state, scores, values):
    larger, total, output = online(state, scores, values)
    shrink = np.exp(state[0] - larger)
    return larger, shrink * state[1] + (total - shrink * state[1]) / scores.shape[-1], output


def _divides_the_new(state, scores, values):
    larger, total, output = online(state, scores, values)
    shrink = np.exp(state[0] - larger)
    return larger, total, shrink * state[2] + (output - shrink * state[2]) / (total - shrink * state[1])


def _divides_each_time(state, scores, values):
    largest, total, output = online(state, scores, values)
    return largest, total, output / total


# The output, made of the query q, the blocks as they came, and the blocks as who keeps them all finds them in the end.
WRONG_BLOCKS: list[Wrong] = [
    (
        "The scores of each block are not divided by √d_head.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, scale=np.sqrt(q.shape[-1]))),
    ),
    (
        "All blocks are kept and read in the end, when their memory holds other blocks: use each as it comes.",
        lambda q, b, kept: over_blocks(q, kept, online),
    ),
    (
        "Each block has a softmax of its own, and their outputs are averaged; larger scores must count more.",
        lambda q, b, kept: over_blocks(q, b, own_softmax),
    ),
    (
        "The weights of each block are a softmax already; they are exp(s − m'), and are divided once, at the end.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, weigh=lambda s, m: softmax(s))),
    ),
    (
        "Each block has a softmax of its own, and their outputs are added up.",
        lambda q, b, kept: over_blocks(q, b, own_softmax, lambda m, t, o: o),
    ),
    (
        "Only the last block counts: what those before gave is overwritten, or shrunk to nothing (is the largest "
        "score so far never kept for the next block?).",
        lambda q, b, kept: over_blocks(q, b[-1:], online),
    ),
    (
        "Only the first block counts.",
        lambda q, b, kept: over_blocks(q, b[:1], online),
    ),
    (
        "The output is not divided by the sum of all weights at the end.",
        lambda q, b, kept: over_blocks(q, b, online, lambda m, t, o: o),
    ),
    (
        "When a larger score comes, neither the sum nor the output so far is made smaller: times exp(m − m'), both.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, shrink_total=1, shrink_output=1)),
    ),
    (
        "When a larger score comes, the output so far is not made smaller: multiply it by exp(m − m'), as the sum.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, shrink_output=1)),
    ),
    (
        "When a larger score comes, the sum so far is not made smaller: multiply it by exp(m − m'), as the output.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, shrink_total=1)),
    ),
    (
        "The scores of each block are multiplied by √d_head; divide by it.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, scale=q.shape[-1])),
    ),
    (
        "The scores of each block are divided by d_head; divide by its square root.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, scale=1 / np.sqrt(q.shape[-1]))),
    ),
    (
        "The scores are divided by the root of the number of queries; d_head is the last axis of the query.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, scale=np.sqrt(q.shape[-1] / q.shape[1]))),
    ),
    (
        "The scores are divided by the root of the batch's size; d_head is the last axis of the query.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, scale=np.sqrt(q.shape[-1] / q.shape[0]))),
    ),
    (
        "The exponent of the weights has the wrong sign: exp(score − m'), so that the largest score weighs most.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, weigh=lambda s, m: np.exp(m - s))),
    ),
    (
        "The weights are exp(score), without m', while the sum so far is made smaller: subtract m' from each score.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, weigh=lambda s, m: np.exp(s))),
    ),
    (
        "The weights are score − m', without the exponential.",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, weigh=lambda s, m: s - m)),
    ),
    (
        "The sum holds the weights of the last block alone: add them to the sum so far, times exp(m − m').",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, shrink_total=0)),
    ),
    (
        "The output holds the last block alone, the sum all of them: add to the output so far, times exp(m − m').",
        lambda q, b, kept: over_blocks(q, b, lambda *a: online(*a, shrink_output=0)),
    ),
    (
        "The output is multiplied by the sum of all weights; divide by it.",
        lambda q, b, kept: over_blocks(q, b, online, lambda m, t, o: o * t),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_BLOCKS: list[Wrong] = [
    (
        "The factor for what was there so far is upside down: it is exp(m − m'), at most 1, and not exp(m' − m).",
        lambda q, b, kept: over_blocks(q, b, _upside_down),
    ),
    (
        "The factor exp(m − m') belongs to the sum and the output so far; the new weights have none.",
        lambda q, b, kept: over_blocks(q, b, _shrinks_the_new),
    ),
    (
        "The weights of a block take that block's own largest score; take the larger of it and the largest so far.",
        lambda q, b, kept: over_blocks(q, b, _own_largest),
    ),
    (
        "The largest score so far is that of the last block alone; keep the larger of the two.",
        lambda q, b, kept: over_blocks(q, b, _forgets_the_largest),
    ),
    (
        "The largest score so far stays that of the first block: set it to the larger one in each step.",
        lambda q, b, kept: over_blocks(q, b, _keeps_the_first),
    ),
    (
        "The output is divided by the sum in every step; divide once, at the end.",
        lambda q, b, kept: over_blocks(q, b, _divides_each_time, lambda m, t, o: o),
    ),
    (
        "The output is divided by the sum in every step and at the end; divide once, at the end.",
        lambda q, b, kept: over_blocks(q, b, _divides_each_time),
    ),
    (
        "The scores are divided by the root of a block's length; d_head is the last axis of the query.",
        lambda q, b, kept: over_blocks(
            q, b, lambda state, s, v: online(state, s * np.sqrt(q.shape[-1] / s.shape[-1]), v)
        ),
    ),
    (
        "The scores are divided by the root of d_value, the width of a value; divide by √d_head.",
        lambda q, b, kept: over_blocks(
            q, b, lambda state, s, v: online(state, s * np.sqrt(q.shape[-1] / v.shape[-1]), v)
        ),
    ),
    *(
        (f"The {place} block is left out.", lambda q, b, kept, part=part: over_blocks(q, b[part], online))
        for place, part in (("first", slice(1, None)), ("last", slice(-1)))
    ),
    (
        "The sum holds the mean of a block's weights; add all of them up.",
        lambda q, b, kept: over_blocks(q, b, _mean_of_weights),
    ),
    (
        "The output of each block is divided by its own sum already; divide once, at the end.",
        lambda q, b, kept: over_blocks(q, b, _divides_the_new),
    ),
    (
        "The keys are reshaped to (H, d_head, n), which mixes them; exchange their axes: keys.transpose(-2, -1).",
        lambda q, b, kept: over_blocks(
            q, [(k.reshape(len(k), k.shape[2], k.shape[1]).swapaxes(1, 2), v) for k, v in b], online
        ),
    ),
    (
        "There is a causal mask in each block; every query sees every key here.",
        lambda q, b, kept: over_blocks(
            q, b, lambda state, s, v: online(state, np.where(np.tri(*s.shape[1:], dtype=bool), s, -1e9), v)
        ),
    ),
    (
        "Each block has a softmax of its own, and its share is that of its keys; larger scores must count more.",
        lambda q, b, kept: over_blocks(
            q, b, lambda state, s, v: (0, state[1] + s.shape[-1], state[2] + s.shape[-1] * (softmax(s) @ v))
        ),
    ),
]

KNOWN_ONE = [*WRONG_ONE, *RARE_ONE]
KNOWN_TEXT = [*WRONG_TEXT, *RARE_TEXT]
KNOWN_BLOCKS = [*WRONG_BLOCKS, *RARE_BLOCKS]
