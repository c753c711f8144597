"""Encoder-only and decoder-only models of the parts of `layers`, blanks and their loss, in double precision."""

import numpy as np

from lessons_lib.grading.judge.layers import Between, Embed, Mask, Model, Order, Parts, encoder_layer


def causal(length: int) -> np.ndarray:
    return np.tri(length, dtype=bool)


def visible(tokens: np.ndarray, pad_id: int) -> np.ndarray:
    """(B, 1, 1, S): the real tokens."""
    return (tokens != pad_id)[:, None, None, :]


def logits(
    m: Model,
    tokens: np.ndarray,
    mask: Mask,
    *,
    embed: Embed = Model.embed,
    order: Order = list,
    norm: bool = True,
    between: Between = lambda m, x: x,
) -> np.ndarray:
    """(B, T, V); the keywords exchange a step for a wrong one."""
    x = embed(m, tokens)
    for layer in order([Parts(m.weights, m.n_heads, f"layers.{number}.") for number in range(m.n_layers)]):
        x = between(m, encoder_layer(layer, x, mask))
    return m.project(m.norm("norm", x) if norm else x)


def fill(m: Model, tokens: np.ndarray, pad_id: int, **wrong) -> np.ndarray:
    """The encoder-only model: both sides, without the padding (Devlin et al. 2019)."""
    return logits(m, tokens, visible(tokens, pad_id), **wrong)


def follow(m: Model, tokens: np.ndarray, **wrong) -> np.ndarray:
    """The decoder-only model: what came before (Radford et al. 2019)."""
    return logits(m, tokens, causal(tokens.shape[1]), **wrong)


def generate(m: Model, tokens: np.ndarray, n_tokens: int) -> np.ndarray:
    for _ in range(n_tokens):
        tokens = np.concatenate([tokens, follow(m, tokens)[:, -1:].argmax(axis=-1)], axis=1)
    return tokens


def blanks(
    tokens: np.ndarray, asked: np.ndarray, draw: np.ndarray, random_tokens: np.ndarray, mask_id: int
) -> np.ndarray:
    """8 of 10 asked tokens masked, 1 random, 1 as it is (Devlin et al. 2019, section 3.1)."""
    noise = asked & (draw >= 0.8) & (draw < 0.9)
    return np.where(asked & (draw < 0.8), mask_id, np.where(noise, random_tokens, tokens))


def surprises(logits: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """(B, S): minus the log-probability of each token."""
    logits = logits.astype(np.float64)
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1, keepdims=True)) + top
    return (total - np.take_along_axis(logits, tokens[..., None], axis=-1))[..., 0]


def masked_loss(logits: np.ndarray, tokens: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return np.array(surprises(logits, tokens)[asked].sum() / max(asked.sum(), 1))


def masked_loss_gradient(logits: np.ndarray, tokens: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Of `masked_loss` by the logits: (softmax − one-hot) / count at the asked places."""
    logits = logits.astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    one_hot = np.eye(logits.shape[-1])[tokens]
    gradient = exponentials / exponentials.sum(axis=-1, keepdims=True) - one_hot
    return gradient * asked[..., None] / max(asked.sum(), 1)
