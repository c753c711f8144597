"""Exercise 2, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/02_query_key_value.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 2: build queries, keys and values

*30 minutes, 10 points. You need: lesson 2, and PyTorch's `nn.Linear`.*

You build the layer with which every attention begins, for one sentence and between two. Then you take the place of the training, and write
down a query matrix and a key matrix by hand.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from linear layers, matrix products and a softmax. Your class may not call `lessons_lib.attention`; the check
notices.
"""

# %% setup
import math

import torch
from torch import nn

from lessons_lib.grading import check

check.open("02_query_key_value")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: the three projections (3 points)

Write the class `Attention(d_model, d_head, d_value)`, an `nn.Module`. It holds three linear layers, with bias, under these names: `query` and `key`,
from d_model to d_head, and `value`, from d_model to d_value. The check loads weights into them by name:

| in `state_dict()` | shape |
|---|---|
| `query.weight`, `key.weight` | (d_head, d_model) |
| `query.bias`, `key.bias` | (d_head) |
| `value.weight` | (d_value, d_model) |
| `value.bias` | (d_value) |

Then write its method `project(x, source=None)`. It returns three tensors, `query`, `key` and `value`. Leave `source` and `forward` alone for now.

| tensor | shape | |
|---|---|---|
| `x` | (…, T, d_model) | T words |
| `query` | (…, T, d_head) | what each of them looks for |
| `key` | (…, T, d_head) | what each of them offers to be found by |
| `value` | (…, T, d_value) | what each of them gives when found |
<!-- /question q1 -->
"""


# %% answer Attention
class Attention(nn.Module):
    """One head of attention with its projections, within a sentence or between two."""

    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        raise NotImplementedError("write the three linear layers of Attention")

    def project(self, x, source=None):
        """x (…, T, d_model), source (…, S, d_model) to query (…, T, ·), key and value."""
        raise NotImplementedError("write the body of project")

    def forward(self, x, source=None):
        """Returns output (…, T, d_value) and weights (…, T, S); without a source, S is T."""
        raise NotImplementedError("write the body of forward")


# %% solution Attention
class Attention(nn.Module):
    """One head of attention with its projections, within a sentence or between two."""

    def __init__(self, d_model, d_head, d_value):
        super().__init__()
        self.query = nn.Linear(d_model, d_head)
        self.key = nn.Linear(d_model, d_head)
        self.value = nn.Linear(d_model, d_value)

    def project(self, x, source=None):
        """x (…, T, d_model), source (…, S, d_model) to query (…, T, ·), key and value."""
        source = x if source is None else source
        return self.query(x), self.key(source), self.value(source)

    def forward(self, x, source=None):
        """Returns output (…, T, d_value) and weights (…, T, S); without a source, S is T."""
        query, key, value = self.project(x, source)
        scores = (
            query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        )  # (…, T, S)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights  # (…, T, d_value), (…, T, S)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: where does the layer keep its weights?
A linear layer that you assign to `self` in `__init__` becomes a part of the module, and its weights appear in `state_dict()` under the name of the
attribute: `self.query` gives `query.weight` and `query.bias`. Call `super().__init__()` first.
:::

:::{dropdown} Hint 2 of q1: which sizes?
`nn.Linear(inputs, outputs)`. Queries and keys are compared by a dot product, so both are d_head wide. Values are only averaged: they
may have a width of their own.
:::

:::{dropdown} Hint 3 of q1: what does project do?
A linear layer works on the last axis, however many stand before it. Call the three layers on `x`, and return the three results in the
order query, key, value.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: attention, within one sentence and between two (4 points)

Go back to your class. Write `forward(x, source=None)`: scaled dot-product attention, as in lesson 1, without a mask. It returns `output` and
`weights`.

Then make use of `source`, in `project` and in `forward`. Without it, the words of `x` look at each other. With it, the words of `x` look at
the words of `source`: this is the bridge from a French sentence `x` to an English one. `source` has the shape (…, S, d_model), and S need not be T.

| tensor | shape | |
|---|---|---|
| `weights` | (…, T, S) | how much each word of `x` reads of each word of `source` |
| `output` | (…, T, d_value) | what it has read |
<!-- /question q2 -->
"""

# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: who asks, and who is asked?
The sentence `x` asks: it makes the queries. The sentence `source` is asked: it makes the keys *and* the values, since what was found is what is
handed over.
:::

:::{dropdown} Hint 2 of q2: one code for both
At the top of `project`: if there is no `source`, let `source` be `x`. Everything below is then the same for one sentence and for two. (Write
`source is None`: a tensor of several numbers is neither true nor false.)
:::

:::{dropdown} Hint 3 of q2: forward in four lines
1. The three tensors of `self.project(x, source)`.
2. The scores: query times transposed key, divided by `math.sqrt` of the width of a query.
3. The weights: the softmax of the scores over the last axis, the keys.
4. Return weights times value, and the weights.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: a dictionary by hand (3 points)

Take a sentence in which every word is a direction of its own: word i is row i of `torch.eye(n)`. You say who shall find whom. `finds` is a list: word i must
find word `finds[i]`. Several words may find the same one, two may find each other, and a word may find itself.

Write `lookup_matrices(finds)`. It returns `w_query` and `w_key`, both of shape (n, d_head); d_head is yours to choose. The check makes queries
and keys as the lesson writes it, `x @ w_query` and `x @ w_key`, divides the scores by √d_head, and takes the softmax. Each word must give at
least 0.99 of its weight to the word that it should find. It must work for 2 words as well as for 40.

Then let a sentence look itself up:

```python
words = ["the", "cats", "chase", "mice"]
w_query, w_key = lookup_matrices([1, 2, 1, 2])   # an article finds its noun, a noun its verb, a verb its subject
scores = w_query @ w_key.T / math.sqrt(w_query.shape[1])
print([words[i] for i in scores.softmax(dim=-1).argmax(dim=-1)])   # cats, chase, cats, chase
```

The cats and the verb find each other. (With `w_query` equal to `w_key` they could not: claim 1 of the lesson.)
<!-- /question q3 -->
"""


# %% answer lookup_matrices
def lookup_matrices(finds):
    """Query and key matrix, (n, d_head) each: word i of n attends to word finds[i]."""
    raise NotImplementedError("write the body of lookup_matrices")


# %% solution lookup_matrices
def lookup_matrices(finds):
    """Query and key matrix, (n, d_head) each: word i of n attends to word finds[i]."""
    w_key = torch.eye(len(finds))  # (n, n): word i is filed under direction i
    strength = 20 * math.sqrt(
        len(finds)
    )  # attention divides by √d_head = √n: scores of 20 and 0 are left
    return strength * w_key[finds], w_key  # and word i asks for direction finds[i]


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: what is a row of the matrix?
Word i is row i of the identity, so `x @ w_query` is simply row i of `w_query`: you write down the query and the key of each word. The score of word j
for word i is row i of `w_query` times row j of `w_key`.
:::

:::{dropdown} Hint 2 of q3: what is filed, what is asked?
Let the key of word j be direction j: `torch.eye(n)`. A query that equals row j of it finds word j and no other. Which row does
word i need? A tensor takes a list of rows: `w_key[finds]`.
:::

:::{dropdown} Hint 3 of q3: why is the weight so faint?
The softmax of 1 among zeros is nearly flat. Multiply the query matrix by a large number. The scores are divided by √d_head, and with a
direction for each word d_head grows with the sentence: let the number grow with it.
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
