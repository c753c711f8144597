"""The last step of the course: the learner's own translator, what it looked at at each step, and its report."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from lessons_lib.device import describe
from lessons_lib.translation.alignment import cross_attention, word_weights
from lessons_lib.translation.corpus import Pair
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.model_folder import NEEDED
from lessons_lib.translation.translator import Translator

FOLDERS = (Path("runs/mine"), Path("../runs/mine"))  # from the root of the checkout, and from the exercises
STEPS = Float[np.ndarray, "H _ _"]


def find_translator(
    folders: Sequence[Path] = FOLDERS, device: str | torch.device | None = None
) -> tuple[Translator, str]:
    """The first of the folders that holds a model; without any, the course's own. And a sentence that says which."""
    for folder in folders:
        if all((Path(folder) / name).is_file() for name in NEEDED):
            return Translator.load(folder, device), f"your own translator, from {Path(folder).as_posix()}"
    return load_course_translator(device), "the course's translator: yours was not found in runs/mine"


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
    return [*word_ids[:-1], len(text.split())]


def write_report(
    path: Path, capstone: Callable[[list[Pair]], Mapping[str, Any]], pairs: Sequence[Pair], whose: str, parts: str = ""
) -> str:
    """Run the report on a test set and write it as Markdown; what to tell the learner.

    Args:
        whose: which translator it is about, from `find_translator`.
        parts: which parts of the course are the learner's own, a paragraph or a table.
    Raises:
        OSError: the file cannot be written.
    """
    try:
        report = capstone(list(pairs))
    except NotImplementedError:
        return "Answer question 3 first: there is nothing to report yet."
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(report_text(report, pairs, whose, parts), "utf-8")
    os.replace(temporary, path)
    return f"{path.as_posix()}: written, on {len(pairs)} sentences, about {whose.partition(':')[0].partition(',')[0]}."


def report_text(report: Mapping[str, Any], pairs: Sequence[Pair], whose: str, parts: str = "") -> str:
    """The report of the exercise as Markdown: scores, significance, alignment, time, failures, ten wrong sentences."""
    lower, better = report["bleu_greedy"], report["bleu_beam"]
    shown = "significant at 5 %" if report["p"] < 0.05 else "not significant at 5 %"
    lines = [
        "# Capstone report",
        "",
        f"Translator: {whose}. Test: {len(pairs)} sentences that training never saw.",
        f"Machine: {describe(torch.device('cuda' if torch.cuda.is_available() else 'cpu'))}.",
        *(["", parts] if parts else []),
        "",
        "| | greedy | beam of 4 |",
        "|---|---|---|",
        f"| BLEU | {lower:.2f} | {better:.2f} |",
        f"| seconds | {report['seconds_greedy']:.2f} | {report['seconds_beam']:.2f} |",
        "",
        f"The beam gives {better - lower:+.2f} BLEU, p = {report['p']:.3f} by the paired bootstrap: {shown}.",
        f"Alignment error rate at the step that writes the word: {report['aer']:.3f}.",
        f"BLEU above 15: {'yes' if min(lower, better) > 15 else 'no'}.",
        "",
        "## Failures of greedy search",
        "",
        "| kind | sentences |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in sorted(report["failures"].items(), key=lambda item: -item[1])),
        "",
        "## Ten sentences that differ from their reference",
        "",
    ]
    wrong = [(p, text) for p, text in zip(pairs, report["greedy"], strict=True) if text != p.target]
    for pair, text in wrong[:10]:
        lines += [f"- {pair.source}", f"  - reference: {pair.target}", f"  - greedy: {text}"]
    return "\n".join(lines) + "\n"
