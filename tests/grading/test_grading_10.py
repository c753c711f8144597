"""Lesson 10: the reference is the library's, and a mistake with a name is not mistaken for another."""

import itertools

import pytest

from lessons_lib.config import TransformerConfig
from lessons_lib.grading.lesson_10 import drive, judge
from lessons_lib.grading.lesson_10.mistakes import WRONG_CACHES, WRONG_MACHINES, WRONG_SHAPES, Cache, Machine, Shape
from lessons_lib.sizes import cache_memory, count_parameters

QUESTIONS = {
    "q1": (drive.make_shapes, drive.parameter_cases, Shape, WRONG_SHAPES, judge.DECODER + judge.BOTH + judge.SWITCHES),
    "q2": (drive.make_caches, drive.cache_cases, Cache, WRONG_CACHES, judge.PLAIN + judge.GROUPED + judge.SOURCE),
    "q3": (
        drive.make_machines,
        drive.machine_cases,
        Machine,
        WRONG_MACHINES,
        judge.RUNNING + judge.TRAINING + judge.LIMITS,
    ),
}


@pytest.mark.parametrize("seed", range(30))
def test_the_counts_are_those_of_the_library(seed):
    for arguments in drive.parameter_cases(drive.make_shapes(seed)).values():
        shape = Shape(**arguments)
        config = TransformerConfig(
            shape.vocab_size,
            shape.d_model,
            1,
            n_encoder_layers=shape.n_encoder_layers,
            n_decoder_layers=shape.n_decoder_layers,
            d_ff=shape.d_ff,
            max_length=max(1, shape.n_positions),
            positions="learned" if shape.n_positions else "none",
            bias="all" if shape.bias else "none",
            tied=shape.tied,
        )
        assert shape.right == count_parameters(config)
    for arguments in drive.cache_cases(drive.make_caches(seed)).values():
        cache = Cache(**arguments)
        config = TransformerConfig(
            100,
            cache.d_model,
            cache.n_heads,
            cache.n_kv_heads,
            n_encoder_layers=1 if cache.source_length else 0,
            n_decoder_layers=cache.n_layers,
            max_length=600,
        )
        if cache.length:
            numbers = sum(cache_memory(config, cache.batch, cache.source_length, cache.length, "float16").values()) // 2
            assert cache.right == numbers * cache.bytes_a_number


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_mistake_is_seen_and_no_two_give_the_same_numbers(question, seed):
    make, cases_of, kind, wrong, names = QUESTIONS[question]
    cases = cases_of(make(seed))
    assert set(names) == set(cases)
    asked = [kind(**cases[name]) for name in names]
    right = tuple(one.right for one in asked)
    made = {sentence: tuple(version(one) for one in asked) for sentence, version in wrong}
    assert [sentence for sentence, numbers in made.items() if numbers == right] == []
    # Where two first go wrong in the same call, after the same right ones, the numbers must tell them apart.
    first = {s: next(i for i, (a, b) in enumerate(zip(n, right, strict=True)) if a != b) for s, n in made.items()}
    for (one, a), (two, b) in itertools.combinations(made.items(), 2):
        assert first[one] != first[two] or a[first[one]] != b[first[one]], f"{one}\n{two}"


@pytest.mark.parametrize("seed", range(30))
def test_the_machines_are_full_to_the_byte(seed):
    cases = {name: Machine(**case) for name, case in drive.machine_cases(drive.make_machines(seed)).items()}
    exact = cases["exact"]
    assert exact.right >= 5
    assert exact.memory_gib * 2**30 - 2 * exact.n_parameters == exact.right * exact.bytes_a_sequence
    assert cases["short"].right == exact.right - 1
    assert cases["no_room"].right == cases["too_large"].right == cases["train_too_large"].right == 0
    assert cases["train"].right == cases["train_wide"].right > 1000
