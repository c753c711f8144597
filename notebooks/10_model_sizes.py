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
# # 10 · Model sizes
#
# **Where do the parameters, FLOPs and bytes go?** *75 minutes, and 60 for the exercise. You need: heads (lesson 3), the layers of an encoder–decoder (lesson 5), and what they are made of: positions (4),
# norms (6), the feed-forward network (7); the families of lesson 9.*
#
# After this lesson you can
#
# - say from a configuration how many parameters a model has, to the last digit, and check what is printed about it;
# - say what a training step computes, and where the rule "6 N D" goes wrong;
# - say whether a model fits into a memory, to run and to train, before you load it;
# - tell what a larger model buys, and at what price.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import dataclasses
import itertools
import json
from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lessons_lib import sizes, studies
from lessons_lib.attention import recorded_attention
from lessons_lib.config import TransformerConfig
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.families import DecoderOnly, EncoderOnly
from lessons_lib.figures import use_course_style
from lessons_lib.prose import says
from lessons_lib.sizes import presets
from lessons_lib.studies import bigger
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import FOLDER, load_course_translator
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.training.loop import batch_loss
from lessons_lib.widgets import SizesWidget

use_course_style()
seed_everything(10)
device = pick_device()
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# You have read of a model with 7 billion parameters, and you have a graphics card with 80 GB. Will it run? It will: in 16-bit numbers the
# weights take 13.5 GB. You start to train it, in 32-bit numbers, on one short text. It loads (27 GB). It computes a loss, and gradients (54 GB). Then it dies, at the very first
# update. You run it instead, for 64 people at a time. That works, until their conversations grow long. Then it dies too.
#
# None of this has to be found out by trying. A Transformer is a handful of matrices, repeated. Their shapes follow from about six whole
# numbers: the {term}`vocabulary`, the width of a word's vector, the width of the feed-forward network, the layers, the {term}`heads <head>`, the length
# of the text. From these follow three answers:
#
# - **{term}`parameters <parameter>`**: how many numbers the model has learned. They decide what it takes on a disk.
# - **{term}`FLOPs <FLOP>`**: how many multiplications and additions a text costs. They say how long you wait at least.
# - **bytes**: what must be in memory at the same time. They decide whether it runs at all.
#
# Lesson 11 measures what else you wait for. Below is a calculator for all three. Choose a model, then change a number and see which parts grow.

# %% tags=["hide-input"]
CHOSEN = [
    "Transformer base",
    "BERT base",
    "GPT-2 small",
    "GPT-2 XL",
    "T5 base",
    "OPUS-MT English–French",
    "GPT-3 175B",
    "Llama 2 7B",
    "Llama 2 70B",
    "Mistral 7B",
    "Gemma 2B",
    "Llama 3 8B",
    "Llama 3 70B",
    "Qwen2.5 0.5B",
    "GPT-4",
]
translator = load_course_translator(device)
ours = translator.model.config
models = [{"name": "the course's translator", "config": ours.to_dict()}]
for name in CHOSEN:
    preset = presets()[name]
    models.append(
        {
            "name": name,
            "config": preset.config.to_dict() if preset.config else None,
            "note": f"{preset.note} ({preset.source})",
        }
    )
SizesWidget(models, model=3)

# %% [markdown]
# ```{admonition} What to look for
# :class: tip
# Start with *GPT-2 small* and double `d_model`: what grows twofold, what fourfold? Double the layers: what does not grow at all? Choose *Llama 2 7B*, *Running*,
# bfloat16, and raise the batch to 64: which bar is longest now? Then take *Llama 3 8B*, which is larger, at the same batch. Last, choose *GPT-4*.
# ```
#
# ## The mathematics
#
# ### Parameters
#
# We write $D$ for the width of a word's vector (`d_model`), $F$ for the width inside the {term}`feed-forward network` (`d_ff`), $V$ for the number of tokens in the
# vocabulary, $L$ for the layers, $H$ for the heads of an attention and $d_{head}$ for the width of one. Some models have fewer heads of keys and values than of
# queries, $G$ of them, each shared by a group of query heads (*grouped-query attention*, {cite:t}`ainslie2023gqa`); in the others, $G = H$.
#
# | part | its matrices | numbers | its {term}`biases <bias>` |
# |---|---|---|---|
# | embedding | $V \times D$ | $VD$ | |
# | attention | $D \times Hd_{head}$ ($W_Q$), $Hd_{head} \times D$ ($W_O$), $D \times Gd_{head}$ twice ($W_K$, $W_V$) | $2D\,(H + G)\,d_{head}$ | $(H + 2G)\,d_{head} + D$ |
# | feed-forward | $D \times F$, $F \times D$; with a gate another $D \times F$ | $2DF$, or $3DF$ | $F + D$, or $2F + D$ |
# | a norm | two vectors, γ and β; in {term}`RMSNorm` γ alone | $2D$, or $D$ | |
# | output projection | $D \times V$ | $VD$, or 0 if it is the embedding | |
#
# In the usual case $Hd_{head} = Gd_{head} = D$ and $F = 4D$. Then an attention has $4D^2$ numbers and a feed-forward network $8D^2$, and a layer with one of each $12\,D^2$. So
# **the layers grow with the square of the width, the embedding only with the width**: $N \approx VD + 12\,L D^2$. (A decoder that reads an encoder has a second attention, and $16\,D^2$ a layer.)
#
# ### FLOPs
#
# A FLOP is one multiplication or one addition of two numbers. The product of an $m \times k$ with a $k \times n$ matrix takes $mnk$ of each, so $2mnk$. In
# a linear layer $k \times n$ is the weight matrix, and $m$ the number of tokens: **each weight costs 2 FLOPs a token.** On the way
# back there are two more products of the same size, one for the gradient of the input and one for the gradient of the weights: 4 FLOPs more. If $N$ weights
# meet $D_{tok}$ tokens, training takes
#
# $$
# C \approx 6\, N\, D_{tok} .
# $$
#
# That is the rule "6 N D" (its D is the amount of *data*; everywhere else on this page $D$ is the width). It leaves out the two products of attention that have no weights, $QK^\top$ and $AV$. For $T$ tokens
# they take $2 \cdot 2\,T^2 Hd_{head}$ FLOPs a layer, three times that in training: in the usual case $T / 6D$ of what the layer's matrices take. {cite:t}`kaplan2020scaling` count half of it in their section 2.1, and drop it where $D$ is much larger than $T / 12$.
#
# ### Bytes
#
# A number takes 4 bytes in float32 and 2 in bfloat16. Running needs the weights, and a **{term}`KV cache`**: for each token so far, in each layer, $G$ keys and $G$ values.
# For $B$ texts of $T$ tokens, at $b$ bytes a number:
#
# $$
# \text{cache} = \underbrace{2}_{\text{key, value}} \cdot\, L \cdot B \cdot T \cdot G \cdot d_{head} \cdot b .
# $$
#
# Training with {term}`AdamW`, as in this course since lesson 1, keeps four numbers a parameter: the weight $w$, its gradient $g$, and two running averages, $m$ and $v$.
# That is **16 bytes a parameter** in float32. On top come the **{term}`activations`**: results of the way there that the way back
# needs again. They grow with the tokens of a {term}`batch`.
#
# What are $m$ and $v$ for? Plain gradient descent moves a weight $w$ by a
# fixed multiple of its gradient $g$, so weights with small gradients hardly move. Adam ({cite:t}`kingma2015adam`) averages $g$ in $m$ and $g^2$ in $v$, and divides the first by the root of the
# second: were all gradients ten times as large, the steps would be the same (but for the tiny $\epsilon$), and their size is set by the learning rate $\eta$. The W is *weight decay* ({cite:t}`loshchilov2019decoupled`): each step also shrinks the weight itself by a share $\eta\lambda$. With $m$ and $v$ both 0 before step $t = 1$,
#
# $$
# m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \quad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2,
# $$
#
# $$
# w \leftarrow (1 - \eta\lambda)\, w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} .
# $$
#
# Here $\hat m = m / (1 - \beta_1^t)$ and $\hat v = v / (1 - \beta_2^t)$: the divisions make up for the start at 0.

