"""Lesson 9: the usual wrong encoders, decoders, blanks and losses, each as a version of the reference."""

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.layers import Model
from lessons_lib.grading.judge.reference import softmax
from lessons_lib.grading.lesson_05.mistakes import EMBEDDINGS as OF_EXERCISE_5
from lessons_lib.grading.lesson_09.reference import causal, fill, follow, logits, masked_loss, surprises, visible

EMBEDDINGS = OF_EXERCISE_5 | {
    "The positions are subtracted; add the table to the scaled embeddings.": lambda m, t: 2 * m.scaled(t) - m.embed(t),
}

# What the encoder makes of the model m, the tokens t and the id of the padding p.
WRONG_ENCODER: list[Wrong] = [
    *((sentence, lambda m, t, p, embed=embed: fill(m, t, p, embed=embed)) for sentence, embed in EMBEDDINGS.items()),
    (
        "The mask is causal: that is for a decoder. An encoder reads both sides.",
        lambda m, t, p: logits(m, t, causal(t.shape[1])),
    ),
    (
        "The mask is causal, and without padding: an encoder reads both sides.",
        lambda m, t, p: logits(m, t, causal(t.shape[1]) & visible(t, p)),
    ),
    (
        "The padding is read like a word: hand padding_mask(tokens, PAD) to every layer.",
        lambda m, t, p: logits(m, t, True),
    ),
    (
        "The mask is inverted: True means a real token, which may be read.",
        lambda m, t, p: logits(m, t, ~visible(t, p)),
    ),
    (
        "The norm behind the last layer is missing: pre-norm leaves a bare sum.",
        lambda m, t, p: fill(m, t, p, norm=False),
    ),
    (
        "The layers run in the wrong order: the first is layers[0].",
        lambda m, t, p: fill(m, t, p, order=lambda layers: layers[::-1]),
    ),
    (
        "Only the last layer counts: each must read what the one before it made.",
        lambda m, t, p: fill(m, t, p, order=lambda layers: layers[-1:]),
    ),
    (
        "All layers are the first one: make one for each number, and call each.",
        lambda m, t, p: fill(m, t, p, order=lambda layers: layers[:1] * len(layers)),
    ),
    (
        "No layer runs: the embeddings go straight to the norm.",
        lambda m, t, p: fill(m, t, p, order=lambda layers: []),
    ),
    (
        "These are probabilities; return the logits, without a softmax.",
        lambda m, t, p: softmax(fill(m, t, p)),
    ),
]

