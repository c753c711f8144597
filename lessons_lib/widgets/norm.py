"""Drag the activations of one token, see what a norm makes of them: the widget of lesson 6."""

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from lessons_lib.widgets._common import check_index, check_words, module_source, style_source, text_form

MIN_DIMENSIONS, MAX_DIMENSIONS = 2, 8  # bars that can still be told apart and dragged at 360 px
LARGEST = 9999  # four digits fit under a bar
_KINDS = ("layer", "rms")
_EDITABLE = ("values", "gamma", "beta")


class NormWidget(anywidget.AnyWidget):
    """The activations of one token before and after LayerNorm or RMSNorm, as bars that one can drag.

    The browser computes what `lessons_lib.norms` computes (Ba et al. 2016, equation 4; Zhang and Sennrich 2019,
    equation 4), so dragging a bar, γ or β works with no kernel. Every trait may be changed later:
    `widget.kind = "rms"`.

    Args:
        tokens: the name of each token, and its D activations; 2 to 8 of them, array, tensor or list, rounded to 4
            decimals.
        gamma: D learned factors; ones without it.
        beta: D learned shifts; zeros without it.
        dimensions: what to call the D bars, such as their numbers in the model; 0 to D − 1 without it.
        token: index of the token shown first.
        kind: "layer" or "rms".
        edited: what the reader changed: `values`, `gamma` or `beta` in place of those above.
    Raises:
        ValueError: vectors of different lengths, too long or too short; NaN or numbers beyond ±9999; an index or a name
            out of range.
    """

    _esm = module_source("norm")
    _css = style_source("norm")

    tokens = traitlets.List().tag(sync=True)
    gamma = traitlets.List().tag(sync=True)
    beta = traitlets.List().tag(sync=True)
    dimensions = traitlets.List().tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    kind = traitlets.Unicode("layer").tag(sync=True)
    edited = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        tokens: Mapping[str, Any],
        gamma: Any = None,
        beta: Any = None,
        dimensions: Sequence[Any] | None = None,
        **traits: Any,
    ):
        names = check_words(tokens, "tokens")
        vectors = [_vector(values, f"tokens[{name!r}]") for name, values in tokens.items()]
        size = len(vectors[0])
        if not MIN_DIMENSIONS <= size <= MAX_DIMENSIONS:
            raise ValueError(
                f"tokens[{names[0]!r}] has {size} numbers; give {MIN_DIMENSIONS} to {MAX_DIMENSIONS}, a bar for each"
            )
        super().__init__(
            tokens=[{"name": name, "values": vector} for name, vector in zip(names, vectors, strict=True)],
            gamma=[1.0] * size if gamma is None else _vector(gamma, "gamma"),
            beta=[0.0] * size if beta is None else _vector(beta, "beta"),
            dimensions=[str(i) for i in (range(size) if dimensions is None else dimensions)],
            **traits,
        )

    def __repr__(self) -> str:
        return text_form(self, " ".join(token["name"] for token in self.tokens), "drag the bars")

    @property
    def _size(self) -> int:
        return len(self.tokens[0]["values"])

    @traitlets.validate("tokens")
    def _check_tokens(self, proposal):
        if not proposal.value:
            raise ValueError("tokens is empty; give at least one name with its activations")
        size = len(proposal.value[0]["values"])
        return [
            {"name": token["name"], "values": _vector(token["values"], f"tokens[{token['name']!r}]", size)}
            for token in proposal.value
        ]

    @traitlets.validate("gamma", "beta")
    def _check_parameters(self, proposal):
        return _vector(proposal.value, proposal.trait.name, self._size)

    @traitlets.validate("dimensions")
    def _check_dimensions(self, proposal):
        if len(proposal.value) != self._size:
            raise ValueError(f"dimensions has {len(proposal.value)} names but there are {self._size} bars")
        return check_words([str(name) for name in proposal.value], "dimensions")

    @traitlets.validate("token")
    def _check_token(self, proposal):
        return check_index(proposal.value, "token", len(self.tokens), "tokens")

    @traitlets.validate("kind")
    def _check_kind(self, proposal):
        if proposal.value not in _KINDS:
            raise ValueError(f"kind={proposal.value!r} is not one of {', '.join(map(repr, _KINDS))}")
        return proposal.value

    @traitlets.validate("edited")
    def _check_edited(self, proposal):
        if unknown := sorted(set(proposal.value) - set(_EDITABLE)):
            raise ValueError(f"edited[{unknown[0]!r}] is unknown; use {', '.join(_EDITABLE)}")
        return {name: _vector(vector, f"edited[{name!r}]", self._size) for name, vector in proposal.value.items()}


def _vector(values: Any, name: str, size: int | None = None) -> list[float]:
    """A list of finite numbers, rounded to 4 decimals.

    Raises:
        ValueError: anything else, or another length than `size`.
    """
    if hasattr(values, "detach"):  # a tensor, on any device, in any precision
        values = values.detach().cpu().double()
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not a list of numbers ({error})") from None
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; give one list of numbers, one for each dimension")
    if size is not None and len(array) != size:
        raise ValueError(f"{name} has {len(array)} numbers but there are {size} dimensions; give one for each")
    wrong = ~(np.abs(array) <= LARGEST)  # NaN is not less than anything
    if wrong.any():
        index = int(wrong.argmax())
        raise ValueError(
            f"{name}[{index}] is {array[index]}; every number must be finite, from −{LARGEST} to {LARGEST}"
        )
    return (array.round(4) + 0.0).tolist()
