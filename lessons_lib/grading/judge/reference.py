"""The right answers that several lessons share, in double precision."""

import numpy as np


def softmax(scores: np.ndarray, axis: int | None = -1) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def dot_products(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """(…, T, d_head) and (…, S, d_head) to (…, T, S)."""
    return query.astype(np.float64) @ key.astype(np.float64).swapaxes(-2, -1)


def attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Output and weights (Vaswani et al. 2017, section 3.2.1); zeros where a query may attend to nothing."""
    weights = attention_weights(dot_products(query, key) / np.sqrt(query.shape[-1]), mask)
    return weights @ value, weights


def attention_weights(scores: np.ndarray, mask: np.ndarray | bool) -> np.ndarray:
    """Of scaled scores (…, T, S); zeros where a query may attend to nothing."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    total = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def attention_gradients(
    cotangent: np.ndarray, query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | bool = True
) -> dict[str, np.ndarray]:
    """Of sum(output · cotangent) by query, key and value, each of two axes."""
    weights = attention(query, key, value, mask)[1]
    by_weights = cotangent @ value.T
    by_scores = weights * (by_weights - (by_weights * weights).sum(axis=-1, keepdims=True)) / np.sqrt(query.shape[-1])
    return {"query": by_scores @ key, "key": by_scores.T @ query, "value": weights.T @ cotangent}


def split_heads(x: np.ndarray, n_heads: int) -> np.ndarray:
    """(B, T, D) to (B, H, T, d_head)."""
    return x.reshape(*x.shape[:2], n_heads, -1).swapaxes(1, 2)


def merge_heads(heads: np.ndarray) -> np.ndarray:
    """(B, H, T, d_head) to (B, T, D)."""
    batch, _, words, _ = heads.shape
    return heads.swapaxes(1, 2).reshape(batch, words, -1)


def linear(state: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    """x Wᵀ + b with `NAME.weight` and `NAME.bias`, as `nn.Linear` keeps them."""
    return x @ state[f"{name}.weight"].astype(np.float64).T + state[f"{name}.bias"]


def multi_head_attention(
    state: dict[str, np.ndarray],
    n_heads: int,
    query: np.ndarray,
    source: np.ndarray | None = None,
    mask: np.ndarray | bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Output (B, T, D) and weights (B, H, T, S) (Vaswani et al. 2017, section 3.2.2).

    Args:
        state: weights and biases of the layers query, key, value and output.
    """
    source = query if source is None else source
    projected = linear(state, "query", query), linear(state, "key", source), linear(state, "value", source)
    heads, weights = attention(*(split_heads(x, n_heads) for x in projected), mask)
    return linear(state, "output", merge_heads(heads)), weights
