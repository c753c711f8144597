"""Exercise 5, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/05_encoder_decoder.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 5: build the encoder–decoder

*85 minutes, 10 points. You need: lesson 5, and PyTorch's `nn.Module`.*

You put the parts together: first a layer of the encoder, then a layer of the decoder, then both stacks and the way of the
data through them. At the end the weights of the course's translator run in your code, and it speaks French.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**What you are given:** attention and the table of positions, which are your own if you kept them in exercises 3 and 4, and the
course's feed-forward network, norm and masks, which you will build in lessons 6 to 8. What you may not use are the library's
layers and its model (`lessons_lib.blocks`, `lessons_lib.transformer`); the check notices.

| part | how it is made | how it is called |
|---|---|---|
| `MultiHeadAttention` | `(d_model, n_heads)` | `(query, source, mask)`, gives **two** things: the output (B, T, D), and the weights or None |
| `FeedForward` | `(d_model, d_ff)` | `(x)`, gives (B, T, D) |
| `LayerNorm` | `(d_model)` | `(x)`, gives (B, T, D) |

**The names count.** The check makes your module, and then puts weights of its own into it, by name, as one does with
the weights of a trained model. So the parts must have the names that the question gives them.
"""

# %% setup
import math

import torch
from torch import nn

from lessons_lib.grading import check

torch.manual_seed(0)
PAD = 0  # the id of the padding
check.open("05_encoder_decoder")

# What you kept in earlier exercises, or else the course's.
MultiHeadAttention, sinusoidal_table = check.part(
    "MultiHeadAttention", "sinusoidal_table"
)
LayerNorm, FeedForward = check.part("LayerNorm", "FeedForward")
causal_mask, padding_mask = check.part("causal_mask", "padding_mask")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: a layer of the encoder (3 points)

Write `EncoderLayer(d_model, n_heads, d_ff)`, a module with the four parts `attention_norm`, `attention`,
`feed_forward_norm` and `feed_forward`. It is **pre-norm**:

$$y = x + \operatorname{attention}(\operatorname{norm}(x)), \qquad z = y + \operatorname{feedforward}(\operatorname{norm}'(y))$$

`forward(x, mask)` takes x (B, S, D) and gives z, of the same shape. `mask` is a tensor of booleans that broadcasts to
(B, H, S, S), `True` = may attend, or None. Leave the caller's x as it is. No dropout.

```python
layer = EncoderLayer(8, 2, 16)
print(layer(torch.randn(3, 5, 8)).shape, sum(p.numel() for p in layer.parameters()))   # torch.Size([3, 5, 8]) 600
```
<!-- /question q1 -->
"""


# %% answer EncoderLayer
class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        raise NotImplementedError("write __init__ and forward of EncoderLayer")

    def forward(self, x, mask=None):
        """x (B, S, D) and mask (…, S, S), True = may attend; gives (B, S, D)."""
        raise NotImplementedError("write forward of EncoderLayer")


# %% solution EncoderLayer
class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network, each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, mask=None):
        """x (B, S, D) and mask (…, S, S), True = may attend; gives (B, S, D)."""
        normed = self.attention_norm(x)
        x = (
            x + self.attention(normed, normed, mask)[0]
        )  # (B, S, D): each position has read the others
        return x + self.feed_forward(
            self.feed_forward_norm(x)
        )  # (B, S, D): and now thinks on its own


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: what belongs into `__init__`?
`super().__init__()` first, then the four parts, each as an attribute: `self.attention_norm = …`, and so on. A module
finds its parameters through its attributes, and an attribute's name becomes the name of its weights.
:::

:::{dropdown} Hint 2 of q1: what does a sub-layer read, and what is added to it?
It reads norm(x). What is added is x as it was *before* the norm. So you need both: keep x, and give the normalised one
another name. In self-attention the normalised vectors are queries, keys and values: `self.attention(normed, normed, mask)`.
:::

:::{dropdown} Hint 3 of q1: the three lines
1. `normed`: the first norm of x.
2. x is x plus the first result, `[0]`, of the attention from `normed` to `normed` with the mask. Write `x = x + …`; `x += …`
   would change the tensor of who called you.
3. Return x plus the feed-forward network of the second norm of x: of the x that line 2 made.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: a layer of the decoder (4 points)

Write `DecoderLayer(d_model, n_heads, d_ff)`. Between self-attention and feed-forward network stands a third sub-layer,
cross-attention: it asks with the target and reads `memory`, what the encoder made of the source. Six parts: `attention_norm`,
`attention`, `cross_attention_norm`, `cross_attention`, `feed_forward_norm`, `feed_forward`.

`forward(x, memory, mask, memory_mask)` takes x (B, T, D) and memory (B, S, D) and gives (B, T, D). `mask` broadcasts to
(B, H, T, T) and is for self-attention; `memory_mask` broadcasts to (B, H, T, S) and is for cross-attention. Each may be None.

```python
layer = DecoderLayer(8, 2, 16)
print(layer(torch.randn(3, 4, 8), torch.randn(3, 5, 8)).shape)   # torch.Size([3, 4, 8])
```
<!-- /question q2 -->
"""


# %% answer DecoderLayer
class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention, feed-forward; each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        raise NotImplementedError("write __init__ and forward of DecoderLayer")

    def forward(self, x, memory, mask=None, memory_mask=None):
        """x (B, T, D), memory (B, S, D), masks (…, T, T), (…, T, S); gives (B, T, D)."""
        raise NotImplementedError("write forward of DecoderLayer")


# %% solution DecoderLayer
class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention, feed-forward; each pre-norm and residual."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention_norm = LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.cross_attention_norm = LayerNorm(d_model)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward_norm = LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, d_ff)

    def forward(self, x, memory, mask=None, memory_mask=None):
        """x (B, T, D), memory (B, S, D), masks (…, T, T), (…, T, S); gives (B, T, D)."""
        normed = self.attention_norm(x)
        x = (
            x + self.attention(normed, normed, mask)[0]
        )  # (B, T, D): French looks at French
        x = (
            x
            + self.cross_attention(
                self.cross_attention_norm(x), memory, memory_mask
            )[0]
        )  # and at English
        return x + self.feed_forward(self.feed_forward_norm(x))


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: who asks, and who answers?
`MultiHeadAttention` makes queries of its first argument, keys and values of its second. In cross-attention the target asks and
the source answers: the first is the normalised x, the second is `memory`.
:::

:::{dropdown} Hint 2 of q2: what is normalised?
x, before each of the three sub-layers, each time with that sub-layer's own norm. `memory` is not: the encoder's last norm has
done it, once for all decoder layers.
:::

:::{dropdown} Hint 3 of q2: the four lines
1. and 2. as in the encoder layer.
3. x is x plus the first result of `self.cross_attention`, called with the norm of x, `memory` and `memory_mask`.
4. as the last line of the encoder layer.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: the whole model (3 points)

Now the way of the data. `EncoderDecoder(vocab_size, d_model, n_heads, d_ff, n_layers)` has an embedding, `n_layers` of your
layers on each side, and a norm at the end of each stack: pre-norm leaves a bare sum there. Its `__init__` is written, `forward` too.
You write three methods:

- `embed(tokens)`: a row of the embedding for each token, times √d_model, plus `sinusoidal_table(length, d_model)`;
- `encode(src)`: embedded, through the encoder's layers, none of which may look at the padding, and through the last norm;
- `decode(tgt, memory, memory_mask)`: the same for the target, with the causal mask alone, and at the end the **logits**: the product of
  each vector with the embedding of every token. The output matrix is the embedding itself, used a second time.

The padding has the id `PAD`, which is 0. `padding_mask(src, PAD)` is `True` where there is a word, (B, 1, 1, S); `causal_mask(length)`
is the triangle, (T, T). When all three answers are right, this prints French:

```python
from lessons_lib.translation.course_model import load_course_translator

translator = load_course_translator("cpu")
model = EncoderDecoder(4000, 128, 4, 256, 2)
model.load_state_dict({
    name.replace("encoder.", "encoder_").replace("decoder.", "decoder_").replace("_residual.norm", "_norm"): weights
    for name, weights in translator.model.state_dict().items()
}, strict=False)  # a second name that you gave to a weight, or a buffer, is not in there
src = torch.tensor([[*translator.tokenizer.encode("The small black cats do not sleep."), 2]])
tgt = torch.tensor([[1]])  # <s>
while tgt[0, -1] != 2:  # until </s>
    next_token = model(src, tgt)[:, -1].argmax(dim=-1, keepdim=True)
    tgt = torch.cat([tgt, next_token], dim=1)
print(translator.tokenizer.decode(tgt[0].tolist()))   # Les petits chats noirs ne dorment pas.
```
<!-- /question q3 -->
"""


# %% answer EncoderDecoder
class EncoderDecoder(nn.Module):
    """From token ids to logits, with one embedding for source, target and output."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.encoder_norm = LayerNorm(d_model)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.decoder_norm = LayerNorm(d_model)

    def embed(self, tokens):
        """Token ids (B, T) to vectors (B, T, D) that know their token and their place."""
        raise NotImplementedError(
            "write embed, encode and decode of EncoderDecoder"
        )

    def encode(self, src):
        """Token ids (B, S) to the memory (B, S, D)."""
        raise NotImplementedError("write encode of EncoderDecoder")

    def decode(self, tgt, memory, memory_mask):
        """Ids (B, T), memory (B, S, D), memory_mask (B, 1, 1, S) to logits (B, T, V)."""
        raise NotImplementedError("write decode of EncoderDecoder")

    def forward(self, src, tgt):
        """Source (B, S), target so far (B, T) to the logits (B, T, V) of what is next."""
        return self.decode(tgt, self.encode(src), padding_mask(src, PAD))


# %% solution EncoderDecoder
class EncoderDecoder(nn.Module):
    """From token ids to logits, with one embedding for source, target and output."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.d_model = d_model
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.encoder_norm = LayerNorm(d_model)
        self.decoder_layers = nn.ModuleList(
            DecoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.decoder_norm = LayerNorm(d_model)

    def embed(self, tokens):
        """Token ids (B, T) to vectors (B, T, D) that know their token and their place."""
        places = sinusoidal_table(tokens.shape[1], self.d_model).to(
            tokens.device
        )  # (T, D)
        return self.embedding(tokens) * math.sqrt(self.d_model) + places

    def encode(self, src):
        """Token ids (B, S) to the memory (B, S, D)."""
        x, mask = self.embed(src), padding_mask(src, PAD)
        for layer in self.encoder_layers:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(self, tgt, memory, memory_mask):
        """Ids (B, T), memory (B, S, D), memory_mask (B, 1, 1, S) to logits (B, T, V)."""
        x, mask = self.embed(tgt), causal_mask(tgt.shape[1]).to(tgt.device)
        for layer in self.decoder_layers:
            x = layer(x, memory, mask, memory_mask)
        return self.decoder_norm(x) @ self.embedding.weight.T  # (B, T, D) @ (D, V)

    def forward(self, src, tgt):
        """Source (B, S), target so far (B, T) to the logits (B, T, V) of what is next."""
        return self.decode(tgt, self.encode(src), padding_mask(src, PAD))


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: why √d_model, and in which order?
In the weights that your model will get, an entry of the embedding is about 0.1, one of the table of positions about 0.7.
Times √d_model first, so that the word is not the quieter of the two; then add the table.
:::

:::{dropdown} Hint 2 of q3: which mask goes where?
The source is whole: its layers get `padding_mask(src, PAD)`. The target is not written yet: self-attention in the decoder gets the
causal mask alone, for its padding comes last, where no word looks. The decoder looks at the source as well, in cross-attention, and there must not read the padding either: that is
`memory_mask`, handed on to each of its layers.
:::

:::{dropdown} Hint 3 of q3: the shape of both stacks
Embed the tokens; hand x through the encoder's layers in a loop, each with the mask, each reading what the one before it made; return
the last norm of x. The decoder does the same, with four arguments to each layer: x, the memory, the causal mask, the memory's mask. It
multiplies its last norm of x, (B, T, D), by the transposed table of the embeddings, (D, V). Every decoder layer reads the *same* memory.
:::
<!-- /hints q3 -->
"""

# %% text [markdown]
r"""
## All of it

All questions once more, with the sum of your points.
"""

# %% check
check()

# %% text [markdown]
r"""
## Keep your parts

This writes each answer that has all its points to `my_translator.py`, in this folder. The file is plain Python, and yours: later
exercises take your parts from it, and the course's own where you have none. On Colab, connect your Drive first and run
`%cd /content/drive/MyDrive`, for a folder there is lost with its machine.

Then your translator speaks: your parts, the course's for the rest, and the weights that the course has trained.
"""

# %% keep
check.keep()
check.translate("The small black cats do not sleep.")
