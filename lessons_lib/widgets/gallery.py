"""Published models to filter, to sort, and to compare two by two: the widget of lesson 9."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import check_index, module_source, style_source, text_form
from lessons_lib.widgets.sizes import checked_config

_NAMES = {
    "family": ("all", "encoder", "decoder", "both"),
    "sort": ("name", "year", "parameters", "layers", "width", "context"),
}
_TEXTS = ("name", "url", "source", "news")
_EXTRAS = (
    *("experts", "experts_used", "shared_experts", "d_expert", "dense_layers", "kv_latent", "q_latent", "d_rope"),
    *("shared_layers", "d_embedding", "patch", "window", "qk_norm", "norms_behind", "other"),
)
_LATENT = {"kv_latent", "q_latent", "d_rope"}


class GalleryWidget(anywidget.AnyWidget):
    """A table of models, and two of them side by side, with what differs marked and their masks drawn.

    The browser counts the parameters and the bytes of the KV cache from each shape, with the formulas of
    `lessons_lib.sizes`.

    Args:
        models: mappings as `lessons_lib.sizes.gallery.gallery` gives them: ``name``, ``year``, ``url``, ``source``,
            ``news``, ``config`` (a `TransformerConfig`, its dictionary, or None where the shape is not known), and if
            you like ``published``, ``note``, ``objective`` and ``extras``.
        chosen: indices of the two that are compared.
        family: "all", "encoder", "decoder" or "both".
        sort: "name", "year", "parameters", "layers", "width" or "context".
        descending: the largest first.

    Raises:
        ValueError: a model without a name, a source or the like, a shape that is none, an index or a name out of range.
    """

    _esm = module_source("gallery", ["choices"])
    _css = style_source("gallery")

    models = traitlets.List().tag(sync=True)
    chosen = traitlets.List().tag(sync=True)
    family = traitlets.Unicode("all").tag(sync=True)
    sort = traitlets.Unicode("year").tag(sync=True)
    descending = traitlets.Bool(False).tag(sync=True)

    def __init__(self, models: Sequence[Mapping], chosen: Sequence[int] = (0, 1), **traits: Any):
        models = _checked_models(models)  # before the indices into it
        super().__init__(models=models, chosen=list(chosen), **traits)

    def __repr__(self) -> str:
        first, second = (self.models[index]["name"] for index in self.chosen)
        return text_form(self, f"{first} and {second}", "compare others")

    @traitlets.validate("models")
    def _check_models(self, proposal):
        return _checked_models(proposal.value)

    @traitlets.validate("chosen")
    def _check_chosen(self, proposal):
        if len(proposal.value) != 2 or proposal.value[0] == proposal.value[1]:
            raise ValueError(f"chosen={proposal.value} is not two models; give two different indices, such as [0, 1]")
        return [check_index(index, "chosen", len(self.models), "models") for index in proposal.value]

    @traitlets.validate("family", "sort")
    def _check_name(self, proposal):
        name, value, allowed = proposal.trait.name, proposal.value, _NAMES[proposal.trait.name]
        if value not in allowed:
            raise ValueError(f"{name}={value!r} is not one of {', '.join(map(repr, allowed))}")
        return value


def _checked_models(models: Sequence[Mapping]) -> list[dict]:
    if len(models) < 2:
        raise ValueError(f"models has {len(models)} entries; give two or more, to compare")
    return [_check_model(model, f"models[{i}]") for i, model in enumerate(models)]


def _check_model(model: Mapping, where: str) -> dict:
    for name in _TEXTS:
        if not isinstance(model.get(name), str) or not model[name].strip():
            raise ValueError(f"{where} has the {name} {model.get(name)!r}; give a text that is not blank")
    if not model["url"].startswith("https://"):
        raise ValueError(f"{where} has the url {model['url']!r}; it must begin with https://")
    year, published, extras = model.get("year"), model.get("published"), dict(model.get("extras") or {})
    if not isinstance(year, int) or not 2017 <= year <= 2100:
        raise ValueError(f"{where} has the year {year!r}; give one from 2017, when the Transformer was published")
    if published is not None and (not isinstance(published, int) or published < 1):
        raise ValueError(f"{where} has published={published!r}; give a whole number of parameters, or None")
    for name, value in extras.items():
        if name not in _EXTRAS:
            raise ValueError(f"{where} has extras[{name!r}], which is not known; use {', '.join(_EXTRAS)}")
        if not isinstance(value, int) or (value < 1 and name != "other"):
            raise ValueError(f"{where} has extras[{name!r}]={value!r}; give a whole number from 1, or True")
    if missing := _LATENT - extras.keys() if _LATENT & extras.keys() else ():
        raise ValueError(f"{where} has no extras[{min(missing)!r}]; give all of {', '.join(sorted(_LATENT))}, or none")
    config = model.get("config")
    if config is not None:
        config = checked_config(config.to_dict() if hasattr(config, "to_dict") else config, f"{where}.config")
    kept = {name: model[name] for name in _TEXTS} | {"year": year, "published": published, "extras": extras}
    return kept | {"config": config} | {name: str(model.get(name) or "") for name in ("note", "objective")}
