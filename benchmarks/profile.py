"""Where the time of a training step goes: ours and models of the same size from elsewhere, by kind of work."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import torch
from torch.profiler import ProfilerActivity

from benchmarks.training import SIZE, random_batches, trainers
from lessons_lib.transformer import TransformerConfig

# The beginnings of operators' names; the first that fits counts.
KINDS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
    "fused attention": ("aten::_scaled_dot_product",),
    "random numbers": ("aten::bernoulli_", "aten::random_"),
    "copies and fills": ("aten::copy_", "aten::fill_", "aten::zero_"),
    "softmax and its logarithm": ("aten::_softmax", "aten::_log_softmax", "aten::exp", "aten::amax"),
    "norms": ("aten::native_layer_norm",),
    "optimizer": ("aten::_fused_adamw_", "aten::linalg_vector_norm", "aten::_foreach"),
}
REST = "additions, products of elements, the rest"


def profile(
    device: torch.device, config: TransformerConfig = SIZE, tokens: int = 4_096, batches: int = 3
) -> Iterator[tuple[str, ...]]:
    """Milliseconds a batch in fp32, on all threads; what the profiler itself costs is in it."""
    data = [batch.to(device) for batch in random_batches(config, tokens, batches)]
    systems = trainers(device, config, data, torch.float32)
    spent = {name: _by_kind(train, batches) for name, train in systems.items()}
    yield "kind of work", *(f"{name}, ms" for name in systems)
    for kind in (*KINDS, REST):
        yield kind, *(f"{spent[name][kind]:.0f}" for name in systems)
    yield "together", *(f"{sum(spent[name].values()):.0f}" for name in systems)


def _by_kind(train: Callable[[], None], batches: int) -> dict[str, float]:
    train()
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * torch.cuda.is_available()
    with torch.profiler.profile(activities=activities) as recorded:
        train()
    spent = defaultdict(float)
    for event in recorded.key_averages():
        kind = next((kind for kind, names in KINDS.items() if event.key.startswith(names)), REST)
        microseconds = event.self_device_time_total if torch.cuda.is_available() else event.self_cpu_time_total
        spent[kind] += microseconds / 1000 / batches
    return spent
