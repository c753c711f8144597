"""Lesson 5: what the learner's layers and their whole encoder–decoder must give, step by step."""

from collections.abc import Callable
from functools import partial

import numpy as np

from lessons_lib.grading.drive.advice import sizes
from lessons_lib.grading.drive.modules import by_name
from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.layers import Model, Parts, decode, decoder_layer, encode, encoder_layer
from lessons_lib.grading.judge.properties import (
    KEPT,
    changed_in_place,
    differs,
    other_dtype,
    random_or_rounded,
)
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_05.drive import (
    LAYERS,
    LONG,
    PAD,
    decoder_cases,
    encoder_cases,
    layer_weights,
    model_cases,
    model_shapes,
    model_weights,
    sizes_of,
)
from lessons_lib.grading.lesson_05.mistakes import (
    KNOWN_DECODE,
    KNOWN_DECODER,
    KNOWN_DECODER_MASKS,
    KNOWN_ENCODE,
    KNOWN_ENCODER,
    WRONG_ENCODER_MASKS,
)
from lessons_lib.grading.lesson_05.plans import name_plan

Inputs = dict[str, np.ndarray]
STEP = 1e-8  # of the difference quotients: so short that hardly ever a ReLU bends inside
# Where only gross mistakes are left to find. A norm of a vector whose numbers are nearly equal makes float32's rounding
# a thousand times larger; among many words there is one.
NEARLY = 5e-3


def encoder_runs(inputs: Inputs, cases: Cases) -> str | None:
    return _runs(cases["plain"], encoder_cases(inputs)["plain"]["x"].shape)


def encoder_values(inputs: Inputs, cases: Cases) -> str | None:
    x = encoder_cases(inputs)["plain"]["x"].astype(np.float64)
    parts = _parts(inputs, decoder=False)
    return _layer(cases, encoder_layer(parts, x), KNOWN_ENCODER, parts, x)


def encoder_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments, parts = encoder_cases(inputs), _parts(inputs, decoder=False)
    x, mask = arguments["masked"].values()
    if cases["masked"].error is not None:
        return f"With a mask it fails: {cases['masked'].error}"
    return (
        changed_in_place(cases["plain"], arguments["plain"])
        or other_dtype(cases["plain"], ("output",), np.float32)
        or _named(cases["masked"]["output"], encoder_layer(parts, x, mask), WRONG_ENCODER_MASKS, parts, x, mask)
        or differs(
            cases["padding"],
            {"output": encoder_layer(parts, **arguments["padding"])},
            "A mask (B, 1, 1, S) goes wrong",
        )
        or _in_training(cases)
        or _wrong_direction(cases["gradient"], {"x": x}, inputs["cotangent"], lambda x: encoder_layer(parts, x, mask))
    )


def _in_training(cases: Cases) -> str | None:
    right = {"output": cases["plain"]["output"].astype(np.float64)}
    return differs(cases["again"], right, KEPT) or differs(
        cases["training"], right, "In training the result is another (is there dropout? None is asked for)"
    )


def decoder_runs(inputs: Inputs, cases: Cases) -> str | None:
    arguments, square = decoder_cases(inputs), cases["square"]
    due = arguments["plain"]["x"].shape
    hint = _runs(cases["plain"], due)
    if hint is not None and square.error is None and square["output"].shape == arguments["square"]["x"].shape:
        parts = _parts(inputs, decoder=True)
        x, memory = (array.astype(np.float64) for array in arguments["square"].values())
        return name_mistake(square["output"], KNOWN_DECODER, parts, x, memory) or hint
    return hint


def decoder_values(inputs: Inputs, cases: Cases) -> str | None:
    x, memory = (array.astype(np.float64) for array in decoder_cases(inputs)["plain"].values())
    parts = _parts(inputs, decoder=True)
    return _layer(cases, decoder_layer(parts, x, memory), KNOWN_DECODER, parts, x, memory)


