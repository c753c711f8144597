"""The command `lessons`: what a user sees, from --help to every kind of bad input."""

import argparse
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sacrebleu
import torch
from toy import toy_corpus, toy_model

from lessons_lib.cli import main
from lessons_lib.cli.test_set import read_test_set
from lessons_lib.translation.data.corpus import load_grammar_tests
from lessons_lib.translation.search.model_folder import FILES, load_model, save_model
from lessons_lib.translation.search.translator import Translator

TINY = "--d-model 16 --n-heads 2 --n-encoder-layers 1 --n-decoder-layers 1 --d-ff 32 --vocab-size 340".split()


def write_sides(folder: Path, name: str, pairs) -> list[str]:
    paths = [folder / f"{name}.{language}" for language in ("en", "fr")]
    for side, path in enumerate(paths):
        path.write_text("".join(f"{pair[side]}\n" for pair in pairs), "utf-8")
    return [str(path) for path in paths]


@pytest.fixture
def data(tmp_path) -> list[str]:
    """The flags for the toy language in files."""
    folder = tmp_path / "data"
    folder.mkdir()
    corpus = toy_corpus()
    train, valid = write_sides(folder, "train", corpus.train), write_sides(folder, "valid", corpus.valid)
    return ["--corpus", "pairs", "--train", *train, "--valid", *valid]


def fails(capsys, *arguments: str) -> str:
    """Run a command that must fail as a user's error: exit code 2, one line on stderr, nothing on stdout."""
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.startswith("lessons: ")
    assert printed.err.count("\n") == 1
    return printed.err


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_train_translate_and_score_on_files(data, tmp_path, capsys):
    out = str(tmp_path / "models" / "mine")
    assert main(["train", *data, "--steps", "12", "--out", out, *TINY]) == 0
    printed = capsys.readouterr()
    assert "12 steps" in printed.out
    assert "BLEU" in printed.out
    assert {path.name for path in Path(out).iterdir()} == FILES
    assert [path.name for path in Path(out).parent.iterdir()] == ["mine"]  # nothing temporary is left

    card = json.loads(Path(out, "run.json").read_text())
    assert card["steps"] == 12
    assert card["seed"] == 0
    assert card["peak_memory_mb"] > 100
    assert card["stopped_early"] is None
    assert card["data"]["train"] == 500
    assert len(card["data"]["sha256"]) == 64
    assert card["data"]["batch_efficiency"] > 0.8
    assert card["versions"]["torch"] == torch.__version__
    assert card["parameters"] == sum(p.numel() for p in load_model(Path(out))[0].parameters())
    lines = [json.loads(line) for line in Path(out, "metrics.jsonl").read_text().splitlines()]
    assert lines[0]["step"] == 1
    assert lines[0]["loss"] > 4
    assert sum("valid_bleu" in line for line in lines) == 3

    test = write_sides(tmp_path, "valid", toy_corpus().valid)
    assert main(["score", "--model", out, "--source", test[0], "--reference", test[1], "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["bleu"] == card["scores"]["bleu"]
    assert scored["signature"] == card["scores"]["signature"]


def test_the_same_seed_trains_the_same_model(data, tmp_path):
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, "778", strict=True):
        arguments = ["train", *data, "--steps", "4", "--seed", seed, "--dropout", "0.1", "--out", str(folder)]
        assert main([*arguments, *TINY]) == 0
    weights = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1] != weights[2]
    losses = [
        [line.get("loss") for line in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())]
        for folder in folders
    ]
    assert losses[0] == losses[1] != losses[2]


def test_translate_arguments(model, capsys):
    assert main(["translate", "--model", model, "the black cat sees the dog", ""]) == 0
    assert capsys.readouterr().out == "le chat noir voit le chien\n\n"


