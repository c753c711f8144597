"""`lessons score`."""

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from lessons_lib.cli.flags import add_model
from lessons_lib.cli.test_set import (
    add_test_set,
    check_test_set,
    read_aligned,
    read_test_set,
    warn_of_bleu,
    warn_of_empty,
)
from lessons_lib.errors import UserError

HELP = """\
Translate a test set and print BLEU and chrF (sacreBLEU) as one JSON object.

  lessons score --model runs/toy --corpus grammar
  lessons score --model runs/toy --corpus grammar --part unseen_words
  lessons score --model runs/mine --source test.en --reference test.fr --beam 5
  lessons score --model runs/mine --source test.en --reference first.fr second.fr
  lessons score --hypotheses mine.fr --reference test.fr            what is translated already; a file "-": stdin

The embedded corpus has four tests: the combinations of words are new in in_distribution; names, numbers and forms of
words in unseen_words; combinations of constructions in unseen_constructions; the sentences of long are longer than any
that was trained on.

A blank line, and one that is too long for the model, counts with an empty translation; stderr says how many they are.
Accents count alike however they are typed: all text is brought to Unicode's composed form (NFC).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons score`."""
    add_test_set(parser)
    parser.add_argument("--hypotheses", type=Path, metavar="FILE", help="score these translations, without a model")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of indented JSON")
    add_model(parser, required=False)


def run(options: argparse.Namespace) -> int:
    """Score; the exit code."""
    started = time.monotonic()
    scores = _of_file(options) if options.hypotheses else _of_model(options)
    result = asdict(scores) | {"seconds": round(time.monotonic() - started, 2)}
    print(json.dumps(result, indent=None if options.json else 2))
    return 0


def _of_file(options: argparse.Namespace):
    from lessons_lib.translation.evaluation.scoring import score

    if options.model or options.corpus or options.reference is None:
        raise UserError("--hypotheses FILE goes with --reference FILE, and with no --model or --corpus")
    if (options.beam, options.precision, options.device) != (1, "fp32", None):
        raise UserError("--hypotheses FILE is translated already: leave out --beam, --precision and --device")
    paths = (*options.reference, *filter(None, [options.source]), options.hypotheses)
    files = read_aligned(*paths)
    references, hypotheses = files[: len(options.reference)], files[-1]
    warn_of_bleu(references[0], options.tokenize)
    return score(hypotheses, references[0], options.tokenize, references[1:])


def _of_model(options: argparse.Namespace):
    from lessons_lib.translation.evaluation.scoring import check_tokenize, score
    from lessons_lib.translation.search.translator import Translator

    if options.model is None:
        raise UserError("say what to score: --model DIR translates, or --hypotheses FILE holds translations")
    check_test_set(options)
    check_tokenize(options.tokenize)
    translator = Translator.load(options.model, options.device, options.precision)
    pairs, more = read_test_set(options, options.model)
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    texts, too_long = translator.translate_all(sources, beam=options.beam)
    warn_of_empty(len(too_long), translator.longest, sources)
    warn_of_bleu(references, options.tokenize)
    return replace(score(texts, references, options.tokenize, more), too_long=len(too_long))
