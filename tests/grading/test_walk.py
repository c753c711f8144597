"""Right answers of many forms, taken through all exercises: kept, translating, trained, saved, loaded, reported on."""

import linecache
import types
from pathlib import Path

import jupytext
import pytest
import torch
from test_parts import SOLVED

from lessons_lib.grading import final_report as capstone
from lessons_lib.grading import parts
from lessons_lib.grading.lesson_13 import drive as lesson_13
from lessons_lib.grading.notebook import Check
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.corpus import load_grammar
from tools.lesson_files import ROOT

TRAIN = "12_translation"
HEAD = """\
import functools, math, time
import torch
import torch.nn.functional as F
from torch import nn
PAD, BLANK = 0, 3
"""
ROOT_OF_WIDTH = '        self.register_buffer("root", torch.tensor((d_model // n_heads) ** 0.5))\n'
EMBEDDING = "        self.embedding = nn.Embedding(vocab_size, d_model)\n"
LOGITS = "return self.decoder_norm(x) @ self.embedding.weight.T"
TIED = "        self.output = nn.Linear(d_model, vocab_size, bias=False)\n"
HIDDEN = "        hidden = self.function(self.expand(x))"

# Edits of the course's own parts: for each form the part, the old text and the new.
FORMS = {
    "the course's own": [],
    "tied output": [
        ("EncoderDecoder", EMBEDDING, EMBEDDING + TIED + "        self.output.weight = self.embedding.weight\n"),
        ("EncoderDecoder", LOGITS, "return self.output(self.decoder_norm(x))"),
    ],
    "tied embedding, the output first": [
        ("EncoderDecoder", EMBEDDING, TIED + EMBEDDING + "        self.embedding.weight = self.output.weight\n"),
        ("EncoderDecoder", LOGITS, "return self.output(self.decoder_norm(x))"),
    ],
    "buffers": [
        (
            "EncoderDecoder",
            EMBEDDING,
            EMBEDDING + '        self.register_buffer("positions", sinusoidal_table(512, d_model))\n'
            '        self.register_buffer("scale", torch.tensor(d_model**0.5))\n',
        ),
        (
            "EncoderDecoder",
            "return self.embedding(tokens) * math.sqrt(self.d_model) + places",
            "return self.embedding(tokens) * self.scale + self.positions[: tokens.shape[1]]",
        ),
        (
            "MultiHeadAttention",
            "        self.n_heads = n_heads\n",
            "        self.n_heads = n_heads\n" + ROOT_OF_WIDTH,
        ),
        ("MultiHeadAttention", "math.sqrt(q.shape[-1])", "self.root"),
        (
            "LayerNorm",
            "        self.eps = eps\n",
            '        self.register_buffer("small", torch.tensor(eps, dtype=torch.float64))\n',
        ),
        ("LayerNorm", "variance + self.eps", "variance + self.small"),
    ],
    "a buffer that grows": [
        (
            "EncoderDecoder",
            "        x, mask = self.embed(tgt), causal_mask(tgt.shape[1]).to(tgt.device)\n",
            '        self.register_buffer("mask", causal_mask(tgt.shape[1]).to(tgt.device))\n'
            "        x, mask = self.embed(tgt), self.mask\n",
        ),
    ],
    "a list beside the layers": [
        (
            "FeedForward",
            "        self.contract = nn.Linear(width, d_model)\n",
            "        self.contract = nn.Linear(width, d_model)\n"
            "        self.both = nn.Sequential(self.expand, self.contract)\n",
        ),
        (
            "MultiHeadAttention",
            "        self.query, self.key, self.value, self.output = (\n"
            "            nn.Linear(d_model, d_model) for _ in range(4)\n        )\n",
            "        self.all = nn.ModuleList(nn.Linear(d_model, d_model) for _ in range(4))\n"
            "        self.query, self.key, self.value, self.output = self.all\n",
        ),
        (
            "Attention",
            "        self.value = nn.Linear(d_model, d_value)\n",
            "        self.value = nn.Linear(d_model, d_value)\n"
            "        self.all = nn.ModuleList([self.query, self.key, self.value])\n",
        ),
    ],
    "the embedding knows its padding, masks are remembered": [
        ("EncoderDecoder", "nn.Embedding(vocab_size, d_model)", "nn.Embedding(vocab_size, d_model, padding_idx=PAD)"),
        ("EncoderOnly", "nn.Embedding(vocab_size, d_model)", "nn.Embedding(vocab_size, d_model, padding_idx=PAD)"),
        ("causal_mask", "def causal_mask", "@functools.cache\ndef causal_mask"),
        ("sinusoidal_table", "def sinusoidal_table", "@functools.cache\ndef sinusoidal_table"),
    ],
    "other names for what is given": [
        (
            "EncoderDecoder",
            "vocab_size, d_model, n_heads, d_ff, n_layers):",
            "*sizes):\n        vocab_size, d_model, n_heads, d_ff, n_layers = sizes",
        ),
        (
            "FeedForward",
            'd_model, d_ff, activation="relu"):',
            'width, wide, activation="relu"):\n        d_model, d_ff = width, wide',
        ),
        (
            "greedy",
            "next_log_probabilities, eos_id, max_length):",
            "following, end, most):\n    next_log_probabilities, eos_id, max_length = following, end, most",
        ),
        ("beam_search", "beam, length_penalty):", "beams, power):\n    beam, length_penalty = beams, power"),
        (
            "training_step",
            "clip_norm, label_smoothing\n):",
            "norm, smooth\n):\n    clip_norm, label_smoothing = norm, smooth",
        ),
        ("capstone", "(translator, pairs):", "(machine, tests):\n    translator, pairs = machine, tests"),
    ],
}


