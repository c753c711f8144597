"""Lesson 7: what the learner's feed-forward network and their reading of it as a memory must give, step by step."""

from functools import partial

import numpy as np

from lessons_lib.grading.arrays import read_text
from lessons_lib.grading.judge.compare import close, difference, name_mistake
from lessons_lib.grading.judge.properties import another, changed_in_place, differs, other_dtype, wrong_gradients
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_07.drive import OTHER_WIDTHS, memory_cases, network_cases, weights
from lessons_lib.grading.lesson_07.mistakes import (
    ADDED_AXES,
    GATE_AXES,
    GELU_AXES,
    NEURON_AXES,
    RELU_AXES,
    SUM_AXES,
    WRONG_GATES,
    chosen_added,
    chosen_gate,
    chosen_network,
    chosen_neurons,
    chosen_sum,
    gelu,
    relu,
    sigmoid,
    silu,
)

Inputs = dict[str, np.ndarray]
PLAIN = ["expand.weight", "expand.bias", "contract.weight", "contract.bias"]
GATED = [*PLAIN, "gate.weight", "gate.bias"]


# --- q1 --------------------------------------------------------------------------------------------------------------


def relu_runs(inputs: Inputs, cases: Cases) -> str | None:
    if hint := _structure(inputs, cases["built"], PLAIN, int(inputs["d_ff"])):
        return hint
    words = network_cases(inputs)["words"]
    if cases["words"].error is None and cases["words"]["output"].shape != words.shape:
        shape = cases["words"]["output"].shape
        return f"For x {words.shape} the output has the shape {shape}; each word comes out as wide as it went in."
    if cases["words"].error and cases["batch"].error is None:
        return "It needs a batch: it runs for (B, T, d_model), not for (T, d_model); nn.Linear takes any axes in front."
    return cases["words"].error


def relu_values(inputs: Inputs, cases: Cases) -> str | None:
    x, output = network_cases(inputs)["words"], cases["words"]["output"]
    right = _plain(relu, inputs, x)
    if close(output, right):
        return None
    if cases["again"].error is None and another(cases["again"]["output"], output):
        return "Two calls with the same words give different results: is there dropout inside? Leave it to the layer."
    matrices = _matrices(inputs, PLAIN, int(inputs["d_ff"]))
    hint = name_variation(output, chosen_network, RELU_AXES, _double(x), *matrices)
    return hint or f"The values differ: {difference('output', output, right)}."


def relu_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = network_cases(inputs)

    def wrong(name: str, sentence: str, case: str | None = None) -> str | None:
        return differs(cases[case or name], {"output": _plain(relu, inputs, arguments[name])}, sentence)

    return (
        changed_in_place(cases["words"], {"x": arguments["words"]})
        or wrong("batch", "Right for (T, d_model), but not for (B, T, d_model); each word stands alone")
        or wrong("one", "Right for (T, d_model), but not for a single word (d_model,)")
        or wrong("large", "Right for small numbers, but not for large ones; ReLU has no upper end")
        or other_dtype(cases["words"], ("output",), np.float32)
        or wrong("double", "Right in float32, but not after .double()")
        or other_dtype(cases["double"], ("output",), np.float64)
        or wrong_gradients(cases["gradient"], _gradients("relu", inputs, int(inputs["d_ff"])))
        or wrong("words", "Right on the CPU, but not on this machine's accelerator", "device")
    )


# --- q2 --------------------------------------------------------------------------------------------------------------


def gated_runs(inputs: Inputs, cases: Cases) -> str | None:
    for activation, names in (("relu", PLAIN), ("gelu", PLAIN), ("swiglu", GATED)):
        width = None if activation == "swiglu" else int(inputs["d_ff"])
        built = cases[f"built_{activation}"]
        hint = built.error or _structure(inputs, built, names, width) or _fails(inputs, cases, activation)
        if hint:
            return f"For activation={activation!r}: {hint}"
    x = network_cases(inputs)["words"]
    if differs(cases["words_relu"], {"output": _plain(relu, inputs, x)}, ""):
        return 'With ReLU the numbers are wrong already: first get check("q1") right.'
    return None


