"""Lesson 7: the ways in which a feed-forward network goes wrong: choices of a few formulas."""

import math
from collections.abc import Callable

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.reference import softmax
from lessons_lib.grading.judge.variations import Axes

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


def _as_it_is(h: np.ndarray) -> np.ndarray:
    return h


def _normed(h: np.ndarray) -> np.ndarray:
    return (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)


Change = Callable[..., np.ndarray]


def chosen_network(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    v: np.ndarray,
    c: np.ndarray,
    *,
    activation: Change = relu,
    before: Change = _as_it_is,
    bias: Callable[[Change, np.ndarray, np.ndarray], np.ndarray] = lambda f, h, b: f(h + b),
    back: Change = lambda w, v: v.T,
    biases: float = 1,
    beside: Change = lambda x: 0 * x,
    after: Change = _as_it_is,
) -> np.ndarray:
    """The output of a network with the weights W₁ (F, D), b₁, W₂ (D, F), b₂, laid out as nn.Linear keeps them.

    Args:
        bias: what is made of the activation, x W₁ and b₁.
        back: the matrix of the way back (F, D), made of W₁ and W₂.
        biases: how often b₂ is added.
        beside: what is added to the result.
    """
    hidden = bias(activation, before(x) @ w.T, b)
    return after(beside(x) + hidden @ back(w, v) + biases * c)


_REST: Axes = {
    "before": [
        ("ReLU comes before the first matrix; it belongs between the two alone.", relu),
        ("There is a norm before the network; that is the layer's (lesson 6).", _normed),
    ],
    "bias": [
        ("The bias of expand is left out of the sum before the activation.", lambda f, h, b: f(h)),
        (
            "The bias of expand is added after the activation; it belongs before, for it decides who fires.",
            lambda f, h, b: f(h) + b,
        ),
        ("The bias of expand is added twice.", lambda f, h, b: f(h + 2 * b)),
    ],
    "back": [
        (
            "`contract` is used for its bias alone: the way back goes through the matrix of expand.",
            lambda w, v: w,
        )
    ],
    "biases": [
        ("The bias of contract is left out.", 0),
        ("The bias of contract is added twice.", 2),
    ],
    "beside": [
        ("x is added to the result: the residual connection is the layer's, not the network's.", _as_it_is),
    ],
    "after": [
        ("ReLU comes after the second matrix; only between the two, for the output may be negative.", relu),
        *(
            (f"What the network gives goes through {name}; it is given back as it is.", f)
            for name, f in (("a sigmoid", sigmoid), ("tanh", np.tanh), ("a softmax", softmax), ("GELU", gelu))
        ),
        ("There is a norm behind the network; that is the layer's (lesson 6).", _normed),
        (
            "The result is the mean over the words; each word is thought about alone.",
            lambda y: np.repeat(y.mean(0, keepdims=True), len(y), 0),
        ),
    ],
}
RELU_AXES: Axes = _REST | {
    "activation": [
        (
            "There is no activation between the matrices: two in a row are one. Put ReLU between them (F.relu gives a "
            "new tensor: is it used?).",
            _as_it_is,
        ),
        ("The activation is GELU; for activation='relu' it is max(0, h).", gelu),
        ("The activation is SiLU; for activation='relu' it is max(0, h).", silu),
        ("The activation is |h|; ReLU is max(0, h), and a negative number gives 0.", np.abs),
        (
            "The negative numbers are kept and the positive ones are lost; ReLU is max(0, h).",
            lambda h: np.minimum(h, 0.0),
        ),
        ("The activation is a softmax over the neurons; ReLU treats each neuron alone.", softmax),
        (
            "The activation is a step, 0 or 1; ReLU is max(0, h), and keeps h where it is positive.",
            lambda h: (h > 0) * 1.0,
        ),
        (
            "What comes out of expand is added to what ReLU has made of it; ReLU's result alone goes on.",
            lambda h: h + relu(h),
        ),
        (
            "What comes out of ReLU is multiplied by a sigmoid; ReLU's result alone goes on.",
            lambda h: relu(h) * sigmoid(h),
        ),
        *(
            (f"The activation is {name}; ReLU is max(0, h).", f)
            for name, f in (
                ("the sigmoid", sigmoid),
                ("tanh", np.tanh),
                (
                    "a leaky ReLU, which lets 0.01 · h through where h is negative",
                    lambda h: np.where(h > 0, h, 0.01 * h),
                ),
                ("ELU", lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0)))),
                ("softplus, log(1 + eʰ)", lambda h: np.logaddexp(0, h)),
                ("ReLU6, which cuts at 6", lambda h: np.clip(h, 0, 6)),
                ("a cut at −1 and 1", lambda h: np.clip(h, -1, 1)),
                ("ReLU, squared", lambda h: relu(h) ** 2),
                ("a square", lambda h: h**2),
            )
        ),
        *(
            (f"There is a norm between the two matrices, {place} ReLU; none is asked for in here.", f)
            for place, f in (("behind", lambda h: _normed(relu(h))), ("before", lambda h: relu(_normed(h))))
        ),
    ],
}
GELU_AXES: Axes = _REST | {
    "activation": [
        ("For activation='gelu' the network still uses ReLU.", relu),
        ("For activation='gelu' the network uses SiLU, h · sigmoid(h); GELU is h · Φ(h).", silu),
        ("This is Φ(h) without the factor h; GELU is h · Φ(h).", lambda h: gelu(h) / h),
        (
            "This is h · sigmoid(1.702 h), a rough approximation of GELU; take F.gelu.",
            lambda h: h * sigmoid(1.702 * h),
        ),
        ("This is the approximation of GELU with tanh; take the exact one, F.gelu without options.", gelu_tanh),
        ("For activation='gelu' there is no activation at all.", _as_it_is),
        ("The √2 is missing: Φ(h) = (1 + erf(h / √2)) / 2.", lambda h: h * 0.5 * (1 + _erf(h))),
        ("ReLU comes before or behind GELU, which is the same; GELU alone is due.", lambda h: relu(gelu(h))),
        ("GELU comes twice; once is right.", lambda h: gelu(gelu(h))),
    ],
}


