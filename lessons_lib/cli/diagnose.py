"""`lessons diagnose`."""

import argparse
import json
import sys
from pathlib import Path

from lessons_lib.cli.flags import add_device
from lessons_lib.cli.test_set import add_test_set, check_test_set, read_test_set, warn_of_bleu, warn_of_empty
from lessons_lib.errors import UserError
from lessons_lib.files import check_place

HELP = """\
See where a model errs: a report of scores by length, kinds of error, and the worst sentences.

  lessons diagnose --model runs/toy --corpus grammar --out report.html
  lessons diagnose --model runs/mine --source test.en --reference test.fr --beam 5 --json

The report is one HTML file that needs no network: BLEU and chrF, greedy against beam, with confidence intervals;
scores by source length; how many translations are too short, too long, repeat themselves, copy the source, or are
wrong in a number, a name, a negation, a rare word, the order of words (it says how each is decided); and the worst
sentences, with the reference, both translations and what the model looked at. --json prints the same numbers.

A blank line, and one that is too long for the model, counts with an empty translation; stderr says how many they are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons diagnose`."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    add_test_set(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report here, as HTML")
    parser.add_argument("--json", action="store_true", help="print its numbers as one line of JSON")
    parser.add_argument("--beam", type=int, default=4, metavar="K", help="the search beside greedy (default 4)")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="how many sentences to show (default 20)")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Diagnose; the exit code."""
    from lessons_lib.translation.evaluation.diagnosis.measure import diagnose
    from lessons_lib.translation.evaluation.diagnosis.page import write_page
    from lessons_lib.translation.search.translator import Translator

    check_test_set(options)
    if options.out is None and not options.json:
        raise UserError("say what for: --out FILE writes the report, --json prints its numbers")
    if options.out:
        check_place(options.out, "report.html")
    translator = Translator.load(options.model, options.device)
    pairs, more = read_test_set(options, options.model)
    if more and options.corpus:
        print("lessons: of several translations of a sentence the report takes the first", file=sys.stderr)
    elif more:
        raise UserError(f"the report compares with one reference, not {1 + len(more)}; give one file")
    found = diagnose(translator, pairs, options.beam, options.worst, options.tokenize)
    warn_of_empty(found.too_long, translator.longest, [pair.source for pair in pairs])
    warn_of_bleu([pair.target for pair in pairs], options.tokenize)
    if options.out:
        test = options.corpus or options.source.name
        write_page(options.out, found, f"Diagnosis of {options.model} on {test}")
    if options.json:
        print(json.dumps(found.to_dict()))
    else:
        greedy, beam = found.greedy.scores, found.beam.scores
        print(f"{options.out}: BLEU {greedy.bleu:.1f} greedy, {beam.bleu:.1f} with {found.beam.beam} beams, ", end="")
        print(f"{found.greedy.exact} of {found.sentences} as the reference")
    return 0
