"""Tatoeba from a file of its form: what is read, which part it goes to for ever, and what other files are called."""

import contextlib
import gzip
import hashlib
import io
import json
import lzma
import random
import threading
import unicodedata
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from toy import toy_config

from lessons_lib.cli import main
from lessons_lib.files import COMPLETE
from lessons_lib.translation.data import tatoeba, tatoeba_source
from lessons_lib.translation.data.corpus import Corpus, Pair, count_seen
from lessons_lib.translation.data.sameness import normalise
from lessons_lib.translation.data.tatoeba import ATTRIBUTION, load_tatoeba, part_of, prepare, split, with_references
from lessons_lib.translation.training import resumable
from lessons_lib.translation.training.options import TrainingOptions
from lessons_lib.translation.training.recipe import Recipe

BY_HAND = "download https?://.*fra-eng.zip by hand, and give it: lessons prepare --corpus tatoeba --source fra-eng.zip"
FILES = ["manifest.json", "test.tsv", "train.tsv", "valid.tsv"]


def line(number: int, source: str, target: str) -> str:
    return f"{source}\t{target}\tCC-BY 2.0 (France) Attribution: tatoeba.org #{number} (one) & #{number + 1} (another)"


def told(part: str, what: str = "pears") -> tuple[str, int]:
    """A sentence of which chance says that it is in ``part``, and its number."""
    number = next(n for n in range(10_000) if part_of(f"She counts {n} {what}.") == part)
    return f"She counts {number} {what}.", number


GOOD = [(f"The baker sells {n} loaves.", f"Le boulanger vend {n} pains, c'était l'été.") for n in range(600)]
OTHERS = [(source, target.replace("vend", "a vendu")) for source, target in GOOD[::3]]
LINES = [line(10 * n, *sides) for n, sides in enumerate([*GOOD, *OTHERS])]
TEXT = "".join(f"{one}\n" for one in LINES)


def zipped(text: str | bytes = TEXT, name: str = "fra.txt", **others: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in {"_about.txt": "About this file\n", name: text, **others}.items():
            archive.writestr(member, content)
    return stream.getvalue()


@pytest.fixture
def make(tmp_path):
    """A function that prepares a corpus from text or bytes."""

    def prepared(content: str | bytes, name: str = "fra-eng.zip", out: str = "out") -> Corpus:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        prepare(tmp_path / out, path)
        return load_tatoeba(tmp_path / out)

    return prepared


@pytest.fixture
def site(monkeypatch):
    """A function that has ADDRESS answer on this machine; it returns the headers of what was asked."""
    servers, asked = [], []
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def answering(content: bytes, status: int = 200, size: int | None = None) -> list[dict]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) if size is None else size))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(tatoeba_source, "ADDRESS", f"http://127.0.0.1:{servers[-1].server_port}/anki/fra-eng.zip")
        return asked

    yield answering
    for server in servers:
        server.shutdown()
        server.server_close()


def pairs(corpus: Corpus) -> list[Pair]:
    return [*corpus.train, *corpus.valid, *corpus.test]


def parts(corpus: Corpus) -> dict[str, str]:
    """The part that each sentence is in."""
    return {pair.source: name for name in ("train", "valid", "test") for pair in getattr(corpus, name)}


# ---- what is read


