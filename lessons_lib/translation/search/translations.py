"""What a translator gives back: one sentence, translated, with what it looked at."""

from dataclasses import dataclass, field
from html import escape

import numpy as np
from jaxtyping import Float

from lessons_lib.errors import UserError
from lessons_lib.translation.data.tokenizer import split_words
from lessons_lib.translation.search.attention_weights import word_weights


@dataclass(frozen=True)
class Translation:
    """One sentence, translated.

    The pieces of both sides end with ``</s>`` (the target's does not where the length limit cut it off).
    ``score`` is the log-probability of the whole translation. ``cross_attention`` has a row for each target piece
    and a column for each source piece, in every layer and head; None if it was not asked for. ``alternatives`` are the
    other texts that the beams ended with, each with its log-probability, in the order of the search: by ``ranks``,
    which fall. They are the log-probabilities of ``text`` and of the alternatives, each over its length penalty
    (`Hypothesis.normalised`); where that is above 0, a longer text may be ahead of a more probable one.

    In a notebook it shows each word and where it looked most; elsewhere a line with its source, text and score.
    """

    source: str
    text: str
    source_tokens: list[str] = field(repr=False)
    target_tokens: list[str] = field(repr=False)
    score: float
    cross_attention: Float[np.ndarray, "L H T S"] | None = field(repr=False)
    source_words: list[int | None] = field(repr=False)
    target_words: list[int | None] = field(repr=False)
    alternatives: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    ranks: tuple[float, ...] = field(default=(0.0,), repr=False)

    def word_attention(self, layer: int = -1) -> Float[np.ndarray, "T2 S2"]:
        """Who looked at whom, in the words of ``text`` and ``source``: the mean over the heads of a layer.

        A word is what stands between blanks (`lessons_lib.translation.data.tokenizer.split_words`).

        Raises:
            ValueError: the translation was made without attention.
        """
        if self.cross_attention is None:
            raise UserError("this translation has no attention; translate with attention=True")
        return word_weights(self.cross_attention[layer].mean(axis=0), self.source_words, self.target_words)

    def _repr_html_(self) -> str:
        """A table: each word of the translation, the source word that it looked at most, and with what weight."""
        head = f"<p>{escape(self.source)} → <strong>{escape(self.text)}</strong> (score {self.score:.2f})</p>"
        source, target = split_words(self.source), split_words(self.text)
        if self.cross_attention is None or not (source and target):
            return head
        rows = "".join(
            f"<tr><td>{escape(word)}</td><td>{escape(source[row.argmax()])}</td><td>{100 * row.max():.0f} %</td></tr>"
            for word, row in zip(target, self.word_attention(), strict=True)
        )
        names = "<tr><th>word</th><th>looked most at</th><th>weight</th></tr>"
        return f"{head}<table><thead>{names}</thead><tbody>{rows}</tbody></table>"
