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
# # 6 · Layer normalisation
#
# **Why normalise?** *85 minutes, and 45 for the exercise. You need: lessons 1 and 5; mean, variance and the length of a vector; what it means to train a network by
# gradient descent.*
#
# After this lesson you can
#
# - write LayerNorm and RMSNorm from memory, and say what each of them lets through and what it throws away;
# - show why a sentence must not be normalised with its neighbours in the batch;
# - tell what a norm does for training, and what it does not: from experiments, some of which came out the other way.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import copy
import math
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import lessons_lib.norms
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.evidence import above
from lessons_lib.figures import use_course_style
from lessons_lib.prose import says
from lessons_lib.studies import load, norm_pairs, warm_up
from lessons_lib.studies._thin_translators import brief, final, loss_of, quiet, thin, train
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.batching import collate, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.widgets import NormWidget

use_course_style()
seed_everything(6)
device = pick_device()
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# In a Transformer every word is a vector, and every {term}`sub-layer` (attention, feed-forward network) *adds* something to it. The
# word goes in at the bottom, and what comes out at the top is the sum of all that was added on the way. Sums grow. In the translator of
# this course, which is trained already, the vector of a French word is about 20 long when it enters the decoder and about 200 long when it
# leaves.
#
# So without help the last sub-layer would get numbers that are several times as large as the first one does. Each weight matrix would have
# to fit whatever scale happens to arrive, while all the layers below it keep changing that scale.
#
# A **norm** ends this. It stands before a sub-layer and brings the numbers of each word to one scale: mean 0, spread (standard deviation) 1. After that two
# learned vectors, γ and β, may give each of the numbers its own loudness and its own offset.
#
# Below are three words inside the trained translator, as they leave the last layer of its encoder. Each bar is one number. Drag them.

# %% tags=["hide-input"]
translator = load_course_translator(device)
model, tokenizer = translator.model.eval(), translator.tokenizer

ENGLISH = "the small black cats do not sleep"
src = torch.tensor([[*tokenizer.encode(ENGLISH), tokenizer.eos_id]], device=device)
words = [piece.strip("▁") for piece in tokenizer.pieces(src[0].tolist())]

went_in = []
ear = model.encoder.norm.register_forward_hook(
    lambda norm, inputs, output: went_in.append(inputs[0][0])
)
with torch.no_grad():
    model.encode(src)
ear.remove()
(x,) = went_in  # (S, D): what the encoder's last norm was given, a row for each word

# The two largest of the 128 dimensions, and six others.
loud = x.abs().mean(dim=0).topk(2).indices.tolist()
shown = sorted({*loud, 5, 40, 60, 80, 100, 120})
widget = NormWidget(
    {word: x[words.index(word), shown] for word in ("cats", "small", "sleep")},
    model.encoder.norm.gamma[shown],
    model.encoder.norm.beta[shown],
    dimensions=shown,
)
widget

# %% [markdown]
# ```{admonition} Three things to try
# :class: tip
# 1. Press *add 1 to all*. The bars on the left rise; those on the right do not move. Start again, and press *all × 10*. Now switch to
#    *RMSNorm*, which leaves the mean in, and do both once more: which of the two does it notice?
# 2. Start again and drag one bar far up. On the right all the others are pressed together: whatever one number wins, the rest must lose.
# 3. Go back to LayerNorm, choose *γ = 1, β = 0* and read the table: mean 0, spread 1. With the learned γ and β they are not 0 and 1 any more.
#
# You see eight of the word's 128 numbers, and the widget treats those eight as the whole vector. The model takes the mean over all 128.
# ```
#
# ## The mathematics
#
# Let $x \in \mathbb{R}^{D}$ be the vector of one word, with $D = d_{model}$ numbers. Its mean and variance are taken over those
# $D$ numbers, and over nothing else:
#
# $$
# \mu = \frac{1}{D} \sum_{i=1}^{D} x_i, \qquad
# \sigma^2 = \frac{1}{D} \sum_{i=1}^{D} (x_i - \mu)^2 .
# $$
#
# {term}`Layer normalisation <layer normalisation>` ({cite:t}`ba2016layer`) takes the mean away, divides by the spread $\sigma$, and hands
# the result to the two learned vectors $\gamma$ and $\beta$, which the product and the sum meet number by number:
#
# $$
# \operatorname{LayerNorm}(x) = \gamma \odot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta,
# \qquad x, \gamma, \beta \in \mathbb{R}^{D} .
# $$
#
# $\varepsilon$ is a small number, $10^{-5}$. Where all numbers of a word are equal, $\sigma$ is 0, and without $\varepsilon$ we would divide 0
# by 0. Four numbers to check by hand: 1, 2, 3, 4 have the mean 2.5, their distances from it are −1.5, −0.5, 0.5 and 1.5, the mean of the squares of those is 1.25, its
# root 1.118; with γ = 1 and β = 0 they become −1.34, −0.45, 0.45, 1.34.
#
# {term}`RMSNorm` ({cite:t}`zhang2019root`) is what is left when you do not care about the mean. It divides by the *root mean square*, here with $\varepsilon = 10^{-6}$:
#
# $$
# \operatorname{RMSNorm}(x) = \gamma \odot \frac{x}{\sqrt{\frac{1}{D} \sum_i x_i^2 + \varepsilon}} .
# $$
#
# What do they throw away? Put $a x + c$ in place of $x$, with a number $a > 0$ and the same number $c$ added everywhere. The mean becomes
# $a \mu + c$ and the spread $a \sigma$, so
#
# $$
# \operatorname{LayerNorm}(a x + c) = \operatorname{LayerNorm}(x), \qquad
# \operatorname{RMSNorm}(a x) = \operatorname{RMSNorm}(x)
# $$
#
# (up to $\varepsilon$). Seen as geometry: after LayerNorm with $\gamma = 1$, $\beta = 0$ the mean of the squares is 1, so
# the vector has length $\sqrt{D}$: **every word ends on one sphere**, and only its direction is left.
#
# Backwards the same two things are missing. Let $\hat x = (x - \mu)/s$, with $s = \sqrt{\sigma^2 + \varepsilon}$, be the numbers before $\gamma$ and $\beta$. The derivative of $\mu$ by $x$ is
# $\frac{1}{D}\mathbf{1}^\top$, that of $s$ is $\frac{1}{D}\hat x^\top$, and so that of $\hat x$, its **Jacobian**, is
#
# $$
# \frac{\partial \hat x}{\partial x} = \frac{1}{s} \Bigl(I - \tfrac{1}{D}\mathbf{1}\mathbf{1}^\top - \tfrac{1}{D}\hat x \hat x^\top\Bigr)
# \in \mathbb{R}^{D \times D} .
# $$
#
# The bracket takes two directions out of a gradient: "add the same to all" (times $\mathbf{1}$ it is 0, for the numbers of $\hat x$ sum to 0) and "make all longer" (times $\hat x$ it is nearly 0, for their
# squares sum to nearly $D$). The rest it passes on, divided by $s$.
#
# A whole batch $X \in \mathbb{R}^{B \times T \times D}$ has $B \cdot T$ words, so there are $B \cdot T$ means and $B \cdot T$ variances, and one
# $\gamma$ and one $\beta$ for all.
#
# **Where does it stand?** Around each sub-layer $f$ there is a {term}`residual connection`, the path on which $x$ itself goes past. The
# first Transformer normalised after the addition, and so do BERT, RoBERTa ({cite:t}`liu2019roberta`) and the translators of OPUS-MT
# ({cite:t}`tiedemann2020opus`). GPT-2 and most large decoders after it normalise before the sub-layer:
#
# $$
# \text{post-norm: } \; \operatorname{LayerNorm}(x + f(x)), \qquad
# \text{pre-norm: } \; x + f(\operatorname{LayerNorm}(x)) .
# $$
#
# In pre-norm nothing ever normalises the path itself, so one more norm stands at its end. Claim 2 is about what it does.
#
# Three younger ideas. *Norms before and after*: Gemma 2 norms what goes into a sub-layer and what comes out of it, but not the path
# ({cite:t}`gemma2024improving`). *QK-norm*: queries and keys are normed as well, so that their lengths no longer enter a score ({cite:t}`henry2020query`;
# {cite:t}`dehghani2023scaling` needed it to train a very large model of images). *Dynamic Tanh*: no norm at all, but $\gamma \tanh(\alpha x) + \beta$ with a learned number
# $\alpha$, number by number ({cite:t}`zhu2025transformers`).

