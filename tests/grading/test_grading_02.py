"""The checks of exercise 2: the reference is PyTorch's, the inputs tell mistakes apart, each named one is made."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike

from lessons_lib.grading.drive.question import Trouble
from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.reference import attention
from lessons_lib.grading.lesson_02 import drive as drive_02
from lessons_lib.grading.lesson_02 import judge as judge_02
from lessons_lib.grading.lesson_02 import mistakes as mistakes_02

SEEDS = range(30)


def test_the_questions_are_worth_ten_points():
    assert judge_02.STEPS.keys() == drive_02.QUESTIONS.keys()
    assert sum(step.points for steps in judge_02.STEPS.values() for step in steps) == 10


@pytest.mark.parametrize("seed", SEEDS)
def test_all_five_sizes_differ(seed):
    inputs = drive_02.make_layer(seed)
    d_head, d_model = inputs["key_weight"].shape
    sizes = (inputs["x"].shape[2], inputs["source"].shape[2], d_model, d_head, len(inputs["value_bias"]))
    assert len(set(sizes)) == 5
    assert inputs["x"].shape[3] == inputs["source"].shape[3] == d_model
    assert inputs["equal"].shape == inputs["x"].shape[2:]
    square = drive_02.weights_of(inputs, drive_02.square_side(inputs))
    assert {size for array in square.values() for size in array.shape} == {drive_02.square_side(inputs)}


@pytest.mark.parametrize("seed", SEEDS)
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive_02.make_layer(seed)
    state, x, source = drive_02.weights_of(inputs), inputs["x"][0, 0], inputs["equal"]
    sizes = (x.shape[-1], len(state["query.bias"]), len(state["value.bias"]))
    families = []
    for name in drive_02.PROJECTIONS:
        right = mistakes_02.linear(x, state, name)
        wrong = [version(x, state, name) for _, version in mistakes_02.WRONG_PROJECTIONS]
        families.append([right, *(array for array in wrong if not close(array, right))])
    weights = mistakes_02.weights_of(x, x, state)
    families.append([weights, *(version(x, x, state, sizes) for _, version in mistakes_02.WRONG_WEIGHTS)])
    weights = mistakes_02.weights_of(x, source, state)
    families.append([weights, *(version(x, source, state) for _, version in mistakes_02.WRONG_SOURCES)])
    right = weights @ mistakes_02.linear(source, state, "value")
    families.append([right, *(version(weights, x, source, state) for _, version in mistakes_02.WRONG_OUTPUTS)])
    for versions in families:
        assert alike(versions, 1e-2) == []


@pytest.mark.parametrize("case", ["plain", "cross", "heads"])
def test_the_reference_is_pytorchs(case):
    inputs = drive_02.make_layer(5)
    x, source = (torch.from_numpy(side).double().requires_grad_() for side in judge_02._sides(inputs, case))
    source = x if case == "plain" else source
    state = {name: torch.from_numpy(array).double() for name, array in drive_02.weights_of(inputs).items()}
    query, key, value = (
        F.linear(words, state[f"{name}.weight"], state[f"{name}.bias"])
        for words, name in zip((x, source, source), drive_02.PROJECTIONS, strict=True)
    )
    output = F.scaled_dot_product_attention(query, key, value)
    right = judge_02._attended(inputs, case)
    np.testing.assert_allclose(right["output"], output.detach(), atol=1e-6)
    np.testing.assert_allclose(right["weights"].sum(-1), 1, atol=1e-12)
    if case != "heads":
        leaves = {"x": x} if case == "plain" else {"x": x, "source": source}
        cotangent = torch.from_numpy(inputs["cotangent"]).double()
        expected = torch.autograd.grad((output * cotangent).sum(), list(leaves.values()))
        given = judge_02._gradients(inputs, case)
        assert given.keys() == leaves.keys()
        for name, gradient in zip(leaves, expected, strict=True):
            np.testing.assert_allclose(given[name], gradient, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_lists_hold_a_pair_and_no_permutation_and_tied_matrices_cannot_serve_them(seed):
    lists = drive_02.make_finds(seed)
    assert len(lists) >= 3
    assert {len(finds) for finds in lists.values()} >= {2, 40}
    for finds in lists.values():
        words = np.arange(len(finds))
        pair = (finds[finds] == words) & (finds != words)
        assert pair.any()
        tied = np.random.default_rng(seed).normal(size=(len(finds), 8))
        weights = attention(tied, tied, tied)[1]
        assert not (weights[words, finds] > weights[words, words])[pair].all()  # claim 1 of the lesson
        if len(finds) > 2:
            assert len(set(finds.tolist())) < len(finds)
            assert (finds == words).any()


def test_a_layer_is_built_anew_with_the_weights_that_were_drawn():
    state = drive_02.weights_of(drive_02.make_layer(0))

    class Layer(torch.nn.Module):
        def __init__(self, d_model, d_head, d_value):
            super().__init__()
            for name, size in zip(drive_02.PROJECTIONS, (d_head, d_head, d_value), strict=True):
                setattr(self, name, torch.nn.Linear(d_model, size))

    layer = drive_02.built(Layer, state)
    assert not layer.training
    for name, array in state.items():
        np.testing.assert_array_equal(layer.state_dict()[name], array)
    layer.query.weight.data.zero_()
    assert state["query.weight"].any()  # the drawn ones stay
    with pytest.raises(Trouble, match="no module"):
        drive_02.built(lambda *sizes: sizes, state)
