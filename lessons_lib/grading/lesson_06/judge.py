"""Lesson 6: what the learner's norms and their residual path must give, step by step."""

from collections.abc import Callable, Iterable

import numpy as np

from lessons_lib.grading.drive.advice import sizes
from lessons_lib.grading.judge.compare import Wrong, close, difference, name_mistake
from lessons_lib.grading.judge.properties import (
    KEPT,
    changed_in_place,
    differs,
    other_dtype,
    random_or_rounded,
    wrong_gradients,
)
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import Axes, name_variation
from lessons_lib.grading.lesson_06.drive import OTHER_EPS, PLACES, norm_cases
from lessons_lib.grading.lesson_06.mistakes import (
    FORMULAS,
    KNOWN_EPS,
    KNOWN_LAYER,
    KNOWN_POST,
    KNOWN_PRE,
    KNOWN_RMS,
    KNOWN_RMS_EPS,
    LAYER_AXES,
    RMS_AXES,
    chosen_layer,
    chosen_rms,
)
from lessons_lib.grading.lesson_06.reference import (
    layer_norm,
    layer_norm_gradients,
    post,
    pre,
    residual_gradients,
    rms_norm,
    rms_norm_gradients,
)

Inputs = dict[str, np.ndarray]
RETURNS = ("output",)


def runs(inputs: Inputs, cases: Cases) -> str | None:
    words = cases["words"]
    if words.error is not None:
        if cases["batch"].error is None:
            return "It needs a batch: it runs for (B, T, d_model), but not for (T, d_model); count axes from the end."
        if sizes(words.error) == inputs["x"].shape[:0:-1]:
            return (
                "A mean of (T, d_model) is (T,), and does not fit beside x: with keepdim=True it is (T, 1). "
                f"({words.error})"
            )
        return words.error
    given, due = words["output"].shape, inputs["x"][0].shape
    return None if given == due else f"The output has the shape {given}; {due} is due, that of x."


def fresh(inputs: Inputs, cases: Cases) -> str | None:
    start = cases["fresh"]
    for name, due in (("gamma", 1.0), ("beta", 0.0)):
        if name in start.arrays and not close(start[name], np.full(inputs["x"].shape[-1], due)):
            given = start[name].flat[0]
            return f"A new norm must change nothing: {name} starts as {due:g}, and yours starts as {given:.3g}."
    return None


def layer_values(inputs: Inputs, cases: Cases) -> str | None:
    return _values(inputs, cases, "words", layer_norm, ("gamma", "beta"), KNOWN_LAYER, (chosen_layer, LAYER_AXES))


def layer_eps(inputs: Inputs, cases: Cases) -> str | None:
    given = cases["constant"]
    if given.error is None and not np.isfinite(given["output"]).all():
        return "Where all numbers of a word are equal it gives NaN, 0 divided by 0: √(variance + ε), with ε inside."
    arguments = inputs["gamma"], inputs["beta"]
    return (
        _values(inputs, cases, "faint", layer_norm, ("gamma", "beta"), KNOWN_EPS)
        or _differs(
            cases, "constant", layer_norm(norm_cases(inputs)["constant"], *arguments), "Where all numbers are equal"
        )
        or _eps(
            cases, layer_norm(inputs["x"][0], *arguments, OTHER_EPS), layer_norm(inputs["x"][0], *arguments), "1e-5"
        )
    )


def layer_properties(inputs: Inputs, cases: Cases) -> str | None:
    x, arguments = norm_cases(inputs), (inputs["gamma"], inputs["beta"])
    far = cases["far"]
    if far.error is None and not close(far["output"], layer_norm(x["far"], *arguments), 0.02):
        return (
            "Right near 0, but not for x + 3000: the mean of x² minus the squared mean loses all its digits; "
            "take the mean away first, then square."
        )
    return _properties(
        inputs, cases, lambda x: layer_norm(x, *arguments), lambda x, axis: chosen_layer(x, *arguments, axis=axis)
    ) or wrong_gradients(cases["gradient"], layer_norm_gradients(inputs["cotangent"], x["words"], *arguments))


def rms_values(inputs: Inputs, cases: Cases) -> str | None:
    return _values(inputs, cases, "words", rms_norm, ("gamma",), KNOWN_RMS, (chosen_rms, RMS_AXES))


def rms_half(inputs: Inputs, cases: Cases) -> str | None:
    x, gamma, half = norm_cases(inputs), inputs["gamma"], cases["half"]
    if half.error is not None:
        return f"Right in float32, but not for a float16 x: {half.error}"
    if (half["output"] == 0).all(axis=-1).any() or not np.isfinite(half["output"]).all():
        return "In float16 the squares overflow (300² is more than 65,504): square in float32, x.float(), then go back."
    if (dtype := half["output"].dtype) != np.float16:
        return f"A float16 x gives {dtype} back: end with .to(x.dtype), or the next layer gets another dtype."
    right = rms_norm(x["half"].astype(np.float64), gamma)
    coarse = ", too coarse (in bfloat16?)" if close(half["output"], right, 0.02) else ""
    return _differs(cases, "half", right, f"Right in float32, but not in float16{coarse}", 2e-3)


