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
from lessons_lib.files import write_whole

LATEST, BEFORE, NEXT = "latest.safetensors", "before.safetensors", ".next.safetensors"


def write_checkpoint(folder: Path, tensors: dict[str, Tensor], values: dict) -> None:
    """Make this the latest checkpoint of ``folder``; the one that was becomes the one before.

    Raises:
        OSError: it cannot be written, for example because the disk is full; the older ones are untouched.
    """
    data = save({name: x.detach().contiguous().cpu() for name, x in tensors.items()}, {"values": json.dumps(values)})
    write_whole(folder / NEXT, data, "free some space and run the same command: it goes on from the last checkpoint")
    if (folder / LATEST).exists():
        os.replace(folder / LATEST, folder / BEFORE)
    os.replace(folder / NEXT, folder / LATEST)


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
