"""Exercise 13, whole: the questions, the answer cells as the learner finds them, the checks, hints and solutions.

`make exercises` makes exercises/13_evaluating_translation.ipynb of it, without the `solution` cells. The lesson's page
shows the hints and the solutions from here, so the cell titles and the comments around the texts are markers.
"""

# ruff: noqa: F811  (a solution comes after the answer cell that it fills in)

# %% text [markdown]
r"""
# Exercise 13: the capstone report

*80 minutes, 10 points. You need: lesson 13, and your translator of exercise 12.*

You write the two measures of the lesson, and then use them on **your own translator**: is it any good, does a beam help,
does it look where it should, how long does it take, and what does it get wrong?

Write your answer in the cell of the question, run that cell, then run the `check` below it. It says how many points you
have and, if something is wrong, what it probably is. Check as often as you like. Hints are folded; the solution is at
the end of the lesson's page.

**From scratch** means in questions 1 and 2 plain Python and NumPy: your functions may not call `sacrebleu`, nor the scores
and alignments of `lessons_lib`; the check notices. In question 3 you may call anything.
"""

# %% setup
import math
import time
from collections import Counter

import numpy as np

from lessons_lib.grading import check
from lessons_lib.grading.final_report import (
    decoder_steps,
    find_translator,
    write_report,
)
from lessons_lib.grading.parts import owners
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation.bleu import words
from lessons_lib.translation.evaluation.diagnosis.categories import Example, tags
from lessons_lib.translation.evaluation.scoring import compare

check.open("13_evaluating_translation")
translator, whose = (
    find_translator()
)  # yours, if exercise 12 left it in my_translator
test = load_grammar(
    seed=0, n_train=0, n_valid=0, n_test=200
).test  # never seen in training
print(f"Question 3 and the report are about {whose}.")

# %% question q1 [markdown]
r"""
<!-- question q1 -->
## q1: BLEU of a whole test set (4 points)

Write `bleu(translations, references)`. Both are lists of sentences, and a sentence is a **list of words**, already split,
without `words`; capitals count. The result is one number from 0 to 100:

$$\mathrm{BLEU} = 100 \cdot \mathrm{BP} \cdot (p_1\,p_2\,p_3\,p_4)^{1/4}, \qquad
\mathrm{BP} = \begin{cases} 1 & c \ge \ell \\ e^{\,1 - \ell / c} & c < \ell \end{cases}$$

- $p_n$ is the share of the translations' n-grams that their reference has, too. Each counts at most as often as it stands in
  the reference of *its own* sentence. Add over **all sentences** first, divide once.
- $c$ and $\ell$ are the words of all translations together, and of all references.
- A translation of fewer than $n$ words simply has no $n$-grams; it may have no word at all. If for some $n$ nothing matches, or
  no translation has an $n$-gram (all of them have two words, say), BLEU is 0: return it before you divide.

```python
reference = "les petits chats noirs ne dorment pas ce soir".split()
print(round(bleu(["les petits chats noirs dorment dorment pas".split()], [reference]), 2))  # 36.74
```
<!-- /question q1 -->
"""


# %% answer bleu
def bleu(translations, references):
    """Corpus BLEU, 0 to 100."""
    raise NotImplementedError("write the body of bleu")


# %% solution bleu
def bleu(translations, references):
    """Corpus BLEU, 0 to 100."""
    matched, total, c, length = [0] * 4, [0] * 4, 0, 0
    for translation, reference in zip(translations, references, strict=True):
        c += len(translation)
        length += len(reference)
        for n in range(1, 5):
            mine, theirs = (
                Counter(
                    tuple(sentence[i : i + n]) for i in range(len(sentence) - n + 1)
                )
                for sentence in (translation, reference)
            )
            matched[n - 1] += (
                mine & theirs
            ).total()  # & takes the smaller count: clipping
            total[n - 1] += mine.total()
    if 0 in matched:
        return 0.0
    penalty = 1.0 if c >= length else math.exp(1 - length / c)
    return (
        100
        * penalty
        * math.prod(m / t for m, t in zip(matched, total, strict=True)) ** (1 / 4)
    )


