"""The benchmarks measure what they say: rivals have the same work, and each table has its rows."""

import dataclasses
import inspect
import json
import math
import random
import re

import jaxtyping
import pytest
import torch

from benchmarks import gpu, recipe
from benchmarks.__main__ import main
from benchmarks.attention import attention
from benchmarks.corpus import corpus
from benchmarks.decoding import CTRANSLATE2, OURS, UNCACHED, decoding, searches
from benchmarks.generation import generate, generation
from benchmarks.grading import SEED, answer, hand_in, with_tests
from benchmarks.npm import fetch
from benchmarks.page import OURS as OURS_IN_PAGE
from benchmarks.page import PLAIN, page
from benchmarks.page_training import STEPS, page_training, same_learning
from benchmarks.page_training import TORCH as TORCH_BESIDE_PAGE
from benchmarks.profile import profile
from benchmarks.rivals import HuggingFaceMarian, TorchTransformer
from benchmarks.training import random_batches, training
from benchmarks.widgets import widgets
from lessons_lib.dropout import Dropout
from lessons_lib.grading.batch.batch import seeds_of
from lessons_lib.grading.reference import solutions
from lessons_lib.timing import milliseconds, ratio, take_turns
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.data.corpus import load_grammar
from tools.lesson_files import ROOT, lessons

CONFIG = TransformerConfig(vocab_size=50, d_model=32, n_encoder_layers=1, n_decoder_layers=1, d_ff=64, dropout=0.0)
CPU = torch.device("cpu")


def test_the_cache_changes_the_time_and_not_the_tokens():
    torch.manual_seed(0)
    model, src = Transformer(CONFIG).eval(), torch.randint(3, 50, (3, 7))
    cached = generate(model, src, 12, cached=True)
    assert cached.shape == (3, 12)
    assert torch.equal(cached, generate(model, src, 12, cached=False))


