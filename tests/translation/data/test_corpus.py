"""Parallel text: what is read is what the files say, and what they must not say is one clear line."""

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_corpus

from lessons_lib.translation.data.corpus import (
    Pair,
    evenly,
    load_grammar,
    load_pairs,
    read_lines,
    read_pairs,
    read_tab_pairs,
    split_lines,
)


@pytest.fixture
def files(tmp_path):
    """A function that writes text or bytes to a new file."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_reads_lines_as_written(files):
    path = files("a", "\ufeffl'été\r\n\n  two \u2028 halves\x0b\x85 \nlast")
    assert read_lines(path) == ["l'été", "", "  two \u2028 halves\x0b\x85 ", "last"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])), min_size=1))
def test_a_line_ends_only_at_a_newline(lines):
    assert split_lines("".join(f"{line}\n" for line in lines)) == lines


def test_pairs_with_a_blank_side_are_left_out(files):
    train = files("a.en", "one\n \nthree\n"), files("a.fr", "un\ndeux\ntrois\n")
    corpus = load_pairs(train, train)
    assert [(pair.source, pair.target) for pair in corpus.train] == [("one", "un"), ("three", "trois")]
    assert corpus.test == []


def test_different_lengths(files):
    with pytest.raises(ValueError, match=r"a\.en has 3 lines but .*a\.fr has 2; line n of one must translate"):
        read_pairs(files("a.en", "1\n2\n3\n"), files("a.fr", "1\n2\n"))


def test_not_utf8(files):
    with pytest.raises(ValueError, match=r"a\.fr is not UTF-8: line 2 holds byte 0xe9; convert it.*iconv"):
        read_lines(files("a.fr", "un\nl'été".encode("latin-1")))


@pytest.mark.parametrize("content", ["", "\n", " \n\t\n"])
def test_empty(files, content):
    with pytest.raises(ValueError, match=r"a\.en is empty; it must hold one sentence a line"):
        read_lines(files("a.en", content))


def test_missing_or_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist; check the path"):
        read_lines(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="is a folder; give a text file"):
        read_lines(tmp_path)


def test_no_line_with_text_on_both_sides(files):
    halves = files("a.en", "one\n\n"), files("a.fr", "\ndeux\n")
    with pytest.raises(ValueError, match="no line has text on both sides"):
        load_pairs(halves, halves)


@pytest.mark.parametrize("packed", [False, True])
def test_two_files_or_one_with_tabs_packed_or_not(files, packed):
    pack, end = (gzip.compress, ".gz") if packed else (str.encode, "")
    write = lambda name, text: files(name + end, pack(text.encode() if packed else text))  # noqa: E731
    two = write("a.en", "one\r\ntwo\r\n"), write("a.fr", "un\ndeux\n")
    one = (write("a.tsv", "one\tun\r\n\r\ntwo\tdeux"),)
    corpora = [load_pairs(two, one, one), load_pairs(one, two)]
    assert [list(corpus.train) for corpus in corpora] == [[Pair("one", "un"), Pair("two", "deux")]] * 2
    assert corpora[0].test == corpora[0].valid == corpora[0].train
    assert [corpus.left_out["blank"] for corpus in corpora] == [2, 1]


@pytest.mark.parametrize("line", ["one", "one\tun\tuna"])
def test_a_line_with_another_number_of_columns(files, line):
    found = 1 + line.count("\t")
    with pytest.raises(ValueError, match=rf"a\.tsv, line 2: {found} columns .*; write source, one tab, target"):
        read_tab_pairs(files("a.tsv", f"zero\tzéro\n{line}\n"))


def test_a_damaged_gz(files):
    whole = gzip.compress("\n".join(str(n * n) for n in range(9_000)).encode())
    with pytest.raises(ValueError, match=r"a\.gz is cut off in line \d+ or later; copy it again"):
        read_lines(files("a.gz", whole[:-200]))
    with pytest.raises(ValueError, match=r"b\.gz is no gzip file .*; pack it with gzip, or name it without \.gz"):
        read_lines(files("b.gz", "one\n"))
    with pytest.raises(ValueError, match=r"c\.gz is damaged .*; copy it again"):
        read_lines(files("c.gz", whole[:50] + b"\xff" * 20 + whole[70:]))
    with pytest.raises(ValueError, match=r"d\.gz is not UTF-8: line 2 holds byte 0xe9"):
        read_lines(files("d.gz", gzip.compress("un\nl'été".encode("latin-1"))))
    with pytest.raises(ValueError, match=r"e\.gz is empty"):
        read_lines(files("e.gz", gzip.compress(b"")))


def test_strange_text_is_text_and_pages_are_left_out(files):
    strange = ["a\x00b\x07", "שלום עולם", "👩‍👩‍👧 🙂", "\u200f\u202ea", "x" * 5_000]
    train = (files("a.tsv", "".join(f"{side}\t{side}\n" for side in [*strange, "y" * 10_000])),)
    corpus = load_pairs(train, train)
    assert [pair.source for pair in corpus.train] == strange
    assert corpus.left_out == {"blank": 0, "too_long": 2}  # in the training and in the validation part


def test_three_files_are_one_too_many(files):
    path = files("a.tsv", "one\tun\n")
    with pytest.raises(ValueError, match="is one file too many"):
        load_pairs((path, path, path), (path,))


def test_fingerprint_tells_sentences_and_splits_apart():
    corpus = toy_corpus()
    assert corpus.fingerprint() == toy_corpus().fingerprint()
    moved = type(corpus)("toy", corpus.train[:-1], [corpus.train[-1], *corpus.valid], corpus.test)
    assert len({corpus.fingerprint(), moved.fingerprint(), toy_corpus(seed=1).fingerprint()}) == 3


def test_grammar_is_the_same_for_the_same_seed_and_its_test_is_held_out():
    sizes = {"n_train": 60, "n_valid": 5, "n_test": 10}
    corpus = load_grammar(seed=3, **sizes)
    assert corpus.fingerprint() == load_grammar(seed=3, **sizes).fingerprint()
    assert corpus.fingerprint() != load_grammar(seed=4, **sizes).fingerprint()
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [60, 5, 10]
    assert not {pair.source for pair in corpus.train} & {pair.source for pair in corpus.test}
    for pair in corpus.test:
        english, french = pair.source.split(), pair.target.split()
        assert all(e < len(english) and f < len(french) for e, f in pair.alignment)


PACKERS = {"gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress}


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("name", ["a", "a.txt", "a.GZ"])
def test_packed_whatever_it_is_called(files, kind, name):
    assert read_lines(files(name, PACKERS[kind]("un\nl'été\n".encode()))) == ["un", "l'été"]
    whole = PACKERS[kind]("".join(f"{n * n}\n" for n in range(9_000)).encode())
    with pytest.raises(ValueError, match=r"copy it again"):
        read_lines(files(name, whole[: len(whole) // 2]))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("l'été\n".encode("utf-16"), "a is UTF-16, not UTF-8 text; convert it: iconv -f UTF-16 -t UTF-8"),
        (b"\xfe\xff" + "été\n".encode("utf-16-be"), "a is UTF-16, not UTF-8 text; convert it: iconv -f UTF-16"),
        ("a cat sleeps\n".encode("utf-16-le"), "a is UTF-16, or no text: .* iconv -f UTF-16LE -t UTF-8"),
        ("a cat sleeps\n".encode("utf-16-be"), "a is UTF-16, or no text: .* iconv -f UTF-16BE -t UTF-8"),
        ("été\n".encode("utf-32"), "a is UTF-32"),
        (b"PK\x03\x04\x14\0\0\0", "a is a zip archive or an office document, .*unzip"),
        (b"\x28\xb5\x2f\xfd\x24", "a is packed with zstd, not UTF-8 text; unpack it: zstd -d"),
        (b"%PDF-1.7\n", "a is a PDF"),
        ("« l’été »\n".encode("cp1252"), "a is not UTF-8: line 1 holds byte 0xab; .*iconv -f WINDOWS-1252 -t UTF-8"),
        ("un\nl'été\n".encode("latin-1"), "a is not UTF-8: line 2 holds byte 0xe9; .*iconv -f ISO-8859-1 -t UTF-8"),
        ("éàçù\n".encode() + b"\xe9t\n", "line 2 holds byte 0xe9; the rest is UTF-8: mend that line"),
        ("l'été".encode()[:-1], "cut off in the middle of a character; copy it again"),
        (b"caf\xe9", "line 1 holds byte 0xe9; convert it, for example with iconv -f ISO-8859-1 -t UTF-8"),
        (b"a\n\xed\xa0\xbd\xed\xb8\x80\n", "line 2 holds byte 0xed; it writes characters as two halves"),
    ],
)
def test_what_is_no_utf8_text_is_called_by_its_name(files, raw, message):
    with pytest.raises(ValueError, match=message):
        read_lines(files("a", raw))


def test_a_stray_nul_is_text(files):
    assert read_lines(files("a", b"a\0b\n")) == ["a\0b"]


def test_accents_typed_as_two_characters_are_one(files):
    assert read_lines(files("a", "l'e\u0301te\u0301\n")) == ["l'été"]


def test_words_are_one_blank_apart(files):
    assert read_pairs(files("a", " a  dog \t x\n"), files("b", "un\u00a0chien \n")) == [
        Pair("a dog x", "un\u00a0chien")
    ]
    assert read_tab_pairs(files("c", "a  dog \t un  chien\r\n")) == [Pair("a dog", "un chien")]


def test_bars_between_the_sides(files):
    """As fast_align and its like write them; editors cut off the blank beside a side that is blank."""
    path = files("a", "a dog ||| un chien\n||| le chat\nthe cat |||\n\n ||| x\nsolid|||collé\n")
    pairs = [("a dog", "un chien"), ("", "le chat"), ("the cat", ""), ("", ""), ("", "x"), ("solid", "collé")]
    assert read_tab_pairs(path) == [Pair(*sides) for sides in pairs]
    with pytest.raises(ValueError, match=r"a, line 2: 1 columns \('no bars'\); write source, \|\|\|, target"):
        read_tab_pairs(files("a", "a ||| b\nno bars\n"))
    assert read_tab_pairs(files("b", "a ||| b\tc\n")) == [Pair("a ||| b", "c")]


def test_a_dash_is_standard_input(monkeypatch):
    for raw in (b"un\r\ndeux\n", gzip.compress(b"un\ndeux\n")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert read_lines(Path("-")) == ["un", "deux"]
        with pytest.raises(ValueError, match="- is empty"):
            read_lines(Path("-"))


def test_tatoeba_files(files, capsys):
    """With the attribution, as manythings.org packs them; and as Tatoeba itself exports pairs."""
    path = files("a", "Go.\tVa !\tCC-BY 2.0 (France) #1 & #2\nHi.\tSalut !\tCC-BY 2.0 (France) #3 & #4\n")
    assert read_tab_pairs(path) == [Pair("Go.", "Va !"), Pair("Hi.", "Salut !")]
    assert (
        "read columns 1 and 2 of 3; the rest, such as 'CC-BY 2.0 (France) #1 & #2', is left out"
        in capsys.readouterr().err
    )
    path = files("b", "1276\tLet's try.\t5\tEssayons !\n1277\tI must go.\t6\tJe dois partir.\n")
    assert read_tab_pairs(path) == [Pair("Let's try.", "Essayons !"), Pair("I must go.", "Je dois partir.")]
    with pytest.raises(ValueError, match="c, line 2: 3 columns"):
        read_tab_pairs(files("c", "a\tb\nc\td\te\n"))
    with pytest.raises(ValueError, match="d, line 2: 2 columns, not 3 as the first line"):
        read_tab_pairs(files("d", "a\tb\tx\nc\td\n"))


def test_pairs_that_training_has_seen_are_counted(files):
    train = files("t", "The cat.\tLe chat.\nA dog.\tUn chien.\n")
    held_out = files("v", "the cat\tce chat\nA bird.\tun chien !\nA horse.\tUn cheval.\n")
    assert load_pairs([train], [held_out], [train]).seen == {"valid": 2, "test": 2}


def test_drawn_at_even_distances():
    pairs = [Pair(str(number), "") for number in range(10)]
    assert [pair.source for pair in evenly(pairs, 4)] == ["0", "2", "5", "7"]
    assert evenly(pairs, 10) == evenly(pairs, 11) == pairs


def test_pairs_as_fast_align_has_them(files):
    assert read_tab_pairs(files("a", "the cat ||| le chat\n\nno ||| non\n")) == [
        Pair("the cat", "le chat"), Pair("", ""), Pair("no", "non"),
    ]  # fmt: skip


def test_line_ends_of_old_macintoshes(files):
    with pytest.raises(ValueError, match=r"a ends its lines with a carriage return alone; convert it: tr"):
        read_lines(files("a", "un\rdeux\rtrois\r"))
