"""The parts of a Transformer in double precision, with weights by name: of these, right and wrong models are made."""

from collections.abc import Callable, Mapping

import numpy as np

from lessons_lib.grading.judge.reference import attention

Mask = np.ndarray | bool


class Parts:
    """The parts of one layer, or of a model: those whose names begin with ``prefix``."""

    def __init__(self, weights: Mapping[str, np.ndarray], n_heads: int, prefix: str = ""):
        self.weights, self.n_heads, self.prefix = weights, n_heads, prefix

    def __getitem__(self, name: str) -> np.ndarray:
        return self.weights[self.prefix + name].astype(np.float64)

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self[f"{name}.weight"].T + self[f"{name}.bias"]

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        """Layer normalisation (Ba et al. 2016, equation 4)."""
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return self[f"{name}.gamma"] * centred / scale + self[f"{name}.beta"]

    def attend(self, name: str, x: np.ndarray, source: np.ndarray, mask: Mask = True) -> np.ndarray:
        """Multi-head attention from x (B, T, D) to source (B, S, D)."""
        query, key, value = (self._split(self.linear(f"{name}.{part}", y)) for part, y in _roles(x, source))
        heads = attention(query, key, value, mask)[0]  # (B, H, T, d_head)
        return self.linear(f"{name}.output", heads.swapaxes(1, 2).reshape(x.shape))

    def feed(self, x: np.ndarray) -> np.ndarray:
        return self.linear("feed_forward.contract", np.maximum(self.linear("feed_forward.expand", x), 0))

    def _split(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(*x.shape[:2], self.n_heads, -1).swapaxes(1, 2)  # (B, T, D) -> (B, H, T, d_head)


def _roles(x: np.ndarray, source: np.ndarray) -> tuple[tuple[str, np.ndarray], ...]:
    return ("query", x), ("key", source), ("value", source)


def self_attended(p: Parts, x: np.ndarray, mask: Mask = True) -> np.ndarray:
    normed = p.norm("attention_norm", x)
    return x + p.attend("attention", normed, normed, mask)


def cross_attended(p: Parts, x: np.ndarray, memory: np.ndarray, mask: Mask = True) -> np.ndarray:
    return x + p.attend("cross_attention", p.norm("cross_attention_norm", x), memory, mask)


def fed(p: Parts, x: np.ndarray) -> np.ndarray:
    return x + p.feed(p.norm("feed_forward_norm", x))


def encoder_layer(p: Parts, x: np.ndarray, mask: Mask = True) -> np.ndarray:
    """Pre-norm: x + f(norm(x)), for self-attention and then for the feed-forward network."""
    return fed(p, self_attended(p, x.astype(np.float64), mask))


def decoder_layer(
    p: Parts, x: np.ndarray, memory: np.ndarray, mask: Mask = True, memory_mask: Mask = True
) -> np.ndarray:
    return fed(p, cross_attended(p, self_attended(p, x.astype(np.float64), mask), memory, memory_mask))


def sinusoidal(length: int, d_model: int) -> np.ndarray:
    """The table of Vaswani et al. 2017, section 3.5."""
    angles = np.arange(length)[:, None] / 10_000.0 ** (np.arange(0, d_model, 2) / d_model)
    table = np.empty((length, d_model))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return table


class Model(Parts):
    """A whole encoder–decoder of ``n_layers`` layers a stack, whose steps can be exchanged for wrong ones."""

    def __init__(self, weights: Mapping[str, np.ndarray], n_heads: int, n_layers: int):
        super().__init__(weights, n_heads)
        self.n_layers, self.d_model = n_layers, weights["embedding.weight"].shape[1]

    def embed(self, tokens: np.ndarray) -> np.ndarray:
        return self.scaled(tokens) + sinusoidal(tokens.shape[1], self.d_model)

    def scaled(self, tokens: np.ndarray) -> np.ndarray:
        return self["embedding.weight"][tokens] * np.sqrt(self.d_model)

    def layers(self, stack: str) -> list[Parts]:
        return [Parts(self.weights, self.n_heads, f"{stack}_layers.{i}.") for i in range(self.n_layers)]

    def project(self, hidden: np.ndarray) -> np.ndarray:
        return hidden @ self["embedding.weight"].T


Embed = Callable[[Model, np.ndarray], np.ndarray]
Order = Callable[[list[Parts]], list[Parts]]
Between = Callable[[Model, np.ndarray], np.ndarray]


def encode(
    m: Model,
    src: np.ndarray,
    pad_id: int,
    *,
    embed: Embed = Model.embed,
    order: Order = list,
    norm: str = "encoder_norm",
    mask: Mask | None = None,
    between: Between = lambda m, x: x,
    trace: list[np.ndarray] | None = None,
) -> np.ndarray:
    """The encoder's output; the keywords exchange a step for a wrong one, and norm="" leaves the last one out.

    Args:
        between: what is done behind each layer.
        trace: a list to which what each layer gives is appended.
    """
    x, mask = embed(m, src), (src != pad_id)[:, None, None, :] if mask is None else mask
    for layer in order(m.layers("encoder")):
        x = between(m, encoder_layer(layer, x, mask))
        if trace is not None:
            trace.append(x)
    return m.norm(norm, x) if norm else x


def decode(
    m: Model,
    tgt: np.ndarray,
    memory: np.ndarray,
    memory_mask: Mask,
    *,
    embed: Embed = Model.embed,
    order: Order = list,
    norm: str = "decoder_norm",
    mask: Mask | None = None,
    between: Between = lambda m, x: x,
    trace: list[np.ndarray] | None = None,
) -> np.ndarray:
    """Logits of the token after each target position; the keywords are those of `encode`."""
    x, mask = embed(m, tgt), np.tri(tgt.shape[1], dtype=bool) if mask is None else mask
    for layer in order(m.layers("decoder")):
        x = between(m, decoder_layer(layer, x, memory, mask, memory_mask))
        if trace is not None:
            trace.append(x)
    return m.project(m.norm(norm, x) if norm else x)
