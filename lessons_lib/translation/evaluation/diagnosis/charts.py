"""The pictures of the page, without a library: bars as inline SVG, attention as a table with shaded cells."""

from collections.abc import Sequence
from html import escape

from lessons_lib.translation.data.tokenizer import split_words
from lessons_lib.translation.evaluation.diagnosis.measure import LengthGroup, WorstSentence

LEFT, PLOT, RIGHT, TOP = 84, 220, 36, 20  # in the units of the picture; at 360 px one of them is nearly a pixel
BAR, GAP = 16, 14


def length_name(group: LengthGroup) -> str:
    """ "5–8", or "41 or more"."""
    return f"{max(group.first, 1)}–{group.last}" if group.last else f"{group.first} or more"


def bars_by_length(groups: Sequence[LengthGroup]) -> str:
    """BLEU and chrF of each length of sentence, as pairs of bars. The table beside it holds the same numbers."""
    bottom = TOP + len(groups) * (2 * BAR + GAP)
    parts = []
    for value in (0, 25, 50, 75, 100):
        x = LEFT + PLOT * value / 100
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{x}" y="{TOP - 6}" text-anchor="middle">{value}</text>')
    for i, group in enumerate(groups):
        y = TOP + GAP / 2 + i * (2 * BAR + GAP)
        parts.append(f'<text x="{LEFT - 8}" y="{y + BAR + 4}" text-anchor="end">{length_name(group)}</text>')
        for name, value in (("bleu", group.bleu), ("chrf", group.chrf)):
            long = PLOT * value / 100
            parts.append(f'<rect class="{name}" x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR - 1}"/>')
            parts.append(f'<text x="{LEFT + long + 4:.1f}" y="{y + BAR - 4}">{value:.0f}</text>')
            y += BAR
    words = "; ".join(f"{length_name(g)} words: BLEU {g.bleu:.1f}, chrF {g.chrf:.1f}" for g in groups)
    return (
        f'<svg viewBox="0 0 {LEFT + PLOT + RIGHT} {bottom + 4}" role="img" '
        f'aria-label="BLEU and chrF by source length. {escape(words)}">{"".join(parts)}</svg>'
    )


def attention_table(sentence: WorstSentence) -> str:
    """A row for each word of the translation, a column for each source word, the weights in percent and as shades."""
    source, target = split_words(sentence.source), split_words(sentence.greedy)
    if not any(sentence.attention):
        return "<p>There is nothing to show: a side is empty, or the translation as long as the model can write.</p>"
    head = "".join(f'<th scope="col"><span>{escape(word)}</span></th>' for word in source)
    rows = "".join(
        f'<tr><th scope="row">{escape(word)}</th>'
        + "".join(f'<td style="--w:{weight:.2f}">{100 * weight:.0f}</td>' for weight in row)
        + "</tr>"
        for word, row in zip(target, sentence.attention, strict=True)
    )
    label = f"Cross-attention of sentence {sentence.number}: where each word of the translation looked"
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{label}"><table class="heat">'
        f"<caption>Attention, in percent</caption><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
