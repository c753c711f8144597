"""What all pages of a report are: one file each, light and dark, legible on a phone, without script or network."""

import re
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b636b; --back: #fff; --card: #f5f6f8; --line: #d5d9de;
  --link: #0b5cad; --good: #1f7a46; --poor: #a65f00; --bar: #3d6fb4; --none: #8a9199; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ea; --soft: #a3abb3; --back: #15181b; --card: #1f2327;
  --line: #3a4047; --link: #7ab8f5; --good: #5ecb8b; --poor: #e6a33e; --bar: #6d9fe0; --none: #7d858d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1rem 3rem; max-width: 62rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 .5rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p, ul, ol { margin: .5rem 0; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
code { background: var(--card); padding: .05em .25em; border-radius: .2em; }
pre { background: var(--card); padding: .5rem; margin: .25rem 0; white-space: pre-wrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody th { font-weight: normal; }
th, td { min-width: 7.5rem; overflow-wrap: anywhere; }
thead th { font-size: .875rem; color: var(--soft); overflow-wrap: normal; }
.n { text-align: right; min-width: 4.5rem; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
@media (max-width: 30rem) { th, td { min-width: 5rem; padding-right: .4rem; font-size: .875rem; }
  .n { min-width: 3rem; } }
.soft { color: var(--soft); font-size: .875rem; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, body: str, style: str = "") -> str:
    """A whole HTML document.

    Args:
        title: plain text.
        body: HTML.
        style: more CSS.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{plain(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def plain(text: str) -> str:
    """Escaped; characters that steer a terminal or turn the direction of what follows are shown as �."""
    return escape(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "�", text))


def sentence(text: str) -> str:
    """The same, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", plain(text))


def table(name: str, header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table of HTML cells, which can be scrolled sideways; the first of a row is its heading.

    Args:
        name: what a screen reader calls it, plain text.
        numbers: columns that are set to the right.
    """
    kind = [' class="n"' if i in numbers else "" for i in range(len(header))]
    head = "".join(f'<th scope="col"{kind[i]}>{cell}</th>' for i, cell in enumerate(header))
    body = "".join(
        f'<tr><th scope="row"{kind[0]}>{first}</th>'
        + "".join(f"<td{kind[i]}>{cell}</td>" for i, cell in enumerate(rest, 1))
        + "</tr>\n"
        for first, *rest in rows
    )
    inside = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    return f'<div class="wide" role="region" aria-label="{plain(name)}" tabindex="0">\n{inside}\n</div>'


def counted(n: int, noun: str) -> str:
    """`1 learner`, `2 learners`."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