# %% [markdown]
# ## The code, from scratch
#
# ### Parameters
#
# The table above, in Python. What the configuration leaves open (a gate? biases? LayerNorm or RMSNorm, which has γ alone?) it says by name. BERT adds a table of token types, and the *pooler*, one more layer on its first token.


# %%
def attention_weights(c):
    # H·d_head, G·d_head
    query, key = c.n_heads * c.head_width, (c.n_kv_heads or c.n_heads) * c.head_width
    biases = {"all": query + 2 * key + c.d_model, "qkv": query + 2 * key, "none": 0}[c.bias]
    return 2 * c.d_model * (query + key) + biases


def feed_forward_weights(c):
    # Matrices D × F; one more leads back.
    ups = 2 if c.activation in ("swiglu", "geglu") else 1
    return (ups + 1) * c.d_model * c.d_ff + (
        ups * c.d_ff + c.d_model if c.bias == "all" else 0
    )


def parts(c):
    """Parameters by part, of a model with an encoder, a decoder or both."""
    norm = c.d_model * (2 if c.norm_type == "layer" else 1)
    layers = c.n_encoder_layers + c.n_decoder_layers
    stacks = (c.n_encoder_layers > 0) + (c.n_decoder_layers > 0)
    # A decoder that reads an encoder has two attentions a layer.
    attentions = layers + (c.n_decoder_layers if stacks == 2 else 0)
    norms = (
        attentions
        + layers
        + (stacks if c.norm == "pre" else 0)
        + (stacks if c.embedding_norm else 0)
    )
    tables = {
        "learned": c.max_length * c.d_model,
        "t5": 32 * c.n_heads,  # 32 buckets of distances
        "relative": 33 * c.n_heads,  # 2 · 16 + 1 distances
    }
    # BERT alone has these.
    types, pooler = getattr(c, "n_token_types", 0), getattr(c, "pooler", False)
    return {
        "embeddings": (c.vocab_size + types) * c.d_model
        + stacks * tables.get(c.positions, 0),
        "attention": attentions * attention_weights(c),
        "feed-forward": layers * feed_forward_weights(c),
        "norms": norms * norm,
        "output": (0 if c.tied or not c.n_decoder_layers else c.vocab_size * c.d_model)
        + pooler * (c.d_model + 1) * c.d_model,
    }


for name, count in parts(ours).items():
    print(f"{name:14}{count:12,}")
print(f"{'all':14}{sum(parts(ours).values()):12,}")
print(f"{'really there':14}{sum(p.numel() for p in translator.model.parameters()):12,}")

# %% [markdown]
# That is the translator that this course trained. Now the published models whose shape is known: `presets`, a `Preset` each. Three counts must agree: our lines, the library's, and the numbers that stand in
# the modules when a model is really built (of those 3,000 wide or wider, GPT-3 alone). On PyTorch's device `meta` a tensor has a shape, but no memory. So GPT-3 can be built on a laptop.


# %%
def built(config):
    with_decoder = Transformer if config.n_encoder_layers else DecoderOnly
    kind = with_decoder if config.n_decoder_layers else EncoderOnly
    with torch.device("meta"):
        return kind(config)


known = {name: preset for name, preset in presets().items() if preset.config is not None}
modules = {}
for name, preset in known.items():
    count = sum(parts(preset.config).values())
    assert count == sizes.count_parameters(preset.config)
    if (
        preset.config.d_model < 3000 or name == "GPT-3 175B"
    ):  # the others take long to build
        modules[name] = sum(p.numel() for p in built(preset.config).parameters())
        assert count == modules[name]
print(f"our lines = lessons_lib, for {len(known)} published models,")
print(f"and = the modules, for the {len(modules)} that we build")

# %% mystnb={"figure": {"name": "shares", "caption": "Where the parameters are. In the small models the embeddings are a large part, in the largest the layers are nearly everything. In Gemma 2B, with a vocabulary of 256,000, the embeddings are a fifth. The norms are too few to be seen."}, "image": {"alt": "Horizontal stacked bars for eight models. The share of the embeddings is 0.44 in the translator, 0.32 in GPT-2 small, 0.21 in Gemma 2B and 0.004 in GPT-3. The feed-forward share is 0.66 in GPT-3."}}
shown = {"course's translator": ours} | {
    name: known[name].config
    for name in (
        "Transformer base",
        "GPT-2 small",
        "BERT base",
        "Gemma 2B",
        "Llama 2 7B",
        "Llama 3 8B",
        "GPT-3 175B",
    )
}
fig, ax = plt.subplots(figsize=(8, 3.8))
left = np.zeros(len(shown))
for part, colour in zip(
    ("embeddings", "attention", "feed-forward", "norms", "output"),
    ("C0", "C1", "C2", "C3", "C4"),
    strict=True,
):
    shares = np.array([parts(c)[part] / sum(parts(c).values()) for c in shown.values()])
    ax.barh(range(len(shown)), shares, left=left, color=colour, label=part)
    left += shares
ax.set_yticks(
    range(len(shown)),
    [f"{name} ({sum(parts(c).values()) / 1e6:,.0f}M)" for name, c in shown.items()],
)
ax.invert_yaxis()
ax.set(xlabel="share of the parameters", xlim=(0, 1))
ax.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.35, 1), fontsize=9, frameon=False)
ax.grid(axis="y", visible=False)
plt.show()


def share_of(part, name):
    return parts(shown[name])[part] / sum(parts(shown[name]).values())


