"""Exercise 11, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/11_efficient_transformers.ipynb of it, without the `solution` cells. The lesson's page
shows the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 11: write fast

*45 minutes, 10 points. You need: lesson 11.*

You build what makes a translator write fast: a step of attention that remembers, the loop that uses it, and an attention that never
holds its table of weights. In question 2 the translator of exercise 5 writes French with your cache.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**What you are given:** `scaled_dot_product_attention(query, key, value, mask)`, yours if you kept it in exercise 1. It gives **two** things, the
output and the weights, and `mask` is `True` where a query may attend. PyTorch's `F.scaled_dot_product_attention` is allowed, too. What you may not use are the library's own cache and its searches; the check notices.
"""

# %% setup
import math

import torch

from lessons_lib.grading import check

torch.manual_seed(0)
check.open("11_efficient_transformers")

# What you kept in earlier exercises, or else the course's.
scaled_dot_product_attention = check.part("scaled_dot_product_attention")
EncoderDecoder, sinusoidal_table = check.part("EncoderDecoder", "sinusoidal_table")
split_heads, merge_heads = check.part("split_heads", "merge_heads")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: a step with a cache (4 points)

Write `attend_with_cache(query, key, value, past)`. The three tensors belong to T *new* tokens, (B, H, T, d_head) each. `past` is None, or the pair
(keys, values) of the n tokens before them, (B, H, n, d_head) each.

Each new token attends to the whole past, to the new tokens before it, and to itself. Return two things: the output (B, H, T, d_head), and the pair (keys, values)
of all n + T tokens, in order: the `past` of the next step. Leave the `past` that you were given as it is.

```python
query, key, value = torch.randn(3, 1, 2, 1, 8)  # one new token, two heads
past = torch.randn(1, 2, 5, 8), torch.randn(1, 2, 5, 8)  # behind five others
output, (keys, values) = attend_with_cache(query, key, value, past)
print(output.shape, keys.shape)  # torch.Size([1, 2, 1, 8]) torch.Size([1, 2, 6, 8])
```
<!-- /question q1 -->
"""


# %% answer attend_with_cache
def attend_with_cache(query, key, value, past):
    """What T new tokens take home, (B, H, T, d_head), and keys and values of all tokens so far."""
    raise NotImplementedError("write the body of attend_with_cache")


# %% solution attend_with_cache
def attend_with_cache(query, key, value, past):
    """What T new tokens take home, (B, H, T, d_head), and keys and values of all tokens so far."""
    if past is not None:
        key, value = (
            torch.cat([old, new], dim=2)
            for old, new in zip(past, (key, value), strict=True)
        )
    new, n = query.shape[2], key.shape[2]
    mask = torch.ones(new, n, dtype=torch.bool, device=query.device).tril(
        n - new
    )  # (T, n): row t sees n - T + t + 1
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: what is joined, and along which axis?
Keys with keys, values with values, the past in front: `torch.cat([past[0], key], dim=…)`. In (B, H, n, d_head) the tokens are the third axis.
Without a past there is nothing to join.
:::

:::{dropdown} Hint 2 of q1: who may see what?
A single new token may see everything that there is. Of several, the first may see the past and itself; the next one key more; the last all of them. That
is a triangle, but it does not start in the corner.
:::

:::{dropdown} Hint 3 of q1: the mask
T rows, as many columns as there are keys now, n + T. A matrix of ones with `.tril(k)` keeps, in row t, the columns up to t + k. Row 0 must
keep the columns up to n. So what is k?
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: writing that reads nothing twice (3 points)

Write `generate(step, prompt, n_tokens)`: greedy writing. `prompt` holds token ids, (B, P). Return the prompt with `n_tokens` more behind it, (B, P + n), each
the most probable one.

`step(tokens, start, past)` is a decoder: `tokens` (B, T) are new, the first of them stands at place `start` (an int, counted from 0), and `past` is what the step before gave, at
the beginning None. It returns two things: logits (B, T, V), a row for each of its T places, and the new past. What is in the past is not your business; hand it on.

The whole prompt goes through the first step at once, no token through `step` twice, and the last one not at all: n tokens, n steps. The check counts. If `n_tokens` is 0, the prompt comes back.

When both answers are right, this prints French. It is the model of exercise 5, with the weights of the course's translator, and your cache in each layer:

```python
from lessons_lib.translation.course_model import load_course_translator

translator = load_course_translator("cpu")
model, tokenizer = EncoderDecoder(4000, 128, 4, 256, 2), translator.tokenizer
model.load_state_dict({
    name.replace("encoder.", "encoder_").replace("decoder.", "decoder_").replace("_residual.norm", "_norm"): weights
    for name, weights in translator.model.state_dict().items()
}, strict=False)
memory = model.encode(torch.tensor([[*tokenizer.encode("The small black cats do not sleep."), 2]]))
places = sinusoidal_table(40, 128)

def step(tokens, start, past):
    x = model.embedding(tokens) * math.sqrt(128) + places[start : start + tokens.shape[1]]  # (B, T, D)
    kept = []
    for i, layer in enumerate(model.decoder_layers):
        normed, attention = layer.attention_norm(x), layer.attention
        new = [split_heads(part(normed), 4) for part in (attention.query, attention.key, attention.value)]
        heads, now = attend_with_cache(*new, past[i] if past else None)
        x = x + attention.output(merge_heads(heads))
        x = x + layer.cross_attention(layer.cross_attention_norm(x), memory)[0]
        x = x + layer.feed_forward(layer.feed_forward_norm(x))
        kept.append(now)
    return model.decoder_norm(x) @ model.embedding.weight.T, kept

print(tokenizer.decode(generate(step, torch.tensor([[1]]), 9)[0].tolist()))  # Les petits chats noirs ne dorment pas.
```
<!-- /question q2 -->
"""


