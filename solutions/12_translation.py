"""Exercise 12, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/12_translation.ipynb of it, without the `solution` cells. The lesson's page shows the
hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 12: train a translator, and let it write

*60 minutes, 10 points. You need: lesson 12, and lesson 8's targets moved by one place.*

Two searches and one step of training: with them, and with the model that you built in the exercises before, you train
*your own* translator at the end of this page.

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means from Python and PyTorch's own functions. Your functions may not call `lessons_lib.translation`;
the check notices.
"""

# %% setup
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from lessons_lib.device import pick_device, seed_everything
from lessons_lib.grading import check
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.scoring import score

check.open("12_translation")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: greedy search (3 points)

Write `greedy(next_log_probabilities, eos_id, max_length)`. It writes a sentence token by token, always the most probable
next one; of equally probable tokens, the one with the lowest id.

| | |
|---|---|
| `next_log_probabilities` (given) | a function: from the list of token ids so far, empty at the start, to a tensor (V,): the log-probability of each token to come next |
| `eos_id` (given) | the token that ends a sentence |
| `max_length` (given) | the most tokens that may be written, `eos_id` counted |
| `tokens` | a list of token ids, `eos_id` at its end if the sentence has ended |
| `log_probability` | a number: the log-probability of all these tokens together |

Return `tokens, log_probability`. A language of two words for you to try it on; token 0 is the end:

```python
def two_words(tokens):
    after = {(): [0.05, 0.55, 0.4], (1,): [0.4, 0.3, 0.3], (2,): [0.9, 0.05, 0.05]}
    return torch.tensor(after.get(tuple(tokens), [1.0, 0.0, 0.0])).log()

tokens, log_probability = greedy(two_words, 0, 10)
print(*tokens, round(math.exp(log_probability), 2))   # 1 0 0.22
```

It begins with word 1 (0.55) and ends (0.4): 0.22 together. Word 2 and then the end have 0.4 · 0.9 = 0.36. Greedy search
has missed it, and the next question finds it.
<!-- /question q1 -->
"""


# %% answer greedy
def greedy(next_log_probabilities, eos_id, max_length):
    """The most probable token again and again: the token ids, and their log-probability."""
    raise NotImplementedError("write the body of greedy")


# %% solution greedy
def greedy(next_log_probabilities, eos_id, max_length):
    """The most probable token again and again: the token ids, and their log-probability."""
    tokens, log_probability = [], 0.0
    while len(tokens) < max_length:
        logs = next_log_probabilities(tokens)  # (V,)
        best = logs.argmax().item()  # the first of equals
        tokens.append(best)
        log_probability += logs[best].item()
        if best == eos_id:
            break
    return tokens, log_probability


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: the loop
Begin with an empty list. Ask the function what comes next, append a token, and ask again with the longer list. Two things
end the loop: the token was `eos_id`, or there are `max_length` tokens.
:::

:::{dropdown} Hint 2 of q1: which token, and is it a number?
`argmax` gives the place of the largest number, the first of equals. It is a tensor still; `.item()` makes an integer of it, and
integers are what the list must hold.
:::

:::{dropdown} Hint 3 of q1: the log-probability of the whole
The probability of a sentence is the product of the probabilities of its tokens, the end among them. The logarithm of a product
is the sum of the logarithms: start at 0.0, and add that of each token which you append.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: beam search with a length penalty (4 points)

Write `beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty)`. It returns `tokens, log_probability`
of the best translation that it has finished. The rules are those of the lesson and of the library; the order of equals is that of this exercise:

1. There is one beginning at first, the empty one, with log-probability 0.
2. In each step every beginning is extended by every token. The candidates are ranked by log-probability (the plain sum), the
   highest first. Of equal ones that goes first whose beginning stood further ahead, and then that of the lower token id.
3. Among the first `beam` candidates, those that end with `eos_id` are finished, and so are those with `max_length` tokens.
4. The first `beam` candidates that do *not* end with `eos_id` are the beginnings of the next step. (Fewer, if there are not so many; never
   none, for of a beginning's V candidates only one ends.)
5. The **score** of tokens is their log-probability / ((5 + number of tokens) / 6) ** length_penalty. The search stops
   after `max_length` steps, or as soon as at least `beam` translations are finished *and* the score of the best beginning is not above the best
   score among them.
6. The finished translation with the highest score wins; of equal ones that which was finished first.

```python
def two_words(tokens):
    after = {(): [0.05, 0.55, 0.4], (1,): [0.4, 0.3, 0.3], (2,): [0.9, 0.05, 0.05]}
    return torch.tensor(after.get(tuple(tokens), [1.0, 0.0, 0.0])).log()

tokens, log_probability = beam_search(two_words, 0, 10, beam=2, length_penalty=1.0)
print(*tokens, round(math.exp(log_probability), 2))   # 2 0 0.36
```
<!-- /question q2 -->
"""


# %% answer beam_search
def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    """The best finished translation of ``beam`` beams: its tokens, their log-probability."""
    raise NotImplementedError("write the body of beam_search")


