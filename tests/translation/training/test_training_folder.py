"""A folder in which a training was cut off: what goes on, what is thrown away, and who may be there."""

import fcntl
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_resume import losses, trainer
from toy import toy_config, toy_corpus, toy_model

from lessons_lib.device import memory_errors
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.search.model_folder import CHECKPOINT, FILES, load_model
from lessons_lib.translation.training import loop as training
from lessons_lib.translation.training import monitor
from lessons_lib.translation.training import resumable as run
from lessons_lib.translation.training.checkpoint import LATEST, read_checkpoint, write_checkpoint
from lessons_lib.translation.training.early_stopping import EarlyStopping
from lessons_lib.translation.training.in_use import LOCK
from lessons_lib.translation.training.loop import Step, Trainer
from lessons_lib.translation.training.monitor import Monitor, StopSignal
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.resumable import train_translator

SMALL = {"d_model": 16, "d_ff": 32}


def recipe(steps: int = 30, config: dict | None = None, options: dict | None = None, **changes) -> Recipe:
    fixed = {"batch_tokens": 300, "validations": 0, "device": "cpu", "precision": "fp32"}
    training = TrainingOptions(steps=steps, learning_rate=1e-2, warmup_steps=20, **(options or {}))
    return Recipe(toy_config(**(SMALL | (config or {}))), training, **(fixed | changes))


@pytest.fixture
def cut_off(tmp_path, monkeypatch) -> Path:
    """A folder whose training heard SIGTERM before step 10."""
    update = training.Trainer._update

    def interrupted(self, batch):
        if self.number == 9:
            signal.raise_signal(signal.SIGTERM)
        return update(self, batch)

    monkeypatch.setattr(training.Trainer, "_update", interrupted)
    assert train_translator(toy_corpus(), recipe(), tmp_path / "out")["stopped_early"] == "SIGTERM"
    monkeypatch.setattr(training.Trainer, "_update", update)
    return tmp_path / "out"


def test_overwrite_goes_on_with_the_same_training(cut_off, capsys):
    """What a cluster does when it gives a job another machine: the same command, whatever its flags."""
    seen = []
    card = train_translator(toy_corpus(), recipe(), cut_off, overwrite=True)
    assert "going on after step 10 (to start anew, delete" in capsys.readouterr().err
    seen = [json.loads(line)["step"] for line in (cut_off / "metrics.jsonl").read_text().splitlines()]
    assert card["steps"] == 30
    assert seen == [1, 10, 20, 30]
    assert {path.name for path in cut_off.iterdir()} == FILES


def test_overwrite_says_what_it_throws_away(cut_off, capsys):
    other = recipe(config={"d_ff": 48})
    with pytest.raises(ValueError, match="holds an unfinished training with d_ff=32, not 48; give another folder"):
        train_translator(toy_corpus(), other, cut_off)
    assert (cut_off / CHECKPOINT / LATEST).is_file()
    assert train_translator(toy_corpus(), other, cut_off, overwrite=True)["steps"] == 30
    said = capsys.readouterr().err
    assert "thrown away: " in said
    assert "held an unfinished training with d_ff=32, not 48, at step 10" in said
    assert "going on" not in said


def test_more_pieces_after_too_little_memory(cut_off, capsys):
    train_translator(toy_corpus(), recipe(options={"accumulate": 2}), cut_off)
    assert "going on after step 10" in capsys.readouterr().err


def test_the_batches_of_another_machine_go_on(tmp_path, monkeypatch, capsys):
    """Where nobody asked for a size, the device chose it; the training keeps it elsewhere."""
    out = tmp_path / "out"
    by_device = recipe(steps=2, batch_tokens=None, checkpoint_minutes=1e-9)
    monkeypatch.setattr(run.shutil, "rmtree", lambda *_, **__: None)  # its last checkpoint stays
    train_translator(toy_corpus(), by_device, out)
    tensors, values = read_checkpoint(out / CHECKPOINT)
    values["identity"]["batch_tokens"] = 300  # as if it had begun on a GPU
    write_checkpoint(out / CHECKPOINT, tensors, values)
    longer = replace(by_device, training=replace(by_device.training, steps=6))
    assert train_translator(toy_corpus(), longer, out)["training"]["batch_tokens"] == 300
    assert "going on after step 2" in capsys.readouterr().err