says(
    "The share of the embeddings is 0.44 in the translator, 0.32 in GPT-2 small, "
    "0.21 in Gemma 2B and 0.004 in GPT-3.",
    share_of("embeddings", "course's translator"),
    share_of("embeddings", "GPT-2 small"),
    2,
    share_of("embeddings", "Gemma 2B"),
    share_of("embeddings", "GPT-3 175B"),
    3,
    slack=0,
)
says("The feed-forward share is 0.66 in GPT-3.", share_of("feed-forward", "GPT-3 175B"), 3)

# %% [markdown]
# ### FLOPs
#
# Now the work of a forward pass over $T$ tokens, for a decoder alone. Every matrix of the layers is met by every token, and so is the output projection (even if it *is* the embedding: on the way
# in that is a look-up, which costs nothing; on the way out it is a product).
#
# PyTorch can count for us: `FlopCounterMode` listens to every matrix product of the forms that it knows (one that it does not know is a bug that we meet below). Biases, norms, the softmax and activation functions are no products of matrices, and neither we nor it count them. For
# each number of a vector they take a few operations, where a matrix takes $2D$; for each score the softmax takes a few, where the two products of attention take $4d_{head}$.


# %%
def forward_flops(c, length):
    unbiased = dataclasses.replace(c, bias="none")
    weights = (
        c.n_decoder_layers * (attention_weights(unbiased) + feed_forward_weights(unbiased))
        + c.vocab_size * c.d_model
    )
    # QKᵀ, and weights times V
    pairs = c.n_decoder_layers * 2 * (2 * length**2 * c.n_heads * c.head_width)
    return 2 * weights * length + pairs


def counted_flops(c, length):
    """Forward, and forward with backward, as PyTorch sees them."""
    model = built(c)
    tokens = torch.zeros(1, length, dtype=torch.long, device="meta")
    # Recorded, attention is the readable one, whose products the counter sees.
    with recorded_attention(model), FlopCounterMode(display=False) as counter:
        logits = model(tokens)
        forward = counter.get_total_flops()
        logits.sum().backward()
    return forward, counter.get_total_flops()


for name, length in (
    ("GPT-2 small", 1024),
    ("GPT-2 small", 64),
    ("Llama 3 8B", 8192),
    ("Gemma 2B", 512),
):
    config = known[name].config
    forward, both = counted_flops(config, length)
    assert (
        forward
        == forward_flops(config, length)
        == sum(sizes.forward_flops(config, 1, tgt_length=length).values())
    )
    assert both == 3 * forward == sizes.training_flops(config, 1, tgt_length=length)
    print(
        f"{name:12} {length:5} tokens: forward {forward:9.3e}, "
        f"with backward {both:9.3e}: {both / forward:.0f} times"
    )

# %% [markdown]
# Exactly three times, not about three times: each product of the way there has two on the way back. (A fused attention, lesson 11, keeps no weights and computes $QK^\top$ once more on the way back: seven products in place of six.)
#
# ### Bytes
#
# We take one real training step of a small translator and look at what is in memory after each part of it. `saved_tensors_hooks` shows us every tensor that PyTorch keeps for the way back.


# %%
def nbytes(tensors):
    return sum(x.numel() * x.element_size() for x in tensors)


corpus = load_grammar(seed=0, n_train=10_000, n_valid=200, n_test=0)
tokenizer = Tokenizer.train(
    (text for pair in corpus.train for text in (pair.source, pair.target)), vocab_size=1_000
)
examples = encode_pairs(tokenizer, corpus.train, max_length=64)
# On the CPU, also where there is a GPU: the kernels differ.
batches = Batches(examples, tokenizer, token_budget=1024)
batch = max(
    (batch for batch, _ in zip(batches.epoch(0), range(20), strict=False)),
    key=lambda b: b.tgt_in.numel(),
)

small = TransformerConfig(
    len(tokenizer),
    d_model=128,
    n_heads=4,
    n_encoder_layers=2,
    n_decoder_layers=2,
    d_ff=512,
    dropout=0.0,
    max_length=64,
)
model = Transformer(small)
optimizer = torch.optim.AdamW(model.parameters())
there = {"loaded": nbytes(model.parameters())}

kept, alive = {}, []
standing = {p.untyped_storage().data_ptr() for p in (*model.parameters(), *model.buffers())}


def keep(x):
    storage = x.untyped_storage()
    if storage.data_ptr() not in standing:
        kept[storage.data_ptr()] = storage.nbytes()
        alive.append(x)  # so that no other tensor gets its place
    return x


with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
    loss = batch_loss(model, batch, label_smoothing=0.0)
there["after the forward pass"] = there["loaded"] + sum(kept.values())
loss.backward()
alive.clear()
there["after the backward pass"] = there["loaded"] + nbytes(
    p.grad for p in model.parameters()
)
optimizer.step()
states = nbytes(x for state in optimizer.state.values() for x in state.values())
there["after the first update"] = there["after the backward pass"] + states

for moment, number in there.items():
    print(f"{moment:24}{number / there['loaded']:5.1f} times the weights")
N = sum(p.numel() for p in model.parameters())
print(
    "bytes a parameter after the first update:",
    round(there["after the first update"] / N, 2),
)
print("tokens in this batch:", batch.src.numel() + batch.tgt_in.numel())

# %% [markdown]
# Weights, gradients, two states: 16 bytes a parameter, whatever the batch. Only the second line depends on it: the activations. With these few tokens they are already several times the weights, because the model is small.
# They grow with every token: in large models, too, they can be the larger part.

# %%
llama = known["Llama 2 7B"].config
for batch_size, length in ((1, 128), (4, 4096)):
    needs = sizes.training_memory(llama, batch_size, tgt_length=length).parts
    print(
        f"Llama 2 7B, {batch_size} x {length:5,} tokens, float32: activations "
        f"{needs['activations'] / 1e9:5.1f} GB, all that AdamW needs "
        f"{(needs['weights'] + needs['gradients'] + needs['optimizer']) / 1e9:.1f} GB"
    )

# %% [markdown]
# So AdamW's own arithmetic must fit into two tensors for each weight. Three steps of it, against PyTorch's, with the settings that PyTorch has by default:

# %%
rate, decay, (beta1, beta2), eps = 1e-3, 1e-2, (0.9, 0.999), 1e-8
theirs = nn.Parameter(torch.linspace(-1, 1, 5))
w, m, v = theirs.detach().clone(), torch.zeros(5), torch.zeros(5)
adamw = torch.optim.AdamW([theirs])
for t in (1, 2, 3):
    g = theirs.grad = torch.randn(5)
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    step = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
    w = (1 - rate * decay) * w - rate * step
    adamw.step()
    torch.testing.assert_close(w, theirs.detach())
print("AdamW in three lines = PyTorch's, three steps long")

