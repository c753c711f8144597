"""Whether an exported model says what ours says."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.tokenizer import Tokenizer, plain
from lessons_lib.translation.search.decoding import output_limit
from lessons_lib.translation.search.translator import Translator

REQUIRED = 0.99  # the rest: two tokens whose scores differ by less than what fp32 can tell apart


class Disagreement(Exception):
    """Too few sentences are identical."""


@dataclass(frozen=True)
class Agreement:
    """How many of the sentences an exported model translates exactly as ours does, with so many beams."""

    beam: int
    sentences: int
    identical: int

    @property
    def share(self) -> float:
        """Of the sentences, between 0 and 1."""
        return self.identical / self.sentences

    def to_dict(self) -> dict:
        """A dictionary that JSON can hold."""
        return asdict(self) | {"share": self.share}


def checkable(translator: Translator, texts: Sequence[str]) -> list[str]:
    """The sentences that a check can translate: not blank, and not too long; stderr says how many are too long.

    Raises:
        ValueError: there is none.
    """
    filled = [plain(text) for text in texts if text.strip()]
    too_long = translator.too_long(filled)
    if not filled:
        raise UserError("there is no sentence to check with; give a file with one sentence a line")
    if len(too_long) == len(filled):
        raise UserError(
            f"each sentence to check with is too long: this model reads at most {translator.longest} tokens"
        )
    if too_long:
        print(
            f"lessons: {len(too_long)} sentences are too long for this model, and left out of the check",
            file=sys.stderr,
        )
    return [text for i, text in enumerate(filled) if i not in too_long]


def check_export(
    kind: str, folder: Path, model: Transformer, tokenizer: Tokenizer, texts: Sequence[str]
) -> list[Agreement]:
    """Translate ``texts`` with ours and with the export in ``folder``: greedy, and for CTranslate2 with 4 beams too.

    Beams are compared without a length penalty, since CTranslate2 divides by the length, and ours by a function of it.

    Raises:
        ValueError: see `checkable`.
    """
    ours, theirs = Translator(model, tokenizer), _translator(kind, folder)
    texts = checkable(ours, texts)
    limits = [output_limit(model.config, len(ids) + 1) for ids in tokenizer.encode_all(texts)]
    found = []
    for beam in (1, 4) if kind == "ctranslate2" else (1,):
        expected = [one.text for one in ours.translate(texts, beam, attention=False, length_penalty=0)]
        options = {"beam": beam} if beam > 1 else {}
        pairs = zip(expected, theirs.translate(texts, limits, **options), strict=True)
        found.append(Agreement(beam, len(texts), sum(a == b for a, b in pairs)))
    return found


def _translator(kind: str, folder: Path):
    if kind == "ctranslate2":
        from lessons_lib.translation.deployment.ctranslate2 import CTranslate2Translator as Engine
    else:
        from lessons_lib.translation.deployment.onnx import OnnxTranslator as Engine
    return Engine(folder)
