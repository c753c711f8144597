# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Query, key, value
#
# **What are queries, keys and values?** *50 minutes. You need: scaled dot-product attention (lesson 1), and what a dictionary does in
# Python.*
#
# After this lesson you can
#
# - make queries, keys and values with three matrices, for one sentence or between two, and say every shape;
# - prove which of the three may be shared and which may not, and show it in a network that learns;
# - say in what attention is a dictionary, how many entries it holds, and in what it is none.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import contextlib
import copy
import math
import random
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lessons_lib.attention import (
    MultiHeadAttention,
    recorded_attention,
    scaled_dot_product_attention,
)
from lessons_lib.device import pick_device, seed_everything
from lessons_lib.figures import attention_heatmap, use_course_style
from lessons_lib.translation.corpus import load_grammar
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.language.nouns import LEXICON
from lessons_lib.translation.translator import Translator
from lessons_lib.widgets import QKVWidget

use_course_style()
seed_everything(2)
device = pick_device()
# The networks of this page are so small that two threads would wait for each other.
torch.set_num_threads(1)

# %% [markdown]
# ## The idea
#
# French has three words for *the*: *le*, *la* and *les*. "The old princess" is *la*, "the small black cats" is *les*. The word
# "the" does not know which. The noun does. In lesson 1 the {term}`query` of one word met the {term}`key` of another, and a
# {term}`value` came back. We took all three as given. Where do they come from, and why three?
#
# Think of a search engine. You type some words: the query. Each page is filed under a few keywords: its key. What you get is neither
# of them, it is the page: its value. What you type is not what the page is filed under, and neither is what the page says.
#
# In a sentence **every word is both**: it searches, and it is a page for all the others. So each word needs three vectors. For
# "princess" they could say:
#
# - query: "is there an adjective that describes me?"
# - key: "I am a noun."
# - value: "feminine, and only one."
#
# Three learned matrices make them out of the word's {term}`embedding`. There is one more difference to a search engine: it shows you a
# list, and you choose. Attention takes a bit of *every* page, weighted by how well it fits.
#
# Below is a network so small that all of its numbers fit on the page. It learned from the course's English–French corpus to choose
# between *le*, *la* and *les* for "the". Take the steps from the embeddings to the output, and choose a cell to see
# its arithmetic.

# %% tags=["hide-input"]
SENTENCES = [
    "the old princess will sing",
    "the small black cats sleep",
    "is the king tired",
]
ARTICLES = ["le", "la", "les"]
widget = QKVWidget(
    sentences=[
        {"words": text.split(), "embeddings": torch.randn(len(text.split()), 4)}
        for text in SENTENCES
    ],
    w_query=torch.randn(4, 2),
    w_key=torch.randn(4, 2),
    w_value=torch.randn(4, 3),
    value_names=ARTICLES,
    column=2,
)
widget

# %% [markdown]
# ```{admonition} What to look for
# :class: tip
# On the website these are the numbers of the trained network. If you run this notebook, the widget starts with random ones: run on
# to the training, and look again. Three things are worth a look. In the step *Q, K, V*, compare the query of "the" with its key:
# they point in opposite directions, for one "the" is of no help to another. In the step *softmax*, read the row of "the". In the
# last step the three outputs of "the" **are** the scores of *le*, *la* and *les*. Choose the largest.
# ```
#
# ## The mathematics
#
# The words of a sentence are the rows of a matrix $X$: $T$ words, $D$ numbers each ($D$ is often written $d_{model}$). Three
# learned matrices multiply it. Such a matrix product is called a {term}`projection`, and the three are the only things in attention
# that are learned:
#
# $$
# \underbrace{Q}_{T \times d} = \underbrace{X}_{T \times D} \, \underbrace{W_Q}_{D \times d}, \qquad
# \underbrace{K}_{T \times d} = X \underbrace{W_K}_{D \times d}, \qquad
# \underbrace{V}_{T \times d_v} = X \underbrace{W_V}_{D \times d_v} .
# $$
#
# Queries and keys must have the same width $d$, because they meet in a dot product. Values may have another, $d_v$. From here on it is
# lesson 1: $A = \operatorname{softmax}(QK^\top/\sqrt d)$, and the output is $AV$, $T \times d_v$. Most models also add a learned vector
# after each product, the *bias*, $Q = XW_Q + b_Q$. It changes nothing in what follows.
#
# **Two sentences.** Nothing says that the words that ask and the words that answer must be the same. Let the rows of $X$ be French
# words ($T$ of them) and the rows of $Y$ be English words ($S$ of them). Then
#
# $$
# \underbrace{Q}_{T \times d} = X W_Q, \qquad \underbrace{K}_{S \times d} = Y W_K, \qquad
# \underbrace{V}_{S \times d_v} = Y W_V, \qquad \underbrace{A}_{T \times S}, \qquad \underbrace{AV}_{T \times d_v} .
# $$
#
# This is {term}`cross-attention`, the bridge of every translator. Each French word gets a mixture of English values. Who *asks*
# decides how many rows come out. {term}`Self-attention` is the special case $Y = X$.
#
# **One line to remember.** Put the projections into the score of word $s$ for word $t$, before the division by $\sqrt d$:
#
# $$
# q_t \cdot k_s = (x_t W_Q)(y_s W_K)^\top = x_t \, \underbrace{W_Q W_K^\top}_{D \times D} \, y_s^\top .
# $$
#
# The two matrices only ever appear as this one product. Two of the three claims below follow from it.

# %% [markdown]
# ## The code, from scratch
#
# An `nn.Module` with three linear layers. The keys and the values come from `source`, if there is one. That is all the
# difference between self-attention and cross-attention.


# %%
class Attention(nn.Module):
    def __init__(self, d_model, d_head, d_value, bias=True):
        super().__init__()
        self.query = nn.Linear(d_model, d_head, bias=bias)
        self.key = nn.Linear(d_model, d_head, bias=bias)
        self.value = nn.Linear(d_model, d_value, bias=bias)

    def project(self, x, source=None):
        source = x if source is None else source
        # (…, T, d), (…, S, d), (…, S, d_v)
        return self.query(x), self.key(source), self.value(source)

    def forward(self, x, source=None, mask=None):
        query, key, value = self.project(x, source)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (…, T, S)
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights  # (…, T, d_v), (…, T, S)


# %% [markdown]
# A linear layer of PyTorch holds its matrix lying on its side: `weight` is (out, in), and the layer computes `x @ weight.T + bias`.
# So our $W_Q$ is `query.weight.T`. Remember that for the second bug.

