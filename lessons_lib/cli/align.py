"""`lessons align`."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from lessons_lib.cli.flags import add_device
from lessons_lib.errors import UserError
from lessons_lib.files import check_place

HELP = """\
Align the words of sentence pairs by the model's cross-attention, and score the links against a gold alignment.

  lessons align --model runs/toy --corpus grammar
  lessons align --model runs/mine --pairs test.tsv --gold test.links --valid-pairs dev.tsv --valid-gold dev.links
  lessons align --model runs/mine --pairs all.tsv --out all.links --layer 2

Pairs: source<TAB>target or source ||| target, one pair a line (or two files: --source, --target). Links: Pharaoh
format, one pair a line, "0-0 1-2 2?1": source word - target word, both counted from 0; "?" (or "p") in place of the
dash: a possible link. Gold files that count from 1: --one-based. A word is what stands between blanks or tabs, as for
awk, Moses and fast_align; a no-break space is no border, so that « mot ? » with one before the mark is two words.

A pair with a blank side, or one too long for the model, gets an empty line, so that line n stays pair n; stderr says
how many they are, and their gold links count as missed.

Which layer and head to read is chosen by the error rate on other sentences, never on those that are scored: the best
of many would look better than it is. These are --valid-pairs with --valid-gold; without them, for a model of the
embedded corpus, that corpus's validation part. Or say it yourself: --layer, --head (both count from 0).