def chosen_gate(
    x: np.ndarray,
    h: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    c: np.ndarray,
    *,
    left: Change = silu,
    right: Change = _as_it_is,
    meet: Callable[[Change, Change, np.ndarray, np.ndarray], np.ndarray] = lambda f, s, h, g: f(h) * s(g),
    behind: Change = _as_it_is,
    biases: float = 1,
    beside: Change = lambda x: 0 * x,
    after: Change = _as_it_is,
) -> np.ndarray:
    """The output of the gated network, made of h = x W₁ + b₁ and g = x W_g + b_g, W₂ and b₂.

    Args:
        left: what expand goes through.
        right: what gate goes through.
        meet: what is made of those two, h and g.
        behind: what the hidden neurons go through then.
    """
    return after(beside(x) + behind(meet(left, right, h, g)) @ v.T + biases * c)


GATE_AXES: Axes = {
    "left": [
        ("The sigmoid alone makes a GLU; SwiGLU needs SiLU, h · sigmoid(h).", sigmoid),
        ("With GELU this is a GEGLU; SwiGLU takes SiLU.", gelu),
        ("With ReLU this is a ReGLU; SwiGLU takes SiLU.", relu),
        ("expand goes through no activation; it goes through SiLU.", _as_it_is),
        ("The activation of expand is tanh; SwiGLU takes SiLU.", np.tanh),
        ("expand goes through SiLU twice; once is right.", lambda h: silu(silu(h))),
        (
            "What comes out of expand is not used but for its sign: the gate is let through where it is positive.",
            lambda h: (h > 0) * 1.0,
        ),
    ],
    "right": [
        ("Both sides go through SiLU; the gate stays linear.", silu),
        *(
            (f"The gate goes through {name}; it stays linear.", f)
            for name, f in (
                ("a ReLU", relu),
                ("a sigmoid", sigmoid),
                ("GELU", gelu),
                ("tanh", np.tanh),
                ("a softmax", softmax),
            )
        ),
        ("1 + gate multiplies; the gate multiplies as it is.", lambda g: 1 + g),
        ("1 − gate multiplies; the gate multiplies as it is.", lambda g: 1 - g),
    ],
    "meet": [
        (
            "The gate is multiplied before the activation: SiLU(h · g). It is SiLU(h) · g.",
            lambda f, s, h, g: f(h * s(g)),
        ),
        (
            "The gate is added before the activation: SiLU(h + g). It is SiLU(h) · g.",
            lambda f, s, h, g: f(h + s(g)),
        ),
        ("The gate is added; a gate is multiplied, neuron by neuron.", lambda f, s, h, g: f(h) + s(g)),
        ("The gate divides; it multiplies.", lambda f, s, h, g: f(h) / s(g)),
        ("There is a gate, but forward does not use it.", lambda f, s, h, g: f(h)),
        ("expand is not used: both sides of the product come from gate.", lambda f, s, h, g: f(g) * s(g)),
        ("gate is not used: both sides of the product come from expand.", lambda f, s, h, g: f(h) * s(h)),
        (
            "The gate mixes what expand gives with SiLU of it, g · SiLU(h) + (1 − g) · h; it is SiLU(h) · g alone.",
            lambda f, s, h, g: s(g) * f(h) + (1 - s(g)) * h,
        ),
    ],
    "behind": [
        ("SiLU comes behind the product as well; it belongs to expand alone.", silu),
        ("ReLU comes behind the product; nothing does.", relu),
    ],
} | {name: _REST[name] for name in ("biases", "beside", "after")}

