"""How things are measured: medians of repeated work, systems that take turns, and the bytes that were there at once."""

import statistics
import sys
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import torch
from torch.autograd.profiler import profile

Name = TypeVar("Name", bound=Hashable)


def milliseconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of ``work``, a GPU's queue included, after one run that is not counted."""
    times = [_seconds(work) for _ in range(runs + 1)]
    return 1000 * statistics.median(times[1:])


def take_turns(systems: Mapping[Name, Callable[[], object]], rounds: int) -> dict[Name, list[float]]:
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


def peak_bytes(work: Callable[[], object], device: torch.device | None = None) -> int | None:
    """The most bytes of tensors at one time while ``work`` runs, beyond those before it; None on MPS, which can't say.

    On CUDA it is what PyTorch's allocator says (``max_memory_allocated``). On a CPU the allocator is listened to, by
    the profiler: every tensor counts from when it is made to when it is freed, and so does what an operator gets from
    the allocator for itself. Not in it: what a library such as oneDNN takes on its own, and the memory that a process
    keeps after it was freed. ``work`` runs twice: what is made once and stays is there before the second run.

    Args:
        device: where ``work`` makes its tensors; None is the CPU.
    """
    kind = "cpu" if device is None else device.type
    if kind not in ("cuda", "cpu"):
        return None
    work()
    if kind == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with profile(use_kineto=True, profile_memory=True) as profiled:
        work()
    held = peak = 0
    events = (event for event in profiled.kineto_results.events() if event.name() == "[memory]")
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def process_peak_megabytes() -> float | None:
    """The most memory that this process has held until now, code and libraries included (10⁶ bytes); None on Windows.

    More than `peak_bytes`: what the allocator keeps, and what oneDNN holds, counts here.
    """
    try:
        import resource
    except ModuleNotFoundError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
    return time.perf_counter() - begin
