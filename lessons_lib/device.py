"""Where to run, in what precision, and from which seed: the same lesson on CUDA, MPS and CPU.

One rule a question: the fastest device that is there; bf16 where the hardware multiplies it natively, fp16 (with
loss scaling) on older GPUs such as Colab's free T4, fp32 elsewhere.

On a CPU with AVX-512's bf16 products (AMD EPYC, 2 cores) training is 1.8 times as fast in bf16 as in fp32; on one that
has neither these nor AMX, a third slower (``python -m benchmarks training``).
"""

import contextlib
import platform
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from lessons_lib.errors import UserError

# What PyTorch says in a RuntimeError: its allocators (CPU, MPS), CUDA itself, and CUDA's libraries.
NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
)
CPUINFO = Path("/proc/cpuinfo")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str | None = None) -> torch.device:
    """The device called ``name``, or the best one here: CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: the device was asked for by name and is not available.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"device={name!r} is not known; use 'cuda', 'mps' or 'cpu'") from None
    available = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}
    if device.type not in available or not available[device.type]():
        raise UserError(f"device={name!r} is not available here; use {pick_device().type!r}")
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        raise UserError(f"device={name!r} is not here: use cuda:0 to cuda:{count - 1}")
    return device


def pick_precision(device: torch.device, name: str | None = None) -> torch.dtype:
    """The dtype of the matrix products: ``name`` ("fp32", "bf16", "fp16"), or the fastest that is safe on ``device``.

    Raises:
        ValueError: ``name`` is none of the three, or is fp16 on a CPU.
    """
    if name is not None:
        if name not in PRECISIONS:
            raise UserError(f"precision={name!r} is not known; use one of {', '.join(PRECISIONS)}")
        if name == "fp16" and device.type == "cpu":
            raise UserError("precision='fp16' is for GPUs; on a CPU use 'fp32' or 'bf16'")
        return PRECISIONS[name]
    if device.type == "cuda":  # compute capability 8.0 (Ampere) brought bf16; the T4 is 7.5
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "cpu" and _cpu_multiplies_bf16():
        return torch.bfloat16
    return torch.float32


def autocast(device: torch.device, dtype: torch.dtype):
    """A context in which matrix products run in ``dtype``; with fp32 it does nothing."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


@contextlib.contextmanager
def memory_errors(fix: str) -> Iterator[None]:
    """Raise ValueError, with what to do about it, where PyTorch or Python has no memory left.

    Other errors that speak of memory, such as CUDA's illegal accesses, are no lack of it and pass as they are.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        lacking = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or NO_MEMORY.search(str(error))
        if not lacking:
            raise
        raise UserError(f"the memory is too small{fix}") from error


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch on every device."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the libraries that we call read the global state)
    torch.manual_seed(seed)


def describe(device: torch.device) -> str:
    """One line for people: the device, its memory or threads, and the precision that a training takes on it."""
    dtype = str(pick_precision(device)).removeprefix("torch.")
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, {dtype}"
    if device.type == "mps":
        return f"Apple GPU (MPS), {dtype}"
    return f"CPU ({platform.machine()}), {torch.get_num_threads()} threads, {dtype}"


def _cpu_multiplies_bf16() -> bool:
    """Whether this CPU multiplies bf16: in AMX tiles, or in AVX-512 registers. Elsewhere it is emulated, and slower."""
    found = CPUINFO.read_text(errors="ignore") if CPUINFO.exists() else ""
    return "amx_bf16" in found or "avx512_bf16" in found
