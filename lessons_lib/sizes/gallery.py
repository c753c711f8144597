"""Published models for a gallery: what `presets` knows of them, and what each changed."""

import tomllib
from dataclasses import replace
from functools import cache
from importlib import resources

from lessons_lib.config import TransformerConfig
from lessons_lib.families.encoder_only import EncoderOnlyConfig
from lessons_lib.sizes.parameters import (
    attention_parameters,
    count_parameters,
    feed_forward_parameters,
    norm_parameters,
    parameters,
)
from lessons_lib.sizes.presets import presets


@cache
def gallery() -> list[dict]:
    """A dictionary a model, ordered by year.

    ``name``, ``year``, ``citation`` (a key of the course's references), ``url``, ``source`` (where in it), ``news``
    (what it changed), ``published`` (its size as printed) with ``tolerance``, ``note``, ``objective``, ``config`` (a
    `TransformerConfig`, or None where the shape was not disclosed) and ``extras`` (see gallery.toml).
    """
    text = resources.files("lessons_lib.sizes").joinpath("gallery.toml").read_text(encoding="utf-8")
    return [_entry(entry) for entry in tomllib.loads(text)["model"]]


def _entry(entry: dict) -> dict:
    found = {"published": None, "tolerance": 0.0, "note": "", "objective": "", "config": None, "extras": {}}
    if "preset" in entry:
        found |= vars(presets()[entry["preset"]])
    if "shape" in entry:
        shape = entry["shape"]
        found["config"] = (EncoderOnlyConfig if shape["n_decoder_layers"] == 0 else TransformerConfig)(**shape)
    return found | {name: value for name, value in entry.items() if name not in ("preset", "shape")}


def total_parameters(config: TransformerConfig, extras: dict) -> int:
    """`count_parameters`, with what no configuration says: experts, latent attention, patches (see gallery.toml)."""
    width, total = config.d_model, count_parameters(config)
    layers = config.n_encoder_layers + config.n_decoder_layers
    if extras.get("shared_layers"):
        one = replace(config, n_encoder_layers=min(config.n_encoder_layers, 1))
        total = count_parameters(one)
    if narrow := extras.get("d_embedding"):
        wide = ["token embedding", "token types", *["positions"] * (config.positions == "learned")]
        rows = sum(parameters(config).get(part, 0) for part in wide) // width
        total += rows * (narrow - width) + narrow * width + width
        if config.embedding_norm:
            stacks = (config.n_encoder_layers > 0) + (config.n_decoder_layers > 0)
            total += stacks * (norm_parameters(config, narrow) - norm_parameters(config))
    if patch := extras.get("patch"):
        total += 3 * patch**2 * width + width
    if experts := extras.get("experts"):
        networks = experts * _expert(config, extras) + extras.get("shared_experts", 0) * _expert(config, extras)
        routed = layers - extras.get("dense_layers", 0)
        total += routed * (networks + experts * width - feed_forward_parameters(config))
    if extras.get("kv_latent"):
        total += layers * (_latent_attention(config, extras) - attention_parameters(config))
    if extras.get("qk_norm"):
        total += layers * 2 * norm_parameters(config, config.head_width)
    if extras.get("norms_behind"):
        total += layers * 2 * norm_parameters(config)
    return total + extras.get("other", 0)


def active_parameters(config: TransformerConfig, extras: dict) -> int:
    """Those that one token passes by: all, but for the experts that it is not sent to."""
    idle = extras.get("experts", 1) - extras.get("experts_used", 1)
    routed = config.n_encoder_layers + config.n_decoder_layers - extras.get("dense_layers", 0)
    return total_parameters(config, extras) - routed * idle * _expert(config, extras)


def cache_numbers(config: TransformerConfig, extras: dict) -> int:
    """Numbers of keys and values that a written token leaves behind, in all layers."""
    heads = 2 * (config.n_kv_heads or config.n_heads) * config.head_width
    kept = extras["kv_latent"] + extras["d_rope"] if "kv_latent" in extras else heads
    return config.n_decoder_layers * kept


def _expert(config: TransformerConfig, extras: dict) -> int:
    return feed_forward_parameters(replace(config, d_ff=extras.get("d_expert", config.d_ff)))


def _latent_attention(config: TransformerConfig, extras: dict) -> int:
    """Down to the narrow vectors, a norm on each, up to the heads, and out (DeepSeek-AI 2024, section 2.1.1)."""
    kv, q, rope, heads = extras["kv_latent"], extras["q_latent"], extras["d_rope"], config.n_heads * config.head_width
    queries = config.d_model * q + norm_parameters(config, q) + q * (heads + config.n_heads * rope)
    keys_and_values = config.d_model * (kv + rope) + norm_parameters(config, kv) + 2 * kv * heads
    return queries + keys_and_values + heads * config.d_model
