"""`lessons compare`."""

import argparse
import json
from dataclasses import asdict
from itertools import product
from pathlib import Path

from lessons_lib.cli.flags import add_device
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
Say which of two systems translates better, and whether the difference may be chance.

  Two files of translations:
    lessons compare --hypotheses A.fr B.fr --reference test.fr
  One model, greedy and with four beams:
    lessons compare --model runs/toy --beam 1 4 --corpus grammar
  Two models:
    lessons compare --model runs/a runs/b --source test.en --reference test.fr

Prints both BLEUs with their 95 % intervals, their difference and p: paired bootstrap resampling (Koehn 2004), as
sacreBLEU does it. A small p, below 0.025 say, for it counts one tail, means that other sentences would hardly turn
the verdict round.

A blank line, and one that is too long for a model, counts with an empty translation; stderr says how many they are.
Each file is read once, so that it may be a pipe.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons compare`."""
    parser.add_argument("--hypotheses", nargs=2, type=Path, metavar=("A", "B"), help="two files of translations")
    parser.add_argument("--model", nargs="+", type=Path, metavar="DIR", help="or: one model with two beams, or two")
    parser.add_argument("--beam", nargs="+", type=int, metavar="K", help="beams of the search (default 1: greedy)")
    add_test_set(parser)
    parser.add_argument("--samples", type=int, default=1000, help="test sets to draw (default 1000)")
    parser.add_argument("--seed", type=int, default=12345, help="of the draws (default 12345, as sacreBLEU's)")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Compare; the exit code."""
    from lessons_lib.translation.evaluation.scoring import check_tokenize, compare

    check_tokenize(options.tokenize)
    systems, references, more = _from_files(options) if options.hypotheses else _from_models(options)
    (name_a, hypotheses_a), (name_b, hypotheses_b) = systems
    warn_of_bleu(references, options.tokenize)
    found = compare(hypotheses_a, hypotheses_b, references, options.samples, options.seed, options.tokenize, more)
    if options.json:
        values = asdict(found)
        print(json.dumps({**values, "a": {"system": name_a, **values["a"]}, "b": {"system": name_b, **values["b"]}}))
        return 0
    width = max(len(name_a), len(name_b))
    for letter, name, it in (("A", name_a, found.a), ("B", name_b, found.b)):
        print(f"{letter}  {name:{width}}  BLEU {it.bleu:.2f}  (95 %: {it.low:.2f} to {it.high:.2f})")
    chance = f"p = {found.p:.3f} in this direction: {found.verdict}"
    print(f"B − A = {found.difference:+.2f}, {chance}, on {found.sentences} sentences")
    print(found.signature)
    return 0


def _from_files(options: argparse.Namespace) -> tuple[list[tuple[str, list[str]]], list[str], list[list[str]]]:
    if options.model or options.beam or options.corpus or options.reference is None:
        raise UserError("--hypotheses A B goes with --reference FILE, and with no --model, --beam or --corpus")
    source = [options.source] if options.source else []
    *others, a, b = read_aligned(*options.reference, *source, *options.hypotheses)
    references = others[: len(options.reference)]
    return list(zip(map(str, options.hypotheses), (a, b), strict=True)), references[0], references[1:]


def _from_models(options: argparse.Namespace) -> tuple[list[tuple[str, list[str]]], list[str], list[list[str]]]:
    from lessons_lib.translation.search.model_folder import read_card
    from lessons_lib.translation.search.translator import Translator

    models, beams = options.model or [], options.beam or [1]
    if len(models) * len(beams) != 2:
        raise UserError(
            f"{len(models)} models with {len(beams)} beams are not two systems; "
            "give --model DIR --beam 1 4, or --model DIR DIR, or --hypotheses A B"
        )
    check_test_set(options)
    if options.corpus == "grammar":
        seeds = [read_card(model).get("seed", 0) for model in models]
        if len(set(seeds)) > 1:  # each may have been trained on the other's test part
            raise UserError(f"trained with seeds {seeds[0]} and {seeds[1]}, the models have two test parts; give files")
    pairs, more = read_test_set(options, models[0])
    sources = [pair.source for pair in pairs]
    translators = {model: Translator.load(model, options.device) for model in models}
    systems = []
    for model, beam in product(models, beams):
        texts, too_long = translators[model].translate_all(sources, beam=beam)
        systems.append((f"{model}, beam {beam}", texts))
        if beam == beams[0]:
            warn_of_empty(len(too_long), translators[model].longest, sources)
    return systems, [pair.target for pair in pairs], more
