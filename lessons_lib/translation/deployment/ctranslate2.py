"""CTranslate2: a translation engine in C++, for processors and GPUs (Klein et al. 2020). Its format, and its search."""

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import torch
from ctranslate2.specs import TransformerSpec
from ctranslate2.specs.common_spec import Activation, LayerNormSpec, LinearSpec
from ctranslate2.specs.transformer_spec import FeedForwardSpec, TransformerDecoderSpec, TransformerEncoderSpec
from torch import Tensor, nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.config import TransformerConfig
from lessons_lib.feedforward import FeedForward
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.tokenizer import BOS, EOS, PAD, Tokenizer
from lessons_lib.translation.deployment.support import refuse_unknown

FILES = {"config.json", "model.bin", "shared_vocabulary.json", "tokenizer.json"}
POSITIONS = ("sinusoidal", "sinusoidal_halves", "learned", "rope", "none")
NORMS = ("layer", "rms")
# What its `translate_batch` must be told to search as ours does.
NEVER = {"suppress_sequences": [[PAD], [BOS]], "min_decoding_length": 0}
ACTIVATIONS = {
    "relu": Activation.RELU,
    "gelu": Activation.GELU,
    "gelu_tanh": Activation.GELUTanh,
    "silu": Activation.SWISH,
    "swiglu": Activation.SWISH,
    "geglu": Activation.GELUTanh,
}


def write_ctranslate2(model: Transformer, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a model for `ctranslate2.Translator`, and the tokenizer that makes its tokens, into ``folder``.

    Its tokens are the pieces of tokenizer.json. It appends ``</s>`` to the source by itself, and begins with ``<s>``.

    Raises:
        ValueError: CTranslate2 has no way to express a setting of the model; names it.
    """
    config = model.config
    spec = _empty(config)
    for side, stack in ((spec.encoder, model.encoder), (spec.decoder, model.decoder)):
        _fill_stack(side, stack, config)
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = _numbers(model.embedding.weight)
    spec.decoder.projection.weight = _numbers(model.output_weight)
    spec.register_source_vocabulary(tokenizer.vocabulary)
    spec.register_target_vocabulary(tokenizer.vocabulary)
    spec.config.bos_token = spec.config.decoder_start_token = BOS
    spec.config.eos_token, spec.config.add_source_eos = EOS, True
    spec.config.unk_token = PAD  # nothing is unknown; without a name of ours it would add a piece of its own
    spec.config.layer_norm_epsilon = config.norm_eps
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    tokenizer.save(folder / "tokenizer.json")


class CTranslate2Translator:
    """What `write_ctranslate2` wrote, at work on the CPU."""

    def __init__(self, folder: Path, threads: int = 0):
        self.tokenizer = Tokenizer.load(folder / "tokenizer.json")
        self.engine = ctranslate2.Translator(str(folder), device="cpu", inter_threads=1, intra_threads=threads)

    def translate(self, texts: Sequence[str], limits: Sequence[int], beam: int = 1) -> list[str]:
        """Translations, each of as many tokens as its limit says at most; of all beams the most probable.

        Left to itself, CTranslate2 forbids an end at the first token, and allows ``<pad>`` and ``<s>``.
        """
        pieces = self.tokenizer.vocabulary
        ids = {piece: token for token, piece in enumerate(pieces)}
        sources = [[pieces[token] for token in sentence] for sentence in self.tokenizer.encode_all(texts)]
        how = {"beam_size": beam, "length_penalty": 0, "max_batch_size": 64, **NEVER}
        found: dict[int, str] = {}
        for limit in sorted(set(limits)):
            group = [i for i, own in enumerate(limits) if own == limit]
            answers = self.engine.translate_batch([sources[i] for i in group], max_decoding_length=limit, **how)
            for i, one in zip(group, answers, strict=True):
                found[i] = self.tokenizer.decode(ids[piece] for piece in one.hypotheses[0])
        return [found[i] for i in range(len(texts))]


def _empty(config: TransformerConfig) -> TransformerSpec:
    """The shape of the model, in CTranslate2's terms.

    Raises:
        ValueError: see `write_ctranslate2`.
    """
    refuse_unknown(config, "for CTranslate2", positions=POSITIONS, activation=ACTIVATIONS, norm_type=NORMS)
    rope = {"rotary_dim": config.head_width, "rotary_interleave": False, "rotary_base": config.rope_base}
    same = {
        "num_heads": config.n_heads,
        "num_heads_kv": config.n_kv_heads,
        "head_dim": config.d_head,
        "pre_norm": config.norm == "pre",
        "activation": ACTIVATIONS[config.activation],
        "layernorm_embedding": config.embedding_norm,
        "ffn_glu": config.activation in ("swiglu", "geglu"),
        "rms_norm": config.norm_type == "rms",
        **(rope if config.positions == "rope" else {}),
    }
    encoder = TransformerEncoderSpec(config.n_encoder_layers, **same)
    return TransformerSpec(encoder, TransformerDecoderSpec(config.n_decoder_layers, **same))


def _fill_stack(spec: TransformerEncoderSpec | TransformerDecoderSpec, stack: nn.Module, config) -> None:
    spec.scale_embeddings = config.scaled
    if config.positions != "rope":
        table = getattr(stack.positions, "table", torch.zeros(config.max_length, config.d_model))
        spec.position_encodings.encodings = _numbers(table)
    if config.embedding_norm:
        _fill_norm(spec.layernorm_embedding, stack.embedding_norm)
    if config.norm == "pre":
        _fill_norm(spec.layer_norm, stack.norm)
    for into, layer in zip(spec.layer, stack.layers, strict=True):
        own = layer.attention
        into.self_attention.linear = [_joined(own.query, own.key, own.value), _joined(own.output)]
        _fill_norm(into.self_attention.layer_norm, layer.attention_residual.norm)
        if isinstance(spec, TransformerDecoderSpec):
            into.attention.linear = _cross(layer.cross_attention)
            _fill_norm(into.attention.layer_norm, layer.cross_attention_residual.norm)
        _fill_feed_forward(into.ffn, layer.feed_forward)
        _fill_norm(into.ffn.layer_norm, layer.feed_forward_residual.norm)


def _cross(attention: MultiHeadAttention) -> list[LinearSpec]:
    return [_joined(attention.query), _joined(attention.key, attention.value), _joined(attention.output)]


def _fill_feed_forward(spec: FeedForwardSpec, network: FeedForward) -> None:
    spec.linear_0, spec.linear_1 = _joined(network.expand), _joined(network.contract)
    if network.gate is not None:
        spec.linear_0_noact = _joined(network.gate)


def _fill_norm(spec: LayerNormSpec, norm: nn.Module) -> None:
    for name, parameter in norm.named_parameters():  # gamma, and beta where there is one: its names are ours
        setattr(spec, name, _numbers(parameter))


def _joined(*layers: nn.Linear) -> LinearSpec:
    """Several linear layers as one with their outputs side by side."""
    spec = LinearSpec()
    spec.weight = _numbers(torch.cat([layer.weight for layer in layers]))
    if layers[0].bias is not None:
        spec.bias = _numbers(torch.cat([layer.bias for layer in layers]))
    return spec


def _numbers(tensor: Tensor):
    return tensor.detach().float().numpy()
