"""The offline classroom: the wheels that the target needs, not this machine; a folder that says how it is used."""

import os
import subprocess
import sys
from zipfile import ZipFile

import pytest

from tools import offline
from tools.lesson_files import ROOT

# Some packages as an index might hold them: what each asks for.
INDEX = {
    "library": ["torch>=2", "server[http]"],
    "torch": ["cuda-toolkit[cublas]==13; platform_system == 'Linux'", "typing-extensions; python_version < '3.12'"],
    "server": [
        "pywinpty; os_name == 'nt'",
        "appnope; platform_system == 'Darwin'",
        "client; extra == 'http'",
        "library",
    ],
    "client": ["docs; extra == 'docs'"],
    "pywinpty": [],
    "appnope": [],
    "typing-extensions": [],
}


def resolve(requirements: list[str], target: offline.Target) -> list[dict]:
    names = [offline.Requirement(one).name for one in requirements]
    return [{"name": name, "version": "1", "requires_dist": INDEX[name]} for name in names]


@pytest.mark.parametrize(
    ("platform", "version", "more"),
    [
        ("win_amd64", "3.12", ["pywinpty==1"]),
        ("win_amd64", "3.11", ["pywinpty==1", "typing-extensions==1"]),
        ("macosx_14_0_arm64", "3.13", ["appnope==1"]),
    ],
)
def test_the_wheels_are_those_of_the_target(platform, version, more):
    found = offline.needed(["library"], offline.Target(platform, version), resolve)
    assert found == sorted(["library==1", "torch==1", "server==1", "client==1", *more])


def test_a_build_of_torch_for_a_gpu_is_noticed_before_anything_is_fetched():
    with pytest.raises(offline.CudaBuild, match="cuda-toolkit"):
        offline.needed(["library"], offline.Target("linux_x86_64", "3.12"), resolve)


def test_linux_takes_the_wheels_of_every_glibc():
    options = offline.Target("linux_aarch64", "3.12").options
    assert {"manylinux_2_28_aarch64", "manylinux2014_aarch64", "linux_aarch64"} <= set(options)


def test_a_platform_that_is_none_is_named():
    for platform in ("beos", "win_riscv", "amd64"):
        with pytest.raises(ValueError, match=f"^{platform} is no platform; give win_amd64"):
            offline.Target(platform)


def test_a_version_that_is_none_is_named():
    for version in ("3.12.1", "312", "2.7"):
        with pytest.raises(ValueError, match=f"^{version} is no version of Python; give one such as 3.12"):
            offline.Target("win_amd64", version)


def test_what_pip_could_not_do_is_said_in_one_line():
    target = offline.Target("win_arm64", "3.12")
    for said in (
        "ERROR: No matching distribution found for torch>=2.5",
        "ERROR: Cannot install torch>=2.5 because these package versions have conflicting dependencies.",
    ):
        assert offline.why(said, target).startswith("torch>=2.5 has no wheel for win_arm64 and Python 3.12")
    assert offline.why("ERROR: disk full", target) == "pip failed:\nERROR: disk full"


def test_without_a_network_it_says_so():
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    without = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    line = "from tools import offline; offline.pip_resolve(['tqdm'], offline.Target())"
    done = subprocess.run([sys.executable, "-c", line], cwd=ROOT, env=without | nowhere, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "PyPI cannot be reached: make offline needs the network once, to fetch the wheels.\n"


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    """A classroom for Windows, with a site of one page and a wheel that stands for those of other projects."""
    folder = tmp_path_factory.mktemp("offline")
    for name in ("html", "slides"):
        (folder / name).mkdir()
        (folder / name / "index.html").write_text("a page")
    offline.fill(
        folder / "offline",
        offline.Target("win_amd64", "3.12"),
        folder / "html",
        folder / "slides",
        lambda wheels: (wheels / "other-1-py3-none-any.whl").write_bytes(b"a wheel"),
    )
    return folder / "offline"


def test_the_stick_holds_what_its_readme_names(stick):
    text = (stick / "README.txt").read_text("utf8")
    assert r"course\Scripts\pip install --no-index --find-links wheels lessons_lib jupyterlab" in text
    assert "py -3.12 -m venv course" in text
    assert len(text.splitlines()) <= 12
    assert {path.name for path in stick.iterdir()} == {
        "README.txt",
        "site",
        "slides",
        "notebooks",
        "exercises",
        "wheels",
    }
    for folder in ("site", "slides"):
        assert (stick / folder / "index.html").exists()
    for folder in ("notebooks", "exercises"):
        here = {path.name for path in (ROOT / folder).glob("*.ipynb")}
        assert {path.name for path in (stick / folder).iterdir()} == here


def test_the_librarys_own_wheel_is_among_the_others(stick):
    wheels = sorted(path.name.partition("-")[0] for path in (stick / "wheels").iterdir())
    assert wheels == ["lessons_lib", "other"]


def test_the_zip_holds_the_folder(stick):
    with ZipFile(offline.zipped(stick)) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert names == {f"offline/{path.relative_to(stick)}" for path in stick.rglob("*") if path.is_file()}
    assert [path.name for path in stick.parent.glob("*.partial")] == []
