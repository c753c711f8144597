"""Means, intervals and verdicts: they cover what they promise, and refuse what shows nothing."""

import numpy as np
import pytest

from lessons_lib.evidence import Estimate, above, bootstrap, estimate, paired, share, within


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, (2_000, 4))
    held = [found.low < 3.0 < found.high for found in map(estimate, draws)]
    assert 0.935 < np.mean(held) < 0.965


def test_three_draws_have_a_wide_interval():
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.high - found.mean == pytest.approx(4.303 / 3**0.5, abs=1e-3)  # t of 2 degrees of freedom: 4.303


def test_pairs_see_what_their_common_noise_hides():
    noise = np.random.default_rng(1).normal(0, 5, 10)
    a, b = noise + 0.1 * np.arange(10) % 0.3 + 1, noise
    assert paired(a, b).low > 0.5
    assert above(paired(a, b), 0.5) == "true"
    assert estimate(a).low < estimate(b).high


def test_no_hit_in_three_cases_is_not_never():
    assert share(0, 3).low == 0.0
    assert share(0, 3).high == pytest.approx(0.5615, abs=1e-4)  # Wilson: z²/(n + z²)


def test_the_bootstrap_of_a_mean_agrees_with_its_standard_error():
    values = np.random.default_rng(2).normal(0, 1, 400)
    found = bootstrap(lambda cases: values[cases].mean(), 400)
    assert found.mean == values.mean()
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert found == bootstrap(lambda cases: values[cases].mean(), 400)


@pytest.mark.parametrize(
    ("interval", "word"), [((0.6, 0.9), "true"), ((0.1, 0.4), "false"), ((0.4, 0.6), "open"), ((0.5, 0.9), "open")]
)
def test_a_bound_inside_the_interval_leaves_the_question_open(interval, word):
    assert above(Estimate(0.5, *interval, n=3), 0.5) == word


@pytest.mark.parametrize(
    ("interval", "word"), [((-0.1, 0.2), "true"), ((-0.1, 3.0), "open"), ((1.0, 3.0), "false"), ((-3.0, -1.5), "false")]
)
def test_no_difference_found_is_not_none_there(interval, word):
    assert within(Estimate(0.0, *interval, n=3), 1.0) == word


def test_a_bound_may_be_a_whole_number():
    assert above(Estimate(7.0, 6.0, 8.0, n=3), 5) == "true"
    assert within(Estimate(7.0, 6.0, 8.0, n=3), 5) == "false"


def test_an_estimate_is_written_with_its_interval():
    assert f"{Estimate(0.1, 0.07, 0.13, 10)}" == "0.10 [0.07, 0.13]"
    assert f"{Estimate(71.2, 69.5, 72.9, 3):.1f}" == "71.2 [69.5, 72.9]"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: estimate([1.0]), "no spread"),
        (lambda: estimate([1.0, float("nan")]), "nan is no measurement"),
        (lambda: paired([1, 2], [1, 2, 3]), "2 and 3 values"),
        (lambda: share(3, 2), "3 of 2"),
        (lambda: share(0, 0), "0 of 0"),
        (lambda: bootstrap(lambda cases: 0.0, 0), "n_cases=0"),
    ],
)
def test_what_shows_nothing_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
