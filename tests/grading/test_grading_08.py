"""Lesson 8's checks: references that are PyTorch's, inputs that tell the mistakes apart, and none of them unused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike

from lessons_lib.grading.drive.run import questions
from lessons_lib.grading.judge.verdict import steps
from lessons_lib.grading.lesson_08 import drive, judge, mistakes
from lessons_lib.masks import causal_mask, padding_mask

LESSON = "08_masking"
SEEDS = range(30)


def ids(inputs) -> tuple[int, int]:
    return int(inputs["bos_id"]), int(inputs["pad_id"])


def test_three_questions_give_ten_points():
    assert list(questions(LESSON)) == ["q1", "q2", "q3"]
    assert sum(step.points for name in questions(LESSON) for step in steps(LESSON, name)) == 10


@pytest.mark.parametrize("seed", SEEDS)
def test_named_mistakes_can_be_told_apart(seed):
    length = int(drive.make_lengths(seed)["lengths"][0])
    causal = [np.tri(length), *(version(length) for _, version in mistakes.WRONG_CAUSAL)]
    made = drive.make_tokens(seed)
    tokens, pad_id = made["tokens"], int(made["pad_id"])
    padding = [tokens != pad_id, *(version(tokens, pad_id) for _, version in mistakes.WRONG_PADDING)]
    inputs = drive.make_targets(seed)
    tokens, (bos_id, pad_id) = inputs["tokens"], ids(inputs)
    right_in = mistakes.moved(tokens, bos_id)
    reads = [right_in, *(version(tokens, bos_id, pad_id) for _, version in mistakes.WRONG_INPUTS)]
    says = [tokens, *(version(tokens, bos_id, pad_id) for _, version in mistakes.WRONG_TARGETS)]
    both = [drive.loss_cases(inputs)[name] for name in ("plain", "other")]
    right_loss = np.concatenate([judge._loss(one) for one in both])
    losses = [right_loss, right_loss / np.log(2), *(judge._losses(v, both) for _, v in mistakes.WRONG_LOSSES)]
    for versions in (causal, padding, reads, says):
        assert alike([np.asarray(one, dtype=np.float64) for one in versions]) == []
    assert alike(losses, 2e-3) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_inputs_hold_what_the_mistakes_trip_over(seed):
    made = drive.make_tokens(seed)
    tokens, pad_id = made["tokens"], int(made["pad_id"])
    assert len({*tokens.shape, judge.HEADS, judge.QUERIES}) == 4
    assert pad_id != 0
    assert (tokens == 0).any()
    assert ((tokens != pad_id) & (tokens > pad_id)).any()
    real = (tokens != pad_id).sum(axis=1)
    assert real.max() == tokens.shape[1] > real.min()
    inputs = drive.make_targets(seed)
    bos_id, pad_id = ids(inputs)
    real = (inputs["tokens"] != pad_id).sum(axis=1)
    ends = inputs["tokens"][np.arange(len(real)), real - 1]
    assert len({pad_id, bos_id, *ends.tolist()}) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_references_are_the_librarys_and_pytorchs(seed):
    for length in drive.make_lengths(seed)["lengths"].tolist():
        assert judge._is(causal_mask(length).numpy(), np.tri(length))
    for case in drive.padding_cases(drive.make_tokens(seed)).values():
        tokens, pad_id = torch.from_numpy(case["tokens"]), int(case["pad_id"])
        assert judge._is(padding_mask(tokens, pad_id).numpy(), case["tokens"] != pad_id)
        scores = torch.zeros(len(tokens), judge.HEADS, judge.QUERIES, tokens.shape[1])
        assert padding_mask(tokens, pad_id).expand_as(scores).shape == scores.shape
    inputs = drive.make_targets(seed)
    bos_id, pad_id = ids(inputs)
    tokens, by_place = torch.from_numpy(inputs["tokens"]), torch.from_numpy(inputs["by_place"]).double()
    by_place.requires_grad_()
    tgt_in = F.pad(tokens, (1, -1), value=bos_id)
    assert np.array_equal(tgt_in, mistakes.moved(inputs["tokens"], bos_id))
    logits = by_place[: tokens.shape[1]] + torch.from_numpy(inputs["by_token"]).double()[tgt_in]
    loss = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=pad_id)
    (gradient,) = torch.autograd.grad(loss, by_place)
    np.testing.assert_allclose(judge._loss(inputs), [loss.item()], rtol=1e-12)
    np.testing.assert_allclose(judge._gradient(inputs), gradient, atol=1e-12)
