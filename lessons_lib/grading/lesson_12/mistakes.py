"""Lesson 12: searches and training steps in double precision, right, and wrong in the ways that have a name."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lessons_lib.grading.judge.compare import Wrong
from lessons_lib.grading.judge.variations import Axes
from lessons_lib.grading.lesson_12.drive import LEARNING_RATE, SCALE, STEPS, TOKENS, Search

Found = tuple[list[int], float]
Score = Callable[[list[int], float, float], float]


def greedy(search: Search, *, pick=np.argmax, ends: bool = True, reads: Callable = list) -> Found:
    """The most probable token, again and again; of equal ones the lowest id."""
    tokens, total = [], 0.0
    while len(tokens) < search.max_length:
        logs = search.after(reads(tokens))
        tokens.append(int(pick(logs)))
        total += logs[tokens[-1]]
        if ends and tokens[-1] == search.eos_id:
            break
    return tokens, total


def last_of_equals(logs: np.ndarray) -> int:
    return len(logs) - 1 - int(np.argmax(logs[::-1]))


def logs_of(search: Search, tokens: list[int]) -> list[float]:
    """The log-probability of each of these tokens after those before it."""
    return [search.after(tokens[:t])[token] for t, token in enumerate(tokens)]


def without_end(search: Search, found: Found) -> Found:
    tokens, total = found
    return (tokens[:-1] if tokens[-1] == search.eos_id else tokens), total


def summed(search: Search, found: Found, sum_of: Callable[[np.ndarray, list[int]], float]) -> Found:
    """The same tokens with another number beside them."""
    tokens, _ = found
    return tokens, float(sum_of(np.array(logs_of(search, tokens)), tokens))


def _chosen(search: Search, choose: Callable[[np.ndarray, list[int]], np.ndarray]) -> Found:
    """Greedy search over log-probabilities that were changed before the choice."""
    tokens, total = [], 0.0
    while len(tokens) < search.max_length and search.eos_id not in tokens:
        logs = search.after(tokens)
        tokens.append(int(np.argmax(choose(logs.copy(), tokens))))
        total += logs[tokens[-1]]
    return tokens, total


def _without_repeats(search: Search) -> Found:
    def choose(logs: np.ndarray, tokens: list[int]) -> np.ndarray:
        logs[tokens[-1:]] = -np.inf
        return logs

    return _chosen(search, choose)


def _never_empty(search: Search) -> Found:
    def choose(logs: np.ndarray, tokens: list[int]) -> np.ndarray:
        if not tokens:
            logs[search.eos_id] = -np.inf
        return logs

    return _chosen(search, choose)


# What greedy search gives for a search s.
WRONG_GREEDY: list[Wrong] = [
    (
        "eos_id is missing from the tokens: it is the last token of a sentence that has ended, and belongs to it.",
        lambda s: without_end(s, greedy(s)),
    ),
    (
        "The least probable token is taken; argmax finds the most probable one.",
        lambda s: greedy(s, pick=np.argmin),
    ),
    (
        "The log-probability is that of the last token alone; add up those of all tokens.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs[-1]),
    ),
    (
        "The log-probability of the end is missing from the sum: to end is a choice like every other.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs.sum() - logs[-1] * (tokens[-1] == s.eos_id)),
    ),
    (
        "The probability is returned, and its logarithm is due: add the log-probabilities up.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: np.exp(logs.sum())),
    ),
    (
        "Probabilities are added up; the log-probabilities are what is added.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: np.exp(logs).sum()),
    ),
    (
        "The log-probability is divided by the length; greedy search compares nothing, so the plain sum is due.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs.mean()),
    ),
    (
        "The log-probability has the wrong sign: a sum of logarithms of probabilities is negative.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: -logs.sum()),
    ),
    (
        "Only the last token is given to next_log_probabilities; it needs all the tokens so far.",
        lambda s: greedy(s, reads=lambda tokens: tokens[-1:]),
    ),
    (
        "The search stops one token before max_length.",
        lambda s: greedy(s._replace(max_length=s.max_length - 1)),
    ),
    (
        "All tokens are chosen from what follows the start: next_log_probabilities never gets the tokens so far.",
        lambda s: greedy(s, reads=lambda tokens: []),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_GREEDY: list[Wrong] = [
    (
        "The last token is cut off, whatever it is; all that were written are returned, eos_id too.",
        lambda s: (lambda tokens, total: (tokens[:-1], total))(*greedy(s)),
    ),
    (
        "The last of max_length tokens is made eos_id; where the sentence has not ended it stays what it is.",
        lambda s: (lambda tokens, total: ([*tokens[:-1], s.eos_id], total))(*greedy(s)),
    ),
    (
        "The end is missing, from the tokens and from the sum: eos_id is the last token of a sentence that has "
        "ended, and to end is a choice like every other.",
        lambda s: (
            without_end(s, found := greedy(s))[0],
            summed(s, found, lambda logs, tokens: logs.sum() - logs[-1] * (tokens[-1] == s.eos_id))[1],
        ),
    ),
    (
        "The log-probabilities are multiplied; probabilities are, and their logarithms are added.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs.prod()),
    ),
    (
        "The log-probability is that of the first token alone; add up those of all tokens.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs[0]),
    ),
    (
        "The log-probability stays 0: does the sum begin with 0 and multiply? Log-probabilities are added.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: 0.0),
    ),
    (
        "The log-probability is the largest or the smallest of those of the tokens; add all of them up.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs.max()),
    ),
    (
        "The log-probability is the largest or the smallest of those of the tokens; add all of them up.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: logs.min()),
    ),
    (
        "The log-probabilities are cut to whole numbers; add them up as they are.",
        lambda s: summed(s, greedy(s), lambda logs, tokens: np.trunc(logs).sum()),
    ),
    (
        "next_log_probabilities never gets the last token; it needs all the tokens so far.",
        lambda s: greedy(s, reads=lambda tokens: tokens[:-1]),
    ),
    (
        "A token may not follow itself here; the most probable one is due, whatever it is.",
        lambda s: _without_repeats(s),
    ),
    (
        "The sentence may not end at once here; the most probable token is due, and that may be eos_id.",
        lambda s: _never_empty(s),
    ),
]

WRONG_EQUAL_GREEDY: list[Wrong] = [
    (
        "Of equally probable tokens the last is taken; take the one with the lowest id (argmax does).",
        lambda s: greedy(s, pick=last_of_equals),
    ),
]


def normalised(tokens: list[int], total: float, penalty: float) -> float:
    """Wu et al. 2016, equation 14."""
    return total / ((5 + len(tokens)) / 6) ** penalty


def may_win(best_open: float, finished: list[float], beam: int) -> bool:
    return len(finished) < beam or bool(best_open > max(finished))


ALL = 1_000_000  # more candidates than there are


def beam_search(
    search: Search,
    *,
    score: Score = normalised,
    choose: Score | None = None,
    ahead: Score | None = None,
    go_on: Callable[[float, list[float], int], bool] = may_win,
    rank: Callable[[float, float], float] = lambda total, log: total + log,
    add: Callable[[float, float], float] = lambda total, log: total + log,
    refill: bool = True,
    ends_among: Callable[[int], int] = lambda beam: beam,
    counts_anew: bool = False,
    cut_off: bool = True,
    in_order: Callable[[int, list[int]], Any] = lambda place, tokens: place,
    width: Callable[[int, int], int] = lambda beam, done: beam,
    extensions: Callable[[int], int] = lambda beam: ALL,
    start: float = 0.0,
) -> Found:
    """As `search.decoding.n_best`, from a table; the keywords exchange a rule for a wrong one."""
    beam, penalty = search.beam, search.length_penalty
    beams: list[Found] = [([], start)]
    finished: list[Found] = []
    for length in range(1, search.max_length + 1):
        candidates = []
        for tokens, total in beams:
            logs = search.after(tokens)
            mine = [([*tokens, token], add(total, log), rank(total, log)) for token, log in enumerate(logs)]
            kept = extensions(beam) if tokens else ALL
            candidates += mine if kept >= len(mine) else sorted(mine, key=lambda one: -one[2])[:kept]
        order = sorted(
            range(len(candidates)), key=lambda place: (-candidates[place][2], in_order(place, candidates[place][0]))
        )
        found = [candidates[place][:2] for place in order]
        last = length == search.max_length and cut_off
        before = len(finished)
        for place, one in enumerate(found):
            if (place < beam and last) or (place < ends_among(beam) and one[0][-1] == search.eos_id):
                finished.append(one)
        goes_on = [one for one in (found if refill else found[:beam]) if one[0][-1] != search.eos_id]
        beams = goes_on[: width(beam, len(finished))]
        if not beams:
            break
        scores = [score(*one, penalty) for one in finished]
        if not go_on((ahead or score)(*beams[0], penalty), scores, beam + before * counts_anew):
            break
    if not finished:
        raise ValueError("nothing has ended")
    return max(finished, key=lambda one: (choose or score)(*one, penalty))


def _stops_by_totals(search: Search) -> Found:
    """The score decides who wins, and the plain sum when to stop."""
    return beam_search(search, score=lambda tokens, total, a: total, choose=normalised)


def _last_finished(search: Search) -> Found:
    number = iter(range(10**9))
    return beam_search(search, choose=lambda tokens, total, a: float(next(number)))


def _ended_if_any(search: Search) -> Found:
    try:
        return beam_search(search, cut_off=False)
    except ValueError:
        return beam_search(search)


def _from_one(search: Search) -> Found:
    return beam_search(search, start=1.0)


def _multiplied(search: Search) -> Found:
    """The product of log-probabilities in place of their sum, which is 0 all along."""
    tokens, _ = beam_search(search, rank=lambda total, log: 0.0)
    return tokens, 0.0


def rescored(search: Search, found: Found) -> Found:
    tokens, total = found
    return tokens, normalised(tokens, total, search.length_penalty)


# What beam search gives for a search s.
WRONG_BEAMS: list[Wrong] = [
    (
        "The length penalty is not used, or the same for all: plain log-probabilities decide, and short ones win.",
        lambda s: beam_search(s._replace(length_penalty=0.0)),
    ),
    (
        "The score is divided by the length to the power of α; divide by ((5 + length) / 6) to the power of α.",
        lambda s: beam_search(s, score=lambda tokens, total, a: total / len(tokens) ** a),
    ),
    (
        "The score is multiplied by ((5 + length) / 6)^α, so that long translations lose twice; divide by it.",
        lambda s: beam_search(s, score=lambda tokens, total, a: total * ((5 + len(tokens)) / 6) ** a),
    ),
    (
        "The exponent is always 1 (length_penalty left out, or multiplied?): ((5 + length) / 6) ** length_penalty.",
        lambda s: beam_search(s, score=lambda tokens, total, a: total / ((5 + len(tokens)) / 6 * a)),
    ),
    (
        "The length in the penalty leaves the end out; eos_id is one of the tokens and counts.",
        lambda s: beam_search(s, score=lambda tokens, total, a: normalised(tokens[:-1], total, a)),
    ),
    (
        "The search stops at the first translation that ends, or takes the shortest; a later one may score higher.",
        lambda s: beam_search(s, go_on=lambda best, finished, beam: not finished),
    ),
    (
        "The search stops as soon as `beam` translations have ended, though the best beginning is ahead of them all.",
        lambda s: beam_search(s, go_on=lambda best, finished, beam: len(finished) < beam),
    ),
    (
        "The search stops when no beginning is ahead of what has ended, though fewer than `beam` have ended.",
        lambda s: beam_search(s, go_on=lambda best, finished, beam: not finished or best > max(finished)),
    ),
    (
        "The search stops late or never: it must when `beam` have ended in all and no beginning is ahead of them.",
        lambda s: beam_search(s, go_on=lambda best, finished, beam: True),
    ),
    (
        "What has ended takes a place in the beam, so fewer and fewer go on; fill up with the next candidates.",
        lambda s: beam_search(s, refill=False),
    ),
    (
        "Ends behind the first `beam` candidates count as finished too; only those among the first `beam` do.",
        lambda s: beam_search(s, ends_among=lambda beam: ALL),
    ),
    (
        "Candidates are ranked by their last token alone; rank them by the log-probability of all their tokens.",
        lambda s: beam_search(s, rank=lambda total, log: log),
    ),
    (
        "The normalised score is returned; return the log-probability, the plain sum.",
        lambda s: rescored(s, beam_search(s)),
    ),
    (
        "The worst of the finished translations is returned; the one with the highest score is due.",
        lambda s: beam_search(s, choose=lambda tokens, total, a: -normalised(tokens, total, a)),
    ),
    (
        "Whatever `beam` is, this is greedy search: begin with *one* empty beginning, and let all extensions compete.",
        lambda s: beam_search(s._replace(beam=1)),
    ),
    (
        "The last step is missing: translations may have max_length tokens.",
        lambda s: beam_search(s._replace(max_length=s.max_length - 1)),
    ),
    (
        "eos_id is missing from the tokens of the result; it is the last of them.",
        lambda s: without_end(s, beam_search(s)),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_BEAMS: list[Wrong] = [
    (
        "Behind the first step each beginning goes on with its best token alone; all extensions of all beginnings "
        "compete.",
        lambda s: beam_search(s, extensions=lambda beam: 1),
    ),
    (
        "Each beginning keeps its `beam` best extensions only; where one of them ends, the next one is missing.",
        lambda s: beam_search(s, extensions=lambda beam: beam),
    ),
    (
        "Ends behind the first `beam` candidates count as finished too; only those among the first `beam` do.",
        lambda s: beam_search(s, ends_among=lambda beam: 2 * beam),
    ),
    (
        "The search stops when more than `beam` have ended; `beam` are enough where no beginning is ahead of them.",
        lambda s: beam_search(s, go_on=lambda best, done, beam: len(done) <= beam or best > max(done)),
    ),
    (
        "The search stops late or never: it must when `beam` have ended in all and no beginning is ahead of them.",
        lambda s: beam_search(s, counts_anew=True),
    ),
    (
        "A single beginning goes on, the best; the first `beam` candidates without an end do.",
        lambda s: beam_search(s, width=lambda beam, done: 1),
    ),
    (
        "The brackets in the score are missing: it is divided by (5 + length / 6), and ((5 + length) / 6) is due.",
        lambda s: beam_search(s, score=lambda tokens, total, a: total / (5 + len(tokens) / 6) ** a),
    ),
    (
        "The candidates are ranked from the lowest log-probability to the highest; the highest goes first.",
        lambda s: beam_search(s, rank=lambda total, log: -(total + log)),
    ),
    (
        "One beginning too few goes on: the first `beam` candidates without an end.",
        lambda s: beam_search(s, width=lambda beam, done: beam - 1),
    ),
    (
        "What has max_length tokens without an end is thrown away where another has ended; it is finished as well.",
        lambda s: _ended_if_any(s),
    ),
    (
        "The best beginning is compared by its plain log-probability; its score is due, with the length penalty.",
        lambda s: beam_search(s, ahead=lambda tokens, total, a: total),
    ),
    (
        "The best beginning is compared with the worst that is finished; compare it with the best.",
        lambda s: beam_search(s, go_on=lambda best, done, beam: len(done) < beam or best > min(done)),
    ),
    (
        "In the end the score is divided by the length to the power of α, not by ((5 + length) / 6) to that power.",
        lambda s: beam_search(s, choose=lambda tokens, total, a: total / len(tokens) ** a),
    ),
    (
        "The length in the penalty leaves the end out; eos_id is one of the tokens and counts.",
        lambda s: beam_search(
            s, score=lambda tokens, total, a: normalised([x for x in tokens if x != s.eos_id], total, a)
        ),
    ),
    (
        "A candidate has the log-probability of its last token alone; add that to its beginning's.",
        lambda s: beam_search(s, rank=lambda total, log: log, add=lambda total, log: log),
    ),
    (
        "The score is divided by the number of tokens; divide by ((5 + length) / 6) ** length_penalty.",
        lambda s: beam_search(s, score=lambda tokens, total, a: total / len(tokens)),
    ),
    (
        "The exponent is 1 − length_penalty; it is length_penalty.",
        lambda s: beam_search(s, score=lambda tokens, total, a: normalised(tokens, total, 1 - a)),
    ),
    (
        "The length in the penalty is one too many; the tokens are counted as they are, the end with them.",
        lambda s: beam_search(s, score=lambda tokens, total, a: normalised([*tokens, 0], total, a)),
    ),
    (
        "The search stops by the plain log-probabilities; compare the scores, with the length penalty.",
        lambda s: _stops_by_totals(s),
    ),
    (
        "Of the finished translations the one that was finished last is returned; the one with the highest "
        "score is due.",
        lambda s: _last_finished(s),
    ),
    (
        "Of the finished translations the longest is returned; the one with the highest score is due.",
        lambda s: beam_search(s, choose=lambda tokens, total, a: float(len(tokens))),
    ),
    (
        "The empty beginning has the log-probability 1; that of a sure thing is 0.",
        lambda s: _from_one(s),
    ),
    (
        "One beginning too many goes on: the first `beam` candidates without an end.",
        lambda s: beam_search(s, width=lambda beam, done: beam + 1),
    ),
    (
        "What has ended takes a place in the beam for good; `beam` beginnings go on in every step.",
        lambda s: beam_search(s, width=lambda beam, done: max(1, beam - done)),
    ),
]

# Choices of `beam_search`, to be found beside a second wrong one; alone each stands above.
BEAM_AXES: Axes = {
    "score": [
        (
            "The length penalty is not used, or the same for all: plain log-probabilities decide, and short ones win.",
            lambda tokens, total, a: total,
        ),
        (
            "The score is divided by the length to the power of α; divide by ((5 + length) / 6) to the power of α.",
            lambda tokens, total, a: total / len(tokens) ** a,
        ),
        (
            "The score is multiplied by ((5 + length) / 6)^α, so that long translations lose twice; divide by it.",
            lambda tokens, total, a: total * ((5 + len(tokens)) / 6) ** a,
        ),
        (
            "The exponent is always 1 (length_penalty left out, or multiplied?): ((5 + length) / 6) ** length_penalty.",
            lambda tokens, total, a: normalised(tokens, total, 1.0),
        ),
        (
            "The length in the penalty leaves the end out; eos_id is one of the tokens and counts.",
            lambda tokens, total, a: normalised(tokens[:-1], total, a),
        ),
    ],
    "go_on": [
        (
            "The search stops at the first translation that ends, or takes the shortest; a later one may score higher.",
            lambda best, finished, beam: not finished,
        ),
        (
            "The search stops as soon as `beam` translations have ended, though the best beginning is ahead of them "
            "all.",
            lambda best, finished, beam: len(finished) < beam,
        ),
        (
            "The search stops when no beginning is ahead of what has ended, though fewer than `beam` have ended.",
            lambda best, finished, beam: not finished or best > max(finished),
        ),
        (
            "The search stops when more than `beam` have ended; `beam` are enough where no beginning is ahead of them.",
            lambda best, finished, beam: len(finished) <= beam or best > max(finished),
        ),
        (
            "The search stops late or never: it must when `beam` have ended in all and no beginning is ahead of them.",
            lambda best, finished, beam: True,
        ),
    ],
    "refill": [
        (
            "What has ended takes a place in the beam, so fewer and fewer go on; fill up with the next candidates.",
            False,
        ),
    ],
    "ends_among": [
        (
            "Ends behind the first `beam` candidates count as finished too; only those among the first `beam` do.",
            lambda beam: ALL,
        ),
        (
            "Ends behind the first `beam` candidates count as finished too; only those among the first `beam` do.",
            lambda beam: 2 * beam,
        ),
    ],
    "counts_anew": [
        (
            "The search stops late or never: it must when `beam` have ended in all and no beginning is ahead of them.",
            True,
        ),
    ],
    "extensions": [
        (
            "Each beginning keeps its `beam` best extensions only; where one of them ends, the next one is missing.",
            lambda beam: beam,
        ),
    ],
    "rank": [
        (
            "The candidates are ranked from the lowest log-probability to the highest; the highest goes first.",
            lambda total, log: -(total + log),
        ),
        (
            "Candidates are ranked by their last token alone; rank them by the log-probability of all their tokens.",
            lambda total, log: log,
        ),
    ],
    "width": [
        ("A single beginning goes on, the best; the first `beam` candidates without an end do.", lambda beam, done: 1),
        ("One beginning too few goes on: the first `beam` candidates without an end.", lambda beam, done: beam - 1),
        ("One beginning too many goes on: the first `beam` candidates without an end.", lambda beam, done: beam + 1),
    ],
    "choose": [
        (
            "The worst of the finished translations is returned; the one with the highest score is due.",
            lambda tokens, total, a: -normalised(tokens, total, a),
        ),
    ],
}

WRONG_EQUAL_BEAMS: list[Wrong] = [
    (
        "Of candidates with equal totals the last goes first; the order is that of the beams, then that of the ids.",
        lambda s: beam_search(s, in_order=lambda place, tokens: -place),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_EQUAL_BEAMS: list[Wrong] = [
    *(
        (
            f"Of candidates with equal totals the one with the {which} list of tokens goes first (are whole pairs "
            "sorted?); first comes the order of their beginnings, then the lower id.",
            lambda s, sign=sign: beam_search(s, in_order=lambda place, tokens: [sign * token for token in tokens]),
        )
        for which, sign in (("larger", -1), ("smaller", 1))
    ),
    (
        "Of candidates with equal totals the one with the higher token id goes first; first comes the order of "
        "their beginnings, then the lower id.",
        lambda s: beam_search(s, in_order=lambda place, tokens: -tokens[-1]),
    ),
    (
        "Of candidates with equal totals the one with the lower token id goes first; first comes the order of "
        "their beginnings.",
        lambda s: beam_search(s, in_order=lambda place, tokens: (tokens[-1], place)),
    ),
    (
        "The search goes on when the best beginning is just as good as the best finished one; it stops unless "
        "it is above.",
        lambda s: beam_search(s, go_on=lambda best, finished, beam: len(finished) < beam or best >= max(finished)),
    ),
]


def moved(tgt: np.ndarray, first: int) -> np.ndarray:
    """One place to the right, `first` in front."""
    return np.concatenate([np.full((len(tgt), 1), first), tgt[:, :-1]], axis=1)


def train(
    inputs: dict[str, np.ndarray],
    clip_norm: float,
    smoothing: float,
    *,
    reads: Callable[[np.ndarray, int, int], np.ndarray] = lambda tgt, bos, pad: moved(tgt, bos),
    says: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda tgt, tgt_in: tgt,
    weight: Callable[[np.ndarray, int], np.ndarray] = lambda tgt, pad: (tgt != pad) / (tgt != pad).sum(),
    clip: Callable[[np.ndarray, float], np.ndarray] = lambda g, c: g * min(1.0, c / (np.sqrt((g**2).sum()) + 1e-6)),
    kept: float = 0.0,
    late: bool = False,
    direction: float = 1.0,
    smoothed: bool = True,
    twice: bool = False,
    pulls: Callable[[np.ndarray, int], float] = lambda tgt, pad: 1.0,
) -> np.ndarray:
    """The losses and then the parameters after each step, one after the other; the keywords make a mistake each."""
    bos_id, pad_id = inputs["ids"].tolist()
    weights = np.stack([inputs["by_token"], inputs["by_source"]]).astype(np.float64)
    losses, states, gradient, before = [], [], np.zeros_like(weights), np.zeros_like(weights)
    smoothing = smoothing if smoothed else 0.0
    for src, tgt in zip(inputs["src"], inputs["tgt"], strict=True):
        tgt_in, first = reads(tgt, bos_id, pad_id), np.broadcast_to(src[:, :1], tgt.shape)
        logits = SCALE * (weights[0][tgt_in] + weights[1][first])
        if twice:
            logits = shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        logs = logits - logits.max(axis=-1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
        n_tokens = logits.shape[-1]
        wanted = (1 - smoothing) * np.eye(n_tokens)[says(tgt, tgt_in)] + smoothing / n_tokens
        share = weight(tgt, pad_id)
        losses.append(-(share * (wanted * logs).sum(axis=-1)).sum())
        pull = share[..., None] * (np.exp(logs) - wanted)
        if twice:
            pull = shares * (pull - (pull * shares).sum(axis=-1, keepdims=True))
        pull = SCALE * pull * pulls(tgt, pad_id)  # backward may be called on another sum than the one returned
        gradient *= kept
        np.add.at(gradient[0], tgt_in, pull)
        np.add.at(gradient[1], first, pull)
        gradient = clip(gradient, clip_norm)
        weights = weights - direction * LEARNING_RATE * (before if late else gradient)
        before = gradient.copy()
        states.append(weights.copy())
    return np.concatenate([np.array(losses), np.array(states).ravel()])


def unclipped(gradient: np.ndarray, clip_norm: float) -> np.ndarray:
    return gradient


def _each(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, float], np.ndarray]:
    """Clipping of each parameter's gradient by itself."""
    return lambda gradient, clip_norm: np.stack([change(part, clip_norm) for part in gradient])


