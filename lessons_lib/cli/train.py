"""`lessons train`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from lessons_lib.cli.flags import add_device
from lessons_lib.cli.test_set import KEPT, add_tokenize, warn_of_bleu
from lessons_lib.errors import UserError
from lessons_lib.translation.training.presets import CORPORA, PRESETS

HELP = """\
Train a translator and write it to a folder.

  The embedded corpus, one minute:
    lessons train --corpus grammar --minutes 1 --out runs/toy

  Your own text: two files, line n of one translating line n of the other; or one with source, tab, target:
    lessons train --corpus pairs --train A.en A.fr --valid B.en B.fr --minutes 10 --out runs/mine
    lessons train --corpus pairs --train A.tsv.gz --valid B.tsv --test C.tsv --minutes 10 --out runs/mine

  Text is UTF-8; gzip, xz and bzip2 are unpacked. Further columns, as the attribution in Tatoeba's files (also those of
  manythings.org), are left out. Accents are brought to Unicode's composed form (NFC), blanks to one between words.

  Everyday sentences of Tatoeba, fetched the first time (without a network see `lessons prepare --help`):
    lessons train --corpus tatoeba --minutes 30 --out runs/everyday

  WMT14, cleaned (see `lessons prepare --help`), its first 200,000 pairs:
    lessons train --corpus wmt14 --pairs-count 200000 --minutes 60 --out runs/wmt14

When the training is over, the folder holds config.json, model.safetensors, tokenizer.json, run.json (how it was
made and how good it is) and metrics.jsonl (a line of JSON every ten steps).

Cut off by Ctrl-C, SIGTERM or a power cut? The same command goes on where the last checkpoint stands, with --overwrite
too: that replaces a model, or an unfinished training with other settings, never an unfinished one with the same.
Minutes, --accumulate and the machine may change. One process at a time trains in a folder. When the last step is done,
the model is saved before it is scored: Ctrl-C then ends the scoring.

Validations translate up to 100 pairs of the validation part, drawn at even distances, and --patience decides by them:
it counts validations in which neither their loss fell below its lowest nor their chrF rose above its highest. The score
at the end is that of up to 1,000 pairs of the test part, drawn at even distances too.

More processes, more GPUs: `torchrun --nproc-per-node 2 -m lessons_lib.cli train …`, or `accelerate launch -m` in the
place of torchrun. A batch is then shared among them, and the result is the same.
"""


UNTRANSLATED = 0.1  # share of the training pairs: a few names and numbers are the same in two languages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons train`."""
    parser.add_argument("--corpus", choices=CORPORA, required=True, help="the embedded one, your own files, or another")
    files = {"nargs": "+", "type": Path, "metavar": "FILE"}
    parser.add_argument("--train", **files, help="with pairs: two aligned text files, or one with tabs")
    parser.add_argument("--valid", **files, help="with pairs: the same, held out, to validate by")
    parser.add_argument("--test", **files, help="with pairs: the same, to score by at the end (default: --valid)")
    parser.add_argument("--pairs-count", type=int, metavar="N", help="with wmt14: the first N clean pairs (1000000)")
    kept = "with tatoeba and wmt14: where it is kept (default: ~/.cache/lessons/tatoeba or …/wmt14)"
    parser.add_argument("--data", type=Path, metavar="DIR", help=kept)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the model")
    parser.add_argument("--overwrite", action="store_true", help="replace a model in --out, see above")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="train for so long")
    length.add_argument("--steps", type=int, help="or for so many batches: then the result does not depend on speed")
    parser.add_argument("--seed", type=int, default=0, help="of data, weights, batches and dropout (default 0)")
    add_device(parser)
    parser.add_argument("--precision", help="fp32, bf16 or fp16 (default: what the device is good at)")

    fitting = ", ".join(f"{preset} for {corpus}" for corpus, preset in CORPORA.items())
    parser.add_argument("--preset", choices=PRESETS, help=f"a size of model and what goes with it (default: {fitting})")
    model = parser.add_argument_group(f"the model (defaults: {' / '.join(PRESETS)})")
    training = parser.add_argument_group("training")

    def by_preset(flag: str, kind: type, help: str, group: argparse._ArgumentGroup = model) -> None:
        name = flag.removeprefix("--").replace("-", "_")
        both = " / ".join(f"{preset[name]}" for preset in PRESETS.values())
        group.add_argument(flag, type=kind, help=f"{help} ({both})")

    by_preset("--d-model", int, "width of each vector")
    by_preset("--n-heads", int, "attention heads; must divide d_model")
    by_preset("--n-encoder-layers", int, "layers of the encoder")
    by_preset("--n-decoder-layers", int, "layers of the decoder")
    by_preset("--d-ff", int, "width inside the feed-forward network")
    by_preset("--vocab-size", int, "subwords, both languages together")
    by_preset("--dropout", float, "share of activations dropped in training")
    model.add_argument("--norm", default="pre", help="pre or post (default pre)")
    model.add_argument("--max-length", type=int, default=256, help="most tokens of a sentence (default 256)")

    by_preset("--learning-rate", float, "at its peak", training)
    training.add_argument("--warmup-steps", type=int, help="steps until that peak (150)")
    training.add_argument("--label-smoothing", type=float, help="probability taken from the right token (0.1)")
    training.add_argument(
        "--accumulate", type=int, metavar="N", help="a batch in N pieces: less memory, same result (1)"
    )
    by_preset("--weight-decay", float, "pull of every weight towards 0, times the learning rate", training)
    by_preset("--average", int, "states of the last three tenths whose mean is the result; 0: the last", training)
    training.add_argument("--patience", type=int, metavar="N", help="stop after N validations without progress")
    add_tokenize(training)
    training.add_argument("--validations", type=int, metavar="N", help="validations on the way (3)")
    training.add_argument("--checkpoint-minutes", type=float, metavar="M", help="minutes between two checkpoints (3)")
    training.add_argument(
        "--batch-tokens", type=int, help="rows times tokens of the longer side in a batch (512 on a CPU, 8192 on a GPU)"
    )