def test_lines_as_the_site_writes_them_and_worse(make):
    strange = [
        line(1, "Go  on,\u2028 then.", " Vas-y\u00a0! "),
        line(2, "Summer.", unicodedata.normalize("NFD", "L'été.")),
        line(3, "Summer.", "L'été."),  # the same
        line(4, "Summer.", "Un été."),
        line(5, " ", "Rien."),
        line(6, "Nothing.", ""),
        "Alone.",
        "",
        "Two columns.\tDeux colonnes.",
        line(7, "Long.", "x" * 5_001),
    ]
    assert {part_of(source) for source in ("Go on, then.", "Summer.", "Two columns.")} == {"train"}
    corpus = make(zipped("\ufeff" + "".join(f"{one}\r\n" for one in [*strange, *LINES])))
    assert corpus.train[:4] == [
        Pair("Go on,\u2028 then.", "Vas-y\u00a0!"),
        Pair("Summer.", "L'été."),
        Pair("Summer.", "Un été."),
        Pair("Two columns.", "Deux colonnes."),
    ]
    assert corpus.left_out == {"blank": 4, "too_long": 1, "duplicate": 1, "in_a_test_set": 0}
    assert {pair.source for pair in pairs(corpus)} >= {source for source, _ in GOOD}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("fra.txt", TEXT),
        ("fra.txt.gz", gzip.compress(TEXT.encode())),
        ("fra.xz", lzma.compress(TEXT.encode())),
        ("no name", zipped(TEXT.replace("\n", "\r\n"), "folder/fra.txt", **{"__MACOSX/._fra.txt": "\0"})),
        ("two columns", "".join(f"{one.rsplit(chr(9), 1)[0]}\n" for one in LINES)),
        ("tatoeba.tsv", "".join(f"{n}\t{one.replace(chr(9), f'{chr(9)}{n}{chr(9)}', 1).rsplit(chr(9), 1)[0]}\n"
                                for n, one in enumerate(LINES))),
    ],
)  # fmt: skip
def test_whatever_it_is_packed_in_it_is_the_same(make, name, content):
    ours, theirs = make(zipped()), make(content, name, "other")
    assert ours.fingerprint() == theirs.fingerprint()
    assert [*map(list, (ours.train, ours.valid, ours.test))] == [*map(list, (theirs.train, theirs.valid, theirs.test))]
    raw = content if isinstance(content, bytes) else content.encode()
    assert theirs.origin["sha256"] == hashlib.sha256(raw).hexdigest()  # as sha256sum prints it
    assert (ours.origin["source"], theirs.origin["source"]) == ("fra-eng.zip", name)


# ---- which part


def test_the_split_never_changes():
    """Else the model that somebody trained a year ago has seen today's test."""
    assert [part_of(f"She counts {n} pears.") for n in (3, 6, 473)] == ["test", "train", "valid"]
    share = [part_of(f"Sentence {n}") for n in range(20_000)]
    assert 240 <= share.count("test") <= 360
    assert 70 <= share.count("valid") <= 130


def test_the_same_file_is_the_same_corpus_everywhere(make):
    assert make(zipped()).fingerprint() == "f15765bacf6f9519b36c12a483414845b7de9a2bf08b30d03ad58fe32d853bf1"


def test_what_differs_in_case_and_marks_is_in_one_part():
    for part in ("train", "valid", "test"):
        sentence, number = told(part)
        variants = [sentence.upper(), sentence[:-1], f"“{sentence}”", f"she counts  {number}\u00a0pears!"]
        assert {part_of(one) for one in variants} == {part}


def test_a_later_edition_moves_no_sentence(make):
    before, lines = make(zipped()), list(LINES)
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        more = [line(n, f"A tram with {n} seats.", f"Un tram de {n} places.") for n in range(300 * seed)]
        after = parts(make(zipped("".join(f"{one}\n" for one in [*more, *lines])), out=f"out {seed}"))
        assert len(after) == len(GOOD) + 300 * seed
        assert parts(before).items() <= after.items()


def test_nothing_that_is_held_out_is_in_training(make):
    for part in ("test", "valid"):
        held, also = told(part)[0], told("train", "plums")[0]
        lines = [line(1, also, "Elle compte."), line(2, held, "Elle compte !"), line(3, also, "Elle les compte.")]
        corpus = make(zipped(TEXT + "".join(f"{one}\n" for one in lines)), out=part)
        assert corpus.left_out["in_a_test_set"] == 1
        assert corpus.train[-1] == Pair(also, "Elle les compte.")
        assert Pair(held, "Elle compte !") in getattr(corpus, part)
        assert count_seen([*corpus.valid, *corpus.test], corpus.train) == 0
        sources = [{normalise(pair.source) for pair in some} for some in (corpus.train, corpus.valid, corpus.test)]
        assert sum(map(len, sources)) == len(set.union(*sources))


