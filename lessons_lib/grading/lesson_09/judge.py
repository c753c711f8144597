"""Lesson 9: what the learner's encoder, their decoder and their blanks must give, step by step."""

from collections.abc import Callable
from functools import partial

import numpy as np

from lessons_lib.grading.drive.advice import sizes
from lessons_lib.grading.drive.modules import by_name
from lessons_lib.grading.judge.compare import Wrong, close, difference, name_mistake
from lessons_lib.grading.judge.layers import Model
from lessons_lib.grading.judge.properties import changed_in_place, differs, random_or_rounded, wrong_gradients
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_09.drive import (
    ALWAYS,
    BLANK,
    LAYERS,
    PAD,
    WRITTEN,
    blank_arguments,
    double_draws,
    long_text,
    loss_cases,
    model_shapes,
    sizes_of,
    unpadded,
    weights_of,
)
from lessons_lib.grading.lesson_09.mistakes import (
    DECODER_AXES,
    ENCODER_AXES,
    KNOWN_BLANKS,
    KNOWN_DECODER,
    KNOWN_ENCODER,
    KNOWN_GENERATE,
    KNOWN_LOSSES,
    LOSS_AXES,
    chosen_loss,
    chosen_model,
)
from lessons_lib.grading.lesson_09.reference import (
    blanks,
    causal,
    fill,
    follow,
    generate,
    masked_loss,
    masked_loss_gradient,
)

Inputs = dict[str, np.ndarray]
STEP = 1e-8  # of the difference quotients: so short that hardly ever a ReLU bends inside
DIFFER = "The values differ"
TIE = 1e-3  # two logits this close are equally good to a model in single precision


def encoder_runs(inputs: Inputs, cases: Cases) -> str | None:
    return _runs(inputs, cases["forward"], inputs["sentences"])


def encoder_values(inputs: Inputs, cases: Cases) -> str | None:
    m, tokens = model_of(inputs), inputs["sentences"]
    output, right = cases["forward"]["output"], fill(m, tokens, PAD)
    chosen = partial(name_variation, output, chosen_model, ENCODER_AXES, m, tokens, PAD)
    if (hint := _named(output, right, KNOWN_ENCODER, chosen, m, tokens, PAD)) is None or not hint.startswith(DIFFER):
        return hint
    if odd := random_or_rounded(cases["forward"], cases["again"], "output", right):
        return odd
    if close(output[0], right[0]):
        return f"{hint} The sentence without padding is right: look at the mask, and at who uses it."
    return f"{hint} {_where(cases['bare'], fill(model_of(inputs, 0), tokens, PAD))}"


def encoder_properties(inputs: Inputs, cases: Cases) -> str | None:
    return _properties(inputs, cases, inputs["sentences"], lambda m, tokens: fill(m, tokens, PAD))


def decoder_runs(inputs: Inputs, cases: Cases) -> str | None:
    return _runs(inputs, cases["forward"], inputs["sentences"])


def decoder_values(inputs: Inputs, cases: Cases) -> str | None:
    m, tokens = model_of(inputs), unpadded(inputs)
    right = follow(m, tokens)
    output, chosen = cases["forward"]["output"], partial(chosen_model, mask=lambda t, p: causal(t.shape[1]))
    chosen = partial(name_variation, output, chosen, DECODER_AXES, m, tokens, PAD)
    hint = _named(output, right, KNOWN_DECODER, chosen, m, tokens)
    if hint is None or not hint.startswith(DIFFER):
        return hint
    if odd := random_or_rounded(cases["forward"], cases["again"], "output", right):
        return odd
    return f"{hint} {_where(cases['bare'], follow(model_of(inputs, 0), tokens))}"


def _where(bare: Case, right: np.ndarray) -> str:
    """In which half of the model the mistake lies, by a model without layers."""
    if bare.error is None and close(bare["output"], right):
        return "With n_layers=0 it is right: look at the loop over the layers, and at the mask."
    return "With n_layers=0 it is wrong, too: look at the embeddings, the positions, the last norm and the product."


