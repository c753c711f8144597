"""The figures of the lessons. They take plain arrays and words, and import no model."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes


def use_course_style() -> None:
    """Quiet grids, readable type, colours that colour-blind readers can tell apart; the same in every lesson."""
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette="colorblind",
        rc={"figure.dpi": 110, "figure.figsize": (7, 3.6), "axes.spines.top": False, "axes.spines.right": False},
    )


def attention_heatmap(
    weights: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    links: Sequence[tuple[int, int]] = (),
    ax: Axes | None = None,
) -> Axes:
    """Attention weights (T, S) as a heat map: one row a query, one column a key.

    Args:
        rows: the T queries; they read from left to right.
        columns: the S keys.
        links: (row, column) pairs to ring, such as the links of a gold alignment.

    Raises:
        ValueError: the weights are not (len(rows), len(columns)).
    """
    weights = np.asarray(weights)
    if weights.shape != (len(rows), len(columns)):
        raise ValueError(f"weights {weights.shape} do not fit {len(rows)} rows and {len(columns)} columns")
    if ax is None:
        _, ax = plt.subplots(figsize=(1.6 + 0.5 * len(columns), 1.2 + 0.42 * len(rows)))
    sns.heatmap(weights, vmin=0, vmax=1, cmap="viridis", square=True, cbar_kws={"label": "attention weight"}, ax=ax)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    for row, column in links:
        ax.add_patch(plt.Circle((column + 0.5, row + 0.5), 0.3, fill=False, edgecolor="white", linewidth=1.8))
        ax.add_patch(plt.Circle((column + 0.5, row + 0.5), 0.34, fill=False, edgecolor="black", linewidth=0.8))
    ax.grid(False)
    return ax
