"""Lesson 9: the usual wrong encoders, decoders, blanks and losses, each as a version of the reference."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.layers import Model, Parts, encoder_layer, sinusoidal
from lessons_lib.grading.judge.reference import softmax
from lessons_lib.grading.judge.variations import Axes
from lessons_lib.grading.lesson_05.mistakes import EMBEDDINGS as OF_EXERCISE_5
from lessons_lib.grading.lesson_05.mistakes import MORE_EMBEDDINGS
from lessons_lib.grading.lesson_09.reference import causal, fill, follow, logits, masked_loss, surprises, visible

EMBEDDINGS = OF_EXERCISE_5 | {
    "The positions are subtracted; add the table to the scaled embeddings.": lambda m, t: 2 * m.scaled(t) - m.embed(t),
}

BLANK = 3
ENDS = (("first", slice(1, None)), ("last", slice(-1)))  # which layer is left out, and those that are left


def _places(times: int):
    """The table of positions is added behind each layer but the last, this often."""
    left = [times]

    def add(m: Model, x: np.ndarray) -> np.ndarray:
        left[0] -= 1
        return x + sinusoidal(x.shape[1], m.d_model) * (left[0] >= 0)

    return add


def follow_hidden(m: Model, tokens: np.ndarray) -> np.ndarray:
    """What leaves the last layer of the decoder."""
    x = m.embed(tokens)
    for number in range(m.n_layers):
        x = encoder_layer(Parts(m.weights, m.n_heads, f"layers.{number}."), x, causal(tokens.shape[1]))
    return x


def _added_again(m: Model, tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A residual path around each layer, which has its own inside."""
    x = m.embed(tokens)
    for number in range(m.n_layers):
        x = x + encoder_layer(Parts(m.weights, m.n_heads, f"layers.{number}."), x, mask)
    return m.project(m.norm("norm", x))


