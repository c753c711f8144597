"""Text of every kind, and everything that can go wrong on the way: one clear line, and nothing good is lost."""

import errno
import io
import json
import os
import resource
import shutil
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from toy import toy_config, toy_corpus, toy_model, toy_translator

from lessons_lib.cli import main
from lessons_lib.translation.search.model_folder import FILES, check_free, load_model, save_model
from lessons_lib.translation.search.translator import Translation, Translator
from lessons_lib.translation.training.checkpoint import BEFORE, LATEST, read_checkpoint
from lessons_lib.translation.training.loop import Step, Trainer
from lessons_lib.translation.training.monitor import Monitor
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.resumable import train_translator

LINES = [
    "the dog sees the cat",
    "",
    "a\x00b\x01\x0b\x0c\x1b[31m\x7f\x85\u2028\u2029c",  # control characters and other languages' line ends
    "   \t ",
    "x" * 10_000,
    "القط يرى",  # from right to left
    "🐈‍⬛👩🏽‍🚀",
    "the cat " * 1250,
    "e\u0301\u200b\ufeff",
    "the bird follows the little horse",
]
TOO_LONG = [5, 8]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A folder with a model that has learned the toy language, and reads 63 tokens."""
    folder = tmp_path_factory.mktemp("models") / "toy"
    folder.mkdir()
    learned, tokenizer = toy_translator().model, toy_translator().tokenizer
    longer, _ = toy_model(max_length=64)
    longer.load_state_dict(learned.state_dict(), strict=False)
    save_model(folder, longer, tokenizer)
    return str(folder)


def translate(monkeypatch, capsys, model: str, raw: bytes, *flags: str) -> tuple[int, list[str], str]:
    """The exit code, the lines on standard output and all of stderr, for what comes in."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), "ascii"))
    code = main(["translate", "--model", model, *flags])
    printed = capsys.readouterr()
    return code, printed.out.split("\n")[:-1], printed.err


# ---- text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("beam", ["1", "2"])
def test_line_n_of_the_output_belongs_to_line_n_of_the_input(monkeypatch, capsys, model, end, beam):
    raw = end.join(LINES).encode()
    code, lines, errors = translate(monkeypatch, capsys, model, raw, "--beam", beam)
    assert code == 2  # not all was translated
    assert len(lines) == len(LINES)
    assert (lines[0], lines[-1]) == ("le chien voit le chat", "le oiseau suit le cheval petit")
    assert [number for number, line in enumerate(lines, start=1) if not line] == [2, 4, *TOO_LONG]
    said = errors.splitlines()
    assert len(said) == len(TOO_LONG)
    assert said[0] == "lessons: line 5 has 10001 tokens, but this model reads at most 63; left empty, split it"
    assert said[1].startswith("lessons: line 8 has 25")


def test_lines_are_counted_through_all_batches(monkeypatch, capsys, model):
    raw = b"\n" * 1500 + b"the cat " * 100 + b"\nthe cat"
    code, lines, errors = translate(monkeypatch, capsys, model, raw)
    assert (code, len(lines), errors.count("\n")) == (2, 1502, 1)
    assert "line 1501 has" in errors


def test_without_a_line_too_long_all_is_well(monkeypatch, capsys, model):
    raw = "\r\n".join(line for number, line in enumerate(LINES, start=1) if number not in TOO_LONG).encode()
    code, lines, errors = translate(monkeypatch, capsys, model, raw)
    assert (code, len(lines), errors) == (0, 8, "")


def test_a_translation_with_a_line_end_stays_on_its_line(monkeypatch, capsys, model):
    def said(self, sentences, **_):
        return [Translation(one, "a\r\nb\nc", [], [], 0.0, None, [], []) for one in sentences]

    monkeypatch.setattr(Translator, "translate", said)
    assert translate(monkeypatch, capsys, model, b"one\ntwo\n")[1] == ["a  b c"] * 2


def test_training_on_text_of_every_kind(tmp_path, capsys):
    """Empty lines teach nothing, lines too long are counted and left out, the rest is learned."""
    english = [pair.source for pair in toy_corpus().train[:40]] + ["the cat " * 40, *LINES]
    french = [pair.target for pair in toy_corpus().train[:40]] + ["le chat", *LINES[::-1]]
    files = [str(tmp_path / name) for name in ("a.en", "a.fr")]
    for path, lines in zip(files, (english, french), strict=True):
        Path(path).write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    out = str(tmp_path / "out")
    sizes = "--d-model 16 --n-heads 2 --n-encoder-layers 1 --n-decoder-layers 1 --d-ff 32 --vocab-size 400".split()
    flags = ["--corpus", "pairs", "--train", *files, "--valid", *files, "--steps", "3", *sizes]
    assert main(["train", *flags, "--max-length", "64", "--out", out]) == 0
    said = capsys.readouterr().err
    card = json.loads(Path(out, "run.json").read_text())
    left_out = card["data"]["too_long"]
    assert left_out == 1  # of ten thousand characters none was even loaded
    assert f"1 of {card['data']['train']} training pairs are longer than max_length=64 tokens and left out" in said
    assert card["scores"]["too_long"] == 1  # counted, as `lessons score` does it
    assert load_model(Path(out))[1].decode(load_model(Path(out))[1].encode("\r\n🐈")) == "\r\n🐈"


