"""How soon pages of the built site are there on a telephone, as Lighthouse reckons it: four times slower, on 4G."""

import gzip
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import torch

from tools import build_book, chromium
from tools.serve import QuietHandler, served

LIGHTHOUSE = "lighthouse@13.5.0"  # of npm, Apache 2.0
PAGES = (
    "book/welcome.html",
    "notebooks/03_multi_head_attention.html",
    "notebooks/13_evaluating_translation.html",
    "book/translator.html",
    "book/claims.html",
)
SCORES = "performance", "accessibility", "best-practices", "seo"


class Packed(QuietHandler):
    """Sends text as gzip, over connections that stay open, as the hosts of such sites do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js", ".svg", ".json", ".xml") or not path.is_file():
            return super().do_GET()
        packed = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", f"{self.guess_type(path)}; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        self.wfile.write(packed)


@cache
def compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes())


def site(device: torch.device, runs: int = 3, pages: Sequence[str] = PAGES) -> Iterator[tuple[str, ...]]:
    """A row a page: the lowest scores of the runs, the slowest first and largest paint, the longest time of no answer.

    The last column is how quick Lighthouse finds the machine (its benchmarkIndex): the telephone is a quarter of that,
    so that a page on a machine of 600 is judged as on half the telephone of 1200.

    Raises:
        SystemExit: the site is not built, or npm is not here, or fetches no Lighthouse.
    """
    if build_book.read_manifest() != build_book.sources():
        raise SystemExit("the site is not built from these sources; run: make book")
    yield "page", *SCORES, "first paint, s", "largest paint, s", "blocked, ms", "shift", "KiB", "requests", "machine"
    with tempfile.TemporaryDirectory() as name, served(handler=Packed) as address:
        folder = Path(name)
        call(["npm", "install", "--silent", "--prefix", folder, LIGHTHOUSE])
        for page in pages:
            reports = [report(folder, address + page) for _ in range(runs)]
            least = [min(one["categories"][score]["score"] for one in reports) for score in SCORES]
            first, largest, blocked, shift, size = (
                max(one["audits"][audit]["numericValue"] for one in reports)
                for audit in (
                    "first-contentful-paint",
                    "largest-contentful-paint",
                    "total-blocking-time",
                    "cumulative-layout-shift",
                    "total-byte-weight",
                )
            )
            asked = reports[0]["audits"]["network-requests"]["details"]["items"]
            requests = sum(not one["url"].startswith(("blob:", "data:")) for one in asked)
            paints = f"{first / 1000:.1f}", f"{largest / 1000:.1f}", f"{blocked:.0f}", f"{shift:.3f}"
            machine = " to ".join(
                f"{of(one['environment']['benchmarkIndex'] for one in reports):.0f}" for of in (min, max)
            )
            yield page, *(f"{100 * one:.0f}" for one in least), *paints, f"{size / 1024:.0f}", str(requests), machine


def report(folder: Path, address: str) -> dict:
    flags = " ".join(["--headless=new", "--disable-gpu", *chromium.launch_options()["args"]])
    out = folder / "report.json"
    options = ["--quiet", "--output=json", f"--output-path={out}", f"--chrome-flags={flags}"]
    call([folder / "node_modules" / ".bin" / "lighthouse", address, *options], {"CHROME_PATH": chromium.find()})
    return json.loads(out.read_text("utf8"))


def call(command: list, environment: dict | None = None) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, env=os.environ | (environment or {})
        )
    except FileNotFoundError:
        raise SystemExit(f"{LIGHTHOUSE} comes from npm, which is not on the PATH; install Node.js") from None
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
