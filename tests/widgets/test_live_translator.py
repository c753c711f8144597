"""The engine of the live translator says what PyTorch says: its tokens, its logits, its translations, its attention."""

import random
import re
import unicodedata

import pytest
import torch
from live_engine import Engine
from playwright.sync_api import sync_playwright
from toy import toy_corpus, toy_model, toy_translator
from widget_page import WidgetPage

from lessons_lib.feedforward import ACTIVATIONS
from lessons_lib.norms import NORMS
from lessons_lib.positions import t5_bucket
from lessons_lib.translation.course_model import FOLDER, course_web_model, load_course_translator
from lessons_lib.translation.data.corpus import load_grammar, load_grammar_tests
from lessons_lib.translation.data.tokenizer import split_words
from lessons_lib.translation.deployment.web import CHOICES as CHOICES_OF_THE_PAGE
from lessons_lib.translation.deployment.web import seen_words, stored_words, web_model
from lessons_lib.translation.deployment.web_reading import read_web_file, read_web_model
from lessons_lib.translation.everyday_model import everyday_web_model, load_everyday_translator, load_visitors
from lessons_lib.translation.search.attention_weights import cross_attention, word_weights
from lessons_lib.translation.search.decoding import n_best
from lessons_lib.translation.search.model_folder import save_model
from lessons_lib.translation.search.translator import Translator
from lessons_lib.widgets import TranslatorWidget
from tools import chromium

# Every choice that a configuration has, at least once.
CHOICES = [
    {"norm": "post", "activation": "gelu", "tied": False, "scaled": False},
    {"positions": "rope", "norm_type": "rms", "activation": "swiglu", "n_heads": 4, "n_kv_heads": 2, "bias": "none"},
    {"positions": "learned", "activation": "geglu", "d_head": 6, "bias": "qkv", "norm_eps": 1e-2},
    {"positions": "sinusoidal_halves", "activation": "silu", "embedding_norm": True, "n_decoder_layers": 2},
    {"positions": "none", "activation": "gelu_tanh", "n_heads": 4, "n_kv_heads": 1, "n_encoder_layers": 2},
    {"positions": "alibi", "d_ff": 30, "d_model": 30, "n_heads": 3},  # no multiple of 4
    {"positions": "relative"},
    {"positions": "t5"},
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium.launch_options())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def engine(browser):
    """An engine that takes one file after another."""
    return Engine(browser)


@pytest.fixture(scope="module")
def course(browser):
    """An engine with the course's own model."""
    return Engine(browser).load(course_web_model())


@pytest.fixture(scope="module")
def in_8_bits():
    """The same weights in PyTorch."""
    return Translator(*read_web_model(course_web_model()))


def file_of(folder, model, tokenizer) -> bytes:
    save_model(folder, model, tokenizer)
    return web_model(folder)


def assert_same_numbers(engine, model, source: list[int], target: list[int]) -> None:
    """Every logit and every cross-attention weight of every step."""
    logits, looked = map(torch.from_numpy, engine.step_through(source, target))
    torch.testing.assert_close(logits, model(torch.tensor([source]), torch.tensor([target]))[0], rtol=0, atol=1e-3)
    (expected,) = cross_attention(model, [source], [[*target[1:], 2]])  # (L, H, T, S)
    torch.testing.assert_close(looked, expected.permute(2, 0, 1, 3).flatten(1), rtol=0, atol=1e-4)


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_the_course_models_logits_equal_pytorch(course, in_8_bits):
    encode = in_8_bits.tokenizer.encode
    pairs = load_grammar_tests(0, 6)
    for pair in (*pairs["in_distribution"], *pairs["long"][:2], *pairs["unseen_words"][:2]):
        assert_same_numbers(course, in_8_bits.model, [*encode(pair.source), 2], [1, *encode(pair.target)])


