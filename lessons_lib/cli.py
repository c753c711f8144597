"""The command `lessons`: train a translator, translate with it, score it."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from lessons_lib.translation.presets import PRESETS

USER_ERROR = 2

MAIN_HELP = """\
Train an English–French Transformer, translate with it, score it.

  lessons train --corpus grammar --minutes 1 --out runs/toy
  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons score --model runs/toy --corpus grammar

`lessons COMMAND --help` tells more about each.
"""

TRAIN_HELP = """\
Train a translator and write it to a folder.

  The embedded corpus, one minute:
    lessons train --corpus grammar --minutes 1 --out runs/toy

  Your own text: two files a language pair, line n of one translating line n of the other:
    lessons train --corpus pairs --train A.en A.fr --valid B.en B.fr --minutes 10 --out runs/mine

The folder appears when the training is over: config.json, model.safetensors, tokenizer.json, run.json (how it was
made and how good it is) and metrics.jsonl (a line of JSON every ten steps). Ctrl-C ends early and keeps the model.
"""

TRANSLATE_HELP = """\
Translate sentences, one line a sentence.

  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons translate --model runs/toy --beam 5 < english.txt > french.txt
"""

SCORE_HELP = """\
Translate a test set and print BLEU and chrF (sacreBLEU) as one JSON object.

  lessons score --model runs/toy --corpus grammar
  lessons score --model runs/mine --source test.en --reference test.fr --beam 5
