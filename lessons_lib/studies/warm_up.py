"""Post-norm and pre-norm, with a warm-up and without, from the usual start and from a quiet one."""

from torch import nn

from lessons_lib.evidence import above
from lessons_lib.studies import Study
from lessons_lib.studies._thin_translators import brief, final, loss_of, quiet, thin, train

QUESTION = "Which of post-norm, pre-norm and no norm needs a warm-up?"
LESSON = 6
BOUND = (
    "a warm-up is needed where the last losses with it are lower by more than 0.2 nats a token, and helps where they "
    "are lower at all, in pairs, interval included, over 10 seeds"
)
SEEDS = range(10)
HIGH, LOW = 5e-3, 2e-3  # learning rates
USUAL, LONG = 140, 240  # steps: those at the lower rate are more
NO_WARMUP, WARMUP = 1, 40  # steps

# Where the norm stands, or "none"; whether the start is quiet; learning rate, warm-up, steps.
CELLS = {
    "none, with": ("none", False, HIGH, WARMUP, 40),
    "post, without": ("post", False, HIGH, NO_WARMUP, USUAL),
    "post, with": ("post", False, HIGH, WARMUP, USUAL),
    "post slower, without": ("post", False, LOW, NO_WARMUP, LONG),
    "post slower, with": ("post", False, LOW, WARMUP, LONG),
    "pre, without": ("pre", False, HIGH, NO_WARMUP, USUAL),
    "pre, with": ("pre", False, HIGH, WARMUP, USUAL),
    "quiet none, without": ("none", True, HIGH, NO_WARMUP, USUAL),
    "quiet post, without": ("post", True, HIGH, NO_WARMUP, USUAL),
    "quiet pre, without": ("pre", True, HIGH, NO_WARMUP, USUAL),
}


def trained(cell: str, seed: int) -> tuple[list[float], float]:
    """The loss of every step of one training, and the loss on unseen sentences after it."""
    place, is_quiet, rate, warmup, steps = CELLS[cell]
    model = (
        thin(4, "pre", make=lambda d_model: nn.Identity(), seed=seed) if place == "none" else thin(4, place, seed=seed)
    )
    losses = train(quiet(model) if is_quiet else model, steps, warmup, rate, seed)
    return losses, loss_of(model, [list(brief().test)])


def run(seed: int) -> dict[str, float]:
    found = {}
    for cell in CELLS:
        losses, unseen = trained(cell, seed)
        found |= {f"{cell}: start": losses[0], f"{cell}: training": final(losses), f"{cell}: test": unseen}
    return found


def gain(study: Study, place: str):
    """How much lower the last losses are with a warm-up."""
    return study.difference(f"{place}, without: training", f"{place}, with: training")


def conclude(study: Study) -> dict[str, str]:
    quiet_post, quiet_none = "quiet post, without", "quiet none, without"
    return {
        "post-norm needs a warm-up": above(gain(study, "post"), 0.2),
        "post-norm needs one at a lower rate": above(gain(study, "post slower"), 0.2),
        "one helps post-norm at a lower rate": above(gain(study, "post slower")),
        "pre-norm needs a warm-up": above(gain(study, "pre"), 0.2),
        "a quiet start without warm-up is better for post-norm than the usual one with it": above(
            study.difference("post, with: training", f"{quiet_post}: training")
        ),
        "of the quiet ones, none has the lowest loss in training": above(
            study.difference(f"{quiet_post}: training", f"{quiet_none}: training")
        ),
        "of the quiet ones, none has the lowest loss on unseen sentences": above(
            study.difference(f"{quiet_post}: test", f"{quiet_none}: test")
        ),
    }