def decoder_masks(inputs: Inputs, cases: Cases) -> str | None:
    arguments, parts = decoder_cases(inputs), _parts(inputs, decoder=True)
    for name in ("square_masked", "masked"):
        given = arguments[name].values()
        if cases[name].error is not None:
            return f"With masks it fails: {cases[name].error}"
        right = decoder_layer(parts, **arguments[name])
        if hint := _named(cases[name]["output"], right, KNOWN_DECODER_MASKS, parts, *given):
            return hint
    for name, other in (("mask", "memory_mask"), ("memory_mask", "mask")):
        given = {key: True if value is None else value for key, value in arguments[f"{name}_alone"].items()}
        right = {"output": decoder_layer(parts, **given)}
        if hint := differs(
            cases[f"{name}_alone"], right, f"Right with both masks, but not with `{name}` and no `{other}`"
        ):
            return hint
    return None


def decoder_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments, parts = decoder_cases(inputs), _parts(inputs, decoder=True)
    x, memory, *masks = arguments["masked"].values()
    return (
        changed_in_place(cases["masked"], arguments["masked"])
        or other_dtype(cases["masked"], ("output",), np.float32)
        or _in_training(cases)
        or _wrong_direction(
            cases["gradient"],
            {"x": x, "memory": memory},
            inputs["cotangent"],
            lambda x, memory: decoder_layer(parts, x, memory, *masks),
        )
    )


def model_runs(inputs: Inputs, cases: Cases) -> str | None:
    model, visible = _model(inputs), model_cases(inputs)["decode"]["memory_mask"]
    layers = {
        "q1": (cases["encoder_layer"], encoder_layer(model.layers("encoder")[0], inputs["x"], visible)),
        "q2": (
            cases["decoder_layer"],
            decoder_layer(model.layers("decoder")[0], inputs["x"], inputs["memory"], visible, visible),
        ),
    }
    for question, (case, right) in layers.items():
        if differs(case, {"output": right}, "") is not None:
            return f'Its layers are wrong already: first get check("{question}") right.'
    d_model, _, _ = sizes_of(inputs)
    due = {
        "encode": (*inputs["src"].shape, d_model),
        "decode": (*inputs["tgt"].shape, len(model["embedding.weight"])),
    }
    for name, shape in due.items():
        case = cases[name]
        if case.error is not None:
            vocabulary = len(model["embedding.weight"])
            if "cannot be multiplied" in case.error and f"and {vocabulary}x{d_model}" in case.error:
                return (
                    f"`{name}`: the table of embeddings is (V, D), and (D, V) is due behind the vectors: "
                    f"`@ self.embedding.weight.T`. ({case.error})"
                )
            return f"`{name}`: {_why_not(case.error, inputs)}"
        if case["output"].shape == (*shape[:2], d_model) != shape:
            return (
                "`decode` returns vectors of d_model numbers; compare them with the embeddings, @ embedding.weight.T."
            )
        if hint := _shape(case["output"], shape, f"`{name}` gives"):
            return hint
    return None


def _why_not(error: str, inputs: Inputs) -> str:
    """An error of shapes, with the mistake that it comes of."""
    (rows, source), target, width = inputs["src"].shape, inputs["tgt"].shape[1], sizes_of(inputs)[0]
    if sizes(error) in ((source, rows), (target, rows)):
        return f"the length of the sentences is tokens.shape[1]; tokens.shape[0] is their number. ({error})"
    axis_2 = set(sizes(error) or ()) if error.endswith("dimension 2") else set()
    if axis_2 in ({rows, source}, {rows, target}):
        return f"a mask (B, S) does not fit scores (B, H, S, S); padding_mask makes one of (B, 1, 1, S). ({error})"
    if axis_2 in ({width, source}, {width, target}):
        return f"the length comes first in a table of positions: sinusoidal_table(length, d_model). ({error})"
    if sizes(error) in ((source, target), (target, source)):
        return (
            f"the target's {target} places meet the source's {source}: each layer is called with (x, memory, causal "
            f"mask, memory_mask), and every one with the same memory. ({error})"
        )
    return error


def encode_values(inputs: Inputs, cases: Cases) -> str | None:
    model, src = _model(inputs), inputs["src"]
    trace: list[np.ndarray] = []
    right = encode(model, src, PAD, trace=trace)
    return _stack("encode", cases["encode"], right, trace, KNOWN_ENCODE, model, src, PAD)


