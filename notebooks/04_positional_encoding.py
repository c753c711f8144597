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
# # 4 · Positional encoding
#
# **How does it know order?** *75 minutes, and 40 for the exercise. You need: attention (lesson 1), queries and keys as products with learned matrices (lesson
# 2), what a head is (lesson 3); sine and cosine.*
#
# After this lesson you can
#
# - write the usual ways of telling a Transformer the order, each in a few lines, and say what each of them changes;
# - turn a vector at position $t$ into the one at position $t + k$ with one matrix, and say what RoPE does with it;
# - say which of them survive a text longer than those in training, and why the others do not.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib import studies
from lessons_lib.attention import (
    AttentionPositions,
    MultiHeadAttention,
    scaled_dot_product_attention,
)
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.evidence import above, share
from lessons_lib.figures import use_course_style
from lessons_lib.masks import causal_mask
from lessons_lib.positions import (
    AlibiPositions,
    ClippedRelativePositions,
    LearnedPositions,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
    T5Positions,
    sinusoidal_table,
    t5_bucket,
)
from lessons_lib.prose import says
from lessons_lib.studies import beyond_training
from lessons_lib.studies.beyond_training import (
    FAR,
    SEEN,
    SHORT,
    losses,
    test_windows,
)
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.evaluation.scoring import score
from lessons_lib.widgets import PositionsWidget

use_course_style()
device = pick_device()
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# Two sentences of the same five words:
#
# > The girl knows the boy. &emsp; The boy knows the girl.
#
# Lesson 1 had a warning. Attention compares every word with every word, and nothing in it asks *where* a word stands. Shuffle
# the words, and the results are shuffled along: it is {term}`permutation-equivariant`. So the two sentences are one and the same heap
# of words to it.
#
# Here is the course's translator, trained on the embedded corpus. It has an {term}`encoder`, which reads the English
# sentence, and it adds something to each word there to say where the word stands. We let it translate. Then we take that something
# away, and change nothing else.

# %%
translator = load_course_translator(device)
model, tokenizer = translator.model.eval(), translator.tokenizer
encoder = model.encoder
PAIR = ["The girl knows the boy.", "The boy knows the girl."]


def french(sentences):
    return [
        translation.text for translation in translator.translate(sentences, attention=False)
    ]


trained_positions = encoder.positions
print("with positions:   ", " | ".join(french(PAIR)))
encoder.positions = Positions()  # the library's way of telling nothing
print("without positions:", " | ".join(french(PAIR)))

# %% [markdown]
# Somebody knows a boy in both. That is no accident of two sentences: the encoder *cannot* do better, because what it makes of one
# sentence is exactly what it makes of the other, with the rows of "girl" and "boy" exchanged.