# ---- training that goes wrong


def recipe(**changes) -> Recipe:
    options = TrainingOptions(steps=40, learning_rate=1e-2, warmup_steps=20)
    defaults = {"batch_tokens": 300, "validations": 0, "checkpoint_minutes": 1e-9, "device": "cpu"}
    return Recipe(toy_config(), options, **(defaults | changes))


@pytest.fixture
def at_step(monkeypatch):
    """Make something happen in the place of one update."""

    def install(number: int, happen) -> None:
        update = Trainer._update

        def updating(self, batch):
            found = update(self, batch)
            return happen(self, found) if self.number == number else found

        monkeypatch.setattr(Trainer, "_update", updating)

    return install


def spoil_loss(trainer, found):
    return torch.tensor(float("nan")), found[1]


def spoil_weights(trainer, found):
    trainer.model.embedding.weight.data[5, 0] = float("nan")
    return found


@pytest.mark.parametrize(("spoil", "what"), [(spoil_loss, "the loss is nan"), (spoil_weights, "a weight is nan")])
def test_what_is_no_number_is_never_in_a_checkpoint(tmp_path, monkeypatch, at_step, spoil, what):
    out = tmp_path / "out"
    with monkeypatch.context():
        at_step(25, spoil)
        with pytest.raises(ValueError, match=f"{what} at step 26; the last checkpoint is kept. Use a lower learning"):
            train_translator(toy_corpus(), recipe(), out)
    monkeypatch.undo()
    tensors, values = read_checkpoint(out / "checkpoint")
    assert values["trainer"]["number"] == 25
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    assert train_translator(toy_corpus(), recipe(), out)["steps"] == 40


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")]
)
def test_too_little_memory_says_what_to_lower(tmp_path, monkeypatch, at_step, error):
    def full(*_):
        raise error

    at_step(10, full)
    message = "the memory is too small for batch_tokens=300; raise --accumulate, which changes no result"
    with pytest.raises(ValueError, match=message):
        train_translator(toy_corpus(), recipe(), tmp_path / "out")
    assert read_checkpoint(tmp_path / "out" / "checkpoint")[1]["trainer"]["number"] == 10


def test_too_little_memory_for_a_translation(model, monkeypatch, capsys):
    def full(*_, **__):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("lessons_lib.translation.search.translator.search_all", full)
    assert main(["translate", "--model", model, "--beam", "9", "the cat"]) == 2
    message = "lessons: the memory is too small for beam=9 and sentences of up to 2 tokens; lower --beam"
    assert capsys.readouterr().err.startswith(message)


@pytest.fixture
def cut_off(tmp_path, monkeypatch, at_step) -> Path:
    """A training that was stopped after 26 steps, its checkpoints there."""

    def stop(trainer, found):
        os.kill(os.getpid(), signal.SIGTERM)
        return found

    at_step(25, stop)
    card = train_translator(toy_corpus(), recipe(), tmp_path / "out")
    monkeypatch.undo()
    assert (card["stopped_early"], card["steps"]) == ("SIGTERM", 26)
    return tmp_path / "out"


def test_a_truncated_checkpoint_gives_way_to_the_one_before(cut_off, capsys):
    latest = cut_off / "checkpoint" / LATEST
    latest.write_bytes(latest.read_bytes()[:1000])
    assert train_translator(toy_corpus(), recipe(), cut_off)["steps"] == 40
    assert "going on after step 2" in capsys.readouterr().err


def test_two_truncated_checkpoints_are_named(cut_off):
    for name in (LATEST, BEFORE):
        path = cut_off / "checkpoint" / name
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"only damaged checkpoints .*; start anew with --overwrite"):
        train_translator(toy_corpus(), recipe(), cut_off)
    assert train_translator(toy_corpus(), recipe(), cut_off, overwrite=True)["steps"] == 40


