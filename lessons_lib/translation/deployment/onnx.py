"""ONNX: two programs, the encoder and one step of the decoder, that any ONNX runtime runs; and a loop around them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Int

from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.deployment.support import refuse_unknown

# Not "t5" and "relative": torch's exporter cannot look up a row for each distance where lengths are symbols.
POSITIONS = ("sinusoidal", "sinusoidal_halves", "learned", "rope", "alibi", "none")
FILES = {"config.json", "encoder.onnx", "step.onnx", "tokenizer.json"}
BATCH = 64


def write_onnx_model(model, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a `lessons_lib.transformer.Transformer` as two ONNX programs, its configuration and its tokenizer.

    Raises:
        ModuleNotFoundError: ``onnx`` or ``onnxscript`` is not installed.
        ValueError: ONNX's exporter cannot express a choice of the model; names it.
    """
    refuse_unknown(model.config, "for ONNX", positions=POSITIONS)
    # Here, because who only translates needs no PyTorch.
    from lessons_lib.translation.deployment.programs import export_encoder, export_step, write_onnx
    from lessons_lib.translation.search.model_folder import write_json

    write_onnx(export_encoder(model), folder / "encoder.onnx")
    write_onnx(export_step(model), folder / "step.onnx")
    write_json(folder / "config.json", model.config.to_dict())
    tokenizer.save(folder / "tokenizer.json")


class OnnxTranslator:
    """What `write_onnx_model` wrote, at work on the CPU, without PyTorch. The search is greedy."""

    def __init__(self, folder: Path, threads: int = 0):
        self.tokenizer = Tokenizer.load(folder / "tokenizer.json")
        self.config = json.loads((folder / "config.json").read_text("utf-8-sig"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.encoder, self.step = (
            onnxruntime.InferenceSession(folder / name, options) for name in ("encoder.onnx", "step.onnx")
        )

    def translate(self, texts: Sequence[str], limits: Sequence[int]) -> list[str]:
        """Translations, each of as many tokens as its limit says at most."""
        sources = [[*ids, self.tokenizer.eos_id] for ids in self.tokenizer.encode_all(texts)]
        order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
        found = {}
        for start in range(0, len(order), BATCH):
            group = order[start : start + BATCH]
            for i, row in zip(
                group, self._greedy([sources[i] for i in group], max(limits[i] for i in group)), strict=True
            ):
                found[i] = self.tokenizer.decode(row[: limits[i]])
        return [found[i] for i in range(len(texts))]

    def _greedy(self, sources: list[list[int]], limit: int) -> list[list[int]]:
        """The most probable token, again and again, until every sentence has ended."""
        src = self._padded(sources)
        mask = (src != self.tokenizer.pad_id)[:, None, None]
        source = self.encoder.run(None, self._feed(self.encoder, src))
        heads = self.config["n_kv_heads"] or self.config["n_heads"]
        past = [np.zeros((len(src), heads, 0, source[0].shape[-1]), np.float32) for _ in source]
        tokens = np.full((len(src), 1), self.tokenizer.bos_id)
        while tokens.shape[1] <= limit and not (tokens == self.tokenizer.eos_id).any(axis=1).all():
            logits, *past = self.step.run(None, self._feed(self.step, tokens[:, -1:], mask, *source, *past))
            logits[:, [self.tokenizer.pad_id, self.tokenizer.bos_id]] = -np.inf  # no sentence contains them
            tokens = np.concatenate([tokens, logits.argmax(axis=-1, keepdims=True)], axis=1)
        return [self._until_the_end(row[1:].tolist()) for row in tokens]

    def _padded(self, sources: list[list[int]]) -> Int[np.ndarray, "B S"]:
        src = np.full((len(sources), max(map(len, sources))), self.tokenizer.pad_id)
        for row, ids in zip(src, sources, strict=True):
            row[: len(ids)] = ids
        return src

    def _until_the_end(self, tokens: list[int]) -> list[int]:
        return tokens[: tokens.index(self.tokenizer.eos_id)] if self.tokenizer.eos_id in tokens else tokens

    @staticmethod
    def _feed(session: onnxruntime.InferenceSession, *values: np.ndarray) -> dict[str, np.ndarray]:
        return {one.name: value for one, value in zip(session.get_inputs(), values, strict=True)}
