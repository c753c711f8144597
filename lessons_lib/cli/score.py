"""`lessons score`."""

import argparse
import json
import time
from dataclasses import asdict

from lessons_lib.cli.flags import add_model
from lessons_lib.cli.test_set import add_test_set, check_test_set, read_test_set

HELP = """\
Translate a test set and print BLEU and chrF (sacreBLEU) as one JSON object.

  lessons score --model runs/toy --corpus grammar
  lessons score --model runs/toy --corpus grammar --part unseen_words
  lessons score --model runs/mine --source test.en --reference test.fr --beam 5

The embedded corpus has four tests: the combinations of words are new in in_distribution; names, numbers and forms of
words in unseen_words; combinations of constructions in unseen_constructions; the sentences of long are longer than any
that was trained on.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons score`."""
    add_test_set(parser)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of indented JSON")
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Score; the exit code."""
    from lessons_lib.translation.run import score_translator
    from lessons_lib.translation.translator import Translator

    check_test_set(options)
    translator = Translator.load(options.model, options.device, options.precision)
    pairs = read_test_set(options, options.model)
    started = time.monotonic()
    scores = score_translator(translator, pairs, options.beam)
    result = asdict(scores) | {"seconds": round(time.monotonic() - started, 2)}
    print(json.dumps(result, indent=None if options.json else 2))
    return 0
