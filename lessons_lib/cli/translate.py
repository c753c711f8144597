"""`lessons translate`."""

import argparse
import io
import os
import sys
from collections.abc import Iterator

from lessons_lib.cli.flags import add_model
from lessons_lib.translation.corpus import decode_utf8

HELP = """\
Translate sentences, one line a sentence.

  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons translate --model runs/toy --beam 5 < english.txt > french.txt
  lessons translate --model runs/toy --beam 5 --n-best 3 "the dog is tired"     score, a tab, the translation
  lessons translate --model runs/toy --temperature 1 --top-p 0.9 "the dog is tired"

Standard input is translated as it comes, in batches; the order is kept, an empty line stays an empty line. So does one
that is too long for the model: stderr says which, the rest is translated, and the exit code is 2.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lessons translate`."""
    parser.add_argument("sentences", nargs="*", metavar="SENTENCE", help="without any: lines of standard input")
    parser.add_argument("--n-best", type=int, default=1, metavar="N", help="the N best of the beams, with their scores")
    parser.add_argument("--length-penalty", type=float, default=1.0, help="0 favours short translations (default 1)")
    parser.add_argument("--no-repeat", type=int, default=0, metavar="N", help="no run of N tokens twice (3 is usual)")
    parser.add_argument("--prefix", metavar="WORDS", help="what every translation begins with")
    sampling = parser.add_argument_group("sampling, in the place of beams")
    sampling.add_argument("--temperature", type=float, help="below 1 less surprising, above 1 more")
    sampling.add_argument("--top-k", type=int, default=0, metavar="K", help="only the K most probable tokens")
    sampling.add_argument("--top-p", type=float, default=1.0, metavar="P", help="only the likeliest tokens, up to P")
    sampling.add_argument("--seed", type=int, default=0, help="of what is drawn (default 0)")
    add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Translate; the exit code."""
    from lessons_lib.translation.translator import Translator

    if options.n_best != 1 and not 1 <= options.n_best <= options.beam:
        raise ValueError(f"--n-best {options.n_best} is not between 1 and --beam {options.beam}")
    # Bytes that are not UTF-8 reach us as lone surrogates; their error should name the byte.
    sentences = [decode_utf8(os.fsencode(sentence), "the sentence") for sentence in options.sentences]
    translator = Translator.load(options.model, options.device, options.precision)
    if not sentences and sys.stdin.isatty():
        print("one sentence a line; Ctrl-D ends", file=sys.stderr)
    names = ("beam", "length_penalty", "no_repeat", "temperature", "top_k", "top_p", "seed")
    search = {name: getattr(options, name) for name in names}
    before, complaints = 0, 0
    for lines in [sentences] if sentences else batches_of_lines(sys.stdin.buffer):
        if not sentences:
            too_long = lines_too_long(translator, lines)
            for index, tokens in too_long.items():
                complaint = f"line {before + index + 1} has {tokens} tokens, but this model reads at most"
                print(f"lessons: {complaint} {translator.longest}; left empty, split it", file=sys.stderr)
            lines = ["" if index in too_long else line for index, line in enumerate(lines)]
            before, complaints = before + len(lines), complaints + len(too_long)
        prefixes = None if options.prefix is None else [options.prefix] * len(lines)
        for translation in translator.translate(lines, attention=False, prefixes=prefixes, **search):
            if options.n_best == 1:
                print(on_one_line(translation.text))
                continue
            for text, score in [(translation.text, translation.score), *translation.alternatives][: options.n_best]:
                print(f"{score:.3f}\t{on_one_line(text)}")
        sys.stdout.flush()
    return 2 if complaints else 0


def lines_too_long(translator, lines: list[str]) -> dict[int, int]:
    """The lines that do not fit the model, counted from 0: how many tokens each has."""
    counts = enumerate(map(len, translator.tokenizer.encode_all(lines)))
    return {index: count for index, count in counts if count > translator.longest and lines[index].strip()}


def on_one_line(text: str) -> str:
    """What a model says, any line ends in it made spaces: line n of the output belongs to line n of the input."""
    return text.replace("\r", " ").replace("\n", " ")


def batches_of_lines(stream: io.BufferedIOBase, size: int = 1_000) -> Iterator[list[str]]:
    """The lines of a UTF-8 stream, ``size`` at a time, or fewer where somebody types them.

    Raises:
        ValueError: the stream is not UTF-8; names the line.
    """
    lines: list[str] = []
    typed = stream.isatty()
    for number, raw in enumerate(stream, start=1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            text = decode_utf8(b"\n" * (number - 1) + raw, "standard input")  # says which line
        lines.append(text.rstrip("\n").removesuffix("\r"))
        if typed or len(lines) == size:
            yield lines
            lines = []
    if lines:
        yield lines
