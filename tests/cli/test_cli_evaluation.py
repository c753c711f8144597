"""`lessons compare`, `lessons align` and `lessons diagnose`, as a user sees them."""

import json
from pathlib import Path

import pytest
from toy import toy_corpus, toy_model

from lessons_lib.cli import main
from lessons_lib.translation.data.pharaoh import write_links
from lessons_lib.translation.evaluation.scoring import compare, score
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.translation.search.translator import Translator


@pytest.fixture
def patient(tmp_path, monkeypatch) -> str:
    """A folder with an untrained model that reads long sentences, and an embedded corpus of few sentences."""
    sizes = {"n_train": 5, "n_valid": 5, "n_test": 6}
    monkeypatch.setattr("lessons_lib.translation.data.corpus.GRAMMAR_SIZES", sizes)
    folder = tmp_path / "patient"
    folder.mkdir()
    save_model(folder, *toy_model(max_length=200))
    return str(folder)


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """The test and validation parts of the toy language: two sides, both with a tab between, and links."""
    folder, made = tmp_path / "data", {}
    folder.mkdir()
    for part in ("test", "valid"):
        pairs = getattr(toy_corpus(), part)
        texts = {
            "en": "".join(f"{pair.source}\n" for pair in pairs),
            "fr": "".join(f"{pair.target}\n" for pair in pairs),
            "tsv": "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs),
        }
        for kind, text in texts.items():
            (folder / f"{part}.{kind}").write_text(text, "utf-8")
        write_links(folder / f"{part}.links", [set(pair.alignment) for pair in pairs])
        made |= {f"{part}.{kind}": str(folder / f"{part}.{kind}") for kind in (*texts, "links")}
    return made


def runs(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def fails(capsys, *arguments: str) -> str:
    """A user's error: exit code 2, one line on stderr, nothing on stdout."""
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


# ---- compare


def test_compare_two_files(files, tmp_path, capsys):
    references = Path(files["test.fr"]).read_text("utf-8").splitlines()
    worse = [line.replace("chat", "chien") for line in references]
    (tmp_path / "a").write_text("".join(f"{line}\n" for line in worse), "utf-8")
    systems = ["--hypotheses", str(tmp_path / "a"), files["test.fr"], "--reference", files["test.fr"]]
    found = json.loads(runs(capsys, "compare", *systems, "--json", "--samples", "200", "--seed", "3"))
    expected = compare(worse, references, references, 200, 3)
    assert (found["difference"], found["p"]) == (expected.difference, expected.p)
    assert found["a"]["system"] == str(tmp_path / "a")
    assert found["b"]["bleu"] == pytest.approx(100)
    shown = runs(capsys, "compare", *systems, "--source", files["test.en"])
    assert "BLEU 100.00" in shown
    assert "hardly chance, on 20 sentences" in shown
    assert "bs:1000|seed:12345" in shown


def test_compare_one_model_with_two_beams_and_two_models(model, files, capsys):
    test = ["--source", files["test.en"], "--reference", files["test.fr"], "--json"]
    beams = json.loads(runs(capsys, "compare", "--model", model, "--beam", "1", "3", *test))
    translations = Translator.load(model).translate(Path(files["test.en"]).read_text().splitlines(), attention=False)
    references = Path(files["test.fr"]).read_text("utf-8").splitlines()
    assert beams["a"]["bleu"] == score([t.text for t in translations], references).bleu
    assert beams["b"]["system"].endswith("beam 3")
    models = json.loads(runs(capsys, "compare", "--model", model, model, *test))
    assert (models["difference"], models["p"]) == (0.0, 1.0)


def test_compare_on_the_embedded_corpus(patient, capsys):
    assert "on 6 sentences" in runs(capsys, "compare", "--model", patient, "--beam", "1", "2", "--corpus", "grammar")


def test_two_models_with_two_test_parts_cannot_be_compared(patient, model, capsys):
    Path(patient, "run.json").write_text('{"seed": 5}')
    message = fails(capsys, "compare", "--model", patient, model, "--corpus", "grammar")
    assert "trained with seeds 5 and 0, the models have two test parts; give files" in message


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "0 models with 1 beams are not two systems; give --model DIR --beam 1 4"),
        (["--model", "MODEL"], "1 models with 1 beams are not two systems"),
        (["--model", "MODEL", "MODEL", "--beam", "1", "2"], "2 models with 2 beams are not two systems"),
        (["--model", "MODEL", "MODEL"], "say what to translate"),
        (["--model", "MODEL", "MODEL", "--corpus", "grammar", "--source", "x"], "say what to translate"),
        (["--hypotheses", "test.fr", "test.fr"], "--hypotheses A B goes with --reference FILE"),
        (["--hypotheses", "test.fr", "test.fr", "--reference", "test.fr", "--beam", "2"], "and with no --model"),
        (["--hypotheses", "one", "test.fr", "--reference", "test.fr"], "one has 1 lines but"),
        (["--hypotheses", "test.fr", "test.fr", "--reference", "test.fr", "--source", "one"], "one has 1 lines but"),
        (["--hypotheses", "test.fr", "test.fr", "--reference", "test.fr", "--samples", "0"], "resamples=0"),
        (["--hypotheses", "none", "test.fr", "--reference", "test.fr"], "none does not exist"),
    ],
)
def test_compare_says_what_it_needs(model, files, tmp_path, capsys, flags, message):
    (tmp_path / "one").write_text("un\n")
    places = files | {"MODEL": model, "one": str(tmp_path / "one"), "none": str(tmp_path / "none")}
    assert message in fails(capsys, "compare", *(places.get(flag, flag) for flag in flags))


