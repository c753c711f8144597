"""Lesson 5: how the learner's layers and their whole encoder–decoder are made, filled with weights and called."""

import numpy as np

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import gradient_case
from lessons_lib.grading.drive.modules import (
    Shapes,
    by_name,
    draw_weights,
    filled,
    module_case,
    watched_case,
    weight_gradients,
)
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

LIBRARY = ("lessons_lib.blocks", "lessons_lib.transformer")
VOCABULARY, LAYERS = 13, 3
LONG = 300  # tokens: more than a table that is made once for the sentences at hand
PAD = 0
RETURNS = ("output",)


def layer_shapes(d_model: int, d_ff: int, decoder: bool) -> Shapes:
    """The parameters of one layer, by the names that the questions fix."""
    attentions = ("attention", "cross_attention") if decoder else ("attention",)
    shapes: Shapes = {}
    for part in (*attentions, "feed_forward"):
        shapes |= {f"{part}_norm.gamma": (d_model,), f"{part}_norm.beta": (d_model,)}
    for part in attentions:
        for matrix in ("query", "key", "value", "output"):
            shapes |= {f"{part}.{matrix}.weight": (d_model, d_model), f"{part}.{matrix}.bias": (d_model,)}
    return shapes | {
        "feed_forward.expand.weight": (d_ff, d_model),
        "feed_forward.expand.bias": (d_ff,),
        "feed_forward.contract.weight": (d_model, d_ff),
        "feed_forward.contract.bias": (d_model,),
    }


def model_shapes(d_model: int, d_ff: int, n_layers: int) -> Shapes:
    """The parameters of the whole model."""
    shapes: Shapes = {"embedding.weight": (VOCABULARY, d_model)}
    for stack in ("encoder", "decoder"):
        layer = layer_shapes(d_model, d_ff, stack == "decoder")
        for number in range(n_layers):
            shapes |= {f"{stack}_layers.{number}.{name}": shape for name, shape in layer.items()}
        shapes |= {f"{stack}_norm.gamma": (d_model,), f"{stack}_norm.beta": (d_model,)}
    return shapes


def sizes_of(inputs: Arrays) -> tuple[int, int, int]:
    """d_model, n_heads, d_ff."""
    return tuple(int(size) for size in inputs["sizes"])


def _sizes(draw: np.random.Generator) -> np.ndarray:
    n_heads, d_head = int(draw.integers(2, 4)), 2 * int(draw.integers(1, 3))
    return np.array([n_heads * d_head, n_heads, 9 + 2 * int(draw.integers(0, 4))])  # d_ff is odd, d_model even


def _vectors(draw: np.random.Generator, *shape: int) -> np.ndarray:
    """Not normalised: each position has a mean and a scale of its own."""
    spread = draw.uniform(0.5, 2.0, (*shape[:-1], 1))
    return (draw.normal(0.7, 1.0, shape) * spread).astype(np.float32)


def _mask(draw: np.random.Generator, *shape: int) -> np.ndarray:
    """Bool: each query may attend to itself or to the first key, and to about half of the others; some future too."""
    mask = draw.random(shape) < 0.5
    mask[..., 0] = True
    mask[..., 0, -1] = True
    mask[..., 1] = False  # and to the second key nobody may, so that no mask allows everything
    return mask


def make_layer(seed: int) -> Arrays:
    """x (B, T, D), memory (B, S, D), their masks, cotangents, and weights for an encoder and a decoder layer."""
    draw = np.random.default_rng([5, seed])
    sizes = _sizes(draw)
    d_model, _, d_ff = (int(size) for size in sizes)
    target, source = (int(length) for length in draw.permutation([4, 6]))
    padding = np.ones((2, 1, 1, source), dtype=bool)
    padding[1, ..., -2:] = False
    return {
        "sizes": sizes,
        "encoder_weights": draw_weights(draw, layer_shapes(d_model, d_ff, decoder=False)),
        "decoder_weights": draw_weights(draw, layer_shapes(d_model, d_ff, decoder=True)),
        "x": _vectors(draw, 2, target, d_model),
        "memory": _vectors(draw, 2, source, d_model),
        "mask": _mask(draw, target, target),
        "memory_mask": padding,
        "cotangent": draw.normal(size=(2, target, d_model)).astype(np.float32),
    }


def layer_weights(inputs: Arrays, decoder: bool) -> Arrays:
    d_model, _, d_ff = sizes_of(inputs)
    return by_name(inputs["decoder_weights" if decoder else "encoder_weights"], layer_shapes(d_model, d_ff, decoder))


