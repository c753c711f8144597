"""The checks of exercise 3: inputs that say something, a reference that is PyTorch's, mistakes that are kept apart."""

import numpy as np
import pytest
import torch
from alike import alike
from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.grading.arrays import encode
from lessons_lib.grading.drive.modules import filled
from lessons_lib.grading.drive.question import Trouble
from lessons_lib.grading.drive.run import run
from lessons_lib.grading.judge.reference import merge_heads, multi_head_attention, softmax, split_heads
from lessons_lib.grading.lesson_03 import drive, judge, mistakes

SEEDS = range(20)


def parts(seed):
    inputs = drive.make_module(seed)
    return inputs, drive.state(inputs), int(inputs["n_heads"][0])


@pytest.mark.parametrize("seed", SEEDS)
def test_sizes_are_different_and_masks_say_something(seed):
    heads = drive.make_heads(seed)["heads"]
    assert len(set(heads.shape)) == 4
    inputs, _, n_heads = parts(seed)
    (_, words, width), keys = inputs["query"].shape, inputs["source"].shape[1]
    assert len({2, words, keys, n_heads, width // n_heads}) == 5
    for mask in (inputs["mask"], inputs["padding"][:, 0, 0]):
        assert mask.sum(axis=-1).min() >= 2
        assert mask.sum(axis=-1).max() < keys


@pytest.mark.parametrize("seed", SEEDS)
def test_named_mistakes_can_be_told_apart(seed):
    made, (inputs, p, h) = drive.make_heads(seed), parts(seed)
    x, heads = made["x"], made["heads"]
    query, (level, source) = inputs["query"], drive.plain_cases(inputs)["level"].values()
    scores, mask = judge._scores(inputs, inputs["source"]), inputs["mask"]
    weights = multi_head_attention(p, h, query, inputs["source"])[1]
    families = (
        [split_heads(x, heads.shape[1]), *(wrong(x, heads.shape[1]) for _, wrong in mistakes.WRONG_SPLITS)],
        [merge_heads(heads), *(wrong(heads) for _, wrong in mistakes.WRONG_MERGES)],
        [multi_head_attention(p, h, query)[0], *(wrong(p, h, query, query) for _, wrong in mistakes.WRONG_OUTPUTS)],
        [multi_head_attention(p, h, level, source)[0], *(w(p, h, level, source) for _, w in mistakes.WRONG_SIDES)],
        [softmax(np.where(mask, scores, -np.inf)), *(wrong(scores, mask) for _, wrong in mistakes.WRONG_MASKS)],
        [weights, *(wrong(weights) for _, wrong in mistakes.WRONG_WEIGHTS)],
    )
    for versions in families:
        assert alike(versions, 1e-2) == []


@pytest.mark.parametrize("case", ["self", "cross", "masked", "padding", "causal"])
def test_the_reference_is_pytorchs_and_the_librarys(case):
    inputs, p, h = parts(5)
    given = (drive.plain_cases(inputs) | drive.masked_cases(inputs))[case]
    query, source, mask = (given.get(name) for name in ("query", "source", "mask"))
    output, weights = multi_head_attention(p, h, query, source, True if mask is None else mask)
    width = query.shape[-1]
    library, pytorch = MultiHeadAttention(width, h).double(), nn.MultiheadAttention(width, h, batch_first=True).double()
    state = {name: torch.from_numpy(array).double() for name, array in p.items()}
    library.load_state_dict(state)
    order = ("query", "key", "value")
    pytorch.load_state_dict(
        {
            "in_proj_weight": torch.cat([state[f"{name}.weight"] for name in order]),
            "in_proj_bias": torch.cat([state[f"{name}.bias"] for name in order]),
            "out_proj.weight": state["output.weight"],
            "out_proj.bias": state["output.bias"],
        }
    )
    x = torch.from_numpy(query).double()
    y = x if source is None else torch.from_numpy(source).double()
    allowed = None if mask is None else torch.from_numpy(mask)
    ours = library(x, y, allowed, return_weights=True)
    forbidden = None if mask is None else ~allowed.expand(len(x), h, x.shape[1], y.shape[1]).flatten(0, 1)
    theirs = pytorch(x, y, y, attn_mask=forbidden, average_attn_weights=False)
    for found in (ours, theirs):
        np.testing.assert_allclose(found[0].detach(), output, atol=1e-10)
        np.testing.assert_allclose(found[1].detach(), weights, atol=1e-10)


@pytest.mark.parametrize("case", ["cross", "empty"])
def test_the_gradients_are_those_of_autograd(case):
    inputs, p, h = parts(2)
    given = (drive.plain_cases(inputs) | drive.masked_cases(inputs))[case]
    library = MultiHeadAttention(inputs["query"].shape[-1], h).double()
    library.load_state_dict({name: torch.from_numpy(array).double() for name, array in p.items()})
    leaves = {name: torch.from_numpy(given[name]).double().requires_grad_() for name in ("query", "source")}
    mask = torch.from_numpy(given["mask"]) if "mask" in given else None
    output = library(*leaves.values(), mask, return_weights=True)[0]
    (output * torch.from_numpy(inputs["cotangent"])).sum().backward()
    leaves |= {name.replace(".", "_"): value for name, value in library.named_parameters()}
    found = judge._gradients(inputs, **given)
    assert found.keys() == leaves.keys()
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, leaves[name].grad, atol=1e-9, err_msg=name)


def test_a_module_gets_the_weights_whatever_it_drew_itself():
    _, p, _ = parts(0)
    width = len(p["query.bias"])
    module = filled(lambda d_model: _FourLayers(d_model), [width], p)
    assert not module.training
    for name, value in module.named_parameters():
        np.testing.assert_array_equal(value.detach(), p[name])


class _FourLayers(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(d_model, d_model) for _ in range(4))


def test_parameters_that_do_not_fit_are_named():
    _, p, _ = parts(0)
    width = len(p["query.bias"])
    with pytest.raises(Trouble, match=r"query.weight has the shape \(2, 2\)"):
        filled(_FourLayers, [2], p)
    with pytest.raises(Trouble, match=r"there is no parameter gate\.weight: the question"):
        filled(_FourLayers, [width], p | {"gate.weight": np.zeros(3)})
    with pytest.raises(Trouble, match=r"there is a parameter key.weight too many"):
        filled(_FourLayers, [width], {name: array for name, array in p.items() if "key" not in name})


def test_a_question_of_two_functions_needs_both():
    question = drive.QUESTIONS["q1"]
    assert list(question.signatures) == ["split_heads", "merge_heads"]
    inputs = encode(question.make(0))
    for there, missing in (("split_heads", "merge_heads"), ("merge_heads", "split_heads")):
        arrays = run(question, {there: lambda *given: None}, inputs)
        assert list(arrays) == ["error"]
        assert f"not found: define {missing}(".encode() in arrays["error"]
