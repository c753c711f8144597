"""Lesson 7's checks: named mistakes can be told apart and are all made, and the reference is PyTorch's."""

import re

import numpy as np
import pytest
import torch
from alike import alike
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
    x, d_ff = drive.network_cases(inputs)["words"], int(inputs["d_ff"])
    matrices = judge_07._matrices(inputs, judge_07.PLAIN, d_ff)
    sides = judge_07._sides(inputs, x, 2 * d_ff // 3)
    x = x.astype(np.float64)
    relu = [judge_07._plain(mistakes.relu, inputs, x), *(wrong(x, *matrices) for _, wrong in mistakes.WRONG_RELU)]
    exact = judge_07._plain(mistakes.gelu, inputs, x)
    gelu = [exact, *(wrong(x, *matrices) for sentence, wrong in mistakes.WRONG_GELU if "tanh" not in sentence)]
    gates = [judge_07._gated(inputs, x, 2 * d_ff // 3), *(wrong(*sides) for _, wrong in mistakes.WRONG_GATES)]
    for versions in (relu, gelu, gates):
        assert alike(versions, 1e-2) == []
    near = mistakes.WRONG_GELU[4][1](x, *matrices)  # the approximation is near, and yet too far
    assert not close(near, exact)
    arguments = drive.memory_cases(drive.make_memory(seed))["plain"]
    sums = judge_07._sums(**arguments)
    fired, *_ = judge_07._memory(**arguments)
    orders = [fired, *(wrong(sums, sums - arguments["expand_bias"]) for _, wrong in mistakes.WRONG_FIRED)]
    if len(fired) > 2 and len(fired) < len(sums) - 2:
        assert len({tuple(order) for order in orders}) >= len(orders) - 1


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