# ---- align


def test_align_chooses_on_the_validation_part(model, files, tmp_path, capsys):
    test = ["--pairs", files["test.tsv"], "--gold", files["test.links"]]
    valid = ["--valid-pairs", files["valid.tsv"], "--valid-gold", files["valid.links"]]
    out = tmp_path / "links"
    found = json.loads(runs(capsys, "align", "--model", model, *test, *valid, "--json", "--out", str(out)))
    assert found["aer"] < 0.3 < found["aer_one_step_late"]
    assert found["chosen_on"] == files["valid.tsv"]
    assert found["layer"] in (0, None)
    assert found["sentences"] == 20
    lines = out.read_text().splitlines()
    assert len(lines) == 20
    assert sum(len(line.split()) for line in lines) == found["links"]
    shown = runs(capsys, "align", "--model", model, *test, *valid)
    assert f"AER {found['aer']:.3f}" in shown
    assert "read one step late: AER" in shown
    # Its own links are perfect.
    same = ["--pairs", files["test.tsv"], "--gold", str(out)]
    assert json.loads(runs(capsys, "align", "--model", model, *same, *valid, "--json"))["aer"] == 0


def test_align_one_head_of_two_files_without_gold(model, files, tmp_path, capsys):
    sides = ["--source", files["test.en"], "--target", files["test.fr"], "--out", str(tmp_path / "links")]
    found = json.loads(runs(capsys, "align", "--model", model, *sides, "--layer", "0", "--head", "1", "--json"))
    assert "aer" not in found
    assert (found["layer"], found["head"], found["chosen_on"]) == (0, 1, "the command line")
    assert (tmp_path / "links").is_file()


def test_align_on_the_embedded_corpus(patient, files, capsys):
    found = json.loads(runs(capsys, "align", "--model", patient, "--corpus", "grammar", "--json"))
    assert found["sentences"] == 6
    assert 0 < found["aer"] < 1
    assert found["chosen_on"] == "the validation part of the embedded corpus"
    # A model of the embedded corpus has that part to choose by on other sentences too.
    Path(patient, "run.json").write_text('{"seed": 0, "data": {"corpus": "grammar"}}')
    test = ["--pairs", files["test.tsv"], "--gold", files["test.links"]]
    own = json.loads(runs(capsys, "align", "--model", patient, *test, "--json"))
    assert own["chosen_on"] == found["chosen_on"]
    assert (own["layer"], own["head"], own["both"]) == (found["layer"], found["head"], found["both"])