def decode_values(inputs: Inputs, cases: Cases) -> str | None:
    model, arguments = _model(inputs), model_cases(inputs)["decode"].values()
    trace: list[np.ndarray] = []
    right = decode(model, *arguments, trace=trace)
    return _stack("decode", cases["decode"], right, trace, KNOWN_DECODE, model, *arguments)


def model_properties(inputs: Inputs, cases: Cases) -> str | None:
    d_model, n_heads, d_ff = sizes_of(inputs)
    shapes = model_shapes(d_model, d_ff, LAYERS)
    forward = cases["forward"]
    if hint := differs(
        forward, {"output": _logits(_model(inputs), inputs)}, "encode and decode are right, but not forward"
    ):
        return hint
    if hint := other_dtype(forward, ("output",), np.float32):
        return hint
    long = model_cases(inputs)["long"]
    memory = encode(_model(inputs), long["src"], PAD)
    if hint := differs(
        cases["long"],
        {"output": decode(_model(inputs), long["tgt"], memory, True)},
        f"Right for short sentences, not for {LONG} tokens (is a table or a mask of a fixed size made once?)",
        NEARLY,
    ):
        return hint
    smaller = Model(model_weights(inputs, LAYERS - 1), n_heads, LAYERS - 1)
    sentence = f"Right for {LAYERS} layers, not for {LAYERS - 1}"
    if hint := differs(cases["smaller"], {"output": _logits(smaller, inputs)}, sentence, NEARLY):
        return hint
    case = cases["gradient"]
    if case.error is not None:
        return f"No gradient flows, so nothing could be trained: {case.error}"
    for name, gradient in by_name(case["gradient"], shapes).items():
        if not gradient.any() and not name.endswith("key.bias"):  # a shift of all scores changes no softmax
            return f"The weights {name} get no gradient, though the result is right: is a part of it detached?"
    return _wrong_direction(
        case,
        {"gradient": inputs["weights"]},
        inputs["cotangent"],
        lambda gradient: _logits(Model(by_name(gradient, shapes), n_heads, LAYERS), inputs),
        fixed=slice(PAD * d_model, (PAD + 1) * d_model),  # `padding_idx` may hold that row of the embedding back
    )


def _logits(model: Model, inputs: Inputs) -> np.ndarray:
    visible = model_cases(inputs)["decode"]["memory_mask"]
    return decode(model, inputs["tgt"], encode(model, inputs["src"], PAD), visible)


def _layer(cases: Cases, right: np.ndarray, wrong: list, parts: Parts, *arrays: np.ndarray) -> str | None:
    """A mistake that has a name, or one of how the sub-layers are put together."""
    output = cases["plain"]["output"]
    if not close(output, right) and (odd := random_or_rounded(cases["plain"], cases["again"], "output", right)):
        return odd
    if close(output, right) or not np.isfinite(output).all() or name_mistake(output, wrong, parts, *arrays):
        return _named(output, right, wrong, parts, *arrays)
    hint = name_plan(parts, output, *arrays) or changed_in_place(cases["plain"], {"x": arrays[0].astype(np.float32)})
    return hint or _named(output, right, [], parts)


def _stack(method: str, case: Case, right: np.ndarray, trace: list[np.ndarray], wrong: list, *arguments) -> str | None:
    """A mistake that has a name, or else the first layer behind which the numbers are wrong."""
    output = case["output"]
    if close(output, right):
        return None
    if hint := name_mistake(output, wrong, *arguments):
        return f"{method}: {hint}"
    for number, due in enumerate(trace):
        given = case.arrays.get(f"{method}r_layers_{number}_gave")
        if given is None:
            return f"{method}: layer {number} of {method}r_layers never runs."
        if given.shape != due.shape:
            return f"{method}: layer {number} gives the shape {given.shape}; {due.shape} is due."
        if not close(given, due):
            if method == "decode" and (hint := _given_to(number, given, case, *arguments)):
                return f"decode: {hint}"
            read = "the embedded tokens or the mask" if not number else "something else than what the last one made"
            return (
                f"{method}: the layers are right, but what layer {number} is given is not: {read} "
                f"({difference('its output', given, due)})."
            )
    return f"{method}: all layers are right; what comes behind them is not ({difference('output', output, right)})."


