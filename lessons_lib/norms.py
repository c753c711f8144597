"""Normalisation: each vector on its own is brought to one scale."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def layer_norm(
    x: Float[Tensor, "*batch D"], gamma: Float[Tensor, " D"], beta: Float[Tensor, " D"], eps: float = 1e-5
) -> Float[Tensor, "*batch D"]:
    """γ · (x − mean) / √(variance + ε) + β over the last dimension (Ba et al. 2016, equation 4)."""
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, correction=0)
    return gamma * (x - mean) / torch.sqrt(variance + eps) + beta


def rms_norm(x: Float[Tensor, "*batch D"], gamma: Float[Tensor, " D"], eps: float = 1e-6) -> Float[Tensor, "*batch D"]:
    """γ · x / √(mean of x² + ε): no mean taken away, no β (Zhang and Sennrich 2019, equation 4)."""
    return gamma * x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps)


class LayerNorm(nn.Module):
    """`layer_norm` with learned γ and β, computed by PyTorch's fused kernel."""

    def __init__(self, d_model: int, eps: float = 1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        return F.layer_norm(x, self.gamma.shape, self.gamma, self.beta, self.eps)


class RMSNorm(nn.Module):
    """`rms_norm` with a learned γ, computed by PyTorch's function: one kernel on some devices, several on a CPU."""

    def __init__(self, d_model: int, eps: float = 1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        return F.rms_norm(x, self.gamma.shape, self.gamma.to(x.dtype), self.eps)


NORMS: dict[str, type[nn.Module]] = {"layer": LayerNorm, "rms": RMSNorm}  # how a configuration names them