def answers(form: str) -> dict[str, str]:
    """The text of each part, without the title of its cell."""
    texts = dict(SOLVED)
    for name, old, new in FORMS[form]:
        assert texts[name].count(old) == 1, (form, name, old)
        texts[name] = texts[name].replace(old, new)
    return texts


def cell(text: str, name: str, space: dict) -> None:
    """Run a cell as a notebook does: its text is there for who asks."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), space)


def cell_of_exercise_12(title: str) -> str:
    cells = jupytext.read(ROOT / f"solutions/{TRAIN}.py", fmt="py:percent").cells
    return next(each.source for each in cells if each.metadata.get("title") == title)


@pytest.mark.parametrize("form", FORMS)
def test_full_marks_are_no_dead_end(form, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    texts, check = answers(form), Check()
    lessons = {path.stem[:2]: path.stem for path in sorted((ROOT / "solutions").glob("*.py"))}
    changed = {name for name, *_ in FORMS[form]} or set(texts)
    for number, lesson in lessons.items():
        mine = [name for name, where in parts.known().items() if where == number]
        if not changed & set(mine) or lesson.startswith("13"):
            continue
        check.open(lesson)
        space = {"__name__": "__main__"}
        cell(HEAD, f"<{form} head>", space)
        asked = [each for each, where in parts.known().items() if where != number]
        space |= dict(zip(asked, [part for part, _ in parts.take(asked)], strict=True))
        for name in mine:
            cell(texts[name], f"<{form} {name}>", space)
        capsys.readouterr()
        check.keep(namespace=space)  # what has all its points
        said = capsys.readouterr().out.splitlines()
        assert all(line.endswith(": kept in my_translator.py") for line in said), said

    sentence = "The tired girls have not eaten the red apples."
    check.translate(sentence)
    [right] = load_course_translator("cpu").translate([sentence])
    assert capsys.readouterr().out.splitlines()[0] == right.text

    model, tokenizer, _, space = trained(check)
    translator, whose = capstone.find_translator()
    assert whose.startswith("your own translator")
    src, tgt = torch.randint(3, 4000, (3, 7)), torch.randint(3, 4000, (3, 9))
    src[1, 5:] = 0
    with torch.no_grad():
        torch.testing.assert_close(translator.model.cpu()(src, tgt), model.cpu()(src, tgt), rtol=1e-4, atol=1e-4)
    assert isinstance(space["translate"](model, tokenizer, "Sleep!", beam=4), str)
    space = {"__name__": "__main__"}
    for name in ("bleu", "links", "alignment_error_rate", "capstone"):
        cell(texts[name], f"<{form} {name}>", space)
    pairs = lesson_13.pairs_of(lesson_13.make_test_set(0))[:3]
    said = capstone.write_report("runs/capstone.md", space["capstone"], translator, pairs, whose, parts.owners())
    assert said == "runs/capstone.md: written, on 3 sentences."
    assert "| `LayerNorm` |" in Path("runs/capstone.md").read_text("utf8")


def trained(check: Check) -> tuple:
    """What exercise 12's own cell makes in a moment, on a small part of its corpus."""
    space: dict = {"__name__": "__main__"}
    exec(cell_of_exercise_12("setup"), space)
    check.open(TRAIN)
    own = load_grammar(seed=0, n_train=300, n_valid=0, n_test=2)
    tokenizer = load_course_translator("cpu").tokenizer
    space |= {"check": check, "load_grammar": lambda seed: own}
    space["Tokenizer"] = types.SimpleNamespace(train=lambda texts, vocab_size: tokenizer)
    names = ("greedy", "beam_search", "training_step")
    space |= dict(zip(names, [each for each, _ in parts.take(names)], strict=True))
    exec(cell_of_exercise_12("train"), space)
    return *space["train_my_translator"](0.005), space
