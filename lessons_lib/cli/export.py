"""`lessons export`."""

import argparse
import json
import sys
from pathlib import Path

from lessons_lib.errors import UserError

HELP = """\
Write a model for programs without PyTorch, and check that it says the same there.

  lessons export --model runs/toy --to ctranslate2 --out runs/toy-ct2 --corpus grammar
  lessons export --model runs/mine --to onnx --out runs/mine-onnx --check test.en

ctranslate2: a folder for `ctranslate2.Translator`. Its tokens are the pieces of the tokenizer.json beside it:
Tokenizer.from_file("tokenizer.json").encode(" " + sentence).tokens, of the library `tokenizers`.
To search as ours does, tell `translate_batch` min_decoding_length=0 (else no translation may be empty),
suppress_sequences=[["<pad>"], ["<s>"]], and for each sentence max_decoding_length=2 * tokens + 12, or the model's most.
onnx: encoder.onnx and step.onnx (one token of the decoder), tokenizer.json and config.json. Positions "t5" and
"relative" cannot be written so; for CTranslate2 "alibi" neither.

With sentences to check with, ours and the export translate them, greedy and for CTranslate2 with 4 beams too. 99 % must
be identical; if fewer are, nothing is written, and the exit code is 1. Blank lines and those that are too long are left
out of the check.

Needs: pip install ctranslate2, or: pip install onnx onnxruntime onnxscript
"""
PACKAGES = {"ctranslate2": "ctranslate2", "onnx": "onnx onnxruntime onnxscript"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons export`."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="the --out of a training")
    parser.add_argument("--to", choices=PACKAGES, required=True, help="for which engine")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an export that --out already holds")
    sentences = parser.add_mutually_exclusive_group()
    sentences.add_argument("--check", type=Path, metavar="FILE", help="sentences to check with, one a line")
    sentences.add_argument("--corpus", choices=["grammar"], help="or: the test part of the embedded corpus")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Export; the exit code."""
    try:
        return _export(options)
    except ModuleNotFoundError as error:
        packages = PACKAGES[options.to]
        raise UserError(f"--to {options.to} needs {error.name}, not installed: pip install {packages}") from None


def _export(options: argparse.Namespace) -> int:
    from lessons_lib.files import replacing_whole
    from lessons_lib.translation.deployment.check import REQUIRED, Disagreement, check_export, checkable
    from lessons_lib.translation.search.model_folder import check_free, load_model
    from lessons_lib.translation.search.translator import Translator

    if options.to == "ctranslate2":
        from lessons_lib.translation.deployment.ctranslate2 import FILES
        from lessons_lib.translation.deployment.ctranslate2 import write_ctranslate2 as write
    else:
        from lessons_lib.translation.deployment.onnx import FILES
        from lessons_lib.translation.deployment.onnx import write_onnx_model as write

    check_free(options.out, options.overwrite, FILES, f"an export to {options.to}")
    model, tokenizer = load_model(options.model)
    texts, agreements, good = _sentences(options), [], True
    try:
        with replacing_whole(options.out, "the model") as folder:
            write(model, tokenizer, folder)
            size = sum(path.stat().st_size for path in folder.iterdir())
            if texts is not None:
                texts = checkable(Translator(model, tokenizer), texts)
                agreements = check_export(options.to, folder, model, tokenizer, texts)
            if any(one.share < REQUIRED for one in agreements):
                raise Disagreement
    except Disagreement:
        good = False
    checks = [one.to_dict() for one in agreements]
    if options.json:
        result = {"out": str(options.out), "to": options.to, "written": good, "bytes": size}
        print(json.dumps(result | {"required": REQUIRED, "checks": checks}))
    else:
        for one in agreements:
            search = "greedy" if one.beam == 1 else f"{one.beam} beams"
            print(f"{search}: {one.identical} of {one.sentences} sentences identical ({one.share:.1%})")
    if not good:
        print(f"lessons: fewer than {REQUIRED:.0%} identical; nothing is written to {options.out}", file=sys.stderr)
        return 1
    if not options.json:
        print(f"{options.out}: {size / 1e6:.1f} MB{'' if agreements else ', unchecked: add --check FILE'}")
    return 0


def _sentences(options: argparse.Namespace) -> list[str] | None:
    from lessons_lib.translation.data.corpus import load_grammar, read_lines
    from lessons_lib.translation.search.model_folder import read_card

    if options.check:
        return read_lines(options.check)
    if options.corpus:
        seed = read_card(options.model).get("seed", 0)
        return [pair.source for pair in load_grammar(seed, n_train=0, n_valid=0).test]
    return None