def _given_to(
    number: int, given: np.ndarray, case: Case, model: Model, tgt: np.ndarray, memory: np.ndarray, visible: np.ndarray
) -> str | None:
    """With what a layer of the decoder was called, if that explains what it gave."""
    x = case[f"decoder_layers_{number - 1}_gave"] if number else model.embed(tgt)
    called = f"Layer {number} of the decoder is called"
    axes = {
        "mask": [(f"{called} without the causal mask.", True)],
        "memory_mask": [(f"{called} without memory_mask.", True)],
    }
    if number:
        axes["memory"] = [(f"{called} with what the last one gave in the place of `memory`.", x)]
        axes["x"] = [(f"{called} with the embedded tokens, not with what the last one gave.", model.embed(tgt))]
    right = {"x": x, "memory": memory, "mask": np.tri(tgt.shape[1], dtype=bool), "memory_mask": visible}
    return name_variation(given, partial(decoder_layer, model.layers("decoder")[number], **right), axes)


def _parts(inputs: Inputs, decoder: bool) -> Parts:
    return Parts(layer_weights(inputs, decoder), sizes_of(inputs)[1])


def _model(inputs: Inputs) -> Model:
    return Model(model_weights(inputs), sizes_of(inputs)[1], LAYERS)


def _runs(case: Case, due: tuple[int, ...]) -> str | None:
    if case.error is not None:
        signs = (
            "'tuple'",
            "tuple object",
            "'Tensor' and 'NoneType'",
            "at non-singleton dimension 3",
        )  # of both, or weights
        if any(sign in case.error for sign in signs):
            return f"The attention returns two things, output and weights: take the first, [0]. ({case.error})"
        return case.error
    return _shape(case["output"], due, "The layer gives")


def _shape(output: np.ndarray, due: tuple[int, ...], what: str) -> str | None:
    return None if output.shape == due else f"{what} the shape {output.shape}; {due} is due."


def _named(output: np.ndarray, right: np.ndarray, wrong: list, *arguments) -> str | None:
    if close(output, right):
        return None
    if not np.isfinite(output).all():
        return "The output holds NaN or infinite numbers."
    return name_mistake(output, wrong, *arguments) or f"The values differ: {difference('output', output, right)}."


def _wrong_direction(
    case: Case,
    arguments: Inputs,
    cotangent: np.ndarray,
    function: Callable[..., np.ndarray],
    fixed: slice = slice(0),
) -> str | None:
    """The learner's gradients against a difference quotient of the reference, in a direction that has all of them.

    Args:
        fixed: what is left out of the direction, of the first axis.
    """
    if case.error is not None:
        return f"No gradient flows, so nothing could be trained: {case.error}"
    for name, value in arguments.items():
        gradient, others = case[name], {n: v.astype(np.float64) for n, v in arguments.items()}
        if not np.isfinite(gradient).all():
            return f"The gradient of {name} is NaN or infinite, though the result is right."
        towards = np.random.default_rng(1).normal(size=value.shape)
        towards[fixed] = 0
        ahead, back = (function(**others | {name: value + sign * STEP * towards}) for sign in (1, -1))
        right = ((ahead - back) * cotangent).sum() / (2 * STEP)
        if not close(np.array((gradient * towards).sum()), np.array(right), 2 * NEARLY):
            of = "the weights" if name == "gradient" else name
            return f"The gradient of {of} is wrong, though the result is right (is a part of it detached?)."
    return None


STEPS = {
    "q1": (
        Step("is made, runs, and the shape is right", 0, encoder_runs),
        Step("the values are right", 2, encoder_values),
        Step("it holds for masks and gradients, and leaves its input alone", 1, encoder_properties),
    ),
    "q2": (
        Step("is made, runs, and the shape is right", 0, decoder_runs),
        Step("the values are right", 2, decoder_values),
        Step("each mask reaches its attention", 1, decoder_masks),
        Step("it holds for gradients, and leaves its inputs alone", 1, decoder_properties),
    ),
    "q3": (
        Step("is made, runs, and the shapes are right", 0, model_runs),
        Step("encode is right", 1, encode_values),
        Step("decode is right", 1, decode_values),
        Step("together, for another number of layers, and every weight gets a gradient", 1, model_properties),
    ),
}
