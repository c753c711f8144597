"""A training that is cut off goes on as if nothing had happened; in pieces, or in a team, it learns the same."""

import errno
import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy import toy_config, toy_corpus, toy_tokenizer

from lessons_lib.device import seed_everything
from lessons_lib.transformer import Transformer
from lessons_lib.translation.data.batching import Batches, encode_pairs
from lessons_lib.translation.training.checkpoint import BEFORE, LATEST, read_checkpoint, write_checkpoint
from lessons_lib.translation.training.loop import Trainer, TrainingOptions

TESTS = Path(__file__).parents[2]
STEPS = 40


def trainer(**options) -> Trainer:
    seed_everything(7)
    model = Transformer(toy_config(vocab_size=len(toy_tokenizer()), dropout=0.2))
    return Trainer(model, TrainingOptions(**({"steps": STEPS, "learning_rate": 1e-2, "average": 4} | options)))


def batches() -> Batches:
    return Batches(encode_pairs(toy_tokenizer(), toy_corpus().train, 24), toy_tokenizer(), 400)


def losses(of: Trainer, count: int = STEPS) -> list[float]:
    steps = of.steps(batches().forever(of.number))
    return [step.loss.item() for step in itertools.islice(steps, count)]


def same_weights(one: Trainer, other: Trainer, **tolerance) -> None:
    for (name, p), (_, q) in zip(one.model.named_parameters(), other.model.named_parameters(), strict=True):
        torch.testing.assert_close(p, q, msg=name, **({"rtol": 0, "atol": 0} | tolerance))


def test_a_resumed_training_has_the_same_losses_weights_and_average(tmp_path):
    undisturbed = trainer()
    expected = losses(undisturbed)
    first = trainer()
    seen = losses(first, 33)  # the fourth epoch has begun, and two states are averaged
    write_checkpoint(tmp_path, *first.state())
    second = trainer()
    second.restore(*read_checkpoint(tmp_path))
    assert second.number == 33
    assert seen + losses(second) == expected
    same_weights(second, undisturbed)
    assert second.average.taken == undisturbed.average.taken == 4
    for one in (second, undisturbed):
        one.average.apply()
    same_weights(second, undisturbed)


def test_the_average_is_the_mean_of_states_at_even_distances():
    of, states = trainer(average=3), {}
    for step in of.steps(batches().forever()):
        states[step.number] = {name: p.detach().clone() for name, p in of.model.named_parameters()}
    taken = [states[number] for number in (32, 36, 40)]  # 80, 90 and 100 % of 40 steps
    of.average.apply()
    for name, weight in of.model.named_parameters():
        torch.testing.assert_close(weight, sum(state[name] for state in taken) / 3)
    assert not torch.equal(weight, states[40][name])


@pytest.mark.parametrize("pieces", [2, 5, 60])  # 60: more than a batch has rows
def test_a_batch_in_pieces_teaches_the_same(pieces):
    whole, parts = trainer(), trainer(accumulate=pieces)
    for one in (whole, parts):
        for module in one.model.modules():
            if hasattr(module, "p"):
                module.p = 0.0  # every piece draws noise of its own
    assert losses(whole, 10) == pytest.approx(losses(parts, 10), abs=1e-4)
    for one in (whole, parts):
        for name, weight in one.model.named_parameters():
            if name.endswith("key.bias"):  # adds the same to all scores of a query: its gradient is rounding alone
                weight.data.zero_()
    same_weights(whole, parts, atol=2e-4)


# ---- the checkpoint file


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path):
    for number in (1, 2):
        write_checkpoint(tmp_path, {"x": torch.full((3,), float(number))}, {"number": number})
    assert read_checkpoint(tmp_path)[1] == {"number": 2}
    whole = (tmp_path / LATEST).read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"\0" * len(whole), whole[:-1]):
        (tmp_path / LATEST).write_bytes(damage)
        tensors, values = read_checkpoint(tmp_path)
        assert (tensors["x"].tolist(), values) == ([1.0] * 3, {"number": 1})
    (tmp_path / BEFORE).write_bytes(b"no")
    with pytest.raises(ValueError, match=r"only damaged checkpoints \(latest.safetensors, before.safetensors\)"):
        read_checkpoint(tmp_path)


def test_there_may_be_none(tmp_path):
    assert read_checkpoint(tmp_path / "nowhere") is None


def test_a_full_disk_keeps_the_last_one(tmp_path, monkeypatch):
    write_checkpoint(tmp_path, {"x": torch.ones(1)}, {"number": 1})

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot be written \(No space left on device\); free some space and run"):
        write_checkpoint(tmp_path, {"x": torch.zeros(1)}, {"number": 2})
    assert read_checkpoint(tmp_path)[1] == {"number": 1}
    assert [path.name for path in tmp_path.iterdir()] == [LATEST]


# ---- the whole command, in processes of its own


def command(out: Path, *flags: str) -> list[str]:
    """Train 300 steps on the toy language, a checkpoint after each (`toy_training.py`)."""
    return [sys.executable, str(TESTS / "toy_training.py"), str(out), *flags]