def test_the_everyday_models_too(browser):
    ours, theirs = load_everyday_translator("cpu"), Engine(browser).load(everyday_web_model())
    texts = [visit.english for visit in load_visitors()]
    for translation in ours.translate(texts[:6], attention=False):
        source, target = (ours.tokenizer.encode(text) for text in (translation.source, translation.text))
        assert_same_numbers(theirs, ours.model, [*source, 2], [1, *target])
    for beam in (1, 4):
        found = theirs.evaluate(TRANSLATE, [texts, beam])
        said = ours.translate(texts, beam, attention=False)
        assert sum(text == one.text for text, one in zip(found, said, strict=True)) >= len(texts) - 1


def test_at_the_longest_length_too(course, in_8_bits):
    random_ids = random.Random(0).choices(range(3, 4000), k=300)
    assert_same_numbers(course, in_8_bits.model, [*random_ids[:255], 2], [1, *random_ids[255:275]])


@pytest.mark.parametrize("simd", [True, False])
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_every_choice_of_a_configuration(engine, tmp_path, choices, simd):
    model, tokenizer = toy_model(max_length=48, **choices)
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    data = file_of(tmp_path, model, tokenizer)
    dequantised, _ = read_web_model(data)
    ids = torch.randint(3, len(tokenizer), (60,)).tolist()
    assert_same_numbers(engine.load(data, simd), dequantised, [*ids[:40], 2], [1, *ids[40:]])


def test_buckets_of_t5_at_every_distance(course):
    distances = torch.arange(-300, 301)[None]
    for causal in (True, False):
        found = course.evaluate(
            "([all, causal]) => all.map((one) => engine.t5Bucket(one, causal, 32))", [distances[0].tolist(), causal]
        )
        assert found == t5_bucket(distances, causal, 32, 128)[0].tolist()


def test_the_page_has_every_norm_and_activation_and_refuses_others(course, engine):
    """By the names of the library; an unknown one is an Error, and no NaN."""
    assert (
        set(course.evaluate("() => Object.keys(engine.NORMS)")) == set(NORMS) == set(CHOICES_OF_THE_PAGE["norm_type"])
    )
    assert set(course.evaluate("() => Object.keys(engine.ACTIVATIONS)")) == set(ACTIVATIONS)
    for name in ("norm_type", "activation", "positions"):
        build = "(name) => { try { new engine.Transformer({ ...file, config: { ...file.config, [name]: 'new' } }); }"
        assert course.evaluate(build + " catch (error) { return error.message; } }", name) == (
            f"{name}='new' is not known to this page"
        )


# --- translations ----------------------------------------------------------------------------------------------------


TRANSLATE = """([texts, beam]) => texts.map((text) => {
  const [best] = run([...tokenizer.encode(text), 2], beam);
  return tokenizer.decode(best.tokens);
})"""


@pytest.mark.parametrize(("beam", "count"), [(1, 125), (4, 10)])
def test_translations_are_those_of_lessons_translate(course, in_8_bits, beam, count):
    """Of each of the four tests ``count``: so many are long, or of words or constructions that it has not seen."""
    texts = [pair.source for part in load_grammar_tests(0, count).values() for pair in part]
    found = course.evaluate(TRANSLATE, [texts, beam])
    ours = in_8_bits.translate(texts, beam, attention=False)
    assert sum(text == one.text for text, one in zip(found, ours, strict=True)) >= 0.99 * len(texts)


def test_8_bits_change_hardly_a_translation(in_8_bits):
    """What the page says is then what `lessons translate` says of the weights as they are."""
    texts = [pair.source for pair in load_grammar(0, n_train=0, n_valid=0, n_test=300).test]
    for beam in (1, 4):
        pairs = [one.translate(texts, beam, attention=False) for one in (in_8_bits, load_course_translator("cpu"))]
        assert sum(a.text == b.text for a, b in zip(*pairs, strict=True)) >= 297


