"""The programs that leave Python compute what the model does, at lengths they were not traced with."""

import numpy as np
import onnxruntime
import pytest
import torch

from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.deployment.programs import export_encoder, export_step, write_onnx

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

CHOICES = [
    {"norm": "post", "activation": "gelu"},
    {"positions": "rope", "norm_type": "rms", "activation": "swiglu", "n_kv_heads": 2, "bias": "none", "d_head": 6},
    {"positions": "t5", "tied": False},
]


def model_of(choices: dict) -> Transformer:
    torch.manual_seed(0)
    sizes = {"d_model": 32, "d_ff": 64, "n_encoder_layers": 2, "n_decoder_layers": 2, "max_length": 40}
    model = Transformer(TransformerConfig(vocab_size=40, **sizes, **choices)).eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def same_as_the_model(model: Transformer, encode, step) -> None:
    """Decode five sentences step by step, from an empty past, and compare every logit."""
    config, src, tgt = model.config, torch.randint(3, 40, (5, 9)), torch.randint(3, 40, (5, 7))
    src[1, -3:] = 0
    source, source_mask = encode(src), padding_mask(src, 0)
    heads = config.n_kv_heads or config.n_heads
    past = [torch.empty(5, heads, 0, config.head_width) for _ in range(2 * config.n_decoder_layers)]
    expected = model(src, tgt)
    for t in range(7):
        logits, past = step(tgt[:, t : t + 1], source_mask, source, past)
        torch.testing.assert_close(logits, expected[:, t], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("choices", CHOICES)
def test_exported_programs_equal_the_model(choices):
    model = model_of(choices)
    same_as_the_model(model, export_encoder(model).module(), export_step(model).module())


@pytest.mark.parametrize("choices", CHOICES[:2])
def test_onnx_equals_the_model(choices, tmp_path):
    model = model_of(choices)
    write_onnx(export_encoder(model), tmp_path / "encoder.onnx")
    write_onnx(export_step(model), tmp_path / "step.onnx")
    sessions = [onnxruntime.InferenceSession(tmp_path / f"{name}.onnx") for name in ("encoder", "step")]

    def run(session: onnxruntime.InferenceSession, *inputs: torch.Tensor) -> list[torch.Tensor]:
        names = [one.name for one in session.get_inputs()]
        feed = {name: x.numpy() for name, x in zip(names, inputs, strict=True)}
        return [torch.from_numpy(np.asarray(x)) for x in session.run(None, feed)]

    def step(tokens, mask, source, past):
        logits, *past = run(sessions[1], tokens, mask, *source, *past)
        return logits, past

    same_as_the_model(model, lambda src: run(sessions[0], src), step)
