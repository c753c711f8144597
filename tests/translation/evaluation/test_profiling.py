"""What decoding costs: every row is measured, on the same work, and bad values are named."""

import csv
import json

import pytest
import torch
from toy import toy_model, toy_sources

from lessons_lib import figures
from lessons_lib.cli import main
from lessons_lib.timing import peak_bytes
from lessons_lib.translation.evaluation.profiling import Point, decode, points, profile
from lessons_lib.translation.search.decoding import greedy, n_best
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.translation.search.uncached import Uncached

SMALL = {"batch": (1, 2, 3), "source_length": (4, 6), "beam": (1, 2), "precision": ("fp32", "bf16")}
FLAGS = "--batch 1 2 --source-length 4 8 --beam 1 2 --precision fp32 --rounds 1".split()


@pytest.fixture(scope="module")
def measured():
    return profile(toy_model()[0], points(**SMALL), rounds=1)


def test_one_factor_at_a_time():
    wanted = points(**SMALL)
    base = Point(2, 6, 1, True, "fp32")
    assert base in wanted
    assert len(wanted) == len(set(wanted)) == 3 + 1 + 2 + 1 + 1  # batch, length, both uncached, beam, precision
    for point in wanted:
        changed = {name for name in vars(base) if getattr(point, name) != getattr(base, name)}
        assert len(changed) <= 1 or changed == {"source_length", "cached"}
    assert len(points(**SMALL, grid=True)) == 3 * 2 * 2 * 2 * 2


def test_every_row_has_its_numbers(measured):
    assert [Point(**{name: getattr(row, name) for name in vars(Point())}) for row in measured] == points(**SMALL)
    for row in measured:
        assert row.ms > 0
        assert row.ms_a_sentence == pytest.approx(row.ms / row.batch)
        assert row.tokens_per_second == pytest.approx(1000 * row.batch * row.source_length / row.ms)
        assert row.peak_bytes > 0
    weights = {row.precision: row.weights_bytes for row in measured}
    assert weights["fp32"] == 2 * weights["bf16"] == 4 * sum(p.numel() for p in toy_model()[0].parameters())


def test_more_sentences_and_beams_take_more_memory(measured):
    peak = {Point(**{name: getattr(row, name) for name in vars(Point())}): row.peak_bytes for row in measured}
    base = Point(2, 6)
    assert peak[Point(1, 6)] < peak[base] < peak[Point(3, 6)]
    assert peak[base] < peak[Point(2, 6, beam=2)]


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("length", [2, 7, 24])
def test_a_translation_is_as_long_as_its_source(beam, cached, length):
    model, _ = toy_model()
    src = torch.randint(3, model.config.vocab_size, (4, length))
    for hypothesis in decode(model, Point(4, length, beam, cached), src):
        assert len(hypothesis.tokens) == length
        assert [token == model.config.eos_id for token in hypothesis.tokens] == [False] * (length - 1) + [True]


def test_without_a_cache_every_search_finds_the_same():
    model, _ = toy_model()
    uncached, src = Uncached(model), toy_sources(5)
    assert [h.tokens for h in greedy(uncached, src)] == [h.tokens for h in greedy(model, src)]
    beams = [[[h.tokens for h in ended] for ended in n_best(one, src, 3)] for one in (uncached, model)]
    assert beams[0] == beams[1]


def test_the_peak_counts_what_is_there_at_once():
    def work() -> None:
        first = torch.ones(1000)
        second = first + 1
        del first
        second + 1

    assert peak_bytes(work) == pytest.approx(2 * 4000, abs=100)  # and the 1 that is added
    assert peak_bytes(work, torch.device("mps")) is None


@pytest.mark.parametrize(
    ("wanted", "rounds", "message"),
    [
        (Point(batch=0), 1, "batch=0 is not positive; use 1 or more"),
        (Point(source_length=1), 1, "source_length=1 is not between 2 and 24, the most that this model reads"),
        (Point(source_length=25), 1, "source_length=25 is not between 2 and 24"),
        (Point(beam=0), 1, "beam=0 is not between 1 and"),
        (Point(precision="fp8"), 1, "precision='fp8' is not known"),
        (Point(precision="fp16"), 1, "precision='fp16' is for GPUs"),
        (Point(), 0, "rounds=0 is not positive"),
    ],
)
def test_values_out_of_range(wanted, rounds, message):
    with pytest.raises(ValueError, match=message):
        profile(toy_model()[0], [wanted], rounds)


# ---- the command


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("model")
    save_model(folder, *toy_model())
    return str(folder)


def test_the_table_is_aligned(model, capsys):
    assert main(["profile", "--model", model, *FLAGS]) == 0
    printed = capsys.readouterr()
    first, names, *rows = printed.out.splitlines()
    assert "medians of 1 rounds; translations as long as their sources" in first
    assert names.split("  ")[-1] == "peak MB"
    assert len(rows) == 2 + 1 + 2 + 1
    assert {len(row) for row in rows} == {len(names)}


def test_json_and_csv_hold_the_same_rows(model, capsys, tmp_path):
    out = tmp_path / "rows.csv"
    assert main(["profile", "--model", model, *FLAGS, "--json", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    found = json.loads(printed)
    assert set(found) == {"model", "device", "rounds", "rows"}
    with out.open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [{name: str(value) for name, value in row.items()} for row in found["rows"]] == written
    assert list(written[0]) == [
        *("batch", "source_length", "beam", "cached", "precision"),
        *("ms", "ms_a_sentence", "tokens_per_second", "weights_bytes", "peak_bytes"),
    ]


def test_the_figure(model, tmp_path, measured):
    out = tmp_path / "costs.png"
    assert main(["profile", "--model", model, *FLAGS, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    time, memory = figures.decoding_costs([vars(row) for row in measured]).axes
    assert [list(line.get_xdata()) for line in time.lines] == [[4, 6], [4, 6]]
    assert [list(line.get_xdata()) for line in memory.lines] == [[1, 2, 3]]
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in (time, memory))


def test_a_wrong_out_is_named_before_anything_is_measured(model, capsys, tmp_path):
    for out, message in (("profile.pdf", "ends neither with .png"), ("no/such.csv", "no does not exist; make it")):
        assert main(["profile", "--model", model, "--out", str(tmp_path / out)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert message in printed.err
