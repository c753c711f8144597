"""Store a trained translator of everyday sentences as the page and Python load it, with its card and what it says.

    lessons train --corpus tatoeba --data DATA --steps 14000 --precision bf16 --out RUN  (hours on two cores)
    python -m tools.everyday_model RUN DATA

The scores are those of the test part, with the weights as trained and as 8 bits say them, against all references of a
sentence and against the first. A visitor's sentence that is translated as before keeps what a reader said of it; of
another it says that nobody has read it yet.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.translation.data.corpus import Corpus
from lessons_lib.translation.data.tatoeba import load_tatoeba
from lessons_lib.translation.deployment.web import seen_words, web_model
from lessons_lib.translation.everyday_model import (
    BEAM,
    FILE,
    FOLDER,
    NAME,
    Visit,
    load_everyday_translator,
    load_visitors,
    write_visitors,
)
from lessons_lib.translation.search.model_folder import CARD, read_card, write_json
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.resumable import score_translator

COMMAND = "lessons train --corpus tatoeba --data DATA --steps 14000 --precision bf16 --out RUN"
UNREAD = "nobody has read it yet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the --out of its training")
    parser.add_argument("data", type=Path, help="the folder of its corpus")
    given = parser.parse_args()
    corpus, card = load_tatoeba(given.data), read_card(given.run)
    if card["data"]["sha256"] != corpus.fingerprint():
        sys.exit(f"{given.run} was trained on other data than {given.data}")
    write_whole(FILE, web_model(given.run, words=seen_words(pair.source for pair in corpus.train), name=NAME))
    translators = {"as trained": Translator.load(given.run), "8 bits": load_everyday_translator()}
    write_visitors(visits(translators["8 bits"]))
    card["command"] = COMMAND  # without the folders of who trained it
    card["scores"] = {name: scores(translator, corpus) for name, translator in translators.items()}
    write_json(FOLDER / CARD, card)
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB, {card['scores']}", file=sys.stderr)


def scores(translator: Translator, corpus: Corpus) -> dict:
    """Of the test part, against all references and against the first."""
    return {
        name: asdict(score_translator(translator, corpus.test, beam=BEAM, more=more))
        for name, more in (("all references", corpus.references), ("first reference", ()))
    }


def visits(translator: Translator) -> list[Visit]:
    """The visitors' sentences as they are translated now."""
    before = load_visitors()
    now = translator.translate([visit.english for visit in before], beam=BEAM)
    return [
        visit if visit.french == found.text else Visit(visit.english, found.text, UNREAD)
        for visit, found in zip(before, now, strict=True)
    ]


if __name__ == "__main__":
    main()
