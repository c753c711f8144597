"""The model under torch.compile, under autocast, and on every device that is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lessons_lib.device import autocast
from lessons_lib.transformer import Transformer, TransformerConfig

DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()
CHOICES = [{}, {"positions": "rope", "norm_type": "rms", "activation": "swiglu", "n_kv_heads": 2, "norm": "post"}]


def model_and_sentences(device: str, **choices) -> tuple[Transformer, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    sizes = {"d_model": 32, "d_ff": 64, "n_encoder_layers": 1, "n_decoder_layers": 1, "dropout": 0.0}
    model = Transformer(TransformerConfig(vocab_size=40, **sizes, **choices)).to(device)
    src, tgt = torch.randint(3, 40, (4, 9)), torch.randint(3, 40, (4, 7))
    src[1::2, -2:] = 0
    return model, src.to(device), tgt.to(device)


@pytest.mark.parametrize(("backend", "choices"), list(zip(["aot_eager", "inductor"], CHOICES, strict=True)))
@pytest.mark.parametrize("device", DEVICES)
def test_compiled_in_one_graph(device, backend, choices):
    if backend == "inductor" and device == "cpu" and not shutil.which("g++"):
        backend = "aot_eager"  # without a C++ compiler, the tracing alone
    # A process of its own: the compiler cannot read through the shape checks of the tests.
    call = f"import test_precision; test_precision.compile_and_compare({device!r}, {backend!r}, **{choices!r})"
    done = subprocess.run([sys.executable, "-c", call], cwd=Path(__file__).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def compile_and_compare(device: str, backend: str, **choices) -> None:
    """Compile the whole model without a break; its logits and gradients stay the same."""
    model, src, tgt = model_and_sentences(device, **choices)
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    gradients = []
    for run in (model, compiled):
        model.zero_grad()
        logits = run(src, tgt)
        logits.square().mean().backward()
        gradients.append((logits, *[p.grad.clone() for p in model.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("choices", CHOICES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("device", DEVICES)
def test_autocast_stays_near_fp32_forward_and_backward(device, dtype, choices):
    model, src, tgt = model_and_sentences(device, **choices)
    src[2] = 0  # a source of nothing but padding: fully masked rows
    gradients = []
    for precision in (torch.float32, dtype):
        model.zero_grad()
        with autocast(torch.device(device), precision):
            logits = model(src, tgt)
            assert logits.dtype == precision
            torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tgt.flatten()).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
        assert torch.isfinite(logits).all()
    full, low = gradients
    assert torch.isfinite(low).all()
    assert torch.nn.functional.cosine_similarity(full, low, dim=0) > 0.99


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("dtype", "expected"), [(torch.bfloat16, torch.bfloat16), (torch.float16, torch.float32)])
def test_the_residual_path_is_bf16_under_autocast_and_else_fp32(device, dtype, expected):
    """A sum of many layers may leave the range of fp16."""
    model, src, tgt = model_and_sentences(device)
    seen = []
    for layer in (*model.encoder.layers, *model.decoder.layers):
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    with autocast(torch.device(device), dtype):
        model(src, tgt)
    model(src, tgt)
    assert seen == [expected, expected, torch.float32, torch.float32]


def test_a_model_without_numbers_has_shapes():
    model, src, tgt = model_and_sentences("cpu")
    logits = model.to("meta")(src.to("meta"), tgt.to("meta"))
    assert logits.is_meta
    assert logits.shape == (*tgt.shape, 40)


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_gives_the_same_logits(device):
    model, src, tgt = model_and_sentences("cpu")
    expected = model(src, tgt)
    torch.testing.assert_close(model.to(device)(src.to(device), tgt.to(device)).cpu(), expected, rtol=1e-4, atol=1e-4)
