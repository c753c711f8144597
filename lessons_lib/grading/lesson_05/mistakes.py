"""Lesson 5: the ways in which layers and models are put together wrongly, each as a version of the reference."""

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.layers import (
    Model,
    Parts,
    cross_attended,
    decode,
    decoder_layer,
    encode,
    encoder_layer,
    fed,
    self_attended,
    sinusoidal,
)
from lessons_lib.grading.judge.reference import softmax


def _attend(p: Parts, x: np.ndarray) -> np.ndarray:
    """What self-attention makes of x, without the residual path."""
    normed = p.norm("attention_norm", x)
    return p.attend("attention", normed, normed)


def _beside(p: Parts, name: str, x: np.ndarray, f) -> np.ndarray:
    """The residual path that starts behind the norm."""
    normed = p.norm(f"{name}_norm", x)
    return normed + f(normed)


def _post(p: Parts, name: str, x: np.ndarray, made: np.ndarray) -> np.ndarray:
    return p.norm(f"{name}_norm", x + made)


# The encoder layer's output, made of its parts p and its input x.
WRONG_ENCODER: list[Wrong] = [
    (
        "This is post-norm, norm(x + f(x)); the question asks for pre-norm, x + f(norm(x)).",
        lambda p, x: _post(p, "feed_forward", y := _post(p, "attention", x, p.attend("attention", x, x)), p.feed(y)),
    ),
    (
        "The residual path starts behind the norm: add x itself, not norm(x).",
        lambda p, x: _beside(
            p, "feed_forward", _beside(p, "attention", x, lambda n: p.attend("attention", n, n)), p.feed
        ),
    ),
    (
        "Nothing is normalised: each sub-layer reads norm(x).",
        lambda p, x: (y := x + p.attend("attention", x, x)) + p.feed(y),
    ),
    (
        "There is no residual path: add x to what each sub-layer makes.",
        lambda p, x: p.feed(p.norm("feed_forward_norm", _attend(p, x))),
    ),
    (
        "The residual path around self-attention is missing: x + attention(norm(x)).",
        lambda p, x: fed(p, _attend(p, x)),
    ),
    (
        "The residual path around the feed-forward network is missing: x + feed_forward(norm(x)).",
        lambda p, x: p.feed(p.norm("feed_forward_norm", self_attended(p, x))),
    ),
    (
        "The feed-forward network reads the layer's input; it must read what self-attention has changed.",
        lambda p, x: x + _attend(p, x) + p.feed(p.norm("feed_forward_norm", x)),
    ),
    (
        "The second residual path starts at the layer's input; it must start behind the first addition.",
        lambda p, x: x + p.feed(p.norm("feed_forward_norm", self_attended(p, x))),
    ),
    (
        "The feed-forward network comes first; self-attention must.",
        lambda p, x: self_attended(p, fed(p, x)),
    ),
    (
        "The two norms are exchanged: attention_norm stands before the attention.",
        lambda p, x: (
            y := x + p.attend("attention", n := p.norm("feed_forward_norm", x), n)
        ) + p.feed(p.norm("attention_norm", y)),
    ),
    (
        "Only the queries are normalised; keys and values come from norm(x) too.",
        lambda p, x: fed(p, x + p.attend("attention", p.norm("attention_norm", x), x)),
    ),
    (
        "Self-attention is there, but not the feed-forward network.",
        self_attended,
    ),
]  # fmt: skip

# Rarer ones of the same kind, asked for after those.
RARE_ENCODER: list[Wrong] = [
    (
        'A causal mask is made inside, though none was given; an encoder looks both ways.',
        lambda p, x: encoder_layer(p, x, np.tri(x.shape[1], dtype=bool)),
    ),
    (
        'The attention has one head only: hand n_heads on to it.',
        lambda p, x: encoder_layer(Parts(p.weights, 1, p.prefix), x),
    ),
    (
        'The queries of self-attention are not normalised, though keys and values are: all three come from norm(x).',
        lambda p, x: fed(p, x + p.attend("attention", x, p.norm("attention_norm", x))),
    ),
    (
        'There is one norm more, at the end of the layer; in pre-norm one stands behind the last layer of the stack.',
        lambda p, x: p.norm("feed_forward_norm", encoder_layer(p, x)),
    ),
    (
        'Self-attention runs twice, the second time on what the first has made; once is right.',
        lambda p, x: fed(p, x + p.attend("attention", a := _attend(p, x), a)),
    ),
    (
        'There is an activation behind the last addition; none is asked for.',
        lambda p, x: np.maximum(encoder_layer(p, x), 0),
    ),
    (
        'There is an activation behind the first addition; none is asked for.',
        lambda p, x: fed(p, np.maximum(self_attended(p, x), 0)),
    ),
]  # fmt: skip