def _fails(inputs: Inputs, cases: Cases, activation: str) -> str | None:
    """Why the network with this activation does not run."""
    error, (words, d_model) = cases[f"words_{activation}"].error, network_cases(inputs)["words"].shape
    hidden = int(cases[f"built_{activation}"]["expand_weight"][0])
    if error and activation == "swiglu" and f"({words}x{hidden} and {d_model}x{hidden})" in error:
        return f"expand and gate both read x, and here one of them reads what the other has made. ({error})"
    return error


def gelu_values(inputs: Inputs, cases: Cases) -> str | None:
    x, output = network_cases(inputs)["words"], cases["words_gelu"]["output"]
    right = _plain(gelu, inputs, x)
    if close(output, right):
        batch = {"output": _plain(gelu, inputs, network_cases(inputs)["batch"])}
        return differs(
            cases["batch_gelu"], batch, "With GELU it is right for (T, d_model), but not for (B, T, d_model)"
        )
    matrices = _matrices(inputs, PLAIN, int(inputs["d_ff"]))
    gap = difference("output", output, right) if output.shape == right.shape else f"its shape is {output.shape}"
    return (
        name_variation(output, partial(chosen_network, activation=gelu), GELU_AXES, _double(x), *matrices)
        or f"With GELU the values differ: {gap}."
    )


def gate_values(inputs: Inputs, cases: Cases) -> str | None:
    x, output = network_cases(inputs)["words"], cases["words_swiglu"]["output"]
    width = int(cases["built_swiglu"]["expand_weight"][0])
    right = _gated(inputs, x, width)
    if not close(output, right):
        h, g, v, c = _sides(inputs, x, width)
        gap = difference("output", output, right) if output.shape == right.shape else f"its shape is {output.shape}"
        hint = name_mistake(output, WRONG_GATES, h, g, v, c)
        hint = hint or name_variation(output, chosen_gate, GATE_AXES, _double(x), h, g, v, c)
        return hint or f"With the gate the values differ: {gap}."
    batch = network_cases(inputs)["batch"]
    sentence = "The gated network is right for (T, d_model), but not for (B, T, d_model)"
    hint = wrong_gradients(cases["gradient_swiglu"], _gradients("swiglu", inputs, width))
    hint = hint and f"For activation='swiglu': {hint}"
    return hint or differs(cases["batch_swiglu"], {"output": _gated(inputs, batch, width)}, sentence)


