# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · Efficient Transformers
#
# **What makes it fast?** *65 minutes. You need: attention (lesson 1), the layers of a decoder (lesson 5), the causal mask (lesson 8), and what a
# FLOP is (lesson 10).*
#
# After this lesson you can
#
# - write a KV cache, say why it changes no word, and notice one that caches nothing;
# - compute attention without ever holding its table of weights, as FlashAttention does;
# - say which trick saves arithmetic, which saves memory, and which saves only waiting;
# - measure all that on your own machine, and distrust every "twice as fast" that comes without a measurement.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import contextlib
import copy
import dataclasses
import logging
import math
import os
import tempfile
import time
from functools import partial

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from lessons_lib import sizes
from lessons_lib.attention import (
    fused_attention,
    recorded_attention,
    scaled_dot_product_attention,
)
from lessons_lib.blocks import EncoderLayer
from lessons_lib.cache import DecoderCache, KeyValueCache
from lessons_lib.config import TransformerConfig
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.figures import use_course_style
from lessons_lib.masks import padding_mask
from lessons_lib.timing import peak_bytes
from lessons_lib.transformer import Transformer
from lessons_lib.translation.batching import Batches, collate, encode_pairs
from lessons_lib.translation.corpus import load_grammar
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.decoding import beam_search, greedy, n_best
from lessons_lib.translation.scoring import score
from lessons_lib.translation.training import batch_loss
from lessons_lib.translation.uncached import Uncached
from lessons_lib.widgets import CacheWidget

# Otherwise PyTorch's profiler says when it begins and ends.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")
use_course_style()
seed_everything(11)
device = pick_device()
on_cpu = device.type == "cpu"
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# This is how the translator of this course writes:
#
# > reads `<s>`, says *Les*<br>
# > reads `<s>` *Les*, says *petits*<br>
# > reads `<s>` *Les petits*, says *chats*<br>
# > reads `<s>` *Les petits chats*, says *noirs* …
#
# For each word it reads the whole beginning again. But has anything changed about *Les* since the last time? A word of a
# {term}`decoder` never looks at a later one: the {term}`causal mask` forbids it. So nothing that was written later can have changed what was computed for
# *Les*, in any layer. It is all done once more, to the same result.
#
# What does the next word need of *Les*? It compares its own {term}`query` with the {term}`key` of *Les* and takes home a share of the {term}`value` of *Les*. Nothing else. So we keep
# the keys and values of all words in a table, the {term}`KV cache`, and each step computes **one** row.
#
# The widget shows both ways. Take a step, then another, and watch what is computed and what comes from the cache. Then choose a larger
# model and a longer text.

# %% tags=["hide-input"]
translator = load_course_translator(device)
model, tokenizer, config = (
    translator.model.eval(),
    translator.tokenizer,
    translator.model.config,
)
shown = {
    name: sizes.presets()[name].config
    for name in ("GPT-2 small", "Llama 2 7B", "Llama 3 8B")
}
CacheWidget(
    [{"name": "the course's translator", "config": config.to_dict()}]
    + [{"name": name, "config": c.to_dict()} for name, c in shown.items()],
    source=10,
    prompt=1,
    length=12,
    step=6,
)

# %% [markdown]
# ```{admonition} What to look for
# :class: tip
# Go to the last step and compare the FLOPs of all steps so far: for this short sentence it is three times as many without the cache. Choose *GPT-2 small*, a prompt of 100 and 400 tokens to write, and go to the last
# step again: now it is 182 times. Then choose *Llama 2 7B* in bfloat16, a batch of 64, and look at the bytes of the cache. Switch to *Llama 3 8B*, which is larger, and look again:
# claim 6 says how that is done.
# ```
#
# The cache saves **arithmetic**. But a machine spends its time in three ways, and there are tricks for each:
#
# | what takes the time | how it is counted | what helps |
# |---|---|---|
# | arithmetic | {term}`FLOPs <FLOP>` | the KV cache; half precision |
# | fetching and storing numbers | bytes | fused attention; grouped heads; half precision; a compiler |
# | waiting for the step before | steps in a row | training all places at once; writing many texts at once |
#
# ## The mathematics
#
# ### Why the past stays as it is
#
# Let $x_t^{(l)} \in \mathbb{R}^{D}$ be the vector of place $t$ after layer $l$. With the causal mask, a layer makes it of the places up to $t$:
#
# $$
# x_t^{(l)} = f_l\big(x_t^{(l-1)};\; k_1, v_1, \dots, k_t, v_t\big), \qquad k_s = W_K\, x_s^{(l-1)}, \quad v_s = W_V\, x_s^{(l-1)} .
# $$
#
# (Several heads, biases, norms, and a source that stays what it is change nothing about the argument.) In layer 1 that depends on the tokens $1 \dots t$ only; so it does in layer 2, and so on up. When place $n$ is added,
# nothing changes at the places before it. All that is new is one row: with the stacked keys and values
#
# $$
# K_n = \begin{bmatrix} K_{n-1} \\ k_n \end{bmatrix} \in \mathbb{R}^{n \times d}, \qquad
# V_n = \begin{bmatrix} V_{n-1} \\ v_n \end{bmatrix}, \qquad
# o_n = \operatorname{softmax}\!\Big(\frac{q_n K_n^\top}{\sqrt d}\Big) V_n ,
# $$
#
# where $q_n$ is $1 \times d$. No old *query* appears, so none is kept. To write $N$ tokens, $N$ places go through each layer with a cache, and without one
#
# $$
# 1 + 2 + \dots + N = \frac{N(N+1)}{2} .
# $$
#
# ### What a layer costs
#
# For $n$ tokens of width $D$, with a feed-forward network of width $F = 4D$ and no cross-attention, lesson 10 counted $24\,n D^2$ FLOPs for the matrices of a layer and $4\,n^2 D$ for the two products of
# attention. The second is $n / 6D$ of the first. With a cache, one more token costs $24 D^2 + 4 n D$.
#
# ### Attention without its table
#
# Attention makes a table of $T \times S$ weights, stores it, and reads it again. For 8,192 tokens that is 67 million numbers, for each head and layer. But each row is needed for one thing only: an average.
# An average can be taken as the numbers come, a block of keys at a time. Let $s$ be a score and $v$ the value that belongs to it. Three things are kept for each query: the largest score so far $m$, the sum $\ell$ of all
# $e^{s - m}$, and the sum $o$ of all $e^{s-m}\, v$. When a block of scores $s_j$ with values $v_j$ arrives,
#
# $$
# m' = \max(m, \max_j s_j), \qquad
# \ell' = e^{m - m'}\,\ell + \sum_j e^{s_j - m'}, \qquad
# o' = e^{m - m'}\, o + \sum_j e^{s_j - m'} v_j .
# $$
#
# The factor $e^{m-m'}$ turns what was computed with the old maximum into what it would have been with the new one. At the end the result is $o / \ell$. It is exact: no weight is left out. This is the
# **{term}`online softmax`** ({cite:t}`milakov2018online`); attention with it needs $T(d + 2)$ numbers and one block of scores in place of $TS$ ({cite:t}`rabe2021self`). FlashAttention
# ({cite:t}`dao2022flashattention`) does it inside one program of a GPU (a *kernel*), in blocks that fit into the small, fast memory beside the arithmetic units. One calls that **fused**: several
# operations, one trip to memory.

# %% [markdown]
# ## The code, from scratch
#
# ### A cache
#
# The new tokens bring their queries, keys and values. The past brings keys and values. Usually one token is new; at the start, a whole beginning may be (a
# *prompt*), and then each of its tokens may see only those up to itself.


