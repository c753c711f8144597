"""The finished translator: a model folder in, sentences in, translations out, with what it looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from lessons_lib.device import memory_errors, pick_device, pick_precision
from lessons_lib.transformer import Transformer
from lessons_lib.translation.alignment import cross_attention, word_weights
from lessons_lib.translation.decoding import Hypothesis
from lessons_lib.translation.model_folder import load_model
from lessons_lib.translation.search import Search, search_all
from lessons_lib.translation.tokenizer import Tokenizer


@dataclass(frozen=True)
class Translation:
    """One sentence, translated.

    The pieces of both sides end with ``</s>`` (the target's does not where the length limit cut it off).
    ``score`` is the log-probability of the whole translation. ``cross_attention`` has a row for each target piece
    and a column for each source piece, in every layer and head; None if it was not asked for. ``alternatives`` are the
    other translations that the beams ended with, each with its log-probability, the best first.
    """

    source: str
    text: str
    source_tokens: list[str]
    target_tokens: list[str]
    score: float
    cross_attention: Float[np.ndarray, "L H T S"] | None
    source_words: list[int | None]
    target_words: list[int | None]
    alternatives: tuple[tuple[str, float], ...] = ()

    def word_attention(self, layer: int = -1) -> Float[np.ndarray, "T2 S2"]:
        """Who looked at whom in words, as in ``text.split()`` and ``source.split()``: the mean over heads of a layer.

        Raises:
            ValueError: the translation was made without attention.
        """
        if self.cross_attention is None:
            raise ValueError("this translation has no attention; translate with attention=True")
        return word_weights(self.cross_attention[layer].mean(axis=0), self.source_words, self.target_words)


class Translator:
    """A trained model and its tokenizer on one device."""

    def __init__(self, model: Transformer, tokenizer: Tokenizer):
        self.model, self.tokenizer = model, tokenizer

    @classmethod
    def load(
        cls, folder: str | Path, device: str | torch.device | None = None, precision: str = "fp32"
    ) -> "Translator":
        """Read a folder that `lessons train` wrote.

        Args:
            precision: of the weights and of what is computed from them; see `pick_precision`. The probabilities that a
                search adds up are in single precision always.
        Raises:
            ValueError: the folder is not a model (says what is missing), or the device or precision is not there.
        """
        model, tokenizer = load_model(Path(folder))
        place = device if isinstance(device, torch.device) else pick_device(device)
        return cls(model.to(place, pick_precision(place, precision)), tokenizer)

    def translate(
        self,
        sentences: Sequence[str],
        beam: int = 1,
        attention: bool = True,
        prefixes: Sequence[str] | None = None,
        **search: float | int | None,
    ) -> list[Translation]:
        """Translate each sentence; a blank one stays blank.

        Args:
            beam: 1 is greedy search.
            attention: also return the cross-attention, at the cost of one more pass.
            prefixes: for each sentence what its translation begins with, in whole words.
            search: other fields of `Search`.
        Raises:
            ValueError: a sentence is too long for the model, an option is out of range, or the memory is too small.
        """
        self.model.eval()
        sources = self._encode(sentences)
        filled = [i for i, ids in enumerate(sources) if ids]
        beginnings = None if prefixes is None else [self.tokenizer.encode(prefixes[i]) for i in filled]
        found: dict[int, list[Hypothesis]] = {}
        how, longest = Search(beam, **search), max(map(len, sources), default=0)
        fix = "lower --beam, split the sentences, or use --device cpu"
        with memory_errors(f" for beam={beam} and sentences of up to {longest} tokens; {fix}"):
            for index, ended in search_all(self.model, [sources[i] for i in filled], how, beginnings):
                found[filled[index]] = ended
        src = {i: [*sources[i], self.tokenizer.eos_id] for i in filled}
        weights = {}
        if attention:
            tables = cross_attention(self.model, [src[i] for i in filled], [found[i][0].tokens for i in filled])
            weights = {i: table.numpy() for i, table in zip(filled, tables, strict=True)}
        return [
            self._translation(sentence, src[i], found[i], weights.get(i))
            if i in found
            else Translation(sentence, "", [], [], 0.0, None, [], [])
            for i, sentence in enumerate(sentences)
        ]

    @property
    def longest(self) -> int:
        """The most tokens of a sentence that this model reads; one place is for ``</s>``."""
        return self.model.config.max_length - 1

    def _encode(self, sentences: Sequence[str]) -> list[list[int]]:
        sources = [
            ids if text.strip() else []
            for text, ids in zip(sentences, self.tokenizer.encode_all(sentences), strict=True)
        ]
        for number, ids in enumerate(sources, start=1):
            if len(ids) > self.longest:
                raise ValueError(
                    f"sentence {number} has {len(ids)} tokens, but this model reads at most {self.longest}; split it"
                )
        return sources

    def _translation(self, source, src, ended, weights) -> Translation:
        tgt = ended[0].tokens
        return Translation(
            source=source,
            text=self.tokenizer.decode(tgt),
            source_tokens=self.tokenizer.pieces(src),
            target_tokens=self.tokenizer.pieces(tgt),
            score=ended[0].log_probability,
            cross_attention=weights,
            source_words=self.tokenizer.word_ids(src),
            target_words=self.tokenizer.word_ids(tgt),
            alternatives=tuple((self.tokenizer.decode(h.tokens), h.log_probability) for h in ended[1:]),
        )
