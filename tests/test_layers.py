"""Norms, feed-forward and the two layers equal PyTorch's, forward and backward."""

import math

import pytest
import torch
from torch import nn
from torch_reference import copy_decoder_layer, copy_encoder_layer, copy_linear

from lessons_lib.blocks import DecoderLayer, EncoderLayer
from lessons_lib.config import TransformerConfig
from lessons_lib.dropout import Dropout
from lessons_lib.feedforward import FeedForward
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import LayerNorm, RMSNorm, layer_norm, rms_norm

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def assert_same(ours, theirs, x, run_ours, run_theirs):
    """Same output and same gradient at the input."""
    mine, other = (x.clone().requires_grad_() for _ in range(2))
    output, expected = run_ours(mine), run_theirs(other)
    torch.testing.assert_close(output, expected, **CLOSE)
    gradient = torch.randn_like(output)
    output.backward(gradient)
    expected.backward(gradient)
    torch.testing.assert_close(mine.grad, other.grad, **CLOSE)
    ours_norms = sorted(p.grad.norm().item() for p in ours.parameters())
    theirs_norms = sum(p.grad.square().sum() for p in theirs.parameters()).sqrt().item()
    assert math.isclose(math.hypot(*ours_norms), theirs_norms, rel_tol=1e-4)


def test_layer_norm():
    torch.manual_seed(0)
    ours, theirs = LayerNorm(16), nn.LayerNorm(16)
    with torch.no_grad():
        for mine, other in ((ours.gamma, theirs.weight), (ours.beta, theirs.bias)):
            other.copy_(mine.normal_())
    x = torch.randn(4, 5, 16) * 3 + 2
    assert_same(ours, theirs, x, ours, theirs)
    torch.testing.assert_close(layer_norm(x, ours.gamma, ours.beta), theirs(x), **CLOSE)


def test_rms_norm():
    torch.manual_seed(0)
    ours, theirs = RMSNorm(16, eps=1e-6), nn.RMSNorm(16, eps=1e-6)
    with torch.no_grad():
        theirs.weight.copy_(ours.gamma.normal_())
    x = torch.randn(4, 5, 16) * 3 + 2
    assert_same(ours, theirs, x, ours, theirs)
    torch.testing.assert_close(rms_norm(x, ours.gamma), theirs(x), **CLOSE)


@pytest.mark.parametrize(
    ("activation", "function"),
    [("relu", nn.ReLU()), ("gelu", nn.GELU()), ("gelu_tanh", nn.GELU("tanh")), ("silu", nn.SiLU())],
)
def test_feed_forward(activation, function):
    torch.manual_seed(0)
    ours = FeedForward(16, 64, activation)
    theirs = nn.Sequential(nn.Linear(16, 64), function, nn.Linear(64, 16))
    copy_linear(ours.expand, theirs[0])
    copy_linear(ours.contract, theirs[2])
    assert_same(ours, theirs, torch.randn(4, 5, 16), ours, theirs)


@pytest.mark.parametrize(("activation", "function"), [("swiglu", nn.SiLU()), ("geglu", nn.GELU("tanh"))])
def test_gated_feed_forward(activation, function):
    torch.manual_seed(0)
    ours = FeedForward(16, 24, activation, bias=False)
    assert sorted(dict(ours.named_parameters())) == ["contract.weight", "expand.weight", "gate.weight"]
    x, (w1, gate, w2) = torch.randn(4, 5, 16), (m.weight for m in (ours.expand, ours.gate, ours.contract))
    torch.testing.assert_close(ours(x), (function(x @ w1.T) * (x @ gate.T)) @ w2.T, **CLOSE)


def config(norm: str) -> TransformerConfig:
    return TransformerConfig(vocab_size=40, d_model=32, d_ff=64, norm=norm, dropout=0.0)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_encoder_layer(norm):
    torch.manual_seed(0)
    ours = EncoderLayer(config(norm))
    theirs = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=norm == "pre")
    copy_encoder_layer(ours, theirs)
    tokens = torch.ones(3, 7, dtype=torch.long)
    tokens[1, 4:] = 0
    mask = padding_mask(tokens, pad_id=0)
    x = torch.randn(3, 7, 32)
    assert_same(ours, theirs, x, lambda x: ours(x, mask), lambda x: theirs(x, src_key_padding_mask=tokens == 0))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_decoder_layer(norm):
    torch.manual_seed(0)
    ours = DecoderLayer(config(norm))
    theirs = nn.TransformerDecoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=norm == "pre")
    copy_decoder_layer(ours, theirs)
    x, memory, mask = torch.randn(3, 6, 32), torch.randn(3, 8, 32), causal_mask(6)
    assert_same(ours, theirs, x, lambda x: ours(x, memory, mask), lambda x: theirs(x, memory, tgt_mask=~mask))


def test_dropout_keeps_the_mean_and_does_nothing_outside_training():
    torch.manual_seed(0)
    dropout, x = Dropout(0.1), torch.ones(999, 1001, requires_grad=True)  # a count that four does not divide
    dropped = dropout(x)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=2e-3)
    assert dropped[dropped > 0].unique().tolist() == pytest.approx([1 / 0.9])
    rows = (dropped == 0).float().mean(dim=1)  # as independent draws would; and each quarter of a draw alike
    assert rows.std().item() == pytest.approx((0.1 * 0.9 / 1001) ** 0.5, rel=0.1)
    assert all(
        (dropped.flatten()[lane::4] == 0).float().mean().item() == pytest.approx(0.1, abs=3e-3) for lane in range(4)
    )
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())
    assert not torch.equal(dropped, dropout(x))
    assert dropout.eval()(x) is x
    assert Dropout(0.0)(x) is x
