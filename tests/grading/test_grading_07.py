"""Lesson 7's checks: named mistakes can be told apart and are all made, and the reference is PyTorch's."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from alike import alike, unnamed
from answers import right_text

from lessons_lib.feedforward import FeedForward
from lessons_lib.grading.arrays import encode
from lessons_lib.grading.drive.run import run
from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.verdict import Verdict, judge
from lessons_lib.grading.lesson_07 import drive, mistakes
from lessons_lib.grading.lesson_07 import judge as judge_07

LESSON = "07_feed_forward"


def network(inputs, activation, width):
    """The library's network with the check's weights in it."""
    module = FeedForward(int(inputs["d_model"]), width, activation)
    given = drive.weights(inputs, list(module.state_dict()), width)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in given.items()})
    return module.double()


@pytest.mark.parametrize("seed", range(30))
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive.make_network(seed)
    x, d_ff = drive.network_cases(inputs)["words"].astype(np.float64), int(inputs["d_ff"])
    matrices = judge_07._matrices(inputs, judge_07.PLAIN, d_ff)
    assert unnamed(mistakes.chosen_network, mistakes.RELU_AXES, x, *matrices) == []
    with_gelu = partial(mistakes.chosen_network, activation=mistakes.gelu)
    assert unnamed(with_gelu, mistakes.GELU_AXES, x, *matrices) == []
    sides = judge_07._sides(inputs, x, 2 * d_ff // 3)
    assert unnamed(mistakes.chosen_gate, mistakes.GATE_AXES, x, *sides) == []
    gates = [judge_07._gated(inputs, x, 2 * d_ff // 3), *(wrong(*sides) for _, wrong in mistakes.WRONG_GATES)]
    assert alike(gates, 1e-2) == []
    exact, near = (mistakes.chosen_network(x, *matrices, activation=f) for f in (mistakes.gelu, mistakes.gelu_tanh))
    assert not close(near, exact)  # the approximation is near, and yet too far


@pytest.mark.parametrize("seed", range(30))
def test_mistakes_of_the_memory_can_be_told_apart(seed):
    inputs = drive.make_memory(seed)
    calls = drive.memory_cases(inputs)
    sums = [judge_07._sums(**calls[name]) for name in ("plain", "opposite")]

    def both(**choices):
        return np.concatenate([mistakes.chosen_neurons(p, p - inputs["expand_bias"], **choices) for p in sums])

    assert unnamed(both, mistakes.NEURON_AXES) == []
    fired, added, _ = judge_07._memory(**calls["plain"])
    bias = inputs["contract_bias"].astype(np.float64)
    keys, values = inputs["expand_weight"][fired], inputs["contract_weight"].T[fired]
    given = sums[0][fired], values, bias, sums[0][fired] - inputs["expand_bias"][fired], keys
    assert unnamed(mistakes.chosen_added, mistakes.ADDED_AXES, *given) == []
    assert unnamed(mistakes.chosen_sum, mistakes.SUM_AXES, added, bias) == []


def test_the_formulas_without_a_wrong_choice_are_the_references():
    inputs = drive.make_network(3)
    x, width = inputs["x"][0].astype(np.float64), 2 * int(inputs["d_ff"]) // 3
    sides, matrices = judge_07._sides(inputs, x, width), judge_07._matrices(inputs, judge_07.PLAIN, int(inputs["d_ff"]))
    np.testing.assert_allclose(mistakes.chosen_gate(x, *sides), judge_07._gated(inputs, x, width))
    np.testing.assert_allclose(mistakes.chosen_network(x, *matrices), judge_07._plain(mistakes.relu, inputs, x))


@pytest.mark.parametrize("seed", range(30))
def test_inputs_have_different_sizes_and_a_width_where_rounding_decides(seed):
    inputs = drive.make_network(seed)
    sizes = {*inputs["x"].shape, int(inputs["d_ff"])}
    assert len(sizes) == 4
    assert 2 * int(inputs["d_ff"]) % 3 == 2  # rounding down and rounding to the nearest differ
    assert {2 * d_ff // 3 % 2 for d_ff in drive.OTHER_WIDTHS} == {0, 1}
    assert inputs["expand_weight"].shape[0] >= 8 * int(inputs["d_ff"])
    memory = drive.memory_cases(drive.make_memory(seed))
    assert memory["plain"]["contract_weight"].shape[0] != memory["plain"]["contract_weight"].shape[1]
    assert len(judge_07._memory(**memory["silent"])[0]) == 0
    assert len(judge_07._memory(**memory["single"])[0]) == 1
    fired = [len(judge_07._memory(**memory[name])[0]) for name in ("plain", "opposite")]
    assert min(fired) >= 2


@pytest.mark.parametrize("activation", ["relu", "gelu", "swiglu"])
def test_the_reference_is_pytorchs(activation):
    inputs = drive.make_network(3)
    width = 2 * int(inputs["d_ff"]) // 3 if activation == "swiglu" else int(inputs["d_ff"])
    module = network(inputs, activation, width)
    x = torch.from_numpy(inputs["x"][0]).double().requires_grad_()
    output = module(x)
    if activation == "swiglu":
        right = judge_07._gated(inputs, inputs["x"][0], width)
    else:
        right = judge_07._plain(getattr(mistakes, activation), inputs, inputs["x"][0])
    np.testing.assert_allclose(right, output.detach(), atol=1e-9)
    if activation == "gelu":
        return
    leaves = {"x": x} | {name.replace(".", "_"): value for name, value in module.named_parameters()}
    weighted = (output * torch.from_numpy(inputs["cotangent"]).double()).sum()
    for name, gradient in zip(leaves, torch.autograd.grad(weighted, list(leaves.values())), strict=True):
        given = judge_07._gradients(activation, inputs, width)[name]
        np.testing.assert_allclose(given, gradient, atol=1e-9)


def test_the_memory_gives_what_the_network_gives():
    inputs = drive.make_memory(5)
    fired, _, output = judge_07._memory(**inputs)
    token, w, b, v, c = (torch.from_numpy(inputs[name]).double() for name in ("token", *drive.MEMORY))
    hidden = torch.relu(w @ token + b)
    np.testing.assert_allclose(output, v @ hidden + c, atol=1e-9)
    assert set(fired) == set(torch.nonzero(hidden).flatten().tolist())


@pytest.mark.parametrize("question", ["q1", "q2", "q3"])
def test_the_judge_answers_to_any_bytes(question):
    namespace = {"__name__": "__main__"}
    exec(right_text("07_feed_forward", "by_hand"), namespace)
    declared, steps = drive.QUESTIONS[question], judge_07.STEPS[question]
    inputs = declared.make(0)
    right = run(declared, namespace, encode(inputs))
    assert judge(steps, inputs, right) == Verdict(len(steps), None)
    assert judge(steps, inputs, {}).hint is not None
    looked_at = [name for name in right if not re.search(r"_after$|^again|^built.*bias$|^batch_relu", name)]
    assert len(looked_at) == {"q1": 3 + 6 + 5, "q2": 3 * 3 + 1 + 5 + 8, "q3": 6 * 3}[question]
    for name in looked_at:
        missing = {other: blob for other, blob in right.items() if other != name}
        empty = right | encode({name: np.zeros(0)})
        for blobs in (missing,) if name == "silent.fired" else (missing, empty):  # there, nothing is the right answer
            assert judge(steps, inputs, blobs).hint is not None, name
