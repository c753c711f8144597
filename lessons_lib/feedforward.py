"""The feed-forward network: the same two-layer network at every position, alone."""

from functools import partial

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

# How a configuration names them: the function, and whether it opens a gate (a third matrix).
ACTIVATIONS = {
    "relu": (F.relu, False),  # Vaswani et al. 2017
    "gelu": (F.gelu, False),  # Hendrycks and Gimpel 2016; BERT
    "gelu_tanh": (partial(F.gelu, approximate="tanh"), False),  # its approximation; GPT-2
    "silu": (F.silu, False),  # also called swish; Marian
    "swiglu": (F.silu, True),  # Shazeer 2020; Llama
    "geglu": (partial(F.gelu, approximate="tanh"), True),  # Shazeer 2020; Gemma
}


class FeedForward(nn.Module):
    """f(x W₁ + b₁) W₂ + b₂ (Vaswani et al. 2017, section 3.3); gated: (f(x W_gate) ⊙ x W_up) W_down (Shazeer 2020).

    ``expand`` always goes through f, and ``gate`` never: in Llama's names, ``expand`` is gate_proj, ``gate`` is up_proj
    and ``contract`` is down_proj.
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu", bias: bool = True):
        super().__init__()
        self.activation, gated = ACTIVATIONS[activation]
        self.expand = nn.Linear(d_model, d_ff, bias=bias)
        self.gate = nn.Linear(d_model, d_ff, bias=bias) if gated else None
        self.contract = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        hidden = self.activation(self.expand(x))  # (*batch, F)
        if self.gate is not None:
            hidden = hidden * self.gate(x)
        return self.contract(hidden)
