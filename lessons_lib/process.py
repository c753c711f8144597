"""What a process that computes on a CPU is told: how to wait, what to keep in memory, and when to give memory back."""

import contextlib
import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
KEPT = 256 << 20  # bytes


def tune_process() -> None:
    """Set what no program sets by itself, before PyTorch is imported; the environment has the last word.

    Systems without glibc go on as they are.
    """
    # Read by GNU's OpenMP. Its threads wait for one another by spinning, so that a second program on the same cores
    # slows a training down tenfold; spinning less long, it costs a quarter of that.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    # Read by oneDNN, which keeps the code that it made for each shape of a product, a megabyte a shape in bf16, and of
    # the last 1,024 unless told otherwise. A training has new shapes in each batch; a batch needs some sixty of them.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "80")
    # glibc gives freed memory back to the system and asks for it again in the next step, page by page: 7 % of greedy
    # search, 3 % of a training.
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    with contextlib.suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)


def give_memory_back() -> None:
    """Return to the system what glibc keeps of freed memory; it keeps more and more where each batch has new shapes.

    It takes 50 ms, and the next steps wait while pages come back: every hundred steps of the preset ``deep``, 1 % of
    the time for 4 % less memory at the peak; every 25 steps, 5 % for 6 to 10 %.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
