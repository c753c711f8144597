"""Exercise 9, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/09_transformer_families.ipynb of it, without the `solution` cells. The lesson's page
shows the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 9: one block, two more models

*70 minutes, 10 points. You need: lesson 9, and the layer that you built in lesson 5.*

You have built an encoder–decoder. Here you take its parts and make the two models that became famous without the other half: an
encoder that fills in blanks, as BERT does, and a decoder that goes on writing, as GPT does. Both are made of one and the same layer.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**What you are given:** your own parts from earlier exercises, where you kept them, and the course's where you did not. What
you may not use are the library's models (`lessons_lib.families`, `lessons_lib.transformer`); the check notices.

| part | how it is made | how it is called |
|---|---|---|
| `EncoderLayer` | `(d_model, n_heads, d_ff)` | `(x, mask)`, gives (B, T, D) |
| `LayerNorm` | `(d_model)` | `(x)`, gives (B, T, D) |
| `sinusoidal_table` | | `(max_length, d_model)`, gives (max_length, D) |
| `padding_mask` | | `(tokens, pad_id)`, gives (B, 1, 1, S), `True` = a real token |
| `causal_mask` | | `(length)`, gives (T, T), `True` = may attend |

**The names count.** The check makes your module, and then puts weights of its own into it, by name. So the parts must have the
names that the question gives them.
"""

# %% setup
import math

import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.grading import check

torch.manual_seed(0)
PAD, BLANK = 0, 3  # the ids of the padding, and of the blank
check.open("09_transformer_families")

# What you kept in earlier exercises, or else the course's.
EncoderLayer, LayerNorm, sinusoidal_table = check.part(
    "EncoderLayer", "LayerNorm", "sinusoidal_table"
)
causal_mask, padding_mask = check.part("causal_mask", "padding_mask")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: an encoder that fills in blanks (3 points)

Write `EncoderOnly(vocab_size, d_model, n_heads, d_ff, n_layers)`, a module with three parts: `embedding` (an `nn.Embedding`), `layers`
(an `nn.ModuleList` of `n_layers` encoder layers) and `norm`.

`forward(tokens)` takes token ids (B, S) and gives logits (B, S, V): for each place, how well each word of the vocabulary fits there.

1. A row of the embedding for each token, times √d_model, plus the sinusoidal table.
2. Through the layers, one after the other. Every place may look at every real token, a blank too, on both sides; nobody looks at the padding, `PAD`.
3. The norm, and then the product of each vector with the embedding of every word. The output matrix is the embedding, used a second time.

```python
model = EncoderOnly(10, 8, 2, 16, 2)
print(model(torch.tensor([[4, BLANK, 6, PAD]])).shape, sum(p.numel() for p in model.parameters()))   # torch.Size([1, 4, 10]) 1296
```
<!-- /question q1 -->
"""


# %% answer EncoderOnly
class EncoderOnly(nn.Module):
    """Every place sees all real tokens, on both sides, and says which word fits there."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        raise NotImplementedError("write __init__ and forward of EncoderOnly")

    def forward(self, tokens):
        """Token ids (B, S) to logits (B, S, V)."""
        raise NotImplementedError("write forward of EncoderOnly")


# %% solution EncoderOnly
class EncoderOnly(nn.Module):
    """Every place sees all real tokens, on both sides, and says which word fits there."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        """Token ids (B, S) to logits (B, S, V)."""
        d_model = self.embedding.embedding_dim
        places = sinusoidal_table(tokens.shape[1], d_model).to(
            tokens.device
        )  # (S, D)
        x, mask = (
            self.embedding(tokens) * math.sqrt(d_model) + places,
            padding_mask(tokens, PAD),
        )
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x) @ self.embedding.weight.T  # (B, S, D) @ (D, V)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: what belongs into `__init__`?
`super().__init__()` first, then the three parts as attributes. Layers that lie in a plain list have no parameters for PyTorch: put them
into `nn.ModuleList`. There is no output matrix: the embedding is one.
:::

:::{dropdown} Hint 2 of q1: what is this, compared with exercise 5?
It is `encode` of the encoder–decoder, and the last line of its `decode`: the encoder's way through the layers, the decoder's way to the logits.
The width is `self.embedding.embedding_dim`.
:::

:::{dropdown} Hint 3 of q1: the shapes
Embedded tokens (B, S, D), plus a table (S, D), through the layers with `padding_mask(tokens, PAD)`, which is (B, 1, 1, S). The norm keeps
(B, S, D). Then a product with the transposed embedding, (D, V), gives (B, S, V).
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: a decoder that goes on writing (4 points)

Write `DecoderOnly(vocab_size, d_model, n_heads, d_ff, n_layers)` with the same three parts. Its `forward(tokens)` gives logits (B, T, V): at
each place those of the *next* token. So no place may look at what comes behind it. There is no padding here: all rows of a batch are
equally long.

And write its second method. `generate(tokens, n_tokens)` takes beginnings (B, T) and gives (B, T + n_tokens): the beginnings as they were, and
behind each, token after token, the one with the highest logit.

```python
model = DecoderOnly(10, 8, 2, 16, 2)
print(model.generate(torch.tensor([[1, 5], [1, 7]]), 3).shape)   # torch.Size([2, 5])
```
<!-- /question q2 -->
"""


