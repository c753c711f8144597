"""Numbers that the pages say about the corpus are those of the corpus."""

import dataclasses
import gzip
import inspect
import json
import re
import shlex

from lessons_lib import sizes
from lessons_lib.cli import COMMANDS, build_parser
from lessons_lib.prose import says
from lessons_lib.transformer import Transformer, TransformerConfig
from lessons_lib.translation.course_model import FOLDER, course_web_model, load_course_translator
from lessons_lib.translation.data.corpus import load_grammar
from lessons_lib.translation.data.language import adjectives, nouns, verbs
from lessons_lib.translation.search.model_folder import read_card
from lessons_lib.translation.training.presets import PRESETS
from lessons_lib.verification.published import TABLE
from lessons_lib.widgets import TranslatorWidget
from tools.course_model import SETTINGS, WORDS
from tools.lesson_files import ROOT


def page(name: str) -> str:
    return (ROOT / "book" / name).read_text("utf8")


def stands(name: str, sentence: str, *measured: float) -> None:
    assert sentence in re.sub(r"\s+", " ", page(name)), f"{name} does not say {sentence!r}"
    says(sentence, *map(float, measured), slack=0.0)


def test_words_of_the_embedded_corpus():
    lexicons = [len(module.LEXICON) for module in (nouns, verbs, adjectives)]
    stands("translators.md", "340 nouns, 120 verbs and 104 adjectives", *lexicons)
    train = load_grammar(seed=0, n_valid=0, n_test=0).train
    english, french = (
        len({word for pair in train for word in re.findall(r"[\w-]+", text(pair).lower())})
        for text in (lambda pair: pair.source, lambda pair: pair.target)
    )
    stands(
        "translators.md",
        "20,000 training pairs have 1,422 different words of English, and 2,537 of French",
        len(train),
        english,
        french,
    )


def test_presets_have_the_parameters_of_their_table():
    for name, preset in PRESETS.items():
        shape = {key: value for key, value in preset.items() if key in TransformerConfig.__dataclass_fields__}
        count = sizes.count_parameters(TransformerConfig(**shape)) / 1e6
        assert re.search(rf"^\| `{name}` \|.*\| {count:.1f} million \|", page("translators.md"), re.MULTILINE)


def test_the_score_of_the_courses_own_translator():
    card = read_card(FOLDER)
    stands("translators.md", "97.9 with greedy search after 9 minutes", card["scores"]["bleu"], card["minutes"])
    options = (f"--{name.replace('_', '-')} {value}" for name, value in SETTINGS.items())
    assert f"`{' '.join(options)}`" in page("translators.md")
    with (FOLDER / WORDS).open(encoding="utf8") as words:
        stands("translator.md", "1,455 words and signs of English", len(json.load(words)))


