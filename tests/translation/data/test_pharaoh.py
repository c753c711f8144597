"""Pharaoh files: what is written is read again, and every mistake is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.translation.data.corpus import Pair
from lessons_lib.translation.data.pharaoh import (
    Gold,
    format_links,
    parse_links,
    read_links,
    write_links,
)

PAIR = Pair("the black cat", "le chat noir")
some_links = st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2)))


@given(some_links, some_links)
def test_written_and_read_again(sure, possible):
    assert parse_links(format_links(sure, possible), PAIR) == Gold(sure, sure | possible)


def test_both_marks_of_a_possible_link():
    assert parse_links("0-0 1?2  2p1", PAIR) == Gold({(0, 0)}, {(0, 0), (1, 2), (2, 1)})
    assert format_links({(1, 2), (0, 0)}, {(2, 1), (0, 0)}) == "0-0 1-2 2?1"
    assert parse_links("0?0 0-0", PAIR).sure == {(0, 0)}
    assert parse_links("", PAIR) == Gold(set(), set())


def test_files(tmp_path):
    path = tmp_path / "links"
    write_links(path, [{(0, 0), (2, 1)}, set()])
    assert path.read_bytes() == b"0-0 2-1\n\n"
    assert [gold.sure for gold in read_links(path, [PAIR, PAIR])] == [{(0, 0), (2, 1)}, set()]
    assert [p.name for p in tmp_path.iterdir()] == ["links"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0-0\n1:2\n", "line 2: '1:2' is not a link; write 0-0 for a sure link"),
        (b"0-0\n1-2-3\n", "line 2: '1-2-3' is not a link"),
        (b"0-0\n-1-2\n", "line 2: '-1-2' is not a link"),
        (b"0-0\n3-1\n", "line 2: '3-1' names source word 3, but there are 3, counted from 0"),
        (b"0?7\n0-0\n", "line 1: '0[?]7' names target word 7"),
        (b"0-0\n", "has 1 lines for 2 sentence pairs"),
        (b"\n\n\n", "has 3 lines for 2 sentence pairs"),
        (b"0-0\n\xff\n", "is not UTF-8: line 2"),
    ],
)
def test_mistakes_are_named(tmp_path, content, message):
    path = tmp_path / "links"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_links(path, [PAIR, PAIR])


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_links(tmp_path / "links", [PAIR])
    with pytest.raises(ValueError, match="is a folder"):
        read_links(tmp_path, [PAIR])


def test_words_are_what_stands_between_blanks():
    """As for awk, Moses and fast_align: a no-break space, as French has before a mark, is no border."""
    pair = Pair("why not\t?", "pourquoi pas\u00a0?")
    assert parse_links("0-0 1-1 2-1", pair).sure == {(0, 0), (1, 1), (2, 1)}
    with pytest.raises(ValueError, match="names target word 2, but there are 2"):
        parse_links("2-2", pair)


def test_files_that_count_from_1(tmp_path, capsys):
    path = tmp_path / "links"
    path.write_text("1-1 2?3 3-2\n" * 4)
    pairs = [PAIR] * 4
    assert read_links(path, pairs, one_based=True)[0] == Gold({(0, 0), (2, 1)}, {(0, 0), (2, 1), (1, 2)})
    assert capsys.readouterr().err == ""
    with pytest.raises(
        ValueError, match=r"names target word 3, .*from 0 \(a file that counts from 1 needs --one-based"
    ):
        read_links(path, pairs)
    path.write_text("1-1 2-2 1-2\n" * 4)  # every word is there, but never the first
    read_links(path, pairs)
    assert (
        "links: no link names word 0 of a sentence; if the file counts from 1, add --one-based"
        in capsys.readouterr().err
    )
    path.write_text("0-1\n" * 4)
    with pytest.raises(ValueError, match="names source word 0, but there are 3, counted from 1"):
        read_links(path, pairs, one_based=True)