# %% [markdown]
# The library's `training_memory` walks through all stages of such a step and finds the fullest moment (that is the view *Training* of the calculator). Let it say the same numbers:

# %%
B, S, T = len(batch.src), batch.src.shape[1], batch.tgt_in.shape[1]
memory = sizes.training_memory(small, B, S, T)
library = {
    "loaded": memory.parts["weights"],
    "after the backward pass": memory.parts["weights"] + memory.parts["gradients"],
    "after the first update": memory.parts["weights"]
    + memory.parts["gradients"]
    + memory.parts["optimizer"],
}
# AdamW also counts its steps.
assert all(abs(there[moment] - number) < 1000 for moment, number in library.items())
# The loss computes its two gradients on the way there already, and keeps them.
in_the_loss = (batch.tokens + small.vocab_size) * small.d_model * 4
off_by = (
    abs(sum(kept.values()) - in_the_loss - memory.parts["activations"])
    / memory.parts["activations"]
)
print(
    "weights, gradients, states: as lessons_lib says; activations: within 1 %:",
    off_by < 0.01,
)


def cache_bytes(c, batch_size, length, bytes_a_number):
    groups = c.n_kv_heads or c.n_heads
    return (
        2
        * c.n_decoder_layers
        * batch_size
        * length
        * groups
        * c.head_width
        * bytes_a_number
    )


for name in ("GPT-2 small", "Gemma 2B"):  # 12 key heads for 12 query heads; 1 for 8
    config = dataclasses.replace(known[name].config, n_decoder_layers=2)
    with torch.device("meta"):
        layers = DecoderOnly(config).new_cache(batch=3, max_length=100).layers
    real = nbytes(x for layer in layers for x in (layer.past.key, layer.past.value))
    assert (
        real
        == cache_bytes(config, 3, 100, 4)
        == sizes.cache_memory(config, 3, tgt_length=100)["cache of the target"]
    )
print("KV cache: ours = lessons_lib = the tensors of a real one")

# %% [markdown]
# ## Claims, tested
#
# (claim-10-1)=
# ### Claim 1: "GPT-2 has 117M parameters, BERT-base 110M, GPT-3 175B"
#
# Three sentences that you will often read. Each model's shape is published, so each can be derived. GPT-2: {cite:t}`radford2019language`, table 2, which also prints the 117M; vocabulary and context in their section 2.3. BERT:
# {cite:t}`devlin2019bert`, section 3, which prints the 110M; the vocabulary of 30,522, 512 positions and two token types from the configuration that they released. GPT-3: {cite:t}`brown2020language`,
# table 2.1 and the text around it, the 175.0B too; the vocabulary is that of GPT-2. We call a number right if it is within half a percent.
# If one is not, we look for a way of counting that gives it: some of the model's parts without the others.

# %% tags=["claim-12"]
SAID = {"GPT-2 small": 117e6, "BERT base": 110e6, "GPT-3 175B": 175e9}
for name, said in SAID.items():
    count = sum(parts(known[name].config).values())
    verdict = "yes" if abs(count - said) < 0.005 * said else "NO"
    print(
        f"{name:12} {count:15,}   said: {said / 1e6:9,.0f}M   "
        f"within half a percent: {verdict}"
    )

gpt2 = known["GPT-2 small"].config
pieces = parts(gpt2) | {
    "positions": gpt2.max_length * gpt2.d_model,
    # a table of its own, as if it were not tied
    "output": gpt2.vocab_size * gpt2.d_model,
}
pieces["embeddings"] -= pieces["positions"]
some = [
    sum(pieces[name] for name in chosen)
    for number in range(len(pieces) + 1)
    for chosen in itertools.combinations(pieces, number)
]
print()
print(f"sums of some of its parts: {len(some)}; nearest to 117M:", end=" ")
print(f"{min(some, key=lambda count: abs(count - 117e6)):,}")
first = dataclasses.replace(gpt2, vocab_size=40_478, max_length=512, norm="post")
print(f"with the vocabulary and context of the first GPT: {sum(parts(first).values()):,}")

# %% [markdown]
# No selection of its parts (tokens, positions, attention, feed-forward networks, norms, an output table) is 117M. The last line is not GPT-2, but it rounds to 117M: the **first** GPT ({cite:t}`radford2018improving`, section 4.1) has the same twelve layers of the same width, a smaller vocabulary
# (40,478 in the released configuration), half the positions, and no last norm. Whether the number was carried over from there, its makers did not say.
# They did say that their counts "were wrong due to an error", in the [README of their repository](https://github.com/openai/gpt-2), whose programs call the model 124M.
#
# ```{admonition} Verdict: false for GPT-2, which has 124M; true for BERT-base and GPT-3
# :class: note verdict
# GPT-2 small has 124,439,808 parameters, BERT-base 109,482,240, GPT-3 174,604,259,328. The 117M stand in the paper: a citation of it is correct, and the number is not. (For BERT the count is that of the model
# without the head that guesses masked words, but with its last layer on the first token, the *pooler*.)
# ```
#
# (claim-10-2)=
# ### Claim 2: "GPT-4 has 96 heads, 120 layers and 1.7 trillion parameters"
#
# You will find these numbers, and others, on many pages, as if they were known. What its makers published is a report whose section 2 says that it "contains no further details about the architecture (including model size)"
# ({cite:t}`openai2023gpt4`). Can arithmetic decide? It could refute the sentence for models built like GPT-3: if none of them had all three numbers at once. It would support it a little, if few other shapes had
# that size. So we look for both. 1.7 trillion is what rounds to it, 1.65 to 1.75.


# %% tags=["claim-12"]
def gpt3_like(layers, width):
    """d_ff is four times the width; biases, vocabulary and context are GPT-3's."""
    return dataclasses.replace(
        known["GPT-3 175B"].config,
        n_decoder_layers=layers,
        d_model=width,
        n_heads=1,  # how many does not change the count
        d_ff=4 * width,
    )


def is_it(layers, width):
    return 1.65e12 <= sum(parts(gpt3_like(layers, width)).values()) < 1.75e12


heads = [d_head for d_head in range(64, 1025) if is_it(120, 96 * d_head)]
print(
    f"120 layers and 96 heads: 1.7 trillion with heads {heads[0]} to {heads[-1]} wide, "
    f"a width of {96 * heads[0]:,} to {96 * heads[-1]:,} (GPT-3: 128 and 12,288)"
)
others = [
    (layers, width)
    for layers in range(12, 201, 4)
    for width in range(1024, 65_537, 1024)
    if is_it(layers, width)
]
print(
    f"other shapes of that size (layers in fours, widths in 1,024s): {len(others)}, "
    f"from {others[0]} to {others[-1]} (layers, width)"
)
undisclosed = [name for name, preset in presets().items() if preset.config is None]
print("no shape was ever published of:", ", ".join(undisclosed))
assert "GPT-4" in undisclosed

