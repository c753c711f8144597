"""Masks say who sees whom; in the model nothing leaks past them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.masks import (
    causal_mask,
    causal_padding_mask,
    explain,
    padding_mask,
    prefix_mask,
    sliding_window_mask,
)

lengths = st.integers(1, 12)


@given(length=lengths, prefix=st.integers(0, 12), window=lengths)
def test_each_mask_is_its_definition(length, prefix, window):
    causal, prefixed, sliding = causal_mask(length), prefix_mask(length, prefix), sliding_window_mask(length, window)
    for t in range(length):
        for s in range(length):
            assert causal[t, s] == (s <= t)
            assert prefixed[t, s] == (s <= t or s < prefix)
            assert sliding[t, s] == (t - window < s <= t)


def test_both_is_causal_and_padding():
    tokens = torch.tensor([[5, 6, 7], [5, 0, 0]])
    both = causal_padding_mask(tokens, pad_id=0)
    assert both.shape == (2, 1, 3, 3)
    assert both[0, 0].equal(causal_mask(3))
    assert both[1, 0].equal(torch.tensor([[True, False, False]] * 3))
    assert padding_mask(tokens, 0).shape == (2, 1, 1, 3)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="window=0 leaves nothing to see; use 1 or more"):
        sliding_window_mask(4, 0)


def test_explained_in_words():
    words = ["le", "chat", "dort"]
    assert explain(causal_mask(3), words) == "le   sees le\nchat sees le chat\ndort sees le chat dort"
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    assert explain(nothing, ["le"], ["the", "<pad>"]) == "le sees nothing"
    with pytest.raises(ValueError, match=r"mask of shape \(1, 2\) for 3 queries and 3 keys"):
        explain(nothing, words)
