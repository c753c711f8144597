"""Exercise 10, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/10_model_sizes.ipynb of it, without the `solution` cells. The lesson's page shows
the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 10: how large is it?

*60 minutes, 10 points. You need: lesson 10, and the layers that you built in lesson 5.*

Three counts that you will make again and again before you train or run a model. Plain Python is enough: each function
takes whole numbers and returns **one whole number**. Compared are the numbers, to the last digit.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means that your functions may not call `lessons_lib.sizes`, nor build a model of `lessons_lib`; the
check notices.
"""

# %% setup
from lessons_lib.grading import check

check.open("10_model_sizes")
EncoderDecoder = check.part("EncoderDecoder")  # yours, if you kept it in exercise 5

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: count the parameters (4 points)

Write `count_parameters(vocab_size, d_model, d_ff, n_encoder_layers, n_decoder_layers, n_positions=0, tied=True, bias=True)`:
how many numbers does the model learn? With layers in both stacks it is a translator, with 0 encoder layers a language
model such as GPT-2, with 0 decoder layers an encoder like BERT's, without its token types and pooler. What is in it:

| part | what it holds |
|---|---|
| token embedding | one table, `vocab_size` rows, for both stacks |
| positions | one table of `n_positions` rows in each stack that has layers; 0 rows: nothing is learned |
| attention | four matrices, `d_model` × `d_model` |
| feed-forward | two matrices, `d_model` × `d_ff` and back |
| biases | with `bias=True` one for each column of these matrices: `d_ff` or `d_model` numbers |
| norms | γ and β, `d_model` numbers each. One before each sub-layer, one more at the end of each stack |
| output projection | with a decoder: the embedding itself if `tied`, else a table of the same shape. Never a bias |

An encoder layer has an attention and a feed-forward network. A decoder layer has the same and, **if there is an encoder**,
a second attention that reads it. The number of heads changes nothing here.

```python
# the smallest GPT-2
print(count_parameters(50_257, 768, 3072, 0, 12, n_positions=1024))  # 124439808
```

And the one that you built in exercise 5, in the size of the course's translator:

```python
translator = EncoderDecoder(4000, 128, 4, 256, 2)
print(sum(p.numel() for p in translator.parameters()) == count_parameters(4000, 128, 256, 2, 2))  # True
```
<!-- /question q1 -->
"""


# %% answer count_parameters
def count_parameters(
    vocab_size,
    d_model,
    d_ff,
    n_encoder_layers,
    n_decoder_layers,
    n_positions=0,
    tied=True,
    bias=True,
):
    """The numbers that the model learns."""
    raise NotImplementedError("write the body of count_parameters")


# %% solution count_parameters
def count_parameters(
    vocab_size,
    d_model,
    d_ff,
    n_encoder_layers,
    n_decoder_layers,
    n_positions=0,
    tied=True,
    bias=True,
):
    """The numbers that the model learns."""
    attention = 4 * d_model * d_model + bias * 4 * d_model
    feed_forward = 2 * d_model * d_ff + bias * (d_ff + d_model)
    norm = 2 * d_model
    encoder_layer = attention + feed_forward + 2 * norm
    decoder_layer = encoder_layer
    if n_encoder_layers > 0:
        decoder_layer += (
            attention + norm
        )  # the second attention, with the norm before it
    stacks = (n_encoder_layers > 0) + (n_decoder_layers > 0)
    total = vocab_size * d_model + stacks * (n_positions * d_model + norm)
    total += n_encoder_layers * encoder_layer + n_decoder_layers * decoder_layer
    if n_decoder_layers > 0 and not tied:
        total += vocab_size * d_model
    return total


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: where do I begin?
With one attention, one feed-forward network and one norm, each a line. A layer is a sum of those, a stack is so many layers
and a last norm, the model is the embedding and its stacks.
:::

:::{dropdown} Hint 2 of q1: how many norms?
An encoder layer has two sub-layers, so two norms; a decoder layer that reads an encoder has three of each. Behind the last
layer of each stack stands one more. Each norm has two vectors.
:::

:::{dropdown} Hint 3 of q1: the switches
`True` counts as 1 in a product and in a sum, so `bias * …` switches a term on and off, and `(layers > 0)` counts a stack. An
output projection exists only if there are decoder layers, and costs something only if it is not `tied`.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: the bytes of a KV cache (3 points)

Write `cache_bytes(d_model, n_heads, n_layers, batch, length, n_kv_heads=None, source_length=0, bytes_a_number=2)`: what the
keys and values take that a decoder keeps while it writes.

Each of `n_layers` layers keeps, for each of `batch` sequences and each of `length` tokens, a key and a value in each head. A
head is `d_model // n_heads` wide. In many models several query heads share one key and one value: then there are only
`n_kv_heads` of those; `None` means as many as `n_heads`. A translator's decoder also keeps the keys and values of the
source, `source_length` tokens, in each layer, also of `n_kv_heads`. A number takes `bytes_a_number` bytes.

```python
# Llama 3 8B, a context of 8,192 tokens, bfloat16; then the same without shared heads
print([cache_bytes(4096, 32, 32, 1, 8192, heads) for heads in (8, None)])  # 1073741824, 4294967296
```
<!-- /question q2 -->
"""