# %% [markdown]
# Nothing is refuted: the three numbers agree with each other in a very wide model with very wide heads. Nothing is supported either, for many shapes have that size. And a *mixture of experts*, whose feed-forward networks exist many
# times, has another formula, and more unknowns.
#
# ```{admonition} Verdict: arithmetic cannot tell, and its makers have not
# :class: note verdict
# One family of shapes has all three numbers, and many others have the 1.7 trillion. The shape of GPT-4 was never disclosed by its makers; neither were those of GPT-4o, of Claude, or of the larger Gemini models. Whoever prints one guesses, repeats somebody, or has a source that you cannot check.
# The calculator leaves GPT-4 empty.
# ```
#
# (claim-10-3)=
# ### Claim 3: "Training costs 6 N D FLOPs"
#
# The rule is from {cite:t}`kaplan2020scaling`, section 2.1, and often quoted without its conditions. We call it right where it is within 5 % of what is
# computed. One example first. GPT-3 was trained on 300 billion tokens:

# %%
gpt3 = sum(parts(known["GPT-3 175B"].config).values())
print(f"6 · {gpt3:.4g} · 300e9 = {6 * gpt3 * 300e9:.3g} FLOPs")

# %% [markdown]
# {cite:t}`brown2020language` print 3.14E+23 in their table D.1. So this table was made *by* the rule, and that they agree proves nothing. We compare with what is really computed, the count that PyTorch confirmed above. Whose N? Kaplan's (`non_embedding_parameters`, for the library's `rule_of_thumb_flops`) leaves the embeddings out, and with
# them the output projection. Others take all parameters. We try both, for four models and texts of 32 to 131,072 tokens.

# %% tags=["claim-sizes-1"] mystnb={"figure": {"name": "six-n-d", "caption": "FLOPs of a training step, counted, divided by those of the rule, for texts of different length. 1 is where the rule is right. Left: N is all parameters; right: N without embeddings. Attention's two products grow with the square of the length; the rule leaves them out."}, "image": {"alt": "Two line plots against the length, 32 to 131,072 tokens, logarithmic. Left: at 32 tokens the ratios are 1.02 for the narrow model, 1.00 for GPT-2, 0.94 for Llama 3 8B and 1.00 for GPT-3; all rise with the length. Right: the narrow model starts at 1.68, Llama 3 8B at 1.08, GPT-2 between them, GPT-3 at 1.00. At 131,072 tokens all lines are far above 1, most of them beyond the top of the plot."}}
tiny = dataclasses.replace(
    gpt2,
    vocab_size=4_000,
    d_model=128,
    n_heads=4,
    n_decoder_layers=4,
    d_ff=512,
    positions="none",
)
rivals = {
    "4 layers, 128 wide": tiny,
    "GPT-2 small": gpt2,
    "Llama 3 8B": known["Llama 3 8B"].config,
    "GPT-3 175B": known["GPT-3 175B"].config,
}
lengths = [2**k for k in range(5, 18)]


def off(c, length, which):
    N = sum(
        count
        for part, count in parts(c).items()
        if which == "all" or part not in ("embeddings", "output")
    )
    return 3 * forward_flops(c, length) / (6 * N * length)


fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for ax, which, title in zip(
    axes, ("all", "without"), ("N: all parameters", "N: without embeddings"), strict=True
):
    for name, c in rivals.items():
        ax.plot(
            lengths, [off(c, length, which) for length in lengths], marker=".", label=name
        )
    ax.axhline(1, color="grey", linestyle="--")
    ax.set_xscale("log", base=2)
    ax.set_xticks(
        [2**k for k in (5, 8, 11, 14, 17)], ["32", "256", "2,048", "16,384", "131,072"]
    )
    ax.set(xlabel="tokens in a text", title=title, ylim=(0.5, 4))
axes[0].set_ylabel("counted / rule")
axes[0].legend(fontsize=9)
fig.tight_layout()
plt.show()
says(
    "at 32 tokens the ratios are 1.02 for the narrow model, 1.00 for GPT-2, "
    "0.94 for Llama 3 8B and 1.00 for GPT-3",
    *(32, off(tiny, 32, "all"), off(rivals["GPT-2 small"], 32, "all"), 2),
    *(off(rivals["Llama 3 8B"], 32, "all"), 3, off(rivals["GPT-3 175B"], 32, "all"), 3),
)

# %%
for name, length in (
    ("4 layers, 128 wide", 32),
    ("GPT-2 small", 1024),
    ("GPT-3 175B", 2048),
    ("Llama 3 8B", 32),
    ("Llama 3 8B", 8192),
    ("Llama 3 8B", 131_072),
):
    c = dataclasses.replace(rivals[name], max_length=max(length, rivals[name].max_length))
    # PyTorch's count again, at these lengths; that of GPT-3 takes seconds.
    if c.d_model < 10_000:
        assert counted_flops(c, length)[1] == 3 * forward_flops(c, length)
    print(
        f"{name:18} {length:7,} tokens: "
        f"counted / rule = {off(c, length, 'all'):.2f} (all), "
        f"{off(c, length, 'without'):.2f} (without embeddings)"
    )
says(
    "the work is 1.14 times that of the rule with all parameters, and 1.67 times without",
    *(off(gpt2, 1024, which) for which in ("all", "without")),
    slack=0,
)

# %% [markdown]
# Three things make the difference, and all can be read off the formula:
#
# - **The output projection.** Kaplan's N leaves it out, but it costs as much as any other matrix of its size. In the narrow model it is two fifths of
#   the work of short texts, which is 1.7 times what the rule says. In GPT-3 it is less than one percent.
# - **The input embedding.** Counted in, it adds weights that do no work. Where it *is* the output projection, it is counted once and works once, and the two errors cancel. Where there are two tables (Llama), "all" is too much: the ratio starts below 1.
# - **The length.** A layer of the usual shape has $12 D^2$ weights, so $24\,T D^2$ FLOPs, and $4\,T^2 D$ for the pairs: their ratio is $T / 6D$. At $D = 4096$ that is a third at 8,192 tokens and five times at 131,072. (A kernel can leave out the masked half of a causal attention. Then
#   it is half of that, and at 131,072 tokens still most of the work.)
#
# ```{admonition} Verdict: right to 3 % for GPT-3 at its length; with all parameters, for Llama 3 8B from 7 % too much to a fifth of what is computed
# :class: note verdict
# For GPT-3 at its 2,048 tokens the rule is 3 % too small, with either N (every second layer of GPT-3 uses a window; we count all pairs). For Llama 3 8B and short texts it is 7 % too large with all parameters. For
# GPT-2 at its full context the work is 1.14 times that of the rule with all parameters, and 1.67 times without the embeddings; at 131,072 tokens a
# model like Llama 3 8B computes 5 to 6 times as much as the rule says, and a narrower one more. Whoever quotes it should
# say which N, and how long the texts are.
# ```
#
# (claim-10-4)=
# ### Claim 4: "Bigger is better"
#
# Three translators on one corpus: one layer of encoder and one of decoder, 32, 64 and 128 wide, the feed-forward network in proportion. Each has a learning rate of its own, the best of three for seed 0. It rises over 50 steps and then stays: a rate that falls would have to know where
# the run ends, and we want to read every run in two ways.
#
# - *At equal steps*: each has seen the same batches, 200 of them. Many comparisons are made so.
# - *At equal compute*: each has spent the same FLOPs, those of the largest model's 200 steps. That is the bill. A small model gets many more steps for it.
#
# A training is a draw: another seed gives other first weights, another order of the batches and another loss. So this is a **study** of several seeds, whose numbers are stored in `lessons_lib/studies`, with the code. We call one model better than another if its validation loss is lower by more than
# 0.1 {term}`nats` a token, over the whole 95 % interval of the difference (lesson 13). Otherwise the word is *false*, or *open* if the interval holds 0.1. Here seed 1 is trained once more, before your eyes. Before you read on, bet twice.

