"""Decoding: the cache changes nothing, a beam finds what a complete search finds, batches do not mix sentences."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_config, toy_corpus, toy_model, toy_sources, toy_translator

from lessons_lib.transformer import Transformer
from lessons_lib.translation.search import decoding
from lessons_lib.translation.search.decoding import Hypothesis, beam_search, greedy, n_best, output_limit, output_limits
from lessons_lib.translation.search.search import Search, search_all
from lessons_lib.translation.search.translator import Translator


def uncached_greedy(model, src):
    """The textbook loop: the whole sentence again for each token, one source sentence at a time."""
    results = []
    for row in src:
        row = row[row != 0][None]
        tokens, limit = [1], output_limit(model.config, row.shape[1])
        while len(tokens) <= limit and (len(tokens) == 1 or tokens[-1] != 2):
            tokens.append(2 + model(row, torch.tensor([tokens]))[0, -1, 2:].argmax().item())  # not <pad>, not <s>
        results.append(tokens[1:])
    return results


def log_probability(model, row, tokens):
    """Of these tokens together, by one pass over all of them."""
    row = row[row != 0][None]
    log_probabilities = model(row, torch.tensor([[1, *tokens[:-1]]])).log_softmax(-1)[0]
    return log_probabilities.gather(1, torch.tensor(tokens)[:, None]).sum().item()


@pytest.mark.parametrize("trained", [True, False])
def test_cached_greedy_equals_uncached(trained):
    model = toy_translator().model if trained else toy_model()[0]
    src = toy_sources(4)
    with torch.inference_mode():
        expected = uncached_greedy(model, src)
        found = greedy(model, src)
        assert [hypothesis.tokens for hypothesis in found] == expected
        for row, hypothesis in zip(src, found, strict=True):
            assert hypothesis.log_probability == pytest.approx(log_probability(model, row, hypothesis.tokens), abs=1e-3)


def test_sentences_that_end_early_leave_the_others_alone():
    """In one batch, sentences of other lengths and so of other ends; alone, each gives the same."""
    model, src = toy_translator().model, toy_sources()
    together = greedy(model, src)
    assert len({len(hypothesis.tokens) for hypothesis in together}) > 1
    for row, hypothesis in zip(src, together, strict=True):
        assert greedy(model, row[row != 0][None])[0].tokens == hypothesis.tokens


def test_a_beam_of_one_is_greedy():
    model, src = toy_translator().model, toy_sources()
    for ours, theirs in zip(beam_search(model, src, beam=1), greedy(model, src), strict=True):
        assert ours.tokens == theirs.tokens
        assert ours.log_probability == pytest.approx(theirs.log_probability, abs=1e-4)


@pytest.mark.parametrize("trained", [True, False])
def test_beam_scores_are_the_models_probabilities(trained):
    model = toy_translator().model if trained else toy_model()[0]
    src = toy_sources()
    with torch.inference_mode():
        for row, hypothesis in zip(src, beam_search(model, src, beam=3), strict=True):
            assert hypothesis.log_probability == pytest.approx(log_probability(model, row, hypothesis.tokens), abs=1e-3)


def textbook_beam_search(model, row, beam, length_penalty, limit):
    """One sentence, no cache, no tensors: lists of (tokens, log-probability)."""
    live, finished = [([1], 0.0)], []
    for step in range(limit):
        children = []
        for tokens, score in live:
            log_probabilities = model(row, torch.tensor([tokens])).log_softmax(-1)[0, -1].tolist()
            children += [([*tokens, token], score + p) for token, p in enumerate(log_probabilities) if token > 1]
        children = sorted(children, key=lambda child: -child[1])[: 2 * beam]
        ended = [child for child in children[:beam] if child[0][-1] == 2 or step == limit - 1]
        finished += [Hypothesis(tokens[1:], score) for tokens, score in ended]
        if len(finished) >= beam:
            break
        live = [child for child in children if child[0][-1] != 2][:beam]
    return max(finished, key=lambda h: h.normalised(length_penalty))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_beam_search_equals_the_textbook(seed, length_penalty):
    """A random model over 8 tokens ends its sentences at all lengths, so that every branch is taken."""
    torch.manual_seed(seed)
    model = Transformer(toy_config(vocab_size=8, d_model=8, d_ff=16, max_length=8)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    src = torch.tensor([[3, 4, 2, 0], [5, 3, 7, 2], [6, 2, 0, 0]])
    limits = output_limits(model.config, src)
    with torch.inference_mode():
        for row, limit, found in zip(src, limits, beam_search(model, src, 3, length_penalty), strict=True):
            expected = textbook_beam_search(model, row[row != 0][None], 3, length_penalty, limit)
            assert found.tokens == expected.tokens
            assert found.log_probability == pytest.approx(expected.log_probability, abs=1e-3)


def test_a_wider_beam_is_at_least_as_probable_on_the_whole():
    model, src = toy_model()[0], toy_sources()
    totals = [sum(h.log_probability for h in beam_search(model, src, beam, 0.0)) for beam in (1, 4)]
    assert totals[1] > totals[0]


def test_the_length_penalty_decides_between_short_and_long():
    short, long = Hypothesis([5, 2], -2.0), Hypothesis([5, 6, 7, 8, 9, 2], -2.5)
    assert short.normalised(0.0) > long.normalised(0.0)
    assert short.normalised(1.0) < long.normalised(1.0)
    assert long.normalised(1.0) == pytest.approx(-2.5 / (11 / 6))


@pytest.mark.parametrize("beam", [0, -1, 1000])
def test_a_beam_out_of_range(beam):
    with pytest.raises(ValueError, match=rf"beam={beam} is not between 1 and \d+"):
        beam_search(toy_model()[0], toy_sources(), beam)


def test_the_limit_cuts_off_a_translation_without_end():
    model, _ = toy_model()
    src = toy_sources(3)
    limits = output_limits(model.config, src)
    assert limits == [min(24, 2 * int((row != 0).sum()) + 10) for row in src]
    model.embedding.weight.data[2] = 0.0
    model.decoder.norm.beta.data += 3 * model.embedding.weight.data[7]  # </s> is never the best
    for search in (greedy, lambda *a: beam_search(*a, beam=2)):
        for limit, hypothesis in zip(limits, search(model, src), strict=True):
            assert len(hypothesis.tokens) == limit
            assert 2 not in hypothesis.tokens


def test_bad_early_endings_do_not_close_the_search():
    translator = toy_translator()
    sources = [translator.tokenizer.encode(pair.source) for pair in toy_corpus().test]
    greedily = dict(search_all(translator.model, sources))
    for index, found in search_all(translator.model, sources, Search(beam=2, length_penalty=1.0)):
        assert found[0].normalised(1.0) >= greedily[index][0].normalised(1.0) - 1e-4


@pytest.mark.parametrize("beam", [1, 2])
def test_search_all_gives_each_sentence_its_own_translation(beam):
    translator = toy_translator()
    pairs = toy_corpus().test
    sources = [translator.tokenizer.encode(pair.source) for pair in pairs]
    found = {i: ended[0] for i, ended in search_all(translator.model, sources, Search(beam), token_budget=40)}
    assert sorted(found) == list(range(len(pairs)))
    right = sum(translator.tokenizer.decode(found[i].tokens) == pair.target for i, pair in enumerate(pairs))
    assert right >= 18
    sizes = [len(sources[i]) for i in itertools.islice(found, 3)]
    assert sizes[0] == max(map(len, sources))


def test_search_all_of_nothing():
    assert list(search_all(toy_model()[0], [])) == []


WORDS = [*"?!.,'«»éß日", "???", "the", "cat", "black", "sees", "The", "xylophone", "42", "\u00a0"]
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1, max_size=5)
SEARCHES = [{}, {"beam": 3}, {"beam": 2, "no_repeat": 2}, {"temperature": 1.0, "seed": 4}]


def never_ending(**changes) -> Translator:
    """A model that says one word again and again, so that only its limit ends a translation."""
    model, tokenizer = toy_model(**changes)
    model.embedding.weight.data[2] = 0.0
    model.decoder.norm.beta.data += 3 * model.embedding.weight.data[7]
    return Translator(model, tokenizer)


@pytest.mark.parametrize("search", SEARCHES, ids=str)
@settings(deadline=None, max_examples=6, derandomize=True)
@given(lines=LINES, rows=st.integers(1, 4))
def test_a_translation_depends_on_its_own_line_alone(search, lines, rows):
    """Whatever stands beside it, too long for the model or blank, and however many lines a batch holds.

    Sampling also knows the number of the line.
    """
    for translator in (toy_translator(), never_ending()):
        together, too_long = translator.translate_all(lines, **search)
        alone = []
        for first in range(0, len(lines), rows):
            numbered = {"first": first} if "seed" in search else {}
            alone += translator.translate_all(lines[first : first + rows], **search, **numbered)[0]
        assert together == alone
        assert not any(together[i] for i in too_long)


def test_sentences_of_every_length_are_cut_off_at_their_own_limit():
    model, src = never_ending(max_length=60).model, toy_sources()  # so long that no limit is the model's
    assert len(set(output_limits(model.config, src))) > 1
    for search in (greedy, lambda *of: beam_search(*of, beam=3)):
        assert [len(one.tokens) for one in search(model, src)] == output_limits(model.config, src)


def test_padding_and_the_beginning_are_never_written():
    """Though the model finds nothing as probable: not in a search, and not in what is drawn."""
    model, _ = toy_model()
    model.decoder.norm.beta.data += 3 * (model.embedding.weight.data[0] + model.embedding.weight.data[1])
    model.embedding.weight.data[0] = model.embedding.weight.data[1]
    src = toy_sources()
    drawn = [ended for _, ended in search_all(model, src.tolist(), Search(temperature=2.0))]
    for ended in (*([one] for one in greedy(model, src)), *n_best(model, src, 3), *drawn):
        for hypothesis in ended:
            assert min(hypothesis.tokens) >= 2


@pytest.mark.parametrize("size", [40, 2_048, 2_100])
def test_the_largest_are_those_of_topk(size):
    values = torch.randn(5, size, generator=torch.Generator().manual_seed(size))
    values[0, : size // 2] = -torch.inf
    values[1, -1] = 9.0  # behind the last whole block
    values[2] = -torch.inf
    for count in (1, 8):
        found, places = decoding._largest(values, count)
        assert torch.equal(found, values.topk(count).values)
        assert torch.equal(values.gather(1, places), found)
        assert all(len(set(row)) == count for row in places.tolist())


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_log_probabilities_are_the_same_however_many_rows_are_read_at_a_time(search, monkeypatch):
    translator, lines = toy_translator(), [pair.source for pair in toy_corpus().test]
    found = []
    for rows in (1, 7, 1_000):
        monkeypatch.setattr(decoding, "ROWS", rows)
        found.append(translator.translate_all(lines, **search)[0])
    assert found[0] == found[1] == found[2]


def test_what_goes_on_moves_as_little_as_possible():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        rows = (torch.rand(9, generator=generator) < 0.6).nonzero()[:, 0]
        order = decoding._closed_up(rows)
        assert order.sort().values.tolist() == rows.tolist()
        assert all(order[row] == row for row in rows.tolist() if row < len(rows))
    parents = torch.randint(0, 4, (50, 4), generator=generator)
    for before, order in zip(parents.tolist(), decoding._near_parents(parents).tolist(), strict=True):
        assert sorted(order) == [0, 1, 2, 3]
        after = [before[i] for i in order]
        assert all(after[parent] == parent for parent in before)
