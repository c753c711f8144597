"""The whole model equals ``nn.Transformer``; masks do not leak; the cache changes nothing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_reference import torch_transformer

from lessons_lib.attention import recorded_attention
from lessons_lib.masks import padding_mask
from lessons_lib.transformer import Transformer, TransformerConfig

SMALL = {"vocab_size": 40, "d_model": 32, "n_heads": 4, "n_encoder_layers": 2, "n_decoder_layers": 2, "d_ff": 64}


def model_of(**changes) -> Transformer:
    torch.manual_seed(0)
    return Transformer(TransformerConfig(**(SMALL | {"dropout": 0.0, "max_length": 32} | changes))).eval()


def sentences(batch: int, length: int) -> torch.Tensor:
    """Random tokens (B, S) above the special ones; every second sentence is padded at its end."""
    tokens = torch.randint(3, 40, (batch, length))
    tokens[1::2, -2:] = 0
    return tokens


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_equals_nn_transformer_forward_and_backward(norm):
    ours = model_of(norm=norm)
    theirs = torch_transformer(ours)
    src, tgt = sentences(4, 9), sentences(4, 7)
    embedded = [ours.embed(tokens).detach().requires_grad_() for tokens in (src, tgt)]
    copies = [ours.encoder.positions.add(x.detach()).requires_grad_() for x in embedded]
    logits = ours(src, tgt)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(7)
    padding = src == 0
    hidden = theirs(*copies, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding)
    torch.testing.assert_close(logits, ours.project(hidden), rtol=1e-5, atol=1e-5)
    memory = ours.encoder(embedded[0], padding_mask(src, 0))
    mine = ours.decoder(embedded[1], memory, mask == 0, padding_mask(src, 0))
    gradient = torch.randn_like(mine)
    mine.backward(gradient)
    hidden.backward(gradient)
    for x, copy in zip(embedded, copies, strict=True):
        torch.testing.assert_close(x.grad, copy.grad, rtol=1e-5, atol=1e-5)
    total = sum(p.grad.square().sum() for n, p in ours.named_parameters() if not n.startswith("embedding"))
    torch.testing.assert_close(total, sum(p.grad.square().sum() for p in theirs.parameters()), rtol=1e-4, atol=0)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("choices", [{}, {"norm": "post"}, {"positions": "rope", "n_kv_heads": 2}, {"positions": "t5"}])
def test_no_later_token_reaches_the_logits(choices, fused, take_path):
    take_path(fused)
    model, length = model_of(**choices), 8
    src, tgt = sentences(2, 6), torch.randint(3, 40, (2, length))
    memory, source_mask = model.encode(src), padding_mask(src, 0)
    embedded = model.embed(tgt).detach().requires_grad_()
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    hidden = model.decoder(embedded, memory, mask, source_mask)
    for position in range(length):
        (gradient,) = torch.autograd.grad(model.project(hidden)[:, position].sum(), embedded, retain_graph=True)
        assert (gradient[:, position + 1 :] == 0).all()
        assert (gradient[:, position].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("fused", [False, True])
def test_a_source_of_nothing_but_padding_is_read_as_zeros(fused, take_path):
    if not fused:
        take_path(False)
    model = model_of()
    src, tgt = sentences(2, 6), sentences(2, 5)
    src[1] = 0
    logits, attention = model(src, tgt, return_attention=True)
    assert all((weights[1] == 0).all() for weights in attention.encoder + attention.cross)
    logits = model(src, tgt)
    torch.testing.assert_close(logits[1:], model(src[1:, :1], tgt[1:]))  # however much padding it is
    logits.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@given(extra=st.integers(1, 8), seed=st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_padding_changes_nothing(extra, seed):
    torch.manual_seed(seed)
    model = model_of()
    src, tgt = torch.randint(3, 40, (2, 6)), torch.randint(3, 40, (2, 5))
    padded = torch.cat([src, torch.zeros(2, extra, dtype=torch.long)], dim=1)
    torch.testing.assert_close(model(src, tgt), model(padded, tgt), rtol=0, atol=1e-6)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_cached_steps_equal_the_whole(norm):
    model = model_of(norm=norm)
    src, tgt = sentences(3, 7), torch.randint(3, 40, (3, 6))
    memory, source_mask = model.encode(src), padding_mask(src, 0)
    cache = model.new_cache(memory, max_length=6)
    steps = [model.decode_step(tgt[:, t : t + 1], cache, source_mask) for t in range(6)]
    torch.testing.assert_close(torch.stack(steps, dim=1), model(src, tgt), rtol=1e-5, atol=1e-5)


def test_a_reordered_cache_follows_its_rows():
    model = model_of()
    src, tgt, rows = sentences(4, 7), torch.randint(3, 40, (4, 3)), torch.tensor([2, 0, 2])
    source_mask = padding_mask(src, 0)
    cache = model.new_cache(model.encode(src), max_length=3)
    for t in range(2):
        model.decode_step(tgt[:, t : t + 1], cache, source_mask)
    cache.reorder(rows)
    logits = model.decode_step(tgt[rows, 2:], cache, source_mask[rows])
    torch.testing.assert_close(logits, model(src, tgt)[rows, -1], rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="position 4 does not fit a cache of max_length=3"):
        model.decode_step(tgt[rows, 2:], cache, source_mask[rows])


def test_rows_of_a_cache_that_stay_are_not_copied():
    model, src = model_of(), sentences(4, 7)
    cache = model.new_cache(model.encode(src), max_length=3)
    model.decode_step(src[:, :1], cache, padding_mask(src, 0))
    layer = cache.layers[0]
    memories = [layer.past.key, layer.past.value, *layer.source]
    expected = [x[torch.tensor([0, 3, 2])].clone() for x in memories]
    cache.reorder(torch.tensor([0, 3, 2]))
    for old, new, right in zip(memories, [layer.past.key, layer.past.value, *layer.source], expected, strict=True):
        assert new.data_ptr() == old.data_ptr()
        torch.testing.assert_close(new[:, :, :1], right[:, :, :1], rtol=0, atol=0)


def test_cached_equals_uncached_on_a_thousand_prefixes_with_rows_reordered():
    model, generator = model_of(n_kv_heads=2, positions="rope"), torch.Generator().manual_seed(1)
    model.embedding.weight.data *= 5  # decided choices: no two tokens within rounding of each other
    distinct, rows_total = set(), 0
    with torch.inference_mode():
        for length in range(1, 21):
            src = torch.randint(3, 40, (50, 7), generator=generator)
            src[::3, -2:] = 0
            tokens = torch.randint(3, 40, (50, length), generator=generator)
            source_mask, cache = padding_mask(src, 0), model.new_cache(model.encode(src), max_length=length + 6)
            for t in range(length + 6):
                logits = model.decode_step(tokens[:, t : t + 1], cache, source_mask)
                if t % 3 == 2:  # beams change places, some twice, some lost
                    rows = torch.randint(0, 50, (50,), generator=generator)
                    cache.reorder(rows)
                    tokens, src, source_mask, logits = tokens[rows], src[rows], source_mask[rows], logits[rows]
                if t >= length - 1:  # the prefix is read: from here on the model goes on by itself
                    tokens = torch.cat([tokens, logits.argmax(-1, keepdim=True)], dim=1)
            whole = model(src, tokens).argmax(-1)
            assert torch.equal(whole[:, length - 1 : -1], tokens[:, length:])  # token for token
            distinct |= set(tokens[:, length:].unique().tolist())
            rows_total += len(tokens)
    assert rows_total == 1000
    assert len(distinct) > 20  # not the same few tokens again and again


def test_weights_on_request():
    model = model_of()
    src, tgt = sentences(3, 7), sentences(3, 5)
    logits, attention = model(src, tgt, return_attention=True)
    torch.testing.assert_close(logits, model(src, tgt))
    assert [tuple(w.shape) for w in attention.encoder] == [(3, 4, 7, 7)] * 2
    assert [tuple(w.shape) for w in attention.decoder] == [(3, 4, 5, 5)] * 2
    assert [tuple(w.shape) for w in attention.cross] == [(3, 4, 5, 7)] * 2
    assert (attention.cross[0][1, :, :, -2:] == 0).all()  # nobody reads the padding


def test_recorded_attention_is_that_of_the_last_call_and_ends_with_the_block():
    model = model_of()
    src, tgt = sentences(3, 7), sentences(3, 5)
    with recorded_attention(model) as weights:
        model(src[:1], tgt[:1])
        model(src, tgt)
    expected = model(src, tgt, return_attention=True)[1]
    assert list(weights) == [
        *(f"encoder.layers.{layer}.attention" for layer in range(2)),
        *(f"decoder.layers.{layer}.{kind}" for layer in range(2) for kind in ("attention", "cross_attention")),
    ]
    assert torch.equal(weights["decoder.layers.1.cross_attention"], expected.cross[1])
    before = dict(weights)
    model(src[:2], tgt[:2])
    assert all(weights[name] is before[name] for name in before)


def test_one_matrix_embeds_and_projects():
    model = model_of()
    names = [name for name, p in model.named_parameters() if 40 in p.shape]
    assert names == ["embedding.weight"]
    assert model.embedding.weight[0].eq(0).all()


def test_a_config_survives_json():
    config = TransformerConfig(**SMALL)
    assert TransformerConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match="has 'colour', which this version does not know"):
        TransformerConfig.from_dict(config.to_dict() | {"colour": 1})
    with pytest.raises(ValueError, match="no 'vocab_size'"):
        TransformerConfig.from_dict({})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_model": 30}, "d_model=30 is not divisible by n_heads=4; use 1, 2, 3, 5"),
        ({"n_heads": 0}, "n_heads=0"),
        ({"n_kv_heads": 3}, "n_heads=4 is not divisible by n_kv_heads=3; use 1, 2, 4"),
        ({"d_ff": 0}, "d_ff=0 is not positive"),
        ({"norm": "middle"}, "norm='middle' is not known; use one of pre, post"),
        ({"positions": "gps"}, "positions='gps' is not known; use one of sinusoidal, sinusoidal_halves, learned, rope"),
        ({"n_encoder_layers": 0, "n_decoder_layers": 0}, "one of them must be 1 or more"),
        ({"dropout": 1.0}, "dropout=1.0 is not a probability below 1"),
    ],
)
def test_a_bad_config_names_the_value(changes, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**(SMALL | changes))
