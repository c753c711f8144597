"""Exercise 11: references that are PyTorch's, inputs that tell mistakes apart, none of which is unused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike, unnamed

from lessons_lib.grading.lesson_11 import drive, judge, mistakes

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive.make_step(seed)
    one = judge._so_far(inputs, drive.step_cases(inputs)["one"][1])
    outputs = [mistakes.cached(*one, 1), *(version(*one) for _, version in mistakes.WRONG_ONE)]
    all_, (start, end) = judge._so_far(inputs, inputs["query"].shape[2]), drive.step_cases(inputs)["several"]
    assert unnamed(mistakes.several, mistakes.SEVERAL_AXES, *all_, end - start) == []
    past, new = inputs["key"][:, :, :start], inputs["key"][:, :, start : start + 1]
    kept = [np.concatenate([past, new], axis=2), *(version(past, new) for _, version in mistakes.WRONG_KEPT)]
    text = drive.make_text(seed)
    texts = [mistakes.greedy(text, mistakes.most_probable), *(version(text) for _, version in mistakes.WRONG_TEXT)]
    blocks = drive.make_blocks(seed)
    right = mistakes.attention(*(blocks[name] for name in ("query", "key", "value")))[0]
    pairs = (blocks["query"], *judge._blocks(blocks))
    averages = [right, *(version(*pairs) for _, version in mistakes.RARE_BLOCKS)]
    assert unnamed(mistakes.over_blocks, mistakes.BLOCK_AXES, *pairs) == []
    for versions in (outputs, kept, texts, averages):
        assert alike(versions, 5e-3) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_references_are_pytorchs(seed):
    inputs = drive.make_step(seed)
    query, key, value = (torch.from_numpy(inputs[name].astype(np.float64)) for name in drive.TENSORS)
    whole = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    for new in (1, 3, query.shape[2]):
        ours = mistakes.cached(*judge._so_far(inputs, query.shape[2]), new)
        np.testing.assert_allclose(ours, whole[:, :, -new:], atol=1e-12)
        np.testing.assert_allclose(mistakes.several(*judge._so_far(inputs, query.shape[2]), new), ours, atol=1e-12)
    blocks = drive.make_blocks(seed)
    query, key, value = (torch.from_numpy(blocks[name].astype(np.float64)) for name in drive.TENSORS)
    came, _ = judge._blocks(blocks)
    ours = mistakes.over_blocks(blocks["query"], came, came)
    np.testing.assert_allclose(ours, F.scaled_dot_product_attention(query, key, value), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_small_decoder_says_the_same_with_and_without_a_past_and_in_the_judge(seed):
    inputs = drive.make_text(seed)
    tokens = torch.from_numpy(mistakes.greedy(inputs, mistakes.most_probable))
    step = drive.Decoder(inputs)
    at_once, _ = step(tokens, 0, None)
    past, stepwise = None, []
    for place in range(tokens.shape[1]):
        logits, past = step(tokens[:, place : place + 1], place, past)
        stepwise.append(logits)
    torch.testing.assert_close(torch.cat(stepwise, dim=1), at_once)
    np.testing.assert_allclose(mistakes.next_logits(inputs, tokens.numpy()), at_once, atol=1e-3, rtol=1e-4)
    assert step.calls == [(tokens.shape[1], 0, 0), *((1, place, place) for place in range(tokens.shape[1]))]


@pytest.mark.parametrize("seed", SEEDS)
def test_inputs_say_something(seed):
    inputs = drive.make_step(seed)
    batch, heads, length, width = inputs["query"].shape
    assert len({batch, heads, int(inputs["past"]) + 1, width}) >= 3
    assert length == int(inputs["past"]) + 3
    text = drive.make_text(seed)
    written = mistakes.greedy(text, mistakes.most_probable)
    assert written.shape[1] <= drive.LONGEST - 2
    logits = np.sort(mistakes.next_logits(text, written)[:, text["prompt"].shape[1] - 1 : -1], axis=-1)
    assert (logits[..., -1] - logits[..., -2]).min() > 1e-4  # no tie that rounding could turn
    sizes = drive.make_blocks(seed)["sizes"].tolist()
    assert sorted(sizes) == [1, 2, 3, 4]
    assert sizes[0] > 1


def test_the_memory_of_a_block_is_written_over_by_the_next():
    inputs = drive.make_blocks(0)
    blocks = drive.blocks_of(inputs)
    first, _ = next(blocks)
    before = first.clone()
    np.testing.assert_array_equal(before, inputs["key"][:, : len(before[0])])
    next(blocks)
    assert not torch.equal(first, before)
    left = [(keys.numpy(), values.numpy()) for keys, values in list(drive.blocks_of(inputs))]
    for ours, theirs in zip(judge._blocks(inputs)[1], left, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_scores_moved_together_keep_their_weights():
    cases = drive.block_cases(drive.make_blocks(3))
    rights = [mistakes.attention(*(cases[name][x] for x in drive.TENSORS))[0] for name in ("large", "low")]
    np.testing.assert_allclose(*rights, atol=1e-9)
