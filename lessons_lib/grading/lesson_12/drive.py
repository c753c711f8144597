"""Lesson 12: how the learner's greedy search, beam search and training step are called."""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lessons_lib.grading.arrays import text_array
from lessons_lib.grading.drive.calls import call, to_arrays
from lessons_lib.grading.drive.question import Arrays, Question, Trouble

GREEDY = "greedy(next_log_probabilities, eos_id, max_length)"
BEAM = "beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty)"
STEP = "training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing)"
VOCABULARY, LONGEST, SHORT, TABLES, EQUAL = 3, 7, 3, 120, 60
ENDS = (-1.5, *[-1.0] * (LONGEST - 1))  # by the place, what the logit of an end has more than that of a word
STARTS = np.cumsum([0, *(VOCABULARY**n for n in range(LONGEST))])  # where the beginnings of n tokens start in a table
TOO_MANY = "next_log_probabilities was asked for more than max_length tokens"
UNLIKELY = 250  # tokens, one of EQUALS each: their product is no number above 0 that a computer has
EQUALS = 20
TOKENS, STEPS, LEARNING_RATE = 11, 2, 0.1
CLIPPED = 0.3  # the norm that is asked for where the gradient must be shortened
SCALE = 5.0  # of the logits of the little model, so that its gradient is longer than 1
LIBRARY = ("lessons_lib.translation",)


class Search(NamedTuple):
    """One call: a table with a row of log-probabilities for each beginning, and the other arguments."""

    logs: np.ndarray  # (beginnings, V)
    eos_id: int
    max_length: int
    beam: int = 1
    length_penalty: float = 0.0

    def after(self, tokens: Sequence[int]) -> np.ndarray:
        """(V,) for what comes after these tokens."""
        number = 0
        for token in tokens:
            number = number * VOCABULARY + token
        return self.logs[STARTS[len(tokens)] + number].astype(np.float64)


def make_searches(seed: int) -> Arrays:
    """Tables of log-probabilities, some of them full of equal ones, in which an end comes now early, now late."""
    draw = np.random.default_rng(seed)
    eos_id = int(draw.integers(VOCABULARY))
    logits = draw.normal(scale=1.1, size=(TABLES + EQUAL, STARTS[-1], VOCABULARY))
    lengths = np.repeat(np.arange(LONGEST), np.diff(STARTS))
    logits[..., eos_id] += np.array(ENDS)[lengths]
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    # Halves add up exactly, in whatever order, so that equal totals are equal to the last bit.
    logs, equal = logs[:TABLES], np.round(2 * logs[TABLES:]) / 2
    return {"logs": logs.astype(np.float32), "equal": equal.astype(np.float32), "eos_id": np.array(eos_id)}


def greedy_cases(inputs: Arrays) -> dict[str, list[Search]]:
    """The calls of each case."""
    eos_id = int(inputs["eos_id"])
    plain = [Search(logs, eos_id, LONGEST) for logs in inputs["logs"]]
    return {
        "plain": plain,
        "short": [search._replace(max_length=SHORT) for search in plain],
        "equal": [Search(logs, eos_id, LONGEST) for logs in inputs["equal"]],
    }


def beam_cases(inputs: Arrays) -> dict[str, list[Search]]:
    plain = [search._replace(beam=3, length_penalty=1.0) for search in greedy_cases(inputs)["plain"]]
    equal = [search._replace(beam=3, length_penalty=1.0) for search in greedy_cases(inputs)["equal"]]
    penalties = [search._replace(length_penalty=(0.0, 0.5, 2.0)[i % 3]) for i, search in enumerate(plain)]
    return {
        "plain": plain + [search._replace(beam=2, length_penalty=2.0) for search in plain],
        "penalties": penalties,
        "one": [search._replace(beam=1) for search in plain],
        "short": [search._replace(max_length=SHORT, beam=2) for search in plain],
        "wide": [search._replace(beam=9) for search in plain[:4]],  # more beams than there are first tokens
        "equal": equal,
    }


class Next:
    """The `next_log_probabilities` of a search; asked about what cannot be asked, it says why."""

    def __init__(self, search: Search):
        self.search = search
        self.begun = False

    def __call__(self, tokens: Sequence[int]) -> torch.Tensor:
        if isinstance(tokens, torch.Tensor):
            raise TypeError("next_log_probabilities reads a list of token ids: hand in tokens.tolist(), not the tensor")
        if isinstance(tokens, list | tuple) and any(isinstance(token, torch.Tensor) for token in tokens):
            raise TypeError("a token id in the list is a tensor: .item() makes a number of it")
        whole = isinstance(tokens, list | tuple) and all(isinstance(t, numbers.Integral) for t in tokens)
        if not whole or not all(0 <= t < VOCABULARY for t in tokens):
            raise TypeError(
                "next_log_probabilities reads a list of token ids, the tokens so far; at the start it is empty"
            )
        if tokens and not self.begun:
            raise ValueError(
                f"next_log_probabilities was asked first what follows {list(tokens)[:8]}: each call begins with none"
            )
        self.begun = True
        if self.search.eos_id in tokens:
            raise ValueError(
                "next_log_probabilities was asked what follows an end: a beginning with eos_id is finished"
            )
        if len(tokens) >= self.search.max_length:
            raise ValueError(TOO_MANY)
        return torch.from_numpy(self.search.after([int(t) for t in tokens]))


