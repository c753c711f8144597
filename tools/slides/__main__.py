"""Make slides of each lesson from the built site: `python -m tools.slides` writes `_build/slides/NN_name.html`.

Each is a file of its own: it needs no network, no server and no other file.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tools.build_book import BUILD, INDEX
from tools.slides.deck import deck

PAGES, SLIDES = BUILD / "html" / "notebooks", BUILD / "slides"


def main() -> None:
    if not INDEX.exists():
        sys.exit("The site is not built; run: make slides")
    with tempfile.TemporaryDirectory(prefix=".slides-", dir=BUILD) as temporary:
        made = Path(temporary) / SLIDES.name
        made.mkdir()
        for page in sorted(PAGES.glob("[0-9][0-9]_*.html")):
            (made / page.name).write_text(deck(page), "utf8")
        shutil.rmtree(SLIDES, ignore_errors=True)
        os.replace(made, SLIDES)
    size = sum(path.stat().st_size for path in SLIDES.iterdir())
    print(f"{len(list(SLIDES.iterdir()))} lessons, {size / 1e6:.0f} MB. Open  file://{SLIDES}")


if __name__ == "__main__":
    main()
