"""Build the site into `_build/html`; do nothing when no source changed.

Every warning is an error. The sources are compared by content, with a manifest beside the site.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.translation.deployment.web import web_model

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
INDEX = BUILD / "html" / "index.html"
# The first page at the site's own address: Jupyter Book's own redirect asks for an icon that is not there.
REDIRECT = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The Executable Transformer</title>
<meta http-equiv="refresh" content="0; url=book/welcome.html"><link rel="canonical" href="book/welcome.html">
<link rel="icon" href="data:,"></head>
<body><a href="book/welcome.html">The Executable Transformer</a></body>
</html>
"""
# What the live translator loads (lessons_lib/widgets/translator.js), made of the weights that are in the repository.
COURSE_MODEL = ROOT / "lessons_lib" / "translation" / "course_model"
TRANSLATOR, TRANSLATOR_NAME = "_static/course-translator.bin", "The course’s translator"
EVERYDAY_MODEL = ROOT / "lessons_lib" / "translation" / "everyday_model" / "everyday.bin"
EVERYDAY = "_static/everyday-translator.bin"
# Imported where they are installed, and never used here: the grammars of addresses that jsonschema would check, and
# Matplotlib, with which sphinxext-opengraph would draw cards. More than a second of each build.
UNUSED = "rfc3987_syntax", "sphinxext.opengraph._social_cards"
MANIFEST = BUILD / "sources.json"
SOURCES = (
    "_config.yml",
    "_toc.yml",
    "requirements.txt",
    "tools/build_book.py",
    "lessons_lib/translation/course_model/*",
    "lessons_lib/translation/everyday_model/*",
    "lessons_lib/translation/deployment/web.py",
    "lessons_lib/translation/deployment/safetensors_plain.py",
    "lessons_lib/attention.py",
    "lessons_lib/widgets/engine/training/scaled_dot_product.js",
    "book/**/*",
    "notebooks/*",
    "solutions/*.py",
)


def sources() -> dict[str, str]:
    """The hash of each file that the site is made of."""
    paths = sorted(path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file())
    kept = (path for path in paths if "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def is_page(name: str) -> bool:
    return name.endswith((".md", ".ipynb")) or name.startswith(("notebooks/", "solutions/"))


def read_manifest() -> dict[str, str]:
    return json.loads(MANIFEST.read_text("utf8")) if MANIFEST.exists() and INDEX.exists() else {}


def run_sphinx() -> None:
    """What ``jupyter-book build . -W -n --keep-going -q`` does, with a process for each core."""
    sys.modules.update(dict.fromkeys(UNUSED))  # as if they were not installed
    from jupyter_book.sphinx import build_sphinx

    with contextlib.redirect_stdout(io.StringIO()) as said:
        failed = build_sphinx(
            ROOT,
            BUILD / "html",
            noconfig=True,
            path_config=ROOT / "_config.yml",
            confoverrides={
                "external_toc_path": str(ROOT / "_toc.yml"),
                "latex_individualpages": False,
                "nitpicky": True,
            },
            warningiserror=True,
            keep_going=True,
            quiet=True,
            jobs=os.cpu_count(),
        )
    if failed:
        sys.exit(f"{said.getvalue()}\nThe site was not built: mend the warnings and errors above.")


def build() -> None:
    before, now = read_manifest(), sources()
    if before == now:
        print("The site is up to date.")
        return
    changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    # A page that went, or a change of style or configuration, touches every page: begin afresh.
    if not all(name in now and is_page(name) for name in changed):
        shutil.rmtree(BUILD, ignore_errors=True)
    MANIFEST.unlink(missing_ok=True)
    print("Building the site ...", flush=True)
    begin = time.perf_counter()
    with ProcessPoolExecutor(1) as aside:  # Sphinx begins and ends with what one core does
        translator = aside.submit(web_model, COURSE_MODEL, name=TRANSLATOR_NAME)
        run_sphinx()
    INDEX.write_text(REDIRECT, "utf8")
    (INDEX.parent / ".nojekyll").touch()  # GitHub Pages, from a branch, would leave out `_static`
    write_whole(BUILD / "html" / TRANSLATOR, translator.result())
    write_whole(BUILD / "html" / EVERYDAY, EVERYDAY_MODEL.read_bytes())
    MANIFEST.write_text(json.dumps(now, indent=1), "utf8")
    print(f"Built in {time.perf_counter() - begin:.0f} s.")


if __name__ == "__main__":
    build()
    print(f"Open  file://{INDEX}\nor run  make serve  and open http://localhost:8000")
