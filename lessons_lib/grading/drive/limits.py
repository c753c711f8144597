"""The fence around a learner's code inside a notebook: time, output, random state, and what it may not call.

It guards against accidents. Against intent there is only another process, which is the batch grader's work.
"""

import contextlib
import os
import signal
import sys
import threading
import time
import typing
import warnings
from collections.abc import Iterator

import torch

REPEAT = 0.2  # seconds; a bare `except:` in the learner's loop swallows one alarm, not all of them


class TimeUp(BaseException):
    """The time is over. No Exception, so that `except Exception` in the learner's code does not catch it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the code inside after `seconds`.

    Where there is no alarm (Windows, a thread that is not the main one) nothing happens: the stop button is left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum, frame):
        if armed:
            raise TimeUp

    armed, begin = True, time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody else's alarm was set: give it back with the time that it has left
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begin), 0.001), interval)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No prints and no warnings, gradients on, PyTorch's random state seeded inside and restored after."""
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
        torch.enable_grad(),
    ):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        yield


@contextlib.contextmanager
def watch_calls(modules: tuple[str, ...]) -> Iterator[set[str]]:
    """Collect the full names of functions of `modules` (and their submodules) that are called inside."""
    called: set[str] = set()

    @typing.no_type_check  # called at every call: the checks of shapes in our tests would make it slow
    def look(frame, event, argument):
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            if isinstance(module, str) and f"{module}.".startswith(prefixes):
                called.add(f"{module}.{frame.f_code.co_name}")

    prefixes = tuple(f"{module}." for module in modules)
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield called
    finally:
        sys.setprofile(before)