def test_a_second_training_in_the_same_folder_is_refused(tmp_path):
    folder = tmp_path / "out" / CHECKPOINT
    folder.mkdir(parents=True)
    with (folder / LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711 on here\n")
        held.flush()
        with pytest.raises(ValueError, match=r"out is in use by process 4711 on here, which trains there; wait for it"):
            train_translator(toy_corpus(), recipe(), tmp_path / "out")
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert train_translator(toy_corpus(), recipe(steps=2), tmp_path / "out")["steps"] == 2


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where the tests were begun in the background, whose programs are deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_ends_the_scoring_and_the_model_is_there(tmp_path, monkeypatch):
    """A handler that only waits for the next step would swallow it: there is none any more."""

    def score_for_long(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("Ctrl-C was swallowed")

    monkeypatch.setattr(run, "score_translator", score_for_long)
    with pytest.raises(KeyboardInterrupt):
        train_translator(toy_corpus(), replace(recipe(steps=3), validations=0), tmp_path / "out")
    load_model(tmp_path / "out")
    assert "scores" not in json.loads((tmp_path / "out" / "run.json").read_text())


@pytest.mark.usefixtures("heard")
def test_one_press_may_arrive_twice_and_a_second_one_ends(monkeypatch):
    with StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received is signal.SIGINT
        monkeypatch.setattr(monitor, "SAME_PRESS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_an_error_before_the_first_step_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match="no training pair fits max_length=3"):
        train_translator(toy_corpus(), recipe(config={"max_length": 3}), tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["n_encoder_layers", "n_decoder_layers"])
def test_a_translator_needs_both_stacks(name):
    with pytest.raises(ValueError, match=f"{name}=0: a translator needs both stacks; use 1 or more"):
        recipe(config={name: 0})


def test_a_checkpoint_goes_on_in_any_precision(tmp_path):
    """fp32, then fp16 with its scaling (a T4), then fp32, then fp16 again."""
    for number, precision in enumerate([torch.float32, torch.float16, torch.float32, torch.float16]):
        one = trainer()
        one = Trainer(one.model, one.options, precision)
        if number:
            one.restore(*read_checkpoint(tmp_path))
        assert one.number == 3 * number
        assert all(loss < 10 for loss in losses(one, 3))
        assert one.scaler.is_enabled() == (precision == torch.float16)
        write_checkpoint(tmp_path, *one.state())


def test_metrics_are_json_where_fp16_overflows(tmp_path):
    with Monitor(tmp_path / "metrics.jsonl", live=False) as monitor:
        monitor.step(Step(1, 0.1, 1.0, torch.tensor(2.0), torch.tensor(float("inf")), 1e-3, 10))
        monitor.validated(float("nan"), 1.0, 2.0)

    def refuse(constant):
        raise AssertionError(constant)

    first, second = [json.loads(line, parse_constant=refuse) for line in (tmp_path / "metrics.jsonl").open()]
    assert first["gradient_norm"] is None
    assert second["valid_loss"] is None


@pytest.mark.parametrize(
    ("validations", "stops_after"),
    [
        ([(3.0, 0.0), (2.9, 0.0), (2.8, 0.0), (2.7, 0.0)], None),  # words that BLEU and chrF do not see yet
        ([(3.0, 5.0), (2.9, 4.0), (2.8, 3.0), (2.7, 2.0)], None),
        ([(3.0, 5.0), (3.1, 6.0), (3.2, 7.0), (3.3, 8.0)], None),  # it overfits, and still translates better
        ([(3.0, 5.0), (3.1, 5.0), (3.2, 4.0), (2.0, 9.0)], 3),
    ],
)
def test_patience_counts_validations_that_are_better_in_nothing(validations, stops_after):
    stopping, ended = EarlyStopping(toy_model()[0], patience=2), None
    for number, (loss, chrf) in enumerate(validations, start=1):
        stopping.after_validation(loss, chrf)
        if stopping.over and ended is None:
            ended = number
    assert ended == stops_after


def test_the_weights_of_the_best_translations_are_kept():
    model, _ = toy_model()
    stopping = EarlyStopping(model, patience=3)
    for number, (loss, chrf) in enumerate([(3.0, 5.0), (2.5, 7.0), (2.0, 6.0), (2.2, 7.0)]):
        model.output_weight.data.fill_(number)
        stopping.after_validation(loss, chrf)
    assert stopping.apply()
    assert (model.output_weight == 3).all()  # as good as the second, and more probable


def test_patience_survives_a_checkpoint():
    first, second = (EarlyStopping(toy_model()[0], patience=2) for _ in range(2))
    for loss, chrf in [(3.0, 5.0), (3.1, 4.0)]:
        first.after_validation(loss, chrf)
    second.restore(json.loads(json.dumps(first.state())), first.weights)
    second.after_validation(3.2, 4.5)
    assert second.over


def test_what_validates_and_tests_is_drawn_from_everywhere_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "VALIDATION_PAIRS", 5)
    monkeypatch.setattr(run, "TEST_PAIRS", 4)
    asked, score = [], run.score_translator

    def listening(translator, pairs, **options):
        asked.append(list(pairs))
        return score(translator, pairs, **options)

    monkeypatch.setattr(run, "score_translator", listening)
    corpus = toy_corpus()
    card = train_translator(corpus, recipe(steps=4, validations=1), tmp_path / "out")
    assert asked == [corpus.valid[::4], corpus.test[::5]]
    assert card["data"]["validated_by"] == {"pairs": 5, "drawn": "at even distances"}
    assert (card["scores"]["sentences"], card["scores"]["drawn_from"]) == (4, 20)


def test_a_test_part_that_is_too_long_is_scored_as_empty(tmp_path):
    corpus = replace(toy_corpus(), test=[Pair("the cat " * 30, "le chat")])
    scores = train_translator(corpus, recipe(steps=2), tmp_path / "out")["scores"]
    assert (scores["bleu"], scores["sentences"], scores["too_long"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("error", "is_lack"),
    [
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("memory format option is only supported by strided tensors"), False),
    ],
)
def test_only_a_lack_of_memory_is_called_one(error, is_lack):
    with pytest.raises(ValueError if is_lack else RuntimeError) as raised, memory_errors("; fix"):
        raise error
    assert (str(raised.value) == "the memory is too small; fix") == is_lack
