"""The playground's models in PyTorch: those of lessons_lib, with the choices that only the playground has."""

import json
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.blocks import Residual
from lessons_lib.config import TransformerConfig
from lessons_lib.families import DecoderOnly
from lessons_lib.masks import causal_mask, causal_padding_mask, padding_mask
from lessons_lib.transformer import Transformer

PAD, BOS, EOS, NOT_ASKED = 0, 1, 2, -1


def library_config(config: dict) -> TransformerConfig:
    """The configuration without what the library has no choice of."""
    known = {name: value for name, value in config.items() if name not in ("causal_mask", "scale_scores")}
    norm = "post" if config["norm"] == "none" else config["norm"]
    return TransformerConfig(**known | {"norm": norm, "dropout": float(config["dropout"])})


class TorchModel(nn.Module):
    """The model of a configuration, in double precision: what differs from it is our own error.

    What lessons_lib has no choice of is put on top. No norm at all: that of post-norm is the identity. No causal mask:
    padding is then masked, as nothing else hides it. No scale: queries are multiplied by the √d_head that the scores
    are divided by.
    """

    def __init__(self, config: dict, state: dict[str, Tensor]):
        super().__init__()
        self.causal = config["causal_mask"]
        family = Transformer if config["n_encoder_layers"] else DecoderOnly
        self.model = family(library_config(config))
        for module in self.model.modules():
            if config["norm"] == "none" and isinstance(module, Residual):
                module.norm = nn.Identity()
            if not config["scale_scores"] and isinstance(module, MultiHeadAttention):
                module.query.register_forward_hook(partial(_scaled, math.sqrt(module.d_head)))
        self.model.load_state_dict(state)
        self.double()

    def logits(self, sources: list[list[int]], targets: list[list[int]]) -> Tensor:
        """Of the token after each position of a padded batch, (B, T, V): T as the model reads it."""
        sources, before = [[*one, EOS] for one in sources], [[BOS, *one] for one in targets]
        if isinstance(self.model, DecoderOnly):
            tokens = padded([source + target for source, target in zip(sources, before, strict=True)], PAD)
            mask = causal_mask(tokens.shape[1]) if self.causal else padding_mask(tokens, PAD)
            return self.model.project(self.model.decoder(self.model.embed(tokens), mask=mask))
        src, tgt = padded(sources, PAD), padded(before, PAD)
        mask = causal_padding_mask(tgt, PAD) if self.causal else padding_mask(tgt, PAD)
        hidden = self.model.decoder(self.model.embed(tgt), self.model.encode(src), mask, padding_mask(src, PAD))
        return self.model.project(hidden)

    def loss(self, examples: list[dict]) -> Tensor:
        """The mean cross-entropy of all targets of a batch."""
        sources, targets = ([one[side] for one in examples] for side in ("source", "target"))
        asked = [[*one, EOS] for one in targets]
        if isinstance(self.model, DecoderOnly):
            asked = [[NOT_ASKED] * (len(source) + 1) + one for source, one in zip(sources, asked, strict=True)]
        logits = self.logits(sources, targets).flatten(0, 1)
        return F.cross_entropy(logits, padded(asked, NOT_ASKED).flatten(), ignore_index=NOT_ASKED)


def _scaled(factor: float, module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    return output * factor


def padded(rows: list[list[int]], value: int) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


def torch_optimizer(model: nn.Module, settings: dict) -> torch.optim.Optimizer:
    """The optimizer of these settings."""
    if settings["optimizer"] == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=settings["momentum"])
    given = {"betas": tuple(settings["betas"]), "eps": settings["eps"]}
    if settings["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), **given)
    return torch.optim.AdamW(model.parameters(), weight_decay=settings["weight_decay"], **given)


def share(number: int, settings: dict) -> float:
    """Of the highest rate, at this step."""
    warmup = max(settings["warmup_steps"], 1)
    falls = {
        "constant": 1,
        "inverse_sqrt": (warmup / number) ** 0.5,
        "linear": max(1 - number / settings["steps"], 0.01),
    }
    return min(1, number / warmup, falls[settings["schedule"]])


def state_of(tensors: dict[str, dict]) -> dict[str, Tensor]:
    """Of {name: {shape, numbers}}."""
    one = lambda shape, numbers: torch.tensor(numbers, dtype=torch.float64).view(shape)  # noqa: E731
    return {name: one(**tensor) for name, tensor in tensors.items()}


def torch_training(found: dict) -> tuple[list[float], list[float], dict[str, Tensor]]:
    """The losses and gradient norms of the same training in PyTorch, and the gradients of its first step.

    Args:
        found: what a training of ours was and did: its settings, config, start, and for each step the examples.
    """
    model, settings = TorchModel(found["config"], state_of(found["start"])), found["settings"]
    optimizer = torch_optimizer(model, settings)
    losses, norms, gradients = [], [], {}
    for number, step in enumerate(found["steps"], start=1):
        optimizer.zero_grad()
        loss = model.loss(step["examples"])
        loss.backward()
        gradients = gradients or {name: one.grad.clone() for name, one in model.model.named_parameters()}
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), settings["clip_norm"] or math.inf).item())
        for group in optimizer.param_groups:
            group["lr"] = settings["learning_rate"] * share(number, settings)
        optimizer.step()
        losses.append(loss.item())
    return losses, norms, gradients


def read_safetensors(data: bytes) -> tuple[dict, dict[str, Tensor]]:
    """The metadata and the tensors of an exported file."""
    import safetensors.torch

    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    return {name: json.loads(text) for name, text in metadata.items()}, safetensors.torch.load(data)