def run(options: argparse.Namespace) -> int:
    """Train; the exit code."""
    from lessons_lib.translation.search.model_folder import check_free
    from lessons_lib.translation.training.recipe import recipe_for
    from lessons_lib.translation.training.resumable import train_translator

    _check(options)
    flags = vars(options)
    elsewhere = {"run", "traceback", "corpus", "train", "valid", "test", "pairs_count", "data", "out", "overwrite"}
    recipe = recipe_for(options.corpus, **{k: v for k, v in flags.items() if k not in elsewhere and v is not None})
    check_free(options.out, options.overwrite)
    corpus = _load(options)
    if os.environ.get("RANK", "0") == "0":  # of several processes one talks
        _warn(corpus, options.tokenize)
        if len(corpus.train) < (options.pairs_count or 0):
            print(f"lessons: the corpus has {len(corpus.train)} pairs, not {options.pairs_count}", file=sys.stderr)
    card = train_translator(corpus, recipe, options.out, options.overwrite)
    if not card:  # one of several processes, and not the one that talks
        return 0
    print(
        f"{options.out}: {card['steps']} steps, {card['minutes']:.1f} minutes, {card['tokens_per_second']:,} tokens/s"
    )
    if card["stopped_early"]:
        print(f"lessons: stopped by {card['stopped_early']}; the model is saved, unscored", file=sys.stderr)
        return 128 + signal.Signals[card["stopped_early"]]
    scores = card["scores"]
    drawn = f" of {scores['drawn_from']}" if scores["drawn_from"] > scores["sentences"] else ""
    sentences = f"{scores['sentences']}{drawn} {scores['part']} sentences"
    if scores["too_long"]:
        print(f"lessons: {scores['too_long']} of them are too long for the model, and count as empty", file=sys.stderr)
    print(f"BLEU {scores['bleu']:.1f}, chrF {scores['chrf']:.1f} on {sentences}, greedy ({scores['signature']})")
    return 0


def _warn(corpus, tokenize: str | None) -> None:
    """Say on stderr what the score will not say."""
    if corpus.origin:
        print(f"lessons: trained on {corpus.origin['attribution']}", file=sys.stderr)
    for part, count in corpus.seen.items():
        if count:
            of = f"{count} of {len(getattr(corpus, part))} {'validation' if part == 'valid' else part} pairs"
            print(f"lessons: {of} have a side that is in the training data too: such a score flatters", file=sys.stderr)
    same = sum(pair.source == pair.target for pair in corpus.train) if corpus.name == "pairs" else 0
    if same > UNTRANSLATED * len(corpus.train):
        of = f"{same} of {len(corpus.train)} training pairs"
        print(f"lessons: {of} have the same text on both sides; nothing is translated there", file=sys.stderr)
    warn_of_bleu([pair.target for pair in corpus.valid], tokenize)
    if any(corpus.left_out.values()):
        counts = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in corpus.left_out.items())
        print(f"lessons: pairs left out: {counts}", file=sys.stderr)


def _check(options: argparse.Namespace) -> None:
    """Raise ValueError unless the corpus has the flags that it needs, and no others."""
    given = (options.train is not None) + (options.valid is not None)
    if given != (2 if options.corpus == "pairs" else 0):
        raise UserError(
            "--train and --valid go with --corpus pairs, and it needs both: --train A.en A.fr --valid B.en B.fr"
        )
    if options.test and options.corpus != "pairs":
        raise UserError("--test goes with --corpus pairs; the other corpora bring their own test part")
    if options.pairs_count is not None and options.corpus != "wmt14":
        raise UserError("--pairs-count goes with --corpus wmt14")
    if options.data and options.corpus not in KEPT:
        raise UserError(f"--data goes with --corpus {' or '.join(KEPT)}")


def _load(options: argparse.Namespace):
    from lessons_lib.translation.data.corpus import load_grammar, load_pairs

    if options.corpus == "grammar":
        return load_grammar(options.seed)
    if options.corpus == "pairs":
        return load_pairs(options.train, options.valid, options.test or ())
    if options.corpus == "tatoeba":
        from lessons_lib.translation.data.tatoeba import load_tatoeba

        return load_tatoeba(options.data)
    from lessons_lib.translation.data.wmt14 import load_wmt14

    return load_wmt14(options.data, options.pairs_count)
