"""The training loss: cross-entropy with label smoothing, from the decoder's last vectors (Szegedy et al. 2016)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

CHUNK = 512  # positions whose logits exist at one time
TILE = 64  # a last, smaller chunk is filled up to a multiple: a CPU prepares its product anew for every other size


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
    """Computes the gradients beside the loss, chunk by chunk: ∂loss/∂logits = (softmax(logits) − q) / N.

    The part of q that is the same for every token, smoothing / V, is subtracted at the end, where it is one vector. The
    logarithm of softmax's denominator is that of the largest logit's share, which is never too small for a logarithm.
    """

    @staticmethod
    def forward(ctx, hidden, embedding, targets, smoothing):
        n, (vocabulary, width), full = len(hidden), embedding.shape, embedding.dtype
        precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else hidden.dtype
        hidden_gradient, embedding_gradient = torch.empty_like(hidden), torch.zeros_like(embedding)
        loss = torch.zeros((), dtype=full)
        with torch.autocast("cpu", enabled=False):  # products and shares in `precision`; sums and logarithms in full
            weights, mean_row = embedding.to(precision), embedding.mean(dim=0)
            most = min(CHUNK, -(-n // TILE) * TILE)
            all_parts, all_logits, all_shares = (
                hidden.new_zeros(most, x, dtype=precision) for x in (width, *2 * [vocabulary])
            )
            for start in range(0, n, CHUNK):
                target = targets[start : start + CHUNK, None]
                size = len(target)
                filled = -(-size // TILE) * TILE
                part, logits, shares = (x[:filled] for x in (all_parts, all_logits, all_shares))
                part[:size], part[size:] = hidden[start : start + CHUNK], 0
                torch.softmax(torch.mm(part, weights.T, out=logits), dim=1, out=shares)
                largest, of_target = logits.amax(dim=1), logits[:size].gather(1, target).to(full)
                denominator = (largest.to(full) - shares.amax(dim=1).to(full).log())[:size, None]
                mean = part[:size].to(full) @ mean_row
                loss += (denominator - (1 - smoothing) * of_target).sum() - smoothing * mean.sum()
                shares[:size].scatter_add_(1, target, shares.new_full((size, 1), smoothing - 1))
                hidden_gradient[start : start + CHUNK] = (shares @ weights)[:size]
                embedding_gradient += shares.T @ part
            hidden_gradient.sub_(smoothing * mean_row).div_(n)
            embedding_gradient.sub_(smoothing / vocabulary * hidden.sum(dim=0, dtype=full)).div_(n)
        ctx.save_for_backward(hidden_gradient, embedding_gradient)
        return loss / n

    @staticmethod
    def backward(ctx, gradient):
        hidden_gradient, embedding_gradient = ctx.saved_tensors
        return gradient * hidden_gradient, gradient * embedding_gradient, None, None