@pytest.mark.parametrize("length_penalty", [0, 0.6, 1, 2])
@pytest.mark.parametrize("beam", [2, 5])
def test_beams_and_length_penalty_are_the_librarys(engine, tmp_path, beam, length_penalty):
    data = file_of(tmp_path, toy_translator().model, toy_translator().tokenizer)
    model, tokenizer = read_web_model(data)
    engine.load(data)
    for pair in toy_corpus().test[:6]:
        source = [*tokenizer.encode(pair.source), 2]
        found = engine.evaluate(
            "([source, beam, alpha]) => run(source, beam, alpha).map(({ tokens, score }) => [tokens, score])",
            [source, beam, length_penalty],
        )
        (expected,) = n_best(model, torch.tensor([source]), beam, float(length_penalty))
        assert [tokens for tokens, _ in found] == [one.tokens for one in expected]
        assert [score for _, score in found] == pytest.approx([one.log_probability for one in expected], abs=1e-3)


def test_a_translation_that_does_not_end_is_cut_off_where_the_librarys_is(engine, tmp_path):
    model, tokenizer = toy_model()
    model.embedding.weight.data[2] = 0  # </s> is never the likeliest
    data = file_of(tmp_path, model, tokenizer)
    model, _ = read_web_model(data)
    for source in ([5, 2], [*range(3, 25), 2]):
        for beam in (1, 3):
            ((expected, *_),) = n_best(model, torch.tensor([source]), beam)
            tokens = engine.load(data).evaluate("([source, beam]) => run(source, beam)[0].tokens", [source, beam])
            assert tokens == expected.tokens
            assert len(tokens) == min(24, 2 * len(source) + 10)


# --- text ------------------------------------------------------------------------------------------------------------

ENCODE = "(texts) => texts.map((text) => tokenizer.encode(text))"
DECODE = "(rows) => rows.map((ids) => tokenizer.decode(ids))"
TRICKS = [
    "Qu'est-ce que l'homme n’a pas dit, aujourd'hui ?  « Rien », 12,5 % !",
    "<s> a </s> <pad> <0x41> ▁ ▁▁ lead trail  a\tb\nc\u00a0d\u2003e\u3000f\x1c\x85\ufeff",
    "日本 👩‍🚀 é e\u0301 ǆ ﬁ 𝔘nicode ½ Ⅷ ²",
    "woman's doesn't it'll they'd 'tis 's's x'S l’eau l''eau 'd'été_ 's\u0301 ab's9 i'm_",
    "",
    " ",
]


def random_texts(count: int, seed: int = 0) -> list[str]:
    """Of letters that Unicode has long had, and of those that the pattern looks at, mixed."""
    rng = random.Random(seed)
    known = [chr(i) for i in range(1, 0x20000) if unicodedata.category(chr(i)) not in ("Cn", "Cs", "Co")]
    special = [*"'’sStmdlrevé ,.-_019\t\n", " ", " ", "\u00a0", "\u0301", "s'", "'s", "n't", " the", "cat"]
    draw = lambda: rng.choice(special) if rng.random() < 0.7 else rng.choice(known)  # noqa: E731
    return ["".join(draw() for _ in range(rng.randrange(1, 30))) for _ in range(count)]


@pytest.fixture(scope="module")
def corpus():
    return load_grammar(0)


def test_tokens_of_every_sentence_of_the_corpus(course, in_8_bits, corpus):
    texts = [text for pair in (*corpus.train, *corpus.valid, *corpus.test) for text in pair[:2]]
    assert len(texts) == 43_000
    lines = course.evaluate(
        "(texts) => texts.split('\\n').map((text) => tokenizer.encode(text).join(' ')).join('\\n')", "\n".join(texts)
    )
    assert [[int(one) for one in line.split()] for line in lines.split("\n")] == in_8_bits.tokenizer.encode_all(texts)


def test_tokens_of_random_unicode_and_back(course, in_8_bits):
    texts = [*TRICKS, *random_texts(3_000)]
    ids = in_8_bits.tokenizer.encode_all(texts)
    assert course.evaluate(ENCODE, texts) == ids
    assert course.evaluate(DECODE, ids) == texts