# %% solution beam_search
def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    """The best finished translation of ``beam`` beams: its tokens, their log-probability."""

    def score(hypothesis):
        tokens, log_probability = hypothesis
        return log_probability / ((5 + len(tokens)) / 6) ** length_penalty

    beginnings, finished = [([], 0.0)], []
    for length in range(1, max_length + 1):
        candidates = [
            ([*tokens, token], total + log)
            for tokens, total in beginnings
            for token, log in enumerate(next_log_probabilities(tokens).tolist())
        ]
        candidates.sort(
            key=lambda candidate: -candidate[1]
        )  # stable: equals stay in their order
        for tokens, total in candidates[:beam]:
            if tokens[-1] == eos_id or length == max_length:
                finished.append((tokens, total))
        beginnings = [
            candidate for candidate in candidates if candidate[0][-1] != eos_id
        ][:beam]
        if len(finished) >= beam and score(beginnings[0]) <= max(
            map(score, finished)
        ):
            break
    return max(finished, key=score)


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: what is a beginning?
A pair: a list of tokens, and the log-probability of all of them. Keep two lists of such pairs, the beginnings that go on and the
translations that are finished. A step makes candidates of the first, sorts them, and fills both anew.
:::

:::{dropdown} Hint 2 of q2: sorting, and equals
`list.sort(key=…)` keeps equals in the order in which they stand. Make the candidates beam by beam and id by id, sort them by minus
their log-probability, and rule 2 is kept. `torch.topk` promises no order among equals, and asks for no more than there are: the vocabulary may be smaller
than the lesson's `2 * beam`.
:::

:::{dropdown} Hint 3 of q2: when is it over?
Not at the first end: a longer translation may have the higher score. Not when `beam` have ended: the best beginning may still be ahead of all of
them. When it is behind and enough have ended, stop. That is a rule of thumb, not a proof: going on, a beginning can only lose log-probability, but with a length
penalty above 0 its *score* may still rise. Look for the winner among all that have finished, by score, and return its plain log-probability.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: one step of training (3 points)

Write `training_step(model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing)`. It shows the model one batch,
moves its parameters once, and returns the loss, a number or a tensor of one. (With or without its graph; nobody needs that any more:
`loss.detach()`.)

| | shape | |
|---|---|---|
| `model` | | `model(src, tgt_in)` gives logits (B, T, V) |
| `optimizer` | | of PyTorch, such as AdamW, for the parameters of `model` |
| `src` | (B, S) | token ids of the English sentences |
| `tgt` | (B, T) | what must be said: y₁ … yₘ `</s>`, then `pad_id` to the end of the row |
| `clip_norm` | | no longer than this may the gradient of all parameters together be when the optimizer steps |
| `label_smoothing` | | the share of the target that all V tokens get in equal parts |

What the decoder reads is `tgt` moved one place to the right, `bos_id` in front. The loss is the mean over the tokens that
are not padding. The model must be in training mode (its method `train`), whatever mode it was in before.

```python
class Bigram(nn.Module):  # guesses from the token before, and does not care for the source
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(8, 8))

    def forward(self, src, tgt_in):
        return self.table[tgt_in]

model = Bigram()
optimizer = torch.optim.SGD(model.parameters(), lr=10.0)
src, tgt = torch.tensor([[5, 2], [6, 2]]), torch.tensor([[5, 6, 2], [7, 2, 0]])   # 2 is </s>, 0 the padding
losses = [training_step(model, optimizer, src, tgt, 1, 0, 1.0, 0.1) for _ in range(20)]
print(f"{losses[0]:.3f} {losses[-1]:.1f}")   # 2.079 0.7
```
<!-- /question q3 -->
"""


# %% answer training_step
def training_step(
    model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing
):
    """Forward, loss, backward, clip, update: the loss of this batch before the update."""
    raise NotImplementedError("write the body of training_step")


# %% solution training_step
def training_step(
    model, optimizer, src, tgt, bos_id, pad_id, clip_norm, label_smoothing
):
    """Forward, loss, backward, clip, update: the loss of this batch before the update."""
    model.train()
    start = torch.full_like(tgt[:, :1], bos_id)
    tgt_in = torch.cat([start, tgt[:, :-1]], dim=1)  # (B, T)
    logits = model(src, tgt_in)  # (B, T, V)
    real = tgt != pad_id
    loss = F.cross_entropy(logits[real], tgt[real], label_smoothing=label_smoothing)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    return loss.detach()


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: five lines and their order
Logits, loss, the loss's `backward`, clip, the optimizer's `step`. PyTorch *adds* each new gradient to the old one, so the
optimizer's `zero_grad` must come somewhere before `backward`.
:::

:::{dropdown} Hint 2 of q3: the loss
It is exercise 8's `next_token_loss`: move `tgt` for the input, choose the real places with a boolean (B, T), and give
`F.cross_entropy` the (N, V) and (N,) that are left. It has an argument `label_smoothing`.
:::

:::{dropdown} Hint 3 of q3: clipping
`nn.utils.clip_grad_norm_` wants the parameters of the model and the norm, and shortens the gradients in place, all by the same factor. So
there must be gradients already, and nobody may have used them yet.
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

# %% text [markdown]
r"""
## Your own translator

