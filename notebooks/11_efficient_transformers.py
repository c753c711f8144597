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
# **What makes it fast?** *110 minutes, and 45 for the exercise. You need: attention with its queries, keys, values and heads (lessons 1 to 3), the layers of a decoder (lesson 5), the causal mask (lesson 8), and what a
# FLOP is (lesson 10).*
#
# After this lesson you can
#
# - write a KV cache, say why it changes no word (unless two are nearly equally probable), and notice one that caches nothing;
# - compute attention without ever holding its table of weights, as FlashAttention does;
# - say which trick saves arithmetic, which saves bytes, and which saves only the starting of operations;
# - measure all that on your own machine, and distrust a "twice as fast" that comes without a measurement.

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
from collections import Counter
from functools import partial
from itertools import islice, pairwise
from statistics import mean

import matplotlib.pyplot as plt
import torch
import torch._inductor.config
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from lessons_lib import sizes, studies
from lessons_lib.attention import (
    fused_attention,
    recorded_attention,
    scaled_dot_product_attention,
)
from lessons_lib.blocks import EncoderLayer
from lessons_lib.cache import DecoderCache, KeyValueCache
from lessons_lib.config import TransformerConfig
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.evidence import above, estimate, share
from lessons_lib.figures import use_course_style
from lessons_lib.masks import padding_mask
from lessons_lib.prose import says
from lessons_lib.studies import grouped_heads
from lessons_lib.timing import peak_bytes
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import FOLDER, load_course_translator
from lessons_lib.translation.data.batching import collate, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.deployment.web import web_model
from lessons_lib.translation.deployment.web_reading import read_web_model
from lessons_lib.translation.search.decoding import beam_search, greedy, n_best
from lessons_lib.translation.search.uncached import Uncached
from lessons_lib.translation.training.loop import batch_loss, validation_loss
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
# This is how a decoder writes, if nothing is kept:
#
# > reads `<s>`, says *Les*<br>
# > reads `<s>` *Les*, says *petits*<br>
# > reads `<s>` *Les petits*, says *chats*<br>
# > reads `<s>` *Les petits chats*, says *noirs* …
#
# For each word it reads the whole beginning again. But a word of a {term}`decoder` never looks at a later one: the {term}`causal mask` forbids it. So
# nothing written later can have changed what was computed for *Les*, in any layer. It is all done once more, to the same result.
#
# What does the next word need of *Les*? In each layer, it compares its own {term}`query` with the {term}`key` of *Les* and takes home a share of the {term}`value` of *Les*. Nothing else. So we keep
# the keys and values of all words in a table, the {term}`KV cache`, and each step computes **one** row.
#
# The widget shows both ways. Take a step, then another, and watch what is computed and what comes from the cache.

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
# Go to the last step and compare the FLOPs of all steps so far: for this short sentence it is 3.2 times as many without the cache. Choose *GPT-2 small*, a prompt of 100 and 400 tokens to write, and go to the last
# step again: now it is 182 times. Then choose *Llama 2 7B* in bfloat16, a batch of 64, and look at the bytes of the cache. Switch to *Llama 3 8B*, which is larger, and look again:
# claim 7 says how that is done.
# ```
#
# The cache saves **arithmetic**. But three things take a machine's time. Claims 1 and 5 measure each, and this page comes to the tricks for each:
#
# | what takes the time | how it is counted | what helps |
# |---|---|---|
# | starting an operation, however small | operations, one after the other | all places in one pass; many texts at once; guessing ahead; a compiler |
# | fetching and storing numbers | bytes, and from where: the memory, or the small fast one in the processor (the *processor's cache*) | many texts at once; fused attention; grouped heads; 16 or 8 bits; a compiler |
# | arithmetic | {term}`FLOPs <FLOP>` | the KV cache; 16 bits, where the hardware multiplies them |
#
# A text is written token by token, each step waiting for the one before. So the first two are paid anew for each token.
#
# ## The mathematics
#
# ### Why the past stays as it is
#
# Let $x_t^{(l)} \in \mathbb{R}^{D}$ be the vector of place $t$ after layer $l$. With the causal mask, a layer makes it of the places up to $t$:
#
# $$
# x_t^{(l)} = f_l\bigl(x_t^{(l-1)};\; k_1, v_1, \ldots, k_t, v_t\bigr), \qquad k_s = W_K\, x_s^{(l-1)}, \quad v_s = W_V\, x_s^{(l-1)} .
# $$
#
# (Several heads, biases, norms, and a source that stays what it is change nothing about the argument.) In layer 1 that depends on the tokens $1 \ldots t$ only; so it does in layer 2, and so on up. When place $n$ is added,
# nothing changes at the places before it. All that is new is one row: with the stacked keys and values
#
# $$
# K_n = \begin{bmatrix} K_{n-1} \\ k_n \end{bmatrix} \in \mathbb{R}^{n \times d_{head}}, \qquad
# V_n = \begin{bmatrix} V_{n-1} \\ v_n \end{bmatrix}, \qquad
# o_n = \operatorname{softmax}\!\Bigl(\frac{q_n K_n^\top}{\sqrt{d_{head}}}\Bigr) V_n ,
# $$
#
# where $q_n$ is $1 \times d_{head}$. No old *query* appears, so none is kept. To write $N$ tokens, $N$ places go through each layer with a cache, and without one
#
# $$
# 1 + 2 + \ldots + N = \frac{N(N+1)}{2} .
# $$
#
# ### What a layer costs
#
# For $n$ tokens of width $D$, with a feed-forward network of width $F = 4D$ and no cross-attention, lesson 10 counted $24\,n D^2$ FLOPs for the matrices of a layer and $4\,n^2 D$ for the two products of
# attention. The second is $n / (6D)$ of the first. With a cache, one more token costs $24 D^2 + 4 n D$.
#
# ### Attention without its table
#
# Attention makes a table of $T \times S$ weights, stores it, and reads it again. For 8,192 tokens that is 67 million numbers, for each head and layer. But each row is needed for one thing only: an average.
# An average can be taken as the numbers come, a block of keys at a time. Let $s$ be a score and $v$ the value that belongs to it. Three things are kept for each query: the largest score so far $m$ (at first $-\infty$), the sum $\ell$ of all
# $e^{s - m}$, and the sum $o$ of all $e^{s-m}\, v$ (both at first 0). When a block of scores $s_j$ with values $v_j$ arrives,
#
# $$
# m' = \max(m, \max_j s_j), \qquad
# \ell' = e^{m - m'}\,\ell + \sum_j e^{s_j - m'}, \qquad
# o' = e^{m - m'}\, o + \sum_j e^{s_j - m'} v_j .
# $$
#
# The factor $e^{m-m'}$ turns what was computed with the old maximum into what it would have been with the new one. With scores 1 and 3 in the first block, $m = 3$ and
# $\ell = e^{-2} + 1$; then 5 arrives, and $\ell' = e^{-2}(e^{-2} + 1) + 1 = e^{-4} + e^{-2} + 1$, the sum for all three. At the end the result is $o / \ell$: no weight is left out.
# This is the **{term}`online softmax`** ({cite:t}`milakov2018online`). Attention with it needs $T(d_{head} + 2)$ numbers and one
# block of scores; {cite:t}`rabe2021self` pointed out that it needs no memory for all $TS$. FlashAttention
# ({cite:t}`dao2022flashattention`) does it inside one program of a GPU (a *kernel*), in blocks that fit into the small, fast memory beside the arithmetic units. One calls that **fused**: several
# operations, and nothing between them goes to memory.

