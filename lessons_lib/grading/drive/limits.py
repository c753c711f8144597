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
from typing import TextIO

import torch

PATIENCE = 3  # times the limit, until somebody who waits is told why
STUCK = (
    "still running after {:g} s inside one call that Python cannot interrupt (a huge matrix, a huge power?): "
    "restart the kernel"
)
REPEAT = 0.2  # seconds; a bare `except:` in the learner's loop swallows one alarm, not all of them
STILL = "still running after"  # how the sentence on a time that is over begins


class TimeUp(BaseException):
    """The time is over. No Exception, so that `except Exception` in the learner's code does not catch it."""

    def __init__(self, seconds: float, computed: bool):
        super().__init__(f"{STILL} {seconds:g} s")
        self.question = "is there a loop that never ends?" if computed else "does it wait, or is the machine busy?"


@contextlib.contextmanager
def time_limit(seconds: float, busy: float = 1.0) -> Iterator[None]:
    """Raise TimeUp in the code inside after `seconds` of computing, or `busy` times as many by the clock.

    What this thread computes is counted: a machine that is busy with other things takes nothing from anybody. Where
    there is no alarm (Windows, a thread that is not the main one) nothing happens: the stop button is left.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum, frame):
        nonlocal heard
        heard = time.monotonic()
        computed, passed = time.thread_time() - computed_before, heard - begin
        if armed and computed >= seconds:
            raise TimeUp(seconds, True)
        if armed and passed >= busy * seconds:
            raise TimeUp(busy * seconds, computed > passed / 2)

    def tell():
        if time.monotonic() - heard > seconds:  # no alarm came through
            print(STUCK.format(PATIENCE * seconds), file=output, flush=True)

    armed, computed_before = True, time.thread_time()
    heard = begin = time.monotonic()
    output = _visible_output()
    watcher = threading.Timer(PATIENCE * seconds, tell)
    watcher.daemon = True
    watcher.start()
    handler = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, min(1.0, busy) * seconds, REPEAT)
    try:
        yield
    finally:
        armed = False
        watcher.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:  # somebody else's alarm was set: give it back with the time that it has left
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begin), 0.001), interval)


def _visible_output() -> TextIO:
    """Where a notebook reads what is printed: `quiet` has put something silent in the place of it."""
    kernel = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(getattr(kernel, "kernel", None), "_stdout", None) or sys.__stdout__ or sys.stdout


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No prints, pictures, warnings; gradients on; PyTorch's random state and defaults set inside, restored after."""
    with (
        open(os.devnull, "w") as nowhere,
        _no_display(),
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
        torch.enable_grad(),
        usual_defaults(),
    ):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        yield


@contextlib.contextmanager
def usual_defaults() -> Iterator[None]:
    """New tensors are float32 on the CPU inside; after it, what the notebook had chosen."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        torch.set_default_device(None)
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device if device.type != "cpu" else None)


@contextlib.contextmanager
def uncompiled() -> Iterator[None]:
    """Inside, what went through `torch.compile` runs as it was written: compiling would take longer than the limit."""
    stance = getattr(torch.compiler, "set_stance", None)  # since PyTorch 2.6
    if stance is None or "torch._dynamo" not in sys.modules:  # not loaded: nothing is compiled yet
        yield
        return
    with stance("force_eager"):
        yield


@contextlib.contextmanager
def _no_display() -> Iterator[None]:
    """What the code inside displays in a notebook is dropped."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        yield
        return
    from IPython.utils.capture import capture_output

    with capture_output():
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
