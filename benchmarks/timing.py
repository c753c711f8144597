"""How things are timed here: medians of repeated work, and systems that take turns."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch


def milliseconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of ``work``, a GPU's queue included, after one run that is not counted."""
    times = [_seconds(work) for _ in range(runs + 1)]
    return 1000 * statistics.median(times[1:])


def take_turns(systems: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each system in each round. They take turns, so that a slow moment of the machine meets all of them.

    A first round is not counted. The order turns around every round: nobody always follows the same neighbour.
    """
    seconds = {name: [] for name in systems}
    names = list(systems)
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            spent = _seconds(systems[name])
            if number:
                seconds[name].append(spent)
    return seconds


def ratio(slower: list[float], faster: list[float]) -> str:
    """How many times as long ``slower`` took: the median over the rounds, and the smallest and largest."""
    ratios = [a / b for a, b in zip(slower, faster, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _seconds(work: Callable[[], object]) -> float:
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    begin = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - begin