def test_the_size_of_the_live_translator():
    parameters = list(load_course_translator("cpu").model.parameters())
    floats = sum(x.nbytes for x in parameters)
    whole = sum(x.nbytes // 4 + 4 * len(x) if x.dim() == 2 else x.nbytes for x in parameters)  # a scale for each row
    written = (whole / 1e6, floats / 1e6, len(course_web_model()) / 1e6)
    stands("translator.md", "1.2 MB instead of 4.7; with the tokenizer the file has 1.3", *written)
    engine, view = (gzip.compress(text.encode(), 9) for text in str(TranslatorWidget._esm).split("\n", 1))
    assert "Packed, the page holds under 9 kB of it, and under 15 kB come with the weights" in page("translator.md")
    assert len(view) < 9_000
    assert len(engine) < 15_000


def test_parts_are_kept_in_the_cell_behind_the_last_check():
    assert "The cell behind the last check, `check.keep()`" in page("how_to_use.md")
    for source in sorted((ROOT / "solutions").glob("[0-9]*.py")):
        kinds = re.findall(r"^# %% (check|keep)\b", source.read_text("utf8"), re.MULTILINE)
        assert kinds[-2:] == ["check", "keep"], source.name


def test_how_far_off_six_n_d_is():
    config = dataclasses.replace(sizes.presets()["Llama 3 8B"].config, max_length=131_072)
    short, long = (
        6 * sizes.count_parameters(config) * length / sizes.training_flops(config, 1, tgt_length=length)
        for length in (32, 131_072)
    )
    told = "with all parameters, for Llama 3 8B from 7 % too much to a fifth of what is computed"
    stands("claims.md", told, 3, 100 * (short - 1))
    assert round(1 / long) == 5


def test_how_long_the_lessons_take_to_verify():
    seconds = [row["seconds"] for row in json.loads(TABLE.read_text("utf8"))["lessons"].values()]
    spans = [sum(seconds[first:end]) / 60 for first, end in ((1, 9), (0, 14), (12, 14))]
    stands(
        "teaching.md",
        "the lessons 1 to 8 took 3.9 minutes, all fourteen 9.9, of which lessons 12 and 13 took 3.2",
        *(1, 8, *spans[:2], 12, 13, spans[2]),
    )


def test_every_file_that_a_page_names_exists():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    pages += [page for folder in ("book", "notebooks", "solutions") for page in (ROOT / folder).glob("*.[mp][dy]")]
    folders = "lessons_lib|tests|tools|book|notebooks|solutions|exercises|benchmarks|findings"
    gone = {
        (page.name, name)
        for page in pages
        for name in re.findall(rf"`((?:{folders})/[\w./-]+)`", page.read_text("utf8"))
        if not (re.search("NN|NAME", name) or (ROOT / name).exists())
    }
    assert gone == set()


def command_lines(text: str) -> list[str]:
    """The lines that call `lessons`, in blocks or in the text, each without its continuation, comment and pipe."""
    joined = re.sub(r"\\\n\s*", " ", text)
    found = re.findall(
        r"(?:^|[`$|]\s*|# )(?:\.venv/bin/)?lessons ([a-z-]+ +(?:[\w./]+ +)?-[^`|<>\n]*)", joined, re.MULTILINE
    )
    return [re.sub(r"\s+#.*", "", line) for line in found]


def test_every_command_line_of_the_pages_is_understood():
    pages = [*(ROOT / "book").glob("*.md"), ROOT / "README.md", *(ROOT / "notebooks").glob("*.py")]
    lines = [line for page in pages for line in command_lines(page.read_text("utf8"))]
    assert {line.split()[0] for line in lines} == COMMANDS.keys()
    for line in lines:
        build_parser().parse_args(shlex.split(line))


def test_every_option_that_the_page_of_commands_names_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (ROOT / "book" / "translators.md").read_text("utf8")))
    known = {flag for action in build_parser()._actions for flag in options(action)}
    assert named - known == {"--nproc-per-node"}  # of torchrun


def options(action) -> set[str]:
    """The flags of an action, and of the commands that it may begin."""
    commands = action.choices.values() if isinstance(action.choices, dict) else ()
    return {*action.option_strings, *(flag for command in commands for flag in command._option_string_actions)}


def test_no_entry_of_the_glossary_says_a_thing_twice():
    entries = re.split(r"\n\n(?=\S)", (ROOT / "book" / "glossary.md").read_text("utf8"))
    for entry in entries:
        begins = [" ".join(sentence.split()[:3]) for sentence in re.split(r"\.\s+|\n {2}(?=[A-Z])", entry)]
        assert len(begins) == len(set(begins)), f"{entry.splitlines()[0]} begins two sentences alike"


def test_the_model_gives_its_attention_when_asked_as_lesson_5_says():
    text = (ROOT / "notebooks" / "05_encoder_decoder.py").read_text("utf8")
    (argument,) = re.findall(r"`(\w+)=True` gives the attention of every layer", text)
    assert argument in inspect.signature(Transformer.forward).parameters
