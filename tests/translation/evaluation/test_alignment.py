"""Alignment: subwords merge to words, rows belong to the step that emits, the error rate is Och and Ney's."""

import numpy as np
import pytest
import torch
from toy import toy_corpus, toy_model, toy_sources, toy_translator

from lessons_lib.attention import recorded_attention
from lessons_lib.masks import padding_mask
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation.alignment import (
    Gold,
    Reading,
    alignment_error_rate,
    cross_attention,
    links,
    links_of_both,
    score_links,
    score_readings,
    word_tables,
    word_weights,
)


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


def test_links_of_both_leave_no_source_word_alone():
    weights = np.array([[0.1, 0.8, 0.1], [0.2, 0.7, 0.3]])
    assert links(weights) == {(1, 0), (1, 1)}
    assert links_of_both(weights) == {(1, 0), (1, 1), (0, 1), (2, 1)}


def test_sure_and_possible_links():
    """Och and Ney 2003, section 6: missing a possible link costs nothing, nor does finding one."""
    gold = [Gold(sure={(0, 0), (1, 1)}, possible={(0, 0), (1, 1), (2, 1), (3, 3)})]
    exact, more, less = {(0, 0), (1, 1)}, {(0, 0), (1, 1), (2, 1)}, {(0, 0), (2, 2)}
    assert score_links([exact], gold).aer == score_links([more], gold).aer == 0
    assert score_links([more], gold).precision == score_links([more], gold).recall == 1
    scores = score_links([less], gold)
    assert (scores.aer, scores.precision, scores.recall) == (0.5, 0.5, 0.5)
    assert alignment_error_rate([less], [gold[0].sure], [gold[0].possible]) == 1 - (1 + 1) / (2 + 2)


def test_a_sure_link_is_possible_even_if_it_is_not_said():
    assert alignment_error_rate([{(0, 0)}], [{(0, 0)}], [set()]) == 0


def test_word_tables_hold_every_layer_and_head():
    translator, pairs = toy_translator(), toy_corpus().test[:3]
    tables = word_tables(translator.model, translator.tokenizer, pairs)
    late = word_tables(translator.model, translator.tokenizer, pairs, steps_late=1)
    translations = translator.translate([pair.source for pair in pairs])
    for pair, table, later, translation in zip(pairs, tables, late, translations, strict=True):
        assert table.shape == (1, 2, len(pair.target.split()), len(pair.source.split()))
        if translation.text == pair.target:
            np.testing.assert_allclose(Reading().weights(table), translation.word_attention(), atol=1e-5)
        assert not np.allclose(table, later)
    table = tables[0]
    np.testing.assert_array_equal(Reading(0, 1).weights(table), table[0, 1])
    np.testing.assert_allclose(Reading(None, None).weights(table), table.mean(axis=(0, 1)))


def test_the_best_reading_of_the_validation_part_reads_the_test_part_well_and_one_step_late_nobody_does():
    translator, corpus = toy_translator(), toy_corpus()
    model, tokenizer = translator.model, translator.tokenizer
    scores = score_readings(word_tables(model, tokenizer, corpus.valid), gold_of(corpus.valid))
    assert len(scores) == 2 * (1 * 2 + 1 + 1)  # two rules; two heads, their layer, all layers
    rates = [found.aer for found in scores.values()]
    assert rates == sorted(rates)
    best = next(iter(scores))
    here, late = (
        score_links(
            [best.links(table) for table in word_tables(model, tokenizer, corpus.test, k)], gold_of(corpus.test)
        )
        for k in (0, 1)
    )
    assert here.aer < 0.3
    assert late.aer > here.aer + 0.2


def test_a_blank_side_has_no_links():
    translator = toy_translator()
    for pair, shape in ((Pair("the cat", ""), (1, 2, 0, 2)), (Pair("", "le chat"), (1, 2, 2, 0))):
        (table,) = word_tables(translator.model, translator.tokenizer, [pair])
        assert table.shape == shape
        assert Reading().links(table) == Reading(both=True).links(table) == set()


def test_a_pair_too_long_for_the_model_is_named():
    translator = toy_translator()
    with pytest.raises(ValueError, match="the target of pair 2 has 41 tokens, but this model reads at most 23"):
        word_tables(
            translator.model, translator.tokenizer, [Pair("the cat", "le chat"), Pair("the cat", "le chat " * 20)]
        )


def test_nothing_to_choose_by():
    with pytest.raises(ValueError, match="no sentence pairs"):
        score_readings([], [])


def test_each_table_has_the_size_of_its_own_sentences():
    """Of a list the checks of shapes look at one element, so this compares them all."""
    model, _ = toy_model()
    sources, targets = [[4, 5, 6, 2], [4, 2], [7, 8, 2]], [[6, 2], [6, 7, 8, 9, 2], [2]]
    shapes = [tuple(table.shape) for table in cross_attention(model, sources, targets)]
    config = model.config
    assert shapes == [
        (config.n_decoder_layers, config.n_heads, len(tgt), len(src)) for src, tgt in zip(sources, targets, strict=True)
    ]
