"""LayerNorm, RMSNorm and batch norm in the same thin translators, with the same start and the same batches."""

from torch import nn

from lessons_lib.evidence import above, within
from lessons_lib.norms import LayerNorm, RMSNorm
from lessons_lib.studies import Study
from lessons_lib.studies._thin_translators import brief, final, loss_of, thin, train

QUESTION = "Does a translator learn as well with RMSNorm as with LayerNorm, and is batch norm of use?"
LESSON = 6
BOUND = (
    "as good: the losses on unseen sentences, in pairs, each norm at its best of three rates, differ by less than 0.05 "
    "nats a token, interval included, over 10 seeds; batch norm, in use, is of no use if it is worse by more than 0.5"
)
SEEDS = range(10)
RATES = (5e-3, 1e-2, 2e-2)
USUAL, LONG = 140, 300  # steps


class BatchNorm(nn.Module):
    """PyTorch's batch norm, over all words of all sentences."""

    def __init__(self, d_model: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(d_model)

    def forward(self, x):  # (B, T, D) -> (B·T, D) and back
        return self.norm(x.flatten(0, 1)).view_as(x)


NORMS = {"LayerNorm": LayerNorm, "RMSNorm": RMSNorm, "batch norm": BatchNorm}


def measured(norm: str, rate: float, seed: int, steps: int = USUAL) -> dict[str, float]:
    """One training: its last losses, and those on unseen sentences, as the network is used."""
    model = thin(2, make=NORMS[norm], seed=seed)
    losses = train(model, steps, warmup=20, rate=rate, seed=seed)
    valid, test = (loss_of(model, [list(part)]) for part in (brief().valid, brief().test))
    found = {"training": final(losses), "valid": valid, "test": test}
    if norm == "batch norm":
        some = list(brief().train)[:40]
        found["together"] = loss_of(model, [some], training=True)
        found["one by one"] = loss_of(model, [[example] for example in some], training=True)
    return found


def run(seed: int) -> dict[str, float]:
    cells = {f"{norm} {rate:g}": (norm, rate, seed) for norm in ("LayerNorm", "RMSNorm") for rate in RATES}
    cells |= {f"{norm} long": (norm, RATES[0], seed, LONG) for norm in ("LayerNorm", "RMSNorm")}
    cells["batch norm"] = "batch norm", RATES[0], seed
    return {f"{name}, {what}": value for name, cell in cells.items() for what, value in measured(*cell).items()}


def best(study: Study, norm: str) -> str:
    """The norm at the rate with the lowest loss on the sentences to choose by."""
    return min((f"{norm} {rate:g}" for rate in RATES), key=lambda cell: study.estimate(f"{cell}, valid").mean)


def conclude(study: Study) -> dict[str, str]:
    rms, layer = best(study, "RMSNorm"), best(study, "LayerNorm")
    batch = study.difference("batch norm, test", f"LayerNorm {RATES[0]:g}, test")
    return {
        "RMSNorm is as good on unseen sentences": within(study.difference(f"{rms}, test", f"{layer}, test"), 0.05),
        "RMSNorm is as good after 300 steps": within(
            study.difference("RMSNorm long, test", "LayerNorm long, test"), 0.05
        ),
        "RMSNorm has the higher loss in training": above(study.difference(f"{rms}, training", f"{layer}, training")),
        "batch norm is worse by more than 0.5 nats": above(batch, 0.5),
        "batch norm: the company changes the loss by more than 0.1": above(
            study.difference("batch norm, one by one", "batch norm, together"), 0.1
        ),
    }
