"""The whole batch: every question of every hand-in, on all cores; stopped and started again without a loss.

What is graded is kept at once in `OUT/.graded/`, a file a hand-in, named by what was graded (the notebook's text, the
seeds, the points of this edition, extra checks, this version). A run that was stopped, or to which hand-ins came,
does the rest.
"""

import hashlib
import json
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from lessons_lib import __version__
from lessons_lib.errors import UserError
from lessons_lib.files import write_whole
from lessons_lib.grading.batch import extra
from lessons_lib.grading.batch.box import Level
from lessons_lib.grading.batch.handins import HandIn
from lessons_lib.grading.batch.lifetime import end_with
from lessons_lib.grading.batch.results import Exercise, Learner
from lessons_lib.grading.batch.server import Server, load
from lessons_lib.grading.edition import asked, current
from lessons_lib.grading.report import Result

N_SEEDS = 3
GRADED, SEED = ".graded", "seed.txt"
NOT_HANDED_IN, NOT_GRADED = "not handed in", "not graded"  # how hints begin that no judge has given


def seeds_of(seed: int) -> tuple[int, ...]:
    """The seeds of the inputs, all made from one; nobody can tell them from results."""
    digests = (hashlib.sha256(f"{seed} {number}".encode()).digest() for number in range(N_SEEDS))
    return tuple(int.from_bytes(digest[:4], "big") for digest in digests)


def kept_seed(out: Path, given: int | None) -> int:
    """The seed of this batch: the one given, the one that an earlier run of it has kept, or a new one.

    Raises:
        ValueError: the kept one is another than the given.
    """
    path = out / GRADED / SEED
    old = int(path.read_text()) if path.is_file() else None
    if given is not None and old is not None and given != old:
        raise UserError(f"{out} was graded with --seed {old}, not {given}; give another folder for --out")
    seed = next(one for one in (given, old, secrets.randbelow(2**32)) if one is not None)
    if old is None:
        write_whole(path, f"{seed}\n")
    return seed


def run(
    hand_ins: Mapping[str, Mapping[str, HandIn]],
    lessons: Sequence[str],
    out: Path,
    level: Level,
    seed: int,
    n_lanes: int | None = None,
    tell: Callable[[int, int], None] = lambda done, all_: None,
) -> list[Learner]:
    """Grade what is not graded yet; the learners, in the order of `hand_ins`.

    Args:
        tell: how many of how many hand-ins are graded.
    """
    seeds = seeds_of(seed)
    files = {
        (key, lesson): _kept(out, one, seeds) for key, theirs in hand_ins.items() for lesson, one in theirs.items()
    }
    waiting = [which for which, path in files.items() if not _is_whole(_read(path))]
    done = len(files) - len(waiting)
    tell(done, len(files))
    for key, lesson, exercise in _graded(hand_ins, waiting, level, seeds, n_lanes or os.cpu_count() or 1):
        write_whole(files[key, lesson], json.dumps(exercise.as_json(), ensure_ascii=False, indent=1))
        done += 1
        tell(done, len(files))
    learners = []
    for key, theirs in hand_ins.items():
        each = [_read(files[key, lesson]) if lesson in theirs else not_handed_in(lesson) for lesson in lessons]
        learners.append(Learner(key, tuple(one for one in each if one is not None)))
    return learners


def not_handed_in(lesson: str, why: str = NOT_HANDED_IN, file: str = "") -> Exercise:
    """The exercise of who gave nothing that can be graded."""
    from lessons_lib.grading.judge.verdict import steps

    results = []
    for name, one in asked(lesson).items():
        all_steps = (*steps(lesson, name), *extra.of(lesson, name))
        results.append(Result(name, one.title, tuple((step.title, step.points, None) for step in all_steps), why))
    return Exercise(lesson, file, tuple(results))


def _kept(out: Path, hand_in: HandIn, seeds: Sequence[int]) -> Path:
    cells = hand_in.notebook.cells if hand_in.notebook else [hand_in.trouble]
    points = current().points.get(int(hand_in.lesson[:2]), {})
    checks = [one.text for one in extra.of(hand_in.lesson)]
    whole = json.dumps([__version__, hand_in.lesson, hand_in.file, cells, list(seeds), points, checks], sort_keys=True)
    return out / GRADED / f"{hashlib.sha256(whole.encode()).hexdigest()[:24]}.json"


def _is_whole(exercise: Exercise | None) -> bool:
    """Whether every question was judged; one at which the machine failed is graded again by the next run."""
    return exercise is not None and not any((one.hint or "").startswith(NOT_GRADED) for one in exercise.results)


def _read(path: Path) -> Exercise | None:
    try:
        return Exercise.from_json(json.loads(path.read_text("utf8")))
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: graded anew
        return None


def _graded(
    hand_ins: Mapping[str, Mapping[str, HandIn]],
    waiting: Sequence[tuple[str, str]],
    level: Level,
    seeds: Sequence[int],
    n_lanes: int,
) -> Iterator[tuple[str, str, Exercise]]:
    """Hand-ins as they are done. The lanes are processes that share one server."""
    if not waiting:
        return
    server = Server(level)
    load()  # here, too: what makes the inputs
    slots = get_context("fork").Queue()
    for slot in range(n_lanes):
        slots.put(slot)
    try:
        with ProcessPoolExecutor(
            n_lanes, get_context("fork"), initializer=_become_lane, initargs=(server, slots, tuple(seeds), os.getpid())
        ) as pool:
            futures: dict[Future, tuple[str, str]] = {
                pool.submit(_grade, hand_ins[key][lesson]): (key, lesson) for key, lesson in waiting
            }
            for future in as_completed(futures):
                key, lesson = futures[future]
                try:
                    yield key, lesson, future.result()
                except BrokenProcessPool:
                    raise UserError(
                        "a grading process was killed (too little memory?); start the command again"
                    ) from None
    finally:
        server.close()


def _become_lane(server: Server, slots, seeds: tuple[int, ...], parent: int) -> None:
    global _lane, _seeds
    end_with(parent)
    from lessons_lib.grading.batch.lane import Lane

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process stops them
    _lane, _seeds = Lane(server, slots.get()), seeds


def _grade(hand_in: HandIn) -> Exercise:
    from lessons_lib.grading.batch.lane import NotGraded

    if hand_in.notebook is None:
        missing = not_handed_in(hand_in.lesson, f"cannot be read: {hand_in.trouble}", hand_in.file)
        return replace(missing, notes=(f"{hand_in.file} cannot be read: {hand_in.trouble}",))
    results, answers = [], {}
    notes = [f"cell {number} cannot be read: {why}" for number, why in sorted(hand_in.notebook.unread.items())]
    for name, declared in asked(hand_in.lesson).items():
        try:
            results.append(_lane.grade(hand_in.lesson, name, hand_in.notebook, _seeds))
        except NotGraded as error:
            missing = not_handed_in(hand_in.lesson, f"{NOT_GRADED}: {error}").results
            results.append(next(one for one in missing if one.question == name))
            notes.append(f"{NOT_GRADED}: {error}; give the command again")
        mine = hand_in.notebook.answer(tuple(declared.signatures), set())
        answers[name] = "\n\n".join(one.text for one in mine.statements if set(declared.signatures) & one.binds)
    return Exercise(hand_in.lesson, hand_in.file, tuple(results), tuple(notes), answers)
