"""Line n belongs to line n, whatever stands in the others; and what a line says counts, not how it was typed."""

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from toy import toy_corpus, toy_model, toy_translator

from lessons_lib.cli import OUR_ERROR, main
from lessons_lib.translation.evaluation import scoring
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.translation.search.translator import Translator

LONG = "the cat " * 30  # the toy model reads 23 tokens
PAIRS = toy_corpus().test


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A folder with a model that has learned the toy language."""
    folder = tmp_path_factory.mktemp("models")
    save_model(folder, toy_translator().model, toy_translator().tokenizer)
    return str(folder)


@pytest.fixture
def file(tmp_path):
    """A function that writes lines to a new file."""

    def write(name: str, lines) -> str:
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return str(tmp_path / name)

    return write


def run(capsys, *arguments: str) -> tuple[dict | str, str]:
    """What a command prints, and what it says on stderr."""
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out) if "--json" in arguments or arguments[0] == "score" else printed.out, printed.err


def translate(monkeypatch, capsys, model: str, text: str, *flags: str) -> list[str]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "ascii"))
    main(["translate", "--model", model, *flags])
    return capsys.readouterr().out.split("\n")[:-1]


# ---- translate


def test_n_best_gives_n_lines_for_each_line(model, monkeypatch, capsys):
    lines = translate(monkeypatch, capsys, model, f"the cat sees the dog\n\n{LONG}\n", "--beam", "4", "--n-best", "3")
    assert len(lines) == 9
    scores, texts = zip(*(line.split("\t") for line in lines), strict=True)
    assert texts[0] == "le chat voit le chien"
    assert len({text for text in texts[:3] if text}) == len([text for text in texts[:3] if text]) > 1
    assert texts[3:] == ("",) * 6
    assert scores[3:] == ("0.000", "-inf", "-inf") * 2
    assert [float(score) for score in scores[:3]] == sorted(map(float, scores[:3]), reverse=True)


@pytest.mark.parametrize("penalty", ["0", "1", "-2", "20"])
def test_the_scores_of_n_best_fall(model, monkeypatch, capsys, penalty):
    flags = ("--beam", "6", "--n-best", "6", "--length-penalty", penalty)
    lines = translate(monkeypatch, capsys, model, "the little horse follows the bird\nthe dog\n", *flags)
    for ended in (lines[:6], lines[6:]):
        scores, texts = zip(*(line.split("\t") for line in ended), strict=True)
        assert [float(score) for score in scores] == sorted(map(float, scores), reverse=True)
        assert len({text for text in texts if text}) > 1
    found = Translator.load(model).translate("the dog", beam=6, length_penalty=float(penalty))
    assert [f"{rank:.3f}" for rank in found.ranks] == list(scores)[: len(found.ranks)]
    if penalty == "0":
        assert found.ranks == (found.score, *(score for _, score in found.alternatives))


def test_two_spellings_of_one_text_count_once():
    translator = toy_translator()
    letters = [translator.tokenizer.encode(letter)[-1] for letter in "le"]
    whole = translator.tokenizer.encode("le")
    from lessons_lib.translation.search.decoding import Hypothesis

    ended = [Hypothesis([*whole, 2], -1.0), Hypothesis([*letters, 2], -2.0), Hypothesis([*whole, *whole, 2], -3.0)]
    found = translator._translation("the", [4, 2], ended, None)
    assert [found.text, *(text for text, _ in found.alternatives)].count(found.text) == 1
    assert len({text for text, _ in found.alternatives}) == len(found.alternatives)


def test_a_prefix_is_text(model, capsys):
    """What the shell gave is bytes: those that are not UTF-8 are named, in whatever flag they came."""
    latin = os.fsdecode("é".encode("latin-1"))
    assert main(["translate", "--model", model, "--prefix", latin, "the dog"]) == 2
    assert "--prefix is not UTF-8: line 1 holds byte 0xe9; convert it" in capsys.readouterr().err
    assert main(["translate", "--model", model, f"caf{latin}"]) == 2
    assert "the sentence is not UTF-8: line 1 holds byte 0xe9; convert it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("closed", "code", "out", "err"),
    [
        ("<&-", 2, "", "lessons: standard input is closed; give sentences, or a file: < english.txt\n"),
        (">&-", 0, "", ""),
        ("2>&-", 0, "le chien\n", ""),
    ],
)
def test_a_stream_that_is_closed_is_no_fault_of_ours(model, closed, code, out, err):
    """As services and cron start programs."""
    sentence = "" if closed == "<&-" else '"the dog"'
    command = f'{sys.executable} -m lessons_lib.cli translate --model "$0" {sentence} {closed}'
    done = subprocess.run(["sh", "-c", command, model], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, err)
    assert bool(done.stdout) == bool(out)


def test_a_line_is_answered_before_the_next_is_written(model):
    """As a program does that writes a line and waits."""
    command = [sys.executable, "-m", "lessons_lib.cli", "translate", "--model", model]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watchdog = threading.Timer(240, process.kill)
    watchdog.start()
    try:
        for english, french in (
            ("the cat sees the dog", "le chat voit le chien"),
            ("the dog sees the cat", "le chien voit le chat"),
        ):
            process.stdin.write(f"{english}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline().decode().startswith(french)
        process.stdin.close()
        assert process.wait() == 0
    finally:
        watchdog.cancel()
        process.kill()


def test_what_is_drawn_does_not_depend_on_how_lines_arrive(model, monkeypatch, capsys):
    lines = [pair.source for pair in PAIRS[:6]]
    flags = ["--temperature", "3", "--seed", "5"]
    expected = translate(monkeypatch, capsys, model, "\n".join(lines) + "\n", *flags)

    class Slow(io.BytesIO):
        def read1(self, size=-1):
            return super().read1(20)

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Slow("\n".join(lines).encode()), "ascii"))
    main(["translate", "--model", model, *flags])
    assert capsys.readouterr().out.split("\n")[:-1] == expected
    assert len(set(translate(monkeypatch, capsys, model, f"{lines[0]}\n" * 8, *flags))) > 1


def test_a_prefix_that_leaves_no_room(model, capsys):
    assert main(["translate", "--model", model, "--prefix", " ".join(["le chat"] * 9), "the cat"]) == 2
    said = capsys.readouterr().err
    assert "has 18 tokens, but the whole translation of sentence 1 may have 16; use a shorter one" in said


def test_accents_typed_as_two_characters_translate_alike():
    composed, typed = "the café sees été", "the cafe\u0301 sees e\u0301te\u0301"
    both = toy_translator().translate([composed, typed], prefixes=["é", "e\u0301"])
    assert both[0].text == both[1].text
    assert both[0].source_tokens == both[1].source_tokens


def test_blanks_around_and_between_words_do_not_matter():
    translator = toy_translator()
    tidy, *others = translator.translate(
        ["the black cat sees the dog", "  the  black\tcat sees\n the dog \r\n", "the black cat\fsees the dog\v"],
        prefixes=["le chat", " le\tchat ", "le  chat"],
    )
    for other in others:
        assert (other.text, other.source_tokens) == (tidy.text, tidy.source_tokens)
    assert translator.translate("the\u00a0cat").source_tokens != translator.translate("the cat").source_tokens


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("the cat\n".encode("utf-16"), "standard input is UTF-16"),
        ("the cat sleeps\n".encode("utf-16-le"), "iconv -f UTF-16LE"),
        (b"\x1f\x8b\x08\0\0", "standard input is packed with gzip"),
    ],
)
def test_standard_input_that_is_no_text(model, monkeypatch, capsys, raw, message):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), "ascii"))
    assert main(["translate", "--model", model]) == 2
    assert message in capsys.readouterr().err


# ---- what a notebook shows


def test_one_sentence_gives_one_translation_that_shows_where_it_looked():
    found = toy_translator().translate("the black cat sees the <dog>", prefixes="le <")
    assert found.source == "the black cat sees the <dog>"
    assert len(repr(found)) < 200
    assert repr(found).startswith("Translation(source='the black cat")
    shown = found._repr_html_()
    assert "<td>le</td><td>the</td>" in shown
    assert "&lt;dog&gt;" in shown
    assert "<dog>" not in shown
    assert "<table" not in toy_translator().translate("the cat", attention=False)._repr_html_()
    assert toy_translator().translate("").text == ""


# ---- score, compare, diagnose, align


def test_lines_that_cannot_be_translated_count_as_empty(model, file, capsys):
    sources, references = [pair.source for pair in PAIRS], [pair.target for pair in PAIRS]
    test = ["--source", file("en", [*sources, LONG, ""]), "--reference", file("fr", [*references, "un", "deux"])]
    found, said = run(capsys, "score", "--model", model, *test)
    texts = [one.text for one in toy_translator().translate(sources, attention=False)]
    assert found["bleu"] == scoring.score([*texts, "", ""], [*references, "un", "deux"]).bleu
    assert (found["sentences"], found["too_long"]) == (22, 1)
    assert "1 too long for this model, which reads 23 tokens, and 1 blank, of 22: their translations are empty" in said
    found, said = run(capsys, "compare", "--model", model, "--beam", "1", "2", *test, "--samples", "20", "--json")
    assert found["sentences"] == 22
    assert said.count("1 too long for this model") == 1
    found, said = run(capsys, "diagnose", "--model", model, *test, "--beam", "2", "--json")
    assert (found["sentences"], found["too_long"]) == (22, 1)
    assert "1 too long for this model" in said


def test_pairs_that_cannot_be_aligned_get_an_empty_line(model, file, tmp_path, capsys):
    pairs = [("the cat", "le chat"), (LONG, "le chat"), ("", "le chat"), ("the dog", ""), ("the dog", "le chien")]
    tabbed = file("tsv", ["\t".join(pair) for pair in pairs])
    gold = file("links", ["0-0 1-1", "0-0", "", "", "0-0 1-1"])
    arguments = ["align", "--model", model, "--pairs", tabbed, "--layer", "0", "--out", str(tmp_path / "out"), "--json"]
    found, said = run(capsys, *arguments, "--gold", gold)
    lines = (tmp_path / "out").read_text().split("\n")[:-1]
    assert [bool(line) for line in lines] == [True, False, False, False, True]
    assert (found["sentences"], found["left_out"]) == (5, 3)
    assert found["recall"] <= 4 / 5  # the link of the long pair is missed
    assert "3 of 5 pairs are blank on a side, or too long for this model, which reads 23 tokens; they get no" in said


def test_several_references_and_translations_from_a_file(model, file, capsys):
    hypotheses, first = file("h", ["le chat dort bien ici", "non"]), file("a", ["un chat dort bien ici", "oui"])
    second = file("b", ["le chat dort bien ici", "non"])
    one, _ = run(capsys, "score", "--hypotheses", hypotheses, "--reference", first)
    both, _ = run(capsys, "score", "--hypotheses", hypotheses, "--reference", first, second)
    assert one["bleu"] < both["bleu"] == 100.0
    twice, _ = run(capsys, "score", "--hypotheses", hypotheses, "--reference", first, "--reference", second)
    assert twice | {"seconds": 0} == both | {"seconds": 0}
    assert "nrefs:2" in both["signature"]
    blank, _ = run(capsys, "score", "--hypotheses", file("none", ["", ""]), "--reference", first)
    assert (blank["bleu"], blank["chrf"]) == (0, 0)
    found, _ = run(
        capsys, "compare", "--hypotheses", file("none", ["", ""]), hypotheses, "--reference", second, "--json"
    )
    assert (found["a"]["bleu"], found["b"]["bleu"]) == (0, 100.0)
    assert main(["score", "--hypotheses", hypotheses, "--model", model, "--reference", first]) == 2
    assert "--hypotheses FILE goes with --reference FILE" in capsys.readouterr().err


def test_compare_reads_a_pipe_once(file, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=("un\ndeux\n",), daemon=True).start()
    files = ["--hypotheses", str(pipe), file("b", ["un", "trois"]), "--reference", file("r", ["un", "deux"])]
    found, _ = run(capsys, "compare", *files, "--samples", "10", "--json")
    assert found["sentences"] == 2


def test_a_perfect_score_is_100(file, capsys):
    """sacreBLEU's rounding gives 100.00000000000004 for this one."""
    lines = [f"ceci est la phrase numéro {n} de ce texte ." for n in range(7)]
    found, _ = run(capsys, "score", "--hypotheses", file("h", lines), "--reference", file("r", lines))
    assert found["bleu"] == found["chrf"] == 100.0
    assert scoring._at_most_100(100.00000000000004) == 100.0


