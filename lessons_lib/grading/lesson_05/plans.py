"""Layers put together wrongly in any one way, or two: which norm, what is read, what is added, for each sub-layer."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.judge.layers import Mask, Parts

TITLES = {
    "attention": "Self-attention",
    "cross_attention": "Cross-attention",
    "feed_forward": "The feed-forward network",
}


@dataclass(frozen=True)
class Sub:
    """One sub-layer as it is, or as somebody has put it together.

    Args:
        norm: whose norm stands before it; "" is none.
        reads: "now" what the sub-layer before has left, "input" the layer's own x, "stale" what was normalised before,
            "normed" the same, and once more through a norm, "made" the bare result of the sub-layer before, without
            what it is added to.
        adds: what its result is added to: "now", "input", "normed", "nothing", "twice" what is there now; "minus": it
            is taken away.
        skipped: whether norm(x) itself stands in the place of its result.
        twice: whether it runs twice, the second time on what the first has made.
        around: whether the norm stands before it, and behind it too, x + norm(f(norm(x))).
        behind: whether the norm stands behind it, x + norm(f(x)).
        post: whether the norm stands behind the sum, norm(x + f(x)).
        again: whether the norm stands before the sub-layer, and behind the sum too.
        turned: whether the axes of sentences and of words are exchanged for it.
    """

    name: str
    norm: str
    reads: str = "now"
    adds: str = "now"
    behind: bool = False
    turned: bool = False
    post: bool = False
    again: bool = False
    around: bool = False
    twice: bool = False
    skipped: bool = False


Plan = tuple[Sub, ...]


def right(p: Parts) -> Plan:
    """The plan of an encoder layer, or of a decoder layer where there is cross-attention."""
    names = [name for name in TITLES if f"{p.prefix}{name}_norm.gamma" in p.weights]
    return tuple(Sub(name, name) for name in names)


def run(p: Parts, plan: Plan, x: np.ndarray, memory: np.ndarray | None, mask: Mask, memory_mask: Mask) -> np.ndarray:
    """The output of a layer with such a plan."""
    x = x.astype(np.float64)
    now, stale, made = x, x, x
    for sub in plan:
        source = {"now": now, "input": x, "stale": stale, "normed": stale, "made": made}[sub.reads]
        plain = not sub.norm or sub.behind or sub.post or sub.reads == "stale"
        h = source if plain else p.norm(f"{sub.norm}_norm", source)
        stale = h
        made = h if sub.skipped else _made(p, sub, h, memory, mask, memory_mask)
        if sub.twice:
            made = _made(p, sub, made, memory, mask, memory_mask)
        if sub.behind or sub.around:
            made = p.norm(f"{sub.norm}_norm", made)
        now = {"now": now, "input": x, "normed": h, "nothing": 0.0, "twice": 2 * now, "minus": now - 2 * made}[
            sub.adds
        ] + made
        if sub.post or sub.again:
            now = p.norm(f"{sub.norm}_norm", now)
    return now


def _made(p: Parts, sub: Sub, h: np.ndarray, memory: np.ndarray | None, mask: Mask, memory_mask: Mask) -> np.ndarray:
    if sub.name == "feed_forward":
        return p.feed(h)
    source = h if sub.name == "attention" or memory is None else memory
    if sub.turned:
        return p.attend(sub.name, h.swapaxes(0, 1), source.swapaxes(0, 1)).swapaxes(0, 1)
    return p.attend(sub.name, h, source, mask if sub.name == "attention" else memory_mask)


def slips(plan: Plan, at: int) -> Iterator[tuple[str, Sub | None]]:
    """What may go wrong with one sub-layer: the sentence, and what becomes of it (None: it is left out)."""
    sub, title = plan[at], TITLES[plan[at].name]
    own = f"{sub.norm}_norm"
    for other in plan:
        if other.name != sub.name:
            yield f"{title} stands behind `{other.norm}_norm`; its own is `{own}`.", replace(sub, norm=other.norm)
    yield f"{title} reads x as it is; it must read `{own}` of it.", replace(sub, norm="")
    if at:
        yield (
            f"{title} reads what was normalised for the sub-layer before; make the new x, and then `{own}` of that.",
            replace(sub, reads="stale"),
        )
        yield (
            f"{title} reads `{own}` of what was normalised for the sub-layer before; it reads `{own}` of the new x.",
            replace(sub, reads="normed"),
        )
        yield f"{title} reads the layer's input, not what the sub-layer before has made.", replace(sub, reads="input")
        yield (
            f"{title} reads the bare result of the sub-layer before; it reads the sum, x with that result.",
            replace(sub, reads="made"),
        )
        yield (
            f"The result of {title.lower()} is added to the layer's input; add it to what the one before made.",
            replace(sub, adds="input"),
        )
    yield f"The result of {title.lower()} is added to norm(x); add it to x itself.", replace(sub, adds="normed")
    yield f"The residual path around {title.lower()} is missing: x + f(norm(x)).", replace(sub, adds="nothing")
    yield f"The result of {title.lower()} is taken away from x; it is added.", replace(sub, adds="minus")
    yield f"norm(x) is added in the place of what {title.lower()} makes of it.", replace(sub, skipped=True)
    yield f"x is added twice around {title.lower()}.", replace(sub, adds="twice")
    yield f"The norm of {title.lower()} stands behind it, x + norm(f(x)); it stands before.", replace(sub, behind=True)
    yield (
        f"The result of {title.lower()} is normalised once more before it is added; the norm before it is enough.",
        replace(sub, around=True),
    )
    yield f"{title} is post-norm, norm(x + f(x)); pre-norm is due, x + f(norm(x)).", replace(sub, post=True)
    yield (
        f"Behind {title.lower()} the sum is normalised once more; the norm before it is enough.",
        replace(sub, again=True),
    )
    if sub.name != "feed_forward":
        yield (
            f"{title} has the axes of sentences and words exchanged: it mixes the sentences of the batch.",
            replace(sub, turned=True),
        )
    yield f"{title} runs twice, the second time on what the first has made; once is right.", replace(sub, twice=True)
    yield f"{title} is left out.", None


def wrong_plans(plan: Plan, mistakes: int) -> Iterator[tuple[str, Plan]]:
    """Every plan with this many sub-layers that are put together wrongly, and the sentences for it."""
    for places in itertools.combinations(range(len(plan)), mistakes):
        for chosen in itertools.product(*(list(slips(plan, at)) for at in places)):
            changed: list[Sub | None] = list(plan)
            for at, (_, sub) in zip(places, chosen, strict=True):
                changed[at] = sub
            yield " ".join(sentence for sentence, _ in chosen), tuple(sub for sub in changed if sub is not None)


def name_plan(
    p: Parts, output: np.ndarray, x: np.ndarray, memory: np.ndarray | None = None, *masks: Mask
) -> str | None:
    """The sentences of the first wrong plan that gives this output: one mistake, or else two."""
    mask, memory_mask = (*masks, True, True)[:2]
    for mistakes in (1, 2):
        for sentence, plan in wrong_plans(right(p), mistakes):
            try:
                mistaken = run(p, plan, x, memory, mask, memory_mask)
            except ValueError:  # this mistake is impossible with these shapes
                continue
            if close(output, mistaken, 1e-3):
                return sentence
    return None