# What the decoder makes of m and t.
WRONG_DECODER: list[Wrong] = [
    *((sentence, lambda m, t, embed=embed: follow(m, t, embed=embed)) for sentence, embed in EMBEDDINGS.items()),
    (
        "The decoder sees the future: hand causal_mask(length) to every layer.",
        lambda m, t: logits(m, t, True),
    ),
    (
        "The mask lies the wrong way round: each token sees itself and what comes behind it.",
        lambda m, t: logits(m, t, causal(t.shape[1]).T),
    ),
    (
        "The mask is inverted: True means may attend, and a token may attend to what came before.",
        lambda m, t: logits(m, t, ~causal(t.shape[1])),
    ),
    (
        "No token sees itself: the diagonal of the mask is True.",
        lambda m, t: logits(m, t, np.tri(t.shape[1], k=-1, dtype=bool)),
    ),
    (
        "The mask is one column too wide: each token sees the one that it has to predict.",
        lambda m, t: logits(m, t, np.tri(t.shape[1], k=1, dtype=bool)),
    ),
    (
        "The last norm is missing: behind the layers of pre-norm stands a bare sum.",
        lambda m, t: follow(m, t, norm=False),
    ),
    (
        "The decoder's layers run backwards: the first is layers[0].",
        lambda m, t: follow(m, t, order=lambda layers: layers[::-1]),
    ),
    (
        "No layer runs in the decoder: what leaves one must be handed to the next, x = layer(x, mask).",
        lambda m, t: follow(m, t, order=lambda layers: []),
    ),
    (
        "Only the decoder's last layer counts: each must read what the one before it made.",
        lambda m, t: follow(m, t, order=lambda layers: layers[-1:]),
    ),
    (
        "The decoder's layers are all the first one: make one for each number, and call each.",
        lambda m, t: follow(m, t, order=lambda layers: layers[:1] * len(layers)),
    ),
    (
        "The decoder returns probabilities; return the logits, without a softmax.",
        lambda m, t: softmax(follow(m, t)),
    ),
    (
        "The logits are moved by one place: those at place t are what the model says at place t, and belong to t + 1.",
        lambda m, t: np.roll(follow(m, t), 1, axis=1),
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


def _in_front(m: Model, tokens: np.ndarray, n: int) -> np.ndarray:
    for _ in range(n):
        tokens = np.concatenate([follow(m, tokens)[:, -1:].argmax(-1), tokens], axis=1)
    return tokens


# What is read, of the tokens t, the chosen places c, the draws d, the random tokens r and the ids of mask and padding.
WRONG_BLANKS: list[Wrong] = [
    (
        "All places are changed; only the chosen ones may be.",
        lambda t, c, d, r, mask, pad: np.where(d < 0.8, mask, np.where(d < 0.9, r, t)),
    ),
    (
        "The places that were not chosen are changed, and the chosen ones are not.",
        lambda t, c, d, r, mask, pad: np.where(~c & (d < 0.8), mask, np.where(~c & (d < 0.9), r, t)),
    ),
    (
        "Every chosen place is MASK; from a draw of 0.8 on it is not.",
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
        "No chosen token stays itself: from a draw of 0.9 on it does.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where(c, r, t)),
    ),
    (
        "The rare case is masked and the frequent one is not: MASK is for draws below 0.8.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.8), mask, t),
    ),
    (
        "The blank is PAD; it must be MASK, for nobody reads the padding.",
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
        "Nothing is masked: chosen places with a draw below 0.8 become MASK.",
        lambda t, c, d, r, mask, pad: np.where(c & (d >= 0.8) & (d < 0.9), r, t),
    ),
    (
        "Random tokens are everywhere between 0.8 and 0.9, at places that were not chosen too.",
        lambda t, c, d, r, mask, pad: np.where(c & (d < 0.8), mask, np.where((d >= 0.8) & (d < 0.9), r, t)),
    ),
]

# The loss, of the logits g, the tokens t and the chosen places c.
WRONG_LOSSES: list[Wrong] = [
    (
        "The loss is the mean over all places; only the chosen ones are asked.",
        lambda g, t, c: np.array(surprises(g, t).mean()),
    ),
    (
        "The loss is that of the places that were not chosen.",
        lambda g, t, c: masked_loss(g, t, ~c),
    ),
    (
        "The loss is a sum; divide it by the number of chosen places.",
        lambda g, t, c: np.array(surprises(g, t)[c].sum()),
    ),
    (
        "The sum over the chosen places is divided by the number of all places.",
        lambda g, t, c: np.array((surprises(g, t) * c).mean()),
    ),
    (
        "The logits are compared with the next token; here they must say the token of their own place.",
        lambda g, t, c: masked_loss(g[:, :-1], t[:, 1:], c[:, 1:]),
    ),
    (
        "The logits are compared with the token behind the chosen place; compare them with the one that stood there.",
        lambda g, t, c: masked_loss(g[:, :-1], t[:, 1:], c[:, :-1]),
    ),
    (
        "The mean is taken in each sentence first; take it over all chosen places of the batch.",
        lambda g, t, c: np.array(np.mean([row[chosen].mean() for row, chosen in zip(surprises(g, t), c, strict=True)])),
    ),
    (
        "There is a softmax before the cross-entropy, which makes its own: give it the logits.",
        lambda g, t, c: masked_loss(softmax(g.astype(np.float64)), t, c),
    ),
    (
        "The loss is divided twice: cross_entropy takes the mean already; ask it for the sum (reduction='sum').",
        lambda g, t, c: np.array(masked_loss(g, t, c) / max(c.sum(), 1)),
    ),
    (
        "The loss is multiplied by the number of chosen places; divide by it.",
        lambda g, t, c: np.array(surprises(g, t)[c].sum() * max(c.sum(), 1)),
    ),
    (
        "The sign is wrong: a loss falls when the right token becomes more probable.",
        lambda g, t, c: np.array(-masked_loss(g, t, c)),
    ),
]
