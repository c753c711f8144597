"""Exercise 4, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/04_positional_encoding.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 4: tell the order

*40 minutes, 10 points. You need: lesson 4, and PyTorch's `arange`, `cat`, `chunk`, slices with a step, and indexing a
tensor with a tensor of integers.*

Attention does not know where a word stands. You build three ways to tell it: a table that is added to the words, a rotation
of queries and keys, and a number that is added to each score.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means without `lessons_lib.positions`; the check notices.
"""

# %% setup
import torch

from lessons_lib.grading import check

check.open("04_positional_encoding")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: the sinusoidal table (3 points)

Write `sinusoidal_table(max_length, d_model)`. It returns a float32 tensor of shape (max_length, d_model), a row for each
position $t = 0, 1, 2, \ldots$ `d_model` is even. Columns come in pairs, a sine and its cosine side by side:

$$PE_{t,\,2i} = \sin\!\bigl(t \cdot 10000^{-2i/d_{model}}\bigr), \qquad PE_{t,\,2i+1} = \cos\!\bigl(t \cdot 10000^{-2i/d_{model}}\bigr)$$
<!-- /question q1 -->
"""


# %% answer sinusoidal_table
def sinusoidal_table(max_length, d_model):
    """The table (max_length, d_model): sines in the even columns, cosines in the odd ones."""
    raise NotImplementedError("write the body of sinusoidal_table")


# %% solution sinusoidal_table
def sinusoidal_table(max_length, d_model):
    """The table (max_length, d_model): sines in the even columns, cosines in the odd ones."""
    speeds = 10_000 ** (
        -torch.arange(0, d_model, 2) / d_model
    )  # (D/2,): the range gives 2i
    angles = (
        torch.arange(max_length)[:, None] * speeds
    )  # (T, 1) * (D/2,) -> (T, D/2)
    table = torch.empty(max_length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: how many angles are there?
One for each position and each *pair* of columns: (max_length, d_model / 2). Every angle is a position times a speed, so the
table of angles is a column of positions times a row of speeds.
:::

:::{dropdown} Hint 2 of q1: the speeds
`torch.arange(0, d_model, 2)` gives 0, 2, 4 …, which is 2i already. Divide by `d_model`, put a minus in front, and raise
10000 to that power. The first speed is 1, the last a little more than 1/10000 if `d_model` is large (at 4 it is 1/100).
:::

:::{dropdown} Hint 3 of q1: into alternating columns
Make an empty table. `table[:, 0::2]` is every other column from column 0 on, `table[:, 1::2]` from column 1 on. The sines of the angles go
into the first, the cosines into the second.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: turn queries and keys (4 points)

RoPE turns pairs of dimensions by an angle that grows with the position. Write `rotate(heads, start=0)`. `heads` has the
shape (…, T, d_head), d_head even; row $t$ of the axis T stands at position `start + t`. The result has the same shape
and dtype. Even where that has 16 bits the angles need float32: float16 has no number 2049, bfloat16 no 257.

**The pairing is the one of `lessons_lib.positions`, and of Hugging Face's Llama: two halves.** (The paper and Meta's own code pair neighbours.)
Dimension $i$ turns together with dimension $i + d_{head}/2$, at the speed $10000^{-2i/d_{head}}$. With the angle $\theta_{t,i} = (start + t) \cdot 10000^{-2i/d_{head}}$:

$$
\begin{aligned}
x'_{i} &= x_{i} \cos\theta_{t,i} - x_{i + d_{head}/2} \sin\theta_{t,i} \\
x'_{i + d_{head}/2} &= x_{i + d_{head}/2} \cos\theta_{t,i} + x_{i} \sin\theta_{t,i}
\end{aligned}
\qquad i = 0, \ldots, d_{head}/2 - 1
$$

Why `start`? A translator that writes with a cache hands over one new word at a time. That word is row 0 of what it hands over, and stands at
position 17 of the sentence.

Try it on a vector that points along dimension 0. At position 3, with two dimensions, it has turned by three radians:

```python
turned = rotate(torch.tensor([[1.0, 0.0]]), start=3)
print([round(x, 2) for x in turned[0].tolist()])   # -0.99, 0.14
```
<!-- /question q2 -->
"""


