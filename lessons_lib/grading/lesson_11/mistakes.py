"""Lesson 11: the ways in which cache, writing and online softmax go wrong, as versions or choices of the reference."""

from collections.abc import Callable, Sequence

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import attention, attention_weights, dot_products, softmax
from lessons_lib.grading.judge.scales import ODD_SCALES
from lessons_lib.grading.judge.variations import Axes

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
        "The new token sees the first two keys alone: the triangle is moved by the new tokens; move it by the "
        "length of the past.",
        lambda q, k, v: attention(q[:, :, -1:], k[:, :, :2], v[:, :, :2])[0],
    ),
    (
        "The values of the past stand behind the new one, its keys in front: keep both in the same order.",
        lambda q, k, v: attention(q[:, :, -1:], k, np.roll(v, 1, axis=2))[0],
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_ONE: list[Wrong] = [
    (
        "The values of the past are lost, zeros in their place: join past[1] and the new values.",
        lambda q, k, v: attention(q[:, :, -1:], k, v * (np.arange(v.shape[2]) == v.shape[2] - 1)[:, None])[0],
    ),
    (
        "The keys of the past are lost, zeros in their place: join past[0] and the new keys.",
        lambda q, k, v: attention(q[:, :, -1:], k * (np.arange(k.shape[2]) == k.shape[2] - 1)[:, None], v)[0],
    ),
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


def several(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    new: int,
    *,
    mask: Callable[[int, int], np.ndarray] = lambda new, n: shifted(new, n),
    scale: Callable[[int], float] = np.sqrt,
    hide: Callable[[np.ndarray, np.ndarray], np.ndarray] = attention_weights,
) -> np.ndarray:
    """What the last `new` tokens take home, with a mask made of their number and that of all keys."""
    scores = dot_products(q[:, :, -new:], k) / scale(q.shape[-1])
    return hide(scores, mask(new, k.shape[2])) @ v


# The output of `new` tokens, behind a past or without one.
SEVERAL_AXES: Axes = {
    "mask": [
        (
            "Of several new tokens, each sees all the others, later ones too: a causal mask is due among them.",
            lambda new, n: np.ones((new, n), bool),
        ),
        (
            "Of several new tokens, each sees the past and itself, but not the new ones before it.",
            lambda new, n: _past_and_own(new, n),
        ),
        (
            "Of several new tokens, each sees one later token: the triangle is moved one column too far.",
            lambda new, n: shifted(new, n, 1),
        ),
        (
            "Of several new tokens, none sees itself: the triangle is moved one column too little.",
            lambda new, n: shifted(new, n, -1),
        ),
        (
            "The triangle of several new tokens starts in the corner, so the first sees but the first key: move it by "
            "the length of the past.",
            lambda new, n: np.tri(new, n, dtype=bool),
        ),
        (
            "Of several new tokens only the last sees the past; each sees all of it.",
            lambda new, n: shifted(new, n) & ((np.arange(n) >= n - new) | (np.arange(new)[:, None] == new - 1)),
        ),
        (
            "Of several new tokens, none sees the past; each sees all of it.",
            lambda new, n: shifted(new, n) & (np.arange(n) >= n - new),
        ),
        (
            "Of several new tokens, each sees the past alone, and neither itself nor those before it.",
            lambda new, n: np.broadcast_to(np.arange(n) < n - new, (new, n)),
        ),
        (
            "Of several new tokens, all see what the first of them may see: each later row must reach one further.",
            lambda new, n: np.broadcast_to(np.tri(1, n, n - new, dtype=bool), (new, n)),
        ),
        (
            "Of several new tokens, each sees itself and later ones: it is a lower triangle (tril), not an upper one.",
            lambda new, n: ~shifted(new, n, -1),
        ),
        (
            "Of several new tokens, each sees later ones alone: is the mask inverted? True means may attend.",
            lambda new, n: ~shifted(new, n),
        ),
        (
            "The rows of the mask stand in the wrong order: the last of the new tokens sees most.",
            lambda new, n: shifted(new, n)[::-1],
        ),
        (
            "Of several new tokens, each sees the last keys alone: is the mask turned round?",
            lambda new, n: shifted(new, n)[::-1, ::-1],
        ),
    ],
    "hide": [
        (
            "The scores of later tokens are set to 0, and a score of 0 has a weight, too: set them to −∞.",
            lambda s, m: softmax(s * m),
        ),
        (
            "The weights of later tokens are set to 0 after the softmax; their scores are set to −∞ before it.",
            lambda s, m: softmax(s) * m,
        ),
    ],
}

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
        "Behind the prompt each step reads the prompt's last token again; it reads the one that was written last.",
        lambda inputs: _reads_the_prompt(inputs),
    ),
    (
        "The highest logit is looked for among the texts (dim=0); it is among the words of the vocabulary, dim=-1.",
        lambda inputs: greedy(inputs, lambda logits: logits[:, -1].argmax(axis=0)[: len(logits)]),
    ),
]