def rms_properties(inputs: Inputs, cases: Cases) -> str | None:
    x, gamma, zero = norm_cases(inputs), inputs["gamma"], cases["zero"]
    if zero.error is None and not np.isfinite(zero["output"]).all():
        return "A word of zeros gives NaN, 0 divided by 0: √(mean of x² + ε), with ε inside."
    rounded, again = rms_norm(x["words"], gamma.astype(np.float16).astype(np.float64)), cases["again"]
    if (
        again.error is None
        and close(again["output"], rounded, 1e-5)
        and not close(rounded, rms_norm(x["words"], gamma))
    ):
        return "gamma itself is rounded where x is float16, and stays so: forward must leave self.gamma as it is."
    return (
        _values(inputs, cases, "faint", rms_norm, ("gamma",), KNOWN_RMS_EPS)
        or _eps(cases, rms_norm(x["words"], gamma, OTHER_EPS), rms_norm(x["words"], gamma), "1e-6")
        or _differs(
            cases,
            "faint_half",
            rms_norm(x["faint_half"].astype(np.float64), gamma),
            "Right for large numbers in float16, but not for small ones",
            2e-3,
        )
        or _properties(inputs, cases, lambda x: rms_norm(x, gamma), lambda x, axis: chosen_rms(x, gamma, axis=axis))
        or wrong_gradients(cases["gradient"], rms_norm_gradients(inputs["cotangent"], x["words"], gamma))
    )


def residual_runs(inputs: Inputs, cases: Cases) -> str | None:
    for place in PLACES:
        norm = cases[f"{place}_norm"]
        if norm.error is not None or not close(norm["output"], _norm(inputs)(inputs["x"])):
            return 'Its `norm` does not give LayerNorm(x) yet: get check("q1") right, and make it LayerNorm(d_model).'
        given, due = cases[place]["output"].shape, inputs["x"].shape
        if given != due:
            return f"With place={place!r} the output has the shape {given}; {due} is due, that of x."
    return None


def residual_pre(inputs: Inputs, cases: Cases) -> str | None:
    return _residual(inputs, cases, "pre", pre, KNOWN_PRE)


def residual_post(inputs: Inputs, cases: Cases) -> str | None:
    return _residual(inputs, cases, "post", post, KNOWN_POST)


def residual_properties(inputs: Inputs, cases: Cases) -> str | None:
    if cases["shared"]["count"]:
        return "Two residual paths share one norm: each needs γ and β of its own, made in its __init__."
    for place in PLACES:
        arguments = {"x": inputs["x"]}
        count = int(cases[f"{place}_calls"]["count"])
        if count != 1:
            return f"With place={place!r} the sub-layer is called {count} times; call it once, and keep the result."
        right = residual_gradients(
            place, inputs["cotangent"], inputs["x"][0], inputs["weight"], inputs["gamma"], inputs["beta"]
        )
        due = {"pre": pre, "post": post}[place](inputs["x"], _norm(inputs), lambda h: -_sublayer(inputs)(h))
        hint = _differs(cases, f"{place}_other", due, KEPT)
        hint = hint or other_dtype(cases[place], RETURNS, np.float32)
        hint = hint or changed_in_place(cases[place], arguments) or wrong_gradients(cases[f"{place}_gradient"], right)
        if hint:
            return f"With place={place!r}: {hint}"
    if not close(cases["default"]["output"], pre(inputs["x"], _norm(inputs), _sublayer(inputs))):
        return 'Without a place it must be pre-norm: `__init__(self, d_model, place="pre")`.'
    return None


def _values(
    inputs: Inputs,
    cases: Cases,
    case: str,
    right: Callable,
    names: Iterable[str],
    wrong: Iterable[Wrong],
    chosen: tuple[Callable, Axes] | None = None,
) -> str | None:
    x, given = norm_cases(inputs)[case].astype(np.float64), cases[case]["output"]
    arguments = [inputs[name] for name in names]
    expected = right(x, *arguments)
    if close(given, expected):
        if case == "faint":
            return None
        return fresh(inputs, cases) or _differs(cases, "other", right(norm_cases(inputs)["other"], *arguments), KEPT)
    if not np.isfinite(given).all():
        return "The output holds NaN or infinite numbers."
    gap = difference("output", given, expected)
    where = "" if case == "words" else " for a word whose numbers hardly differ (is ε where it belongs?)"
    hint = name_mistake(given, wrong, x, *arguments) or changed_in_place(cases[case], {"x": norm_cases(inputs)[case]})
    hint = hint or random_or_rounded(cases[case], cases[case], "output", expected)
    hint = hint or (chosen and name_variation(given, *chosen, x, *arguments))
    return hint or f"The values differ{where}: {gap}."


