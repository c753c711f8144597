"""What a learner reads: points, steps and one hint, as plain text and as HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

MARKS = {True: "✓", False: "✗", None: "·"}  # passed, failed, not reached
BOX = "border-left:3px solid {};padding:.3em 0 .3em .9em;margin:.4em 0;line-height:1.5"
GREEN, AMBER = "#2e8b57", "#c77d0a"  # both readable on white and on black


@dataclass(frozen=True, repr=False)
class Result:
    """One question: its points, and its steps as (title, points, passed?)."""

    question: str
    title: str
    steps: tuple[tuple[str, int, bool | None], ...]
    hint: str | None

    @classmethod
    def of(cls, question: str, title: str, steps: Sequence[tuple[str, int]], passed: int, hint: str | None) -> "Result":
        """From the (title, points) of all steps, how many were passed, and the hint of the one that was not, if any."""
        reached = [True] * passed + [False] * (hint is not None)
        reached += [None] * (len(steps) - len(reached))
        return cls(question, title, tuple((*step, state) for step, state in zip(steps, reached, strict=True)), hint)

    @property
    def points(self) -> int:
        return sum(points for _, points, passed in self.steps if passed)

    @property
    def total(self) -> int:
        return sum(points for _, points, _ in self.steps)

    def __repr__(self) -> str:
        return f"<{self.question}: {self.points} of {self.total} points>"

    def _ipython_display_(self) -> None:
        """Nothing: `check` has shown it, and a cell must not show it twice."""

    def text(self) -> str:
        lines = [self._headline(), *(f"  {MARKS[passed]} {_worth(title, n)}" for title, n, passed in self.steps)]
        return "\n".join(lines + ([f"  → {self.hint}"] if self.hint else []))

    def html(self) -> str:
        colour = AMBER if self.hint else GREEN
        steps = "".join(f"<div>{MARKS[passed]} {escape(_worth(title, n))}</div>" for title, n, passed in self.steps)
        hint = f'<div style="margin-top:.3em">→ {_html(self.hint)}</div>' if self.hint else ""
        return f'<div style="{BOX.format(colour)}"><b>{escape(self._headline())}</b>{steps}{hint}</div>'

    def _headline(self) -> str:
        return f"{self.question}, {self.title}: {self.points} of {self.total} points"


@dataclass(frozen=True, repr=False)
class Summary:
    """All questions of an exercise."""

    lesson: str
    results: tuple[Result, ...]

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)

    @property
    def total(self) -> int:
        return sum(result.total for result in self.results)

    def __repr__(self) -> str:
        return f"<{self.lesson}: {self.points} of {self.total} points>"

    def _ipython_display_(self) -> None:
        """Nothing: see Result."""

    def text(self) -> str:
        rows = [_row(result) for result in self.results]
        return "\n".join([f"{self.lesson}: {self.points} of {self.total} points", *(f"  {row}" for row in rows)])

    def html(self) -> str:
        colour = GREEN if self.points == self.total else AMBER
        rows = "".join(f"<div>{_html(_row(result))}</div>" for result in self.results)
        headline = f"<b>{escape(self.lesson)}: {self.points} of {self.total} points</b>"
        return f'<div style="{BOX.format(colour)}">{headline}{rows}</div>'


def _html(sentence: str) -> str:
    """Escaped, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def _worth(title: str, points: int) -> str:
    return f"{title} ({points} point{'s' * (points != 1)})" if points else title


def _row(result: Result) -> str:
    row = f"{MARKS[result.hint is None]} {result.question}, {result.title}: {result.points} of {result.total}"
    return f"{row} → {result.hint}" if result.hint else row