def encoder_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call of the encoder layer."""
    x, mask = inputs["x"], inputs["mask"]
    return {"plain": {"x": x}, "masked": {"x": x, "mask": mask}, "padding": {"x": x, "mask": mask[None, None, 1:2]}}


def decoder_cases(inputs: Arrays) -> dict[str, Arrays]:
    """Of the decoder layer; in "square" source and target are of one length, so that confusing them runs."""
    x, memory, mask, memory_mask = (inputs[name] for name in ("x", "memory", "mask", "memory_mask"))
    side = min(x.shape[1], memory.shape[1])
    short = {"x": x[:, :side], "memory": memory[:, :side]}
    masks = {"mask": mask[:side, :side], "memory_mask": memory_mask[..., -side:]}
    return {
        "plain": {"x": x, "memory": memory},
        "square": short,
        "masked": {"x": x, "memory": memory, "mask": mask, "memory_mask": memory_mask},
        "square_masked": short | masks,
        "mask_alone": {"x": x, "memory": memory, "mask": mask},
        "memory_mask_alone": {"x": x, "memory": memory, "mask": None, "memory_mask": memory_mask},
    }


def _drive_layer(answer, inputs: Arrays, cases: dict[str, Arrays], decoder: bool) -> Arrays:
    module = filled(answer, sizes_of(inputs), layer_weights(inputs, decoder))
    arrays: Arrays = {}
    for name, arguments in cases.items():
        arrays |= module_case(name, module, arguments, RETURNS)
    arrays |= gradient_case("gradient", module, cases["masked"], inputs["cotangent"])
    arrays |= module_case("again", module, cases["plain"], RETURNS)
    return arrays | module_case("training", module.train(), cases["plain"], RETURNS)


def drive_encoder(answer, inputs: Arrays) -> Arrays:
    return _drive_layer(answer, inputs, encoder_cases(inputs), decoder=False)


def drive_decoder(answer, inputs: Arrays) -> Arrays:
    return _drive_layer(answer, inputs, decoder_cases(inputs), decoder=True)


def make_model(seed: int) -> Arrays:
    """src (B, S) with padding, tgt (B, T), a memory for the decoder alone, and weights of a model of LAYERS layers."""
    draw = np.random.default_rng([55, seed])
    sizes = _sizes(draw)
    d_model, _, d_ff = (int(size) for size in sizes)
    target, source = (int(length) for length in draw.permutation([4, 6]))
    src = draw.integers(3, VOCABULARY, (2, source))
    src[1, -2:] = PAD
    return {
        "sizes": sizes,
        "weights": draw_weights(draw, model_shapes(d_model, d_ff, LAYERS)),
        "src": src,
        "tgt": draw.integers(3, VOCABULARY, (2, target)),
        "memory": draw.normal(size=(2, source, d_model)).astype(np.float32),
        "x": _vectors(draw, 2, source, d_model),
        "cotangent": draw.normal(size=(2, target, VOCABULARY)).astype(np.float32),
        "long": draw.integers(3, VOCABULARY, (2, 1, LONG)),
    }


def model_weights(inputs: Arrays, n_layers: int = LAYERS) -> Arrays:
    """Those of the first ``n_layers`` layers."""
    d_model, _, d_ff = sizes_of(inputs)
    weights = by_name(inputs["weights"], model_shapes(d_model, d_ff, LAYERS))
    return {name: weights[name] for name in model_shapes(d_model, d_ff, n_layers)}


def model_cases(inputs: Arrays) -> dict[str, Arrays]:
    """The arguments of each call of `encode`, `decode` and the model itself."""
    src, tgt = inputs["src"], inputs["tgt"]
    visible = (src != PAD)[:, None, None, :]
    return {
        "encode": {"src": src},
        "decode": {"tgt": tgt, "memory": inputs["memory"], "memory_mask": visible},
        "forward": {"src": src, "tgt": tgt},
        "long": {"src": inputs["long"][0], "tgt": inputs["long"][1, :, 1:]},
    }


def layer_names(method: str) -> list[str]:
    """The layers of the stack that `encode` or `decode` uses."""
    return [f"{method}r_layers.{number}" for number in range(LAYERS)]


def drive_model(answer, inputs: Arrays) -> Arrays:
    sizes, cases = sizes_of(inputs), model_cases(inputs)
    d_model, _, d_ff = sizes
    module = filled(answer, (VOCABULARY, *sizes, LAYERS), model_weights(inputs))
    methods = {"encode": "encode", "decode": "decode", "forward": None, "long": None}
    arrays: Arrays = {}
    for name, method in methods.items():
        if method is None:
            arrays |= module_case(name, module, cases[name], RETURNS)
        else:
            arrays |= watched_case(name, module, layer_names(method), cases[name], RETURNS, method)
    visible = cases["decode"]["memory_mask"]
    reads = {"x": inputs["x"], "memory": inputs["memory"], "mask": visible, "memory_mask": visible}
    for stack, names in (("encoder", ("x", "mask")), ("decoder", tuple(reads))):
        layers = getattr(module, f"{stack}_layers")
        arrays |= module_case(f"{stack}_layer", layers[0], {name: reads[name] for name in names}, RETURNS)
    arrays |= weight_gradients(
        "gradient", module, cases["forward"], inputs["cotangent"], model_shapes(d_model, d_ff, LAYERS)
    )
    return arrays | _smaller(answer, inputs)


def _smaller(answer, inputs: Arrays) -> Arrays:
    """The same model with one layer less."""
    try:
        module = filled(answer, (VOCABULARY, *sizes_of(inputs), LAYERS - 1), model_weights(inputs, LAYERS - 1))
    except Trouble as trouble:
        return {"smaller.error": text_array(str(trouble))}
    return module_case("smaller", module, model_cases(inputs)["forward"], RETURNS)


QUESTIONS = {
    "q1": Question(
        "a layer of the encoder", "EncoderLayer(d_model, n_heads, d_ff)", make_layer, drive_encoder, LIBRARY
    ),
    "q2": Question(
        "a layer of the decoder", "DecoderLayer(d_model, n_heads, d_ff)", make_layer, drive_decoder, LIBRARY
    ),
    "q3": Question(
        title="the whole model",
        signature="EncoderDecoder(vocab_size, d_model, n_heads, d_ff, n_layers)",
        make=make_model,
        drive=drive_model,
        forbidden=LIBRARY,
    ),
}
