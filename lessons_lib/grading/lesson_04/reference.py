"""The right answers about positions, in double precision."""

import numpy as np


def speeds(width: int, base: float = 10_000.0) -> np.ndarray:
    """base^(−2i/width) for each pair i."""
    return base ** (-np.arange(0, width, 2) / width)


def sinusoidal(max_length: int, d_model: int) -> np.ndarray:
    """(T, D): sines in the even columns, cosines in the odd ones (Vaswani et al. 2017, section 3.5)."""
    angles = np.arange(max_length)[:, None] * speeds(d_model)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(max_length, d_model)


def angles_at(heads: np.ndarray, start: int = 0) -> np.ndarray:
    """(T, d_head/2): by how much each pair turns at each position."""
    return (start + np.arange(heads.shape[-2]))[:, None] * speeds(heads.shape[-1])


def turn(heads: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Dimensions i and i + d_head/2 of (…, T, d_head), turned together by (T, d_head/2) (Su et al. 2021, 3.2.2)."""
    first, second = np.split(heads.astype(np.float64), 2, axis=-1)
    cosine, sine = np.cos(angles), np.sin(angles)
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


def rotary(heads: np.ndarray, start: int = 0) -> np.ndarray:
    return turn(heads, angles_at(heads, start))


def rotary_gradient(cotangent: np.ndarray, start: int = 0) -> np.ndarray:
    """Of sum(rotary(heads) · cotangent) by the heads: the cotangent, turned back."""
    return turn(cotangent, -angles_at(cotangent, start))


def distances(length: int, start: int = 0) -> np.ndarray:
    """(T, S): key − query, for queries at start … and keys at 0 …"""
    keys = np.arange(start + length)
    return keys - keys[start:, None]


def relative_rows(table: np.ndarray, length: int, start: int = 0) -> np.ndarray:
    largest = table.shape[1] // 2
    return distances(length, start).clip(-largest, largest) + largest


def relative_bias(table: np.ndarray, length: int, start: int = 0) -> np.ndarray:
    """(H, T, S) from a table (H, 2·max + 1)."""
    return table.astype(np.float64)[:, relative_rows(table, length, start)]


def relative_gradient(cotangent: np.ndarray, table: np.ndarray, length: int, start: int = 0) -> np.ndarray:
    """Of sum(relative_bias · cotangent) by the table: each entry collects from wherever it was used."""
    gradient, rows = np.zeros(table.shape), relative_rows(table, length, start)
    for head, one in enumerate(cotangent):
        np.add.at(gradient[head], rows, one)
    return gradient
