"""Exercise 6, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/06_layer_norm.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 6: build the norms

*45 minutes, 10 points. You need: lesson 6, and PyTorch's `nn.Module`, `nn.Parameter`, `mean` and `var`.*

You build the two norms of today's Transformers, and the path around each sub-layer.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from means, roots and products. Your classes may not call `torch.nn.functional`, `nn.LayerNorm`
or `lessons_lib.norms`; the check notices.
"""

# %% setup
import torch
from torch import nn

from lessons_lib.grading import check

check.open("06_layer_norm")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: LayerNorm (4 points)

Write the class `LayerNorm(d_model, eps=1e-5)`. It has two parameters with d_model numbers each, called `gamma` and
`beta`. At first they change nothing: `gamma` starts as ones, `beta` as zeros. Called with `x` of shape
(…, d_model), it gives the same shape back:

$$\gamma \cdot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta$$

The mean μ and the variance σ² are those of the d_model numbers of one word, so each word has its own. The variance is
divided by d_model, and the ε stands inside the root.

The dots stand for any number of axes in front: none, the words, a batch of words.

```python
norm = LayerNorm(4)
print([round(number, 2) for number in norm(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist()])   # -1.34, -0.45, 0.45, 1.34
```
<!-- /question q1 -->
"""


# %% answer LayerNorm
class LayerNorm(nn.Module):
    """γ · (x − mean) / √(variance + ε) + β over the last axis, with learned γ and β."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        raise NotImplementedError("write __init__ of LayerNorm")

    def forward(self, x):
        """x (…, d_model) to the same shape."""
        raise NotImplementedError("write forward of LayerNorm")


# %% solution LayerNorm
class LayerNorm(nn.Module):
    """γ · (x − mean) / √(variance + ε) + β over the last axis, with learned γ and β."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        """x (…, d_model) to the same shape."""
        mean = x.mean(dim=-1, keepdim=True)  # (…, 1)
        variance = x.var(
            dim=-1, keepdim=True, correction=0
        )  # (…, 1); 0: divide by d_model, not d_model − 1
        return self.gamma * (x - mean) / torch.sqrt(variance + self.eps) + self.beta


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: parameters
`nn.Parameter(torch.ones(d_model))`, kept as `self.gamma`, is a tensor that the optimizer will find and move. Do the same for
`beta`, with zeros, and keep `eps` as it is: `self.eps`.
:::

:::{dropdown} Hint 2 of q1: which axis?
The numbers of one word lie along the last axis, `dim=-1`, however many axes stand before it. With `keepdim=True` the
mean has the shape (…, 1), so that it can be subtracted from x of shape (…, d_model).
:::

:::{dropdown} Hint 3 of q1: the variance
`x.var(dim=-1, keepdim=True, correction=0)` is the mean of the squared distances from the mean. Without `correction=0`,
PyTorch divides by d_model − 1. Add ε to the variance, take the root, divide, multiply by γ, add β.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: RMSNorm (3 points)

Write the class `RMSNorm(d_model, eps=1e-6)`: one parameter, `gamma`, which starts as ones; no mean is taken away, and
nothing is added.

$$\gamma \cdot \frac{x}{\sqrt{\frac{1}{d_{model}} \sum_i x_i^2 + \varepsilon}}$$

It is used in large models, which compute in 16 bits. The largest number that float16 holds is 65,504, so the square of
300 is already infinite in it. (bfloat16 holds it, with two or three digits.) Your norm must give the right answer for such an `x`, in the dtype of `x`, with a γ that is
still in float32.

```python
norm = RMSNorm(2)
print([round(number, 2) for number in norm(torch.tensor([3.0, 4.0])).tolist()])   # 0.85, 1.13
```
<!-- /question q2 -->
"""


# %% answer RMSNorm
class RMSNorm(nn.Module):
    """γ · x / √(mean of x² + ε) over the last axis, with a learned γ."""

    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        raise NotImplementedError("write __init__ of RMSNorm")

    def forward(self, x):
        """x (…, d_model) to the same shape and dtype."""
        raise NotImplementedError("write forward of RMSNorm")


# %% solution RMSNorm
class RMSNorm(nn.Module):
    """γ · x / √(mean of x² + ε) over the last axis, with a learned γ."""

    def __init__(self, d_model, eps=1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        """x (…, d_model) to the same shape and dtype."""
        wide = x.to(
            torch.promote_types(x.dtype, torch.float32)
        )  # 300² is infinite in float16
        mean_square = wide.square().mean(dim=-1, keepdim=True)  # (…, 1)
        return (self.gamma * wide / torch.sqrt(mean_square + self.eps)).to(x.dtype)


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: what is left of LayerNorm?
Take LayerNorm and leave out the mean, both above and below the line, and β. Below the line stands the root of the *mean of
the squares*.
:::

:::{dropdown} Hint 2 of q2: in which order?
"Root mean square" is read from right to left: square each number, take the mean over `dim=-1`, add ε, take the root.
:::

:::{dropdown} Hint 3 of q2: float16
Compute an `x` of 16 bits in float32, and leave float64 as it is: `x.to(torch.promote_types(x.dtype, torch.float32))` does both. Turn the result
back at the very end with `.to(x.dtype)`.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: add and norm, before or after (3 points)

Each sub-layer of a Transformer (attention, feed-forward) has a residual path around it, and a norm. Where the norm
stands matters for how a deep model trains (claim 2 of the lesson). Write the class `Residual(d_model, place="pre")` and its
`forward(x, sublayer)`, where `sublayer` is any function that keeps the shape of what it gets:

| `place` | result |
|---|---|
| `"pre"` | x + sublayer(LayerNorm(x)) |
| `"post"` | LayerNorm(x + sublayer(x)) |

The norm is your `LayerNorm` of question 1; keep it in `self.norm`. Each `Residual` has its own.

```python
double = lambda x: 2 * x
x = torch.tensor([1.0, 3.0])
pre, post = (Residual(2, place)(x, double).tolist() for place in ("pre", "post"))
print([round(number, 1) for number in pre + post])   # -1.0, 5.0, -1.0, 1.0
```
<!-- /question q3 -->
"""


# %% answer Residual
class Residual(nn.Module):
    """Add & norm around one sub-layer."""

    def __init__(self, d_model, place="pre"):
        super().__init__()
        raise NotImplementedError("write __init__ of Residual")

    def forward(self, x, sublayer):
        """x (…, d_model) and a function that keeps its shape, to the same shape."""
        raise NotImplementedError("write forward of Residual")


# %% solution Residual
class Residual(nn.Module):
    """Add & norm around one sub-layer."""

    def __init__(self, d_model, place="pre"):
        super().__init__()
        self.norm = LayerNorm(d_model)
        self.place = place

    def forward(self, x, sublayer):
        """x (…, d_model) and a function that keeps its shape, to the same shape."""
        if self.place == "pre":
            return x + sublayer(self.norm(x))
        return self.norm(x + sublayer(x))


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: what do you keep?
Two things, both made in `__init__`: `self.norm`, a `LayerNorm` of width d_model, and where it stands, `self.place`. A norm that is made
outside the class, or once for all, would be shared.
:::

:::{dropdown} Hint 2 of q3: what does the sub-layer get?
In pre-norm it gets the *normalised* x, and the x that is added is the one that came in. In post-norm it gets x as it is.
:::

:::{dropdown} Hint 3 of q3: the two lines
Pre: `x + sublayer(self.norm(x))`. Post: `self.norm(x + sublayer(x))`. Write `x + …`, not `x += …`: the second would change
the tensor of whoever called you.
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
