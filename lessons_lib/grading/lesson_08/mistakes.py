"""Lesson 8: the ways in which masks and shifted targets go wrong, each as a version of the reference."""

import numpy as np

from lessons_lib.grading.judge.compare import Wrong

# The mask (T, T) of a length n.
WRONG_CAUSAL: list[Wrong] = [
    (
        "The causal mask is inverted: True stands where attending is forbidden, and must stand where it is allowed.",
        lambda n: 1 - np.tri(n),
    ),
    (
        "Each position sees itself and what comes after it: that is the upper triangle, and the past is the lower one.",
        lambda n: np.tri(n).T,
    ),
    (
        "A position does not see itself, so the first one sees nothing; the diagonal belongs to the mask.",
        lambda n: np.tri(n, k=-1),
    ),
    (
        "Each position sees one word too far, the very word that it must predict: the diagonal is the last it may see.",
        lambda n: np.tri(n, k=1),
    ),
    (
        "Every position sees every other, the future too: nothing is forbidden.",
        lambda n: np.ones((n, n)),
    ),
    (
        "Every position sees only itself; it may see all that comes before it as well.",
        lambda n: np.eye(n),
    ),
    (
        "The triangle stands on its head: row t must allow t + 1 positions, and row 0 just one.",
        lambda n: np.tri(n)[::-1],
    ),
    (
        "Every position sees itself and the one before, and no further: nothing that came earlier may be forgotten.",
        lambda n: np.tri(n) - np.tri(n, k=-2),
    ),
    *(
        (
            f"Every position sees itself and the {k - 1} before, and no further: nothing that came earlier may be "
            "forgotten.",
            lambda n, k=k: np.tri(n) - np.tri(n, k=-k),
        )
        for k in (3, 4)
    ),
    (
        "Only the first position sees itself; the diagonal belongs to the mask in every row (range(t + 1)?).",
        lambda n: np.maximum(np.tri(n, k=-1), np.arange(n) + np.arange(n)[:, None] == 0),
    ),
    (
        "The triangle is turned round from left to right: row t must allow the first t + 1 positions, not the last.",
        lambda n: np.tri(n)[:, ::-1],
    ),
    (
        "The first column is lost: every position may see the first one.",
        lambda n: np.tri(n) * ((np.arange(n) > 0) | (np.arange(n)[:, None] == 0)),
    ),
    (
        "The first column is lost, and the first position sees nothing: every position may see the first one.",
        lambda n: np.tri(n) * (np.arange(n) > 0),
    ),
    (
        "Every position sees nothing: the mask holds no True at all.",
        lambda n: np.zeros((n, n)),
    ),
]


