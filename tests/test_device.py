"""The device, its precision, and seeds."""

import random

import numpy as np
import pytest
import torch

from lessons_lib import device
from lessons_lib.device import autocast, describe, pick_device, pick_precision, seed_everything


def test_the_cpu_is_always_there():
    assert pick_device("cpu").type == "cpu"
    assert pick_device().type in ("cuda", "mps", "cpu")
    assert describe(torch.device("cpu")).startswith("CPU (")


@pytest.mark.parametrize("name", ["gpu", "meta"])
def test_an_unknown_device_is_named(name):
    with pytest.raises(ValueError, match=f"device='{name}' is not"):
        pick_device(name)


def test_a_missing_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device='cuda' is not available here"):
        pick_device("cuda")


@pytest.mark.parametrize(("capability", "dtype"), [((7, 5), torch.float16), ((8, 0), torch.bfloat16)])
def test_a_t4_gets_fp16_and_newer_cards_bf16(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert pick_precision(torch.device("cuda")) == dtype


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ("avx512f amx_bf16 amx_tile", torch.bfloat16),
        ("avx512f avx512_bf16", torch.bfloat16),
        ("avx2 avx512f", torch.float32),
        (None, torch.float32),
    ],
)
def test_a_cpu_gets_bf16_only_where_it_multiplies_it(monkeypatch, tmp_path, flags, dtype):
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "cpuinfo")
    if flags:
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : fpu {flags}\n", "utf8")
    assert pick_precision(torch.device("cpu")) == dtype


def test_precision_by_name():
    cpu = torch.device("cpu")
    assert pick_precision(cpu, "bf16") == torch.bfloat16
    with pytest.raises(ValueError, match="precision='int3' is not known"):
        pick_precision(cpu, "int3")
    with pytest.raises(ValueError, match="precision='fp16' is for GPUs"):
        pick_precision(cpu, "fp16")


def test_autocast_multiplies_in_the_dtype_asked_for():
    cpu, x = torch.device("cpu"), torch.randn(4, 4)
    with autocast(cpu, torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
    with autocast(cpu, torch.float32):
        assert (x @ x).dtype == torch.float32


def test_a_seed_gives_the_same_numbers_twice():
    def draw():
        seed_everything(3)
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    assert draw() == draw()