def _first_place(inputs: dict[str, np.ndarray]) -> np.ndarray:
    length = inputs["prompt"].shape[1]
    return greedy(inputs, lambda logits: logits[:, 0 if logits.shape[1] == length else -1].argmax(axis=-1))


def _reads_the_prompt(inputs: dict[str, np.ndarray]) -> np.ndarray:
    written = read = inputs["prompt"]
    for _ in range(int(inputs["n_tokens"])):
        written = np.concatenate([written, most_probable(next_logits(inputs, read))[:, None]], axis=1)
        read = np.concatenate([read, inputs["prompt"][:, -1:]], axis=1)
    return written


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
        "Tokens are read again that the past holds already: behind the prompt, hand in only the token written last.",
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


Change = Callable[..., np.ndarray]


def over_blocks(
    q: np.ndarray,
    blocks: Sequence[Pair],
    read_late: Sequence[Pair],
    *,
    read: Callable[[Sequence[Pair], Sequence[Pair]], Sequence[Pair]] = lambda blocks, late: blocks,
    keys: Change = lambda k: k.swapaxes(-2, -1),
    scale: Callable[[np.ndarray, np.ndarray, np.ndarray], float] = lambda q, k, v: np.sqrt(q.shape[-1]),
    hide: Change = lambda s: s,
    kept: Change = lambda before, own, larger: larger,
    taken: Change = lambda before, own, larger: larger,
    weigh: Change = lambda s, m: np.exp(s - m),
    shrink: tuple[Change, Change] = (lambda factor: factor, np.ones_like),
    shrink_total: Change = lambda factor: factor,
    shrink_output: Change = lambda factor: factor,
    summed: Change = lambda w: w.sum(axis=-1, keepdims=True),
    new: Change = lambda w, made, total: made,
    divide: tuple[Change, Change] = (lambda output, total: output, lambda output, total: output / total),
) -> np.ndarray:
    """The loop of the online softmax (Milakov and Gimelshein 2018, algorithm 3).

    Args:
        read_late: the blocks as who keeps them all finds them in the end.
        read: which of those are read.
        kept: the largest score so far, made of the one before, the block's own, and the larger of the two.
        taken: what is subtracted from the scores of a block, made of the same.
        shrink: by what the sums so far are multiplied, and the new weights, made of exp(m − m'); of the sum alone,
            `shrink_total`; of the output, `shrink_output`.
        summed: what is added to the sum for weights w.
        new: what is added to the output, made of w, w @ values and the sum so far.
        divide: what becomes of the output behind each block, and at the end.
    """
    q = q.astype(np.float64)
    before, total, output = np.full((*q.shape[:2], 1), -np.inf), np.zeros((*q.shape[:2], 1)), 0.0
    for k, v in read(blocks, read_late):
        scores = hide(q @ keys(k.astype(np.float64)) / scale(q, k, v))
        own = scores.max(axis=-1, keepdims=True)
        larger = np.maximum(before, own)
        factor = np.exp(before - larger)
        weights = shrink[1](factor) * weigh(scores, taken(before, own, larger))
        total = shrink_total(shrink[0](factor)) * total + summed(weights)
        output = divide[0](shrink_output(shrink[0](factor)) * output + new(weights, weights @ v, total), total)
        before = kept(before, own, larger)
    return divide[1](output, total)