# %% answer DecoderOnly
class DecoderOnly(nn.Module):
    """Every place sees itself and what came before, and says what comes next."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        raise NotImplementedError(
            "write __init__, forward and generate of DecoderOnly"
        )

    def forward(self, tokens):
        """Token ids (B, T) to the logits (B, T, V) of what follows each of them."""
        raise NotImplementedError("write forward of DecoderOnly")

    def generate(self, tokens, n_tokens):
        """Beginnings (B, T) to beginnings with n_tokens more, (B, T + n_tokens)."""
        raise NotImplementedError("write generate of DecoderOnly")


# %% solution DecoderOnly
class DecoderOnly(nn.Module):
    """Every place sees itself and what came before, and says what comes next."""

    def __init__(self, vocab_size, d_model, n_heads, d_ff, n_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff) for _ in range(n_layers)
        )
        self.norm = LayerNorm(d_model)

    def forward(self, tokens):
        """Token ids (B, T) to the logits (B, T, V) of what follows each of them."""
        length, d_model = tokens.shape[1], self.embedding.embedding_dim
        places, mask = (
            x.to(tokens.device)
            for x in (sinusoidal_table(length, d_model), causal_mask(length))
        )
        x = self.embedding(tokens) * math.sqrt(d_model) + places
        for layer in self.layers:
            x = layer(
                x, mask
            )  # the layer of an encoder; the mask alone makes a decoder of it
        return self.norm(x) @ self.embedding.weight.T  # (B, T, D) @ (D, V)

    def generate(self, tokens, n_tokens):
        """Beginnings (B, T) to beginnings with n_tokens more, (B, T + n_tokens)."""
        for _ in range(n_tokens):
            following = self(tokens)[:, -1].argmax(
                dim=-1, keepdim=True
            )  # (B, 1), from the last place alone
            tokens = torch.cat([tokens, following], dim=1)
        return tokens


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: where is the decoder's layer?
You need none. Without an encoder there is nothing to read by cross-attention, and a decoder layer without cross-attention *is* an encoder
layer. The mask makes the difference: `causal_mask(length)` in place of the padding mask.
:::

:::{dropdown} Hint 2 of q2: one step of `generate`
The model gives logits for every place. You need those of the *last* place: they say what follows all that has been written. Take the
index of the largest, (B, 1) with `keepdim=True`, and put it behind the tokens with `torch.cat`.
:::

:::{dropdown} Hint 3 of q2: what does the next step read?
Everything again: the beginning and all that was written since. (That is wasteful. Lesson 11 keeps the keys and values in place of it, and
gets the same tokens.)
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: blanks to learn from (3 points)

The encoder learns by filling in blanks. Write two functions.

`mask_tokens(tokens, asked, draw, random_tokens)` makes the blanks. All four are (B, S): token ids, booleans (`True` = this place is to be
guessed), numbers drawn from 0 to 1, and random token ids. What the model reads at an *asked* place depends on its draw:

- below 0.8 it is `BLANK`;
- from 0.8 to below 0.9 it is the random token, so that the model can't rely on what it reads;
- from 0.9 on it is the token itself. (In the lesson's code the last two stand the other way round, with the same shares.)

Every other place stays as it is.

`masked_loss(logits, tokens, asked)` takes logits (B, S, V) and the *right* tokens, and gives a tensor of one number, from which
gradients flow: the mean cross-entropy over the asked places, and over no other. If nothing was asked it is 0; a plain `0.0` will do there.

Neither changes the caller's tensors.

```python
tokens, asked = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[True, True, True, False]])
draw, noise = torch.tensor([[0.5, 0.85, 0.95, 0.1]]), torch.tensor([[9, 9, 9, 9]])
print(*mask_tokens(tokens, asked, draw, noise)[0].tolist())   # 3 9 7 8
```
<!-- /question q3 -->
"""


# %% answer mask_tokens
def mask_tokens(tokens, asked, draw, random_tokens):
    """What the model reads (B, S): of ten asked, eight BLANK, one random, one itself."""
    raise NotImplementedError("write the body of mask_tokens")


# %% solution mask_tokens
def mask_tokens(tokens, asked, draw, random_tokens):
    """What the model reads (B, S): of ten asked, eight BLANK, one random, one itself."""
    blank, noise = asked & (draw < 0.8), asked & (draw >= 0.8) & (draw < 0.9)
    return torch.where(noise, random_tokens, tokens.masked_fill(blank, BLANK))


# %% answer masked_loss
def masked_loss(logits, tokens, asked):
    """The mean cross-entropy over the asked places; 0 if there are none."""
    raise NotImplementedError("write the body of masked_loss")


# %% solution masked_loss
def masked_loss(logits, tokens, asked):
    """The mean cross-entropy over the asked places; 0 if there are none."""
    losses = F.cross_entropy(
        logits[asked], tokens[asked], reduction="sum"
    )  # (N, V) and (N,)
    return losses / asked.sum().clamp(min=1)


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: which places are changed?
Make two booleans of shape (B, S): one where there will be a blank, one where there will be a random token. Both are `asked & (…)`, with a
comparison of `draw` in the brackets: without them, `&` comes before `<`. `torch.where(condition, a, b)` and
`tokens.masked_fill(condition, BLANK)` make new tensors and leave `tokens` alone.
:::

:::{dropdown} Hint 2 of q3: what does the loss compare?
The logits at an asked place with the token that *stood there*, not with the one behind it: the model has to say what is missing. With a
boolean (B, S), `logits[asked]` is (N, V) and `tokens[asked]` is (N,).
:::

:::{dropdown} Hint 3 of q3: nothing asked
The mean of no numbers is NaN, and one NaN ruins all weights. Take the sum (`reduction="sum"`), and divide by the number of asked places,
but by 1 at least.
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
"""

# %% keep
check.keep()
