"""What a small model needs on little text: one change to a training at a time, some seeds, scored on held-out pairs.

    python -m benchmarks.recipe --train train.en train.fr --valid val.en val.fr --steps 4000 --out build/recipe

Each training is one of `lessons train`, in its own folder under --out. What is done there stays, and the same command
goes on. Steps are equal, and not minutes, so that what comes out does not depend on how busy the machine is; what a
step costs stands beside it. BLEU is that of greedy search on the validation pairs: the test set is not asked.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from benchmarks.__main__ import show
from lessons_lib.evidence import estimate, paired
from lessons_lib.files import write_whole
from lessons_lib.translation.search.model_folder import read_card
from lessons_lib.translation.training.presets import PRESETS

UNCHANGED = "unchanged"
CHANGES: dict[str, list[str]] = {
    UNCHANGED: [],
    "dropout 0.1": ["--dropout", "0.1"],
    "dropout 0.2": ["--dropout", "0.2"],
    "weight decay 0.1": ["--weight-decay", "0.1"],
    "weight decay 0.2": ["--weight-decay", "0.2"],
    "no average": ["--average", "0"],
    "no label smoothing": ["--label-smoothing", "0"],
    "2,500 pieces": ["--vocab-size", "2500"],
    "8,000 pieces": ["--vocab-size", "8000"],
    "2 decoder layers": ["--n-decoder-layers", "2"],
    "1,000 tokens a batch": ["--batch-tokens", "1000"],
    "4,000 tokens a batch": ["--batch-tokens", "4000"],
}


def trained(folder: Path, arguments: Sequence[str], threads: int) -> dict[str, float]:
    """BLEU and milliseconds a step of one training, which is taken up where it was cut off, or was done before.

    Raises:
        RuntimeError: `lessons train` failed; with the last line that it wrote.
    """
    command = ["train", *arguments, "--out", str(folder)]
    if not was_done(folder, shlex.join(["lessons", *command])):
        run = [sys.executable, "-m", "lessons_lib.cli", *command]
        done = subprocess.run(run, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    card = read_card(folder)
    return {"bleu": card["scores"]["bleu"], "milliseconds": 60_000 * card["minutes"] / card["steps"]}


def was_done(folder: Path, command: str) -> bool:
    """Whether this very command made the model there; `lessons train` itself refuses to replace another one."""
    return (folder / "run.json").exists() and read_card(folder)["command"] == command


def table(found: dict[str, dict[str, dict[str, float]]], seeds: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """A row a change that has all its seeds: BLEU, and the difference to what was not changed, with its interval."""
    yield "change", "BLEU", "beside unchanged", "milliseconds a step"
    rows = {name: [each[str(seed)] for seed in seeds] for name, each in found.items() if len(each) == len(seeds)}
    scores = {name: [each["bleu"] for each in row] for name, row in rows.items()}
    for name, row in rows.items():
        beside = f"{paired(scores[name], scores[UNCHANGED]):+.2f}" if name != UNCHANGED else ""
        cost = sum(each["milliseconds"] for each in row) / len(row)
        yield name, f"{estimate(scores[name]):.2f}", beside if UNCHANGED in scores else "", f"{cost:.0f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipe", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for part in "train", "valid":
        parser.add_argument(f"--{part}", nargs="+", required=True, metavar="FILE", help="as for `lessons train`")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the trainings and of recipe.json")
    parser.add_argument("--preset", choices=PRESETS, default="deep", help="what is changed (default: deep)")
    parser.add_argument("--steps", type=int, default=4_000, help="of each training (default: 4000)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each change, 2 or more (default: 3)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time (default: one a processor)")
    parser.add_argument("changes", nargs="*", metavar="CHANGE", help=f"some of: {'; '.join(CHANGES)} (default: all)")
    options = parser.parse_args(arguments)
    for name in options.changes:
        if name not in CHANGES:
            parser.error(f"CHANGE={name!r} is not known; use some of: {'; '.join(CHANGES)}")
    for name, least in (("steps", 1), ("seeds", 2), ("jobs", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} {getattr(options, name)}: use {least} or more")
    show(f"{options.preset}, {options.steps:,} steps, validation pairs", measured(options))


def measured(options: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """The table, after every training that was asked for; recipe.json is written after each of them.

    Raises:
        SystemExit: trainings failed; which, and why. The others are done.
    """
    common = ["--corpus", "pairs", "--preset", options.preset, "--steps", str(options.steps), "--validations", "1"]
    common += ["--train", *options.train, "--valid", *options.valid]
    names = options.changes or list(CHANGES)
    names = [UNCHANGED, *(name for name in names if name != UNCHANGED)]
    threads = max(1, (os.cpu_count() or 1) // options.jobs)
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in names}
    failed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = {}
        for seed in range(options.seeds):  # one of each, then the second: a change that fails is seen early
            for name in names:
                folder = options.out / f"{options.preset}-{options.steps}" / f"{name.replace(' ', '-')}-{seed}"
                its = [*common, *CHANGES[name], "--seed", str(seed)]
                waiting[pool.submit(trained, folder, its, threads)] = name, seed
        for future in tqdm(as_completed(waiting), total=len(waiting), unit="training", disable=None):
            name, seed = waiting[future]
            try:
                found[name][str(seed)] = future.result()
            except RuntimeError as error:
                failed.append(f"{name}, seed {seed}: {error}")
                continue
            asked = {"preset": options.preset, "steps": options.steps}
            write_whole(options.out / "recipe.json", json.dumps(asked | {"found": found}, indent=1) + "\n")
    yield from table(found, range(options.seeds))
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
