"""Lesson 10: how the learner's counts of parameters, of bytes of a cache, and of sequences that fit are called."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

PARAMETERS = (
    "count_parameters(vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, "
    "n_positions=0, tied=True, bias=True)"
)
CACHE = "cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2)"
LARGEST = "largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False)"
LIBRARY = ("lessons_lib.sizes", "lessons_lib.transformer", "lessons_lib.families", "lessons_lib.blocks")
GIB = 2**30
ONE_LAYER = {"n_encoder_layers": 1, "n_decoder_layers": 1}


def number_case(case: str, answer: Callable, arguments: Mapping[str, Any]) -> Arrays:
    """Call the answer once, with names. `case.number` is what it returns, or `case.error` says why there is none.

    A float, however round, is handed over as it is: `case.number` is then no integer, and the judge says so.
    """
    try:
        returned = call(lambda: answer(**arguments))
        return {f"{case}.number": _number(returned)}
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}


def _number(returned: Any) -> np.ndarray:
    if returned is None:
        raise Trouble("the function returns nothing (print only shows a value): end it with return")
    if isinstance(returned, torch.Tensor | np.ndarray) and returned.shape == ():
        returned = returned.item()
    if isinstance(returned, np.generic):
        returned = returned.item()
    if isinstance(returned, bool) or not isinstance(returned, int | float):
        raise Trouble(f"the function returns a {type(returned).__name__}, and one whole number is due")
    if isinstance(returned, int) and abs(returned) >= 2**63:
        raise Trouble("the number has more than 18 digits")
    return np.array(returned)


def make_shapes(seed: int) -> Arrays:
    """Sizes with which no two wrong counts are the same; d_ff is neither 3 nor 4 times d_model."""
    draw = np.random.default_rng(seed)
    sizes = {
        "vocab_size": draw.integers(900, 1100),
        "d_model": draw.integers(40, 48),
        "d_ff": draw.integers(195, 230),
        "n_encoder_layers": draw.choice([3, 5]),
        "n_decoder_layers": draw.choice([4, 7]),
        "n_positions": draw.integers(200, 260),
    }
    return {name: np.array(int(size)) for name, size in sizes.items()}


def parameter_cases(inputs: Arrays) -> dict[str, dict[str, Any]]:
    """The arguments of each call by the name of its case."""
    both = {name: int(inputs[name]) for name in ("vocab_size", "d_model", "d_ff")}
    both |= {name: int(inputs[name]) for name in ("n_encoder_layers", "n_decoder_layers")}
    decoder, encoder = both | {"n_encoder_layers": 0}, both | {"n_decoder_layers": 0}
    positions = {"n_positions": int(inputs["n_positions"])}
    return {
        "decoder": decoder,
        "positions": decoder | positions,
        "both": both,
        "both_positions": both | positions,
        "single": both | ONE_LAYER,
        "single_untied": both | ONE_LAYER | {"tied": False},
        "untied": decoder | {"tied": False},
        "no_bias": both | {"bias": False},
        "encoder": encoder | positions,
        "encoder_untied": encoder | {"tied": False},
        "bare": both | positions | {"tied": False, "bias": False},
        "gpt2": {
            "vocab_size": 50_257,
            "d_model": 768,
            "d_ff": 3072,
            "n_encoder_layers": 0,
            "n_decoder_layers": 12,
            "n_positions": 1024,
        },
    }


def make_caches(seed: int) -> Arrays:
    """A width that its heads and its key heads divide; all sizes different."""
    draw = np.random.default_rng(seed)
    kv_heads, group, d_head = (int(draw.choice(sizes)) for sizes in ([3, 5], [2, 4], [14, 22, 26]))
    heads = kv_heads * group
    sizes = {
        "d_model": heads * d_head,
        "n_heads": heads,
        "n_kv_heads": kv_heads,
        "n_layers": draw.choice([7, 9, 11]),
        "batch": draw.choice([13, 17, 19]),
        "length": draw.integers(300, 400),
        "source_length": draw.integers(410, 500),
    }
    return {name: np.array(int(size)) for name, size in sizes.items()}


def cache_cases(inputs: Arrays) -> dict[str, dict[str, Any]]:
    plain = {name: int(inputs[name]) for name in ("d_model", "n_heads", "n_layers", "batch", "length")}
    groups, source = {"n_kv_heads": int(inputs["n_kv_heads"])}, {"source_length": int(inputs["source_length"])}
    return {
        "short": plain | {"bytes_a_number": 1},  # first, for with 2 bytes a forgotten factor of 2 has two names
        "plain": plain,
        "grouped": plain | groups,
        "one": plain | {"n_kv_heads": 1},
        "source": plain | source,
        "all": plain | groups | source | {"bytes_a_number": 4},
        "empty": plain | {"length": 0},
    }


def make_machines(seed: int) -> Arrays:
    """Memory, a model that fills a part of it, and sequences of which many fit into the rest."""
    draw = np.random.default_rng(seed)
    gib = int(draw.choice([24, 40, 80]))
    sizes = {
        "memory_gib": gib,
        "n_parameters": int(gib * GIB * draw.uniform(0.022, 0.03)),  # 35 % to 48 % of it at 16 bytes a parameter
        "bytes_a_sequence": draw.integers(700_000, 900_000),
        "n_fitting": draw.integers(5, 30),
    }
    return {name: np.array(int(size)) for name, size in sizes.items()}


def machine_cases(inputs: Arrays) -> dict[str, dict[str, Any]]:
    """In "exact" the last sequence fits to the byte, in "alone" the only one, in "short" it does not.

    In "too_large" not even the model fits.
    """
    plain = {name: int(inputs[name]) for name in ("memory_gib", "n_parameters", "bytes_a_sequence")}
    fitting, parameters = int(inputs["n_fitting"]), int(inputs["memory_gib"]) * GIB // 4
    free = plain["memory_gib"] * GIB - 2 * parameters  # half of the memory, a power of two times 3 or 5
    training = {"training": True}
    exact = {"memory_gib": 1, "n_parameters": (GIB - fitting * 4096) // 2, "bytes_a_sequence": 4096}
    return {
        "plain": plain,
        "wide": plain | {"weight_bytes": 4},
        "train_wide": plain | training | {"weight_bytes": 4},
        "train": plain | training,
        "train_byte": plain | training | {"weight_bytes": 1},
        "exact": exact,
        "alone": exact | {"bytes_a_sequence": fitting * 4096},
        "short": exact | {"n_parameters": exact["n_parameters"] + 1},
        "no_room": plain | {"n_parameters": parameters, "bytes_a_sequence": free + 1},
        "too_large": plain | {"n_parameters": plain["memory_gib"] * GIB},
        "train_too_large": plain | training | {"n_parameters": plain["memory_gib"] * GIB // 10},
    }


def driver(cases: Callable[[Arrays], dict[str, dict[str, Any]]]) -> Callable[[Any, Arrays], Arrays]:
    """Calls an answer for every case."""

    def drive(answer: Any, inputs: Arrays) -> Arrays:
        arrays: Arrays = {}
        for name, arguments in cases(inputs).items():
            arrays |= number_case(name, answer, arguments)
        return arrays

    return drive


QUESTIONS = {
    "q1": Question("count the parameters", PARAMETERS, make_shapes, driver(parameter_cases), LIBRARY),
    "q2": Question("the bytes of a KV cache", CACHE, make_caches, driver(cache_cases), LIBRARY),
    "q3": Question("the largest batch that fits", LARGEST, make_machines, driver(machine_cases), LIBRARY),
}