# %% [markdown]
# ## The code, from scratch
#
# ### A cache
#
# Usually one token is new; at the start, a whole beginning may be (a *prompt*), and then each of its tokens may see only those up to itself.


# %%
def attend_with_cache(query, key, value, past=None):
    """What T new tokens (B, H, T, d_head) take home; and keys and values of all so far."""
    if past is not None:
        # (B, H, n, d_head) and (B, H, T, d_head) -> (B, H, n + T, d_head)
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
# Does it agree with one pass over everything? We take real queries, keys and values: 200 sentences that the translator has never seen, in the first
# layer of its decoder. Once all at once, once token by token, once a beginning of five and then token by token.

# %%
corpus = load_grammar(seed=0, n_train=2_000, n_valid=10)
test = corpus.test[:200]
batch = collate(encode_pairs(tokenizer, test, max_length=64), tokenizer).to(device)


def split(x, heads=config.n_heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, T, D) -> (B, H, T, d_head)


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
# Our cache grows by `torch.cat`, which copies everything at each step. The library's takes all of its memory at the start and writes into it: it grows without
# copies, but somebody must know the longest text beforehand. A decoder layer has two such memories, in a `LayerCache`: one that grows, of the
# text so far, and one of the source, computed once.
#
# Now the whole decoder.


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
# The loop is the mathematics above, line by line.


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
# The blocks may be of any size, down to a single key. The queries can be cut into blocks as well, since each minds its own business.
#
# ### Attention without the square
#
# Blocks save memory, and arithmetic only where a mask hides whole blocks. To save the square, one must compute something else. A **{term}`sliding window`** lets each token attend to the last $w$ tokens, itself among them, and no others ({cite:t}`beltagy2020longformer`; {cite:t}`child2019generating` beside a second pattern): $nw$ pairs in place of $n^2$, and what is further away arrives through several layers. **{term}`Linear attention <linear attention>`**
# ({cite:t}`katharopoulos2020transformers`) gives up the softmax. If the weight of a pair is a product, $\phi(q)^\top \phi(k)$ with a positive $\phi$, the sum over the past can be taken first, and the whole past is one small table $S$ and one vector $z$:
#
# $$
# S_t = S_{t-1} + \phi(k_t)\, v_t^\top, \qquad z_t = z_{t-1} + \phi(k_t), \qquad o_t = \frac{S_t^\top \phi(q_t)}{z_t^\top \phi(q_t)} .
# $$


# %%
def phi(x):
    return F.elu(x) + 1


def linear_attention(query, key, value):
    """Token by token, with a past that never grows."""
    state = torch.zeros_like(
        key[:, :, 0, :, None] * value[:, :, 0, None]
    )  # (B, H, d_head, d_head)
    total, output = torch.zeros_like(key[:, :, 0]), []
    for q, k, v in zip(*(x.unbind(2) for x in (query, key, value)), strict=True):
        state = state + phi(k)[..., None] * v[..., None, :]
        total = total + phi(k)
        seen = (phi(q)[..., None] * state).sum(-2)
        output.append(seen / (phi(q) * total).sum(-1, keepdim=True))
    return torch.stack(output, dim=2)


pairs = (phi(exact[0]) @ phi(exact[1]).transpose(-2, -1)).tril()
as_table = pairs / pairs.sum(-1, keepdim=True)
torch.testing.assert_close(linear_attention(*exact), as_table @ exact[2])
softmax = (
    (exact[0] @ exact[1].transpose(-2, -1) / math.sqrt(exact[0].shape[-1]))
    .masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)
    .softmax(-1)
)
print("linear attention step by step = as a table of weights")
d_head = exact[0].shape[-1]
print(
    f"numbers kept a head, after n tokens: keys and values {2 * d_head} n; "
    f"S and z {d_head * (d_head + 1):,}"
)
print(
    "the same weights as the softmax, to 0.01:",
    torch.allclose(as_table, softmax, atol=0.01),
)

# %% [markdown]
# So a step costs the same after a million tokens as after one. But these are other weights, so such a model must be trained that way, and it may
# forget: all values are added up in one table. A query reads one value unmixed only if its $\phi(q)$ is at right angles to all other $\phi(k)$. No more than $d_{head}$ values can each have such a query, and with a positive $\phi$ only nearly so.
#
# ### Guessing ahead
#
# A decoder can read many tokens in one pass; it *writes* one a pass because it does not know the next. So let something cheap guess a few, and let the decoder read all of them at once. Its own choice at each place says how many guesses were right: those are kept, and one token of its own comes free. This is {term}`speculative decoding`
# ({cite:t}`leviathan2023fast`, who guess with a small model, and also say how to draw at random so that nothing changes). A very cheap guess is a table: which token followed this one most often in training?

# %%
follows = Counter(
    pair
    for example in encode_pairs(tokenizer, corpus.train, max_length=64)
    for pair in pairwise([config.bos_id, *example.tgt, config.eos_id])
)
likely = {first: second for (first, second), _ in reversed(follows.most_common())}


@torch.inference_mode()
def write_guessing(src, n_guesses):
    """The greedy translation of one source, and the number of passes."""
    source, past, text, passes = (
        read_source(src),
        [None] * config.n_decoder_layers,
        [config.bos_id],
        0,
    )
    while config.eos_id not in text:
        guesses = [text[-1]]
        while len(guesses) <= n_guesses and guesses[-1] in likely:
            guesses.append(likely[guesses[-1]])
        new = torch.tensor(
            [guesses], device=device
        )  # the last token, and the guesses behind it
        logits, past = decoder_step(new, len(text) - 1, source, past)
        own, right = logits[0].argmax(-1).tolist(), 0
        while right < len(guesses) - 1 and guesses[right + 1] == own[right]:
            right += 1
        text += own[: right + 1]
        # Keys and values of wrong guesses are forgotten.
        past = [
            (keys[:, :, : len(text) - 1], values[:, :, : len(text) - 1])
            for keys, values in past
        ]
        passes += 1
    return text[1 : text.index(config.eos_id)], passes


