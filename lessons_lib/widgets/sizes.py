"""A calculator of sizes: parameters, FLOPs and bytes of a shape that one types or chooses. The widget of lesson 10."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, module_source, style_source, text_form

_NAMES = {
    "view": ("parameters", "flops", "training", "running"),
    "precision": ("float32", "bfloat16"),
}
_CHOICES = {
    "activation": ("relu", "gelu", "gelu_tanh", "silu", "swiglu", "geglu"),
    "positions": ("sinusoidal", "sinusoidal_halves", "learned", "rope", "alibi", "relative", "t5", "none"),
    "norm": ("pre", "post"),
    "norm_type": ("layer", "rms"),
    "bias": ("all", "qkv", "none"),
}
_COUNTS = ("vocab_size", "d_model", "n_heads", "d_ff", "max_length")
_LAYERS = ("n_encoder_layers", "n_decoder_layers")
_OPTIONAL = ("n_kv_heads", "d_head", "n_token_types")
_SHARES = ("dropout", "attention_dropout")
_SWITCHES = ("embedding_norm", "tied", "pooler")
_REQUIRED = (*_COUNTS, *_LAYERS, *_CHOICES, "tied")


class SizesWidget(anywidget.AnyWidget):
    """Parameters by part, FLOPs of a batch, memory of training and of running, for a shape that can be changed.

    The browser computes all of it with the formulas of `lessons_lib.sizes`, in whole numbers, so every field works
    with no kernel. A batch is full: each sequence is as long as the context, on both sides of an encoder–decoder.

    Args:
        models: what can be chosen: mappings with a ``name``, a ``config`` (the dictionary of a `TransformerConfig`, or
            None where the shape is not known) and, if you like, a ``note``.
        model: index of the one shown first.
        config: its shape, changed; by default that of the model.
        batch: sequences.
        precision: "float32" or "bfloat16".
        view: "parameters", "flops", "training" or "running".
        fused: attention without stored weights.
        plain: the loss needs all logits at once.

    Raises:
        ValueError: a model without name or shape, a size that is no positive whole number, heads that do not divide, a
            name that is not known, an index out of range.
    """

    _esm = module_source("sizes", ["choices"])
    _css = style_source("sizes")

    models = traitlets.List().tag(sync=True)
    model = traitlets.Int(0).tag(sync=True)
    config = traitlets.Dict().tag(sync=True)
    batch = traitlets.Int(1).tag(sync=True)
    precision = traitlets.Unicode("float32").tag(sync=True)
    view = traitlets.Unicode("parameters").tag(sync=True)
    fused = traitlets.Bool(True).tag(sync=True)
    plain = traitlets.Bool(True).tag(sync=True)

    def __init__(self, models: Sequence[Mapping], model: int = 0, config: Mapping | None = None, **traits: Any):
        models = _checked_models(models)  # before the shape that is taken from one of them
        if config is None and 0 <= model < len(models):
            config = models[model].get("config")
        super().__init__(models=models, model=model, config=dict(config or {}), **traits)

    def __repr__(self) -> str:
        return text_form(self, self.models[self.model]["name"], "change it")

    @traitlets.validate("models")
    def _check_models(self, proposal):
        return _checked_models(proposal.value)

    @traitlets.validate("model")
    def _check_index(self, proposal):
        return check_index(proposal.value, "model", len(self.models), "models")

    @traitlets.validate("config")
    def _check_config(self, proposal):
        return checked_config(proposal.value, "config") if proposal.value else {}

    @traitlets.validate("batch")
    def _check_batch(self, proposal):
        if proposal.value < 1:
            raise ValueError(f"batch={proposal.value} is not positive; use 1 or more")
        return proposal.value

    @traitlets.validate("view", "precision")
    def _check_name(self, proposal):
        name, value, allowed = proposal.trait.name, proposal.value, _NAMES[proposal.trait.name]
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value


def _checked_models(models: Sequence[Mapping]) -> list[dict]:
    if not models:
        raise ValueError("models is empty; give at least one {name, config}")
    return [_check_model(model, f"models[{i}]") for i, model in enumerate(models)]


def _check_model(model: Mapping, where: str) -> dict:
    name, config, note = model.get("name"), model.get("config"), model.get("note", "")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{where} has the name {name!r}; give a text that is not blank")
    if config is None and not note:
        raise ValueError(f"{where} ({name}) has neither config nor note; say what is known of it")
    return {"name": name, "config": None if config is None else checked_config(config, f"{where}.config"), "note": note}


def checked_config(config: Mapping, where: str) -> dict:
    """What the formulas read of a configuration; the rest is left out."""
    if missing := [name for name in _REQUIRED if name not in config]:
        raise ValueError(f"{where} has no {missing[0]!r}; give the dictionary of a TransformerConfig (to_dict)")
    for name in (*_COUNTS, *_LAYERS, *_OPTIONAL):
        least = 0 if name in _LAYERS or name == "n_token_types" else 1
        value = config.get(name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{where}: {name}={value!r} is no whole number from {least}")
    for name, allowed in _CHOICES.items():
        if config[name] not in allowed:
            raise ValueError(f"{where}: {name}={config[name]!r} is not one of {', '.join(map(repr, allowed))}")
    if config["n_encoder_layers"] + config["n_decoder_layers"] == 0:
        raise ValueError(f"{where} has no layers; give the encoder or the decoder one")
    heads, kv_heads = config["n_heads"], config.get("n_kv_heads")
    if not config.get("d_head") and config["d_model"] % heads:
        raise ValueError(f"{where}: d_model={config['d_model']} is not divisible by n_heads={heads}; or give d_head")
    if kv_heads and heads % kv_heads:
        raise ValueError(f"{where}: n_heads={heads} is not divisible by n_kv_heads={kv_heads}")
    kept = (*_REQUIRED, *_OPTIONAL, *_SHARES, *_SWITCHES)
    return {name: config[name] for name in kept if config.get(name) is not None}
