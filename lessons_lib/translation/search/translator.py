"""The finished translator: a model folder in, sentences in, translations out, with what it looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import torch

from lessons_lib.device import memory_errors, pick_device, pick_precision
from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.tokenizer import Tokenizer, plain
from lessons_lib.translation.search.attention_weights import cross_attention
from lessons_lib.translation.search.decoding import LENGTH_PENALTY, Hypothesis, output_limit
from lessons_lib.translation.search.model_folder import load_model
from lessons_lib.translation.search.playground_model import ENDING, load_playground_model
from lessons_lib.translation.search.search import Search, search_all
from lessons_lib.translation.search.translations import Translation


class Translator:
    """A trained model and its tokenizer on one device."""

    def __init__(self, model: Transformer, tokenizer: Tokenizer):
        self.model, self.tokenizer = model, tokenizer

    @classmethod
    def load(
        cls, folder: str | Path, device: str | torch.device | None = None, precision: str = "fp32"
    ) -> "Translator":
        """Read a folder that `lessons train` wrote, or a file of the playground.

        Args:
            precision: of the weights and of what is computed from them; see `pick_precision`. The probabilities that a
                search adds up are in single precision always.
        Raises:
            ValueError: the folder is not a model (says what is missing), or the device or precision is not there.
        """
        load = load_playground_model if Path(folder).suffix == ENDING else load_model
        model, tokenizer = load(Path(folder))
        place = device if isinstance(device, torch.device) else pick_device(device)
        return cls(model.to(place, pick_precision(place, precision)), tokenizer)

    @overload
    def translate(
        self, sentences: str, beam: int = ..., attention: bool = ..., prefixes: str | None = ..., **search
    ) -> Translation: ...
    @overload
    def translate(
        self,
        sentences: Sequence[str],
        beam: int = ...,
        attention: bool = ...,
        prefixes: Sequence[str] | None = ...,
        **search,
    ) -> list[Translation]: ...
    def translate(
        self,
        sentences: str | Sequence[str],
        beam: int = 1,
        attention: bool = True,
        prefixes: str | Sequence[str] | None = None,
        **search: float | int | None,
    ) -> Translation | list[Translation]:
        """Translate each sentence, or the only one; a blank one stays blank.

        What a sentence becomes depends on it alone, and not on the others or on how many they are. Nor does it matter
        how many blanks, tabs or line ends are between two words, or whether an accent is a character of its own.

        Args:
            beam: 1 is greedy search.
            attention: also return the cross-attention, at the cost of one more pass.
            prefixes: for each sentence what its translation begins with, in whole words.
            search: other fields of `Search`.
        Raises:
            ValueError: a sentence is too long for the model, a prefix too long for its translation, an option is out of
                range, or the memory is too small.
        """
        if isinstance(sentences, str):
            return self.translate([sentences], beam, attention, None if prefixes is None else [prefixes], **search)[0]
        sentences = list(sentences)
        self.model.eval()
        sources = self._encode(sentences)
        filled = [i for i, ids in enumerate(sources) if ids]
        beginnings = None if prefixes is None else self._encode_prefixes(prefixes, sources, filled)
        found: dict[int, list[Hypothesis]] = {}
        how, longest = Search(beam, **search), max(map(len, sources), default=0)
        fix = "lower --beam, split the sentences, or use --device cpu"
        with memory_errors(f" for beam={beam} and sentences of up to {longest} tokens; {fix}"):
            own = [sources[i] for i in filled]
            for index, ended in search_all(self.model, own, how, beginnings, numbers=filled):
                found[filled[index]] = ended
        src = {i: [*sources[i], self.tokenizer.eos_id] for i in filled}
        weights = {}
        if attention:
            tables = cross_attention(self.model, [src[i] for i in filled], [found[i][0].tokens for i in filled])
            weights = {i: table.numpy() for i, table in zip(filled, tables, strict=True)}
        return [
            self._translation(sentence, src[i], found[i], weights.get(i), how.length_penalty)
            if i in found
            else Translation(sentence, "", [], [], 0.0, None, [], [])
            for i, sentence in enumerate(sentences)
        ]

    def translate_all(self, sentences: Sequence[str], **how) -> tuple[list[str], dict[int, int]]:
        """The text of each translation; a sentence that is too long for the model gives an empty one.

        Args:
            how: the arguments of `translate`.
        Returns:
            The translations, and for each sentence that is too long, counted from 0, how many tokens it has.
        """
        too_long = self.too_long(sentences)
        readable = ["" if i in too_long else sentence for i, sentence in enumerate(sentences)]
        return [one.text for one in self.translate(readable, attention=False, **how)], too_long

    @property
    def longest(self) -> int:
        """The most tokens of a sentence that this model reads; one place is for ``</s>``."""
        return self.model.config.max_length - 1

    def too_long(self, sentences: Sequence[str]) -> dict[int, int]:
        """The sentences that do not fit the model, counted from 0: how many tokens each has."""
        return {i: len(ids) for i, ids in enumerate(self._tokens(sentences)) if len(ids) > self.longest}

    def _tokens(self, sentences: Sequence[str]) -> list[list[int]]:
        """The tokens of each sentence; none of a blank one."""
        encoded = self.tokenizer.encode_all(map(plain, sentences))
        return [ids if text.strip() else [] for text, ids in zip(sentences, encoded, strict=True)]

    def _encode(self, sentences: Sequence[str]) -> list[list[int]]:
        sources = self._tokens(sentences)
        for number, ids in enumerate(sources, start=1):
            if len(ids) > self.longest:
                raise UserError(
                    f"sentence {number} has {len(ids)} tokens, but this model reads at most {self.longest}; split it"
                )
        return sources

    def _encode_prefixes(
        self, prefixes: Sequence[str], sources: list[list[int]], filled: Sequence[int]
    ) -> list[list[int]]:
        """The tokens of the prefixes of the ``filled`` sentences."""
        if len(prefixes) != len(sources):
            raise UserError(f"{len(prefixes)} prefixes for {len(sources)} sentences; give one for each")
        encoded = self._tokens([prefixes[i] for i in filled])
        for i, prefix in zip(filled, encoded, strict=True):
            limit = output_limit(self.model.config, len(sources[i]) + 1)
            if len(prefix) >= limit:
                raise UserError(
                    f"the prefix {prefixes[i][:40]!r} has {len(prefix)} tokens, but the whole translation of "
                    f"sentence {i + 1} may have {limit}; use a shorter one"
                )
        return encoded

    def _translation(self, source, src, ended, weights, length_penalty=LENGTH_PENALTY) -> Translation:
        texts: dict[str, Hypothesis] = {}
        for one in ended:  # pieces can be put together in several ways to one text: the one that is ahead counts
            texts.setdefault(self.tokenizer.decode(one.tokens), one)
        (text, best), *others = texts.items()
        tgt = best.tokens
        return Translation(
            source=source,
            text=text,
            source_tokens=self.tokenizer.pieces(src),
            target_tokens=self.tokenizer.pieces(tgt),
            score=best.log_probability,
            cross_attention=weights,
            source_words=self.tokenizer.word_ids(src),
            target_words=self.tokenizer.word_ids(tgt),
            alternatives=tuple((other, one.log_probability) for other, one in others),
            ranks=tuple(one.normalised(length_penalty) for one in texts.values()),
        )
