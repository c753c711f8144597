"""Exercise 3, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/03_multi_head_attention.ipynb of it, without the `solution` cells. The lesson's page
shows the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 3: build multi-head attention

*45 minutes, 10 points. You need: lesson 3, the attention of exercise 1, and PyTorch's `nn.Module`, `unflatten` and
`transpose`.*

You build the module that does three jobs in the course's translator: the English words look at each other, the
French words at the French words before them, and the French words at the English ones. It is one class:

$$\operatorname{MultiHead}(X, Y) = \operatorname{concat}(O_1, \ldots, O_H)\,W_O, \qquad
O_h = \operatorname{softmax}\!\left(\frac{Q_h K_h^\top}{\sqrt{d_{head}}}\right) V_h$$

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from `nn.Linear`, matrix products and a softmax. Your class may not call `lessons_lib.attention`;
the check notices. Your own function of exercise 1 is welcome.
"""

# %% setup
import math

import torch
from torch import nn

from lessons_lib.grading import check

check.open("03_multi_head_attention")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: split and merge heads (3 points)

The projections give each word one long vector of d_model numbers. As code counts, from 0 (the lesson's text
counts from 1), head 0 gets the first d_head of them, head 1 the next, and so on; d_head is d_model / H. Write two functions.

- `split_heads(x, n_heads)` turns (B, T, d_model) into (B, H, T, d_head): for each sentence and head, a row for each word.
- `merge_heads(heads)` does the opposite: (B, H, T, d_head) to (B, T, d_model).

Merging what was split must give back the same tensor. Look at a small case, where you can see which number goes where:

```python
x = torch.arange(8).reshape(1, 2, 4)        # one sentence of two words: 0, 1, 2, 3 and 4, 5, 6, 7
print(split_heads(x, 2)[0, 1, 0].tolist())  # 2, 3
```

That is head 1 of word 0: the second half of its numbers. If yours says 4, 5, your head 1 reads another word.
<!-- /question q1 -->
"""


# %% answer split_heads
def split_heads(x, n_heads):
    """(B, T, d_model) to (B, H, T, d_head)."""
    raise NotImplementedError("write the body of split_heads")


# %% solution split_heads
def split_heads(x, n_heads):
    """(B, T, d_model) to (B, H, T, d_head)."""
    each = x.unflatten(
        -1, (n_heads, -1)
    )  # (B, T, H, d_head): only the last axis is cut
    return each.transpose(1, 2)  # (B, H, T, d_head)


# %% answer merge_heads
def merge_heads(heads):
    """(B, H, T, d_head) to (B, T, d_model)."""
    raise NotImplementedError("write the body of merge_heads")


# %% solution merge_heads
def merge_heads(heads):
    """(B, H, T, d_head) to (B, T, d_model)."""
    return heads.transpose(1, 2).flatten(
        2
    )  # (B, T, H, d_head), then (B, T, d_model)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: which axis is cut?
The last one, and no other: d_model becomes H times d_head. What you have then is (B, T, H, d_head). No number has moved
yet; only the shape is new.
:::

:::{dropdown} Hint 2 of q1: how do heads get in front of words?
`transpose(1, 2)` exchanges the axes T and H. A `view` or `reshape` straight to (B, H, T, d_head) has the right shape too,
but reads the numbers in the order in which they lie: it cuts across the words.
:::

:::{dropdown} Hint 3 of q1: and back?
The same two steps, backwards: `transpose(1, 2)` first, then `flatten(2)`, which joins the last two axes. (A `view` fails
after a transpose, because the numbers no longer lie in order; `reshape` and `flatten` copy them where they must.)
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: multi-head attention (4 points)

Write the class `MultiHeadAttention(d_model, n_heads)`, an `nn.Module` with four layers
`nn.Linear(d_model, d_model)`, named `query`, `key`, `value` and `output`. The check puts its own numbers into them, so
the names must be these.

`forward(query, source=None, mask=None)` returns two things, the output and the attention weights:

| tensor | shape | |
|---|---|---|
| `query` | (B, T, d_model) | the T words that look |
| `source` | (B, S, d_model) | the S words that are looked at; `None`: the words look at each other |
| output | (B, T, d_model) | what each word has read, through `output` |

The argument and a layer are both called `query`: queries are `self.query(query)`. With a `source` this is
**cross-attention**: queries come from `query`, keys *and* values from `source`. Leave `mask` alone for now, and return
`None` for the weights if you like; the mask and they come later.
<!-- /question q2 -->
"""


