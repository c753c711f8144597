"""Lesson 1: the ways in which scaled dot-product attention goes wrong, each as a version of the reference."""

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import attention_weights, softmax
from lessons_lib.grading.judge.scales import ODD_SCALES, ODD_SHARES

# The weights made of dot products d (T, S) and the sizes d_head k, T, S, d_value v.
WRONG_WEIGHTS: list[Wrong] = [
    (
        "The scores are not divided by √d_head before the softmax.",
        lambda d, k, t, s, v: softmax(d),
    ),
    (
        "The scores are divided by d_head; divide by its square root.",
        lambda d, k, t, s, v: softmax(d / k),
    ),
    (
        "The scores are multiplied by √d_head; divide by it.",
        lambda d, k, t, s, v: softmax(d * np.sqrt(k)),
    ),
    (
        "The scores are divided by the root of the number of queries; d_head is the last size, query.shape[-1].",
        lambda d, k, t, s, v: softmax(d / np.sqrt(t)),
    ),
    (
        "The scores are divided by the root of the number of keys; d_head is the size of one key, key.shape[-1].",
        lambda d, k, t, s, v: softmax(d / np.sqrt(s)),
    ),
    (
        "The scores are divided by the root of the size of a value; d_head is the size of a query and of a key.",
        lambda d, k, t, s, v: softmax(d / np.sqrt(v)),
    ),
    (
        "The softmax runs over the queries (each column sums to 1); it must run over the keys, dim=-1.",
        lambda d, k, t, s, v: softmax(d / np.sqrt(k), axis=-2),
    ),
    (
        "The softmax runs over all scores together; each query needs its own, dim=-1.",
        lambda d, k, t, s, v: softmax(d / np.sqrt(k), axis=None),
    ),
    (
        "The division by √d_head comes after the softmax; it must come before.",
        lambda d, k, t, s, v: softmax(d) / np.sqrt(k),
    ),
    (
        "The weights are the scaled scores; the softmax is missing.",
        lambda d, k, t, s, v: d / np.sqrt(k),
    ),
    (
        "The weights are the bare dot products; scale and softmax are missing.",
        lambda d, k, t, s, v: d,
    ),
    (
        "The weights are logarithms of probabilities; use softmax, not log_softmax.",
        lambda d, k, t, s, v: np.log(softmax(d / np.sqrt(k))),
    ),
    (
        "A causal mask is applied, though no mask was given.",
        lambda d, k, t, s, v: softmax(np.where(np.tri(t, s, dtype=bool), d / np.sqrt(k), -np.inf)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_WEIGHTS: list[Wrong] = [
    (
        "The scores have the wrong sign: the key that fits least gets most.",
        lambda d, k, t, s, v: softmax(-d / np.sqrt(k)),
    ),
    (
        "The softmax comes twice; once is right.",
        lambda d, k, t, s, v: softmax(softmax(d / np.sqrt(k))),
    ),
    *((sentence, lambda d, k, t, s, v, scale=scale: softmax(d / scale(k))) for sentence, scale in ODD_SCALES),
    *((sentence, lambda d, k, t, s, v, share=share: share(d / np.sqrt(k))) for sentence, share in ODD_SHARES),
]


def scaled_softmax(scores: np.ndarray) -> np.ndarray:
    """The weights where d_head is equal to the number of keys."""
    return softmax(scores / np.sqrt(scores.shape[-1]))


# The weights made of query, key and value of equal sizes: with other sizes these raise, or have another shape.
WRONG_PRODUCTS: list[Wrong] = [
    (
        "The key is not transposed: a score is the product of a query and a key, query @ keyᵀ.",
        lambda q, k, v: scaled_softmax(q @ k),
    ),
    (
        "The scores compare queries with values; compare them with keys, query @ keyᵀ.",
        lambda q, k, v: scaled_softmax(q @ v.T),
    ),
    (
        "The scores compare keys with keys; compare queries with them, query @ keyᵀ.",
        lambda q, k, v: scaled_softmax(k @ k.T),
    ),
    (
        "The scores compare queries with queries; compare them with keys, query @ keyᵀ.",
        lambda q, k, v: scaled_softmax(q @ q.T),
    ),
    (
        "The scores are the wrong way round: a row is due for each query, query @ keyᵀ.",
        lambda q, k, v: scaled_softmax(k @ q.T),
    ),
]

# Rarer ones, where the sizes differ.
RARE_PRODUCTS: list[Wrong] = [
    (
        "The scores are cosines; they are dot products divided by √d_head, whatever the lengths of the vectors.",
        lambda q, k, v: softmax(
            (q @ k.T) / np.linalg.norm(q, axis=-1, keepdims=True) / np.linalg.norm(k, axis=-1, keepdims=True).T
        ),
    ),
    (
        "The key is reshaped to (d_head, S), which tears its numbers apart; exchange the axes, transpose(-2, -1).",
        lambda q, k, v: softmax(q @ k.reshape(k.shape[::-1]) / np.sqrt(k.shape[-1])),
    ),
]

# The output made of the learner's weights w and query, key, value.
WRONG_OUTPUTS: list[Wrong] = [
    (
        "The output averages the keys; average the values, weights @ value.",
        lambda w, q, k, v: w @ k,
    ),
    (
        "The output averages the queries; average the values, weights @ value.",
        lambda w, q, k, v: w @ q,
    ),
    (
        "The weights are transposed before they meet the values; the output is weights @ value.",
        lambda w, q, k, v: w.T @ v,
    ),
    (
        "The weights multiply the values number by number; the output is a matrix product, weights @ value.",
        lambda w, q, k, v: w * v,
    ),
]

# The weights made of the scaled scores s and the mask m, where every query has allowed and forbidden keys.
WRONG_MASKS: list[Wrong] = [
    (
        "The mask changes nothing: forbidden keys keep their weight (is what masked_fill gives back used?).",
        lambda s, m: softmax(s),
    ),
    (
        "The mask is inverted: True means may attend.",
        lambda s, m: softmax(np.where(m, -np.inf, s)),
    ),
    (
        "The mask comes after the softmax, so a row no longer sums to 1; forbid the scores, before the softmax.",
        lambda s, m: softmax(s) * m,
    ),
    (
        "The mask comes after the softmax, and inverted; forbid the scores where it is False, before the softmax.",
        lambda s, m: softmax(s) * ~m,
    ),
    (
        "Forbidden scores become 0 (multiplied by the mask, or filled with about 0), and e⁰ is 1; they need −∞.",
        lambda s, m: softmax(s * m),
    ),
    (
        "The mask is added to the scores as 0 and 1, which only favours the allowed keys; forbidden ones need −∞.",
        lambda s, m: softmax(s + m),
    ),
    (
        "Forbidden scores become −1, and e⁻¹ is not 0; they need −∞.",
        lambda s, m: softmax(np.where(m, s, -1.0)),
    ),
    (
        "Forbidden scores become large and positive, so they win the softmax; they need −∞.",
        lambda s, m: softmax(np.where(m, s, 1e9)),
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
            f"The mask's column of the {which} key serves all keys; each has its own.",
            lambda s, m, column=column: attention_weights(s, np.broadcast_to(m[..., column, None], m.shape)),
        )
        for which, column in (("first", 0), ("last", -1))
    ),
    *(
        (
            "A causal mask is applied inside; the `mask` that is given says all that is forbidden.",
            lambda s, m, meets=meets: attention_weights(s, meets(np.tri(*s.shape[-2:], dtype=bool), m)),
        )
        for meets in (np.logical_and, lambda causal, m: causal)
    ),
    (
        "Forbidden scores become 0 before the softmax, and e⁰ is 1: set to 0 afterwards, their weight is lost; "
        "they need −∞.",
        lambda s, m: softmax(s * m) * m,
    ),
    (
        "Forbidden scores become −1 before the softmax, and what they get is taken away after it; they need −∞.",
        lambda s, m: softmax(np.where(m, s, -1.0)) * m,
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

KNOWN_WEIGHTS = [*WRONG_WEIGHTS, *RARE_WEIGHTS]
KNOWN_MASKS = [*WRONG_MASKS, *RARE_MASKS]
