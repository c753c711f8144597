"""The course as a book: `python -m tools.paper pdf` (or epub) adds course.pdf (or course.epub) to the built site."""

import html
import sys
import time

import yaml

from tools.build_book import BUILD, INDEX
from tools.lesson_files import ROOT
from tools.paper.chapters import chapters
from tools.paper.epub import write_epub
from tools.paper.pdf import write_pdf

SITE, FOLDER = BUILD / "html", BUILD / "paper"
LICENCE = "Text: CC BY 4.0. Code: MIT."


def main(kind: str = "") -> None:
    if kind not in ("pdf", "epub"):
        sys.exit(__doc__)
    if not INDEX.exists():
        sys.exit(f"The site is not built; run: make {kind}")
    begin = time.perf_counter()
    said = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    made = chapters(SITE)
    title, author = said["title"], said["author"]
    out = SITE / f"course.{kind}"
    if kind == "epub":
        write_epub(made, SITE, out, title, author, LICENCE)
    else:
        home = made[0].address
        where = f'<a href="{home}">{home}</a><br>' if home else ""
        write_pdf(made, SITE, FOLDER, out, title, f"{html.escape(author)}<br>{where}{LICENCE}")
    print(f"{out.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - begin:.0f} s. Open  file://{out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
