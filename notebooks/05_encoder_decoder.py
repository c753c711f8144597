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
# # 5 · Encoder and decoder
#
# **How do the pieces make a model?** *90 minutes, and 85 for the exercise. You need: attention and its mask (lesson 1), PyTorch's `nn.Module`. Heads (lesson 3),
# positions (lesson 4), the norm (lesson 6) and the feed-forward network (lesson 7) are used here as finished parts.*
#
# After this lesson you can
#
# - draw an encoder–decoder from memory, with the shape at every arrow;
# - build it, load a trained translator into your own code, and get the same translations;
# - cut a model open at any place, and say what goes wrong, and why.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import math
import random
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.attention import MultiHeadAttention
from lessons_lib.config import TransformerConfig
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.dropout import Dropout
from lessons_lib.families import DecoderOnly, EncoderOnly, EncoderOnlyConfig
from lessons_lib.feedforward import FeedForward
from lessons_lib.figures import use_course_style
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.norms import LayerNorm
from lessons_lib.positions import sinusoidal_table
from lessons_lib.prose import says
from lessons_lib.sizes import table
from lessons_lib.studies import load, memory_habit, residual_paths
from lessons_lib.studies.residual_paths import wired
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.batching import pad
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.widgets import TransformerWidget
from lessons_lib.widgets.transformer import PRESETS

use_course_style()
seed_everything(0)
device = pick_device()
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# A translator does two jobs that want opposite things. To *read* an English sentence you may look at all of it, forwards and backwards, as
# long as you like. To *write* the French one you have only what you have written so far, and each word commits you.
#
# So the model of {cite:t}`vaswani2017attention` is two stacks. The {term}`encoder` reads: each English word looks at all the others,
# and out come vectors that know their sentence, one a word. We call them the **memory**. The {term}`decoder` writes: each French word looks at
# the French words before it. Between the two there is one bridge, {term}`cross-attention`: the French words look at the memory.
# Nothing else passes from one language to the other.
#
# Both stacks are built of one pattern. A **sub-layer** (an attention, or a {term}`feed-forward network`, two matrices that treat each
# word alone) makes something of the vectors, and what it made is *added* to them; a {term}`norm <layer normalisation>` brings what it reads, or the sum, to one scale. That
# is "**add & norm**". Two or three sub-layers
# are a layer, some layers are a stack.
#
# Click through it. Start with the two boxes at the top, follow the lines down, and look at three things: the shape, the parameters, and who
# sees whom.

# %% tags=["hide-input"]
translator = load_course_translator(device)
tokenizer, library_model = translator.tokenizer, translator.model.eval()

SENTENCE = "The small black cats do not sleep."
source_ids = [*tokenizer.encode(SENTENCE), tokenizer.eos_id]
target_ids = [
    tokenizer.bos_id,
    *tokenizer.encode(translator.translate([SENTENCE])[0].text),
][:6]  # being written
trained = library_model.config
sizes = {
    "d_model": trained.d_model,
    "n_heads": trained.n_heads,
    "d_ff": trained.d_ff,
    "n_encoder_layers": trained.n_encoder_layers,
    "n_decoder_layers": trained.n_decoder_layers,
    "vocab_size": trained.vocab_size,
}
TransformerWidget(
    [piece.replace("▁", "") for piece in tokenizer.pieces(source_ids)],
    [piece.replace("▁", "") for piece in tokenizer.pieces(target_ids)],
    presets=[{"name": "the course's translator", "sizes": sizes}, *PRESETS],
    selected="decoder cross-attention",
    batch=1,
    **sizes,
)

# %% [markdown]
# ```{admonition} What to look for
# :class: tip
# Only three kinds of block let positions see each other; click *feed-forward* and *norm*, and the table of who sees whom is a bare diagonal.
# The thick line is the bridge: it starts *once*, at the end of the encoder, and ends in *every* decoder layer. Then choose *Transformer
# base* under *Sizes*: which block has the most of its 63 million parameters? (*The translator, step 5*, below, has the answer.)
# ```
#
# The same on one picture, with pre-norm, which the next section explains. We write $B$ for the number of sentences in a batch, $S$ for that of source
# tokens, $T$ for that of target tokens, $D$ for the width of every vector (`d_model`), $V$ for the size of the vocabulary, $E$ for the table of embeddings, $P$ for that of places.

# %% tags=["hide-input"] mystnb={"figure": {"name": "architecture", "caption": "The whole model. A vertical arrow is the path of the vectors; each sub-layer reads it, through a norm, and adds to it. The memory goes into the cross-attention of every decoder layer."}, "image": {"alt": "Two stacks side by side, read from the bottom. Left, the encoder: source ids of shape B, S become embeddings with places; then, once for each layer, norm and self-attention, then norm and feed-forward, each beside the path and added to it; a last norm gives the memory of shape B, S, D. Right, the decoder: target ids of shape B, T become embeddings with places; for each layer norm and masked attention, norm and cross-attention, norm and feed-forward are added; a last norm and the product with the embeddings give logits of shape B, T, V. A thick arrow leads from the memory into the cross-attention."}}
fig, ax = plt.subplots(figsize=(9, 6))
ARROW = {"arrowstyle": "->", "color": "0.35", "shrinkA": 0, "shrinkB": 0}
CIRCLE = {"boxstyle": "circle,pad=0.1", "facecolor": "white", "edgecolor": "0.35"}
BRIDGE = ARROW | {"color": "C1", "linewidth": 3}


def block(x, y, text, width=2.6, height=0.6, color="white"):
    corner = x - width / 2, y - height / 2
    ax.add_patch(
        plt.Rectangle(corner, width, height, facecolor=color, edgecolor="0.35", zorder=4)
    )
    ax.text(x, y, text, ha="center", va="center", size=10, zorder=5)


def stack(x, side, sublayers, first, last):
    """One stack: its path at x, from first to last, and its sub-layers beside the path."""
    low, high = min(sublayers) - 0.85, max(sublayers) + 0.95
    frame = {"facecolor": "0.95", "edgecolor": "0.35", "linestyle": "--"}
    ax.add_patch(
        plt.Rectangle((min(x - 0.5, x + 4.6 * side), low), 5.1, high - low, **frame)
    )
    ax.text(x + 2.6 * side, high + 0.2, "a layer, L times", ha="center", va="center")
    ax.annotate("", (x, 8.3), (x, 0.1), arrowprops=ARROW)
    ax.text(x, -0.2, first, ha="center", va="center")
    ax.text(x, 8.6, last, ha="center", va="center")
    block(x, 0.8, "√D · E + P")
    block(x, 7.0, "norm")
    for y, text in sublayers.items():
        block(x + 2.9 * side, y, f"norm, then\n{text}", width=3, height=0.9)
        ax.annotate("", (x + 1.4 * side, y - 0.3), (x, y - 0.3), arrowprops=ARROW)
        ax.annotate("", (x, y + 0.35), (x + 1.4 * side, y + 0.35), arrowprops=ARROW)
        ax.text(x, y + 0.35, "+", size=12, zorder=6, ha="center", va="center", bbox=CIRCLE)


stack(
    0,
    1,
    {2.9: "self-attention", 4.7: "feed-forward"},
    "source ids (B, S)",
    "memory (B, S, D)",
)
three = {2.3: "masked attention", 3.8: "cross-attention", 5.3: "feed-forward"}
stack(12.4, -1, three, "target ids (B, T)", "logits (B, T, V)")
block(12.4, 7.8, "times Eᵀ")
ax.plot([2.1, 6.2, 6.2], [8.6, 8.6, 3.8], color="C1", linewidth=3)
ax.annotate("", (8.0, 3.8), (6.15, 3.8), arrowprops=BRIDGE)
ax.set(xlim=(-2, 14.4), ylim=(-0.5, 8.9))
ax.axis("off")
plt.show()

