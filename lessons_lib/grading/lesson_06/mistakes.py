"""Lesson 6: the ways in which norms and the residual path go wrong, each as a version of the reference."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.variations import Axes
from lessons_lib.grading.lesson_06.reference import post, pre, rms_norm, root_mean_square, standardised


def _hat(x: np.ndarray, axis: int | None = -1, eps: float = 1e-5, correction: int = 0) -> np.ndarray:
    variance = x.var(axis=axis, keepdims=True, ddof=correction)
    return (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(variance + eps)


def _centred(x: np.ndarray) -> np.ndarray:
    return x - x.mean(axis=-1, keepdims=True)


# LayerNorm made of x (T, D), γ, β.
WRONG_LAYER: list[Wrong] = [
    (
        "The variance is divided by D − 1 (torch.var's default); a norm divides by D: var(…, correction=0).",
        lambda x, g, b: g * _hat(x, correction=1) + b,
    ),
    (
        "The mean is not taken away: subtract it before you divide.",
        lambda x, g, b: g * x / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "That is RMSNorm with β: take the mean away, from x and inside the variance.",
        lambda x, g, b: g * x / root_mean_square(x, 1e-5) + b,
    ),
    (
        "The mean is taken away above the line, but below it stands the mean of x², not the variance.",
        lambda x, g, b: g * _centred(x) / root_mean_square(x, 1e-5) + b,
    ),
    (
        "The spread is left as it was: divide by the root of variance + ε.",
        lambda x, g, b: g * _centred(x) + b,
    ),
    (
        "It divides by the variance; divide by its square root.",
        lambda x, g, b: g * _centred(x) / (x.var(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "It divides by the mean distance from the mean; divide by the root of the mean of its square.",
        lambda x, g, b: g * _centred(x) / np.abs(_centred(x)).mean(axis=-1, keepdims=True) + b,
    ),
    (
        "It divides by the length of the vector, a sum; the variance is a mean over D.",
        lambda x, g, b: g * _centred(x) / np.linalg.norm(_centred(x), axis=-1, keepdims=True) + b,
    ),
    (
        "Mean and variance run over the words, so a word's result depends on its neighbours; use dim=-1.",
        lambda x, g, b: g * _hat(x, axis=0) + b,
    ),
    (
        "Mean and variance run over words and dimensions together; each word needs its own, dim=-1.",
        lambda x, g, b: g * _hat(x, axis=None) + b,
    ),
    (
        "γ is not used: multiply by it after the division.",
        lambda x, g, b: _hat(x) + b,
    ),
    (
        "β is not used: add it at the end.",
        lambda x, g, b: g * _hat(x),
    ),
    (
        "Neither γ nor β is used: multiply by γ, then add β.",
        lambda x, g, b: _hat(x),
    ),
    (
        "γ and β are exchanged: γ multiplies, β is added.",
        lambda x, g, b: b * _hat(x) + g,
    ),
    (
        "β is added before γ multiplies; multiply first, then add.",
        lambda x, g, b: g * (_hat(x) + b),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_LAYER: list[Wrong] = [
    (
        "The brackets around x − mean are missing: x must lose its mean before it is divided.",
        lambda x, g, b: g * x - x.mean(axis=-1, keepdims=True) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "β multiplies; it is added.",
        lambda x, g, b: g * _hat(x) * b,
    ),
    (
        "The variance runs over words and dimensions together; each word needs its own, dim=-1.",
        lambda x, g, b: g * _centred(x) / np.sqrt((_centred(x) ** 2).mean() + 1e-5) + b,
    ),
    *(
        (
            "The mean runs over the words, the variance does not; both belong to one word, dim=-1.",
            lambda x, g, b, axis=axis: (
                g * (d := x - x.mean(axis=axis)) / np.sqrt((d**2).mean(axis=-1, keepdims=True) + 1e-5) + b
            ),
        )
        for axis in (0, None)
    ),
    (
        "The variance runs over words and dimensions together; each word needs its own, dim=-1.",
        lambda x, g, b: g * _centred(x) / np.sqrt(x.var() + 1e-5) + b,
    ),
    *(
        (
            "The mean runs over the words, the variance does not; both belong to one word, dim=-1.",
            lambda x, g, b, axis=axis: g * (x - x.mean(axis=axis)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + b,
        )
        for axis in (0, None)
    ),
    (
        "The variance runs over the words, the mean does not; both belong to one word, dim=-1.",
        lambda x, g, b: g * _centred(x) / np.sqrt(x.var(axis=0) + 1e-5) + b,
    ),
    (
        "The mean is added; it is taken away.",
        lambda x, g, b: g * (x + x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "x is taken away from the mean; it is x − mean.",
        lambda x, g, b: b - g * _hat(x),
    ),
    (
        "γ is added to x − mean; it multiplies.",
        lambda x, g, b: (g + _centred(x)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "γ is added; it multiplies.",
        lambda x, g, b: g + _hat(x) + b,
    ),
    (
        "The root multiplies here; divide by it.",
        lambda x, g, b: g * _centred(x) * np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "γ divides here; it multiplies.",
        lambda x, g, b: _hat(x) / g + b,
    ),
    (
        "β is divided by the root too; add it at the very end.",
        lambda x, g, b: (g * _centred(x) + b) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5),
    ),
    (
        "Nothing is normalised: it gives γ · x + β.",
        lambda x, g, b: g * x + b,
    ),
    (
        "The root is taken twice; once is right.",
        lambda x, g, b: g * _centred(x) / np.sqrt(np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)) + b,
    ),
    (
        "β is taken away; it is added.",
        lambda x, g, b: g * _hat(x) - b,
    ),
    (
        "It divides by the root of the mean distance from the mean; divide by the root of the mean of its square.",
        lambda x, g, b: g * _centred(x) / np.sqrt(np.abs(_centred(x)).mean(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "1 + γ multiplies; γ starts as 1 and multiplies as it is.",
        lambda x, g, b: (1 + g) * _hat(x) + b,
    ),
    (
        "The numbers are moved between 0 and 1 by the least and the largest; take the mean, and the root of the "
        "variance.",
        lambda x, g, b: g * (x - x.min(-1, keepdims=True)) / np.ptp(x, axis=-1, keepdims=True) + b,
    ),
    (
        "The median is taken away; it is the mean.",
        lambda x, g, b: (
            g * ((d := x - np.sort(x, axis=-1)[:, [(x.shape[-1] - 1) // 2]]) / np.sqrt((d**2).mean(-1, keepdims=True)))
            + b
        ),
    ),
]

# Where the norm is divided by what its root makes of the mean square.
_ROOT = [
    ("The root is taken twice; once is right.", lambda square: np.sqrt(np.sqrt(square))),
    ("The root multiplies here; divide by it.", lambda square: 1 / np.sqrt(square)),
]


def chosen_layer(
    x: np.ndarray,
    g: np.ndarray,
    b: np.ndarray,
    *,
    axis: int | tuple[int, ...] | None = -1,
    above: Callable = np.subtract,
    below: Callable = lambda x, centred, mean: mean(centred**2),
    root: Callable = np.sqrt,
    finish: Callable = lambda hat, g, b: g * hat + b,
) -> np.ndarray:
    """LayerNorm; the keywords make one of its choices otherwise. ``mean`` is that over ``axis``."""

    def mean(numbers: np.ndarray) -> np.ndarray:
        return numbers.mean(axis=axis, keepdims=True)

    return finish(above(x, mean(x)) / root(below(x, x - mean(x), mean) + 1e-5), g, b)


LAYER_AXES: Axes = {
    "axis": [
        ("Mean and variance run over the words, so a word's result depends on its neighbours; use dim=-1.", 0),
        ("Mean and variance run over words and dimensions together; each word needs its own, dim=-1.", None),
    ],
    "above": [
        ("The mean is not taken away: subtract it before you divide.", lambda x, mean: x),
        ("The mean is added; it is taken away.", np.add),
        ("x is taken away from the mean; it is x − mean.", lambda x, mean: mean - x),
    ],
    "below": [
        (
            "Below the line stands the mean of x²; the variance is the mean of the square of x − mean.",
            lambda x, centred, mean: mean(x**2),
        ),
        (
            "The squares are added up and not divided; the variance is a mean over D.",
            lambda x, centred, mean: mean(centred**2) * x.shape[-1],
        ),
        (
            "The variance is divided by D − 1 (torch.var's default); a norm divides by D: var(…, correction=0).",
            lambda x, centred, mean: mean(centred**2) * x.shape[-1] / (x.shape[-1] - 1),
        ),
    ],
    "root": [("It divides by the variance; divide by its square root.", lambda square: square), *_ROOT],
    "finish": [
        ("γ is not used: multiply by it after the division.", lambda hat, g, b: hat + b),
        ("β is not used: add it at the end.", lambda hat, g, b: g * hat),
        ("Neither γ nor β is used: multiply by γ, then add β.", lambda hat, g, b: hat),
        ("γ and β are exchanged: γ multiplies, β is added.", lambda hat, g, b: b * hat + g),
        ("β is added before γ multiplies; multiply first, then add.", lambda hat, g, b: g * (hat + b)),
        ("β is taken away; it is added.", lambda hat, g, b: g * hat - b),
        ("1 + γ multiplies; γ starts as 1 and multiplies as it is.", lambda hat, g, b: (1 + g) * hat + b),
        ("γ divides here; it multiplies.", lambda hat, g, b: hat / g + b),
        ("γ is added; it multiplies.", lambda hat, g, b: hat + g + b),
    ],
}

# LayerNorm of words that hardly differ within themselves, made of x (T, D), γ, β.
WRONG_EPS: list[Wrong] = [
    (
        "ε stands outside the root, where it does next to nothing: √(variance + ε), not √variance + ε.",
        lambda x, g, b: g * _centred(x) / (x.std(axis=-1, keepdims=True) + 1e-5) + b,
    ),
    (
        "There is no ε: where all numbers of a word are nearly equal, noise is blown up to full size.",
        lambda x, g, b: g * _centred(x) / x.std(axis=-1, keepdims=True) + b,
    ),
    (
        "ε is 1e-6 here; the default that the question asks for is 1e-5.",
        lambda x, g, b: g * _hat(x, eps=1e-6) + b,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_EPS: list[Wrong] = [
    (
        "ε comes twice inside the root; once is right.",
        lambda x, g, b: g * _hat(x, eps=2e-5) + b,
    ),
    (
        "ε is squared; √(variance + ε) takes it as it is.",
        lambda x, g, b: g * _hat(x, eps=1e-10) + b,
    ),
]

# RMSNorm made of x (T, D), γ.
WRONG_RMS: list[Wrong] = [
    (
        "That is LayerNorm without β: RMSNorm leaves the mean where it is.",
        lambda x, g: g * standardised(x, 1e-6)[0],
    ),
    (
        "It divides by the spread around the mean; divide by the root of the mean of x².",
        lambda x, g: g * x / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-6),
    ),
    (
        "It divides by the mean of x²; divide by its square root.",
        lambda x, g: g * x / (np.square(x).mean(axis=-1, keepdims=True) + 1e-6),
    ),
    (
        "It divides by the root of the sum of x² (the length); divide by the root of the mean.",
        lambda x, g: g * x / np.linalg.norm(x, axis=-1, keepdims=True),
    ),
    (
        "It squares the mean; take the mean of the squares.",
        lambda x, g: g * x / np.abs(x.mean(axis=-1, keepdims=True)),
    ),
    (
        "It divides by the mean of |x|; divide by the root of the mean of x².",
        lambda x, g: g * x / np.abs(x).mean(axis=-1, keepdims=True),
    ),
    (
        "The mean of x² runs over the words; each word needs its own, dim=-1.",
        lambda x, g: g * x / np.sqrt(np.square(x).mean(axis=0) + 1e-6),
    ),
    (
        "The mean of x² runs over words and dimensions together; each word needs its own, dim=-1.",
        lambda x, g: g * x / np.sqrt(np.square(x).mean() + 1e-6),
    ),
    (
        "γ is left out: multiply by it after the division.",
        lambda x, g: x / root_mean_square(x, 1e-6),
    ),
    (
        "γ divides here; it multiplies.",
        lambda x, g: x / root_mean_square(x, 1e-6) / g,
    ),
    (
        "The root multiplies here; divide by it.",
        lambda x, g: g * x * root_mean_square(x, 1e-6),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_RMS: list[Wrong] = [
    (
        "γ is added; it multiplies.",
        lambda x, g: g + x / root_mean_square(x, 1e-6),
    ),
    (
        "The mean is taken away above the line; RMSNorm leaves x as it is.",
        lambda x, g: g * _centred(x) / root_mean_square(x, 1e-6),
    ),
    (
        "The sum of x² is divided by d_model − 1; its mean is divided by d_model.",
        lambda x, g: g * x / np.sqrt(np.square(x).sum(axis=-1, keepdims=True) / (x.shape[-1] - 1) + 1e-6),
    ),
    (
        "It divides by the spread around the mean; divide by the root of the mean of x².",
        lambda x, g: g * x / np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + 1e-6),
    ),
    (
        "Nothing is normalised: it gives γ · x.",
        lambda x, g: g * x,
    ),
    (
        "It divides by the root of the mean of |x|; divide by the root of the mean of x².",
        lambda x, g: g * x / np.sqrt(np.abs(x).mean(axis=-1, keepdims=True) + 1e-6),
    ),
    (
        "1 + γ multiplies; γ starts as 1 and multiplies as it is.",
        lambda x, g: (1 + g) * x / root_mean_square(x, 1e-6),
    ),
    (
        "γ multiplies twice; once is right.",
        lambda x, g: g * g * x / root_mean_square(x, 1e-6),
    ),
    (
        "γ multiplies x before the root is taken, so the root is that of γ · x; multiply after the division.",
        lambda x, g: rms_norm(g * x, np.ones_like(g)),
    ),
    (
        "The length of the vector is divided by d_model; the root of the mean is the length divided by √d_model.",
        lambda x, g: g * x * x.shape[-1] / np.linalg.norm(x, axis=-1, keepdims=True),
    ),
    *(
        (
            "The root is taken twice; once is right.",
            lambda x, g, inside=inside, outside=outside: g * x / np.sqrt(root_mean_square(x, inside) + outside),
        )
        for inside, outside in ((0.0, 1e-6), (1e-6, 0.0))
    ),
    (
        "It divides by the square of the mean of |x|; divide by the root of the mean of x².",
        lambda x, g: g * x / (np.abs(x).mean(axis=-1, keepdims=True) ** 2 + 1e-6),
    ),
    (
        "The mean is missing: each number is divided by its own size; divide by the root of the mean of x² over the "
        "word.",
        lambda x, g: g * x / np.sqrt(x**2 + 1e-6),
    ),
    (
        "Mean and root are missing: each number is divided by its own square; divide by the root of the mean of x² "
        "over the word.",
        lambda x, g: g * x / (x**2 + 1e-6),
    ),
    (
        "It divides by the sum of x²; divide by the root of the mean.",
        lambda x, g: g * x / (np.square(x).sum(axis=-1, keepdims=True) + 1e-6),
    ),
    (
        "It divides by the largest |x|; divide by the root of the mean of x².",
        lambda x, g: g * x / np.abs(x).max(axis=-1, keepdims=True),
    ),
]


def chosen_rms(
    x: np.ndarray,
    g: np.ndarray,
    *,
    axis: int | tuple[int, ...] | None = -1,
    above: Callable = lambda x, mean: x,
    below: Callable = lambda x, mean: mean(x**2),
    root: Callable = np.sqrt,
    finish: Callable = np.multiply,
) -> np.ndarray:
    """RMSNorm, likewise."""

    def mean(numbers: np.ndarray) -> np.ndarray:
        return numbers.mean(axis=axis, keepdims=True)

    return finish(g, above(x, mean(x)) / root(below(x, mean) + 1e-6))


RMS_AXES: Axes = {
    "axis": [
        ("The mean of x² runs over the words; each word needs its own, dim=-1.", 0),
        ("The mean of x² runs over words and dimensions together; each word needs its own, dim=-1.", None),
    ],
    "above": [
        ("The mean is taken away above the line; RMSNorm leaves x as it is.", np.subtract),
    ],
    "below": [
        ("x² is added up and not divided; divide by the root of the mean.", lambda x, mean: mean(x**2) * x.shape[-1]),
        ("It squares the mean; take the mean of the squares.", lambda x, mean: mean(x) ** 2),
        (
            "It divides by the spread around the mean; divide by the root of the mean of x².",
            lambda x, mean: mean((x - mean(x)) ** 2),
        ),
        (
            "The sum of x² is divided by d_model − 1; its mean is divided by d_model.",
            lambda x, mean: mean(x**2) * x.shape[-1] / (x.shape[-1] - 1),
        ),
    ],
    "root": [("It divides by the mean of x²; divide by its square root.", lambda square: square), *_ROOT],
    "finish": [
        ("γ is left out: multiply by it after the division.", lambda g, hat: hat),
        ("γ is added; it multiplies.", np.add),
        ("γ divides here; it multiplies.", lambda g, hat: hat / g),
        ("1 + γ multiplies; γ starts as 1 and multiplies as it is.", lambda g, hat: (1 + g) * hat),
        ("γ multiplies twice; once is right.", lambda g, hat: g * g * hat),
    ],
}

# RMSNorm of words that are nearly zero, made of x (T, D), γ.
WRONG_RMS_EPS: list[Wrong] = [
    (
        "ε stands behind the root, where it does next to nothing: √(mean of x² + ε).",
        lambda x, g: g * x / (root_mean_square(x, 0.0) + 1e-6),
    ),
    (
        "There is no ε, so a word that is nearly zero is blown up to full size: √(mean of x² + ε).",
        lambda x, g: g * x / root_mean_square(x, 0.0),
    ),
    (
        "ε is 1e-5 here, LayerNorm's; the default that this question asks for is 1e-6.",
        lambda x, g: rms_norm(x, g, 1e-5),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_RMS_EPS: list[Wrong] = [
    (
        "The larger of the mean square and ε is taken; √(mean of x² + ε) adds them.",
        lambda x, g: g * x / np.sqrt(np.maximum(np.square(x).mean(axis=-1, keepdims=True), 1e-6)),
    ),
    (
        "ε is squared; √(mean of x² + ε) takes it as it is.",
        lambda x, g: rms_norm(x, g, 1e-12),
    ),
]

# x + f(norm(x)) made of x, the norm n and the sub-layer f.
WRONG_PRE: list[Wrong] = [
    (
        'With place="pre" it computes post-norm: LayerNorm(x + f(x)); due is x + f(LayerNorm(x)).',
        post,
    ),
    (
        "The residual path is missing: it gives f(LayerNorm(x)), and x itself is lost; add it.",
        lambda x, n, f: f(n(x)),
    ),
    (
        "The residual path carries the normalised x; it must carry x itself, untouched.",
        lambda x, n, f: n(x) + f(n(x)),
    ),
    (
        "The norm is missing: it gives x + f(x).",
        lambda x, n, f: x + f(x),
    ),
    (
        "The norm follows the sub-layer; in pre-norm it comes before: x + f(LayerNorm(x)).",
        lambda x, n, f: x + n(f(x)),
    ),
    (
        "There is a norm before the sub-layer and another one after the sum; pre-norm has the first only.",
        lambda x, n, f: n(x + f(n(x))),
    ),
    (
        "The sub-layer's output is taken away from x; it is added.",
        lambda x, n, f: x - f(n(x)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_PRE: list[Wrong] = [
    (
        "x and LayerNorm(x) are both added; add x alone: x + f(LayerNorm(x)).",
        lambda x, n, f: x + n(x) + f(n(x)),
    ),
    (
        "The sum is halved; x and the sub-layer's output are added, and that is all.",
        lambda x, n, f: (x + f(n(x))) / 2,
    ),
    (
        "The sub-layer's output multiplies x; it is added.",
        lambda x, n, f: x * f(n(x)),
    ),
    (
        "The norm stands on the residual path, and the sub-layer gets x as it is; it is the other way round.",
        lambda x, n, f: n(x) + f(x),
    ),
    (
        "The norm is made anew in each call, so its γ and β are not those that are learned; call self.norm.",
        lambda x, n, f: x + f(standardised(x, 1e-5)[0]),
    ),
]

# norm(x + f(x)) made of the same.
WRONG_POST: list[Wrong] = [
    (
        'With place="post" it still computes pre-norm: x + f(LayerNorm(x)); due is LayerNorm(x + f(x)).',
        pre,
    ),
    (
        "In post-norm the residual path is missing: it gives LayerNorm(f(x)).",
        lambda x, n, f: n(f(x)),
    ),
    (
        "In post-norm x is added after the norm; normalise the sum: LayerNorm(x + f(x)).",
        lambda x, n, f: x + n(f(x)),
    ),
    (
        "In post-norm only x is normalised; normalise the sum: LayerNorm(x + f(x)).",
        lambda x, n, f: n(x) + f(x),
    ),
    (
        "In post-norm the two are normalised apart and then added; add first, and normalise the sum.",
        lambda x, n, f: n(x) + n(f(x)),
    ),
    (
        "In post-norm the sub-layer gets the normalised x as well; it gets x as it is.",
        lambda x, n, f: n(x + f(n(x))),
    ),
    (
        "In post-norm there is no norm at all: it gives x + f(x).",
        lambda x, n, f: x + f(x),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_POST: list[Wrong] = [
    (
        "In post-norm x is added once more behind the norm; it gives LayerNorm(x + f(x)) alone.",
        lambda x, n, f: x + n(x + f(x)),
    ),
    (
        "In post-norm the norm comes first, and both paths start behind it; normalise the sum: LayerNorm(x + f(x)).",
        lambda x, n, f: (y := n(x)) + f(y),
    ),
    (
        "The norm is made anew in each call, so its γ and β are not those that are learned; call self.norm.",
        lambda x, n, f: standardised(x + f(x), 1e-5)[0],
    ),
    (
        "In post-norm the sum is halved; the norm takes it as it is.",
        lambda x, n, f: n(x + f(x)) / 2,
    ),
]


def _formulas() -> Iterator[Wrong]:
    """What can be made of x, a sub-layer f and at most four norms and sums: the formula, and its value."""
    for before, behind, kept, around in itertools.product((0, 1), (0, 1), ("", "x + ", "LayerNorm(x) + "), (0, 1)):
        text = ("f(x)", "f(LayerNorm(x))")[before]
        text = kept + (text, f"LayerNorm({text})")[behind]

        def version(x, n, f, before=before, behind=behind, kept=kept, around=around):
            made = f(n(x) if before else x)
            total = (n(made) if behind else made) + (0 if not kept else x if kept == "x + " else n(x))
            return n(total) if around else total

        yield (text, f"LayerNorm({text})")[around], version


FORMULAS = list(_formulas())

KNOWN_LAYER = [*WRONG_LAYER, *RARE_LAYER]
KNOWN_EPS = [*WRONG_EPS, *RARE_EPS]
KNOWN_RMS = [*WRONG_RMS, *RARE_RMS]
KNOWN_RMS_EPS = [*WRONG_RMS_EPS, *RARE_RMS_EPS]
KNOWN_PRE = [*WRONG_PRE, *RARE_PRE]
KNOWN_POST = [*WRONG_POST, *RARE_POST]
