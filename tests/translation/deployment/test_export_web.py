"""`lessons export-web`: the file is whole or not there, says what the model says, and names what is wrong."""

import json
import shutil
import struct
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from toy import toy_corpus, toy_model

from lessons_lib.cli import main
from lessons_lib.translation.course_model import course_web_model
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.deployment.safetensors_plain import read_safetensors
from lessons_lib.translation.deployment.web import quantise, seen_words, web_model
from lessons_lib.translation.deployment.web_reading import read_web_file, read_web_model
from lessons_lib.translation.search.model_folder import load_model, save_model
from tools import build_book

COMMAND = "export-web"
TEXTS = [pair.source for pair in toy_corpus().test + toy_corpus().valid]


# --- the command -----------------------------------------------------------------------------------------------------


def test_export_check_and_read_back(model, sentences, tmp_path, capsys):
    out = tmp_path / "sub" / "toy.bin"
    arguments = ["export-web", "--model", model, "--out", str(out), "--check", sentences, "--words", sentences]
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    assert found["bytes"] == out.stat().st_size
    assert found["checks"] == [{"beam": 1, "sentences": 40, "identical": 40, "share": 1.0}]
    assert [path.name for path in out.parent.iterdir()] == ["toy.bin"]  # nothing temporary is left
    header, _ = read_web_file(out.read_bytes())
    assert header["name"] == "toy"
    assert header["words"] == sorted({word for text in TEXTS for word in text.split()})
    assert found["words"] == len(header["words"]) == 11
    assert main([*arguments, "--overwrite", "--name", "mine"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "greedy: 40 of 40 sentences identical (100.0%)",
        f"{out}: 0.0 MB, knows 11 words",
    ]
    assert read_web_file(out.read_bytes())[0]["name"] == "mine"


def test_without_words_or_check_it_says_so(model, tmp_path, capsys):
    out = tmp_path / "toy.bin"
    assert main(["export-web", "--model", model, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{out}: 0.0 MB, knows no words: add --words FILE, unchecked: add --check FILE\n"
    assert read_web_file(out.read_bytes())[0]["words"] is None


def test_a_model_of_the_embedded_corpus_knows_its_words(model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lessons_lib.translation.data.corpus.GRAMMAR_SIZES", {"n_train": 60, "n_valid": 5, "n_test": 5})
    folder, out = tmp_path / "model", tmp_path / "toy.bin"
    folder.mkdir()
    save_model(folder, *load_model(Path(model)))
    (folder / "run.json").write_text(json.dumps({"seed": 5, "data": {"corpus": "grammar", "train": 50}}))
    assert main(["export-web", "--model", str(folder), "--out", str(out)]) == 0
    expected = seen_words(pair.source for pair in load_grammar(5, n_train=50).train)
    assert read_web_file(out.read_bytes())[0]["words"] == expected


def test_a_model_that_8_bits_change_is_not_written(model, sentences, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lessons_lib.translation.deployment.web.LEVELS", 1)
    out = tmp_path / "toy.bin"
    arguments = ["export-web", "--model", model, "--out", str(out), "--check", sentences]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"lessons: fewer than 99% identical; nothing is written to {out}: train longer")
    assert printed.err.count("\n") == 1
    assert not out.exists()
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["written"] is False


def test_errors_name_the_value_and_the_fix(model, tmp_path, fails):
    out = tmp_path / "toy.bin"
    assert "none is not a folder" in fails("--model", str(tmp_path / "none"), "--out", str(out))
    assert "is a folder; give a file" in fails("--model", model, "--out", str(tmp_path))
    arguments = ["--model", model, "--out", str(out)]
    assert "none.txt" in fails(*arguments, "--check", str(tmp_path / "none.txt"))
    assert "none.txt" in fails(*arguments, "--words", str(tmp_path / "none.txt"))
    long = tmp_path / "long.txt"
    long.write_text("the cat " * 30)
    assert "this model reads at most 23" in fails(*arguments, "--check", str(long))
    assert not out.exists()
    out.write_text("mine")
    assert "is there already; give another file, or --overwrite" in fails(*arguments)
    assert out.read_text() == "mine"


def test_help_teaches_and_needs_no_pytorch():
    program = (
        "import sys; from lessons_lib.cli import main\n"
        "try: main(['export-web', '--help'])\n"
        "finally: print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "lessons export-web --model runs/toy --out toy.bin" in shown
    assert shown.endswith("False\n")


# --- the file --------------------------------------------------------------------------------------------------------


def test_every_weight_is_within_half_a_step_of_its_row(model):
    dequantised, _ = read_web_model(web_model(Path(model)))
    for name, weight in load_model(Path(model))[0].state_dict().items():
        found = dequantised.state_dict()[name]
        if weight.dim() != 2:
            assert torch.equal(found, weight)
            continue
        step = weight.abs().amax(dim=1, keepdim=True) / 127
        assert ((found - weight).abs() <= step * 0.5001).all()
        assert (found != weight).any()


def test_a_row_of_zeros_stays_zeros():
    assert quantise(array("f", [0, 0, 0])) == (0, array("b", [0, 0, 0]))
    assert quantise(array("f", [63.4, -127, 0])) == (1, array("b", [63, -127, 0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_safetensors_are_read_without_a_library(tmp_path, dtype):
    tensors = {"b": torch.randn(3, 5, dtype=dtype), "a": torch.randn(7, dtype=dtype)}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format": "pt"})
    found = read_safetensors(tmp_path / "x.safetensors")
    assert list(found) == ["a", "b"]
    for name, tensor in tensors.items():
        assert found[name].shape == list(tensor.shape)
        assert torch.equal(torch.tensor(found[name].values).view(tensor.shape), tensor.float())


def test_safetensors_that_are_none(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(4)}, path)
    whole = path.read_bytes()
    for broken in (b"", b"no", whole[:20], whole[:-1], struct.pack("<Q", 2) + b"[]"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="is not a safetensors file, or is cut off; train again"):
            read_safetensors(path)
    save_file({"a": torch.ones(4, dtype=torch.float64)}, path)
    with pytest.raises(ValueError, match="holds numbers of the kind 'F64'; save it in one of F32, F16, BF16"):
        read_safetensors(path)


def test_what_is_no_translator_is_named(tmp_path, model):
    with pytest.raises(ValueError, match=r"is not a model \(FileNotFoundError.*give the --out of a `lessons train`"):
        web_model(tmp_path)
    save_model(tmp_path, *toy_model(n_encoder_layers=0))
    with pytest.raises(ValueError, match="n_encoder_layers=0: the page runs an encoder and a decoder"):
        web_model(tmp_path)
    whole = web_model(Path(model))
    for broken, message in (
        (b"PNG" + whole, "not a file that `lessons export-web` wrote"),
        (whole[:10], "not a file that"),
        (whole[:-1], "cut off or damaged"),
        (whole[:200], "cut off or damaged"),
        (whole[:8] + b"\7" + whole[9:], "of version 7, but this is for version 1"),
    ):
        with pytest.raises(ValueError, match=message):
            read_web_model(broken)


# --- the course's own ------------------------------------------------------------------------------------------------


def test_the_site_gets_the_same_file_where_no_library_is():
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('torch', 'numpy', 'safetensors', 'tokenizers', 'anywidget')))\n"
        "from tools import build_book\n"
        "data = build_book.web_model(build_book.COURSE_MODEL, name=build_book.TRANSLATOR_NAME)\n"
        "sys.stdout.buffer.write(data)"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=build_book.ROOT).stdout
    assert made == course_web_model()
    assert len(made) < 3_000_000


def test_a_norm_that_the_page_does_not_know_is_refused(model, tmp_path):
    """It would be exported without a word, and the page would compute NaN."""
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    for name, value in {"norm_type": "newer", "activation": "mish", "positions": "spiral"}.items():
        (folder / "config.json").write_text(json.dumps(config | {name: value}))
        with pytest.raises(ValueError, match=f"{name}='{value}' cannot be written for the page; it can have "):
            web_model(folder)