def _by_own_norm(part: np.ndarray, clip_norm: float) -> np.ndarray:
    return part * min(1.0, clip_norm / (np.sqrt((part**2).sum()) + 1e-6))


def _even(chosen: np.ndarray) -> np.ndarray:
    return chosen / chosen.sum()


def _without_ends(tgt: np.ndarray, pad: int) -> np.ndarray:
    return _even(np.arange(tgt.shape[1]) < (tgt != pad).sum(axis=1, keepdims=True) - 1)


def _without_starts(tgt: np.ndarray, pad: int) -> np.ndarray:
    return _even((tgt != pad) & (np.arange(tgt.shape[1]) > 0))


def _by_what_is_read(tgt: np.ndarray, pad: int) -> np.ndarray:
    return _even(np.append(np.ones((len(tgt), 1), dtype=bool), tgt[:, :-1] != pad, axis=1))


# The losses and parameters made of the inputs i, the norm c and the smoothing s.
WRONG_STEPS: list[Wrong] = [
    (
        "The decoder reads the very tokens that it must say: tgt is not moved, and copying is all there is to learn.",
        lambda i, c, s: train(i, c, s, reads=lambda tgt, bos, pad: tgt),
    ),
    (
        "What is read is moved to the left, so it holds the token after the one to be said; move it to the right.",
        lambda i, c, s: train(
            i, c, s, reads=lambda tgt, bos, pad: np.append(tgt[:, 1:], np.full((len(tgt), 1), pad), 1)
        ),
    ),
    (
        "What is read begins with pad_id; it must begin with bos_id.",
        lambda i, c, s: train(i, c, s, reads=lambda tgt, bos, pad: moved(tgt, pad)),
    ),
    (
        "The padding is counted in the loss: leave out the places where tgt is pad_id.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: np.full(tgt.shape, 1 / tgt.size)),
    ),
    (
        "The loss is the sum over the real tokens; take their mean, or long batches would take longer steps.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: (tgt != pad) * 1.0),
    ),
    (
        "The loss is divided by all places, padding too; divide by the number of real tokens.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: (tgt != pad) / tgt.size),
    ),
    (
        "The loss leaves out token 0, whatever pad_id says.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: (tgt != 0) / (tgt != 0).sum()),
    ),
    (
        "Label smoothing is left out: give label_smoothing to cross_entropy.",
        lambda i, c, s: train(i, c, s, smoothed=False),
    ),
    (
        "The gradients of the step before are still there and add up: zero_grad before backward.",
        lambda i, c, s: train(i, c, s, kept=1.0),
    ),
    (
        "Nothing is learned: the parameters do not move (is step missing or before backward, or zero_grad behind it?).",
        lambda i, c, s: train(i, c, s, direction=0.0),
    ),
    (
        "The optimizer steps before backward, so it follows the gradient of the step before.",
        lambda i, c, s: train(i, c, s, late=True, clip=unclipped),
    ),
    (
        "The step climbs: the loss grows. backward needs the loss as it is, without a minus.",
        lambda i, c, s: train(i, c, s, direction=-1.0) * np.array([-1.0] * STEPS + [1.0] * (i["by_token"].size * 4)),
    ),
    (
        "The gradient always gets the norm clip_norm, short ones too; clipping only shortens.",
        lambda i, c, s: train(i, c, s, clip=lambda g, limit: g * limit / np.sqrt((g**2).sum())),
    ),
]

