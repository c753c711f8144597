"""`lessons export`: what CTranslate2 and ONNX Runtime say is what ours says, and a folder is whole or not there."""

import json
import sys
from pathlib import Path

import ctranslate2
import pytest
import tokenizers
import torch
from toy import toy_corpus, toy_model, toy_translator

from lessons_lib.cli import main
from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.norms import NORMS
from lessons_lib.positions import POSITIONS
from lessons_lib.translation.deployment import check, web
from lessons_lib.translation.deployment import ctranslate2 as for_ctranslate2
from lessons_lib.translation.deployment import onnx as for_onnx
from lessons_lib.translation.deployment.check import check_export
from lessons_lib.translation.deployment.ctranslate2 import FILES, CTranslate2Translator, write_ctranslate2
from lessons_lib.translation.deployment.onnx import OnnxTranslator, write_onnx_model
from lessons_lib.translation.deployment.support import refuse_unknown
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.widgets import sizes

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

COMMAND = "export"
TEXTS = [pair.source for pair in toy_corpus().test + toy_corpus().valid + toy_corpus().train[:160]]
CHOICES = [
    {"norm": "post", "activation": "gelu", "tied": False, "scaled": False},
    {"positions": "rope", "norm_type": "rms", "activation": "swiglu", "n_heads": 4, "n_kv_heads": 2, "bias": "none"},
    {"positions": "learned", "activation": "geglu", "d_head": 6, "bias": "qkv", "norm_eps": 1e-2},
    {"positions": "sinusoidal_halves", "activation": "silu", "embedding_norm": True},
    {"positions": "none", "activation": "gelu_tanh", "n_heads": 4, "n_kv_heads": 1},
]


