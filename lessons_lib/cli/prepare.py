"""`lessons prepare`."""

import argparse
import json
from pathlib import Path

HELP = """\
Stream a corpus, clean it and keep it as Parquet, to train on later without the network.

  lessons prepare --corpus wmt14 --pairs 1000000 --out data/wmt14
  lessons train --corpus wmt14 --data data/wmt14 --minutes 60 --out runs/wmt14

WMT14 English–French comes from the Hugging Face hub (needs the network, and pip install 'datasets>=3'): the first
pairs that pass the filters, newstest2013 to validate by, newstest2014 to test by. Left out are pairs with a blank
side, of more than 100 words or 1,000 characters, where one side is more than twice as long as the other (and three
words), untranslated, in another language, with a side that is in newstest2013 or 2014, and those seen before. What is
left out and why stands in manifest.json, beside the SHA-256 of every part.

Cut off, or more pairs wanted? The same command goes on after the last whole part. A part that is missing or damaged
is made anew.

--source FOLDER takes the place of the hub: files train…, validation… and test…, Parquet or JSON lines, with rows
{"translation": {"en": "…", "fr": "…"}}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons prepare`."""
    parser.add_argument("--corpus", choices=["wmt14"], required=True, help="WMT14 English–French")
    parser.add_argument("--pairs", type=int, required=True, metavar="N", help="clean training pairs to keep")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the corpus")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="rows on your disk (default: the hub)")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Prepare; the exit code."""
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
    print("left out: " + ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in out_of.items()))
    return 0
