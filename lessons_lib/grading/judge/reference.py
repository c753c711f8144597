"""The right answers that several lessons share, in double precision."""

import numpy as np


def softmax(scores: np.ndarray, axis: int | None = -1) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def dot_products(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """(…, T, K) and (…, S, K) to (…, T, S)."""
    return query.astype(np.float64) @ key.astype(np.float64).swapaxes(-2, -1)


def attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Output and weights (Vaswani et al. 2017, section 3.2.1); zeros where a query may attend to nothing."""
    scores = dot_products(query, key) / np.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * mask
    total = weights.sum(axis=-1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return weights @ value, weights


def attention_gradients(
    cotangent: np.ndarray, query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | bool = True
) -> dict[str, np.ndarray]:
    """Of sum(output · cotangent) by query, key and value, each of two axes."""
    weights = attention(query, key, value, mask)[1]
    by_weights = cotangent @ value.T
    by_scores = weights * (by_weights - (by_weights * weights).sum(axis=-1, keepdims=True)) / np.sqrt(query.shape[-1])
    return {"query": by_scores @ key, "key": by_scores.T @ query, "value": weights.T @ cotangent}
