"""WMT14 from a copy in small: what is kept and why, what a cut, a full disk or a damaged part leaves."""

import argparse
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from toy import toy_config

from lessons_lib.cli import main
from lessons_lib.cli.test_set import read_test_set
from lessons_lib.translation.data import prepared
from lessons_lib.translation.data.cleaning import REASONS, Cleaner, Filters, HashSet, normalise
from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.language_check import wrong_language
from lessons_lib.translation.data.prepared import ParquetPairs, load_prepared, to_parquet
from lessons_lib.translation.data.wmt14 import left_out, load_wmt14, prepare
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe
from lessons_lib.translation.training.resumable import train_translator

NEWS = [("The parliament of Prague voted.", "Le parlement de Prague a voté."), ("Rain is coming.", "La pluie arrive.")]
BAD = {
    "blank": (" ", "Bonjour"),
    "too_long": ("a b " * 51, "a b " * 51),
    "length_ratio": ("Yes.", "Oui, je le pense aussi vraiment."),
    "untranslated": ("Hotel Ritz, Paris", "hotel ritz – Paris"),
    "wrong_language": ("the dog and the cat", "der Hund und die Katze und das Haus"),
    "in_a_test_set": ("the parliament of PRAGUE voted", "Le parlement tchèque a voté."),
    "duplicate": ("The cat number 0 is in the house!", "le chat numéro 0 est dans la maison"),
}


def row(source: str, target: str) -> dict:
    return {"translation": {"en": source, "fr": target}}