Prints the alignment error rate (AER: 0 is best), precision and recall (Och and Ney 2003), and for contrast the AER of
the same weights read one step late, where the decoder already looks for the next word.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons align`."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="what to align: source<TAB>target, a pair a line")
    parser.add_argument("--source", type=Path, metavar="FILE", help="or: the source sentences, one a line")
    parser.add_argument("--target", type=Path, metavar="FILE", help="and their translations, line by line")
    parser.add_argument("--corpus", choices=["grammar"], help="or: the embedded corpus, its test part and links")
    parser.add_argument("--gold", type=Path, metavar="FILE", help="the right links; without them nothing is scored")
    parser.add_argument("--valid-pairs", type=Path, metavar="FILE", help="other pairs, to choose layer and head by")
    parser.add_argument("--valid-gold", type=Path, metavar="FILE", help="their right links")
    parser.add_argument("--one-based", action="store_true", help="the links of --gold and --valid-gold count from 1")
    parser.add_argument("--layer", type=int, metavar="N", help="read this layer; the mean of its heads without --head")
    parser.add_argument("--head", type=int, metavar="N", help="and this head of it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the links here, in Pharaoh format")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Align; the exit code."""
    from lessons_lib.translation.data.pharaoh import write_links
    from lessons_lib.translation.evaluation.alignment import read_off, readable, score_links
    from lessons_lib.translation.search.translator import Translator

    _check(options)
    if options.out:
        check_place(options.out, "all.links")
    pairs, gold = _pairs_and_gold(options)
    translator = Translator.load(options.model, options.device)
    model, tokenizer = translator.model, translator.tokenizer
    reading, chosen = _reading(options, model, tokenizer)
    links = read_off(reading, model, tokenizer, pairs)
    left_out = len(pairs) - len(readable(model, tokenizer, pairs))
    if left_out:
        why = f"blank on a side, or too long for this model, which reads {translator.longest} tokens"
        print(f"lessons: {left_out} of {len(pairs)} pairs are {why}; they get no links", file=sys.stderr)
    counts = {"sentences": len(pairs), "left_out": left_out, "links": sum(map(len, links))}
    result = counts | asdict(reading) | {"chosen_on": chosen}
    if gold:
        late = read_off(reading, model, tokenizer, pairs, steps_late=1)
        result = asdict(score_links(links, gold)) | {"aer_one_step_late": score_links(late, gold).aer} | result
    if options.out:
        write_links(options.out, links)
    if options.json:
        print(json.dumps(result))
        return 0
    if gold:
        print(f"AER {result['aer']:.3f}  precision {result['precision']:.3f}  recall {result['recall']:.3f}")
        print(f"read one step late: AER {result['aer_one_step_late']:.3f}")
    print(f"{result['links']} links in {len(pairs)} sentence pairs, read from {_describe(reading)}; chosen on {chosen}")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise ValueError unless the flags say what to align, and how to choose."""
    ways = [options.pairs, options.source or options.target, options.corpus]
    if sum(way is not None for way in ways) != 1 or (options.source is None) != (options.target is None):
        raise UserError("say what to align: --pairs FILE, or --source FILE --target FILE, or --corpus grammar")
    if options.corpus and options.gold:
        raise UserError("--corpus grammar brings its own links; leave out --gold, or give --pairs FILE")
    if not (options.corpus or options.gold or options.out):
        raise UserError("say what for: --gold FILE scores the links, --out FILE writes them")
    if (options.valid_pairs is None) != (options.valid_gold is None):
        raise UserError("--valid-pairs and --valid-gold go together: pairs, and the right links between their words")
    if options.layer is not None and options.valid_pairs:
        raise UserError("--layer leaves nothing to choose; leave out --valid-pairs and --valid-gold")
    if options.head is not None and options.layer is None:
        raise UserError(f"--head {options.head} of which layer? add --layer N")
    if options.valid_pairs and options.pairs and options.valid_pairs.absolute() == options.pairs.absolute():
        raise UserError(f"{options.pairs} cannot be both --pairs and --valid-pairs; choose on other sentences")


def _pairs_and_gold(options: argparse.Namespace):
    from lessons_lib.translation.data.corpus import load_grammar, read_pairs, read_tab_pairs
    from lessons_lib.translation.data.pharaoh import gold_of, read_links
    from lessons_lib.translation.search.model_folder import read_card

    if options.corpus:
        pairs = load_grammar(read_card(options.model).get("seed", 0), n_train=0, n_valid=0).test
        return pairs, gold_of(pairs)
    pairs = read_tab_pairs(options.pairs) if options.pairs else read_pairs(options.source, options.target)
    return pairs, read_links(options.gold, pairs, options.one_based) if options.gold else None


def _reading(options: argparse.Namespace, model, tokenizer):
    """The reading, and what it was chosen on."""
    from lessons_lib.translation.data.corpus import load_grammar, read_tab_pairs
    from lessons_lib.translation.data.pharaoh import gold_of, read_links
    from lessons_lib.translation.evaluation.alignment import Reading, readable, score_readings, word_tables
    from lessons_lib.translation.search.model_folder import read_card

    config, card = model.config, read_card(options.model)
    if options.layer is not None:
        sizes = (("layer", options.layer, config.n_decoder_layers), ("head", options.head or 0, config.n_heads))
        for name, value, count in sizes:
            if not 0 <= value < count:
                raise UserError(f"--{name} {value} is not between 0 and {count - 1}, as this model has {count}")
        return Reading(options.layer, options.head, both=True), "the command line"
    if options.valid_pairs:
        pairs = read_tab_pairs(options.valid_pairs)
        gold, chosen = read_links(options.valid_gold, pairs, options.one_based), str(options.valid_pairs)
        kept = readable(model, tokenizer, pairs)
        pairs, gold = [pairs[i] for i in kept], [gold[i] for i in kept]
    elif card.get("data", {}).get("corpus") == "grammar" or options.corpus:
        # The test part is drawn first, so that its size decides which sentences are the validation part.
        pairs = load_grammar(card.get("seed", 0), n_train=0).valid
        gold, chosen = gold_of(pairs), "the validation part of the embedded corpus"
    else:
        raise UserError("nothing to choose layer and head by; give --valid-pairs and --valid-gold, or --layer N")
    return next(iter(score_readings(word_tables(model, tokenizer, pairs), gold))), chosen


def _describe(reading) -> str:
    layer = "all layers" if reading.layer is None else f"layer {reading.layer}"
    head = "the mean of the heads" if reading.head is None else f"head {reading.head}"
    return f"{head} of {layer}, {'every word of both sides' if reading.both else 'every target word'} linked"