# %%
def attend_with_cache(query, key, value, past=None):
    """What T new tokens (B, H, T, d) take home; and keys and values of all so far."""
    if past is not None:
        # (B, H, n, d) and (B, H, T, d) -> (B, H, n + T, d)
        key = torch.cat([past[0], key], dim=2)
        value = torch.cat([past[1], value], dim=2)
    new, n = query.shape[2], key.shape[2]
    # Row t of the new ones sees all of the past, and the new ones up to itself.
    mask = torch.ones(new, n, dtype=torch.bool, device=query.device).tril(n - new)
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


# %% [markdown]
# The number in `tril` moves the triangle to the right by the length of the past. Leave it out, and the first new token sees nothing but the
# very first word.
#
# Does it agree with one pass over everything? We take real queries, keys and values: 200 sentences that the translator has never seen, in the first layer
# of its decoder. Once all at once; once token by token; once a beginning of five, and the rest token by token.

# %%
corpus = load_grammar(seed=0, n_train=2_000, n_valid=10)
test = corpus.test[:200]
batch = collate(encode_pairs(tokenizer, test, max_length=64), tokenizer).to(device)


def split(x, heads=config.n_heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, T, D) -> (B, H, T, d)


def token_by_token(q, k, v, cuts):
    pieces, past = [], None
    for start, end in zip([0, *cuts], [*cuts, q.shape[2]], strict=True):
        piece, past = attend_with_cache(*(x[:, :, start:end] for x in (q, k, v)), past)
        pieces.append(piece)
    return torch.cat(pieces, dim=2)


with torch.inference_mode():
    layer = model.decoder.layers[0]
    # (B, T, D)
    x = layer.attention_residual.norm(model.decoder.enter(model.embed(batch.tgt_in)))
    projections = layer.attention.query, layer.attention.key, layer.attention.value
    q, k, v = (split(project(x)) for project in projections)

T = q.shape[2]
at_once = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # PyTorch's own
torch.testing.assert_close(token_by_token(q, k, v, range(1, T)), at_once)
torch.testing.assert_close(token_by_token(q, k, v, range(5, T)), at_once)

library = KeyValueCache(len(q), config.n_heads, T, q.shape[-1], like=q)  # its memory, whole
for t in range(T):
    keys, values = library.append(k[:, :, t : t + 1], v[:, :, t : t + 1])
torch.testing.assert_close(keys, k)
torch.testing.assert_close(values, v)
print(f"{T} tokens: all at once = one by one = five, then one by one")
print("lessons_lib keeps the same keys and values")

# %% [markdown]
# Our cache grows by `torch.cat`, which copies everything at each step. The library's takes all of its memory at the start and writes into it: no
# copies, but somebody must know the longest text beforehand. A decoder layer has two such memories, in a `LayerCache`: one that grows, of the
# text so far, and one of the source, computed once.
#
# Now the whole decoder. Each layer has a past of its own, and keys and values of the source, which are the same at every step.


# %%
def read_source(src):
    """The same for every step: each layer's keys and values of the source; its mask."""
    memory = model.encode(src)
    keys_values = [
        layer.cross_attention.keys_values(memory) for layer in model.decoder.layers
    ]
    return keys_values, padding_mask(src, config.pad_id)


def decoder_step(tokens, start, source, past):
    """Logits (B, T, V) for tokens (B, T) from place `start` on; each layer's new past."""
    keys_values, source_mask = source
    x, kept = model.decoder.enter(model.embed(tokens), start), []
    for layer, of_source, before in zip(
        model.decoder.layers, keys_values, past, strict=True
    ):
        normed = layer.attention_residual.norm(x)
        projections = layer.attention.query, layer.attention.key, layer.attention.value
        new = (split(project(normed)) for project in projections)
        heads, now = attend_with_cache(*new, before)
        x = x + layer.attention.output(heads.transpose(1, 2).flatten(2))
        normed = layer.cross_attention_residual.norm(x)
        x = x + layer.cross_attention.attend(normed, *of_source, source_mask)[0]
        x = layer.feed_forward_residual(x, layer.feed_forward)
        kept.append(now)
    return model.project(model.decoder.norm(x)), kept