def _searched(case: str, answer: Callable, searches: list[Search], arguments: Callable[[Search], tuple]) -> Arrays:
    """`case.tokens` (searches, longest), −1 behind the end, and `case.log_probability`; or `case.error`."""
    tokens = np.full((len(searches), LONGEST), -1)
    logs = np.zeros(len(searches))
    try:
        for i, search in enumerate(searches):
            found, logs[i] = _result(call(answer, Next(search), search.eos_id, *arguments(search)))
            if len(found) > LONGEST:
                raise Trouble(f"the function returns {len(found)} tokens; max_length was {search.max_length}")
            tokens[i, : len(found)] = found
    except Trouble as trouble:
        return {f"{case}.error": text_array(str(trouble))}
    return {f"{case}.tokens": tokens, f"{case}.log_probability": logs}


def _result(returned: Any) -> tuple[list[int], float]:
    if returned is None:
        raise Trouble("the function returns nothing: end it with `return tokens, log_probability`")
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise Trouble("two things are due: end the function with `return tokens, log_probability`")
    tokens, log_probability = returned
    if isinstance(tokens, float) and isinstance(log_probability, list):
        raise Trouble("the two results are exchanged: end the function with `return tokens, log_probability`")
    tokens = tokens.tolist() if isinstance(tokens, torch.Tensor) else tokens
    if not isinstance(tokens, list | tuple) or not all(isinstance(token, numbers.Integral) for token in tokens):
        raise Trouble("`tokens` is not a list of token ids (is an item a tensor? .item() makes a number of it)")
    if isinstance(log_probability, torch.Tensor) and log_probability.numel() == 1:
        log_probability = log_probability.item()
    if isinstance(log_probability, bool) or not isinstance(log_probability, numbers.Real):
        raise Trouble("`log_probability` is not a number")
    return [int(token) for token in tokens], float(log_probability)


def _unlikely(answer: Callable, *more: int | float) -> Arrays:
    """`unlikely.log_probability` of many tokens, of which each is one of EQUALS, and none of them the end."""
    logs = torch.full((EQUALS + 1,), -math.log(EQUALS), dtype=torch.float64)
    logs[-1] = -math.inf

    def after(tokens: list[int]) -> torch.Tensor:
        if len(tokens) >= UNLIKELY:  # a search without max_length would go on until the time is up
            raise ValueError(TOO_MANY)
        return logs.clone()

    try:
        _, total = _result(call(answer, after, EQUALS, UNLIKELY, *more))
    except Trouble as trouble:
        return {"unlikely.error": text_array(str(trouble))}
    return {"unlikely.log_probability": np.array(total)}


