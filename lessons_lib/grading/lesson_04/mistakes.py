"""Lesson 4: the ways in which positions go wrong, each as a version of the reference."""

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.lesson_04.reference import (
    angles_at,
    distances,
    relative_bias,
    rotary,
    sinusoidal,
    speeds,
    turn,
)


def alternating(angles: np.ndarray) -> np.ndarray:
    """(T, D/2) angles as sine, cosine, sine …"""
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(angles), -1)


def positions(length: int) -> np.ndarray:
    return np.arange(length)[:, None]


# The table of t positions and d columns.
WRONG_TABLES: list[Wrong] = [
    (
        "All sines come first, then all cosines; they must alternate: a sine in column 0, its cosine in column 1.",
        lambda t, d: np.concatenate([sinusoidal(t, d)[:, 0::2], sinusoidal(t, d)[:, 1::2]], axis=1),
    ),
    (
        "Sines and cosines are exchanged: the even columns are sines, so the first row is 0, 1, 0, 1 …",
        lambda t, d: sinusoidal(t, d).reshape(t, -1, 2)[:, :, ::-1].reshape(t, d),
    ),
    (
        "Every column is a sine; the odd ones must be cosines.",
        lambda t, d: np.sin(np.repeat(positions(t) * speeds(d), 2, axis=1)),
    ),
    (
        "Each column has a speed of its own; a cosine has the same speed as the sine to its left.",
        lambda t, d: np.where(
            np.arange(d) % 2, *(f(positions(t) * 10_000.0 ** (-np.arange(d) / d)) for f in (np.cos, np.sin))
        ),
    ),
    (
        "The 2 in the exponent is missing: pair i has the speed 10000^(−2i/d_model).",
        lambda t, d: alternating(positions(t) * speeds(d) ** 0.5),
    ),
    (
        "The exponent is twice too large: torch.arange(0, d_model, 2) gives 2i already, not i.",
        lambda t, d: alternating(positions(t) * speeds(d) ** 2),
    ),
    (
        "The angles are multiplied by 10000^(2i/d_model); divide by it.",
        lambda t, d: alternating(positions(t) / speeds(d)),
    ),
    (
        "The base is 1000; it must be 10000.",
        lambda t, d: alternating(positions(t) * speeds(d, 1000.0)),
    ),
    (
        "The first row belongs to position 1; positions count from 0, so the first row is 0, 1, 0, 1 …",
        lambda t, d: sinusoidal(t + 1, d)[1:],
    ),
    (
        "The columns hold the angles; take the sine or cosine of each.",
        lambda t, d: np.repeat(positions(t) * speeds(d), 2, axis=1),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_TABLES: list[Wrong] = [
    (
        "The exponent is (2i + 1)/d_model; both columns of a pair have 2i/d_model.",
        lambda t, d: alternating(positions(t) * 10_000.0 ** (-np.arange(1, d, 2) / d)),
    ),
    *(
        (f"The base is {said}; it must be 10000.", lambda t, d, base=base: alternating(positions(t) * speeds(d, base)))
        for said, base in (("100000", 100_000.0), ("e", np.e))
    ),
    (
        "The cosines are taken of the sines; both are of the angle.",
        lambda t, d: np.stack([a := np.sin(positions(t) * speeds(d)), np.cos(a)], axis=-1).reshape(t, d),
    ),
    (
        "The exponents are divided by d_model − 1; divide by d_model.",
        lambda t, d: alternating(positions(t) * 10_000.0 ** (-np.arange(0, d, 2) / (d - 1))),
    ),
    (
        "All speeds but the first are 0: // makes a whole number of the exponent −2i/d_model, or the logarithm is "
        "missing in exp(−2i/d_model · ln 10000).",
        lambda t, d: alternating(positions(t) * np.exp(np.arange(0, d, 2) * (-10_000.0 / d))),
    ),
    (
        "That logarithm has base 10; exp belongs to math.log, the natural one.",
        lambda t, d: alternating(positions(t) * np.exp(np.arange(0, d, 2) * (-4.0 / d))),
    ),
    (
        "The speeds are divided by d_model after the power is taken: put the exponent in brackets, 2i/d_model.",
        lambda t, d: alternating(positions(t) * 10_000.0 ** -np.arange(0.0, d, 2) / d),
    ),
    (
        "All columns turn as fast as the first: the exponent 2i/d_model is rounded to 0 (is it a // ?).",
        lambda t, d: alternating(positions(t) * np.ones(d // 2)),
    ),
    (
        "The exponents are divided by a fixed 512; divide by d_model.",
        lambda t, d: alternating(positions(t) * 10_000.0 ** (-np.arange(0, d, 2) / 512)),
    ),
    (
        "The exponents are divided by d_model − 2, so that the last speed is 1/10000; divide by d_model.",
        lambda t, d: alternating(positions(t) * 10_000.0 ** (-np.arange(0, d, 2) / max(1, d - 2))),
    ),
    (
        "The angles are multiplied by 2π; position times speed is the angle, in radians.",
        lambda t, d: alternating(2 * np.pi * positions(t) * speeds(d)),
    ),
    (
        "The angles are taken for degrees; position times speed is the angle, in radians.",
        lambda t, d: alternating(np.deg2rad(positions(t) * speeds(d))),
    ),
    (
        "The table is multiplied by √d_model; that is for the embeddings (lesson 5).",
        lambda t, d: sinusoidal(t, d) * np.sqrt(d),
    ),
    (
        "The odd columns are empty; they hold the cosines.",
        lambda t, d: sinusoidal(t, d) * (np.arange(d) % 2 == 0),
    ),
    (
        "The even columns are empty; they hold the sines.",
        lambda t, d: sinusoidal(t, d) * (np.arange(d) % 2 == 1),
    ),
]


def pairs_of_neighbours(heads: np.ndarray, start: int) -> np.ndarray:
    """Dimensions 2i and 2i + 1 turned together: the paper's pairing."""
    apart = np.concatenate([heads[:, 0::2], heads[:, 1::2]], axis=1)
    first, second = np.split(rotary(apart, start), 2, axis=1)
    return np.stack([first, second], axis=-1).reshape(heads.shape)


def with_partner(heads: np.ndarray, angles: np.ndarray, sign: np.ndarray | float) -> np.ndarray:
    """x · cos + sign · partner · sin, angles (T, d_head): every slip of the usual three lines."""
    return heads * np.cos(angles) + sign * np.roll(heads, heads.shape[1] // 2, axis=1) * np.sin(angles)


def minus_first(heads: np.ndarray) -> np.ndarray:
    width = heads.shape[1]
    return np.where(np.arange(width) < width // 2, -1.0, 1.0)


def twice(angles: np.ndarray) -> np.ndarray:
    return np.tile(angles, (1, 2))


def in_turn(heads: np.ndarray, start: int) -> np.ndarray:
    """The second half made of the new first one."""
    angles = angles_at(heads, start)
    first, second = np.split(heads, 2, axis=1)
    first = first * np.cos(angles) - second * np.sin(angles)
    return np.concatenate([first, second * np.cos(angles) + first * np.sin(angles)], axis=1)


# The rotation of x (T, d_head), whose first row stands at position s.
WRONG_ROTATIONS: list[Wrong] = [
    (
        "Dimensions 2i and 2i + 1 turn together; here the pairs are i and i + d_head/2 (two halves).",
        pairs_of_neighbours,
    ),
    (
        "Two conventions are mixed: angles laid out for the pairs 2i, 2i + 1, but partners taken from the other half.",
        lambda x, s: with_partner(x, np.repeat(angles_at(x, s), 2, axis=1), minus_first(x)),
    ),
    (
        "The vectors turn the wrong way: the first half becomes first · cos − second · sin.",
        lambda x, s: turn(x, -angles_at(x, s)),
    ),
    (
        "The minus is missing: the first half is first · cos − second · sin, only the second half adds.",
        lambda x, s: with_partner(x, twice(angles_at(x, s)), 1.0),
    ),
    (
        "Both halves subtract: the second half is second · cos + first · sin.",
        lambda x, s: with_partner(x, twice(angles_at(x, s)), -1.0),
    ),
    (
        "Each number is only multiplied by a cosine; a rotation also brings in the other one of the pair, by the sine.",
        lambda x, s: x * np.cos(twice(angles_at(x, s))),
    ),
    (
        "The positions are added; RoPE turns, it adds nothing.",
        lambda x, s: x + sinusoidal(s + len(x), x.shape[1])[s:],
    ),
    (
        "All pairs turn at the same speed; pair i has the speed 10000^(−2i/d_head).",
        lambda x, s: turn(x, np.repeat(s + positions(len(x)), x.shape[1] // 2, axis=1)),
    ),
    (
        "The speeds fall only half as fast as they should: the exponent of pair i is −2i/d_head, with the 2.",
        lambda x, s: turn(x, (s + positions(len(x))) * speeds(x.shape[1]) ** 0.5),
    ),
    (
        "The speeds fall twice as fast as they should: the exponent is divided by d_head, not by the number of pairs.",
        lambda x, s: turn(x, (s + positions(len(x))) * speeds(x.shape[1]) ** 2),
    ),
    (
        "The speeds grow from pair to pair: the exponent of 10000 is negative.",
        lambda x, s: turn(x, (s + positions(len(x))) / speeds(x.shape[1])),
    ),
    (
        "The first row is turned as at position 1; positions count from 0, where nothing turns.",
        lambda x, s: rotary(x, s + 1),
    ),
    (
        "Nothing is turned: the result is the input.",
        lambda x, s: x,
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_ROTATIONS: list[Wrong] = [
    (
        "The first pair has the speed of the second; the exponents are 0, −2/d_head, −4/d_head …",
        lambda x, s: turn(x, angles_at(x, s) * speeds(x.shape[1])[1]),
    ),
    (
        "The positions run backwards; the first row stands at start, the next at start + 1.",
        lambda x, s: rotary(x[::-1], s)[::-1],
    ),
    (
        "Neighbours are taken for pairs, and then put back as two halves; take the halves, chunk(2, dim=-1).",
        lambda x, s: rotary(np.concatenate([x[:, 0::2], x[:, 1::2]], axis=1), s),
    ),
    (
        "The new second half is made of the new first half; make both of the old ones.",
        in_turn,
    ),
    (
        "Sine and cosine are exchanged: at position 0 nothing turns, for its cosine is 1.",
        lambda x, s: turn(x, np.pi / 2 - angles_at(x, s)),
    ),
    *(
        (
            f"The base of the speeds is {base:,}; it must be 10000.",
            lambda x, s, base=base: turn(x, (s + positions(len(x))) * speeds(x.shape[1], float(base))),
        )
        for base in (1000, 100_000, 500_000)
    ),
    (
        "The two halves come back interleaved; put the new first half in front of the second, torch.cat.",
        lambda x, s: np.stack(np.split(rotary(x, s), 2, axis=1), axis=-1).reshape(x.shape),
    ),
    (
        "The two halves come back exchanged: the new first half is in front.",
        lambda x, s: np.roll(rotary(x, s), x.shape[1] // 2, axis=1),
    ),
    (
        "Cosines and sines are added; RoPE multiplies with them.",
        lambda x, s: x + np.concatenate([np.cos(angles_at(x, s)), np.sin(angles_at(x, s))], axis=1),
    ),
    (
        "Only the first half turns; the second half is new too: second · cos + first · sin.",
        lambda x, s: np.where(minus_first(x) < 0, rotary(x, s), x),
    ),
    (
        "Only the second half turns; the first half is new too: first · cos − second · sin.",
        lambda x, s: np.where(minus_first(x) < 0, x, rotary(x, s)),
    ),
    (
        "The angles are taken for degrees; position times speed is the angle, in radians.",
        lambda x, s: turn(x, np.deg2rad(angles_at(x, s))),
    ),
    (
        "The angles are multiplied by 2π; position times speed is the angle, in radians.",
        lambda x, s: turn(x, 2 * np.pi * angles_at(x, s)),
    ),
]


def looked_up(table: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return table[:, columns]


def middle(table: np.ndarray) -> int:
    return table.shape[1] // 2


# The bias from a table (H, R), for n queries from position 0 on.
WRONG_BIASES: list[Wrong] = [
    (
        "Left and right are exchanged: the distance is key − query, so column 0 belongs to keys far to the left.",
        lambda b, n: relative_bias(b[:, ::-1], n),
    ),
    (
        "Left and right get the same number; the distance has a sign, so do not take its absolute value.",
        lambda b, n: looked_up(b, np.abs(distances(n)).clip(max=middle(b)) + middle(b)),
    ),
    (
        "Negative distances count from the end of the table; add max_distance, so that −max_distance is 0.",
        lambda b, n: looked_up(b, distances(n).clip(-middle(b), middle(b))),
    ),
    (
        "The last column is never used, as if 0 were no distance; clip at +max_distance.",
        lambda b, n: looked_up(b, distances(n).clip(-middle(b), middle(b) - 1) + middle(b)),
    ),
    (
        "Distances are not clipped but start again at the other end (a remainder, %); use clamp.",
        lambda b, n: looked_up(b, (distances(n) + middle(b)) % b.shape[1]),
    ),
    (
        "Distances beyond max_distance get 0; they get the number of the last distance that the table has.",
        lambda b, n: np.where(np.abs(distances(n)) <= middle(b), relative_bias(b, n), 0.0),
    ),
    (
        "Distances beyond max_distance are hidden, −∞; they get the number of the last distance that the table has.",
        lambda b, n: np.where(np.abs(distances(n)) <= middle(b), relative_bias(b, n), -np.inf),
    ),
    (
        "max_distance is one too small: the table has 2·max_distance + 1 columns.",
        lambda b, n: looked_up(b, distances(n).clip(1 - middle(b), middle(b) - 1) + middle(b) - 1),
    ),
    (
        "All heads get the numbers of the first head; each has a row of the table.",
        lambda b, n: np.repeat(relative_bias(b, n)[:1], len(b), axis=0),
    ),
    (
        "The columns are numbered by the key alone; number them by key − query.",
        lambda b, n: looked_up(b, np.tile(np.arange(n), (n, 1)).clip(max=b.shape[1] - 1)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_BIASES: list[Wrong] = [
    (
        "Left and right get the same number; the distance has a sign, so do not take its absolute value.",
        lambda b, n: looked_up(b, middle(b) - np.abs(distances(n)).clip(max=middle(b))),
    ),
    (
        "The bounds of the clip do not fit its place: before max_distance is added they are −max_distance and "
        "+max_distance, after it 0 and 2 · max_distance.",
        lambda b, n: looked_up(b, (distances(n) + middle(b)).clip(0, middle(b))),
    ),
    (
        "Distances are clipped on the right only; far to the left the columns count from the end of the table.",
        lambda b, n: looked_up(b, np.minimum(distances(n), middle(b)) + middle(b)),
    ),
    (
        "Distances start again at the other end (a remainder, %), and max_distance is not added; use clamp.",
        lambda b, n: looked_up(b, distances(n) % b.shape[1]),
    ),
    *(
        (
            "Keys behind the query get no bias of their own: a causal mask is not asked for here, distances go "
            "both ways.",
            lambda b, n, hidden=hidden: np.where(distances(n) > 0, hidden, relative_bias(b, n)),
        )
        for hidden in (0.0, -1e9, -np.inf)
    ),
    (
        "The biases are scaled; they are the numbers of the table as they stand there.",
        lambda b, n: relative_bias(b, n) / np.sqrt(len(b)),
    ),
]

KNOWN_TABLES = [*WRONG_TABLES, *RARE_TABLES]
KNOWN_ROTATIONS = [*WRONG_ROTATIONS, *RARE_ROTATIONS]
KNOWN_BIASES = [*WRONG_BIASES, *RARE_BIASES]
