"""Milliseconds a token of the translator in the page: ours with SIMD and without, and onnxruntime-web; one thread each.

They translate the same sentence with the same model, one after another in one page of Chromium. Ours keeps the weights
in 8 bits; onnxruntime-web runs what `lessons export` writes for ONNX, in single precision and with its cache of keys
and values, under a search of the same kind. No translation ends before its limit, so that all write as many tokens.
"""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from playwright.sync_api import Page, sync_playwright

from benchmarks.npm import fetch
from lessons_lib.timing import ratio
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.tokenizer import BOS, EOS, PAD, Tokenizer
from lessons_lib.translation.deployment.onnx import write_onnx_model
from lessons_lib.translation.deployment.web import web_model
from lessons_lib.translation.deployment.web_reading import read_web_model
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.widgets._common import engine_text
from lessons_lib.widgets.translator import ENGINE
from tools import chromium
from tools.serve import served

ORT_WEB = "onnxruntime-web@1.30.0"  # of npm, 33 MB, MIT
ORT_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
LARGE = TransformerConfig(vocab_size=4_000, d_model=256, n_heads=4, n_encoder_layers=4, n_decoder_layers=2, d_ff=512)
OURS, PLAIN, RIVAL = "ours", "ours without SIMD", "onnxruntime-web"
HERE = Path(__file__).parent / "page.js"


class Engine(NamedTuple):
    """A text for the page that exports `readModel`, `Transformer` and `search`, and whether it may use SIMD."""

    text: str
    simd: bool = True


def course_model() -> Transformer:
    return load_course_translator("cpu").model


def large_model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(LARGE)


SIZES = {"the course's": course_model, "4.7 million weights": large_model}


def page(
    device: torch.device,
    sizes: Sequence[str] = tuple(SIZES),
    rounds: int = 9,
    engines: dict[str, Engine] | None = None,
    rival: bool = True,
) -> Iterator[tuple[str, ...]]:
    """A row a size, search and system; ratios are medians over the rounds, with their range.

    Args:
        engines: what runs in the page beside onnxruntime-web; ours with SIMD and without, unless it is given.
        rival: whether onnxruntime-web is fetched and run.
    """
    text = engine_text(ENGINE)
    engines = engines or {OURS: Engine(text), PLAIN: Engine(text, False)}
    yield "model", "search", "system", "ms a token", "ours is faster by"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "index.html").write_text('<!doctype html><meta charset="utf-8"><title>Engines</title>')
        if rival:
            fetch(ORT_WEB, ORT_FILES, folder / "ort")
        browser = playwright.chromium.launch(**chromium.launch_options())
        for size in sizes:
            config = write_model(SIZES[size](), folder, rival)
            with served(folder) as address:
                tab = browser.new_page()
                tab.goto(address)
                tab.add_script_tag(path=HERE)
                for system, engine in engines.items():
                    tab.evaluate("(all) => addEngine(...all)", [system, *engine])
                if rival:
                    tab.evaluate("(all) => addOnnx(...all)", [RIVAL, config.to_dict(), config.head_width])
                yield from rows_of(tab, size, random_source(config), rounds)
                tab.close()
        browser.close()


def rows_of(tab: Page, size: str, source: list[int], rounds: int) -> Iterator[tuple[str, ...]]:
    for beam in (1, 4):
        found = tab.evaluate("(all) => takeTurns(...all)", [source, beam, rounds])
        first, *others = (one["tokens"] for one in found.values())
        assert all(one == first for one in others), "the systems do not write the same tokens"
        times = {system: list(map(float, one["milliseconds"])) for system, one in found.items()}
        for system, spent in times.items():
            each = statistics.median(spent) / len(first)
            faster = "" if system == OURS else ratio(spent, times[OURS])
            yield size, "greedy" if beam == 1 else f"{beam} beams", system, f"{each:.3f}", faster


def random_source(config: TransformerConfig, length: int = 20) -> list[int]:
    generator = torch.Generator().manual_seed(0)
    return [*torch.randint(3, config.vocab_size, (length - 1,), generator=generator).tolist(), config.eos_id]


def write_model(model: Transformer, folder: Path, onnx: bool) -> TransformerConfig:
    """The page's file, model.bin, and the two ONNX programs of what that file says."""
    model.embedding.weight.data[model.config.eos_id] = 0.0  # its logit is 0: never among the likeliest of so many
    pieces = [PAD, BOS, EOS, *(f"piece{number}" for number in range(3, model.config.vocab_size))]
    tokenizer = Tokenizer({piece: number for number, piece in enumerate(pieces)}, [])
    with tempfile.TemporaryDirectory() as name:
        save_model(Path(name), model, tokenizer)
        data = web_model(Path(name))
    (folder / "model.bin").write_bytes(data)
    if onnx:
        write_onnx_model(read_web_model(data)[0], tokenizer, folder)
    return model.config
