"""Exercise 8, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/08_masking.ipynb of it, without the `solution` cells. The lesson's page shows the hints
and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 8: who may look at whom

*25 minutes, 10 points. You need: lesson 8, comparisons of tensors, and `torch.nn.functional.cross_entropy`.*

Two masks and a loss: what turns a network that sees everything into one that has to learn. A mask is boolean, `True`
means *may attend*, and it broadcasts to (B, H, T, S), the shape of the scores of B sentences and H heads.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from PyTorch's own functions. Your functions may not call `lessons_lib`; the check notices.
"""

# %% setup
import torch
import torch.nn.functional as F

from lessons_lib.grading import check
from lessons_lib.masks import explain  # noqa: F401  (for the text of q1)

check.open("08_masking")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: the causal mask (3 points)

Write `causal_mask(length)`. It returns a boolean tensor (length, length): `mask[t, s]` is `True` when position t may
attend to position s, which is when s is t itself or comes before it. The same mask serves all sentences and all heads.

Let the library read it to you:

```python
words = ["le", "chat", "dort"]
print(explain(causal_mask(3), words).splitlines()[1])   # chat sees le chat
```
<!-- /question q1 -->
"""


# %% answer causal_mask
def causal_mask(length):
    """Boolean (length, length): True where position t may attend, up to t itself."""
    raise NotImplementedError("write the body of causal_mask")


# %% solution causal_mask
def causal_mask(length):
    """Boolean (length, length): True where position t may attend, up to t itself."""
    position = torch.arange(length)
    return position[None, :] <= position[:, None]  # column s, row t: s ≤ t


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: which half?
Draw it for three words. Row 0 is the first word: it sees itself, one `True`. Row 2 is the last one: it sees all three. So
the `True`s fill the lower left triangle, and the diagonal belongs to it.
:::

:::{dropdown} Hint 2 of q1: two ways to a triangle
`torch.ones(length, length)` has a method `tril` that keeps the lower triangle. Or compare: with positions 0, 1, 2, … as
a row and as a column, `s <= t` is a whole table at once, by broadcasting.
:::

:::{dropdown} Hint 3 of q1: of what is it made?
Of `True` and `False`: a comparison gives that by itself; `torch.ones` needs `dtype=torch.bool`.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: the padding mask (3 points)

Write `padding_mask(tokens, pad_id)`. `tokens` are the ids (B, S) of B sentences, filled up with `pad_id`. The result is
boolean and has the shape (B, 1, 1, S): `True` where the token is real. The two axes of 1 stand for all heads and all
queries. So it hides the same columns from every query, and it fits queries of another sentence too, as in
cross-attention. The padding may stand on the left or on the right, and `pad_id` need not be 0.

With `&` the two masks become one. Here is what a row of it says:

```python
tokens = torch.tensor([[7, 8, 5, 5]])
both = causal_mask(4) & padding_mask(tokens, 5)   # (4, 4) & (1, 1, 1, 4) -> (1, 1, 4, 4)
print(*both[0, 0].sum(dim=-1).tolist())   # 1 2 2 2
```
<!-- /question q2 -->
"""


# %% answer padding_mask
def padding_mask(tokens, pad_id):
    """Boolean (B, 1, 1, S): True where a token of tokens (B, S) is not the padding."""
    raise NotImplementedError("write the body of padding_mask")


# %% solution padding_mask
def padding_mask(tokens, pad_id):
    """Boolean (B, 1, 1, S): True where a token of tokens (B, S) is not the padding."""
    return (tokens != pad_id)[:, None, None, :]  # (B, S) -> (B, 1, 1, S)


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: one comparison
A token is real when it *is not* `pad_id`. Comparing a tensor with a number gives a tensor of `True` and `False`.
:::

:::{dropdown} Hint 2 of q2: where do the ones go?
Line the shapes up from the right: scores (B, H, T, S), mask (B, 1, 1, S). Without the ones, PyTorch would take the
sentences for queries. Indexing with `None` makes an axis of 1.
:::

:::{dropdown} Hint 3 of q2: columns, not rows
What is hidden is a *key*: it must not be seen. Keys are the last axis. A row of the padding may look where it likes;
nobody reads what it finds.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: targets moved by one place (4 points)

The mask is half of it. The other half is to give the decoder the right sentence *one place late*, so that each place
reads what came before the word that it must say.

Write `next_token_loss(tokens, predict, bos_id, pad_id)`. It returns three tensors:

| | shape | |
|---|---|---|
| `tokens` (given) | (B, T) | what must be said: y₁ … yₘ `</s>`, then `pad_id` to the end of the row |
| `predict` (given) | | a function: `predict(tgt_in)` gives the logits (B, T, V) of the token at each place |
| `tgt_in` | (B, T) | what is read: `tokens` moved one place to the right, `bos_id` in front; the last column falls off |
| `tgt_out` | (B, T) | what must be said: `tokens` |
| `loss` | () | the mean of −log softmax(logits)[target] over the places where `tgt_out` is not `pad_id` |

Each real token counts the same, whatever sentence it stands in.

```python
tokens = torch.tensor([[5, 6, 2], [7, 2, 0]])   # two sentences; 2 is </s>, 0 the padding
tgt_in, tgt_out, loss = next_token_loss(tokens, lambda read: torch.zeros(2, 3, 8), 1, 0)
print(*tgt_in[0].tolist(), "|", *tgt_in[1].tolist(), "|", round(loss.item(), 3))   # 1 5 6 | 1 7 2 | 2.079
```

A model that knows nothing gives all of V = 8 tokens the same probability, so its loss is log 8 = 2.079.
<!-- /question q3 -->
"""


# %% answer next_token_loss
def next_token_loss(tokens, predict, bos_id, pad_id):
    """What the decoder reads, what it must say, its mean error over the real tokens."""
    raise NotImplementedError("write the body of next_token_loss")


# %% solution next_token_loss
def next_token_loss(tokens, predict, bos_id, pad_id):
    """What the decoder reads, what it must say, its mean error over the real tokens."""
    tgt_out = tokens
    start = torch.full_like(tokens[:, :1], bos_id)
    tgt_in = torch.cat(
        [start, tokens[:, :-1]], dim=1
    )  # (B, 1) and (B, T − 1) -> (B, T)
    logits = predict(tgt_in)  # (B, T, V)
    real = tgt_out != pad_id
    loss = F.cross_entropy(
        logits[real], tgt_out[real]
    )  # (N, V) and (N,): only the places that are asked
    return tgt_in, tgt_out, loss


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: write it down for one sentence
tokens: `les chats dorment </s>`. Before *les* nothing has been said, so the decoder reads `<s>`; before *chats* it reads
*les*. So tgt_in is `<s> les chats dorment`. The `</s>` has fallen off: nothing comes after it.
:::

:::{dropdown} Hint 2 of q3: moving
`tokens[:, :-1]` is all but the last column. A column of `bos_id` of the right kind comes from
`torch.full_like(tokens[:, :1], bos_id)`, and `torch.cat(…, dim=1)` puts them side by side.
:::

:::{dropdown} Hint 3 of q3: only real tokens
`F.cross_entropy(logits, targets)` wants (N, V) and (N,), and gives the mean over the N. Choose the N first: with a
boolean `real` of shape (B, T), `logits[real]` is (N, V). (Its option `ignore_index` does the same.)
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
