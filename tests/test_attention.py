"""Attention equals PyTorch's, forward and backward; masks keep their promises."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch import nn
from torch_reference import assert_same_gradients, copy_attention

from lessons_lib.attention import (
    NO_POSITIONS,
    AttentionPositions,
    MultiHeadAttention,
    fused_attention,
    scaled_dot_product_attention,
)
from lessons_lib.masks import causal_mask, padding_mask

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
sizes = st.integers(1, 6)


@given(
    batch=sizes, heads=sizes, targets=sizes, sources=sizes, width=sizes, masked=st.booleans(), seed=st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_equals_pytorch_forward_and_backward(batch, heads, targets, sources, width, masked, seed):
    torch.manual_seed(seed)
    query, key, value = (torch.randn(batch, heads, n, width, requires_grad=True) for n in (targets, sources, sources))
    mask = None
    if masked:
        mask = torch.rand(batch, 1, targets, sources) > 0.5
        mask[..., 0] = True  # PyTorch leaves rows without any key undefined; ours are tested below
    ours, weights = scaled_dot_product_attention(query, key, value, mask)
    theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(ours, theirs, **CLOSE)
    torch.testing.assert_close(weights.sum(-1), torch.ones(batch, heads, targets), **CLOSE)
    gradient = torch.randn_like(ours)
    for mine, other in zip(
        torch.autograd.grad(ours, (query, key, value), gradient),
        torch.autograd.grad(theirs, (query, key, value), gradient),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, **CLOSE)


@pytest.mark.parametrize("attend", [lambda *a: scaled_dot_product_attention(*a)[0], fused_attention])
def test_a_query_that_may_attend_to_nothing_gets_zeros_and_finite_gradients(attend):
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 2, 4, 8, requires_grad=True) for _ in range(3))
    mask = causal_mask(4).clone()
    mask[2] = False
    output = attend(query, key, value, mask[None, None])
    assert (output[:, :, 2] == 0).all()
    output.sum().backward()
    assert all(torch.isfinite(x.grad).all() for x in (query, key, value))
    assert (query.grad[:, :, 2] == 0).all()


def test_a_masked_key_has_weight_zero_exactly():
    query, key, value = torch.randn(3, 5, 4), torch.randn(3, 5, 4) * 50, torch.randn(3, 5, 4)
    _, weights = scaled_dot_product_attention(query, key, value, causal_mask(5))
    assert (weights.triu(1) == 0).all()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("lengths", [(5, 7), (200, 200)])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_equals_pytorch_forward_and_backward(lengths, masked, fused, take_path):
    if not fused:
        take_path(False)
    torch.manual_seed(1)
    ours, theirs = MultiHeadAttention(32, 4), nn.MultiheadAttention(32, 4, batch_first=True)
    copy_attention(ours, theirs)
    targets, sources = lengths
    query, source = torch.randn(3, targets, 32), torch.randn(3, sources, 32)
    padding = torch.ones(3, sources, dtype=torch.long)
    if masked:
        padding[0, -3:] = 0
    mask = padding_mask(padding, pad_id=0)
    output, weights = ours(query, source, mask, return_weights=True)
    expected, expected_weights = theirs(
        query, source, source, key_padding_mask=padding == 0, average_attn_weights=False
    )
    torch.testing.assert_close(output, expected, **CLOSE)
    torch.testing.assert_close(weights, expected_weights, **CLOSE)
    output, _ = ours(query, source, mask)  # without weights: the path that was chosen
    torch.testing.assert_close(output, expected, **CLOSE)
    output.square().mean().backward()
    expected.square().mean().backward()
    assert_same_gradients(ours, theirs, [("output.weight", "out_proj.weight"), ("output.bias", "out_proj.bias")])
    mine = torch.cat([ours.query.weight.grad, ours.key.weight.grad, ours.value.weight.grad])
    torch.testing.assert_close(mine, theirs.in_proj_weight.grad, **CLOSE)


@given(
    heads=st.sampled_from([(4, 4), (4, 2), (6, 1)]),
    width=st.sampled_from([None, 5]),
    bias=st.sampled_from(["all", "qkv", "none"]),
    lengths=st.tuples(sizes, sizes),
    biased=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_both_paths_agree_with_grouped_heads_and_biases(heads, width, bias, lengths, biased, dtype, seed):
    torch.manual_seed(seed)
    (n_heads, n_kv_heads), (targets, sources) = heads, lengths
    ours = MultiHeadAttention(24, n_heads, n_kv_heads, width, bias=bias).to(dtype)
    query, source = torch.randn(2, targets, 24, dtype=dtype), torch.randn(2, sources, 24, dtype=dtype)
    mask = torch.rand(2, 1, targets, sources) > 0.3
    told = AttentionPositions(torch.randn(n_heads, targets, sources)) if biased else NO_POSITIONS
    key, value = ours.keys_values(source)
    assert key.shape == value.shape == (2, n_kv_heads, sources, width or 24 // n_heads)
    readable, weights = ours(query, source, mask, told, return_weights=True)
    assert readable.dtype == dtype
    assert weights.masked_select(~mask).eq(0).all()
    fused, none = ours(query, source, mask, told)
    assert none is None
    tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(readable, fused, rtol=tolerance, atol=tolerance)
    # The definition, a group of query heads at a time.
    double = ours.double()
    queries = double.query(query.double()).unflatten(-1, (n_heads, -1))
    keys, values = (p(source.double()).unflatten(-1, (n_kv_heads, -1)) for p in (double.key, double.value))
    scores = torch.stack(
        [queries[:, :, h] @ keys[:, :, h * n_kv_heads // n_heads].mT for h in range(n_heads)], dim=1
    ) / math.sqrt(queries.shape[-1])
    scores = scores + (told.bias if biased else 0)
    expected = scores.masked_fill(~mask, -1e300).softmax(-1) * mask
    read = [expected[:, h] @ values[:, :, h * n_kv_heads // n_heads] for h in range(n_heads)]
    torch.testing.assert_close(
        readable.double(), double.output(torch.cat(read, dim=-1)), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_16_bit_attention_is_that_of_its_numbers_in_float32(dtype, autocast):
    torch.manual_seed(0)
    heads = [torch.randn(2, 3, 9, 8).to(dtype).requires_grad_() for _ in range(3)]
    wide = [x.detach().float().requires_grad_() for x in heads]
    mask, gradient = causal_mask(9), torch.randn(2, 3, 9, 8).to(dtype)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output = fused_attention(*heads, mask=mask)
    expected = fused_attention(*wide, mask=mask)
    assert torch.equal(output, expected.to(dtype))
    output.backward(gradient)
    expected.backward(gradient.float())
    assert all(torch.equal(x.grad, y.grad.to(dtype)) for x, y in zip(heads, wide, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_long_cache_of_16_bits_is_not_widened(dtype, take_path):
    attention, x = MultiHeadAttention(16, 2).to(dtype), torch.randn(1, 40, 16).to(dtype)
    key, value = attention.keys_values(x)
    expected = [attention.attend(x[:, :n], key, value, return_weights=True)[0] for n in (1, 2)]
    take_path(fused=True)
    tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(attention.attend(x[:, :2], key, value)[0], expected[1], rtol=tolerance, atol=tolerance)
    if dtype == torch.float32:
        torch.testing.assert_close(attention.attend(x[:, :1], key, value)[0], expected[0], rtol=1e-5, atol=1e-5)
    else:
        with pytest.raises(AssertionError, match="computes its weights"):
            attention.attend(x[:, :1], key, value)


def test_dropout_takes_weights_away_in_training_only():
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(16, 2, dropout=0.5), torch.randn(1, 6, 16)
    dropped, weights = attention(x, return_weights=True)
    kept = attention.eval()(x, return_weights=True)
    assert not torch.allclose(dropped, kept[0])
    torch.testing.assert_close(weights, kept[1])  # those that are returned are whole
    query, value = torch.zeros(1, 1, 1, 4), torch.ones(1, 1, 2000, 1)
    output, _ = scaled_dot_product_attention(query, query.expand(1, 1, 2000, 4), value, dropout=0.25)
    assert output.item() == pytest.approx(1.0, abs=0.1)  # what is kept grows by 1 / (1 - dropout)


def test_self_attention_is_equivariant_not_invariant():
    torch.manual_seed(2)
    attention, x, order = MultiHeadAttention(16, 2), torch.randn(1, 6, 16), torch.randperm(6)
    shuffled, plain = attention(x[:, order])[0], attention(x)[0]
    torch.testing.assert_close(shuffled, plain[:, order], **CLOSE)
    assert not torch.allclose(shuffled, plain, atol=1e-3)


def test_only_the_product_of_query_and_key_layers_counts_and_biases_belong_to_it():
    """Lesson 2: W_Q · 2 and W_K / 2 change no weight if b_Q is doubled too; b_K never changes one."""
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(8, n_heads=2).double(), torch.randn(1, 5, 8, dtype=torch.double)
    weights = attention(x, return_weights=True)[1]
    with torch.no_grad():
        attention.query.weight.mul_(2)
        attention.key.weight.div_(2)
        attention.key.bias.add_(torch.randn(8))
    forgotten = attention(x, return_weights=True)[1]
    with torch.no_grad():
        attention.query.bias.mul_(2)
    assert (forgotten - weights).abs().max() > 1e-3
    torch.testing.assert_close(attention(x, return_weights=True)[1], weights)


def test_d_model_must_split_into_heads():
    with pytest.raises(ValueError, match=r"d_model=512 is not divisible by n_heads=7; use 1, 2, 4, 8"):
        MultiHeadAttention(512, 7)


def test_a_shape_in_a_signature_cannot_lie():
    with pytest.raises(TypeCheckError):
        scaled_dot_product_attention(torch.randn(2, 5, 8), torch.randn(2, 6, 7), torch.randn(2, 6, 8))


def test_a_mask_of_the_wrong_shape_is_named():
    plain = scaled_dot_product_attention.__wrapped__  # as outside the tests, without the shape checks
    with pytest.raises(ValueError, match=r"mask of shape \(3, 3\) does not broadcast to the scores \(2, 5, 6\)"):
        plain(torch.randn(2, 5, 8), torch.randn(2, 6, 8), torch.randn(2, 6, 8), torch.ones(3, 3, dtype=torch.bool))