@pytest.mark.parametrize(("name", "keep"), [("model.safetensors", 1000), ("model.safetensors", 0), ("run.json", 20)])
def test_a_truncated_model_is_named(tmp_path, model, capsys, name, keep):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "run.json").write_text('{"seed": 0, "command": "lessons train"}')
    (folder / name).write_bytes((folder / name).read_bytes()[:keep])
    assert main(["score", "--model", str(folder), "--corpus", "grammar"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "damaged" in message
    assert str(folder) in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 32.0}, "damaged model"),
        ({"max_length": 10**12}, "damaged model"),
        ({"eos_id": -1}, "eos_id=-1 is none of the"),
        ({"pad_id": 10**6}, "pad_id=1000000 is none of the"),
        ({"bos_id": 10**6}, "bos_id=1000000 is none of the"),
        ({"model_type": "marian"}, "is of a marian of transformers, not of `lessons train`"),
    ],
)
def test_a_configuration_that_cannot_be_is_named(tmp_path, model, capsys, change, message):
    folder = shutil.copytree(model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    assert main(["translate", "--model", str(folder), "the dog"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: (50 * x).to(torch.int8), "is stored as int8, not as a floating-point number"),
        (lambda x: x.to(torch.complex64), "is stored as complex64"),
        (lambda x: x.log(), "holds a value that is no number"),
    ],
)
def test_weights_that_are_no_weights_are_refused(tmp_path, model, capsys, spoil, message):
    folder = shutil.copytree(model, tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    save_file({name: spoil(x) for name, x in weights.items()}, folder / "model.safetensors")
    for flags in (("--beam", "4"), ("--temperature", "1"), ()):
        assert main(["translate", "--model", str(folder), "the dog", *flags]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("card", ["[]", '{"seed": null}', '{"seed": -1}', '{"data": 3}', "3", "\xff"])
def test_a_card_that_is_none_is_named(tmp_path, model, capsys, card):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "run.json").write_text(card, "latin-1")
    for command in ("score", "align"):
        assert main([command, "--model", str(folder), "--corpus", "grammar"]) == 2
        assert "run.json is damaged; delete it, or train again" in capsys.readouterr().err


def test_hidden_files_are_no_hindrance(tmp_path):
    """File managers, notebooks and network drives leave them wherever one looks."""
    (tmp_path / ".DS_Store").touch()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    check_free(tmp_path, overwrite=False)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ValueError, match=r"holds thesis\.tex, which is not part of a model"):
        check_free(tmp_path, overwrite=False)


def test_a_checkpoint_of_another_program_is_named(cut_off):
    for name in (LATEST, BEFORE):
        save_file({"a": torch.zeros(1)}, cut_off / "checkpoint" / name, {"values": '{"x": 1}'})
    with pytest.raises(ValueError, match=r"is of another program; start anew with --overwrite"):
        train_translator(toy_corpus(), recipe(), cut_off)
    assert train_translator(toy_corpus(), recipe(), cut_off, overwrite=True)["steps"] == 40


def test_metrics_that_are_none_are_left_out(cut_off):
    path = cut_off / "checkpoint" / "metrics.jsonl"
    path.write_bytes(b'12\n\xff\xfe\n[1]\n{"a": 1}\n' + path.read_bytes() + b'{"step": 20, "lo')
    assert train_translator(toy_corpus(), recipe(), cut_off)["steps"] == 40
    rows = [json.loads(line) for line in (cut_off / "metrics.jsonl").read_text().splitlines()]
    assert all("step" in row for row in rows)


# ---- a full disk


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_keeps_the_last_checkpoint(cut_off, monkeypatch, function):
    before = (cut_off / "checkpoint" / LATEST).read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, full)
    with pytest.raises(
        OSError, match=r"cannot be written .*No space left on device\); free some space and run the same"
    ):
        train_translator(toy_corpus(), recipe(), cut_off)
    monkeypatch.undo()
    assert (cut_off / "checkpoint" / LATEST).read_bytes() == before
    assert not list(cut_off.rglob("*.partial"))
    assert train_translator(toy_corpus(), recipe(), cut_off)["steps"] == 40
    assert {path.name for path in cut_off.iterdir()} == FILES


def test_a_real_limit_on_files_keeps_the_last_checkpoint(cut_off):
    """The system itself refuses to write on, in the middle of a file."""
    before = (cut_off / "checkpoint" / LATEST).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
        with pytest.raises(OSError, match=r"cannot be written \(File too large\); free some space and run the same"):
            train_translator(toy_corpus(), recipe(), cut_off)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (cut_off / "checkpoint" / LATEST).read_bytes() == before
    assert train_translator(toy_corpus(), recipe(), cut_off)["steps"] == 40


def test_a_full_disk_for_the_metrics():
    step = Step(1, 0.1, 1.0, torch.tensor(2.0), torch.tensor(1.0), 1e-3, 50)
    message = r"/dev/full cannot be written \(No space left on device\); free some space and run the same command"
    with pytest.raises(OSError, match=message), Monitor(Path("/dev/full"), live=False) as monitor:
        monitor.step(step)


def test_a_checkpoint_whose_turn_had_just_come_is_not_lost(cut_off, at_step):
    """Killed between the two renames: only the one before is there, and an error then must not take it away."""
    (cut_off / "checkpoint" / LATEST).replace(cut_off / "checkpoint" / BEFORE)

    def broken(*_):
        raise ValueError("no")

    at_step(26, broken)
    with pytest.raises(ValueError, match="no"):
        train_translator(toy_corpus(), recipe(), cut_off)
    assert (cut_off / "checkpoint" / BEFORE).exists()