# %% answer rotate
def rotate(heads, start=0):
    """heads (…, T, d_head), each row turned by the angles of its position from start on."""
    raise NotImplementedError("write the body of rotate")


# %% solution rotate
def rotate(heads, start=0):
    """heads (…, T, d_head), each row turned by the angles of its position from start on."""
    length, d_head = heads.shape[-2:]
    wide = torch.promote_types(heads.dtype, torch.float32)  # float16: no 2049
    twice = torch.arange(0, d_head, 2, dtype=wide, device=heads.device)  # 2i
    speeds = 10_000 ** (-twice / d_head)  # (d_head/2,)
    positions = start + torch.arange(length, device=heads.device)
    angles = positions[:, None] * speeds  # (T, d_head/2)
    first, second = heads.chunk(2, dim=-1)  # (…, T, d_head/2) each
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat(
        [first * cosine - second * sine, second * cosine + first * sine], dim=-1
    ).to(heads.dtype)  # (…, T, d_head)


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: the shapes
There are d_head / 2 pairs, so the angles have the shape (T, d_head / 2), made as for the table. The two halves of `heads`,
`heads.chunk(2, dim=-1)`, have the shape (…, T, d_head / 2). They broadcast, whatever the dots stand for.
:::

:::{dropdown} Hint 2 of q2: a rotation in the plane
Call the halves `first` and `second`. The new first half is `first * cos - second * sin`, the new second half
`second * cos + first * sin`. Compute both from the *old* halves, then `torch.cat` them along the last axis.
:::

:::{dropdown} Hint 3 of q2: where `start` goes, and the dtype
The positions are `start + torch.arange(length)`. Make positions and speeds on the device of `heads` (`device=heads.device`), in PyTorch's own
dtypes: the angles are float32 then. Turn only the result back, with `.to(heads.dtype)`.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: a bias for each distance (3 points)

A third way: leave words, queries and keys alone and add a learned number to each score, which depends on how far the key stands from
the query. Beyond some `max_distance`, all distances share the number of the last one.

Write `relative_bias(table, length, start=0)`. It returns the biases, of shape (H, length, start + length):

- the **queries** stand at the positions `start`, `start + 1`, …, `length` of them; the **keys** at 0, 1, …, up to the last query;
- the **distance** is key − query: negative looks back;
- `table` has the shape (H, 2 · max_distance + 1). Column 0 belongs to the distance −max_distance, the last one to +max_distance. A distance
  beyond either end is **clipped** to it. You find max_distance from the size of the table.

```python
table = torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]])   # one head, max_distance 2; the number says the distance
print(relative_bias(table, 5)[0, 3].int().tolist())   # -2, -2, -1, 0, 1
```
<!-- /question q3 -->
"""


# %% answer relative_bias
def relative_bias(table, length, start=0):
    """Biases (H, length, start + length) from a table (H, 2 * max_distance + 1)."""
    raise NotImplementedError("write the body of relative_bias")


# %% solution relative_bias
def relative_bias(table, length, start=0):
    """Biases (H, length, start + length) from a table (H, 2 * max_distance + 1)."""
    max_distance = (table.shape[1] - 1) // 2
    keys = torch.arange(start + length, device=table.device)
    queries = keys[start:]
    distance = keys - queries[:, None]  # (S,) - (T, 1) -> (T, S)
    columns = (
        distance.clamp(-max_distance, max_distance) + max_distance
    )  # 0 … 2 · max_distance
    return table[:, columns]  # (H, T, S)


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: all distances at once
A row of keys minus a column of queries, `keys - queries[:, None]`, broadcasts to (length, start + length). The queries are the last
`length` of the keys' positions.
:::

:::{dropdown} Hint 2 of q3: from distance to column
−max_distance must become 0, and +max_distance the last column: add max_distance. Clip before you add, with `clamp`.
The table has one column more than twice max_distance, for the distance 0.
:::

:::{dropdown} Hint 3 of q3: looking up a whole matrix
`table[:, columns]`, with a matrix of integers for the columns, gives for each head a matrix of the same shape.
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
