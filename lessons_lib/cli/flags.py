"""Flags that several commands share."""

import argparse
from pathlib import Path


def add_model(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Which model, and how it searches."""
    parser.add_argument("--model", type=Path, required=required, metavar="DIR", help="the --out of a training")
    parser.add_argument("--beam", type=int, default=1, metavar="K", help="beams of the search (default 1: greedy)")
    parser.add_argument("--precision", default="fp32", help="fp32, or bf16 or fp16: faster where the device has it")
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where to run."""
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best one here)")
