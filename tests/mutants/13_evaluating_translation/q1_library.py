"""sacreBLEU does it.

q1: 0 of 4: the answer calls sacrebleu
"""

import sacrebleu


def bleu(translations, references):
    return sacrebleu.corpus_bleu(
        [" ".join(t) for t in translations], [[" ".join(r) for r in references]], tokenize="none", smooth_method="none"
    ).score
