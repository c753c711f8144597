"""Train the course's translator once more and look at it on the way, for the widget "watch it learn": `make model`.

The training is that of `tools/course_model.py`. At `STEPS` it writes down loss and BLEU of the validation pairs, the
alignment error rate, what the model makes of `SENTENCES`, and where each head of the cross-attention looks while the
decoder reads their right translations: the same rows at every step, so that one sees the maps come into being.
"""

import json
import sys
from dataclasses import replace

import torch
from tqdm import tqdm

from lessons_lib.device import seed_everything
from lessons_lib.files import write_whole
from lessons_lib.transformer import Transformer
from lessons_lib.translation.course_model import GROWTH, load_course_translator
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.data.tokenizer import Tokenizer
from lessons_lib.translation.evaluation.alignment import Reading, score_links, word_tables
from lessons_lib.translation.search.translator import Translator
from lessons_lib.translation.training.loop import Trainer, validation_loss
from lessons_lib.translation.training.recipe import recipe_for
from lessons_lib.translation.training.resumable import score_translator, tokenizer_texts
from tools.course_model import SETTINGS

STEPS = (0, 25, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400, 3_600, 6_000)
SENTENCES = (
    "Laura does not prefer the pink shoes",
    "The children have not worn them.",
    "Last week, the old doctors entered the cellars.",
)
READING = Reading(layer=-1, head=None)  # the mean of the last layer's heads: what the widget's links show


def main() -> None:
    corpus = load_grammar(0)
    recipe = recipe_for("grammar", **SETTINGS)
    seed_everything(recipe.seed)
    tokenizer = Tokenizer.train(tokenizer_texts(corpus.train), recipe.config.vocab_size)
    model = Transformer(replace(recipe.config, vocab_size=len(tokenizer)))
    valid = [(side, encode_pairs(tokenizer, side, recipe.config.max_length)) for side in (corpus.train, corpus.valid)]
    batches, held_out = (Batches(examples, tokenizer, recipe.batch_tokens, recipe.seed) for _, examples in valid)
    shown = [next(pair for pair in corpus.valid if pair.source == text) for text in SENTENCES]
    gold = gold_of(corpus.valid)

    def look(step: int) -> dict:
        translator = Translator(model.eval(), tokenizer)
        tables = word_tables(model, tokenizer, corpus.valid)
        links = [READING.links(table) for table in tables]
        return {
            "step": step,
            "loss": round(validation_loss(model, held_out.epoch(0)), 3),
            "bleu": round(score_translator(translator, corpus.valid).bleu, 1),
            "aer": round(score_links(links, gold).aer, 3),
            "texts": [one.text for one in translator.translate(list(SENTENCES), attention=False)],
            "weights": [(100 * table).round().astype(int).tolist() for table in word_tables(model, tokenizer, shown)],
        }

    trainer = Trainer(model, recipe.training, torch.bfloat16)
    seen = [look(0)]
    with tqdm(total=STEPS[-1], unit=" steps", file=sys.stderr) as bar:
        for step in trainer.steps(batches.forever()):
            bar.update()
            if step.number == STEPS[-1]:
                trainer.average.apply()
            if step.number in STEPS:
                seen.append(look(step.number))
    stored = load_course_translator().model.state_dict()
    same = all(torch.equal(x.half().float(), stored[name]) for name, x in model.state_dict().items())
    print(f"the weights are {'' if same else 'not '}those of the stored model", file=sys.stderr)
    pairs = [{"source": pair.source, "target": pair.target, "links": sorted(pair.alignment)} for pair in shown]
    growth = {"sentences": pairs, "steps": seen, "same_weights": same}
    write_whole(GROWTH, json.dumps(growth, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