Now all of it together: *your* model from the exercises before, the course's parts where you have none; *your* `training_step`; *your*
`greedy`. It learns from the embedded corpus, and then translates 100 sentences that it has never seen.

Set `MINUTES` to 2 and run the cell. On a graphics card one minute should do. A BLEU of 15 is the goal; the report of
exercise 13 asks for it, and reads what is written here into the folder `my_translator`:

| file | |
|---|---|
| `model.safetensors` | the parameters, by the names of your modules |
| `tokenizer.json` | the vocabulary |
| `translator.json` | the sizes that `EncoderDecoder` was made with, minutes, steps, and the BLEU of greedy search |
"""

# %% train
MINUTES = 0  # 2: train for two minutes; 0: not now
ENOUGH = 400  # steps: the course's solution has a BLEU above 40 then


def train_my_translator(minutes, folder="my_translator"):
    """Train, save, translate 100 unseen sentences: the model, its tokenizer, the BLEU."""
    corpus, device = load_grammar(seed=0), pick_device()
    tokenizer = Tokenizer.train(
        (text for pair in corpus.train for text in (pair.source, pair.target)),
        vocab_size=4000,
    )
    batches = Batches(
        encode_pairs(tokenizer, corpus.train, max_length=128),
        tokenizer,
        768,
        device=device,
    )
    sizes = {
        "vocab_size": len(tokenizer),
        "d_model": 128,
        "n_heads": 4,
        "d_ff": 256,
        "n_layers": 2,
    }

    seed_everything(0)
    model = check.part("EncoderDecoder")(*sizes.values()).to(device)
    nn.init.normal_(
        model.embedding.weight, std=sizes["d_model"] ** -0.5
    )  # short rows: they are also the output matrix
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    begin = time.monotonic()
    for step, batch in enumerate(batches.forever()):
        progress = (time.monotonic() - begin) / (60 * minutes)
        if progress >= 1:
            break
        optimizer.param_groups[0]["lr"] = 4e-3 * min((step + 1) / 150, 1 - progress)
        ids = tokenizer.bos_id, tokenizer.pad_id
        loss = training_step(
            model,
            optimizer,
            batch.src,
            batch.tgt_out,
            *ids,
            1.0,  # clip_norm
            0.1,  # label_smoothing
        )
        if step % 100 == 0:
            print(
                f"step {step:5}, {progress:4.0%} of the time, "
                f"loss {torch.as_tensor(loss).item():.2f}"
            )

    model.eval()
    texts = [translate(model, tokenizer, pair.source) for pair in corpus.test[:100]]
    bleu = score(texts, [pair.target for pair in corpus.test[:100]]).bleu
    made = {
        "sizes": sizes,
        "minutes": minutes,
        "steps": step,
        "bleu": round(bleu, 2),
        "corpus": "grammar, seed 0",
    }
    Path(folder).mkdir(exist_ok=True)
    named = model.named_parameters(remove_duplicate=False)
    save_file(  # copies: two names for one matrix may not share its memory in the file
        {name: x.detach().cpu().clone().contiguous() for name, x in named},
        f"{folder}/model.safetensors",
    )
    tokenizer.save(Path(folder) / "tokenizer.json")
    Path(folder, "translator.json").write_text(json.dumps(made, indent=2), "utf8")
    print(
        f"{step} steps, BLEU {bleu:.1f} on 100 unseen sentences; saved to {folder}"
    )
    if bleu <= 15:
        longer = math.ceil(minutes * max(2, ENOUGH / max(step, 1)))
        print(
            f"{ENOUGH} steps are enough for 15: set MINUTES to {longer}, and run the cell again."
        )
    return model, tokenizer, bleu


@torch.no_grad()
def translate(model, tokenizer, sentence, beam=1):
    """A French sentence by your own search: greedy, or with more beams."""
    device = next(model.parameters()).device
    src = torch.tensor(
        [[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device
    )

    def next_log_probabilities(tokens):
        tgt = torch.tensor([[tokenizer.bos_id, *tokens]], device=device)
        return model(src, tgt)[0, -1].log_softmax(dim=-1)

    limit = 2 * src.shape[1] + 10
    if beam == 1:
        tokens, _ = greedy(next_log_probabilities, tokenizer.eos_id, limit)
    else:
        tokens, _ = beam_search(
            next_log_probabilities,
            tokenizer.eos_id,
            limit,
            beam,
            1.0,  # length_penalty
        )
    return tokenizer.decode(tokens)


if MINUTES:
    my_model, my_tokenizer, _ = train_my_translator(MINUTES)
    for sentence in (
        "The small black cats do not sleep.",
        "My sister eats the red apples.",
    ):
        print(sentence, "→", translate(my_model, my_tokenizer, sentence))
        print(
            " " * len(sentence),
            "→",
            translate(my_model, my_tokenizer, sentence, beam=4),
            "(4 beams)",
        )
else:
    print("Set MINUTES to 2, and run this cell again.")
