"""What writing costs with a KV cache and without, token by token: the widget of lesson 11."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, module_source, style_source, text_form
from lessons_lib.widgets.sizes import _checked_models

PRECISIONS = ("float32", "bfloat16")
MOST = {"source": 1_000_000, "prompt": 1_000_000, "length": 1_000_000, "batch": 4096}


class CacheWidget(anywidget.AnyWidget):
    """The matrix of a decoder's attention while a text is written: what a step computes, what comes from the cache.

    The browser counts with the formulas of `lessons_lib.sizes`, in whole numbers: places that go through the layers,
    FLOPs of a step and of all so far, bytes of the cache. The first step reads the source, if the model has an encoder,
    and the whole prompt; each later one reads the token that was written before it.

    Args:
        models: what can be chosen: mappings with a ``name`` and a ``config``, the dictionary of a `TransformerConfig`
            with a decoder.
        model: index of the one shown first.
        source: tokens of the source, for an encoder–decoder.
        prompt: tokens that are there before the first is written; 1 is the start mark.
        length: tokens to write.
        step: which of them is being written, from 1.
        batch: texts at once.
        cached: whether the picture shows the way with a cache.
        precision: of the cache, "float32" or "bfloat16".

    Raises:
        ValueError: a model without decoder, a text longer than the model can read, a number or a name out of range.
    """

    _esm = module_source("cache")
    _css = style_source("cache")

    models = traitlets.List().tag(sync=True)
    model = traitlets.Int(0).tag(sync=True)
    source = traitlets.Int(10).tag(sync=True)
    prompt = traitlets.Int(1).tag(sync=True)
    length = traitlets.Int(12).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    batch = traitlets.Int(1).tag(sync=True)
    cached = traitlets.Bool(True).tag(sync=True)
    precision = traitlets.Unicode("float32").tag(sync=True)

    def __init__(self, models: Sequence[Mapping], **traits: Any):
        models = _with_decoder(models)
        super().__init__(models=models, **traits)
        longest = self.models[self.model]["config"]["max_length"]
        if self.prompt + self.length > longest:
            raise ValueError(
                f"prompt={self.prompt} and length={self.length} are longer than the model's max_length={longest}; "
                "shorten one of them"
            )
        if self.models[self.model]["config"]["n_encoder_layers"] and self.source > longest:
            raise ValueError(f"source={self.source} is longer than the model's max_length={longest}; shorten it")
        if self.step > self.length:
            raise ValueError(f"step={self.step} but length={self.length} tokens are written; use 1 to {self.length}")

    def __repr__(self) -> str:
        return text_form(self, self.models[self.model]["name"], "take the steps")

    @traitlets.validate("models")
    def _check_models(self, proposal):
        return _with_decoder(proposal.value)

    @traitlets.validate("model")
    def _check_index(self, proposal):
        return check_index(proposal.value, "model", len(self.models), "models")

    @traitlets.validate("source", "prompt", "length", "batch", "step")
    def _check_number(self, proposal):
        name, value = proposal.trait.name, proposal.value
        most = MOST.get(name, MOST["length"])
        if not 1 <= value <= most:
            raise ValueError(f"{name}={value} is out of range; use 1 to {most}")
        return value

    @traitlets.validate("precision")
    def _check_precision(self, proposal):
        if proposal.value not in PRECISIONS:
            raise ValueError(f"precision={proposal.value!r} is not one of {', '.join(map(repr, PRECISIONS))}")
        return proposal.value


def _with_decoder(models: Sequence[Mapping]) -> list[dict]:
    """The models, checked as those of the calculator of sizes, each with a decoder of a known shape."""
    checked = _checked_models(models)
    for i, model in enumerate(checked):
        if model["config"] is None or not model["config"]["n_decoder_layers"]:
            raise ValueError(f"models[{i}] ({model['name']}) has no decoder; without one there is no cache")
    return checked