# %% answer MultiHeadAttention
class MultiHeadAttention(nn.Module):
    """Attention in n_heads subspaces at once, then mixed, with four linear layers."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        raise NotImplementedError("write the layers of MultiHeadAttention")

    def forward(self, query, source=None, mask=None):
        """query (B, T, d_model), source (B, S, d_model), a mask that fits (B, H, T, S).

        Returns the output (B, T, d_model) and the weights (B, H, T, S).
        """
        raise NotImplementedError("write the forward of MultiHeadAttention")


# %% solution MultiHeadAttention
class MultiHeadAttention(nn.Module):
    """Attention in n_heads subspaces at once, then mixed, with four linear layers."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.output = (
            nn.Linear(d_model, d_model) for _ in range(4)
        )

    def forward(self, query, source=None, mask=None):
        """query (B, T, d_model), source (B, S, d_model), a mask that fits (B, H, T, S).

        Returns the output (B, T, d_model) and the weights (B, H, T, S).
        """
        source = query if source is None else source
        q = split_heads(self.query(query), self.n_heads)  # (B, H, T, d_head)
        k = split_heads(self.key(source), self.n_heads)  # (B, H, S, d_head)
        v = split_heads(self.value(source), self.n_heads)  # (B, H, S, d_head)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, S)
        if mask is None:
            weights = scores.softmax(dim=-1)
        else:
            weights = scores.masked_fill(
                ~mask, torch.finfo(scores.dtype).min
            ).softmax(dim=-1)
            weights = weights.masked_fill(
                ~mask, 0.0
            )  # a row with no allowed key was uniform until here
        return self.output(merge_heads(weights @ v)), weights


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: what is new here?
Little. Three linear layers make queries, keys and values; `split_heads` gives each an axis of heads; attention as in
exercise 1 works on the last two axes and does not notice the two in front; `merge_heads`, and the fourth linear layer.
Keep `n_heads` in `__init__`, so that `forward` can use it.
:::

:::{dropdown} Hint 2 of q2: by what are the scores divided?
By the root of the width of what was multiplied: one *head's* query, d_head numbers. After splitting, that is `q.shape[-1]`.
:::

:::{dropdown} Hint 3 of q2: the lines
1. `source` is `query` if it is None.
2. `q` from `query`, `k` and `v` from `source`: linear layer, then split.
3. `weights`: the softmax over the last axis of `q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])`.
4. `self.output` of the merged `weights @ v`.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: a mask, and the weights (3 points)

Go back to your class. `mask` holds booleans, `True` where a query **may attend**. It has any shape that broadcasts to
(B, H, T, S): a causal mask is (T, T), a padding mask (B, 1, 1, S). As in exercise 1, a forbidden key gets the weight 0, and a
query that may attend to nothing gets zeros from every head, never NaN (so its output is the bias of the layer `output`).

Return the weights too, of **each** head: (B, H, T, S).

```python
attend = MultiHeadAttention(8, 2)
output, weights = attend(torch.randn(3, 5, 8), mask=torch.ones(5, 5, dtype=torch.bool).tril())
print(list(weights.shape))  # 3, 2, 5, 5
```
<!-- /question q3 -->
"""

# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: does each head need its own mask?
No. Broadcasting repeats an axis of length 1, or one that is missing in front: (T, T) and (B, 1, 1, S) both fit scores of
(B, H, T, S) as they are. Do not reshape the mask.
:::

:::{dropdown} Hint 2 of q3: where does it go?
Where it went in exercise 1: forbidden *scores* become hugely negative, `torch.finfo(scores.dtype).min`, before the
softmax, and forbidden *weights* 0, after it.
:::

:::{dropdown} Hint 3 of q3: which weights are returned?
The softmax's own, with the axis of heads: no mean over heads, no merging. Only what was read, `weights @ v`, is merged.
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