# Rarer ones of the same kind, asked for after those.
RARE_STEPS: list[Wrong] = [
    (
        "The loss compares the logits with what is read, tgt_in; compare them with tgt.",
        lambda i, c, s: train(i, c, s, says=lambda tgt, tgt_in: tgt_in),
    ),
    (
        "The loss compares the logits with what is read, tgt_in; compare them with tgt.",
        lambda i, c, s: train(
            i,
            c,
            s,
            says=lambda tgt, tgt_in: tgt_in,
            weight=lambda tgt, pad: _even(moved(tgt, i["ids"][0]) != pad),
        ),
    ),
    *(
        (
            f"The share of the smoothing is {times:g} times label_smoothing; it is label_smoothing.",
            lambda i, c, s, times=times: train(i, c, times * s),
        )
        for times in (2, 0.5)
    ),
    (
        "The loss is that of the padding alone: real is where tgt is not pad_id.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: _even(tgt == pad)),
    ),
    (
        "What is read begins with the first token of tgt, twice; it begins with bos_id.",
        lambda i, c, s: train(i, c, s, reads=lambda tgt, bos, pad: np.append(tgt[:, :1], tgt[:, :-1], 1)),
    ),
    (
        "The smoothed share goes to the other tokens alone; all V tokens get it in equal parts, the right one, too.",
        lambda i, c, s: train(i, c, s * TOKENS / (TOKENS - 1)),
    ),
    (
        "The smoothing is turned round: label_smoothing is the share that all tokens get, and not that of the "
        "right one.",
        lambda i, c, s: train(i, c, 1 - s),
    ),
    (
        "What is read begins with token 1, whatever bos_id says.",
        lambda i, c, s: train(i, c, s, reads=lambda tgt, bos, pad: moved(tgt, 1)),
    ),
    (
        "What is read is moved to the left, with bos_id at its end; bos_id comes in front, and all others move "
        "to the right.",
        lambda i, c, s: train(
            i, c, s, reads=lambda tgt, bos, pad: np.append(tgt[:, 1:], np.full((len(tgt), 1), bos), 1)
        ),
    ),
    (
        "Each step is twice as long as it should be: the optimizer steps twice, or the loss is doubled before "
        "backward.",
        lambda i, c, s: train(i, c, s, direction=2.0),
    ),
    *(
        (
            f"The loss that is returned is the mean, but backward is called on {name}; call it on the mean.",
            lambda i, c, s, pulls=pulls: train(i, c, s, pulls=pulls),
        )
        for name, pulls in (
            ("the sum over the real tokens", lambda tgt, pad: (tgt != pad).sum()),
            ("the sum divided by the number of sentences", lambda tgt, pad: (tgt != pad).sum() / len(tgt)),
        )
    ),
    (
        "The step climbs, for the sign of the loss is turned before backward: the loss grows.",
        lambda i, c, s: train(i, c, s, direction=-1.0),
    ),
]