def decoder_generates(inputs: Inputs, cases: Cases) -> str | None:
    m, beginnings = model_of(inputs), inputs["beginnings"]
    case, (rows, length) = cases["generate"], beginnings.shape
    if case.error is not None:
        if f"size {rows} but got size {length} " in case.error:
            last = "logits[-1] are those of the last text; the last place of each is logits[:, -1]."
            return f"generate fails: {last} ({case.error})"
        if "must match except in dimension 1" in case.error:
            return (
                f"generate fails where the new tokens are put behind the others: they must be ({rows}, 1), a row for "
                f"each text, the argmax over dim=-1 with keepdim=True. ({case.error})"
            )
        return f"generate fails: {case.error}"
    written, due = case["output"], (rows, length + WRITTEN)
    if written.shape == (rows, WRITTEN) and np.array_equal(written[:, :length], beginnings):
        return f"n_tokens counts the beginning too: {WRITTEN - length} tokens are written where {WRITTEN} more are due."
    if written.shape == (rows, WRITTEN):
        return "generate returns the new tokens alone; return them behind the beginnings."
    always = [case for token in ALWAYS if (case := cases[f"always_{token}"]).error is None]
    if written.shape == (rows, length + 1) and all(case["output"].shape[-1] == length + 1 for case in always):
        return "Only one new token is kept: the longer text must be what the next step reads, tokens = torch.cat(…)."
    if written.ndim == 2 and len(written) == rows and length < written.shape[1] < length + WRITTEN - 1:
        return "generate stops before n_tokens are written: no token ends the text here, whatever its id."
    if written.ndim == 2 and len(written) == rows and written.shape[1] > length + WRITTEN + 1:
        return f"{written.shape[1] - length} tokens are written, and {WRITTEN} are due: one a step, from logits[:, -1]."
    if written.shape == (rows, length):
        return "The text gets no longer: keep all of the beginning, and put each new token behind it."
    if written.ndim == 2 and any(case["output"].shape[-1] < length + WRITTEN - 1 for case in always):
        return "generate stops before n_tokens are written: no token ends the text here, whatever its id."
    if written.shape != due:
        return f"generate gives the shape {written.shape}; {due} is due, for {WRITTEN} tokens more."
    if written.dtype != np.int64:
        return f"generate gives {written.dtype}; token ids are int64, as the beginnings are."
    if is_greedy(m, beginnings, written):
        return differs(
            cases["nothing"], {"output": beginnings}, "Asked for no token, it must return the beginnings"
        ) or _stops(inputs, cases)
    if hint := name_mistake(written, KNOWN_GENERATE, m, beginnings, WRITTEN):
        return hint
    if not np.array_equal(written[:, :length], beginnings):
        return "generate changes the beginnings; they stand in front of the new tokens as they were."
    right = generate(m, beginnings, WRITTEN)
    return f"The tokens that follow are not those with the highest logit: {difference('output', written, right)}."


def _stops(inputs: Inputs, cases: Cases) -> str | None:
    """Where always the same token is the most probable one, it is written n_tokens times."""
    for token in ALWAYS:
        case = cases[f"always_{token}"]
        rows = len(inputs["beginnings"])
        due = np.concatenate([inputs["beginnings"], np.full((rows, WRITTEN), token)], axis=1)
        if case.error is not None:
            return f"Where token {token} is always the most probable one, generate fails: {case.error}"
        if not np.array_equal(case["output"], due):
            return (
                f"Where token {token} is always the most probable one, generate does not write it {WRITTEN} times: no "
                "token ends the text here, and none is left out."
            )
    return None


def is_greedy(m: Model, beginnings: np.ndarray, written: np.ndarray) -> bool:
    """Whether each new token has the highest logit behind what stands before it; of a tie, either one."""
    length = beginnings.shape[1]
    vocabulary = len(m["embedding.weight"])
    if not np.array_equal(written[:, :length], beginnings) or not ((written >= 0) & (written < vocabulary)).all():
        return False
    logits = follow(m, written[:, :-1])[:, length - 1 :]
    taken = np.take_along_axis(logits, written[:, length:, None].astype(int), axis=-1)[..., 0]
    return bool((taken >= logits.max(axis=-1) - TIE).all())


def decoder_properties(inputs: Inputs, cases: Cases) -> str | None:
    return _properties(inputs, cases, unpadded(inputs), follow) or changed_in_place(
        cases["generate"], {"tokens": inputs["beginnings"]}
    )


def blanks_run(inputs: Inputs, cases: Cases) -> str | None:
    for name, case, due in (
        ("mask_tokens", cases["masked"], inputs["tokens"].shape),
        ("masked_loss", cases["loss"], ()),
    ):
        if case.error is not None:
            return f"{name}: {case.error}"
        if case["output"].shape != due:
            return f"{name} gives the shape {case['output'].shape}; {due} is due."
    return None


