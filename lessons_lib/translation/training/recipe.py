"""The recipe of a training: which model, how long, on what."""

from dataclasses import dataclass, fields

from lessons_lib.errors import UserError
from lessons_lib.transformer import TransformerConfig
from lessons_lib.translation.evaluation.scoring import check_tokenize
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.presets import CORPORA, PRESETS


@dataclass(frozen=True)
class Recipe:
    """What to build and how to train it.

    The vocabulary comes out smaller than ``config.vocab_size`` where the text has no more pairs to merge.

    Raises:
        ValueError: a value is out of its range.
    """

    config: TransformerConfig
    training: TrainingOptions
    batch_tokens: int | None = None  # None: by device
    validations: int = 3
    patience: int | None = None  # stop after so many validations without a lower loss or a higher chrF
    tokenize: str | None = None  # how BLEU splits words, see `lessons_lib.translation.evaluation.scoring.score`
    checkpoint_minutes: float | int = 3
    seed: int = 0
    device: str | None = None
    precision: str | None = None

    def __post_init__(self):
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise UserError(f"batch_tokens={self.batch_tokens} is not positive; 1000 or more is usual")
        for name in ("patience", "checkpoint_minutes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"{name}={value} is not positive; use more than 0")
        if self.validations < 0:
            raise UserError(f"validations={self.validations} is negative; use 0 or more")
        if not 0 <= self.seed < 2**32:
            how = "negative" if self.seed < 0 else "too large"
            raise UserError(f"seed={self.seed} is {how}; use 0 or more, below 2**32")
        for name in ("n_encoder_layers", "n_decoder_layers"):
            if getattr(self.config, name) < 1:
                raise UserError(f"{name}={getattr(self.config, name)}: a translator needs both stacks; use 1 or more")
        check_tokenize(self.tokenize)


def recipe_for(corpus: str, preset: str | None = None, **changes) -> Recipe:
    """The recipe of ``preset``, or that which fits ``corpus``, with ``changes`` to any field of its three parts.

    For example ``recipe_for("grammar", minutes=1, d_model=64)``.

    Args:
        corpus: a name in `CORPORA`.
        preset: a name in `PRESETS`.

    Raises:
        ValueError: a value is out of its range.
        TypeError: there is no such field.
    """
    values = PRESETS[preset or CORPORA[corpus]] | changes

    def take(kind: type) -> dict:
        return {f.name: values.pop(f.name) for f in fields(kind) if f.name in values}

    return Recipe(TransformerConfig(**take(TransformerConfig)), TrainingOptions(**take(TrainingOptions)), **values)
