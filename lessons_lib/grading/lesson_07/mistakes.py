"""Lesson 7: the ways in which a feed-forward network goes wrong, each as a version of the reference."""

import math

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import softmax

_erf = np.vectorize(math.erf, otypes=[np.float64])


def relu(h: np.ndarray) -> np.ndarray:
    return np.maximum(h, 0.0)


def sigmoid(h: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * h))


def silu(h: np.ndarray) -> np.ndarray:
    return h * sigmoid(h)


def gelu(h: np.ndarray) -> np.ndarray:
    """h Φ(h), with the true normal distribution function (Hendrycks and Gimpel 2016)."""
    return 0.5 * h * (1.0 + _erf(h / math.sqrt(2.0)))


def gelu_tanh(h: np.ndarray) -> np.ndarray:
    return 0.5 * h * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (h + 0.044715 * h**3)))


# The output of the ReLU network, made of x (T, D), W₁ (F, D), b₁, W₂ (D, F), b₂, laid out as nn.Linear keeps them.
WRONG_RELU: list[Wrong] = [
    (
        "There is no activation: two matrices in a row are one matrix. Put ReLU between them.",
        lambda x, w, b, v, c: (x @ w.T + b) @ v.T + c,
    ),
    (
        "ReLU comes after the second matrix; it belongs between the two.",
        lambda x, w, b, v, c: relu((x @ w.T + b) @ v.T + c),
    ),
    (
        "ReLU comes after both matrices; only between them, for the output may be negative.",
        lambda x, w, b, v, c: relu(relu(x @ w.T + b) @ v.T + c),
    ),
    (
        "ReLU comes before the first matrix; it belongs between the two.",
        lambda x, w, b, v, c: (relu(x) @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is GELU; for activation='relu' it is max(0, h).",
        lambda x, w, b, v, c: gelu(x @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is SiLU; for activation='relu' it is max(0, h).",
        lambda x, w, b, v, c: silu(x @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is the sigmoid; ReLU is max(0, h).",
        lambda x, w, b, v, c: sigmoid(x @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is tanh; ReLU is max(0, h).",
        lambda x, w, b, v, c: np.tanh(x @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is a softmax over the neurons; ReLU treats each neuron alone.",
        lambda x, w, b, v, c: softmax(x @ w.T + b) @ v.T + c,
    ),
    (
        "The activation is |h|; ReLU is max(0, h), and a negative number gives 0.",
        lambda x, w, b, v, c: np.abs(x @ w.T + b) @ v.T + c,
    ),
    (
        "The negative numbers are kept and the positive ones are lost; ReLU is max(0, h).",
        lambda x, w, b, v, c: np.minimum(x @ w.T + b, 0.0) @ v.T + c,
    ),
    (
        "The bias of expand is left out of the sum before ReLU.",
        lambda x, w, b, v, c: relu(x @ w.T) @ v.T + c,
    ),
    (
        "The bias of expand is added after ReLU; it belongs before, for it decides who fires.",
        lambda x, w, b, v, c: (relu(x @ w.T) + b) @ v.T + c,
    ),
    (
        "The bias of contract is left out.",
        lambda x, w, b, v, c: relu(x @ w.T + b) @ v.T,
    ),
    (
        "x is added to the result: the residual connection is the layer's, not the network's.",
        lambda x, w, b, v, c: x + relu(x @ w.T + b) @ v.T + c,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_RELU: list[Wrong] = [
    *(
        (f"The activation is {name}; ReLU is max(0, h).", lambda x, w, b, v, c, f=f: f(x @ w.T + b) @ v.T + c)
        for name, f in (
            ("a leaky ReLU, which lets 0.01 · h through where h is negative", lambda h: np.where(h > 0, h, 0.01 * h)),
            ("ELU", lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0)))),
            ("softplus, log(1 + eʰ)", lambda h: np.logaddexp(0, h)),
            ("ReLU6, which cuts at 6", lambda h: np.clip(h, 0, 6)),
            ("ReLU, squared", lambda h: relu(h) ** 2),
            ("a square", lambda h: h**2),
        )
    ),
    (
        "There is a norm behind the network; that is the layer's (lesson 6).",
        lambda x, w, b, v, c: (
            ((y := relu(x @ w.T + b) @ v.T + c) - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)
        ),
    ),
    (
        "There is a norm before the network; that is the layer's (lesson 6).",
        lambda x, w, b, v, c: (
            relu((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) @ w.T + b) @ v.T + c
        ),
    ),
    *(
        (
            f"There is a norm between the two matrices, {place} ReLU; none is asked for in here.",
            lambda x, w, b, v, c, f=f: f(x @ w.T + b) @ v.T + c,
        )
        for place, f in (("behind", lambda h: _normed(relu(h))), ("before", lambda h: relu(_normed(h))))
    ),
    (
        "`contract` is used for its bias alone: the way back goes through the matrix of expand.",
        lambda x, w, b, v, c: relu(x @ w.T + b) @ w + c,
    ),
    (
        "What comes out of expand is added to what ReLU has made of it; ReLU's result alone goes on.",
        lambda x, w, b, v, c: ((h := x @ w.T + b) + relu(h)) @ v.T + c,
    ),
    (
        "The activation is a step, 0 or 1; ReLU is max(0, h), and keeps h where it is positive.",
        lambda x, w, b, v, c: (x @ w.T + b > 0) @ v.T + c,
    ),
    (
        "ReLU comes before the first matrix as well as between the two; it belongs between them alone.",
        lambda x, w, b, v, c: relu(relu(x) @ w.T + b) @ v.T + c,
    ),
    (
        "The result is the mean over the words; each word is thought about alone.",
        lambda x, w, b, v, c: np.repeat((relu(x @ w.T + b) @ v.T + c).mean(0, keepdims=True), len(x), 0),
    ),
]

# The output for activation="gelu".
WRONG_GELU: list[Wrong] = [
    (
        "For activation='gelu' the network still uses ReLU.",
        lambda x, w, b, v, c: relu(x @ w.T + b) @ v.T + c,
    ),
    (
        "For activation='gelu' the network uses SiLU, h · sigmoid(h); GELU is h · Φ(h).",
        lambda x, w, b, v, c: silu(x @ w.T + b) @ v.T + c,
    ),
    (
        "This is Φ(h) without the factor h; GELU is h · Φ(h).",
        lambda x, w, b, v, c: gelu(x @ w.T + b) / (x @ w.T + b) @ v.T + c,
    ),
    (
        "This is h · sigmoid(1.702 h), a rough approximation of GELU; take F.gelu.",
        lambda x, w, b, v, c: (x @ w.T + b) * sigmoid(1.702 * (x @ w.T + b)) @ v.T + c,
    ),
    (
        "This is the approximation of GELU with tanh; take the exact one, F.gelu without options.",
        lambda x, w, b, v, c: gelu_tanh(x @ w.T + b) @ v.T + c,
    ),
    (
        "For activation='gelu' there is no activation at all.",
        lambda x, w, b, v, c: (x @ w.T + b) @ v.T + c,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_GELU: list[Wrong] = [
    (
        "The √2 is missing: Φ(h) = (1 + erf(h / √2)) / 2.",
        lambda x, w, b, v, c: (h := x @ w.T + b) * 0.5 * (1 + _erf(h)) @ v.T + c,
    ),
    (
        "ReLU comes behind GELU; GELU alone is due.",
        lambda x, w, b, v, c: relu(gelu(x @ w.T + b)) @ v.T + c,
    ),
]

# The output of the gated network, made of h = x W₁ + b₁ and g = x W_g + b_g, W₂ and b₂.
WRONG_GATES: list[Wrong] = [
    (
        "The gate is multiplied before the activation: SiLU(h · g). It is SiLU(h) · g.",
        lambda h, g, v, c: silu(h * g) @ v.T + c,
    ),
    (
        "SiLU is applied to the gate; in this exercise expand goes through SiLU, and gate stays linear.",
        lambda h, g, v, c: h * silu(g) @ v.T + c,
    ),
    (
        "Both sides go through SiLU; the gate stays linear.",
        lambda h, g, v, c: silu(h) * silu(g) @ v.T + c,
    ),
    (
        "The sigmoid alone makes a GLU; SwiGLU needs SiLU, h · sigmoid(h).",
        lambda h, g, v, c: sigmoid(h) * g @ v.T + c,
    ),
    (
        "The sigmoid is applied to the gate, and expand stays linear; it is SiLU(h) · g.",
        lambda h, g, v, c: h * sigmoid(g) @ v.T + c,
    ),
    (
        "With GELU this is a GEGLU; SwiGLU takes SiLU.",
        lambda h, g, v, c: gelu(h) * g @ v.T + c,
    ),
    (
        "With ReLU this is a ReGLU; SwiGLU takes SiLU.",
        lambda h, g, v, c: relu(h) * g @ v.T + c,
    ),
    (
        "The two sides are multiplied without any activation; one of them, expand, goes through SiLU.",
        lambda h, g, v, c: h * g @ v.T + c,
    ),
    (
        "The gate is added; a gate is multiplied, neuron by neuron.",
        lambda h, g, v, c: (silu(h) + g) @ v.T + c,
    ),
    (
        "There is a gate, but forward does not use it.",
        lambda h, g, v, c: silu(h) @ v.T + c,
    ),
    (
        "expand is not used: both sides of the product come from gate.",
        lambda h, g, v, c: silu(g) * g @ v.T + c,
    ),
    (
        "gate is not used: both sides of the product come from expand.",
        lambda h, g, v, c: silu(h) * h @ v.T + c,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_GATES: list[Wrong] = [
    (
        "The gate divides; it multiplies.",
        lambda h, g, v, c: silu(h) / g @ v.T + c,
    ),
    (
        "1 + gate multiplies; the gate multiplies as it is.",
        lambda h, g, v, c: silu(h) * (1 + g) @ v.T + c,
    ),
    (
        "SiLU stands on both sides of the product, and behind it; it belongs to expand alone.",
        lambda h, g, v, c: silu(silu(h) * g) @ v.T + c,
    ),
    (
        "The gate goes through a ReLU; it stays linear.",
        lambda h, g, v, c: silu(h) * relu(g) @ v.T + c,
    ),
    (
        "The gate goes through a sigmoid; it stays linear.",
        lambda h, g, v, c: silu(h) * sigmoid(g) @ v.T + c,
    ),
    (
        "The activation of expand is tanh; SwiGLU takes SiLU.",
        lambda h, g, v, c: np.tanh(h) * g @ v.T + c,
    ),
    (
        "What comes out of expand is not used but for its sign: the gate is let through where it is positive.",
        lambda h, g, v, c: (h > 0) * g @ v.T + c,
    ),
]

# Which neurons fire, made of their sums p = x W₁ + b₁ (F,), and of the same without bias n.
WRONG_FIRED: list[Wrong] = [
    (
        "The bias of the keys is left out: neuron i fires when token · key + bias is positive.",
        lambda p, n: _sorted(n, n > 0),
    ),
    (
        "All neurons are there, the silent ones too; keep those whose activation is above 0.",
        lambda p, n: _sorted(p, p == p),
    ),
    (
        "These are the silent neurons; the others fire.",
        lambda p, n: _sorted(-p, p < 0),
    ),
    (
        "The right neurons, the weakest first; turn the order round.",
        lambda p, n: _sorted(p, p > 0)[::-1],
    ),
    (
        "The right neurons, in the order of their numbers; sort them by activation, the strongest first.",
        lambda p, n: np.flatnonzero(p > 0),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_FIRED: list[Wrong] = [
    (
        "The neurons are sorted, but the sums that choose among them are not: sums[order] > 0.",
        lambda p, n: np.argsort(-p, kind="stable")[p > 0],
    ),
    (
        "`fired` counts among those that fire alone, for argsort came after the choice; give the neurons' own numbers.",
        lambda p, n: np.argsort(-p[p > 0], kind="stable"),
    ),
    (
        "These are the silent neurons, whose sums are below 0; the others fire.",
        lambda p, n: _sorted(p, p < 0),
    ),
    (
        "All neurons are there, sorted by the size of their sums without the sign; keep those whose sum is above 0.",
        lambda p, n: _sorted(np.abs(p), p == p),
    ),
    (
        "All neurons are there, in the order of their numbers; keep those whose sum is above 0, the strongest first.",
        lambda p, n: np.arange(len(p)),
    ),
    (
        "The bias is subtracted; a neuron's sum is token · key + bias.",
        lambda p, n: _sorted(2 * n - p, 2 * n > p),
    ),
    (
        "The bias is left out where it is decided who fires: a neuron does if token · key + bias is positive.",
        lambda p, n: _sorted(p, n > 0),
    ),
]

# What each adds (n, D), made of the activations a (n,) and the values v (n, D) of those that fire,
# and the bias of contract c (D,).
WRONG_ADDED: list[Wrong] = [
    (
        "`added` holds the bare values; each is multiplied by the activation of its neuron.",
        lambda a, v, c: v,
    ),
    (
        "The values are divided by the activations; multiply.",
        lambda a, v, c: v / a[:, None],
    ),
    (
        "`added` is multiplied by activations that sum to 1; a memory of this kind has no softmax.",
        lambda a, v, c: v * (a / a.sum())[:, None],
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_ADDED: list[Wrong] = [
    (
        "`added` has the activations through a softmax; a memory of this kind has none.",
        lambda a, v, c: v * softmax(a[None])[0][:, None],
    ),
    (
        "The values are multiplied by the squares of the activations; each activation counts once.",
        lambda a, v, c: a[:, None] ** 2 * v,
    ),
    (
        "The activations are divided by the largest of them; each multiplies its value as it is.",
        lambda a, v, c: (a / a.max())[:, None] * v,
    ),
    *(
        (
            f"The activations go through {name} before they multiply; a neuron's sum is its activation, as it is.",
            lambda a, v, c, f=f: f(a)[:, None] * v,
        )
        for name, f in (("a sigmoid", sigmoid), ("tanh", np.tanh), ("GELU", gelu), ("SiLU", silu))
    ),
    (
        "The bias of contract is in each row of `added`; no neuron adds it, so it comes once, to the output.",
        lambda a, v, c: a[:, None] * v + c,
    ),
]

# The output (D,), made of what the neurons add (n, D) and the bias of contract c (D,).
WRONG_SUMS: list[Wrong] = [
    (
        "The bias of contract is not in the output, so it is not what the layer gives.",
        lambda a, c: a.sum(0),
    ),
    (
        "The output is the mean of what the neurons add; it is their sum.",
        lambda a, c: a.mean(0) + c,
    ),
    (
        "The bias of contract is added once for each neuron that fires; once is right.",
        lambda a, c: (a + c).sum(0),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_SUMS: list[Wrong] = [
    (
        "The output holds what the strongest neuron adds alone; sum over all that fire.",
        lambda a, c: a[0],
    ),
    (
        "The output holds what the strongest neuron adds alone, and the bias; sum over all that fire.",
        lambda a, c: a[0] + c,
    ),
]


def _normed(h: np.ndarray) -> np.ndarray:
    return (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)


def _sorted(strength: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The numbers of the chosen neurons, the strongest first."""
    order = np.argsort(-strength, kind="stable")
    return order[chosen[order]]


KNOWN_RELU = [*WRONG_RELU, *RARE_RELU]
KNOWN_GELU = [*WRONG_GELU, *RARE_GELU]
KNOWN_GATES = [*WRONG_GATES, *RARE_GATES]
KNOWN_FIRED = [*WRONG_FIRED, *RARE_FIRED]
KNOWN_ADDED = [*WRONG_ADDED, *RARE_ADDED]
KNOWN_SUMS = [*WRONG_SUMS, *RARE_SUMS]