def test_further_translations_are_further_references(make):
    rows = [Pair("Hi.", "Salut."), Pair("Hi?", "Salut ?"), Pair("Hi.", "Bonjour."), Pair("No.", "Non.")]
    rows.append(Pair("Hi.", "Coucou."))
    test, more = with_references(rows)
    assert test == [Pair("Hi.", "Salut."), Pair("Hi?", "Salut ?"), Pair("No.", "Non.")]
    assert more == [["Bonjour.", "", ""], ["Coucou.", "", ""]]
    corpus = make(zipped())
    others = dict(OTHERS)
    assert corpus.references == [[others.get(pair.source, "") for pair in corpus.test]]
    assert any(corpus.references[0])
    assert [pair.target for pair in corpus.test] == [dict(GOOD)[pair.source] for pair in corpus.test]
    assert make(zipped(TEXT.replace("a vendu", "avait vendu")), out="b").fingerprint() != corpus.fingerprint()


def test_all_translations_are_in_one_part():
    found, left_out = split(Pair(*sides) for sides in [*GOOD, *OTHERS])
    assert sum(map(len, found.values())) == len(GOOD) + len(OTHERS)
    assert not any(left_out.values())
    for name, some in found.items():
        assert {part_of(pair.source) for pair in some} == {name}


# ---- what is no such file

BOMB = "0" * 5_000_000
PAGE = b"\n<!DOCTYPE html>\n<html><body>Not Acceptable!</body></html>"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped()[:-2_000], rf"fra-eng.zip is damaged or cut off \(File is not a zip file\); {BY_HAND} --out .*out"),
        (zipped()[:400] + b"\xff" * 90 + zipped()[490:], rf"fra-eng.zip is damaged or cut off \(.+\); {BY_HAND}"),
        (zipped(name="deu.txt"), rf"fra-eng.zip holds no fra.txt, but '_about.txt', 'deu.txt'; {BY_HAND}"),
        (zipped(**{"b/fra.txt": TEXT}), "fra-eng.zip holds 2 fra.txt, but '_about.txt', 'fra.txt', 'b/fra.txt'; "),
        (b"PK\x05\x06" + bytes(18), "fra-eng.zip holds no fra.txt, but nothing; "),
        (zipped(BOMB), rf"fra-eng.zip unpacks to more than 1 MB; {BY_HAND}"),
        (PAGE, rf"fra-eng.zip is a web page, not the archive; {BY_HAND}"),
        (zipped("été\t\n".encode("latin-1")), "fra-eng.zip is not UTF-8: line 1 holds byte 0xe9"),
        (gzip.compress(TEXT.encode())[:-900], r"fra-eng.zip is cut off in line \d+ or later; copy it again"),
        (b"", "fra-eng.zip holds 0 pairs, too few for a train part; give the whole file"),
        ("no tabs\n" * 900, "fra-eng.zip holds 0 pairs, too few for a train part; give the whole file"),
        (line(1, "She sees.", "Elle voit."), "fra-eng.zip holds 1 pairs, too few for a valid part; give the whole"),
    ],
)
def test_other_files_are_called_by_their_names(make, tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(tatoeba_source, "MOST_TEXT", 1 << 20)
    with pytest.raises(ValueError, match=message):
        make(content)
    assert not (tmp_path / "out").exists()


def test_any_damage_is_one_line_or_changes_nothing(tmp_path):
    whole, chance, wrong = zipped(), random.Random(0), 0
    expected = list(tatoeba_source.Source(_file(tmp_path, whole), tmp_path).pairs())
    for _ in range(300):
        damaged = bytearray(whole)
        ends = chance.random() < 0.5  # the directory of the archive is at its end
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(whole) - 200 if ends else 0, len(whole))
            damaged[place] ^= 1 << chance.randrange(8)
        try:
            found = list(tatoeba_source.Source(_file(tmp_path, bytes(damaged)), tmp_path).pairs())
        except ValueError as error:
            wrong, found = wrong + 1, str(error)
        assert found == expected or ("\n" not in found and "fra-eng.zip by hand" in found)
    assert 100 < wrong < 300


def _file(folder: Path, content: bytes) -> Path:
    (folder / "damaged.zip").write_bytes(content)
    return folder / "damaged.zip"


