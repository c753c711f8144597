"""Lesson 6's checks: named mistakes can be told apart and are all made, and the reference is PyTorch's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike

from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.verdict import steps
from lessons_lib.grading.lesson_06 import drive
from lessons_lib.grading.lesson_06 import judge as judge_06
from lessons_lib.grading.lesson_06 import mistakes as mistakes_06
from lessons_lib.grading.lesson_06 import reference as norms

LESSON = "06_layer_norm"
TABLES = [getattr(mistakes_06, name) for name in dir(mistakes_06) if name.startswith("WRONG_")]


def test_points_and_steps_are_declared_for_the_same_questions():
    assert all(len(steps(LESSON, name)) >= 3 for name in questions(LESSON))
    assert sum(step.points for name in questions(LESSON) for step in steps(LESSON, name)) == 10


@pytest.mark.parametrize("seed", range(30))
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive.make_residual(seed)
    cases = {name: x.astype(np.float64) for name, x in drive.norm_cases(inputs).items()}
    gamma, beta = inputs["gamma"], inputs["beta"]
    parts = inputs["x"].astype(np.float64), judge_06._norm(inputs), judge_06._sublayer(inputs)
    for wrong, right, arguments in (
        (mistakes_06.WRONG_LAYER, norms.layer_norm, (cases["words"], gamma, beta)),
        (mistakes_06.WRONG_EPS, norms.layer_norm, (cases["faint"], gamma, beta)),
        (mistakes_06.WRONG_RMS, norms.rms_norm, (cases["words"], gamma)),
        (mistakes_06.WRONG_RMS_EPS, norms.rms_norm, (cases["faint"], gamma)),
        (mistakes_06.WRONG_PRE, norms.pre, parts),
        (mistakes_06.WRONG_POST, norms.post, parts),
    ):
        assert alike([right(*arguments), *(version(*arguments) for _, version in wrong)], 4e-3) == []


@pytest.mark.parametrize("seed", range(30))
def test_inputs_have_different_sizes_and_words_that_differ_in_mean_and_spread(seed):
    x = drive.make_norm(seed)["x"]
    assert len(set(x.shape)) == 3
    assert x.shape[-1] == max(x.shape)
    assert (x.mean(-1) > 0.29 * x.std(-1)).all()
    assert x.std(-1).max() > 1.3 * x.std(-1).min()
    assert np.square(drive.norm_cases({"x": x})["half"].astype(np.float32)).max() > 65_504


@pytest.mark.parametrize("seed", range(5))
def test_the_reference_is_pytorchs(seed):
    inputs = drive.make_residual(seed)
    x, gamma, beta, weight, cotangent = (
        torch.from_numpy(inputs[name][0] if name == "x" else inputs[name]).double().requires_grad_()
        for name in ("x", "gamma", "beta", "weight", "cotangent")
    )
    plain = [tensor.detach().numpy() for tensor in (x, gamma, beta)]

    def norm(h):
        return F.layer_norm(h, h.shape[-1:], gamma, beta, 1e-5)

    def compare(output, right, gradients, leaves):
        np.testing.assert_allclose(right, output.detach(), atol=1e-12)
        expected = torch.autograd.grad((output * cotangent).sum(), leaves, retain_graph=True)
        for given, gradient in zip(gradients.values(), expected, strict=True):
            np.testing.assert_allclose(given, gradient, atol=1e-10)

    c = cotangent.detach().numpy()
    compare(norm(x), norms.layer_norm(*plain), norms.layer_norm_gradients(c, *plain), (x, gamma, beta))
    output = F.rms_norm(x, x.shape[-1:], gamma, 1e-6)
    compare(output, norms.rms_norm(*plain[:2]), norms.rms_norm_gradients(c, *plain[:2]), (x, gamma))
    parts = plain[0], judge_06._norm(inputs), judge_06._sublayer(inputs)
    for place, output, right in (
        ("pre", x + torch.tanh(norm(x) @ weight), norms.pre(*parts)),
        ("post", norm(x + torch.tanh(x @ weight)), norms.post(*parts)),
    ):
        gradients = norms.residual_gradients(place, c, plain[0], weight.detach().numpy(), *plain[1:])
        compare(output, right, gradients, (x, gamma, beta))