# %% answer cache_bytes
def cache_bytes(
    d_model,
    n_heads,
    n_layers,
    batch,
    length,
    n_kv_heads=None,
    source_length=0,
    bytes_a_number=2,
):
    """Bytes of the keys and values of a decoder's layers."""
    raise NotImplementedError("write the body of cache_bytes")


# %% solution cache_bytes
def cache_bytes(
    d_model,
    n_heads,
    n_layers,
    batch,
    length,
    n_kv_heads=None,
    source_length=0,
    bytes_a_number=2,
):
    """Bytes of the keys and values of a decoder's layers."""
    width = (n_kv_heads or n_heads) * (
        d_model // n_heads
    )  # of all keys of one token, and of all its values
    return 2 * n_layers * batch * (length + source_length) * width * bytes_a_number


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: start with one token
In one layer, one token leaves one key and one value in each head. How many numbers are that? Then multiply: layers, sequences,
tokens, bytes.
:::

:::{dropdown} Hint 2 of q2: shared heads
`n_kv_heads` changes *how many* keys a token has. It does not change how wide one is: that is still `d_model // n_heads`,
because a query must fit its key.
:::

:::{dropdown} Hint 3 of q2: the source
Its keys and values are made once, before the first word is written, and kept in each layer like those of the written tokens.
So the source only makes the sequence look longer.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: the largest batch that fits (3 points)

Write `largest_batch(memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False)`: how many sequences can be
worked on at once? A card has `memory_gib` GiB, and 1 GiB is 2³⁰ bytes. A sequence takes `bytes_a_sequence` (a cache, or the activations
of a training step). Beside all sequences, this must fit:

- **running:** the weights, `weight_bytes` bytes each;
- **training** with AdamW: the weights; a gradient for each, also of `weight_bytes`; AdamW's two states, in float32, 4 bytes each; and, if
  the weights have fewer than 4 bytes, a copy of them in float32, because small steps get lost in 16 bits.

If the model itself does not fit, the answer is 0.

```python
# a model of 7 billion parameters on a card of 80 GiB, a cache of 2 GiB a sequence; then in training
print([largest_batch(80, 7_000_000_000, 2 * 2**30, training=t) for t in (False, True)])  # 33, 0
```
<!-- /question q3 -->
"""


# %% answer largest_batch
def largest_batch(
    memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False
):
    """How many sequences fit beside the model."""
    raise NotImplementedError("write the body of largest_batch")


# %% solution largest_batch
def largest_batch(
    memory_gib, n_parameters, bytes_a_sequence, weight_bytes=2, training=False
):
    """How many sequences fit beside the model."""
    a_parameter = weight_bytes
    if training:
        a_parameter += weight_bytes + 4 + 4  # the gradient, and AdamW's two states
        if weight_bytes < 4:
            a_parameter += 4  # the copy
    free = memory_gib * 2**30 - a_parameter * n_parameters
    return max(0, free // bytes_a_sequence)


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: first the model
How many bytes does *one parameter* take? In running it is one number, in training a sum of up to five. Multiply by the
number of parameters, and see what is left of the card.
:::

:::{dropdown} Hint 2 of q3: whole sequences
What is left, divided by what a sequence takes, rounded down: `//` does both, and stays exact for whole numbers.
:::

:::{dropdown} Hint 3 of q3: nothing left
If less than nothing is left, `//` gives a negative number. The largest batch is then 0.
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
