"""LayerNorm, RMSNorm and the residual path around them, with their gradients, in double precision."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """γ · (x − mean) / √(variance + ε) + β over the last axis (Ba et al. 2016, equation 4)."""
    return gamma * standardised(x, eps)[0] + beta


def layer_norm_gradients(cotangent: Array, x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> dict[str, Array]:
    """Of sum(output · cotangent), for x of two axes."""
    hat, spread = standardised(x, eps)
    inner = cotangent * gamma
    along = (inner * hat).mean(axis=-1, keepdims=True)
    by_x = (inner - inner.mean(axis=-1, keepdims=True) - hat * along) / spread
    return {"x": by_x, "gamma": (cotangent * hat).sum(axis=0), "beta": cotangent.sum(axis=0)}


def rms_norm(x: Array, gamma: Array, eps: float = 1e-6) -> Array:
    """γ · x / √(mean of x² + ε) over the last axis (Zhang and Sennrich 2019, equation 4)."""
    return gamma * x / root_mean_square(x, eps)


def rms_norm_gradients(cotangent: Array, x: Array, gamma: Array, eps: float = 1e-6) -> dict[str, Array]:
    """Of sum(output · cotangent), for x of two axes."""
    root = root_mean_square(x, eps)
    hat, inner = x / root, cotangent * gamma
    by_x = (inner - hat * (inner * hat).mean(axis=-1, keepdims=True)) / root
    return {"x": by_x, "gamma": (cotangent * hat).sum(axis=0)}


def standardised(x: Array, eps: float) -> tuple[Array, Array]:
    """(x − mean) / √(variance + ε), and that root."""
    x = x.astype(np.float64)
    root = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return (x - x.mean(axis=-1, keepdims=True)) / root, root


def root_mean_square(x: Array, eps: float) -> Array:
    return np.sqrt(np.square(x.astype(np.float64)).mean(axis=-1, keepdims=True) + eps)


Norm = Callable[[Array], Array]
Sublayer = Callable[[Array], Array]


def pre(x: Array, norm: Norm, sublayer: Sublayer) -> Array:
    return x + sublayer(norm(x))


def post(x: Array, norm: Norm, sublayer: Sublayer) -> Array:
    return norm(x + sublayer(x))


def residual_gradients(place: str, cotangent: Array, x: Array, weight: Array, gamma: Array, beta: Array) -> dict:
    """Of sum(output · cotangent) for the sub-layer tanh(h @ weight), for x of two axes."""

    def through(inputs: Array, outer: Array) -> Array:
        return (outer * (1 - np.tanh(inputs @ weight) ** 2)) @ weight.T

    if place == "pre":
        inner = layer_norm_gradients(through(layer_norm(x, gamma, beta), cotangent), x, gamma, beta)
        by_x = cotangent + inner["x"]
    else:
        inner = layer_norm_gradients(cotangent, x + np.tanh(x @ weight), gamma, beta)
        by_x = inner["x"] + through(x, inner["x"])
    return {"x": by_x, "norm_gamma": inner["gamma"], "norm_beta": inner["beta"]}
