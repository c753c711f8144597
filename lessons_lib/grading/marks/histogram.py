"""How many learners have how many points: a small picture a question, and the same in words."""

from collections import Counter
from collections.abc import Sequence

from lessons_lib.grading.marks.shell import counted, plain

WIDTH, HEIGHT, ABOVE, BELOW = 200, 96, 16, 18  # of the picture and its margins, in its own units
MOST = 12  # points, each with its number below
STYLE = """
svg { display: block; width: 100%; max-width: 18rem; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: var(--text); text-anchor: middle; } svg line { stroke: var(--line); }
.bar { fill: var(--bar); } .bar.without { fill: var(--none); }
"""


def histogram(points: Sequence[int | None], total: int, name: str) -> str:
    """A picture as SVG, with a bar for each number of points and one for "none".

    Args:
        points: of each learner, from 0 to total; None: not handed in.
        name: unique on the page, of letters and digits: for the ids of the text alternative.
    """
    counts = Counter(points)
    bars: list[tuple[str, int]] = [("none", counts[None])] + [(str(n), counts[n]) for n in range(total + 1)]
    highest = max(1, *counts.values()) if counts else 1
    step = WIDTH / len(bars)
    drawn = []
    for i, (label, count) in enumerate(bars):
        height = (HEIGHT - ABOVE - BELOW) * count / highest
        x, y = i * step, HEIGHT - BELOW - height
        kind = "bar without" if label == "none" else "bar"
        if count:
            drawn.append(
                f'<rect class="{kind}" x="{x + step * 0.12:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" '
                f'height="{height:.1f}"/><text x="{x + step / 2:.1f}" y="{y - 4:.1f}">{count}</text>'
            )
        if total <= MOST or label == "none" or int(label) % 5 == 0:
            drawn.append(f'<text x="{x + step / 2:.1f}" y="{HEIGHT - 4}">{label}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}"><title id="{name}">'
        f"{plain(in_words(points))}</title>"
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT - BELOW}" y2="{HEIGHT - BELOW}"/>{"".join(drawn)}</svg>'
    )


def in_words(points: Sequence[int | None]) -> str:
    """Such as `2 learners have 3 points, 1 learner 1 point, 1 learner handed in nothing`."""
    counts = Counter(points)
    scored = sorted((n for n in counts if n is not None), reverse=True)
    said = [f"{counted(counts[n], 'learner')} with {counted(n, 'point')}" for n in scored]
    if counts[None]:
        said.append(f"{counted(counts[None], 'learner')} without an answer")
    return ", ".join(said) or "no learners"
