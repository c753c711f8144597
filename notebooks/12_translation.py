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
# # 12 · Translation
#
# **How do you train an English–French Transformer?** *30 minutes. You need: what attention does (lesson 1); the words encoder and
# decoder.*
#
# After this lesson you can
#
# - follow a sentence pair from text to subwords, to a batch, to a loss;
# - train an encoder–decoder from random numbers in minutes, and say what each setting is for;
# - score it with a BLEU that others can reproduce, and check its alignment against a known one.

# %% tags=["remove-cell"]
import sys

if "google.colab" in sys.modules:  # on Colab only: elsewhere this cell does nothing
    import subprocess

    source = "lessons_lib @ git+https://github.com/executable-transformer/course"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from lessons_lib.device import pick_device, pick_precision, seed_everything
from lessons_lib.figures import attention_heatmap, use_course_style
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.alignment import alignment_error_rate, cross_attention, links, word_weights
from lessons_lib.translation.batching import Batches, encode_pairs
from lessons_lib.translation.corpus import load_grammar
from lessons_lib.translation.scoring import score
from lessons_lib.translation.tokenizer import Tokenizer
from lessons_lib.translation.training import TrainingOptions, fit, schedule
from lessons_lib.translation.translator import Translator

use_course_style()
device = pick_device()

# %% [markdown]
# ## The idea
#
# The decoder is a machine that answers one question: *given the English sentence and the French words so far, what comes next?*
# Training asks it that question at every position of every sentence, all at once. Translating asks it again and again, and each time
# appends the answer.
#
# Everything else on this page is logistics: how words become numbers, how sentences of unequal length share a rectangle, how wrong an
# answer is, and how fast to learn from it.
#
# ## The data
#
# The embedded corpus is written by a grammar of both languages. Because it builds the English and the French from one meaning, it also
# knows which word belongs to which: a gold alignment that no real corpus has.

# %%
corpus = load_grammar(seed=0)
print({part: len(getattr(corpus, part)) for part in ("train", "valid", "test")})

pair = next(pair for pair in corpus.test if "not" in pair.source.split() and 6 <= len(pair.source.split()) <= 9)
english, french = pair.source.split(), pair.target.split()
print(pair.source, "|", pair.target)
for e, f in pair.alignment:
    print(f"  {english[e]:12} {french[f]}")

# %% [markdown]
# A test set means something only if the model has not seen it. The first thing to check, always:

# %%
seen = {pair.source.lower().rstrip(".?!") for pair in corpus.train}
print(
    "test sentences that are also in training:", sum(pair.source.lower().rstrip(".?!") in seen for pair in corpus.test)
)

# %% [markdown]
# ## Words into subwords
#
# A vocabulary of whole words has no entry for the next new word. A vocabulary of letters makes sentences very long. Byte-pair encoding
# ({cite:t}`sennrich2016neural`) starts from letters and merges the most frequent neighbours, again and again: frequent words
# become one piece, rare ones several, and nothing is unknown. English and French share one vocabulary, so that one table of embeddings
# serves both.

# %%
tokenizer = Tokenizer.train((text for pair in corpus.train for text in (pair.source, pair.target)), vocab_size=4_000)
print(len(tokenizer), "pieces")
for text in (pair.target, "the aquarium"):
    pieces = tokenizer.pieces(tokenizer.encode(text))
    print(" ".join(pieces))
    assert tokenizer.decode(tokenizer.encode(text)) == text  # nothing is lost on the way

# %% [markdown]
# The mark ▁ shows where a word begins. The grammar has no aquarium; the tokenizer spells one all the same.
#
# ## Sentences into batches
#
# The decoder reads the French sentence shifted by one: it sees `<s> les petits` and must answer `les petits chats`. One forward pass
# asks all these questions together; the causal mask keeps each answer from being read off (lesson 8).
#
# A batch is a rectangle, so short rows are filled with padding, and padding costs as much as words. Batches of sentences of *like
# length* waste little:

# %%
examples = encode_pairs(tokenizer, corpus.train, max_length=256)
batches = Batches(examples, tokenizer, token_budget=768, device=device)
batch = next(batches.epoch(0))
print(
    "one batch: src",
    tuple(batch.src.shape),
    " tgt_in",
    tuple(batch.tgt_in.shape),
    " tgt_out",
    tuple(batch.tgt_out.shape),
)
print("shifted by one:", bool((batch.tgt_in[:, 1:] == batch.tgt_out[:, :-1])[batch.tgt_in[:, 1:] != 0].all()))

