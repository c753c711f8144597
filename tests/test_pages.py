"""Numbers that the pages say about the corpus are those of the corpus."""

import re

from lessons_lib.prose import says
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.language import adjectives, nouns, verbs
from tools.lesson_files import ROOT


def stands(page: str, sentence: str, *measured: int) -> None:
    text = re.sub(r"\s+", " ", (ROOT / "book" / page).read_text("utf8"))
    assert sentence in text, f"{page} does not say {sentence!r}"
    says(sentence, *map(float, measured), slack=-0.5)


def test_words_of_the_embedded_corpus():
    lexicons = [len(module.LEXICON) for module in (nouns, verbs, adjectives)]
    stands("translators.md", "340 nouns, 120 verbs and 104 adjectives", *lexicons)
    train = load_grammar(seed=0, n_valid=0, n_test=0).train
    english, french = (
        len({word for pair in train for word in re.findall(r"[\w-]+", text(pair).lower())})
        for text in (lambda pair: pair.source, lambda pair: pair.target)
    )
    stands(
        "translators.md",
        "20,000 training pairs have 1,422 different words of English, and 2,537 of French",
        len(train),
        english,
        french,
    )