"""


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"lessons: {message} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit code: 0; 2 after an error that the user can mend; 128 + signal when stopped by one."""
    options = build_parser().parse_args(arguments)
    # Read by GNU's OpenMP when PyTorch is imported. Its threads wait for one another by spinning, so that a second
    # program on the same cores slows a training down tenfold; spinning less long, it costs a quarter of that.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads us has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (ValueError, OSError) as error:
        print(f"lessons: {' '.join(str(error).split())}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("lessons: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def build_parser() -> argparse.ArgumentParser:
    """The three commands and their flags."""
    parser = Parser("lessons", description=MAIN_HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable, description: str) -> argparse.ArgumentParser:
        summary = description.splitlines()[0]
        added = commands.add_parser(
            name, help=summary, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        added.set_defaults(run=run)
        return added

    _add_train(command("train", train, TRAIN_HELP))

    translating = command("translate", translate, TRANSLATE_HELP)
    translating.add_argument("sentences", nargs="*", metavar="SENTENCE", help="without any: lines of standard input")
    _add_model(translating)

    scoring = command("score", score, SCORE_HELP)
    scoring.add_argument("--source", type=Path, metavar="FILE", help="what to translate, one sentence a line")
    scoring.add_argument("--reference", type=Path, metavar="FILE", help="its translations, line by line")
    scoring.add_argument("--corpus", choices=["grammar"], help="or: the test part of the embedded corpus")
    scoring.add_argument("--json", action="store_true", help="one line of JSON instead of indented JSON")
    _add_model(scoring)
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", choices=PRESETS, required=True, help="the embedded corpus, or your own files")
    parser.add_argument("--train", nargs=2, type=Path, metavar=("SRC", "TGT"), help="with pairs: two aligned files")
    parser.add_argument("--valid", nargs=2, type=Path, metavar=("SRC", "TGT"), help="with pairs: two held-out files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the model")
    parser.add_argument("--overwrite", action="store_true", help="replace a model that --out already holds")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="train for so long")
    length.add_argument("--steps", type=int, help="or for so many batches: then the result does not depend on speed")
    parser.add_argument("--seed", type=int, default=0, help="of data, weights, batches and dropout (default 0)")
    _add_device(parser)
    parser.add_argument("--precision", help="fp32, bf16 or fp16 (default: what the device is good at)")

    model = parser.add_argument_group("the model (defaults: for the grammar / for pairs)")
    training = parser.add_argument_group("training")

    def by_corpus(flag: str, kind: type, help: str, group: argparse._ArgumentGroup = model) -> None:
        name = flag.removeprefix("--").replace("-", "_")
        both = " / ".join(f"{preset[name]}" for preset in PRESETS.values())
        group.add_argument(flag, type=kind, help=f"{help} ({both})")

    by_corpus("--d-model", int, "width of each vector")
    by_corpus("--n-heads", int, "attention heads; must divide d_model")
    by_corpus("--n-encoder-layers", int, "layers of the encoder")
    by_corpus("--n-decoder-layers", int, "layers of the decoder")
    by_corpus("--d-ff", int, "width inside the feed-forward network")
    by_corpus("--vocab-size", int, "subwords, both languages together")
    by_corpus("--dropout", float, "share of activations dropped in training")
    model.add_argument("--norm", default="pre", help="pre or post (default pre)")
    model.add_argument("--max-length", type=int, default=256, help="most tokens of a sentence (default 256)")

    by_corpus("--learning-rate", float, "at its peak", training)
    training.add_argument("--warmup-steps", type=int, help="steps until that peak (150)")
    training.add_argument("--label-smoothing", type=float, help="probability taken from the right token (0.1)")
    training.add_argument(
        "--batch-tokens", type=int, help="rows times tokens of the longer side in a batch (512 on a CPU, 8192 on a GPU)"
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    parser.add_argument("--beam", type=int, default=1, metavar="K", help="beams of the search (default 1: greedy)")
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best one here)")


def train(options: argparse.Namespace) -> int:
    """`lessons train`."""
    from lessons_lib.translation.corpus import load_grammar, load_pairs
    from lessons_lib.translation.model_folder import check_free
    from lessons_lib.translation.recipe import recipe_for, train_translator

    given = (options.train is not None) + (options.valid is not None)
    if given != (2 if options.corpus == "pairs" else 0):
        raise ValueError(
            "--train and --valid go with --corpus pairs, and it needs both: --train A.en A.fr --valid B.en B.fr"
        )
    flags = vars(options)
    elsewhere = {"run", "corpus", "train", "valid", "out", "overwrite"}
    recipe = recipe_for(options.corpus, **{k: v for k, v in flags.items() if k not in elsewhere and v is not None})
    check_free(options.out, options.overwrite)
    corpus = (
        load_grammar(options.seed)
        if options.corpus == "grammar"
        else load_pairs(tuple(options.train), tuple(options.valid))
    )
    card = train_translator(corpus, recipe, options.out, options.overwrite)
    print(
        f"{options.out}: {card['steps']} steps, {card['minutes']:.1f} minutes, {card['tokens_per_second']:,} tokens/s"
    )
    if card["stopped_early"]:
        print(f"lessons: stopped by {card['stopped_early']}; the model is saved, unscored", file=sys.stderr)
        return 128 + signal.Signals[card["stopped_early"]]
    scores = card["scores"]
    sentences = f"{scores['sentences']} {scores['part']} sentences"
    print(f"BLEU {scores['bleu']:.1f}, chrF {scores['chrf']:.1f} on {sentences}, greedy ({scores['signature']})")
    return 0


def translate(options: argparse.Namespace) -> int:
    """`lessons translate`."""
    from lessons_lib.translation.corpus import decode_utf8, split_lines
    from lessons_lib.translation.translator import Translator

    # Bytes that are not UTF-8 reach us as lone surrogates; their error should name the byte.
    sentences = [decode_utf8(os.fsencode(sentence), "the sentence") for sentence in options.sentences]
    translator = Translator.load(options.model, options.device)
    if not sentences:
        if sys.stdin.isatty():
            print("one sentence a line; Ctrl-D ends", file=sys.stderr)
        sentences = split_lines(decode_utf8(sys.stdin.buffer.read(), "standard input"))
    for translation in translator.translate(sentences, beam=options.beam, attention=False):
        print(translation.text)
    return 0


def score(options: argparse.Namespace) -> int:
    """`lessons score`."""
    from lessons_lib.translation.corpus import load_grammar, read_pairs
    from lessons_lib.translation.model_folder import read_card
    from lessons_lib.translation.recipe import score_translator
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


if __name__ == "__main__":
    sys.exit(main())
