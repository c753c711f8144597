"""The cheat sheet: its formulas give the numbers of the library, its shapes those of a real model."""

import re

import pytest
import torch
import torch.nn.functional as F

from lessons_lib.config import TransformerConfig
from lessons_lib.families import weights_llama
from lessons_lib.feedforward import FeedForward
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


def test_the_gate_has_the_names_of_llama():
    """Sheet, exercise and loader agree on which of the course's matrices is which of the literature's."""
    row = re.search(r"^\| SwiGLU .*$", TEXT, re.MULTILINE)[0]
    assert r"(\operatorname{SiLU}(x W_{gate}) \odot x W_{up})\, W_{down}" in row
    named = {theirs: ours for ours, theirs in re.findall(r"`(\w+)` is \$W_\{(\w+)\}\$", row)}
    exercise = (ROOT / "solutions/07_feed_forward.py").read_text("utf8")
    assert named == dict(re.findall(r"^\| \$W_.*\| `(\w+)_proj` \| `self\.(\w+)` \|", exercise, re.MULTILINE))
    loader = (ROOT / weights_llama.__file__).read_text("utf8")
    assert named == dict(re.findall(r'"layers\.\*\.mlp\.(\w+)_proj": ".*feed_forward\.(\w+)"', loader))
    network, x = FeedForward(8, 12, "swiglu", bias=False), torch.randn(5, 8)
    gate, up, down = (getattr(network, named[name]).weight.T for name in ("gate", "up", "down"))
    torch.testing.assert_close((F.silu(x @ gate) * (x @ up)) @ down, network(x))


def test_every_lesson_it_names_is_in_the_course():
    toc = (ROOT / "_toc.yml").read_text("utf8")
    for lesson in {
        int(n) for group in re.findall(r"\((\d+(?:, \d+)*)\)(?: \||$)", TEXT, re.MULTILINE) for n in group.split(", ")
    }:
        assert f"notebooks/{lesson:02}_" in toc, lesson
