"""Run the seeds of studies on all processors, keep what is done, and store numbers and cards whole or not at all."""

import json
import platform
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from lessons_lib.files import write_whole
from lessons_lib.studies import FOLDER, Study, load, module, program
from lessons_lib.studies._card import card

KEPT = Path("build/studies")


def one(name: str, seed: int) -> dict[str, float]:
    """One seed of one study, on one thread: as many run at once as there are processors."""
    torch.set_num_threads(1)
    return {key: float(value) for key, value in module(name).run(seed).items()}


def kept(name: str) -> Path:
    return KEPT / f"{name}-{program(name)}.json"


def done_before(name: str) -> dict[str, dict[str, float]]:
    return json.loads(kept(name).read_text("utf8")) if kept(name).exists() else {}


def run(chosen: list[str], jobs: int) -> dict[str, Study]:
    """Every seed of every chosen study, `jobs` at a time; a study with a seed that fails is told, and left out."""
    KEPT.mkdir(parents=True, exist_ok=True)
    done = {name: done_before(name) for name in chosen}
    # The first seed of every study, then the second of every one: a broken study is seen early.
    rounds = zip_longest(*([(name, seed) for seed in module(name).SEEDS] for name in chosen))
    waiting = [each for turn in rounds for each in turn if each and str(each[1]) not in done[each[0]]]
    failed: dict[str, str] = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(one, name, seed): (name, seed) for name, seed in waiting}
        for future in tqdm(as_completed(futures), total=len(futures), unit="seed", disable=None):
            name, seed = futures[future]
            if error := future.exception():
                failed[name] = f"{name}, seed {seed}: {type(error).__name__}: {error}"
                continue
            done[name][str(seed)] = future.result()
            write_whole(kept(name), json.dumps(done[name]))
    for told in failed.values():
        print(f"failed: {told}", file=sys.stderr)
    return {name: study(name, done[name]) for name in chosen if name not in failed}


def study(name: str, by_seed: dict[str, dict[str, float]]) -> Study:
    seeds = list(module(name).SEEDS)
    measured = by_seed[str(seeds[0])]
    results = {key: [round(by_seed[str(seed)][key], 6) for seed in seeds] for key in measured}
    made = {"program": program(name), "torch": torch.__version__.split("+")[0], "machine": platform.machine()}
    return Study(name, seeds, results, made)


def written(study: Study) -> str:
    """The JSON of a study, a line for each thing measured."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in study.results.items())
    made = json.dumps(study.made)
    return f'{{\n "seeds": {json.dumps(study.seeds)},\n "results": {{\n{lines}\n }},\n "made": {made}\n}}\n'


def store(study: Study) -> None:
    """Numbers and card, each written whole."""
    write_whole(FOLDER / f"{study.name}.json", written(study))
    write_whole(FOLDER / f"{study.name}.md", card(study))
    kept(study.name).unlink()


def has_numbers(name: str) -> bool:
    return (FOLDER / f"{name}.json").exists() and load(name).made["program"] == program(name)
