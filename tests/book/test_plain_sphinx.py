"""The way out of Jupyter Book 1.x: plain Sphinx makes the same site, byte for byte, of the same sources.

Apart from what tools/build_book.py puts beside it, and the first page's redirect.
"""

import shutil
import subprocess
import sys

from tools import build_book
from tools.build_book import BUILD, ROOT, sources

SITE = BUILD / "html"


def test_plain_sphinx_makes_the_same_site(tmp_path):
    assert build_book.read_manifest() == sources(), "the site is not that of these sources; run: make book"
    for name in sources():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    run = lambda *command: subprocess.run([sys.executable, *command], cwd=tmp_path, check=True)  # noqa: E731
    run("-c", "from jupyter_book.cli.main import main; main()", "config", "sphinx", ".")
    conf = tmp_path / "conf.py"
    conf.write_text(f"import sys\n\nsys.path.append('book/_sphinx')\n{conf.read_text('utf8')}", "utf8")
    run("-m", "sphinx", "-q", "-W", "-n", "--keep-going", "-d", str(tmp_path / "trees"), ".", str(tmp_path / "site"))
    made = [path for path in (tmp_path / "site").rglob("*") if path.is_file() and path.name != ".buildinfo"]
    names = {path.relative_to(tmp_path / "site").as_posix(): path.read_bytes() for path in made}
    assert len(names) > 100
    assert [name for name, data in names.items() if name != "index.html" and (SITE / name).read_bytes() != data] == []
