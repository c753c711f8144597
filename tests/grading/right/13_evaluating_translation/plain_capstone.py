"""The plain form of question 3.

q3: 3 of 3
"""

import time
from collections import Counter

from lessons_lib.grading import final_report as course
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation.alignment import alignment_error_rate, links
from lessons_lib.translation.evaluation.bleu import bleu
from lessons_lib.translation.evaluation.diagnosis.categories import Example, tags
from lessons_lib.translation.evaluation.scoring import compare


def translate(translator, sentences, beam):
    return [found.text for found in translator.translate(sentences, beam=beam, attention=False)]


def capstone(translator, pairs):
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    report = {}
    for name, beam in (("greedy", 1), ("beam", 4)):
        begin = time.perf_counter()
        report[name] = translate(translator, sources, beam)
        report[f"seconds_{name}"] = time.perf_counter() - begin
        report[f"bleu_{name}"] = bleu(report[name], references)
    report["p"] = compare(report["greedy"], report["beam"], references).p
    gold = gold_of(pairs)
    found = [links(weights.mean(axis=0)[:-1, :-1]) for weights in course.decoder_steps(translator, pairs)]
    report["aer"] = alignment_error_rate(found, [g.sure for g in gold], [g.possible for g in gold])
    kinds = [tags(Example(pair.source, text, pair.target)) for pair, text in zip(pairs, report["greedy"], strict=True)]
    report["failures"] = Counter(kind for one in kinds for kind in one)
    return report
