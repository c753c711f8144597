"""The command `lessons`: a file a command, each with its HELP, its flags and what it runs."""

import argparse
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from lessons_lib import __version__
from lessons_lib.cli import (
    align,
    compare,
    diagnose,
    export,
    export_web,
    grade,
    handout,
    prepare,
    profile,
    score,
    train,
    translate,
    verify,
)
from lessons_lib.errors import UserError
from lessons_lib.process import tune_process

USER_ERROR, OUR_ERROR = 2, 70
COMMANDS = {
    "prepare": prepare,
    "train": train,
    "translate": translate,
    "score": score,
    "compare": compare,
    "align": align,
    "diagnose": diagnose,
    "export": export,
    "export-web": export_web,
    "profile": profile,
    "grade": grade,
    "handout": handout,
    "verify": verify,
}

MAIN_HELP = """\
Train an English–French Transformer, translate with it, score it, and see where it errs and what it costs.

  lessons train --corpus grammar --minutes 1 --out runs/toy
  lessons translate --model runs/toy "the small black cats do not sleep"
  lessons score --model runs/toy --corpus grammar
  lessons compare --model runs/toy --corpus grammar --beam 1 4
  lessons align --model runs/toy --corpus grammar
  lessons diagnose --model runs/toy --corpus grammar --out report.html
  lessons export --model runs/toy --to ctranslate2 --out runs/toy-ct2 --corpus grammar
  lessons export-web --model runs/toy --out toy.bin
  lessons profile --model runs/toy
  lessons grade submissions --out report
  lessons handout --lessons 1-8 --out class
  lessons verify notebooks --lessons 1-8

`lessons COMMAND --help` tells more about each. An error is one line; --traceback shows where it arose.
"""


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` whose errors are one line too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(USER_ERROR, f"lessons: {message} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Exit code: 0; 1 if an export fails its check, or a lesson is not as it is stored; 2 after an error that the user
    can mend; 3 if isolation is required and cannot be had; 70 after an error that only we can mend, with its
    traceback; 128 + signal when stopped.
    """
    options = build_parser().parse_args(arguments)
    tune_process()
    _open_streams()
    try:
        _check_files(options)
        code = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads us has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (UserError, OSError) as error:
        if options.traceback:
            traceback.print_exc()
        print(f"lessons: {_message(error)}", file=sys.stderr)
        return USER_ERROR
    except MemoryError:
        print("lessons: the memory is too small; give smaller files, or use a larger machine", file=sys.stderr)
        return USER_ERROR
    except Exception as error:
        traceback.print_exc()
        report = "please report what stands above"
        print(f"lessons: this is a mistake of ours ({type(error).__name__}); {report}", file=sys.stderr)
        return OUR_ERROR
    except KeyboardInterrupt:
        print("lessons: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def _check_files(options: argparse.Namespace) -> None:
    """Raise ValueError if what is read once is asked for twice, or what is read would be written over."""
    values = [value for name, value in vars(options).items() if name != "out"]
    read = [path for value in values for path in (value if isinstance(value, list) else [value])]
    read = [path for path in read if isinstance(path, Path)]
    if read.count(Path("-")) > 1:
        raise UserError("standard input (-) can be read only once; give the other as a file")
    out = getattr(options, "out", None)
    if out is None or not (out.is_file() or out.is_dir()):
        return
    for path in filter(Path.exists, read):
        if path.samefile(out):
            raise UserError(f"--out {out} is what this command reads; give another --out")
        if path.is_dir() and out.is_file() and path.samefile(out.parent):
            from lessons_lib.translation.search.model_folder import FILES

            if out.name in FILES:
                raise UserError(f"--out {out} is a file of the model itself; give another --out")


def _open_streams() -> None:
    """UTF-8 for all that is written; who started us may have closed a stream, as some services do."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  (as long as the process)
    # Names of files that are no text are written as the bytes that they are.
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")


def _message(error: Exception) -> str:
    """One line; of the system's own errors the file first, and no number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}; check the path, and whether you may"
    return " ".join(str(error).split()) or type(error).__name__


def build_parser() -> argparse.ArgumentParser:
    """The commands and their flags."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser("lessons", description=MAIN_HELP, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"lessons {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        summary = command.HELP.splitlines()[0]
        added = commands.add_parser(name, help=summary, description=command.HELP, formatter_class=raw)
        command.add_arguments(added)
        added.add_argument("--traceback", action="store_true", help="show where in the program an error arose")
        added.set_defaults(run=command.run)
    return parser