def test_nothing_is_unpacked_to_a_path(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(zipped(name="../../up/fra.txt"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fra-eng.zip", "out"]
    assert not (tmp_path.parent.parent / "up").exists()


# ---- the network


def test_it_is_fetched_under_a_name_of_its_own(site, tmp_path):
    asked = site(zipped())
    corpus = load_tatoeba(tmp_path / "out")
    assert asked[0]["User-Agent"].startswith("lessons_lib/")
    assert corpus.origin["source"] == tatoeba_source.ADDRESS
    assert load_tatoeba(tmp_path / "out").fingerprint() == corpus.fingerprint()
    assert len(asked) == 1  # the second time it is there
    prepare(tmp_path / "out")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": 406}, rf"cannot be fetched \(HTTP Error 406: Not Acceptable\); {BY_HAND}"),
        ({"size": 99_999}, rf"cannot be fetched \(it breaks off after [\d,]+ of 99,999 bytes\); {BY_HAND}"),
        ({"content": PAGE}, rf"is a web page, not the archive; {BY_HAND}"),
        ({"content": bytes(2 << 20)}, rf"gives more than 1 MB, so it is not the archive; {BY_HAND}"),
    ],
)
def test_a_site_that_gives_something_else(site, tmp_path, monkeypatch, capsys, answer, message):
    monkeypatch.setattr(tatoeba_source, "MOST_PACKED", 1 << 20)
    site(**({"content": zipped()} | answer))
    assert main(["prepare", "--corpus", "tatoeba", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    with pytest.raises(ValueError, match=message):
        raise ValueError(said)
    assert not (tmp_path / "out").exists()


def test_an_answer_without_an_end(tmp_path, monkeypatch):
    class Endless(contextlib.nullcontext):
        length, given = None, 0

        def __enter__(self):
            return self

        def read(self, size: int) -> bytes:
            self.given += size
            assert self.given < 2 << 20, "nobody stops"
            return bytes(size)

    monkeypatch.setattr(tatoeba_source, "MOST_PACKED", 1 << 20)
    monkeypatch.setattr(tatoeba_source, "urlopen", lambda *_, **__: Endless())
    with pytest.raises(ValueError, match="gives more than 1 MB, so it is not the archive"):
        prepare(tmp_path / "out")


def test_without_a_network_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(tatoeba_source, "ADDRESS", "http://127.0.0.1:9/anki/fra-eng.zip")
    data, model = tmp_path / "data", tmp_path / "model"
    arguments = ["train", "--corpus", "tatoeba", "--steps", "1", "--data", str(data), "--out", str(model)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("lessons: http://127.0.0.1:9/anki/fra-eng.zip cannot be fetched (")
    assert said.endswith(f"lessons prepare --corpus tatoeba --source fra-eng.zip --out {data}\n")
    assert said.count("\n") == 1
    assert not data.exists()
    assert not model.exists()


# ---- the folder


def test_an_edition_takes_the_place_of_another_whole_or_not_at_all(make, tmp_path):
    before = make(zipped())
    with pytest.raises(ValueError, match="is a web page"):
        make(PAGE)
    assert load_tatoeba(tmp_path / "out").fingerprint() == before.fingerprint()
    later = make(zipped(TEXT + line(1, *GOOD[0][::-1])), out="later").fingerprint()
    assert later != before.fingerprint()
    (tmp_path / "later" / ".lock").unlink()
    (tmp_path / "later").rename(tmp_path / "out" / COMPLETE)  # as a power cut may leave it
    assert load_tatoeba(tmp_path / "out").fingerprint() == later
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name != ".lock") == FILES


def test_folders_that_are_none_of_ours(make, tmp_path):
    make(zipped())
    for name in ("train", "valid", "test"):
        path = tmp_path / "out" / f"{name}.tsv"
        whole = path.read_bytes()
        path.write_bytes(whole[:-9])
        with pytest.raises(ValueError, match=rf"{name}.tsv is damaged.*; run `lessons prepare --corpus tatoeba --out"):
            load_tatoeba(tmp_path / "out")
        path.write_bytes(whole)
    path.unlink()
    with pytest.raises(ValueError, match=r"test.tsv is missing; run `lessons prepare --corpus tatoeba --out"):
        load_tatoeba(tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("ten years")
    for use in (prepare, load_tatoeba):
        with pytest.raises(ValueError, match=r"holds diary.txt, which is not part of a corpus; give another folder"):
            use(tmp_path / "mine")
    manifest = {"format": 1, "source": {}, "filters": {}, "exhausted": False, "parts": []}  # of WMT14
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    for use in (prepare, load_tatoeba):
        with pytest.raises(ValueError, match=r"is not one that this version .* wrote; give it another folder"):
            use(tmp_path / "out")


# ---- the commands

TINY = "--d-model 16 --n-heads 2 --n-encoder-layers 1 --n-decoder-layers 1 --d-ff 32 --vocab-size 400".split()


def test_from_the_archive_to_a_score(tmp_path, capsys):
    archive, data, model = tmp_path / "fra-eng.zip", str(tmp_path / "data"), str(tmp_path / "model")
    archive.write_bytes(zipped(TEXT + "\n"))
    assert main(["prepare", "--corpus", "tatoeba", "--source", str(archive), "--out", data]) == 0
    said = capsys.readouterr().out
    corpus = load_tatoeba(Path(data))
    rows = len(corpus.test) + sum(map(bool, corpus.references[0]))
    assert f"{data}: {len(corpus.train)} pairs, {len(corpus.valid)} to validate by and {rows} to test by\n" in said
    assert "left out: 1 blank, 0 too long, 0 duplicate, 0 in a test set" in said
    assert main(["train", "--corpus", "tatoeba", "--data", data, "--steps", "3", "--out", model, *TINY]) == 0
    said = capsys.readouterr().err
    assert said.count(ATTRIBUTION) == 1
    card = json.loads(Path(model, "run.json").read_text("utf-8"))
    assert card["data"]["corpus"] == "tatoeba"
    assert card["data"]["origin"] == {
        "source": "fra-eng.zip",
        "sha256": corpus.origin["sha256"],
        "licence": "CC BY 2.0 FR",
        "attribution": "Tatoeba (tatoeba.org) through manythings.org, CC BY 2.0 FR",
    }
    assert card["data"]["sha256"] == corpus.fingerprint()
    assert card["scores"]["sentences"] == len(corpus.test)
    assert "nrefs:var" in card["scores"]["signature"]
    assert main(["score", "--model", model, "--corpus", "tatoeba", "--data", data]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["signature"] == card["scores"]["signature"]
    assert main(["diagnose", "--model", model, "--corpus", "tatoeba", "--data", data, "--json", "--beam", "2"]) == 0
    said = capsys.readouterr()
    assert "of several translations of a sentence the report takes the first" in said.err
    assert json.loads(said.out)["sentences"] == len(corpus.test)


def test_references_go_with_the_sentences_that_are_drawn(make, tmp_path, monkeypatch):
    corpus, drawn, score = make(zipped()), [], resumable.score_translator

    def listening(translator, some, **options):
        drawn.append((some, options.get("more")))
        return score(translator, some, **options)

    monkeypatch.setattr(resumable, "score_translator", listening)
    monkeypatch.setattr(resumable, "TEST_PAIRS", 5)
    recipe = Recipe(toy_config(max_length=60), TrainingOptions(steps=1), batch_tokens=400, validations=0, device="cpu")
    resumable.train_translator(corpus, recipe, tmp_path / "model")
    [(some, more)] = drawn
    assert len(some) == 5 < len(corpus.test)
    assert more == [[dict(OTHERS).get(pair.source, "") for pair in some]]
    assert any(more[0])


def test_flags_that_do_not_go_together(tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    for arguments, message in [
        (["prepare", "--corpus", "tatoeba", "--pairs", "5"], "--pairs N goes with --corpus wmt14, and it needs it"),
        (["prepare", "--corpus", "wmt14"], "--pairs N goes with --corpus wmt14, and it needs it"),
        (["train", "--corpus", "tatoeba", "--pairs-count", "5", "--steps", "1"], "--pairs-count goes with --corpus"),
        (["train", "--corpus", "grammar", "--data", "d", "--steps", "1"], "--data goes with --corpus tatoeba or wmt14"),
        (["prepare", "--corpus", "tatoeba", "--source", str(tmp_path)], "is a folder; give a text file"),
        (["prepare", "--corpus", "tatoeba", "--source", "nowhere.zip"], "nowhere.zip does not exist; check the path"),
    ]:
        assert main([*arguments, *out]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("\n") == 1


def test_the_cache_is_where_nobody_says_another_place(site, tmp_path, monkeypatch):
    site(zipped())
    monkeypatch.setattr(tatoeba, "CACHE", tmp_path / "cache")
    assert load_tatoeba().train == load_tatoeba(tmp_path / "cache").train