def _upside_down(factor: np.ndarray) -> np.ndarray:
    return np.where(factor > 0, 1 / np.where(factor > 0, factor, 1.0), 0.0)


BLOCK_AXES: Axes = {
    "read": [
        (
            "All blocks are kept and read in the end, when their memory holds other blocks: use each as it comes.",
            lambda blocks, late: late,
        ),
        (
            "Only the last block counts: what those before gave is overwritten, or shrunk to nothing (is the largest "
            "score so far never kept for the next block?).",
            lambda blocks, late: blocks[-1:],
        ),
        ("Only the first block counts.", lambda blocks, late: blocks[:1]),
        ("The first block is left out.", lambda blocks, late: blocks[1:]),
        ("The last block is left out.", lambda blocks, late: blocks[:-1]),
    ],
    "keys": [
        (
            "The keys are reshaped to (H, d_head, n), which mixes them; exchange their axes: keys.transpose(-2, -1).",
            lambda k: k.reshape(len(k), k.shape[2], k.shape[1]),
        ),
        ("The scores have the wrong sign: the key that fits least gets most.", lambda k: -k.swapaxes(-2, -1)),
    ],
    "scale": [
        ("The scores of each block are not divided by √d_head.", lambda q, k, v: 1.0),
        ("The scores of each block are multiplied by √d_head; divide by it.", lambda q, k, v: q.shape[-1] ** -0.5),
        ("The scores of each block are divided by d_head; divide by its square root.", lambda q, k, v: q.shape[-1]),
        *(
            (f"The scores are divided by the root of {size}; divide by √d_head.", divisor)
            for size, divisor in (
                ("the number of queries", lambda q, k, v: np.sqrt(q.shape[1])),
                ("the number of heads, the first axis", lambda q, k, v: np.sqrt(q.shape[0])),
                ("a block's length", lambda q, k, v: np.sqrt(k.shape[1])),
                ("d_value, the width of a value", lambda q, k, v: np.sqrt(v.shape[-1])),
            )
        ),
    ],
    "hide": [
        (
            "There is a causal mask in each block; every query sees every key here.",
            lambda s: np.where(np.tri(*s.shape[1:], dtype=bool), s, -1e9),
        ),
    ],
    "kept": [
        (
            "The largest score so far is that of the last block alone; keep the larger of the two.",
            lambda before, own, larger: own,
        ),
        (
            "The largest score so far stays that of the first block: set it to the larger one in each step.",
            lambda before, own, larger: np.where(np.isfinite(before), before, own),
        ),
    ],
    "taken": [
        (
            "The weights of a block take that block's own largest score; take the larger of it and the largest so far.",
            lambda before, own, larger: own,
        ),
        (
            "The weights of a block take the largest score of the blocks before it; take the larger of that and the "
            "block's own.",
            lambda before, own, larger: np.where(np.isfinite(before), before, own),
        ),
        (
            "The weights are exp(score), without m', while what was there so far is made smaller: subtract m' from "
            "each score.",
            lambda before, own, larger: np.zeros_like(own),
        ),
    ],
    "weigh": [
        (
            "The exponent of the weights has the wrong sign: exp(score − m'), so that the largest score weighs most.",
            lambda s, m: np.exp(m - s),
        ),
        ("The weights are score − m', without the exponential.", lambda s, m: s - m),
        (
            "The weights of each block are a softmax already; they are exp(s − m'), and are divided once, at the end.",
            lambda s, m: softmax(s),
        ),
    ],
    "shrink": [
        (
            "When a larger score comes, neither the sum nor the output so far is made smaller: times exp(m − m'), "
            "both.",
            (np.ones_like, np.ones_like),
        ),
        (
            "The factor for what was there so far is upside down: it is exp(m − m'), at most 1, and not exp(m' − m).",
            (_upside_down, np.ones_like),
        ),
        ("The factor exp(m − m') is applied twice; once is right.", (np.square, np.ones_like)),
        (
            "The factor exp(m − m') belongs to the sum and the output so far; the new weights have none.",
            (np.ones_like, lambda factor: np.where(factor > 0, factor, 1.0)),
        ),
    ],
    "shrink_total": [
        (
            "When a larger score comes, the sum so far is not made smaller: multiply it by exp(m − m'), as the output.",
            np.ones_like,
        ),
        (
            "The sum holds the weights of the last block alone: add them to the sum so far, times exp(m − m').",
            np.zeros_like,
        ),
        (
            "The factor of the sum so far is upside down: it is exp(m − m'), at most 1, and not exp(m' − m).",
            _upside_down,
        ),
        ("The factor exp(m − m') multiplies the sum twice; once is right.", np.square),
    ],
    "shrink_output": [
        (
            "When a larger score comes, the output so far is not made smaller: multiply it by exp(m − m'), as the sum.",
            np.ones_like,
        ),
        (
            "The output holds the last block alone, the sum all of them: add to the output so far, times exp(m − m').",
            np.zeros_like,
        ),
        (
            "The factor of the output so far is upside down: it is exp(m − m'), at most 1, and not exp(m' − m).",
            _upside_down,
        ),
        ("The factor exp(m − m') multiplies the output twice; once is right.", np.square),
    ],
    "summed": [
        (
            "The sum holds the mean of a block's weights; add all of them up.",
            lambda w: w.mean(axis=-1, keepdims=True),
        ),
        (
            "The sum counts the keys; add their weights up.",
            lambda w: np.full_like(w[..., :1], w.shape[-1]),
        ),
        (
            "The sum holds the largest weight of each block alone; add all of them up.",
            lambda w: w.max(axis=-1, keepdims=True),
        ),
        (
            "The weights are added up over the queries too; each query has a sum of its own, over dim=-1.",
            lambda w: np.broadcast_to(w.sum(axis=(-2, -1), keepdims=True), w[..., :1].shape),
        ),
    ],
    "new": [
        (
            "The output of each block is divided by its own sum already; divide once, at the end.",
            lambda w, made, total: made / w.sum(axis=-1, keepdims=True),
        ),
        (
            "What a block brings is divided by the sum so far already; divide once, at the end.",
            lambda w, made, total: made / total,
        ),
    ],
    "divide": [
        (
            "The output is not divided by the sum of all weights at the end.",
            (lambda output, total: output, lambda output, total: output),
        ),
        (
            "The output is multiplied by the sum of all weights; divide by it.",
            (lambda output, total: output, lambda output, total: output * total),
        ),
        (
            "The output is divided by the sum in every step; divide once, at the end.",
            (lambda output, total: output / total, lambda output, total: output),
        ),
        (
            "The output is divided by the sum in every step and at the end; divide once, at the end.",
            (lambda output, total: output / total, lambda output, total: output / total),
        ),
    ],
}


def _each_alone(q: np.ndarray, blocks: Sequence[Pair], share: Callable[[int], float], end: Callable[[float], float]):
    """A softmax for each block alone; of what they give, shares are added up."""
    heads = [share(k.shape[1]) * attention(q, k, v)[0] for k, v in blocks]
    return sum(heads) / end(sum(share(k.shape[1]) for k, _ in blocks))


# The output of who has no online softmax, made of the query q, the blocks as they came, and those that are left.
RARE_BLOCKS: list[Wrong] = [
    (
        "Each block has a softmax of its own, and their outputs are averaged; larger scores must count more.",
        lambda q, b, kept: _each_alone(q, b, lambda n: 1, lambda whole: whole),
    ),
    (
        "Each block has a softmax of its own, and their outputs are added up.",
        lambda q, b, kept: _each_alone(q, b, lambda n: 1, lambda whole: 1),
    ),
    (
        "Each block has a softmax of its own, and its share is that of its keys; larger scores must count more.",
        lambda q, b, kept: _each_alone(q, b, lambda n: n, lambda whole: whole),
    ),
]

KNOWN_ONE = [*WRONG_ONE, *RARE_ONE]
KNOWN_TEXT = [*WRONG_TEXT, *RARE_TEXT]