# %% [markdown]
# ## The code, from scratch
#
# Four lines, and two. `dim=-1` is the axis of the $D$ numbers, however many axes stand before it; `keepdim=True` leaves a 1 in its place, so
# that the subtraction fits.


# %%
def layer_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(dim=-1, keepdim=True)  # (..., D) -> (..., 1)
    variance = x.var(dim=-1, keepdim=True, correction=0)  # divided by D, not by D - 1
    normal = (x - mean) / torch.sqrt(variance + eps)  # (..., D)
    return gamma * normal + beta


def rms_norm(x, gamma, eps=1e-6):
    mean_square = x.square().mean(dim=-1, keepdim=True)  # (..., D) -> (..., 1)
    return gamma * x / torch.sqrt(mean_square + eps)


# %% [markdown]
# The four numbers from above:

# %%
four, ones, zeros = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.ones(4), torch.zeros(4)


def rounded(tensor, digits=2):
    return [round(number, digits) + 0.0 for number in tensor.tolist()]


print("LayerNorm:              ", rounded(layer_norm(four, ones, zeros)))
print("of ten times as much:   ", rounded(layer_norm(10 * four, ones, zeros)))
print("with 100 added:         ", rounded(layer_norm(four + 100, ones, zeros)))
print("RMSNorm:                ", rounded(rms_norm(four, ones)))
print("with 100 added:         ", rounded(rms_norm(four + 100, ones)))

# %% [markdown]
# Look at the last line. To RMSNorm 101 and 104 are nearly the same number, and so they come out nearly equal: a large common
# offset drowns what differs. LayerNorm takes the offset away first.
#
# As modules, with γ and β as parameters. They start as 1 and 0, so that a new norm adds nothing of its own. They
# must equal the library's, and PyTorch's, forwards and backwards.


# %%
class OurLayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        return layer_norm(x, self.gamma, self.beta, self.eps)


B, T, D = 3, 5, 128
batch = (3 * torch.randn(B, T, D) + 1).requires_grad_()
gamma, beta = torch.rand(D), torch.randn(D)
for ours, library, pytorch in (
    (
        layer_norm(batch, gamma, beta),
        lessons_lib.norms.layer_norm(batch, gamma, beta),
        F.layer_norm(batch, (D,), gamma, beta),
    ),
    (
        rms_norm(batch, gamma),
        lessons_lib.norms.rms_norm(batch, gamma),
        F.rms_norm(batch, (D,), gamma, 1e-6),
    ),
):
    torch.testing.assert_close(ours, library)
    torch.testing.assert_close(ours, pytorch)
    weights = torch.randn_like(ours)
    slope, *slopes = (
        torch.autograd.grad((y * weights).sum(), batch)[0] for y in (ours, library, pytorch)
    )
    torch.testing.assert_close(slopes, [slope, slope])
vector, ones_d = torch.randn(D), torch.ones(D)
normal = layer_norm(vector, ones_d, torch.zeros(D))
root = torch.sqrt(vector.var(correction=0) + 1e-5)
jacobian = torch.autograd.functional.jacobian(
    lambda x: layer_norm(x, ones_d, torch.zeros(D)), vector
)
formula = (torch.eye(D) - 1 / D - normal.outer(normal) / D) / root
torch.testing.assert_close(jacobian, formula, rtol=1e-4, atol=1e-5)
print(
    "ours = lessons_lib = PyTorch, and so are the gradients; the Jacobian is the formula's"
)

# %% [markdown]
# ## A look inside: what the trained translator does with its norms
#
# The translator of this course has twelve norms: one before each sub-layer, and one at the end of the encoder and of the decoder. We send
# 100 sentences that it has never seen through it and listen at each norm: what comes in is the word on its path through the model, and what
# goes out is what the sub-layer gets to hear.

# %%
corpus = load_grammar(seed=0, n_train=8_000, n_valid=10, n_test=300)
tests = encode_pairs(tokenizer, corpus.test[:100], 256)

NORMS = {
    name: module
    for name, module in model.named_modules()
    if isinstance(module, lessons_lib.norms.LayerNorm)
}
came_in, went_out = {name: [] for name in NORMS}, {name: [] for name in NORMS}


def listen(name):
    def hear(norm, inputs, output):
        came_in[name].append(inputs[0][0])
        went_out[name].append(output[0])

    return hear


ears = [norm.register_forward_hook(listen(name)) for name, norm in NORMS.items()]
with torch.no_grad():
    for example in tests:  # one sentence at a time: no padding
        sentence = collate([example], tokenizer).to(device)
        model(sentence.src, sentence.tgt_in)
for ear in ears:
    ear.remove()
came_in, went_out = (
    {name: torch.cat(rows).cpu() for name, rows in found.items()}
    for found in (came_in, went_out)
)

SHORT = {"attention": "attention", "cross_attention": "cross", "feed_forward": "FFN"}


def short(name):
    """encoder.layers.0.attention_residual.norm -> attention 1"""
    parts = name.split(".")
    return (
        "end"
        if len(parts) == 2
        else f"{SHORT[parts[3].removesuffix('_residual')]} {int(parts[2]) + 1}"
    )


# %% mystnb={"figure": {"name": "length-by-depth", "caption": "Mean length of a word's vector in the trained translator, before each norm (the path that everything is added to) and behind it (what the sub-layer gets). The dashed line is √128, the length that a norm gives when γ = 1 and β = 0."}, "image": {"alt": "Two line plots, encoder and decoder. Before the norms the length grows in the encoder from 17 to 31, in the decoder from 21 to 206. Behind the norms it is between 3 and 15 everywhere."}}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
for ax, part in zip(axes, ("encoder", "decoder"), strict=True):
    names = [name for name in NORMS if name.startswith(part)]
    for label, found, style in (
        ("on the path", came_in, "o-"),
        ("behind the norm", went_out, "s-"),
    ):
        ax.plot([found[name].norm(dim=-1).mean() for name in names], style, label=label)
    ax.axhline(math.sqrt(D), linestyle="--", color="grey")
    ax.set_xticks(
        range(len(names)), [short(name) for name in names], rotation=40, ha="right"
    )
    ax.set(title=part, yscale="log", yticks=[3, 10, 30, 100], yticklabels=[3, 10, 30, 100])
    ax.minorticks_off()
axes[0].set_ylabel("length of the vector")
axes[1].legend()
fig.tight_layout()
plt.show()

