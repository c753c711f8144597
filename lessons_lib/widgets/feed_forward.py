"""One token through W₁, the activation and W₂, neuron by neuron: the widget of lesson 7."""

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from lessons_lib.widgets._common import (
    check_index,
    check_matrix,
    check_words,
    module_source,
    style_source,
    text_form,
)

MAX_NEURONS = 40
ACTIVATIONS = ("relu", "gelu", "silu", "none")


class FeedForwardWidget(anywidget.AnyWidget):
    """Which hidden neurons a token fires, what each adds to the output, and how near they come to the whole network.

    The browser computes f(x · keyᵢ + biasᵢ) · valueᵢ for each neuron (Vaswani et al. 2017, section 3.3; read as a
    memory: Geva et al. 2021), so the token, the activation and the number of neurons can be changed with no kernel.
    Every trait may be changed later: `widget.selected = 3`.

    Args:
        words: T tokens to choose from, at most 40.
        inputs: (T, D) what the network reads for each; array, tensor or lists. Rounded to 4 decimals.
        outputs: (T, D) what the whole network gives for each, with all its neurons.
        keys: (F, D) columns of W₁ (rows of `expand.weight`) of at most 40 neurons.
        biases: F numbers, those of the same neurons in `expand.bias`.
        values: (F, D) rows of W₂ (rows of `contract.weight.T`).
        output_bias: D numbers, `contract.bias`.
        names: F numbers or texts, what each neuron is called.
        notes: F texts, what each neuron pushes towards, or None.
        contexts: T texts, where each token stands, or None.
        total: how many neurons the whole network has.
        selected: index of the token chosen first.
        activation: "relu", "gelu", "silu" or "none".
        trained: the activation that the network was trained with.
        width: how many of the F neurons work, those that add most for the chosen token; 0 means all.
    Raises:
        ValueError: arrays that do not fit, NaN, too many tokens or neurons, an index or a name out of range.
    """

    _esm = module_source("feed_forward")
    _css = style_source("feed_forward")

    tokens = traitlets.List().tag(sync=True)
    neurons = traitlets.List().tag(sync=True)
    output_bias = traitlets.List().tag(sync=True)
    total = traitlets.Int().tag(sync=True)
    selected = traitlets.Int(0).tag(sync=True)
    activation = traitlets.Unicode("relu").tag(sync=True)
    trained = traitlets.Unicode("relu").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        words: Sequence[str],
        inputs: Any,
        outputs: Any,
        keys: Any,
        biases: Any,
        values: Any,
        output_bias: Any,
        *,
        names: Sequence | None = None,
        notes: Sequence[str] | None = None,
        contexts: Sequence[str] | None = None,
        total: int | None = None,
        width: int = 0,
        **traits: Any,
    ):
        words = check_words(words)
        inputs = check_matrix(inputs, "inputs", len(words))
        d_model = len(inputs[0])
        outputs = _check_columns(check_matrix(outputs, "outputs", len(words)), "outputs", d_model)
        n_neurons = len(keys)
        if not 1 <= n_neurons <= MAX_NEURONS:
            raise ValueError(f"keys has {n_neurons} rows; give 1 to {MAX_NEURONS}, those of the strongest neurons")
        keys = _check_columns(check_matrix(keys, "keys", n_neurons, "neurons"), "keys", d_model)
        values = _check_columns(check_matrix(values, "values", n_neurons, "neurons"), "values", d_model)
        total = n_neurons if total is None else total
        if total < n_neurons:
            raise ValueError(f"total={total} but there are {n_neurons} neurons; it counts those of the whole network")
        names = _check_texts(names, "names", n_neurons, "neurons", map(str, range(n_neurons)))
        notes = _check_texts(notes, "notes", n_neurons, "neurons", [""] * n_neurons)
        contexts = _check_texts(contexts, "contexts", len(words), "words", words)
        rows = zip(names, notes, keys, _check_row(biases, "biases", n_neurons, "neurons"), values, strict=True)
        token = zip(words, contexts, inputs, outputs, strict=True)
        super().__init__(
            tokens=[dict(zip(("word", "context", "input", "output"), row, strict=True)) for row in token],
            neurons=[dict(zip(("name", "note", "key", "bias", "value"), row, strict=True)) for row in rows],
            output_bias=_check_row(output_bias, "output_bias", d_model, "columns"),
            total=total,
            width=width or n_neurons,
            **traits,
        )

    def __repr__(self) -> str:
        return text_form(self, " ".join(token["word"] for token in self.tokens), "choose a word")

    @traitlets.validate("tokens", "neurons")
    def _check_not_empty(self, proposal):
        if not proposal.value:
            raise ValueError(f"{proposal.trait.name} is empty; make a new widget instead")
        return proposal.value

    @traitlets.validate("selected")
    def _check_selected(self, proposal):
        return check_index(proposal.value, "selected", len(self.tokens), "tokens")

    @traitlets.validate("activation", "trained")
    def _check_activation(self, proposal):
        if proposal.value not in ACTIVATIONS:
            allowed = ", ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"{proposal.trait.name}={proposal.value!r} is not one of {allowed}")
        return proposal.value

    @traitlets.validate("width")
    def _check_width(self, proposal):
        if not 1 <= proposal.value <= len(self.neurons):
            raise ValueError(
                f"width={proposal.value} but there are {len(self.neurons)} neurons; use 1 to {len(self.neurons)}"
            )
        return proposal.value


def _check_columns(matrix: list[list[float]], name: str, d_model: int) -> list[list[float]]:
    if len(matrix[0]) != d_model:
        raise ValueError(f"{name} has {len(matrix[0])} columns but inputs has {d_model}; give d_model for both")
    return matrix


def _check_row(numbers: Any, name: str, length: int, things: str) -> list[float]:
    """`length` finite numbers as a list."""
    column = numbers.detach().cpu().double()[:, None] if hasattr(numbers, "detach") else [[n] for n in numbers]
    return [row[0] for row in check_matrix(column, name, length, things)]


def _check_texts(texts: Any, name: str, length: int, things: str, default: Any) -> list[str]:
    texts = [str(text) for text in (default if texts is None else texts)]
    if len(texts) != length:
        raise ValueError(f"{name} has {len(texts)} texts but there are {length} {things}; give one for each")
    return texts