# Who may be seen, (B, S), of tokens x and the padding's id p; some tokens are below p, some above, and some are 0.
WRONG_PADDING: list[Wrong] = [
    (
        "The padding mask is inverted: True stands for the padding, and must stand for the real tokens.",
        lambda x, p: x == p,
    ),
    (
        "The mask hides token 0, whatever pad_id says; compare with pad_id.",
        lambda x, p: x != 0,
    ),
    (
        "The mask hides token 0 as well as pad_id (is the padding turned into 0 first?); 0 is a token like all others.",
        lambda x, p: (x != 0) & (x != p),
    ),
    (
        "The mask hides every token whose id is not above pad_id; only pad_id itself is padding, so ask !=.",
        lambda x, p: x > p,
    ),
    (
        "The mask hides every token whose id is not below pad_id; only pad_id itself is padding, so ask !=.",
        lambda x, p: x < p,
    ),
    (
        "Nothing is hidden: the padding is seen like any token.",
        lambda x, p: np.ones_like(x),
    ),
    (
        "In each row the last real token is hidden too: the number of real tokens is one too small.",
        lambda x, p: np.arange(x.shape[1]) < (x != p).sum(axis=1, keepdims=True) - 1,
    ),
    (
        "In each row the first padding is seen too: the number of real tokens is one too large.",
        lambda x, p: np.arange(x.shape[1]) < (x != p).sum(axis=1, keepdims=True) + 1,
    ),
    (
        "Each row is turned round: the mask of a sentence begins with its last token.",
        lambda x, p: (x != p)[:, ::-1],
    ),
    (
        "The rows stand in the opposite order: the first sentence has the mask of the last one.",
        lambda x, p: (x != p)[::-1],
    ),
    *(
        (
            f"The mask is moved by one place to the {side}: each column says of its own token whether it is real.",
            lambda x, p, step=step: np.roll(x != p, step, axis=1),
        )
        for side, step in (("right", 1), ("left", -1))
    ),
    (
        "The token before the padding is hidden too; only the places of pad_id are padding.",
        lambda x, p: (x != p) & (np.concatenate([x[:, 1:], x[:, -1:]], axis=1) != p),
    ),
    (
        "A column is hidden in all sentences as soon as one of them is padded there; each sentence has its own row.",
        lambda x, p: np.broadcast_to((x != p).all(axis=0), x.shape),
    ),
    *(
        (
            f"The mask of the {place} sentence serves all; each sentence has its own row.",
            lambda x, p, row=row: np.broadcast_to(x[row] != p, x.shape),
        )
        for place, row in (("first", 0), ("last", -1))
    ),
]


def moved(tokens: np.ndarray, first: int) -> np.ndarray:
    """One place to the right, `first` in front; the last column falls off."""
    return np.concatenate([np.full((len(tokens), 1), first), tokens[:, :-1]], axis=1)


