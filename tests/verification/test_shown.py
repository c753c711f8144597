"""The comparison of stored and computed widgets and pictures sees what differs, and nothing else."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lessons_lib.verification.shown import FARTHEST, different, distance

STATE = {"words": ["a", "b"], "keys": [[1.0, -0.5], [0.25, 0.0]], "shown": 1, "causal": False, "label": None}


@pytest.mark.parametrize(
    "change",
    [
        {"words": ["a", "c"]},
        {"words": ["a"]},
        {"keys": [[9.9, -0.5], [0.25, 0.0]]},
        {"keys": [[1.0, -0.5], [0.35, 0.0]]},
        {"keys": [[1.0, -0.5]]},
        {"shown": 2},
        {"causal": True},
        {"label": "x"},
        {"more": 1},
    ],
)
def test_a_changed_state_is_named(change):
    found = different(STATE, STATE | change, "widget")
    assert found.startswith("widget")
    assert next(iter(change)) in found or "other names" in found


def test_rounding_is_no_difference():
    assert different(STATE, STATE | {"keys": [[1.004, -0.4951], [0.2515, 0.0009]]}) is None


def drawn(curve) -> str:
    figure, axes = plt.subplots(figsize=(7, 3.6))
    axes.plot(curve)
    written = io.BytesIO()
    figure.savefig(written, format="png")
    plt.close(figure)
    return base64.b64encode(written.getvalue()).decode()


def test_a_picture_may_tremble_and_not_be_another():
    steps = np.linspace(0, 6, 100)
    loss = np.exp(-steps)
    assert distance(drawn(loss), drawn(loss)) == 0
    assert distance(drawn(loss), drawn(loss + 0.002 * np.sin(40 * steps))) < FARTHEST / 2
    assert distance(drawn(loss), drawn(1 - loss)) > FARTHEST