# %%
order = list(NORMS)
lengths = {name: found.norm(dim=-1).mean().item() for name, found in came_in.items()}
first, last = lengths[order[5]], lengths[order[-2]]
print(
    f"decoder: the first sub-layer meets a word of length {first:.0f}, "
    f"the last one of {last:.0f}; it leaves with {lengths['decoder.norm']:.0f}"
)
says(
    "grows in the encoder from 17 to 31, in the decoder from 21 to 206",
    *(lengths[name] for name in (order[0], "encoder.norm", order[5], "decoder.norm")),
)
heard = [found.norm(dim=-1).mean().item() for found in went_out.values()]
says("it is between 3 and 15 everywhere", min(heard), max(heard))
rows = came_in["decoder.norm"]
squares = rows.square().mean(dim=0)
top = squares.topk(8).values.sum() / squares.sum()
print(f"at its end the 8 largest of the 128 dimensions hold {top:.0%} of the squares")
means = [
    (found.mean(dim=-1).abs() / found.std(dim=-1, correction=0)).mean().item()
    for found in came_in.values()
]
print(
    "the mean of a word's 128 numbers, in % of their spread, at the twelve norms:",
    *(f"{100 * mean:.0f}" for mean in means),
)

# %% [markdown]
# Three things:
#
# - **The path grows, and the sub-layers do not notice.** On average it is about ten times as long at the end of the decoder as at the beginning, and what
#   the sub-layers hear is between 3 and 15 long all the way. This is what the norm is for.
# - **Some dimensions are larger than others**, and a norm divides by the spread of all 128 numbers together. (In large language models a few
#   grow very large: {cite:t}`dettmers2022llm`.)
# - **The mean is small**, beside the spread. So LayerNorm's first step, taking it away, does little here. Remember this at claim 3.
#
# And γ and β? They started as 1 and 0. What have they become?

# %% mystnb={"figure": {"name": "gamma-and-beta", "caption": "The learned γ (left) and β (right) of the twelve norms, a dot for each of the 128 dimensions. Dashed: where they started."}, "image": {"alt": "Two strip plots, twelve columns each. Gamma lies below its start in nearly all dimensions in front of the attentions and of the encoder's feed-forward networks, and at the encoder's end; around it in front of the decoder's first feed-forward network, above it in front of its second, and on both sides of it at the decoder's end. Beta stays near 0 in front of attention and spreads much further in front of the feed-forward networks."}}
rng = np.random.default_rng(0)
fig, axes = plt.subplots(1, 2, figsize=(10, 4.2))
labels = [f"{name[0]}. {short(name)}" for name in NORMS]  # e. for encoder, d. for decoder
for ax, kind, begin in zip(axes, ("gamma", "beta"), (1, 0), strict=True):
    for column, norm in enumerate(NORMS.values()):
        values = getattr(norm, kind).detach().cpu()
        ax.plot(
            column + rng.uniform(-0.25, 0.25, D),
            values,
            ".",
            markersize=3,
            color="C0" if column < 5 else "C1",
        )
    ax.axhline(begin, linestyle="--", color="grey")
    ax.set_xticks(range(len(labels)), labels, rotation=55, ha="right")
    ax.set(ylabel="γ" if kind == "gamma" else "β")
fig.tight_layout()
plt.show()

# %%
for kind, name in (
    ("attention", "in front of attention"),
    ("feed_forward", "in front of FFNs"),
):
    chosen = [norm for path, norm in NORMS.items() if f".{kind}_residual" in path]
    gammas, betas = (
        torch.cat([getattr(norm, k) for norm in chosen]).detach() for k in ("gamma", "beta")
    )
    print(f"{name:22} mean γ {gammas.mean():.1f}   spread of β {betas.std():.1f}")

# %% [markdown]
# γ is a volume knob for each dimension, and in front of attention most are turned down. β moves, in front of the feed-forward networks, the point at
# which a ReLU begins to let something through. But what reads the norm is a matrix with a bias of its own, and $(\gamma \odot \hat x + \beta) W + b = (\gamma \odot \hat x) W + (\beta W + b)$:
# β can move into that bias, with nothing lost. (Only the decoder's last norm is read by a matrix without one, the output.) Many models leave it out; T5 and Llama leave out that bias, too.

# %%
layer = model.decoder.layers[0]
norm, network = layer.feed_forward_residual.norm, layer.feed_forward
with torch.no_grad():
    x, beta = batch.detach().to(device), norm.beta
    moved = network.expand.bias + network.expand.weight @ beta
    torch.testing.assert_close(
        network.expand(norm(x)), F.linear(norm(x) - beta, network.expand.weight, moved)
    )
print("β in the norm = β in the bias of the next matrix")

# %% [markdown]
# ## Claims, tested
#
# For the experiments we need translators that train in seconds: thin ones, 32 wide, on the sentences of the corpus that have at most five words, all
# of them among the 200 most frequent. Three fifths of these sentences are for training; a fifth is for choosing a learning rate, and the last fifth for judging, so that
# a low loss cannot come from learning by heart. The training loop usually cuts off gradients that are too long, which
# could save a training that a norm should have saved, so that is switched off. All losses are in {term}`nats` a token.
#
# One training is one draw. So each claim about training rests on a stored study: several seeds of each network, those to be compared with the same start and the same batches, and the
# difference taken seed by seed. Here we train seed 0 of it, and compare. (`lessons_lib/studies` has the code and all numbers.)

# %%
pieces, examples, unseen = brief().pieces, list(brief().train), list(brief().test)
print(
    len(examples),
    "pairs, for example:",
    brief().pairs[0].source,
    "|",
    brief().pairs[0].target,
)
print(len(unseen), "to judge by")

# %% [markdown]
# (claim-06-1)=
# ### Claim 1: "Any normalisation will do; images use the batch"
#
# In networks for images the norm came first, and it is another one: **batch normalisation** ({cite:t}`ioffe2015batch`). It takes mean and
# variance of *one dimension over all words of the batch*, where LayerNorm takes those of *one word over all its dimensions*: columns
# in place of rows. It works very well for images. What does it mean for a sentence?
#
# We take real word vectors, the translator's embeddings of one sentence, and normalise them three times: with the sentence alone in its batch,
# beside another sentence, and padded to the length of a longer one.


# %%
def batch_norm(x, eps=1e-5):  # (B, T, D)
    mean = x.mean(dim=(0, 1), keepdim=True)  # (1, 1, D): over all words of the batch
    variance = x.var(dim=(0, 1), keepdim=True, correction=0)
    return (x - mean) / torch.sqrt(variance + eps)


def plain_layer_norm(x):
    return layer_norm(
        x,
        torch.ones(x.shape[-1], device=x.device),
        torch.zeros(x.shape[-1], device=x.device),
    )


# Ours is PyTorch's.
reference = nn.BatchNorm1d(D, affine=False).train()
torch.testing.assert_close(batch_norm(batch), reference(batch.flatten(0, 1)).view_as(batch))


def rectangle(*texts):
    rows = [[*tokenizer.encode(text), tokenizer.eos_id] for text in texts]
    length = max(len(row) for row in rows)
    return torch.tensor(
        [row + [tokenizer.pad_id] * (length - len(row)) for row in rows], device=device
    )


NEIGHBOUR = "My sister has not eaten the red apples because she was tired."
with torch.no_grad():
    own = model.embed(rectangle(ENGLISH))
    beside = model.embed(rectangle(ENGLISH, "my sister is reading a book"))
    # The neighbour is gone again, the padding stays.
    padded = model.embed(rectangle(ENGLISH, NEIGHBOUR))[:1]