def good(number: int) -> tuple[str, str]:
    return f"The cat number {number} is in the house.", f"Le chat  numéro {number} est dans la maison.\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """WMT14 in small, as JSON lines: 600 good pairs, and after every tenth a bad one."""
    folder = tmp_path_factory.mktemp("wmt14")
    bad = list(BAD.values())
    rows = []
    for number in range(600):
        rows += [row(*good(number))] + [row(*bad[number // 10 % len(bad)])] * (number % 10 == 0)
    files = {"train-00000-of-00002": rows[:250], "train-00001-of-00002": rows[250:]}
    files |= {"validation": [row(*NEWS[0])], "test": [row(*NEWS[1])]}
    for name, some in files.items():
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in some), "utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory) -> Path:
    """350 pairs of it, prepared without a cut. Tests copy it."""
    out = tmp_path_factory.mktemp("prepared") / "out"
    prepare(out, 350, source, part_pairs=100)
    return out


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file; of the manifest without the places in the source, which have several names in `datasets`."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}
    manifest = json.loads(found["manifest.json"])
    for part in manifest["parts"]:
        del part["ends"]
    return found | {"manifest.json": json.dumps(manifest).encode()}


def test_what_is_kept_and_what_is_left_out(folder):
    corpus = load_prepared(folder)
    assert [pair.source for pair in corpus.train] == [good(number)[0] for number in range(350)]
    assert corpus.train[7].target == "Le chat numéro 7 est dans la maison."
    assert (corpus.valid, corpus.test) == ([Pair(*NEWS[0])], [Pair(*NEWS[1])])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert left_out(manifest) == dict.fromkeys(REASONS, 5)
    assert [part["pairs"] for part in manifest["parts"]] == [100, 100, 100, 50]


@pytest.mark.parametrize("reason", REASONS)
def test_each_filter(reason):
    cleaner = Cleaner(Filters(), [Pair(*side) for side in NEWS])
    assert cleaner.reason(Pair(*good(0))) is None
    assert cleaner.reason(Pair(*BAD[reason])) == reason


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        ("Je ne sais pas ce que tu attends.", "fr", False),
        ("Je ne sais pas ce que tu attends.", "en", True),
        ("I don't know what you're waiting for.", "en", False),
        ("I don't know what you're waiting for.", "fr", True),
        ("Das ist nicht das Haus.", "fr", True),
        ("Это не дом.", "en", True),
        ("Barack Obama, 2008", "fr", False),
        ("Depuis combien de temps es-tu en train de boire ?", "fr", False),
    ],
)
def test_language(text, language, wrong):
    assert wrong_language(text, language) is wrong


def test_sentences_that_differ_in_case_and_punctuation_are_the_same():
    assert normalise("« L’ÉTÉ »,  e\u0301te\u0301 ﬁn!") == normalise("l'été été fin")
    assert normalise("...") == "..." != normalise("!")


def test_a_set_of_hashes():
    values = np.random.default_rng(0).integers(0, 2**64, 3_000, np.uint64).tolist()
    found = HashSet()
    for number, value in enumerate(values[:2_000]):
        found.add(value)
        if number % 700 == 0:
            found.seal()
    assert all(value in found for value in values[:2_000])
    assert not any(value in found for value in values[2_000:])


def test_a_killed_preparation_ends_as_one_without_a_cut(source, folder, tmp_path):
    kills = [str(random.Random(seed).randrange(1, 18)) for seed in range(4)]
    command = [sys.executable, Path(__file__).with_name("wmt14_killed.py"), tmp_path / "out", source, "350", "100"]
    done = subprocess.run([*command, *kills], capture_output=True, text=True, check=True)
    assert done.stdout.split().count(str(-signal.SIGKILL)) >= 3
    assert contents(tmp_path / "out") == contents(folder)


def test_more_pairs_are_the_same_and_then_others(source, copy, tmp_path):
    prepare(copy, 530, part_pairs=100)
    prepare(tmp_path / "at once", 530, source, part_pairs=100)
    assert contents(copy) == contents(tmp_path / "at once")
    before = contents(copy)
    prepare(copy, 30, part_pairs=100)  # fewer than there are
    assert contents(copy) == before
    assert len(load_prepared(copy, 130).train) == 130


def test_a_source_that_ends(source, tmp_path):
    manifest = prepare(tmp_path / "out", 5_000, source, part_pairs=200)
    assert manifest["exhausted"]
    corpus = load_prepared(tmp_path / "out", 5_000)
    assert [pair.source for pair in corpus.train] == [good(number)[0] for number in range(600)]
    assert prepare(tmp_path / "out", 5_000, part_pairs=200) == manifest


@pytest.mark.parametrize("name", ["train-00001-100.parquet", "train-00003-50.parquet", "test.parquet"])
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_part_that_is_missing_or_damaged(copy, capsys, name, damage):
    whole = contents(copy)
    if damage == "missing":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(whole[name][:-30] + b"x" * 30)
    message = rf"{name} is {damage}.*run `lessons prepare --corpus wmt14 --pairs 350 --out .*`: it makes this part anew"
    with pytest.raises(ValueError, match=message):
        load_prepared(copy)
    prepare(copy, 350, part_pairs=100)
    assert contents(copy) == whole


def test_a_part_that_breaks_while_it_is_read(copy):
    corpus = load_prepared(copy)
    (copy / "train-00002-100.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"train-00002-100\.parquet cannot be read .*; run `lessons prepare` again"):
        list(corpus.train)


def test_a_full_disk(source, folder, tmp_path, monkeypatch):
    """Whatever file it is that no longer fits, what was there stays, and the next run goes on."""
    out, real, written = tmp_path / "out", os.fsync, []

    def fsync(descriptor):
        written.append(descriptor)
        if len(written) == 8:  # manifest, valid, test, then part and manifest, three times
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match=r"cannot be written \(No space left on device\); free some space"):
        prepare(out, 350, source, part_pairs=100)
    monkeypatch.undo()
    assert not list(out.glob(".*.partial"))
    assert len(load_prepared(out).train) == 200
    prepare(out, 350, source, part_pairs=100)
    assert contents(out) == contents(folder)


def test_a_row_that_is_none(tmp_path):
    for split in ("train", "validation", "test"):
        (tmp_path / f"{split}.jsonl").write_text('{"en": "a", "fr": "b"}\n')
    with pytest.raises(ValueError, match=r"has a row that is not .*translation"):
        prepare(tmp_path / "out", 5, tmp_path)
    assert not (tmp_path / "out").exists()
    (tmp_path / "validation.jsonl").write_text(json.dumps(row(*NEWS[0])))
    with pytest.raises(OSError, match=r"check whether all rows are {.translation.: {.en.: …, .fr.: …}}, and run"):
        prepare(tmp_path / "out", 5, tmp_path)


def test_a_side_that_is_missing_is_as_blank_as_one_that_is_null(tmp_path):
    """`datasets` 5 reads a column whose rows have other keys as JSON, and leaves out what a row has not."""
    rows = [row(*good(0)), {"translation": {"en": "Only English."}}, {"translation": {"en": None, "fr": "Rien."}}]
    for split, some in (("train", [*rows, row(*good(1))]), ("validation", [row(*NEWS[0])]), ("test", [row(*NEWS[1])])):
        (tmp_path / f"{split}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in some))
    prepare(tmp_path / "out", 5, tmp_path)
    assert [pair.source for pair in load_prepared(tmp_path / "out").train] == [good(0)[0], good(1)[0]]
    assert left_out(json.loads((tmp_path / "out" / "manifest.json").read_text()))["blank"] == 2


def test_folders_that_are_none_of_ours(source, copy, tmp_path):
    with pytest.raises(ValueError, match="nowhere is not a folder; give one with the splits"):
        prepare(tmp_path / "out", 5, tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"copy was prepared with source .*; give another folder"):
        prepare(copy, 5, tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train-00000-5.parquet").write_text("ten years")
    with pytest.raises(ValueError, match=r"holds train-00000-5\.parquet, which is not part of a corpus"):
        prepare(tmp_path / "mine", 5, source)
    with pytest.raises(ValueError, match=r"mine is not a prepared corpus: it has no manifest\.json"):
        load_prepared(tmp_path / "mine")
    with pytest.raises(ValueError, match=r"copy holds 350 pairs, not 400; run `lessons prepare .* --pairs 400"):
        load_prepared(copy, 400)
    for manifest in ("{}", "[]", '{"format": 1}'):
        (copy / "manifest.json").write_text(manifest)
        with pytest.raises(ValueError, match="is not one that this version"):
            load_prepared(copy)


def test_pairs_in_parquet_are_a_sequence(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "ROW_GROUP", 4)
    pairs = [Pair(f"{n} \u2028 é", f"{n}") for n in range(25)]
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for path, some in zip(paths, (pairs[:10], [], pairs[10:]), strict=True):
        path.write_bytes(to_parquet(some))
    lazy = ParquetPairs(paths, 23)
    assert list(lazy) == pairs[:23]
    assert lazy[:] == pairs[:23]
    assert lazy[3:20:5] == pairs[3:20:5]
    assert [lazy[-1], lazy[-23], lazy[11]] == [pairs[22], pairs[0], pairs[11]]
    for index in (23, -24):
        with pytest.raises(IndexError, match="not within the 23 pairs"):
            lazy[index]


def test_parquet_rows_are_as_good_as_json_lines(source, folder, tmp_path):
    for path in source.iterdir():
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / f"{path.stem}.parquet", 100)
    prepare(tmp_path / "out", 350, tmp_path, part_pairs=100)
    ours, theirs = load_prepared(tmp_path / "out"), load_prepared(folder)
    assert ours.fingerprint() == theirs.fingerprint()


def test_training_reads_the_parts(copy, tmp_path):
    recipe = Recipe(toy_config(max_length=40), TrainingOptions(steps=2), batch_tokens=300, device="cpu")
    card = train_translator(load_wmt14(copy, 120), recipe, tmp_path / "model")
    assert card["data"]["corpus"] == "wmt14"
    assert card["data"]["train"] == 120


def test_its_test_part_scores_a_model(copy):
    options = argparse.Namespace(corpus="wmt14", part=None, data=copy, source=None, reference=None)
    assert read_test_set(options, copy) == (load_wmt14(copy).test, [])


def test_prepare_prints_what_it_did(source, tmp_path, capsys):
    out = str(tmp_path / "out")
    arguments = ["prepare", "--corpus", "wmt14", "--pairs", "50", "--source", str(source), "--out", out]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert f"{out}: 50 pairs in 1 parts\nleft out: 1 blank, 1 too long, 1 length ratio" in printed.out
    assert "preparing: 100%" in printed.err
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [said["pairs"], said["valid"], said["left_out"]["blank"], said["exhausted"]] == [50, 1, 1, False]
    assert main([*arguments[:3], "--pairs", "0", "--out", out]) == 2
    assert capsys.readouterr().err == "lessons: 0 pairs are too few; use 1 or more\n"


def test_without_a_network_it_says_so_at_once(tmp_path):
    environment = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "lessons_lib.cli", "train", "--corpus", "wmt14", "--steps", "1"]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--out", tmp_path / "model", "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("lessons: wmt/wmt14 comes from huggingface.co, which cannot be reached")
    assert "prepare a copy on your disk: lessons prepare --corpus wmt14 --source FOLDER" in done.stderr
    assert time.monotonic() - started < 60
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "model").exists()


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert main(["prepare", "--corpus", "wmt14", "--pairs", "5", "--out", str(tmp_path / "out")]) == 2
    assert "needs the library `datasets`; install it: pip install 'datasets>=3'" in capsys.readouterr().err
