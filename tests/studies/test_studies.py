"""Stored studies are of the present code, their cards say their numbers, and an unknown one is named."""

import pytest
import torch
from torch import nn

from lessons_lib import studies
from lessons_lib.studies import first_letter, layer_versions, norm_pairs, phone_book, residual_paths
from lessons_lib.studies._card import card
from lessons_lib.studies._thin_translators import thin
from lessons_lib.translation.data.corpus import load_grammar
from tools.lesson_files import ROOT


@pytest.mark.parametrize("name", studies.names())
def test_the_numbers_are_those_of_the_present_code(name):
    study = studies.load(name)
    assert study.made["program"] == studies.program(name), f"run: python -m lessons_lib.studies {name}"
    assert study.seeds == list(studies.module(name).SEEDS)
    assert len(study.seeds) >= 3
    assert all(len(values) == len(study.seeds) for values in study.results.values())


@pytest.mark.parametrize("name", studies.names())
def test_the_card_says_what_was_measured(name):
    study = studies.load(name)
    assert set(study.verdicts.values()) <= {"true", "false", "open"}
    assert (studies.FOLDER / f"{name}.md").read_text("utf8") == card(study)


def test_an_unknown_study_is_named():
    with pytest.raises(ValueError, match="no study 'nothing'"):
        studies.load("nothing")


def test_what_lesson_5_says_of_the_start():
    """PyTorch's matrices are smaller than Xavier's, from which the lesson's stacks and lesson 6's translators start."""
    speller = residual_paths.Speller("residual without norm")
    matrices = [layer.weight for layer in speller.modules() if isinstance(layer, nn.Linear)]
    assert all(nn.init.xavier_uniform_(matrix.clone()).std() > 1.2 * matrix.std() for matrix in matrices)
    attention = thin(1).encoder.layers[0].attention.query.weight
    assert attention.std().item() == pytest.approx(nn.init.xavier_uniform_(attention.clone()).std().item(), rel=0.1)


def test_what_lesson_6_says_of_the_rates_and_lesson_7_of_the():
    """Both norms learn best at the highest rate; *the* is a French word of its own, or stands in one with its noun."""
    study = studies.load("norm_pairs")
    assert {norm_pairs.best(study, norm) for norm in ("LayerNorm", "RMSNorm")} == {"LayerNorm 0.02", "RMSNorm 0.02"}
    assert max(norm_pairs.RATES) == 0.02
    train = layer_versions.word_by_word(load_grammar(seed=0, n_train=2_000, n_valid=0, n_test=0).train)
    partners = {
        partner for words, answers in train for word, partner in zip(words, answers, strict=True) if word == "the"
    }
    assert partners >= {"le", "la", "les", "du", "l'homme"}
    assert "l'" not in partners


def gradient_a_step(layer: torch.nn.LSTM, length: int = 41) -> float:
    """By what factor the gradient of the last output shrinks a step, between 10 and 40 steps back."""
    x = torch.randn(16, length, layer.input_size, requires_grad=True)
    last = layer(x)[0][:, -1]
    (gradient,) = torch.autograd.grad((last * torch.randn_like(last)).sum(), x)
    size = gradient.norm(dim=-1).mean(0).flip(0)
    return ((size[40] / size[10]) ** (1 / 30)).item()


@pytest.mark.parametrize("seed", range(3))
def test_an_lstm_passes_gradient_by_its_output_too_as_lesson_1_says(seed):
    torch.manual_seed(seed)
    layer = phone_book.lstm(64)
    whole = gradient_a_step(layer)
    torch.nn.init.zeros_(layer.weight_hh_l0)  # cuts the way through the output; the forget gate's is left
    assert gradient_a_step(layer) == pytest.approx(0.5, abs=0.05)
    assert whole > 0.55


def test_lesson_1_says_how_often_a_guess_at_the_first_letter_is_right():
    text = (ROOT / "notebooks" / "01_self_attention.py").read_text("utf8")
    assert f"one of {first_letter.LETTERS} (a guess is right in {1 / first_letter.LETTERS:.2f})" in text