for name, norm in (("LayerNorm", plain_layer_norm), ("batch norm", batch_norm)):
    alone = norm(own)[0]
    for what, other in (("with a neighbour", beside), ("with padding", padded)):
        change = (norm(other)[0, : len(alone)] - alone).norm() / alone.norm()
        print(
            f"{name:10} {what:17} the same sentence changes by "
            f"{round(change.item() * 20) * 5:3} %"
        )

# %% [markdown]
# The sentence has not changed. What stands beside it has, and batch norm lets that in. So a translation would depend on who else sends
# a sentence at the same moment. The usual answer is: only in training. Meanwhile batch norm keeps running averages of the means and variances,
# and later those are used, fixed. We train one network with each norm, and ask for the loss on the same 40 sentences three
# times: all in one batch; one by one; and as the network would be used after training. And we ask how it does on unseen sentences. Batch norm is of *no use* if, in use, it
# is worse than LayerNorm there by more than 0.5 nats; the company *matters* if it moves the loss by more than 0.1.


# %%
some, compared = examples[:40], {}
with_layer_norm = thin(2).to(device)
with_batch_norm = thin(2, make=norm_pairs.BatchNorm).to(device)
losses_with_layer_norm = train(with_layer_norm, warmup=20)
train(with_batch_norm, warmup=20)
for name, network in (("LayerNorm", with_layer_norm), ("batch norm", with_batch_norm)):
    as_used = copy.deepcopy(network)  # training mode moves batch norm's averages
    compared[name] = {
        "in one batch": loss_of(network, [some], training=True),
        "one by one": loss_of(network, [[example] for example in some], training=True),
        "in use": loss_of(as_used, [some]),
        "unseen, in use": loss_of(as_used, [unseen]),
    }

# %% tags=["nbval-ignore-output"]
for name, losses in compared.items():
    print(f"{name:10}", "   ".join(f"{how} {loss:.2f}" for how, loss in losses.items()))
study = load("norm_pairs")
worse = study.difference("batch norm, test", "LayerNorm 0.005, test")
company = study.difference("batch norm, one by one", "batch norm, together")
print(f"{len(study.seeds)} seeds: batch norm, unseen, in use, is worse by {worse}")
print(f"         the company moves its loss by {company}")

# %%
print(
    "LayerNorm: the three agree to 0.001:",
    np.ptp(list(compared["LayerNorm"].values())[:3]) < 1e-3,
)
stored = study.results["batch norm, test"][0]
assert abs(compared["batch norm"]["unseen, in use"] - stored) < 0.1
for statement in (
    "batch norm is worse by more than 0.5 nats",
    "batch norm: the company changes the loss by more than 0.1",
):
    print(f"{statement}: {study.verdicts[statement]}")

# %% [markdown]
# ```{admonition} Verdict: false; though batch norm, with its averages fixed, is of some use
# :class: note verdict
# In training mode batch norm makes a sentence depend on its neighbours and even on the padding, and the same sentences get another loss in
# other company. In use, with fixed averages, none of this happens. Then it is worse than LayerNorm on unseen sentences, but by less than the half nat
# that we asked for (both at one learning rate). The price is that you train one function and use another. {cite:t}`shen2020powernorm` found that in
# translators the batches' means and variances jump about too much for that; and in a decoder there is a leak, see the second bug below.
# LayerNorm asks nobody: one word, one result, in training and in use, in any batch.
# ```
#
# (claim-06-2)=
# ### Claim 2: "LayerNorm stabilises training; post-norm needs warm-up"
#
# {cite:t}`xiong2020layer` found that post-norm trains badly without a warm-up, and that
# pre-norm does not need one. A {term}`warm-up` begins with a tiny learning rate and raises it over the first steps.
#
# Eight layers, four and four, are enough to see something. A row of the study's table says where the norm stands (`post`, `pre`, or `none`), and whether the training is `with` a warm-up of 40 steps or
# `without`. It has 140 steps; `slower`, at a lower rate, has 240, and `none, with` was stopped after its 40. A warm-up is *needed* where
# it makes the last losses lower by more than 0.2 nats, and *helps* where it makes them lower at all, each with the whole 95 % interval.
#
# And a suspicion: without a norm, every sub-layer adds its share to the path *before anything is learnt*. Is it the
# norm that is needed, or only a quieter start? In a **quiet start** (`quiet`) the last matrix of each sub-layer is zero, so that at first it adds
# nothing ({cite:t}`zhang2019fixup` and {cite:t}`bachlechner2021rezero` train deep networks without norms in ways like this).
#
# Before you read on, bet: which of them learns nothing? Which learns most?

# %%
LIVE = {
    "none, with": "no norm, warm-up",
    "post, without": "post-norm, no warm-up",
    "post, with": "post-norm, warm-up",
    "pre, without": "pre-norm, no warm-up",
    "quiet post, without": "quiet start, post-norm",
    "quiet none, without": "quiet start, no norm",
}
curves, study = {cell: warm_up.trained(cell, seed=0)[0] for cell in LIVE}, load("warm_up")

# %% tags=["nbval-ignore-output"]
print(
    f"{len(study.seeds)} seeds:",
    f"{'training':>27} {'unseen':>21} {'seed 0, here':>22}  stored",
)
for cell in warm_up.CELLS:
    here = f"{final(curves[cell]):.2f}" if cell in curves else ""
    training, test = (study.estimate(f"{cell}: {part}") for part in ("training", "test"))
    print(
        f"{cell:27} {training!s:22} {test!s:22} {here:>12} "
        f"{study.results[f'{cell}: training'][0]:10.2f}"
    )
print("with a warm-up the last losses are lower by")
for place in ("post", "post slower", "pre"):
    print(f"  {place:12} {warm_up.gain(study, place)}")

# %% mystnb={"figure": {"name": "with-and-without-norm", "caption": "Training loss of translators with 4 + 4 layers (nats a token, seed 0, mean over 10 steps). Left: the usual start. Right: the quiet start, in which each sub-layer adds nothing at first, without warm-up. Without a norm the usual start is far above this picture."}, "image": {"alt": "Two line plots of training loss against step. Left: pre-norm falls furthest; post-norm ends far above it, a little lower with a warm-up than without. Right: from the quiet start both fall; the network without a norm falls fastest and ends lowest."}}
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
styles = {
    "pre, without": (0, "C2-"),
    "post, without": (0, "C1-"),
    "post, with": (0, "C1--"),
    "quiet post, without": (1, "C1-"),
    "quiet none, without": (1, "C0-"),
}
for cell, (side, style) in styles.items():
    smooth = np.array(curves[cell]).reshape(-1, 10).mean(axis=1)
    axes[side].plot(
        np.arange(5, 140, 10), smooth, style, label=LIVE[cell].removeprefix("quiet start, ")
    )
for ax, title in zip(axes, ("usual start", "quiet start"), strict=True):
    ax.set(title=title, xlabel="step")
    ax.legend()
axes[0].set(ylabel="training loss (nats a token)", ylim=(0, 7.5))
fig.tight_layout()
plt.show()

# %% tags=["claim-9"]
print("no norm, usual start: the loss begins above 50:", curves["none, with"][0] > 50)
for statement, word in study.verdicts.items():
    print(f"{statement}: {word}")
for part in ("training", "test"):
    behind = study.difference(f"quiet pre, without: {part}", f"quiet none, without: {part}")
    print(f"quiet pre-norm has the higher loss, {part}: {above(behind)}")

# %% [markdown]
# What do such losses mean? Somebody who knows how frequent each French piece is, and nothing about the sentence, loses the entropy of
# those frequencies:

