"""What a translation must begin with, must not repeat, or may be drawn from."""

import itertools
import math

import pytest
import torch
from toy import toy_corpus, toy_sources, toy_tokenizer, toy_translator

from lessons_lib.translation.search.constraints import Constraints
from lessons_lib.translation.search.decoding import beam_search, greedy, n_best
from lessons_lib.translation.search.sampling import check_sampling, likely
from lessons_lib.translation.search.search import Search


def test_a_prefix_is_kept_and_the_rest_follows_it():
    model, src = toy_translator().model, toy_sources(3)
    plain = greedy(model, src)
    prefixes = [plain[0].tokens[:2], [], toy_tokenizer().encode("le cheval")]
    rules = Constraints(prefixes=prefixes)
    for found in (greedy(model, src, rules), beam_search(model, src, 3, constraints=rules)):
        assert [h.tokens[: len(prefix)] for h, prefix in zip(found, prefixes, strict=True)] == prefixes
        assert found[0].tokens == plain[0].tokens  # forced to say what it would have said
        assert found[1].tokens == plain[1].tokens
        assert all(torch.isfinite(torch.tensor(h.log_probability)) for h in found)
        assert found[2].tokens[-1] == 2


@pytest.mark.parametrize("search", [greedy, lambda *a: beam_search(a[0], a[1], 3, constraints=a[2])])
def test_no_run_occurs_twice(search):
    torch.manual_seed(0)
    model, src = toy_translator().model, toy_sources(4)
    weight = model.embedding.weight.data.clone()
    try:
        model.embedding.weight.data[2] = 0.0  # it no longer ends, and repeats itself
        repeating, rules = search(model, src, Constraints()), Constraints(no_repeat=2)
        ruled = search(model, src, rules)
    finally:
        model.embedding.weight.data = weight
    pairs = lambda tokens: list(itertools.pairwise(tokens))  # noqa: E731
    assert any(len(set(pairs(h.tokens))) < len(pairs(h.tokens)) for h in repeating)
    assert all(len(set(pairs(h.tokens))) == len(pairs(h.tokens)) for h in ruled)


def test_rules_are_checked():
    with pytest.raises(ValueError, match="no_repeat=-1 is negative"):
        Constraints(no_repeat=-1)


def test_the_best_of_several_come_in_order():
    model, src = toy_translator().model, toy_sources(4)
    for ended, best in zip(n_best(model, src, 4), beam_search(model, src, 4), strict=True):
        scores = [h.normalised(1.0) for h in ended]
        assert scores == sorted(scores, reverse=True)
        assert ended[0].tokens == best.tokens
        assert len({tuple(h.tokens) for h in ended}) == len(ended) > 1


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-50, 1e-38, 1e38, 1e300])
def test_a_temperature_beyond_single_precision(temperature):
    logs = torch.tensor([[-math.inf, -2.0, -1.0, -3.0]])
    cold = temperature < 1
    assert likely(logs, temperature)[0].tolist() == pytest.approx([0, 0, 1, 0] if cold else [0, *[1 / 3] * 3])


@pytest.mark.parametrize("penalty", [50.1, -1000, math.inf, -math.inf, math.nan])
def test_a_length_penalty_that_leaves_the_numbers(penalty):
    with pytest.raises(ValueError, match=r"length_penalty=.* is not between -50 and 50; 0 to 2 is usual"):
        Search(beam=4, length_penalty=penalty)
    translator = toy_translator()
    for usable in (50.0, -50.0, 0.0):
        assert translator.translate("the dog", beam=4, length_penalty=usable).text


def test_what_is_likely():
    logs = torch.tensor([[0.5, 0.25, 0.125, 0.125]]).log()
    assert likely(logs)[0].tolist() == pytest.approx([0.5, 0.25, 0.125, 0.125])
    assert likely(logs, temperature=0.5)[0].tolist() == pytest.approx([16 / 22, 4 / 22, 1 / 22, 1 / 22])
    assert likely(logs, top_k=2)[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert likely(logs, top_p=0.5)[0].tolist() == [1, 0, 0, 0]
    assert likely(logs, top_p=0.51)[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert likely(logs.flip(1), top_p=0.6)[0].tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 0, 1.0), "temperature=0.0"),
        ((1.0, -1, 1.0), "top_k=-1"),
        ((1.0, 0, 0.0), r"top_p=0.0 is not in \(0, 1\]"),
    ],
)
def test_sampling_options_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        check_sampling(*values)


@pytest.mark.parametrize("option", [{"top_k": 5}, {"top_p": 0.9}])
def test_sampling_without_a_temperature_is_no_sampling(option):
    with pytest.raises(ValueError, match=r"top_.=.* is of sampling; add a temperature, 1 for example"):
        Search(**option)
    Search(**option, temperature=1.0)


def test_a_low_temperature_samples_what_greedy_finds_and_a_high_one_varies():
    translator, sentence = toy_translator(), toy_corpus().test[0].source
    cold = translator.translate([sentence] * 5, temperature=0.01, seed=1)
    assert {t.text for t in cold} == {translator.translate([sentence])[0].text}
    hot = [t.text for t in translator.translate([sentence] * 20, temperature=3.0, seed=1)]
    assert len(set(hot)) > 5
    assert hot == [t.text for t in translator.translate([sentence] * 20, temperature=3.0, seed=1)]
    assert hot != [t.text for t in translator.translate([sentence] * 20, temperature=3.0, seed=2)]
