"""Lesson 12: what the learner's searches and their training step must give, step by step."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import Wrong, close, name_mistake
from lessons_lib.grading.judge.properties import another
from lessons_lib.grading.judge.step import Case, Cases, Step
from lessons_lib.grading.judge.variations import name_variation
from lessons_lib.grading.lesson_12.drive import (
    CLIPPED,
    EQUALS,
    LONGEST,
    SHORT,
    UNLIKELY,
    Search,
    beam_cases,
    greedy_cases,
    step_cases,
)
from lessons_lib.grading.lesson_12.drive import STEPS as TRAINING_STEPS
from lessons_lib.grading.lesson_12.mistakes import (
    BEAM_AXES,
    KNOWN_BEAMS,
    KNOWN_EQUAL_BEAMS,
    KNOWN_GREEDY,
    KNOWN_STEPS,
    WRONG_CLIPS,
    WRONG_EQUAL_GREEDY,
    beam_search,
    greedy,
    moved,
    train,
)

Inputs = dict[str, np.ndarray]


def flat(searches: list[Search], version: Callable) -> np.ndarray:
    """What a version finds: of each search the tokens, −1 behind their end, and the log-probability."""
    rows = []
    for search in searches:
        tokens, total = version(search)
        rows.append([*tokens, *[-1] * (LONGEST - len(tokens)), total])
    return np.array(rows, dtype=np.float64)


def given(case: Case) -> np.ndarray:
    return np.concatenate([case["tokens"], case["log_probability"][:, None]], axis=1)


def named(case: Case, searches: list[Search], wrong: list[Wrong]) -> str | None:
    versions = [(sentence, lambda s, version=version: flat(s, version)) for sentence, version in wrong]
    return name_mistake(given(case), versions, searches)


def differs(case: Case, searches: list[Search], right: Callable, sentence: str) -> str | None:
    """The sentence and the first search that went wrong, or None."""
    if case.error is not None:
        return f"{sentence}: {case.error}."
    found, due = given(case), flat(searches, right)
    if close(found, due):
        return None
    if np.array_equal(found[:, :-1], due[:, :-1]):
        sentence = "The tokens are right, but not their log-probability"
    i = int(np.argmax(~np.isclose(found, due, rtol=1e-4, atol=1e-4).all(axis=1)))
    return f"{sentence}: {_text(found[i])} where {_text(due[i])} is due (eos_id={searches[i].eos_id})."


def _not_finite(case: Case) -> str | None:
    if np.isfinite(case["log_probability"]).all():
        return None
    return (
        "The log-probability is NaN or infinite: next_log_probabilities gives logarithms already, all of them below 0; "
        "add them up as they are."
    )


def _underflows(case: Case) -> str | None:
    sentence = f"Right for short sentences, but not for {UNLIKELY} tokens of the probability 1/{EQUALS} each"
    if case.error is not None:
        return f"{sentence}: {case.error}."
    total, due = float(case["log_probability"]), -UNLIKELY * np.log(EQUALS)
    if close(np.array(total), np.array(due)):
        return None
    return f"{sentence}: {total:.4g} in place of {due:.4g}. Add logarithms; a product of probabilities becomes 0."


def _equals(
    cases: Cases, calls: dict[str, list[Search]], right: Callable, wrong: list[Wrong], sentence: str
) -> str | None:
    """Where several choices are equally good, only one of them is due."""
    case, searches = cases["equal"], calls["equal"]
    hint = differs(case, searches, right, sentence)
    return (hint and case.error is None and named(case, searches, wrong)) or hint


def _text(row: np.ndarray) -> str:
    return f"{[int(token) for token in row[:-1] if token >= 0]} with {row[-1]:.4g}"


def runs(inputs: Inputs, cases: Cases) -> str | None:
    error = cases["plain"].error
    if error is not None and ("empty sequence" in error or "argument is empty" in error):
        return f"Nothing is finished: with max_length tokens a translation is, even without eos_id. ({error})"
    return error


def beam_runs(inputs: Inputs, cases: Cases) -> str | None:
    error = runs(inputs, cases)
    if error is not None and "selected index k out of range" in error:
        return f"topk asks for more candidates than there are; min(2 * beam, their number) is enough. ({error})"
    if error is None or "list index out of range" not in error:
        return error
    return (
        "A list is shorter than the code takes it to be: are there fewer candidates than `beam`, does a beginning lose "
        "some of its extensions, are those that ended taken out before the rest is cut to `beam`, and is each list of "
        "tokens a new one, tokens + [token]? "
        f"({error})"
    )


def greedy_values(inputs: Inputs, cases: Cases) -> str | None:
    searches, case = greedy_cases(inputs)["plain"], cases["plain"]
    if close(given(case), flat(searches, greedy)):
        return None
    again = cases["again"]
    if again.error is None and another(given(again), given(case)):
        return "The same call gives another answer each time: greedy search draws nothing, it takes the most probable."
    hint = _not_finite(case) or named(case, searches, KNOWN_GREEDY)
    return hint or differs(case, searches, greedy, "The search takes another way")


def greedy_properties(inputs: Inputs, cases: Cases) -> str | None:
    calls = greedy_cases(inputs)
    sentence = f"Right up to {LONGEST} tokens, but not with max_length={SHORT}"
    if hint := differs(cases["short"], calls["short"], greedy, sentence):
        return hint
    if hint := _underflows(cases["unlikely"]):
        return hint
    return _equals(cases, calls, greedy, WRONG_EQUAL_GREEDY, "Where tokens are equally probable")


def beam_values(inputs: Inputs, cases: Cases) -> str | None:
    searches, case = beam_cases(inputs)["plain"], cases["plain"]
    if close(given(case), flat(searches, beam_search)):
        return None
    hint = _not_finite(case) or named(case, searches, KNOWN_BEAMS)
    hint = hint or name_variation(given(case), partial(_otherwise, given(case), searches), BEAM_AXES)
    return hint or differs(case, searches, beam_search, _where(inputs, cases))


def _otherwise(due: np.ndarray, searches: list[Search], **how: Any) -> np.ndarray:
    """Beam search with some of its choices made otherwise.

    Raises:
        ValueError: the first few searches tell already that they are others.
    """
    version = partial(beam_search, **how)
    if not close(flat(searches[:20], version), due[:20], 1e-3):
        raise ValueError("other choices")
    return flat(searches, version)


def _where(inputs: Inputs, cases: Cases) -> str:
    """What the mistake has to do with, by the calls that are right."""
    penalties = flat(beam_cases(inputs)["penalties"], beam_search)
    if cases["penalties"].error is None and close(given(cases["penalties"])[::3], penalties[::3]):
        return (
            "Right with length_penalty=0, so look at the score, and at when the search stops (rule 5); else another "
            "translation wins"
        )
    if cases["one"].error is None and close(given(cases["one"]), flat(beam_cases(inputs)["one"], beam_search)):
        return "Right with beam=1, so look at how beginnings compete and end; else another translation wins"
    return "Another translation wins"


def beam_properties(inputs: Inputs, cases: Cases) -> str | None:
    calls = beam_cases(inputs)
    sentences = {
        "penalties": "Right with 3 beams and α = 1, or 2 beams and α = 2, but not with 3 beams and other α",
        "one": "With beam=1 this is not greedy search",
        "short": f"Right up to {LONGEST} tokens, but not with max_length={SHORT}",
        "wide": "Not right with more beams than there are tokens to begin with",
    }
    for name, sentence in sentences.items():
        if hint := differs(cases[name], calls[name], beam_search, sentence):
            return hint
    if hint := _underflows(cases["unlikely"]):
        return hint
    return _equals(cases, calls, beam_search, KNOWN_EQUAL_BEAMS, "Where candidates have equal totals")


def step_runs(inputs: Inputs, cases: Cases) -> str | None:
    free = cases["free"]
    if free.error is not None:
        return free.error
    bos_id = int(inputs["ids"][0])
    due = np.stack([moved(tgt, bos_id) for tgt in inputs["tgt"]])
    if free["reads"].shape == due.shape:
        return None
    return f"The decoder reads {free['reads'].shape[2]} tokens a row; {due.shape[2]} are due, as many as tgt has."


def step_values(inputs: Inputs, cases: Cases) -> str | None:
    case, arguments = cases["free"], step_cases(inputs)["free"]
    if _flat(case).shape != (due := train(*arguments)).shape:
        return "The parameters have changed their shape."
    if not int(case["stepped"]) and not close(case["weights"][0], np.stack([inputs["by_token"], inputs["by_source"]])):
        return "The parameters move, but not by the `optimizer` that is given: call its step, and make no other."
    if not close(_flat(case), due):
        return name_mistake(_flat(case), KNOWN_STEPS, *arguments) or _first_difference(case, due, "")
    return None


def step_clips(inputs: Inputs, cases: Cases) -> str | None:
    case, arguments = cases["clipped"], step_cases(inputs)["clipped"]
    if case.error is not None:
        return f"Right with clip_norm=100, but not with clip_norm={CLIPPED}: {case.error}."
    if close(_flat(case), due := train(*arguments)):
        return None
    hint = name_mistake(_flat(case), WRONG_CLIPS, *arguments)
    return hint or _first_difference(case, due, f"Right with clip_norm=100, but not with clip_norm={CLIPPED}: ")


def step_properties(inputs: Inputs, cases: Cases) -> str | None:
    if not cases["free"]["trained"].all():
        return "The model is in evaluation mode while it learns, so dropout does nothing: call model.train() first."
    sentences = {
        "sharp": "Right with label smoothing, but not with label_smoothing=0",
        "full": "Right with padding, but not where there is none",
    }
    for name, sentence in sentences.items():
        if cases[name].error is not None:
            return f"{sentence}: {cases[name].error}."
        due = train(*step_cases(inputs)[name])
        if not close(_flat(cases[name]), due):
            return _first_difference(cases[name], due, f"{sentence}: ")
    return None


def _flat(case: Case) -> np.ndarray:
    return np.concatenate([case["loss"], case["weights"].ravel()])


def _first_difference(case: Case, due: np.ndarray, sentence: str) -> str:
    if close(case["weights"].ravel(), due[TRAINING_STEPS:]):
        sentence += "The parameters move as they must, but another loss is returned: "
    for step, (loss, right) in enumerate(zip(case["loss"], due, strict=False)):
        if abs(loss - right) > 1e-4 * max(1.0, abs(right)):
            before = " That of step 1 is right: look at what moves the parameters." if step else ""
            return f"{sentence}the loss of step {step + 1} is {loss:.4g} and should be {right:.4g}.{before}"
    size = case["weights"][0].size
    parts = np.split(case["weights"].ravel(), TRAINING_STEPS), np.split(due[TRAINING_STEPS:], TRAINING_STEPS)
    step = next(i for i, pair in enumerate(zip(*parts, strict=True)) if not close(*pair))
    given, right = (part[step] for part in parts)
    return (
        f"{sentence}the loss of step 1 is right, but not the update of step {step + 1}: "
        f"{int((~np.isclose(given, right, 1e-4, 1e-4)).sum())} of {size} parameters differ."
    )


STEPS = {
    "q1": (
        Step("runs, and gives tokens and a number", 0, runs),
        Step("the most probable token, until the end", 2, greedy_values),
        Step("it holds for short limits and for equal probabilities", 1, greedy_properties),
    ),
    "q2": (
        Step("runs, and gives tokens and a number", 0, beam_runs),
        Step("the best translation wins", 3, beam_values),
        Step("it holds for every width, penalty, limit, and for equal totals", 1, beam_properties),
    ),
    "q3": (
        Step("runs, and reads as many tokens as it says", 0, step_runs),
        Step("the loss and the update are right", 1, step_values),
        Step("the gradient is clipped before the update", 1, step_clips),
        Step("in training mode, and for every smoothing", 1, step_properties),
    ),
}