# %%
counts = Counter(piece for example in examples for piece in [*example.tgt, pieces.eos_id])
shares = np.array(list(counts.values())) / counts.total()
entropy = -(shares * np.log(shares)).sum()
print(f"entropy of the French pieces: {entropy:.1f} nats")
print(
    "no norm, usual start, the last 30 of its 40 steps: more than ten times that:",
    above(study.estimate("none, with: training"), 10 * entropy),
)

# %% [markdown]
# In 140 steps at the high rate `post, without` stayed at about that: it learnt the frequencies, and little more. `post, with` got a little below.
#
# Why? A usual answer: "each norm on the path divides the gradient, so that it shrinks on its way down". Look at untrained networks, twice as deep, and at the gradient
# that each layer gets, in *both* stacks, from three starts. The decoder's enters at its top, from the loss; the encoder's at *its* top, out of the cross-attentions, by way of the memory.


# %%
def gradients(depth, seeds=3, **options):
    """The gradient's length at each layer's last matrix: (encoder or decoder, layers).

    The geometric mean of some starts.
    """
    found = []
    for seed in range(seeds):
        network = thin(depth, options.get("place", "pre"), options.get("make"), seed).to(
            device
        )
        network = quiet(network) if options.get("quiet") else network
        batch = collate(examples[:40], pieces).to(device)
        logits = network(batch.src, batch.tgt_in).flatten(0, 1)
        F.cross_entropy(
            logits, batch.tgt_out.flatten(), ignore_index=pieces.pad_id
        ).backward()
        found.append(
            [
                [
                    layer.feed_forward.contract.weight.grad.norm().item()
                    for layer in side.layers
                ]
                for side in (network.encoder, network.decoder)
            ]
        )
    with np.errstate(divide="ignore"):  # in a quiet start some are 0
        return np.exp(np.mean(np.log(found), axis=0))


depth = 8
arriving = {
    "no norm": gradients(depth, make=lambda d_model: nn.Identity()),
    "post-norm": gradients(depth, place="post"),
    "pre-norm": gradients(depth),
    "quiet start, no norm": gradients(
        depth, make=lambda d_model: nn.Identity(), quiet=True
    ),
}

# %% mystnb={"figure": {"name": "gradient-by-layer", "caption": "Length of the gradient of each layer's last matrix before the first step, in untrained translators of 8 + 8 layers (geometric mean of three starts). The loss is to the right of the decoder; the encoder's gradient enters at its right end, through the memory."}, "image": {"alt": "Two line plots on logarithmic axes against the layer, encoder and decoder. Without a norm the gradient is above a million at the bottom of the encoder and falls towards the top; in the decoder it is some ten thousand. Post-norm is level in the encoder and rises more than five times from bottom to top of the decoder. Pre-norm is level in both. The quiet start is level in the decoder and missing in the encoder, where it is zero."}}
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
for name, style in zip(arriving, ("C0-", "C1-", "C2-", "C0--"), strict=True):
    for ax, values in zip(axes, arriving[name], strict=True):
        ax.semilogy(range(1, depth + 1), values, style, marker="o", label=name)
for ax, side in zip(axes, ("encoder", "decoder"), strict=True):
    ax.set(title=side, xlabel="layer, from the bottom")
axes[0].set_ylabel("length of the gradient")
axes[0].legend(fontsize="small")
fig.tight_layout()
plt.show()

# %% tags=["nbval-ignore-output"]
print(f"{'':22}encoder: bottom     top      decoder: bottom     top")
for name, (encoder, decoder) in arriving.items():
    print(
        f"{name:22}{encoder[0]:15.2g} {encoder[-1]:7.2g} "
        f"{decoder[0]:20.2g} {decoder[-1]:7.2g}"
    )

# %%
for name, sides in arriving.items():
    for side, lengths in zip(("encoder", "decoder"), sides, strict=True):
        if (name, side) == ("no norm", "decoder"):
            continue  # its bottom hangs on the last digits of the machine
        if lengths[-1] == 0:
            fate = "does not even arrive"
        else:
            ratio = lengths[0] / lengths[-1]
            fate = (
                "shrinks"
                if ratio < 0.2
                else "grows"
                if ratio > 5
                else "stays, within 5 times"
            )
        print(f"{name:21} {side}: from its top to its bottom the gradient {fate}")

# %% [markdown]
# In the decoder the usual answer describes what post-norm does: its gradient is many times smaller at the bottom. But in the *encoder of the same network*, with just such a norm on each path, it keeps its size. So "each
# norm divides it" does not explain it; what does, in the decoder, we have not measured. Without a norm the encoder's layers multiply the gradient to millions. In pre-norm both stacks
# pass it on. And in a quiet start nothing reaches the encoder in the first step at all, because the last matrix of cross-attention is zero; it trains well nevertheless. So the first gradient does not decide
# everything; nor is its size that of a step, for Adam divides each gradient by its
# usual size. {cite:t}`liu2020understanding` argue that what hurts is how strongly a small change of the weights moves the output of a post-norm network.
#
# ```{admonition} Verdict: true of the usual start at the high rate; pre-norm needs no warm-up, and from a quiet start a network learns without it and without the norm
# :class: note verdict
# From the usual start the network without a norm was far off when we stopped it, after the 40 steps of its warm-up: over the last 30 of them its mean training loss is more than ten times the entropy of the frequencies, though it was falling. (In claim 2 of lesson 5 one with no norm but the last learns, from smaller weights.) Pre-norm learns with and without warm-up, and by our bound does not need one. Post-norm at the high rate does: without a warm-up it stays at the frequencies. At the lower
# rate, with more steps, it gets going in both ways; a warm-up still makes the training loss a little lower, and whether it is *needed* there is open. Started quietly, without any warm-up, post-norm comes
# lower than a warm-up brings it. And the quiet network *without any norm* has by far the lowest training loss, and on unseen sentences the lowest too, by much less.
# This was a thin network, two learning rates and a few hundred steps; what holds for long trainings of large models is not decided on this page. But a Transformer can train without a norm: you have seen one.
# ```
#
# (claim-06-3)=
# ### Claim 3: "RMSNorm is cheaper than LayerNorm, and as good"
#
# **Count.** For one word of $D$ numbers LayerNorm adds them up, subtracts, squares, adds up, scales, multiplies by γ and adds β: $7D$
# operations. RMSNorm squares, adds up, scales and multiplies: $4D$. Cheaper, no doubt. But how much of the model is that? A matrix product
# costs $2D^2$. (Attention's own sums, left out, make the norms' share smaller.)

# %%
for d_model, d_ff, what in (
    (128, 256, "our translator"),
    (512, 2048, "the first Transformer"),
    (4096, 16_384, "a large model"),
):
    # Q, K, V, output; two matrices of the FFN
    products = 2 * (4 * d_model**2 + 2 * d_model * d_ff)
    layer, rms = 2 * 7 * d_model, 2 * 4 * d_model  # two norms
    print(
        f"{what:22} D = {d_model:4}: the norms of an encoder layer are "
        f"{layer / (products + layer):.2%} of its operations; "
        f"RMSNorm saves {(layer - rms) / (products + layer):.2%}"
    )

# %% [markdown]
# Operations are not time. A norm does little with each number and must fetch all of them from
# memory, so per operation it is slow. **Measure**: both of ours from above, and both of PyTorch's, forwards and backwards, in turns.

# %%
import time