def padded(tokens: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(tokens, (0, 3), value=CONFIG.pad_id)


@pytest.mark.parametrize("rival", [TorchTransformer, HuggingFaceMarian])
def test_a_rival_has_the_same_work_to_do(rival):
    """The same matrices, hence the same products; a rival may have a norm more, or a table of positions."""
    size = lambda model: sum(p.numel() for p in model.parameters() if p.dim() == 2)  # noqa: E731
    torch.manual_seed(0)
    model, (batch, *_) = rival(CONFIG), random_batches(CONFIG, 100, 2)
    tables = CONFIG.max_length * CONFIG.d_model * 2 if rival is HuggingFaceMarian else 0
    assert size(model) - size(Transformer(CONFIG)) in (0, tables)
    loss = model.loss(batch, 0.1)
    loss.backward()
    assert loss.item() == pytest.approx(torch.log(torch.tensor(50.0)).item(), abs=1.5)
    wider = batch._replace(src=padded(batch.src), tgt_in=padded(batch.tgt_in), tgt_out=padded(batch.tgt_out))
    assert model.loss(wider, 0.1).item() == pytest.approx(
        loss.item(), abs=1e-5
    )  # padding is neither seen nor asked for


def test_where_a_rival_has_its_norms():
    """As the page says: Marian as in the paper, the others before each sub-layer and at the end of each stack."""
    torchs, marian = TorchTransformer(CONFIG).layers.encoder, HuggingFaceMarian(CONFIG).model.model.encoder
    assert CONFIG.norm == "pre"
    assert torchs.layers[0].norm_first
    assert torchs.norm is not None
    assert {name for name, _ in marian.named_children()} == {"embed_tokens", "embed_positions", "layers"}


def test_the_rival_with_our_dropout_drops_where_we_do():
    """After each sub-layer and on the embeddings, nowhere else."""

    def drops(module: torch.nn.Module) -> int:
        kinds = (torch.nn.Dropout, Dropout)
        assert not any(m.dropout for m in module.modules() if isinstance(m, torch.nn.MultiheadAttention))
        return sum(isinstance(m, kinds) and m.p > 0 for m in module.modules())

    config = dataclasses.replace(CONFIG, dropout=0.1)
    layers, ours = TorchTransformer(config, inner_dropout=False).layers, Transformer(config)
    for rival, mine in ((layers.encoder, ours.encoder), (layers.decoder, ours.decoder)):
        assert [drops(layer) for layer in rival.layers] == [drops(layer) for layer in mine.layers]


def test_the_page_puts_brackets_where_systems_take_turns():
    text_of_page = (ROOT / "book" / "benchmarks.md").read_text("utf8")
    text = {part.partition("\n")[0]: part for part in text_of_page.split("\n## ")}
    for title, table in {
        "Training, against models of the same size": training,
        "The two paths of attention": attention,
        "Generating with a cache": generation,
        "Decoding, against other engines": decoding,
        "The translator in the page": page,
        "Training in the page": page_training,
    }.items():
        assert bool(re.search(r"\(\d.* to \d", text[title])) == ("rounds" in inspect.signature(table).parameters)
    assert "median over seven rounds" in text_of_page
    assert inspect.signature(training).parameters["rounds"].default == 7
    assert "medians over five rounds" in text["Decoding, against other engines"]
    assert inspect.signature(decoding).parameters["rounds"].default == 5
    assert "medians over nine rounds" in text["The translator in the page"]
    assert "medians over nine rounds" in text["Training in the page"]
    assert {inspect.signature(one).parameters["rounds"].default for one in (page, page_training)} == {9}


def test_batches_are_full_and_bucketed():
    batches = random_batches(TransformerConfig(vocab_size=8_000), 4_096, 4)
    assert len(batches) == 4
    assert all(max(batch.src.numel(), batch.tgt_in.numel()) <= 4_096 for batch in batches)
    assert all(batch.tokens > 0.75 * batch.tgt_out.numel() for batch in batches)  # little padding
    assert sum(batch.tokens for batch in batches) > 0.7 * 4 * 4_096


def test_systems_take_turns_and_the_first_round_is_not_counted():
    calls = []
    seconds = take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert "".join(calls) == "baabba"
    assert {name: len(spent) for name, spent in seconds.items()} == {"a": 2, "b": 2}
    assert ratio([2.0, 3.0, 9.0], [1.0, 1.0, 1.0]) == "3.00 (2.00 to 9.00)"


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_the_queue_of_a_gpu_is_part_of_the_time(monkeypatch, kind):
    calls = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(getattr(torch, kind), "synchronize", lambda: calls.append("wait"))
    milliseconds(lambda: calls.append("work"), runs=1)
    assert calls == ["work", "wait"] * 2


def test_every_table_has_a_number_in_each_cell():
    tables = [
        attention(CPU, lengths=(4, 8), tokens=16),
        generation(CPU, CONFIG, lengths=(2,)),
        training(CPU, CONFIG, tokens=60, batches=2, rounds=1),
        profile(CPU, CONFIG, tokens=60, batches=1),
    ]
    rows = [row for table in tables for row in list(table)[1:]]
    assert len(rows) == 4 + 1 + 2 * 4 + 9
    assert all(float(row[-2].replace(",", "")) >= 0 for row in rows)


def test_a_corpus_goes_through_every_stage():
    rows = list(corpus(CPU, pairs=300))[1:]
    assert [row[0].split(",")[0] for row in rows] == [
        "prepare",
        "load 300 pairs",
        "learn subwords",
        "encode",
        "one epoch",
    ]
    assert all(float(row[1]) >= 0 and 10 < float(row[2].replace(",", "")) < 2_000 for row in rows)


@pytest.mark.parametrize("beam", [1, 3])
def test_decoders_write_as_many_tokens_and_ours_the_same_ones(beam):
    config = dataclasses.replace(CONFIG, max_length=8)
    found = {name: search() for name, search in searches(CPU, config, 5, beam).items()}
    assert all(len(sentence) == 8 for sentences in found.values() for sentence in sentences)
    assert found[OURS] == found[UNCACHED]
    if beam == 1:
        names = ["<pad>", "<s>", "</s>", *(f"piece{number}" for number in range(3, 50))]
        assert [[names.index(piece) for piece in sentence] for sentence in found[CTRANSLATE2]] == found[OURS]


def test_the_table_of_decoders():
    rows = list(decoding(CPU, dataclasses.replace(CONFIG, max_length=8), sentences=2, rounds=1))[1:]
    assert len(rows) == 2 * 6
    assert all(float(row[2].replace(",", "")) > 0 for row in rows)


def test_the_command_names_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["cooking"])
    assert stopped.value.code == 2
    assert (
        "TABLE='cooking' is not known; use one of attention, generation, decoding, training" in capsys.readouterr().err
    )


def test_the_page_engine_writes_the_same_tokens_both_ways():
    _, *rows = page(CPU, sizes=["the course's"], rounds=1, rival=False)
    assert [row[1:3] for row in rows] == [
        (search, way) for search in ("greedy", "4 beams") for way in (OURS_IN_PAGE, PLAIN)
    ]
    assert all(float(row[3]) > 0 for row in rows)
    assert [bool(row[4]) for row in rows] == [False, True] * 2


