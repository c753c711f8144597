"""The score is printed.

q1: 0 of 4: returns nothing (print only shows a value)
"""


def bleu(translations, references):
    print(len(translations), len(references))
