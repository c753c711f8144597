"""Milliseconds a step of the playground's training: ours, ours without SIMD, TensorFlow.js, PyTorch; one thread each.

All begin with the same weights and learn from the same batches. The first three share a page of Chromium, and PyTorch
has its turn while that rests. First their losses are compared: who learns something else has not done the same work.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from playwright.sync_api import Page, sync_playwright
from torch.nn.utils.rnn import pad_sequence

from benchmarks.npm import fetch
from benchmarks.page import OURS, PLAIN
from lessons_lib.timing import ratio, take_turns
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.widgets._common import engine_text
from lessons_lib.widgets.engine.training import TRAINING
from tools import chromium
from tools.serve import served

TFJS = "@tensorflow/tfjs@4.22.0"  # of npm, 31 MB, Apache 2.0; so is the next
TFJS_WASM = "@tensorflow/tfjs-backend-wasm@4.22.0"
RIVAL, TORCH = "TensorFlow.js", "PyTorch"
HERE = Path(__file__).parent / "page_training.js"
STEPS = 21  # a round: its last loss is that after 20 steps


def page_training(
    device: torch.device, rounds: int = 9, sizes: dict | None = None, rival: bool = True
) -> Iterator[tuple[str, ...]]:
    """A row a system; ratios are medians over the rounds, with their range.

    Args:
        sizes: settings of the playground, such as d_model, that are not its defaults.
        rival: whether TensorFlow.js is fetched and run.

    Raises:
        AssertionError: a system does not learn what ours does.
    """
    yield "system", "ms a step", "target tokens/s", "ours is faster by"
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "index.html").write_text('<!doctype html><meta charset="utf-8"><title>Training</title>')
        scripts = fetch_tensorflow(folder / "tfjs") if rival else []
        browser = playwright.chromium.launch(**chromium.launch_options())
        torch.set_num_threads(1)
        try:
            with served(folder) as address:
                tab = browser.new_page()
                tab.goto(address)
                for script in (*scripts, HERE):
                    tab.add_script_tag(path=script)
                given = tab.evaluate("(all) => begin(...all)", [engine_text(TRAINING), sizes or {}, STEPS])
                systems = in_page(tab, rival) | {TORCH: torch_trainer(given)}
                same_learning({name: train() for name, train in systems.items()})
                seconds = take_turns(systems, rounds)
        finally:
            torch.set_num_threads(threads)
        browser.close()
    tokens = sum(len(one["target"]) + 1 for batch in given["batches"] for one in batch)
    for system, spent in seconds.items():
        each = statistics.median(spent)
        faster = "" if system == OURS else ratio(spent, seconds[OURS])
        yield system, f"{1000 * each / STEPS:.2f}", f"{tokens / each:,.0f}", faster


def in_page(tab: Page, rival: bool) -> dict[str, Callable[[], list[float]]]:
    """What trains in the page, each a function that does a round and returns its losses."""
    for system, simd in ((OURS, True), (PLAIN, False)):
        tab.evaluate("(all) => addEngine(...all)", [system, simd])
    if rival:
        tab.evaluate("(name) => addTensorflow(name)", RIVAL)
    return {name: partial(tab.evaluate, "(name) => train(name)", name) for name in (OURS, PLAIN, RIVAL)[: 2 + rival]}


def same_learning(losses: dict[str, list[float]]) -> None:
    """Losses of the same steps, by system, ours among them.

    Raises:
        AssertionError: one is not ours to 0.001 before the first step, and to 0.01 before each of the others.
    """
    for name, found in losses.items():
        first, *later = (abs(one - own) for one, own in zip(found, losses[OURS], strict=True))
        assert first <= 1e-3, f"{name} begins with something else: losses are {first:.4f} apart"
        assert max(later) <= 1e-2, f"{name} learns something else: losses are {max(later):.4f} apart"


def torch_trainer(given: dict) -> Callable[[], list[float]]:
    """The model of lessons_lib, eager, from what the page begins with; a round, and its losses."""
    settings, known = given["settings"], {field.name for field in fields(TransformerConfig)}
    chosen = {name: value for name, value in given["config"].items() if name in known}
    config = TransformerConfig(**chosen | {"dropout": float(chosen["dropout"])})
    model = Transformer(config)
    model.load_state_dict({one["name"]: torch.tensor(one["numbers"]).view(one["shape"]) for one in given["parameters"]})
    options = {name: settings[name] for name in ("betas", "eps", "weight_decay")}
    optimizer = torch.optim.AdamW(model.parameters(), **options, fused=True)
    batches = [padded(batch, config) for batch in given["batches"]]
    rates = iter(given["rates"])

    def train() -> list[float]:
        losses = []
        for src, tgt_in, tgt_out in batches:
            loss = F.cross_entropy(model(src, tgt_in).flatten(0, 1), tgt_out.flatten(), ignore_index=config.pad_id)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"])
            optimizer.param_groups[0]["lr"] = next(rates)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        return losses

    return train


def padded(batch: list[dict], config: TransformerConfig) -> list[torch.Tensor]:
    """Source, what the decoder reads, what it should say: (B, S), (B, T) and (B, T)."""
    bos, eos = [config.bos_id], [config.eos_id]
    rows = [(one["source"] + eos, bos + one["target"], one["target"] + eos) for one in batch]
    sides = ([torch.tensor(row) for row in side] for side in zip(*rows, strict=True))
    return [pad_sequence(side, batch_first=True, padding_value=config.pad_id) for side in sides]


def fetch_tensorflow(folder: Path) -> list[Path]:
    """Its files, in `folder`; returns the scripts."""
    core, backend = "tf.es2017.min.js", "tf-backend-wasm.es2017.min.js"
    fetch(TFJS, [core], folder)
    fetch(TFJS_WASM, [backend, "tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"], folder)
    return [folder / core, folder / backend]
