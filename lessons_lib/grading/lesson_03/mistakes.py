"""Lesson 3: the ways in which multi-head attention goes wrong, each as a version of the reference."""

import itertools
from collections.abc import Callable

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import (
    attention_weights,
    dot_products,
    linear,
    merge_heads,
    softmax,
    split_heads,
)
from lessons_lib.grading.judge.scales import ODD_SCALES, ODD_SHARES

# The heads (B, H, T, d_head) made of x (B, T, D) and n_heads h.
WRONG_SPLITS: list[Wrong] = [
    (
        "The heads are cut across the words: view or reshape straight to (B, H, T, d_head) mixes positions and heads; "
        "go to (B, T, H, d_head) first, then transpose(1, 2).",
        lambda x, h: x.reshape(len(x), h, x.shape[1], -1),
    ),
    (
        "Each head gets every n_heads-th number of a word; it must get d_head neighbouring ones: cut the last axis "
        "into (n_heads, d_head), in this order.",
        lambda x, h: x.reshape(*x.shape[:2], -1, h).transpose(0, 3, 1, 2),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_SPLITS: list[Wrong] = [
    (
        "The axes of x are not cut but filled anew, in another order: view and reshape keep the order of the numbers, "
        "so cut the last axis alone, to (B, T, H, d_head), and let transpose(1, 2) exchange axes.",
        lambda x, h, order=order: x.reshape(len(x), *np.array([h, x.shape[1], x.shape[2] // h])[list(order)]).transpose(
            0, *(1 + np.argsort(order))
        ),
    )
    for order in itertools.permutations(range(3))
    if order not in ((0, 1, 2), (1, 0, 2), (1, 2, 0))  # the first above, right, and the second above
]

# x (B, T, D) made of the heads (B, H, T, d_head).
WRONG_MERGES: list[Wrong] = [
    (
        "The heads are merged without transposing back, so a word gets numbers of other words; transpose(1, 2) first, "
        "then join the last two axes.",
        lambda heads: heads.reshape(len(heads), heads.shape[2], -1),
    ),
    (
        "The numbers of the heads are interleaved; put whole heads side by side: (B, T, H, d_head), then join the last "
        "two axes.",
        lambda heads: heads.transpose(0, 2, 3, 1).reshape(len(heads), heads.shape[2], -1),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_MERGES: list[Wrong] = [
    (
        "Every head's part is the mean over the heads; put the heads side by side as they are.",
        lambda heads: np.tile(heads.mean(axis=1), heads.shape[1]),
    ),
    (
        "The heads are put side by side from the last to the first.",
        lambda heads: merge_heads(heads[:, ::-1]),
    ),
    *(
        (
            "The axes of the heads are in another order than words, heads, d_head: it is transpose(1, 2), or "
            "permute(0, 2, 1, 3), before the last two are joined.",
            lambda heads, order=order: heads.transpose(0, *order).reshape(len(heads), heads.shape[2], -1),
        )
        for order in itertools.permutations((1, 2, 3))
        if order not in ((2, 1, 3), (1, 2, 3), (2, 3, 1))  # right, and the two above
    ),
]


def version(
    state: dict[str, np.ndarray],
    h: int,
    x: np.ndarray,
    y: np.ndarray,
    *,
    split: Callable = split_heads,
    merge: Callable = merge_heads,
    scale: Callable = lambda h, k: np.sqrt(k),
    layers: tuple[str, str, str] = ("query", "key", "value"),
    sides: str = "xyy",
    share: Callable = softmax,
    project: bool = True,
    cut: str = "qkv",
    turn: Callable = lambda k: k,
    mix: Callable = np.matmul,
) -> np.ndarray:
    """The output of multi-head attention of x (B, T, D) over y (B, S, D), with one thing changed.

    Args:
        sides: of which of the two queries, keys and values are made.
        share: what makes the weights (B, H, T, S) of the scaled scores.
        cut: which of the three `split` cuts into heads; the others are cut as they should.
        turn: what is done to the keys (B, H, S, d_head), before they are transposed.
        mix: what is made of the weights (B, H, T, S) and the values (B, H, S, d_head).
    """
    given = [{"x": x, "y": y}[side] for side in sides]
    cuts = (split if name in cut else split_heads for name in "qkv")
    made = (linear(state, name, z) if name else z for name, z in zip(layers, given, strict=True))
    q, k, v = (f(z, h) for f, z in zip(cuts, made, strict=True))
    heads = mix(share(dot_products(q, turn(k)) / scale(h, q.shape[-1])), v)
    return linear(state, "output", merge(heads)) if project else merge(heads)


# The output made of the parameters p, the number of heads h, x (B, T, D) and y (B, S, D), which is x in self-attention.
WRONG_OUTPUTS: list[Wrong] = [
    (
        "The heads are cut by view or reshape straight to (B, H, T, d_head), which mixes positions and heads; "
        "use your split_heads.",
        lambda p, h, x, y: version(p, h, x, y, split=WRONG_SPLITS[0][1]),
    ),
    (
        "The heads are merged without transposing back; use your merge_heads.",
        lambda p, h, x, y: version(p, h, x, y, merge=WRONG_MERGES[0][1]),
    ),
    (
        "The scores are divided by √d_model; each head is only d_head wide: divide by √d_head.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: np.sqrt(h * k)),
    ),
    (
        "The scores of the heads are not divided by √d_head.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: 1.0),
    ),
    (
        "The scores are divided by the root of the number of heads; divide by the root of a head's width, √d_head.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: np.sqrt(h)),
    ),
    (
        "The scores are divided by d_head; divide by its square root.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: k),
    ),
    (
        "The merged heads are returned as they are: W_O is missing, send them through `output`.",
        lambda p, h, x, y: version(p, h, x, y, project=False),
    ),
    (
        "There is only one head, as wide as the model: split queries, keys and values into n_heads.",
        lambda p, h, x, y: version(p, 1, x, y),
    ),
    (
        "The softmax runs over the heads; each query of each head needs its own, over the keys: dim=-1.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: softmax(s, 1)),
    ),
    (
        "The softmax runs over the queries; it must run over the keys, dim=-1.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: softmax(s, -2)),
    ),
    (
        "Queries and keys are both made by `query`; the keys have a layer of their own, `key`.",
        lambda p, h, x, y: version(p, h, x, y, layers=("query", "query", "value")),
    ),
    (
        "Keys and values are both made by `key`; the values have a layer of their own, `value`.",
        lambda p, h, x, y: version(p, h, x, y, layers=("query", "key", "key")),
    ),
    (
        "Queries and keys are exchanged: `query` makes the queries, `key` the keys.",
        lambda p, h, x, y: version(p, h, x, y, layers=("key", "query", "value")),
    ),
    (
        "The input is added to the output: that residual connection belongs to the layer around (lesson 5).",
        lambda p, h, x, y: version(p, h, x, y) + x,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_OUTPUTS: list[Wrong] = [
    *(
        (sentence, lambda p, h, x, y, scale=scale: version(p, h, x, y, scale=lambda h, k: scale(k)))
        for sentence, scale in ODD_SCALES
    ),
    *((sentence, lambda p, h, x, y, share=share: version(p, h, x, y, share=share)) for sentence, share in ODD_SHARES),
    (
        "The softmax is missing: the scores themselves mix the values.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: s),
    ),
    (
        "The softmax runs over the sentences of the batch; it must run over the keys, dim=-1.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: softmax(s, 0)),
    ),
    (
        "The weights are not used: each word gets its own value back.",
        lambda p, h, x, y: version(p, h, x, y, mix=lambda w, v: v),
    ),
    (
        "The scores are divided by the root of the number of sentences; d_head is the last size of the queries.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: np.sqrt(len(x))),
    ),
    (
        "The softmax comes twice; once is right.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: softmax(softmax(s))),
    ),
    (
        "The scores have the wrong sign: the key that fits least gets most.",
        lambda p, h, x, y: version(p, h, x, y, share=lambda s: softmax(-s)),
    ),
    (
        "A causal mask is applied, though no mask was given.",
        lambda p, h, x, y: version(
            p, h, x, y, share=lambda s: softmax(np.where(np.tri(*s.shape[-2:], dtype=bool), s, -np.inf))
        ),
    ),
    *(
        (
            f"There is an activation behind `{names}`; the layer gives what is compared and mixed.",
            lambda p, h, x, y, cut=cut: version(
                p, h, x, y, split=lambda z, h: split_heads(np.maximum(z, 0), h), cut=cut
            ),
        )
        for cut, names in (
            ("q", "query"),
            ("k", "key"),
            ("v", "value"),
            ("qk", "query` and `key"),
            ("qkv", "query`, `key` and `value"),
        )
    ),
    (
        "The values go through `output` before they are mixed; the merged heads go through it, at the end.",
        lambda p, h, x, y: version(
            p, h, x, y, project=False, split=lambda z, h: split_heads(linear(p, "output", z), h), cut="v"
        ),
    ),
    *(
        (
            f"The {names} are cut straight to (B, H, T, d_head) by view or reshape, which mixes positions and "
            f"heads; use "
            "your split_heads.",
            lambda p, h, x, y, cut=cut: version(p, h, x, y, split=WRONG_SPLITS[0][1], cut=cut),
        )
        for cut, names in (("q", "queries"), ("k", "keys"), ("v", "values"), ("kv", "keys and values"))
    ),
    *(
        (
            f"What the heads have read is not merged as your merge_heads does it. {said}",
            lambda p, h, x, y, merge=merge: version(p, h, x, y, merge=merge),
        )
        for said, merge in [*WRONG_MERGES[1:], *RARE_MERGES]
    ),
    (
        "The heads of one word attend to each other: bring the heads in front of the words, transpose(1, 2), "
        "before the product.",
        lambda p, h, x, y: version(
            p,
            h,
            x,
            y,
            split=lambda z, h: z.reshape(*z.shape[:2], h, -1),
            merge=lambda z: z.reshape(*z.shape[:2], -1),
        ),
    ),
    (
        "There is only one head, as wide as the model, for nothing is split; and d_head is the width of a head.",
        lambda p, h, x, y: version(p, 1, x, y, scale=lambda _, k: np.sqrt(k / h)),
    ),
    (
        "The keys are reshaped to (d_head, S), which tears their numbers apart; exchange the axes, transpose(-2, -1).",
        lambda p, h, x, y: version(
            p, h, x, y, turn=lambda k: k.reshape(*k.shape[:2], *k.shape[:1:-1]).swapaxes(-2, -1)
        ),
    ),
    *(
        (
            f"The {name} do not go through their layer.",
            lambda p, h, x, y, names=names: version(p, h, x, y, layers=names),
        )
        for name, names in (
            ("queries", ("", "key", "value")),
            ("keys", ("query", "", "value")),
            ("values", ("query", "key", "")),
        )
    ),
    (
        "A query meets the keys of all heads, added up; in einsum, one letter stands for the heads, in all parts.",
        lambda p, h, x, y: version(p, h, x, y, turn=lambda k: k.sum(axis=1, keepdims=True)),
    ),
    (
        "Each head reads the values of all heads, added up; in einsum, one letter stands for the heads, in all parts.",
        lambda p, h, x, y: version(p, h, x, y, mix=lambda w, v: w @ v.sum(axis=1, keepdims=True)),
    ),
    (
        "The weights meet the values turned on their side: it is weights @ values.",
        lambda p, h, x, y: version(p, h, x, y, mix=lambda w, v: w.swapaxes(-2, -1) @ v),
    ),
    (
        "The bias of `output` is missing: call the layer, self.output(…).",
        lambda p, h, x, y: version(p, h, x, y) - p["output.bias"],
    ),
    (
        "`output` is multiplied the wrong way round: it stores (out, in); call the layer, self.output(…).",
        lambda p, h, x, y: version(p, h, x, y, project=False) @ p["output.weight"] + p["output.bias"],
    ),
    (
        "Queries and keys are both made by `key`; the queries have a layer of their own, `query`.",
        lambda p, h, x, y: version(p, h, x, y, layers=("key", "key", "value")),
    ),
    (
        "Keys and values are exchanged: the scores are made of queries and keys.",
        lambda p, h, x, y: version(p, h, x, y, layers=("query", "value", "key")),
    ),
    (
        "The scores are divided by the root of the number of words; divide by √d_head.",
        lambda p, h, x, y: version(p, h, x, y, scale=lambda h, k: np.sqrt(y.shape[1])),
    ),
    (
        "There is an activation behind `output`; none is asked for.",
        lambda p, h, x, y: np.maximum(version(p, h, x, y), 0),
    ),
    (
        "The layer `output` comes twice; once is right.",
        lambda p, h, x, y: linear(p, "output", version(p, h, x, y)),
    ),
    (
        "There is an activation before `output`; none is asked for.",
        lambda p, h, x, y: linear(p, "output", np.maximum(version(p, h, x, y, project=False), 0)),
    ),
]

# The output in cross-attention between x and y of the same length: which of the two went where.
WRONG_SIDES: list[Wrong] = [
    (
        "The source changes nothing: with a source, keys and values must come from it.",
        lambda p, h, x, y: version(p, h, x, y, sides="xxx"),
    ),
    (
        "Everything comes from the source; the queries must come from `query`.",
        lambda p, h, x, y: version(p, h, x, y, sides="yyy"),
    ),
    (
        "Query and source are exchanged: queries come from `query`, keys and values from the source.",
        lambda p, h, x, y: version(p, h, x, y, sides="yxx"),
    ),
    (
        "The values come from `query`; keys and values must both come from the source.",
        lambda p, h, x, y: version(p, h, x, y, sides="xyx"),
    ),
    (
        "The keys come from `query`; keys and values must both come from the source.",
        lambda p, h, x, y: version(p, h, x, y, sides="xxy"),
    ),
]

# The weights made of the scaled scores s (B, H, T, S) and the mask m, where every query has allowed and forbidden keys.
WRONG_MASKS: list[Wrong] = [
    (
        "The mask changes nothing: forbidden keys keep their weight in every head (is what masked_fill gives back "
        "used?).",
        lambda s, m: softmax(s),
    ),
    (
        "The mask is inverted in every head: True means may attend.",
        lambda s, m: softmax(np.where(m, -np.inf, s)),
    ),
    (
        "The mask comes after the softmax, so the rows of a head no longer sum to 1; forbid the scores before it.",
        lambda s, m: softmax(s) * m,
    ),
    (
        "The forbidden scores of a head become 0, and e⁰ is 1; they need −∞.",
        lambda s, m: softmax(s * m),
    ),
    (
        "The mask reaches the first head only; let it broadcast over all of them.",
        lambda s, m: np.concatenate([softmax(np.where(m, s, -np.inf))[:, :1], softmax(s)[:, 1:]], axis=1),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_MASKS: list[Wrong] = [
    *(
        (
            f"The mask's row of the {which} query serves all queries; each has its own.",
            lambda s, m, row=row: attention_weights(s, np.broadcast_to(m[..., row, :][..., None, :], m.shape)),
        )
        for which, row in (("first", 0), ("last", -1))
    ),
    *(
        (
            "A causal mask is applied inside; the `mask` that is given says all that is forbidden.",
            lambda s, m, meets=meets: attention_weights(s, meets(np.tri(*s.shape[-2:], dtype=bool), m)),
        )
        for meets in (np.logical_and, lambda causal, m: causal)
    ),
    (
        "The forbidden scores of a head become 0 before the softmax, and e⁰ is 1: set to 0 afterwards, their "
        "weight is lost; they need −∞.",
        lambda s, m: softmax(s * m) * m,
    ),
    (
        "The mask is added to the scores as 0 and 1, which only favours the allowed keys; forbidden ones need −∞.",
        lambda s, m: softmax(s + m),
    ),
    (
        "The mask is added to the scores as 0 and 1, and forbidden weights become 0 after the softmax; the "
        "scores need −∞.",
        lambda s, m: softmax(s + m) * m,
    ),
    (
        "No weight is left: the softmax gives it to forbidden keys (is the mask inverted, or a positive number filled "
        "in?), and then it is taken from them. True means may attend.",
        lambda s, m: s * 0.0,
    ),
]

# The weights made of the right ones w (B, H, T, S): what is returned in their place.
WRONG_WEIGHTS: list[Wrong] = [
    (
        "The weights are the mean over the heads; return those of each head, (B, H, T, S).",
        lambda w: w.mean(axis=1),
    ),
    (
        "The weights are the mean over the heads; return those of each head, (B, H, T, S), unmixed.",
        lambda w: w.mean(axis=1, keepdims=True),
    ),
    (
        "The weights are those of one head only; return those of each, (B, H, T, S).",
        lambda w: w[:, 0],
    ),
    (
        "The weights are the sum over the heads; return those of each head, (B, H, T, S).",
        lambda w: w.sum(axis=1),
    ),
    (
        "The axes of the weights are (B, T, H, S); the heads come first: (B, H, T, S).",
        lambda w: w.swapaxes(1, 2),
    ),
    (
        "The weights have a row for each key; a row for each query is due, (B, H, T, S).",
        lambda w: w.swapaxes(2, 3),
    ),
]

KNOWN_SPLITS = [*WRONG_SPLITS, *RARE_SPLITS]
KNOWN_MERGES = [*WRONG_MERGES, *RARE_MERGES]
KNOWN_OUTPUTS = [*WRONG_OUTPUTS, *RARE_OUTPUTS]
KNOWN_MASKS = [*WRONG_MASKS, *RARE_MASKS]
