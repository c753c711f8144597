"""A training on disk: one file of safetensors, the last good one kept beside it. Never a pickle.

The file is written beside its place and moved there when it is whole, so that pulling the plug at any moment leaves a
checkpoint that can be read: this one or the one before.
"""

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lessons_lib.errors import UserError

LATEST, BEFORE = "latest.safetensors", "before.safetensors"


def write_checkpoint(folder: Path, tensors: dict[str, Tensor], values: dict) -> None:
    """Make this the latest checkpoint of ``folder``; the one that was becomes the one before.

    Raises:
        OSError: it cannot be written, for example because the disk is full; the older ones are untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{LATEST}.partial"
    data = save({name: x.detach().contiguous().cpu() for name, x in tensors.items()}, {"values": json.dumps(values)})
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # on the disk itself, before the name changes hands
        if (folder / LATEST).exists():
            os.replace(folder / LATEST, folder / BEFORE)
        os.replace(beside, folder / LATEST)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(
            f"{folder} cannot take a checkpoint of {len(data) / 1e6:.0f} MB ({error.strerror}); "
            "free some space and run the same command: it goes on from the last one"
        ) from None


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict] | None:
    """The latest checkpoint of ``folder`` that can be read; None if there never was one.

    Raises:
        ValueError: there are checkpoints, and all are damaged.
    """
    damaged = []
    for path in (folder / LATEST, folder / BEFORE):
        if not path.is_file():
            continue
        try:
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["values"])  # noqa: SIM118
        except (SafetensorError, ValueError, KeyError, TypeError, OSError):
            damaged.append(path.name)
    if damaged:
        raise UserError(f"{folder} holds only damaged checkpoints ({', '.join(damaged)}); start anew with --overwrite")
    return None
