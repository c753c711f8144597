"""Train the translator that the lessons look into, and store it in half precision beside its card: `make model`."""

import json
import sys
import tempfile
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.translation.course_model import FOLDER
from lessons_lib.translation.data.corpus import Corpus, load_grammar
from lessons_lib.translation.deployment.web import WORDS, seen_words
from lessons_lib.translation.search.model_folder import (
    CARD,
    CONFIG,
    TOKENIZER,
    WEIGHTS,
    load_model,
    read_card,
    save_model,
    write_json,
)
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.recipe import recipe_for
from lessons_lib.translation.training.resumable import score_translator, train_translator

SETTINGS = {"steps": 6_000, "dropout": 0.1, "weight_decay": 0.01, "average": 8, "precision": "bf16"}
COMMAND = "make model"


def main() -> None:
    corpus = load_grammar(0)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        train_translator(corpus, recipe_for("grammar", **SETTINGS), folder)
        model, tokenizer = load_model(folder)
        save_model(folder, model.half(), tokenizer)
        card = read_card(folder)
        # Scored as it is stored: rounded to half precision, computing in single precision.
        halved = Translator(*load_model(folder))
        pairs = corpus.test
        scores = score_translator(halved, pairs)
        card |= {"command": COMMAND, "scores": card["scores"] | {"bleu": scores.bleu, "chrf": scores.chrf}}
        write_json(folder / CARD, card)
        write_words(corpus, folder)
        for name in (CONFIG, WEIGHTS, TOKENIZER, CARD, WORDS):
            write_whole(FOLDER / name, (folder / name).read_bytes())
    print(f"{FOLDER.name}: BLEU {scores.bleu:.1f} on {scores.sentences} test sentences", file=sys.stderr)


def write_words(corpus: Corpus, folder: Path) -> None:
    """The English words of the training, for the page that runs this model: it names those that the model never saw."""
    words = seen_words(pair.source for pair in corpus.train)
    (folder / WORDS).write_text(json.dumps(words, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