# The same with a mask m, where each query has allowed and forbidden keys.
WRONG_ENCODER_MASKS: list[Wrong] = [
    (
        "The mask changes nothing: hand it on to the attention.",
        lambda p, x, m: encoder_layer(p, x),
    ),
    (
        "The mask is inverted: True means may attend, here as in the attention.",
        lambda p, x, m: encoder_layer(p, x, ~m),
    ),
    (
        "A causal mask is applied in place of the one given; an encoder looks both ways.",
        lambda p, x, m: encoder_layer(p, x, np.tri(x.shape[1], dtype=bool)),
    ),
]

# The decoder layer's output, made of its parts p, its input x and the memory s.
WRONG_DECODER: list[Wrong] = [
    (
        "All three sub-layers are post-norm, norm(x + f(x)); pre-norm is due, x + f(norm(x)).",
        lambda p, x, s: _post(
            p,
            "feed_forward",
            z := _post(
                p,
                "cross_attention",
                y := _post(p, "attention", x, p.attend("attention", x, x)),
                p.attend("cross_attention", y, s),
            ),
            p.feed(z),
        ),
    ),
    (
        "Cross-attention reads the target itself; its keys and values come from `memory`.",
        lambda p, x, s: fed(
            p, (y := self_attended(p, x)) + p.attend("cross_attention", n := p.norm("cross_attention_norm", y), n)
        ),
    ),
    (
        "Cross-attention comes before self-attention; the order is self, cross, feed-forward.",
        lambda p, x, s: fed(p, self_attended(p, cross_attended(p, x, s))),
    ),
    (
        "The feed-forward network comes before cross-attention; the order is self, cross, feed-forward.",
        lambda p, x, s: cross_attended(p, fed(p, self_attended(p, x)), s),
    ),
    (
        "There is no cross-attention: the layer never reads `memory`.",
        lambda p, x, s: fed(p, self_attended(p, x)),
    ),
    (
        "`memory` is normalised once more; the encoder's end has done that, so hand it on as it is.",
        lambda p, x, s: fed(
            p,
            (y := self_attended(p, x))
            + p.attend("cross_attention", p.norm("cross_attention_norm", y), p.norm("cross_attention_norm", s)),
        ),
    ),
    (
        "The queries of cross-attention are not normalised: it reads norm(x), too.",
        lambda p, x, s: fed(p, (y := self_attended(p, x)) + p.attend("cross_attention", y, s)),
    ),
    (
        "The residual path around cross-attention is missing: x + cross_attention(norm(x), memory).",
        lambda p, x, s: fed(p, p.attend("cross_attention", p.norm("cross_attention_norm", self_attended(p, x)), s)),
    ),
    (
        "The residual paths start behind the norm: add x itself, not norm(x).",
        lambda p, x, s: _beside(
            p,
            "feed_forward",
            _beside(
                p,
                "cross_attention",
                _beside(p, "attention", x, lambda n: p.attend("attention", n, n)),
                lambda n: p.attend("cross_attention", n, s),
            ),
            p.feed,
        ),
    ),
    (
        "The two attentions are exchanged: `attention` is for the target, `cross_attention` for the memory.",
        lambda p, x, s: fed(
            p,
            (y := x + p.attend("cross_attention", n := p.norm("attention_norm", x), n))
            + p.attend("attention", p.norm("cross_attention_norm", y), s),
        ),
    ),
    (
        "Cross-attention reads the layer's input; it must read what self-attention has changed.",
        lambda p, x, s: fed(p, self_attended(p, x) + p.attend("cross_attention", p.norm("cross_attention_norm", x), s)),
    ),
    (
        "Queries and memory are exchanged: the target asks, cross_attention(norm(x), memory).",
        lambda p, x, s: fed(
            p, (y := self_attended(p, x)) + p.attend("cross_attention", s, p.norm("cross_attention_norm", y))
        ),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_DECODER: list[Wrong] = [
    (
        "What cross-attention gives is added to `memory`; add it to x, the target.",
        lambda p, x, s: fed(p, s + p.attend("cross_attention", p.norm("cross_attention_norm", self_attended(p, x)), s)),
    ),
    *(
        (
            f"`memory` goes through `{norm}`; the encoder's end has normalised it, so hand it on as it is.",
            lambda p, x, s, norm=norm: decoder_layer(p, x, p.norm(norm, s)),
        )
        for norm in ("attention_norm", "feed_forward_norm")
    ),
    (
        "The attentions have one head only: hand n_heads on to both.",
        lambda p, x, s: decoder_layer(Parts(p.weights, 1, p.prefix), x, s),
    ),
    (
        "Cross-attention is made by `attention`, the part of the target; it has a part of its own, `cross_attention`.",
        lambda p, x, s: fed(
            p, (y := self_attended(p, x)) + p.attend("attention", p.norm("cross_attention_norm", y), s)
        ),
    ),
    *(
        (
            f"Cross-attention reads {what}, its keys and values come from `memory`.",
            lambda p, x, s, reads=reads: fed(
                p,
                (y := self_attended(p, x))
                + p.attend("cross_attention", p.norm("cross_attention_norm", y), reads(p, x, y)),
            ),
        )
        for what, reads in (
            ("the target itself, x as it is by then", lambda p, x, y: y),
            ("the layer's input", lambda p, x, y: x),
            ("what self-attention read", lambda p, x, y: p.norm("attention_norm", x)),
        )
    ),
    (
        "Self-attention reads `memory`; it asks and answers with norm(x) alone.",
        lambda p, x, s: fed(p, cross_attended(p, x + p.attend("attention", p.norm("attention_norm", x), s), s)),
    ),
    (
        "Self-attention reads the target and `memory` together; it reads norm(x) alone.",
        lambda p, x, s: fed(
            p,
            cross_attended(
                p,
                x + p.attend("attention", n := p.norm("attention_norm", x), np.concatenate([n, s], axis=1)),
                s,
            ),
        ),
    ),
    (
        "A causal mask is made inside, though none was given; use `mask` as it comes.",
        lambda p, x, s: decoder_layer(p, x, s, np.tri(x.shape[1], dtype=bool)),
    ),
]

# The same with the masks m of the target and n of the memory.
WRONG_DECODER_MASKS: list[Wrong] = [
    (
        "Both masks change nothing: hand each on to its attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s),
    ),
    (
        "`memory_mask` is not handed on: cross-attention reads the padding of the source.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, m),
    ),
    (
        "`mask` is not handed on: self-attention sees what it may not.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, True, n),
    ),
    (
        "A causal mask is made inside; use the `mask` that was given.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, np.tri(x.shape[1], dtype=bool), n),
    ),
    (
        "The two masks are exchanged: `mask` is for self-attention, `memory_mask` for cross-attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, n, m),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_DECODER_MASKS: list[Wrong] = [
    (
        "`mask` is inverted: True means may attend, here as in the attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, ~m, n),
    ),
    (
        "`memory_mask` is inverted: True means may attend, here as in the attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, m, ~n),
    ),
    (
        "Both masks are inverted: True means may attend, here as in the attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, ~m, ~n),
    ),
    (
        "Cross-attention gets `mask`; its own is `memory_mask`.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, m, m),
    ),
    (
        "Self-attention gets `memory_mask`; its own is `mask`.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, n, n),
    ),
    (
        "Self-attention gets both masks; its own is `mask`, and `memory_mask` is for cross-attention.",
        lambda p, x, s, m, n: decoder_layer(p, x, s, m & n, n),
    ),
]


def _unscaled(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m["embedding.weight"][tokens] + sinusoidal(tokens.shape[1], m.d_model)


def _scaled_positions(m: Model, tokens: np.ndarray) -> np.ndarray:
    return _unscaled(m, tokens) * np.sqrt(m.d_model)


def _from_one(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.scaled(tokens) + sinusoidal(tokens.shape[1] + 1, m.d_model)[1:]


def _one_place(m: Model, tokens: np.ndarray) -> np.ndarray:
    """The row of the table by the number of the sentence."""
    return m.scaled(tokens) + sinusoidal(len(tokens), m.d_model)[:, None]


def _divided(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m["embedding.weight"][tokens] / np.sqrt(m.d_model) + sinusoidal(tokens.shape[1], m.d_model)


def _by_width(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m["embedding.weight"][tokens] * m.d_model + sinusoidal(tokens.shape[1], m.d_model)


def _positions_times_words(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.scaled(tokens) * sinusoidal(tokens.shape[1], m.d_model)


def _positions_alone_scaled(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m["embedding.weight"][tokens] + sinusoidal(tokens.shape[1], m.d_model) * np.sqrt(m.d_model)


def _last_first(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.scaled(tokens) + sinusoidal(tokens.shape[1], m.d_model)[::-1]


def _by_length(m: Model, tokens: np.ndarray) -> np.ndarray:
    length = tokens.shape[1]
    return m["embedding.weight"][tokens] * np.sqrt(length) + sinusoidal(length, m.d_model)


def _by_id(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.scaled(tokens) + sinusoidal(int(tokens.max()) + 1, m.d_model)[tokens]


def _no_padding(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.embed(tokens) * (tokens != 0)[..., None]


def _moved_inside(m: Model, tokens: np.ndarray) -> np.ndarray:
    return m.embed(np.roll(tokens, 1, axis=1))


EMBEDDINGS = {
    "The embeddings are not multiplied by √d_model.": _unscaled,
    "The positions are missing: add the table to the scaled embeddings.": Model.scaled,
    "The positions are multiplied by √d_model too; scale the embeddings, then add the table.": _scaled_positions,
    "The positions are counted from 1; the first row of the table is for the first token.": _from_one,
    "All words of a sentence get the same position: the table's row is that of the sentence in the batch.": _one_place,
    "The embeddings are divided by √d_model; multiply them by it.": _divided,
    "The embeddings are multiplied by d_model; take its square root.": _by_width,
    "The positions multiply the embeddings; add them.": _positions_times_words,
    "The positions are multiplied by √d_model, and the embeddings are not; it is the other way round.": (
        _positions_alone_scaled
    ),
    "The positions are counted from the end of the sentence.": _last_first,
}

# Rarer ones, asked for after those.
MORE_EMBEDDINGS = {
    "The embeddings are multiplied by the root of the sentence's length; √d_model is due.": _by_length,
    "The row of the table is that of the token's id; it is that of the token's place in the sentence.": _by_id,
    "The padding is set to 0; the mask hides it, embed treats all tokens alike.": _no_padding,
    "The tokens are moved by one place inside the model; whoever calls it has done that.": _moved_inside,
}

# The encoder's output, made of the model m, the source s and the id of the padding p.
WRONG_ENCODE: list[Wrong] = [
    *((sentence, lambda m, s, p, embed=embed: encode(m, s, p, embed=embed)) for sentence, embed in EMBEDDINGS.items()),
    (
        "The norm at the end of the encoder is missing: pre-norm leaves a bare sum.",
        lambda m, s, p: encode(m, s, p, norm=""),
    ),
    (
        "The encoder ends with the norm of the decoder.",
        lambda m, s, p: encode(m, s, p, norm="decoder_norm"),
    ),
    (
        "The encoder reads the padding: hand padding_mask(src, PAD) to its layers.",
        lambda m, s, p: encode(m, s, p, mask=True),
    ),
    (
        "The encoder has a causal mask; it may look both ways.",
        lambda m, s, p: encode(m, s, p, mask=np.tri(s.shape[1], dtype=bool)),
    ),
    (
        "The encoder's layers run in the wrong order: the first is encoder_layers[0].",
        lambda m, s, p: encode(m, s, p, order=lambda layers: layers[::-1]),
    ),
    (
        "Only one of the encoder's layers runs: each must read what the one before it made.",
        lambda m, s, p: encode(m, s, p, order=lambda layers: layers[-1:]),
    ),
    (
        "The encoder's last norm stands inside the loop, behind each layer; it comes once, behind all of them.",
        lambda m, s, p: encode(m, s, p, norm="", between=lambda m, x: m.norm("encoder_norm", x)),
    ),
    (
        "The encoder's last norm comes in the loop and behind it; it comes once, behind all layers.",
        lambda m, s, p: encode(m, s, p, between=lambda m, x: m.norm("encoder_norm", x)),
    ),
    (
        "The mask of the source is inverted: the encoder reads nothing but the padding.",
        lambda m, s, p: encode(m, s, p, mask=(s == p)[:, None, None, :]),
    ),
    (
        "The encoder has the causal mask and that of the padding; it may look both ways.",
        lambda m, s, p: encode(m, s, p, mask=(s != p)[:, None, None, :] & np.tri(s.shape[1], dtype=bool)),
    ),
    (
        "The first layer of the encoder runs again and again: take the next one each time.",
        lambda m, s, p: encode(m, s, p, order=lambda layers: layers[:1] * len(layers)),
    ),
    (
        "The last layer of the encoder is left out.",
        lambda m, s, p: encode(m, s, p, order=lambda layers: layers[:-1]),
    ),
    (
        "The first layer of the encoder is left out.",
        lambda m, s, p: encode(m, s, p, order=lambda layers: layers[1:]),
    ),
    (
        "The mask of the padding stands on the side of the queries: it must hide keys, the last axis.",
        lambda m, s, p: encode(m, s, p, mask=(s != p)[:, None, :, None]),
    ),
    (
        "No layer of the encoder runs.",
        lambda m, s, p: encode(m, s, p, order=lambda layers: []),
    ),
]

# The logits, made of the model m, the target t, the memory s and its mask n.
WRONG_DECODE: list[Wrong] = [
    *(
        (sentence, lambda m, t, s, n, embed=embed: decode(m, t, s, n, embed=embed))
        for sentence, embed in EMBEDDINGS.items()
    ),
    (
        "The norm at the end of the decoder is missing: pre-norm leaves a bare sum.",
        lambda m, t, s, n: decode(m, t, s, n, norm=""),
    ),
    (
        "The decoder ends with the norm of the encoder.",
        lambda m, t, s, n: decode(m, t, s, n, norm="encoder_norm"),
    ),
    (
        "`memory` is normalised once more; encode has done that.",
        lambda m, t, s, n: decode(m, t, m.norm("encoder_norm", s), n),
    ),
    (
        "The decoder sees the future: hand causal_mask to its layers.",
        lambda m, t, s, n: decode(m, t, s, n, mask=True),
    ),
    (
        "`memory_mask` is not handed on: the decoder reads the padding of the source.",
        lambda m, t, s, n: decode(m, t, s, True),
    ),
    (
        "The decoder's layers run in the wrong order: the first is decoder_layers[0].",
        lambda m, t, s, n: decode(m, t, s, n, order=lambda layers: layers[::-1]),
    ),
    (
        "These are probabilities; return the logits, without a softmax.",
        lambda m, t, s, n: softmax(decode(m, t, s, n)),
    ),
    (
        "These are logarithms of probabilities; return the logits, without a log_softmax.",
        lambda m, t, s, n: np.log(softmax(decode(m, t, s, n))),
    ),
    (
        "The decoder's last norm stands inside the loop, behind each layer; it comes once, behind all of them.",
        lambda m, t, s, n: decode(m, t, s, n, norm="", between=lambda m, x: m.norm("decoder_norm", x)),
    ),
    (
        "The decoder's last norm comes in the loop and behind it; it comes once, behind all layers.",
        lambda m, t, s, n: decode(m, t, s, n, between=lambda m, x: m.norm("decoder_norm", x)),
    ),
    (
        "The decoder sees itself and the future, and not the past: the causal mask is upside down.",
        lambda m, t, s, n: decode(m, t, s, n, mask=np.triu(np.ones((t.shape[1],) * 2, dtype=bool))),
    ),
    (
        "The causal mask is inverted: the decoder sees only what comes later.",
        lambda m, t, s, n: decode(m, t, s, n, mask=~np.tri(t.shape[1], dtype=bool)),
    ),
    (
        "The first layer of the decoder runs again and again: take the next one each time.",
        lambda m, t, s, n: decode(m, t, s, n, order=lambda layers: layers[:1] * len(layers)),
    ),
    (
        "The last layer of the decoder is left out.",
        lambda m, t, s, n: decode(m, t, s, n, order=lambda layers: layers[:-1]),
    ),
    (
        "The first layer of the decoder is left out.",
        lambda m, t, s, n: decode(m, t, s, n, order=lambda layers: layers[1:]),
    ),
    (
        "Only the last of the decoder's layers counts: each must read what the one before it made.",
        lambda m, t, s, n: decode(m, t, s, n, order=lambda layers: layers[-1:]),
    ),
    (
        "The logits are divided by √d_model; no scale is asked for there.",
        lambda m, t, s, n: decode(m, t, s, n) / np.sqrt(m.d_model),
    ),
    (
        "The logits are multiplied by √d_model; only what goes in is.",
        lambda m, t, s, n: decode(m, t, s, n) * np.sqrt(m.d_model),
    ),
    (
        "The logits are reshaped where they should be transposed: the axes are sentences, places, tokens.",
        lambda m, t, s, n: (x := decode(m, t, s, n)).swapaxes(1, 2).reshape(x.shape),
    ),
]

KNOWN_ENCODER = [*WRONG_ENCODER, *RARE_ENCODER]
KNOWN_DECODER = [*WRONG_DECODER, *RARE_DECODER]
KNOWN_DECODER_MASKS = [*WRONG_DECODER_MASKS, *RARE_DECODER_MASKS]
KNOWN_ENCODE = [
    *WRONG_ENCODE,
    *((said, lambda m, s, p, embed=embed: encode(m, s, p, embed=embed)) for said, embed in MORE_EMBEDDINGS.items()),
]
KNOWN_DECODE = [
    *WRONG_DECODE,
    *(
        (said, lambda m, t, s, n, embed=embed: decode(m, t, s, n, embed=embed))
        for said, embed in MORE_EMBEDDINGS.items()
    ),
]
