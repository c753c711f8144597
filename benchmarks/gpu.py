"""What to ask a GPU in one visit of under eight minutes: ``python -m benchmarks.gpu --out gpu.json``.

Does it compute what the CPU computes, what does a step need of its memory, what do `torch.compile` and the fused
kernels save, and how fast are training and decoding beside the others, in each precision? Every row is written as soon
as it is measured; a part that fails says why, and the others go on. Without a GPU the CPU is asked. CTranslate2 is left
out: on a GPU it needs libraries of CUDA that its package does not bring.
"""

import argparse
import contextlib
import copy
import dataclasses
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F

from benchmarks.__main__ import show
from benchmarks.decoding import decoding
from benchmarks.training import SIZE, SMOOTHING, random_batches, trainer, trainers, training
from lessons_lib.attention import fused_attention, scaled_dot_product_attention
from lessons_lib.device import PRECISIONS, autocast, describe, pick_device, seed_everything
from lessons_lib.files import write_whole
from lessons_lib.masks import causal_mask
from lessons_lib.timing import milliseconds, peak_bytes, ratio, take_turns
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.batching import Batch
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.training.loop import batch_loss


def precisions(device: torch.device) -> dict[str, torch.dtype]:
    return {name: dtype for name, dtype in PRECISIONS.items() if not (device.type == "cpu" and name == "fp16")}


def equality(device: torch.device, config: TransformerConfig = SIZE, sentences: int = 200) -> Iterator[tuple[str, ...]]:
    """Loss and gradient of one batch beside the CPU's in fp32, as relative differences; and the same translations."""
    yield "precision", "loss differs by", "gradient differs by", "same translations"
    config = dataclasses.replace(config, dropout=0.0)
    (batch,) = random_batches(config, 1_024, 1)
    model = Transformer(config)
    loss, gradient = _gradient(model, batch, torch.float32)
    english = [pair.source for pair in load_grammar(seed=0).valid[:sentences]]
    french = load_course_translator("cpu").translate(english, beam=4, attention=False)
    for name, dtype in precisions(device).items():
        there = _gradient(copy.deepcopy(model).to(device), batch.to(device), dtype)
        translator = load_course_translator(device)
        with autocast(device, dtype):
            found = translator.translate(english, beam=4, attention=False)
        same = sum(a.text == b.text for a, b in zip(found, french, strict=True))
        apart = ((there[1] - gradient).norm() / gradient.norm()).item()
        yield name, f"{abs(there[0] - loss) / loss:.1e}", f"{apart:.1e}", f"{same} of {len(english)}"


def _gradient(model: Transformer, batch: Batch, dtype: torch.dtype) -> tuple[float, torch.Tensor]:
    """Its loss, and its gradient as one vector, on the CPU. Loss scaling keeps fp16's small gradients."""
    device = model.embedding.weight.device
    scale = 2.0**12 if dtype == torch.float16 else 1.0
    model.zero_grad(set_to_none=True)
    with autocast(device, dtype):
        loss = batch_loss(model, batch, label_smoothing=SMOOTHING)
    (scale * loss).backward()
    return loss.item(), torch.cat([weight.grad.flatten().float().cpu() / scale for weight in model.parameters()])


def memory(
    device: torch.device, config: TransformerConfig = SIZE, tokens: int = 4_096, batches: int = 2
) -> Iterator[tuple[str, ...]]:
    """The most that a training step adds to what is there, weights and the optimizer's state among the latter."""
    yield "precision", "system", "MB in a step"
    data = [batch.to(device) for batch in random_batches(config, tokens, batches)]
    for name, dtype in precisions(device).items():
        for system, train in trainers(device, config, data, dtype).items():
            peak = peak_bytes(train, device)
            yield name, system, "not known" if peak is None else f"{peak / 1e6:,.1f}"