def test_bytes_that_make_no_letter_and_special_tokens_decode_as_the_librarys(course, in_8_bits):
    rng = random.Random(0)
    rows = [[rng.choice([0, 1, 2, *range(120, 259), 400, 1000]) for _ in range(8)] for _ in range(500)]
    assert course.evaluate(DECODE, rows) == [in_8_bits.tokenizer.decode(row) for row in rows]


def test_words_of_pieces_are_the_librarys(course, in_8_bits):
    texts = [*TRICKS, *random_texts(500, seed=1)]
    rows = [[*ids, 2] for ids in in_8_bits.tokenizer.encode_all(texts)]
    found = course.evaluate("(rows) => rows.map((ids) => tokenizer.wordsOf(ids))", rows)
    assert [one["of"] for one in found] == [in_8_bits.tokenizer.word_ids(row) for row in rows]
    assert [one["words"] for one in found] == [split_words(text) for text in texts]


def test_the_file_knows_the_words_of_its_training(corpus):
    words = seen_words(pair.source for pair in corpus.train)
    assert stored_words(FOLDER) == words == read_web_file(course_web_model())[0]["words"]


def test_words_never_seen_are_named_and_no_others(course, corpus):
    texts = [pair.source for pair in corpus.train[::10]]
    unseen = "(texts) => texts.map((text) => tokenizer.unseen(text))"
    assert course.evaluate(unseen, texts) == [[]] * len(texts)
    found = course.evaluate(unseen, ["The CATS see a zebra, don't they? 🚀 zebra"])[0]
    assert found == [
        {"unit": "CATS", "seen": "cats"},
        {"unit": "zebra", "seen": None},
        {"unit": "🚀", "seen": None},
    ]


def test_attention_between_words_is_the_librarys(browser, in_8_bits):
    page = WidgetPage(browser.new_page(), TranslatorWidget(["The cat."]))
    (one,) = in_8_bits.translate(["The old woman's uncle doesn't see the zebra 🚀."])
    rows = one.cross_attention[1]  # (H, T, S)
    n_source, n_target = len(one.source.split()), len(one.text.split())
    found = page.evaluate(
        "([rows, ...rest]) => module.wordWeights(rows, ...rest)",
        [rows.mean(0).tolist(), one.source_words, one.target_words, n_source, n_target],
    )
    assert torch.tensor(found).numpy() == pytest.approx(
        word_weights(rows.mean(0), one.source_words, one.target_words), abs=1e-5
    )
    mean = page.evaluate("(heads) => module.meanOfHeads(heads)", rows[:, 0].tolist())
    assert mean == pytest.approx(rows[:, 0].mean(0), abs=1e-5)


# --- files that are none ---------------------------------------------------------------------------------------------


def broken() -> list[tuple[bytes, str]]:
    whole = course_web_model()
    header = whole.index(b'"bytes"')
    return [
        (b"", "not a file that `lessons export-web` wrote"),
        (b"\x89PNG" + bytes(2000), "not a file that `lessons export-web` wrote"),
        (whole[:9], "not a file that"),
        (whole[:12], "not a file that"),
        (whole[:500], "cut off"),
        (whole[:-1], "cut off: 1 bytes are missing"),
        (whole[:8] + b"\2" + whole[9:], "of version 2, and this page reads version 1. Read it with a newer edition"),
        (whole[:8] + b"\0" + whole[9:], "of version 0, and this page reads version 1. Export the model again"),
        (whole[:16] + b"?" + whole[17:], "damaged: its header cannot be read"),
        (whole[: header + 9] + b"0" + whole[header + 10 :], "damaged"),
        (whole.replace(b'"floats":0', b'"floats":1', 1), "damaged"),
    ]


def test_a_file_that_cannot_be_read_says_why(engine):
    for data, message in broken():
        with pytest.raises(Exception, match=re.escape(message)):
            engine.load(data)
