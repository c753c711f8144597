"""Cut the font of the formulas out of STIX Two Math: `python -m tools.math_font`.

The whole font is 400 kB; formulas need some hundred of its glyphs, with the table that says how roots and brackets
grow. It comes from npm (SIL Open Font License 1.1, which stands beside it). fonttools and brotli are of the extra
`test`. A glyph that no formula had before: add it to MARKS.
"""

import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from benchmarks.npm import fetch

PACKAGE, FILE = "@fontsource/stix-two-math@5.3.0", "stix-two-math-latin-400-normal.woff"
FONTS = Path(__file__).resolve().parent.parent / "book" / "assets" / "fonts"
FONT, LICENCE = FONTS / "stix-two-math.woff2", FONTS / "LICENSE.txt"
MARKS = "×ˆ˜¯ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξπρστυφχψωϕϵ‖…ℓℝ←→↦⇒∂∇∈∏∑−±√∞∣∩∪≈≠≤≥⊙⊤⋅⋮·⏟⏞𝟏′"
PLAIN = range(0x20, 0x7F)
PLANCK = 0x210E  # where Unicode has the italic h
# What a browser makes of one letter, Latin and small Greek.
ITALIC = [*range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C)]


def cut(source: Path, target: Path) -> None:
    font = TTFont(source)
    options = subset.Options(flavor="woff2", hinting=False, layout_features=["*"])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes={*PLAIN, *map(ord, MARKS), PLANCK, *ITALIC})
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def main() -> None:
    FONTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        fetch(PACKAGE, [FILE], Path(name), "files")
        fetch(PACKAGE, ["LICENSE"], Path(name), ".")
        cut(Path(name) / FILE, FONT)
        LICENCE.write_bytes((Path(name) / "LICENSE").read_bytes())
    print(f"{FONT.name}: {FONT.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