def blanks_values(inputs: Inputs, cases: Cases) -> str | None:
    arguments = blank_arguments(inputs).values()
    given, right = cases["masked"]["output"], blanks(*arguments, BLANK)
    if np.array_equal(given, right):
        return None
    limit = inputs["draw"] == np.float32(0.9)
    if np.array_equal(given[~limit], right[~limit]):  # loops over .tolist() read 0.8999999762
        precise = blanks(*double_draws(inputs).values(), BLANK)
        if cases["double"].error is None and np.array_equal(cases["double"]["output"], precise):
            return None
    if not np.array_equal(given, cases["again"]["output"]):
        return "Two calls with the same arguments give other tokens: draws and random tokens are given, draw none anew."
    return name_mistake(given, KNOWN_BLANKS, *arguments, BLANK, PAD) or _first_blank(given, right, inputs)


def _first_blank(given: np.ndarray, right: np.ndarray, inputs: Inputs) -> str:
    row, place = np.argwhere(given != right)[0].tolist()
    asked, draw = inputs["asked"][row, place], float(inputs["draw"][row, place])
    due = "BLANK" if draw < 0.8 else "its random token" if draw < 0.9 else "the token itself"
    return (
        f"Place {place} of sentence {row} is {'' if asked else 'not '}asked, its draw {draw:.3g}: "
        f"{right[row, place]} is due, {due if asked else 'the token itself'}, and you give {given[row, place]:g}."
    )


def loss_values(inputs: Inputs, cases: Cases) -> str | None:
    calls = loss_cases(inputs)
    for name in calls:
        if cases[name].error is not None:
            return f"masked_loss: {cases[name].error}"
    single, zero = calls.pop("single"), calls.pop("zero")  # where a sentence has no asked place, its mean is none
    given = np.array([cases[name]["output"] for name in calls])
    if np.isnan(given).all():
        return "The loss is NaN, like a mean of nothing: take the asked places; `tokens` are right and hold no BLANK."
    wrong = [(said, partial(losses, f)) for said, f in KNOWN_LOSSES]
    chosen = partial(name_variation, given, lambda **how: losses(partial(chosen_loss, **how), calls), LOSS_AXES)
    if hint := _named(given, losses(masked_loss, calls), wrong, chosen, calls):
        return hint
    return differs(
        cases["single"], {"output": masked_loss(**single)}, "Where one single place is asked, the loss is its"
    ) or differs(
        cases["zero"],
        {"output": masked_loss(**zero)},
        "Right, but not where an asked token has the id 0 (ignore_index?); every asked place counts",
    )


def losses(function: Callable[..., np.ndarray], calls: dict[str, Inputs]) -> np.ndarray:
    return np.array([function(*arguments.values()) for arguments in calls.values()])


def blanks_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = loss_cases(inputs)["loss"]
    if hint := changed_in_place(cases["masked"], blank_arguments(inputs)) or changed_in_place(cases["loss"], arguments):
        return hint
    if cases["masked"]["output"].dtype != np.int64:
        return f"mask_tokens gives {cases['masked']['output'].dtype}; token ids are int64, as `tokens` is."
    none = cases["none"]
    if none.error is None and not np.isfinite(none["output"]).all():
        return "If no place is asked the loss is NaN: the mean of nothing. It must be 0."
    return differs(none, {"output": np.zeros(())}, "If no place is asked the loss must be 0") or wrong_gradients(
        cases["gradient"], {"logits": masked_loss_gradient(**arguments)}
    )


def model_of(inputs: Inputs, n_layers: int = LAYERS) -> Model:
    return Model(weights_of(inputs, n_layers), sizes_of(inputs)[1], n_layers)


def _runs(inputs: Inputs, case: Case, tokens: np.ndarray) -> str | None:
    if case.error is not None:
        return _why_not(case.error, tokens, model_of(inputs))
    due, width = (*tokens.shape, len(model_of(inputs)["embedding.weight"])), sizes_of(inputs)[0]
    given = case["output"].shape
    if given == (*tokens.shape, width):
        return "forward returns vectors of d_model numbers; compare them with the embeddings, @ embedding.weight.T."
    return None if given == due else f"forward gives the shape {given}; {due} is due."


