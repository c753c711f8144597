"""The formulas for parameters, FLOPs and bytes give what our modules really have, do and take."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from random_configs import FAMILIES, lengths_of, random_config
from torch.utils import flop_counter

from lessons_lib.config import CHOICES, TransformerConfig
from lessons_lib.families import DecoderOnly, EncoderOnly, EncoderOnlyConfig
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import NORMS
from lessons_lib.sizes import (
    cache_memory,
    count_parameters,
    forward_flops,
    generation_flops,
    inference_memory,
    non_embedding_parameters,
    parameters,
    presets,
    rule_of_thumb_flops,
    table,
    training_flops,
    training_memory,
)
from lessons_lib.sizes.stages import CHUNK, TILE
from lessons_lib.timing import peak_bytes
from lessons_lib.transformer import Transformer
from lessons_lib.translation.training import losses


def tokens_of(config: TransformerConfig, batch: int, length: int) -> torch.Tensor:
    return torch.randint(3, config.vocab_size, (batch, length))


def hidden_of(model: torch.nn.Module, src: torch.Tensor, tgt: torch.Tensor) -> torch.Tensor:
    """The last vectors, before the projection."""
    if isinstance(model, EncoderOnly):
        return model(src)
    if isinstance(model, DecoderOnly):
        return model.decoder(model.embed(tgt), mask=causal_mask(tgt.shape[1]))
    return model.decode_hidden(tgt, model.encode(src), padding_mask(src, model.config.pad_id))


def nbytes(tensors) -> int:
    return sum(x.numel() * x.element_size() for x in tensors)


# Parameters


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_is_counted(family):
    for seed in range(50):
        config = random_config(family, seed)
        with torch.device("meta"):
            model = FAMILIES[family](config)
        assert count_parameters(config) == sum(p.numel() for p in model.parameters()), config


def test_the_defaults_are_the_published_model_but_for_its_size_and_norm():
    published, ours = presets()["Transformer base"].config.to_dict(), TransformerConfig(vocab_size=1).to_dict()
    assert [name for name in CHOICES if published[name] != ours[name]] == ["norm"]
    assert all(published[name] == ours[name] for name in ("tied", "scaled", "n_kv_heads", "embedding_norm"))


def test_the_parts_are_those_of_the_model():
    config = presets()["GPT-2 small"].config
    assert parameters(config) == {
        "token embedding": 50_257 * 768,
        "positions": 1024 * 768,
        "decoder self-attention": 12 * (4 * 768 * 768 + 4 * 768),
        "decoder feed-forward": 12 * (8 * 768 * 768 + 5 * 768),
        "decoder norms": 12 * 4 * 768,
        "final norms": 2 * 768,
    }
    assert non_embedding_parameters(config) == 124_439_808 - 51_281 * 768
    assert sum(share for _, _, share in table(config)) == pytest.approx(1)
    assert table(config)[0] == ("token embedding", 38_597_376, 38_597_376 / 124_439_808)


# FLOPs


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(6))
def test_forward_and_backward_flops_are_exact(family, seed, take_path):
    take_path(fused=False)  # PyTorch's counter does not know the fused kernel for CPUs
    config = random_config(family, seed)
    model, (src_length, tgt_length) = FAMILIES[family](config), lengths_of(config, 7, 5)
    src, tgt = tokens_of(config, 3, 7), tokens_of(config, 3, 5)
    with flop_counter.FlopCounterMode(display=False) as counter:
        hidden = hidden_of(model, src, tgt)
        if family == "encoder-only":
            output = model.pooled(hidden) if config.pooler else hidden
        else:
            output = model.project(hidden)
        assert counter.get_total_flops() == sum(forward_flops(config, 3, src_length, tgt_length).values())
        output.sum().backward()
    assert counter.get_total_flops() == training_flops(config, 3, src_length, tgt_length)


@pytest.mark.parametrize("family", ["encoder-decoder", "decoder-only"])
@pytest.mark.parametrize("seed", range(4))
def test_the_flops_of_one_more_token_are_exact(family, seed, take_path):
    take_path(fused=False)
    config = random_config(family, seed)
    model, (src_length, _) = FAMILIES[family](config).eval(), lengths_of(config, 7, 0)
    src, tgt = tokens_of(config, 3, 7), tokens_of(config, 3, 5)
    mask = (padding_mask(src, config.pad_id),) if src_length else ()
    cache = model.new_cache(model.encode(src), 5) if src_length else model.new_cache(3, 5)
    for t in range(5):
        with flop_counter.FlopCounterMode(display=False) as counter, torch.no_grad():
            model.decode_step(tgt[:, t : t + 1], cache, *mask)
        assert counter.get_total_flops() == generation_flops(config, 3, t, src_length)


def test_a_fused_attention_computes_its_scores_twice():
    config = presets()["GPT-2 small"].config
    shape = (3, 12, 100, 64)
    one_layer = flop_counter.sdpa_flop_count(shape, shape, shape)
    back = flop_counter.sdpa_backward_flop_count(shape, shape, shape, shape)
    assert forward_flops(config, 3, tgt_length=100)["decoder attention"] == 12 * one_layer
    difference = training_flops(config, 3, tgt_length=100, fused=True) - training_flops(config, 3, tgt_length=100)
    assert difference == 12 * (back - 2 * one_layer)


def test_the_rule_of_thumb_is_near_for_a_wide_model_and_far_for_a_narrow_one():
    wide, narrow = presets()["GPT-3 175B"].config, TransformerConfig(vocab_size=8000, d_model=64, n_heads=2)
    exact = training_flops(wide, 1, tgt_length=2048)
    assert 1 < exact / rule_of_thumb_flops(non_embedding_parameters(wide), 2048) < 1.05
    exact = sum(forward_flops(narrow, 1, 32, 32).values())
    assert exact > 1.5 * rule_of_thumb_flops(non_embedding_parameters(narrow), 32, training=False)


# Memory


def kept_bytes(family: str, config: TransformerConfig, lengths: tuple[int, int], dtype: str) -> int:
    """What autograd keeps of a forward pass of three sequences."""
    model, kept, keep_alive = FAMILIES[family](config).train().to(getattr(torch, dtype)), {}, []
    src, tgt = (tokens_of(config, 3, length) for length in lengths)
    before = {x.untyped_storage().data_ptr() for x in (src, tgt, *model.parameters(), *model.buffers())}

    def pack(x: torch.Tensor) -> torch.Tensor:
        storage = x.untyped_storage()
        if storage.data_ptr() not in before:
            kept[storage.data_ptr()] = storage.nbytes()
            keep_alive.append(x)  # so that no other tensor gets its address
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        hidden_of(model, src, tgt)
    return sum(kept.values())


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("seed", "length", "positions", "attention_dropout"),
    [(0, 11, "none", 0.0), (1, 11, "alibi", 0.0), (2, 11, "t5", 0.0), (3, 11, "alibi", 0.1), (4, 150, "rope", 0.0)],
)
def test_what_is_kept_for_the_way_back(family, dtype, fused, seed, length, positions, attention_dropout, take_path):
    take_path(fused)
    changes = {"d_model": 48, "n_heads": 6, "n_kv_heads": 3 if seed % 2 else None, "max_length": 160}
    changes |= {"positions": positions, "attention_dropout": attention_dropout}
    config, lengths = random_config(family, seed, **changes), (length, length + 2)
    estimate = training_memory(config, 3, *lengths_of(config, *lengths), dtype, fused=fused).parts["activations"]
    assert estimate == pytest.approx(kept_bytes(family, config, lengths, dtype), rel=0.01)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_without_a_choice_the_path_is_that_of_the_library(dtype):
    config = TransformerConfig(50, 16, 2, n_encoder_layers=1, n_decoder_layers=1, d_ff=16)
    kept = training_memory(config, 3, 60, 70, dtype).parts["activations"]
    assert kept == pytest.approx(kept_bytes("encoder-decoder", config, (60, 70), dtype), rel=0.01)


LESSON = Path(__file__).parents[2] / "notebooks" / "10_model_sizes.py"
LLAMA = {"activation": "swiglu", "norm_type": "rms", "positions": "rope", "bias": "none"}
BERT = {"activation": "gelu", "norm": "post", "positions": "learned", "attention_dropout": 0.1}
TRAINED = {  # the model, its batch: size and lengths, its numbers, its loss
    "encoder-decoder": (Transformer, TransformerConfig(2000, 128), 16, 40, 36, "float32", "chunked"),
    "mostly weights": (Transformer, TransformerConfig(3000, 128, tied=False), 2, 12, 10, "float32", "chunked"),
    "Llama's options": (DecoderOnly, TransformerConfig(500, 64, 4, 2, None, 0, **LLAMA), 4, 0, 200, "float32", "plain"),
    "other numbers": (EncoderOnly, EncoderOnlyConfig(1000, 48, 6, d_ff=192, **BERT), 8, 60, 0, "float64", "plain"),
    "long": (Transformer, TransformerConfig(300, 64, 4, d_ff=128), 8, 150, 140, "float32", "chunked"),
    "a bias": (Transformer, TransformerConfig(300, 64, d_ff=128, positions="alibi"), 8, 80, 70, "float32", "chunked"),
    "a learned bias": (EncoderOnly, EncoderOnlyConfig(300, 64, positions="t5"), 4, 120, 0, "float32", "chunked"),
}


@pytest.mark.parametrize(("kind", "least", "most"), [("fused", 0, 0.01), ("foreach", 3.9, 4.1), ("for-loop", 0.9, 1.3)])
def test_what_the_update_takes_beside_its_states(kind, least, most):
    """Bytes a parameter: nothing if fused, one float32 each with foreach, else a few of the largest weight alone."""
    weights = [torch.nn.Parameter(torch.randn(50_000)) for _ in range(10)]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    optimizer = torch.optim.AdamW(weights, fused=kind == "fused", foreach=kind == "foreach")
    assert least <= peak_bytes(optimizer.step) / sum(x.numel() for x in weights) <= most


@pytest.mark.parametrize("positions", CHOICES["positions"])
def test_the_count_that_lesson_10_writes_out(positions):
    code = LESSON.read_text("utf8").partition("# %%\ndef attention_weights")
    space = {}
    exec(f"def attention_weights{code[2].partition('for name, count in')[0]}", space)
    config = TransformerConfig(50, 16, 4, 2, 3, 32, positions=positions)
    assert sum(space["parts"](config).values()) == count_parameters(config)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", TRAINED)
def test_the_peak_of_a_training_step(name, fused, take_path):
    take_path(fused)
    family, config, batch, src_length, tgt_length, dtype, loss = TRAINED[name]
    model = family(config).train().to(getattr(torch, dtype))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    src, tgt = (tokens_of(config, batch, max(length, 1)) for length in (src_length, tgt_length))
    targets = tokens_of(config, batch, tgt_length or src_length).flatten()

    def step() -> None:
        hidden = hidden_of(model, src, tgt).flatten(0, 1)
        if loss == "chunked":
            mean = losses.fused_cross_entropy(hidden, model.output_weight, targets, 0.1)
        else:
            mean = F.cross_entropy(F.linear(hidden, model.output_weight), targets)
        del hidden
        mean.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    peak = peak_bytes(step)
    state = (x for values in optimizer.state.values() for x in values.values())
    measured = nbytes(model.parameters()) + nbytes(model.buffers()) + nbytes(state) + peak
    estimate = training_memory(config, batch, src_length, tgt_length, dtype, loss, fused)
    assert estimate.peak == pytest.approx(measured, rel=0.05), estimate


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("n_kv_heads", "prompt_length", "positions"),
    [(None, 1, "sinusoidal"), (2, 1, "sinusoidal"), (1, 50, "sinusoidal"), (None, 110, "t5"), (None, 1, "alibi")],
)
def test_the_peak_of_generation(n_kv_heads, prompt_length, positions, fused, take_path):
    take_path(fused)
    shape = {"n_encoder_layers": 0, "n_decoder_layers": 4, "d_ff": 256, "positions": positions}
    config = TransformerConfig(300, 64, 4, n_kv_heads, **shape)
    model = DecoderOnly(config).eval()
    prompt = tokens_of(config, 32, prompt_length)
    peak = peak_bytes(lambda: model.generate(prompt, 120 - prompt_length))
    measured = nbytes(model.parameters()) + nbytes(model.buffers()) + peak
    estimate = inference_memory(config, 32, tgt_length=120, prompt_length=prompt_length, fused=fused)
    assert estimate.peak == pytest.approx(measured, rel=0.05), estimate
    assert estimate.peak == sum(estimate.parts.values())


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("src_length", "tgt_length", "shape"),
    [(60, 40, {}), (60, 40, {"n_kv_heads": 2}), (20, 100, {}), (60, 40, {"d_ff": 64}), (60, 40, {"positions": "t5"})],
)
def test_the_peak_of_a_translation(src_length, tgt_length, shape, fused, take_path):
    take_path(fused)
    config = TransformerConfig(300, 64, 4, **({"d_ff": 256} | shape))
    model, src = Transformer(config).eval(), tokens_of(config, 32, src_length)
    mask, tokens = padding_mask(src, config.pad_id), tokens_of(config, 32, 1)

    @torch.inference_mode()
    def translate() -> None:
        memory = model.encode(src)
        cache = model.new_cache(memory, tgt_length)
        for _ in range(tgt_length):
            model.decode_step(tokens, cache, mask)

    measured = nbytes(model.parameters()) + nbytes(model.buffers()) + peak_bytes(translate)
    estimate = inference_memory(config, 32, src_length, tgt_length, fused=fused)
    assert estimate.peak == pytest.approx(measured, rel=0.05), estimate


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("seed", range(5))
def test_the_bytes_of_a_cache(seed, dtype):
    for family in ("encoder-decoder", "decoder-only"):
        config = random_config(family, seed)
        model, (src_length, _) = FAMILIES[family](config).to(getattr(torch, dtype)), lengths_of(config, 7, 0)
        source = (model.encode(tokens_of(config, 3, 7)),) if src_length else (3,)
        layers = model.new_cache(*source, 9).layers
        estimate = cache_memory(config, 3, src_length, 9, dtype)
        assert estimate["cache of the target"] == nbytes(x for y in layers for x in (y.past.key, y.past.value))
        assert estimate["cache of the source"] == nbytes(x for y in layers for x in y.source or ())


def test_the_constants_are_those_of_the_modules():
    assert (losses.CHUNK, losses.TILE) == (CHUNK, TILE)


# Published models


@pytest.mark.parametrize("name", presets())
def test_a_published_model_has_its_published_size(name):
    preset = presets()[name]
    if preset.config is None:
        assert preset.published is None
        assert "never disclosed" in preset.note
    else:
        assert count_parameters(preset.config) == pytest.approx(preset.published, rel=preset.tolerance, abs=0)
        digits = str(preset.published)
        unit = 10 ** (len(digits) - len(digits.rstrip("0")))  # of the last digit that the source gives
        assert abs(count_parameters(preset.config) - preset.published) <= unit / 2 or preset.note
    references = Path("book/references.bib").read_text(encoding="utf-8")
    assert re.search(rf"^@\w+{{{preset.citation},$", references, re.MULTILINE)
    assert preset.source
    assert f"year = {{{preset.year}}}" in references.split(f"{{{preset.citation},")[1].split("\n}")[0]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("GPT-2 small", 124_439_808),
        ("BERT base", 109_482_240),
        ("Llama 2 7B", 6_738_415_616),
        ("Llama 3 8B", 8_030_261_248),
        ("Mistral 7B", 7_241_732_096),
        ("Gemma 2B", 2_506_172_416),
        ("Gemma 7B", 8_537_680_896),
        ("Qwen2.5 0.5B", 494_032_768),
        ("T5 small", 60_506_624),
    ],
)
def test_a_released_checkpoint_has_as_many_parameters(name, count):
    assert count_parameters(presets()[name].config) == count


# Errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: forward_flops(c, 1, 4), "tgt_length=0 does not fit this model; use 1 or more"),
        (lambda c: forward_flops(c, 0, 4, 4), "batch=0 is not positive"),
        (lambda c: training_flops(c, 1, 4, 257), "tgt_length=257 is longer than max_length=256"),
        (lambda c: generation_flops(c, 1, -1, 4), "past=-1"),
        (lambda c: training_memory(c, 1, 4, 4, "int8"), "dtype='int8' is not known; use one of float64, float32"),
        (lambda c: training_memory(c, 1, 4, 4, loss="l1"), "loss='l1' is not known; use one of chunked, plain"),
        (lambda c: inference_memory(c, 1, 4, 4, prompt_length=5), "prompt_length=5 is not among tgt_length=4 tokens"),
    ],
)
def test_an_error_names_the_value(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(TransformerConfig(vocab_size=10))


def test_a_norm_that_the_formulas_do_not_know_is_refused_by_its_name(monkeypatch):
    monkeypatch.setitem(NORMS, "newer", NORMS["rms"])
    monkeypatch.setitem(CHOICES, "norm_type", tuple(NORMS))
    config = TransformerConfig(10, norm_type="newer")
    with pytest.raises(ValueError, match=r"norm_type='newer': .* use one of layer, rms"):
        training_memory(config, 1, 4, 4)


def test_tokens_for_a_stack_that_is_not_there():
    config = EncoderOnlyConfig(vocab_size=10)
    with pytest.raises(ValueError, match="tgt_length=4 does not fit this model; use 0, for it has no such stack"):
        forward_flops(config, 1, 4, 4)
    with pytest.raises(ValueError, match="n_decoder_layers=0"):
        cache_memory(config, 1, 4)
    with pytest.raises(ValueError, match="n_decoder_layers=0"):
        generation_flops(config, 1, 0, 4)
