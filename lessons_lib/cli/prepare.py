"""`lessons prepare`."""

import argparse
import json
from pathlib import Path

from lessons_lib.cli.test_set import KEPT
from lessons_lib.errors import UserError

HELP = """\
Fetch a corpus, clean it and keep it in a folder, to train on later without the network.

  lessons prepare --corpus tatoeba --out data/tatoeba
  lessons train --corpus tatoeba --data data/tatoeba --minutes 30 --out runs/everyday

Tatoeba's everyday sentences, English–French (CC BY 2.0 FR), come from https://www.manythings.org/anki/fra-eng.zip. No
network here? Download that file elsewhere, and give it: --source fra-eng.zip (or its fra.txt, also packed with gzip).
The folder then holds train.tsv, valid.tsv and test.tsv. Which of them a pair is in depends on its English sentence
alone: about 15 of a thousand are there to test by, 5 to validate by. All translations of a sentence are in the same
part; those of the test part are further references. Left out are pairs with a blank side, of more than 5,000
characters, seen before, and training pairs with a side that is held out. The same command fetches a later edition.

  lessons prepare --corpus wmt14 --pairs 1000000 --out data/wmt14
  lessons train --corpus wmt14 --data data/wmt14 --minutes 60 --out runs/wmt14

WMT14 English–French comes from the Hugging Face hub (needs the network, and pip install 'datasets>=3'): the first
pairs that pass the filters, newstest2013 to validate by, newstest2014 to test by. Left out are pairs with a blank
side, of more than 100 words or 1,000 characters, where one side is more than twice as long as the other (and three
words), untranslated, in another language, with a side that is in newstest2013 or 2014, and those seen before. The
parts are Parquet. Cut off, or more pairs wanted? The same command goes on after the last whole part. A part that is
missing or damaged is made anew. --source FOLDER takes the place of the hub: files train…, validation… and test…,
Parquet or JSON lines, with rows {"translation": {"en": "…", "fr": "…"}}.

What is left out and why stands in manifest.json, beside the SHA-256 of every part.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons prepare`."""
    parser.add_argument("--corpus", choices=KEPT, required=True, help="everyday sentences, or WMT14 English–French")
    parser.add_argument("--pairs", type=int, metavar="N", help="with wmt14: clean training pairs to keep")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the corpus")
    source = "what is on your disk already: with tatoeba a file, with wmt14 a folder of rows"
    parser.add_argument("--source", type=Path, metavar="PATH", help=source)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Prepare; the exit code."""
    if (options.pairs is None) == (options.corpus == "wmt14"):
        raise UserError("--pairs N goes with --corpus wmt14, and it needs it; of tatoeba all pairs are kept")
    return _tatoeba(options) if options.corpus == "tatoeba" else _wmt14(options)


def _tatoeba(options: argparse.Namespace) -> int:
    from lessons_lib.translation.data.tatoeba import PARTS, prepare

    manifest = prepare(options.out, options.source)
    train, valid, test = (manifest[name]["pairs"] for name in PARTS)
    if options.json:
        result = {"pairs": train, "valid": valid, "test": test}
        print(json.dumps(result | {name: manifest[name] for name in ("left_out", "origin")}, ensure_ascii=False))
        return 0
    print(f"{options.out}: {train:,} pairs, {valid:,} to validate by and {test:,} to test by")
    _print_left_out(manifest["left_out"])
    print(manifest["origin"]["attribution"])
    return 0


def _wmt14(options: argparse.Namespace) -> int:
    from lessons_lib.translation.data.prepared import count_pairs
    from lessons_lib.translation.data.wmt14 import left_out, prepare

    manifest = prepare(options.out, options.pairs, options.source)
    pairs, out_of = count_pairs(manifest), left_out(manifest)
    if options.json:
        held_out = {name: manifest[name]["pairs"] for name in ("valid", "test")}
        names = ("source", "filters", "exhausted")
        result = {"pairs": pairs, "left_out": out_of, **held_out} | {name: manifest[name] for name in names}
        print(json.dumps(result, ensure_ascii=False))
        return 0
    print(f"{options.out}: {pairs:,} pairs in {len(manifest['parts'])} parts")
    if manifest["exhausted"] and pairs < options.pairs:
        print(f"the source has no more: {options.pairs:,} were asked for")
    _print_left_out(out_of)
    return 0


def _print_left_out(reasons: dict[str, int]) -> None:
    print("left out: " + ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in reasons.items()))
