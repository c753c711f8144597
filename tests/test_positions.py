"""Each way of telling the order keeps its promise, and the whole model learns the order from it alone."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
from transformers.models.t5.modeling_t5 import T5Attention

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.masks import causal_mask
from lessons_lib.positions import (
    POSITIONS,
    AlibiPositions,
    ClippedRelativePositions,
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
    T5Positions,
    alibi_slopes,
    sinusoidal_table,
    t5_bucket,
)
from lessons_lib.transformer import Transformer, TransformerConfig


def test_sinusoidal_table_is_the_formula():
    table = sinusoidal_table(50, 8)
    for t in (0, 1, 17, 49):
        for i in range(4):
            angle = t / 10_000 ** (2 * i / 8)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


@pytest.mark.parametrize("kind", [SinusoidalPositions, LearnedPositions])
def test_a_table_is_added_from_the_start_and_refuses_what_does_not_fit(kind):
    positions, x = kind(10, 8), torch.randn(1, 4, 8)
    torch.testing.assert_close(positions.add(x, start=3)[0], x[0] + positions.table[3:7])
    with pytest.raises(ValueError, match="a sequence of 11 tokens is longer than max_length=10"):
        positions.add(x, start=7)


def test_an_odd_width_is_named():
    with pytest.raises(ValueError, match="d_model=7 is odd; sines and cosines come in pairs, use 8"):
        sinusoidal_table(10, 7)
    with pytest.raises(ValueError, match="d_head=3 is odd"):
        RotaryPositions(10, 3)


def test_halves_are_the_same_columns_in_another_order():
    table, halves = sinusoidal_table(9, 8), SinusoidalPositions(9, 8, interleaved=False).table
    torch.testing.assert_close(halves, table[:, [0, 2, 4, 6, 1, 3, 5, 7]])


@given(shift=st.integers(1, 40), length=st.integers(2, 12), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_rotation_keeps_lengths_and_makes_scores_depend_on_distance_alone(shift, length, seed):
    torch.manual_seed(seed)
    positions = RotaryPositions(64, 8)
    query, key = torch.randn(1, 2, 1, 8).expand(1, 2, length, 8), torch.randn(1, 2, 1, 8).expand(1, 2, length, 8)
    here, there = positions.for_attention(length), positions.for_attention(length, start=shift)
    torch.testing.assert_close(here.rotate(query).norm(dim=-1), query.norm(dim=-1))
    scores, shifted = (order.rotate(query) @ order.rotate(key).mT for order in (here, there))
    torch.testing.assert_close(scores, shifted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(scores[..., 0, 1], scores[..., -2, -1], rtol=1e-4, atol=1e-4)


def angles_of(length, d_head):
    return torch.arange(length)[:, None] * 10_000 ** (-torch.arange(0, d_head, 2) / d_head)


def test_rotation_pairs_halves_as_hugging_faces_llama():
    heads, angles = torch.randn(2, 4, 9, 16), angles_of(9, 16).repeat(1, 2)[None]
    theirs, _ = apply_rotary_pos_emb(heads, heads, angles.cos(), angles.sin())
    torch.testing.assert_close(RotaryPositions(9, 16).for_attention(9).rotate(heads), theirs)


def test_weights_for_neighbours_fit_when_their_rows_are_put_even_ones_first():
    """The paper and Meta's code turn 2i and 2i + 1, as complex numbers: scores are the same, in the order we say."""
    query, key = torch.randn(2, 9, 16)
    turn = torch.polar(torch.ones(9, 8), angles_of(9, 16))
    neighbours = [
        torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (8, 2))) * turn).flatten(-2) for x in (query, key)
    ]
    rotate = RotaryPositions(9, 16).for_attention(9).rotate
    order = torch.cat([torch.arange(0, 16, 2), torch.arange(1, 16, 2)])
    ours = [rotate(x[:, order][None, None])[0, 0] for x in (query, key)]
    torch.testing.assert_close(ours[0] @ ours[1].T, neighbours[0] @ neighbours[1].T)
    assert not torch.allclose(rotate(query[None, None])[0, 0], neighbours[0], atol=1e-2)


