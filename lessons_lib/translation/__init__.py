"""Translation, in wings whose imports go one way: data ← search ← evaluation ← training ← deployment.

Answers and notebooks that learners kept import modules by the names that they had before there were wings: `OLD`.
"""

import sys

from lessons_lib.old_names import OldNames

OLD = {
    "corpus": "lessons_lib.translation.data.corpus",
    "grammar": "lessons_lib.translation.data.grammar",
    "language": "lessons_lib.translation.data.language",
    "language_check": "lessons_lib.translation.data.language_check",
    "cleaning": "lessons_lib.translation.data.cleaning",
    "batching": "lessons_lib.translation.data.batching",
    "pharaoh": "lessons_lib.translation.data.pharaoh",
    "prepared": "lessons_lib.translation.data.prepared",
    "textfile": "lessons_lib.translation.data.textfile",
    "wmt14": "lessons_lib.translation.data.wmt14",
    "wmt14_source": "lessons_lib.translation.data.wmt14_source",
    "tokenizer": "lessons_lib.translation.data.tokenizer",
    "sameness": "lessons_lib.translation.data.sameness",
    "decoding": "lessons_lib.translation.search.decoding",
    "constraints": "lessons_lib.translation.search.constraints",
    "sampling": "lessons_lib.translation.search.sampling",
    "uncached": "lessons_lib.translation.search.uncached",
    "beam_tree": "lessons_lib.translation.search.beam_tree",
    "translations": "lessons_lib.translation.search.translations",
    "translator": "lessons_lib.translation.search.translator",
    "model_folder": "lessons_lib.translation.search.model_folder",
    "bleu": "lessons_lib.translation.evaluation.bleu",
    "scoring": "lessons_lib.translation.evaluation.scoring",
    "alignment": "lessons_lib.translation.evaluation.alignment",
    "profiling": "lessons_lib.translation.evaluation.profiling",
    "diagnosis": "lessons_lib.translation.evaluation.diagnosis",
    "capstone": "lessons_lib.grading.final_report",
    "averaging": "lessons_lib.translation.training.averaging",
    "checkpoint": "lessons_lib.translation.training.checkpoint",
    "early_stopping": "lessons_lib.translation.training.early_stopping",
    "in_use": "lessons_lib.translation.training.in_use",
    "live_plot": "lessons_lib.translation.training.live_plot",
    "losses": "lessons_lib.translation.training.losses",
    "monitor": "lessons_lib.translation.training.monitor",
    "options": "lessons_lib.translation.training.options",
    "presets": "lessons_lib.translation.training.presets",
    "recipe": "lessons_lib.translation.training.recipe",
    "run": "lessons_lib.translation.training.resumable",
    "team": "lessons_lib.translation.training.team",
    "plain_training": "lessons_lib.translation.training.plain",
}

sys.meta_path.append(OldNames(__name__, OLD))
