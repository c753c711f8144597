"""A model on disk: one folder of safetensors and JSON, never a pickle, that appears whole or not at all."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from lessons_lib.errors import UserError
from lessons_lib.files import COMPLETE, finish, write_whole
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
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give the --out of a `lessons train`")
    finish(folder)
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} is not a model: it has no {' and no '.join(missing)}; give the --out of a `lessons train`"
        )
    try:
        config = TransformerConfig.from_dict(json.loads((folder / CONFIG).read_text("utf-8")))
        weights = load_file(folder / WEIGHTS)
    except (ValueError, TypeError, SafetensorError) as error:
        raise UserError(f"{folder} holds a damaged model ({_first_line(error)}); train again") from None
    tokenizer, model = Tokenizer.load(folder / TOKENIZER), Transformer(config)
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
    try:
        return json.loads(path.read_text("utf-8")) if path.is_file() else {}
    except ValueError:
        raise UserError(f"{path} is damaged; delete it, or train again") from None


def write_json(path: Path, values: dict) -> None:
    """Write a JSON file for people to read, whole or not at all."""
    write_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def check_free(out: Path, overwrite: bool, files: set[str] = FILES, what: str = "a model") -> None:
    """Raise ValueError unless ``files`` may go to ``out``: nothing, an empty folder, a training cut off, or overwrite.

    Args:
        what: the files are together.
    """
    out = Path(out)
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; give a folder for {what}")
    held = {path.name for path in out.iterdir() if not path.name.endswith(".partial")} - {COMPLETE}
    if foreign := sorted(held - files - {CHECKPOINT}):
        raise UserError(f"{out} holds {foreign[0]}, which is not part of {what}; give another folder")
    if held and CHECKPOINT not in held and not overwrite:
        raise UserError(f"{out} already holds {what}; give another folder, or --overwrite to replace it")


def _first_line(error: Exception) -> str:
    """What is wrong, without the bulk: PyTorch lists every weight that does not fit."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1 if len(lines) == 1 else 1].rstrip(".")[:120] if lines else type(error).__name__