def _masked_once(m: Model, tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    x = m.embed(tokens)
    for number in range(m.n_layers):
        x = encoder_layer(Parts(m.weights, m.n_heads, f"layers.{number}."), x, mask if number == 0 else True)
    return m.project(m.norm("norm", x))


# What the encoder makes of the model m, the tokens t and the id of the padding p.
WRONG_ENCODER: list[Wrong] = [
    *((sentence, lambda m, t, p, embed=embed: fill(m, t, p, embed=embed)) for sentence, embed in EMBEDDINGS.items()),
]

FIRST_ALONE = "Only the first layer runs: does something leave the loop, a break or a return in it?"

# Rarer ones of the same kind, asked for after those.
RARE_ENCODER: list[Wrong] = [
    (
        "Each layer's result is added to x once more; the layer has done that: x = layer(x, mask).",
        lambda m, t, p: _added_again(m, t, visible(t, p)),
    ),
    (
        "Only the first layer has a mask, so the others read the padding.",
        lambda m, t, p: _masked_once(m, t, visible(t, p)),
    ),
    (
        "The norm stands inside the loop, behind each layer; it comes once, behind all of them.",
        lambda m, t, p: fill(m, t, p, norm=False, between=lambda m, x: m.norm("norm", x)),
    ),
    (
        "The norm stands before the layers; it comes behind them.",
        lambda m, t, p: fill(m, t, p, norm=False, embed=lambda m, t: m.norm("norm", m.embed(t))),
    ),
    (
        "The positions are added before every layer; they come once, to the embeddings.",
        lambda m, t, p: fill(
            m,
            t,
            p,
            embed=lambda m, t: m.embed(t) + sinusoidal(t.shape[1], m.d_model),
            between=_places(m.n_layers - 1),
        ),
    ),
    (
        "Only the blanks have logits; every place has.",
        lambda m, t, p: fill(m, t, p) * (t == BLANK)[..., None],
    ),
]

# What the decoder makes of m and t.
WRONG_DECODER: list[Wrong] = [
    *((sentence, lambda m, t, embed=embed: follow(m, t, embed=embed)) for sentence, embed in EMBEDDINGS.items()),
    (
        "The logits are moved by one place: those at place t are what the model says at place t, and belong to t + 1.",
        lambda m, t: np.roll(follow(m, t), 1, axis=1),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_DECODER: list[Wrong] = [
    (
        "The norm stands inside the loop, behind each layer; it comes once, behind all of them.",
        lambda m, t: follow(m, t, norm=False, between=lambda m, x: m.norm("norm", x)),
    ),
    (
        "The norm comes twice at the end; once is right.",
        lambda m, t: m.project(m.norm("norm", m.norm("norm", follow_hidden(m, t)))),
    ),
    (
        "Each layer's result is added to x once more; the layer has done that: x = layer(x, mask).",
        lambda m, t: _added_again(m, t, causal(t.shape[1])),
    ),
    (
        "Only the first layer has a mask, so the others see the future.",
        lambda m, t: _masked_once(m, t, causal(t.shape[1])),
    ),
    *(
        (
            f"The decoder's {place} layer is left out: every one of `layers` is called.",
            lambda m, t, part=part: follow(m, t, order=lambda layers: layers[part]),
        )
        for place, part in ENDS
    ),
    *(
        (
            f"Each token sees only the last {n} places; it may see all that came before it.",
            lambda m, t, n=n: logits(m, t, causal(t.shape[1]) & ~np.tri(t.shape[1], k=-n, dtype=bool)),
        )
        for n in (1, 2, 3, 4)
    ),
]


def _continued(m: Model, tokens: np.ndarray, n: int, step) -> np.ndarray:
    for _ in range(n):
        tokens = np.concatenate([tokens, step(tokens)[:, None]], axis=1)
    return tokens


# What generate makes of m, the beginnings t and the number n of tokens.
WRONG_GENERATE: list[Wrong] = [
    (
        "Each step reads the last token alone: give the model all that was written so far.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen[:, -1:])[:, -1].argmax(-1)),
    ),
    (
        "Each step reads the beginning alone: give the model all that was written so far.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, t)[:, -1].argmax(-1)),
    ),
    (
        "The next token is read off the first place; the last place is the one that knows everything.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen)[:, 0].argmax(-1)),
    ),
    (
        "The next token is read off the last place but one: take [:, -1].",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen)[:, -2].argmax(-1)),
    ),
    (
        "The token with the lowest logit is taken; take the one with the highest.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen)[:, -1].argmin(-1)),
    ),
    (
        "A new token goes in front; what is written stands behind what was.",
        lambda m, t, n: _in_front(m, t, n),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_GENERATE: list[Wrong] = [
    (
        "After the beginning, each step reads the newest token alone: give the model all that was written so far, for "
        "it keeps nothing.",
        lambda m, t, n: _newest(m, t, n),
    ),
    (
        "The highest logit is looked for among the places (dim=1); it is among the words of the vocabulary, dim=-1.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen).argmax(1)[:, -1]),
    ),
    (
        "All rows get the token of the first row; each text has its own.",
        lambda m, t, n: _continued(m, t, n, lambda seen: np.repeat(follow(m, seen)[:1, -1].argmax(-1), len(seen))),
    ),
    (
        "The next token is read off a place that is counted from the beginning of the text; it is the last "
        "place, [:, -1].",
        lambda m, t, n: _by_step(m, t, n),
    ),
    (
        "The highest logit is looked for among the sentences (dim=0); it is among the words of the vocabulary, dim=-1.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen)[:, -1].argmax(0)[: len(seen)]),
    ),
    (
        "No token may follow itself here; the one with the highest logit is due, whatever it is.",
        lambda m, t, n: _continued(m, t, n, lambda seen: _without(follow(m, seen)[:, -1], seen[:, -1])),
    ),
    (
        "The padding is never written; the token with the highest logit is due, whatever its id.",
        lambda m, t, n: _continued(m, t, n, lambda seen: follow(m, seen)[:, -1, 1:].argmax(-1) + 1),
    ),
    (
        "A token with the id of the padding is hidden once it is written; there is no padding here.",
        lambda m, t, n: _continued(
            m, t, n, lambda seen: logits(m, seen, causal(seen.shape[1]) & visible(seen, 0))[:, -1].argmax(-1)
        ),
    ),
    *(
        (
            f"Each step reads the last {width} tokens alone: give the model all that was written so far.",
            lambda m, t, n, width=width: _continued(
                m, t, n, lambda seen: follow(m, seen[:, -width:])[:, -1].argmax(-1)
            ),
        )
        for width in (2, 3, 4, 5)
    ),
]


def _by_step(m: Model, tokens: np.ndarray, n: int) -> np.ndarray:
    for step in range(n):
        tokens = np.concatenate([tokens, follow(m, tokens)[:, step].argmax(-1)[:, None]], axis=1)
    return tokens


def _without(scores: np.ndarray, taken: np.ndarray) -> np.ndarray:
    scores = scores.copy()
    np.put_along_axis(scores, taken[:, None].astype(int), -np.inf, axis=1)
    return scores.argmax(-1)


def _newest(m: Model, tokens: np.ndarray, n: int) -> np.ndarray:
    new = [tokens]
    for _ in range(n):
        new.append(follow(m, new[-1])[:, -1:].argmax(-1))
    return np.concatenate(new, axis=1)


def _in_front(m: Model, tokens: np.ndarray, n: int) -> np.ndarray:
    for _ in range(n):
        tokens = np.concatenate([follow(m, tokens)[:, -1:].argmax(-1), tokens], axis=1)
    return tokens


def _in_order(t: np.ndarray, c: np.ndarray, d: np.ndarray, r: np.ndarray, mask: int) -> np.ndarray:
    """The random tokens as `random_tokens.flatten()[:n]`."""
    read, noise = np.where(c & (d < 0.8), mask, t), c & (d >= 0.8) & (d < 0.9)
    read[noise] = r.ravel()[: noise.sum()]
    return read


# What is read, of the tokens t, the asked places c, the draws d, the random tokens r and the ids of mask and padding.
WRONG_BLANKS: list[Wrong] = [
    (
        "All places are changed; only the asked ones may be.",
        lambda t, c, d, r, mask, pad: np.where(d < 0.8, mask, np.where(d < 0.9, r, t)),
    ),
    (
        "The places that were not asked are changed, and the asked ones are not.",
        lambda t, c, d, r, mask, pad: np.where(~c & (d < 0.8), mask, np.where(~c & (d < 0.9), r, t)),
    ),
    (
        "Every asked place is BLANK; from a draw of 0.8 on it is not.",
        lambda t, c, d, r, mask, pad: np.where(c, mask, t),
    ),
    (
        "Random and unchanged are exchanged: the random token is for draws from 0.8 to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c & (d >= 0.9), r, t)),
    ),
    (
        "Nowhere is a random token: draws from 0.8 to below 0.9 ask for one.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, t),
    ),
    (
        "No asked token stays itself: from a draw of 0.9 on it does.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c, r, t)),
    ),
    (
        "The rare case is masked and the frequent one is not: BLANK is for draws below 0.8.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.8), mask, t),
    ),
    (
        "The blank is PAD; it must be BLANK, for nobody reads the padding.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), pad, np.where(c & (d < 0.9), r, t)),
    ),
    (
        "A draw of exactly 0.8 is masked; from 0.8 on the random token is due: write draw < 0.8.",
        lambda t, c, d, r, mask, pad: np.where(c & (d <= 0.8), mask, np.where(c & (d < 0.9), r, t)),
    ),
    (
        "A draw of exactly 0.8 changes nothing; the random token is due from 0.8 on: write draw >= 0.8.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c & (d > 0.8) & (d < 0.9), r, t)),
    ),
    (
        "A draw of exactly 0.9 brings the random token; from 0.9 on the token stays: write draw < 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c & (d <= 0.9), r, t)),
    ),
    (
        "The mask stands even where the random token is due: the two cases exclude each other.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.9), mask, t),
    ),
    (
        "The random tokens replace the masked ones too: give them only from 0.8 to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.9), r, t),
    ),
    (
        "Nothing is masked: asked places with a draw below 0.8 become BLANK.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.8) & (d < 0.9), r, t),
    ),
    (
        "Random tokens are everywhere between 0.8 and 0.9, at places that were not asked too.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where((d >= 0.8) & (d < 0.9), r, t)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_BLANKS: list[Wrong] = [
    (
        "BLANK is for draws below 0.8, the frequent case; here it stands where a token stays itself, and vice versa.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.9), mask, np.where(c & (d >= 0.8), r, t)),
    ),
    (
        "BLANK stands at places that were not asked too: asked holds for each of the two cases.",
        lambda t, c, d, r, mask, pad: np.where(d < 0.8, mask, np.where(c & (d < 0.9), r, t)),
    ),
    (
        "BLANK and random token are exchanged: BLANK is for draws below 0.8, the random token from there to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), r, np.where(c & (d < 0.9), mask, t)),
    ),
    (
        "From a draw of 0.9 on there is a BLANK; there the token stays itself.",
        lambda t, c, d, r, mask, pad: np.where(c & ((d < 0.8) | (d >= 0.9)), mask, np.where(c & (d < 0.9), r, t)),
    ),
    (
        "From a draw of 0.9 on there is the padding; there the token stays itself.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c & (d < 0.9), r, np.where(c, pad, t))),
    ),
    (
        "The draws are read from the other end: BLANK is below 0.8, the random token from there to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d > 0.2), mask, np.where(c & (d < 0.1), r, t)),
    ),
    (
        "The draws are read from the other end: BLANK is below 0.8, the random token from there to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.2), mask, np.where(c & (d >= 0.1), r, t)),
    ),
    (
        "The draws are read from the other end: BLANK is below 0.8, the random token from there to below 0.9.",
        lambda t, c, d, r, mask, pad: np.where(c & (d > 0.2), mask, np.where(c & (d > 0.1), r, t)),
    ),
    *(
        (
            f"BLANK is given below a draw of {limit}, and 0.8 is the limit: eight of ten asked places.",
            lambda t, c, d, r, mask, pad, limit=limit, low=low, end=end: np.where(
                c & (d < limit), mask, np.where(c & (d >= low) & (d < end), r, t)
            ),
        )
        for limit in (0.15, 0.5, 0.1)
        for low, end in ((0.8, 0.9), (limit, 0.9), (limit, 2 * limit))
    ),
    (
        "These are labels, with −100 at the places that were not asked; return what the model reads.",
        lambda t, c, d, r, mask, pad: np.where(c, t, -100),
    ),
    (
        "Random tokens are taken in their order, the first for the first such place; each place has its own.",
        lambda t, c, d, r, mask, pad: _in_order(t, c, d, r, mask),
    ),
]

# The loss, of the logits g, the tokens t and the asked places c.
WRONG_LOSSES: list[Wrong] = [
    (
        "The loss is the mean over all places; only those that are asked count.",
        lambda g, t, c: np.array(surprises(g, t).mean()),
    ),
    (
        "The loss is that of the places that were not asked.",
        lambda g, t, c: masked_loss(g, t, ~c),
    ),
    (
        "The logits are compared with the next token; here they must say the token of their own place.",
        lambda g, t, c: masked_loss(g[:, :-1], t[:, 1:], c[:, 1:]),
    ),
    (
        "The logits are compared with the token behind the asked place; compare them with the one that stood there.",
        lambda g, t, c: masked_loss(g[:, :-1], t[:, 1:], c[:, :-1]),
    ),
    (
        "The mean is taken in each sentence first; take it over all asked places of the batch.",
        lambda g, t, c: np.array(np.mean([row[asked].mean() for row, asked in zip(surprises(g, t), c, strict=True)])),
    ),
    (
        "The loss is divided twice: cross_entropy takes the mean already; ask it for the sum (reduction='sum').",
        lambda g, t, c: np.array(masked_loss(g, t, c) / max(c.sum(), 1)),
    ),
    (
        "The loss is multiplied by the number of asked places; divide by it.",
        lambda g, t, c: np.array(surprises(g, t)[c].sum() * max(c.sum(), 1)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_LOSSES: list[Wrong] = [
    (
        "The tokens are moved by one place (roll), as for the next token; each place must say its own token.",
        lambda g, t, c: masked_loss(g, np.roll(t, -1, axis=1), c),
    ),
    (
        "The tokens are moved by one place (roll), as for the next token; each place must say its own token.",
        lambda g, t, c: masked_loss(g, np.roll(t, 1, axis=1), c),
    ),
    (
        "Each token is wanted of the place before it; an asked place must say its own token.",
        lambda g, t, c: np.array(surprises(g[:, :-1], t[:, 1:])[c[:, 1:]].sum() / max(c.sum(), 1)),
    ),
    (
        "The logits of the other places are set to 0, but the mean is over all; leave those places out.",
        lambda g, t, c: np.array(surprises(g * c[..., None], t).mean()),
    ),
    (
        "The sum is divided by one more than the number of asked places; keep it from 0 with max or clamp.",
        lambda g, t, c: np.array(surprises(g, t)[c].sum() / (c.sum() + 1)),
    ),
    (
        "The loss is made of probabilities; cross-entropy is made of their logarithms.",
        lambda g, t, c: np.array(-np.exp(-surprises(g, t)[c]).mean()),
    ),
    (
        "The loss is always 0: take the asked places; `tokens` are the right ones, and hold no BLANK.",
        lambda g, t, c: np.zeros(()),
    ),
    (
        "The logits are compared with BLANK; compare them with the right tokens.",
        lambda g, t, c: masked_loss(g, np.full_like(t, BLANK), c),
    ),
    (
        "The loss counts how many are guessed wrongly, which has no gradient; it is the cross-entropy.",
        lambda g, t, c: np.array((g.argmax(-1) != t)[c].mean()),
    ),
    (
        "The logits are reshaped to (B, V, S), which mixes places and tokens; exchange the axes with transpose(1, 2).",
        lambda g, t, c: masked_loss(g.reshape(len(g), g.shape[2], g.shape[1]).swapaxes(1, 2), t, c),
    ),
]


def chosen_model(
    m: Model,
    t: np.ndarray,
    p: int,
    *,
    mask: Callable = visible,
    end: Callable = lambda m, logits: logits,
    **how: Any,
) -> np.ndarray:
    """What a model gives for tokens t, `mask(t, p)` being who may be seen; the keywords make a choice otherwise."""
    return end(m, logits(m, t, mask(t, p), **how))


_ORDER = [
    (FIRST_ALONE, lambda layers: layers[:1]),
    *(
        (f"The {place} layer is left out: every one of `layers` is called.", lambda layers, part=part: layers[part])
        for place, part in ENDS
    ),
]
_END = [
    ("The logits are divided by √d_model; no scale is asked for there.", lambda m, logits: logits / np.sqrt(m.d_model)),
    ("The logits are multiplied by √d_model; only what goes in is.", lambda m, logits: logits * np.sqrt(m.d_model)),
]
_EMBED = [*EMBEDDINGS.items(), *MORE_EMBEDDINGS.items()]

ENCODER_AXES: Axes = {
    "embed": _EMBED,
    "mask": [
        ("The mask is causal: that is for a decoder. An encoder reads both sides.", lambda t, p: causal(t.shape[1])),
        (
            "The mask is causal, besides hiding the padding: an encoder reads both sides.",
            lambda t, p: causal(t.shape[1]) & visible(t, p),
        ),
        ("The padding is read like a word: hand padding_mask(tokens, PAD) to every layer.", lambda t, p: True),
        ("The mask is inverted: True means a real token, which may be read.", lambda t, p: ~visible(t, p)),
        (
            "The mask of the padding stands on the side of the queries: it must hide keys, the last axis.",
            lambda t, p: visible(t, p).swapaxes(-1, -2),
        ),
        (
            "The blanks are hidden as the padding is; they are read like all other tokens, for their place counts.",
            lambda t, p: visible(t, p) & visible(t, BLANK),
        ),
        (
            "The blanks are hidden, and the padding is read: the id that padding_mask needs is PAD, not BLANK.",
            lambda t, p: visible(t, BLANK),
        ),
    ],
    "norm": [("The norm behind the last layer is missing: pre-norm leaves a bare sum.", False)],
    "order": [
        ("The layers run in the wrong order: the first is layers[0].", lambda layers: layers[::-1]),
        ("Only the last layer counts: each must read what the one before it made.", lambda layers: layers[-1:]),
        (
            "All layers are the first one: make one for each number, and call each.",
            lambda layers: layers[:1] * len(layers),
        ),
        ("No layer runs: the embeddings go straight to the norm.", lambda layers: []),
        *_ORDER,
    ],
    "end": [
        ("These are probabilities; return the logits, without a softmax.", lambda m, logits: softmax(logits)),
        (
            "These are log-probabilities; return the logits, without a log_softmax.",
            lambda m, logits: np.log(softmax(logits)),
        ),
        *_END,
    ],
}
DECODER_AXES: Axes = {
    "embed": _EMBED,
    "mask": [
        ("The decoder sees the future: hand causal_mask(length) to every layer.", lambda t, p: True),
        (
            "The mask lies the wrong way round: each token sees itself and what comes behind it.",
            lambda t, p: causal(t.shape[1]).T,
        ),
        (
            "The mask is inverted: True means may attend, and a token may attend to what came before.",
            lambda t, p: ~causal(t.shape[1]),
        ),
        ("No token sees itself: the diagonal of the mask is True.", lambda t, p: np.tri(t.shape[1], k=-1, dtype=bool)),
        (
            "The mask is one column too wide: each token sees the one that it has to predict.",
            lambda t, p: np.tri(t.shape[1], k=1, dtype=bool),
        ),
    ],
    "norm": [("The last norm is missing: behind the layers of pre-norm stands a bare sum.", False)],
    "order": [
        ("The decoder's layers run backwards: the first is layers[0].", lambda layers: layers[::-1]),
        (
            "No layer runs in the decoder: what leaves one must be handed to the next, x = layer(x, mask).",
            lambda layers: [],
        ),
        (
            "Only the decoder's last layer counts: each must read what the one before it made.",
            lambda layers: layers[-1:],
        ),
        (
            "The decoder's layers are all the first one: make one for each number, and call each.",
            lambda layers: layers[:1] * len(layers),
        ),
        *_ORDER,
    ],
    "end": [
        ("The decoder returns probabilities; return the logits, without a softmax.", lambda m, logits: softmax(logits)),
        (
            "The decoder returns log-probabilities; return the logits, without a log_softmax.",
            lambda m, logits: np.log(softmax(logits)),
        ),
        *_END,
    ],
}


def chosen_loss(
    g: np.ndarray,
    t: np.ndarray,
    c: np.ndarray,
    *,
    logits: Callable = lambda g: g,
    asked: Callable = lambda c: c,
    count: Callable = lambda c: max(c.sum(), 1),
    sign: int = 1,
) -> np.ndarray:
    """The loss of the blanks, from logits g, tokens t and asked places c; the keywords make a choice otherwise."""
    return np.array(sign * surprises(logits(g), t)[asked(c)].sum() / count(c))


LOSS_AXES: Axes = {
    "logits": [
        (
            "There is a softmax before the cross-entropy, which makes its own: give it the logits.",
            lambda g: softmax(g.astype(np.float64)),
        ),
    ],
    "asked": [
        ("The sum is that of the places that were not asked; take those that were.", np.logical_not),
        (
            "The sum over all places is divided by the number of asked ones; sum over the asked ones alone.",
            np.ones_like,
        ),
    ],
    "count": [
        ("The loss is a sum; divide it by the number of asked places.", lambda c: 1),
        ("The sum over the asked places is divided by the number of all places.", np.size),
        (
            "The sum over the asked places is divided by the number of sentences; divide by that of the asked places.",
            len,
        ),
    ],
    "sign": [("The sign is wrong: a loss falls when the right token becomes more probable.", -1)],
}

KNOWN_ENCODER = [*WRONG_ENCODER, *RARE_ENCODER]
KNOWN_DECODER = [*WRONG_DECODER, *RARE_DECODER]
KNOWN_GENERATE = [*WRONG_GENERATE, *RARE_GENERATE]
KNOWN_BLANKS = [*WRONG_BLANKS, *RARE_BLANKS]
KNOWN_LOSSES = [*WRONG_LOSSES, *RARE_LOSSES]
