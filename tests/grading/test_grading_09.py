"""The checks of exercise 9: every named mistake has its answer, mistakes can be told apart, the reference is right."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike
from test_grading_05 import library_names

from lessons_lib.config import TransformerConfig
from lessons_lib.families import DecoderOnly, EncoderOnly, EncoderOnlyConfig
from lessons_lib.grading.lesson_09 import drive, mistakes
from lessons_lib.grading.lesson_09.judge import is_greedy, losses, model_of
from lessons_lib.grading.lesson_09.reference import blanks, fill, follow, generate, masked_loss, masked_loss_gradient

TABLES = [name for name in dir(mistakes) if name.startswith("WRONG_")]


def versions(seed: int) -> dict[str, list[np.ndarray]]:
    """For each table the right result, and every wrong one."""
    inputs, made = drive.make_model(seed), drive.make_blanks(seed)
    m = model_of(inputs)
    blank, calls = drive.blank_arguments(made).values(), drive.loss_cases(made)
    arguments = {
        "WRONG_ENCODER": (fill, (m, inputs["sentences"], drive.PAD)),
        "WRONG_DECODER": (follow, (m, drive.unpadded(inputs))),
        "WRONG_GENERATE": (generate, (m, inputs["beginnings"], drive.WRITTEN)),
        "WRONG_BLANKS": (lambda *given: blanks(*given[:5]), (*blank, drive.BLANK, drive.PAD)),
    }
    by_loss = [masked_loss, *(version for _, version in mistakes.WRONG_LOSSES)]
    return {"WRONG_LOSSES": [losses(version, calls) for version in by_loss]} | {
        table: [right(*given), *(version(*given) for _, version in getattr(mistakes, table))]
        for table, (right, given) in arguments.items()
    }


@pytest.mark.parametrize("seed", range(20))
def test_named_mistakes_can_be_told_apart(seed):
    found = versions(seed)
    assert set(found) == set(TABLES)
    for table, results in found.items():
        assert alike(results, 5e-3) == [], table


def library_model(inputs: dict, family: type) -> torch.nn.Module:
    """The library's model of that family, with the weights that `make` drew."""
    d_model, n_heads, d_ff = drive.sizes_of(inputs)
    sizes = {"vocab_size": drive.VOCABULARY, "d_model": d_model, "n_heads": n_heads, "d_ff": d_ff, "dropout": 0.0}
    if family is EncoderOnly:
        model, stack = EncoderOnly(EncoderOnlyConfig(**sizes, n_encoder_layers=drive.LAYERS)), "encoder"
    else:
        config = TransformerConfig(**sizes, n_encoder_layers=0, n_decoder_layers=drive.LAYERS)
        model, stack = DecoderOnly(config), "decoder"
    named = {
        name if name.startswith("embedding") else f"{stack}.{name}": tensor
        for name, tensor in library_names(drive.weights_of(inputs)).items()
    }
    model.load_state_dict(named)
    return model.double().eval()


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_models_are_the_librarys(seed):
    inputs = drive.make_model(seed)
    m, sentences, beginnings = model_of(inputs), inputs["sentences"], inputs["beginnings"]
    encoder, decoder = (library_model(inputs, family) for family in (EncoderOnly, DecoderOnly))
    with torch.no_grad():
        logits = encoder(torch.from_numpy(sentences)) @ encoder.embedding.weight.T
        np.testing.assert_allclose(fill(m, sentences, drive.PAD), logits, atol=1e-5)
        tokens = torch.from_numpy(drive.unpadded(inputs))
        np.testing.assert_allclose(follow(m, tokens.numpy()), decoder(tokens), atol=1e-5)
        written = decoder.generate(torch.from_numpy(beginnings), drive.WRITTEN)
        np.testing.assert_array_equal(generate(m, beginnings, drive.WRITTEN), written)


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_loss_is_pytorchs(seed):
    made = drive.make_blanks(seed)
    logits, tokens, asked = (torch.from_numpy(array) for array in drive.loss_cases(made)["loss"].values())
    logits = logits.double().requires_grad_()
    loss = F.cross_entropy(logits[asked], tokens[asked])
    np.testing.assert_allclose(masked_loss(*drive.loss_cases(made)["loss"].values()), loss.item())
    (gradient,) = torch.autograd.grad(loss, logits)
    np.testing.assert_allclose(masked_loss_gradient(*drive.loss_cases(made)["loss"].values()), gradient, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_inputs_say_something(seed):
    inputs, made = drive.make_model(seed), drive.make_blanks(seed)
    d_model, n_heads, d_ff = drive.sizes_of(inputs)
    assert d_model % (2 * n_heads) == 0
    assert d_ff != d_model != drive.VOCABULARY
    assert (inputs["sentences"] == drive.PAD).sum() == 3
    assert (inputs["beginnings"] != drive.PAD).all()
    assert generate(model_of(inputs), inputs["beginnings"], drive.WRITTEN).max() < drive.VOCABULARY
    draw, asked = made["draw"], made["asked"]
    for kind in (draw < 0.8, (draw >= 0.8) & (draw < 0.9), draw >= 0.9):
        assert (kind & asked).any()
        assert (kind & ~asked).any()
    assert (made["random_tokens"] != made["tokens"]).all()
    assert asked.any(axis=1).all()
    assert not asked.all(axis=1).any() or not asked.all()


def test_of_two_equally_good_tokens_either_may_follow():
    inputs = drive.make_model(0)
    m, beginnings = model_of(inputs), inputs["beginnings"]
    written = generate(m, beginnings, drive.WRITTEN)
    assert is_greedy(m, beginnings, written)
    m.weights["embedding.weight"] = m.weights["embedding.weight"].copy()
    m.weights["embedding.weight"][5] = m.weights["embedding.weight"][6] + 1e-7  # as good as equal, now and ever
    written = generate(m, beginnings, 1)
    logits = follow(m, beginnings)[:, -1]
    for token in (5, 6):
        if logits[0].max() - logits[0, token] < 1e-3:
            written[0, -1] = token
            assert is_greedy(m, beginnings, written)
    other = written.copy()
    other[0, -1] = logits[0].argmin()
    assert not is_greedy(m, beginnings, other)
    other[0, -1] = -1
    assert not is_greedy(m, beginnings, other)
