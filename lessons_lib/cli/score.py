"""`lessons score`."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from lessons_lib.cli.flags import add_model

HELP = """\
Translate a test set and print BLEU and chrF (sacreBLEU) as one JSON object.

  lessons score --model runs/toy --corpus grammar
  lessons score --model runs/mine --source test.en --reference test.fr --beam 5
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons score`."""
    parser.add_argument("--source", type=Path, metavar="FILE", help="what to translate, one sentence a line")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="its translations, line by line")
    parser.add_argument("--corpus", choices=["grammar"], help="or: the test part of the embedded corpus")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of indented JSON")
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Score; the exit code."""
    from lessons_lib.translation.corpus import load_grammar, read_pairs
    from lessons_lib.translation.model_folder import read_card
    from lessons_lib.translation.run import score_translator
    from lessons_lib.translation.translator import Translator

    files = (options.source, options.reference)
    if (options.corpus is None) == (None in files) or (options.corpus and any(files)):
        raise ValueError("say what to score: --source FILE --reference FILE, or --corpus grammar")
    translator = Translator.load(options.model, options.device)
    # The test part of the split that the model was trained on: of another split it may have seen some sentences.
    seed = read_card(options.model).get("seed", 0)
    pairs = load_grammar(seed, n_train=0, n_valid=0).test if options.corpus else read_pairs(*files)
    started = time.monotonic()
    scores = score_translator(translator, pairs, options.beam)
    result = asdict(scores) | {"seconds": round(time.monotonic() - started, 2)}
    print(json.dumps(result, indent=None if options.json else 2))
    return 0