lengths = np.array([len(example.tgt) + 1 for example in examples])
rng = np.random.default_rng(0)
rows = len(batch.src)
at_random = [lengths[rng.choice(len(lengths), rows)] for _ in range(500)]
print(f"positions that hold a token: {batches.efficiency():.0%} in our batches,", end=" ")
print(
    f"{sum(x.sum() for x in at_random) / sum(rows * x.max() for x in at_random):.0%} in random ones of {rows} sentences"
)

# %% [markdown]
# ## How wrong, and how fast to learn
#
# The loss is the cross-entropy of the right next piece, with **label smoothing**: the target gets 0.9 of the probability
# and all pieces share the other 0.1, so that the model does not chase certainty ({cite:t}`szegedy2016rethinking`).
#
# The learning rate rises over the first 150 batches, while the gradients are still wild, and then falls in a straight line to zero at the
# end: the last, smallest steps are worth a good deal of BLEU.

# %% mystnb={"figure": {"name": "learning-rate", "caption": "The learning rate over a training of 1,700 steps: a short warm-up, then a straight line to zero."}, "image": {"alt": "Line plot: the learning rate climbs to 0.004 in the first 150 steps and falls linearly to 0 at step 1700."}}
STEPS = 1_700
options = TrainingOptions(steps=STEPS, learning_rate=4e-3)
rates = [options.learning_rate * schedule(step, step / STEPS, options.warmup_steps) for step in range(STEPS)]
fig, ax = plt.subplots()
ax.plot(rates)
ax.set(xlabel="step", ylabel="learning rate")
plt.show()

# %% [markdown]
# ## Training
#
# The model is the one of the library, small: width 128, two encoder and two decoder layers. The loop below is all there is to it; `fit`
# makes one step each time it is asked (forward, loss, backward, clip, update), and you can read it in
# `lessons_lib/translation/training.py`. A model this size needs about two minutes on two CPU cores.

# %%
seed_everything(0)
config = TransformerConfig(
    len(tokenizer), d_model=128, n_heads=4, n_encoder_layers=2, n_decoder_layers=2, d_ff=256, dropout=0.0
)
model = Transformer(config).to(device)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")

steps, losses = [], []
for step in fit(model, batches.forever(), options, pick_precision(device)):
    if step.number % 10 == 0:
        steps.append(step.number)
        losses.append(step.loss.item())

# %% mystnb={"figure": {"name": "training-loss", "caption": "Training loss, in nats a piece, every tenth step. The dashed line is a model that knows nothing: all pieces equally likely. Label smoothing keeps the loss from reaching 0."}, "image": {"alt": "The loss falls from the dashed line at log of the vocabulary size, steeply at first, then flattens out above 0.5."}}
fig, ax = plt.subplots()
ax.plot(steps, losses)
ax.axhline(np.log(len(tokenizer)), linestyle="--", color="grey")
ax.set(xlabel="step", ylabel="loss (nats a piece)", ylim=(0, None))
plt.show()

# %% [markdown]
# ## Does it translate?
#
# Sentences that it has never seen. Greedy decoding: at each step the most probable piece is appended, until the model says `</s>`.

# %%
translator = Translator(model, tokenizer)
for translation in translator.translate(
    ["the small black cats do not sleep", "The tired girls have not eaten the red apples."]
):
    print(translation.source, "\n  ", translation.text)

# %% [markdown]
# One sentence proves nothing. **BLEU** compares all translations of the test set with the reference translations, by the word
# sequences of length 1 to 4 that they share. The number depends on how words are split, so it comes with a signature; sacreBLEU
# ({cite:t}`post2018call`) makes it the same for everybody. (Your last digits may differ from ours: another CPU adds up in another
# order, and 1,700 steps later a word here or there has changed.)

# %% tags=["nbval-ignore-output"]
sources, references = [pair.source for pair in corpus.test], [pair.target for pair in corpus.test]
translations = translator.translate(sources)
scores = score([translation.text for translation in translations], references)
print(f"BLEU {scores.bleu:.1f}   chrF {scores.chrf:.1f}   on {scores.sentences} sentences")
print(scores.signature)