def drive_greedy(greedy, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    cases = greedy_cases(inputs)
    for name, searches in (cases | {"again": cases["plain"]}).items():
        arrays |= _searched(name, greedy, searches, lambda search: (search.max_length,))
    return arrays | _unlikely(greedy)


def drive_beam(beam_search, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, searches in beam_cases(inputs).items():
        arrays |= _searched(name, beam_search, searches, lambda s: (s.max_length, s.beam, s.length_penalty))
    return arrays | _unlikely(beam_search, 2, 0.0)


def make_batches(seed: int) -> Arrays:
    """Sentences with their `</s>` and padding, and the parameters that the little model starts from."""
    draw = np.random.default_rng(seed)
    rows, length = 4, int(draw.integers(6, 9))
    pad_id, bos_id, eos_id = (int(token) for token in draw.permutation(np.arange(1, TOKENS))[:3])
    words = np.array([token for token in range(TOKENS) if token not in (pad_id, bos_id, eos_id)])
    tgt = draw.choice(words, size=(STEPS, rows, length))
    tgt[:, :, 0] = 0  # a word like any other here, as is every id but three
    ends = np.array([length, length - 2, length - 3, 3])
    tgt[:, np.arange(rows), ends - 1] = eos_id
    tgt = np.where(np.arange(length) < ends[:, None], tgt, pad_id)
    return {
        "src": draw.choice(words, size=(STEPS, rows, 5)),
        "tgt": tgt,
        "ids": np.array([bos_id, pad_id]),
        "by_token": draw.normal(scale=1.5 / SCALE, size=(TOKENS, TOKENS)),
        "by_source": draw.normal(scale=1.5 / SCALE, size=(TOKENS, TOKENS)),
    }


def step_cases(inputs: Arrays) -> dict[str, tuple[Arrays, float, float]]:
    """For each case the inputs, the norm to clip to, and the label smoothing."""
    full = inputs | {"tgt": inputs["tgt"][:, :1].repeat(2, axis=1), "src": inputs["src"][:, :2]}
    return {
        "free": (inputs, 100.0, 0.1),
        "clipped": (inputs, CLIPPED, 0.1),
        "sharp": (inputs, 100.0, 0.0),
        "full": (full, CLIPPED, 0.2),
    }


class Tiny(nn.Module):
    """Logits that depend on the token just read and on the first one of the source; it remembers how it was called."""

    def __init__(self, inputs: Arrays):
        super().__init__()
        self.by_token, self.by_source = (
            nn.Parameter(torch.from_numpy(inputs[name].copy())) for name in ("by_token", "by_source")
        )
        self.lengths = inputs["src"].shape[2], inputs["tgt"].shape[2]
        self.trained: list[bool] = []
        self.reads: list[np.ndarray] = []

    def forward(self, src: torch.Tensor, tgt_in: torch.Tensor) -> torch.Tensor:
        """(B, S) and (B, T) to (B, T, V)."""
        if not all(isinstance(x, torch.Tensor) and x.dim() == 2 and not x.is_floating_point() for x in (src, tgt_in)):
            raise TypeError("the model reads src (B, S) and tgt_in (B, T), token ids")
        if (src.shape[1], tgt_in.shape[1]) == self.lengths[::-1]:
            raise TypeError("the two are exchanged: the model is called as model(src, tgt_in)")
        self.trained.append(self.training)
        self.reads.append(tgt_in.detach().numpy().copy())
        return SCALE * (self.by_token[tgt_in] + self.by_source[src[:, 0]][:, None])


def drive_step(training_step, inputs: Arrays) -> Arrays:
    arrays: Arrays = {}
    for name, (given, clip_norm, smoothing) in step_cases(inputs).items():
        try:
            arrays |= {
                f"{name}.{key}": value for key, value in _steps(training_step, given, clip_norm, smoothing).items()
            }
        except Trouble as trouble:
            arrays[f"{name}.error"] = text_array(str(trouble))
    return arrays


def _steps(training_step, inputs: Arrays, clip_norm: float, smoothing: float) -> Arrays:
    model = Tiny(inputs).eval()  # as it comes back from a test between two steps
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    steps: list[torch.optim.Optimizer] = []
    optimizer.register_step_post_hook(lambda stepped, *_: steps.append(stepped))
    bos_id, pad_id = inputs["ids"].tolist()
    losses, weights = [], []
    for src, tgt in zip(inputs["src"], inputs["tgt"], strict=True):
        given = [torch.from_numpy(side.copy()) for side in (src, tgt)]
        loss = call(training_step, model, optimizer, *given, bos_id, pad_id, clip_norm, smoothing)
        losses.append(_loss(loss))
        if not np.array_equal(given[1].numpy(), tgt):
            raise Trouble("the step changes the caller's tgt: make a new tensor for what is read")
        weights.append([model.by_token.detach().numpy().copy(), model.by_source.detach().numpy().copy()])
        model.eval()
    if len(model.reads) != STEPS:
        calls = f"{STEPS} steps call the model {len(model.reads)} times"
        raise Trouble(f"{calls}; once a step is due, for the loss before the update")
    reads = [torch.from_numpy(read) for read in model.reads]
    return to_arrays(
        {
            "loss": torch.tensor(losses, dtype=torch.float64),
            "weights": torch.from_numpy(np.array(weights)),
            "trained": torch.tensor(model.trained),
            "stepped": torch.tensor(len(steps)),
            "reads": torch.stack(reads),
        }
    )


def _loss(loss: Any) -> float:
    if loss is None:
        raise Trouble("the step returns nothing: end it with `return loss`")
    if isinstance(loss, torch.Tensor):
        if loss.numel() != 1:
            raise Trouble(
                f"the loss has the shape {tuple(loss.shape)}; one number is due, the mean over the real tokens"
            )
        loss = loss.item()
    if isinstance(loss, bool) or not isinstance(loss, numbers.Real):
        raise Trouble(f"the step returns a {type(loss).__name__}; the loss is due, a number")
    return float(loss)


QUESTIONS = {
    "q1": Question("greedy search", GREEDY, make_searches, drive_greedy, LIBRARY, seconds=20.0),
    "q2": Question("beam search with a length penalty", BEAM, make_searches, drive_beam, LIBRARY, seconds=20.0),
    # PyTorch loads much of itself when the first optimizer is made.
    "q3": Question("one step of training", STEP, make_batches, drive_step, LIBRARY, seconds=20.0),
}