# %% check q1
check("q1")

# %% hints q1 [markdown]
r"""
<!-- hints q1 -->
:::{dropdown} Hint 1 of q1: counting
`Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))` counts the n-grams of a sentence. A list can't be
counted, a tuple can.
:::

:::{dropdown} Hint 2 of q1: clipping
For each n-gram of the translation take the smaller of its two counts. `Counter` has an operator that does this for all of
them at once: try `Counter("aab") & Counter("abb")`. Its `.total()` is the sum of its
counts; `len` says only how many different n-grams it holds.
:::

:::{dropdown} Hint 3 of q1: where to divide
Keep eight sums (matches and n-grams for n = 1 … 4) and two lengths. Inside the loop over sentences nothing is divided.
:::
<!-- /hints q1 -->
"""

# %% question q2 [markdown]
r"""
<!-- question q2 -->
## q2: links, and how many are wrong (3 points)

**`links(weights)`** reads an alignment off the cross-attention of one sentence pair with T French and S English words.
`weights` is a NumPy array of shape (H, T + 1, S + 1), from H heads. Its second axis counts the *steps* of the decoder: step
0 has read `<s>` and writes the first French word, step t has read the words before word t and writes word t, and the last step
writes `</s>`. Its third axis counts the English words; the last column is the English `</s>`.

Take the mean over the heads (the lesson's `links` is given such a table), and link each French word to the English word with the largest weight *at the step that writes it*. The `</s>` of either side is no word and gets no link. Return a set of pairs (English word, French word), counted from 0.

**`alignment_error_rate(found, sure, possible)`** takes three lists with one set of links for each sentence, and returns

$$1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|}$$

where A are the links found, S the sure and P the possible ones (which contain the sure ones), each counted over all sentences.

```python
weights = np.zeros((1, 3, 3))
weights[0, 0, 1] = weights[0, 1, 0] = weights[0, 2, 2] = 1
rate = alignment_error_rate([links(weights)], [{(1, 0)}], [{(1, 0), (1, 1)}])
print(*sorted(links(weights)), round(rate, 2))  # (0, 1) (1, 0) 0.33
```
<!-- /question q2 -->
"""


# %% answer links
def links(weights):
    """The set of (English word, French word) that attention claims."""
    raise NotImplementedError("write the body of links")


# %% solution links
def links(weights):
    """The set of (English word, French word) that attention claims."""
    between_words = weights.mean(axis=0)[
        :-1, :-1
    ]  # without the step that writes </s>, and without looks at </s>
    return {(int(np.argmax(row)), t) for t, row in enumerate(between_words)}


# %% answer alignment_error_rate
def alignment_error_rate(found, sure, possible):
    """0 is perfect, 1 is no link right."""
    raise NotImplementedError("write the body of alignment_error_rate")


# %% solution alignment_error_rate
def alignment_error_rate(found, sure, possible):
    """0 is perfect, 1 is no link right."""
    right = sum(
        len(a & s) + len(a & p)
        for a, s, p in zip(found, sure, possible, strict=True)
    )
    return 1 - right / (sum(map(len, found)) + sum(map(len, sure)))


# %% check q2
check("q2")

# %% hints q2 [markdown]
r"""
<!-- hints q2 -->
:::{dropdown} Hint 1 of q2: which row?
The first French word is written at step 0, before anything of it was read. So French word t belongs to row t, and the row
left over is the last one.
:::

:::{dropdown} Hint 2 of q2: the `</s>`
Attention may rest on `</s>` as well. Cut its column off *before* you look for the largest weight.
:::

:::{dropdown} Hint 3 of q2: sums, then one division
`a & b` are the links that two sets share, and `len` counts them. Add the counts of all sentences, and divide once at the end:
the mean of the sentences' rates is another number.
:::
<!-- /hints q2 -->
"""

