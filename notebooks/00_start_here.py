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
# # 0 · Start here
#
# **What will I build?** *15 minutes. You need: nothing. Read, or run the cells from top to bottom.*
#
# A Transformer that translates English into French, every part of the network written by you. This page shows you where you will end up: a
# finished translator, where it looks while it writes, and what such a model, which begins with random numbers, writes as it learns. No
# GPU is needed.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% [markdown]
# ## Does your machine work?
#
# The course runs wherever Python and PyTorch run. A GPU is used when there is one. This cell says what was found here; on your machine it
# may say something else.

# %% tags=["nbval-ignore-output"]
import torch

from lessons_lib.device import describe, pick_device, seed_everything

device = pick_device()
# The networks of this page are small: one thread is enough, and leaves a core free.
torch.set_num_threads(1)
print("PyTorch", torch.__version__.split("+")[0], "on", describe(device))

# %% [markdown]
# ## The finished translator
#
# This is the model that you will be able to build at the end: two layers (lesson 5) that read English, two that write French, a million numbers
# in all. It was trained for some minutes on one processor core, on sentences that a grammar of this course wrote. None of these four was
# among them.

# %%
from lessons_lib.translation.course_model import course_web_model, load_course_translator

SENTENCES = [
    "The small black cats do not sleep.",
    "My sister is reading a book.",
    "The old woman has found the key.",
    "Did the girls eat the red apples?",
]
translator = load_course_translator(device)
for translation in translator.translate(SENTENCES):
    print(translation.source, "\n  ", translation.text)

# %% [markdown]
# French is not English with other words. *Small* and *black* stand on different sides of the cats, and both are in the plural, as are *les* and
# *dorment*. *Not* has become two words around the verb. The question begins with *est-ce que*, and the girls stand before both verbs. No
# rule of this was given to the model: it has seen pairs of sentences, and nothing else. (The grammar that wrote the pairs is made of rules,
# of course.)
#
# Now your own sentence. Two models run in this page: the button loads the weights of the one that you choose, and your browser computes
# every number. *The course's* is the one above. It was taught a small world, some 1,200 English words of cats, queens and apples.
# *Everyday sentences* has four times as many weights and was trained on 155,862 pairs that people wrote. Either names the
# words of yours that it has never seen. [More about both](../book/translator).

# %%
from lessons_lib.translation.everyday_model import everyday_web_model
from lessons_lib.widgets import TranslatorWidget

EVERYDAY = {
    "name": "Everyday sentences",
    "knows": "Short sentences of all sorts, as people say them; 5 MB.",
    "file": "everyday-translator.bin",
    "sentences": [
        "I have been waiting for an hour.",
        "Where is the train station?",
        "If it rains, we will stay at home.",
        "Nobody knows what happened.",
    ],
    "weights": everyday_web_model,
}
COURSE = {
    "name": "The course's",
    "knows": "A small world of cats, queens and apples; 1.3 MB.",
    "file": "course-translator.bin",
    "sentences": SENTENCES,
    "weights": course_web_model,
}
TranslatorWidget(models=[EVERYDAY, COURSE])

# %% [markdown]
# ## Where it looked
#
# The model was never told which French word comes from which English word. But for each word that it wrote, it gave each English word a
# weight, how much to look at it, and these weights can be read:

# %% mystnb={"figure": {"name": "first-alignment", "caption": "Each row is a French word, each column an English one; bright means that the model looked there while it wrote the French word (its last layer looks in four ways; this is their average, lesson 3)."}, "image": {"alt": "Heat map of attention from the French words of the translation to the English words: petits looks at small, chats at cats, noirs at black, dorment at sleep; ne and pas at not and, less, at sleep."}}
import matplotlib.pyplot as plt

from lessons_lib.figures import attention_heatmap, use_course_style

use_course_style()
(translation,) = translator.translate(["The small black cats do not sleep."])
french, english = translation.text.split(), translation.source.split()
weights = translation.word_attention(layer=-1)
attention_heatmap(weights, french, english)
plt.show()