def compiled(
    device: torch.device,
    config: TransformerConfig = SIZE,
    tokens: int = 4_096,
    batches: int = 4,
    rounds: int = 3,
    backend: str = "inductor",
) -> Iterator[tuple[str, ...]]:
    """Our training, with the loss of a batch compiled and as it is."""
    yield "precision", "first round, s", "target tokens/s", "compiled is faster by"
    data = [batch.to(device) for batch in random_batches(config, tokens, batches)]
    total = sum(batch.tokens for batch in data)
    for name, dtype in precisions(device).items():
        plain, faster = Transformer(config).to(device).train(), Transformer(config).to(device).train()
        quick = torch.compile(batch_loss, dynamic=True, backend=backend)
        train = trainer(faster, partial(quick, faster, label_smoothing=SMOOTHING), data, dtype)
        begin = time.perf_counter()
        train()
        first = time.perf_counter() - begin
        loss = partial(batch_loss, plain, label_smoothing=SMOOTHING)
        seconds = take_turns({"plain": trainer(plain, loss, data, dtype), "compiled": train}, rounds)
        speed = total / statistics.median(seconds["compiled"])
        yield name, f"{first:.1f}", f"{speed:,.0f}", ratio(seconds["plain"], seconds["compiled"])


def flash(
    device: torch.device, lengths: tuple[int, ...] = (64, 512, 2_048), tokens: int = 8_192
) -> Iterator[tuple[str, ...]]:
    """A decoder's attention both ways, four heads of 64: readable, fused with a mask, and fused that knows the mask.

    Only the last may run as FlashAttention: that kernel takes no mask from outside.
    """
    yield "precision", "length", "readable, ms", "fused with a mask, ms", "is_causal, ms"
    for name, dtype in precisions(device).items():
        for length in lengths:
            shape = max(1, tokens // length), 4, length, 64
            heads = [torch.randn(shape, device=device, dtype=dtype, requires_grad=True) for _ in range(3)]
            mask = causal_mask(length, device)
            ways: tuple[Callable[..., torch.Tensor], ...] = (
                lambda *x, m=mask: scaled_dot_product_attention(*x, mask=m)[0],
                lambda *x, m=mask: fused_attention(*x, mask=m),
                lambda *x: F.scaled_dot_product_attention(*x, is_causal=True),
            )
            spent = [milliseconds(lambda w=way, x=heads: w(*x).sum().backward(), runs=7) for way in ways]
            yield name, str(length), *(f"{one:.2f}" for one in spent)


Part = Callable[[torch.device], Iterator[tuple[str, ...]]]
PARTS: dict[str, Part] = {
    "equality with the CPU": equality,
    "memory": memory,
    "attention": flash,
    "training": partial(training, rounds=3),
    "decoding": partial(decoding, rounds=3, engine=False),
    "torch.compile": compiled,
}


def visit(device: torch.device, parts: dict[str, Part], minutes: float, write: Callable[[dict], None]) -> dict:
    """Measure the parts in turn, and give what is known so far to ``write`` after each row.

    A part is stopped before its next row when the time is over; what it lacks then stands in its ``missing``.
    """
    end = time.monotonic() + 60 * minutes
    machine = {"torch": torch.__version__, "cuda": torch.version.cuda, "device": describe(device)}
    known: dict = {"machine": machine, "parts": {}}
    for name, measure in parts.items():
        seed_everything(0)
        rows: list[tuple[str, ...]] = []
        known["parts"][name] = part = {"rows": rows}
        begin = time.monotonic()
        try:
            with contextlib.closing(measure(device)) as measured:
                for row in measured:
                    rows.append(row)
                    part["seconds"] = round(time.monotonic() - begin, 1)
                    write(known)
                    if time.monotonic() > end:
                        part["missing"] = f"the {minutes:g} minutes were over; what was not measured is not here"
                        break
        except Exception as error:  # a kernel or a library that is not there: the others are asked all the same
            part["missing"] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        write(known)
    return known


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", default="gpu.json", metavar="FILE", help="the JSON (default: gpu.json)")
    parser.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best that is here)")
    parser.add_argument("--minutes", type=float, default=7.0, metavar="M", help="begin nothing after M (default: 7)")
    options = parser.parse_args(arguments)
    if not (math.isfinite(options.minutes) and options.minutes > 0):
        parser.error(f"--minutes {options.minutes:g}: use a number above 0")
    try:
        device = pick_device(options.device)
    except ValueError as error:
        parser.error(str(error))
    known = visit(
        device, PARTS, options.minutes, lambda now: write_whole(options.out, json.dumps(now, indent=1) + "\n")
    )
    print(json.dumps(known["machine"]))
    for name, part in known["parts"].items():
        show(f"{name} ({part.get('seconds', 0):g} s)", part["rows"])
        if "missing" in part:
            print(f"  {part['missing']}")
    print(f"\nWritten to {options.out}.")


if __name__ == "__main__":
    sys.exit(main())
