"""A small translator that is trained already, for the lessons that look inside one. `make model` trains it again."""

import json
from pathlib import Path

import torch

from lessons_lib.errors import UserError
from lessons_lib.translation.deployment.web import web_model
from lessons_lib.translation.search.translator import Translator

FOLDER = Path(__file__).parent
GROWTH = FOLDER / "growth.json"
NAME = "The course’s translator"  # on the page that runs it


def load_course_translator(device: str | torch.device | None = None) -> Translator:
    """The course's own translator: width 128, 2 + 2 layers of 4 heads, trained on the embedded corpus of seed 0.

    ``run.json`` beside this file says how it was made, and how good it is. Its weights are stored in half precision and
    compute in single precision. It has seen the training part of ``load_grammar(seed=0)``, and none of the rest.

    Args:
        device: see `Translator.load`.
    """
    return Translator.load(FOLDER, device)


def course_web_model() -> bytes:
    """The same translator as a file for the browser, as `lessons export-web` writes it: 1.3 MB."""
    return web_model(FOLDER, name=NAME)


def load_growth(*sources: str) -> tuple[list[dict], list[dict]]:
    """That translator's training, looked at on its way: sentences and states for `lessons_lib.widgets.GrowthWidget`.

    Loss, BLEU and alignment error are those of the 500 validation pairs; the alignment is that of the last layer's
    heads, on average. The last state is the mean of the last weights, which is what is stored.

    Args:
        sources: which of the English sentences; all, without any.
    Raises:
        ValueError: a sentence was not looked at; names those that were.
    """
    growth = json.loads(GROWTH.read_text("utf8"))
    known = [pair["source"] for pair in growth["sentences"]]
    if unknown := [text for text in sources if text not in known]:
        raise UserError(f"{unknown[0]!r} was not looked at; there are {', '.join(map(repr, known))}")
    kept = [known.index(text) for text in sources or known]
    pairs = [
        {"source": pair["source"].split(), "target": pair["target"].split(), "links": pair["links"]}
        for pair in (growth["sentences"][i] for i in kept)
    ]
    states = [
        state | {name: [state[name][i] for i in kept] for name in ("texts", "weights")} for state in growth["steps"]
    ]
    return pairs, states