for n_guesses in (0, 3):
    found = [
        write_guessing(row[row != config.pad_id][None], n_guesses) for row in batch.src[:20]
    ]
    same = [tokenizer.decode(tokens) for tokens, _ in found] == ours[:20]
    passes, written = sum(n for _, n in found), sum(len(tokens) + 1 for tokens, _ in found)
    print(
        f"{n_guesses} guesses: {passes} passes for {written} tokens; "
        f"the same 20 texts: {same}"
    )

# %% [markdown]
# The texts are the same by construction, unless rounding decides between two tokens (a *tie*): each is the decoder's own choice. How many passes it saves depends on the guesses; a wrong one costs arithmetic, and a place in the cache that is taken back. (The cache is one token shorter than the text: the newest has not been read yet.)
#
# ## Claims, tested
#
# What is *counted* below (places, FLOPs, bytes of a cache) is exact and the same on every machine. What is *timed* is of the machine that built this
# page, on one core of a CPU: the processor's time, which other programs disturb less than a clock on the wall. On a GPU the same cells take larger
# sizes.
#
# A time is a draw, too. So what we compare takes turns, in several rounds, and each round gives one ratio. "More than 1.5 times" then means: all of the
# interval that holds the true mean in 95 of 100 such experiments lies above 1.5. The word is *true*, *false* (none of it does), or *open*
# (lesson 13); `True` and `False`, with capitals, compare single numbers. (All rounds are of one machine, so the interval covers its noise, not the choice of the machine.) Of
# texts we give a share with its interval.


# %%
def milliseconds(systems, runs=1, rounds=4):
    """Of each system, the time of a run in each round: the processor's, or a GPU's."""
    clock, wait = time.process_time, lambda: None
    if not on_cpu:
        clock, wait = time.perf_counter, getattr(torch, device.type).synchronize
    spent = {name: [] for name in systems}
    for number in range(rounds + 1):
        for name, work in systems.items():
            wait()
            begin = clock()
            for _ in range(runs):
                work()
            wait()
            if number:  # the first round warms up
                spent[name].append(1000 * (clock() - begin) / runs)
    return spent


def ratio(slow, fast):
    """How many times as long, round by round: the mean and its interval."""
    return estimate([a / b for a, b in zip(slow, fast, strict=True)])


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
# (claim-11-1)=
# ### Claim 1: "Training is parallel over positions, generation is not"
#
# In training the right translation is there. One pass reads it whole, and each place says its next token. When the model writes, token 5
# cannot be read before it is written. We compare three ways through the same decoder, with texts of 16 to 128 tokens: **one pass** over the finished text, as in training; **writing
# with a cache**; **writing without**. (For texts so long we put many short sentences in a row. All three ways are handed the same ones, and differ in nothing else.) First, what is computed. PyTorch counts the products of matrices (with the readable attention: lesson 10 says why); our formulas must agree to the last digit.