def test_a_language_without_blanks(file, capsys):
    hypotheses, references = ["猫は犬を見る。", "鳥が飛ぶ。"], ["猫は犬を見た。", "鳥が飛んだ。"]
    files = ["--hypotheses", file("h", hypotheses), "--reference", file("r", references)]
    found, said = run(capsys, "score", *files)
    assert found["bleu"] < 1
    assert "BLEU says nothing here: it takes what stands between blanks for words; add --tokenize char" in said
    by_letters, said = run(capsys, "score", *files, "--tokenize", "char")
    assert by_letters["bleu"] > 30
    assert said == ""
    assert "tok:char" in by_letters["signature"]
    assert main(["score", *files, "--tokenize", "klingon"]) == 2
    assert "tokenize='klingon' cannot be used" in capsys.readouterr().err


def test_translations_from_a_file_need_no_search(file, capsys):
    files = ["--hypotheses", file("h", ["un"]), "--reference", file("r", ["un"])]
    for flags in (["--beam", "4"], ["--precision", "bf16"], ["--device", "cpu"]):
        assert main(["score", *files, *flags]) == 2
        assert "translated already: leave out --beam, --precision and --device" in capsys.readouterr().err


def test_so_few_sentences_say_nothing(file, capsys):
    """Five sentences may all agree by chance, on one system or on the other: 2 · 0.5⁵ is more than 0.05."""
    for count, verdict in ((5, "may be chance"), (6, "hardly chance")):
        right, wrong = file("r", ["le chat noir dort"] * count), file("w", ["x"] * count)
        found, _ = run(capsys, "compare", "--hypotheses", right, wrong, "--reference", right)
        assert f"{verdict}, on {count} sentences" in found


