"""`lessons translate`."""

import argparse
import io
import math
import os
import sys
from collections.abc import Iterator

from lessons_lib.cli.flags import add_model
from lessons_lib.errors import UserError
from lessons_lib.translation.data.textfile import check_kind, decode_utf8

HELP = """\
Translate sentences, one line a sentence.

  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons translate --model runs/toy --beam 5 < english.txt > french.txt
  lessons translate --model runs/toy --beam 5 --n-best 3 "the dog is tired"     score, a tab, the translation
  lessons translate --model runs/toy --temperature 1 --top-p 0.9 "the dog is tired"
  lessons translate --model transformer-a.safetensors "stressed"     a model of the site's playground

Standard input is translated as it comes; the order is kept, an empty line stays an empty line. So does one that is
too long for the model: stderr says which, the rest is translated, and the exit code is 2. With --n-best N every line
gives N lines, whose texts differ; where the beams ended with fewer, the rest have the score -inf and no text. A score
is what the beams are ordered by, so that scores fall: the log-probability of all tokens over ((5 + tokens) / 6) to the
power of --length-penalty; with 0 it is the log-probability itself.

What a line becomes depends on that line, not on its neighbours; what is drawn (--temperature), on its number too. It
may have twice as many tokens as the line, and ten more. Accents are read in Unicode's composed form (NFC), and any
number of blanks and tabs between two words as one blank.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons translate`."""
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help="without any: lines of standard input")
    parser.add_argument(
        "--n-best", type=int, default=1, metavar="N", help="the N best texts of the beams, with their scores"
    )
    penalty = "0 favours short translations, more than 1 long ones (default 1)"
    parser.add_argument("--length-penalty", type=float, default=1.0, help=penalty)
    parser.add_argument("--no-repeat", type=int, default=0, metavar="N", help="no run of N tokens twice (3 is usual)")
    parser.add_argument("--prefix", metavar="WORDS", help="what every translation begins with; shorter than it may be")
    sampling = parser.add_argument_group("sampling, in the place of beams")
    sampling.add_argument("--temperature", type=float, help="below 1 less surprising, above 1 more")
    sampling.add_argument("--top-k", type=int, default=0, metavar="K", help="only the K most probable tokens")
    sampling.add_argument("--top-p", type=float, default=1.0, metavar="P", help="only the likeliest tokens, up to P")
    sampling.add_argument("--seed", type=int, default=0, help="of what is drawn (default 0)")
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Translate; the exit code."""
    from lessons_lib.translation.search.translator import Translator

    if options.n_best != 1 and not 1 <= options.n_best <= options.beam:
        raise UserError(f"--n-best {options.n_best} is not between 1 and --beam {options.beam}; raise --beam")
    # Bytes that are not UTF-8 reach us as lone surrogates; their error should name the byte.
    sentences = [decode_utf8(os.fsencode(sentence), "the sentence") for sentence in options.sentences]
    prefix = None if options.prefix is None else decode_utf8(os.fsencode(options.prefix), "--prefix")
    if not sentences and sys.stdin is None:
        raise UserError("standard input is closed; give sentences, or a file: < english.txt")
    translator = Translator.load(options.model, options.device, options.precision)
    if not sentences and sys.stdin.isatty():
        print("one sentence a line; Ctrl-D ends", file=sys.stderr)
    names = ("beam", "length_penalty", "no_repeat", "temperature", "top_k", "top_p", "seed")
    search = {name: getattr(options, name) for name in names}
    before, complaints = 0, 0
    for lines in [sentences] if sentences else batches_of_lines(sys.stdin.buffer):
        too_long = translator.too_long(lines)
        for index, tokens in too_long.items():
            which = f"{'sentence' if sentences else 'line'} {before + index + 1}"
            complaint = f"{which} has {tokens} tokens, but this model reads at most {translator.longest}"
            print(f"lessons: {complaint}; left empty, split it", file=sys.stderr)
        lines = ["" if index in too_long else line for index, line in enumerate(lines)]
        complaints += len(too_long)
        prefixes = None if prefix is None else [prefix] * len(lines)
        for translation in translator.translate(lines, attention=False, prefixes=prefixes, first=before, **search):
            if options.n_best == 1:
                print(on_one_line(translation.text))
                continue
            texts = [translation.text, *(text for text, _ in translation.alternatives)]
            ended = [*zip(translation.ranks, texts, strict=True), *[(-math.inf, "")] * options.n_best]
            for rank, text in ended[: options.n_best]:
                print(f"{rank:.3f}\t{on_one_line(text)}")
        before += len(lines)
        sys.stdout.flush()
    return 2 if complaints else 0


def on_one_line(text: str) -> str:
    """What a model says, any line ends in it made spaces: line n of the output belongs to line n of the input."""
    return text.replace("\r", " ").replace("\n", " ")


def batches_of_lines(stream: io.BufferedIOBase, size: int = 1_000) -> Iterator[list[str]]:
    """The lines of a UTF-8 stream: all that have arrived, at most ``size``; who waits for an answer gets it.

    Raises:
        ValueError: the stream is not UTF-8 text; names what it is, or the line.
    """
    rest, number = b"", 0
    while chunk := stream.read1(1 << 16):
        if not number:
            check_kind(rest + chunk, "standard input")
        *whole, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(whole), size):
            lines = whole[start : start + size]
            yield [_line(raw, number + place) for place, raw in enumerate(lines, start=1)]
            number += len(lines)
    if rest:
        yield [_line(rest, number + 1)]


def _line(raw: bytes, number: int) -> str:
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        text = decode_utf8(b"\n" * (number - 1) + raw, "standard input")  # says which line
    return text.removesuffix("\r")
