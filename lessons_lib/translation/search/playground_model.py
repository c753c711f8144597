"""A model that the page "The playground" handed out: one file of safetensors, its setting in the metadata."""

import json
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.tokenizer import BOS, EOS, PAD, Tokenizer
from lessons_lib.translation.search.model_folder import check_numbers

ENDING = ".safetensors"
BY_LETTERS = ("copy", "reverse", "sort")  # tasks whose symbols stand side by side; in the others a blank parts them
# What only the page can train: a model that would be another one here.
NEEDED = {"causal_mask": True, "scale_scores": True}


class SymbolTokenizer(Tokenizer):
    """A token a symbol, or a word; what it has not learned, it cannot read.

    Args:
        symbols: by their ids, ``<pad>``, ``<s>`` and ``</s>`` first.
        blank: what stands between two of them: "" or " ".
    """

    def __init__(self, symbols: list[str], blank: str):
        self._pieces, self._blank = symbols, blank
        self._ids = {symbol: i for i, symbol in enumerate(symbols) if i > self.eos_id}

    def encode(self, text: str) -> list[int]:
        symbols = text.split() if self._blank else list("".join(text.split()))
        if unknown := [symbol for symbol in symbols if symbol not in self._ids]:
            known = self._blank.join(list(self._ids)[:30])
            raise UserError(f"{unknown[0]!r} is none of the {len(self._ids)} symbols that it learned: {known} …")
        return [self._ids[symbol] for symbol in symbols]

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        return [self.encode(text) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        return self._blank.join(self._pieces[token] for token in ids if token > self.eos_id)

    def word_ids(self, ids: Iterable[int]) -> list[int | None]:
        """Every symbol is a word of its own; None for ``</s>``."""
        return [place if token > self.eos_id else None for place, token in enumerate(ids)]

    def save(self, path: Path) -> None:
        raise UserError("a model of the playground is one file; keep that")


def load_playground_model(path: Path) -> tuple[Transformer, SymbolTokenizer]:
    """The model in evaluation mode on the CPU, and its tokenizer.

    Raises:
        ValueError: the file is not one that the playground wrote, is damaged, or is of a kind that only the page runs.
        OSError: it cannot be read.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            described = {name: json.loads(text) for name, text in (file.metadata() or {}).items()}
            settings, config, symbols = (described[name] for name in ("settings", "config", "vocabulary"))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        task, kind = settings["task"], settings["model"]
        whole = (
            isinstance(symbols, list)
            and symbols[:3] == [PAD, BOS, EOS]
            and all(isinstance(one, str) for one in symbols)
        )
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise UserError(f"{path} is not a model of the playground ({reason}); download it again there") from None
    if not whole:
        raise UserError(f"{path} is not a model of the playground (its vocabulary); download it again there")
    if kind != "encoder-decoder":
        raise UserError(
            f"{path} holds a decoder alone, and a translator has an encoder, too; train one with both stacks"
        )
    for name, needed in NEEDED.items():
        if config.get(name) is not needed:
            raise UserError(f"{path} was trained with {name}={config.get(name)}, which only the playground computes")
    if config.get("norm") == "none":
        raise UserError(f"{path} was trained with norm=none, which only the playground computes")
    known = {field.name for field in fields(TransformerConfig)}
    try:
        chosen = {name: value for name, value in config.items() if name in known}
        shape = TransformerConfig(**chosen | {"dropout": float(config["dropout"])})
        if shape.n_encoder_layers + shape.n_decoder_layers > len(weights):
            raise UserError(f"{len(weights)} weights for {shape.n_encoder_layers + shape.n_decoder_layers} layers")
        with torch.device("meta"):  # what a damaged configuration asks for is not allocated
            wanted = {name: tensor.shape for name, tensor in Transformer(shape).state_dict().items()}
        if wanted != {name: tensor.shape for name, tensor in weights.items()}:
            raise UserError("its weights are not of the shapes that its configuration says")
        for name, tensor in weights.items():
            check_numbers(name, tensor)
        model = Transformer(shape)
        model.load_state_dict(weights)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{path} is a damaged model of the playground ({reason}); download it again there") from None
    if len(symbols) != model.config.vocab_size:
        raise UserError(
            f"{path} has {len(symbols)} symbols for {model.config.vocab_size} rows; download it again there"
        )
    return model.eval(), SymbolTokenizer(symbols, "" if task in BY_LETTERS else " ")