# Two wrong choices that have one name: the activation has gone from expand to gate.
WRONG_GATES: list[Wrong] = [
    (
        f"{name} is applied to the gate; in this exercise expand goes through SiLU, and gate stays linear.",
        lambda h, g, v, c, f=f: h * f(g) @ v.T + c,
    )
    for name, f in (("SiLU", silu), ("The sigmoid", sigmoid), ("GELU", gelu), ("ReLU", relu), ("tanh", np.tanh))
]


def chosen_neurons(
    p: np.ndarray,
    n: np.ndarray,
    *,
    sums: Change = lambda p, n: p,
    fires: Change = lambda s, n: s > 0,
    order: Change = lambda s, chosen: _sorted(s, chosen),
) -> np.ndarray:
    """Which neurons fire, made of their sums p = x W₁ + b₁ (F,), and of the same without bias n."""
    strength = sums(p, n)
    return order(strength, fires(strength, n))


NEURON_AXES: Axes = {
    "sums": [
        (
            "The bias is left out where it is decided who fires: a neuron does if token · key + bias is positive.",
            lambda p, n: n,
        ),
        ("The bias is subtracted; a neuron's sum is token · key + bias.", lambda p, n: 2 * n - p),
    ],
    "fires": [
        (
            "All neurons are there, the silent ones too; keep those whose sum is above 0.",
            lambda s, n: s == s,
        ),
        ("These are the silent neurons; the others fire.", lambda s, n: s < 0),
        (
            "The bias is left out where it is decided who fires: a neuron does if token · key + bias is positive.",
            lambda s, n: n > 0,
        ),
    ],
    "order": [
        ("The weakest neuron stands first; turn the order round.", lambda s, chosen: _sorted(s, chosen)[::-1]),
        (
            "The neurons stand in the order of their numbers; sort them by activation, the strongest first.",
            lambda s, chosen: np.flatnonzero(chosen),
        ),
        (
            "The neurons are sorted by the size of their sums without the sign.",
            lambda s, chosen: _sorted(np.abs(s), chosen),
        ),
        (
            "The neurons are sorted, but the sums that choose among them are not: sums[order] > 0.",
            lambda s, chosen: np.argsort(-s, kind="stable")[chosen],
        ),
        (
            "`fired` counts among those that fire alone, for argsort came after the choice; give the neurons' own "
            "numbers.",
            lambda s, chosen: np.argsort(-s[chosen], kind="stable"),
        ),
    ],
}


