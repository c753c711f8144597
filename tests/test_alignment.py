"""Alignment: subwords merge to words, rows belong to the step that emits, the error rate is Och and Ney's."""

import numpy as np
import pytest
import torch
from toy import toy_corpus, toy_model, toy_sources, toy_translator

from lessons_lib.attention import recorded_attention
from lessons_lib.masks import padding_mask
from lessons_lib.translation.alignment import alignment_error_rate, cross_attention, links, word_weights


def test_rows_are_those_of_the_steps_that_emit_the_tokens():
    """Step by step with the cache: the weights of step t, which emitted token t, are row t."""
    model, src = toy_translator().model, toy_sources(1)
    source_mask = padding_mask(src, 0)
    cache = model.new_cache(model.encode(src), 20)
    token, emitted, rows = 1, [], []
    with torch.inference_mode(), recorded_attention(model) as attention:
        while token != 2:
            token = model.decode_step(torch.tensor([[token]]), cache, source_mask).argmax().item()
            emitted.append(token)
            cross = [weights for name, weights in attention.items() if name.endswith("cross_attention")]
            rows.append(torch.stack([layer[0, :, 0] for layer in cross]))  # (L, H, S)
    (weights,) = cross_attention(model, [src[0].tolist()], [emitted])
    torch.testing.assert_close(weights, torch.stack(rows, dim=2), rtol=1e-4, atol=1e-5)


def test_padding_of_a_batch_changes_nothing():
    model, _ = toy_model()
    sources, targets = [[5, 6, 2], [7, 8, 9, 10, 11, 2]], [[3, 4, 5, 2], [9, 2]]
    together = cross_attention(model, sources, targets)
    for source, target, weights in zip(sources, targets, together, strict=True):
        assert weights.shape == (1, 2, len(target), len(source))
        torch.testing.assert_close(weights, cross_attention(model, [source], [target])[0])
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, len(target)))


def test_source_pieces_add_up_and_target_pieces_average():
    weights = np.array([[0.5, 0.2, 0.2, 0.1], [0.0, 0.6, 0.2, 0.2], [0.1, 0.1, 0.1, 0.7]])
    merged = word_weights(weights, source_words=[0, 1, 1, None], target_words=[0, 0, None])
    np.testing.assert_allclose(merged, [[0.25, 0.6]])


def test_links_take_the_heaviest_source_word():
    assert links(np.array([[0.1, 0.8], [0.6, 0.3], [0.2, 0.7]])) == {(1, 0), (0, 1), (1, 2)}


@pytest.mark.parametrize(
    ("predicted", "gold", "rate"),
    [
        ([{(0, 0), (1, 1)}], [{(0, 0), (1, 1)}], 0.0),
        ([{(0, 1)}], [{(1, 0)}], 1.0),
        ([{(0, 0), (1, 1)}, {(0, 0)}], [{(0, 0)}, {(0, 0), (0, 1), (1, 2)}], 1 - 2 * 2 / 7),
        ([set()], [{(0, 0)}], 1.0),
    ],
)
def test_alignment_error_rate(predicted, gold, rate):
    assert alignment_error_rate(predicted, gold) == pytest.approx(rate)


def test_alignment_error_rate_of_nothing():
    with pytest.raises(ValueError, match="no links to compare"):
        alignment_error_rate([set()], [set()])


def test_content_words_of_the_toy_language_are_found_and_one_step_late_they_are_not():
    """The article before a noun may look anywhere; the words that carry meaning must look at their source."""
    translations = toy_translator().translate([pair.source for pair in toy_corpus().test])
    found = late = total = 0
    for translation, pair in zip(translations, toy_corpus().test, strict=True):
        weights = translation.word_attention()
        for source, target in pair.alignment:
            if pair.source.split()[source] != "the" and target + 1 < len(weights):
                found += int(weights[target].argmax() == source)
                late += int(weights[target + 1].argmax() == source)
                total += 1
    assert found / total > 0.7
    assert late / total < 0.4