# ---- whose mistake


def test_standard_input_is_read_once(capsys):
    assert main(["score", "--hypotheses", "-", "--reference", "-"]) == 2
    assert "standard input (-) can be read only once" in capsys.readouterr().err


def test_what_is_read_is_not_written_over(model, file, tmp_path, capsys):
    pairs = file("pairs", ["the cat ||| le chat"])
    before = Path(pairs).read_text()
    assert main(["align", "--model", model, "--pairs", pairs, "--layer", "0", "--out", f"{tmp_path}/./pairs"]) == 2
    assert "pairs is what this command reads; give another --out" in capsys.readouterr().err
    assert Path(pairs).read_text() == before
    weights = Path(model, "model.safetensors")
    before = weights.read_bytes()
    assert main(["export-web", "--model", model, "--out", str(weights), "--overwrite"]) == 2
    assert "is a file of the model itself; give another --out" in capsys.readouterr().err
    assert weights.read_bytes() == before


def test_a_mistake_of_ours_is_not_called_the_users(model, monkeypatch, capsys):
    def broken(*_, **__):
        raise ValueError("zip() argument 2 is shorter than argument 1")

    monkeypatch.setattr(Translator, "translate", broken)
    assert main(["translate", "--model", model, "the cat"]) == OUR_ERROR
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("lessons: this is a mistake of ours (ValueError); please report what stands above\n")