@pytest.mark.parametrize(("to", "beams"), [("ctranslate2", [1, 4]), ("onnx", [1])])
def test_an_export_translates_as_ours_does(model, sentences, tmp_path, capsys, to, beams):
    out = tmp_path / "out"
    assert main(["export", "--model", model, "--to", to, "--out", str(out), "--check", sentences, "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    assert [one["beam"] for one in found["checks"]] == beams
    assert all(one["sentences"] == 200 and one["share"] >= 0.99 for one in found["checks"])
    assert found["written"]
    assert found["bytes"] == sum(path.stat().st_size for path in out.iterdir())
    engine = CTranslate2Translator(out) if to == "ctranslate2" else OnnxTranslator(out)
    test = toy_corpus().test
    right = sum(a == pair.target for a, pair in zip(engine.translate(TEXTS[:20], limits=[24] * 20), test, strict=True))
    assert right >= 18


@pytest.mark.parametrize("choices", CHOICES)
def test_ctranslate2_computes_the_models_probabilities(choices, tmp_path):
    model, tokenizer = toy_model(**choices)
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    write_ctranslate2(model, tokenizer, tmp_path)
    pieces, pair = tokenizer.vocabulary, toy_corpus().test[0]
    src, tgt = (tokenizer.encode(text) for text in pair[:2])
    scored = CTranslate2Translator(tmp_path).engine.score_batch([[pieces[i] for i in src]], [[pieces[i] for i in tgt]])
    logits = model(torch.tensor([[*src, 2]]), torch.tensor([[1, *tgt]]))
    expected = logits.log_softmax(-1)[0].gather(1, torch.tensor([[*tgt, 2]]).T)[:, 0]
    torch.testing.assert_close(torch.tensor(scored[0].log_probs), expected, rtol=1e-4, atol=1e-4)


def test_onnx_with_shared_heads_and_rope(tmp_path):
    model, tokenizer = toy_model(**CHOICES[1])
    write_onnx_model(model, tokenizer, tmp_path)
    (found,) = check_export("onnx", tmp_path, model, tokenizer, TEXTS[:20])
    assert found.share >= 0.99


def test_ctranslate2_as_its_own_users_call_it(tmp_path):
    """The recipe of `lessons export --help`: two libraries, none of ours."""
    translator = toy_translator()
    write_ctranslate2(translator.model, translator.tokenizer, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    encode = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode
    sources = [encode(" " + text).tokens for text in TEXTS[:20]]
    found = ctranslate2.Translator(str(tmp_path)).translate_batch(sources, beam_size=1)
    ours = translator.translate(TEXTS[:20], attention=False)
    assert ["".join(one.hypotheses[0]).removeprefix(" ") for one in found] == [one.text for one in ours]


@pytest.mark.parametrize("positions", ["alibi", "relative", "t5"])
def test_what_ctranslate2_cannot_express_is_named_and_nothing_is_left(positions, tmp_path, fails):
    save_model(tmp_path, *toy_model(positions=positions))
    out = tmp_path / "out"
    error = fails("--model", str(tmp_path), "--to", "ctranslate2", "--out", str(out))
    assert f"positions='{positions}' cannot be written for CTranslate2; it can have sinusoidal" in error
    assert not out.exists()


def test_an_export_that_says_something_else_is_not_written(model, sentences, tmp_path, capsys, monkeypatch):
    class Mute(CTranslate2Translator):
        def translate(self, texts, limits, beam=1):
            return ["" if text == TEXTS[0] else "le chat" for text in texts]

    monkeypatch.setattr(check, "_translator", lambda kind, folder: Mute(folder))
    out = tmp_path / "out"
    arguments = ["export", "--model", model, "--to", "ctranslate2", "--out", str(out), "--check", sentences]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert "greedy: 0 of 200 sentences identical (0.0%)" in printed.out
    assert printed.err == f"lessons: fewer than 99% identical; nothing is written to {out}\n"
    assert not out.exists()
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["written"] is False


def test_a_folder_is_replaced_only_when_asked_for(model, tmp_path, fails, capsys):
    out = tmp_path / "out"
    arguments = ["--model", model, "--to", "ctranslate2", "--out", str(out)]
    assert main(["export", *arguments]) == 0
    assert "unchecked: add --check FILE" in capsys.readouterr().out
    assert "already holds an export to ctranslate2; give another folder, or --overwrite" in fails(*arguments)
    assert main(["export", *arguments, "--overwrite"]) == 0
    (out / "mine.txt").touch()
    capsys.readouterr()
    assert "holds mine.txt, which is not part of an export" in fails(*arguments, "--overwrite")
    assert "is what this command reads" in fails("--model", model, "--to", "onnx", "--out", model)


def test_errors_before_anything_is_written(model, sentences, tmp_path, fails, monkeypatch):
    out = tmp_path / "out"
    arguments = ["--to", "ctranslate2", "--out", str(out)]
    assert "is not a folder" in fails("--model", str(tmp_path / "none"), *arguments)
    assert "does not exist" in fails("--model", model, *arguments, "--check", str(tmp_path / "none.txt"))
    Path(sentences).write_text("the cat " * 30, "utf-8")
    assert "this model reads at most 23" in fails("--model", model, *arguments, "--check", sentences)
    monkeypatch.setitem(sys.modules, "lessons_lib.translation.deployment.ctranslate2", None)
    assert "pip install ctranslate2" in fails("--model", model, *arguments)
    assert not out.exists()


def never_ending():
    """A model that says one word again and again, so that only its limit ends a translation."""
    model, tokenizer = toy_model()
    model.embedding.weight.data[2] = 0.0
    model.decoder.norm.beta.data += 3 * model.embedding.weight.data[7]
    return model, tokenizer


def stops_at_once():
    """A young model: the most probable translation of anything is none."""
    model, tokenizer = toy_model()
    model.decoder.norm.beta.data += 3 * model.embedding.weight.data[2]
    return model, tokenizer


@pytest.mark.parametrize("kind", ["ctranslate2", "onnx"])
@pytest.mark.parametrize("build", [never_ending, stops_at_once])
def test_every_translation_has_its_own_limit_and_may_be_empty(kind, build, tmp_path):
    model, tokenizer = build()
    write = write_ctranslate2 if kind == "ctranslate2" else write_onnx_model
    write(model, tokenizer, tmp_path)
    texts = ["the cat", "the black cat sees the little white dog", "cat", *TEXTS[:5]]
    for found in check_export(kind, tmp_path, model, tokenizer, texts):
        assert found.identical == found.sentences == len(texts)


@pytest.mark.parametrize("positions", ["relative", "t5"])
def test_what_onnx_cannot_express_is_named_and_nothing_is_left(positions, tmp_path, fails):
    save_model(tmp_path, *toy_model(positions=positions))
    out = tmp_path / "out"
    error = fails("--model", str(tmp_path), "--to", "onnx", "--out", str(out))
    assert f"positions='{positions}' cannot be written for ONNX; it can have sinusoidal" in error
    assert not out.exists()


def test_a_choice_that_a_format_does_not_know_is_refused_by_name():
    with pytest.raises(ValueError, match="norm_type='newer' cannot be written for the page; it can have layer, rms"):
        refuse_unknown({"norm_type": "newer"}, "for the page", norm_type=web.CHOICES["norm_type"])


def test_every_choice_of_a_configuration_is_written_or_refused():
    """A new norm, activation or way to tell positions goes into all of these files, or into what a format refuses."""
    refused = {"ctranslate2.py": {"alibi", "relative", "t5"}, "onnx.py": {"relative", "t5"}}
    places = {
        "web.py": web.CHOICES,
        "ctranslate2.py": {
            "norm_type": for_ctranslate2.NORMS,
            "activation": for_ctranslate2.ACTIVATIONS,
            "positions": for_ctranslate2.POSITIONS,
        },
        "onnx.py": {"positions": for_onnx.POSITIONS},
        "widgets/sizes.py": sizes._CHOICES,
    }
    known = {"norm_type": set(NORMS), "activation": set(ACTIVATIONS), "positions": set(POSITIONS)}
    missing = {
        f"{file}, {choice}": names - set(places[file][choice]) - refused.get(file, set())
        for file in places
        for choice, names in known.items()
        if choice in places[file]
    }
    assert {place: names for place, names in missing.items() if names} == {}
    assert all(
        set(places[file][choice]) <= names
        for file in places
        for choice, names in known.items()
        if choice in places[file]
    )


def test_a_line_that_is_too_long_does_not_spoil_a_check(model, sentences, tmp_path, capsys):
    Path(sentences).write_text("the cat\n\n" + "the cat " * 30 + "\nthe dog\n", "utf-8")
    arguments = ["--model", model, "--to", "ctranslate2", "--out", str(tmp_path / "out"), "--check", sentences]
    assert main(["export", *arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert "1 sentences are too long for this model, and left out of the check" in printed.err
    assert [one["sentences"] for one in json.loads(printed.out)["checks"]] == [2, 2]
