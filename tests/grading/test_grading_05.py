"""The checks of exercise 5: every named mistake has its answer, mistakes can be told apart, the reference is right."""

import math

import numpy as np
import pytest
import torch
from alike import alike
from answers import course

from lessons_lib.blocks import DecoderLayer, EncoderLayer
from lessons_lib.config import TransformerConfig
from lessons_lib.grading.drive.modules import by_name, draw_weights, filled
from lessons_lib.grading.drive.question import Trouble
from lessons_lib.grading.judge.layers import Model, Parts, decode, decoder_layer, encode, encoder_layer
from lessons_lib.grading.lesson_05 import drive, mistakes
from lessons_lib.grading.notebook import grade
from lessons_lib.transformer import Transformer

TABLES = [name for name in dir(mistakes) if name.startswith("WRONG_")]


def library_names(weights: dict) -> dict:
    """The weights under the names of the library's own layers and model."""
    changes = (("coder_layers.", "coder.layers."), ("coder_norm.", "coder.norm."), ("n_norm.", "n_residual.norm."))
    renamed = {}
    for name, array in weights.items():
        for old, new in (*changes, ("d_norm.", "d_residual.norm.")):
            name = name.replace(old, new)
        renamed[name] = torch.from_numpy(array.astype(np.float64))
    return renamed


def library_config(inputs: dict) -> TransformerConfig:
    d_model, n_heads, d_ff = drive.sizes_of(inputs)
    layers = {"n_encoder_layers": drive.LAYERS, "n_decoder_layers": drive.LAYERS}
    return TransformerConfig(drive.VOCABULARY, d_model, n_heads, d_ff=d_ff, dropout=0.0, **layers)


def versions(seed: int) -> dict[str, list[np.ndarray]]:
    """For each table the right result, and every wrong one that these shapes allow."""
    layer, model = drive.make_layer(seed), drive.make_model(seed)
    n_heads = drive.sizes_of(layer)[1]
    encoder, decoder = (Parts(drive.layer_weights(layer, both), n_heads) for both in (False, True))
    square = {name: a.astype(np.float64) for name, a in drive.decoder_cases(layer)["square"].items()}.values()
    masked = drive.decoder_cases(layer)["square_masked"].values()
    x, mask = layer["x"].astype(np.float64), layer["mask"]
    whole = Model(drive.model_weights(model), drive.sizes_of(model)[1], drive.LAYERS)
    asked = drive.model_cases(model)["decode"].values()
    arguments = {
        "WRONG_ENCODER": (encoder_layer, (encoder, x)),
        "WRONG_ENCODER_MASKS": (encoder_layer, (encoder, x, mask)),
        "WRONG_DECODER": (decoder_layer, (decoder, *square)),
        "WRONG_DECODER_MASKS": (decoder_layer, (decoder, *masked)),
        "WRONG_ENCODE": (encode, (whole, model["src"], drive.PAD)),
        "WRONG_DECODE": (decode, (whole, *asked)),
    }
    return {
        table: [right(*given), *(version(*given) for _, version in getattr(mistakes, table))]
        for table, (right, given) in arguments.items()
    }