def test_a_traceback_on_request(capsys):
    assert main(["translate", "--model", "nowhere", "a", "--traceback"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1] == "lessons: nowhere is not a folder; give the --out of a `lessons train`"


def test_what_training_has_seen_is_said(file, tmp_path, capsys):
    lines = [f"{pair.source}\t{pair.target}\tby somebody" for pair in toy_corpus().train[:40]]
    train, test = file("train", lines), file("test", lines[:3])
    tiny = "--d-model 16 --n-heads 2 --n-encoder-layers 1 --n-decoder-layers 1 --d-ff 32 --vocab-size 340".split()
    out = tmp_path / "out"
    arguments = [
        "--corpus",
        "pairs",
        "--train",
        train,
        "--valid",
        train,
        "--test",
        test,
        "--steps",
        "1",
        "--out",
        str(out),
    ]
    assert main(["train", *arguments, *tiny]) == 0
    said = capsys.readouterr().err
    assert "lessons: 3 of 3 test pairs have a side that is in the training data too: such a score flatters" in said
    assert "read columns 1 and 2 of 3; the rest, such as 'by somebody', is left out" in said
    assert json.loads(Path(out, "run.json").read_text())["data"]["seen_in_training"] == {"valid": 40, "test": 3}
    assert "on both sides" not in said
    arguments[2:4] = ["--train", file("same", [f"{pair.source}\t{pair.source}" for pair in toy_corpus().train[:40]])]
    assert main(["train", *arguments, *tiny, "--overwrite"]) == 0
    assert "40 of 40 training pairs have the same text on both sides" in capsys.readouterr().err


def test_fewer_pairs_than_were_asked_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lessons_lib.translation.data.wmt14.load_wmt14", lambda *_: replace(toy_corpus(), name="wmt14"))
    few = len(toy_corpus().train)
    tiny = "--d-model 16 --n-heads 2 --n-encoder-layers 1 --n-decoder-layers 1 --d-ff 32 --vocab-size 340".split()
    arguments = ["--corpus", "wmt14", "--pairs-count", str(few + 1), "--steps", "1", "--out", str(tmp_path / "out")]
    assert main(["train", *arguments, *tiny]) == 0
    assert f"lessons: the corpus has {few} pairs, not {few + 1}" in capsys.readouterr().err


def test_untrained_models_never_write_what_no_sentence_contains(tmp_path):
    """One of 170 tokens that a model draws that has learned nothing would be <pad> or <s>."""
    drawn = Translator(*toy_model()).translate(["the cat sees the dog"] * 60, temperature=5.0)
    assert not {"<pad>", "<s>"} & {piece for one in drawn for piece in one.target_tokens}
