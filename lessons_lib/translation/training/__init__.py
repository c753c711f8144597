"""How a translator learns: the loop, its losses, options and checkpoints."""

import importlib


def __getattr__(name: str):
    """What the module `training` held before it became a folder: its loop."""
    loop = importlib.import_module(f"{__name__}.loop")
    if name.startswith("_") or not hasattr(loop, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(loop, name)