# %% tags=["claim-13"]
TEXTS = 8 if on_cpu else 256
LENGTHS = (16, 32, 64, 128)
src = batch.src[:8].repeat(TEXTS // 8, 1)
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
# at least as fast? We bet against it: more than 1.5 times as slow at 128 tokens. And without the cache, more than twice as slow as with it.

# %% tags=["claim-13", "nbval-ignore-output"]
times = {
    n: milliseconds(
        {name: partial(way, n) for name, way in ways.items()},
        rounds=4 if n == 128 else 2,  # the verdict is about 128
    )
    for n in LENGTHS
}
print(f"{'milliseconds':13}", *(f"{n:4} tokens" for n in LENGTHS))
for name in ways:
    print(f"{name:13}", *(f"{mean(times[n][name]):11.0f}" for n in LENGTHS))
slower, saved = (
    ratio(times[128]["with a cache"], times[128]["one pass"]),
    ratio(times[128]["without"], times[128]["with a cache"]),
)
print(
    f"128 tokens: with a cache {slower:.1f} times one pass; without {saved:.1f} times that"
)

# %% tags=["picture-of-times"] mystnb={"figure": {"name": "three-ways", "caption": "Time for 8 texts, by their length, through the same decoder, on one core of the machine that built this page. Without a cache the line is steeper."}, "image": {"alt": "Line plot, both axes logarithmic: milliseconds against 16 to 128 tokens. One pass is lowest. With a cache lies above it and is about as straight. Without a cache starts above both and climbs more steeply."}}
fig, ax = plt.subplots()
for name, marker in zip(ways, "os^", strict=True):
    ax.loglog(LENGTHS, [mean(times[n][name]) for n in LENGTHS], marker=marker, label=name)
ax.set_xticks(LENGTHS, LENGTHS)
ax.minorticks_off()
ax.set(xlabel="tokens in each text", ylabel="milliseconds")
ax.legend()
plt.show()

# %%
by_hand = formulas(128)
print(
    "with a cache, fewer FLOPs than one pass:",
    by_hand["with a cache"] < by_hand["one pass"],
)
print("and more than 1.5 times its time:", above(slower, 1.5))
print("without a cache, more than twice the time of writing with it:", above(saved, 2))

# %% [markdown]
# What does a step take its time for? We build two other decoders of as many layers, which start the *same operations*: one 8 wide, with next to nothing
# to fetch or to compute, and one 1,536 wide, whose weights are far beyond the processor's cache. One text, one token.
#
# | suspect | test | true if |
# |---|---|---|
# | in ours, starting operations | the narrow one's time, as a share of ours | more than half |
# | in the wide one, fetching weights | reading as many bytes once, with next to no arithmetic (a sum), as a share of its time | more than half |
# | the same | 8 texts: 8 times the arithmetic, the same weights | less than half of 8 times as long |


# %% tags=["claim-13", "nbval-ignore-output"]
def step_of(width, texts, vocabulary=config.vocab_size):
    """A decoder of our shape and another width: steps from the 21st token on; weights."""
    other = dataclasses.replace(
        config, d_model=width, d_ff=2 * width, vocab_size=vocabulary, n_encoder_layers=1
    )
    with device:
        network = Transformer(other).eval()
    tokens = torch.ones(max(texts), 12, dtype=torch.long, device=device)
    steps = {}
    with torch.inference_mode():
        for n in texts:
            memory, mask = (
                network.encode(tokens[:n]),
                padding_mask(tokens[:n], other.pad_id),
            )
            cache = network.new_cache(memory, 250)
            for _ in range(20):
                network.decode_step(tokens[:n, :1], cache, mask)
            steps[n] = partial(network.decode_step, tokens[:n, :1], cache, mask)
    # What these two give is cached.
    unread = "cross_attention.key", "cross_attention.value"
    read = [
        x
        for name, x in network.decoder.named_parameters()
        if not any(u in name for u in unread)
    ]
    return steps, sum(x.numel() for x in (*read, network.output_weight))


narrow, _ = step_of(8, [1], vocabulary=64)
usual, few_weights = step_of(config.d_model, [1, 8])
wide, many_weights = step_of(1536, [1, 8])
matrix, one = torch.randn(many_weights, device=device), torch.randn(1, device=device)
with torch.inference_mode():
    small = milliseconds(
        {"8 wide": narrow[1], "ours": usual[1], "ours, 8 texts": usual[8]}, 30
    )
    large = milliseconds(
        {"one text": wide[1], "8 texts": wide[8], "the same bytes, summed": matrix.sum},
        runs=1 if on_cpu else 10,
    )
    alone = milliseconds({"one number": lambda: one + one}, 2000)
prices = {
    "starting": ratio(small["8 wide"], small["ours"]),
    "fetching": ratio(large["the same bytes, summed"], large["one text"]),
    "8 texts, wide": ratio(large["8 texts"], large["one text"]),
    "8 texts, ours": ratio(small["ours, 8 texts"], small["ours"]),
}
print(f"adding two numbers, an operation alone: {1000 * mean(alone['one number']):.1f} µs")
for name, spent in (small | large).items():
    print(f"{name:23}{mean(spent):8.2f} ms")
print(
    f"weights: ours {4 * few_weights / 1e6:.0f} MB, "
    f"the wide one's {4 * many_weights / 1e6:.0f} MB"
)
for name, found in prices.items():
    print(f"share or factor, {name:15}{found}")

# %% tags=["nbval-ignore-output"]
print("starting is more than half of our step:", above(prices["starting"], 0.5))
print(
    "reading the bytes is more than half of the wide step:", above(prices["fetching"], 0.5)
)
print(
    "8 texts take the wide one more than 4 times as long:",
    above(prices["8 texts, wide"], 4),
)

# %% [markdown]
# ```{admonition} Verdict: true; and fewer FLOPs do not make writing as fast as one pass
# :class: note verdict
# Training asks all places in one pass; writing takes as many passes as there are tokens. A cache takes the repeated
# arithmetic away: at 128 tokens writing without it took more than twice as long. It does not take the steps away: with *fewer* FLOPs than one pass,
# writing took more than 1.5 times as long. What a step takes its time for depends on the width. In our small model starting operations is a large part.
# **Whether it is more than half stays open:** the interval above holds one half. The same is so of the wide decoder and the fetching
# of its weights. But 8 texts, with 8 times the arithmetic, took it less than 4 times as long: a batch starts each
# operation, and fetches each weight, once for all its texts. So one writes many texts at once ({cite:t}`pope2023efficiently`), or guesses a few tokens ahead (above).
# ```
#
#
# (claim-11-2)=
# ### Claim 2: "With a cache you get exactly the same text"
#
# By the mathematics above, yes. But a computer rounds, and the order in which it adds up depends on the shapes. So we look at the numbers and at the words, in 200 unseen
# sentences, with 32 and with 16 bits. A difference in the numbers changes a word only where two words are nearly tied, so we also measure the smallest gap between the best word and the second
# best, over all places of the reference translations. We call the text the same if at least 95 % of all sentences get the same one: the whole interval of the share lies above 0.95.


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
    "float32, the same text:",
    f"{share(same, len(test)):.3f};",
    above(share(same, len(test)), 0.95),
)
print("bfloat16, more than 95 % the same text:", above(share(in_half, len(test)), 0.95))
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
# ```{admonition} Verdict: true of the text, in these sentences; the numbers differ in their last digits
# :class: note verdict
# In float32 all 200 translations were the same; in bfloat16 so many that more than 95 % of all such sentences are. The {term}`logits` were not: in
# float32 they differed in the last digits, as where two equally good computations add up in a different order. (In bfloat16 there was no difference
# on the machine that built this page. That need not be so elsewhere.) The closest decision had a gap more than a hundred times as wide. A model
# that is less sure of itself can meet a tie. So test a cache by its numbers, in
# float32, with a tolerance.
# ```
#
# (claim-11-3)=
# ### Claim 3: "Attention is O(n²d)"
#
# The two products are, with our $D$ for the claim's $d$. But a layer has more in it than those, and "O" says nothing about where the square begins to matter. We count one encoder layer, $D = 256$ and $F = 1024$, and then we time its two
# parts: all that grows with $n$ (projections, feed-forward network) and what grows with $n^2$. In time, we call a part linear if its slope on logarithmic axes, from the shortest text to the longest, lies between 0.7 and 1.3, and square if it lies above 1.6.

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
# On logarithmic axes the slope of the layer changes from 1 (a factor of 2) to 2 (a factor of 4), slowly. At $n = 6D = 1536$ the two parts are equal. In the three real models it is beyond the longest text. (With $F = 4D$ it is $6D$; the two Llamas have another $F$, and Llama 3 fewer heads of keys.)

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
        runs = max(1, 1024 // n) if on_cpu else 5
        for name, rounds in milliseconds(work, runs, rounds=8).items():
            spent[name].append(rounds)
doublings = math.log2(PLACES[-1] / PLACES[0])
slopes = {
    name: estimate(
        [math.log2(b / a) / doublings for a, b in zip(rows[0], rows[-1], strict=True)]
    )
    for name, rows in spent.items()
}
print(f"{'milliseconds':19}", *(f"{n:7}" for n in PLACES), "  slope")
for name, rows in spent.items():
    print(f"{name:19}", *(f"{mean(t):7.2f}" for t in rows), f"   {slopes[name]:.1f}")

# %% tags=["picture-of-times"] mystnb={"figure": {"name": "where-the-square-begins", "caption": "Time of the parts of one layer (width 256) by the number of tokens, one core of the machine that built this page. Attention begins far below the matrices; the readable one overtakes them, the fused one comes near. At the dotted line, n = 6D, both have equally many FLOPs."}, "image": {"alt": "Line plot, both axes logarithmic: milliseconds against 64 to 2,048 tokens. The matrices' line is straight. Both lines of attention begin below it and are steeper; the readable one crosses it towards the right, the fused one ends a little below it. A dotted vertical line stands at 1,536."}}
fig, ax = plt.subplots()
for (name, rows), marker in zip(spent.items(), "os^", strict=True):
    ax.loglog(PLACES, [mean(t) for t in rows], marker=marker, label=name)
ax.axvline(6 * WIDTH, color="grey", linestyle=":", label="n = 6D")
ax.set_xticks(PLACES, PLACES)
ax.minorticks_off()
ax.set(xlabel="tokens, n", ylabel="milliseconds")
ax.legend()
plt.show()
says("A dotted vertical line stands at 1,536.", 6 * WIDTH)

# %%
print(
    "the matrices grow with n:",
    0.7 < slopes["matrices"].low < slopes["matrices"].high < 1.3,
)
print(
    "readable attention grows with its square:", above(slopes["attention, readable"], 1.6)
)
compared = [ratio(spent["attention, readable"][i], spent["matrices"][i]) for i in (0, -1)]
print(
    "at the shortest length attention takes less than half of the matrices' time:",
    compared[0].high < 0.5,
)
print("at the longest it takes more than they do:", above(compared[1], 1))

# %% [markdown]
# ```{admonition} Verdict: true of the two products; most of a layer's work is O(n D²) until n = 6 D
# :class: note verdict
# The products of attention grow with the square, exactly in FLOPs; the matrices grow with $n$, and with fewer than $6D$ tokens they are most of a layer's work. For
# Llama 2 7B the border is at 24,704 tokens, six times its longest text. In time the readable attention met our bound for a square, and took longer than
# the matrices at 2,048 tokens. Where exactly the lines cross depends on the machine: the softmax and the table take time and count no FLOPs. The square
# is felt in another currency, too: memory, claim 4. And with a cache, one more token costs
# attention only $O(n D)$.
# ```
#
# (claim-11-4)=
# ### Claim 4: "Fused attention gives the same numbers with less memory"
#
# Three implementations: the readable one of lesson 1, our loop over blocks of 128 keys, and PyTorch's fused kernel. Numbers first. Whose are right? We ask
# the same function in 64 bits. Then the most bytes that are there at one time (`lessons_lib.timing.peak_bytes` listens to the part of PyTorch that hands out memory). The same numbers: to 0.00001. Less memory: the readable form needs more than 5 times that of our blocks, and 30 times that of the fused kernel.

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

# %% mystnb={"figure": {"name": "peak-memory", "caption": "The most memory that attention takes beyond its inputs: one text, 4 heads of 32, float32. Two of the lines grow with the length, one with its square."}, "image": {"alt": "Line plot, both axes logarithmic: megabytes against 256 to 2,048 tokens. The readable attention climbs from 2.2 to 135. Our blocks climb from 2.4 to 19, the fused kernel from 0.2 to 1.6."}}
fig, ax = plt.subplots()
for (name, row), marker in zip(peak.items(), "os^", strict=True):
    ax.loglog(ROWS, [b / 1e6 for b in row], marker=marker, label=name)
ax.set_xticks(ROWS, ROWS)
ax.minorticks_off()
ax.set(xlabel="tokens", ylabel="megabytes")
ax.legend()
plt.show()
if place.type == "cpu":
    ends = {name: (row[0] / 1e6, row[-1] / 1e6) for name, row in peak.items()}
    says("The readable attention climbs from 2.2 to 135.", *ends["readable"])
    says(
        "Our blocks climb from 2.4 to 19, the fused kernel from 0.2 to 1.6.",
        *ends["our blocks"],
        *ends["fused"],
    )

# %% [markdown]
# Is it faster, too? Forward only, 2,048 tokens in all (65,536 on a GPU), cut into short texts or long ones. A factor below 1 means slower. "Faster" means that all of the interval lies above 1.

# %% tags=["claim-14", "nbval-ignore-output"]
TOKENS = 2048 if on_cpu else 65_536
faster = {}
for dtype in (torch.float32, torch.bfloat16):
    for n in (16, 64, 256, 2048):
        heads = [
            torch.randn(TOKENS // n, 4, n, 32, device=device, dtype=dtype) for _ in range(3)
        ]
        with torch.inference_mode():
            systems = {name: partial(attend, *heads) for name, attend in ATTENTIONS.items()}
            cost = milliseconds(systems, runs=2 if n < 2048 else 1)
        faster[dtype, n] = ratio(cost["readable"], cost["fused"])
        times = ", ".join(f"{name} {mean(t):.2f}" for name, t in cost.items())
        print(
            f"{str(dtype)[6:]:9}{n:4} tokens, ms: {times};  "
            f"fused is faster by {faster[dtype, n]:.2f}"
        )

# %%
print("float32, 2,048 tokens: fused is faster:", above(faster[torch.float32, 2048], 1))

# %% tags=["nbval-ignore-output"]
for (dtype, n), gain in faster.items():
    print(f"{str(dtype)[6:]:9}{n:4} tokens: fused is faster: {above(gain, 1)}")

# %% [markdown]
# ```{admonition} Verdict: true, with linear memory; faster for long texts in float32, and not for all
# :class: note verdict
# The same numbers up to rounding. At 2,048 tokens our loop took a seventh of the memory of the readable form, and the fused kernel about an eightieth;
# the longer the text, the larger the saving. In float32 the fused kernel was faster at 2,048 tokens. For short texts it need not be: in
# bfloat16, which the library widens to float32 for the kernel on a CPU, it was *slower* at 64 tokens, the widening counted. The library takes it all the same, but for a query of
# 16 bits that reads more than 32 keys of a cache: [the benchmarks](../book/benchmarks) time both in training, where hardly two batches are of the same size. One thing a fused kernel does not do: hand out its weights. The maps of attention in this course come from the readable path.
# ```
#
# (claim-11-5)=
# ### Claim 5: "Half precision is twice as fast"
#
# A bfloat16 is the first half of a float32: the same range, 8 bits of precision in place of 24. Half the bytes, exactly. Half the time? We time four jobs that a
# Transformer has: a large product of matrices (training); one row times a matrix (writing one text) of 4 MB, which stays in the processor's cache while we repeat it, and of 268 MB, which does not; and a softmax. "Twice as fast" is true if all of the interval lies above 1.8.

# %% tags=["claim-efficient-1", "nbval-ignore-output"]
NEAR, FAR, SIDE = (1024, 8192, 1024) if on_cpu else (1024, 16_384, 8192)
jobs = {
    "matrix times matrix": (SIDE, SIDE, torch.matmul, 2),
    "one row, small matrix": (1, NEAR, F.linear, 100),
    "one row, large matrix": (1, FAR, F.linear, 1),
    "softmax of a matrix": (SIDE, SIDE, lambda a, b: a.softmax(-1), 2),
}
gains, in_32 = {}, {}
with torch.inference_mode():
    for name, (rows, side, job, runs) in jobs.items():
        pair = (
            torch.randn(rows, side, device=device),
            torch.randn(side, side, device=device),
        )
        halves = [x.bfloat16() for x in pair]
        times = milliseconds({32: partial(job, *pair), 16: partial(job, *halves)}, runs)
        gains[name], in_32[name] = ratio(times[32], times[16]), times[32]
        print(
            f"{name:21} float32 {mean(times[32]):7.3f} ms, "
            f"bfloat16 {mean(times[16]):7.3f} ms: "
            f"faster by {gains[name]:.2f}; twice: {above(gains[name], 1.8)}"
        )
dearer = ratio(in_32["one row, large matrix"], in_32["one row, small matrix"])
flops, near, far = (
    work / mean(in_32[name]) / 1e6
    for name, work in (
        ("matrix times matrix", 2 * SIDE**3),
        ("one row, small matrix", 4 * NEAR**2),
        ("one row, large matrix", 4 * FAR**2),
    )
)
print(f"float32: {flops:.0f} billion FLOPs a second in the large product;")
print(f"one row fetches {near:.0f} GB/s from the cache, {far:.0f} GB/s from beyond it")
print(f"{FAR**2 // NEAR**2} times the numbers take {dearer:.0f} times as long")
print(
    "so each number costs more than 1.2 times as much:",
    above(dearer, 1.2 * FAR**2 / NEAR**2),
)

# %% [markdown]
# ```{admonition} Verdict: true here of a large product, and of none of the other three jobs
# :class: note verdict
# This processor multiplies bfloat16 in hardware, and a large product took about half of the time. One row times a matrix, which is what the arithmetic
# of writing a single text mostly is, was not twice as fast, in the processor's cache or out of it, though half of the bytes are fetched. Bytes do cost time: beyond
# it each float32 cost more than within, with the same arithmetic. So why not half? Our guess is that this kernel spends the time that it saves
# on turning 16 bits into 32. Where a processor has no unit for bfloat16, it costs time even in training ([Benchmarks](../book/benchmarks)); a
# graphics card like Colab's T4 has none either, and takes float16 (more digits, a smaller range: the last of the bugs below). So `lessons_lib.device` looks at what the hardware multiplies. In training, one multiplies in 16 bits and keeps the weights and the sums in 32: {term}`mixed precision`
# ({cite:t}`micikevicius2018mixed`).
# ```
#
# (claim-11-6)=
# ### Claim 6: "Eight bits a weight are enough"
#
# A weight can be stored in one byte ({term}`quantisation`): a whole number from −127 to 127, times a scale that its row shares. So the file of the page [Live translator](../book/translator) is written. We make it ourselves, compare it with the page's, and ask three things. How large is it? How large is the error? Are at least 95 % of the texts the same (the whole interval)?


# %%
def eight_bits(matrix):
    """Whole numbers of 8 bits, a scale for each row: a weight is nearly scale · number."""
    scale = matrix.abs().amax(dim=1, keepdim=True) / 127
    return (matrix.double() / scale).round().to(torch.int8), scale


packed, bytes_8, worst = copy.deepcopy(model).cpu(), 0, 0.0
with torch.no_grad():
    for weight in packed.parameters():
        bytes_8 += weight.nbytes  # vectors stay as they are
        if weight.dim() == 2:
            numbers, scale = eight_bits(weight)
            bytes_8 += numbers.nbytes + scale.nbytes - weight.nbytes
            worst = max(worst, ((scale * numbers - weight).abs() / scale).max().item())
            weight.copy_(scale * numbers)
the_page, _ = read_web_model(web_model(FOLDER))
for here, there in zip(packed.parameters(), the_page.parameters(), strict=True):
    torch.testing.assert_close(here, there, rtol=0, atol=1e-7)
print("our weights = those that the page reads from its file")
bytes_32 = sum(x.nbytes for x in model.parameters())
print(f"bytes: {bytes_8:,} in place of {bytes_32:,}: {bytes_8 / bytes_32:.1%}")
print(f"error of a weight: at most {worst:.2f} of its row's scale")

seed_everything(8)
weight, x = model.decoder.layers[0].attention.query.weight.detach().cpu(), torch.randn(128)
order = torch.randperm(128).tolist()
whole = eight_bits(weight)[0].int() * eight_bits(x[None])[0].int()
for name, products in (("whole numbers", whole), ("float32", weight * x)):
    in_turn, shuffled = (sum(products[:, i] for i in way) for way in (range(128), order))
    print(
        f"128 sums of 128 {name}, in two orders, the same to the last digit:",
        torch.equal(in_turn, shuffled),
    )

with torch.inference_mode():
    logits = [
        network(batch.src.cpu(), batch.tgt_in.cpu())[batch.tgt_out.cpu() != config.pad_id]
        for network in (copy.deepcopy(model).cpu(), packed)
    ]
off = (logits[0] - logits[1]).abs()
in_8 = [tokenizer.decode(h.tokens) for h in greedy(packed, batch.src.cpu())]
same = share(sum(a == b for a, b in zip(in_8, ours, strict=True)), len(ours))

# %% tags=["nbval-ignore-output"]
print(f"logits differ by {off.mean():.3f} on the average, by {off.max():.2f} at most")
print(f"the same text: {same:.3f}")

# %%
print(
    "the largest difference of logits is above 0.01 and below 1:",
    0.01 < off.max().item() < 1,
)
print("the same text in more than 95 % of all sentences:", above(same, 0.95))

# %% [markdown]
# ```{admonition} Verdict: true for this translator; the numbers are no longer the same
# :class: note verdict
# A weight of eight bits is wrong by half a step of its row at most. The weights take 26.2% of the bytes, logits differ by a hundredth on the average,
# and more than 95 % of all such sentences come out the same. It buys more than a small file where they stay bytes in memory, for then fewer are
# fetched; or where a program multiplies the whole numbers themselves. Their sums are exact as long as they fit into 32 bits: in any order the same to
# the last digit, which floats do not promise. The page does both: its weights stay bytes, and with a browser's SIMD instructions each input
# becomes two whole numbers. In very large models a few dimensions need more bits ({cite:t}`dettmers2022llm`).
# ```
#
#
# (claim-11-7)=
# ### Claim 7: "Sharing keys and values makes the cache smaller, and the model no worse"
#
# The cache has $2 \cdot L \cdot B \cdot n \cdot G\, d_{head} \cdot b$ bytes: layers, texts, tokens so far, $G$ heads of keys and values, $b$ bytes a number.
# In {term}`grouped-query attention` several heads of queries share one head of keys and values, so that $G$ is smaller than the number of heads $H$
# ({cite:t}`ainslie2023gqa`; with $G = 1$, {cite:t}`shazeer2019fast`). First the bytes of the text (those of the source come on top): the formula against the tensors that are really there.


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
# And the quality? We train from the first step, in a study of several seeds: translators 64 wide with one layer on each side and $H = 4$, which differ in $G$ alone, on sentences of up to eight words. (It is the $G$ of every attention, the encoder's too, which has no cache.) They are
# compared by {term}`BLEU`, a score from 0 to 100 for how many runs of one to four words a translation shares with a reference (lesson 12 uses it,
# lesson 13 builds it), and by the loss on sentences not trained on. *No worse* is true if all of the interval of the difference lies within 2 BLEU of
# 0. Here one of them begins once more.

# %% tags=["claim-efficient-2"]
study = studies.load("grouped_heads")
grammar = grouped_heads.data()
beginning = islice(grouped_heads.training(1, 1, grammar), grouped_heads.EARLY)
network = [network for _, network in beginning][-1]
again = validation_loss(network, grammar.valid)
stored = study.results[f"loss at {grouped_heads.EARLY} steps, G = 1"][study.seeds.index(1)]
print(
    f"G = 1, seed 1, {grouped_heads.EARLY} steps, within 0.1 nats of the stored loss:",
    abs(again - stored) < 0.1,
)
print()
print(f"mean of {len(study.seeds)} seeds [interval]")
for groups in grouped_heads.GROUPS:
    print(
        f"G = {groups}: BLEU {study.estimate(f'BLEU, G = {groups}'):.1f}, "
        f"loss {study.estimate(f'loss, G = {groups}'):.3f} nats a token"
    )
for groups in (2, 1):
    lost = study.difference(f"BLEU, G = {groups}", "BLEU, G = 4")
    print(f"G = {groups} against G = 4, seed by seed: {lost:.1f} BLEU")
print()
for statement, word in study.verdicts.items():
    print(f"{statement:40}{word}")

# %% [markdown]
# ```{admonition} Verdict: the cache, true, exactly; the model, false here with one head for all, and open with two
# :class: note verdict
# The cache shrinks with the heads of keys: Llama 3 8B gets by with a quarter of that of the smaller Llama 2 7B. The quality had its
# price in these small translators: with every halving of $G$ the loss on new sentences was higher. In BLEU, one head for all queries cost more than our
# bound; two heads cost something, and whether it is more than the bound stayed open. Fewer heads of keys are fewer weights, too, and
# the study does not tell one from the other; with more training or more heads the price may be another. {cite:t}`ainslie2023gqa` turned finished large
# models into grouped ones by averaging heads, gave them five percent of their training again, and came close.
# ```
#
# (claim-11-8)=
# ### Claim 8: "torch.compile makes it faster"
#
# `torch.compile` reads a function, fuses what it can, and writes a program for it: for a GPU in Triton, for a CPU in C++ ({cite:t}`ansel2024pytorch`). So it needs a compiler at run
# time, which your machine may lack; this cell says so then. We try it on two jobs: a chain of cheap operations on a large matrix, and a layer of our translator. "Faster" means that all of the interval lies above 1.2. And we count how often twenty lengths of text are compiled.

# %% tags=["claim-efficient-3", "nbval-ignore-output"]
# What was compiled in another run does not count.
folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder.name
logging.getLogger("torch._dynamo").setLevel(logging.CRITICAL)
logging.getLogger("torch._inductor").setLevel(logging.CRITICAL)
# Which instructions the processor has is known; to try each out first takes seconds.
torch._inductor.config.cpp.vec_isa_ok = True


def chain(x):
    return (F.gelu(x) * 0.5 + x.tanh()).relu() + x * x


translator_layer = model.encoder.layers[0]
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
            times = milliseconds(
                {"plain": partial(work, given), "fast": partial(fast, given)}, runs=4
            )
    except Exception as error:  # the compiler is missing, or does not like this machine
        print(
            f"{name}: cannot be compiled here ({type(error).__name__}); "
            "a C++ compiler such as g++ is needed"
        )
        continue
    gain = ratio(times["plain"], times["fast"])
    print(f"{name}: faster by {gain:.2f}; by more than 1.2: {above(gain, 1.2)}")
    print(
        f"   the first call took {first:.1f} s, "
        f"the time of {1000 * first / mean(times['plain']):,.0f} runs"
    )

# %%
graphs = []


def only_count(graph, inputs):
    """Compiles nothing: it keeps what it should have compiled."""
    graphs.append(graph)
    return graph.forward


def cheap(x):
    return x.tanh() + x


watched = torch.compile(cheap, backend=only_count)
for length in range(5, 25):
    watched(torch.randn(2, length))
print("20 lengths are compiled", len(graphs), "times")

# %% [markdown]
# ```{admonition} Verdict: true of a chain of cheap operations; not shown of our layer
# :class: note verdict
# The chain gained; for the layer the interval did not lie above our bound. Our guess at why: one loop can do all of the chain, where each operation
# by itself reads and writes a million numbers or more; a layer's arithmetic is mostly products of matrices, which the compiler by default leaves to
# the same library as before. A first call takes seconds or more, in which the plain form runs many times. Twenty lengths were compiled twice:
# after the second length the program
# takes the length as a variable. On a graphics card, or with other shapes, the gains may be others.
# ```
#
# ## Bugs worth meeting
#
# None of these raises an error.
#
# **The cache that caches nothing.** A cache is made at the start, and every step gives back a new one. The translations are right.


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
# *Cause*: it reads the whole beginning again, with an empty past. *Symptom*: everything is right, and the hundredth token takes much longer than the
# first. *How to notice*: count the places that go through a layer (a
# hook of one line), or time two texts, one twice as long: with a cache it took little more than twice the time in claim 1, without one about three times or more. *Mended* in `write` above: hand in the last token only, its place, and the cache of the step before.
#
# **Positions that start again at 0.** Now only the last token is handed in. If nobody says which place it has, the model takes the first:

# %% tags=["nbval-ignore-output"]
lost = texts(write(batch.src, 24, restart_positions=True))
n = next(
    n for n, (wrong, right) in enumerate(zip(lost, ours, strict=True)) if wrong != right
)
print(f"{test[n].source} → {lost[n]}, in place of {ours[n]}")
changed = share(sum(a != b for a, b in zip(lost, ours, strict=True)), len(ours))
print(f"other texts: {changed}")

# %%
print("more than none of all sentences come out otherwise:", above(changed))

# %% [markdown]
# Every word stands at place 0; in training only `<s>` did. Still, about two thirds of these texts are what they should be. *Mended* by counting from
# the length of the cache (`cache.length` in the library). With rotary positions (lesson 4) it is the same trap: the new key must be turned by its own
# place, not by 0, before it
# is stored.
#
# (Dropout left on has the same symptom; but then two cached runs disagree as well.)
#
# **The cache that stays when the beams move.** *Beam search* (lesson 12) writes several beginnings of one sentence side by side, its *beams*, and after each step keeps the best. Row 2 may go on from what row 0 had written. Its *tokens* are copied. Its keys and values must be, too. Here they are not:

# %% tags=["hide-input"]
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
    "the best text is the same in more than 80 % of all sentences:",
    above(share(best, 60), 0.8),
)
print("all four are the same in more than 80 %:", above(share(every, 60), 0.8))
print(
    "the search knows how probable its texts are:",
    off["moved along"] < 0.01,
    "  with the bug:",
    off["staying"] < 1,
)

# %% [markdown]
# This is the nastiest of these bugs. The best text was nearly always the same (the library leaves the best continuation of each beam in its row, and only a second one of the same beam moves), so comparing best translations hardly tells you. But any of the four may have been judged with the memory of somebody else. *How to notice*: score every text that comes out once more, in one
# pass. The log-probability must be the one that the search reports, up to rounding. *Mended* in the library by `cache.reorder(rows)` after each step.
#
# **Gradients that vanish in float16.** Where the hardware has no bfloat16, one trains with float16: nothing below 0.00000003 is left. The loss does not tell; the gradients do. We compute them in float32 and look at what float16 would keep.

# %% tags=["nbval-ignore-output"]
learner = copy.deepcopy(model).train(False)
batch_loss(learner, batch, label_smoothing=0.1).backward()
gradient = torch.cat([p.grad.flatten() for p in learner.parameters()]).cpu()
gradient = gradient[gradient != 0]
print("of the gradients, in float16:")
wrong = {}
for factor in (1, 2**16, 2**30):
    halved = (factor * gradient).half()
    off = (halved.float() / factor / gradient - 1).abs()
    wrong[factor] = (off > 0.01).float().mean().item()
    print(
        f"loss times {factor:13,}: {(halved == 0).float().mean():6.1%} are 0, "
        f"{wrong[factor]:6.1%} are wrong by more than 1 %, "
        f"{halved.isinf().float().mean():6.1%} are infinite"
    )

# %%
print(
    "wrong by more than 1 %: with a factor of 1 and of 2³⁰ more than 5 % of them:",
    wrong[1] > 0.05,
    wrong[2**30] > 0.05,
)
print("with 65,536 fewer than 1 in 1,000:", wrong[2**16] < 0.001)

# %% [markdown]
# *Symptom*: training with float16 may learn less than with float32, or gives NaN. *Mended* by **{term}`loss scaling`** ({cite:t}`micikevicius2018mixed`): multiply the loss by a large factor, so that all gradients grow by it; divide them by it in float32, before the step. `torch.amp.GradScaler` looks for the factor: it halves it and leaves the step out when a gradient is infinite, and
# doubles it after a long time without. The library's training does so wherever it runs in float16.
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
# <details class="right"><summary>An old query has asked its question; later tokens only compare themselves with old keys</summary>
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
# <details class="right"><summary>149: the prompt's 50, and 99 of the written ones</summary>
#
# Right. The prompt goes in at once and gives the first token. The hundredth is written, and never read.
#
# </details>
# <details><summary>9,950</summary>
#
# No. That is $50 + 51 + \ldots + 149$: without a cache, the whole beginning again for each token.
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
# <details class="right"><summary>No: without a causal mask the past changes with each new word</summary>
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
# <details class="right"><summary>None</summary>
#
# Right. It computes a little more (the factors $e^{m-m'}$) and fetches and stores much less. That it is faster all the same, for long texts, suggests what the time had been spent on.
#
# </details>
# <details><summary>Half of them</summary>
#
# No. That is about what skipping the blocks above the diagonal of a *causal* mask saves.
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
# <details class="right"><summary>Only in rows where a later block has a larger score</summary>
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
# or open `11_efficient_transformers.ipynb` in the folder `exercises` at home. Three questions, 10 points; `check("q1")` tells you at once what is probably wrong,
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
# - A causal mask makes the past constant: keys and values of written tokens are kept, and a step computes one row.
# - The text is the same; the numbers are, up to rounding. A cache that caches nothing is right, too: count the places.
# - Training is one pass, writing is as many as there are tokens. Much of their time goes into starting operations (in a small model) and fetching bytes (in a large one); a batch shares both.
# - The cache takes $2 \cdot L \cdot B \cdot n \cdot G\,d_{head} \cdot b$ bytes. Groups of heads that share keys shrink $G$.
# - A layer is $24\,n D^2 + 4\,n^2D$ FLOPs: the square takes over at $n = 6D$.
# - The online softmax averages block by block and never holds the table. Blocks save bytes; a window or linear attention saves the square, and is another model.
#
# | trick | arithmetic | bytes | operations started | the result |
# |---|---|---|---|---|
# | KV cache | less: $N$ places, not $N^2/2$ | more: the cache is kept | the same | the same text, but for ties |
# | many texts at once | the same | weights fetched once for all; a cache each | shared | the same, up to rounding |
# | fused attention | a little more; less, where masked blocks are skipped | fewer fetched; held: $n$, not $n^2$ | fewer | the same, up to rounding |
# | grouped heads | a little less | $G/H$ of the cache | the same | another model |
# | 16 bits | can be faster where there is a unit for it | half | the same | fewer digits |
# | 8 bits a weight | the same, or whole numbers | a quarter of the weights | a few more | nearly the same |
# | guessing ahead | more, by wrong guesses | weights fetched less often | fewer passes | the same, up to rounding |
# | window, linear attention | $n$, not $n^2$ | a past of fixed size | the same | another model |
# | compiler | the same | fewer trips | fewer | the same, up to rounding |
#
# **Where it comes from.** Beside what is cited above: writing with kept keys and values is worked out in {cite:t}`shazeer2019fast`. What writing costs
# on real machines: {cite:t}`pope2023efficiently`. Caches for many users, in pages like those of an operating system: {cite:t}`kwon2023efficient`.
# Whether arithmetic or memory is the bottleneck can be drawn as a roof: {cite:t}`williams2009roofline`.
