"""`lessons profile`."""

import argparse
import csv
import io
import json
import os
from dataclasses import asdict
from pathlib import Path

from lessons_lib.cli.flags import add_device
from lessons_lib.errors import UserError
from lessons_lib.files import check_place, write_whole

HELP = """\
Measure what a translation costs: time and memory over batch size, length, beam, key–value cache and precision.

  lessons profile --model runs/toy
  lessons profile --model runs/toy --batch 1 16 --source-length 10 20 40 --precision fp32 bf16 --out profile.png
  lessons profile --model runs/toy --beam 1 4 8 --grid --json

One factor varies at a time, from a base: the batch size and the length in the middle of their lists, the first beam,
the first precision, with a cache. Every length is measured with and without a cache. --grid: all with all.

So that every row does the same work whatever the model says, a translation has as many tokens as its source: </s> is
forbidden before, and forced then. Times are medians of rounds in which all rows take turns, after one to warm up.
Peak MB are tensors at the fullest moment beyond the weights: on a GPU what PyTorch allocates, on a CPU what its
allocator hands out while the profiler listens. The operating system sees more.
"""
COLUMNS = {
    "batch": "{batch}",
    "length": "{source_length}",
    "beam": "{beam}",
    "cache": "{cache}",
    "precision": "{precision}",
    "ms a batch": "{ms:,.1f}",
    "ms a sentence": "{ms_a_sentence:,.2f}",
    "tokens/s": "{tokens_per_second:,.0f}",
    "weights MB": "{weights:,.1f}",
    "peak MB": "{peak}",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons profile`."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 64], metavar="B", help="sentences (1 8 64)")
    parser.add_argument(
        "--source-length", nargs="+", type=int, default=[8, 16, 32], metavar="S", help="tokens of each (8 16 32)"
    )
    parser.add_argument("--beam", nargs="+", type=int, default=[1, 4], metavar="K", help="beams of the search (1 4)")
    precision = "of weights and products: fp32, bf16, fp16 (fp32 bf16)"
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"], metavar="P", help=precision)
    parser.add_argument("--grid", action="store_true", help="measure every value with every other")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times that each row is measured (3)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON instead of a table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also draw it (.png) or write the rows (.csv)")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Profile; the exit code."""
    out = options.out
    if out and out.suffix.lower() not in (".png", ".csv"):
        raise UserError(f"--out {out} ends neither with .png, for a figure, nor with .csv, for the rows")
    if out:
        check_place(out, "profile.png")

    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # PyTorch's profiler says when it begins and ends
    from lessons_lib.device import describe
    from lessons_lib.translation.evaluation.profiling import points, profile
    from lessons_lib.translation.search.translator import Translator

    model = Translator.load(options.model, options.device).model
    wanted = points(options.batch, options.source_length, options.beam, options.precision, options.grid)
    rows = [asdict(measured) for measured in profile(model, wanted, options.rounds)]
    if out and out.suffix.lower() == ".csv":
        lines = io.StringIO(newline="")
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        write_whole(out, lines.getvalue(), "give another --out")
    elif out:
        from lessons_lib.figures import decoding_costs

        picture = io.BytesIO()
        decoding_costs(rows).savefig(picture, dpi=150, format="png")
        write_whole(out, picture.getvalue(), "give another --out")
    device = describe(model.embedding.weight.device)
    if options.json:
        print(json.dumps({"model": str(options.model), "device": device, "rounds": options.rounds, "rows": rows}))
    else:
        print(f"{device}; medians of {options.rounds} rounds; translations as long as their sources")
        print("\n".join(table(rows)))
    return 0


def table(rows: list[dict]) -> list[str]:
    """Lines of aligned columns, the names first."""
    cells = [list(COLUMNS)]
    for row in rows:
        peak = "unknown" if row["peak_bytes"] is None else f"{row['peak_bytes'] / 1e6:,.1f}"
        shown = row | {"cache": "yes" if row["cached"] else "no", "weights": row["weights_bytes"] / 1e6, "peak": peak}
        cells.append([form.format(**shown) for form in COLUMNS.values()])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