def shortest(works, rounds=5, calls=10):
    """Seconds of each work, the shortest of some rounds in which they take turns.

    On a CPU this is the time that the process computes: other programs do not count.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    best = dict.fromkeys(works, math.inf)
    for _ in range(rounds):
        for name, work in works.items():
            begin = clock()
            for _ in range(calls):
                work()
            if device.type != "cpu":
                getattr(torch, device.type).synchronize()  # wait until all is done
            best[name] = min(best[name], (clock() - begin) / calls)
    return best


def forth_and_back(norm):
    return lambda: norm().sum().backward()


big, big_gamma, big_beta = (
    torch.randn(*shape, device=device).requires_grad_()
    for shape in ((1024, 512), (512,), (512,))
)
fastest = shortest(
    {
        ("LayerNorm", "from scratch"): forth_and_back(
            lambda: layer_norm(big, big_gamma, big_beta)
        ),
        ("RMSNorm", "from scratch"): forth_and_back(lambda: rms_norm(big, big_gamma)),
        ("LayerNorm", "of PyTorch"): forth_and_back(
            lambda: F.layer_norm(big, (512,), big_gamma, big_beta)
        ),
        ("RMSNorm", "of PyTorch"): forth_and_back(
            lambda: F.rms_norm(big, (512,), big_gamma, 1e-6)
        ),
    }
)

# %% tags=["nbval-ignore-output"]
for kind in ("from scratch", "of PyTorch"):
    ratio = fastest["RMSNorm", kind] / fastest["LayerNorm", kind]
    print(f"{kind:12} RMSNorm takes {ratio:.2f} times as long as LayerNorm")
for name in ("LayerNorm", "RMSNorm"):
    print(
        f"{name}: that of PyTorch takes "
        f"{fastest[name, 'of PyTorch'] / fastest[name, 'from scratch']:.2f} "
        "times as long as ours"
    )

# %% tags=["nbval-ignore-output"]
print(
    "from scratch, RMSNorm takes less than 0.9 of LayerNorm's time:",
    fastest["RMSNorm", "from scratch"] < 0.9 * fastest["LayerNorm", "from scratch"],
)

# %% [markdown]
# From scratch the saving is real: fewer operations, and fewer trips to memory. PyTorch's LayerNorm is **fused**: one kernel does
# all of it, and that is worth far more than leaving out a mean. Where a machine has a fused LayerNorm and no fused RMSNorm (the CPU
# that made this page, with this version of PyTorch) the cheaper formula is the slower one. And how much of a pass forwards and backwards are the norms at all?

# %%
step_batch = collate(encode_pairs(tokenizer, corpus.train[:40], 256), tokenizer).to(device)
stream = torch.randn(*step_batch.tgt_in.shape, D, device=device).requires_grad_()
norm_gamma, norm_beta = torch.ones(D, device=device), torch.zeros(D, device=device)


def whole_step():
    logits = model(step_batch.src, step_batch.tgt_in).flatten(0, 1)
    F.cross_entropy(logits, step_batch.tgt_out.flatten()).backward()
    model.zero_grad()


def its_norms():
    for _ in NORMS:
        F.layer_norm(stream, (D,), norm_gamma, norm_beta).sum().backward()


spent = shortest({"step": whole_step, "norms": its_norms}, rounds=3, calls=2)
part = spent["norms"] / spent["step"]

# %% tags=["nbval-ignore-output"]
print(
    f"the twelve norms are about {part:.1%} "
    "of the time of our translator, forwards and backwards"
)

# %% tags=["nbval-ignore-output"]
print("less than a fifth:", part < 0.2)

# %% [markdown]
# **As good?** The study trains both in pairs: the same start, the same batches, several seeds, three learning rates. Each norm gets the one of the three that is best on the sentences
# for choosing, which for both is the highest. *As good* means: on unseen sentences the losses differ by less than 0.05 nats, with the whole interval of the paired difference. 300 steps were tried at the lowest rate only, so they say nothing of the highest. One pair is trained here.

# %% tags=["claim-15"]
study = load("norm_pairs")
with_rms_norm = thin(2, make=lessons_lib.norms.RMSNorm).to(device)
here = final(train(with_rms_norm, warmup=20)) - final(losses_with_layer_norm)
for statement in list(study.verdicts)[:3]:
    print(f"{statement}: {study.verdicts[statement]}")

# %% tags=["nbval-ignore-output"]
best = {norm: norm_pairs.best(study, norm) for norm in ("LayerNorm", "RMSNorm")}
print("best rates:", ", ".join(best.values()))
gaps = {
    f"{where}, {what}": (f"{rms}, {part}", f"{layer}, {part}")
    for where, rms, layer in (
        ("140 steps", best["RMSNorm"], best["LayerNorm"]),
        ("300 steps", "RMSNorm long", "LayerNorm long"),  # both at 0.005
    )
    for what, part in (("in training", "training"), ("unseen", "test"))
}
for name, pair in gaps.items():
    print(f"{name:23} RMSNorm's loss is higher by {study.difference(*pair)}")
stored = (
    study.results["RMSNorm 0.005, training"][0]
    - study.results["LayerNorm 0.005, training"][0]
)
print(f"seed 0 at 0.005, in training: here {here:.2f}, stored {stored:.2f}")

# %% mystnb={"figure": {"name": "norm-pairs", "caption": "How much higher the loss is with RMSNorm than with LayerNorm, in pairs of the same start and batches: a dot a pair. Dashed: the bound, for the mean and its interval."}, "image": {"alt": "Dot plot of four comparisons. In training the dots spread widely, most of them to the right of zero: a higher loss with RMSNorm. On unseen sentences they lie around the band of equality after 140 steps, and rather to the left of it after 300."}}
fig, ax = plt.subplots(figsize=(7, 2.4))
for row, (a, b) in enumerate(gaps.values()):
    ax.plot(
        np.subtract(study.results[a], study.results[b]),
        [row] * len(study.seeds),
        "o",
        alpha=0.5,
    )
for edge in (-0.05, 0.05):
    ax.axvline(edge, linestyle="--", color="grey")
ax.set_yticks(range(len(gaps)), list(gaps))
ax.invert_yaxis()
ax.set(xlabel="loss with RMSNorm − loss with LayerNorm (nats a token)")
plt.show()

# %% [markdown]
# And the trained translator, which learnt with LayerNorm? We saw that the mean of its vectors is small. Does it
# notice if we stop taking it away, without any training? Let us say no if at least 36 of 40 translations stay the same, to the letter. Put RMSNorm, with the learned γ and β, in all twelve places:


# %%
class RMSWithBeta(nn.Module):
    def __init__(self, trained):
        super().__init__()
        self.gamma, self.beta, self.eps = trained.gamma, trained.beta, trained.eps

    def forward(self, x):
        return rms_norm(x, self.gamma, self.eps) + self.beta


def translations_with(make):
    """Translations of 40 unseen sentences, with `make(norm)` in the place of each norm.

    The norms are put back afterwards.
    """
    owners = [
        module
        for module in model.modules()
        if isinstance(getattr(module, "norm", None), lessons_lib.norms.LayerNorm)
    ]
    trained = [owner.norm for owner in owners]
    for owner in owners:
        owner.norm = make(owner.norm)
    try:
        return [
            translation.text
            for translation in translator.translate(
                [pair.source for pair in corpus.test[:40]]
            )
        ]
    finally:
        for owner, norm in zip(owners, trained, strict=True):
            owner.norm = norm


def same(texts, others):
    return sum(text == other for text, other in zip(texts, others, strict=True))


as_trained = translations_with(lambda norm: norm)
mean_left_in = translations_with(RMSWithBeta)
print(
    "the mean left in: at least 36 of 40 translations are the same:",
    same(as_trained, mean_left_in) >= 36,
)

# %% [markdown]
# ```{admonition} Verdict: cheaper on paper, in time only where the kernel is as good; in loss behind in training, and on unseen sentences not shown to be
# :class: note verdict
# About half the operations, of something that is less than a percent of the operations and, here, a few percent of the time. From scratch it is clearly
# faster; against a fused LayerNorm it is what the kernel makes of it: measure on your own machine. On average of the pairs RMSNorm has the higher loss in *training*. On *unseen* sentences no difference is shown after 140 steps, though
# the interval is too wide to call both as good; and after 300 steps, at the lowest rate, RMSNorm is slightly ahead. So whoever looks at training losses alone gets another answer. The trained translator hardly notices when its mean is left in. Llama and its relatives use RMSNorm
# ({cite:t}`touvron2023llama`), which has one parameter vector less, and needs no mean.
# ```
#
# ## Bugs worth meeting
#
# None of these raises an error.
#
# **The variance of a sample.** `torch.var` divides by $D - 1$ unless you say `correction=0`. A norm divides by $D$. With 128 numbers what
# γ multiplies is 0.4 % too small; in your own training γ can make up for it. You notice when you load somebody's weights and your numbers agree with
# theirs to two digits and no more.


# %%
def sample_norm(x, gamma, beta, eps=1e-5):
    return (
        gamma * (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + eps)
        + beta
    )


for size in (8, 128, 4096):
    vector, one, zero = torch.randn(size), torch.ones(size), torch.zeros(size)
    ratio = sample_norm(vector, one, zero).norm() / F.layer_norm(vector, (size,)).norm()
    print(f"D = {size:4}: {1 - ratio.item():6.2%} too small")

# %% [markdown]
# **The wrong axis.** Shapes are (B, T, D). Normalise over `dim=1` and each *dimension* has mean 0 and spread 1 over the *words of
# the sentence*. It runs, and it trains, and in a decoder it is a leak: a word's mean depends on the words that come after it, past every
# causal mask. Gradients prove it. How much does the decoder's output at place 3 depend on each of its inputs?


# %%
class SequenceNorm(nn.Module):
    """The bug: mean and variance over the words."""

    def __init__(self, d_model):
        super().__init__()
        self.gamma, self.beta = (
            nn.Parameter(torch.ones(d_model)),
            nn.Parameter(torch.zeros(d_model)),
        )

    def forward(self, x):
        spread = torch.sqrt(x.var(dim=1, keepdim=True, correction=0) + 1e-5)
        return self.gamma * (x - x.mean(dim=1, keepdim=True)) / spread + self.beta


def dependence(network, place=3, length=7):
    inputs = torch.randn(1, length, 32, device=device).requires_grad_()
    allowed = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    hidden = network.decoder(inputs, torch.randn(1, 5, 32, device=device), allowed)
    weights = torch.randn(32, device=device)
    return torch.autograd.grad((hidden[0, place] * weights).sum(), inputs)[0][0].norm(
        dim=-1
    )


wrong = thin(2, make=SequenceNorm).to(device)
for name, network in (("dim=-1", with_layer_norm), ("dim=1", wrong)):
    print(
        f"{name:6}",
        ["0" if number == 0 else "depends" for number in dependence(network).tolist()],
    )

# %% [markdown]
# And the loss? Train it as we trained the right one for claim 1, and then ask both for it once more the way translating asks: word by word,
# with the later words not there yet.


# %%
@torch.no_grad()
def honest_loss(network, rows):
    """Nats a token, when every token is predicted from nothing but those before it."""
    network.eval()
    batch = collate(rows, pieces).to(device)
    steps = range(1, batch.tgt_in.shape[1] + 1)
    logits = torch.stack(
        [network(batch.src, batch.tgt_in[:, :t])[:, -1] for t in steps], dim=1
    )
    return F.cross_entropy(
        logits.flatten(0, 1), batch.tgt_out.flatten(), ignore_index=pieces.pad_id
    ).item()


of_one_length = [
    example for example in examples if len(example.tgt) == len(examples[0].tgt)
][:40]  # no padding on the target's side
told, honest = {}, {}
train(wrong, warmup=20)
for name, network in (("dim=-1", with_layer_norm), ("dim=1", wrong)):
    told[name], honest[name] = (
        loss_of(network, [of_one_length], training=True),
        honest_loss(network, of_one_length),
    )

# %% tags=["nbval-ignore-output"]
for name in told:
    print(
        f"{name:6} loss as training tells it {told[name]:.2f}, "
        f"word by word {honest[name]:.2f}"
    )

# %%
for name in told:
    gap = honest[name] - told[name]
    print(
        f"{name:6} word by word it is",
        "the same" if abs(gap) < 1e-3 else "much worse" if gap > 0.5 else "a bit worse",
    )

# %% [markdown]
# **ε in the wrong place, or too small.** Two words: one whose numbers are all equal, one whose numbers differ in the fourth decimal. Behind the root
# ε does next to nothing, and noise comes out as large as a signal. In float16 the usual $10^{-8}$ of other formulas *is* 0, since the smallest
# positive number there is $6 \cdot 10^{-8}$, and 0 divided by 0 is NaN.

# %%
equal = torch.full((4,), 3.0)
nearly = equal + 1e-4 * torch.tensor([1.0, -1.0, 1.0, -1.0])


def eps_outside(x, eps=1e-5):
    return (x - x.mean()) / (x.std(correction=0) + eps)


print("ε inside, nearly equal: ", rounded(layer_norm(nearly, ones, zeros)))
print("ε outside, nearly equal:", rounded(eps_outside(nearly)))
print(
    "float16, ε = 1e-8, equal:",
    layer_norm(equal.half(), ones.half(), zeros.half(), torch.tensor(1e-8).half()).tolist(),
)
print(
    "float16, ε = 1e-5, equal:",
    layer_norm(equal.half(), ones.half(), zeros.half(), torch.tensor(1e-5).half()).tolist(),
)

# %% [markdown]
# **γ in the weight decay.** {term}`Weight decay` pulls every parameter a little towards 0 at each step ({cite:t}`loshchilov2019decoupled`). Where a norm stands right behind a
# matrix, it undoes the scale; only the relative size of later steps changes. For γ, 0 is not a neutral place. It means silence; neutral would
# be 1. The trainer of this course makes no exception for norms. Each step multiplies a γ that the loss does not care about by 1 − decay · rate, all together by about exp(−decay · path), with the sum of the
# rates for a path: here with the decay of the course's translator, and with the stronger one of its preset `toy`.

# %%
import json

from lessons_lib.translation import course_model
from lessons_lib.translation.training import options, presets

settings = json.loads((course_model.FOLDER / "run.json").read_text("utf8"))["training"]
for decay in (settings["weight_decay"], presets.PRESETS["toy"]["weight_decay"]):
    path = sum(
        settings["learning_rate"]
        * options.schedule(step, step / settings["steps"], settings["warmup_steps"])
        for step in range(settings["steps"])
    )
    print(
        f"weight decay {decay}: after {settings['steps']} steps "
        f"γ = 1 has become {math.exp(-decay * path):.2f}"
    )

# %% [markdown]
# A tenth less with the first; with the second about a tenth is left. (Where the loss does care it pulls the other way.) Many
# trainings leave γ, β and biases out:

# %%
trained_like = thin(2).to(device)
matrices = [parameter for parameter in trained_like.parameters() if parameter.dim() >= 2]
# γ, β, biases
vectors = [parameter for parameter in trained_like.parameters() if parameter.dim() < 2]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
    lr=4e-3,
)
# A loss that does not care.
sum((0 * parameter).sum() for parameter in trained_like.parameters()).backward()
for _ in range(100):
    optimizer.step()
print("γ is still 1:", bool((trained_like.decoder.norm.gamma == 1).all()))

# %% [markdown]
# **One norm for all.** `self.norm = norm`, with a norm that was made once outside, gives two sub-layers the same γ and β. It runs, and it
# trains. The symptom is the number of parameters. And if you load trained weights into it, nobody complains: both names are there,
# and the second silently overwrites the first.

# %%
sharing = Transformer(translator.model.config).to(device).eval()
for layer in sharing.encoder.layers:
    layer.feed_forward_residual.norm = layer.attention_residual.norm
print("load_state_dict:", sharing.load_state_dict(model.state_dict()))
counts = [
    sum(parameter.numel() for parameter in network.parameters())
    for network in (model, sharing)
]
print("parameters that are missing:", counts[0] - counts[1], "= 2 layers · (γ and β) · 128")
whole, part_shared = model.encode(src), sharing.encode(src)
print(
    "the encoder's output is off by more than a quarter: "
    f"{bool((whole - part_shared).norm() > 0.25 * whole.norm())}"
)

# %% [markdown]
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. A batch has 8 sentences of 20 words, each a vector of 128 numbers. How many means does LayerNorm compute?**
#
# <details><summary>8</summary>
#
# No. That would be one for each sentence. Then a word's result would depend on the other words of its sentence, and in a decoder on those that
# come later.
#
# </details>
# <details><summary>128</summary>
#
# No. One for each dimension, over all the words: that is batch norm.
#
# </details>
# <details class="right"><summary>160</summary>
#
# Right. 8 · 20 words, and each has its own mean, over its own 128 numbers. There is still only one γ and one β, of 128 numbers each.
#
# </details>
#
# **2. You multiply what goes into a pre-norm Transformer, embeddings and positions, by 10. What do its sub-layers notice?**
#
# <details><summary>Nothing at all, at any depth</summary>
#
# No. That is true of the *first* one: its norm takes the 10 away. But what it adds to the path is as small as before, and the path is now ten
# times as long. So it counts for less, and the second sub-layer hears mostly the embedding.
#
# </details>
# <details class="right"><summary>The first one nothing, the later ones that the others before them have become quieter</summary>
#
# Right. A norm hides the length of the path from the sub-layer, not from the sum.
#
# </details>
# <details><summary>They get inputs that are ten times as large</summary>
#
# No. In front of each of them stands a norm, and LayerNorm(10x) = LayerNorm(x).
#
# </details>
#
# **3. A trained model with LayerNorm has vectors whose mean is exactly 0, and β = 0. What happens if you put RMSNorm with the same γ and ε in its place?**
#
# <details class="right"><summary>Nothing</summary>
#
# Right. With mean 0 the variance *is* the mean of the squares, so the two formulas are the same.
#
# </details>
# <details><summary>The outputs become smaller by the factor (D − 1)/D</summary>
#
# No. Both divide by D. The $D - 1$ is the bug with `correction=1`.
#
# </details>
# <details><summary>It must be trained again, since RMSNorm has other parameters</summary>
#
# No. RMSNorm has γ as well, and it does the same thing; the β that is missing was 0.
#
# </details>
#
# **4. Your decoder's loss in training is as good as that of a colleague's, a little better even; but it translates nonsense. Which of these norms do
# you suspect?**
#
# <details><summary>One with correction=1</summary>
#
# No. That scales all outputs by nearly 1.
#
# </details>
# <details class="right"><summary>One that normalises over the words</summary>
#
# Right. Its means know the words that come later, and the model has learnt to lean on them; when it writes, those words are not there.
#
# </details>
# <details><summary>One with ε outside the root</summary>
#
# No. It changes words whose numbers hardly differ, and each word still sees only itself.
#
# </details>
#
# ## The translator, step 6
#
# Your translator has twelve norms. Put *yours* in all twelve places, with the γ and β that were learned, and see that not a word changes:


# %%
def ours_from(trained):
    ours = OurLayerNorm(len(trained.gamma), trained.eps).to(device)
    ours.load_state_dict(trained.state_dict())
    return ours


with_ours = translations_with(ours_from)
print(
    f"{len(NORMS)} norms replaced; the same translations: "
    f"{same(as_trained, with_ours)} of {len(with_ours)}"
)
for pair, text in zip(corpus.test[:2], with_ours, strict=False):
    print(" ", pair.source, "|", text)

# %% [markdown]
# ### Exercise: build it
#
# [Open the exercise on Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/06_layer_norm.ipynb),
# or open `exercises/06_layer_norm.ipynb` at home. Three questions, 10 points; `check("q1")` tells you at once what is probably wrong,
# in one sentence.
#
# **Question 1:** `LayerNorm`, as a module.
#
# ```{include} ../solutions/06_layer_norm.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ````{dropdown} Solution of question 1
# ```{literalinclude} ../solutions/06_layer_norm.py
# :language: python
# :start-after: "# %% solution LayerNorm"
# :end-before: "# %%"
# ```
# ````
#
# **Question 2:** `RMSNorm`, for a float16 x too, in which the square of 300 is already infinite.
#
# ```{include} ../solutions/06_layer_norm.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of question 2
# ```{literalinclude} ../solutions/06_layer_norm.py
# :language: python
# :start-after: "# %% solution RMSNorm"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `Residual`, the path around a sub-layer, with the norm before or after.
#
# ```{include} ../solutions/06_layer_norm.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/06_layer_norm.py
# :language: python
# :start-after: "# %% solution Residual"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - LayerNorm takes the mean of one word's $D$ numbers away, divides by their spread, and applies the learned γ and β. RMSNorm divides by the root
#   mean square and applies γ. Both forget how long the vector was.
# - A word is normalised with itself alone: not with its sentence (a leak in a decoder), not with its batch (a result that depends on the company).
# - The path through our translator grows with depth; the norm before each sub-layer hides that from it.
# - Post-norm stands on the path; pre-norm leaves it free. In an untrained decoder post-norm's gradient shrinks towards the bottom, in the encoder of the same network it does not.
# - In our short trainings pre-norm needed no warm-up, post-norm needed one at the high rate, and a quiet start helped it more.
# - RMSNorm does about half the arithmetic. On average of our pairs it is behind in training; on unseen sentences no difference is shown after 140 steps, and after 300 at the lowest rate it is slightly ahead. Whether it is faster depends on the kernel.
#
# **See it learn.** [The playground](../book/playground) trains two small Transformers side by side, in the page. Choose *Post-norm without warm-up*.
#
# **Where it comes from.** LayerNorm: {cite:t}`ba2016layer`. RMSNorm: {cite:t}`zhang2019root`. Batch norm: {cite:t}`ioffe2015batch`. Post-norm is the published
# Transformer, {cite:t}`vaswani2017attention`, section 3.1, with the warm-up in section 5.3; pre-norm, warm-up and gradients: {cite:t}`xiong2020layer`; why post-norm is hard to train, seen in
# another way: {cite:t}`liu2020understanding`. Deep networks without norms: {cite:t}`zhang2019fixup`, {cite:t}`bachlechner2021rezero`.