# %% tags=["claim-17"]
study = studies.load("bigger")
live = bigger.train_all(1, *bigger.data())
budget = live[128][-1, 1]

# %% mystnb={"figure": {"name": "bigger", "caption": "Three trainings, read in two ways: validation loss in nats a token, against the steps (left) and against the FLOPs (right). Lines: seed 1, trained here. Points with bars: the stored seeds, mean and interval."}, "image": {"alt": "Two line plots of validation loss for three widths. Left, against the steps, all fall. At 200 steps the means are 3.40, 2.94 and 2.80. Right, against the FLOPs, the smallest falls first and flattens, the middle one ends below it, the largest stays far above both. With all the FLOPs they are 1.74, 1.55 and 2.80."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for width, marker, colour in ((32, "o", "C0"), (64, "s", "C1"), (128, "^", "C2")):
    run, count = live[width], sum(parts(bigger.shape(width, 1_000)).values())
    early = run[:, 0] <= bigger.STEPS
    left.plot(
        *(run[early, i] for i in (0, 2)),
        color=colour,
        label=f"{width} wide, {count:,} parameters",
    )
    right.plot(run[:, 1] / 1e11, run[:, 2], color=colour)
    places = {f"{bigger.STEPS} steps": (left, bigger.STEPS)} | {
        name: (right, share * budget / 1e11) for name, share in bigger.SHARES.items()
    }
    for place, (ax, x) in places.items():
        found = study.estimate(f"{width} wide, {place}")
        bars = [[found.mean - found.low], [found.high - found.mean]]
        ax.errorbar(
            x, found.mean, bars, color=colour, marker=marker, markersize=4, capsize=3
        )
left.set(xlabel="steps", ylabel="validation loss (nats a token)", ylim=(1, 6.5))
right.set(xlabel="training FLOPs (10¹¹)")
left.legend(fontsize=8)
fig.tight_layout()
plt.show()


def means(place):
    return [study.estimate(f"{width} wide, {place}").mean for width in bigger.WIDTHS]


says("At 200 steps the means are 3.40, 2.94 and 2.80.", 200, *means("200 steps"), slack=0)
says("With all the FLOPs they are 1.74, 1.55 and 2.80.", *means("all the FLOPs"), slack=0)

# %%
print(f"validation loss, nats a token: mean of {len(study.seeds)} seeds [interval]")
for place in (f"{bigger.STEPS} steps", *bigger.SHARES):
    row = (
        f"{width}: {study.estimate(f'{width} wide, {place}')}" for width in bigger.WIDTHS
    )
    print(f"{place:22}", "   ".join(row))
print()
for statement, word in study.verdicts.items():
    print(f"{statement:56}{word}")

# %% tags=["nbval-ignore-output"]
print("steps for all the FLOPs:", {width: int(run[-1, 0]) for width, run in live.items()})
again = bigger.measured(live)
stored = {name: values[study.seeds.index(1)] for name, values in study.results.items()}
print("seed 1, here and stored, differ by at most", end=" ")
print(f"{max(abs(again[name] - stored[name]) for name in stored):.2f} nats")

# %%
print(
    "within 0.2 nats of the stored numbers:",
    all(abs(again[name] - stored[name]) < 0.2 for name in stored),
)

# %% [markdown]
# Both bets have their own winner. At equal steps the middle model learned more *from each sentence* than the smallest, and on the average the largest more than the middle one. At equal compute the largest is last, because each of its steps costs as much as eight of the smallest; and the right-hand plot shows what comes next: the curve of the smallest flattens, the
# middle one has passed it, and the largest is still falling steeply when the money is gone. **The best size depends on the budget.** At far larger scale {cite:t}`kaplan2020scaling` found crossing curves, too; {cite:t}`hoffmann2022training`
# measured that many large models of their day were too large for what had been spent on them, and trained Chinchilla, a quarter of the size of Gopher, on more than four times as much text: it was better.
#
# ```{admonition} Verdict: at equal steps true of 64 against 32, open for 128 against 64; at equal compute true only of 64 against 32, with the whole budget
# :class: note verdict
# With 200 steps each, the first doubling of the width helped by more than the bound; for the second the interval holds the bound. With a quarter and
# with half of the FLOPs the smallest model was better than the middle one; with all of them the middle one was better. The largest was far behind at
# all three budgets. The limits: one corpus, one schedule, a learning rate that never falls and was chosen with one seed. And *running* has a bill of
# its own, where the smaller model is cheaper.
# ```
#
# ## Bugs worth meeting
#
# **The tied embedding counted twice.** In many programs the output projection is a module whose weight *is* that of the embedding. `parameters()` gives each tensor once. `state_dict()` gives it under both names, and so does a sum over modules.