# %%
for word, row in zip(french, weights, strict=True):
    print(f"{word:8} looks most at {english[row.argmax()]}")

# %% [markdown]
# It found the adjectives on both sides of the noun. Lesson 1 explains how a network can *look* at all.
#
# ## Something to learn from
#
# A translator learns from sentences and their translations. The grammar of this course writes such pairs, as many as you like, so that
# nothing needs to be downloaded. Later you can bring real text.

# %%
from lessons_lib.translation.data.corpus import load_grammar

corpus = load_grammar(seed=0, n_train=8_000, n_valid=0, n_test=400)
print(
    len(corpus.train),
    "pairs to learn from;",
    len(corpus.test),
    "others, never shown to a model, to test it with. Three of the first:\n",
)
for pair in corpus.train[:3]:
    print(pair.source, "\n  ", pair.target)

# %% [markdown]
# ## From noise to French
#
# Now a network of the same shape from the beginning: a million numbers, nearly all of them random. Each line below shows how many {term}`batches <batch>` of sentences it has
# seen, and what it then makes of a sentence that is not among them. The run is short: 200 batches, where the finished translator has seen
# 6,000. Watch what comes before the right translation: at first it may write nothing at all, then a few frequent words, then something like a French sentence,
# but about something else.

# %% tags=["hide-input", "nbval-ignore-output"]
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.loop import TrainingOptions, fit

SENTENCE = SENTENCES[0]
SHOW = (10, 25, 50, 100, 150, 200)

seed_everything(0)
# Short sentences only; lesson 12 takes all of them.
short = [pair for pair in corpus.train if len(pair.source.split()) <= 7]
assert SENTENCE not in {pair.source for pair in short}
tokenizer = Tokenizer.train(
    (text for pair in short for text in (pair.source, pair.target)), vocab_size=4_000
)
config = TransformerConfig(
    len(tokenizer),
    d_model=128,
    n_encoder_layers=2,
    n_decoder_layers=2,
    d_ff=256,
    dropout=0.0,
)
model = Transformer(config).to(device)
learner = Translator(model, tokenizer)
batches = Batches(
    encode_pairs(tokenizer, short, config.max_length),
    tokenizer,
    token_budget=512,
    device=device,
)
print(f"{sum(parameter.numel() for parameter in model.parameters()):,} numbers to learn")
print("         English:", SENTENCE)
for step in fit(
    model,
    batches.forever(),
    TrainingOptions(steps=SHOW[-1], learning_rate=4e-3, warmup_steps=50),
):
    if step.number in SHOW:
        print(f"{step.number:4} batches: →", learner.translate([SENTENCE])[0].text[:80])

# %% [markdown]
# Is it one unlucky sentence? How many of 200 others that neither has seen come out word for word as the reference, the grammar's own translation? The
# finished translator
# is a network of the same shape, trained on more sentences, for longer, and with some means of lesson 12.

# %% tags=["nbval-ignore-output"]
test = [pair for pair in corpus.test if len(pair.source.split()) <= 7][:200]
for name, one in (("after 200 batches", learner), ("finished", translator)):
    found = one.translate([pair.source for pair in test], attention=False)
    right = sum(
        translation.text == pair.target
        for translation, pair in zip(found, test, strict=True)
    )
    print(f"{name:18} {right} of {len(test)} right")

# %% [markdown]
# ## Train one in this page
#
# Press *Train*: a small Transformer learns to write a word backwards, on your own machine, forward and backward, nothing
# loaded from elsewhere. Then choose *No positions*: now two runs learn side by side. The first knows where each letter stands, the second is not told.
# The words of the knobs are those of the lessons; you
# will know them all. [The playground has a page of its own](../book/playground).

# %%
from lessons_lib.widgets import PlaygroundWidget

PlaygroundWidget()

# %% [markdown]
# You will write every part of the network: the attention in lesson 1, the rest in the lessons after it. Lesson 12 trains the translator properly, and
# measures how good it is.
#
# [Go on to lesson 1: why did attention replace recurrence?](01_self_attention)
