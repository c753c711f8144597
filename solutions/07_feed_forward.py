"""Exercise 7, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/07_feed_forward.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 7: build the feed-forward network

*40 minutes, 10 points. You need: lesson 7, and PyTorch's `nn.Module` and `nn.Linear`.*

You build the second half of a layer, with ReLU, GELU and the gate of today's large models, and then you open it and
read what is inside:

$$\operatorname{FFN}(x) = f(x W_1 + b_1)\, W_2 + b_2$$

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from `nn.Linear` and an activation of `torch.nn.functional`. Your class may not use
`lessons_lib.feedforward`; the check notices.
"""

# %% setup
import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.grading import check

check.open("07_feed_forward")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: two matrices and a ReLU (3 points)

Write the class `FeedForward(d_model, d_ff, activation="relu")`, an `nn.Module`. For now only ReLU is asked for.

| name | what it is | its weight |
|---|---|---|
| `self.expand` | an `nn.Linear` with a bias, from d_model to d_ff | (d_ff, d_model) |
| `self.contract` | an `nn.Linear` with a bias, from d_ff back to d_model | (d_model, d_ff) |

`forward(x)` takes (…, d_model) and gives (…, d_model). The dots stand for any number of axes in front: none, words, a
batch of sentences. **The two names are fixed**: the check puts its own weights into your layers, by name. No dropout, no
norm and no residual connection in here; they are the layer's (lesson 5).
<!-- /question q1 -->
"""


# %% answer FeedForward
class FeedForward(nn.Module):
    """The feed-forward network: the same two-layer network at every position, alone.

    activation: "relu", "gelu", or "swiglu": a third matrix, a gate.
    """

    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        raise NotImplementedError("write __init__ and forward of FeedForward")

    def forward(self, x):
        """x (…, d_model) to (…, d_model)."""
        raise NotImplementedError("write forward of FeedForward")


# %% solution FeedForward
class FeedForward(nn.Module):
    """The feed-forward network: the same two-layer network at every position, alone.

    activation: "relu", "gelu", or "swiglu": a third matrix, a gate.
    """

    def __init__(self, d_model, d_ff, activation="relu"):
        super().__init__()
        gated = activation == "swiglu"
        width = (
            2 * d_ff // 3 if gated else d_ff
        )  # 3 · (2/3) = 2: as many numbers as two matrices of the full width
        self.function = {"relu": F.relu, "gelu": F.gelu, "swiglu": F.silu}[
            activation
        ]
        self.expand = nn.Linear(d_model, width)
        self.gate = nn.Linear(d_model, width) if gated else None
        self.contract = nn.Linear(width, d_model)

    def forward(self, x):
        """x (…, d_model) to (…, d_model)."""
        hidden = self.function(self.expand(x))  # (…, width)
        if self.gate is not None:
            hidden = hidden * self.gate(x)  # Llama's up_proj: no activation
        return self.contract(hidden)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: what belongs where?
Whatever is learned is made once, in `__init__`, and kept on `self`. `forward` only uses it. An `nn.Linear` is called like
a function, and it works on the last axis of whatever it gets: words, batches and heads in front need no care.
:::

:::{dropdown} Hint 2 of q1: which sizes?
`nn.Linear(in, out)` names the size that goes in first, though it keeps its weight as (out, in). The first layer goes from
d_model up to d_ff, the second one back.
:::

:::{dropdown} Hint 3 of q1: three lines of forward
1. Send x through `self.expand`.
2. Replace what is negative by 0: `F.relu`.
3. Send that through `self.contract`, and return it. Nothing comes after it.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: the activation chosen, and a gate (4 points)

Go back to your class, use `activation`, and run its cell again.

- `"relu"`: as before.
- `"gelu"`: $h\,\Phi(h)$ in place of ReLU, the exact one.
- `"swiglu"`: a third layer, `self.gate`, an `nn.Linear` with a bias. The hidden neurons are
  $\operatorname{SiLU}(x W_{gate} + b_{gate}) \odot (x W_{up} + b_{up})$, where $\operatorname{SiLU}(h) = h \cdot \operatorname{sigmoid}(h)$,
  and $\odot$ multiplies neuron by neuron.

The formula has the names of Llama's weights. In this course's code **`expand` goes through the activation, here as in question 1, and `gate` has none**:

| in the formula | in Llama | here | |
|---|---|---|---|
| $W_{gate}, b_{gate}$ | `gate_proj` | `self.expand` | goes through SiLU |
| $W_{up}, b_{up}$ | `up_proj` | `self.gate` | is multiplied with it |
| $W_{down}, b_{down}$ | `down_proj` | `self.contract` | comes last |

A gate costs a matrix. To be fair to the others, the gated network has **as many numbers in its three matrices** as the plain
one has in its two: its hidden width is less than d_ff, rounded down where it does not come out even. (Biases do not count:
in networks of a real size they are less than one number in a hundred.) For "relu" and "gelu" there is no `gate`.

```python
sizes = [sum(p.numel() for p in FeedForward(16, 48, a).parameters() if p.ndim == 2) for a in ("relu", "gelu", "swiglu")]
print(sizes)  # 1536, 1536, 1536
```
<!-- /question q2 -->
"""

# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: how wide?
Two matrices of d_model · d_ff numbers, or three of d_model · w numbers. Set them equal, and solve for w. In Python,
`//` rounds down.
:::

:::{dropdown} Hint 2 of q2: which function?
All of them are in `torch.nn.functional`, imported as `F`: `relu`, `gelu`, `silu`. A dictionary from the name to the function
saves you the `if`s. Keep the chosen function on `self`.
:::

:::{dropdown} Hint 3 of q2: the order of the gate
Activation first, product second: send x through `self.expand` and SiLU; send x (not what came out of it) through `self.gate`, which
has no activation (see the table in the question); multiply the two with `*`; send the product through `self.contract`.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: the network as a memory (3 points)

A ReLU network can be read as a memory. Row $i$ of `expand.weight` is a **key**, column $i$ of `contract.weight` is a **value**.
Neuron $i$ **fires** when its sum, token · key + bias, is above 0, and then it adds sum × value to the output.

Write `read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias)` for one token (d_model,) and the four
tensors of a network, laid out as `nn.Linear` keeps them: (d_ff, d_model), (d_ff,), (d_model, d_ff), (d_model,). It
returns three tensors:

| tensor | shape | |
|---|---|---|
| `fired` | (n,) | the numbers of the neurons that fire, the strongest (with the largest sum) first |
| `added` | (n, d_model) | what each of them adds to the output, in the same order |
| `output` | (d_model,) | what the network gives for the token, put together from `added` |

Where no neuron fires, n is 0. The output is then what is left.

```python
network, token = FeedForward(16, 48), torch.ones(16)
fired, added, output = read_memory(token, *network.parameters())
print(torch.allclose(output, network(token), atol=1e-5))  # True
```
<!-- /question q3 -->
"""


# %% answer read_memory
def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    """The neurons that fire, the strongest first; what each adds; and their output."""
    raise NotImplementedError("write the body of read_memory")


# %% solution read_memory
def read_memory(token, expand_weight, expand_bias, contract_weight, contract_bias):
    """The neurons that fire, the strongest first; what each adds; and their output."""
    sums = (
        expand_weight @ token + expand_bias
    )  # (d_ff,): how well the token agrees with each key
    order = torch.argsort(sums, descending=True)
    fired = order[sums[order] > 0]  # (n,)
    added = sums[fired, None] * contract_weight.T[fired]  # (n, 1) · (n, d_model)
    return fired, added, added.sum(dim=0) + contract_bias


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: all sums at once
The keys are the rows of `expand_weight`, so the matrix times the token is one dot product for each neuron. Add the bias: it decides how
well a token must agree before the neuron fires.
:::

:::{dropdown} Hint 2 of q3: choose and sort
`torch.argsort` with `descending=True` gives the neuron numbers from the largest sum to the smallest. Those whose sum is above 0 come first;
keep them and drop the rest, with a condition in square brackets.
:::

:::{dropdown} Hint 3 of q3: values and their sum
Transposed, `contract_weight` has one row for each neuron. Pick the rows that fired and multiply each by its own sum; write
`[:, None]` to give the sums an axis for the columns. The output is the total of these rows, and one thing more that no neuron adds.
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