# %% answer generate
def generate(step, prompt, n_tokens):
    """The prompt (B, P) and the n most probable tokens behind it, (B, P + n)."""
    raise NotImplementedError("write the body of generate")


# %% solution generate
def generate(step, prompt, n_tokens):
    """The prompt (B, P) and the n most probable tokens behind it, (B, P + n)."""
    text, new, start, past = prompt, prompt, 0, None
    for _ in range(n_tokens):
        logits, past = step(new, start, past)  # (B, T, V)
        start += new.shape[1]
        new = logits[:, -1].argmax(
            dim=-1, keepdim=True
        )  # (B, 1): from now on one token is new
        text = torch.cat([text, new], dim=1)
    return text


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: what is new?
In the first step the whole prompt. In every other step one token: the one that was written just now. Everything before it is in the past.
:::

:::{dropdown} Hint 2 of q2: which logits, and which place?
The logits have a row for each token that went in. What comes next is said by the last row, `logits[:, -1]`. The place of the next token is the number of tokens before it: add up
how many went in.
:::

:::{dropdown} Hint 3 of q2: the loop
Keep four things: the text so far, what is new, where it starts, and the past. In each of `n_tokens` rounds: call `step`; move the start on by the number of tokens that went in; take the most
probable token with `keepdim=True`, so that it is (B, 1); append it to the text, and let it be what is new.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: attention over blocks seen once (3 points)

Write `attention_over_blocks(query, blocks)`. `query` is (H, T, d_head). `blocks` gives pairs (keys, values), one after the other, (H, n, d_head) and (H, n, d_value); n may be another in each
block. Return what attention over all keys together would give, softmax(QKᵀ / √d_head) V, (H, T, d_value). No mask.

**You see each block once.** When you ask for the next one, it is written into the memory of the one before, as in the small fast memory of a GPU. So `list(blocks)` is of no use. Go
through them with a `for`, and keep for each query: its largest score so far, the sum of its weights, the weighted sum of values.

```python
(query, key), value = torch.randn(2, 2, 6, 4), torch.randn(2, 6, 3)  # d_head 4, d_value 3
blocks = [(key[:, :4], value[:, :4]), (key[:, 4:], value[:, 4:])]
whole = scaled_dot_product_attention(query, key, value)[0]
print((attention_over_blocks(query, iter(blocks)) - whole).abs().max() < 1e-5)  # tensor(True)
```
<!-- /question q3 -->
"""


# %% answer attention_over_blocks
def attention_over_blocks(query, blocks):
    """softmax(QKᵀ / √d_head) V over the keys and values of all blocks together, (H, T, d_value)."""
    raise NotImplementedError("write the body of attention_over_blocks")


# %% solution attention_over_blocks
def attention_over_blocks(query, blocks):
    """softmax(QKᵀ / √d_head) V over the keys and values of all blocks together, (H, T, d_value)."""
    largest, total, output = -torch.inf, 0.0, 0.0
    for keys, values in blocks:
        scores = (
            query @ keys.transpose(-2, -1) / math.sqrt(query.shape[-1])
        )  # (H, T, n)
        larger = scores.amax(dim=-1, keepdim=True).clamp(min=largest)  # (H, T, 1)
        weights, shrink = (scores - larger).exp(), (largest - larger).exp()
        total = shrink * total + weights.sum(dim=-1, keepdim=True)  # (H, T, 1)
        output = shrink * output + weights @ values  # (H, T, d_value)
        largest = larger
    return output / total


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: why keep the largest score?
The softmax of large scores overflows unless the largest is subtracted first: exp(s − m). But the largest of *all* scores is known only at the end. So subtract the largest so far,
and correct what you have when a larger one comes.
:::

:::{dropdown} Hint 2 of q3: what is the correction?
What was computed with m should have been computed with m'. Since exp(s − m') = exp(m − m') · exp(s − m), one factor exp(m − m') for each query corrects both sums, that of the weights and that of the
weighted values.
:::

:::{dropdown} Hint 3 of q3: where does it start, and end?
The largest starts at −∞, both sums at 0: then the factor of the first block is exp(−∞) = 0 and multiplies nothing. At the end divide the weighted sum by the sum of the weights. Keep an axis of 1 (`keepdim=True`) so that shapes
fit.
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
