"""PyTorch's own layers, with the weights of ours copied in."""

import torch
from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.blocks import DecoderLayer, EncoderLayer
from lessons_lib.norms import LayerNorm
from lessons_lib.transformer import Transformer


@torch.no_grad()
def copy_attention(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    projections = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
    theirs.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
    copy_linear(ours.output, theirs.out_proj)


@torch.no_grad()
def copy_linear(ours: nn.Linear, theirs: nn.Linear) -> None:
    theirs.weight.copy_(ours.weight)
    theirs.bias.copy_(ours.bias)


@torch.no_grad()
def copy_norm(ours: LayerNorm, theirs: nn.LayerNorm) -> None:
    theirs.weight.copy_(ours.gamma)
    theirs.bias.copy_(ours.beta)


def copy_encoder_layer(ours: EncoderLayer, theirs: nn.TransformerEncoderLayer) -> None:
    copy_attention(ours.attention, theirs.self_attn)
    copy_linear(ours.feed_forward.expand, theirs.linear1)
    copy_linear(ours.feed_forward.contract, theirs.linear2)
    copy_norm(ours.attention_residual.norm, theirs.norm1)
    copy_norm(ours.feed_forward_residual.norm, theirs.norm2)


def copy_decoder_layer(ours: DecoderLayer, theirs: nn.TransformerDecoderLayer) -> None:
    copy_attention(ours.attention, theirs.self_attn)
    copy_attention(ours.cross_attention, theirs.multihead_attn)
    copy_linear(ours.feed_forward.expand, theirs.linear1)
    copy_linear(ours.feed_forward.contract, theirs.linear2)
    copy_norm(ours.attention_residual.norm, theirs.norm1)
    copy_norm(ours.cross_attention_residual.norm, theirs.norm2)
    copy_norm(ours.feed_forward_residual.norm, theirs.norm3)


def torch_transformer(ours: Transformer) -> nn.Transformer:
    """An ``nn.Transformer`` that should compute what ``ours`` does between embedding and projection."""
    config = ours.config
    pre = config.norm == "pre"
    theirs = nn.Transformer(
        config.d_model,
        config.n_heads,
        config.n_encoder_layers,
        config.n_decoder_layers,
        config.d_ff,
        dropout=0.0,
        norm_first=pre,
        batch_first=True,
    )
    for mine, layer in zip(ours.encoder.layers, theirs.encoder.layers, strict=True):
        copy_encoder_layer(mine, layer)
    for mine, layer in zip(ours.decoder.layers, theirs.decoder.layers, strict=True):
        copy_decoder_layer(mine, layer)
    if pre:
        copy_norm(ours.encoder.norm, theirs.encoder.norm)
        copy_norm(ours.decoder.norm, theirs.decoder.norm)
    else:  # nn.Transformer always ends its stacks with a norm; the published post-norm model does not
        theirs.encoder.norm = theirs.decoder.norm = None
    return theirs


def assert_same_gradients(ours: nn.Module, theirs: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """The gradients of these parameters, ours and theirs, agree to 1e-5."""
    mine, other = dict(ours.named_parameters()), dict(theirs.named_parameters())
    for name, their_name in pairs:
        torch.testing.assert_close(mine[name].grad, other[their_name].grad, rtol=1e-5, atol=1e-5, msg=name)
