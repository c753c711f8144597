"""Score a trained model on test sets and keep its card, so that a figure on the page *Benchmarks* can be repeated.

    python -m benchmarks.cards runs/mine multi30k-60 --test test_2016_flickr=test.en,test.fr

writes benchmarks/cards/multi30k-60.json: the model's run.json without the folders of this machine, and the scores of
greedy search and of 4 beams on each set. tests/tools/test_cards.py compares the page with it.
"""

import argparse
import re
from dataclasses import asdict
from pathlib import Path

from lessons_lib.translation.data.corpus import read_pairs
from lessons_lib.translation.search.model_folder import read_card, write_json
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.resumable import score_translator

CARDS = Path(__file__).parent / "cards"


def card(model: Path, tests: dict[str, tuple[Path, Path]], beams: tuple[int, ...] = (1, 4)) -> dict:
    """What ``run.json`` of ``model`` says, and ``tests``: a row a set and beam."""
    translator, values = Translator.load(model), read_card(model)
    values["command"] = re.sub(r"\S*/", "", values["command"])
    values["tests"] = [
        {"set": name, "beam": beam} | asdict(score_translator(translator, read_pairs(*files), beam))
        for name, files in tests.items()
        for beam in beams
    ]
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the --out of a training")
    parser.add_argument("name", help="of the card")
    parser.add_argument("--test", action="append", required=True, metavar="SET=SOURCE,REFERENCE", help="text files")
    options = parser.parse_args()
    tests = {}
    for given in options.test:
        name, _, files = given.partition("=")
        source, _, reference = files.partition(",")
        tests[name] = (Path(source), Path(reference))
    CARDS.mkdir(exist_ok=True)
    write_json(CARDS / f"{options.name}.json", card(options.model, tests))


if __name__ == "__main__":
    main()
