"""Lesson 12's checks: references that are the library's and PyTorch's, and inputs that tell the mistakes apart."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from alike import alike
from safetensors.torch import load_file
from torch import nn

from lessons_lib.config import TransformerConfig
from lessons_lib.grading.judge.compare import close
from lessons_lib.grading.lesson_12 import drive, judge, mistakes
from lessons_lib.transformer import Transformer
from lessons_lib.translation.search.decoding import greedy, n_best
from tools.make_exercises import SOLUTIONS

LESSON = "12_translation"
SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_named_mistakes_can_be_told_apart(seed):
    inputs = drive.make_searches(seed)
    for calls, right, wrong, equal in (
        (drive.greedy_cases(inputs), mistakes.greedy, mistakes.WRONG_GREEDY, mistakes.WRONG_EQUAL_GREEDY),
        (drive.beam_cases(inputs), mistakes.beam_search, mistakes.WRONG_BEAMS, mistakes.WRONG_EQUAL_BEAMS),
    ):
        for name, versions in (("plain", wrong), ("equal", equal)):
            made = [judge.flat(calls[name], version) for version in (right, *(version for _, version in versions))]
            assert alike(made, 1e-3) == []
    steps = drive.step_cases(drive.make_batches(seed))
    for name, versions in (("free", mistakes.WRONG_STEPS), ("clipped", mistakes.WRONG_CLIPS)):
        made = [mistakes.train(*steps[name]), *(version(*steps[name]) for _, version in versions)]
        assert alike(made, 1e-3) == []


class Tabulated(Transformer):
    """A stand-in for a model, for the library's searches: its log-probabilities are those of a table."""

    def __init__(self, search: drive.Search):
        nn.Module.__init__(self)
        self.search = search
        self.config = TransformerConfig(
            drive.VOCABULARY + 5,
            d_model=8,
            n_heads=1,
            max_length=search.max_length,
            eos_id=search.eos_id,
            bos_id=6,
            pad_id=7,
        )

    def encode(self, src):
        return src

    def new_cache(self, memory, limit):
        self.written = None
        return self

    def reorder(self, rows, beam=1):
        self.written = [[] for _ in rows] if self.written is None else [list(self.written[row]) for row in rows]

    def decode_step(self, tokens, cache, mask):
        self.written = self.written or [[] for _ in tokens]
        for row, token in zip(self.written, tokens[:, 0].tolist(), strict=True):
            row += [] if token == self.config.bos_id else [token]
        logs = torch.full((len(tokens), self.config.vocab_size), -1e4)  # the other tokens are out of the question
        for row, written in enumerate(self.written):
            logs[row, : drive.VOCABULARY] = torch.from_numpy(self.search.after(written))
        return logs


@pytest.mark.parametrize("seed", SEEDS)
def test_the_references_are_the_librarys_searches(seed):
    inputs = drive.make_searches(seed)
    source = torch.tensor([[8]])
    for search in drive.greedy_cases(inputs)["plain"][:20]:
        tokens, total = mistakes.greedy(search)
        (found,) = greedy(Tabulated(search), source)
        assert (found.tokens, found.log_probability) == (tokens, pytest.approx(total, abs=1e-4))
    calls = drive.beam_cases(inputs)
    for search in [*calls["plain"][:20], *calls["plain"][-20:], *calls["penalties"][:20], *calls["short"][:10]]:
        tokens, total = mistakes.beam_search(search)
        found = n_best(Tabulated(search), source, search.beam, search.length_penalty)[0][0]
        assert (found.tokens, found.log_probability) == (tokens, pytest.approx(total, abs=1e-4))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reference_of_a_step_is_pytorchs(seed):
    for inputs, clip_norm, smoothing in drive.step_cases(drive.make_batches(seed)).values():
        bos_id, pad_id = inputs["ids"].tolist()
        model = drive.Tiny(inputs).double()
        optimizer = torch.optim.SGD(model.parameters(), lr=drive.LEARNING_RATE)
        losses, weights = [], []
        for src, tgt in zip(torch.from_numpy(inputs["src"]), torch.from_numpy(inputs["tgt"]), strict=True):
            optimizer.zero_grad()
            logits = model(src, F.pad(tgt, (1, -1), value=bos_id))
            loss = F.cross_entropy(logits.transpose(1, 2), tgt, ignore_index=pad_id, label_smoothing=smoothing)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            optimizer.step()
            losses.append(loss.item())
            weights += [parameter.detach().numpy().ravel().copy() for parameter in model.parameters()]
        np.testing.assert_allclose(
            mistakes.train(inputs, clip_norm, smoothing), np.concatenate([losses, *weights]), atol=1e-9
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_inputs_hold_what_the_mistakes_trip_over(seed):
    inputs = drive.make_batches(seed)
    bos_id, pad_id = inputs["ids"].tolist()
    tgt = inputs["tgt"]
    assert 0 not in (bos_id, pad_id)
    assert (tgt == 0).any()
    real = (tgt != pad_id).sum(axis=-1)
    assert real.max() == tgt.shape[-1] > real.min()
    free, clipped = (mistakes.train(*drive.step_cases(inputs)[name]) for name in ("free", "clipped"))
    assert not close(free, clipped)  # the short limit is reached, the long one is not
    assert close(free, mistakes.train(inputs, 1e9, 0.1))


def test_your_own_translator_is_trained_saved_and_translates(tmp_path):
    """The last part of the exercise, for a few seconds, with the parts of the course."""
    text = (SOLUTIONS / f"{LESSON}.py").read_text("utf8")
    assert text.count("\nMINUTES = 0 ") == 1
    assert text.count("    return loss.detach()\n") == 1
    text = text.replace("    return loss.detach()\n", "    return loss\n")  # with its graph, PyTorch may warn
    (tmp_path / "exercise.py").write_text(text.replace("\nMINUTES = 0 ", "\nMINUTES = 0.05 "), "utf8")
    command = [sys.executable, "exercise.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "my_translator" / "translator.json").read_text("utf8"))
    said = rf"^{made['steps']} steps, BLEU \d+\.\d on 100 unseen sentences; saved to my_translator$"
    assert re.search(said, done.stdout, re.MULTILINE)
    assert re.search(r"^400 steps are enough for 15: set MINUTES to \d+, and run", done.stdout, re.MULTILINE)
    assert "Warning" not in done.stderr
    weights = load_file(tmp_path / "my_translator" / "model.safetensors")
    assert made["steps"] > 0
    assert weights["embedding.weight"].shape == (made["sizes"]["vocab_size"], made["sizes"]["d_model"])
    assert (tmp_path / "my_translator" / "tokenizer.json").exists()