def equal_size(inputs: Inputs, cases: Cases) -> str | None:
    d_ff, width = int(inputs["d_ff"]), int(cases["built_swiglu"]["expand_weight"][0])
    due, asked = 2 * d_ff // 3, (d_ff, *OTHER_WIDTHS)
    if width == due:
        if cases["others"]["width"].tolist() == [2 * (other // 3) for other in OTHER_WIDTHS]:
            return (
                "It is as if d_ff were divided first, 2 * (d_ff // 3), so that the width is always even: "
                "2 * d_ff // 3 is due."
            )
        for other, given in zip(OTHER_WIDTHS, cases["others"]["width"].tolist(), strict=True):
            if given != 2 * other // 3:
                return f"Right for d_ff={d_ff}, but d_ff={other} needs {2 * other // 3} hidden neurons, not {given}."
        return None
    made = [width, *cases["others"]["width"].tolist()]
    if made in ([round(2 * size / 3) for size in asked], [-(-2 * size // 3) for size in asked]):
        return (
            f"Two thirds of d_ff are to be rounded down (`2 * d_ff // 3`): {2 * d_ff / 3:.2f} gives {due}, not {width}."
        )
    sizes = f"d_ff={d_ff} needs {due} hidden neurons with a gate, and there are {width}"
    if width == d_ff:
        return f"An unfair win: three matrices of the old width are 50 % more parameters; {sizes}."
    if width == d_ff // 2:
        return f"Half the width is too little: three matrices share what two had, so take two thirds; {sizes}."
    if width > d_ff:
        return f"A gate is one matrix more, so the network must get narrower, not wider; {sizes}."
    return f"The gated network must have as many numbers in its three matrices as the plain one in two; {sizes}."


# --- q3 --------------------------------------------------------------------------------------------------------------


def memory_runs(inputs: Inputs, cases: Cases) -> str | None:
    plain = cases["plain"]
    d_model, d_ff = inputs["contract_weight"].shape
    if plain.error is not None:
        if "out of" in plain.error or "must match" in plain.error:
            return f"The value of neuron i is column i of contract_weight {(d_model, d_ff)}, not a row. ({plain.error})"
        return plain.error
    fired, added, output = (plain[name] for name in ("fired", "added", "output"))
    if fired.dtype.kind == "b":
        return "`fired` is a mask of True and False; give the numbers of the neurons (torch.nonzero, or argsort)."
    if fired.dtype.kind != "i" or fired.ndim != 1:
        return f"`fired` is {fired.dtype} of shape {fired.shape}; give neuron numbers, integers of shape (n,)."
    if fired.size and not (fired.min() >= 0 and fired.max() < d_ff):
        return f"`fired` names neuron {fired.max()}, but there are {d_ff}: 0 to {d_ff - 1}."
    if added.shape == (d_model, len(fired)) != (len(fired), d_model):
        return f"`added` has a column for each neuron; give a row for each, {(len(fired), d_model)}."
    if added.shape != (len(fired), d_model):
        return f"`added` has the shape {added.shape}; {(len(fired), d_model)} is due, a row for each neuron that fires."
    if output.shape == (len(fired),) != (d_model,):
        return "`output` has a number for each neuron: sum `added` over the neurons, dim=0; a word is due, (d_model,)."
    if output.shape != (d_model,):
        return f"`output` has the shape {output.shape}; {(d_model,)} is due."
    return None


def memory_fires(inputs: Inputs, cases: Cases) -> str | None:
    arguments = memory_cases(inputs)
    for name in ("plain", "opposite"):
        fired, right = cases[name]["fired"], _memory(**arguments[name])[0]
        if not np.array_equal(fired, right):
            hint = _named_neurons(inputs, cases, name)
            if hint is None and 0 < len(fired) < len(right) and np.array_equal(fired, right[: len(fired)]):
                rest = _list(right[len(fired) :])
                return f"The weakest of those that fire are missing, {rest}: each whose sum is above 0 fires."
            if hint is None and sorted(fired.tolist()) == sorted(right.tolist()):
                hint = "The right neurons, in another order: sort them by their sums (token · key + bias)"
                return f"{hint}, {_list(right)}; `fired` is {_list(fired)}."
            return hint or f"The neurons {_list(right)} fire, in this order; `fired` is {_list(fired)}."
    return None


def _named_neurons(inputs: Inputs, cases: Cases, name: str) -> str | None:
    """The mistake that gives what fires for a token, and for its opposite too if that ran."""
    arguments = memory_cases(inputs)
    names = [name, *(other for other in ("plain", "opposite") if other != name and cases[other].error is None)]
    sums = [_sums(**arguments[each]) for each in names]

    def both(**choices) -> np.ndarray:
        bias = inputs["expand_bias"]
        return np.concatenate([chosen_neurons(each, each - bias, **choices) for each in sums])

    return name_variation(np.concatenate([cases[each]["fired"] for each in names]), both, NEURON_AXES)


def memory_adds(inputs: Inputs, cases: Cases) -> str | None:
    arguments = memory_cases(inputs)["plain"]
    right_fired, right_added, right_output = _memory(**arguments)
    added, output = cases["plain"]["added"], cases["plain"]["output"]
    if not close(added, right_added):
        activations = _sums(**arguments)[right_fired]
        values = _double(arguments["contract_weight"]).T[right_fired]
        without, keys = (activations - arguments["expand_bias"][right_fired]), arguments["expand_weight"][right_fired]
        given = (activations, values, _double(arguments["contract_bias"]), without, _double(keys))
        hint = name_variation(added, chosen_added, ADDED_AXES, *given)
        if hint is None and close(np.sort(added, axis=0), np.sort(right_added, axis=0)):
            return "The rows of `added` are right, but in another order than `fired`: the strongest first, in both."
        return hint or f"What a neuron adds differs: {difference('added', added, right_added)}."
    if not close(output, right_output):
        every = _double(arguments["contract_weight"]) @ _sums(**arguments)
        if close(output, every) or close(output, every + arguments["contract_bias"]):
            return "The output holds what the silent neurons would add, too (no ReLU); put it together from `added`."
        hint = name_variation(output, chosen_sum, SUM_AXES, right_added, _double(arguments["contract_bias"]))
        return hint or f"`added` is right, but the output is not: {difference('output', output, right_output)}."
    return None


def memory_properties(inputs: Inputs, cases: Cases) -> str | None:
    arguments = memory_cases(inputs)

    def wrong(name: str, sentence: str) -> str | None:
        return differs(
            cases[name], dict(zip(("fired", "added", "output"), _memory(**arguments[name]), strict=True)), sentence
        )

    return (
        changed_in_place(cases["plain"], arguments["plain"])
        or other_dtype(cases["plain"], ("added", "output"), np.float32)
        or wrong("opposite", "Right for one token, but not for its opposite")
        or wrong(
            "silent", "Where no neuron fires (0 is not above 0) nothing is added, and the output is the bias alone"
        )
        or wrong("single", "Right for several neurons that fire, but not for a single one (squeeze?)")
        or wrong("many", "Right where a few neurons fire, but not where 40 do (is their number in the code?)")
        or wrong("double", "Right in float32, but not in float64")
        or changed_in_place(cases["single"], arguments["single"])
    )


# --- the reference ---------------------------------------------------------------------------------------------------


def _double(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def _matrices(inputs: Inputs, names: list[str], width: int) -> list[np.ndarray]:
    return [_double(array) for array in weights(inputs, names, width).values()]


def _plain(activation, inputs: Inputs, x: np.ndarray) -> np.ndarray:
    w, b, v, c = _matrices(inputs, PLAIN, int(inputs["d_ff"]))
    return activation(_double(x) @ w.T + b) @ v.T + c


def _sides(inputs: Inputs, x: np.ndarray, width: int) -> tuple[np.ndarray, ...]:
    w, b, v, c, gate, gate_bias = _matrices(inputs, GATED, width)
    return _double(x) @ w.T + b, _double(x) @ gate.T + gate_bias, v, c


def _gated(inputs: Inputs, x: np.ndarray, width: int) -> np.ndarray:
    h, g, v, c = _sides(inputs, x, width)
    return silu(h) * g @ v.T + c


def _gradients(activation: str, inputs: Inputs, width: int) -> Inputs:
    """Of sum(output · cotangent) by the words and by every weight."""
    x, up = _double(network_cases(inputs)["words"]), _double(inputs["cotangent"])
    by_hidden = up @ _double(inputs["contract_weight"][:, :width])
    h, g, *_ = _sides(inputs, x, width)
    if activation == "relu":
        hidden, by_h, by_g = relu(h), by_hidden * (h > 0), None
    else:
        slope = sigmoid(h) * (1.0 + h * (1.0 - sigmoid(h)))
        hidden, by_h, by_g = silu(h) * g, by_hidden * g * slope, by_hidden * silu(h)
    by_x = by_h @ _double(inputs["expand_weight"][:width])
    found = {"expand_weight": by_h.T @ x, "expand_bias": by_h.sum(0)}
    if by_g is not None:
        by_x = by_x + by_g @ _double(inputs["gate_weight"][:width])
        found |= {"gate_weight": by_g.T @ x, "gate_bias": by_g.sum(0)}
    return {"x": by_x, **found, "contract_weight": up.T @ hidden, "contract_bias": up.sum(0)}


def _sums(token, expand_weight, expand_bias, contract_weight, contract_bias) -> np.ndarray:
    return _double(expand_weight) @ _double(token) + _double(expand_bias)


def _memory(token, expand_weight, expand_bias, contract_weight, contract_bias) -> tuple[np.ndarray, ...]:
    sums = _sums(token, expand_weight, expand_bias, contract_weight, contract_bias)
    order = np.argsort(-sums, kind="stable")
    fired = order[sums[order] > 0]
    added = sums[fired, None] * _double(contract_weight).T[fired]
    return fired, added, added.sum(0) + contract_bias


def _list(numbers: np.ndarray) -> str:
    return ", ".join(str(int(number)) for number in numbers) or "none"


# --- names and shapes ------------------------------------------------------------------------------------------------


def _structure(inputs: Inputs, built: Case, names: list[str], width: int | None) -> str | None:
    """What is wrong with the names or the shapes of a network's weights; `width` None: any."""
    found = read_text(built["names"]).split()
    if hint := _wrong_names(found, names):
        return hint
    d_model, d_ff = int(inputs["d_model"]), int(inputs["d_ff"])
    shapes = {name: tuple(int(size) for size in built[name.replace(".", "_")]) for name in names}
    hidden = width or shapes["expand.weight"][0]
    due = {"expand": (hidden, d_model), "gate": (hidden, d_model), "contract": (d_model, hidden)}
    for name in dict.fromkeys(name.partition(".")[0] for name in names):
        given = shapes[f"{name}.weight"]
        if given == due[name]:
            continue
        if given == due[name][::-1] or (name != "contract" and given == (d_model, d_ff)):
            return (
                f"d_model and d_ff are exchanged in {name}: nn.Linear(in, out) keeps its weight as (out, in), so "
                f"{name}.weight should be {due[name]}, and is {given}."
            )
        if hidden == d_ff and given[:: -1 if name == "contract" else 1][0] == 4 * d_model:
            return f"The hidden layer of {name} is 4 · d_model wide; take the d_ff that is given ({d_ff})."
        return f"{name}.weight has the shape {given}; {due[name]} is due."
    return None


def _wrong_names(found: list[str], names: list[str]) -> str | None:
    if sorted(found) == sorted(names):
        return None
    if not found:
        return "The network has no weights: keep nn.Linear layers as self.expand and self.contract, in __init__."
    if missing := [name for name in names if name not in found]:
        if all(name.endswith(".bias") for name in missing):
            return f"{' and '.join(missing)} missing: leave the biases on (nn.Linear has one unless told otherwise)."
        if missing == ["gate.weight", "gate.bias"]:
            return "there is no gate: a gated network has a third nn.Linear, self.gate."
        return (
            f"{missing[0]} is missing; the network holds {', '.join(found[:6])}. The names are fixed: see the question."
        )
    extra = [name for name in found if name not in names]
    if extra == ["gate.bias", "gate.weight"]:
        return "it has a gate that nobody asked for: make self.gate for 'swiglu' only."
    return f"{extra[0]} is one too many; the network is {', '.join(sorted({n.partition('.')[0] for n in names}))}."


STEPS = {
    "q1": (
        Step("builds and runs, names and shapes are right", 0, relu_runs),
        Step("the values are right", 2, relu_values),
        Step("it holds for batches, one word, large numbers, other dtypes and gradients", 1, relu_properties),
    ),
    "q2": (
        Step("builds and runs with each activation", 0, gated_runs),
        Step("GELU is right", 1, gelu_values),
        Step("the gated values are right", 2, gate_values),
        Step("with a gate there are as many parameters as without", 1, equal_size),
    ),
    "q3": (
        Step("runs, and the shapes are right", 0, memory_runs),
        Step("the neurons that fire, the strongest first", 1, memory_fires),
        Step("what each adds, and their sum", 1, memory_adds),
        Step("it holds where nothing fires, and in float64", 1, memory_properties),
    ),
}
