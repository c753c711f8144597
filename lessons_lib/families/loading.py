"""From a folder, or a name on the hub, to a model: the steps that every family shares."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError
from lessons_lib.families.layout import Layout, fill, kind_of, our_config
from lessons_lib.families.published import find_folder, read_settings, read_tensors

Model = TypeVar("Model", bound=nn.Module)


def load(source: Path | str, layout: Layout, build: Callable[[TransformerConfig], Model]) -> Model:
    """The published model, in evaluation mode on the CPU, every tensor of its file in its place.

    Raises:
        ValueError: it is not there, is of another family, or has settings or tensors that our blocks have not.
    """
    folder = find_folder(source)
    settings = read_settings(folder)
    if kind_of(settings, layout) is None:
        found, wanted = settings.get("model_type"), " or ".join(layout.model_types)
        raise UserError(f"{folder} holds a model of model_type={found!r}; this loader is for {wanted}")
    tensors = read_tensors(folder)
    config = our_config(settings, layout, tensors)
    model = build(config)
    fill(model, tensors, layout, config.tied)
    return model.eval()