# %%
layer = Attention(d_model=6, d_head=4, d_value=3)
french, english = torch.randn(5, 6), torch.randn(7, 6)  # 5 words and 7 words, each 6 wide

for name, tensor in zip(
    ("query", "key", "value"), layer.project(french, english), strict=True
):
    print(f"{name:6} {tuple(tensor.shape)}")
for name, tensor in zip(("output", "weights"), layer(french, english), strict=True):
    print(f"{name:7} {tuple(tensor.shape)}")
print(
    "stored:",
    {
        name: tuple(tensor.shape)
        for name, tensor in layer.state_dict().items()
        if "weight" in name
    },
)

torch.testing.assert_close(
    layer.query(french), french @ layer.query.weight.T + layer.query.bias
)

# %% [markdown]
# Is it the real thing? It must equal this course's `MultiHeadAttention` with one {term}`head`, and PyTorch's own, for one sentence
# and for two. Both of them end with one more linear layer (lesson 3), which we set to "do nothing".

# %%
D, T, S = 16, 5, 7
ours, library, pytorch = (
    Attention(D, D, D),
    MultiHeadAttention(D, n_heads=1),
    nn.MultiheadAttention(D, 1, batch_first=True),
)
with torch.no_grad():
    for last in (library.output, pytorch.out_proj):
        last.weight.copy_(torch.eye(D))
        last.bias.zero_()
    # The same names: query.weight, …
    library.load_state_dict(library.state_dict() | ours.state_dict())
    pytorch.in_proj_weight.copy_(
        torch.cat([ours.query.weight, ours.key.weight, ours.value.weight])
    )
    pytorch.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))

x, y = torch.randn(2, T, D), torch.randn(2, S, D)  # two sentences of 5 words, two of 7
for source in (None, y):
    other = x if source is None else source
    output, weights = ours(x, source)
    torch.testing.assert_close(output, library(x, source)[0])
    torch.testing.assert_close((output, weights), pytorch(x, other, other))
print("ours = lessons_lib = PyTorch, for one sentence and for two")

# %% [markdown]
# ### The network of the widget
#
# The corpus of this course is written by a grammar of English and French, which also knows which word belongs to which. So it
# can ask our question: for each "the", which French word is aligned with it?

# %%
corpus = load_grammar(seed=0, n_train=10_000, n_valid=0, n_test=1_000)


def article_questions(pairs):
    """Short sentences that have one "the".

    Each as (English words, place of "the", index of its French article).
    """
    found = []
    for pair in pairs:
        words, french_words = (
            pair.source.lower().rstrip(".?").split(),
            pair.target.lower().split(),
        )
        if len(words) <= 6 and words.count("the") == 1:
            place = words.index("the")
            answers = [french_words[f] for e, f in pair.alignment if e == place]
            if len(answers) == 1 and answers[0] in ARTICLES:
                found.append((words, place, ARTICLES.index(answers[0])))
    return found


def vocabulary(sentences):
    words = dict.fromkeys(word for sentence in sentences for word in sentence)
    return {word: number for number, word in enumerate(["<pad>", *words])}


def padded(sentences, number, length):
    rows = [
        [number[word] for word in words] + [0] * (length - len(words))
        for words in sentences
    ]
    return torch.tensor(rows, device=device)


training = article_questions(corpus.train)
NUMBER = vocabulary(words for words, _, _ in training)
held_out = [
    question
    for question in article_questions(corpus.test)
    if set(question[0]) <= NUMBER.keys()
]
for words, _, answer in training[:3]:
    print(f"{' '.join(words):35} the = {ARTICLES[answer]}")

# %% [markdown]
# The network: a table of embeddings 4 wide, one attention with queries and keys 2 wide, and values 3 wide. There is no other layer.
# The three numbers that "the" takes home are taken as the scores of *le*, *la* and *les*. No places are told either: whatever it
# finds, it finds by what the words are.


# %%
class Chooser(nn.Module):
    def __init__(self, n_words):
        super().__init__()
        self.embedding = nn.Embedding(n_words, 4)
        self.attention = Attention(4, 2, 3, bias=False)

    def forward(self, tokens):  # (B, T) -> (B, T, 3), (B, T, T)
        return self.attention(self.embedding(tokens), mask=(tokens != 0)[:, None, :])


def to_tensors(questions):
    sentences, places, answers = zip(*questions, strict=True)
    return padded(sentences, NUMBER, 6), *torch.tensor([places, answers], device=device)


