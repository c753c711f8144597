"""The figures of the lessons. They take plain arrays and words, and import no model."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lessons_lib.errors import UserError


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
        raise UserError(f"weights {weights.shape} do not fit {len(rows)} rows and {len(columns)} columns")
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


def training_curves(metrics: Sequence[Mapping[str, float | int]]) -> Figure:
    """The loss, and BLEU on the validation part, over the steps of a training: the lines of its ``metrics.jsonl``.

    Args:
        metrics: rows with ``step`` and either ``loss`` or ``valid_loss`` and ``valid_bleu``; others are not drawn.
    """
    train, valid = ([row for row in metrics if name in row] for name in ("loss", "valid_bleu"))
    figure, (losses, bleu) = _two_panels()
    losses.plot([row["step"] for row in train], [row["loss"] for row in train], label="training")
    steps = [row["step"] for row in valid]
    losses.plot(steps, [row["valid_loss"] for row in valid], "o--", label="validation")
    losses.set(xlabel="step", ylabel="loss (nats a token)")
    losses.legend()
    bleu.plot(steps, [row["valid_bleu"] for row in valid], "o-", color="C1")
    bleu.set(xlabel="step", ylabel="validation BLEU (greedy)", xlim=losses.get_xlim(), ylim=(0, 100))
    return figure


def decoding_costs(rows: Sequence[Mapping[str, object]]) -> Figure:
    """Time over length, with and without a key–value cache, and memory over batch size: rows of `lessons profile`.

    Each panel takes the rows that differ in its own factor alone from the base, the values that most rows share.
    """
    figure, (time, memory) = _two_panels()
    factors = ("batch", "source_length", "beam", "cached", "precision")
    base = {name: max(values := [row[name] for row in rows], key=values.count) for name in factors}

    def line(over: str, **fixed) -> list[Mapping]:
        wanted = {name: value for name, value in (base | fixed).items() if name != over}
        chosen = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        return sorted(chosen, key=lambda row: row[over])

    for cached, label in ((True, "with a cache"), (False, "without")):
        chosen = line("source_length", cached=cached)
        time.plot([row["source_length"] for row in chosen], [row["ms"] for row in chosen], "o-", label=label)
    time.set(xlabel="tokens of source and translation", ylabel="milliseconds a batch", ylim=(0, None))
    time.set_title(f"{base['batch']} sentences a batch", fontsize="medium")
    time.legend()
    chosen = [row for row in line("batch", cached=True) if row["peak_bytes"] is not None]
    memory.plot([row["batch"] for row in chosen], [row["peak_bytes"] / 1e6 for row in chosen], "o-")
    memory.set(xlabel="sentences a batch", ylabel="peak memory beyond the weights (MB)", ylim=(0, None))
    memory.set_title(f"{base['source_length']} tokens", fontsize="medium")
    return figure


def _two_panels() -> tuple[Figure, tuple[Axes, Axes]]:
    """Two plots side by side on white, legible on a dark page too, and apart from the figures that pyplot keeps."""
    with sns.axes_style("whitegrid"), sns.color_palette("colorblind"):
        figure = Figure(figsize=(9, 3.6), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2)
    sns.despine(figure)
    return figure, (left, right)
