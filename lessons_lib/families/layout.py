"""From their names to ours: what a family calls its settings and its tensors, as tables, and what reads the tables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NoReturn

import torch
from torch import Tensor, nn

from lessons_lib.config import TransformerConfig
from lessons_lib.errors import UserError

ACTIVATION_NAMES = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}

# `transformers` computes with the settings that a family's code reads, and with no other: what a file says beside them
# (token ids, labels, training, generation, implementations, who made it) changes no number. So everything passes but
# the settings that our blocks have (`Layout.settings`), and those whose names say that they are about the numbers.
CHANGES = frozenset("is_decoder add_cross_attention pruned_heads auto_map quantization_config".split())
ABOUT_NUMBERS = re.compile(
    r"rope|rotary|window|alibi|softcap|multiplier|logit_scale|scale_|_scal(e|ing)|norm|(^|_)bias|quant|expert|moe"
    r"|position|layer_types|activation_function|hidden_act|qk_|lora|parallel_|residual|latent|compress"
)
# Of these by name alone: layers that have a window if another setting gives them one, heads that are not built.
HARMLESS = frozenset({"max_window_layers"})
HARMLESS_BEGINNINGS = ("_", "summary_", "pooler_", "unsloth", "transformers")

# What goes before every name when a model was saved inside `DataParallel`, or compiled.
WRAPPERS = ("module.", "_orig_mod.")

# The last part of a tensor's name, where it differs.
LEAVES = {"gamma": "weight", "beta": "bias", "table": "weight"}


@dataclass(frozen=True)
class Layout:
    """How the files of one family are laid out.

    Attributes:
        model_types: what config.json calls the family.
        base: our configuration where config.json is silent: the format's own defaults.
        settings: their name of a setting, and our field.
        aliases: names that `transformers` takes for some of these (its ``attribute_map``), and their own.
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
    aliases: Mapping[str, str] = field(default_factory=dict)
    required: Mapping[str, object] = field(default_factory=dict)
    prefix: str = ""
    copies: tuple[tuple[str, ...], ...] = ()
    ignored: tuple[str, ...] = ()
    rearrange: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda tensors: tensors
    derive: Callable[[dict, dict[str, Tensor]], dict] = lambda settings, tensors: {}


def our_config(settings: dict, layout: Layout, tensors: dict[str, Tensor]) -> TransformerConfig:
    """Our configuration of what config.json says.

    Raises:
        ValueError: a setting would change what the model computes, and is not built here; names it. One that is off
            (null, false, 0, empty), or that changes no number, passes.
    """
    settings = dict(settings)
    for alias, name in layout.aliases.items():
        if alias in settings and settings.setdefault(name, settings[alias]) != (value := settings.pop(alias)):
            refuse(alias, value, f"{name}={settings[name]} says otherwise; delete one")
    derived = layout.derive(settings, tensors)
    changes = {}
    for name, value in settings.items():
        if name in layout.required:
            if value != layout.required[name]:
                refuse(name, value, f"only {layout.required[name]!r} is")
        elif name in layout.settings:
            if value not in (None, []):
                changes[layout.settings[name]] = _converted(name, value, getattr(layout.base, layout.settings[name]))
        elif value and _changes_numbers(name):
            refuse(name, value)
    return replace(layout.base, **(changes | derived))


def kind_of(settings: dict, layout: Layout) -> str | None:
    """Which of the family's model types a config.json is of; None for another family's.

    The first ones had no ``model_type``: then the class of the model says it, or there is but one.
    """
    named = settings.get("model_type")
    if named is None:
        classes = [str(name).lower() for name in settings.get("architectures") or ()]
        fitting = [kind for kind in layout.model_types if any(name.startswith(kind) for name in classes)]
        named = (fitting or [None])[0] if classes or len(layout.model_types) > 1 else layout.model_types[0]
    return named if named in layout.model_types else None


def _changes_numbers(name: str) -> bool:
    if name in HARMLESS or name.startswith(HARMLESS_BEGINNINGS):
        return False
    return name in CHANGES or ABOUT_NUMBERS.search(name) is not None


def refuse(name: str, value: object, instead: str = "use a model without it") -> NoReturn:
    """Raise the ValueError about a setting that our blocks do not have."""
    raise UserError(f"config.json has {name}={value!r}, which is not built here; {instead}")


def _converted(name: str, value: object, example: object) -> object:
    """A value of the type that our field has."""
    if name in ("hidden_act", "activation_function"):
        if value not in ACTIVATION_NAMES:
            refuse(name, value, f"use one of {', '.join(ACTIVATION_NAMES)}")
        return ACTIVATION_NAMES[value]
    if name == "eos_token_id" and isinstance(value, list):
        value = value[0]
    if isinstance(example, bool) and value not in (True, False):  # bool("false") is True
        raise UserError(f"config.json has {name}={value!r}; true or false should stand there")
    try:
        return value if example is None else type(example)(value)
    except (TypeError, ValueError):
        raise UserError(f"config.json has {name}={value!r}; a number like {example} should stand there") from None


@torch.no_grad()
def fill(model: nn.Module, tensors: dict[str, Tensor], layout: Layout, tied: bool) -> None:
    """Copy every tensor of a checkpoint to its place, converted to the type and device of the place.

    Raises:
        ValueError: a tensor is missing, is left over, or has another shape; names the first.
    """
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): tensor for name, tensor in tensors.items()}
    tensors = layout.rearrange({name.removeprefix(layout.prefix): tensor for name, tensor in tensors.items()})
    if tied:
        for names in layout.copies:
            _merge(tensors, names)
    theirs = {ours: name for name, ours in layout.names.items()}
    for ours, place in model.state_dict().items():
        name = _their_name(ours, theirs)
        if name not in tensors:
            raise UserError(f"the checkpoint has no tensor {name!r}, our {ours}; it is not whole, or not this model")
        tensor = tensors.pop(name)
        if tensor.shape != place.shape:
            shapes = f"{tuple(tensor.shape)}, but config.json asks for {tuple(place.shape)}"
            raise UserError(f"the checkpoint's tensor {name!r} has shape {shapes}; they do not belong together")
        if place.is_floating_point() and not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise UserError(f"the checkpoint's tensor {name!r} is quantised ({kind}); load the model in floating point")
        place.copy_(tensor)
    for name in sorted(tensors):
        if not any(fnmatchcase(name, pattern) for pattern in layout.ignored):
            raise UserError(f"the checkpoint's tensor {name!r} has no place in this model; load another kind of model")


def _merge(tensors: dict[str, Tensor], names: tuple[str, ...]) -> None:
    """Leave one of several names of a tensor: the first."""
    present = [name for name in names if name in tensors]
    for name in present[1:]:
        if not torch.equal(tensors.pop(name), tensors[present[0]]):
            raise UserError(
                f"the checkpoint's tensor {name!r} differs from {present[0]!r}, though config.json ties them; "
                "set tie_word_embeddings to false there to keep both, or delete the wrong one"
            )
    if present:
        tensors[names[0]] = tensors.pop(present[0])


def _their_name(ours: str, theirs: Mapping[str, str]) -> str:
    """Looked up as a tensor, then as a module with a weight or a bias."""
    number = re.search(r"\.(\d+)\.", ours)
    pattern = ours.replace(number[0], ".*.") if number else ours
    module, _, leaf = pattern.rpartition(".")
    name = theirs[pattern] if pattern in theirs else f"{theirs[module]}.{LEAVES.get(leaf, leaf)}"
    return name.replace("*", number[1]) if number else name