# %%
@torch.no_grad()
def read(sentence):
    """What the encoder makes of a sentence: a vector for each piece, (T, D)."""
    return model.encode(
        torch.tensor([[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device)
    )[0]


pieces = tokenizer.pieces([*tokenizer.encode(PAIR[0]), tokenizer.eos_id])
swap = [pieces.index("▁girl"), pieces.index("▁boy")]
exchange = list(range(len(pieces)))
exchange[swap[0]], exchange[swap[1]] = swap[1], swap[0]
print("pieces:", " ".join(pieces))

first, second = (read(sentence) for sentence in PAIR)
print(
    "without positions, one is the other with two rows exchanged:",
    torch.allclose(second, first[exchange], atol=1e-4),
)
encoder.positions = trained_positions
first, second = (read(sentence) for sentence in PAIR)
print(
    "with positions,    one is the other with two rows exchanged:",
    torch.allclose(second, first[exchange], atol=1e-4),
)

# %% [markdown]
# What is the something? In this translator, a fixed pattern of waves. The widget shows such a pattern, 32 wide; move over it. Its second view compares
# positions with each other, its third holds a head of the translator's first layer. Choose *Words swapped*, and take the positions off.

# %% tags=["hide-input"]
LAYER, HEAD, WIDTH = 0, 1, model.config.head_width


@torch.no_grad()
def one_head(sentence):
    """A head of the encoder as the widget takes it.

    The layer norm in front scales by γ and adds β (lesson 6): both are worked into its
    matrices.
    """
    attention, norm = (
        encoder.layers[LAYER].attention,
        encoder.layers[LAYER].attention_residual.norm,
    )
    ids = torch.tensor([[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device)
    rows = slice(HEAD * WIDTH, (HEAD + 1) * WIDTH)
    parts = {"embeddings": model.embed(ids)[0]}
    for name, layer in (("query", attention.query), ("key", attention.key)):
        parts[name] = layer.weight[rows] * norm.gamma
        parts[f"{name}_bias"] = layer.weight[rows] @ norm.beta + layer.bias[rows]
    return {"words": [piece.strip("▁") for piece in pieces], "swap": swap, **parts}


widget = PositionsWidget(
    width=32,
    length=64,
    position=10,
    dimension=6,
    distance=3,
    head=one_head(PAIR[0]),
    selected=2,
)
widget

# %% tags=["hide-input"]
with torch.no_grad():
    for sentence in PAIR:
        ids = torch.tensor([[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device)
        block = encoder.layers[LAYER]
        x = block.attention_residual.norm(encoder.positions.add(model.embed(ids)))
        weights = block.attention(x, return_weights=True)[1][0, HEAD, 2]
        said = [piece.strip("▁") for piece in tokenizer.pieces(ids[0].tolist())]
        print(
            f"with positions, {said[2]!r} gives {said[4]!r} {weights[4]:.2f} and "
            f"{said[1]!r} {weights[1]:.2f}"
        )

# %% [markdown]
# ```{admonition} What to try
# :class: tip
# **Pattern:** the top rows turn fast, the bottom ones hardly move, like the hands of many clocks: no two of these positions
# show the same time. **Similarity:** move the *position* and keep the *distance*. Neither number changes. **Words swapped:** with
# positions, *knows* gives a quarter of its weight to the person two places further on, whoever that is. Without, both columns are the
# same.
# ```
#
# ## The mathematics
#
# A word vector $x_t \in \mathbb{R}^{D}$ stands at position $t = 0, 1, \ldots$; a head makes a query $q_t$ and a key $k_t$ of it, both
# with $d_{head}$ entries ({term}`query`, {term}`key`). The score of a key at $s$ for a query at $t$ is $q_t \cdot k_s / \sqrt{d_{head}}$, and we write
# $s - t$ for the **distance**: negative looks back. Three places where a Transformer is told the order are usual (an attention that is told nothing gets `NO_POSITIONS` in the library).
#
# **1. Add to the words.** Before the first layer, add a vector that depends on the position alone: $x_t + p_t$. This is called a
# {term}`positional encoding`. Two choices are common:
#
# - **Learned** ({cite:t}`gehring2017convolutional`; BERT and GPT-2): a table of parameters, $p_t$ is row $t$. It has as many rows as
#   you gave it.
# - **Sinusoidal** ({cite:t}`vaswani2017attention`): nothing is learned. Columns come in pairs $i = 0, \ldots, D/2 - 1$, and each pair is
#   a point that goes round a circle at its own speed $\omega_i$:
#
# $$
# p_{t,2i} = \sin(\omega_i t), \qquad p_{t,2i+1} = \cos(\omega_i t), \qquad \omega_i = 10000^{-2i/D} .
# $$
#
# The first pair turns by one radian a word (once round in $2\pi \approx 6$ words). The last one is slowest: with $D = 512$ it goes round in
# $2\pi \cdot 10000^{510/512} \approx 60{,}600$ words.
#
# **The factor $\sqrt D$.** The paper multiplies the word vectors by $\sqrt D$ before it adds (section 3.4; it gives no reason). Where their entries begin
# with a variance of $1/D$, as in our library, this makes words about as loud as sines and cosines, whose mean square is ½. Claim 2 measures what is lost without it.
#
# **Why add, and not concatenate?** Side by side, a matrix has a part for each: $[\,x \,|\, p\,] \begin{bmatrix} W_x \\ W_p
# \end{bmatrix} = x W_x + p W_p$. That is a sum, too; with $W_x = W_p = W$ it is $(x + p)\, W$. So concatenating can do all that adding can, and costs a
# wider vector. Adding costs no width, and loses little as long as both can be told apart in the sum. The code below looks.
#
# **2. Add to the scores.** Leave the words alone, and add a **bias** to the score, which depends on the distance alone:
# $q_t \cdot k_s / \sqrt{d_{head}} + b_{s-t}$. That is a {term}`relative position bias`. Each head has its own:
#
# - **Clipped** (after {cite:t}`shaw2018self`, who did it to keys and values): a learned number for each distance from $-m$ to $+m$.
#   What is further away gets the number of the last one. That makes $2m + 1$ numbers.
# - **T5's buckets** ({cite:t}`raffel2020exploring`): a learned number for each *bucket* of distances. Small distances have a bucket
#   each, larger ones share. In an encoder there are 16 to each side: one each up to 7, and eight more from 8 to 127 on a logarithmic scale
#   (8–11, 12–15, 16–22 …), the last also for what is further.
# - **{term}`ALiBi`** ({cite:t}`press2022train`): nothing is learned, $b_{s-t} = -m_h \, |s - t|$. Far keys lose, at a slope $m_h$ (not the limit $m$ above) that
#   differs from head to head: $\tfrac14, \tfrac1{16}, \tfrac1{64}, \tfrac1{256}$ for four heads.
#
# **3. Turn queries and keys.** **{term}`RoPE`** ({cite:t}`su2021roformer`; Llama and many models since) treats the $d_{head}$ entries of a
# query as $d_{head}/2$ points in the plane, and turns point $i$ by the angle $\omega_i t$, with the same speeds as above (with $d_{head}$ in place of
# $D$). Keys likewise. Turning both by the *same* angle changes no dot product, so what remains in the score is the difference (the vectors are columns here):
#
# $$
# (R_t\, q) \cdot (R_s\, k) \;=\; q^\top R_t^\top R_s\, k \;=\; q^\top R_{s-t}\, k , \qquad R_t \in \mathbb{R}^{d_{head} \times d_{head}} \text{ a rotation.}
# $$
#
# (Back by $t$ and forward by $s$ is forward by $s - t$.) Take one pair, $\omega = 1$, $q = (1, 0)$ and $k = (0.6, 0.8)$. At the positions 1 and 3
# their dot product is
# −0.977; at 5 and 7, the same distance, it is −0.977 again (drawn below).
#
# | method | what it changes | learned numbers | knows |
# |---|---|---|---|
# | sinusoidal | the words, once | none | where |
# | learned | the words, once | $T_{max} \cdot D$ | where |
# | clipped | the scores, in each layer | $H (2m+1)$ | how far, and on which side |
# | T5's buckets | the scores, in each layer | $H \cdot 32$ | how far, roughly, and on which side |
# | ALiBi | the scores, in each layer | none | how far, and far is bad; not on which side |
# | RoPE | queries and keys, in each layer | none | how far, and on which side |
#
# *Where* is called **absolute**, *how far* **relative**. The tables of numbers for the scores are shared by all layers of a stack. The last four leave
# the values alone: in the first layer a word hands over the same thing
# wherever it stands.
#
# ## The code, from scratch
#
# The table: a column of positions times a row of speeds gives all angles at once.


# %%
def sinusoids(length, width):
    speeds = 10_000 ** (-torch.arange(0, width, 2) / width)  # (D/2,)
    angles = torch.arange(length)[:, None] * speeds  # (T, 1) * (D/2,) -> (T, D/2)
    # (T, D/2, 2) -> (T, D)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


print(sinusoids(4, 4).numpy().round(2))
torch.testing.assert_close(sinusoids(200, 32), sinusoidal_table(200, 32))
torch.testing.assert_close(sinusoids(256, 128), trained_positions.table.cpu())
learned = LearnedPositions(
    16, 32
)  # the other table: begins small and random, and is trained
torch.testing.assert_close(learned.add(torch.zeros(1, 9, 32))[0], learned.table[:9])
print("ours = lessons_lib = the table inside the translator")
print(
    f"the slowest pair at D = 512 goes round in "
    f"{2 * math.pi * 10_000 ** (510 / 512):,.0f} words"
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "waves", "caption": "The sinusoidal table of 48 positions and 32 columns, and three of its columns as waves. Each pair of columns repeats after a time of its own; a row is read across all of them."}, "image": {"alt": "Left, a picture of the table, a line for each column: the upper lines change between red and blue every few positions, the lower half hardly changes at all. Right, three sine waves over the same positions: column 0 repeats about every 6 positions, column 6 about every 35, and column 14 rises slowly and has not turned back by the end."}}
waves = sinusoids(48, 32)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
image = left.imshow(waves.T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
left.set(xlabel="position t", ylabel="column")
left.grid(False)
fig.colorbar(image, ax=left, label="value")
for column, style in ((0, "-"), (6, "--"), (14, ":")):
    right.plot(waves[:, column], style, label=f"column {column}")
right.set(xlabel="position t", ylabel="value", ylim=(-1.1, 1.1))
right.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plt.show()
periods = [2 * math.pi * 10_000 ** (column / 32) for column in (0, 6)]
says(
    "column 0 repeats about every 6 positions, column 6 about every 35, and column 14",
    *(0, periods[0], 6, periods[1], 14),
)

# %% [markdown]
# Adding is concatenating with one matrix for both: exactly. And can the place be read back from the sum? We take words of the translator
# *plus* their rows and fit, by least squares on half of the sentences, one matrix that gives back the row. In the other half we see which row of the
# table is nearest. The control gets the words without their rows. Fixed before the numbers: both can be told apart if more than 9 of 10 are named.

# %%
W = torch.randn(32, 16)
x, p = torch.randn(10, 32), sinusoids(10, 32)
torch.testing.assert_close((x + p) @ W, torch.cat([x, p], dim=1) @ torch.cat([W, W]))
print("(x + p) W = [x | p] [W; W]")

corpus = load_grammar(seed=0, n_train=1)
pieces_of = [torch.tensor([tokenizer.encode(pair.source)]) for pair in corpus.test[:400]]
places = torch.cat([torch.arange(ids.shape[1]) for ids in pieces_of])
half = sum(ids.shape[1] for ids in pieces_of[:200])
with torch.no_grad():
    words = torch.cat([model.embed(ids.to(device))[0].cpu() for ids in pieces_of])
rows = sinusoids(64, model.config.d_model)
loud = [part.pow(2).mean().sqrt().item() for part in (words, rows)]
print(f"root mean square of the words {loud[0]:.1f}, of the rows {loud[1]:.1f}")
for name, given in (("words plus rows", words + rows[places]), ("words alone", words)):
    given = F.pad(given, (0, 1), value=1.0)  # room for a bias
    back = torch.linalg.lstsq(given[:half], rows[places[:half]]).solution
    named = torch.cdist(given[half:] @ back, rows).argmin(dim=1)
    hits = share(int((named == places[half:]).sum()), len(named))
    print(f"place read back from {name}: {hits:.2f}; more than 9 of 10: {above(hits, 0.9)}")

# %% [markdown]
# A bias: make the matrix of distances, then look each of them up. `start` is the position of the first query. It is 0 until we generate
# text word by word: then there is one query, at the end, and many keys before it.


# %%
def distances(length, start=0):
    keys = torch.arange(start + length)
    return keys - keys[start:, None]  # (S,) - (T, 1) -> (T, S)


def clipped_bias(table, length, start=0):  # table (H, 2·m + 1)
    m = (table.shape[1] - 1) // 2
    return table[:, distances(length, start).clamp(-m, m) + m]  # (H, T, S): −m is column 0


def alibi_bias(n_heads, length, start=0):
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1) / n_heads)  # for a power of two
    return -slopes[:, None, None] * distances(length, start).abs()


def buckets(distance):  # T5's 32, for an encoder: 16 to the left, 16 to the right
    far = distance.abs().clamp(min=8)
    # 8 … 127 share 8 buckets.
    logarithmic = 8 + (torch.log(far / 8) / math.log(128 / 8) * 8).long()
    return torch.where(
        distance.abs() < 8, distance.abs(), logarithmic.clamp(max=15)
    ) + 16 * (distance > 0)


clipped, alibi = ClippedRelativePositions(2, max_distance=3), AlibiPositions(4)
t5 = T5Positions(2, causal=False)
nn.init.normal_(clipped.table)
nn.init.normal_(t5.table)
for start in (0, 5):
    torch.testing.assert_close(
        clipped_bias(clipped.table, 9, start), clipped.for_attention(9, start).bias
    )
    torch.testing.assert_close(alibi_bias(4, 9, start), alibi.for_attention(9, start).bias)
    torch.testing.assert_close(
        t5.table[:, buckets(distances(9, start))], t5.for_attention(9, start).bias
    )
far_and_near = torch.arange(-300, 301)[None]
assert torch.equal(
    buckets(far_and_near),
    t5_bucket(far_and_near, causal=False, n_buckets=32, max_distance=128),
)

print(distances(4).numpy())
print(
    "buckets of 1, 7, 8, 11, 12, 100, 300 words to the left:",
    buckets(-torch.tensor([1, 7, 8, 11, 12, 100, 300])).tolist(),
)

# %% [markdown]
# Our slopes of ALiBi need a power of two for the heads; the library's `alibi_slopes` takes any number, as its authors' code does.
#
# Does the bias end up where we said? PyTorch's own attention takes a mask of numbers, which it adds to the scores:

# %%
q, k, v = (torch.randn(1, 4, 9, 16) for _ in range(3))  # (B, H, T, d_head)
ours, _ = scaled_dot_product_attention(q, k, v, bias=alibi_bias(4, 9))
torch.testing.assert_close(
    ours, F.scaled_dot_product_attention(q, k, v, attn_mask=alibi_bias(4, 9))
)
print("bias = PyTorch's attn_mask of numbers")

# %% [markdown]
# The rotation. Which two entries make a point? There are two conventions. The paper pairs **neighbours**, $2i$ and $2i + 1$, and so does the code that Meta
# published with Llama's weights ({cite:t}`touvron2023llama`). Our library pairs the two **halves**, $i$ and $i + d_{head}/2$, as Hugging Face's `transformers` does for
# Llama: in the copies of Llama's weights for `transformers` the rows of $W_Q$ and $W_K$ stand in another order for that reason. Both work; mixing them does
# not (see the bugs). So ask of weights which code they were written for. A complex number is a point in the plane, and multiplying by
# $e^{i\theta}$ turns it, so PyTorch can check us:


# %%
def rotate(heads, start=0):  # (…, T, d_head)
    length, width = heads.shape[-2:]
    # (T, 1) * (d_head/2,) -> (T, d_head/2)
    angles = (start + torch.arange(length))[:, None] * 10_000 ** (
        -torch.arange(0, width, 2) / width
    )
    angles = angles.to(heads.device)
    one, two = heads.chunk(2, dim=-1)
    return torch.cat(
        [one * angles.cos() - two * angles.sin(), two * angles.cos() + one * angles.sin()],
        dim=-1,
    )


torch.testing.assert_close(
    rotate(q, start=5), RotaryPositions(64, 16).for_attention(9, start=5).rotate(q)
)

angles = (5 + torch.arange(9))[:, None] * 10_000 ** (-torch.arange(0, 16, 2) / 16)
turned = torch.complex(*q.chunk(2, dim=-1)) * torch.polar(torch.ones_like(angles), angles)
torch.testing.assert_close(
    rotate(q, start=5), torch.cat([turned.real, turned.imag], dim=-1)
)
print("ours = lessons_lib = complex multiplication")

# %% tags=["hide-input"] mystnb={"figure": {"name": "rope-turns", "caption": "RoPE's turn, drawn with `rotate`: the fastest pair of a query and a key. Left, at the positions 1 and 3. Right, four places later. Each has turned by four radians, and the angle between them is the same."}, "image": {"alt": "Two circles with a query arrow and a key arrow each. On the left at positions 1 and 3, on the right at positions 5 and 7. Both arrows point elsewhere on the right, but the angle from query to key is the same."}}
query, key = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8]])
fig, axes = plt.subplots(1, 2, figsize=(6.5, 3.1), layout="constrained")
between = []
for ax, (t, s) in zip(axes, ((1, 3), (5, 7)), strict=True):
    ax.add_patch(plt.Circle((0, 0), 1, fill=False, color="0.8"))
    arrows = (("query", rotate(query, t)[0], t, "C0"), ("key", rotate(key, s)[0], s, "C1"))
    for name, (one, two), place, colour in arrows:
        style = {"width": 0.02, "length_includes_head": True, "color": colour}
        ax.arrow(0, 0, one.item(), two.item(), **style)
        ax.text(1.15 * one, 1.15 * two, f"{name} at {place}", ha="center", color=colour)
    between.append((rotate(query, t) @ rotate(key, s).T).item())
    ax.set(xlim=(-1.5, 1.5), ylim=(-1.3, 1.3), aspect="equal")
    ax.set(
        xlabel="first entry", ylabel="second entry", xticks=[-1, 0, 1], yticks=[-1, 0, 1]
    )
plt.show()
print(f"query · key: {between[0]:.3f} on the left, {between[1]:.3f} on the right")

# %% [markdown]
# And the promise of RoPE, that of two places only their distance enters a score? One query vector and one key vector, put at every pair of positions
# from 0 to 59. On each diagonal of the table of scores (same distance) all numbers must be equal. Beside it, the same for vectors to
# which a sinusoid was added before two matrices made query and key of them.

# %%
seed_everything(0)
x, y, W_q, W_k = (
    torch.randn(1, 32),
    torch.randn(1, 32),
    torch.randn(32, 32) / 6,
    torch.randn(32, 32) / 6,
)


def spread_on_diagonals(scores):
    """The largest difference between two scores at the same distance."""
    diagonals = [scores.diagonal(d) for d in range(-59, 60)]
    return max((d.max() - d.min()).item() for d in diagonals)


turned_scores = rotate((x @ W_q).expand(60, -1)) @ rotate((y @ W_k).expand(60, -1)).T
added_scores = ((x + sinusoids(60, 32)) @ W_q) @ ((y + sinusoids(60, 32)) @ W_k).T
assert spread_on_diagonals(turned_scores) < 1e-3
print(
    "RoPE: same distance, same score:          ", spread_on_diagonals(turned_scores) < 1e-3
)
print(
    "added sinusoids: same distance, same score:", spread_on_diagonals(added_scores) < 1e-3
)

# %% [markdown]
# The similarity of two *rows of the table* depends on the distance alone too. But the
# model compares words *plus* rows, through two learned matrices, and there the distance is only
# one of many things that it could learn to see.
#
# ## Claims, tested
#
# (claim-04-1)=
# ### Claim 1: "PE(pos + k) is a linear function of PE(pos)"
#
# That sentence is in the paper, as the reason for sines and cosines; its PE(pos) is our $p_t$. If it is true, there is one matrix $M_k$, the same for *every*
# position, with $p_{t+k} = M_k \, p_t$. The sum formulas of school say which. For one pair,
#
# $$
# \begin{pmatrix} \sin \omega(t+k) \\ \cos \omega(t+k) \end{pmatrix} =
# \begin{pmatrix} \cos \omega k & \sin \omega k \\ -\sin \omega k & \cos \omega k \end{pmatrix}
# \begin{pmatrix} \sin \omega t \\ \cos \omega t \end{pmatrix},
# $$
#
# a rotation that knows $k$ and not $t$. We build $M_k$ of such 2 × 2 blocks, and let it fail if it can: a thousand positions,
# forward and backward. We look for the best matrix by least squares, on the first half of
# the positions, and see how far it misses on the second half: for the sinusoids, and for a table of **random** vectors.


# %% tags=["claim-6"]
def shift_matrix(k, width):
    blocks = []
    for speed in 10_000 ** (-torch.arange(0, width, 2, dtype=torch.double) / width):
        c, s = torch.cos(speed * k), torch.sin(speed * k)
        blocks.append(torch.stack([torch.stack([c, s]), torch.stack([-s, c])]))
    return torch.block_diag(*blocks)  # (D, D)


def best_linear_map_misses_by(table, k):
    """Fit p[t+k] = M p[t] to the first half of a table; relative error on the second."""
    half = len(table) // 2
    M = torch.linalg.lstsq(table[: half - k], table[k:half]).solution
    here, there = table[half:-k], table[half + k :]
    return ((here @ M - there).norm() / there.norm()).item()


table = sinusoids(1_000, 32).double()
for k in (1, 7, 100):
    # The angles were computed in float32, hence the tolerance.
    torch.testing.assert_close(
        table[:-k] @ shift_matrix(k, 32).T, table[k:], rtol=0, atol=1e-3
    )
    torch.testing.assert_close(
        table[k:] @ shift_matrix(-k, 32).T, table[:-k], rtol=0, atol=1e-3
    )
M = shift_matrix(7, 32)
assert torch.allclose(M @ M.T, torch.eye(32).double())  # a rotation: it changes no length
assert torch.allclose(shift_matrix(3, 32) @ shift_matrix(4, 32), M)  # 3 and 4 words make 7
print("one matrix moves all 1,000 positions by 1, by 7, by 100, and back: True")

# Least squares needs more digits than float32 has: the angles once more, in float64.
angles = torch.arange(1_000)[:, None] * 10_000 ** (
    -torch.arange(0, 16, 2, dtype=torch.double) / 16
)
exact_table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
random_table = torch.randn(
    1_000, 16, dtype=torch.double, generator=torch.Generator().manual_seed(0)
)
print("best matrix for 7 words further, on positions that it was not fitted to:")
print(
    "  sinusoidal table: misses by less than a millionth:",
    best_linear_map_misses_by(exact_table, 7) < 1e-6,
)
print(
    "  random table:     misses by more than 90 %:       ",
    best_linear_map_misses_by(random_table, 7) > 0.9,
)

# %% [markdown]
# ```{admonition} Verdict: true, exactly
# :class: note verdict
# For each $k$ there is one matrix, a rotation, and it works at every position. A random table with many more rows than columns has no such matrix. But
# read what the claim does *not* say. There is one matrix for each $k$, so a head must learn the one that it wants. And it is about the
# table alone, while the model sees words plus table. RoPE closes the second gap: it *is* this rotation, applied to the
# finished queries and keys, where nothing else is mixed in.
# ```
#
# (claim-04-2)=
# ### Claim 2: "Sinusoids extrapolate to longer sequences than seen in training"
#
# The same paper chose sinusoids because they "may allow the model to extrapolate to sequence lengths longer than the ones encountered
# during training". The word *may* is easily lost on the way into a tutorial. The formula has a
# value for every position. But is a value that the model has never met one that it understands?
#
# **The task:** guess the next letter of English text: the sentences of the course's corpus one after the other. **The model:** one layer, with
# nothing different but the positions; its word vectors are multiplied by $\sqrt D$. **Train short:** windows of 32 letters, cut out
# anywhere, 500 batches of them. **Test long:** windows of 256 letters, from other sentences. Does the 200th letter
# get as good a guess as the 20th, by the {term}`loss`? It could get a better one: there is more to look back at.
#
# Seven ways, the seventh being to tell it nothing. A {term}`causal mask` lets no letter look ahead (lesson 8). And a baseline: counting pairs (**bigram**), which guesses the next
# letter from this one alone. Before you read on, bet on the order.
#
# Each way is trained from several random starts, in a stored study (`python -m lessons_lib.studies beyond_training` runs it again). Of start 0 we train four
# here. Fixed before the numbers, for the letters 16–31 ("where trained") and 128–255 ("far out"), by the whole 95 % interval of the mean (else the
# word is *open*):
#
# - a way is *better where trained*, or *worse far out*, than no positions at all if 0.05 {term}`nats` lie between them;
# - it *goes on* if more than half of its lead over no positions is left far out;
# - it is *level* if its loss rises by less than 0.1 nats from the one to the other.

# %% tags=["claim-6", "nbval-ignore-output"]
study = studies.load("beyond_training")
PARTS = beyond_training.PARTS
LIVE = ("none", "sinusoidal", "RoPE", "ALiBi")
trained = {name: beyond_training.trained(name, seed=0) for name in LIVE}
live = beyond_training.measured(trained, seed=0)


def stored(name):
    return study.results[name][study.seeds.index(0)]


print("loss of start 0, here and (in the study)")
for name in LIVE:
    both = [
        f"{live[f'{name}, {part}']:.2f} ({stored(f'{name}, {part}'):.2f})" for part in PARTS
    ]
    print(f"  {name:12} " + "  ".join(both))

# %%
nearly = [abs(live[f"{name}, {SEEN}"] - stored(f"{name}, {SEEN}")) < 0.1 for name in LIVE]
print("where trained, here as in the study, up to 0.1 nats:", all(nearly))

print(
    f"\nmean loss of {len(study.seeds)} starts     "
    + "".join(f"{part:>9}" for part in PARTS)
)
WAYS = ("none", "sinusoidal", "learned", "RoPE", "ALiBi", "clipped", "T5's buckets")
for name in (*WAYS, "bigram"):
    row = [study.estimate(f"{name}, {part}").mean for part in PARTS]
    print(f"  {name:22}" + "".join(f"{loss:9.2f}" for loss in row))

print("\n                better where trained   worse far out   goes on")
for name in WAYS[1:]:
    words = [
        study.verdicts[f"{name}: {statement}"]
        for statement in (
            "better than no positions where trained",
            "worse than no positions far out",
            "more than half of its lead is left far out",
        )
    ]
    print(f"  {name:12} {words[0]:>23} {words[1]:>15} {words[2]:>9}")

# %% mystnb={"figure": {"name": "train-short-test-long", "caption": "Loss of the next letter by its place in the window, means of the trainings with their 95 % intervals (lower is better). Training saw the grey part only."}, "image": {"alt": "Line plot of seven ways over five parts of the window; the first part is grey. There RoPE is lowest, 1.5, and no positions highest, 2.2. Far out, sinusoidal is at 3.1, learned at 3.3, RoPE at 4.2, no positions at 2.3, T5's buckets at 2.5; clipped and ALiBi are lowest, 1.8 and 1.8."}}
STYLE = {
    "none": ("grey", ":"),
    "sinusoidal": ("C0", "-"),
    "learned": ("C4", "--"),
    "RoPE": ("C3", "-"),
    "ALiBi": ("C2", "-"),
    "clipped": ("C5", "-."),
    "T5's buckets": ("C1", "--"),
}
fig, ax = plt.subplots(figsize=(8, 4))
ax.axvspan(-0.5, 0.5, color="0.9")
for shift, (name, (colour, line)) in enumerate(STYLE.items()):
    points = [study.estimate(f"{name}, {part}") for part in PARTS]
    ax.errorbar(
        np.arange(len(PARTS)) + (shift - 3) * 0.03,
        [point.mean for point in points],
        [[p.mean - p.low for p in points], [p.high - p.mean for p in points]],
        color=colour,
        linestyle=line,
        label=name,
    )
ax.set_xticks(range(len(PARTS)), PARTS)
ax.set(xlabel="places in the window", ylabel="loss (nats a letter)")
ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
plt.show()


def mean(name, part=FAR):
    return study.estimate(f"{name}, {part}").mean


says(
    "There RoPE is lowest, 1.5, and no positions highest, 2.2.",
    *(mean("RoPE", SEEN), mean("none", SEEN)),
)
says(
    "sinusoidal is at 3.1, learned at 3.3, RoPE at 4.2, no positions at 2.3",
    *map(mean, ("sinusoidal", "learned", "RoPE", "none")),
)
says(
    "buckets at 2.5; clipped and ALiBi are lowest, 1.8 and 1.8.",
    *map(mean, ("T5's buckets", "clipped", "ALiBi")),
)

# %% [markdown]
# - The sinusoids fail at once behind letter 32: far out, a model trained without positions guesses better.
# - RoPE, which is ahead of them where it was trained, fails later and worse.
# - Learned rows that no gradient has touched fail, too.
# - T5's buckets lose their lead step by step, and more than that; the buckets for distances of 35 and more were never used in training and are still 0.
# - ALiBi goes on, at a price: where trained, it is behind RoPE. The clipped bias goes on, too.

# %%
reach = torch.arange(64)
bucket = t5_bucket(-reach[None], causal=True, n_buckets=32, max_distance=128)[0]
shared = reach[bucket == bucket[SHORT - 1]]
says("the buckets for distances of 35 and more", shared.max() + 1, slack=0)
print(
    f"the largest distance in training, {SHORT - 1}, shares its bucket with "
    f"{shared[1:].tolist()}"
)
behind = study.difference(f"ALiBi, {SEEN}", f"RoPE, {SEEN}")
print(
    f"where trained, ALiBi is behind RoPE by {behind} nats; by more than 0.05: "
    f"{above(behind, 0.05)}"
)

# %% [markdown]
# **Why?** Two explanations are at hand, and they can be told apart.
#
# - *New values.* At position 100 the table holds numbers that the model has never met.
# - *New distances.* At position 100 a letter sees keys 100 letters back. No score over such a distance was ever trained, and 101 keys
#   share the softmax, not 32.
#
# A mask can take away the second: let each letter see only the last 32, itself included. Then no *distance* is new, wherever the letter
# stands. If RoPE's trouble is the distances, it must be cured. The sinusoids should not be: they still meet new values.
#
# And the first can be taken away in training: let each batch begin at a random position of the table, from 0 to 224. That is the idea of SHAPE ({cite:t}`kiyono2021shape`, who draw for each sentence; {cite:t}`ruoss2023randomized` go further and leave gaps). Then all *values* have been met, though
# never in one window.

# %%
CASES = beyond_training.MASKED
print("rise of the loss from 16–31 to 128–255   sees all              sees the last 32")
for name in CASES:
    rise = study.difference(f"{name}, {FAR}", f"{name}, {SEEN}")
    masked = study.difference(
        f"{name}, last 32 seen, {FAR}", f"{name}, last 32 seen, {SEEN}"
    )
    level = study.verdicts[f"{name}: level, if a letter sees the last 32 only"]
    print(f"  {name:26} {rise!s:>28} {masked!s:>20}  level: {level}")

cost = study.difference(f"sinusoidal, random starts, {SEEN}", f"sinusoidal, {SEEN}")
quiet = study.difference(f"sinusoidal, words not times √D, {SEEN}", f"sinusoidal, {SEEN}")
print(f"what random starts cost where trained: {cost} nats")
print(f"what it costs there to leave out the factor √D: {quiet} nats")
quiet_far = study.difference(f"sinusoidal, words not times √D, {FAR}", f"sinusoidal, {FAR}")
print(f"and far out: {quiet_far} nats")
says(
    "behind by 0.06 nats where trained, too little for our bound to say yes, and by 1.0 "
    "nats far out",
    *(quiet.mean, quiet_far.mean),
)

# %% [markdown]
# - RoPE is cured by the mask: its trouble is the distances, or the crowd of keys, for the mask takes both away and cannot say which.
# - The sinusoids are not: they have both troubles. With random starts they have met all values, and with the mask, too, they are level. So here it was not
#   the formula that extrapolated or did not: **sinusoids worked where they had been trained.** It is not free: after the same number of batches, random starts
#   have lost most of the lead over no positions where trained.
# - ALiBi hardly notices when the mask takes the far part away, as it should if what is far away counts for little in it.
# - For the clipped bias the mask is a cure too. (A guess why: all far keys share one number, and a crowd of them drowns the near ones.)
# - Without $\sqrt D$ the sinusoids are behind by 0.06 nats where trained, too little for our bound to say yes, and by 1.0 nats far out, where they are lost anyway.
#
# Is that only true of a toy? The course's translator adds sinusoids too. Its quality is measured in {term}`BLEU`, from 0 to 100. Let the English
# sentence begin at row $n$ of the table. Between English words no distance changes, and by claim 1
# every row moved by one and the same rotation. (From French to English all distances change: each is the English row minus the French one. So we also
# move *both* sentences, and then
# none does.) Fixed before the numbers: 5 BLEU are a loss.


# %%
class Moved(Positions):
    """The trained table, read from another row on."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def add(self, x, start=0):
        return trained_positions.add(x, start + self.by)


test_pairs = corpus.test[:300]  # the translator has not seen them
sources, references = (
    [pair.source for pair in test_pairs],
    [pair.target for pair in test_pairs],
)
decoder_positions = model.decoder.positions
ROWS = (0, 2, 5, 10, 20, 50)
bleu = {}
for by in ROWS:
    encoder.positions = Moved(by)
    bleu["English", by] = score(french(sources), references).bleu
    if by == 10:
        print("ten places later:", PAIR[0], "→", french(PAIR[:1])[0])
    if by:
        model.decoder.positions = Moved(by)
        bleu["both", by] = score(french(sources), references).bleu
        model.decoder.positions = decoder_positions
encoder.positions = trained_positions
bleu["both", 0] = bleu["English", 0]
for who in ("English", "both"):
    print(f"{who:8}", "  ".join(f"row {by}: {bleu[who, by]:.0f}" for by in ROWS))

# %% mystnb={"figure": {"name": "moved-sentences", "caption": "BLEU of the course's translator on 300 unseen sentences when the English sentence, or both sentences, begin at row n of the table of positions. Training always began at row 0."}, "image": {"alt": "Bar chart of BLEU at the rows 0, 2, 5, 10, 20 and 50. English moved: 98, 96, 59, 37, 58 and 73. Both moved: 98, 97, 75, 47, 51 and 61."}}
fig, ax = plt.subplots(figsize=(7, 3))
for shift, who, label in ((-0.2, "English", "English moved"), (0.2, "both", "both moved")):
    bars = ax.bar(
        np.arange(len(ROWS)) + shift, [bleu[who, by] for by in ROWS], 0.4, label=label
    )
    ax.bar_label(bars, fmt="%.0f", fontsize="small")
ax.set_xticks(range(len(ROWS)), ROWS)
ax.set(xlabel="row n of the table where it begins", ylabel="BLEU", ylim=(0, 125))
ax.legend(ncols=2, loc="upper right", frameon=False)
plt.show()
says("English moved: 98, 96, 59, 37, 58 and 73", *(bleu["English", by] for by in ROWS))
says("Both moved: 98, 97, 75, 47, 51 and 61", *(bleu["both", by] for by in ROWS))

# %% [markdown]
# Ten places later, the girl and the boy have changed roles. And it is not only the distance between the languages: with both sentences moved, no
# distance changes, and BLEU falls all the same. The table moved by a rotation, exactly; the translator has learnt *places*, and its training, which always
# began at row 0, never asked for more. (Why it recovers in part at row 50, and why moving both is worse there than moving one, we do not know.)
#
# ```{admonition} Verdict: false; past the trained length they did worse than no positions at all
# :class: note verdict
# The *formula* has a value for every position; the *model* has no idea what to do with it. **RoPE did not extrapolate either.** ALiBi
# did, and the clipped bias kept more than half of its lead. For sinusoids and ALiBi this is the finding of {cite:t}`press2022train`, on a far smaller model. The limits: one
# layer, small, English letters, eight times the length. ALiBi pays for it where it was trained; why, we did not measure. It is built to make little of what is far away:
# where that is needed, other work found other winners, no positions at all among them ({cite:t}`kazemnejad2023impact`).
# One way to give a model with RoPE a longer reach is to *train* it a little on longer texts, with slower rotations ({cite:t}`chen2023extending`).
# ```
#
# One more thing in that plot: the model that was told *nothing*. Does it guess from order all the same? Where trained its loss is a little below that of counting pairs,
# for which the last letter is enough; far out it is the same. And what it gains cannot be order: in one layer, the letters before may be shuffled, and nothing changes.

# %%
letter_model = trained["none"]
window = test_windows(0)[:, :32]
shuffled = torch.cat([window[:, torch.randperm(31)], window[:, 31:]], dim=1)


def last_letter(text, layers):
    """What attention, the same layer this many times, makes of the last letter."""
    x = letter_model.embedding(text) * letter_model.scale
    for _ in range(layers):
        x = x + letter_model.attention(letter_model.norms[0](x), mask=causal_mask(32))[0]
    return x[:, -1]


with torch.no_grad():
    for layers in (1, 2):
        same = torch.allclose(
            last_letter(window, layers), last_letter(shuffled, layers), atol=1e-4
        )
        print(
            f"{layers} layer{'s' * (layers > 1)}: the letters before shuffled, the same "
            f"result: {same}"
        )

# %% [markdown]
# With two layers it is another matter. In the first, the third letter averages over three letters and the second over two: with even weights the first
# letter counts 1/3
# in the one and 1/2 in the other. So what they hand on tells the order, and the second layer can read it ({cite:t}`haviv2022transformer`). It is the
# causal mask that does this. Our encoder has none, so without positions no layer of it knows the order.
#
# ## Bugs worth meeting
#
# **The table of size 2·m.** Distances from −m to +m: how many are there? The one in the middle is easily forgotten. The symptom is
# mean: everything works, until for the first time a key stands m or more places to the *right*. That hits a decoder too, if it looks up the biases of all
# pairs and masks afterwards. Where a {term}`cache <KV cache>` (keys and values kept while text is written) hands over one query at a time, the mistake stays hidden.

# %%
m = 4
right_size, too_small = torch.zeros(1, 2 * m + 1), torch.zeros(1, 2 * m)


def lookup(table, length):
    return table[:, distances(length).clamp(-m, m) + m]


for length in (4, 5):
    for name, table in (("2·m", too_small), ("2·m + 1", right_size)):
        try:
            print(
                f"table of {name:7} a sentence of {length}: biases",
                tuple(lookup(table, length).shape),
            )
        except IndexError as error:
            print(
                f"table of {name:7} a sentence of {length}: IndexError, "
                f"{str(error).split(' for ')[0]}"
            )
one_query = too_small[:, distances(1, start=8).clamp(-m, m) + m]
print("table of 2·m     one query, the last of 9 words: biases", tuple(one_query.shape))

# %% [markdown]
# **The table that is too short.** A slice behind the end of a tensor is no error, only shorter. What you see is a quarrel about sizes
# somewhere else, at the first long sentence. `lessons_lib` checks, and says what to do.

# %%
table, long_sentence = sinusoids(32, 16), torch.zeros(1, 40, 16)
try:
    long_sentence + table[: long_sentence.shape[1]]
except RuntimeError as error:
    print("a slice:    ", error)
try:
    SinusoidalPositions(32, 16).add(long_sentence)
except ValueError as error:
    print("lessons_lib:", error)

# %% [markdown]
# **RoPE's two conventions, mixed.** The paper's code and Meta's turn neighbours (2i and 2i + 1), Hugging Face's and ours turn halves (i and i + d_head/2).
# Load Meta's own files into code of the other kind: all shapes agree. Here the letter model that was trained with halves is run with neighbours. To mend it, do not train
# again: the two differ in the order of the entries alone, so the rows of the two matrices that make queries and keys can be put into
# the other order.


# %%
class NeighbourRotary(RotaryPositions):
    """Turns the dimensions 2i and 2i + 1 together."""

    def for_attention(self, length, start=0):
        halves = super().for_attention(length, start).rotate

        def turn(heads):
            apart = torch.cat([heads[..., 0::2], heads[..., 1::2]], dim=-1)
            one, two = halves(apart).chunk(2, dim=-1)
            return torch.stack([one, two], dim=-1).flatten(-2)

        return AttentionPositions(rotate=turn)


letter_model, H = trained["RoPE"], beyond_training.H
d_head = beyond_training.D // H
text = test_windows(5)[:, : SHORT + 1]
with torch.no_grad():
    halves = losses(letter_model, text)
    letter_model.positions = NeighbourRotary(SHORT, d_head)
    neighbours = losses(letter_model, text)
    order = torch.arange(d_head).reshape(2, -1).T.flatten()  # 0, d_head/2, 1, …
    rows = (torch.arange(H)[:, None] * d_head + order).flatten()  # the same in each head
    for layer in (letter_model.attention.query, letter_model.attention.key):
        layer.weight.data, layer.bias.data = layer.weight[rows], layer.bias[rows]
    mended = losses(letter_model, text)
worse = (neighbours.mean() - halves.mean()).item()
print("neighbours in place of halves: the loss rises by more than 0.3 nats:", worse > 0.3)
print(
    "rows put into the other order: the same loss at every place:",
    torch.allclose(mended, halves, atol=1e-3),
)

# %% [markdown]
# **ALiBi in an encoder.** Its bias knows how far, and not on which side. A decoder's mask makes up for that: there all keys are on the left. In an encoder
# nothing does: read a sentence backwards, and the same outputs come backwards. (ALiBi was made for decoders; an encoder needs slopes that differ by side, say.)

# %%
block = MultiHeadAttention(16, 4)
x = torch.randn(1, 9, 16)
relative = ClippedRelativePositions(4)
nn.init.normal_(relative.table)
with torch.no_grad():
    for name, told, mask in (
        ("ALiBi, encoder", AlibiPositions(4).for_attention(9), None),
        ("ALiBi, decoder", AlibiPositions(4).for_attention(9), causal_mask(9)),
        ("clipped, encoder", relative.for_attention(9), None),
    ):
        forward, backward = (block(y, mask=mask, positions=told)[0] for y in (x, x.flip(1)))
        same = torch.allclose(forward, backward.flip(1), atol=1e-5)
        print(f"{name:17} backwards in, the same backwards out: {same}")

# %% [markdown]
# **Positions that begin again at 0.** While a translator writes, it hands its {term}`decoder` one new word at a time and remembers the
# rest in a cache (lesson 11). If the code then adds row 0 of
# the table, every word claims to be the first. Training, which hands over whole sentences, does not show it. What it writes does:


# %%
class BeginsAgain(Positions):
    """Forgets `start`: with a cache, each new word is told that it stands at 0."""

    def add(self, x, start=0):
        return decoder_positions.add(x, 0)


source = "He saw the boy last month."
right_text = french([source])[0]
model.decoder.positions = BeginsAgain()
wrong_text = french([source])[0]

reference = torch.tensor([[tokenizer.bos_id, *tokenizer.encode(right_text)]], device=device)
english = torch.tensor([[*tokenizer.encode(source), tokenizer.eos_id]], device=device)
with torch.no_grad():
    whole = model(english, reference)  # as in training: the whole sentence at once
    model.decoder.positions = decoder_positions
    assert torch.equal(whole, model(english, reference))

print("right:", right_text)
print("wrong:", wrong_text[:75], "…")
print("logits of the whole sentence: equal to the bit")

# %%
model.decoder.positions = BeginsAgain()
wrong_all = french(sources)
model.decoder.positions = decoder_positions
right_all = french(sources)
same = {}
for kind, wanted in (
    ("up to 6 words", lambda n: n <= 6),
    ("10 words and more", lambda n: n >= 10),
):
    chosen = [
        r == w
        for r, w, reference in zip(right_all, wrong_all, references, strict=True)
        if wanted(len(reference.split()))
    ]
    same[kind] = sum(chosen) / len(chosen)
wrong_bleu = score(wrong_all, references).bleu
right_bleu = score(right_all, references).bleu
print(
    "BLEU above 90 where positions go on:",
    right_bleu > 90,
    "  below 75 where they begin again:",
    wrong_bleu < 75,
)
print(
    "sentences of up to 6 words: the bug changes less than a quarter:",
    same["up to 6 words"] > 0.75,
)
print(
    "sentences of 10 and more:   the bug changes more than a third:  ",
    same["10 words and more"] < 0.67,
)

# %% [markdown]
# It stammers. A likely reason: a word that is written twice looks the same both times, and is followed by what followed it before. Most short sentences
# come out right, which makes the bug harder to see. The cure is the argument `start`, and a test
# that compares cached steps with the whole.
#
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. A relative bias is clipped at 16, in a model with 8 heads. How many numbers does it learn for one stack of layers that share
# it?**
#
# <details><summary>8 · 16 = 128</summary>
#
# No. Left and right are different distances, and 0 is one too.
#
# </details>
# <details><summary>8 · 32 = 256</summary>
#
# No. That is the bug of this page: −16 … 16 are 33 numbers.
#
# </details>
# <details class="right"><summary>8 · 33 = 264</summary>
#
# Right. Compare it with a learned table of 512 positions and width 512: 262,144.
#
# </details>
#
# **2. RoPE turns queries, keys and values, somebody writes. What would go wrong if it turned the values too?**
#
# <details><summary>Nothing, it would only cost time</summary>
#
# No. In a score, the two rotations meet and leave only the distance. A value meets nobody: it would go out turned by its *absolute*
# position, and the average would mix vectors turned by different angles.
#
# </details>
# <details class="right"><summary>The output would depend on where the sentence begins</summary>
#
# Right. Move the sentence by 10 places and every output turns by the angles of 10.
#
# </details>
# <details><summary>The weights would no longer sum to 1</summary>
#
# No. Weights come from queries and keys.
#
# </details>
#
# **3. You train with ALiBi and find that one head, the one with the steepest slope, puts most of its weight on the word itself and those
# close by. What do you do?**
#
# <details><summary>Lower the learning rate: it diverges</summary>
#
# No. Nothing is wrong. Four words away its score has lost 1 at a slope of ¼; the other heads lose less and see further.
#
# </details>
# <details class="right"><summary>Nothing: that is what it was built for</summary>
#
# Right. The slopes are fixed so that each head has its own reach.
#
# </details>
# <details><summary>Learn the slope</summary>
#
# One may, but it is not called for. And if $m_h$ became negative, the bias $-m_h |s - t|$ would prefer what is *furthest*: the longer the text, the more.
#
# </details>
#
# **4. A sinusoidal model was trained on sentences of up to 40 words. You lengthen the table to 1,000 rows and give it 200 words. What
# happens?**
#
# <details><summary>An error: it has no parameters for them</summary>
#
# No. A sinusoidal table has no parameters, and you lengthened it.
#
# </details>
# <details><summary>It works: the formula holds for every position</summary>
#
# No, though it is often written. The formula holds; the matrices behind it never saw those rows. See claim 2.
#
# </details>
# <details class="right"><summary>It runs, and gets worse behind word 40</summary>
#
# Right. That is the worst kind: no error tells you.
#
# </details>
#
# ## The translator, step 4
#
# The course's translator adds sinusoids to both languages. Put *your* table in the place of the library's, and see that nothing
# changes.


# %%
class MyPositions(Positions):
    def __init__(self, length, width):
        super().__init__()
        self.register_buffer("table", sinusoids(length, width))

    def add(self, x, start=0):
        return x + self.table[start : start + x.shape[1]]


before = french(sources[:50])
for stack in (model.encoder, model.decoder):
    stack.positions = MyPositions(256, model.config.d_model).to(device)
assert french(sources[:50]) == before
print("50 sentences, the same translations, with your table in both stacks")
print(f"  {sources[1]} → {before[1]}")

# %% [markdown]
# In the library, one word chooses among the ways of this page: `TransformerConfig(..., positions="rope")`, or `"alibi"`, `"relative"`,
# `"t5"`, `"learned"`, `"sinusoidal"`, `"none"`. You train a translator in lesson 12: try them there.
#
# The widget at the top now gets a query and a key of the RoPE model, the average ones over the
# test text, for its second view. Its curve is no longer symmetric: this head knows left from right.

# %% tags=["nbval-ignore-output"]
with torch.no_grad():
    inside = letter_model.norms[0](
        letter_model.embedding(beyond_training.letters()[2][:2_000]) * letter_model.scale
    )
    halves_of = order.argsort()  # back from neighbours to halves
    q_mean, k_mean = (
        part(inside).mean(0)[:d_head][halves_of]
        for part in (letter_model.attention.query, letter_model.attention.key)
    )
with widget.hold_trait_notifications():
    widget.query, widget.key = q_mean.tolist(), k_mean.tolist()
print("the first head's average query at 40 scores highest with a key at", end=" ")
turned = rotate(k_mean.expand(41, -1).cpu())
print(int((rotate(q_mean[None].cpu(), start=40) @ turned.T).argmax()))

# %% [markdown]
# ### Exercise: build it
#
# [Open the exercise on
# Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/04_positional_encoding.ipynb), or
# open `exercises/04_positional_encoding.ipynb` at home. Three questions, 10 points; `check("q1")` tells you at once what is probably
# wrong, in one sentence.
#
# **Question 1:** `sinusoidal_table`, the pattern of waves.
#
# ```{include} ../solutions/04_positional_encoding.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ````{dropdown} Solution of question 1
# ```{literalinclude} ../solutions/04_positional_encoding.py
# :language: python
# :start-after: "# %% solution sinusoidal_table"
# :end-before: "# %%"
# ```
# ````
#
# **Question 2:** `rotate`, RoPE with two halves.
#
# ```{include} ../solutions/04_positional_encoding.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of question 2
# ```{literalinclude} ../solutions/04_positional_encoding.py
# :language: python
# :start-after: "# %% solution rotate"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `relative_bias`, a number for each distance.
#
# ```{include} ../solutions/04_positional_encoding.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/04_positional_encoding.py
# :language: python
# :start-after: "# %% solution relative_bias"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - Without positions a Transformer's encoder cannot tell "the girl knows the boy" from "the boy knows the girl". Something must mark
#   the places.
# - Added to the words (times $\sqrt D$): a learned table, or sinusoids. Added to the scores: a clipped bias, T5's buckets, ALiBi, which needs a mask to tell
#   left from right. Turning queries and keys: RoPE.
# - Moving a sinusoidal row by $k$ is a rotation that depends on $k$ alone. RoPE applies that rotation to queries and keys, and so its
#   scores know of two places only the distance.
# - Past the trained length sinusoids failed here, and so did RoPE: they worked where they had been trained. ALiBi went on; its bias takes more from a key the further away it is.
# - A relative table has $2m + 1$ columns. A cache needs to know where it stands. RoPE has two conventions, neighbours and halves, and weights belong to one.
#
# **See it learn.** [The playground](../book/playground) trains two small Transformers side by side, in the page. Choose *No positions*, and look at what it writes.
#
# **Where it comes from.** Sinusoids: {cite:t}`vaswani2017attention`, section 3.5. Learned positions:
# {cite:t}`gehring2017convolutional`, and the models of {cite:t}`devlin2019bert` and {cite:t}`radford2019language`. Relative positions:
# {cite:t}`shaw2018self`; buckets: {cite:t}`raffel2020exploring`, section 2.1. RoPE: {cite:t}`su2021roformer`; in Llama:
# {cite:t}`touvron2023llama`. ALiBi, and the experiment of claim 2: {cite:t}`press2022train`. Random starts: {cite:t}`kiyono2021shape`.
