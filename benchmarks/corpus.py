"""Memory and time of a large corpus, from rows on disk to batches, in a process of its own.

    python -m benchmarks.corpus FOLDER PAIRS     prints a line of JSON after each stage

The pairs are random words around function words of both languages, 12 to 28 words a side.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

WORDS, ROWS_A_FILE = 50_000, 50_000


def corpus(device: torch.device, pairs: int = 1_000_000) -> Iterator[tuple[str, ...]]:
    """A row a stage: its seconds, and the most memory that the process has held until then."""
    yield "stage", "seconds", "peak memory (MB)"
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder) / "rows", pairs)
        command = [sys.executable, "-m", "benchmarks.corpus", folder, str(pairs)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        for line in done.stdout.splitlines():
            stage, seconds, megabytes = json.loads(line)
            yield stage, f"{seconds:.1f}", f"{megabytes:,.0f}"


def write_rows(folder: Path, pairs: int) -> None:
    """Rows in the form of WMT14, as Parquet; what is left of the pairs after cleaning is not much less."""
    import pyarrow
    import pyarrow.parquet as parquet

    folder.mkdir()
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzéèà"))
    words = ["".join(rng.choice(letters, rng.integers(3, 11))) for _ in range(WORDS)]
    frequent = rng.zipf(1.3, 1 << 20) % WORDS  # few words are frequent, as in any language

    def sentence(start: str, length: int) -> str:
        begin = rng.integers(0, len(frequent) - length)
        return f"{start} " + " ".join(words[i] for i in frequent[begin : begin + length])

    def row() -> dict:
        length = int(rng.integers(10, 25))
        return {"en": sentence("the of", length), "fr": sentence("le des", length + int(rng.integers(0, 3)))}

    counts = {"validation": 100, "test": 100}
    counts |= {f"train-{i:05}": min(ROWS_A_FILE, pairs - i * ROWS_A_FILE) for i in range(-(-pairs // ROWS_A_FILE))}
    for name, count in counts.items():
        rows = [{"translation": row()} for _ in range(count)]
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{name}.parquet", row_group_size=1_000)


def measure(folder: Path, pairs: int) -> None:
    """Every stage between the rows and the second epoch's batches."""
    from lessons_lib.timing import process_peak_megabytes
    from lessons_lib.translation.data.batching import Batches, encode_pairs
    from lessons_lib.translation.data.prepared import load_prepared
    from lessons_lib.translation.data.tokenizer import Tokenizer
    from lessons_lib.translation.data.wmt14 import prepare
    from lessons_lib.translation.training.resumable import tokenizer_texts

    started = time.monotonic()

    def done(stage: str) -> None:
        nonlocal started
        seconds, started = time.monotonic() - started, time.monotonic()
        print(json.dumps([stage, seconds, process_peak_megabytes()]), flush=True)

    prepare(folder / "prepared", pairs, folder / "rows")
    done("prepare")
    train = load_prepared(folder / "prepared").train
    done(f"load {len(train):,} pairs")
    tokenizer = Tokenizer.train(tokenizer_texts(train), 8_000)
    done("learn subwords")
    examples = encode_pairs(tokenizer, train, max_length=256)
    done("encode")
    batches = Batches(examples, tokenizer, token_budget=8_192)
    done(f"one epoch, {sum(1 for _ in batches.epoch(0)):,} batches")


if __name__ == "__main__":
    measure(Path(sys.argv[1]), int(sys.argv[2]))