def chosen_added(
    a: np.ndarray,
    v: np.ndarray,
    c: np.ndarray,
    n: np.ndarray,
    keys: np.ndarray,
    *,
    strength: Change = lambda a, n: a,
    through: Change = _as_it_is,
    values: Change = lambda v, keys: v,
    biases: float = 0,
) -> np.ndarray:
    """What each adds (n, D), made of activations a, values v, the bias of contract, sums without bias and keys."""
    return through(strength(a, n))[:, None] * values(v, keys) + biases * c


ADDED_AXES: Axes = {
    "strength": [
        (
            "The sums that multiply lack the bias of expand; a neuron's activation is token · key + bias.",
            lambda a, n: n,
        )
    ],
    "through": [
        ("`added` holds the bare values; each is multiplied by the activation of its neuron.", np.ones_like),
        ("The values are divided by the activations; multiply.", lambda a: 1 / a),
        (
            "`added` is multiplied by activations that sum to 1; a memory of this kind has no softmax.",
            lambda a: a / a.sum(),
        ),
        ("`added` has the activations through a softmax; a memory of this kind has none.", softmax),
        (
            "The values are multiplied by the squares of the activations; each activation counts once.",
            np.square,
        ),
        (
            "The activations are divided by the largest of them; each multiplies its value as it is.",
            lambda a: a / a.max(),
        ),
        *(
            (
                f"The activations go through {name} before they multiply; a neuron's sum is its activation, as it is.",
                f,
            )
            for name, f in (("a sigmoid", sigmoid), ("tanh", np.tanh), ("GELU", gelu), ("SiLU", silu))
        ),
    ],
    "values": [
        (
            "The values are rows of expand_weight, which are keys; the value of neuron i is column i of "
            "contract_weight.",
            lambda v, keys: keys,
        )
    ],
    "biases": [
        (
            "The bias of contract is in each row of `added`; no neuron adds it, so it comes once, to the output.",
            1,
        )
    ],
}


def chosen_sum(
    a: np.ndarray, c: np.ndarray, *, total: Change = lambda a: a.sum(0), biases: Callable[[int], float] = lambda n: 1
) -> np.ndarray:
    """The output (D,), made of what the neurons add (n, D) and the bias of contract."""
    return total(a) + biases(len(a)) * c


SUM_AXES: Axes = {
    "total": [
        ("The output is the mean of what the neurons add; it is their sum.", lambda a: a.mean(0)),
        ("The output holds what the strongest neuron adds alone; sum over all that fire.", lambda a: a[0]),
        ("The output holds what the weakest neuron adds alone; sum over all that fire.", lambda a: a[-1]),
        ("The output holds the largest number of each column of `added`; sum over the neurons.", lambda a: a.max(0)),
        ("The output is taken from the rows of `added` with a minus; add them.", lambda a: -a.sum(0)),
    ],
    "biases": [
        ("The bias of contract is not in the output, so it is not what the layer gives.", lambda n: 0),
        ("The bias of contract is added once for each neuron that fires; once is right.", lambda n: n),
        ("The bias of contract is added twice to the output; once is right.", lambda n: 2),
        ("The bias of contract is taken away from the output; it is added.", lambda n: -1),
    ],
}


def _sorted(strength: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The numbers of the chosen neurons, the strongest first."""
    order = np.argsort(-strength, kind="stable")
    return order[chosen[order]]
