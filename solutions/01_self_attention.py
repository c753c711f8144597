"""Exercise 1, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/01_self_attention.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 1: build attention

*35 minutes, 10 points. You need: lesson 1, and PyTorch's `@`, `transpose` and `softmax`.*

You build the piece that everything else in this course stands on, and then you program it by hand:

$$\operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{d_{head}}}\right)V$$

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from matrix products and a softmax. Your function may not call `lessons_lib.attention`; the check
notices. PyTorch's own `scaled_dot_product_attention` returns no weights, and would teach you nothing here.
"""

# %% setup
import math

import torch

from lessons_lib.grading import check

check.open("01_self_attention")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: attention without a mask (3 points)

Write `scaled_dot_product_attention(query, key, value, mask=None)`. It returns two tensors, `output` and `weights`:
for each query a row of weights over all keys, which sums to 1, and the average of the values with those weights.

| tensor | shape | |
|---|---|---|
| `query` | (…, T, d_head) | what each of T words looks for |
| `key` | (…, S, d_head) | what each of S words offers to be found by |
| `value` | (…, S, d_value) | what each of S words gives when found |
| `weights` | (…, T, S) | how much each word reads of each |
| `output` | (…, T, d_value) | what it has read |

The dots stand for any number of axes in front: none, a batch, or more. Leave `mask` alone for now.
<!-- /question q1 -->
"""


# %% answer scaled_dot_product_attention
def scaled_dot_product_attention(query, key, value, mask=None):
    """softmax(QKᵀ / √d_head) V, and the weights.

    query (…, T, d_head), key (…, S, d_head), value (…, S, d_value);
    mask (…, T, S), True = may attend.
    Returns output (…, T, d_value) and weights (…, T, S).
    """
    raise NotImplementedError("write the body of scaled_dot_product_attention")


# %% solution scaled_dot_product_attention
def scaled_dot_product_attention(query, key, value, mask=None):
    """softmax(QKᵀ / √d_head) V, and the weights.

    query (…, T, d_head), key (…, S, d_head), value (…, S, d_value);
    mask (…, T, S), True = may attend.
    Returns output (…, T, d_value) and weights (…, T, S).
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (…, T, S)
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        lowest = torch.finfo(
            scores.dtype
        ).min  # not -inf: a row of nothing but -inf gives NaN
        weights = scores.masked_fill(~mask, lowest).softmax(dim=-1)
        weights = weights.masked_fill(
            ~mask, 0.0
        )  # a row with no allowed key was uniform until here
    return weights @ value, weights  # (…, T, d_value), (…, T, S)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: what is compared with what?
Every query is compared with every key, by a dot product. That is T · S numbers: a matrix product of `query` with `key`,
once the last two axes of `key` are exchanged. Write the shapes beside it: (T, d_head) times (d_head, S).
:::

:::{dropdown} Hint 2 of q1: which axes?
`key.transpose(-2, -1)` exchanges the last two axes, however many stand before them. d_head is `query.shape[-1]`. Each
query needs weights over the *keys*; in (…, T, S) the keys are the last axis, so the softmax runs over `dim=-1`.
:::

:::{dropdown} Hint 3 of q1: the three lines
1. `scores`: query times transposed key, divided by `math.sqrt` of d_head.
2. `weights`: the softmax of `scores` over the last axis.
3. `output`: `weights` times `value`. Return both, the output first.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: attention with a mask (4 points)

Some words may not be looked at: the padding behind a short sentence, or the future while a translator writes. `mask` is
a tensor of booleans that broadcasts to (…, T, S). `mask[t, s]` is `True` when query t **may attend** to key s.

Go back to your function and use it. A forbidden key gets the weight 0, exactly, and the others in its row sum to 1. A
query that may attend to no key at all gets zeros, as weights and as output, and never NaN.
<!-- /question q2 -->
"""

# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: before or after the softmax?
Set weights to 0 after the softmax, and the row no longer sums to 1. But e to the power of something hugely negative is 0:
change the *scores*, and the softmax shares the weight among the keys that are left.
:::

:::{dropdown} Hint 2 of q2: which number, and where?
`scores.masked_fill(where, number)` fills where its first argument is `True`; yours is `True` where attending is
*allowed*. With −∞ for the number, a row of nothing but −∞ is NaN after the softmax. The lowest finite number of a type,
`torch.finfo(scores.dtype).min`, has no such trouble, and unlike −1e9 it fits into float16 too.
:::

:::{dropdown} Hint 3 of q2: the row with nothing to look at
With that number in every place, the row comes out of the softmax uniform: all scores were equal. Fill the *weights* in
the forbidden places with 0, after the softmax. In all other rows they are 0 there already, so nothing else changes.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: a head that looks one word back (3 points)

In a trained Transformer queries and keys are learned. Here you choose them by hand, so that attention does a job: **every
word reads the word before it**. The model BERT has attentions that do mostly this; lesson 3 looks for one in our translator.

Write `previous_word_head(length)`. It returns `query` and `key`, both of shape (length, d_head); d_head is yours to choose.
With them, each word must give at least 0.99 of its weight to the word before it. The first word has none before it, so
it looks at itself. It must work for 2 words as well as for 40.

Then give your two functions a sentence, and see it move by one place:

```python
words = ["the", "cats", "sleep", "well"]
output, weights = scaled_dot_product_attention(*previous_word_head(4), torch.eye(4))
print([words[i] for i in output.argmax(dim=-1)])   # the, the, cats, sleep
```
<!-- /question q3 -->
"""


# %% answer previous_word_head
def previous_word_head(length):
    """Queries and keys, (length, d_head) each: every word attends to the word before it."""
    raise NotImplementedError("write the body of previous_word_head")


# %% solution previous_word_head
def previous_word_head(length):
    """Queries and keys, (length, d_head) each: every word attends to the word before it."""
    key = torch.eye(
        length
    )  # (length, length): each position has a direction of its own
    before = (torch.arange(length) - 1).clamp(min=0)  # 0, 0, 1, 2, …
    strength = 20 * math.sqrt(
        length
    )  # attention divides by √d_head = √length: scores of 20 and 0 are left
    return strength * key[before], key


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: how does a key say where it stands?
Give every position a direction of its own: the rows of `torch.eye(length)`. The dot product of two different rows is 0,
of a row with itself it is 1. So a query that equals one row finds that key and no other.
:::

:::{dropdown} Hint 2 of q3: what does word t look for?
Its query is the key of position t − 1. A tensor of positions, 0, 0, 1, 2, …, picks those rows out of the keys.
:::

:::{dropdown} Hint 3 of q3: why is the weight so faint?
The softmax of 1 among zeros is nearly flat. Multiply the queries by a large number. Attention divides the scores by
√d_head, and with one direction for each position d_head grows with the sentence: let the number grow with it.
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
