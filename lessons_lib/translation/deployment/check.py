"""Whether an exported model says what ours says."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lessons_lib.errors import UserError
from lessons_lib.transformer import Transformer
from lessons_lib.translation.decoding import output_limit
from lessons_lib.translation.tokenizer import Tokenizer
from lessons_lib.translation.translator import Translator

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


def check_export(
    kind: str, folder: Path, model: Transformer, tokenizer: Tokenizer, texts: Sequence[str]
) -> list[Agreement]:
    """Translate ``texts`` with ours and with the export in ``folder``: greedy, and for CTranslate2 with 4 beams too.

    Beams are compared without a length penalty, since CTranslate2 divides by the length, and ours by a function of it.

    Raises:
        ValueError: there is no text, or one is too long for the model.
    """
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise UserError("there is no sentence to check with; give a file with one sentence a line")
    ours, theirs = Translator(model, tokenizer), _translator(kind, folder)
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