seed_everything(0)
chooser = Chooser(len(NUMBER)).to(device)
optimizer = torch.optim.AdamW(chooser.parameters(), lr=0.02)
tokens, places, answers = to_tensors(training)
for _ in range(600):
    rows = torch.randint(len(tokens), (128,)).to(device)
    outputs, _ = chooser(tokens[rows])
    # (128, 3): what each "the" takes home
    outputs = outputs[torch.arange(128), places[rows]]
    loss = F.cross_entropy(outputs, answers[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

tokens, places, answers = to_tensors(held_out)
with torch.no_grad():
    outputs, weights = chooser(tokens)
asks = torch.arange(len(tokens))
weights_of_the = weights[asks, places]  # one row for each sentence
right = (outputs[asks, places].argmax(-1) == answers).float().mean().item()
print("sentences it has not seen; right in more than 8 of 10:", right > 0.8)

# %% [markdown]
# Now the widget gets these numbers. Go back and take the steps again.


# %% tags=["nbval-ignore-output"]
@torch.no_grad()
def embed(text):
    return {
        "words": text.split(),
        "embeddings": chooser.embedding(padded([text.split()], NUMBER, len(text.split())))[
            0
        ],
    }


# Known to us, not to the network.
NOUNS = {form for noun in LEXICON for form in (noun.english, noun.english_plural)}
projections = (chooser.attention.query, chooser.attention.key, chooser.attention.value)
widget.show(
    [embed(text) for text in SENTENCES],
    *(layer.weight.T for layer in projections),
    ARTICLES,
)

said = []
for text in SENTENCES:
    words = text.split()
    with torch.no_grad():
        outputs, weights = chooser(padded([words], NUMBER, len(words)))
    place = words.index("the")
    share, target = weights[0, place].max(dim=0)
    said.append(ARTICLES[outputs[0, place].argmax()])
    amount = "most" if share > 0.5 else "some"
    print(f"{text:28} 'the' gives {amount} of its weight to {words[target]!r}: {said[-1]}")

looked_at = weights_of_the.argmax(-1).tolist()
words_looked_at = [
    words[place] for (words, _, _), place in zip(held_out, looked_at, strict=True)
]
elsewhere = Counter(word for word in words_looked_at if word not in NOUNS)
at_a_noun = 1 - elsewhere.total() / len(held_out)
print(
    f"of {len(held_out)} unseen sentences, most weight on a noun in {at_a_noun:.0%}; "
    f"elsewhere {elsewhere.most_common(1)}"
)

# %%
right = sum(a == b for a, b in zip(said, ("la", "les", "le"), strict=True))
print(
    "at least two of three right:",
    right >= 2,
    "  a noun in more than 6 of 10:",
    at_a_noun > 0.6,
)

# %% [markdown]
# With four numbers a word, "the" has learned to look for a noun, and the noun to say one of three things when it is found. Nobody
# told the network what a noun is: the keys of nouns came to have something in common, and their values what they differ in. In about a
# quarter of the sentences "the" looks elsewhere, most often at "are", which gives *les* away just as well. A network learns what
# pays, not what we call things.
#
# ## Two sentences: the bridge of a translator
#
# The course has a translator that is trained already, of the size of the one in lesson 12: words 128 wide, two layers that read
# English, two that write French, four heads in each attention. One head is one `Attention` of ours with $d = d_v = 32$. (Why four
# of them is lesson 3.) In its weights, the matrices of the four heads lie on top of each other: head 0 owns the first 32 rows.


# %%
def one_head(attention, head):
    """The class of this page with the weights of one head of a trained attention."""
    d_head = attention.d_head
    rows = slice(head * d_head, (head + 1) * d_head)
    ours = Attention(attention.query.in_features, d_head, d_head).to(device)
    names = ours.state_dict().keys()  # query.weight and so on; theirs has output.weight too
    ours.load_state_dict({name: attention.state_dict()[name][rows] for name in names})
    return ours


translator = load_course_translator(device)
model, tokenizer = translator.model, translator.tokenizer

translation = translator.translate(
    ["The mice did not eat any cheese because they were tired."]
)[0]
print(translation.source, "|", translation.text)
print(
    f"S = {len(translation.source_tokens)} English pieces, "
    f"T = {len(translation.target_tokens)} French ones"
)

# %% [markdown]
# A piece is a word or a part of one; ▁ marks where a word begins. We let the translator read the English and write
# the French once more, and keep what each of its attentions is given (`inputs`) and what weights it finds (`recorded`).


# %%
@contextlib.contextmanager
def attention_inputs(model):
    """Inside, the vectors that each attention asks with, (T, D), by name in the model."""
    inputs, hooks = {}, []

    def keep(name):
        return lambda module, arguments, output: inputs.__setitem__(name, output[0])

    for name, module in model.named_modules():
        # It holds the normalisation just before the attention.
        if name.endswith("attention_residual"):
            hooks.append(
                module.norm.register_forward_hook(keep(name.removesuffix("_residual")))
            )
    try:
        yield inputs
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def look_inside(translation):
    """What each attention asks with; what the bridge is offered; all weights, (4, T, S)."""
    source = [*tokenizer.encode(translation.source), tokenizer.eos_id]
    target = [tokenizer.bos_id, *tokenizer.encode(translation.text)]  # row t writes piece t
    source, target = (torch.tensor([ids], device=device) for ids in (source, target))
    with attention_inputs(model) as inputs, recorded_attention(model) as recorded:
        model(source, target)
    return (
        inputs,
        model.encode(source)[0],
        {name: weights[0] for name, weights in recorded.items()},
    )


BRIDGE = "decoder.layers.1.cross_attention"
inputs, memory, recorded = look_inside(translation)
x = inputs[BRIDGE]

with torch.no_grad():
    for head in range(4):
        output, weights = one_head(model.get_submodule(BRIDGE), head)(x, memory)
        torch.testing.assert_close(weights, recorded[BRIDGE][head], rtol=1e-4, atol=1e-4)
shapes = {"x": x, "memory": memory, "weights": weights, "output": output}
print(*(f"{name} {tuple(tensor.shape)}" for name, tensor in shapes.items()), sep="   ")
print("our class = each of the 4 heads of the trained bridge")

# %% mystnb={"figure": {"name": "bridge", "caption": "The bridge of the trained translator, mean of the four heads of its last layer. A row is a step that writes a French piece, a column an English piece. There are as many rows as there are French pieces: the side that asks."}, "image": {"alt": "Heat map. 15 rows from Les, souris to the full stop and the end; 13 columns from The, mice to the full stop and the end. Bright cells link souris to mice, mangé to eat, fromage to cheese, fatiguées to tired; parce to because, and étaient to were; qu' and elles look at they."}}
mean = recorded[BRIDGE].mean(0).cpu().numpy()
attention_heatmap(mean, translation.target_tokens, translation.source_tokens)
plt.show()

# %% [markdown]
# ## Claims, tested
#
# ### Claim 1: "Q, K and V must be three different projections"
#
# Usually this is said with the search engine as the reason: what you ask is not what you are filed under. That is a picture, not an
# argument. So: what happens if two of them are the same matrix?
#
# **First, on paper.** Let queries and keys come from one matrix, $q_t = k_t$. Then the score of $s$ for $t$ is the score of $t$ for
# $s$. Worse, a word fits itself very well: for any two vectors $q_t \cdot q_s \le |q_t|\,|q_s|$, so $q_t \cdot q_s$ is not larger
# than *both* $q_t \cdot q_t$ and $q_s \cdot q_s$. Hence
#
# 1. two words can **not both** give each other more weight than themselves.
#
# Forbid looking at oneself, and pairs become possible. But not circles. Suppose that $a$ looks at $b$ rather than at $c$, that $b$
# looks at $c$ rather than at $a$, and $c$ at $a$ rather than at $b$. With one score for each pair this says $s_{ab} > s_{ac} >
# s_{bc} > s_{ab}$. So
#
# 2. three words can **not** look at each other in a circle.
#
# Random matrices make both easy to check:

# %%
generator = torch.Generator().manual_seed(0)


def looks(scores):
    """How often two words prefer each other to themselves, and three look in a circle."""
    s = scores.permute(1, 2, 0)  # s[a, b]: the score of word b for word a, in each network
    pair = (s[0, 1] > s[0, 0]) & (s[1, 0] > s[1, 1])
    circle = (s[0, 1] > s[0, 2]) & (s[1, 2] > s[1, 0]) & (s[2, 0] > s[2, 1])
    return f"pairs {int(pair.sum()):5,}   circles {int(circle.sum()):5,}"


words = torch.randn(20_000, 3, 8, generator=generator, dtype=torch.double)
w_query, w_key = torch.randn(2, 20_000, 8, 8, generator=generator, dtype=torch.double)
queries, keys = words @ w_query, words @ w_key
print("of 20,000 random networks")
print("  queries and keys of two matrices:", looks(queries @ keys.transpose(1, 2)))
print("  queries and keys of one matrix:  ", looks(queries @ queries.transpose(1, 2)))

# %% [markdown]
# **Now with a network that learns.** The task: *who does what to whom?* In "the shy actors never invite our queen", the grammar
# knows the subject, the verb and the object. We ask for one noun or verb, out of all words of the corpus, at the place of another:
#
# - *one way*: at the verb, name the subject;
# - *two ways*: at the subject, name the object, and at the object the subject;
# - *circle*: at the verb name the subject, at the subject the object, at the object the verb.
#
# A single attention layer has to look in the right place, because the answer is the word that stands there.

# %%
from lessons_lib.translation.language import english as grammar_of_english
from lessons_lib.translation.language.meaning import NounPhrase
from lessons_lib.translation.language.sampling import sample_sentence

ROLES = ("subject.noun", "verb", "object.noun")
LENGTH, WIDTH = 10, 32


def sentences_with_roles(count, seed=0):
    """Different sentences, each with the places of its subject, verb and object."""
    rng, found = random.Random(seed), {}
    while len(found) < count:
        meaning = sample_sentence(rng, {"action": 1})
        if type(meaning.main.subject) is type(meaning.main.object) is NounPhrase:
            tagged = grammar_of_english.sentence(meaning)
            words = tuple(word.text.lower() for word in tagged)
            places = [
                [i for i, word in enumerate(tagged) if role in word.keys] for role in ROLES
            ]
            if len(words) <= LENGTH and all(len(place) == 1 for place in places):
                found[words] = [place[0] for place in places]
    return found


actions = sentences_with_roles(6_000)
WORDS = vocabulary(actions)
sentence_tokens = padded(actions, WORDS, LENGTH)  # (6000, 10)
# (6000, 3): subject, verb, object
role_places = torch.tensor(list(actions.values()), device=device)
role_words = sentence_tokens.gather(1, role_places)  # (6000, 3)

for words, places in list(actions.items())[:3]:
    print(f"{' '.join(words):52}", " | ".join(words[place] for place in places))
print(f"{len(WORDS):,} words to choose from")

# %% [markdown]
# Six ways to wire it. Everything else is the same: embeddings with learned vectors for the places, one attention, one linear layer that
# names a word.


# %%
def wired(name, width):
    """The functions that make queries, keys and values."""
    query, key, value = (nn.Linear(width, width) for _ in range(3))
    same = nn.Identity()
    return {
        "three matrices": (query, key, value),
        "Q = K": (query, query, value),
        "Q = K, never itself": (query, query, value),
        "K = V": (query, key, key),
        "Q only: K = V = X": (query, same, same),
        "none: Q = K = V = X": (same, same, same),
    }[name]


WIRINGS = (
    "three matrices",
    "Q = K",
    "Q = K, never itself",
    "K = V",
    "Q only: K = V = X",
    "none: Q = K = V = X",
)
SUBJECT, VERB, OBJECT = range(3)
TASKS = {  # (the role that is asked, the role that it must name)
    "one way": [(VERB, SUBJECT)],
    "two ways": [(SUBJECT, OBJECT), (OBJECT, SUBJECT)],
    "circle": [(VERB, SUBJECT), (SUBJECT, OBJECT), (OBJECT, VERB)],
}


class WhoDoesWhat(nn.Module):
    def __init__(self, wiring):
        super().__init__()
        self.embedding, self.name_word = (
            nn.Embedding(len(WORDS), WIDTH),
            nn.Linear(WIDTH, len(WORDS)),
        )
        self.place = nn.Parameter(torch.randn(LENGTH, WIDTH))
        self.query, self.key, self.value = wired(wiring, WIDTH)
        self.never_itself = "never itself" in wiring

    def forward(self, tokens, places):  # (B, T), (B, asked) -> (B, asked, words)
        x = self.embedding(tokens) + self.place
        allowed = (tokens != 0)[:, None, :].repeat(1, LENGTH, 1)
        if self.never_itself:
            allowed &= ~torch.eye(LENGTH, dtype=torch.bool, device=tokens.device)
        query, key, value = self.query(x), self.key(x), self.value(x)
        output, _ = scaled_dot_product_attention(query, key, value, allowed)
        return self.name_word(output.gather(1, places[..., None].expand(-1, -1, WIDTH)))


def learnt(wiring, task, steps=300, batch=64):
    """The share of right answers for each question of a task, on unseen sentences."""
    asked, named = (list(roles) for roles in zip(*TASKS[task], strict=True))
    seed_everything(0)
    network = WhoDoesWhat(wiring).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(steps):
        rows = torch.randint(5_000, (batch,)).to(device)
        logits = network(sentence_tokens[rows], role_places[rows][:, asked])
        loss = F.cross_entropy(logits.flatten(0, 1), role_words[rows][:, named].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        guesses = network(sentence_tokens[5_000:], role_places[5_000:][:, asked]).argmax(-1)
    return (guesses == role_words[5_000:][:, named]).float().mean(0).tolist()


# %% tags=["claim-qkv-1"] mystnb={"figure": {"name": "wirings", "caption": "Share of right answers on 1,000 unseen sentences, out of all words of the corpus. Each row is one way to wire the attention, each column one question; the lines separate the three tasks, each of which was trained alone."}, "image": {"alt": "A table of colours with six rows and six columns. Three matrices, K equal to V, and a query matrix alone are between 0.87 and 0.98 everywhere. Q equal to K has 0.82 for one way, but in each of the other tasks one question at 0.7 or 0.8 and the rest below 0.2. Q equal to K and never itself is above 0.9 for one way and two ways, and between 0.5 and 0.7 in the circle. None at all stays below 0.1."}}
accuracy = {wiring: {task: learnt(wiring, task) for task in TASKS} for wiring in WIRINGS}

table = np.array(
    [
        [share for shares in tasks.values() for share in shares]
        for tasks in accuracy.values()
    ]
)
role_names = ("subject", "verb", "object")
questions = [
    f"{role_names[a]} →\n{role_names[b]}" for pairs in TASKS.values() for a, b in pairs
]
fig, ax = plt.subplots(figsize=(8, 3.6))
image = ax.imshow(table, vmin=0, vmax=1, cmap="viridis", aspect="auto")
for (row, column), value in np.ndenumerate(table):
    ax.text(
        column,
        row,
        f"{value:.2f}",
        ha="center",
        va="center",
        color="white" if value < 0.6 else "black",
    )
for line, (start, stop), task in zip(
    (None, 0.5, 2.5), ((0, 0), (1, 2), (3, 5)), TASKS, strict=True
):
    ax.text((start + stop) / 2, -0.62, task, ha="center", va="bottom", fontweight="bold")
    if line is not None:
        ax.axvline(line, color="white", linewidth=4)
ax.set_xticks(range(len(questions)), questions, fontsize=9)
ax.set_yticks(range(len(WIRINGS)), WIRINGS)
ax.set_xlabel("asked at → to be named")
ax.grid(False)
fig.colorbar(image, label="share of right answers")
plt.show()

# %%
print("every question of the task right in 7 of 10 cases:")
print(f"{'':21}", *(f"{task:>9}" for task in TASKS))
for wiring in WIRINGS:
    learned = ["yes" if min(shares) > 0.7 else "no" for shares in accuracy[wiring].values()]
    print(f"{wiring:21}", *(f"{word:>9}" for word in learned))

# %% [markdown]
# It comes out as the proof says. With Q = K the verb finds its subject: that is one way. But of "subject names object" and "object
# names subject" the network learns one, and gives the other up. Forbid looking at oneself, and pairs work. The circle still does
# not: all three cannot be had, so the network shares out what there is.
#
# The rest is a surprise, if you believed the search engine. Keys that serve as values too (K = V) do no harm. Even **one** matrix
# is enough, with the bare embeddings as keys and values: $W_Q$ alone makes the scores $x_t W_Q\, x_s^\top$, which need not be
# symmetric. That is the one line to remember again: $W_Q W_K^\top$ is one matrix anyway. (That network's values are whole words,
# which suits a task whose answers are words.) With no matrix at all, the embeddings must be query, key and value at once, and the
# scores are symmetric again; in the time that the others had, it learned next to nothing.
#
# ```{admonition} Verdict: false as it is said; queries and keys must be able to differ, and one matrix is enough for that
# :class: note
# What breaks is *Q = K*, and only where two words must look at each other, or three in a circle. Both are things that a sentence
# asks for. Note the limits. This was one layer with one head; a real model has many, and a feed-forward network behind each. Its
# decoder may not look ahead, so two words never look at each other there, and {cite:t}`kitaev2020reformer` found no loss with Q = K
# (and with a word looking at itself only if it has nothing else). Why, then, does everybody take three? With $d$ much smaller than
# $D$, two thin matrices are cheaper than one square one: $2 \cdot 128 \cdot 32 = 8{,}192$ numbers against $128^2 = 16{,}384$ in a
# head of our translator. And a value matrix lets a head hand over something narrower than the whole word.
# ```
#
# ### Claim 2: "Attention is a soft dictionary lookup"
#
# A Python dictionary compares your key with its keys. One is equal, and you get its value. Attention compares your query with
# all keys, and gives you all values, weighted by how well they fit. So far the sentence. Let us take it seriously, and ask four things
# of it that one asks of a dictionary.
#
# **Can it be made hard?** Multiply all queries of the chooser by a *strength* and watch "the". If attention has a dictionary as its
# limit, then what "the" takes home becomes the value of *one* word. How fast? If the best score (after the division by $\sqrt d$)
# is larger than all others by a gap $\Delta$, the others together get at most $(S-1)\,e^{-\Delta}$. Twice the strength, twice the
# gap.

# %%
strengths = [0.5, 1, 2, 4, 8, 16, 32, 64]
tokens, places, _ = to_tensors(held_out)
asks = torch.arange(len(tokens))
lookups = {}
with torch.no_grad():
    query, key, value = chooser.attention.project(chooser.embedding(tokens))
    allowed = (tokens != 0)[:, None, :]
    for strength in strengths:
        output, weights = scaled_dot_product_attention(
            strength * query, key, value, allowed
        )
        output, weights = output[asks, places], weights[asks, places]  # of each "the"
        best = value[asks, weights.argmax(-1)]  # what a dictionary would give
        error = (output - best).abs().amax(-1) / best.abs().amax(-1)
        # ∂ weight / ∂ score, as in lesson 1
        jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
        lookups[strength] = error, jacobian.norm(dim=(1, 2))

# %% [markdown]
# **How many entries does it hold?** A dictionary holds as many as you like. Take $n$ random keys of width $d$, each number drawn from a
# normal distribution, and ask with an exact copy of one of them. Its own score is about $d/\sqrt d = \sqrt d$. Each of the
# others is like a draw from a normal distribution of variance 1, and the mean of $e^{\text{score}}$ over those is
# $e^{1/2}$. So we expect the right entry to get
#
# $$ \frac{e^{\sqrt d}}{e^{\sqrt d} + (n-1)\, e^{1/2}}, $$
#
# which falls to one half at about $n = e^{\sqrt d - 1/2}$ entries.


# %% tags=["claim-qkv-2"]
def weight_of_the_right_entry(entries, width, trials=200):
    """Ask a table of random keys for one of them; the weight that it gets, on average."""
    generator = torch.Generator().manual_seed(width * entries)
    keys = torch.randn(entries, width, generator=generator)
    asked = torch.randint(entries, (trials,), generator=generator)
    weights = scaled_dot_product_attention(keys[asked], keys, keys)[1]
    return weights[torch.arange(trials), asked].mean().item()


entries = [2, 8, 32, 128, 512, 2_048, 8_192]
recall = {
    width: [weight_of_the_right_entry(n, width) for n in entries]
    for width in (8, 16, 32, 64)
}

# %% mystnb={"figure": {"name": "soft-dictionary", "caption": "Left: the lookups of 'the' in unseen sentences (medians), when all queries are multiplied by a strength. The distance from a hard lookup and the gradient through the softmax fall together. Right: the weight of the right entry among n random keys of width d; dashed, the formula above."}, "image": {"alt": "Two line plots. Left, both axes logarithmic: distance and gradient are between 0.2 and 0.6 at strength 1 and below; from strength 4 on both fall ever faster, to a hundred millionth, the floor of the plot, at 32. Right: the weight of the right entry falls from near 1 to near 0 as the entries grow in number; it passes one half at about 10 entries for d = 8, about 30 for 16, about 170 for 32 and about 1,800 for 64. The measured points lie near the dashed lines."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
for index, name in enumerate(
    ("distance from a hard lookup", "gradient through the softmax")
):
    medians = [
        lookups[strength][index].median().clamp_min(1e-8).item() for strength in strengths
    ]
    left.loglog(strengths, medians, marker="o", label=name)
left.set(xlabel="strength (1: as trained)", ylabel="median, relative", ylim=(0.7e-8, 5))
left.set_xticks(strengths, [f"{strength:g}" for strength in strengths])
left.minorticks_off()
left.legend(loc="lower left", fontsize=9)
for colour, (width, shares) in enumerate(recall.items()):
    right.semilogx(entries, shares, marker="o", color=f"C{colour}", label=f"d = {width}")
    own = math.exp(math.sqrt(width))
    expected = [own / (own + (n - 1) * math.exp(0.5)) for n in entries]
    right.semilogx(entries, expected, linestyle="--", color=f"C{colour}", alpha=0.7)
right.axhline(0.5, color="grey", linewidth=0.8)
right.set(xlabel="entries, n", ylabel="weight of the right entry", ylim=(0, 1.02))
right.legend(loc="lower left")
fig.tight_layout()
plt.show()

# %%
(error, gradient), (error_64, gradient_64) = (
    [part.median().item() for part in lookups[strength]] for strength in (1, 64)
)
print("as trained, the typical lookup is off by more than 10 %:", error > 0.1)
print("at strength 64 it is exact to the last bit:", error_64 == 0)
print(
    "at strength 64 a billionth of the gradient is left, or more:",
    gradient_64 > 1e-9 * gradient,
)
for width in (16, 32, 64):
    below = next(n for n, share in zip(entries, recall[width], strict=True) if share < 0.5)
    half = math.exp(math.sqrt(width) - 0.5)
    print(
        f"d = {width}: below one half from {below:,} of our entries on; "
        f"the formula says {half:,.0f}"
    )

# %% [markdown]
# The limit is real. At strength 64 the typical lookup of "the" is *exactly* the value of one word: the other weights are too small
# to show in a 32-bit number. But look at the other line. The gradient falls together with the error, and when the lookup is exact,
# nothing is left of it. A network that looks things up in a real dictionary could never learn to look in another place. Soft is not
# a blemish of attention. It is the part that learns.
#
# And the memory is not small. With $d = 64$, the width of a head in the first Transformer, over a thousand random keys can be told
# apart, and the number grows with $e^{\sqrt d}$. ({cite:t}`ramsauer2021hopfield` see attention as a memory of this kind, and prove
# that with other scales it holds exponentially many entries in $d$.)
#
# **What if the key is not there?** Give the chooser a sentence with no noun. A dictionary says `KeyError`.

# %%
text = "the and"  # "and" is a word of the training sentences, and there is no noun
with torch.no_grad():
    outputs, weights = chooser(padded([text.split()], NUMBER, 2))
print(f"the weights of 'the' in {text!r} sum to {weights[0, 0].sum().item():.2f}", end="; ")
print("it is sure of an article:", outputs[0, 0].softmax(-1).max().item() > 0.8)

python = {"princess": "la", "king": "le"}
try:
    python["and"]
except KeyError as error:
    print("Python: KeyError", error)

# %% [markdown]
# Attention always answers. Its weights sum to 1, so somebody gets them, and nothing in the output says "not found".
#
# **What if two entries have the same key?** In a dictionary the second overwrites the first. Attention returns their mean:

# %%
keys = torch.tensor([[4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])  # the first two are the same
values = torch.tensor([[1.0], [3.0], [100.0]])
output, weights = scaled_dot_product_attention(10 * keys[:1], keys, values)
print("weights", weights[0].numpy().round(2), " value", output.item())

# %% [markdown]
# ```{admonition} Verdict: true as a limit, with four differences
# :class: note
# Make the scores large, and attention **is** a lookup, exact to the last bit; then it cannot learn any more. At the strength that
# training chose it is a mixture. It holds about $e^{\sqrt d - 1/2}$ random entries before the right one gets less than half. It
# never says that a key is missing. And it returns the mean of what is stored twice. The first and the last are features: they are
# where the gradient and the averaging come from. The third is a cause of errors: a head that finds nothing still adds something to
# the sum, and has to learn a place to look at where there is little to take.
# ```
#
# ### Claim 3: "The query is what the word is looking for"
#
# Lesson 1 of this course says so too. If it is true, it should be possible to *read* a query: to see in the 32 numbers what the word
# wants. And a word's query and key, which come from the same embedding, should differ as much as wish and offer differ.
#
# First the measurement: in the trained translator, how alike are query and key of the same word, and how alike are they for two
# different words of a sentence? We take the cosine (1: same direction, 0: unrelated), in each of the 8 heads that read English.


# %%
@torch.no_grad()
def alike(model, sentences):
    """Mean cosine of query and key in each encoder head: of one word, of two words."""
    same, different = [], []
    for sentence in sentences:
        with attention_inputs(model) as inputs:
            model.encode(
                torch.tensor(
                    [[*tokenizer.encode(sentence), tokenizer.eos_id]], device=device
                )
            )
        cosines = []
        for layer, x in zip(model.encoder.layers, inputs.values(), strict=True):
            # (S, 128): four heads side by side
            query, key = layer.attention.query(x), layer.attention.key(x)
            query, key = (
                F.normalize(both.unflatten(-1, (4, 32)).transpose(0, 1), dim=-1)
                for both in (query, key)
            )
            cosines.append(query @ key.transpose(1, 2))  # (4, S, S)
        cosines = torch.cat(cosines)
        own = torch.eye(cosines.shape[-1], dtype=torch.bool, device=device)
        same.append(cosines[:, own].mean(1))
        different.append(cosines[:, ~own].mean(1))
    return torch.stack(same).mean(0).cpu().numpy(), torch.stack(different).mean(
        0
    ).cpu().numpy()


test = corpus.test[:60]
sources = [pair.source for pair in test]
same, different = alike(model, sources)

# %% mystnb={"figure": {"name": "query-and-key", "caption": "How alike query and key are in the eight heads of the trained translator that read English: the mean cosine over 60 unseen sentences, for the query and the key of one word, and for those of two different words. 1 would be the same direction."}, "image": {"alt": "Bar chart with eight groups of two bars on an axis from 0 to 1. The bars for the same word lie between 0 and 0.4, those for different words near 0."}}
fig, ax = plt.subplots()
heads = np.arange(8)
ax.bar(heads - 0.2, same, width=0.4, label="query and key of the same word")
ax.bar(heads + 0.2, different, width=0.4, label="of two different words")
ax.set_xticks(heads, [f"layer {1 + head // 4}\nhead {1 + head % 4}" for head in heads])
ax.set(ylabel="mean cosine", ylim=(-0.1, 1))
ax.legend()
plt.show()

# %%
print("one word:  every head below 0.6:", bool((same < 0.6).all()))
print("           their mean above 0.1:", bool(same.mean() > 0.1))
print("two words: every head below 0.1:", bool((different < 0.1).all()))

# %% [markdown]
# So a word is a little inclined towards itself, and far from asking for what it offers. Fine. But now the trap. Is a cosine of 0.3
# between query and key a fact about the language, or about the numbers? The scores contain only $W_Q W_K^\top$. Take *any*
# invertible matrix $M$ ($d \times d$), replace $W_Q$ by $W_Q M$ and $W_K$ by $W_K M^{-\top}$ (the inverse, transposed):
#
# $$ (W_Q M)(W_K M^{-\top})^\top = W_Q M M^{-1} W_K^\top = W_Q W_K^\top . $$
#
# Every query changes, every key changes, and no score does. We do it to all 24 heads of the translator, with random $M$.


# %%
def rewired(change, part=""):
    """A translator with all attentions changed whose name begins with ``part``."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for name, module in changed.named_modules():
            if isinstance(module, MultiHeadAttention) and name.startswith(part):
                change(module)
    return Translator(changed, tokenizer)


def change_basis(attention):
    for head in range(4):
        rows = slice(head * 32, head * 32 + 32)
        left, right = (
            torch.linalg.qr(torch.randn(32, 32, dtype=torch.double))[0] for _ in range(2)
        )
        M = (
            left * torch.logspace(-1, 1, 32, dtype=torch.double)
        ) @ right  # stretches by 1/10 to 10
        for layer, matrix in ((attention.query, M), (attention.key, torch.linalg.inv(M).T)):
            for parameter in (
                layer.weight,
                layer.bias,
            ):  # (out, in), so the matrix stands on the left
                parameter[rows] = matrix.T.to(parameter) @ parameter[rows]


# %% tags=["claim-qkv-3"]
seed_everything(0)
other = rewired(change_basis)
before, after = (some.translate(sources, attention=False) for some in (translator, other))
same_after, _ = alike(other.model, sources)

unchanged = sum(a.text == b.text for a, b in zip(before, after, strict=True))
old, new = (some.encoder.layers[0].attention.query.weight for some in (model, other.model))
print("the same 60 translations, but for two at most:", unchanged >= 58)
print(
    "old and new rows of W_Q, mean cosine below 0.5:",
    bool(F.cosine_similarity(old, new).abs().mean() < 0.5),
)
print(
    "one word: query and key in every head now below 0.1:", bool((same_after < 0.1).all())
)

# %% [markdown]
# ```{admonition} Verdict: true of the pair, not of the query
# :class: note
# A query is half of a comparison. Its 32 numbers are written in a private language that only the keys of the same head speak, and
# training picks that language at random: another one translates just as well. Even the cosine of a word's query and key is not
# safe; ours fell to almost nothing while no translation changed. What you may read is what the product decides: **scores and
# weights**. Comparing queries across heads, layers or models, or drawing them in a plane, tells you about the basis. The same holds
# for values, which only ever reach the model through the matrix behind them (lesson 3). {cite:t}`elhage2021mathematical` build a
# whole theory on this: two circuits, $W_Q W_K^\top$ for where to look, and the value with its output matrix for what to move.
# ```
#
# ## Bugs worth meeting
#
# None of the four raises an error. We build each into the trained translator, and count how many of 60 unseen sentences it still
# translates exactly as the reference.

# %%
references = [pair.target for pair in test]


def still_right(some):
    found = some.translate(sources, attention=False)
    return sum(
        one.text == reference for one, reference in zip(found, references, strict=True)
    )


def keys_as_values(attention):
    attention.value = attention.key  # weights @ K instead of weights @ V


def transposed_query(attention):
    # x @ W where x @ W.T is due
    attention.query.weight = nn.Parameter(attention.query.weight.T.contiguous())


def query_by_key(attention):
    attention.query = attention.key  # copied the line, forgot to change the name


BUGS = {
    "K instead of V": keys_as_values,
    "x @ W instead of x @ W.T": transposed_query,
    "query made by key's matrix": query_by_key,
}


def in_words(count):
    return (
        "nearly all"
        if count >= 54
        else "none, or as good as none"
        if count <= 5
        else "some"
    )


print(f"{'as trained':28} {in_words(still_right(translator))}")
for name, bug in BUGS.items():
    everywhere, encoder = (
        in_words(still_right(rewired(bug, part))) for part in ("", "encoder")
    )
    print(f"{name:28} {everywhere:25} only in the encoder: {encoder}")

# %% [markdown]
# The column on the right is the one to fear. Built into two of the six attentions, each bug leaves a translator that still gets some
# sentences right to the last letter. It looks like a model that has not trained long enough.
#
# **Keys instead of values.** `weights @ key` runs whenever $d = d_v$, and that is nearly always. In training it is not even fatal:
# claim 1 showed that K = V can learn. So nothing falls over, and the value matrix of your model is simply never used. *Symptom:*
# `value.weight.grad` is `None` after the first backward pass. Look at the gradients of a new model once.
#
# **`x @ W` instead of `x @ W.T`.** The weights of a linear layer are (out, in). With a square matrix both products run, and both
# look random. *Symptom:* a network that you train from scratch never notices (it learns the transposed matrix); a *loaded* one
# talks nonsense. So test with different sizes, and the wrong one cannot run:

# %%
layer, x = nn.Linear(6, 4), torch.randn(5, 6)
try:
    x @ layer.weight
except RuntimeError:
    print("(5, 6) @ (4, 6): does not run, as it should")
square, x = nn.Linear(6, 6, bias=False), torch.randn(5, 6)
print(
    "(5, 6) @ (6, 6): runs; equal to the layer:",
    torch.allclose(x @ square.weight, square(x)),
)

# %% [markdown]
# **The query made by the key's matrix.** One line was copied, and one name not changed. It trains, and the loss falls: it is the
# network "Q = K" of claim 1. *Symptom:* one kind of question is never learned. If your model is good at one direction and hopeless
# in the other, look here. And again, `query.weight.grad` is `None`.
#
# **Source and target exchanged.** In cross-attention the side that asks decides the number of rows. Exchange the two and you get one
# row for each English word. If both sentences happen to be equally long, no shape tells you. Our example is such a pair:

# %%
pair = translator.translate(["The small black cats do not sleep."])[0]
print(pair.source, "|", pair.text)

with torch.no_grad():
    for text in (pair, translation):
        inputs, memory, _ = look_inside(text)
        bridge, x = one_head(model.get_submodule(BRIDGE), 0), inputs[BRIDGE]
        right, wrong = bridge(x, memory)[1], bridge(memory, x)[1]
        print(f"French asks {tuple(right.shape)}, exchanged {tuple(wrong.shape)};", end=" ")
        print("a shape shows it:", right.shape != wrong.shape)

# %% [markdown]
# So never test cross-attention with two sentences of the same length.
#
# ## Check yourself
#
# Choose an answer to see what it says about it.
#
# **1. A French sentence of 6 words asks an English one of 9. Words are 128 wide, queries and keys 32, values 64. What is the shape of
# the output?**
#
# <details><summary>6 × 64</summary>
#
# Right. One row for each word that asks, as wide as a value.
#
# </details>
# <details><summary>9 × 64</summary>
#
# No. That is the shape of $V$. Each French word gets one mixture of the nine values.
#
# </details>
# <details><summary>6 × 9</summary>
#
# No. Those are the weights. They still have to be multiplied with the values.
#
# </details>
# <details><summary>6 × 32</summary>
#
# No. 32 is the width in which queries and keys are compared. The dot product sums it away.
#
# </details>
#
# **2. You share one matrix between queries and keys. Which of these can a single head not do any more?**
#
# <details><summary>Let each verb look at its subject</summary>
#
# It can. The nouns only need longer vectors than the verbs, so that the verb prefers the noun to itself.
#
# </details>
# <details><summary>Let subject and object look at each other, each more than at itself</summary>
#
# Right. $q_t \cdot q_s$ cannot be larger than both $q_t \cdot q_t$ and $q_s \cdot q_s$.
#
# </details>
# <details><summary>Let each word look at itself</summary>
#
# It can, and it does so far too willingly: nothing fits a vector like the vector itself.
#
# </details>
#
# **3. Someone doubles $W_Q$ and halves $W_K$. What happens to the translations?**
#
# <details><summary>Nothing</summary>
#
# Right. Only the product $W_Q W_K^\top$ counts, and it is what it was. (It is the $M$ of claim 3, with $M = 2I$.)
#
# </details>
# <details><summary>The attention becomes sharper, because queries are longer</summary>
#
# No. The queries are twice as long and the keys half as long: every score is what it was.
#
# </details>
# <details><summary>The softmax saturates</summary>
#
# No. It would, if $W_Q$ were doubled and $W_K$ left alone, many times over.
#
# </details>
#
# **4. A head has learned to find the verb. The sentence is "what a day". What does the head return?**
#
# <details><summary>Zeros</summary>
#
# No. Zeros come only where a mask forbids every key. The weights sum to 1, whether or not anything fits.
#
# </details>
# <details><summary>An error, like a dictionary</summary>
#
# No. No comparison with a threshold takes place, so nothing can fail.
#
# </details>
# <details><summary>A mixture of the values that are there</summary>
#
# Right. The best of the bad matches gets the weight, and the rest of the model must be able to live with it.
#
# </details>
#
# ## The translator, step 2
#
# Lesson 1 gave the translator its engine. This lesson gives it its fuel: every attention of the model begins with the three
# projections. Is your class good enough to stand in all of them? Each of the six attentions has four heads. We compare the weights
# of your class with what the trained translator used, everywhere.

# %%
inputs, memory, recorded = look_inside(translation)
length = len(translation.target_tokens)
# French may not look ahead (lesson 8)
causal = torch.ones(length, length, dtype=torch.bool, device=device).tril()

compared = 0
with torch.no_grad():
    for name, theirs in recorded.items():
        source = memory if "cross" in name else None
        mask = causal if name.startswith("decoder") and source is None else None
        for head in range(4):
            weights = one_head(model.get_submodule(name), head)(inputs[name], source, mask)[
                1
            ]
            torch.testing.assert_close(weights, theirs[head], rtol=1e-4, atol=1e-4)
            compared += 1

total = sum(parameter.numel() for parameter in model.parameters())
shared = sum(
    parameter.numel()
    for name, parameter in model.named_parameters()
    if name.split(".")[-2] in ("query", "key", "value")
)
print(f"{compared} heads, all equal")
print(f"Q, K and V: {shared:,} of the translator's {total:,} numbers, {shared / total:.0%}")

# %% [markdown]
# ### Exercise: build it
#
# [Open the exercise on
# Colab](https://colab.research.google.com/github/executable-transformer/course/blob/main/exercises/02_query_key_value.ipynb), or
# open `exercises/02_query_key_value.ipynb` at home. Three questions, 10 points; `check("q1")` tells you at once what is wrong, in
# one sentence.
#
# **Questions 1 and 2:** `Attention`, its three projections, then attention in one sentence and between two.
#
# ```{include} ../solutions/02_query_key_value.py
# :start-after: "<!-- hints q1 -->"
# :end-before: "<!-- /hints q1 -->"
# ```
#
# ```{include} ../solutions/02_query_key_value.py
# :start-after: "<!-- hints q2 -->"
# :end-before: "<!-- /hints q2 -->"
# ```
#
# ````{dropdown} Solution of questions 1 and 2
# ```{literalinclude} ../solutions/02_query_key_value.py
# :language: python
# :start-after: "# %% solution Attention"
# :end-before: "# %%"
# ```
# ````
#
# **Question 3:** `lookup_matrices`, a query and a key matrix with which every word finds the word that it should.
#
# ```{include} ../solutions/02_query_key_value.py
# :start-after: "<!-- hints q3 -->"
# :end-before: "<!-- /hints q3 -->"
# ```
#
# ````{dropdown} Solution of question 3
# ```{literalinclude} ../solutions/02_query_key_value.py
# :language: python
# :start-after: "# %% solution lookup_matrices"
# :end-before: "# %%"
# ```
# ````
#
# ## Summary
#
# - Three learned matrices make a query, a key and a value of each word: $Q = XW_Q$, $K = YW_K$, $V = YW_V$.
# - $Y = X$ is self-attention, another sentence is cross-attention. The side that asks decides the number of rows.
# - Queries and keys must be able to differ: with $Q = K$, two words cannot prefer each other to themselves, and three cannot look in a
#   circle. Keys and values may be the same.
# - Attention is a dictionary in the limit of large scores. Soft, it can learn; it holds many entries, and never says "not found".
# - Only $W_Q W_K^\top$ counts. A query alone cannot be read; scores and weights can.
# - Test with sizes that are all different. Square matrices and equal lengths hide every mistake on this page.
#
# **Where it comes from.** Queries, keys and values, and the three uses of attention: {cite:t}`vaswani2017attention`, sections 3.2.1
# and 3.2.3. A memory that is addressed by content, with a strength: {cite:t}`graves2014neural`. Keys and values that differ:
# {cite:t}`miller2016key`. Shared queries and keys: {cite:t}`kitaev2020reformer`. The capacity of attention as a memory:
# {cite:t}`ramsauer2021hopfield`. Only the products count: {cite:t}`elhage2021mathematical`.
