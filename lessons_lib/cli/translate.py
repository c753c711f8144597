"""`lessons translate`."""

import argparse
import os
import sys

from lessons_lib.cli.flags import add_model

HELP = """\
Translate sentences, one line a sentence.

  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons translate --model runs/toy --beam 5 < english.txt > french.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons translate`."""
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help="without any: lines of standard input")
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Translate; the exit code."""
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
