"""Find the Chromium that the browser tests drive, or install one where this user may.

Looked for, in this order: $CHROMIUM, the PATH, Playwright's own download.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HOW = (
    "The browser tests need Chromium. Run one of:\n"
    "  sudo apt-get install chromium                      (Debian)\n"
    "  .venv/bin/python -m playwright install chromium    (anywhere else)\n"
    "or name one that you have: make test CHROMIUM=/path/to/chromium"
)
# Each keeps the browser from calling home: the tests assert that a page asks no other host.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


def find() -> str | None:
    """The path of a Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return str(MAC) if MAC.exists() else _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def launch_options() -> dict:
    """Arguments of `playwright.chromium.launch`.

    Raises:
        RuntimeError: no Chromium was found; the message says what to run.
    """
    path = find()
    if path is None:
        raise RuntimeError(HOW)
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return {"executable_path": path, "args": FLAGS + sandbox}


def _is_debian() -> bool:
    release = Path("/etc/os-release")
    return release.exists() and "ID=debian" in release.read_text().splitlines()


def install() -> None:
    """Debian's package on Debian; elsewhere Playwright's download, and its libraries where apt-get may be used."""
    if _is_debian() and debian.install("chromium"):
        return
    print("Installing Playwright's Chromium ...", flush=True)
    libraries = [] if debian.apt_prefix() is None else ["--with-deps"]
    subprocess.run([sys.executable, "-m", "playwright", "install", *libraries, "chromium"], stdin=subprocess.DEVNULL)


def main() -> None:
    if os.environ.get("CHROMIUM") and find() is None:
        sys.exit(f"CHROMIUM={os.environ['CHROMIUM']} is no program on this machine.\n{HOW}")
    if find() is None:
        install()
    if find() is None:
        sys.exit(HOW)
    print(f"Browser: {find()}")


if __name__ == "__main__":
    main()
