"""`lessons export-web`."""

import argparse
import json
import sys
from pathlib import Path

from lessons_lib.errors import UserError

HELP = """\
Write a model as one file that runs in a browser, on the page "Live translator" of the course.

  lessons export-web --model runs/toy --out toy.bin
  lessons export-web --model runs/mine --words train.en --out mine.bin --check test.en

Then open the page, choose the file, and type: your model translates in the page, and the file goes nowhere.

The file holds the weights in 8 bits each (a quarter of their size), the tokenizer, and the words that the model has
seen, so that the page can name those that it has not. A model trained on the embedded corpus knows its words by itself;
for your own text, give the source side of the training with --words.

With sentences to check with, the model translates them with its own weights and with those of 8 bits, greedy. 99 % must
be identical; if fewer are, nothing is written, and the exit code is 1. Blank lines and those that are too long are left
out of the check. A choice of a model that the page does not know is refused by name.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons export-web`."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there already")
    parser.add_argument(
        "--words", type=Path, nargs="+", action="extend", metavar="FILE", help="source text that it was trained on"
    )
    parser.add_argument("--name", default="", help="what the page calls the model (default: the name of its folder)")
    sentences = parser.add_mutually_exclusive_group()
    sentences.add_argument("--check", type=Path, metavar="FILE", help="sentences to check with, one a line")
    sentences.add_argument("--corpus", choices=["grammar"], help="or: the test part of the embedded corpus")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Export; the exit code."""
    from lessons_lib.files import write_whole
    from lessons_lib.translation.deployment.check import REQUIRED, Agreement, checkable
    from lessons_lib.translation.deployment.web import web_model
    from lessons_lib.translation.deployment.web_reading import read_web_model
    from lessons_lib.translation.search.model_folder import load_model
    from lessons_lib.translation.search.translator import Translator

    if options.out.is_dir():
        raise UserError(f"{options.out} is a folder; give a file, for example {options.out / 'translator.bin'}")
    if options.out.exists() and not options.overwrite:
        raise UserError(f"{options.out} is there already; give another file, or --overwrite to replace it")
    ours = Translator(*load_model(options.model))
    texts = _sentences(options)
    if texts is not None:
        texts = checkable(ours, texts)
    words = _words(options)
    data = web_model(options.model, words, options.name)
    agreement = None
    if texts:
        pairs = [
            [one.text for one in translator.translate(texts, attention=False)]
            for translator in (ours, Translator(*read_web_model(data)))
        ]
        agreement = Agreement(1, len(texts), sum(a == b for a, b in zip(*pairs, strict=True)))
    good = agreement is None or agreement.share >= REQUIRED
    if good:
        write_whole(options.out, data, "give another --out")
    if options.json:
        result = {"out": str(options.out), "written": good, "bytes": len(data), "words": words and len(words)}
        checks = [agreement.to_dict()] if agreement else []
        print(json.dumps(result | {"required": REQUIRED, "checks": checks}))
    elif agreement:
        print(f"greedy: {agreement.identical} of {agreement.sentences} sentences identical ({agreement.share:.1%})")
    if not good:
        print(
            f"lessons: fewer than {REQUIRED:.0%} identical; nothing is written to {options.out}: train longer (what an "
            "unsure model says changes at the least rounding), or export without a check",
            file=sys.stderr,
        )
        return 1
    if not options.json:
        known = f"knows {len(words):,} words" if words else "knows no words: add --words FILE"
        print(f"{options.out}: {len(data) / 1e6:.1f} MB, {known}{'' if agreement else ', unchecked: add --check FILE'}")
    return 0


def _words(options: argparse.Namespace) -> list[str] | None:
    """The words of the training: of the files given, of the folder, or of the embedded corpus if it was trained on."""
    from lessons_lib.translation.data.corpus import GRAMMAR_SIZES, load_grammar, read_lines
    from lessons_lib.translation.deployment.web import seen_words, stored_words
    from lessons_lib.translation.search.model_folder import read_card

    if options.words:
        return seen_words(line for path in options.words for line in read_lines(path))
    card = read_card(options.model)
    data = card.get("data", {})
    stored = stored_words(options.model)
    if stored or data.get("corpus") != "grammar":
        return stored
    sizes = GRAMMAR_SIZES | {"n_train": data.get("train", GRAMMAR_SIZES["n_train"])}
    return seen_words(pair.source for pair in load_grammar(card.get("seed", 0), **sizes).train)


def _sentences(options: argparse.Namespace) -> list[str] | None:
    from lessons_lib.translation.data.corpus import load_grammar, read_lines
    from lessons_lib.translation.search.model_folder import read_card

    if options.check:
        return read_lines(options.check)
    if options.corpus:
        seed = read_card(options.model).get("seed", 0)
        return [pair.source for pair in load_grammar(seed, n_train=0, n_valid=0).test]
    return None
