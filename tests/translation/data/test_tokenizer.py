"""Subwords: every text comes back exactly, and pieces know their words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import toy_corpus, toy_tokenizer

from lessons_lib.translation.data.tokenizer import BOS, EOS, PAD, Tokenizer, split_words

FRENCH = "Qu'est-ce que l'homme n’a pas dit, aujourd'hui ?  « Rien », 12,5 % !"


@settings(deadline=None)
@given(st.text())
def test_text_comes_back_exactly(text):
    tokenizer = toy_tokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    "text",
    [FRENCH, f"{BOS} a {EOS} {PAD}", "<0x41>", "▁ ▁▁", " lead", "trail  ", "a\tb\nc", "日本 👩‍🚀", "é e\u0301", ""],
)
def test_text_that_tries_to_trick_comes_back_exactly(text):
    tokenizer = toy_tokenizer()
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(token > tokenizer.eos_id for token in ids)


def test_special_tokens_are_0_1_2_and_never_decoded():
    tokenizer = toy_tokenizer()
    ids = tokenizer.encode("the cat")
    assert tokenizer.pieces([tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id]) == ["<pad>", "<s>", "</s>"]
    assert tokenizer.decode([1, *ids, 2, 0, 0]) == "the cat"


def test_pieces_are_readable():
    tokenizer = toy_tokenizer()
    assert tokenizer.pieces(tokenizer.encode("the cat")) == ["▁the", "▁cat"]
    assert tokenizer.pieces(tokenizer.encode("ça")) == ["▁", "<0xC3>", "<0xA7>", "a"]


def test_borders_of_words():
    """An elided word and its noun are two pieces at least, however often they meet; so are a word and its mark."""
    tokenizer = Tokenizer.train(["l'eau n'est pas chaude. the woman's dog doesn't bark, 42 ?"] * 50, 500)
    assert tokenizer.pieces(tokenizer.encode("l'eau chaude. woman's doesn't ?")) == [
        "▁l'", "eau", "▁chaude", ".", "▁woman", "'s", "▁doesn", "'t", "▁?",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from([*"aé'’?.日", " ", "  ", "\u00a0", "\t", "cat", "the"]), max_size=12).map("".join))
def test_word_ids_count_the_words_between_blanks(text):
    tokenizer = toy_tokenizer()
    ids = tokenizer.encode(text)
    words = tokenizer.word_ids(ids)
    rebuilt = {}
    for token, word in zip(ids, words, strict=True):
        if word is not None:
            rebuilt.setdefault(word, []).append(token)
    expected = [word for word in text.replace("\t", " ").split(" ") if word]  # a no-break space is no border
    assert split_words(text) == expected
    assert sorted(rebuilt) == list(range(len(expected)))
    assert [tokenizer.decode(pieces).strip(" \t") for pieces in rebuilt.values()] == expected


def test_word_ids_of_special_tokens_are_none():
    tokenizer = toy_tokenizer()
    assert tokenizer.word_ids([*tokenizer.encode("the cat"), tokenizer.eos_id]) == [0, 1, None]


def test_training_twice_gives_the_same_vocabulary(tmp_path):
    texts = [pair.target for pair in toy_corpus().train]
    for name in "ab":
        Tokenizer.train(texts, 320).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_saved_and_loaded_is_the_same(tmp_path):
    toy_tokenizer().save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert len(loaded) == len(toy_tokenizer())
    assert loaded.encode(FRENCH) == toy_tokenizer().encode(FRENCH)
    assert loaded.encode_all([FRENCH, ""]) == [loaded.encode(FRENCH), loaded.encode("")]


def test_a_vocabulary_too_small_for_the_bytes_says_how_large():
    with pytest.raises(
        ValueError, match=r"vocab_size=100 has no room for the 2\d\d bytes and letters .* use 5\d\d or more"
    ):
        Tokenizer.train(["abc"], 100)


@pytest.mark.parametrize("content", ["not json", "{}", "[]", json.dumps({"model": {"vocab": {"a": 0}, "merges": []}})])
def test_a_file_that_is_no_tokenizer(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json .* train again"):
        Tokenizer.load(path)


def test_half_a_character_is_no_text():
    """As JSON can hold it: the library `tokenizers` says only that its input is of the wrong type."""
    half = json.loads(r'"\ud83d"')
    with pytest.raises(ValueError, match=r"text 2 holds half a character, '\\ud83d'; read it anew, or drop it"):
        toy_tokenizer().encode_all(["the dog", f"the {half} cat"])
    with pytest.raises(ValueError, match="text 1 holds half a character"):
        toy_tokenizer().encode(half)
