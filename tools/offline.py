"""An offline classroom for a stick: the site, the notebooks, the exercises, and every wheel that a learner needs.

    python -m tools.offline                                        for this machine's system and Python
    python -m tools.offline --platform win_amd64 --python 3.12     for another: also macosx_14_0_arm64, linux_x86_64

It lies in `_build/offline` and, as one file, in `_build/offline.zip`. The site and the slides must be built.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tqdm import tqdm

from lessons_lib.handout.wheels import wheel
from tools.build_book import BUILD, INDEX
from tools.environment import ROOT
from tools.pins import BUILD_SPECIFIC, PINS
from tools.slides.__main__ import SLIDES

FOLDER = BUILD / "offline"
SERVER = "jupyterlab"  # what the library does not ask for itself
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1"]
README = """\
The Executable Transformer, without a network. You need Python {python}, nothing else. In a terminal, in this folder:

    {make}{python} -m venv course
    {bin}pip install --no-index --find-links wheels lessons_lib jupyterlab

Then  {bin}jupyter lab  opens the lessons in notebooks/ and their exercises in exercises/.
The pages open by a double click: site/index.html, and slides/ for the one who teaches. Only the live translator needs
{bin}python -m http.server --bind 127.0.0.1 --directory site    and then http://localhost:8000
The wheels are for {platform}. Text: CC BY 4.0. Code: MIT.
"""
# The names by which markers such as `sys_platform == "win32"` know a system, by the first letters of its platform tag.
SYSTEMS = {
    "win": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
    "macosx": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
}
MACHINES = {"amd64": "AMD64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "aarch64"}


class Target:
    """The system and the Python that the wheels are for.

    Raises:
        ValueError: no such platform, no such version.
    """

    def __init__(self, platform: str | None = None, version: str | None = None):
        here = default_environment()
        self.version = version or here["python_version"]
        if not re.fullmatch(r"3\.\d+", self.version):
            raise ValueError(f"{self.version} is no version of Python; give one such as 3.12")
        self.environment = here | {"python_version": self.version, "python_full_version": f"{self.version}.0"}
        self.name = platform or f"{here['platform_system']} ({here['platform_machine']})"
        self.options = ["--only-binary", ":all:", "--python-version", self.version]
        if platform is None:
            return
        system = next((name for name in SYSTEMS if platform.startswith(name)), None)
        machine = next((name for name in MACHINES if platform.endswith(f"_{name}")), None)
        if system is None or machine is None:
            raise ValueError(f"{platform} is no platform; give win_amd64, macosx_14_0_arm64 or linux_x86_64")
        self.environment |= SYSTEMS[system] | {"platform_machine": MACHINES[machine]}
        tags = [platform]
        if system == "linux":  # pip takes tags as they are written: every glibc that wheels are made for
            tags += [f"manylinux_2_{glibc}_{machine}" for glibc in range(5, 40)]
            tags += [f"manylinux{year}_{machine}" for year in (2014, 2010, 1)]
        self.options += [word for tag in tags for word in ("--platform", tag)]

    def asks(self, requirement: Requirement, extra: str = "") -> bool:
        """Whether a requirement holds on this system, of a package that was asked for with this extra."""
        return requirement.marker is None or requirement.marker.evaluate(self.environment | {"extra": extra})


class CudaBuild(Exception):
    """PyTorch's build for a GPU was chosen: gigabytes with its libraries."""


def needed(asked: list[str], target: Target, resolve: Callable[[list[str], Target], list[dict]]) -> list[str]:
    """Every wheel, `name==version`, of what is asked, of what that needs on the target, and so on.

    pip alone would ask this machine, not the target, whether `pywinpty; os_name == "nt"` is needed.

    Args:
        resolve: gives the metadata of what is installed for some requirements, without what these need.

    Raises:
        CudaBuild: one of them is a library of CUDA.
    """
    found: dict[str, dict] = {}
    followed = set()
    level = [Requirement(one) for one in asked]
    while level:
        wanted = {canonicalize_name(one.name): f"{one.name}{one.specifier}" for one in level}
        if cuda := next(filter(BUILD_SPECIFIC.match, wanted), None):
            raise CudaBuild(cuda)
        if new := [line for name, line in wanted.items() if name not in found]:
            found |= {canonicalize_name(one["name"]): one for one in resolve(new, target)}
        chosen = {(canonicalize_name(one.name), extra) for one in level for extra in ("", *one.extras)} - followed
        followed |= chosen
        below = [(Requirement(line), extra) for name, extra in chosen for line in found[name].get("requires_dist", [])]
        level = [one for one, extra in below if target.asks(one, extra)]
    return sorted(f"{one['name']}=={one['version']}" for one in found.values())


