"""A model on disk: one folder of safetensors and JSON, never a pickle, that appears whole or not at all."""

import json
import operator
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from lessons_lib.errors import UserError
from lessons_lib.files import check_name, finish, refuse_pointer, write_whole
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.tokenizer import Tokenizer

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
CARD, METRICS = "run.json", "metrics.jsonl"
CHECKPOINT = "checkpoint"  # a folder, until the training is over
NEEDED = (CONFIG, WEIGHTS, TOKENIZER)
FILES = {*NEEDED, CARD, METRICS}


def save_model(folder: Path, model: Transformer, tokenizer: Tokenizer) -> None:
    """Write the weights, the configuration and the tokenizer into ``folder``."""
    (folder / WEIGHTS).write_bytes(save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))
    write_json(folder / CONFIG, model.config.to_dict())
    tokenizer.save(folder / TOKENIZER)


def load_model(folder: Path) -> tuple[Transformer, Tokenizer]:
    """The model, in evaluation mode on the CPU, and its tokenizer.

    Raises:
        ValueError: the folder is not a model, or its files do not belong together; names the file.
    """
    folder = Path(folder)
    check_name(folder.absolute())
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give the --out of a `lessons train`")
    finish(folder)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing and (folder / CHECKPOINT).is_dir():
        fix = "give its `lessons train` again, which goes on, or end it with Ctrl-C, which saves a model"
        raise UserError(f"{folder} holds an unfinished training, and no model yet; {fix}")
    if missing:
        raise UserError(
            f"{folder} is not a model: it has no {' and no '.join(missing)}; give the --out of a `lessons train`"
        )
    refuse_pointer(folder / WEIGHTS)
    try:
        settings = json.loads((folder / CONFIG).read_text("utf-8-sig"))
        if "model_type" in settings:  # transformers' word
            raise UserError(f"its {CONFIG} is of a {settings['model_type']} of transformers, not of `lessons train`")
        config = TransformerConfig.from_dict(settings)
        for name in ("pad_id", "bos_id", "eos_id"):
            if not 0 <= getattr(config, name) < config.vocab_size:
                raise UserError(f"{name}={getattr(config, name)} is none of the {config.vocab_size} pieces")
        weights = load_file(folder / WEIGHTS)
        for name, tensor in weights.items():
            check_numbers(name, tensor)
        model = Transformer(config)
    except (ValueError, TypeError, AssertionError, RuntimeError, MemoryError, SafetensorError) as error:
        raise UserError(f"{folder} holds a damaged model ({_first_line(error)}); train again") from None
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{folder / WEIGHTS} does not fit {CONFIG} ({_first_line(error)}); train again") from None
    if len(tokenizer) != config.vocab_size:
        raise UserError(
            f"{folder / TOKENIZER} has {len(tokenizer)} pieces but {CONFIG} says vocab_size={config.vocab_size}; "
            "train again"
        )
    return model.eval(), tokenizer


def read_card(folder: Path) -> dict:
    """What ``run.json`` says of how the model was made; empty if there is none.

    Raises:
        ValueError: the file is damaged.
    """
    path = Path(folder) / CARD
    if not path.is_file():
        return {}
    with suppress(ValueError, TypeError, AttributeError):
        card = json.loads(path.read_text("utf-8-sig"))
        if isinstance(card.get("data", {}), dict) and operator.index(card.get("seed", 0)) >= 0:
            return card
    raise UserError(f"{path} is damaged; delete it, or train again")


def write_json(path: Path, values: dict) -> None:
    """Write a JSON file for people to read, whole or not at all."""
    write_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def check_free(out: Path, overwrite: bool, files: set[str] = FILES, what: str = "a model") -> None:
    """Raise ValueError unless ``files`` may go to ``out``: nothing, an empty folder, a training cut off, or overwrite.

    Args:
        what: the files are together.
    """
    out = Path(out)
    check_name(out.absolute())
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; give a folder for {what}")
    # Hidden files are no one's work: file managers, notebooks and network drives leave them (.DS_Store, .nfs0001).
    held = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    if foreign := sorted(held - files - {CHECKPOINT}):
        raise UserError(f"{out} holds {foreign[0]}, which is not part of {what}; give another folder")
    if held and CHECKPOINT not in held and not overwrite:
        raise UserError(f"{out} already holds {what}; give another folder, or --overwrite to replace it")


def check_numbers(name: str, tensor: Tensor) -> None:
    """Raise ValueError unless a weight is made of numbers that can be computed with.

    PyTorch would copy whole numbers that stand for others (8 bits with a scale elsewhere) as they are.
    """
    if not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise UserError(f"{name} is stored as {kind}, not as a floating-point number")
    if not tensor.float().isfinite().all():
        raise UserError(f"{name} holds a value that is no number")


def _first_line(error: Exception) -> str:
    """What is wrong, without the bulk: PyTorch lists every weight that does not fit."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1 if len(lines) == 1 else 1].rstrip(".")[:120] if lines else type(error).__name__