@torch.inference_mode()
def write(src, n_tokens, restart_positions=False):
    """The n tokens that follow <s>, each the most probable one, with a cache.

    With `restart_positions` it has a bug, which we meet below.
    """
    source, past = read_source(src), [None] * config.n_decoder_layers
    written = torch.full((len(src), 1), config.bos_id, device=device)
    for place in range(n_tokens):
        start = 0 if restart_positions else place
        logits, past = decoder_step(written[:, -1:], start, source, past)
        written = torch.cat([written, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return written[:, 1:]


def texts(tokens):
    """Sentences, each up to its </s>."""
    ends = [
        row.index(config.eos_id) if config.eos_id in row else None
        for row in tokens.tolist()
    ]
    return [
        tokenizer.decode(row[:end]) for row, end in zip(tokens.tolist(), ends, strict=True)
    ]


ours = texts(write(batch.src, 24))
assert ours == [tokenizer.decode(h.tokens) for h in greedy(model, batch.src)]
print("our decoder with our cache = lessons_lib, all", len(ours), "translations, such as")
print(" ", test[3].source, "→", ours[3])

# %% [markdown]
# ### Attention in blocks
#
# The loop is the mathematics above, line by line. At no time is there more than one block of scores.


# %%
def attention_in_blocks(query, key, value, block):
    query = query / math.sqrt(query.shape[-1])
    largest = torch.full_like(query[..., :1], -torch.inf)  # (B, H, T, 1)
    total, output = torch.zeros_like(largest), torch.zeros_like(query)
    for keys, values in zip(
        key.split(block, dim=-2), value.split(block, dim=-2), strict=True
    ):
        scores = query @ keys.transpose(-2, -1)  # (B, H, T, block)
        larger = torch.maximum(largest, scores.amax(-1, keepdim=True))
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        total = shrink * total + weights.sum(-1, keepdim=True)
        output = shrink * output + weights @ values
        largest = larger
    return output / total


# In 64 bits, so that rounding hides no mistake.
exact = [x.cpu().double() for x in (q, k, v)]
whole = scaled_dot_product_attention(*exact)[0]
for block in (1, 4, 7, 100):
    torch.testing.assert_close(
        attention_in_blocks(*exact, block), whole, atol=1e-12, rtol=0
    )
torch.testing.assert_close(
    F.scaled_dot_product_attention(*exact), whole, atol=1e-12, rtol=0
)
print("in blocks of 1, 4, 7 or all at once = lessons_lib = PyTorch, to the twelfth decimal")

# %% [markdown]
# The blocks may be of any size, down to a single key. (The first block meets $m = -\infty$ and $e^{-\infty} = 0$: nothing to shrink yet.) The queries can be cut
# into blocks as well, since each minds its own business. What that saves is measured in claim 4.
#
# ## Claims, tested
#
# Everything that is *counted* below (places, FLOPs, bytes of a cache) is exact and the same on every machine. Everything that is *timed* is of the machine that built this page, on one core of a
# CPU; there we take the processor's time, which other programs on the machine disturb little. On a GPU the same cells take larger sizes, and your numbers
# will be others. (By a clock on the wall, let the systems that you compare take turns, as `lessons_lib.timing.take_turns` does: a slow moment of the machine then meets all of them.) We use two little instruments.


# %%
def milliseconds(work, runs=1, rounds=4):
    """Of one run, the least of some rounds: processor time; on a GPU, time on the wall."""
    clock, wait = time.process_time, lambda: None
    if not on_cpu:
        clock, wait = time.perf_counter, getattr(torch, device.type).synchronize
    spent = []
    for _ in range(rounds + 1):
        wait()
        begin = clock()
        for _ in range(runs):
            work()
        wait()
        spent.append((clock() - begin) / runs)
    return 1000 * min(spent[1:])  # the first round warms up


@contextlib.contextmanager
def counted_places():
    """The number of places that go through the first decoder layer, call by call."""
    seen = []
    hook = model.decoder.layers[0].attention.key.register_forward_hook(
        lambda module, given, out: seen.append(out.shape[1])
    )
    try:
        yield seen
    finally:
        hook.remove()


# %% [markdown]
# ### Claim 1: "Training is parallel over positions, generation is not"
#
# In training the right translation is there. One pass reads it whole, and each place says its next token. When the model writes, token 5
# cannot be read before it is written. We compare three ways through the same decoder, with texts of 16 to 128 tokens: **one pass** over the finished text, as in training; **writing
# with a cache**; **writing without**. (For texts so long we put many short sentences in a row. All three ways are handed the same ones, and differ in nothing else.) First, what is computed. PyTorch counts every matrix product; our formulas must agree to the last digit.

# %% tags=["claim-13"]
TEXTS = 16 if on_cpu else 256
LENGTHS = (16, 32, 64, 128)
src = batch.src[:16].repeat(TEXTS // 16, 1)
french = [
    token
    for example in encode_pairs(tokenizer, corpus.test, max_length=64)
    for token in example.tgt
]
# (TEXTS, 128): sentences in a row
text = torch.tensor((4 * french)[: TEXTS * max(LENGTHS)], device=device).view(TEXTS, -1)
with torch.inference_mode():
    memory, source_mask = model.encode(src), padding_mask(src, config.pad_id)


@torch.inference_mode()
def one_pass(length):
    return model.project(model.decode_hidden(text[:, :length], memory, source_mask))


@torch.inference_mode()
def writing(network, length):
    cache = network.new_cache(memory, length)
    return torch.stack(
        [
            network.decode_step(text[:, t : t + 1], cache, source_mask)
            for t in range(length)
        ],
        dim=1,
    )


ways = {
    "one pass": one_pass,
    "with a cache": lambda length: writing(model, length),
    "without": lambda length: writing(Uncached(model), length),
}


def formulas(length, source_length=src.shape[1]):
    """FLOPs by the library's arithmetic, without the encoder, which all three need once."""

    def decoder(n, projected):
        parts = sizes.forward_flops(config, TEXTS, source_length, n)
        # Only `projected` of the n places are asked.
        parts["output projection"] = parts["output projection"] // n * projected
        return sum(count for name, count in parts.items() if not name.startswith("encoder"))

    # The source's keys and values.
    source = decoder(1, 1) - sizes.generation_flops(config, TEXTS, 0, source_length)
    return {
        "one pass": decoder(length, length),
        "with a cache": source
        + sum(
            sizes.generation_flops(config, TEXTS, n, source_length) for n in range(length)
        ),
        "without": sum(decoder(n, 1) for n in range(1, length + 1)),
    }


print(f"{'tokens':>6}   {'way':13}{'steps':>6}{'places':>8}{'million FLOPs':>15}")
for length in (16, 64):
    by_hand = formulas(length)
    for name, way in ways.items():
        with (
            counted_places() as places,
            recorded_attention(model),
            FlopCounterMode(display=False) as counter,
        ):
            way(length)
        assert counter.get_total_flops() == by_hand[name]
        print(
            f"{length:6}   {name:13}{len(places):6}{sum(places):8}"
            f"{by_hand[name] / 1e6:15,.0f}"
        )

# %% [markdown]
# Look at the last column. Writing with a cache computes **less** than the one pass: that multiplies every query with every key and throws the masked half away. So it must be
# at least as fast?

# %% tags=["claim-13", "nbval-ignore-output"]
times = {
    name: [milliseconds(partial(way, n), rounds=1) for n in LENGTHS]
    for name, way in ways.items()
}
print(f"{'milliseconds':13}", *(f"{n:4} tokens" for n in LENGTHS))
for name, row in times.items():
    print(f"{name:13}", *(f"{t:11.0f}" for t in row))

# %% mystnb={"figure": {"name": "three-ways", "caption": "Time for 16 texts, by their length, through the same decoder, on one core of the machine that built this page. Without a cache the line is steeper: towards the right, twice the length takes three to four times the time."}, "image": {"alt": "Line plot, both axes logarithmic: milliseconds against 16 to 128 tokens. One pass is lowest, from about 10 to 60. With a cache lies two to four times above it and is about as straight. Without a cache starts at two to three times that and climbs to nearly 2,000."}}
fig, ax = plt.subplots()
for (name, row), marker in zip(times.items(), "os^", strict=True):
    ax.loglog(LENGTHS, row, marker=marker, label=name)
ax.set_xticks(LENGTHS, LENGTHS)
ax.minorticks_off()
ax.set(xlabel="tokens in each text", ylabel="milliseconds")
ax.legend()
plt.show()

# %%
by_hand, last = formulas(128), {name: row[-1] for name, row in times.items()}
print(
    "with a cache, fewer FLOPs than one pass:",
    by_hand["with a cache"] < by_hand["one pass"],
)
print(
    "and still more than 1.5 times its time:", last["with a cache"] > 1.5 * last["one pass"]
)
print(
    "at 128 tokens the cache saves more than three quarters of the time:",
    last["without"] > 4 * last["with a cache"],
)

# %% [markdown]
# Fewer FLOPs, more time: FLOPs are not what it waits for. A step with one token uses every weight of the model, and fetches it from memory, for one row of numbers a text. It also starts every
# operation of every layer anew, 128 times. The one pass does both once, for 128 rows a text. (Which of the two weighs more depends on the model and the machine.) The way out is to write *many* texts at once: they share the fetching and the starting. How much does a token cost in larger batches?

# %% tags=["claim-13", "nbval-ignore-output"]
a_token = {}
for rows in (1, 4, 16) if on_cpu else (1, 16, 256):
    with torch.inference_mode():
        cache = model.new_cache(memory[:rows], 250)
        step = partial(model.decode_step, text[:rows, :1], cache, source_mask[:rows])
        a_token[rows] = milliseconds(step, runs=20) / rows
    print(f"{rows:3} texts at once: {a_token[rows]:.3f} ms a token")

# %%
print("in a batch, a token costs less than half:", a_token[max(a_token)] < a_token[1] / 2)

# %% [markdown]
# ```{admonition} Verdict: true; and it is the waiting that costs, not the arithmetic
# :class: note
# Training asks all places in one pass; writing takes as many passes as there are tokens, each waiting for the one before. A cache takes the repeated arithmetic away: the number of places falls from $N(N+1)/2$ to $N$, and the time here to
# less than a fifth at 128 tokens (the page [Benchmarks](../book/benchmarks) has a tenth at 64, with a larger model). It does not take the steps away: with *fewer* FLOPs than one pass, writing still took two to four times as long. So
# one writes many texts at once ({cite:t}`pope2023efficiently`), or lets a small model guess a few tokens that the large one then checks in one pass ({cite:t}`leviathan2023fast`).
# ```
#
# ### Claim 2: "With a cache you get exactly the same text"
#
# By the mathematics above, yes. But a computer rounds, and the order in which it adds up depends on the shapes. So we look at the numbers and at the words, in 200 unseen
# sentences, with 32 and with 16 bits. A difference in the numbers changes a word only where two words are nearly tied, so we also measure the smallest gap between the best word and the second
# best, over all places of the reference translations.


# %% tags=["claim-13"]
@torch.inference_mode()
def compare(network):
    """With a cache and without, in numbers and in words.

    The largest difference of two logits; the smallest gap between the two best; how many
    texts are the same.
    """
    both = [greedy(one, batch.src) for one in (network, Uncached(network))]
    same = sum(a.tokens == b.tokens for a, b in zip(*both, strict=True))
    memory, mask, length = (
        network.encode(batch.src),
        padding_mask(batch.src, config.pad_id),
        batch.tgt_in.shape[1],
    )
    cache = network.new_cache(memory, length)
    stepwise = [
        network.decode_step(batch.tgt_in[:, t : t + 1], cache, mask) for t in range(length)
    ]
    at_once = network.project(network.decode_hidden(batch.tgt_in, memory, mask)).float()
    real = batch.tgt_out != config.pad_id
    gaps = at_once.topk(2).values.diff(dim=-1).abs()[real]
    difference = (torch.stack(stepwise, dim=1).float() - at_once)[real].abs().max()
    return difference.item(), gaps.min().item(), same


found = {
    dtype: compare(copy.deepcopy(model).to(dtype))
    for dtype in (torch.float32, torch.bfloat16)
}

# %% tags=["nbval-ignore-output"]
for dtype, (difference, gap, same) in found.items():
    print(
        f"{str(dtype)[6:]:8} the same text: {same} of {len(test)}; "
        f"largest difference of logits {difference:.0e}; "
        f"smallest gap on the references {gap:.2f}"
    )

# %%
(difference, gap, same), in_half = found[torch.float32], found[torch.bfloat16][2]
print(
    "the same text in all, in float32:",
    same == len(test),
    "  in bfloat16, in 19 of 20 at least:",
    in_half >= 190,
)
print(
    "float32: not the very same numbers:",
    difference > 0,
    "  but to 0.001:",
    difference < 1e-3,
)
print(
    "the closest decision is wider than a hundred such differences:", gap > 100 * difference
)

# %% [markdown]
# ```{admonition} Verdict: true of the text; the numbers differ in their last digits
# :class: note
# With and without a cache all 200 translations were the same, in both precisions. The {term}`logits` were not: in float32 they differed in the last digits, by up to 0.00001, because two equally good computations add up in a different order. (In bfloat16 there was no
# difference at all on the machine that built this page. That is a trait of its matrix products, not a law.) A word could change only where two words are that close, and in 200 sentences the closest decision had a gap of 0.16. A model that is less sure of itself can meet such a tie, and
# then two correct programs write different words. So test a cache by its numbers, in float32, with a tolerance.
# ```
#
# ### Claim 3: "Attention is O(n²d)"
#
# The two products are, with our $D$ for the claim's $d$. But a layer has more in it than those, and "O" says nothing about where the square begins to matter. We count one encoder layer, $D = 256$ and $F = 1024$, and then we time its two
# parts: all that grows with $n$ (projections, feed-forward network) and what grows with $n^2$.

# %% tags=["claim-4"]
WIDTH = 256
wide = TransformerConfig(
    4,
    WIDTH,
    4,
    n_encoder_layers=1,
    n_decoder_layers=0,
    d_ff=4 * WIDTH,
    dropout=0.0,
    max_length=32_768,
)
big = EncoderLayer(wide).to(device).eval()


def layer_flops(n, c=wide):
    parts = sizes.forward_flops(c, 1, n)
    return parts["encoder projections"] + parts["encoder feed-forward"], parts[
        "encoder attention"
    ]


for n in (256, 1024):
    with (
        recorded_attention(big),
        FlopCounterMode(display=False) as counter,
        torch.inference_mode(),
    ):
        big(torch.randn(1, n, WIDTH, device=device))
    assert (
        counter.get_total_flops()
        == sum(layer_flops(n))
        == 24 * n * WIDTH**2 + 4 * n**2 * WIDTH
    )

print("when n doubles, FLOPs grow by a factor of")
for n in (64, 512, 1536, 4096, 16_384):
    (m1, a1), (m2, a2) = layer_flops(n), layer_flops(2 * n)
    print(
        f"{n:7,} tokens: matrices {m2 / m1:.1f}, attention {a2 / a1:.1f}, "
        f"the layer {(m2 + a2) / (m1 + a1):.2f};  attention's share {a1 / (m1 + a1):4.0%}"
    )

# %% [markdown]
# On logarithmic axes the slope of the layer changes from 1 (a factor of 2) to 2 (a factor of 4), slowly. At $n = 6D = 1536$ the two parts are equal. For real models that is far out. (With $F = 4D$ it is $6D$; the two Llamas have another $F$, and Llama 3 fewer heads of keys.)

# %%
print("attention is half of a layer's work at … tokens; the longest text of the model")
for name, c in shown.items():
    parts = sizes.forward_flops(c, 1, tgt_length=1)
    half_at = (parts["decoder projections"] + parts["decoder feed-forward"]) // parts[
        "decoder attention"
    ]
    print(f"{name:12} D = {c.d_model:4}: {half_at:6,}; {c.max_length:5,}")

# %% tags=["claim-4", "nbval-ignore-output"]
PLACES = (
    (64, 128, 256, 512, 1024, 2048) if on_cpu else (512, 1024, 2048, 4096, 8192, 16_384)
)
spent = {"matrices": [], "attention, readable": [], "attention, fused": []}


def matrices(x):
    """A layer without the two products: four projections, and the feed-forward network."""
    for _ in range(4):
        big.attention.query(x)
    return big.feed_forward(x)


with torch.inference_mode():
    for n in PLACES:
        x = torch.randn(1, n, WIDTH, device=device)
        heads = [split(y) for y in (x, x, x)]
        work = {
            "matrices": partial(matrices, x),
            "attention, readable": partial(scaled_dot_product_attention, *heads),
            "attention, fused": partial(fused_attention, *heads),
        }
        for name, one in work.items():
            spent[name].append(
                milliseconds(one, runs=max(1, 256 // n) if on_cpu else 5, rounds=3)
            )
print(f"{'milliseconds':19}", *(f"{n:7}" for n in PLACES), "  slope at the end")
for name, row in spent.items():
    print(
        f"{name:19}",
        *(f"{t:7.2f}" for t in row),
        f"{math.log2(row[-1] / row[-3]) / 2:10.1f}",
    )

# %% mystnb={"figure": {"name": "where-the-square-begins", "caption": "Time of the parts of one layer (width 256) by the number of tokens, one core of the machine that built this page. Attention begins far below the matrices and overtakes them near the dotted line, where both have equally many FLOPs, n = 6D."}, "image": {"alt": "Line plot, both axes logarithmic: milliseconds against 64 to 2,048 tokens. The matrices' line is straight with slope 1. Both lines of attention begin below it and are steeper; the readable one crosses it between 512 and 2,048 tokens, the fused one a little later. A dotted vertical line stands at 1,536."}}
fig, ax = plt.subplots()
for (name, row), marker in zip(spent.items(), "os^", strict=True):
    ax.loglog(PLACES, row, marker=marker, label=name)
ax.axvline(6 * WIDTH, color="grey", linestyle=":", label="n = 6D")
ax.set_xticks(PLACES, PLACES)
ax.minorticks_off()
ax.set(xlabel="tokens, n", ylabel="milliseconds")
ax.legend()
plt.show()

# %%
slopes = {name: math.log2(row[-1] / row[-3]) / 2 for name, row in spent.items()}
print(
    "the matrices grow with n (slope between 0.7 and 1.3):", 0.7 < slopes["matrices"] < 1.3
)
print(
    "readable attention grows with its square (slope above 1.6):",
    slopes["attention, readable"] > 1.6,
)
print(
    "at the shortest length attention takes less than half of the matrices' time:",
    spent["attention, readable"][0] < spent["matrices"][0] / 2,
)
print(
    "at the longest it takes more than they do:",
    spent["attention, readable"][-1] > spent["matrices"][-1],
)

# %% [markdown]
# ```{admonition} Verdict: true of the two products; a layer is O(n D²) until n is several times its width
# :class: note
# The products of attention grow with the square, exactly in FLOPs, and in time for the fused kernel; the readable form grew faster still in the end, probably because its table is then too large for the processor's caches. But with fewer than $6D$ tokens most of a layer's work is in its matrices, which grow with $n$ alone. For
# Llama 2 7B the border is at 24,704 tokens, six times its longest text. In time the readable attention crossed here somewhat *before* $6D$, since its softmax and its table take time and count no FLOPs, and the fused one close to it. The square is felt earlier in another currency: memory, claim 4. And with a cache, one more token costs
# attention only $O(n D)$.
# ```
#
# ### Claim 4: "Fused attention gives the same numbers with less memory"
#
# Three implementations: the readable one of lesson 1, our loop over blocks of 128 keys, and PyTorch's fused kernel. Numbers first. Whose are right? We ask
# the same function in 64 bits. Then the most bytes that are there at one time (`lessons_lib.timing.peak_bytes` listens to the part of PyTorch that hands out memory).

# %% tags=["claim-14"]
# MPS can't say how much memory it takes.
place = device if device.type == "cuda" else torch.device("cpu")
ATTENTIONS = {
    "readable": lambda q, k, v: scaled_dot_product_attention(q, k, v)[0],
    "our blocks": lambda q, k, v: attention_in_blocks(q, k, v, 128),
    "fused": fused_attention,
}
ROWS = (256, 512, 1024, 2048) if place.type == "cpu" else (1024, 2048, 4096, 8192)
seed_everything(4)
error, peak = {}, {name: [] for name in ATTENTIONS}
for n in ROWS:
    q4, k4, v4 = (torch.randn(1, 4, n, 32, device=place) for _ in range(3))
    exact = scaled_dot_product_attention(*(x.double() for x in (q4, k4, v4)))[0]
    with torch.inference_mode():
        for name, attend in ATTENTIONS.items():
            error[name, n] = (attend(q4, k4, v4) - exact).abs().max().item()
            peak[name].append(peak_bytes(partial(attend, q4, k4, v4), place))

print("every one is right to 0.00001:", max(error.values()) < 1e-5)
for name, row in peak.items():
    print(
        f"{name:11} when the length doubles to {ROWS[-1]}, "
        f"its memory grows more than threefold: {row[-1] > 3 * row[-2]}"
    )
longest = {name: row[-1] for name, row in peak.items()}
print(
    f"at {ROWS[-1]} tokens the readable one takes more than 5 times the memory "
    f"of our blocks: {longest['readable'] > 5 * longest['our blocks']}"
)
print(
    "and more than 30 times that of the fused kernel: "
    f"{longest['readable'] > 30 * longest['fused']}"
)

# %% mystnb={"figure": {"name": "peak-memory", "caption": "The most memory that attention takes beyond its inputs: one text, 4 heads of 32, float32. Two of the lines grow with the length, one with its square."}, "image": {"alt": "Line plot, both axes logarithmic: megabytes against 256 to 2,048 tokens. The readable attention climbs from about 2 to 135. Our blocks climb from 2.4 to 19, the fused kernel from 0.2 to 1.6."}}
fig, ax = plt.subplots()
for (name, row), marker in zip(peak.items(), "os^", strict=True):
    ax.loglog(ROWS, [b / 1e6 for b in row], marker=marker, label=name)
ax.set_xticks(ROWS, ROWS)
ax.minorticks_off()
ax.set(xlabel="tokens", ylabel="megabytes")
ax.legend()
plt.show()

# %% [markdown]
# So it needs less memory. Is it faster? And when is it slower? Forward only, 2,048 tokens in all (65,536 on a GPU), cut into short texts or long ones. A factor below 1 means slower.

# %% tags=["claim-14", "nbval-ignore-output"]
TOKENS = 2048 if on_cpu else 65_536
faster = {}
for dtype in (torch.float32, torch.bfloat16):
    for n in (16, 64, 256, 2048):
        heads = [
            torch.randn(TOKENS // n, 4, n, 32, device=device, dtype=dtype) for _ in range(3)
        ]
        with torch.inference_mode():
            runs = 2 if n < 2048 else 1
            cost = {
                name: milliseconds(partial(attend, *heads), runs, 3)
                for name, attend in ATTENTIONS.items()
            }
        faster[dtype, n] = cost["readable"] / cost["fused"]
        times = ", ".join(f"{name} {t:.2f}" for name, t in cost.items())
        print(
            f"{str(dtype)[6:]:9}{n:4} tokens, ms: {times};  "
            f"fused is faster by {faster[dtype, n]:.2f}"
        )

# %%
print(
    "float32, 2,048 tokens: fused is faster by a half at least:",
    faster[torch.float32, 2048] > 1.5,
)

# %% [markdown]
# ```{admonition} Verdict: true, with linear memory; faster for long texts, not for all, and in bfloat16 on this CPU slower for sentences
# :class: note
# The same numbers up to rounding. At 2,048 tokens our loop took a seventh of the memory of the readable form, and the fused kernel an eightieth; when the length doubles, so does the saving. In float32 the fused kernel was no faster than the readable form at 16 tokens, about as fast at 64, and two to four times as fast at 2,048, where even our loop in Python was faster than the table. (Forward and
# backward, as in training, it wins at every length up to 512: [Benchmarks](../book/benchmarks).) In bfloat16 it was *slower* at 16, 64 and 256 tokens: for a sentence the table is small, and there is little to save. That is why the library chooses (`prefers_fused`). One thing a
# fused kernel cannot do at all: show you its weights. Every map of attention in this course comes from the readable path.
# ```
#
# ### Claim 5: "Half precision is twice as fast"
#
# A bfloat16 is the first half of a float32: the same range, 8 bits of precision in place of 24. Half the bytes, exactly. Half the time? We time three jobs that a
# Transformer has: a large product of matrices (training), one row times a matrix (writing one text), and a softmax.

# %% tags=["claim-efficient-1", "nbval-ignore-output"]
SIDE = 1024 if on_cpu else 8192
matrix, rows = (
    torch.randn(SIDE, SIDE, device=device),
    torch.randn(SIDE, SIDE, device=device),
)
jobs = {
    "matrix times matrix": lambda a, b: a @ b,
    "one row times matrix": lambda a, b: a[:1] @ b,
    "softmax of a matrix": lambda a, b: a.softmax(-1),
}
gains = {}
with torch.inference_mode():
    halves = matrix.bfloat16(), rows.bfloat16()
    for name, job in jobs.items():
        runs = 50 if "row" in name else 2
        single, half = (
            milliseconds(partial(job, *pair), runs) for pair in ((matrix, rows), halves)
        )
        gains[name] = single / half
        print(
            f"{name:21} float32 {single:7.3f} ms, bfloat16 {half:7.3f} ms: "
            f"faster by {gains[name]:.2f}"
        )

# %% tags=["claim-efficient-1"]
small = [x[:64, :64].cpu() for x in (matrix, rows)]
in_double = small[0].double() @ small[1].double()


def error_of(product):
    return ((product.double() - in_double).abs().mean() / in_double.abs().mean()).item()


error32, error16 = (
    error_of(small[0] @ small[1]),
    error_of(small[0].bfloat16() @ small[1].bfloat16()),
)
print("bytes: half, exactly:", halves[0].nbytes * 2 == matrix.nbytes)
print(
    "error of a product: between a thousandth and a hundredth:",
    1e-3 < error16 < 1e-2,
    "  float32: below a millionth:",
    error32 < 1e-6,
)
half_texts = [
    tokenizer.decode(h.tokens) for h in greedy(copy.deepcopy(model).bfloat16(), batch.src)
]
print(
    "the translator in bfloat16 writes the same in 19 of 20 sentences at least:",
    sum(a == b for a, b in zip(half_texts, ours, strict=True)) >= 190,
)

# %% [markdown]
# ```{admonition} Verdict: true here of a large product, and of neither other job
# :class: note
# This processor multiplies bfloat16 in hardware, and a large product took about half of the time. One row times a matrix, which is what writing a single text consists of, was not faster, though only half of the bytes were fetched; the softmax gained little or nothing. On a
# processor without such a unit even training is *slower* in bfloat16, with a third fewer tokens a second ([Benchmarks](../book/benchmarks)); a graphics card like Colab's T4 has none for bfloat16 either, and takes float16. So `lessons_lib.device` looks at what the
# hardware multiplies. What is certain is the half of the bytes, and an error of a few thousandths in a product, with which our translator still wrote the same in at least 19 of 20 sentences. In training, one multiplies in 16 bits and keeps the weights and the sums in 32: {term}`mixed precision` ({cite:t}`micikevicius2018mixed`).
# ```
#
# ### Claim 6: "Sharing keys and values makes the cache smaller, and the model no worse"
#
# The cache has $2 \cdot L \cdot B \cdot n \cdot G d \cdot b$ bytes: layers, texts, tokens, $G$ heads of keys and values of width $d$, $b$ bytes a number. Texts and
# tokens are what you ask for, layers and widths make the model what it is. That leaves $G$. In {term}`grouped-query attention` several heads of queries share one head of keys and values, so that $G$ is smaller than the number of heads $H$
# ({cite:t}`ainslie2023gqa`; with $G = 1$, {cite:t}`shazeer2019fast`). First the bytes: the formula against the tensors that are really there.


# %%
def real_bytes(groups, length=100, rows=8):
    network = Transformer(dataclasses.replace(config, n_kv_heads=groups)).to(device)
    with torch.inference_mode():
        cache = network.new_cache(network.encode(batch.src[:rows]), length)
    counts = [sum(x.nbytes for x in (one.past.key, one.past.value)) for one in cache.layers]
    by_formula = sizes.cache_memory(network.config, rows, batch.src.shape[1], length)[
        "cache of the target"
    ]
    assert (
        sum(counts)
        == by_formula
        == 2 * config.n_decoder_layers * rows * length * groups * 32 * 4
    )
    return by_formula


print(
    "ours, 8 texts of 100 tokens:",
    ", ".join(f"G = {g}: {real_bytes(g):,} bytes" for g in (4, 2, 1)),
)
for name in ("Llama 2 7B", "Llama 3 8B"):
    c = shown[name]
    bytes_a_text = sizes.cache_memory(c, 1, 0, 4096, "bfloat16")["cache of the target"]
    print(
        f"{name}, a text of 4,096 tokens in bfloat16, H = {c.n_heads}, "
        f"G = {c.n_kv_heads or c.n_heads}: {bytes_a_text / 1e9:.2f} GB"
    )

# %% [markdown]
# And the quality? Ainslie and his colleagues made grouped models of finished ones: the heads of a group are *averaged*, and then the model is trained a little more. We do it with our translator, in all of its attentions (they left those of the encoder as they were). To
# be fair, the original gets the same training, for 20 steps with a fresh optimizer do something of their own.


# %% tags=["claim-efficient-2"]
def grouped(groups):
    """The translator with `groups` heads of keys and values, each the mean of a group."""
    network = Transformer(dataclasses.replace(config, n_kv_heads=groups)).to(device)
    target, weights = network.state_dict(), dict(model.state_dict())
    for name, weight in weights.items():
        # Keys and values: (H·d, …) -> (G, H/G, d, …) -> (G·d, …)
        if weight.shape != target[name].shape:
            weights[name] = (
                weight.unflatten(0, (groups, config.n_heads // groups, -1))
                .mean(1)
                .flatten(0, 1)
            )
    network.load_state_dict(weights)
    return network


def bleu(network):
    hypotheses = [tokenizer.decode(h.tokens) for h in greedy(network.eval(), batch.src)]
    return score(hypotheses, [pair.target for pair in test]).bleu


def train_on(network, steps=20):
    seed_everything(0)
    optimizer = torch.optim.AdamW(network.train().parameters(), lr=5e-4)
    examples = encode_pairs(tokenizer, corpus.train, max_length=64)
    batches = Batches(examples, tokenizer, token_budget=1024, device=device).forever()
    for _, one in zip(range(steps), batches, strict=False):
        optimizer.zero_grad()
        batch_loss(network, one, label_smoothing=0.1).backward()
        optimizer.step()
    return network


quality = {}
for groups in (4, 2, 1):
    network = grouped(groups)
    quality[groups] = bleu(network), bleu(train_on(network))

# %% tags=["nbval-ignore-output"]
for groups, (before, after) in quality.items():
    print(
        f"G = {groups}: cache {groups / 4:4.0%}; BLEU {before:5.1f}, "
        f"after 20 steps of training {after:5.1f}"
    )

# %%
print(
    "averaged and no more, G = 2 loses more than 10 BLEU, G = 1 nearly everything:",
    quality[2][0] < quality[4][0] - 10,
    quality[1][0] < 20,
)
print(
    "20 steps win back more than half of the loss of G = 2:",
    quality[2][1] - quality[2][0] > (quality[4][0] - quality[2][0]) / 2,
)
print(
    "G = 1 stays behind G = 2, and G = 2 behind the original:",
    quality[1][1] < quality[2][1] < quality[4][1],
)

# %% [markdown]
# ```{admonition} Verdict: the cache, true, exactly; the model, false at once, and less false after a little training
# :class: note
# Half the heads of keys, half the cache: that is arithmetic, and it is how Llama 3 8B gets by with a quarter of the cache of the smaller Llama 2 7B. The quality has its price. Averaged heads lost more than a third of the {term}`BLEU` with two groups, and nearly all of it with one. 20 steps, less than one percent of this model's training, won most of it
# back for two groups and little for one, and left both behind the original. {cite:t}`ainslie2023gqa` gave their models five percent, and came close. (In Llama 3 8B, 32 heads of queries share 8.)
# ```
#
# ### Claim 7: "torch.compile makes it faster"
#
# `torch.compile` reads a function, fuses what it can, and writes a program for it: for a GPU in Triton, for a CPU in C++ ({cite:t}`ansel2024pytorch`). So it needs a compiler at run
# time, which your machine may lack; this cell says so then. We try it on two jobs: a chain of cheap operations on a large matrix, and a layer of our translator.

# %% tags=["claim-efficient-3", "nbval-ignore-output"]
# What was compiled in another run does not count.
folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder.name
logging.getLogger("torch._dynamo").setLevel(logging.CRITICAL)
logging.getLogger("torch._inductor").setLevel(logging.CRITICAL)


def chain(x):
    return (F.gelu(x) * 0.5 + x.tanh()).relu() + x * x


translator_layer = model.encoder.layers[0]
compiled = {}
for name, work, given in (
    ("a chain of cheap operations", chain, torch.randn(1024, 1024, device=device)),
    (
        "a layer of the translator",
        translator_layer,
        torch.randn(64, 20, config.d_model, device=device),
    ),
):
    begin = time.perf_counter()
    try:
        with torch.inference_mode():
            fast = torch.compile(work)
            torch.testing.assert_close(fast(given), work(given), atol=1e-4, rtol=1e-4)
            first = time.perf_counter() - begin
            before, after = (
                milliseconds(partial(one, given), runs=4) for one in (work, fast)
            )
    except Exception as error:  # the compiler is missing, or does not like this machine
        print(
            f"{name}: cannot be compiled here ({type(error).__name__}); "
            "a C++ compiler such as g++ is needed"
        )
        continue
    compiled[name] = before / after
    print(
        f"{name}: {before:.2f} ms, compiled {after:.2f} ms, faster by {before / after:.2f}"
    )
    print(f"   the first call took {first:.1f} s")

# %% tags=["nbval-ignore-output"]
chain_gains_more = (
    len(compiled) < 2
    or compiled["a chain of cheap operations"] > compiled["a layer of the translator"]
)
print("where both compile, the chain gains more than the layer:", chain_gains_more)

# %% [markdown]
# ```{admonition} Verdict: true of a chain of cheap operations; not of our layer
# :class: note
# The chain went about twice as fast: as it is, each of its operations reads a million numbers and writes a million; compiled, all of it is one loop. The layer gained next to nothing: most of its time is in products of matrices, and there is nothing to fuse in those. And its first
# call took seconds by the clock, in which it would have run hundreds of times; a new shape may have to be compiled anew, and a text that grows has a new shape at every step. Large models on graphics cards, which run the same shapes for days, are another matter. And on a processor for which PyTorch has no fast code of its own, the compiled
# layer may gain more than the chain. Measure. (If your machine has no C++ compiler, the cell
# says so, and nothing else on this page needs one.)
# ```
#
# ## Bugs worth meeting
#
# None of these raises an error, and what they write looks like a translation.
#
# **The cache that caches nothing.** This one looks the part: a cache is made at the start, and every step gives back a new one. Its translations are right.


# %%
@torch.inference_mode()
def write_slowly(src, n_tokens):
    source, cache = read_source(src), [None] * config.n_decoder_layers
    written = torch.full((len(src), 1), config.bos_id, device=device)
    for _ in range(n_tokens):
        logits, cache = decoder_step(written, 0, source, [None] * len(cache))
        written = torch.cat([written, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return written[:, 1:]


for name, writer in (("with a cache", write), ("this one", write_slowly)):
    with counted_places() as places:
        same = texts(writer(batch.src[:20], 24)) == ours[:20]
    print(
        f"{name:13} the right text: {same};  "
        f"places through the layer: {places[:4]} … {places[-1]}, in all {sum(places)}"
    )

# %% [markdown]
# It reads the whole beginning again, with an empty past each time. *Symptom*: everything is right, and the hundredth token takes much longer than the first. *How to notice*: count the places that go through a layer (a
# hook of one line), or time two long texts: nearly four times the time for twice the length is no cache. *Mended* in `write` above: hand in the last token only, its place, and the cache of the step before.
#
# **Positions that start again at 0.** Now only the last token is handed in. Which place does the model think it has? If nobody says, the first:

# %% tags=["nbval-ignore-output"]
lost = texts(write(batch.src, 24, restart_positions=True))
n = next(
    n for n, (wrong, right) in enumerate(zip(lost, ours, strict=True)) if wrong != right
)
print(f"{test[n].source} → {lost[n]}, in place of {ours[n]}")
references = [pair.target for pair in test]
restarted = score(lost, references).bleu, score(ours, references).bleu
print(f"BLEU {restarted[0]:.1f} in place of {restarted[1]:.1f}")

# %%
print("more than 20 BLEU lost:", restarted[0] < restarted[1] - 20)

# %% [markdown]
# Every word stands at place 0; in training only `<s>` did. *Mended* by counting from the length of the cache (`cache.length` in the library). With rotary positions (lesson 4) it is the same trap: the new key must be turned by its own place, not by 0, before it
# is stored.
#
# **Dropout left on.** `model.eval()` was forgotten, after training or after loading. Dropout draws new noise in every step, so a step without a cache and one with it no longer agree. Not even two with it:

# %%
noisy = copy.deepcopy(model).train()
seed_everything(0)
runs = [greedy(one, batch.src) for one in (noisy, noisy, Uncached(noisy))]
tokens = [[h.tokens for h in run] for run in runs]
print(
    "the same text twice:",
    tokens[0] == tokens[1],
    "  with and without a cache:",
    tokens[0] == tokens[2],
)
quiet = [
    [h.tokens for h in greedy(one, batch.src)]
    for one in (noisy.eval(), noisy, Uncached(noisy))
]
print(
    "after eval():       ",
    quiet[0] == quiet[1],
    "                           ",
    quiet[0] == quiet[2],
)

# %% [markdown]
# *Symptom*: a cached and an uncached run disagree by more than rounding. Before you look for the mistake in your cache, look at `model.training`.
#
# **The cache that stays when the beams move.** Beam search (lesson 12) writes several beginnings of one sentence side by side, and after each step keeps the best. Row 2 may go on from what row 0 had written. Its *tokens* are copied. Its keys and values must be, too. Here they are not:

# %%
reorder = DecoderCache.reorder


def stays(cache, rows, beam=1):
    """Within a sentence, every beam keeps the past that it had."""
    if beam > 1 and cache.layers[0].beam == beam:
        rows = rows - rows % beam + torch.arange(len(rows), device=rows.device) % beam
    reorder(cache, rows, beam)


@torch.inference_mode()
def errors(src, hypotheses):
    """How far each reported log-probability is from that of its text, read in one pass."""
    far = []
    for row, found in zip(src, hypotheses, strict=True):
        for one in found:
            tokens = torch.tensor([[config.bos_id, *one.tokens]], device=device)
            logs = model(row[row != config.pad_id][None], tokens[:, :-1]).log_softmax(-1)
            far.append(
                abs(one.log_probability - logs.gather(2, tokens[:, 1:, None]).sum().item())
            )
    return far


few = batch.src[:60]
right = n_best(model, few, beam=4)
DecoderCache.reorder = stays
wrong = n_best(model, few, beam=4)
DecoderCache.reorder = reorder
best = sum(a[0].tokens == b[0].tokens for a, b in zip(right, wrong, strict=True))
every = sum(
    [x.tokens for x in a] == [x.tokens for x in b]
    for a, b in zip(right, wrong, strict=True)
)
off = {
    name: max(errors(few, found))
    for name, found in (("moved along", right), ("staying", wrong))
}

# %% tags=["nbval-ignore-output"]
print(f"the best of 4 is the same text in {best} of 60 sentences, all four are in {every}")
for name, far in off.items():
    print(
        f"cache {name:11}: the log-probabilities that the search reports "
        f"are wrong by up to {far:.5f}"
    )

# %%
print(
    "the best text is the same in 9 of 10 at least:",
    best >= 54,
    "  all four are in fewer than 8 of 10:",
    every < 48,
)
print(
    "the search knows how probable its texts are:",
    off["moved along"] < 0.01,
    "  with the bug:",
    off["staying"] < 1,
)

# %% [markdown]
# This is the nastiest of the four. The best beam rarely changes its row, so the best translations stayed what they were, and no BLEU tells you. But the other three were judged with the memory of somebody else. *How to notice*: score every text that comes out once more, in one
# pass. The log-probability must be the one that the search reports, up to rounding. *Mended* in the library by `cache.reorder(rows)` after each step.
#
# One more, the table of relative biases that is one row too short, you have met in lesson 4.
#
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. Why is there a cache of keys and values, and none of queries?**
#
# <details><summary>Queries are cheap to compute</summary>
#
# No. They cost as much as keys. The reason is that nobody asks for them again.
#
# </details>
# <details><summary>An old query has asked its question; later tokens only compare themselves with old keys</summary>
#
# Right. In $o_n = \operatorname{softmax}(q_n K_n^\top)\,V_n$ there is one query, the new one.
#
# </details>
# <details><summary>Queries change with each new token</summary>
#
# No. With a causal mask the query of place 3 stays what it was, like its key. It is just not needed.
#
# </details>
#
# **2. You write 100 tokens with a cache after a prompt of 50. How many places go through each layer?**
#
# <details><summary>149: the prompt's 50, and 99 of the written ones</summary>
#
# Right. The prompt goes in at once and gives the first token. The hundredth is written, and never read.
#
# </details>
# <details><summary>9,950</summary>
#
# No. That is $50 + 51 + \dots + 149$: without a cache, the whole beginning again for each token.
#
# </details>
# <details><summary>100</summary>
#
# No. The prompt must be read, too.
#
# </details>
#
# **3. Can you use the same cache in BERT, which sees the whole sentence?**
#
# <details><summary>Yes, it has keys and values as well</summary>
#
# No. Each word there looks at later ones. A new word at the end changes all vectors before it, and with them all keys from the second layer on.
#
# </details>
# <details><summary>No: without a causal mask the past changes with each new word</summary>
#
# Right. The cache is the causal mask's reward.
#
# </details>
# <details><summary>Only in its last layer</summary>
#
# No. Its vectors have changed, too. Only the keys and values of the first layer would still be right.
#
# </details>
#
# **4. FlashAttention saves memory. How many FLOPs does it save in a forward pass without a mask?**
#
# <details><summary>From n² to n</summary>
#
# No. Every query still meets every key. It is the *memory* that falls from $n^2$ to $n$.
#
# </details>
# <details><summary>None</summary>
#
# Right. It computes a little more (the factors $e^{m-m'}$) and fetches and stores much less. That it is faster all the same, for long texts, shows what the time had been spent on.
#
# </details>
# <details><summary>Half of them</summary>
#
# No. That is what skipping the blocks above the diagonal of a *causal* mask saves.
#
# </details>
#
# **5. In your online softmax you forget to multiply the old output by $e^{m-m'}$, but not the old sum. When do you notice?**
#
# <details><summary>At once: everything is wrong</summary>
#
# Not so. In every row whose largest score is in the first block, nothing ever has to shrink: $m = m'$, the factor is 1. With one block only, all rows are right.
#
# </details>
# <details><summary>Only in rows where a later block has a larger score</summary>
#
# Right. So test it with several blocks, and with keys that get better and better.
#
# </details>
# <details><summary>Only when a score overflows</summary>
#
# No. That would happen without the maximum. Here all numbers look healthy.
#
# </details>
#
# ## The translator, step 11
#
# The library's translator asks a `KeyValueCache` for its past. We put one of ours in its place, with tensors that grow, and let it translate with greedy and with beam search.

# %%
import lessons_lib.transformer


class GrowingCache:
    """Our cache, with the interface of the library's."""

    def __init__(self, batch, n_kv_heads, max_length, d_head, like):
        self.key = self.value = like.new_empty(batch, n_kv_heads, 0, d_head)

    @property
    def length(self):
        return self.key.shape[2]

    def append(self, key, value):
        self.key, self.value = (
            torch.cat([self.key, key], dim=2),
            torch.cat([self.value, value], dim=2),
        )
        return self.key, self.value

    def reorder(self, rows):
        self.key, self.value = self.key[rows], self.value[rows]


def translations():
    return [
        [h.tokens for h in search]
        for search in (greedy(model, batch.src), beam_search(model, batch.src, beam=4))
    ]


usual = translations()
lessons_lib.transformer.KeyValueCache = GrowingCache
with_ours = translations()
lessons_lib.transformer.KeyValueCache = KeyValueCache
print(
    "our cache in the library's translator, the same",
    len(test),
    "texts: greedy",
    with_ours[0] == usual[0],
    "  4 beams",
    with_ours[1] == usual[1],
)

# %% [markdown]
# ### Exercise: build it
#
# [Open the exercise on Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/11_efficient_transformers.ipynb),
# or open `11_efficient_transformers.ipynb` in the folder `exercises` at home. Three questions, 10 points; `check("q1")` tells you at once what is wrong,
# in one sentence.
#
# **Question 1:** `attend_with_cache`, a step of attention that equals the one over everything.
#
# ```{include} ../solutions/11_efficient_transformers.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ````{dropdown} Solution of question 1
# ```{literalinclude} ../solutions/11_efficient_transformers.py
# :language: python
# :start-after: "# %% solution attend_with_cache"
# :end-before: "# %%"
# ```
# ````
#
# **Question 2:** `generate`, greedy writing that reads nothing twice.
#
# ```{include} ../solutions/11_efficient_transformers.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of question 2
# ```{literalinclude} ../solutions/11_efficient_transformers.py
# :language: python
# :start-after: "# %% solution generate"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `attention_over_blocks`, the online softmax, over keys that you see once.
#
# ```{include} ../solutions/11_efficient_transformers.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/11_efficient_transformers.py
# :language: python
# :start-after: "# %% solution attention_over_blocks"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - A causal mask makes the past constant: keys and values of written tokens are kept, and a step computes one row. $N$ places go through the layers in place of $N(N+1)/2$.
# - The text is the same; the numbers are, up to rounding. A cache that caches nothing is right, too: count the places.
# - Training is one pass, writing is as many as there are tokens. What then costs time is waiting and fetching, not FLOPs; a batch shares both.
# - The cache takes $2 \cdot L \cdot B \cdot n \cdot Gd \cdot b$ bytes. Groups of heads that share keys shrink $G$, at some loss of quality.
# - A layer is $24\,n D^2 + 4\,n^2D$ FLOPs: the square takes over at $n = 6D$.
# - The online softmax averages block by block and never holds the table: memory grows with $n$, not $n^2$. FLOPs do not fall.
# - Half precision halves the bytes, always; the time, where the hardware multiplies it and the job is a large product.
# - A compiler fuses chains of cheap operations. At a product of matrices it has little to gain.
# - Count before you time, time before you believe.
#
# | trick | arithmetic | memory | waiting | the result |
# |---|---|---|---|---|
# | KV cache | less: $N$ places, not $N^2/2$ | more: the cache | the same | the same text |
# | many texts at once | the same | more: a cache each | shared | the same |
# | fused attention | the same, or a little more | $n$, not $n^2$ | the same | the same, up to rounding |
# | grouped heads | a little less | $G/H$ of the cache | the same | another model |
# | half precision | faster where there is a unit for it | half | the same | 8 bits of precision |
# | compiler | the same | fewer trips | fewer starts | the same, up to rounding |
#
# **Where it comes from.** Keys and values of the past, and one head of them for all queries: {cite:t}`shazeer2019fast`; groups: {cite:t}`ainslie2023gqa`. The online softmax:
# {cite:t}`milakov2018online`; attention without $n^2$ memory: {cite:t}`rabe2021self`; in one fast program, with its gradient: {cite:t}`dao2022flashattention`. What writing costs on real machines:
# {cite:t}`pope2023efficiently`. Caches for many users, in pages like those of an operating system: {cite:t}`kwon2023efficient`. Guessing ahead: {cite:t}`leviathan2023fast`. Mixed precision: {cite:t}`micikevicius2018mixed`. The
# compiler of PyTorch: {cite:t}`ansel2024pytorch`. Whether arithmetic or memory is the bottleneck can be drawn as a roof: {cite:t}`williams2009roofline`.