# %% question q3 [markdown]
r"""
<!-- question q3 -->
## q3: the report on your translator (3 points)

Write `capstone(translator, pairs)`. It translates the `source` of each pair, and returns a dictionary:

| key | what |
|---|---|
| `greedy`, `beam` | the translations, a list of texts each; greedy search, and a beam of 4 |
| `seconds_greedy`, `seconds_beam` | how long each search took (the first call is slower: warm up) |
| `bleu_greedy`, `bleu_beam` | by your `bleu`, of words as `words(text)` gives them |
| `p` | of the difference of the two, by a paired bootstrap: sacreBLEU's, `compare(greedy, beam, references).p`, not doubled: `capstone.md` does that (the lesson's, of both directions, passes too) |
| `aer` | by your `links` and `alignment_error_rate`, from `decoder_steps(translator, pairs)` and `gold_of(pairs)` |
| `failures` | for each kind of error, how many greedy translations have it: `tags(Example(source, translation, reference))` |

`translator.translate(sentences, beam=4, attention=False)` gives an object with `.text` for each sentence; without `beam`
the search is greedy. A pair has `.source` and `.target`. `decoder_steps` gives the `weights` of question 2 for each pair (the reference
is read); `gold_of` an object with `.sure` and `.possible`.
The check calls your function with the translator that the cell at the top found, and with 30 pairs: 20 are like those of
`test`, 10 have a word that training never shows.

A point is for the scores, one for alignment, time and failures, the last for a translator that translates: BLEU above 15 (400 steps of exercise 12 are enough).

```python
print(sorted(capstone(translator, test[:5])))  # aer, beam, bleu_beam, bleu_greedy, failures, greedy, p, seconds_beam, seconds_greedy
```
<!-- /question q3 -->
"""


# %% answer capstone
def capstone(translator, pairs):
    """The report on the translator, as a dictionary."""
    raise NotImplementedError("write the body of capstone")


# %% solution capstone
def capstone(translator, pairs):
    """The report on the translator, as a dictionary."""
    sources, references = (
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
    )
    report = {}
    for name, beam in (("greedy", 1), ("beam", 4)):
        begin = time.perf_counter()
        report[name] = [
            found.text
            for found in translator.translate(sources, beam=beam, attention=False)
        ]
        report[f"seconds_{name}"] = time.perf_counter() - begin
        report[f"bleu_{name}"] = bleu(
            [words(text) for text in report[name]],
            [words(text) for text in references],
        )
    report["p"] = compare(report["greedy"], report["beam"], references).p
    gold = gold_of(pairs)
    found = [links(weights) for weights in decoder_steps(translator, pairs)]
    report["aer"] = alignment_error_rate(
        found, [g.sure for g in gold], [g.possible for g in gold]
    )
    examples = [
        Example(pair.source, text, pair.target)
        for pair, text in zip(pairs, report["greedy"], strict=True)
    ]
    report["failures"] = dict(
        Counter(tag for example in examples for tag in tags(example))
    )
    return report


# %% check q3
check("q3")

# %% hints q3 [markdown]
r"""
<!-- hints q3 -->
:::{dropdown} Hint 1 of q3: start small
Return a dictionary with the two lists of translations, and check: the hint names the next key that is missing.
:::

:::{dropdown} Hint 2 of q3: words
`bleu` wants lists of words: `[words(text) for text in …]`, for the translations and for the references.
:::

:::{dropdown} Hint 3 of q3: failures
`tags(…)` gives a list of kinds for one sentence, empty if it is right. A `Counter` over all of those lists is the table.
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
## Keep your parts, and write the report

The first line writes each answer that has all its points to `my_translator.py`, in this folder. The second writes the report on
200 test sentences to `runs/capstone.md`: your results, and a table that says which parts of the course are yours. On Colab,
connect your Drive first and run `%cd /content/drive/MyDrive`, for a folder there is lost with its machine.
"""

# %% keep
check.keep()
print(write_report("runs/capstone.md", capstone, translator, test, whose, owners()))
