"""Parallel text: what is read is what the files say, and what they must not say is one clear line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_corpus

from lessons_lib.translation.corpus import load_grammar, load_pairs, read_lines, read_pairs, split_lines


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
    with pytest.raises(ValueError, match="share no line with text on both sides"):
        load_pairs(halves, halves)


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