WRONG_STEPS += [
    (
        "The gradient is clipped to the norm 1, whatever clip_norm says.",
        lambda i, c, s: train(i, c, s, clip=lambda g, limit: g * min(1.0, 1.0 / np.sqrt((g**2).sum()))),
    ),
    (
        "The loss is the mean of each sentence's mean; take the mean over all real tokens at once.",
        lambda i, c, s: train(
            i, c, s, weight=lambda tgt, pad: (tgt != pad) / (tgt != pad).sum(1, keepdims=True) / len(tgt)
        ),
    ),
    (
        "The loss is divided by the number of sentences; divide by the number of real tokens.",
        lambda i, c, s: train(i, c, s, weight=lambda tgt, pad: (tgt != pad) / len(tgt)),
    ),
    (
        "The last real token of each sentence, `</s>`, is left out of the loss: the model never learns to end.",
        lambda i, c, s: train(i, c, s, weight=_without_ends),
    ),
    (
        "The first token of each sentence is left out of the loss: nobody learns how to begin.",
        lambda i, c, s: train(i, c, s, weight=_without_starts),
    ),
    (
        "The places are left out where what is *read* is padding; leave out those where tgt is.",
        lambda i, c, s: train(i, c, s, weight=_by_what_is_read),
    ),
    (
        "What is read is moved down by one sentence (dim=0), not to the right by one place (dim=1).",
        lambda i, c, s: train(
            i, c, s, reads=lambda tgt, bos, pad: np.append(np.full((1, tgt.shape[1]), bos), tgt[:-1], axis=0)
        ),
    ),
    (
        "What is read is turned in a circle: the last column has come to the front, where bos_id should be.",
        lambda i, c, s: train(i, c, s, reads=lambda tgt, bos, pad: np.roll(tgt, 1, axis=1)),
    ),
    (
        "bos_id has taken the place of the first token that is read; it comes in front, and the others move.",
        lambda i, c, s: train(
            i, c, s, reads=lambda tgt, bos, pad: np.append(np.full((len(tgt), 1), bos), tgt[:, 1:], 1)
        ),
    ),
    (
        "The loss takes a softmax of probabilities: cross_entropy wants the logits as they are.",
        lambda i, c, s: train(i, c, s, twice=True),
    ),
    (
        "The loss that is returned has the wrong sign.",
        lambda i, c, s: train(i, c, s) * np.array([-1.0] * STEPS + [1.0] * (i["by_token"].size * 4)),
    ),
]