def test_translate_standard_input(model, capsys, monkeypatch):
    lines = b"the dog sees the cat\r\n\nthe bird follows the little horse"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines), "ascii"))
    assert main(["translate", "--model", model, "--beam", "3"]) == 0
    assert capsys.readouterr() == ("le chien voit le chat\n\nle oiseau suit le cheval petit\n", "")


@pytest.mark.parametrize("beam", ["1", "3"])
def test_score_prints_one_json_object(model, tmp_path, capsys, beam):
    pairs = toy_corpus().test
    source, reference = write_sides(tmp_path, "test", pairs)
    arguments = ["score", "--model", model, "--source", source, "--reference", reference, "--beam", beam, "--json"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    scores = json.loads(printed)
    assert set(scores) == {"bleu", "chrf", "signature", "sentences", "too_long", "seconds"}
    ours = [t.text for t in Translator.load(model).translate([pair.source for pair in pairs], beam=int(beam))]
    theirs = sacrebleu.corpus_bleu(ours, [[pair.target for pair in pairs]]).score  # 100.00000000000004 of the best
    assert scores["bleu"] == min(100, theirs) > 90
    assert scores["sentences"] == 20
    assert scores["seconds"] > 0


def test_train_and_score_on_the_embedded_corpus(tmp_path, monkeypatch, capsys):
    """The model is scored on the test part that goes with its own training part, whatever its seed."""
    sizes = {"n_train": 60, "n_valid": 10, "n_test": 10}
    monkeypatch.setattr("lessons_lib.translation.data.corpus.GRAMMAR_SIZES", sizes)
    out = tmp_path / "toy"
    assert main(["train", "--corpus", "grammar", "--steps", "30", "--seed", "5", "--out", str(out), *TINY]) == 0
    assert "on 10 test sentences" in capsys.readouterr().out
    at_the_end = json.loads((out / "run.json").read_text())["scores"]
    assert at_the_end["part"] == "test"
    assert main(["score", "--model", str(out), "--corpus", "grammar", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert scored["sentences"] == 10
    assert scored["chrf"] == at_the_end["chrf"] > 0


@pytest.mark.parametrize("part", ["in_distribution", "unseen_words", "unseen_constructions", "long"])
def test_the_four_tests_of_the_embedded_corpus(part):
    options = argparse.Namespace(corpus="grammar", part=part, data=None, source=None, reference=None)
    pairs, _ = read_test_set(options, Path("no model, so seed 0"))
    assert [pair.source for pair in pairs[:50]] == [pair.source for pair in load_grammar_tests(0, 50)[part]]


def test_help_needs_no_pytorch():
    program = (
        "import sys; from lessons_lib.cli import main\n"
        "try: main(['train', '--help'])\n"
        "finally: print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "--corpus grammar --minutes 1 --out runs/toy" in shown
    assert shown.endswith("False\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_training_and_keeps_the_model(data, tmp_path, number):
    out = tmp_path / "models" / "mine"
    command = [sys.executable, "-m", "lessons_lib.cli", "train", *data, "--minutes", "10", "--out", str(out), *TINY]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not any(path.stat().st_size for path in tmp_path.glob("models/mine/checkpoint/metrics.jsonl")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        assert {path.name for path in out.iterdir()} == {"checkpoint"}
        process.send_signal(number)
        process.send_signal(signal.SIGTERM)  # as torchrun tells its processes what Ctrl-C has told them already
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert f"lessons: stopped by {number.name}; the model is saved, unscored" in errors
    assert {path.name for path in out.iterdir()} == FILES | {"checkpoint"}
    assert [path.name for path in out.parent.iterdir()] == ["mine"]
    steps = json.loads((out / "run.json").read_text())["steps"]
    assert json.loads((out / "run.json").read_text())["stopped_early"] == number.name
    assert Translator.load(out).translate(["the cat"])[0].source == "the cat"
    command[command.index("10")] = "0.001"  # which are over: the training goes on, and ends there
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{out}: going on after step {steps}" in again.stderr
    assert steps <= json.loads((out / "run.json").read_text())["steps"] < steps + 500
    assert {path.name for path in out.iterdir()} == FILES


# ---- bad input: one line, exit code 2, nothing written


def test_files_of_different_lengths(data, tmp_path, capsys):
    Path(data[4]).write_text("un\ndeux\n", "utf-8")
    before = files_under(tmp_path)
    message = fails(capsys, "train", *data, "--steps", "1", "--out", str(tmp_path / "out"))
    assert "train.en has 500 lines but" in message
    assert "train.fr has 2" in message
    assert files_under(tmp_path) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "train.en is UTF-16, not UTF-8 text; convert it: iconv -f UTF-16"),
        (b"caf\xe9", "train.en is not UTF-8: line 1 holds byte 0xe9"),
        (b"", "train.en is empty"),
    ],
)
def test_files_that_are_not_text(data, tmp_path, capsys, content, message):
    Path(data[3]).write_bytes(content)
    assert message in fails(capsys, "train", *data, "--steps", "1", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_missing_file(data, tmp_path, capsys, model):
    Path(data[3]).unlink()
    assert "train.en does not exist" in fails(capsys, "train", *data, "--steps", "1", "--out", str(tmp_path / "out"))
    arguments = ["score", "--model", model, "--source", data[3], "--reference", data[4]]
    assert "train.en does not exist" in fails(capsys, *arguments)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--d-model", "100", "--n-heads", "7"], "d_model=100 is not divisible by n_heads=7; use 1, 2, 4, 5, 10"),
        (["--n-heads", "0"], "n_heads=0"),
        (["--d-model", "15", "--n-heads", "3"], "d_model=15 is odd"),
        (["--dropout", "1.5"], "dropout=1.5"),
        (["--norm", "sideways"], "norm='sideways' is not known; use one of pre, post"),
        (["--vocab-size", "20"], "vocab_size=20 has no room"),
        (["--max-length", "3"], "no training pair fits max_length=3; use a larger one"),
        (["--learning-rate", "0"], "learning_rate=0.0 is not positive"),
        (["--batch-tokens", "0"], "batch_tokens=0 is not positive"),
        (["--weight-decay", "-0.1"], "weight_decay=-0.1 is negative; use 0 or more"),
        (["--seed", "-1"], "seed=-1 is negative"),
        (["--device", "abacus"], "device='abacus' is not known"),
        (["--precision", "fp8"], "precision='fp8' is not known; use one of fp32, bf16, fp16"),
        (["--steps", "0"], "steps=0 is not positive"),
        (["--minutes", "1"], "not allowed with argument --steps"),
        (["--layers", "2"], "unrecognized arguments: --layers 2"),
        (["--learning-rate", "1e30"], "Use a lower learning rate"),
    ],
)
def test_values_out_of_range(data, tmp_path, capsys, flags, message):
    before = files_under(tmp_path)
    arguments = ["train", *data, "--steps", "40", "--out", str(tmp_path / "out"), *TINY, *flags]
    printed = fails_with_progress(capsys, arguments) if flags[1] == "1e30" else fails(capsys, *arguments)
    assert message in printed
    assert files_under(tmp_path) == before


def fails_with_progress(capsys, arguments: list[str]) -> str:
    """The last line on stderr, after a progress bar."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1]
    assert last.startswith("lessons: ")
    return last


def test_pairs_need_their_files_and_the_grammar_takes_none(data, tmp_path, capsys):
    out = ["--steps", "1", "--out", str(tmp_path / "out")]
    assert "--train and --valid go with --corpus pairs" in fails(capsys, "train", "--corpus", "pairs", *out)
    assert "--train and --valid go with" in fails(capsys, "train", "--corpus", "grammar", *data[2:], *out)
    assert "--train and --valid go with" in fails(capsys, "train", *data[:5], *out)


def test_train_on_a_tsv_with_a_test_part(data, tmp_path, capsys):
    corpus = toy_corpus()
    paths = [tmp_path / "data" / f"{name}.tsv.gz" for name in ("train", "valid", "test")]
    for path, pairs in zip(paths, (corpus.train, corpus.valid, corpus.test[:7]), strict=True):
        path.write_bytes(gzip.compress("".join(f"{pair.source}\t{pair.target}\n" for pair in pairs).encode() + b"\n"))
    files = [flag for path in paths for flag in (f"--{path.name.partition('.')[0]}", str(path))]
    out = tmp_path / "out"
    assert main(["train", "--corpus", "pairs", *files, "--steps", "2", "--out", str(out), *TINY]) == 0
    printed = capsys.readouterr()
    assert "on 7 test sentences" in printed.out
    assert "lessons: pairs left out: 3 blank, 0 too long\n" in printed.err
    card = json.loads((out / "run.json").read_text())["data"]
    assert [card["train"], card["valid"], card["test"], card["left_out"]["blank"]] == [500, 20, 7, 3]
    paths[0].write_bytes(b"no gzip")
    again = ["train", "--corpus", "pairs", *files, "--steps", "2", "--out", str(tmp_path / "again")]
    assert "train.tsv.gz is no gzip file" in fails(capsys, *again)


def test_flags_of_another_corpus(data, tmp_path, capsys):
    out = ["--steps", "1", "--out", str(tmp_path / "out")]
    assert "--test goes with --corpus pairs" in fails(capsys, "train", "--corpus", "grammar", "--test", "a", *out)
    assert "--pairs-count goes with --corpus wmt14" in fails(capsys, "train", *data, "--pairs-count", "5", *out)


def test_an_out_that_holds_a_model_is_replaced_only_on_request(data, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["train", *data, "--steps", "1", "--out", str(out), *TINY]
    assert main(arguments) == 0
    capsys.readouterr()
    before = (out / "model.safetensors").read_bytes()
    assert "out already holds a model; give another folder, or --overwrite" in fails(capsys, *arguments)
    assert (out / "model.safetensors").read_bytes() == before
    assert main([*arguments, "--overwrite", "--seed", "1"]) == 0
    assert (out / "model.safetensors").read_bytes() != before
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}


def test_an_out_with_other_things_is_never_touched(data, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("ten years")
    arguments = ["train", *data, "--steps", "1", "--overwrite", "--out"]
    assert "out holds thesis.txt, which is not part of a model" in fails(capsys, *arguments, str(tmp_path / "out"))
    assert "thesis.txt is a file; give a folder" in fails(capsys, *arguments, str(tmp_path / "out" / "thesis.txt"))
    assert (tmp_path / "out" / "thesis.txt").read_text() == "ten years"


def test_a_folder_that_is_not_a_model(tmp_path, capsys):
    assert "nowhere is not a folder" in fails(capsys, "translate", "--model", str(tmp_path / "nowhere"), "hello")
    message = fails(capsys, "translate", "--model", str(tmp_path), "hello")
    assert (
        "is not a model: it has no config.json and no model.safetensors and no tokenizer.json; give the --out"
        in message
    )
    (tmp_path / "config.json").write_text("{}")
    message = fails(capsys, "score", "--model", str(tmp_path), "--corpus", "grammar")
    assert "it has no model.safetensors and no tokenizer.json" in message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"{", "holds a damaged model"),
        ("config.json", b'{"vocab_size": 340, "flavour": 1}', "'flavour'"),
        ("config.json", b"{}", "no 'vocab_size'"),
        ("config.json", b'{"vocab_size": 340, "d_model": "32"}', "d_model='32', where int should stand"),
        ("config.json", b'{"vocab_size": 340, "d_head": 4.0}', "d_head=4.0, where int | None should stand"),
        ("config.json", b'{"vocab_size": 340}', "model.safetensors does not fit config.json"),
        ("model.safetensors", b"\x80\x04 a pickle", "holds a damaged model"),
        ("tokenizer.json", b"{}", "tokenizer.json is not a tokenizer"),
    ],
)
def test_a_damaged_model(tmp_path, capsys, name, content, message):
    save_model(tmp_path, *toy_model())
    (tmp_path / name).write_bytes(content)
    assert message in fails(capsys, "translate", "--model", str(tmp_path), "hello")


def test_files_that_an_editor_gave_a_byte_order_mark(tmp_path, capsys):
    save_model(tmp_path, *toy_model())
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + (tmp_path / name).read_bytes())
    assert main(["translate", "--model", str(tmp_path), "hello"]) == 0


def test_a_training_that_is_not_over_is_no_model_yet(tmp_path, capsys):
    (tmp_path / "checkpoint").mkdir()
    message = fails(capsys, "translate", "--model", str(tmp_path), "hello")
    assert "holds an unfinished training, and no model yet; give its `lessons train` again" in message


def test_files_of_two_models(tmp_path, capsys):
    model, tokenizer = toy_model()
    save_model(tmp_path, model, tokenizer)
    smaller = type(tokenizer).train(["another text"], 300)
    smaller.save(tmp_path / "tokenizer.json")
    message = fails(capsys, "translate", "--model", str(tmp_path), "hello")
    assert f"tokenizer.json has {len(smaller)} pieces but config.json says vocab_size=340" in message


def test_a_sentence_longer_than_the_model_reads(model, capsys, tmp_path):
    fits = " ".join(["the cat"] * 11) + " the"  # 23 tokens and </s>
    assert main(["translate", "--model", model, fits]) == 0
    capsys.readouterr()
    assert main(["translate", "--model", model, "the cat", f"{fits} cat", "the cat"]) == 2
    printed = capsys.readouterr()
    first, second, third, end = printed.out.split("\n")
    assert (first, second, end) == (third, "", "")
    assert first
    assert printed.err == "lessons: sentence 2 has 24 tokens, but this model reads at most 23; left empty, split it\n"
    long = tmp_path / "long"
    long.write_text(f"{fits} cat")
    assert main(["score", "--model", model, "--source", str(long), "--reference", str(long)]) == 0
    assert json.loads(capsys.readouterr().out)["too_long"] == 1  # it counts, as a translation by nothing


def test_a_sentence_that_is_not_utf8(model, capsys):
    assert "the sentence is not UTF-8" in fails(capsys, "translate", "--model", model, os.fsdecode(b"caf\xe9"))


@pytest.mark.parametrize("beam", ["0", "-2", "100000"])
def test_a_beam_out_of_range(model, capsys, beam):
    assert f"beam={beam} is not between 1 and" in fails(
        capsys, "translate", "--model", model, "--beam", beam, "the cat"
    )


@pytest.mark.parametrize("flags", [[], ["--source", "a"], ["--corpus", "grammar", "--source", "a", "--reference", "b"]])
def test_score_says_what_it_needs(model, capsys, flags):
    assert "say what to translate" in fails(capsys, "score", "--model", model, *flags)


@pytest.mark.parametrize("flags", [["--part", "long"], ["--data", "somewhere"]])
def test_a_flag_of_another_corpus(model, capsys, flags):
    message = fails(capsys, "score", "--model", model, "--source", "a", "--reference", "b", *flags)
    assert f"{flags[0]} {flags[1]} goes with --corpus" in message


@pytest.mark.parametrize("arguments", [[], ["dance"], ["train"], ["translate"]])
def test_incomplete_commands(capsys, arguments):
    assert "--help)" in fails(capsys, *arguments)


def test_a_reader_that_leaves_early_is_no_error(model, capsys, monkeypatch):
    """As `head` does: our standard output is then a pipe without an end."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert main(["translate", "--model", model, ""]) == 128 + signal.SIGPIPE
    assert capsys.readouterr().err == ""