TEST = ["--pairs", "test.tsv", "--gold", "test.links"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "say what to align"),
        (["--source", "test.en"], "say what to align"),
        ([*TEST, "--corpus", "grammar"], "say what to align"),
        (["--corpus", "grammar", "--gold", "test.links"], "brings its own links"),
        (["--pairs", "test.tsv"], "say what for: --gold FILE scores the links, --out FILE writes them"),
        (TEST, "nothing to choose layer and head by"),
        ([*TEST, "--valid-pairs", "valid.tsv"], "--valid-pairs and --valid-gold go together"),
        ([*TEST, "--head", "1"], "--head 1 of which layer? add --layer N"),
        ([*TEST, "--layer", "1"], "--layer 1 is not between 0 and 0"),
        ([*TEST, "--layer", "0", "--head", "-1"], "--head -1 is not between 0 and 1"),
        (
            [*TEST, "--layer", "0", "--valid-pairs", "valid.tsv", "--valid-gold", "valid.links"],
            "--layer leaves nothing to choose",
        ),
        ([*TEST, "--valid-pairs", "test.tsv", "--valid-gold", "test.links"], "choose on other sentences"),
        (["--pairs", "test.en", "--gold", "test.links", "--layer", "0"], "test.en, line 1:"),
        (["--pairs", "test.tsv", "--gold", "test.en", "--layer", "0"], "test.en, line 1: 'the' is not a link"),
        (["--pairs", "test.tsv", "--gold", "none", "--layer", "0"], "none does not exist"),
    ],
)
def test_align_says_what_it_needs(model, files, tmp_path, capsys, flags, message):
    places = files | {"none": str(tmp_path / "none")}
    out = [] if message.startswith("say what for") else ["--out", str(tmp_path / "links")]
    assert message in fails(capsys, "align", "--model", model, *out, *(places.get(flag, flag) for flag in flags))
    assert not (tmp_path / "links").exists()


# ---- diagnose


def test_diagnose(model, files, tmp_path, capsys):
    out = tmp_path / "report.html"
    test = ["--source", files["test.en"], "--reference", files["test.fr"], "--out", str(out), "--worst", "2"]
    found = json.loads(runs(capsys, "diagnose", "--model", model, *test, "--beam", "2", "--json"))
    references = Path(files["test.fr"]).read_text("utf-8").splitlines()
    translations = Translator.load(model).translate(Path(files["test.en"]).read_text().splitlines(), attention=False)
    assert found["greedy"]["scores"]["chrf"] == score([t.text for t in translations], references).chrf
    assert found["beam"]["beam"] == 2
    assert len(found["worst"]) <= 2
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert f"Diagnosis of {model} on test.en" in out.read_text("utf-8")
    assert "as the reference" in runs(capsys, "diagnose", "--model", model, *test)


def test_diagnose_the_embedded_corpus(patient, tmp_path, capsys):
    """An untrained model writes until it is cut off; that is reported too."""
    out = ["--json", "--out", str(tmp_path / "report.html")]
    found = json.loads(runs(capsys, "diagnose", "--model", patient, "--corpus", "grammar", *out))
    assert found["sentences"] == 6
    assert found["greedy"]["exact"] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--json"], "say what to translate"),
        (["--json", "--corpus", "grammar", "--source", "test.en"], "say what to translate"),
        (["--corpus", "grammar"], "say what for: --out FILE writes the report, --json prints its numbers"),
        (["--corpus", "grammar", "--out", "FOLDER"], "is a folder; give a file"),
        (["--corpus", "grammar", "--out", "NOWHERE"], "does not exist; make it"),
        (["--source", "test.en", "--reference", "test.fr", "--out", "OUT", "--beam", "1"], "beam=1 is greedy search"),
    ],
)
def test_diagnose_says_what_it_needs(model, files, tmp_path, capsys, flags, message):
    places = files | {"FOLDER": str(tmp_path), "NOWHERE": str(tmp_path / "no" / "x"), "OUT": str(tmp_path / "out")}
    assert message in fails(capsys, "diagnose", "--model", model, *(places.get(flag, flag) for flag in flags))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["compare", "align", "diagnose"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"lessons {command} --model" in capsys.readouterr().out
