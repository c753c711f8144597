"""The model as programs without Python: the encoder, and one decoding step, for `torch.export` and ONNX.

A decoder that generates is a loop around one step. The loop stays in the program that calls; the step takes the keys
and values of the past as plain tensors and returns them longer by one position.
"""

import logging
import warnings
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from lessons_lib.cache import DecoderCache, KeyValueCache, LayerCache
from lessons_lib.transformer import Transformer

OPSET = 18  # of ONNX; what every runtime since 2023 reads


class EncoderProgram(nn.Module):
    """Source tokens in; the keys and values that each decoder layer reads out."""

    def __init__(self, model: Transformer):
        super().__init__()
        self.model = model

    def forward(self, src: Int[Tensor, "B S"]) -> list[Float[Tensor, "B G S d_head"]]:
        """Two tensors a layer: keys, values."""
        memory = self.model.encode(src)
        return [x for layer in self.model.decoder.layers for x in layer.cross_attention.keys_values(memory)]


class StepProgram(nn.Module):
    """One token a sentence in; logits of the next, and the past grown by this token, out."""

    def __init__(self, model: Transformer):
        super().__init__()
        self.model = model

    def forward(
        self,
        tokens: Int[Tensor, "B 1"],
        source_mask: Bool[Tensor, "B 1 1 S"],
        source: list[Float[Tensor, "B G S d_head"]],
        past: list[Float[Tensor, "B G P d_head"]],
    ) -> tuple[Float[Tensor, "B V"], list[Float[Tensor, "B G P2 d_head"]]]:
        """``source`` is what `EncoderProgram` returned; ``past`` what the step before did (of length 0 at first)."""
        pairs = zip(past[::2], past[1::2], source[::2], source[1::2], strict=True)
        layers = [LayerCache(_GrowingCache(key, value), (of, to)) for key, value, of, to in pairs]
        logits = self.model.decode_step(tokens, DecoderCache(layers), source_mask)
        return logits, [x for layer in layers for x in (layer.past.key, layer.past.value)]


def export_encoder(model: Transformer) -> ExportedProgram:
    """`EncoderProgram` for any batch and any length up to the model's."""
    batch, length = Dim("batch"), Dim("source", max=model.config.max_length)
    src = torch.full((2, 3), model.config.eos_id)
    return torch.export.export(EncoderProgram(model.eval()), (src,), dynamic_shapes=({0: batch, 1: length},))


def export_step(model: Transformer) -> ExportedProgram:
    """`StepProgram` for any batch, source and past up to the model's maximum length."""
    config, longest = model.config, model.config.max_length
    batch, source, past = Dim("batch"), Dim("source", max=longest), Dim("past", max=longest - 1)
    heads, layers = config.n_kv_heads or config.n_heads, 2 * config.n_decoder_layers
    example = (
        torch.full((2, 1), config.bos_id),
        torch.ones(2, 1, 1, 3, dtype=torch.bool),
        [torch.zeros(2, heads, 3, config.head_width) for _ in range(layers)],  # one tensor twice is one input
        [torch.zeros(2, heads, 4, config.head_width) for _ in range(layers)],
    )
    shapes = ({0: batch}, {0: batch, 3: source}, [{0: batch, 2: source}] * layers, [{0: batch, 2: past}] * layers)
    return torch.export.export(StepProgram(model.eval()), example, dynamic_shapes=shapes)


def write_onnx(program: ExportedProgram, path: Path) -> None:
    """Write an exported program as an ONNX file, weights inside.

    Raises:
        ModuleNotFoundError: ``onnx`` and ``onnxscript`` are not installed (``pip install onnx onnxscript``).
    """
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")  # names what torchvision would add
    level = registry.level
    registry.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch.onnx copies a tree of its own
        torch.onnx.export(program, dynamo=True, opset_version=OPSET, external_data=False, verbose=False).save(path)
    registry.setLevel(level)


class _GrowingCache(KeyValueCache):
    """A cache whose memory grows: the past is an input of the program, so it cannot be written in place."""

    def __init__(self, key: Tensor, value: Tensor):
        self.key, self.value = key, value

    @property
    def length(self) -> int:
        return self.key.shape[2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.key, self.value = torch.cat([self.key, key], dim=2), torch.cat([self.value, value], dim=2)
        return self.key, self.value