# %%
class Tied(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.output = nn.Linear(width, vocabulary, bias=False)
        self.output.weight = self.embedding.weight


with torch.device("meta"):
    tied = Tied(50_257, 768)
print(f"parameters():       {sum(p.numel() for p in tied.parameters()):12,}")
print(f"state_dict():       {sum(x.numel() for x in tied.state_dict().values()):12,}")
print(f"so GPT-2 'has'      {124_439_808 + 50_257 * 768:12,}  (you will meet this 163M)")

# %% [markdown]
# The other way round, a copy can cut the tie: copy the two modules one after the other, and there really are two tables, which are trained apart, and
# the file of a small GPT-2 grows by nearly a third. Symptom:
# `parameters()` itself counts more than before. So count before and after.
#
# **The counter that does not know a kernel.** Above, we counted with `recorded_attention`, which takes the readable attention. The fused one (lesson 11) is what runs by default. We count one pass of a small GPT-2 on the processor, both ways:

# %%
config = dataclasses.replace(gpt2, n_decoder_layers=2, vocab_size=1_000)
on_cpu, tokens = DecoderOnly(config), torch.zeros(1, 256, dtype=torch.long)
counts = {}
for way, inside in (("readable", recorded_attention(on_cpu)), ("fused", nullcontext())):
    with inside, torch.no_grad(), FlopCounterMode(display=False) as counter:
        on_cpu(tokens)
    counts[way] = counter.get_total_flops()
    print(f"{way:9}{counts[way]:12,} FLOPs")
pairs = 2 * 4 * 256**2 * 768  # of two layers
print(
    "what is missing are all products of attention:",
    counts["readable"] - counts["fused"] == pairs,
)

# %% [markdown]
# Symptom: the count does not change when you leave out the two products of attention. Cause: PyTorch 2.13's counter has a formula for the fused kernels of graphics cards, and none for the one of the CPU, which it counts as 0 without a word. Mend: count on the device `meta` or with the readable attention, and compare with a formula.
#
# **GB and GiB.** A GB is $10^9$ bytes, a GiB is $2^{30}$, 7 % more. Makers of disks use the first, PyTorch's out-of-memory message the second; `ls -lh` and `du -h` print the second and write G. Symptom: "it should fit".

# %%
weights = 2 * sum(parts(known["Llama 2 7B"].config).values())
print(f"Llama 2 7B in bfloat16: {weights / 10**9:.2f} GB = {weights / 2**30:.2f} GiB")

# %% [markdown]
# **AdamW's states forgotten.** They do not exist until the first `optimizer.step()`. So a model that is too large to train may load, compute a loss, and compute its gradients. Put these moments into a memory of 13 bytes a parameter (and a batch of one short sentence, so that the activations
# are small):

# %%
few = sizes.training_memory(small, 1, 10, 10)
weights, gradients, states = (
    few.parts[part] for part in ("weights", "gradients", "optimizer")
)
memory_size = 13 * N
for moment, needed in (
    ("load the weights", weights),
    ("forward", weights + few.parts["activations"]),
    ("backward", weights + gradients),
    ("first update", weights + gradients + states),
):
    print(
        f"{moment:17} needs {needed / N:4.1f} bytes a parameter: "
        f"{'fits' if needed <= memory_size else 'OUT OF MEMORY'}"
    )

# %% [markdown]
# Symptom: everything works, until the first update. Cause: you planned for the weights, or for weights and gradients. Mend: plan 16 bytes a parameter, and the activations. (On a graphics card the
# update by PyTorch's AdamW takes 4 more for a moment, unless you ask for `fused=True`.)
#
# **Weights in bfloat16, so training takes half?** Two things go wrong. First, small steps get lost: a bfloat16 has 8 binary digits, and 1 + 0.001 is 1 again.

# %%
half, full = torch.tensor(1.0, dtype=torch.bfloat16), torch.tensor(1.0)
for _ in range(1000):
    half, full = half + 0.001, full + 0.001
print("1 + 1000 · 0.001:  float32", round(full.item(), 2), "  bfloat16", half.item())

# %% [markdown]
# So one keeps the weights once more in float32, and the states too, and lets the products run in 16 bits ({cite:t}`micikevicius2018mixed`). Second, then, the bytes: 2 for the weight, 2 for its gradient, 4 for the copy, 4 + 4 for the states. That is 16 again ({cite:t}`rajbhandari2020zero`, section 3.1, count the same). What does shrink are
# the activations.

# %%
for kind, bytes_each in (
    ("float32", [4, 4, 0, 4, 4]),
    ("bfloat16 + float32", [2, 2, 4, 4, 4]),
):
    print(
        f"{kind:19} weight, gradient, copy, two states: "
        f"{' + '.join(map(str, bytes_each))} = {sum(bytes_each)} bytes a parameter"
    )

# %% [markdown]
# **The KV cache forgotten.** "Seven billion parameters, two bytes each, so it needs 14 GB." It does, before anybody has said a word.

# %% mystnb={"figure": {"name": "kv-cache", "caption": "Weights and KV cache in bfloat16 of two models while texts of 4,096 tokens are written. Llama 3 8B has more parameters, but its 32 query heads share 8 heads of keys and values: its cache is a quarter of the other's. The dotted line is 80 GiB, which is 86 GB."}, "image": {"alt": "Line plot of memory in GB against the number of texts at once, 1 to 128. Llama 2 7B rises from 16 to 288 GB and is above the dotted line from 34 texts on. Llama 3 8B rises from 17 to 85 GB and stays just below it. Dashed lines at 13.5 and 16.1 GB show the weights alone."}}
fig, ax = plt.subplots()
texts = np.arange(1, 129)
for name, colour in (("Llama 2 7B", "C0"), ("Llama 3 8B", "C1")):
    c = known[name].config
    weights = 2 * sum(parts(c).values())
    ax.plot(
        texts, (weights + cache_bytes(c, texts, 4096, 2)) / 1e9, color=colour, label=name
    )
    ax.axhline(weights / 1e9, color=colour, linestyle="--", linewidth=1)
ax.axhline(80 * 2**30 / 1e9, color="grey", linestyle=":")
ax.set(xlabel="texts at once", ylabel="GB", ylim=(0, 300))
ax.legend()
plt.show()

# %%
needed = {}
for name in ("Llama 2 7B", "Llama 3 8B"):
    c = known[name].config
    weights, text = 2 * sum(parts(c).values()), cache_bytes(c, 1, 4096, 2)
    print(
        f"{name}: {cache_bytes(c, 1, 1, 2):7,} bytes a token; "
        f"64 texts take {64 * text / weights:.1f} times the weights; "
        f"{(80 * 2**30 - weights) // text} texts fit into 80 GiB"
    )
    needed[name] = [(weights + n * text) / 1e9 for n in range(129)]
two, three = needed.values()
assert three[128] < 80 * 2**30 / 1e9
first_above = next(n for n, gb in enumerate(two) if gb > 80 * 2**30 / 1e9)
says("is above the dotted line from 34 texts on", first_above, slack=0)
says("The dotted line is 80 GiB, which is 86 GB.", 80, 80 * 2**30 / 1e9, slack=0)
says("Llama 2 7B rises from 16 to 288 GB", 2, two[1], two[128])
says("Llama 3 8B rises from 17 to 85 GB", 3, three[1], three[128], slack=0)
says("Dashed lines at 13.5 and 16.1 GB show the weights alone.", two[0], three[0], slack=0)

# %% [markdown]
# Symptom: it runs in the demonstration, and dies with many users, or late in a long conversation. Cause: nothing in the number of parameters knows the batch and the length. Each new word fetches the whole cache, one reason why many newer models share keys and values
# ({cite:t}`shazeer2019fast`, {cite:t}`ainslie2023gqa`).
#
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. You double `d_model` and `d_ff`, and leave layers, heads and vocabulary alone. What happens to the parameters of a large model?**
#
# <details><summary>They double</summary>
#
# No. That is true of the embedding, $VD$. In a large model most parameters are in the layers.
#
# </details>
# <details class="right"><summary>They become about four times as many</summary>
#
# Right. $12\,LD^2$: both sides of every matrix in the layers double.
#
# </details>
# <details><summary>They become eight times as many</summary>
#
# No. A matrix has two sides, not three.
#
# </details>
#
# **2. You double the number of heads, with the same `d_model`, and all heads have keys of their own. What happens to the parameters?**
#
# <details class="right"><summary>Nothing</summary>
#
# Right. Each head is half as wide then: $Hd_{head} = D$ stays. (If the width of a head is fixed by itself, as in Gemma and T5, they do grow.)
#
# </details>
# <details><summary>Those of the attention double</summary>
#
# No. The heads share out the width $D$; they do not add to it.
#
# </details>
# <details><summary>They halve</summary>
#
# No. You may think of *key* heads that are shared: with fewer of those, $W_K$ and $W_V$ shrink.
#
# </details>
#
# **3. A model of 1 billion parameters is trained in float32 with AdamW. It fails at the first update on a card of 14 GB, with a batch of one short sentence. Which change helps?**
#
# <details><summary>A smaller batch</summary>
#
# No. The batch decides the activations. At the update these are gone. What stands there is 16 GB, with any batch.
#
# </details>
# <details><summary>Weights in bfloat16, with AdamW's states and a copy in float32</summary>
#
# No: 2 + 2 + 4 + 4 + 4 bytes are 16 again. What shrinks are the activations.
#
# </details>
# <details class="right"><summary>An optimizer that keeps one number a parameter in place of two</summary>
#
# Right: 4 + 4 + 4 bytes, 12 GB, and 2 GB are left for the activations of a short batch. Another way: spread the states over several cards.
#
# </details>
#
# **4. At which length do the pairs of attention, $QK^\top$ and $AV$, cost as much as all the matrices of a layer (of the usual shape)?**
#
# <details><summary>At T = D</summary>
#
# No. $4T^2D$ against $24\,TD^2$: at $T = D$ the pairs cost a sixth.
#
# </details>
# <details class="right"><summary>At T = 6 D</summary>
#
# Right. For $D = 768$ that is 4,608 tokens, for $D = 12{,}288$ it is 73,728. At a tenth of it, the pairs are a tenth of the matrices.
#
# </details>
# <details><summary>At T = 512, for all models</summary>
#
# No. The wider the model, the later: its matrices grow with $D^2$, the pairs with $D$.
#
# </details>
#
# ## The translator, step 10
#
# The bill of the translator that this course trained, from its configuration and the card that its training wrote:

# %%
card = json.loads((FOLDER / "run.json").read_text("utf8"))
total = sum(parts(ours).values())
rule = 6 * total * card["target_tokens"]
# A pair has about 9 English and 10 French tokens, </s> counted: target_tokens / 10 pairs.
exact = sizes.training_flops(ours, 1, 9, 10) / 10 * card["target_tokens"]
print(f"parameters: {total:,}   embeddings: {parts(ours)['embeddings'] / total:.0%}")
print(
    f"file: {(FOLDER / 'model.safetensors').stat().st_size / 1e6:.2f} MB, "
    f"at 2 bytes a parameter {2 * total / 1e6:.2f} MB"
)
print(
    f"training: {exact:.1e} FLOPs, 6 N D says {rule:.1e}; "
    f"in {card['minutes']:.0f} minutes, "
    f"{exact / (60 * card['minutes']) / 1e9:.0f} billion a second"
)
running = sizes.inference_memory(ours, 64, 30, 40)
print(
    "64 sentences of 30 and 40 tokens at once:",
    {
        part: f"{number / 1e6:.1f} MB"
        for part, number in running.parts.items()
        if number > 1e5
    },
)
caches = sum(number for part, number in running.parts.items() if "cache" in part)
assert caches > running.parts["weights"]

# %% [markdown]
# Nearly half of it is the table of tokens. So a smaller vocabulary makes it smaller at once, and more tokens a sentence are the price. At 64 sentences of 30 English and 40 French tokens the two caches together are already larger than the weights: small models feel it first.
#
# ### Exercise: count it
#
# [Open the exercise on Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/10_model_sizes.ipynb),
# or open `exercises/10_model_sizes.ipynb` at home. Three questions, 10 points; `check("q1")` tells you at once what is probably wrong,
# in one sentence.
#
# **Question 1:** `count_parameters`, of a translator, a language model or an encoder.
#
# ```{include} ../solutions/10_model_sizes.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ````{dropdown} Solution of question 1
# ```{literalinclude} ../solutions/10_model_sizes.py
# :language: python
# :start-after: "# %% solution count_parameters"
# :end-before: "# %%"
# ```
# ````
#
# **Question 2:** `cache_bytes`, with heads that share keys and values.
#
# ```{include} ../solutions/10_model_sizes.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of question 2
# ```{literalinclude} ../solutions/10_model_sizes.py
# :language: python
# :start-after: "# %% solution cache_bytes"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `largest_batch`, to run and to train.
#
# ```{include} ../solutions/10_model_sizes.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/10_model_sizes.py
# :language: python
# :start-after: "# %% solution largest_batch"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - $N \approx VD + 12\,LD^2$: in small models the embedding is a large part, in the largest nearly all is layers, and two thirds of a usual layer is its feed-forward network.
# - A weight costs 2 FLOPs a token forwards and 4 backwards. $6 N D_{tok}$ leaves out the output projection or, where this has a table of its own, counts the input, and leaves out $QK^\top$ and $AV$, which are $T/6D$ of a layer's matrices.
# - Training with AdamW keeps 16 bytes a parameter, in float32 and with a copy for 16 bits alike, and activations for every token. AdamW's share arrives with the first update.
# - Running keeps the weights and $2LBT\,G\,d_{head}\,b$ bytes of cache, the larger part for many or long texts. Shared key heads divide it.
# - What is printed about a model's parameters can be checked, if its shape was published.
# - In our study the first doubling of the width helped for the same steps; whether the second did stayed open. For the same bill, the best size depended on the bill.
#
# **Where it comes from.** The rule and the scaling of loss with compute: {cite:t}`kaplan2020scaling`; the scaling corrected: {cite:t}`hoffmann2022training`. The bytes of training: {cite:t}`rajbhandari2020zero`. Two precisions in one training:
# {cite:t}`micikevicius2018mixed`. Shared keys and values: {cite:t}`shazeer2019fast` and {cite:t}`ainslie2023gqa`. One matrix for both ends: {cite:t}`press2017using`.