# %%
print("BLEU above 80:", scores.bleu > 80)

# %% [markdown]
# ```{admonition} What this number does not say
# :class: warning
# The test sentences are new, but they come from the same grammar, with the same few hundred words (their forms are some thousands). A BLEU this high on real text would be
# a sign of a mistake. `lessons train --corpus pairs` trains the same model on text files of your own.
# ```
#
# ## Where did it look?
#
# While it writes a French word, the last decoder layer attends to the English words. If the attention means anything, it should agree with
# the gold alignment. The rings mark the gold links of the sentence from the top of the page:


# %%
def attention_between_words(pairs, layer=-1, steps_late=0):
    """(target words, source words) for each pair: the mean over the heads of a layer, when the model writes the reference."""
    src = [[*tokenizer.encode(pair.source), tokenizer.eos_id] for pair in pairs]
    tgt = [[*tokenizer.encode(pair.target), tokenizer.eos_id] for pair in pairs]
    tables = [table[layer].mean(0).roll(-steps_late, dims=0).numpy() for table in cross_attention(model, src, tgt)]
    words = [(tokenizer.word_ids(s), tokenizer.word_ids(t)) for s, t in zip(src, tgt, strict=True)]
    return [word_weights(table, *w) for table, w in zip(tables, words, strict=True)]


# %% mystnb={"figure": {"name": "gold-alignment", "caption": "Cross-attention of the last layer (mean of its heads), in words. Rows: the French sentence. Columns: the English one. Rings: the gold alignment, which the model never saw."}, "image": {"alt": "Heat map of French words against English words; the bright cells coincide with most of the ringed cells of the gold alignment."}}
attention_heatmap(attention_between_words([pair])[0], french, english, links=[(f, e) for e, f in pair.alignment])
plt.show()

# %% [markdown]
# ### Bug worth meeting: the alignment read one step late
#
# The decoder's row $t$ has French word $t$ as its *input* and word $t+1$ as its *output*. So the row that was computed to **emit** a word is
# the one before the row that reads it. Take the wrong one and you get a clean, plausible picture of the *next* word's alignment. The
# alignment error rate ({cite:t}`och2003systematic`; 0 is perfect, 1 is no link right) tells them apart:

# %% tags=["nbval-ignore-output"]
test = corpus.test[:300]
gold = [set(pair.alignment) for pair in test]
error_rate = {
    late: alignment_error_rate([links(weights) for weights in attention_between_words(test, steps_late=late)], gold)
    for late in (0, 1)
}
for late, rate in error_rate.items():
    print(f"read {'at the step that emits the word' if late == 0 else 'one step late'}: {rate:.2f}")

# %%
print("at the emitting step below 0.35:", error_rate[0] < 0.35, "  one step late above 0.6:", error_rate[1] > 0.6)

# %% [markdown]
# ## The translator, step 12
#
# What this page did in pieces, one command does in one go, and keeps the result in a folder:
#
# ```bash
# lessons train --corpus grammar --minutes 1 --out runs/toy
# lessons translate --model runs/toy "the small black cats do not sleep"
# lessons score --model runs/toy --corpus grammar --beam 4
# ```
#
# With your own text, line by line translations of each other in two files:
#
# ```bash
# lessons train --corpus pairs --train A.en A.fr --valid B.en B.fr --minutes 10 --out runs/mine
# ```
#
# ## Summary
#
# - Subwords make every text representable; one vocabulary serves both languages.
# - The decoder learns from the sentence shifted by one, all positions at once; it generates one position at a time.
# - Batches of like length, a warm-up, a decay to zero, label smoothing: small things, each worth a good deal.
# - A BLEU without a signature and a disjoint test set is a rumour.
# - Cross-attention is an alignment if you read it at the step that emits the word.
#
# **Where it comes from.** The model and its training: {cite:t}`vaswani2017attention`. Byte-pair encoding: {cite:t}`sennrich2016neural`. BLEU:
# {cite:t}`papineni2002bleu`, as {cite:t}`post2018call` computes it. One matrix for embedding and output: {cite:t}`press2017using`.
