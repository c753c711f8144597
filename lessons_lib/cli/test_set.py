"""What to translate, and its references: the flags that `score`, `compare` and `diagnose` share."""

import argparse
import sys
from pathlib import Path

from lessons_lib.errors import UserError

GRAMMAR_TESTS = ("in_distribution", "unseen_words", "unseen_constructions", "long")
KEPT = ("tatoeba", "wmt14")  # corpora that `lessons prepare` keeps in a folder


def add_test_set(parser: argparse.ArgumentParser) -> None:
    """Two files, or the test part of a corpus."""
    parser.add_argument("--source", type=Path, metavar="FILE", help="what to translate, one sentence a line")
    references = "its translations, line by line; several files: each a translation of it, blank where it has none"
    parser.add_argument("--reference", nargs="+", action="extend", type=Path, metavar="FILE", help=references)
    parser.add_argument("--corpus", choices=["grammar", *KEPT], help="or: the test part of a corpus")
    parser.add_argument("--part", choices=GRAMMAR_TESTS, help="with grammar: which of its tests (default the first)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="with tatoeba, wmt14: the --out of `lessons prepare`")
    add_tokenize(parser)


def add_tokenize(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """How BLEU splits words."""
    how = "how BLEU splits words, by sacreBLEU's names: 13a (default); without blanks char, or zh, ja-mecab"
    parser.add_argument("--tokenize", metavar="HOW", help=how)


def warn_of_bleu(references: list[str], tokenize: str | None) -> None:
    """Say on stderr where BLEU says nothing."""
    from lessons_lib.translation.evaluation.scoring import says_nothing

    if says_nothing(references, tokenize):
        fix = "add --tokenize char, or read chrF"
        print(f"lessons: BLEU says nothing here: it takes what stands between blanks for words; {fix}", file=sys.stderr)


def warn_of_empty(too_long: int, longest: int, sources: list[str]) -> None:
    """Say on stderr how many sentences have an empty translation, whatever the model knows."""
    blank = sum(not source.strip() for source in sources)
    if too_long or blank:
        reasons = f"{too_long} too long for this model, which reads {longest} tokens, and {blank} blank"
        print(f"lessons: {reasons}, of {len(sources)}: their translations are empty, and count", file=sys.stderr)


def check_test_set(options: argparse.Namespace) -> None:
    """Raise ValueError unless the flags name one test set."""
    files = (options.source, options.reference)
    if (options.corpus is None) == (None in files) or (options.corpus and any(files)):
        raise UserError("say what to translate: --source FILE --reference FILE, or --corpus grammar")
    if options.part and options.corpus != "grammar":
        raise UserError(f"--part {options.part} goes with --corpus grammar")
    if options.data and options.corpus not in KEPT:
        raise UserError(f"--data {options.data} goes with --corpus {' or '.join(KEPT)}")


def read_test_set(options: argparse.Namespace, model: Path) -> tuple[list, list[list[str]]]:
    """The sentence pairs to test ``model`` with, and further references, each a whole set.

    Of the embedded corpus they are the test part of the split that the model was trained on: of another split it may
    have seen some sentences.

    Raises:
        ValueError, OSError: a file cannot be read, or two differ in length.
    """
    from lessons_lib.translation.data.corpus import Pair, load_grammar, load_grammar_tests
    from lessons_lib.translation.search.model_folder import read_card

    if options.corpus is None:
        sources, references, *more = read_aligned(options.source, *options.reference)
        return [Pair(*sides) for sides in zip(sources, references, strict=True)], more
    if options.corpus == "tatoeba":
        from lessons_lib.translation.data.tatoeba import load_tatoeba

        corpus = load_tatoeba(options.data)
        return corpus.test, corpus.references
    if options.corpus == "wmt14":
        from lessons_lib.translation.data.wmt14 import load_wmt14

        return load_wmt14(options.data).test, []
    seed = read_card(model).get("seed", 0)
    if options.part in (None, GRAMMAR_TESTS[0]):
        return load_grammar(seed, n_train=0, n_valid=0).test, []
    return load_grammar_tests(seed)[options.part], []


def read_aligned(first: Path, *others: Path) -> list[list[str]]:
    """The lines of files that belong together, each read once, as a pipe must be. All but the first may be blank.

    Raises:
        ValueError, OSError: a file cannot be read, or has another number of lines than the first.
    """
    from lessons_lib.translation.data.corpus import read_lines

    found = [read_lines(first)]
    for path in others:
        lines = read_lines(path, may_be_blank=True)
        if len(lines) != len(found[0]):
            raise UserError(
                f"{path} has {len(lines)} lines but {first} has {len(found[0])}; "
                "line n of one must belong to line n of the other"
            )
        found.append(lines)
    return found
