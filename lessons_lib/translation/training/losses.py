"""The training loss: cross-entropy with label smoothing, from the decoder's last vectors (Szegedy et al. 2016)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

CHUNK = 512  # positions whose logits exist at one time


def smoothed_cross_entropy(
    logits: Float[Tensor, "N V"], targets: Int[Tensor, " N"], smoothing: float
) -> Float[Tensor, ""]:
    """Mean over N of −Σ q log p, where q gives ``1 − smoothing`` to the target and spreads the rest over all V."""
    log_probabilities = logits.log_softmax(dim=-1)
    of_target = log_probabilities.gather(1, targets[:, None])[:, 0]
    return -((1 - smoothing) * of_target + smoothing * log_probabilities.mean(dim=-1)).mean()


def fused_cross_entropy(
    hidden: Float[Tensor, "N D"],
    embedding: Float[Tensor, "V D"],
    targets: Int[Tensor, " N"],
    smoothing: float,
) -> Float[Tensor, ""]:
    """`smoothed_cross_entropy` of ``hidden @ embedding.T``, with the same gradients but never all (N, V) logits.

    On a CPU the logits of a batch leave its caches and every pass over them waits for memory; a chunk of them stays.
    On other devices, and where no gradient is wanted, this is the plain formula.
    """
    if hidden.device.type == "cpu" and torch.is_grad_enabled():
        return _ChunkedCrossEntropy.apply(hidden, embedding, targets, smoothing)
    return F.cross_entropy(F.linear(hidden, embedding), targets, label_smoothing=smoothing)


class _ChunkedCrossEntropy(torch.autograd.Function):
    """Computes the gradients beside the loss, chunk by chunk: ∂loss/∂logits = (softmax(logits) − q) / N."""

    @staticmethod
    def forward(ctx, hidden, embedding, targets, smoothing):
        n, vocabulary = len(hidden), len(embedding)
        precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        hidden_gradient, embedding_gradient = torch.empty_like(hidden), torch.zeros_like(embedding)
        loss = torch.zeros((), dtype=embedding.dtype)
        with torch.autocast("cpu", enabled=False):  # products in `precision`; sums and exponentials in full
            weights = embedding.to(precision)
            for start in range(0, n, CHUNK):
                part = hidden[start : start + CHUNK].to(precision)
                target = targets[start : start + CHUNK, None]
                logits = (part @ weights.T).to(embedding.dtype)  # (CHUNK, V), overwritten twice below
                of_target, mean = logits.gather(1, target), logits.mean(dim=1, keepdim=True)
                largest = logits.amax(dim=1, keepdim=True)
                total = logits.sub_(largest).exp_().sum(dim=1, keepdim=True)
                loss += (largest + total.log() - (1 - smoothing) * of_target - smoothing * mean).sum()
                gradient = logits.mul_(1 / (n * total)).sub_(smoothing / (n * vocabulary))
                gradient.scatter_add_(1, target, torch.full_like(total, (smoothing - 1) / n))
                gradient = gradient.to(precision)
                hidden_gradient[start : start + CHUNK] = gradient @ weights
                embedding_gradient += gradient.T @ part
        ctx.save_for_backward(hidden_gradient, embedding_gradient)
        return loss / n

    @staticmethod
    def backward(ctx, gradient):
        hidden_gradient, embedding_gradient = ctx.saved_tensors
        return gradient * hidden_gradient, gradient * embedding_gradient, None, None