def test_the_page_and_pytorch_train_the_same_model():
    """That they do the table asserts, before it times anything."""
    _, *rows = page_training(CPU, rounds=1, sizes={"d_model": 16, "d_ff": 16, "batch_size": 4}, rival=False)
    assert [row[0] for row in rows] == [OURS_IN_PAGE, PLAIN, TORCH_BESIDE_PAGE]
    assert all(float(cell.replace(",", "")) > 0 for row in rows for cell in row[1:3])
    assert [bool(row[3]) for row in rows] == [False, True, True]


@pytest.mark.parametrize(("step", "apart"), [(0, 2e-3), (STEPS - 1, 2e-2)])
def test_who_learns_something_else_is_not_timed(step, apart):
    losses = {name: [3.0] * STEPS for name in (OURS_IN_PAGE, PLAIN)}
    same_learning(losses)
    losses[PLAIN][step] += apart
    with pytest.raises(AssertionError, match="something else"):
        same_learning(losses)


def test_a_rival_from_npm_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"rival@1 comes from npm, .* install Node.js"):
        fetch("rival@1", ["rival.js"], tmp_path / "rival")


def test_json_is_one_object_a_table(capsys, monkeypatch):
    monkeypatch.setitem(main.__globals__["TABLES"], "attention", ("title", lambda device: iter([("a",), ("1",)])))
    main(["attention", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"] == [["a"], ["1"]]


def test_a_class_hands_in_the_same_each_time_and_of_every_kind(tmp_path):
    homes = tmp_path / "one", tmp_path / "two"
    for home in homes:
        hand_in(home, 2)
    files = sorted((tmp_path / "one").rglob("*.ipynb"))
    assert len(files) == 2 * 13
    assert all(
        path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes() for path in files
    )
    draws = random.Random(1)
    kinds = [answer("split_heads", ["untouched"], draws) for _ in range(200)]
    right, untouched = kinds.count(solutions()["split_heads"]), kinds.count(["untouched"])
    assert right > 120
    assert untouched > 5
    assert right + untouched < 190


def test_nbgrader_calls_the_same_judges_with_as_many_inputs(tmp_path):
    prepared = with_tests(ROOT / "exercises" / "03_multi_head_attention.ipynb")
    marks = [cell["metadata"]["nbgrader"] for cell in prepared["cells"] if "nbgrader" in cell["metadata"]]
    assert [mark["solution"] for mark in marks].count(True) == 3
    tests = [cell["source"] for cell in prepared["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert [re.search(r"'(q\d)'", text)[1] for text in tests] == ["q1", "q2", "q3"]
    assert all(f"seeds={seeds_of(SEED)}" in text for text in tests)
    space = {"torch": torch, "nn": torch.nn, "math": math}
    for name in ("split_heads", "merge_heads"):
        exec(solutions()[name], space)
    exec(tests[0], space)
    space["split_heads"] = space["merge_heads"]
    with pytest.raises(AssertionError):
        exec(tests[0], space)


def test_widgets_are_drawn_and_answer():
    header, (name, drawn, controls, middle, slowest) = widgets(CPU, runs=1, pages=lessons()[8:9])
    assert header[0] == "lesson"
    assert name == "08_masking"
    assert int(controls) > 10
    assert 0 < int(middle) <= int(slowest)
    assert int(drawn) > 0


# ---- the visit to a GPU, with the CPU in its place ----


def test_a_device_is_held_against_the_cpu(monkeypatch):
    rows = {row[0]: row[1:] for row in list(gpu.equality(CPU, CONFIG, sentences=5))[1:]}
    assert rows["fp32"] == ("0.0e+00", "0.0e+00", "5 of 5")
    assert 0 < float(rows["bf16"][1]) < 0.05
    step = gpu.batch_loss
    scales = iter([1.0, 2.0])  # the CPU's, and the device's
    monkeypatch.setattr(gpu, "batch_loss", lambda *args, **names: next(scales) * step(*args, **names))
    monkeypatch.setattr(gpu, "PRECISIONS", {"fp32": torch.float32})
    _, fp32 = gpu.equality(CPU, CONFIG, sentences=1)
    assert fp32[1:3] == ("1.0e+00", "1.0e+00")  # twice the loss


def test_what_a_gpu_is_asked_has_a_number_in_each_cell(monkeypatch):
    monkeypatch.setattr(gpu, "PRECISIONS", {"fp32": torch.float32})
    tables = [
        gpu.memory(CPU, CONFIG, tokens=60, batches=1),
        gpu.flash(CPU, lengths=(4, 8), tokens=16),
        decoding(CPU, dataclasses.replace(CONFIG, max_length=8), sentences=2, rounds=1, engine=False),
    ]
    rows = [row for table in tables for row in list(table)[1:]]
    assert len(rows) == 4 + 2 + 2 * 5
    assert all(float(row[2].replace(",", "")) >= 0 for row in rows)
    assert not any(CTRANSLATE2 in row for row in rows)


def test_a_compiled_step_is_held_against_a_plain_one(monkeypatch):
    monkeypatch.setattr(gpu, "PRECISIONS", {"fp32": torch.float32})
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # a tensor has no sizes while torch.compile looks
    first, row = gpu.compiled(CPU, CONFIG, tokens=60, batches=2, rounds=1, backend="eager")
    assert first[-1] == "compiled is faster by"
    assert row[0] == "fp32"
    assert float(row[1]) > 0
    assert re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)", row[3])


def test_a_visit_goes_on_after_a_failure_and_ends_with_its_time(monkeypatch):
    def broken(device):
        yield ("a",)
        raise RuntimeError("no kernel is there\nand more")

    clock = [0.0]

    def slow(device):
        for row in "abc":
            clock[0] += 40
            yield (row,)

    monkeypatch.setattr(gpu.time, "monotonic", lambda: clock[0])
    written = []
    known = gpu.visit(CPU, {"broken": broken, "slow": slow}, 1.0, lambda now: written.append(json.dumps(now)))
    assert known["parts"]["broken"]["rows"] == [("a",)]
    assert known["parts"]["broken"]["missing"] == "RuntimeError: no kernel is there"
    assert known["parts"]["slow"]["rows"] == [("a",), ("b",)]
    assert "1 minutes were over" in known["parts"]["slow"]["missing"]
    assert len(written) == 1 + 1 + 2 + 1
    assert "slow" not in json.loads(written[1])["parts"]


@pytest.mark.parametrize(
    ("wrong", "says"), [(["--minutes", "0"], "use a number above 0"), (["--device", "abacus"], "abacus")]
)
def test_a_visit_names_what_it_cannot_use(wrong, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        gpu.main(wrong)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


# ---- what a small model needs ----


@pytest.fixture
def pairs(tmp_path):
    """Files of a few pairs, as `lessons train` reads them."""
    some = load_grammar(seed=0).valid[:40]
    for side in "source", "target":
        (tmp_path / side).write_text("".join(f"{getattr(pair, side)}\n" for pair in some), "utf8")
    return [str(tmp_path / "source"), str(tmp_path / "target")]


def test_a_training_of_the_recipe_is_done_once(tmp_path, pairs, monkeypatch):
    settings = ["--corpus", "pairs", "--train", *pairs, "--valid", *pairs, "--preset", "toy", "--vocab-size", "700"]
    first = recipe.trained(tmp_path / "out", [*settings, "--steps", "2"], threads=1)
    assert first["bleu"] >= 0
    assert first["milliseconds"] > 0
    with pytest.raises(RuntimeError, match="--overwrite"):  # that folder holds what another command made
        recipe.trained(tmp_path / "out", [*settings, "--steps", "3"], threads=1)
    monkeypatch.setattr(recipe.subprocess, "run", None)
    assert recipe.trained(tmp_path / "out", [*settings, "--steps", "2"], threads=1) == first


def test_a_recipe_is_compared_seed_by_seed_and_what_fails_is_told(tmp_path, monkeypatch, capsys):
    def trained(folder, arguments, threads):
        name, _, seed = folder.name.rpartition("-")
        if name == "dropout-0.2" and seed == "1":
            raise RuntimeError("no room")
        return {"bleu": 10 * int(seed) + (2 if name == "no-average" else 0), "milliseconds": 5.0}

    monkeypatch.setattr(recipe, "trained", trained)
    asked = ["--train", "a", "b", "--valid", "c", "d", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path)]
    with pytest.raises(SystemExit, match=r"^dropout 0\.2, seed 1: no room$"):
        recipe.main([*asked, "no average", "dropout 0.2"])
    head, unchanged, average = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()[2:]]
    assert head == ["change", "BLEU", "beside unchanged", "milliseconds a step"]
    assert (unchanged[0], average[0]) == ("unchanged", "no average")
    assert average[2] == "+2.00 [+2.00, +2.00]"  # the seeds differ by 10, and it by 2 in each
    found = json.loads((tmp_path / "recipe.json").read_text("utf8"))["found"]
    assert found["no average"]["1"]["bleu"] == 12
    assert list(found["dropout 0.2"]) == ["0"]


def test_a_recipe_names_what_it_does_not_know(capsys):
    with pytest.raises(SystemExit):
        recipe.main(["--train", "a", "--valid", "b", "--out", "c", "more luck"])
    assert "CHANGE='more luck' is not known" in capsys.readouterr().err
