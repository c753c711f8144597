"""Run studies, every seed of them, and store their numbers and cards.

    python -m lessons_lib.studies                 those without numbers of the present code
    python -m lessons_lib.studies one_head        these, anew
    python -m lessons_lib.studies --check         run all again, change nothing: do the same verdicts come out?

What was computed before an interruption is kept in build/studies, and the same command goes on from there.
"""

import argparse
import os
import sys

from lessons_lib.studies import load, names
from lessons_lib.studies._running import has_numbers, run, store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"which ({', '.join(names())})")
    parser.add_argument("--check", action="store_true", help="compare the verdicts with the stored ones, store nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="seeds at a time (default: one a processor)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names()):
        parser.error(f"no study {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    chosen = arguments.names or [name for name in names() if arguments.check or not has_numbers(name)]
    if not chosen:
        print("Every study has its numbers.")
    changed = []
    found_all = run(chosen, arguments.jobs)
    for name, found in found_all.items():
        if not arguments.check:
            store(found)
        elif found.verdicts != load(name).verdicts:
            changed.append(name)
        print(f"{name}: {found.verdicts}")
    if len(found_all) < len(chosen):
        sys.exit("Not every study could be run.")
    if changed:
        sys.exit(f"Other verdicts than the stored ones: {', '.join(changed)}")


if __name__ == "__main__":
    main()