def pip_resolve(requirements: list[str], target: Target) -> list[dict]:
    """The metadata of what pip would install, at the versions of requirements.txt."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["install", "-qq", "--dry-run", "--no-deps", "--ignore-installed", "--target", folder]
        run_pip([*options, "--report", report, "-c", PINS, *target.options, *requirements], target)
        return [one["metadata"] for one in json.loads(report.read_text("utf8"))["install"]]


def pip_download(wheels: list[str], target: Target, folder: Path) -> None:
    """Download these wheels into the folder, with a progress bar."""
    options = ["download", "--no-deps", "--progress-bar", "off", "--dest", folder, *target.options]
    with tqdm(total=len(wheels), unit="wheel", disable=None) as bar:

        def tell(name: str) -> None:
            bar.set_postfix_str(name, refresh=False)
            bar.update()

        run_pip([*options, *wheels], target, tell)


def run_pip(arguments: list, target: Target, tell: Callable[[str], None] = lambda name: None) -> None:
    """Run pip; `tell` hears of each package that it takes up. Where it fails, leave with a line that says why."""
    command = [*PIP, *map(str, arguments)]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, **streams) as pip:
        lines = []
        for line in pip.stdout:
            lines.append(line)
            if begins := re.match(r"Collecting ([^\s=]+)|Processing (?:\S*/)?([^\s/-]+)", line):
                tell(begins[1] or begins[2])
    if pip.returncode != 0:
        sys.exit(why("".join(lines), target))


def why(said: str, target: Target) -> str:
    """The reason in what pip said, and what to do."""
    if re.search(r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError", said):
        return "PyPI cannot be reached: make offline needs the network once, to fetch the wheels."
    if missing := re.search(r"No matching distribution found for (\S+)|Cannot install (\S+) because", said):
        wheel, where = missing[1] or missing[2], f"{target.name} and Python {target.version}"
        return f"{wheel} has no wheel for {where} at the version of requirements.txt; give another FOR or FOR_PYTHON."
    return f"pip failed:\n{said}"


def wheels_for(target: Target) -> list[str]:
    """What a learner's environment holds: what the library asks for, and the notebook server; torch for the CPU."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["dependencies"]
    try:
        return needed([*asked, SERVER], target, pip_resolve)
    except CudaBuild:
        os.environ["PIP_EXTRA_INDEX_URL"] = f"{os.environ.get('PIP_EXTRA_INDEX_URL', '')} {CPU_INDEX}".strip()
    try:
        return needed([*asked, SERVER], target, pip_resolve)
    except CudaBuild as cuda:
        sys.exit(f"pip takes PyTorch's CUDA build ({cuda}), gigabytes; is {CPU_INDEX} within reach?")


def fill(folder: Path, target: Target, site: Path, slides: Path, wheels: Callable[[Path], None]) -> None:
    """Everything of an offline classroom; `wheels` puts those of other projects into a folder."""
    shutil.copytree(site, folder / "site", ignore=shutil.ignore_patterns("_sources"))
    shutil.copytree(slides, folder / "slides")
    for name in ("notebooks", "exercises"):
        (folder / name).mkdir()
        for notebook in sorted((ROOT / name).glob("*.ipynb")):
            shutil.copy(notebook, folder / name)
    (folder / "wheels").mkdir()
    wheels(folder / "wheels")
    wheel(ROOT, folder / "wheels")
    is_windows = target.environment["os_name"] == "nt"
    bin_, make = ("course\\Scripts\\", "py -") if is_windows else ("course/bin/", "python")
    text = README.format(bin=bin_, make=make, python=target.version, platform=target.name)
    (folder / "README.txt").write_text(text, "utf8")


def zipped(folder: Path) -> Path:
    """The folder as one file beside it."""
    target = folder.with_suffix(".zip")
    partial = target.with_suffix(".zip.partial")
    with ZipFile(partial, "w", ZIP_DEFLATED) as archive:
        for path in tqdm(sorted(folder.rglob("*")), unit="file", desc="zip", disable=None):
            packed = path.suffix in (".whl", ".png", ".woff2")
            archive.write(path, path.relative_to(folder.parent), ZIP_STORED if packed else None)
    os.replace(partial, target)
    return target


def size(path: Path) -> str:
    files = path.rglob("*") if path.is_dir() else [path]
    return f"{sum(one.stat().st_size for one in files if one.is_file()) / 1e6:,.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", help="such as win_amd64; without it, this machine's")
    parser.add_argument("--python", metavar="VERSION", help="such as 3.12; without it, this one's")
    options = parser.parse_args()
    try:
        target = Target(options.platform or None, options.python or None)
    except ValueError as error:
        sys.exit(str(error))
    if missing := next((path for path in (INDEX, SLIDES) if not path.exists()), None):
        sys.exit(f"{missing} is not there; run: make offline")
    print(f"Asking PyPI what a learner needs on {target.name} with Python {target.version} ...", flush=True)
    names = wheels_for(target)
    FOLDER.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".offline-", dir=FOLDER.parent) as temporary:
        folder = Path(temporary) / FOLDER.name
        fill(folder, target, INDEX.parent, SLIDES, lambda wheels: pip_download(names, target, wheels))
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.replace(folder, FOLDER)
    for part in sorted(path for path in FOLDER.iterdir() if path.is_dir()):
        print(f"  {part.name + '/':12} {size(part):>8}")
    archive = zipped(FOLDER)
    print(f"{FOLDER}: {size(FOLDER)}, {len(names) + 1} wheels; its README.txt says how to install them")
    print(f"{archive}: {size(archive)}")


if __name__ == "__main__":
    main()
