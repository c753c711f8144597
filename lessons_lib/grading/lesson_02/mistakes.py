"""Lesson 2: the ways in which projections and cross-attention go wrong, each as a version of the reference."""

from collections.abc import Mapping

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import attention, dot_products, softmax
from lessons_lib.grading.judge.scales import ODD_SCALES, ODD_SHARES

State = Mapping[str, np.ndarray]  # the weights by their names in the state_dict


def linear(x: np.ndarray, state: State, name: str) -> np.ndarray:
    """What a linear layer makes of x: its weight is (out, in)."""
    return x.astype(np.float64) @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def projections(x: np.ndarray, source: np.ndarray, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries of x, keys and values of the source."""
    return linear(x, state, "query"), linear(source, state, "key"), linear(source, state, "value")


# One of the three projections made of x, the state w, and its own name n.
WRONG_PROJECTIONS: list[Wrong] = [
    (
        "is made by the layer of the queries; it has a layer of its own",
        lambda x, w, n: linear(x, w, "query"),
    ),
    (
        "is made by the layer of the keys; it has a layer of its own",
        lambda x, w, n: linear(x, w, "key"),
    ),
    (
        "lacks the bias of its layer: call the layer, `self.query(x)`, in place of a product with its weight",
        lambda x, w, n: x @ w[f"{n}.weight"].T,
    ),
    (
        "is divided by √d_head already; project gives what the layer gives, and forward divides the scores",
        lambda x, w, n: linear(x, w, n) / np.sqrt(len(w["query.bias"])),
    ),
    (
        "has gone through a softmax; project gives what the layer gives",
        lambda x, w, n: softmax(linear(x, w, n)),
    ),
    (
        "has gone through a relu; project gives what the layer gives",
        lambda x, w, n: np.maximum(linear(x, w, n), 0),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_PROJECTIONS: list[Wrong] = [
    (
        "is divided by its length, so that all its rows have the length 1; project gives what the layer gives",
        lambda x, w, n: (y := linear(x, w, n)) / np.linalg.norm(y, axis=-1, keepdims=True),
    ),
    (
        "has a norm behind its layer; project gives what the layer gives",
        lambda x, w, n: ((y := linear(x, w, n)) - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5),
    ),
    (
        "has gone through a tanh; project gives what the layer gives",
        lambda x, w, n: np.tanh(linear(x, w, n)),
    ),
    (
        "has the bias of its layer twice; the layer adds it",
        lambda x, w, n: linear(x, w, n) + w[f"{n}.bias"],
    ),
    (
        "is the mean over the words; each word has its own",
        lambda x, w, n: np.repeat(linear(x, w, n).mean(axis=0, keepdims=True), len(x), axis=0),
    ),
    (
        "is made of x with a norm before it; project takes x as it is",
        lambda x, w, n: linear((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5), w, n),
    ),
]

# One of them where all sizes are equal: with other sizes these raise, or have another shape.
WRONG_SQUARES: list[Wrong] = [
    (
        "multiplies with the weight the wrong way round: a linear layer stores (out, in), so it is x @ weight.T",
        lambda x, w, n: x @ w[f"{n}.weight"] + w[f"{n}.bias"],
    ),
    (
        "multiplies with the weight the wrong way round, and lacks the bias: call the layer",
        lambda x, w, n: x @ w[f"{n}.weight"],
    ),
    (
        "is made of the queries; all three are made of x",
        lambda x, w, n: linear(linear(x, w, "query"), w, n),
    ),
    (
        "is made of the keys; all three are made of x",
        lambda x, w, n: linear(linear(x, w, "key"), w, n),
    ),
]


def weights_of(x: np.ndarray, source: np.ndarray, w: State) -> np.ndarray:
    query, key, value = projections(x, source, w)
    return attention(query, key, value)[1]


def dots(x: np.ndarray, source: np.ndarray, w: State) -> np.ndarray:
    return dot_products(linear(x, w, "query"), linear(source, w, "key"))


# The weights of x (T, D) that looks at itself or at a source y (S, D), with the state w and the sizes d_model, d_head,
# d_value in k.
WRONG_WEIGHTS: list[Wrong] = [
    (
        "The scores go into the softmax undivided; forward divides them by √d_head, the width of a query.",
        lambda x, y, w, k: softmax(dots(x, y, w)),
    ),
    (
        "The scores are divided by √d_model, the width of a word; divide by √d_head, the width of a query.",
        lambda x, y, w, k: softmax(dots(x, y, w) / np.sqrt(k[0])),
    ),
    (
        "The scores are divided by √d_value, the width of a value; divide by √d_head, the width of a query.",
        lambda x, y, w, k: softmax(dots(x, y, w) / np.sqrt(k[2])),
    ),
    (
        "The scores are divided by d_head, and its root is due.",
        lambda x, y, w, k: softmax(dots(x, y, w) / k[1]),
    ),
    (
        "The softmax shares each key among the queries; each query shares itself among the keys, dim=-1.",
        lambda x, y, w, k: softmax(dots(x, y, w) / np.sqrt(k[1]), axis=-2),
    ),
    (
        "The words of x are compared as queries with queries; compare them with the keys.",
        lambda x, y, w, k: softmax(dot_products(*[linear(x, w, "query")] * 2) / np.sqrt(k[1])),
    ),
    (
        "The words are compared before they are projected; the scores are made of queries and keys.",
        lambda x, y, w, k: softmax(dot_products(x, y) / np.sqrt(k[1])),
    ),
    (
        "The scores come out of forward as they are; turn them into weights with a softmax.",
        lambda x, y, w, k: dots(x, y, w) / np.sqrt(k[1]),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_WEIGHTS: list[Wrong] = [
    (
        "The scores are the wrong way round: a row is due for each query, query @ keyᵀ.",
        lambda x, y, w, k: softmax(dots(x, y, w).T / np.sqrt(k[1])),
    ),
    (
        "The scores have the wrong sign: the key that fits least gets most.",
        lambda x, y, w, k: softmax(-dots(x, y, w) / np.sqrt(k[1])),
    ),
    (
        "The softmax comes twice; once is right.",
        lambda x, y, w, k: softmax(softmax(dots(x, y, w) / np.sqrt(k[1]))),
    ),
    *(
        (sentence, lambda x, y, w, k, scale=scale: softmax(dots(x, y, w) / scale(k[1])))
        for sentence, scale in ODD_SCALES
    ),
    *(
        (sentence, lambda x, y, w, k, share=share: share(dots(x, y, w) / np.sqrt(k[1])))
        for sentence, share in ODD_SHARES
    ),
    (
        "The keys must be transposed, key.transpose(-2, -1): without, or reshaped to (d_head, S), they are torn apart.",
        lambda x, y, w, k: softmax(linear(x, w, "query") @ linear(y, w, "key").reshape(k[1], -1) / np.sqrt(k[1])),
    ),
    (
        "The scores are divided by the root of the number of words; divide by √d_head, the width of a query.",
        lambda x, y, w, k: softmax(dots(x, y, w) / np.sqrt(len(y))),
    ),
    (
        "The division by √d_head comes after the softmax; divide the scores, before it.",
        lambda x, y, w, k: softmax(dots(x, y, w)) / np.sqrt(k[1]),
    ),
    (
        "The weights are logarithms of probabilities; use softmax, not log_softmax.",
        lambda x, y, w, k: np.log(softmax(dots(x, y, w) / np.sqrt(k[1]))),
    ),
    (
        "A causal mask is applied, though none is asked for.",
        lambda x, y, w, k: softmax(
            np.where(np.tri(len(x), len(y), dtype=bool), dots(x, y, w) / np.sqrt(k[1]), -np.inf)
        ),
    ),
]

# The weights of x (T, D) that looks at a source y (S, D).
WRONG_SOURCES: list[Wrong] = [
    (
        "The source changes nothing: x still looks at itself. Make keys and values of the source when there is one.",
        lambda x, y, w: weights_of(x, x, w),
    ),
    (
        "The source makes the queries, and x is looked at: exchange them. x asks, and the source is asked.",
        lambda x, y, w: weights_of(y, x, w),
    ),
    (
        "The source makes the queries too, so it looks at itself: the queries come from x.",
        lambda x, y, w: weights_of(y, y, w),
    ),
]

# The output, made of the right weights a, of x and a source y, where both have the same length.
WRONG_OUTPUTS: list[Wrong] = [
    (
        "The values come from x, though the keys come from the source; what was found is handed over: make both of it.",
        lambda a, x, y, w: a @ linear(x, w, "value"),
    ),
    (
        "The output mixes the keys: mix the values, weights @ value.",
        lambda a, x, y, w: a @ linear(y, w, "key"),
    ),
    (
        "The output mixes the queries: mix the values, weights @ value.",
        lambda a, x, y, w: a @ linear(x, w, "query"),
    ),
    (
        "The output mixes the words themselves, unprojected: mix the values, weights @ value.",
        lambda a, x, y, w: a @ y,
    ),
    (
        "The weights meet the values turned on their side: the output is weights @ value.",
        lambda a, x, y, w: a.T @ linear(y, w, "value"),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_OUTPUTS: list[Wrong] = [
    (
        "The values are added to what has been read; the output is weights @ value alone.",
        lambda a, x, y, w: a @ linear(y, w, "value") + linear(y, w, "value"),
    ),
    (
        "The output is the plain mean of the values; each word has weights of its own: weights @ value.",
        lambda a, x, y, w: np.repeat(linear(y, w, "value").mean(axis=0, keepdims=True), len(a), axis=0),
    ),
]

KNOWN_PROJECTIONS = [*WRONG_PROJECTIONS, *RARE_PROJECTIONS]
KNOWN_WEIGHTS = [*WRONG_WEIGHTS, *RARE_WEIGHTS]
KNOWN_OUTPUTS = [*WRONG_OUTPUTS, *RARE_OUTPUTS]
