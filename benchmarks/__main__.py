"""Measure the library's speed on this machine: `make bench`, or a table by name: `python -m benchmarks training`."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator

import torch

from benchmarks.attention import attention
from benchmarks.corpus import corpus
from benchmarks.decoding import decoding
from benchmarks.generation import generation
from benchmarks.grading import grading
from benchmarks.page import page
from benchmarks.page_training import page_training
from benchmarks.profile import profile
from benchmarks.site import site
from benchmarks.training import training
from benchmarks.widgets import widgets
from lessons_lib.device import describe, pick_device, seed_everything

TABLES: dict[str, tuple[str, Callable[[torch.device], Iterator[tuple[str, ...]]]]] = {
    "attention": ("Attention, forward and backward: 1,024 tokens, 4 heads, d_head 32, causal", attention),
    "generation": ("Generation: 64 sentences, d_model 256, 3 + 3 layers, vocabulary 8,000", generation),
    "decoding": ("Decoding: 64 sentences, 20 tokens each, the same model on one thread", decoding),
    "training": ("Training: d_model 256, 3 + 3 layers, vocabulary 8,000, batches of 4,096 tokens", training),
    "profile": ("Where the time goes: the same training in fp32", profile),
    "corpus": ("A corpus of a million pairs, from rows on disk to batches", corpus),
    "grading": ("A class of a hundred, alone with this machine: thirteen exercises each, isolated", grading),
    "page": (
        "The translator in Chromium, alone with this machine: 20 tokens of English, 50 of French, one thread",
        page,
    ),
    "page_training": ("The playground's training in Chromium, and PyTorch, one thread each", page_training),
    "site": ("The built site as a telephone meets it (Lighthouse), alone with this machine", site),
    "widgets": ("The widgets of the built site in Chromium, alone with this machine", widgets),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"one or more of {', '.join(TABLES)}; all if none")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: one a core)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a table, and nothing else")
    options = parser.parse_args(arguments)
    for name in options.tables:
        if name not in TABLES:
            parser.error(f"TABLE={name!r} is not known; use one of {', '.join(TABLES)}")
    if options.threads is not None:
        if options.threads < 1:
            parser.error(f"--threads {options.threads}: use 1 or more")
        torch.set_num_threads(options.threads)
    device = pick_device()
    machine = f"PyTorch {torch.__version__}, {describe(device)}"
    if not options.json:
        print(machine)
    for name in options.tables or TABLES:
        seed_everything(0)
        title, rows = TABLES[name][0], TABLES[name][1](device)
        if options.json:
            print(json.dumps({"table": name, "machine": machine, "title": title, "rows": list(rows)}), flush=True)
        else:
            show(title, rows)


def show(title: str, rows: Iterator[tuple[str, ...]]) -> None:
    """Print a table, row by row as they are measured."""
    print(f"\n{title}")
    for row in rows:
        print("  ".join(f"{cell:>26}" for cell in row), flush=True)  # two blanks stay, however long a cell is


if __name__ == "__main__":
    sys.exit(main())