@pytest.mark.parametrize("seed", range(20))
def test_named_mistakes_can_be_told_apart(seed):
    found = versions(seed)
    assert set(found) == set(TABLES)
    for table, results in found.items():
        assert alike(results, 5e-3) == [], table


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", ["plain", "masked"])
def test_the_reference_layers_are_the_librarys(seed, case):
    inputs = drive.make_layer(seed)
    config, n_heads = library_config(inputs), drive.sizes_of(inputs)[1]
    for kind, cases, reference, decoder in (
        (EncoderLayer, drive.encoder_cases, encoder_layer, False),
        (DecoderLayer, drive.decoder_cases, decoder_layer, True),
    ):
        layer = kind(config).double().eval()
        weights = drive.layer_weights(inputs, decoder)
        layer.load_state_dict(library_names(weights))
        given = cases(inputs)[case]
        tensors = [torch.from_numpy(a if a.dtype == bool else a.astype(np.float64)) for a in given.values()]
        expected = layer(*tensors).detach()
        np.testing.assert_allclose(reference(Parts(weights, n_heads), **given), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_reference_model_is_the_librarys(seed):
    inputs = drive.make_model(seed)
    weights = drive.model_weights(inputs)
    model = Transformer(library_config(inputs)).double().eval()
    model.load_state_dict(library_names(weights))
    src, tgt = (torch.from_numpy(inputs[name]) for name in ("src", "tgt"))
    reference = Model(weights, drive.sizes_of(inputs)[1], drive.LAYERS)
    with torch.no_grad():
        memory = encode(reference, inputs["src"], drive.PAD)
        np.testing.assert_allclose(memory, model.encode(src), atol=1e-6)
        visible = (inputs["src"] != drive.PAD)[:, None, None, :]
        np.testing.assert_allclose(decode(reference, inputs["tgt"], memory, visible), model(src, tgt), atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_inputs_tell_lengths_apart_and_masks_say_something(seed):
    inputs, model = drive.make_layer(seed), drive.make_model(seed)
    d_model, n_heads, d_ff = drive.sizes_of(inputs)
    assert d_model % (2 * n_heads) == 0
    assert d_ff != d_model
    assert inputs["x"].shape[1] != inputs["memory"].shape[1]
    for mask in (inputs["mask"], ~inputs["mask"]):
        assert mask.any(axis=-1).all()  # no query without a key, not even where a mask is taken the wrong way round
    causal = np.tri(len(inputs["mask"]), dtype=bool)
    assert (inputs["mask"] & ~causal).any()
    assert (model["src"] == drive.PAD).sum() == 2
    assert (model["tgt"] != drive.PAD).all()


def test_weights_cross_as_one_array_and_come_back_by_name():
    shapes = {"a.weight": (2, 3), "a.bias": (3,), "n.gamma": (4,)}
    flat = draw_weights(np.random.default_rng(0), shapes)
    assert flat.dtype == np.float32
    assert len(flat) == sum(math.prod(shape) for shape in shapes.values())
    named = by_name(flat, shapes)
    assert {name: array.shape for name, array in named.items()} == shapes
    np.testing.assert_array_equal(np.concatenate([array.ravel() for array in named.values()]), flat)


class Small(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.line = torch.nn.Linear(width, 2)


class Twice(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = self.two = torch.nn.Parameter(torch.zeros(2))


def test_a_module_is_filled_by_name_and_told_what_does_not_fit():
    weights = {"line.weight": np.ones((2, 3), np.float32), "line.bias": np.zeros(2, np.float32)}
    module = filled(Small, (3,), weights)
    assert not module.training
    assert module.line.weight.sum() == 6
    for answer, sizes, given, message in (
        (Small, (4,), weights, r"line.weight has the shape \(2, 4\); \(2, 3\) is due"),
        (Small, (3,), {"other": weights["line.bias"]}, "there is no parameter other \\(your module has line.weight\\)"),
        (Small, (3,), {"line.weight": weights["line.weight"]}, "there is a parameter line.bias too many"),
        (Twice, (), dict.fromkeys(("one", "two"), weights["line.bias"]), "one and two are one and the same parameter"),
        (lambda width: width, (3,), weights, r"<lambda>\(3,\) gives a int, not a module"),
        (Small, (), weights, "TypeError.*missing 1 required positional argument"),
    ):
        with pytest.raises(Trouble, match=message):
            filled(answer, sizes, given)


@pytest.mark.parametrize(
    ("lesson", "question", "seed"),
    [("05_encoder_decoder", "q3", seed) for seed in (100031, 100048, 100340, 100447, 100762)]
    + [("09_transformer_families", "q1", 200214)],
)
def test_a_right_answer_is_right_where_a_relu_bends_or_a_norm_is_of_nearly_equal_numbers(lesson, question, seed):
    """Of 800 inputs that chance may draw, six were such that float32 alone looked like a mistake."""
    assert grade(lesson, question, course(), (seed,)).hint is None
