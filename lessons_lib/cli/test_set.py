"""What to translate, and its references: the flags that `score`, `compare` and `diagnose` share."""

import argparse
from pathlib import Path

GRAMMAR_TESTS = ("in_distribution", "unseen_words", "unseen_constructions", "long")


def add_test_set(parser: argparse.ArgumentParser) -> None:
    """Two files, or the test part of a corpus."""
    parser.add_argument("--source", type=Path, metavar="FILE", help="what to translate, one sentence a line")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="its translations, line by line")
    parser.add_argument("--corpus", choices=["grammar", "wmt14"], help="or: the test part of a corpus")
    parser.add_argument("--part", choices=GRAMMAR_TESTS, help="with grammar: which of its tests (default the first)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="with wmt14: the --out of `lessons prepare`")


def check_test_set(options: argparse.Namespace) -> None:
    """Raise ValueError unless the flags name one test set."""
    files = (options.source, options.reference)
    if (options.corpus is None) == (None in files) or (options.corpus and any(files)):
        raise ValueError("say what to translate: --source FILE --reference FILE, or --corpus grammar")
    if options.part and options.corpus != "grammar":
        raise ValueError(f"--part {options.part} goes with --corpus grammar")
    if options.data and options.corpus != "wmt14":
        raise ValueError(f"--data {options.data} goes with --corpus wmt14")


def read_test_set(options: argparse.Namespace, model: Path):
    """The sentence pairs to test ``model`` with.

    Of the embedded corpus they are the test part of the split that the model was trained on: of another split it may
    have seen some sentences.

    Raises:
        ValueError, OSError: a file cannot be read, or the two differ in length.
    """
    from lessons_lib.translation.corpus import load_grammar, load_grammar_tests, read_pairs
    from lessons_lib.translation.model_folder import read_card

    if options.corpus is None:
        return read_pairs(options.source, options.reference)
    if options.corpus == "wmt14":
        from lessons_lib.translation.wmt14 import load_wmt14

        return load_wmt14(options.data).test
    seed = read_card(model).get("seed", 0)
    if options.part in (None, GRAMMAR_TESTS[0]):
        return load_grammar(seed, n_train=0, n_valid=0).test
    return load_grammar_tests(seed)[options.part]
