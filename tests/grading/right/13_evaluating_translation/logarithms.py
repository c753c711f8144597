"""Logarithms, loops, dictionaries of counts; a call that warms up.

q1: 4 of 4
q2: 3 of 3
q3: 3 of 3
"""

import math
import time
from collections import Counter

from lessons_lib.grading import final_report as course
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation.bleu import words
from lessons_lib.translation.evaluation.diagnosis.categories import Example, tags
from lessons_lib.translation.evaluation.scoring import compare


def runs_of(words, n):
    found = {}
    for i in range(len(words) - n + 1):
        gram = " ".join(words[i : i + n])
        found[gram] = found.get(gram, 0) + 1
    return found


def bleu(translations, references):
    logs = 0.0
    for n in (1, 2, 3, 4):
        matched = total = 0
        for translation, reference in zip(translations, references, strict=True):
            theirs = runs_of(reference, n)
            for gram, count in runs_of(translation, n).items():
                matched += min(count, theirs.get(gram, 0))
                total += count
        if not matched:
            return 0
        logs += math.log(matched) - math.log(total)
    c, length = sum(map(len, translations)), sum(map(len, references))
    return 100 * math.exp(logs / 4 + min(0, 1 - length / c))


def links(weights):
    n_heads, steps, columns = weights.shape
    found = set()
    for t in range(steps - 1):
        total = [sum(weights[h, t, s] for h in range(n_heads)) for s in range(columns - 1)]
        found.add((total.index(max(total)), t))
    return found


def alignment_error_rate(found, sure, possible):
    above = below = 0
    for a, s, p in zip(found, sure, possible, strict=True):
        above += sum((link in s) + (link in p) for link in a)
        below += len(a) + len(s)
    return (below - above) / below


def translate(translator, sentences, beam):
    return [found.text for found in translator.translate(sentences, beam=beam, attention=False)]


def capstone(translator, pairs):
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    report = {}
    translate(translator, ["Warm up.", sources[0]], 4)
    for name, beam in (("greedy", 1), ("beam", 4)):
        begin = time.perf_counter()
        report[name] = translate(translator, sources, beam)
        report[f"seconds_{name}"] = time.perf_counter() - begin
        report[f"bleu_{name}"] = bleu([words(t) for t in report[name]], [words(r) for r in references])
    report["p"] = compare(report["greedy"], report["beam"], references).p
    gold = gold_of(pairs)
    found = [links(weights) for weights in course.decoder_steps(translator, pairs)]
    report["aer"] = alignment_error_rate(found, [g.sure for g in gold], [g.possible for g in gold])
    kinds = [tags(Example(pair.source, text, pair.target)) for pair, text in zip(pairs, report["greedy"], strict=True)]
    report["failures"] = Counter(kind for one in kinds for kind in one)
    return report
