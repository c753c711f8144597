"""The last step of the course: the learner's own translator, what it looked at at each step, and its report."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file

from lessons_lib.device import pick_device
from lessons_lib.errors import UserError
from lessons_lib.files import write_whole
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.tokenizer import Tokenizer, split_words
from lessons_lib.translation.search.attention_weights import cross_attention, word_weights
from lessons_lib.translation.search.model_folder import NEEDED, TOKENIZER, WEIGHTS
from lessons_lib.translation.search.translator import Translator

# Where exercise 12 leaves a translator, and where `lessons train` was told to, seen from the checkout or an exercise.
FOLDERS = (Path("my_translator"), Path("runs/mine"), Path("../runs/mine"))
MADE_IN_EXERCISE = ("translator.json", WEIGHTS, TOKENIZER)
STEPS = Float[np.ndarray, "H _ _"]


def find_translator(
    folders: Sequence[Path] = FOLDERS, device: str | torch.device | None = None
) -> tuple[Translator, str]:
    """The learner's own translator, from the first folder that holds one; else the course's. And words for which it is.

    Raises:
        ValueError: a folder holds a damaged model.
    """
    for folder in map(Path, folders):
        if all((folder / name).is_file() for name in MADE_IN_EXERCISE):
            return load_exercise(folder, device)
        if all((folder / name).is_file() for name in NEEDED):
            return Translator.load(folder, device), f"your own translator, from {folder.as_posix()}"
    return load_course_translator(device), "the course's translator: yours was not found in the folder my_translator"


def load_exercise(folder: Path, device: str | torch.device | None = None) -> tuple[Translator, str]:
    """What exercise 12 saved: the weights of the learner's `EncoderDecoder`, in the library's modules of its shape.

    The two compute the same (a test compares them); the library's has a cache and can show its attention.

    Raises:
        ValueError: the weights do not fit the sizes.
    """
    made = json.loads((folder / "translator.json").read_text("utf8"))
    sizes = dict(made["sizes"])
    layers = sizes.pop("n_layers")
    model = Transformer(TransformerConfig(**sizes, n_encoder_layers=layers, n_decoder_layers=layers, dropout=0.0))
    try:
        model.load_state_dict(_without_second_names(load_file(folder / WEIGHTS), model.state_dict()))
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{folder / WEIGHTS} does not fit translator.json ({reason[:80]}); train again") from None
    place = device if isinstance(device, torch.device) else pick_device(device)
    translator = Translator(model.to(place).eval(), Tokenizer.load(folder / TOKENIZER))
    return translator, f"your own translator, from {folder.as_posix()} ({made['steps']:,} steps of training)"


def _without_second_names(
    saved: Mapping[str, torch.Tensor], due: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The weights by the library's names. A learner's module may hold one of them under a second name as well."""
    named = {_library_name(name): x for name, x in saved.items()}
    known = [named[name] for name in due if name in named]
    return {name: x for name, x in named.items() if name in due or not any(torch.equal(x, one) for one in known)}


def _library_name(name: str) -> str:
    """`encoder_layers.0.attention_norm.gamma` is `encoder.layers.0.attention_residual.norm.gamma` in the library."""
    name = re.sub(r"^(encoder|decoder)_", r"\1.", name)
    return re.sub(r"(attention|feed_forward)_norm\.", r"\1_residual.norm.", name)


def decoder_steps(translator: Translator, pairs: Sequence[Pair]) -> list[STEPS]:
    """What each head of the last layer looked at, step by step: (H, T + 1, S + 1) for each pair, between words.

    Step 0 has read ``<s>`` and writes word 0 of the target; step t has read the words before t and writes word t; the
    last step writes ``</s>``. The columns are the words of the source and, last, its ``</s>``.
    """
    tokenizer = translator.tokenizer
    sides = [
        [[*ids, tokenizer.eos_id] for ids in tokenizer.encode_all(pair[side] for pair in pairs)] for side in (0, 1)
    ]
    found = []
    for weights, src, tgt, pair in zip(cross_attention(translator.model, *sides), *sides, pairs, strict=True):
        words = [_with_end(tokenizer.word_ids(ids), text) for ids, text in ((src, pair.source), (tgt, pair.target))]
        found.append(np.stack([word_weights(head, *words) for head in weights[-1].numpy()]))
    return found


def _with_end(word_ids: Sequence[int | None], text: str) -> list[int | None]:
    """``</s>`` as a word of its own, behind the others."""
    return [*word_ids[:-1], len(split_words(text))]


Capstone = Callable[[Translator, list[Pair]], Mapping[str, Any]]


def write_report(
    path: str | Path,
    capstone: Capstone,
    translator: Translator,
    pairs: Sequence[Pair],
    whose: str,
    owners: Mapping[str, bool] | None = None,
) -> str:
    """Run the report of exercise 13 on a test set and write it as Markdown; what to tell the learner.

    Args:
        whose: which translator it is about, from `find_translator`.
        owners: the parts of the course, and whether each is the learner's own.
    Raises:
        OSError: the file cannot be written.
    """
    try:
        report = capstone(translator, list(pairs))
    except NotImplementedError:
        return "No report yet: answer question 3 first."
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, report_text(report, pairs, whose, owners or {}))
    return f"{path.as_posix()}: written, on {len(pairs)} sentences."


def report_text(report: Mapping[str, Any], pairs: Sequence[Pair], whose: str, owners: Mapping[str, bool]) -> str:
    """Scores, significance, alignment, time, failures, ten wrong sentences, and whose parts they are, as Markdown."""
    lower, better = report["bleu_greedy"], report["bleu_beam"]
    # Doubled: sacreBLEU's p counts one direction.
    shown = "significant at 5 %" if 2 * report["p"] < 0.05 else "not significant at 5 %"
    lines = [
        "# Capstone report",
        "",
        f"Translator: {whose}. Test: {len(pairs)} sentences that training never saw.",
        "",
        "| | greedy | beam of 4 |",
        "|---|---|---|",
        f"| BLEU | {lower:.2f} | {better:.2f} |",
        f"| seconds | {report['seconds_greedy']:.2f} | {report['seconds_beam']:.2f} |",
        "",
        f"- BLEU above 15: {'yes' if min(lower, better) > 15 else 'no'}.",
        f"- The beam gives {better - lower:+.2f} BLEU, p = {report['p']:.3f} by paired bootstrap; doubled, {shown}. "
        "(Double sacreBLEU's p alone: the lesson's counts both directions already.)",
        f"- Alignment error rate at the step that writes the word: {report['aer']:.3f}.",
        "",
        "## Failures of greedy search",
        "",
        "| kind | sentences |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in sorted(report["failures"].items(), key=lambda item: -item[1])),
        "",
        "## Up to ten sentences that differ from their reference",
        "",
    ]
    wrong = [(pair, text) for pair, text in zip(pairs, report["greedy"], strict=True) if text != pair.target]
    for pair, text in wrong[:10]:
        lines += [f"- {pair.source}", f"  - reference: {pair.target}", f"  - greedy: {text}"]
    if owners:
        lines += ["", "## Whose parts", "", "| part | whose |", "|---|---|"]
        lines += [f"| `{name}` | {'yours' if mine else 'the course'} |" for name, mine in owners.items()]
    return "\n".join(lines) + "\n"
