"""Batches: every example once an epoch, within the budget, with little padding, the same for the same seed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_corpus, toy_tokenizer

from lessons_lib.translation.data.batching import Batches, Example, Examples, bucket, collate, encode_pairs

LENGTHS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=60)


def examples_of(lengths) -> list[Example]:
    return [Example([7] * s, [8] * t) for s, t in lengths]


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 200), st.integers(0, 5))
def test_each_example_is_in_one_group_and_groups_keep_the_budget(lengths, budget, seed):
    groups = bucket(examples_of(lengths), budget, np.random.default_rng(seed))
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    for group in groups:
        longest = max(max(lengths[i]) + 1 for i in group)
        assert len(group) * longest <= budget or len(group) == 1


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 200), st.integers(0, 5))
def test_groups_are_those_of_a_plain_sort(lengths, budget, seed):
    """The same as when the groups were lists, so that a training begun then goes on with the same batches."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths)).tolist()
    groups: list[list[int]] = []
    for index in sorted(order, key=lambda i: lengths[i][::-1]):
        longest = max(max(lengths[i]) + 1 for i in [*(groups[-1] if groups else []), index])
        if not groups or longest * (len(groups[-1]) + 1) > budget:
            groups.append([])
        groups[-1].append(index)
    expected = [groups[i] for i in rng.permutation(len(groups))]
    found = bucket(examples_of(lengths), budget, np.random.default_rng(seed))
    assert [group.tolist() for group in found] == expected


def test_compact_examples_are_the_same_examples():
    pairs = [([5, 300], [7]), ([], [65_535, 2]), ([1], [])]
    for vocab_size, bytes_an_id in ((65_536, 2), (65_537, 4)):
        examples = Examples.of(pairs, vocab_size)
        assert list(examples) == [Example(*pair) for pair in pairs] == examples[:]
        assert examples[-1] == Example([1], [])
        assert examples.lengths.tolist() == [[2, 1], [0, 2], [1, 0]]
        assert examples._ids.itemsize == bytes_an_id
    assert len(Examples.of([], 10)) == 0
    with pytest.raises(IndexError):
        examples[3]


def test_targets_are_the_inputs_one_step_later():
    batch = collate([Example([5, 6], [7, 8, 9]), Example([4], [3])], toy_tokenizer())
    assert batch.src.tolist() == [[5, 6, 2], [4, 2, 0]]
    assert batch.tgt_in.tolist() == [[1, 7, 8, 9], [1, 3, 0, 0]]
    assert batch.tgt_out.tolist() == [[7, 8, 9, 2], [3, 2, 0, 0]]
    assert batch.tokens == 6


def test_the_seed_and_the_epoch_decide_the_batches():
    examples = encode_pairs(toy_tokenizer(), toy_corpus().train, 24)

    def epoch(seed, number):
        return [batch.src.tolist() for batch in Batches(examples, toy_tokenizer(), 200, seed).epoch(number)]

    assert epoch(0, 0) == epoch(0, 0)
    assert epoch(0, 0) != epoch(0, 1)
    assert epoch(0, 0) != epoch(1, 0)
    forever = Batches(examples, toy_tokenizer(), 200, 0).forever()
    both = epoch(0, 0) + epoch(0, 1)
    assert [next(forever).src.tolist() for _ in both] == both


def test_length_buckets_save_padding():
    rng = np.random.default_rng(0)
    lengths = [(n, max(1, n + d)) for n, d in zip(rng.integers(3, 30, 500), rng.integers(-2, 3, 500), strict=True)]
    batches = Batches(examples_of(lengths), toy_tokenizer(), token_budget=300)
    counted = total = 0
    for batch in batches.epoch(0):
        for side in (batch.src, batch.tgt_out):
            counted += int((side != 0).sum())
            total += side.numel()
    assert batches.efficiency() == counted / total
    shuffled = [sum(lengths[i : i + 12], ()) for i in range(0, 500, 12)]
    unsorted = sum(map(sum, lengths)) / sum(len(group) * max(group) for group in shuffled)
    assert batches.efficiency() > 0.9 > 0.7 > unsorted


def test_pairs_that_do_not_fit_are_left_out():
    tokenizer, pairs = toy_tokenizer(), toy_corpus().train
    longest = [max(len(tokenizer.encode(side)) for side in pair[:2]) + 1 for pair in pairs]
    limit = sorted(longest)[250]
    kept = encode_pairs(tokenizer, pairs, limit)
    assert len(kept) == sum(length <= limit for length in longest)
    assert 250 < len(kept) < 500


def test_batches_are_on_the_device_and_of_integers():
    batch = next(Batches(examples_of([(2, 3)]), toy_tokenizer(), 10, device=torch.device("cpu")).epoch(0))
    assert {tensor.dtype for tensor in batch[:3]} == {torch.int64}
    assert {tensor.device.type for tensor in batch[:3]} == {"cpu"}
