"""MyST becomes what every notebook program shows; what has no plain form is named."""

from pathlib import Path

import pytest

from tools.plain_markdown import NotPlain, bibliography, glossary, plain

HERE = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("rich", "expected"),
    [
        (
            "```{admonition} Verdict: true\n:class: note\nIt is.\n\n- so\n```",
            "> **Verdict: true**\n>\n> It is.\n>\n> - so",
        ),
        (
            "````{dropdown} Solution\n```python\nx = {1: 2}\n```\n````",
            "<details>\n<summary>Solution</summary>\n\n```python\nx = {1: 2}\n```\n\n</details>",
        ),
        (":::{dropdown} A hint\nLook.\n:::", "<details>\n<summary>A hint</summary>\n\nLook.\n\n</details>"),
        ("{cite:t}`vaswani2017attention`, 3.2", "[Vaswani et al. (2017)](https://arxiv.org/abs/1706.03762), 3.2"),
        (
            "see {cite:p}`anthropic2024claude`.",
            "see ([Anthropic 2024](" + bibliography()["anthropic2024claude"].fields["url"] + ")).",
        ),
        (
            "[1](01_self_attention), [b](../book/benchmarks#speed)",
            "[1](01_self_attention.ipynb), [b](../book/benchmarks.md#speed)",
        ),
        ("```python\nprint('{term}')\n```\nand $x_{t}`$", "```python\nprint('{term}')\n```\nand $x_{t}`$"),
    ],
)
def test_what_becomes_of_it(rich, expected):
    assert plain(rich, HERE) == expected


def test_a_term_carries_its_meaning():
    assert plain("a {term}`query`", HERE).startswith('a <abbr title="')
    assert "{term}" not in "".join(glossary().values())
    assert not any(f" {mark}" in text for text in glossary().values() for mark in ",;.")  # where a citation stood
    assert plain("{term}`heads <head>`", HERE).endswith(">heads</abbr>")


@pytest.mark.parametrize(
    ("rich", "named"),
    [
        ("```{figure} a.png\n```", "{figure}"),
        ("{doc}`a`", "{doc}"),
        ("{term}`no such word`", "no such word"),
        ("{cite:t}`nobody1900`", "nobody1900"),
        ("```{admonition} Title\nnever closed", "no ``` closes"),
    ],
)
def test_what_has_no_plain_form_is_named(rich, named):
    with pytest.raises(NotPlain, match=named):
        plain(rich, HERE)