def _eps(cases: Cases, right: np.ndarray, with_default: np.ndarray, default: str) -> str | None:
    given = cases["eps"]
    if given.error is None and close(given["output"], right, 1e-4):
        return None
    if given.error is None and close(given["output"], with_default, 1e-3):
        return f"eps={OTHER_EPS} gives what eps={default} gives: keep it in __init__ (self.eps = eps), and add it."
    return _differs(cases, "eps", right, f"Right with the default ε, but not with eps={OTHER_EPS}")


def _of_several_words(
    case: Case, x: np.ndarray, over: Callable[[np.ndarray, int | tuple[int, ...]], np.ndarray]
) -> str | None:
    """Which axes of a batch x (B, T, D) a norm runs over that is right for (T, D); `over` is the norm over them."""
    for axes in (1, (1, 2), (0, 2), (0, 1, 2), 0):
        if case.error is None and close(case["output"], over(x, axes), 1e-3):
            return (
                f"Right for (T, d_model), but for (B, T, d_model) it runs over axis {axes}, and so over several words; "
                "each word needs its own, dim=-1."
            )
    return None


def _properties(
    inputs: Inputs,
    cases: Cases,
    right: Callable[[np.ndarray], np.ndarray],
    over: Callable[[np.ndarray, int | tuple[int, ...]], np.ndarray],
) -> str | None:
    x = norm_cases(inputs)
    return (
        changed_in_place(cases["words"], {"x": x["words"]})
        or _of_several_words(cases["batch"], x["batch"].astype(np.float64), over)
        or _differs(cases, "one", right(x["one"]), "Right for (T, d_model), but not for one word, (d_model,)")
        or _differs(cases, "batch", right(x["batch"]), "Right for (T, d_model), but not for (B, T, d_model)")
        or _differs(cases, "heads", right(x["heads"]), "Right for a batch, but not with one more axis in front")
        or _differs(cases, "again", right(x["words"]), "The second time, or in training, the result is another")
        or other_dtype(cases["words"], RETURNS, np.float32)
        or _differs(cases, "double", right(x["double"]), "Right in float32, but not in float64")
        or other_dtype(cases["double"], RETURNS, np.float64)
        or _differs(cases, "device", right(x["words"]), "Right on the CPU, but not on this machine's accelerator")
    )


def _differs(cases: Cases, case: str, right: np.ndarray, sentence: str, tolerance: float = 1e-4) -> str | None:
    return differs(cases[case], {"output": right}, sentence, tolerance)


def _norm(inputs: Inputs) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: layer_norm(x, inputs["gamma"], inputs["beta"])


def _sublayer(inputs: Inputs) -> Callable[[np.ndarray], np.ndarray]:
    return lambda h: np.tanh(h @ inputs["weight"].astype(np.float64))


def _residual(inputs: Inputs, cases: Cases, place: str, right: Callable, wrong: list[Wrong]) -> str | None:
    arguments = inputs["x"].astype(np.float64), _norm(inputs), _sublayer(inputs)
    given, expected = cases[place]["output"], right(*arguments)
    if close(given, expected):
        return None
    count, gap = int(cases[f"{place}_calls"]["count"]), difference("output", given, expected)
    if hint := name_mistake(given, wrong, *arguments):
        return hint
    if count != 1:
        return f"With place={place!r} the sub-layer is called {count} times; call it once, and keep the result."
    if formula := name_mistake(given, FORMULAS, *arguments):
        due = {"pre": "x + f(LayerNorm(x))", "post": "LayerNorm(x + f(x))"}[place]
        return f"With place={place!r} it computes {formula}; due is {due}."
    return f"With place={place!r} the values differ: {gap}."


STEPS = {
    "q1": (
        Step("runs, and the shapes are right", 0, runs),
        Step("the values are right", 2, layer_values),
        Step("ε is inside the root", 1, layer_eps),
        Step("it holds for large numbers, batches, float64 and gradients", 1, layer_properties),
    ),
    "q2": (
        Step("runs, and the shapes are right", 0, runs),
        Step("the values are right", 1, rms_values),
        Step("it holds in float16", 1, rms_half),
        Step("it holds for ε, zeros, batches, float64 and gradients", 1, rms_properties),
    ),
    "q3": (
        Step("runs, and the shapes are right", 0, residual_runs),
        Step("pre-norm", 1, residual_pre),
        Step("post-norm", 1, residual_post),
        Step("it holds for gradients, and each path has its own norm", 1, residual_properties),
    ),
}
