"""A diagnosis as one HTML file that needs nothing else: no script, no font, no network."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.translation.evaluation.diagnosis.charts import attention_table, bars_by_length, length_name
from lessons_lib.translation.evaluation.diagnosis.measure import Diagnosis, WorstSentence

STYLE = Path(__file__).with_name("page.css")


def write_page(path: Path, diagnosis: Diagnosis, title: str) -> None:
    """Write the page, replacing an old one in one step.

    Raises:
        OSError: the file cannot be written.
    """
    write_whole(path, render(diagnosis, title), "give another --out")


def render(diagnosis: Diagnosis, title: str) -> str:
    """The page. Every text that comes from a file is escaped: a sentence ``<script>`` shows as text."""
    sections = (
        ("Overall", _overall(diagnosis)),
        ("By length of the source", _by_length(diagnosis)),
        ("Kinds of error", _categories(diagnosis)),
        (f"The {len(diagnosis.worst)} worst sentences", _worst(diagnosis)),
    )
    body = "".join(f"<section><h2>{escape(heading)}</h2>{html}</section>" for heading, html in sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE.read_text('utf-8')}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{diagnosis.sentences} sentences.</p>{body}</main></body></html>\n"
    )


def _overall(diagnosis: Diagnosis) -> str:
    found, systems = diagnosis.comparison, (diagnosis.greedy, diagnosis.beam)
    rows = [
        ["BLEU", *(f"{system.scores.bleu:.1f}" for system in systems)],
        ["95 % interval", *(f"{bounds.low:.1f} to {bounds.high:.1f}" for bounds in (found.a, found.b))],
        ["chrF", *(f"{system.scores.chrf:.1f}" for system in systems)],
        ["Length ratio", *(f"{system.length_ratio:.3f}" for system in systems)],
        ["Equal to the reference", *(f"{system.exact / diagnosis.sentences:.1%}" for system in systems)],
    ]
    heads = ["", "Greedy", f"{diagnosis.beam.beam} beams"]
    return (
        _table("BLEU and chrF of both searches", heads, rows)
        + f"<p>The beam changes BLEU by {found.difference:+.2f}, p = {found.p:.3f} in this direction ({found.verdict}) "
        f"by the paired bootstrap, {found.resamples} test sets. The length ratio is the words of all translations "
        f"over those of all references; below 1, BLEU's brevity penalty takes its share.</p>"
        f"<p>BLEU's signature: <code>{escape(diagnosis.greedy.scores.signature)}</code></p>"
    )


def _by_length(diagnosis: Diagnosis) -> str:
    rows = [
        [length_name(group), f"{group.sentences}", f"{group.bleu:.1f}", f"{group.chrf:.1f}"]
        for group in diagnosis.by_length
    ]
    return (
        "<p>Greedy search. At the left of the bars, the words of the source sentence.</p>"
        f'<div class="chart">{bars_by_length(diagnosis.by_length)}</div>'
        '<p class="legend"><span class="bleu"></span> BLEU, upper bar <span class="chrf"></span> chrF, lower bar</p>'
        + _table("BLEU and chrF by source length", ["Source words", "Sentences", "BLEU", "chrF"], rows)
    )


def _categories(diagnosis: Diagnosis) -> str:
    rows = [[name, f"{count}", f"{count / diagnosis.sentences:.1%}"] for name, count in diagnosis.categories.items()]
    heads = ["Kind, and how it is decided", "Sentences", "Share"]
    return (
        "<p>Simple rules decide, each by comparing with one reference. A right but free translation can trip them: "
        "they say where to look. A sentence may be of several kinds.</p>"
        + _table("Sentences by kind of error", heads, rows, notes=diagnosis.rules)
    )


def _worst(diagnosis: Diagnosis) -> str:
    if not diagnosis.worst:
        return "<p>No sentence differs from its reference, or none was asked for.</p>"
    return (
        "<p>By chrF of the greedy translation, the lowest first. The attention is the mean over the heads of the last "
        "layer while it writes the greedy translation.</p>" + "".join(map(_sentence, diagnosis.worst))
    )


def _sentence(sentence: WorstSentence) -> str:
    lines = (
        ("Source", "en", sentence.source, ""),
        ("Reference", "fr", sentence.reference, ""),
        ("Greedy", "fr", sentence.greedy, f" (chrF {sentence.chrf:.1f})"),
        ("Beam", "fr", sentence.beam, f" (chrF {sentence.beam_chrf:.1f})"),
    )
    texts = "".join(
        f'<dt>{name}{note}</dt><dd lang="{language}">{escape(text) or "<em lang=en>empty</em>"}</dd>'
        for name, language, text, note in lines
    )
    kinds = "".join(f"<li>{escape(tag)}</li>" for tag in sentence.tags)
    return (
        f'<article><h3>Sentence {sentence.number}</h3><ul class="tags" aria-label="kinds of error">{kinds}</ul>'
        f"<dl>{texts}</dl><details><summary>Where it looked</summary>{attention_table(sentence)}</details></article>"
    )


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Mapping[str, str] | None = None
) -> str:
    """A table whose first column names its rows, with a note under the name where there is one."""

    def name(text: str) -> str:
        note = f"<small>{escape(notes[text])}</small>" if notes else ""
        return f'<th scope="row">{escape(text)}{note}</th>'

    head = "".join(f'<th scope="col">{escape(text)}</th>' if text else "<td></td>" for text in heads)
    body = "".join(
        f"<tr>{name(first)}{''.join(f'<td>{escape(text)}</td>' for text in rest)}</tr>" for first, *rest in rows
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
