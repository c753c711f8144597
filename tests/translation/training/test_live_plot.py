"""The plot that grows during a training: in a notebook and nowhere else, never in the way of the training."""

import json
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest
import torch
from toy import toy_config, toy_corpus

from lessons_lib import figures
from lessons_lib.translation.training import live_plot
from lessons_lib.translation.training.live_plot import LivePlot
from lessons_lib.translation.training.loop import Step
from lessons_lib.translation.training.monitor import Monitor
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.resumable import train_translator

METRICS = [
    {"step": 1, "loss": 7.5, "gradient_norm": 1.0},
    {"step": 10, "loss": 5.0, "gradient_norm": 1.0},
    {"step": 10, "valid_loss": 4.5, "valid_bleu": 12.5},
    {"step": 20, "loss": 3.0, "gradient_norm": 1.0},
]


@pytest.fixture
def shown(monkeypatch) -> list:
    """A notebook's display: every picture, and whether it came in the place of the one before."""
    pictures = []

    def display(picture, display_id):
        assert display_id is True
        pictures.append((picture, "new"))
        return SimpleNamespace(update=lambda picture: pictures.append((picture, "update")))

    monkeypatch.setattr("IPython.display.display", display)
    return pictures


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(live_plot.time, "monotonic", lambda: now.seconds)
    return now


def step(number: int) -> Step:
    return Step(number, number / 100, number / 10, torch.tensor(2.0), torch.tensor(1.0), 1e-3, 50)


def test_the_curves_are_those_of_the_metrics():
    figure = figures.training_curves(METRICS)
    losses, bleu = figure.axes
    assert [list(line.get_xydata().flatten()) for line in losses.lines] == [[1, 7.5, 10, 5.0, 20, 3.0], [10, 4.5]]
    assert [list(line.get_xydata().flatten()) for line in bleu.lines] == [[10, 12.5]]
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss (nats a token)", "validation BLEU (greedy)"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"step"}
    assert figure.get_facecolor() == (1, 1, 1, 1)  # dark letters on a page of any colour


def test_one_picture_is_replaced_every_few_seconds(shown, clock):
    plot = LivePlot(METRICS)
    for clock.seconds in (0, 1, 2.9, 3.1, 3.2, 6.0, 6.2):
        plot.update()
    assert [kind for _, kind in shown] == ["new", "update"]
    plot.update(last=True)
    assert len(shown) == 3
    picture = shown[0][0]
    assert picture.data.startswith(b"\x89PNG")
    assert picture.alt == "Training at step 20, loss 3.00, validation loss 4.50, BLEU 12.5"


def test_a_slow_drawing_is_done_less_often(shown, clock, monkeypatch):
    def slow(metrics):
        clock.seconds += 0.5
        return figures.Figure()

    monkeypatch.setattr(figures, "training_curves", slow)
    plot = LivePlot(METRICS)
    for clock.seconds in (4, 10, 50, 55, 100, 110):  # 0.5 seconds of work, so none for 50 seconds
        plot.update()
    assert len(shown) == 3  # at 4, 55 and 110


def test_an_error_in_drawing_is_said_once_and_ends_the_drawing(shown, clock, monkeypatch):
    calls = []

    def broken(metrics):
        calls.append(1)
        raise RuntimeError("no fonts")

    monkeypatch.setattr(figures, "training_curves", broken)
    plot = LivePlot(METRICS)
    clock.seconds = 4
    with pytest.warns(UserWarning, match=r"no live plot \(RuntimeError: no fonts\); the training goes on"):
        plot.update()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.update(last=True)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("live", "kernel", "drawn", "bar"),
    [(None, True, 1, True), (None, False, 0, True), (True, False, 1, True), (False, True, 0, False)],
)
def test_where_it_draws(tmp_path, shown, capsys, monkeypatch, live, kernel, drawn, bar):
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object() if kernel else None))
    with Monitor(tmp_path / "metrics.jsonl", live=live) as monitor:
        monitor.step(step(1))
        monitor.validated(1.5, 30.0, 40.0)
    assert len(shown) == drawn
    assert ("training" in capsys.readouterr().err) == bar
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_training_without_a_plot_leaves_no_output(tmp_path, capsys, shown, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    recipe = Recipe(toy_config(), TrainingOptions(steps=5), batch_tokens=300, device="cpu")
    train_translator(toy_corpus(), recipe, tmp_path / "quiet", live=False)
    assert (capsys.readouterr(), shown) == (("", ""), [])
    train_translator(toy_corpus(), recipe, tmp_path / "shown")
    assert shown[0][1] == "new"
    rows = (tmp_path / "shown" / "metrics.jsonl").read_text().splitlines()
    assert sum("valid_bleu" in json.loads(row) for row in rows) == 3


def test_the_curves_go_on_where_a_training_does(tmp_path, shown):
    path = tmp_path / "metrics.jsonl"
    with Monitor(path, live=False) as monitor:
        for number in range(1, 31):
            monitor.step(step(number))
    with Monitor(path, after=20, live=True) as monitor:
        monitor.step(step(40))
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 10, 20, 40]
    assert shown[-1][0].alt == "Training at step 40, loss 2.00"


def test_the_command_draws_nothing():
    program = (
        "import sys, lessons_lib.translation.training.resumable\n"
        "from lessons_lib.translation.training.live_plot import in_notebook\n"
        "print(in_notebook(), 'matplotlib' in sys.modules, 'IPython' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False False False\n"


def test_before_the_first_validation_there_is_a_curve_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.training_curves(METRICS[:1])