# What the decoder reads, of tokens x, the ids b of <s> and p of the padding.
WRONG_INPUTS: list[Wrong] = [
    (
        "The decoder reads the answers themselves: tgt_in is not moved, and copying it is all that there is to learn.",
        lambda x, b, p: x,
    ),
    (
        "tgt_in is moved to the left, so the decoder reads the word after the one it must say; move it to the right.",
        lambda x, b, p: np.concatenate([x[:, 1:], np.full((len(x), 1), p)], axis=1),
    ),
    (
        "tgt_in begins with the padding; the first place must hold bos_id, so that there is something to begin from.",
        lambda x, b, p: moved(x, p),
    ),
    (
        "tgt_in has one place too many: bos_id stands in front, but the last column has not fallen off.",
        lambda x, b, p: np.concatenate([np.full((len(x), 1), b), x], axis=1),
    ),
    (
        "tgt_in has one place too few: the last column has fallen off, but bos_id is not in front.",
        lambda x, b, p: x[:, :-1],
    ),
    (
        "bos_id has taken the place of the first token of tgt_in; it comes in front, and the others move.",
        lambda x, b, p: np.concatenate([np.full((len(x), 1), b), x[:, 1:]], axis=1),
    ),
    (
        "tgt_in is turned in a circle: its last column has come to the front, where bos_id should be.",
        lambda x, b, p: np.roll(x, 1, axis=1),
    ),
    (
        "tgt_in is moved down by one sentence (dim=0), not to the right by one place (dim=1).",
        lambda x, b, p: np.concatenate([np.full((1, x.shape[1]), b), x[:-1]], axis=0),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_INPUTS: list[Wrong] = [
    (
        "tgt_in is moved to the left, and bos_id stands at its end: it comes in front, and all others move to "
        "the right.",
        lambda x, b, p: np.concatenate([x[:, 1:], np.full((len(x), 1), b)], axis=1),
    ),
    (
        "tgt_in is moved down by one sentence (dim=0), and not by one place; only its first column is bos_id.",
        lambda x, b, p: np.concatenate([np.full((len(x), 1), b), np.roll(x, 1, axis=0)[:, 1:]], axis=1),
    ),
]

# What it must say.
WRONG_TARGETS: list[Wrong] = [
    (
        "tgt_out has lost its first token; tokens is what must be said, and only tgt_in is moved.",
        lambda x, b, p: x[:, 1:],
    ),
    (
        "tgt_out is moved to the left, as well as tgt_in to the right: each place must now say the word after next.",
        lambda x, b, p: np.concatenate([x[:, 1:], np.full((len(x), 1), p)], axis=1),
    ),
    (
        "tgt_out begins with bos_id: nobody must ever say that; tokens is what must be said.",
        lambda x, b, p: np.concatenate([np.full((len(x), 1), b), x], axis=1),
    ),
    (
        "tgt_out is tgt_in: the model must say what it has just read.",
        lambda x, b, p: moved(x, b),
    ),
]


def surprise(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """−log softmax(logits)[target] at each place."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(logs, targets[..., None], axis=-1)[..., 0]


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _over(logits: np.ndarray, targets: np.ndarray, axis: int) -> np.ndarray:
    """−log softmax(logits)[target], with the softmax along a wrong axis."""
    logs = logits - logits.max(axis=axis, keepdims=True)
    logs = logs - np.log(np.exp(logs).sum(axis=axis, keepdims=True))
    return -np.take_along_axis(logs, targets[..., None], axis=-1)[..., 0]


def _of_all(logits: np.ndarray) -> np.ndarray:
    """The mean over the vocabulary of −log softmax(logits), at each place."""
    every = [surprise(logits, np.full(logits.shape[:2], token)) for token in range(logits.shape[2])]
    return np.mean(every, axis=0)


def mean(values: np.ndarray) -> np.ndarray:
    """As an array of one number."""
    return values.mean(keepdims=True).reshape(1)


# The loss made of logits l (B, T, V), targets x, input i and the padding's id p.
WRONG_LOSSES: list[Wrong] = [
    (
        "The padding is counted in the loss: places where tgt_out is pad_id ask for nothing.",
        lambda l, x, i, p: mean(surprise(l, x)),
    ),
    (
        "The padding adds nothing, but is counted in the mean: divide by the number of real tokens.",
        lambda l, x, i, p: mean(surprise(l, x) * (x != p)),
    ),
    (
        "The loss is the sum over the real tokens; take the mean, or long batches would seem worse.",
        lambda l, x, i, p: mean(surprise(l, x) * (x != p)) * x.size,
    ),
    (
        "The loss is divided by the number of sentences; divide by the number of real tokens.",
        lambda l, x, i, p: mean(surprise(l, x) * (x != p)) * x.shape[1],
    ),
    (
        "The loss is the mean of each sentence's mean, so words of short sentences count more; all tokens count alike.",
        lambda l, x, i, p: mean((surprise(l, x) * (x != p)).sum(1) / (x != p).sum(1)),
    ),
    (
        "The loss leaves out token 0, whatever pad_id says; leave out pad_id.",
        lambda l, x, i, p: mean(surprise(l, x)[x != 0]),
    ),
    (
        "The loss leaves out the places where tgt_in is padding, which are others than those where tgt_out is.",
        lambda l, x, i, p: mean(surprise(l, x)[i != p]),
    ),
    (
        "The loss leaves out the last real token of each sentence, so the model never learns to end.",
        lambda l, x, i, p: mean(surprise(l, x)[np.arange(x.shape[1]) < (x != p).sum(axis=1, keepdims=True) - 1]),
    ),
    (
        "The loss has the wrong sign: it is minus the logarithm of the probability.",
        lambda l, x, i, p: -mean(surprise(l, x)[x != p]),
    ),
    (
        "The loss takes a softmax of probabilities: cross_entropy wants the logits as they are.",
        lambda l, x, i, p: mean(surprise(_softmax(l), x)[x != p]),
    ),
    (
        "The loss is measured on the logits themselves; they need a log_softmax first.",
        lambda l, x, i, p: -mean(np.take_along_axis(l, x[..., None], -1)[..., 0][x != p]),
    ),
    (
        "The loss is the mean probability of the right token; take minus its logarithm.",
        lambda l, x, i, p: mean(np.exp(-surprise(l, x))[x != p]),
    ),
    (
        "The loss compares the logits with tgt_in; compare them with tgt_out.",
        lambda l, x, i, p: mean(surprise(l, i)[x != p]),
    ),
    (
        "The logits are reshaped to (B, V, T), which mixes places and tokens; give cross_entropy the axes (N, V), or "
        "exchange them with transpose(1, 2).",
        lambda l, x, i, p: mean(surprise(l.reshape(l.shape[0], l.shape[2], l.shape[1]).swapaxes(1, 2), x)[x != p]),
    ),
    (
        "The first place is left out of the loss: the first token must be said too.",
        lambda l, x, i, p: mean(surprise(l, x)[:, 1:][x[:, 1:] != p]),
    ),
    (
        "Each place is compared with the token after next: tgt_in is moved already, so logits and tgt_out match.",
        lambda l, x, i, p: mean(surprise(l[:, :-1], x[:, 1:])[x[:, 1:] != p]),
    ),
    (
        "The loss is the largest of all places; take the mean.",
        lambda l, x, i, p: surprise(l, x)[x != p].max(keepdims=True).reshape(1),
    ),
    (
        "The softmax runs over the places (dim=1), not over the tokens.",
        lambda l, x, i, p: mean(_over(l, x, 1)[x != p]),
    ),
    (
        "The softmax runs over the sentences (dim=0), not over the tokens.",
        lambda l, x, i, p: mean(_over(l, x, 0)[x != p]),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_LOSSES: list[Wrong] = [
    (
        "The loss is that of the first sentence alone; all of the batch count.",
        lambda l, x, i, p: mean(surprise(l, x)[:1][x[:1] != p]),
    ),
    (
        "The loss has a label smoothing of 0.1, which is not asked for.",
        lambda l, x, i, p: mean((0.9 * surprise(l, x) + 0.1 * _of_all(l))[x != p]),
    ),
    (
        "The loss is divided by the number of places in a row; divide by the number of real tokens.",
        lambda l, x, i, p: mean(surprise(l, x) * (x != p)) * x.shape[0],
    ),
    (
        "The loss is the mean of each place's mean over the sentences; all real tokens count alike.",
        lambda l, x, i, p: mean(
            (surprise(l, x) * (x != p)).sum(0) / np.where((x != p).any(0), (x != p).sum(0), np.nan)
        ),
    ),
    (
        "The loss is minus the mean probability of the right token: the logarithm is missing (nll_loss wants "
        "log_softmax).",
        lambda l, x, i, p: -mean(np.exp(-surprise(l, x))[x != p]),
    ),
    (
        "The loss is one minus the probability; it is minus the logarithm of the probability.",
        lambda l, x, i, p: mean(1 - np.exp(-surprise(l, x))[x != p]),
    ),
    (
        "The loss compares the logits with tgt_in, without its padding; compare them with tgt_out.",
        lambda l, x, i, p: mean(surprise(l, i)[i != p]),
    ),
    (
        "The last place of each row is left out of the loss; every real token counts.",
        lambda l, x, i, p: mean(surprise(l, x)[:, :-1][x[:, :-1] != p]),
    ),
    (
        "This is the perplexity, e to the power of the loss; return the loss.",
        lambda l, x, i, p: np.exp(mean(surprise(l, x)[x != p])),
    ),
    (
        "The loss is counted with the logarithm to base 10; take the natural one.",
        lambda l, x, i, p: mean(surprise(l, x)[x != p]) / np.log(10),
    ),
    (
        "The loss is the mean squared difference of probabilities; it is minus the logarithm of the right one.",
        lambda l, x, i, p: mean((_softmax(l) - np.eye(l.shape[-1])[x]) ** 2),
    ),
]

KNOWN_INPUTS = [*WRONG_INPUTS, *RARE_INPUTS]
KNOWN_LOSSES = [*WRONG_LOSSES, *RARE_LOSSES]
