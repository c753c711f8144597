"""The cheat sheet: its formulas give the numbers of the library, its shapes those of a real model."""

import re

import pytest
import torch

from lessons_lib.config import TransformerConfig
from lessons_lib.masks import causal_mask, padding_mask
from lessons_lib.transformer import Transformer
from tools.lesson_files import ROOT

TEXT = (ROOT / "book/cheat_sheet.md").read_text("utf8")


def formula(part: str) -> str:
    """The formula of the table's row, as Python."""
    found = re.search(rf"^\| {part} \| `(.+?)` \|", TEXT, re.MULTILINE)[1]
    return found.replace("·", "*").replace("²", "**2")


@pytest.mark.parametrize("sizes", [(8, 16, 11), (12, 20, 30)])
def test_parameters(sizes):
    d, f, v = sizes
    config = TransformerConfig(v, d_model=d, n_heads=2, n_encoder_layers=1, n_decoder_layers=1, d_ff=f)
    model = Transformer(config)
    encoder, decoder = model.encoder.layers[0], model.decoder.layers[0]
    parts = {
        "attention": encoder.attention,
        "feed-forward": encoder.feed_forward,
        "norm": model.encoder.norm,
        "encoder layer": encoder,
        "decoder layer": decoder,
    }
    for name, part in parts.items():
        expected = sum(p.numel() for p in part.parameters())
        assert eval(formula(name), {"D": d, "F": f, "V": v}) == expected, name
    whole = sum(
        eval(formula(name), {"D": d, "F": f, "V": v}) for name in ("encoder layer", "decoder layer", "embedding")
    )
    assert whole + 2 * eval(formula("norm"), {"D": d}) == sum(p.numel() for p in model.parameters())


def test_masks():
    tokens = torch.tensor([[5, 6, 7, 0], [5, 0, 0, 0]])
    rules = {
        name: rule.replace("\\|", "|")
        for name, rule in re.findall(r"^\| (\w+)[^|]* \| `(.+?)`[^|]*\|", TEXT, re.MULTILINE)
    }
    s, t = torch.arange(4)[None], torch.arange(4)[:, None]
    assert torch.equal(eval(rules["causal"], {"s": s, "t": t}), causal_mask(4))
    padding = eval(rules["padding"], {"tokens": tokens, "pad": 0})
    assert torch.equal(padding[:, None, None], padding_mask(tokens, 0))
    both = causal_mask(4) & padding_mask(tokens, 0)
    assert re.search(r"^\| both \|.*\| \(B, 1, T, T\) \|$", TEXT, re.MULTILINE)
    assert both.shape == (2, 1, 4, 4)


def test_every_lesson_it_names_is_in_the_course():
    toc = (ROOT / "_toc.yml").read_text("utf8")
    for lesson in {
        int(n) for group in re.findall(r"\((\d+(?:, \d+)*)\)(?: \||$)", TEXT, re.MULTILINE) for n in group.split(", ")
    }:
        assert f"notebooks/{lesson:02}_" in toc, lesson