def test_alibi_in_an_encoder_does_not_tell_left_from_right():
    attention, x = MultiHeadAttention(16, 4), torch.randn(1, 9, 16)

    def read(x, told, mask=None):
        return attention(x, positions=told, mask=mask)[0]

    told = AlibiPositions(4).for_attention(9)
    torch.testing.assert_close(read(x.flip(1), told).flip(1), read(x, told))
    assert not torch.allclose(read(x.flip(1), told, causal_mask(9)).flip(1), read(x, told, causal_mask(9)), atol=1e-3)
    sided = ClippedRelativePositions(4)
    torch.nn.init.normal_(sided.table)
    assert not torch.allclose(
        read(x.flip(1), sided.for_attention(9)).flip(1), read(x, sided.for_attention(9)), atol=1e-3
    )


def test_alibi_slopes_are_the_published_ones():
    torch.testing.assert_close(alibi_slopes(8), 2.0 ** -torch.arange(1, 9))
    expected = [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]  # 6 heads: those of 4, then every other one of 8
    torch.testing.assert_close(alibi_slopes(6), torch.tensor(expected))
    bias = AlibiPositions(2).for_attention(3, start=1).bias
    torch.testing.assert_close(bias[0], -torch.tensor([[1, 0, 1, 2], [2, 1, 0, 1], [3, 2, 1, 0.0]]) / 16)


def test_the_clipped_table_has_a_row_for_every_distance():
    positions = ClippedRelativePositions(2, max_distance=3)
    positions.table.data = torch.arange(14.0).reshape(2, 7)
    bias = positions.for_attention(12).bias
    assert bias[0, 0].tolist() == [3, 4, 5, 6] + [6] * 8  # from -3 to +3 is seven rows, not six
    assert bias[0, 11].tolist() == [0] * 9 + [1, 2, 3]


@pytest.mark.parametrize("causal", [False, True])
def test_buckets_equal_t5s(causal):
    distance = torch.arange(-300, 301)[None, :]
    expected = T5Attention._relative_position_bucket(distance, not causal, num_buckets=32, max_distance=128)
    assert torch.equal(t5_bucket(distance, causal, 32, 128), expected)


@pytest.mark.parametrize("kind", POSITIONS)
def test_cached_steps_equal_the_whole_with_every_kind(kind):
    torch.manual_seed(0)
    sizes = {"d_model": 32, "n_encoder_layers": 2, "n_decoder_layers": 2, "d_ff": 64, "dropout": 0.0, "max_length": 32}
    model = Transformer(TransformerConfig(vocab_size=40, positions=kind, **sizes)).eval()
    for parameter in model.parameters():  # biases start at zero, where nothing could go wrong
        parameter.data += 0.1 * torch.randn_like(parameter)
    src, tgt = torch.randint(3, 40, (3, 7)), torch.randint(3, 40, (3, 6))
    cache = model.new_cache(model.encode(src), max_length=6)
    source_mask = torch.ones(3, 1, 1, 7, dtype=torch.bool)
    steps = [model.decode_step(tgt[:, t : t + 1], cache, source_mask) for t in range(6)]
    torch.testing.assert_close(torch.stack(steps, dim=1), model(src, tgt), rtol=1e-5, atol=1e-5)
    swapped = model(src[:, [1, 0, *range(2, 7)]], tgt)  # two words of the source change places
    same = torch.allclose(swapped, model(src, tgt), atol=1e-4)
    assert same == (kind == "none")


def test_t5_looks_both_ways_in_the_encoder_only():
    ahead = torch.tensor([[1, 2, 3]])
    assert len(t5_bucket(ahead, False, 32, 128).unique()) == 3
    assert t5_bucket(ahead, True, 32, 128).eq(0).all()
    model = Transformer(TransformerConfig(vocab_size=9, positions="t5"))
    assert isinstance(model.encoder.positions, T5Positions)
    assert (model.encoder.positions.causal, model.decoder.positions.causal) == (False, True)
