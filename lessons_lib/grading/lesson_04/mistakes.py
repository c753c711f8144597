"""Lesson 4: the ways in which positions go wrong: choices of three formulas, and the few that are none of them."""

from collections.abc import Callable

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.variations import Axes
from lessons_lib.grading.lesson_04.reference import angles_at, distances, sinusoidal

Numbers = Callable[..., np.ndarray]


def chosen_speeds(
    columns: np.ndarray,
    width: int,
    *,
    index: Numbers = lambda c: c // 2 * 2,
    divisor: Callable[[int], float] | None = float,
    sign: int = -1,
    base: float = 10_000.0,
) -> np.ndarray:
    """base^(−2i/width) for each of these columns; without a divisor the whole is divided by the width."""
    if divisor is None:
        return base ** (sign * index(columns).astype(np.float64)) / width
    return base ** (sign * index(columns) / divisor(width))


def _speed_axes(width: str) -> dict:
    """What goes wrong with the speeds, of the table and of RoPE."""
    return {
        "index": [
            (f"The 2 in the exponent is missing: pair i has the speed 10000^(−2i/{width}).", lambda c: c // 2),
            (f"The exponent is (2i + 1)/{width}; both numbers of a pair have 2i/{width}.", lambda c: c // 2 * 2 + 1),
            (
                f"The first pair has the speed of the second; the exponents are 0, −2/{width}, −4/{width} …",
                lambda c: c // 2 * 2 + 2,
            ),
            (
                f"All pairs turn at the same speed; pair i has the speed 10000^(−2i/{width}) (is there a // ?).",
                lambda c: 0 * c,
            ),
        ],
        "divisor": [
            (
                f"The exponent is twice too large: torch.arange(0, {width}, 2) gives 2i already, and that is divided "
                f"by {width}, not by the number of pairs.",
                lambda d: d / 2,
            ),
            (f"The exponents are divided by {width} − 1; divide by {width}.", lambda d: d - 1),
            (
                f"The exponents are divided by {width} − 2, so that the last speed is 1/10000; divide by {width}.",
                lambda d: max(1, d - 2),
            ),
            (f"The exponents are divided by a fixed 512; divide by {width}.", lambda d: 512),
            (
                f"The speeds are divided by {width} after the power is taken: put the exponent in brackets, "
                f"2i/{width}.",
                None,
            ),
        ],
        "sign": [(f"The speeds grow from pair to pair: the exponent of 10000 is negative, −2i/{width}.", 1)],
        "base": [
            *((f"The base is {base}; it must be 10000.", float(base)) for base in (1000, 100000, 500000)),
            ("The base is e; it must be 10000.", np.e),
            ("That logarithm has base 10; exp belongs to math.log, the natural one.", np.exp(4)),
            (
                f"All speeds but the first are 0: // makes a whole number of the exponent −2i/{width}, or the "
                f"logarithm is missing in exp(−2i/{width} · ln 10000).",
                np.inf,
            ),
        ],
        "factor": [
            ("The angles are multiplied by 2π; position times speed is the angle, in radians.", 2 * np.pi),
            ("The angles are taken for degrees; position times speed is the angle, in radians.", np.pi / 180),
            ("The angles are half as large as they should be; an angle is position times speed.", 0.5),
            ("The angles are twice as large as they should be; an angle is position times speed.", 2.0),
        ],
    }


def alternating(angles: np.ndarray) -> np.ndarray:
    """(T, D) angles as sine, cosine, sine …"""
    return np.where(np.arange(angles.shape[1]) % 2, np.cos(angles), np.sin(angles))


def chosen_table(
    length: int,
    width: int,
    *,
    layout: Numbers = alternating,
    first: int = 0,
    later: float = 0.0,
    factor: float = 1.0,
    scale: Callable[[int], float] = lambda d: 1.0,
    **speeds,
) -> np.ndarray:
    """The sinusoidal table of `length` positions and `width` columns."""
    places = np.arange(first, first + length)[:, None] + later * (np.arange(width) % 2)
    return scale(width) * layout(factor * places * chosen_speeds(np.arange(width), width, **speeds))


_OF_TABLE = _speed_axes("d_model")
TABLE_AXES: Axes = _OF_TABLE | {
    "index": [
        *_OF_TABLE["index"],
        ("Each column has a speed of its own; a cosine has the same speed as the sine to its left.", lambda c: c),
    ],
    "layout": [
        (
            "All sines come first, then all cosines; they must alternate: a sine in column 0, its cosine in column 1.",
            lambda a: np.concatenate([np.sin(a[:, 0::2]), np.cos(a[:, 1::2])], axis=1),
        ),
        (
            "Sines and cosines are exchanged: the even columns are sines, so the first row is 0, 1, 0, 1 …",
            lambda a: np.where(np.arange(a.shape[1]) % 2, np.sin(a), np.cos(a)),
        ),
        ("Every column is a sine; the odd ones must be cosines.", np.sin),
        ("Every column is a cosine; the even ones must be sines.", np.cos),
        ("The columns hold the angles; take the sine or cosine of each.", lambda a: a),
        (
            "The cosines are taken of the sines; both are of the angle.",
            lambda a: np.where(np.arange(a.shape[1]) % 2, np.cos(np.sin(a)), np.sin(a)),
        ),
        (
            "The odd columns are empty; they hold the cosines.",
            lambda a: np.sin(a) * (np.arange(a.shape[1]) % 2 == 0),
        ),
        (
            "The even columns are empty; they hold the sines.",
            lambda a: np.cos(a) * (np.arange(a.shape[1]) % 2 == 1),
        ),
    ],
    "first": [
        ("The first row belongs to position 1; positions count from 0, so the first row is 0, 1, 0, 1 …", 1),
    ],
    "scale": [("The table is multiplied by √d_model; that is for the embeddings (lesson 5).", np.sqrt)],
}


def _halves(x: np.ndarray) -> list[np.ndarray]:
    return np.split(x, 2, axis=1)


def _neighbours(x: np.ndarray) -> list[np.ndarray]:
    return [x[:, 0::2], x[:, 1::2]]


def _beside(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.concatenate([first, second], axis=1)


def _interleaved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([first, second], axis=-1).reshape(len(first), -1)


def chosen_rotation(
    x: np.ndarray,
    start: int,
    *,
    places: tuple[Callable[[int, int], np.ndarray], int] = (lambda n, s: s + np.arange(n), 0),
    factor: float = 1.0,
    pairs: tuple[Callable, Callable] = (_halves, _beside),
    laid_out: Callable = lambda a: (a, a),
    signs: tuple[float, float] = (-1.0, 1.0),
    waves: tuple[Callable, Callable] = (np.cos, np.sin),
    turned: str = "both",
    **speeds,
) -> np.ndarray:
    """RoPE of x (T, d_head), whose first row stands at `start`.

    Args:
        places: the position of each row, and how often `start` is added to the angles.
        pairs: how x is parted, and how the two parts are put together again.
        laid_out: the angles of the first part and of the second.
        signs: of the sine in the first part and in the second.
        turned: "first" or "second" alone, or "in turn": the second made of the new first.
    """
    of_pairs = chosen_speeds(np.arange(0, x.shape[1], 2), x.shape[1], **speeds)
    angles = factor * places[0](len(x), start)[:, None] * of_pairs + places[1] * start
    (first, second), (one, two), (cosine, sine) = pairs[0](x), laid_out(angles), waves
    new = first if turned == "second" else first * cosine(one) + signs[0] * second * sine(one)
    partner = new if turned == "in turn" else first
    return pairs[1](new, second if turned == "first" else second * cosine(two) + signs[1] * partner * sine(two))


ROTATION_AXES: Axes = _speed_axes("d_head") | {
    "pairs": [
        (
            "Dimensions 2i and 2i + 1 turn together; here the pairs are i and i + d_head/2 (two halves).",
            (_neighbours, _interleaved),
        ),
        (
            "Neighbours are taken for pairs, and then put back as two halves; take the halves, chunk(2, dim=-1).",
            (_neighbours, _beside),
        ),
        (
            "The two halves come back interleaved; put the new first half in front of the second, torch.cat.",
            (_halves, _interleaved),
        ),
        (
            "The two halves come back exchanged: the new first half is in front.",
            (_halves, lambda first, second: _beside(second, first)),
        ),
    ],
    "laid_out": [
        (
            "Two conventions are mixed: angles laid out for the pairs 2i, 2i + 1, but partners taken from the other "
            "half.",
            lambda a: np.split(np.repeat(a, 2, axis=1), 2, axis=1),
        )
    ],
    "signs": [
        ("The vectors turn the wrong way: the first half becomes first · cos − second · sin.", (1.0, -1.0)),
        ("The minus is missing: the first half is first · cos − second · sin, only the second half adds.", (1.0, 1.0)),
        ("Both halves subtract: the second half is second · cos + first · sin.", (-1.0, -1.0)),
        (
            "Each number is only multiplied by a cosine; a rotation also brings in the other one of the pair, by the "
            "sine.",
            (0.0, 0.0),
        ),
    ],
    "waves": [
        ("Sine and cosine are exchanged: at position 0 nothing turns, for its cosine is 1.", (np.sin, np.cos)),
    ],
    "turned": [
        ("Only the first half turns; the second half is new too: second · cos + first · sin.", "first"),
        ("Only the second half turns; the first half is new too: first · cos − second · sin.", "second"),
        ("The new second half is made of the new first half; make both of the old ones.", "in turn"),
    ],
    "places": [
        (
            "The first row is turned as at position 1; positions count from 0, where nothing turns.",
            (lambda n, s: s + 1 + np.arange(n), 0),
        ),
        (
            "The positions run backwards; the first row stands at start, the next at start + 1.",
            (lambda n, s: s + np.arange(n)[::-1], 0),
        ),
        (
            "`start` changes nothing: while a translator writes with a cache, every new word would stand at position "
            "0.",
            (lambda n, s: np.arange(n), 0),
        ),
        (
            "`start` is subtracted; the first row stands at position start, the next at start + 1.",
            (lambda n, s: np.arange(n) - s, 0),
        ),
        (
            "With `start`, all rows stand at the same position; they stand at start, start + 1, start + 2 …",
            (lambda n, s: np.full(n, s), 0),
        ),
        (
            "With `start`, all rows stand at the same position; they stand at start, start + 1, start + 2 …",
            (lambda n, s: np.full(n, s) if s else np.arange(n), 0),
        ),
        (
            "`start` multiplies the positions; it is added: row t stands at start + t.",
            (lambda n, s: s * np.arange(n), 0),
        ),
        ("`start` is added twice; row t stands at start + t.", (lambda n, s: 2 * s + np.arange(n), 0)),
        (
            "With `start` the first row stands at position start − 1; row t stands at start + t.",
            (lambda n, s: max(0, s - 1) + np.arange(n), 0),
        ),
        (
            "`start` is added to the angles; it belongs to the positions, before they are multiplied by the speeds.",
            (lambda n, s: np.arange(n), 1),
        ),
    ],
}

# The rotation of x (T, d_head), whose first row stands at position s, by something that is no rotation.
RARE_ROTATIONS: list[Wrong] = [
    ("The positions are added; RoPE turns, it adds nothing.", lambda x, s: x + sinusoidal(s + len(x), x.shape[1])[s:]),
    *(
        (
            "Cosines and sines are added; RoPE multiplies with them.",
            lambda x, s, waves=waves: x + np.concatenate([wave(angles_at(x, s)) for wave in waves], axis=1),
        )
        for waves in ((np.cos, np.sin), (np.sin, np.cos))
    ),
    ("Nothing is turned: the result is the input.", lambda x, s: x),
]


def chosen_bias(
    table: np.ndarray,
    length: int,
    *,
    way: Numbers = lambda d: d,
    less: int = 0,
    columns: Callable[[np.ndarray, int, int], np.ndarray] = lambda d, m, n: d.clip(-m, m) + m,
    beyond: float | None = None,
    ahead: float | None = None,
    heads: Numbers = lambda b: b,
    scale: Callable[[int], float] = lambda h: 1.0,
) -> np.ndarray:
    """The bias from a table (H, R), for `length` queries from position 0 on.

    Args:
        way: what is made of the distance key − query.
        less: by how much max_distance is too small.
        columns: made of distance, max_distance and R.
        beyond: what stands where the distance is larger than max_distance.
        ahead: what stands where the key comes behind the query.
    """
    distance, middle = way(distances(length)), table.shape[1] // 2 - less
    bias = table.astype(np.float64)[:, columns(distance, middle, table.shape[1])]
    if beyond is not None:
        bias = np.where(np.abs(distance) <= middle, bias, beyond)
    if ahead is not None:
        bias = np.where(distances(length) > 0, ahead, bias)
    return heads(bias) * scale(len(table))


_NO_SIGN = "Left and right get the same number; the distance has a sign, so do not take its absolute value."
_HIDDEN = "Keys behind the query get no bias of their own: a causal mask is not asked for here, distances go both ways."
_BOUNDS = (
    "The bounds of the clip do not fit its place: before max_distance is added they are −max_distance and "
    "+max_distance, after it 0 and 2 · max_distance."
)
BIAS_AXES: Axes = {
    "way": [
        (
            "Left and right are exchanged: the distance is key − query, so column 0 belongs to keys far to the left.",
            np.negative,
        ),
        (_NO_SIGN, np.abs),
        (_NO_SIGN, lambda d: -np.abs(d)),
        (
            "The columns are numbered by the key alone; number them by key − query.",
            lambda d: np.broadcast_to(np.arange(d.shape[1]), d.shape),
        ),
        (
            "The columns are numbered by the query alone; number them by key − query.",
            lambda d: np.broadcast_to(np.arange(d.shape[0])[:, None], d.shape),
        ),
    ],
    "less": [
        ("max_distance is one too small: the table has 2·max_distance + 1 columns.", 1),
    ],
    "columns": [
        (
            "Negative distances count from the end of the table; add max_distance, so that −max_distance is 0.",
            lambda d, m, n: d.clip(-m, m),
        ),
        (
            "max_distance is not added before the clip at the ends of the table; −max_distance is column 0.",
            lambda d, m, n: d.clip(0, n - 1),
        ),
        (
            "The last column is never used, as if 0 were no distance; clip at +max_distance.",
            lambda d, m, n: d.clip(-m, m - 1) + m,
        ),
        (
            "Distances are not clipped but start again at the other end (a remainder, %); use clamp.",
            lambda d, m, n: (d + m) % n,
        ),
        (
            "Distances start again at the other end (a remainder, %), and max_distance is not added; use clamp.",
            lambda d, m, n: d % n,
        ),
        (_BOUNDS, lambda d, m, n: (d + m).clip(0, m)),
        (_BOUNDS, lambda d, m, n: (d + m).clip(-m, m)),
        (
            "Distances are clipped on the right only; far to the left the columns count from the end of the table.",
            lambda d, m, n: np.minimum(d, m) + m,
        ),
        (
            "Distances below 0 are clipped to 0; the lower end is −max_distance.",
            lambda d, m, n: d.clip(0, m) + m,
        ),
    ],
    "beyond": [
        ("Distances beyond max_distance get 0; they get the number of the last distance that the table has.", 0.0),
        (
            "Distances beyond max_distance are hidden, −∞; they get the number of the last distance that the table "
            "has.",
            -np.inf,
        ),
    ],
    "ahead": [(_HIDDEN, hidden) for hidden in (0.0, -1e9, -np.inf)],
    "heads": [
        (
            "All heads get the numbers of the first head; each has a row of the table.",
            lambda b: np.repeat(b[:1], len(b), axis=0),
        ),
        ("The heads stand in each other's order; head h has row h of the table.", lambda b: b[::-1]),
    ],
    "scale": [("The biases are scaled; they are the numbers of the table as they stand there.", lambda h: h**-0.5)],
}