# %% [markdown]
# ## The mathematics
#
# One sentence is a matrix with a row for each token; a batch puts one more axis in front.
#
# **In.** The rows of the learned table $E \in \mathbb{R}^{V \times D}$ stand for the tokens, those of $P$ for the places:
#
# $$
# X_0 = \sqrt{D}\, E[\text{src}] + P_{0 \ldots S-1} \;\in\; \mathbb{R}^{S \times D}, \qquad
# Y_0 = \sqrt{D}\, E[\text{tgt}] + P_{0 \ldots T-1} \;\in\; \mathbb{R}^{T \times D}.
# $$
#
# Without $\sqrt{D}$ the places would be louder than the words: in our translator an entry of $E$ is about 0.1, one of $P$ about 0.7.
#
# **Add & norm.** Let $f$ be a sub-layer. Two ways are usual to put a {term}`norm <layer normalisation>` and a {term}`residual connection`
# around it:
#
# $$
# \text{post-norm (2017):} \quad x \mapsto \operatorname{norm}\bigl(x + f(x)\bigr), \qquad\qquad
# \text{pre-norm:} \quad x \mapsto x + f\bigl(\operatorname{norm}(x)\bigr).
# $$
#
# Follow $x$ through a {term}`pre-norm` stack: it is *never touched*, only added to. After $N$ sub-layers
#
# $$
# x_N = x_0 + f_1(\cdot) + f_2(\cdot) + \ldots + f_N(\cdot).
# $$
#
# Every sub-layer reads the sum so far and adds its own part: the sum is also called the **residual stream** ({cite:t}`elhage2021mathematical`).
# It can grow, and nobody has normalised it at the end, so a pre-norm stack needs one more norm there. In post-norm each sub-layer
# norms the whole sum anew.
#
# **The encoder** has two sub-layers in each layer, self-attention and feed-forward network, and gives the memory $M = \operatorname{norm}(X_N) \in
# \mathbb{R}^{S \times D}$.
#
# **The decoder** has three. Its self-attention is masked: row $t$ may look at the rows up to $t$. Its cross-attention takes the queries from the target and
# keys and values from the memory:
#
# $$
# \text{queries } \operatorname{norm}(Y) W_Q \in \mathbb{R}^{T \times D}, \qquad \text{keys } M W_K, \text{ values } M W_V \in \mathbb{R}^{S \times D}, \qquad
# \text{weights} \in \mathbb{R}^{T \times S}.
# $$
#
# $T$ and $S$ need not be equal, and $M$ is the same in every decoder layer and for every word that is written: it is computed once.
#
# **Out.** The vector at place $t$ is compared with the embedding of every token: the {term}`logits` are $Z = \operatorname{norm}(Y_N)\, E^\top \in \mathbb{R}^{T \times V}$,
# and the {term}`softmax` of row $t$ is the distribution of the token that comes *next*: what goes in is **shifted by one place**, `<s> Les petits chats`, and `Les petits chats noirs`
# is to come out. The same table $E$ serves three times ({cite:t}`press2017using`).
#
# ## The code, from scratch
#
# The parts come from the library: attention, feed-forward network, norm. The layers and the model are ours. The comments at the right say what a
# line is for; `[0]` takes an attention's result, and leaves its weights. In a batch a short sentence is filled up to the length of the longest; `padding_mask`,
# (B, 1, 1, S), is true where it has a token. Dropout, which works in training only, comes right after.


# %%
class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, mask=None):  # (B, S, D) -> (B, S, D)
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]  # English looks at English
        return x + self.feed_forward(self.feed_forward_norm(x))  # each word on its own


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention_norm = LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(
        self, x, memory, mask=None, memory_mask=None
    ):  # (B, T, D), (B, S, D) -> (B, T, D)
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, mask)[0]  # French looks back at French
        normed = self.cross_attention_norm(x)
        x = x + self.cross_attention(normed, memory, memory_mask)[0]  # and at English
        return x + self.feed_forward(self.feed_forward_norm(x))


class EncoderDecoder(nn.Module):
    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers, pad_id=0):
        super().__init__()
        self.d_model, self.pad_id = d_model, pad_id
        self.embedding = nn.Embedding(vocab_size, d_model)
        sizes = d_model, n_heads, d_ff
        self.encoder_layers = nn.ModuleList(EncoderLayer(*sizes) for _ in range(n_layers))
        self.decoder_layers = nn.ModuleList(DecoderLayer(*sizes) for _ in range(n_layers))
        self.encoder_norm, self.decoder_norm = LayerNorm(d_model), LayerNorm(d_model)

    def embed(self, tokens):  # (B, S) -> (B, S, D)
        places = sinusoidal_table(tokens.shape[1], self.d_model).to(tokens.device)
        return self.embedding(tokens) * math.sqrt(self.d_model) + places

    def encode(self, src):  # (B, S) -> (B, S, D)
        x, mask = self.embed(src), padding_mask(src, self.pad_id)
        for layer in self.encoder_layers:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(
        self, tgt, memory, memory_mask
    ):  # (B, T), (B, S, D), (B, 1, 1, S) -> (B, T, V)
        x, mask = self.embed(tgt), causal_mask(tgt.shape[1], tgt.device)
        for layer in self.decoder_layers:
            x = layer(x, memory, mask, memory_mask)
        return self.decoder_norm(x) @ self.embedding.weight.T

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), padding_mask(src, self.pad_id))


# %% [markdown]
# In training there is one thing more, **{term}`dropout`** ({cite:t}`srivastava2014dropout`): a random tenth of the
# numbers that a sub-layer gives is set to zero before they are added, and so is a tenth of the embeddings with their places
# ({cite:t}`vaswani2017attention`, section 5.4). The aim: that the network leans on no single number. Those that stay are divided by 0.9, which keeps the
# expected value. In use nothing is dropped; a model that somebody forgot to put into `eval()` computes other numbers each time, though its words may stay:

# %%
dropout, ones = Dropout(0.1), torch.ones(100_000)
dropped = dropout.train()(ones)
print(
    f"in training {(dropped == 0).float().mean():.0%} are zero, the others "
    f"{dropped.max():.2f}, the mean is {dropped.mean():.2f};  in use nothing changes:",
    torch.equal(dropout.eval()(ones), ones),
)
ids = torch.tensor([source_ids], device=device)
with torch.no_grad():
    library_model.train()
    in_training = [library_model.encode(ids) for _ in range(2)]
    library_model.eval()
    in_use = [library_model.encode(ids) for _ in range(2)]
print(
    "the same sentence twice, the same memory:  in training",
    torch.equal(*in_training),
    "  in use",
    torch.equal(*in_use),
)

# %% [markdown]
# First the layers, against PyTorch's own. Its layers have the same parts under other names, and keep
# $W_Q, W_K, W_V$ in one matrix, so we copy the weights over.


# %%
@torch.no_grad()
def copy_into(theirs, ours):
    """The weights of one of our layers, in PyTorch's."""
    attentions = {"self_attn": ours.attention}
    if isinstance(ours, DecoderLayer):
        attentions["multihead_attn"] = ours.cross_attention
    for name, attention in attentions.items():
        target = getattr(theirs, name)
        projections = attention.query, attention.key, attention.value
        target.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        target.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
        target.out_proj.load_state_dict(attention.output.state_dict())
    theirs.linear1.load_state_dict(ours.feed_forward.expand.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.contract.state_dict())
    return theirs.eval()  # the norms begin with γ = 1 and β = 0 in both


