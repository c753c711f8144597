"""A published model on disk: config.json and safetensors, from a folder or from the Hugging Face hub. No pickles."""

import json
import re
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lessons_lib.errors import UserError
from lessons_lib.files import check_name, refuse_pointer

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
SHARDS = "model-*-of-*.safetensors"  # large models come in pieces, which the index lists
HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")  # "gpt2", "Helsinki-NLP/opus-mt-en-fr"


def find_folder(source: Path | str) -> Path:
    """The folder ``source`` if there is one; otherwise the folder into which the hub's model of that name is fetched.

    Raises:
        ValueError: there is no such folder, and it cannot be fetched.
    """
    if Path(source).is_dir():
        check_name(Path(source).absolute())
        return Path(source)
    if not HUB_NAME.fullmatch(str(source)):
        raise UserError(f"{source} is not a folder, nor a name on the hub; give a folder that holds {CONFIG}")
    remedy = f"or give a folder that holds {CONFIG} and {WEIGHTS}"
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise UserError(
            f"{source} is not a folder, and fetching it needs huggingface_hub; pip install huggingface_hub, {remedy}"
        ) from None
    try:
        return Path(snapshot_download(str(source), allow_patterns=[CONFIG, WEIGHTS, INDEX, SHARDS]))
    except Exception as error:  # it has a dozen kinds: no network, no such model, no permission, a full disk
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        raise UserError(
            f"{source} is not a folder, and fetching it failed ({reason}); check the name and the network, {remedy}"
        ) from error


def read_settings(folder: Path) -> dict:
    """What config.json says.

    Raises:
        ValueError: there is no such file, or it is damaged.
    """
    return _read_json(folder / CONFIG)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor by its name, in one file or several.

    Raises:
        ValueError: a file is missing or damaged, or the weights are only there as a pickle, which could run any code.
    """
    where: dict[str, str] = {}  # tensor -> file; a file may hold others too, which are another's, and out of date
    if (folder / WEIGHTS).is_file():
        files = [WEIGHTS]
    elif (folder / INDEX).is_file():
        where = _read_json(folder / INDEX).get("weight_map") or {}
        files = sorted(set(where.values()))
    else:
        raise UserError(
            f"{folder} has no {WEIGHTS}, and pickles (pytorch_model.bin) are not read, for they can run any code; "
            "convert it with transformers: from_pretrained(folder).save_pretrained(folder)"
        )
    tensors = {}
    for file in (folder / name for name in files):
        if not file.is_file():
            raise UserError(f"{file} is missing; download the model again")
        refuse_pointer(file)
        try:
            tensors |= {name: x for name, x in load_file(file).items() if where.get(name, file.name) == file.name}
        except SafetensorError as error:
            raise UserError(f"{file} is damaged ({error}); download it again") from None
    return tensors


def _read_json(path: Path) -> dict:
    if not path.is_file():
        raise UserError(f"{path.parent} has no {path.name}; give the folder of a model as transformers saves it")
    try:
        values = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); download it again") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} holds a {type(values).__name__} where a dictionary should be; download it again")
    return values
