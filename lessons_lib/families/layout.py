"""From their names to ours: what a family calls its settings and its tensors, as tables, and what reads the tables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NoReturn

import torch
from torch import Tensor, nn

from lessons_lib.config import TransformerConfig

ACTIVATION_NAMES = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}

# Settings, of every family, that do not change what a model computes from tokens once it is trained.
HARMLESS = set(
    """_name_or_path _num_labels activation_dropout architectures bos_token_id classif_dropout classifier_dropout
    decoder_layerdrop directionality dtype embd_pdrop encoder_layerdrop extra_pos_embeddings finetuning_task
    force_bos_token_to_be_generated forced_eos_token_id id2label init_std initializer_range is_llama_config label2id
    language max_length max_window_layers model_type n_ctx name num_beams num_hidden_layers num_labels output_past
    pretraining_tp problem_type reorder_and_upcast_attn task_specific_params tokenizer_class torch_dtype
    transformers.js_config transformers_version use_cache""".split()
)
HARMLESS_BEGINNINGS = ("summary_", "pooler_")

# The last part of a tensor's name, where it differs.
LEAVES = {"gamma": "weight", "beta": "bias", "table": "weight"}


@dataclass(frozen=True)
class Layout:
    """How the files of one family are laid out.

    Attributes:
        model_types: what config.json calls the family.
        base: our configuration where config.json is silent: the format's own defaults.
        settings: their name of a setting, and our field.
        required: settings that may have only this value.
        prefix: begins the names of the tensors in some of its files, and not in others.
        names: their name of a module (or a tensor), and ours; ``*`` stands for the layer.
        copies: names of one and the same tensor where embedding and output are tied; the first is in ``names``.
        ignored: patterns of tensors that are recomputed, or belong to a head that is not built.
        rearrange: brings the tensors into one matrix a module, if they are not.
        derive: from settings and tensors, the fields of our configuration that no table gives; it removes the
            settings that it has dealt with.
    """

    model_types: tuple[str, ...]
    base: TransformerConfig
    settings: Mapping[str, str]
    names: Mapping[str, str]
    required: Mapping[str, object] = field(default_factory=dict)
    prefix: str = ""
    copies: tuple[tuple[str, ...], ...] = ()
    ignored: tuple[str, ...] = ()
    rearrange: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda tensors: tensors
    derive: Callable[[dict, dict[str, Tensor]], dict] = lambda settings, tensors: {}


def our_config(settings: dict, layout: Layout, tensors: dict[str, Tensor]) -> TransformerConfig:
    """Our configuration of what config.json says.

    Raises:
        ValueError: a setting is neither known here nor off (null, false, 0, empty).
    """
    settings = dict(settings)
    derived = layout.derive(settings, tensors)
    changes = {}
    for name, value in settings.items():
        if name in layout.required:
            if value != layout.required[name]:
                refuse(name, value, f"only {layout.required[name]!r} is")
        elif name in layout.settings:
            if value is not None:
                changes[layout.settings[name]] = _converted(name, value, getattr(layout.base, layout.settings[name]))
        elif value and name not in HARMLESS and not name.startswith(HARMLESS_BEGINNINGS):
            refuse(name, value)
    return replace(layout.base, **(changes | derived))


def refuse(name: str, value: object, instead: str = "use a model without it") -> NoReturn:
    """Raise the ValueError about a setting that our blocks do not have."""
    raise ValueError(f"config.json has {name}={value!r}, which is not built here; {instead}")


def _converted(name: str, value: object, example: object) -> object:
    """A value of the type that our field has."""
    if name in ("hidden_act", "activation_function"):
        if value not in ACTIVATION_NAMES:
            refuse(name, value, f"use one of {', '.join(ACTIVATION_NAMES)}")
        return ACTIVATION_NAMES[value]
    if name == "eos_token_id" and isinstance(value, list):
        value = value[0]
    try:
        return value if example is None else type(example)(value)
    except (TypeError, ValueError):
        raise ValueError(f"config.json has {name}={value!r}; a number like {example} should stand there") from None


@torch.no_grad()
def fill(model: nn.Module, tensors: dict[str, Tensor], layout: Layout, tied: bool) -> None:
    """Copy every tensor of a checkpoint to its place, converted to the type and device of the place.

    Raises:
        ValueError: a tensor is missing, is left over, or has another shape; names the first.
    """
    tensors = layout.rearrange({name.removeprefix(layout.prefix): tensor for name, tensor in tensors.items()})
    if tied:
        for names in layout.copies:
            _merge(tensors, names)
    theirs = {ours: name for name, ours in layout.names.items()}
    for ours, place in model.state_dict().items():
        name = _their_name(ours, theirs)
        if name not in tensors:
            raise ValueError(f"the checkpoint has no tensor {name!r}, our {ours}; it is not whole, or not this model")
        tensor = tensors.pop(name)
        if tensor.shape != place.shape:
            shapes = f"{tuple(tensor.shape)}, but config.json asks for {tuple(place.shape)}"
            raise ValueError(f"the checkpoint's tensor {name!r} has shape {shapes}; they do not belong together")
        place.copy_(tensor)
    for name in sorted(tensors):
        if not any(fnmatchcase(name, pattern) for pattern in layout.ignored):
            raise ValueError(f"the checkpoint's tensor {name!r} has no place in this model; load another kind of model")


def _merge(tensors: dict[str, Tensor], names: tuple[str, ...]) -> None:
    """Leave one of several names of a tensor: the first."""
    present = [name for name in names if name in tensors]
    for name in present[1:]:
        if not torch.equal(tensors.pop(name), tensors[present[0]]):
            raise ValueError(f"the checkpoint's tensor {name!r} differs from {present[0]!r}, but should be its copy")
    if present:
        tensors[names[0]] = tensors.pop(present[0])


def _their_name(ours: str, theirs: Mapping[str, str]) -> str:
    """Looked up as a tensor, then as a module with a weight or a bias."""
    number = re.search(r"\.(\d+)\.", ours)
    pattern = ours.replace(number[0], ".*.") if number else ours
    module, _, leaf = pattern.rpartition(".")
    name = theirs[pattern] if pattern in theirs else f"{theirs[module]}.{LEAVES.get(leaf, leaf)}"
    return name.replace("*", number[1]) if number else name