def _why_not(error: str, tokens: np.ndarray, m: Model) -> str:
    """An error of shapes, with the mistake that it comes of."""
    rows, length = tokens.shape
    if "cannot be multiplied" in error and f"and {len(m['embedding.weight'])}x{m.d_model}" in error:
        return (
            "The table of embeddings is (V, D), and (D, V) is due behind the vectors: `@ self.embedding.weight.T`. "
            f"({error})"
        )
    if sizes(error) in ((rows, length), (length, rows)) and error.endswith("dimension 2"):
        return (
            f"A mask (B, S) does not fit scores (B, H, S, S); one of (B, 1, 1, S) does, as padding_mask's is. ({error})"
        )
    if sizes(error) == (m.d_model, length) or f"Target sizes: [{m.d_model}, " in error:
        return f"The length comes first in a table of positions: sinusoidal_table(length, d_model). ({error})"
    if sizes(error) in ((rows, length), (length, rows)):
        return f"There are {rows} sentences of {length} tokens: the length is tokens.shape[1]. ({error})"
    return error


def _named(
    output: np.ndarray, right: np.ndarray, wrong: list[Wrong], chosen: Callable[[], str | None], *arguments
) -> str | None:
    if close(output, right):
        return None
    if not np.isfinite(output).all():
        return "The output holds NaN or infinite numbers."
    return name_mistake(output, wrong, *arguments) or chosen() or f"{DIFFER}: {difference('output', output, right)}."


def _properties(
    inputs: Inputs, cases: Cases, tokens: np.ndarray, reference: Callable[[Model, np.ndarray], np.ndarray]
) -> str | None:
    if hint := changed_in_place(cases["forward"], {"tokens": tokens}):
        return hint
    if cases["forward"]["output"].dtype != np.float32:
        return f"The logits are {cases['forward']['output'].dtype}, and the weights float32: keep their dtype."
    right = {"output": reference(model_of(inputs, LAYERS - 1), tokens)}
    if hint := differs(cases["smaller"], right, f"Right for {LAYERS} layers, not for {LAYERS - 1}"):
        return hint
    long = long_text(tokens)
    right = {"output": reference(model_of(inputs), long)}
    if hint := differs(cases["long"], right, f"Right for {tokens.shape[1]} tokens, not for {long.shape[1]}"):
        return hint
    case, (d_model, n_heads, d_ff) = cases["gradient"], sizes_of(inputs)
    if case.error is not None:
        return f"No gradient flows, so nothing could be trained: {case.error}"
    shapes, flat = model_shapes(d_model, d_ff, LAYERS), inputs["weights"].astype(np.float64)
    for name, gradient in by_name(case["gradient"], shapes).items():
        if not gradient.any() and not name.endswith("key.bias"):  # a shift of all scores changes no softmax
            return f"The weights {name} get no gradient, though the result is right: is a part of it detached?"
    towards = np.random.default_rng(1).normal(size=flat.shape)
    by_name(towards, shapes)["embedding.weight"][PAD] = 0  # `padding_idx` may hold that row back
    ahead, back = (
        reference(Model(by_name(flat + sign * STEP * towards, shapes), n_heads, LAYERS), tokens) for sign in (1, -1)
    )
    expected = ((ahead - back) * inputs["cotangent"]).sum() / (2 * STEP)
    # A unit of a feed-forward network that stands at the bend of its ReLU may fire in float32 alone: 0.2 % of the sum.
    if not close(np.array((case["gradient"] * towards).sum()), np.array(expected), 1e-2):
        return (
            "The gradients are wrong, though the result is right (is the embedding detached in one of its two places?)."
        )
    return None


STEPS = {
    "q1": (
        Step("is made, runs, and the shape is right", 0, encoder_runs),
        Step("the values are right", 2, encoder_values),
        Step("it holds for another number of layers, and every weight gets its gradient", 1, encoder_properties),
    ),
    "q2": (
        Step("is made, runs, and the shape is right", 0, decoder_runs),
        Step("the values are right", 2, decoder_values),
        Step("it goes on writing", 1, decoder_generates),
        Step("it holds for another number of layers, and every weight gets its gradient", 1, decoder_properties),
    ),
    "q3": (
        Step("both run, and the shapes are right", 0, blanks_run),
        Step("the blanks are right", 1, blanks_values),
        Step("the loss is right", 1, loss_values),
        Step("it holds where nothing is asked, and leaves its input alone", 1, blanks_properties),
    ),
}
