"""A translator of everyday sentences, trained on Tatoeba's: one file of 8-bit weights, for Python and for the page.

Trained on sentences of Tatoeba (tatoeba.org) through manythings.org, CC BY 2.0 FR. ``run.json`` says how, and how good
it is; ``visitors.tsv`` has sentences that were written before the training, and what a reader says of what they became.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch

from lessons_lib.device import pick_device
from lessons_lib.files import write_whole
from lessons_lib.translation.deployment.web_reading import read_web_model
from lessons_lib.translation.search.translator import Translator

FOLDER = Path(__file__).parent
FILE, VISITORS = FOLDER / "everyday.bin", FOLDER / "visitors.tsv"
NAME = "Everyday sentences"  # on the page that runs it
BEAM = 4  # of the scores and of the visitors' translations


class Visit(NamedTuple):
    """An English sentence, the model's translation, and what is wrong with it: nothing, if a reader accepts it."""

    english: str
    french: str
    wrong: str


def load_everyday_translator(device: str | torch.device | None = None) -> Translator:
    """The translator with its weights as the 8 bits say, computing in single precision.

    Args:
        device: see `Translator.load`.
    """
    model, tokenizer = read_web_model(everyday_web_model())
    return Translator(model.to(pick_device(device)), tokenizer)


def everyday_web_model() -> bytes:
    """The file that the page loads, as `lessons export-web` writes it: 5.0 MB."""
    return FILE.read_bytes()


def load_visitors() -> list[Visit]:
    """What visitors would type, sixty sentences written down before any training, and how they are translated."""
    with VISITORS.open(encoding="utf8", newline="") as lines:
        return [Visit(*row) for row in csv.reader(lines, delimiter="\t")]


def write_visitors(visits: Iterable[Visit]) -> None:
    """Replace what `load_visitors` reads."""
    write_whole(VISITORS, "".join("\t".join(visit) + "\n" for visit in visits).encode())