WRONG_CLIPS: list[Wrong] = [
    (
        "The gradient is not clipped when the step is taken: clip between backward and optimizer.step().",
        lambda i, c, s: train(i, c, s, clip=unclipped),
    ),
    (
        "Each number of the gradient is clipped by itself; clip the norm of all of them (clip_grad_norm_).",
        lambda i, c, s: train(i, c, s, clip=lambda g, limit: np.clip(g, -limit, limit)),
    ),
    (
        "Each parameter's gradient is clipped by itself; the norm is that of all parameters together.",
        lambda i, c, s: train(i, c, s, clip=_each(_by_own_norm)),
    ),
    (
        "The largest number of the gradient is taken for its norm (norm_type=inf?); that is the root of all squares.",
        lambda i, c, s: train(i, c, s, clip=lambda g, limit: g * min(1.0, limit / np.abs(g).max())),
    ),
]

KNOWN_GREEDY = [*WRONG_GREEDY, *RARE_GREEDY]
KNOWN_BEAMS = [*WRONG_BEAMS, *RARE_BEAMS]
KNOWN_EQUAL_BEAMS = [*WRONG_EQUAL_BEAMS, *RARE_EQUAL_BEAMS]
KNOWN_STEPS = [*WRONG_STEPS, *RARE_STEPS]
