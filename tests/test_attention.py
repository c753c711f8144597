"""Attention equals PyTorch's, forward and backward; masks keep their promises."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from torch import nn
from torch_reference import assert_same_gradients, copy_attention

from lessons_lib.attention import MultiHeadAttention, fused_attention, scaled_dot_product_attention
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


@pytest.mark.parametrize("lengths", [(5, 7), (200, 200)])  # the readable path, and the fused one
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_equals_pytorch_forward_and_backward(lengths, masked):
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
    output, _ = ours(query, source, mask)  # without weights: the path chosen by length
    torch.testing.assert_close(output, expected, **CLOSE)
    output.square().mean().backward()
    expected.square().mean().backward()
    assert_same_gradients(ours, theirs, [("output.weight", "out_proj.weight"), ("output.bias", "out_proj.bias")])
    mine = torch.cat([ours.query.weight.grad, ours.key.weight.grad, ours.value.weight.grad])
    torch.testing.assert_close(mine, theirs.in_proj_weight.grad, **CLOSE)


def test_self_attention_is_equivariant_not_invariant():
    torch.manual_seed(2)
    attention, x, order = MultiHeadAttention(16, 2), torch.randn(1, 6, 16), torch.randperm(6)
    shuffled, plain = attention(x[:, order])[0], attention(x)[0]
    torch.testing.assert_close(shuffled, plain[:, order], **CLOSE)
    assert not torch.allclose(shuffled, plain, atol=1e-3)


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