def run(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(arguments, capture_output=True, text=True, env=environment, check=True)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model.safetensors")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    run(*command(out))
    return out


def test_killed_ten_times_it_ends_the_same(undisturbed, tmp_path):
    out, rng, killed = tmp_path / "killed", random.Random(0), 0
    metrics = out / "checkpoint" / "metrics.jsonl"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    while killed < 10:
        process = subprocess.Popen(command(out), env=environment, stderr=subprocess.PIPE, text=True)
        known = metrics.stat().st_size if metrics.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and not (metrics.exists() and metrics.stat().st_size != known):
            assert time.monotonic() < deadline  # it is training when the file grows
            time.sleep(0.002)
        time.sleep(rng.random() * 0.15)
        process.kill()
        process.wait()
        assert not (out / "run.json").exists(), process.stderr.read()  # not over yet
        killed += 1
    done = run(*command(out))
    assert "going on after step" in done.stderr
    ours, theirs = weights(out), weights(undisturbed)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    cards = [json.loads((folder / "run.json").read_text()) for folder in (out, undisturbed)]
    assert cards[0]["scores"] == cards[1]["scores"]
    assert cards[0]["target_tokens"] == cards[1]["target_tokens"]
    steps = [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)


def test_two_processes_reach_what_one_does(undisturbed, tmp_path):
    out = tmp_path / "team"
    run(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command(out)[1:])
    cards = [json.loads((folder / "run.json").read_text()) for folder in (out, undisturbed)]
    assert [card["processes"] for card in cards] == [2, 1]
    assert cards[0]["scores"]["bleu"] == pytest.approx(cards[1]["scores"]["bleu"], abs=0.5)
    assert cards[1]["scores"]["bleu"] > 90
    lines = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (out, undisturbed)]
    first = [[json.loads(line).get("loss") for line in some[:5]] for some in lines]
    assert first[0] == pytest.approx(first[1], abs=1e-3)


def files_of_pairs(folder: Path) -> list[str]:
    """What `lessons train --corpus pairs` is told of the toy corpus, and of a model as small as it."""
    for number, side in enumerate(("en", "fr")):
        lines = [f"{pair[number]}\n" for pair in toy_corpus().train[:50]]
        (folder / f"a.{side}").write_text("".join(["\n", *lines]))
    sizes = {"d-model": 16, "d-ff": 32, "n-encoder-layers": 1, "n-decoder-layers": 1, "vocab-size": 400, "steps": 3}
    flags = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    files = [str(folder / "a.en"), str(folder / "a.fr")]
    return ["train", "--corpus", "pairs", "--train", *files, "--valid", *files, "--device", "cpu", *flags]


def test_the_command_ends_well_in_every_process(tmp_path):
    """As the help says it; each process is told all, and one of them talks."""
    team = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    flags = ["-m", "lessons_lib.cli", *files_of_pairs(tmp_path), "--out", str(tmp_path / "out")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*team, *flags], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.count("BLEU") == done.stdout.count("3 steps") == 1
    assert done.stderr.count("pairs left out: 2 blank") == done.stderr.count("such a score flatters") == 1
    assert json.loads((tmp_path / "out" / "run.json").read_text())["processes"] == 2


def test_a_variable_that_speaks_of_other_processes_is_named(tmp_path):
    command = [sys.executable, "-m", "lessons_lib.cli", *files_of_pairs(tmp_path), "--out", str(tmp_path / "out")]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MASTER_", "RANK", "LOCAL_"))}
    done = subprocess.run(command, capture_output=True, text=True, env=alone | {"WORLD_SIZE": "2"})
    assert done.returncode == 2
    assert "lessons: WORLD_SIZE=2 speaks of other processes, but " in done.stderr
    assert "unset WORLD_SIZE to train alone" in done.stderr
    assert not (tmp_path / "out").exists()


def test_other_settings_do_not_go_on(tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--interrupt-at", "20"))
    refused = subprocess.run(command(out, "--d-ff", "32"), capture_output=True, text=True)
    assert refused.returncode != 0
    assert "holds an unfinished training with d_ff=64, not 32; give another folder" in refused.stderr
    run(*command(out))
    assert (out / "run.json").exists()


def test_early_stopping_ends_after_validations_that_are_better_in_nothing(tmp_path):
    run(*command(tmp_path / "out", "--patience", "2"))
    card = json.loads((tmp_path / "out" / "run.json").read_text())
    lines = map(json.loads, (tmp_path / "out" / "metrics.jsonl").read_text().splitlines())
    seen = [(line["valid_loss"], line["valid_chrf"]) for line in lines if "valid_chrf" in line]
    misses, loss, chrf = [0], float("inf"), float("-inf")
    for one in seen:
        misses.append(0 if one[0] < loss or round(one[1], 2) > chrf else misses[-1] + 1)
        loss, chrf = min(loss, one[0]), max(chrf, one[1])
    assert max(misses) == misses[-1] <= 2
    assert (card["steps"] < 300) == (misses[-1] == 2)
    assert card["scores"]["bleu"] > 90
