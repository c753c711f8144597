"""The minutes that lessons, exercises and the first page name are counted, by the rates that readers are told."""

import pytest

from tools.reading_time import (
    LINES_A_MINUTE,
    MINUTES_A_WRITTEN_LINE,
    ROOT,
    WORDS_A_MINUTE,
    estimates,
    lines,
    texts,
    words,
)


def test_every_named_time_is_the_counted_one():
    found = texts()
    assert len(found) > 2
    assert [path.name for path, text in found.items() if path.read_text("utf8") != text] == [], "run: make lessons"


def test_readers_are_told_the_rates():
    told = " ".join((ROOT / "book/how_to_use.md").read_text("utf8").split())
    assert f"{WORDS_A_MINUTE} words or {LINES_A_MINUTE} lines of code a minute" in told
    assert f"{MINUTES_A_WRITTEN_LINE} minute for each line" in told


def test_instructors_are_told_how_far_readers_estimates_are_off():
    told = " ".join((ROOT / "book/teaching.md").read_text("utf8").split())
    for shares in estimates():
        assert f"between {min(shares):.1f} and {max(shares):.1f}" in told
        assert f"on average {sum(shares) / len(shares):.1f}" in told


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Two words", 2),
        ("A [link](https://example.org/a/b) and $x + y$ here", 4),
        ("the {term}`head` of {cite:t}`vaswani2017attention`", 4),
        ("```{literalinclude} a.py\n:start-after: one two\n```\nend", 1),
        ("<details><summary>Why?</summary>\n\nIt is.\n\n</details>", 3),
    ],
)
def test_what_counts_as_a_word(text, count):
    assert words(text) == count


def test_what_counts_as_a_line():
    assert lines("x = 1\n\n# why\ny = 2  # a comment\n") == 2