x, memory = torch.randn(2, 6, 32), torch.randn(2, 9, 32)
visible = torch.ones(2, 9, dtype=torch.bool)
visible[1, 6:] = (
    False  # the second source sentence is shorter: its last three places are padding
)
options = {"dropout": 0.0, "batch_first": True, "norm_first": True}

encoder_layer, decoder_layer = EncoderLayer(32, 4, 64), DecoderLayer(32, 4, 64)
their_encoder = copy_into(nn.TransformerEncoderLayer(32, 4, 64, **options), encoder_layer)
their_decoder = copy_into(nn.TransformerDecoderLayer(32, 4, 64, **options), decoder_layer)
with torch.no_grad():
    ours = encoder_layer(memory, visible[:, None, None])
    # In PyTorch's, True means "may not".
    theirs = their_encoder(memory, src_key_padding_mask=~visible)
    torch.testing.assert_close(ours[visible], theirs[visible], rtol=1e-4, atol=1e-5)
    ours = decoder_layer(x, memory, causal_mask(6), visible[:, None, None])
    theirs = their_decoder(
        x, memory, tgt_mask=~causal_mask(6), memory_key_padding_mask=~visible
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
print("our two layers = PyTorch's")

# %% [markdown]
# A trained model is a dictionary of names and numbers. The course's translator learnt its 1.2 million numbers inside
# `lessons_lib.transformer`; its names differ a little from ours, its numbers do not care in whose code they run. (There the
# embedding and the output matrix are a class, `TokenModel`, and `return_attention=True` gives the attention of every layer, as
# `AttentionWeights`.) Rename, load, compare.
#
# What does the decoder get to read meanwhile? The *right* translation, although it has not written it: `tgt_in` begins with `<s>`, `tgt_out` ends with
# `</s>`. At each place the model sees the true beginning and names the next token, all places at once. Training is done like this, and it is
# called **{term}`teacher forcing`**. That no place may look ahead at its answer is the work of the causal mask (lesson 8).


# %%
def our_names(weights):
    renamed = {}
    for name, numbers in weights.items():
        for old, new in (
            ("encoder.", "encoder_"),
            ("decoder.", "decoder_"),
            ("_residual.norm", "_norm"),
        ):
            name = name.replace(old, new)
        renamed[name] = numbers
    return renamed


model = (
    EncoderDecoder(
        trained.vocab_size, trained.d_model, trained.n_heads, trained.d_ff, n_layers=2
    )
    .to(device)
    .eval()
)
model.load_state_dict(our_names(library_model.state_dict()))

# The same test sentences as in other lessons.
corpus = load_grammar(seed=0, n_train=6_000, n_valid=0, n_test=100)
sources, references = (
    [pair.source for pair in corpus.test],
    [pair.target for pair in corpus.test],
)
src = pad(
    [[*tokenizer.encode(text), tokenizer.eos_id] for text in sources], tokenizer.pad_id
).to(device)
tgt_in = pad(
    [[tokenizer.bos_id, *tokenizer.encode(text)] for text in references], tokenizer.pad_id
).to(device)
tgt_out = pad(
    [[*tokenizer.encode(text), tokenizer.eos_id] for text in references], tokenizer.pad_id
).to(device)

with torch.no_grad():
    torch.testing.assert_close(
        model(src, tgt_in), library_model(src, tgt_in), rtol=1e-4, atol=1e-4
    )
print("our logits = lessons_lib's, on", len(src), "sentence pairs that it has never seen")

# %% [markdown]
# To translate, ask it again and again for the next token: {term}`greedy decoding`. The memory is made once; the decoder runs at each step. (It
# computes the whole beginning anew each time; see lesson 11.)


# %%
@torch.no_grad()
def write(model, memory, memory_mask, limit=28):
    """Greedy translations, made from a memory (B, S, D)."""
    tgt = torch.full((len(memory), 1), tokenizer.bos_id, device=memory.device)
    ended = torch.zeros(len(memory), dtype=torch.bool, device=memory.device)
    while tgt.shape[1] <= limit and not ended.all():
        # (B,): the last place says what is next.
        token = model.decode(tgt, memory, memory_mask)[:, -1].argmax(dim=-1)
        token = token.masked_fill(ended, tokenizer.pad_id)
        tgt, ended = (
            torch.cat([tgt, token[:, None]], dim=1),
            ended | (token == tokenizer.eos_id),
        )
    return [tokenizer.decode(row) for row in tgt.tolist()]


@torch.no_grad()
def translate(model, src):
    return write(model, model.encode(src), padding_mask(src, tokenizer.pad_id))


def bleu(translations, references=references):
    return score(translations, references).bleu


translations = translate(model, src)
assert translations == [
    found.text for found in translator.translate(sources, attention=False)
]
for source, translation in zip(sources[:3], translations, strict=False):
    print(f"{source}\n   {translation}")
print(
    f"\nall {len(src)} translations are the library's, word for word; "
    f"BLEU above 95: {bleu(translations) > 95}"
)

# %% [markdown]
# ### From English to French logits, block by block
#
# PyTorch can call us whenever a module has finished (a *hook*); we let it print what came out.

# %%
example = torch.tensor([source_ids], device=device)
# <s> and the first words of the translation.
beginning = torch.tensor([target_ids[:4]], device=device)
WHAT = {
    "embedding": "rows of the table",
    "attention": "looked at its own",
    "cross_attention": "looked at the memory",
    "feed_forward": "each place alone",
    "encoder_norm": "the memory",
    "decoder_norm": "ready to be compared",
}


def report(name):
    def hook(module, inputs, output):
        output = output[0] if isinstance(output, tuple) else output
        print(f"{name:34} {tuple(output.shape)!s:14} {WHAT[name.split('.')[-1]]}")

    return hook


print(
    f"{'source tokens':34} {tuple(example.shape)!s:14} "
    f"{' '.join(tokenizer.pieces(source_ids))}"
)
print(
    f"{'target tokens':34} {tuple(beginning.shape)!s:14} "
    f"{' '.join(tokenizer.pieces(beginning[0].tolist()))}"
)
hooks = [
    module.register_forward_hook(report(name))
    for name, module in model.named_modules()
    if name.split(".")[-1] in WHAT
]
with torch.no_grad():
    logits = model(example, beginning)
for hook in hooks:
    hook.remove()
best = tokenizer.pieces(logits[0].argmax(dim=-1).tolist())
print(f"{'logits':34} {tuple(logits.shape)!s:14} best: {' '.join(best)}")

# %% [markdown]
# Read the shapes from the top. 9 English tokens stay 9 vectors, 4 French ones stay 4: **no sub-layer changes the number of places, and each
# hands on vectors that are 128 wide**. That is what lets you stack layers, and add x to what came of it. Only the logits are as wide as the vocabulary. The lengths meet in two lines only, those of
# cross-attention: 4 queries look at 9 keys, and 4 vectors come out. The last line has an answer for *each* of the 4 places, the token that
# comes after it; for translating we need the last one alone.
#
# ## Three families
#
# Take the bridge away, and each half is a model of its own. Which one you need depends on who may see whom:
#
# | what | encoder-only | decoder-only | encoder–decoder |
# |---|---|---|---|
# | attention | everybody sees everybody | itself and what came before | source: everybody; target: itself, what came before, and all of the source |
# | gives | a vector for each token | the next token | the next token, given a source |
# | good for | understanding: classify, search, tag | continuing: any text | turning one text into another |
# | for example | BERT ({cite:t}`devlin2019bert`) | GPT-2 ({cite:t}`radford2019language`) | the first Transformer, T5 ({cite:t}`raffel2020exploring`) |
#
# The table is a promise. Does the code keep it? The {term}`gradient` tells: if output $t$ does not depend on input $s$, its gradient
# there is zero, exactly. Here are three models of the library, two layers a stack, fresh from their random start.

# %%
SHAPE = {"vocab_size": 50, "d_model": 32, "n_heads": 4, "d_ff": 64, "dropout": 0.0}
seed_everything(0)
encoder_only = EncoderOnly(EncoderOnlyConfig(**SHAPE, n_encoder_layers=2)).eval()
decoder_only = DecoderOnly(
    TransformerConfig(**SHAPE, n_encoder_layers=0, n_decoder_layers=2)
).eval()
both = Transformer(
    TransformerConfig(**SHAPE, n_encoder_layers=2, n_decoder_layers=2)
).eval()


def dependence(embedded, output):
    """(outputs, inputs): does this output depend on that input? From gradients."""
    weight = torch.randn_like(output[:, 0])
    rows = [
        torch.autograd.grad((output[:, t] * weight).sum(), embedded, retain_graph=True)[0]
        for t in range(output.shape[1])
    ]
    return torch.stack([row[0].norm(dim=-1) > 0 for row in rows])


x, source = (
    both.embed(torch.randint(3, 50, (1, length))).detach().requires_grad_()
    for length in (6, 5)
)
memory = both.encoder(source)
written = both.decoder(x, memory, causal_mask(6))
reach = {
    "encoder-only": dependence(x, encoder_only.encoder(x)),
    "decoder-only": dependence(x, decoder_only.decoder(x, mask=causal_mask(6))),
    "encoder–decoder": torch.cat(
        [dependence(source, written), dependence(x, written)], dim=1
    ),
}

# %% mystnb={"figure": {"name": "families-reach", "caption": "Which output (row) depends on which input (column), measured by gradients in three random models of the library. Blue: it does. Encoder-only: everything on everything. Decoder-only: on itself and what came before. Encoder–decoder: a target place depends on all five source tokens (s) and on the target tokens (t) up to itself."}, "image": {"alt": "Three grids. Encoder-only: a full square of six by six. Decoder-only: the lower triangle of six by six. Encoder-decoder: six rows, a full block of five source columns, then the lower triangle of six target columns."}}
fig, axes = plt.subplots(1, 3, figsize=(9, 2.9), gridspec_kw={"width_ratios": [6, 6, 11]})
for ax, (name, grid) in zip(axes, reach.items(), strict=True):
    ax.imshow(grid.numpy(), cmap="Blues", vmin=0, vmax=1.4)
    ax.set_xticks(np.arange(grid.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(7) - 0.5, minor=True)
    ax.grid(False)
    ax.grid(True, which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    labels = (
        range(6)
        if grid.shape[1] == 6
        else [*(f"s{i}" for i in range(5)), *(f"t{i}" for i in range(6))]
    )
    ax.set_xticks(range(grid.shape[1]), labels)
    ax.set(title=name, xlabel="input token", ylabel="output place")
fig.tight_layout()
plt.show()

# %%
triangle = causal_mask(6)
print("encoder-only: all see all        ", bool(reach["encoder-only"].all()))
print("decoder-only: exactly a triangle ", torch.equal(reach["decoder-only"], triangle))
print(
    "encoder–decoder: source, triangle",
    bool(reach["encoder–decoder"][:, :5].all()),
    torch.equal(reach["encoder–decoder"][:, 5:], triangle),
)

# %% [markdown]
# A decoder-only model can translate, too: write source and target behind each other and continue. The families differ in what they *forbid*. Lesson 9
# builds the other two from our blocks, and loads models such as BERT and GPT-2 into them.
#
# ## Claims, tested
#
# (claim-05-1)=
# ### Claim 1: "Cut the bridge, and the decoder still writes fluent French about something else"
#
# Without a source the decoder is a French {term}`language model`, so it should babble, but babble well. We cut the bridge in three
# ways, and leave the weights alone: the memory of *another* sentence, a memory of zeros, and the *average* memory, the same vector at every
# place. For each we ask two things. Is it a translation ({term}`BLEU`)? And is it French, whatever it says: of all pairs of neighbours that it writes (words, and both ends), how
# many stand in 6,000 training sentences? Two yardsticks: the good translations, and the same with their words shuffled, which is no French. Let us call
# *fluent* what has nine tenths of the good ones' share.


# %% tags=["claim-encdec-1", "nbval-ignore-output"]
def neighbours(text):
    return list(pairwise(["<", *text.split(), ">"]))


known = {pair for example in corpus.train for pair in neighbours(example.target)}


def fluency(texts):
    """The share of neighbours that also are neighbours in the training text."""
    pairs = [pair for text in texts for pair in neighbours(text)]
    return sum(pair in known for pair in pairs) / len(pairs)


with torch.no_grad():
    memory, visible = model.encode(src), padding_mask(src, tokenizer.pad_id)
other = torch.arange(len(src)).roll(1)  # to each sentence the memory of the one before it
average = memory[visible[:, 0, 0]].mean(dim=0).expand_as(memory)
cut = {
    "its own memory": translations,
    "another's memory": write(model, memory[other], visible[other]),
    "zeros": write(model, torch.zeros_like(memory), visible),
    "the average": write(model, average, visible),
}
shuffler = random.Random(0)
cut["words shuffled"] = [
    " ".join(shuffler.sample(words := text.split(), len(words))) for text in translations
]
fluent = {name: fluency(texts) for name, texts in cut.items()}
print("memory             BLEU  fluency  sentences  for example")
for name, texts in cut.items():
    print(
        f"{name:17} {bleu(texts):5.1f} {fluent[name]:8.0%} {len(set(texts)):10}  "
        f"{texts[0][:45]}"
    )

# %%
swapped = cut["another's memory"]
print("another's memory, of 100 sentences:")
print(
    "  its own translation:  ",
    sum(a == b for a, b in zip(swapped, translations, strict=True)),
)
print(
    "  the other's, each word:",
    sum(a == translations[i] for a, i in zip(swapped, other, strict=True)),
)
for name in ("another's memory", "zeros", "the average"):
    print(
        f"{name:17} as fluent as a translation:",
        fluent[name] > 0.9 * fluent["its own memory"],
    )
print(
    "zeros, average: one sentence for all:",
    len(set(cut["zeros"])) == len(set(cut["the average"])) == 1,
)
says(
    "70 % of the pairs of a good translation, 20 % of one whose words are shuffled",
    100 * fluent["its own memory"],
    100 * fluent["words shuffled"],
)
says(
    "with zeros 36 %, with the average 46 %",
    *(100 * fluent[n] for n in ("zeros", "the average")),
)

# %% [markdown]
# Our list knows 70 % of the pairs of a good translation, 20 % of one whose words are shuffled. (Not more than
# 70, for 6,000 sentences do not hold every pair.) With another sentence's memory the decoder writes that sentence's translation, to the last word. So the
# memory is what tells it *what* to say; by the wiring there is no other way. But with zeros or an average it does not babble well. It stammers, with zeros
# 36 %, with the average 46 %: each gives one broken sentence, whatever the source.
#
# ```{admonition} Verdict: true for another sentence's memory; false for none
# :class: note verdict
# In the training of this translator a memory was always there. Zeros are not "no information", they are
# an input that it has never seen, and its answer to that says little about what it knows. If you take a part out of a model, put something in its place that is
# *like* the real thing, such as the real thing from another example. (This also is why "we zeroed it and everything broke" is a weak argument in a paper.)
# ```
#
# (claim-05-2)=
# ### Claim 2: "Residual connections are there so that gradients do not vanish"
#
# This is the usual reason for the "add" in add & norm. We build encoder stacks of 1 to 32 layers from one and the same
# kind of layer, wired in five ways, each with one more norm at its end, untrained (Xavier's start, {cite:t}`glorot2010understanding`, as our translator had), and give them random vectors. Two numbers: how large is the gradient that arrives at the
# *input*? And how different are the places from each other at the *output*: the part of the vectors that is not common to all places, from 0 (all places hold the
# same vector) to 1? Three random starts, and their geometric mean. Let us say that a gradient *vanishes* if 32 layers leave less than a twentieth of what one layer gives, and
# *explodes* if they give twenty times as much; and that the places *differ* if more than 0.01 is their own.


# %% tags=["claim-encdec-2"]
def new_layers(depth):
    layers = nn.ModuleList(EncoderLayer(64, 4, 256) for _ in range(depth))
    for parameter in layers.parameters():
        if parameter.dim() == 2:
            nn.init.xavier_uniform_(parameter)  # as in the paper's model, and in ours
    return layers


WIRINGS, DEPTHS = residual_paths.WIRINGS, (1, 2, 4, 8, 16, 32)


def measure(wiring, depth, seed):
    seed_everything(seed)
    # In float64: in float32 it is NaN after 32 layers with residual paths and no norm.
    layers, x = new_layers(depth).double(), torch.randn(8, 16, 64).double().requires_grad_()
    y = x
    for layer in layers:
        y = wired(y, layer.attention_norm, lambda y, f=layer.attention: f(y)[0], wiring)
        y = wired(y, layer.feed_forward_norm, layer.feed_forward, wiring)
    y = F.layer_norm(y, (64,))
    (gradient,) = torch.autograd.grad((y * torch.randn_like(y)).sum(), x)
    own = y - y.mean(dim=1, keepdim=True)  # what a place has that the others have not
    return gradient.norm().item(), (own.norm() / y.norm()).item()


measured = {
    wiring: np.exp(
        np.mean(
            [
                [np.log(measure(wiring, depth, seed)) for depth in DEPTHS]
                for seed in range(3)
            ],
            axis=0,
        )
    )
    for wiring in WIRINGS
}

# %% mystnb={"figure": {"name": "residual-depth", "caption": "Untrained encoder stacks of 1 to 32 layers, wired in five ways (geometric means of three random starts). Left: the gradient at the input, for a random direction at the output. Right: how different the places of a sentence are at the output; what is below 10⁻⁷ is drawn there."}, "image": {"alt": "Two line plots against depth, both axes logarithmic. Left, gradient at the input: pre-norm, post-norm and norm without residual stay within a factor of ten up to 32 layers; residual without norm rises to more than a hundred times its beginning at 16 and 32 layers; with neither it falls below a hundred thousandth. Right, difference between places: pre-norm falls slowly and ends far above the others; residual without norm and post-norm fall to a few hundredths and a hundredth at 16 layers and below a thousandth at 32; without residual connections it is below a millionth from 4 layers on."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for (wiring, values), marker in zip(measured.items(), "osD^v", strict=True):
    left.loglog(DEPTHS, values[:, 0], marker=marker, label=wiring)
    right.loglog(DEPTHS, np.maximum(values[:, 1], 1e-7), marker=marker, label=wiring)
left.set(xlabel="layers", ylabel="gradient at the input")
right.set(xlabel="layers", ylabel="difference between places")
left.legend()
for ax in (left, right):
    ax.set_xticks(DEPTHS, DEPTHS)
    ax.minorticks_off()
fig.tight_layout()
plt.show()

# %% tags=["nbval-ignore-output"]
print(f"{'gradient at the input':21}", *(f"{depth:8} layers" for depth in (1, 16, 32)))
for wiring, values in measured.items():
    print(
        f"{wiring:21}",
        *(f"{values[DEPTHS.index(depth), 0]:15.2g}" for depth in (1, 16, 32)),
    )

# %%
print(f"{'':22}gradient after 32    places still differ")
print(f"{'':22}layers               after 4 layers, after 32")
for wiring, values in measured.items():
    kept = values[-1, 0] / values[0, 0]
    fate = "arrives" if 0.05 < kept < 20 else "vanishes" if kept < 0.05 else "explodes"
    print(f"{wiring:22} {fate:20} {values[2, 1] > 0.01!s:15} {values[-1, 1] > 0.01}")
exploded = measured["residual without norm"][:, 0]
print("residual without norm, 16 and 32 layers: more than a hundred times the gradient:",
      bool((exploded[-2:] > 100 * exploded[0]).all()))  # fmt: skip

# %% [markdown]
# Take residual connections *and* norms away, and the gradient vanishes, as everybody says. But leave the norms in, as most Transformers do, and it arrives. What dies
# without the residual path is the *sentence*: after four layers every place holds the same vector. The norm, which gives every vector the same length, keeps that one at its proper size, so that the gradient looks
# healthy. It is the gradient of a network that has lost which word was which. {cite:t}`dong2021attention` prove that attention upon attention, without residual paths, ends so,
# and call it *rank collapse*; here post-norm comes to it as well, at greater depth. And residual connections *without* norms? The
# gradient explodes: after 16 layers, and after 32, it is more than a hundred times what one layer gives, and the places become alike, too. Of the five only pre-norm keeps both, the words and the gradient, to the end.
#
# Does it matter for learning? A simple task: eight layers, twelve random letters in a ring, and each place must name the letter before it. A stored study has trained each
# wiring from several random starts (PyTorch's, whose matrices are smaller than Xavier's), at two learning rates, 200 steps each. A wiring has *learnt* the task if, at its better rate, more than 0.8 of the letters are right,
# with the whole 95 % interval of the mean; a guess is right in one of 32.

# %% mystnb={"figure": {"name": "residual-learning", "caption": "Share of right letters after 200 steps, eight layers in five wirings, each at the better of its two learning rates: a dot for each random start. Dashed: the bound."}, "image": {"alt": "Dot plot of five wirings. Pre-norm, post-norm and residual without norm: all dots near 1, to the right of the bound. Norm without residual, and neither: all dots near 0."}}
study = load("residual_paths")
fig, ax = plt.subplots(figsize=(7, 2.8))
for row, wiring in enumerate(WIRINGS):
    ax.plot(
        study.results[residual_paths.best(study, wiring)],
        [row] * len(study.seeds),
        "o",
        alpha=0.5,
    )
ax.axvline(0.8, linestyle="--", color="grey")
ax.set_yticks(range(len(WIRINGS)), WIRINGS)
ax.invert_yaxis()
ax.set(xlabel="share of right letters", xlim=(-0.02, 1.02))
plt.show()

# %% tags=["nbval-ignore-output"]
for wiring in WIRINGS:
    cell = residual_paths.best(study, wiring)
    print(
        f"{cell:27} right: {study.estimate(cell)}   learns:",
        study.verdicts[f"{wiring} learns"],
    )
for cell in ("pre-norm 0.003", "norm without residual 0.003"):
    wiring, rate = cell.rsplit(" ", 1)
    here = residual_paths.learnt(wiring, float(rate), seed=0)
    print(
        f"seed 0 of {cell}, trained here: {here:.2f}; stored: {study.results[cell][0]:.2f}"
    )

# %% [markdown]
# ```{admonition} Verdict: half of the story
# :class: note verdict
# In our untrained stacks the gradient vanishes without residual paths and norms, as everybody says. With a norm in each sub-layer it arrives, with or without residual connections. What
# vanishes without them is what the gradient should be *about*: after four layers every place holds the same vector, and in the study eight such layers name
# hardly more letters than a guess does, at either rate, while all three wirings with a residual path learn the task, also the one without norms in its layers: from PyTorch's start, whose matrices are smaller than those of the stacks above
# and of lesson 6, where one without any norm was far off after its short training. So the residual path carries the words further than attention alone, to the end of 32 layers in pre-norm only. The authors who made residual
# connections famous held vanishing gradients for unlikely themselves, because their networks had norms ({cite:t}`he2016deep`, section 4.1).
# ```
#
# (claim-05-3)=
# ### Claim 3: "The decoder needs what the encoder's last layer has made"
#
# The bridge starts at the end of the encoder. What if it started earlier? We give the decoder the encoder's vectors after 2, 1 and 0 layers, through the same
# last norm. (After 0 layers they are the embeddings: no English word has looked at any other.) Nothing is trained anew. And, once each, the last layer *without* the norm,
# and the same multiplied by one number, which gives it the size that the norm would have given.


# %% tags=["claim-encdec-3", "nbval-ignore-output"]
@torch.no_grad()
def encoder_states(model, src):
    """The vectors after 0, 1, … layers, without the last norm."""
    states, mask = [model.embed(src)], padding_mask(src, tokenizer.pad_id)
    for layer in model.encoder_layers:
        states.append(layer(states[-1], mask))
    return states


states = encoder_states(model, src)
with torch.no_grad():
    normed = [model.encoder_norm(state) for state in states]
    factor = normed[2][visible[:, 0, 0]].norm() / states[2][visible[:, 0, 0]].norm()
early = {layers: bleu(write(model, normed[layers], visible)) for layers in (2, 1, 0)}
unnormed = bleu(write(model, states[2], visible))
rescaled = bleu(write(model, factor * states[2], visible))
for layers, found in early.items():
    print(f"memory after {layers} layers, normed: BLEU {found:5.1f}")
print(f"memory after 2 layers, without the last norm: BLEU {unnormed:.1f}")
print(f"the same, times {factor:.2f}: BLEU {rescaled:.1f}")

# %%
print(
    "without any encoder layer, BLEU above 55:",
    early[0] > 55,
    "  each layer adds:",
    early[0] < early[1] < early[2],
)
print(
    "without the last norm, BLEU below 20:",
    unnormed < 20,
    "  rescaled, above 70:",
    rescaled > 70,
)

# %% [markdown]
# A decoder that has never met a bare embedding translates from bare embeddings, not well, but far from nonsense. A likely reason is in claim 2: the
# last layer's vector is the embedding *plus* two layers' additions, so the word is still in it. And what a memory without its last norm lacks is above all its *size*: one number repairs most
# of the damage.
#
# How much of the damage is only habit? Let the decoder get used to it: 60 batches of training for cross-attention alone; everything else stays frozen. A fair comparison gives the same 60
# batches to *every* memory, the whole one too. The stored study did so in several orders of the batches, and the bound is: as good as the whole memory if it is at most 2 BLEU
# behind, interval included. One of these trainings runs here:

# %% tags=["nbval-ignore-output"]
study = load("memory_habit")
print(f"BLEU after 60 batches, mean and interval of {len(study.seeds)}:")
for kind in memory_habit.MEMORIES:
    print(f"  {kind:18} {study.estimate(kind):.1f}")
here = memory_habit.bleu_of(memory_habit.used_to("embeddings", seed=0), "embeddings")
print(
    f"embeddings, seed 0, trained here: {here:.1f}; "
    f"stored: {study.results['embeddings'][0]:.1f}"
)

# %%
for statement, word in study.verdicts.items():
    print(f"{statement}: {word}")

# %% [markdown]
# ```{admonition} Verdict: the last few BLEU points need it, in this translator; most do not
# :class: note verdict
# With the same 60 batches for everybody, words that have not looked at each other at all bring the decoder to about six sevenths of the whole memory's BLEU; one encoder layer comes within a few points. So the decoder
# can do much of the reading itself: its cross-attention sees the whole source, too. But neither is as good as the whole, by the bound, after those 60 batches. And the memory without its last *norm*? One number gives back most of
# what is lost, with no training; so it is mostly a matter of size, though neither that nor 60 batches give back all. The limit: our grammar has short sentences and few
# ambiguous words. Where the meaning of a word hangs on its neighbours, the encoder may have more to do.
# ```
#
# (claim-05-4)=
# ### Claim 4: "Each layer of the decoder refines the guess of the one before"
#
# After every sub-layer of the decoder there is a vector for each place, and it lives in the same residual stream as the last. So we may ask it early: put it through the
# last norm, compare it with the embeddings, and read off which token it would say. The trick is called the **logit lens** ({cite:t}`nostalgebraist2020interpreting`). The
# decoder gets the reference up to each place and must say the next token.


# %% tags=["claim-encdec-4"]
@torch.no_grad()
def decoder_states(model, tgt, memory, memory_mask):
    """The residual stream before the first sub-layer, and after each."""
    x, mask = model.embed(tgt), causal_mask(tgt.shape[1], tgt.device)
    states = {"embedding": x}
    for number, layer in enumerate(model.decoder_layers, start=1):
        normed = layer.attention_norm(x)
        x = states[f"{number} self-attention"] = (
            x + layer.attention(normed, normed, mask)[0]
        )
        read = layer.cross_attention(layer.cross_attention_norm(x), memory, memory_mask)[0]
        x = states[f"{number} cross-attention"] = x + read
        x = states[f"{number} feed-forward"] = x + layer.feed_forward(
            layer.feed_forward_norm(x)
        )
    return states


@torch.no_grad()
def lens(model, state):
    """What a state would say: (B, T) tokens."""
    return (model.decoder_norm(state) @ model.embedding.weight.T).argmax(dim=-1)


asked = tgt_out != tokenizer.pad_id
said = {
    name: lens(model, state)
    for name, state in decoder_states(model, tgt_in, memory, visible).items()
}
right = {
    name: (tokens == tgt_out)[asked].float().mean().item() for name, tokens in said.items()
}
same = {
    name: (tokens == tgt_in)[asked].float().mean().item() for name, tokens in said.items()
}

# %% mystnb={"figure": {"name": "logit-lens", "caption": "The trained decoder, asked early. After each sub-layer: how often it would say the right next token, and how often the token that it has just been given. 100 unseen sentences."}, "image": {"alt": "Line plot over seven stages of the decoder. The right next token: 0 percent at first, about 20 after the cross-attention of layer 1, 55 after its feed-forward network, 57 after the self-attention of layer 2, and 99 after its cross-attention. The given token: all at first, none in the end."}}
fig, ax = plt.subplots(figsize=(8, 3.6))
ax.plot(list(right), list(right.values()), marker="o", label="the right next token")
ax.plot(
    list(same),
    list(same.values()),
    marker="s",
    linestyle="--",
    label="the token it was given",
)
ax.set(xlabel="asked after this sub-layer", ylabel="share of places", ylim=(-0.03, 1.03))
ax.set_xticks(
    range(len(right)), list(right), rotation=25, ha="right", rotation_mode="anchor"
)
ax.legend()
plt.show()

# %%
row = next(
    i for i, text in enumerate(sources) if "not" in text.split() and len(text.split()) < 8
)
print(f"{sources[row]}\n")
print(f"{'given':18}", *tokenizer.pieces(tgt_in[row][asked[row]].tolist()))
for name, tokens in said.items():
    print(f"{name:18}", *tokenizer.pieces(tokens[row][asked[row]].tolist()))

# %%
shares = list(right.values())
print(
    "each sub-layer has more right than the one before:",
    all(a < b for a, b in pairwise(shares)),
)
print(
    "the embedding says the token that it stands for, in all places:",
    same["embedding"] == 1,
)

# %% tags=["nbval-ignore-output"]
hit = {name: (tokens == tgt_out)[asked] for name, tokens in said.items()}
moves = {
    name: (int((after & ~before).sum()), int((before & ~after).sum()))
    for (_, before), (name, after) in pairwise(hit.items())
}
print(
    f"of {int(asked.sum()):,} places  right after it  "
    "becomes right  becomes wrong  says the input"
)
for name, (won, lost) in moves.items():
    print(f"{name:19} {right[name]:14.0%} {won:14} {lost:14} {same[name]:15.0%}")
says("55 % of the places are right after the first layer", 100 * right["1 feed-forward"])
says("28 % still repeat the input", 100 * same["1 feed-forward"])
says(
    "self-attention of the second layer makes 65 places right and 45 of the 1,056 wrong",
    *moves["2 self-attention"],
    int(asked.sum()),
)

# %% [markdown]
# At first every place repeats the token that it was given: with one table for input and output, most tokens give themselves the largest logit (here, all). The next
# token has to *displace* the present one in the stream, and it does so in two large steps, the feed-forward network of the first layer, and the cross-attention of the second.
#
# ```{admonition} Verdict: true on the whole, in this translator; not of every place
# :class: note verdict
# After every sub-layer more places are right than before, and the first layer does leave a draft: 55 % of the places are right after the first layer, while
# 28 % still repeat the input. But a sub-layer also takes away: the self-attention of the second layer makes 65 places right and 45 of the 1,056 wrong that were right before.
# The lens has a limit of its own: it reads early layers in the language of the last. A vector may hold
# an answer in a form that the last norm and the embeddings do not show; a lens that is trained for each layer sees more ({cite:t}`belrose2023eliciting`).
# ```
#
# ## Bugs worth meeting
#
# Six ways to put right parts together wrongly. All of them run without an error, with the trained weights. Each is a subclass that changes one thing.


# %% tags=["hide-input"]
class Unscaled(EncoderDecoder):
    """The embeddings are not multiplied by √d_model."""

    def embed(self, tokens):
        return self.embedding(tokens) + sinusoidal_table(tokens.shape[1], self.d_model).to(
            tokens.device
        )


class LayersReversed(EncoderDecoder):
    """The encoder's layers run in the wrong order."""

    def encode(self, src):
        x = self.embed(src)
        for layer in reversed(self.encoder_layers):
            x = layer(x, padding_mask(src, self.pad_id))
        return self.encoder_norm(x)


class NoEncoderNorm(EncoderDecoder):
    """The norm at the end of the encoder is forgotten."""

    def encode(self, src):
        return encoder_states(self, src)[-1]


class NoDecoderNorm(EncoderDecoder):
    """The norm at the end of the decoder is forgotten."""

    def decode(self, tgt, memory, memory_mask):
        states = decoder_states(self, tgt, memory, memory_mask)
        return list(states.values())[-1] @ self.embedding.weight.T


class NormedResidual(EncoderDecoder):
    """The encoder adds f to norm(x), not to x."""

    def encode(self, src):
        x, mask = self.embed(src), padding_mask(src, self.pad_id)
        for layer in self.encoder_layers:
            x = layer.attention_norm(x)
            x = x + layer.attention(x, x, mask)[0]
            x = layer.feed_forward_norm(x)
            x = x + layer.feed_forward(x)
        return self.encoder_norm(x)


class PaddingSeen(EncoderDecoder):
    """Cross-attention gets no mask, and reads the padding."""

    def decode(self, tgt, memory, memory_mask):
        return super().decode(tgt, memory, None)


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def with_bug(bug):
    broken = (
        bug(trained.vocab_size, trained.d_model, trained.n_heads, trained.d_ff, n_layers=2)
        .to(device)
        .eval()
    )
    broken.load_state_dict(model.state_dict())
    logits = broken(src, tgt_in)
    loss = F.cross_entropy(
        logits.flatten(0, 1), tgt_out.flatten(), ignore_index=tokenizer.pad_id
    )
    certain = (logits.softmax(dim=-1).amax(dim=-1)[asked] > 0.999).float().mean()
    return bleu(translate(broken, src)), loss.item(), certain.item()


bugs = (
    EncoderDecoder,
    Unscaled,
    LayersReversed,
    NoEncoderNorm,
    NoDecoderNorm,
    NormedResidual,
    PaddingSeen,
)
harm = {bug.__name__: with_bug(bug) for bug in bugs}
print(
    f"{'':16}{'BLEU':>6}{'loss':>8}{'certain':>9}   (certain: one token gets over 99.9 %)"
)
for bug in bugs:
    found, loss, certain = harm[bug.__name__]
    print(
        f"{bug.__name__:16}{found:6.1f}{loss:8.2f}{certain:9.0%}   "
        f"{bug.__doc__ or 'As it should be.'}"
    )

# %%
useless = [name for name, (found, *_) in harm.items() if found < 20]
hidden = [
    name for name, (found, *_) in harm.items() if found > 80 and name != "EncoderDecoder"
]
print("useless, BLEU below 20:     ", ", ".join(useless))
print("hidden, BLEU still above 80:", ", ".join(hidden))
print(
    "certain of most tokens:     ",
    ", ".join(name for name, (*_, certain) in harm.items() if certain > 0.5),
)
rows, places = model.embedding.weight[3:], sinusoidal_table(20, trained.d_model)
print(
    f"typical entry of an embedding {rows.square().mean().sqrt():.1f}, "
    f"of the table of places {places.square().mean().sqrt():.1f}"
)

# %% [markdown]
# **Three that you will notice.** *The residual path behind the norm*: x becomes norm(x) + f(norm(x)). That is post-norm with the brackets moved, and the embedding normed once more; the weights learnt pre-norm, so every
# sub-layer after the first gets sums that it has never seen. *The encoder's norm forgotten*: claim 3.
# *The embeddings not scaled*: the places drown the words.
#
# **Two that hide.** *The encoder's layers in the wrong order* (it happens: sort names as text, and `layers.10` comes before `layers.2`) costs a few points only. *The norm at the decoder's end forgotten*
# costs hardly any BLEU: greedy decoding asks for the largest logit only, and it mostly stays the largest. (Not always: γ, β and the mean that is taken away can change the order.) But all logits are far too
# large, and so the model is certain of nearly everything. Whatever needs a second choice, such as {term}`beam search` or sampling, hardly finds one. So compare **logits**, as we did above: BLEU alone would hardly have told.
#
# **One that depends on the company.** *Padding seen*: cross-attention shares its weights with what a short sentence was filled up with. So the translation of a sentence depends on who
# travels with it:

# %%
broken = (
    PaddingSeen(
        trained.vocab_size, trained.d_model, trained.n_heads, trained.d_ff, n_layers=2
    )
    .to(device)
    .eval()
)
broken.load_state_dict(model.state_dict())
changed = {}
for name, candidate in (("as it should be", model), ("padding seen", broken)):
    alone = translate(candidate, src)
    # As if a longer one were beside it.
    in_company = translate(candidate, F.pad(src, (0, 20), value=tokenizer.pad_id))
    changed[name] = sum(a != b for a, b in zip(alone, in_company, strict=True))
print("translations that change when 20 places of padding are added:")
print(
    "  as it should be:",
    changed["as it should be"],
    "of 100;  padding seen: more than 20 of 100:",
    changed["padding seen"] > 20,
)

# %% [markdown]
# That is the test to write for every model that works on batches: **a sentence alone and the same sentence in a batch give the same result, up to rounding.**
#
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. The source has 12 tokens, the decoder is given 5. What is the shape of the cross-attention weights of one head, and which side makes the keys?**
#
# <details><summary>12 × 5; the target makes the keys</summary>
#
# No. The one who *asks* has the rows. The decoder asks ("which English word do I need now?"), so the queries, and the rows, are the target's.
#
# </details>
# <details class="right"><summary>5 × 12; the source makes the keys</summary>
#
# Right. 5 queries from the target, 12 keys and values from the memory. Each row sums to 1.
#
# </details>
# <details><summary>17 × 17; both make keys</summary>
#
# No. That is a decoder-only model that has source and target behind each other in one sequence. Here the two are kept apart.
#
# </details>
#
# **2. While a translation of 20 tokens is being written, token by token, how often must a layer of the encoder run?**
#
# <details class="right"><summary>Once</summary>
#
# Right. The memory depends on the source alone. Nothing that the decoder writes can change it.
#
# </details>
# <details><summary>20 times, once for each token</summary>
#
# No. The *decoder* runs 20 times. The encoder never sees the target.
#
# </details>
# <details><summary>It depends on the number of decoder layers</summary>
#
# No. All decoder layers read the same memory.
#
# </details>
#
# **3. You change a pre-norm model to post-norm by moving the norms of its sub-layers; the last norm stays. You load the weights of the pre-norm model. All names and shapes fit. What do you get?**
#
# <details><summary>The same numbers: it is the same arithmetic in another order</summary>
#
# No. norm(x + f(x)) is not x + f(norm(x)). In the first the path of x goes through a norm at every sub-layer, in the second through none.
#
# </details>
# <details><summary>An error, for a pre-norm stack has one more norm at its end</summary>
#
# No. Without it a strict load would complain about its name. But it stayed, as in the post-norm models of `nn.Transformer`.
#
# </details>
# <details class="right"><summary>A model that runs and writes nonsense</summary>
#
# Right, most likely (above, rewiring the encoder was enough). Nothing checks that weights fit the wiring that they were trained in. The name of the file should say it, and a test should compare logits.
#
# </details>
#
# **4. In a pre-norm stack you set the last matrices of all sub-layers (W_O of each attention, the second of each feed-forward network) and their biases to 0. What does the stack compute?**
#
# <details><summary>Zeros</summary>
#
# No. Each *sub-layer* gives zeros, but x is added to them.
#
# </details>
# <details class="right"><summary>The norm of its input</summary>
#
# Right. x + 0 + 0 + … = x, and then the last norm. Some people start training near this point on purpose: at first a deep stack does nothing, and it learns to do something.
#
# </details>
# <details><summary>The average of all places</summary>
#
# No. Of the *values*, uniform attention hands that to W_O; W_O is what we set to zero.
#
# </details>
#
# ## The translator, step 5
#
# Your layers are now the translator. What does it consist of? The library counts by formula; your module has the numbers themselves:

# %%
counted = sum(parameter.numel() for parameter in model.parameters())
rows = table(trained)
for name, count, share in rows:
    print(f"{name:24} {count:9,} {share:5.0%}")
assert counted == sum(count for _, count, _ in rows)
print(f"{'together, and in our own':24} {counted:9,}")

# %% [markdown]
# In so small a model the table of embeddings is nearly half of all. (In *Transformer base* it is less than a third, and still the largest block.) And what does a translation cost? Count who is called how often while one sentence
# is written:

# %%
calls = {"encoder": 0, "decoder": 0}
hooks = [
    layer.register_forward_hook(
        lambda *_, side=side: calls.__setitem__(side, calls[side] + 1)
    )
    for side in calls
    for layer in getattr(model, f"{side}_layers")
]
(found,) = translate(model, example)
for hook in hooks:
    hook.remove()
tokens = len(tokenizer.encode(found)) + 1
print(f"{found!r}: {tokens} tokens, the last one </s>")
print(
    f"encoder layers ran {calls['encoder']} times (2 layers × 1), "
    f"decoder layers {calls['decoder']} times (2 layers × {tokens})"
)

# %% [markdown]
# The encoder reads once, the decoder runs for every token. So layers in the encoder are cheaper than layers in the decoder: {cite:t}`kasai2021deep` report that twelve and one,
# trained on the output of a larger translator, translate about as well as six and six, and faster. So lesson 11 begins with the decoder.
#
# ### Exercise: build it
#
# [Open the exercise on Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/05_encoder_decoder.ipynb),
# or open `exercises/05_encoder_decoder.ipynb` at home. Three questions, 10 points; `check("q1")` tells you at once what is probably wrong,
# in one sentence. At the end the trained weights run in *your* model.
#
# **Question 1:** `EncoderLayer`.
#
# ```{include} ../solutions/05_encoder_decoder.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ````{dropdown} Solution of question 1
# ```{literalinclude} ../solutions/05_encoder_decoder.py
# :language: python
# :start-after: "# %% solution EncoderLayer"
# :end-before: "# %%"
# ```
# ````
#
# **Question 2:** `DecoderLayer`.
#
# ```{include} ../solutions/05_encoder_decoder.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of question 2
# ```{literalinclude} ../solutions/05_encoder_decoder.py
# :language: python
# :start-after: "# %% solution DecoderLayer"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `EncoderDecoder`, the way of the data.
#
# ```{include} ../solutions/05_encoder_decoder.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/05_encoder_decoder.py
# :language: python
# :start-after: "# %% solution EncoderDecoder"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - The encoder reads the source once and gives a vector for each token, the memory. The decoder writes, one token at a time, and reads the memory in every layer.
# - Cross-attention is the only bridge: queries from the target, keys and values from the source, weights $T \times S$.
# - No sub-layer changes the number of places or the width $D$; that is why they stack, and why x can be added to what came of it.
# - Pre-norm is $x + f(\operatorname{norm}(x))$: a sum that nothing touches, with one norm at the end. Post-norm is $\operatorname{norm}(x + f(x))$.
# - The residual path carries the words past the sub-layers, the norm keeps the scale; of our untrained stacks of 32 layers only pre-norm kept words and gradient. With norms and no residual path the gradient lives, and the difference between the words dies.
# - In training the decoder reads the right beginning (teacher forcing), shifted by one place; dropout works in training only.
# - Encoder-only, decoder-only, encoder–decoder: the same blocks, with other masks; the last has cross-attention, too.
# - Right weights in wrong wiring run without an error. Compare logits, and compare a sentence alone with the same sentence in a batch.
#
# **See it learn.** [The playground](../book/playground) trains two small Transformers side by side, in the page. Its model is the one of this lesson; choose one stack or two.
#
# **Where it comes from.** The model: {cite:t}`vaswani2017attention`, section 3. Encoder and decoder as such, with recurrent networks: {cite:t}`cho2014learning`, {cite:t}`sutskever2014sequence`. Residual
# connections: {cite:t}`he2016deep`. Pre-norm against post-norm: {cite:t}`xiong2020layer`. Attention without residual paths: {cite:t}`dong2021attention`.
