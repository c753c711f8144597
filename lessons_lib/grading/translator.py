"""The learner's translator: their kept parts, the course's where one is missing, with weights that were trained."""

import re
from typing import Any

import torch

from lessons_lib.grading.drive.modules import fill
from lessons_lib.grading.drive.question import Trouble
from lessons_lib.grading.errors import PartError

LONGEST = 60  # pieces of a translation


def translate(space: dict[str, Any], sentence: str) -> str:
    """A French sentence, greedily, by the parts in `space`, with the weights of the course's translator.

    Raises:
        PartError: the parts do not work together.
    """
    from lessons_lib.translation.course_model import load_course_translator

    course = load_course_translator("cpu")
    c, tokenizer = course.model.config, course.tokenizer
    renamed = {
        re.sub(r"(encoder|decoder)\.", r"\1_", name).replace("_residual.norm", "_norm"): weights
        for name, weights in course.model.state_dict().items()
    }
    src = torch.tensor([[*tokenizer.encode(sentence), tokenizer.eos_id]])
    tgt = torch.tensor([[tokenizer.bos_id]])
    try:
        model = space["EncoderDecoder"](c.vocab_size, c.d_model, c.n_heads, c.d_ff, c.n_encoder_layers)
        fill(model, renamed)
        model.eval()
        with torch.no_grad():
            while tgt[0, -1] != tokenizer.eos_id and tgt.shape[1] < LONGEST:
                tgt = torch.cat([tgt, model(src, tgt)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    except Trouble as trouble:
        raise PartError(f"the parts do not work together: {trouble}") from None
    except Exception as error:  # whatever the learner's code raises
        raise PartError(f"the parts do not work together: {type(error).__name__}: {error}") from None
    return tokenizer.decode(tgt[0].tolist())
