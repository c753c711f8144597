"""The checks of exercise 13: the references are sacreBLEU's and the library's, and each mistake is told by its name."""

import copy
import json

import numpy as np
import pytest
import sacrebleu
import torch
from answers import right_text
from safetensors.torch import save_file

from lessons_lib.grading import final_report as capstone
from lessons_lib.grading import parts
from lessons_lib.grading.arrays import encode
from lessons_lib.grading.judge.step import Cases
from lessons_lib.grading.judge.verdict import judge as judged
from lessons_lib.grading.lesson_13 import drive, judge, mistakes
from lessons_lib.grading.lesson_13 import mistakes_links as linked
from lessons_lib.translation.course_model import load_course_translator
from lessons_lib.translation.data.pharaoh import gold_of
from lessons_lib.translation.evaluation import alignment
from lessons_lib.translation.evaluation.bleu import words
from lessons_lib.translation.evaluation.scoring import compare
from lessons_lib.translation.search.model_folder import save_model

SEEDS = range(8)


def verdict(question, seed, *answers):
    """What the learner is told, for functions of our own (which `run` would refuse)."""
    inputs = drive.QUESTIONS[question].make(seed)
    arrays = drive.QUESTIONS[question].drive(answers if len(answers) > 1 else answers[0], inputs)
    return judged(judge.STEPS[question], inputs, encode(arrays))


def hint(question, seed, *answers):
    return verdict(question, seed, *answers).hint


@pytest.mark.parametrize("seed", range(20))
def test_bleu_is_sacrebleus_and_the_error_rate_the_librarys(seed):
    for translations, references in (case.values() for case in drive.bleu_cases(drive.make_sentences(seed)).values()):
        texts = [[" ".join(words) for words in side] for side in (translations, references)]
        expected = sacrebleu.corpus_bleu(texts[0], [texts[1]], tokenize="none", smooth_method="none")
        assert mistakes.bleu(translations, references) == pytest.approx(expected.score, abs=1e-9)
    for found, sure, possible in (case.values() for case in drive.rate_cases(drive.make_alignments(seed)).values()):
        expected = alignment.alignment_error_rate(found, sure, possible)
        assert linked.error_rate(found, sure, possible) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_inputs_say_something(seed):
    cases = drive.bleu_cases(drive.make_sentences(seed))
    words = {name: [sum(map(len, side)) for side in case.values()] for name, case in cases.items()}
    assert words["longer"][0] > words["longer"][1]
    assert words["shorter"][0] < words["shorter"][1]
    assert mistakes.bleu(*cases["equal"].values()) == pytest.approx(100)
    assert [mistakes.bleu(*cases[name].values()) for name in ("no_match", "two_words", "nothing")] == [0, 0, 0]
    assert 20 < mistakes.bleu(*cases["longer"].values()) < 95
    alignments = drive.make_alignments(seed)
    weights = alignments["weights"].mean(axis=0)
    assert (weights[:-1].argmax(axis=1) == weights.shape[1] - 1).any()  # </s> has the largest weight somewhere
    rates = drive.rate_cases(alignments)
    assert linked.error_rate(*rates["perfect"].values()) == 0
    assert linked.error_rate(*rates["none"].values()) == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("sentence", "version"), mistakes.WRONG_BLEUS, ids=lambda value: value[:30] if isinstance(value, str) else "version"
)
def test_each_mistake_in_bleu_is_told(sentence, version, seed):
    assert hint("q1", seed, version) == sentence


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("sentence", "version"),
    linked.WRONG_LINKS,
    ids=lambda value: value[:30] if isinstance(value, str) else "version",
)
def test_each_mistake_in_links_is_told(sentence, version, seed):
    assert hint("q2", seed, version, linked.error_rate) == sentence


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("sentence", "version"),
    linked.WRONG_RATES,
    ids=lambda value: value[:30] if isinstance(value, str) else "version",
)
def test_each_mistake_in_the_error_rate_is_told(sentence, version, seed):
    assert hint("q2", seed, linked.links, version) == sentence


def test_the_test_set_of_the_report_is_held_out_and_its_references_can_be_exchanged():
    inputs = drive.make_test_set(3)
    pairs = drive.pairs_of(inputs)
    assert len(pairs) == 30
    assert len({pair.source for pair in pairs}) == 30
    other = drive.exchanged(pairs)
    assert [pair.source for pair in other] == [pair.source for pair in pairs[: len(other)]]
    assert all(mine.target != theirs.target for mine, theirs in zip(other, pairs, strict=False))
    assert [pair.target for pair in other] == [pair.target for pair in [*pairs[1:12], pairs[0]]]
    assert (drive.make_test_set(4)["known"] != inputs["known"]).any()


def worse(noise):
    """The course's translator with noise on its weights."""
    translator = copy.deepcopy(load_course_translator("cpu"))
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in translator.model.parameters():
            weights += noise * weights.std(correction=0) * torch.randn_like(weights)
    return translator


def test_where_nothing_matches_a_report_may_have_the_bleu_of_q1_which_is_not_smoothed(monkeypatch):
    monkeypatch.setattr(drive, "find_translator", lambda: (worse(1.5), "theirs"))
    code = {}
    exec(right_text("13_evaluating_translation", "plain_capstone"), code)
    code["bleu"] = lambda found, due: mistakes.bleu(*([words(text) for text in side] for side in (found, due)))
    found = code["capstone"](worse(1.5), drive.pairs_of(drive.make_test_set(0)))
    assert found["bleu_greedy"] == 0
    assert hint("q3", 0, code["capstone"]).startswith("The report's 'greedy' has BLEU 0.")


@pytest.mark.parametrize("noise", [0.8, 1.5])  # it aligns still; it does not
def test_a_right_report_on_a_bad_translator_lacks_the_translators_point_alone(noise, monkeypatch):
    monkeypatch.setattr(drive, "find_translator", lambda: (worse(noise), "theirs"))
    plain = right_text("13_evaluating_translation", "plain_capstone")
    every, code = sum(step.points for step in judge.STEPS["q3"]), {}
    exec(plain, code)
    found = verdict("q3", 0, code["capstone"])
    assert found.hint.startswith("The report's 'greedy' has BLEU ")
    assert found.hint.endswith("more than 15 is asked for: train longer (exercise 12).")
    assert sum(step.points for step in judge.STEPS["q3"][: found.passed]) == every - 1
    for old, new, said in (
        ("    report = {}", "    sources = sorted(sources)\n    report = {}", "in another order than the pairs"),
        (" alignment_error_rate(f", " 1 - alignment_error_rate(f", "aer "),
    ):
        assert plain.count(old) == 1
        exec(plain.replace(old, new), code)
        assert said in hint("q3", 0, code["capstone"])


def test_a_translator_that_mostly_says_the_same_is_no_report_made_of_the_references():
    inputs = drive.make_test_set(0)
    texts = ["il dort", "il dort", "il dort", "elle dort"] * 8
    arrays = {f"{case}.{name}": drive._bytes("\n".join(texts[:n]))
              for case, n in (("report", 30), ("exchanged", 12)) for name in drive.SYSTEMS}  # fmt: skip
    read = [" ".join(pair.source.split()) for pair in drive.pairs_of(inputs)]
    arrays |= {"watched.read": drive._bytes("\n".join(read))}
    arrays |= {f"watched.found_{beam}": arrays["report.greedy"] for beam in (1, 4)}
    assert judge.from_sources(inputs, Cases(arrays)) is None
    moved = drive._bytes("\n".join([*texts[1:12], "oui"]))
    other = drive._bytes("\n".join(f"le chat {n}" for n in range(30)))
    again = drive._bytes("\n".join(f"le chat {n}" for n in range(1, 13)))
    assert judge.from_sources(inputs, Cases(arrays | {"exchanged.greedy": moved})) is None
    made_of = judge.from_sources(inputs, Cases(arrays | {"report.greedy": other, "exchanged.greedy": again}))
    assert "is made of the references" in made_of


def test_the_clock_beside_the_search_leaves_warming_up_out():
    watched = drive.Watched(load_course_translator("cpu"))
    sources = ["the cat sleeps", "the dog eats"]
    watched.translator.translate("Warm up.", beam=2)
    watched.translator.translate(sources[:1])
    watched.translator.translate(sources)
    for text in sources:
        watched.translator.translate([text], beam=4)
    took = [seconds for *_, seconds in watched.calls]
    assert watched.seconds(sources) == {1: took[2], 4: took[3] + took[4]}


def test_the_judges_bootstrap_is_that_of_the_lesson():
    references = [pair.target for pair in drive.pairs_of(drive.make_test_set(0))]
    worse = [text.rsplit(" ", 1)[0] if i % 2 else text for i, text in enumerate(references)]
    clear, none = (judge._two_sided({"greedy": a, "beam": references}, references) for a in (worse, references))
    assert clear < 0.05
    assert none == 1
    assert compare(worse, references, references).p < 0.05


def test_the_steps_of_the_decoder_are_the_librarys_rows_and_columns():
    translator = load_course_translator("cpu")
    pairs = drive.pairs_of(drive.make_test_set(0))[:10]
    tables = alignment.word_tables(translator.model, translator.tokenizer, pairs)
    for pair, steps, table in zip(pairs, capstone.decoder_steps(translator, pairs), tables, strict=True):
        assert steps.shape == (4, len(pair.target.split()) + 1, len(pair.source.split()) + 1)
        np.testing.assert_allclose(steps[:, :-1, :-1], table[-1], atol=1e-6)
        np.testing.assert_allclose(steps.sum(axis=-1), 1, atol=1e-5)
    rate = alignment.score_links([linked.links(s) for s in capstone.decoder_steps(translator, pairs)], gold_of(pairs))
    assert rate.aer < 0.2


def test_the_learners_translator_is_found_and_named(tmp_path):
    translator = load_course_translator("cpu")
    ours, whose = capstone.find_translator([tmp_path / "nothing"], "cpu")
    assert "yours was not found" in whose
    save_model(tmp_path, translator.model, translator.tokenizer)
    mine, whose = capstone.find_translator([tmp_path / "nothing", tmp_path], "cpu")
    assert whose == f"your own translator, from {tmp_path.as_posix()}"
    assert mine.translate(["the cats sleep"])[0].text == ours.translate(["the cats sleep"])[0].text


def saved_by_exercise_12(folder):
    """A model of the course's own parts, with random weights, in the files that exercise 12 writes."""
    sizes = {"vocab_size": 4000, "d_model": 16, "n_heads": 2, "d_ff": 24, "n_layers": 2}
    torch.manual_seed(0)
    model = parts.assemble("")["EncoderDecoder"](**sizes).eval()
    save_file({name: x.contiguous() for name, x in model.state_dict().items()}, folder / "model.safetensors")
    load_course_translator("cpu").tokenizer.save(folder / "tokenizer.json")
    (folder / "translator.json").write_text(json.dumps({"sizes": sizes, "steps": 1234}), "utf8")
    return model


def test_what_exercise_12_saved_computes_the_same_here(tmp_path):
    model = saved_by_exercise_12(tmp_path)
    mine, whose = capstone.find_translator([tmp_path], "cpu")
    assert whose == f"your own translator, from {tmp_path.as_posix()} (1,234 steps of training)"
    src, tgt = torch.randint(3, 4000, (3, 7)), torch.randint(3, 4000, (3, 9))
    src[1, 5:] = 0  # padding
    with torch.no_grad():
        torch.testing.assert_close(mine.model(src, tgt), model(src, tgt), rtol=0, atol=1e-5)
    changed = json.loads((tmp_path / "translator.json").read_text("utf8"))
    changed["sizes"]["d_ff"] = 32
    (tmp_path / "translator.json").write_text(json.dumps(changed), "utf8")
    with pytest.raises(ValueError, match=r"model.safetensors does not fit translator.json .* train again"):
        capstone.find_translator([tmp_path], "cpu")


def test_the_report_is_written_whole_or_not_at_all(tmp_path):
    pairs, translator = drive.pairs_of(drive.make_test_set(0)), load_course_translator("cpu")

    def unanswered(translator, pairs):
        raise NotImplementedError

    path = tmp_path / "runs" / "capstone.md"
    assert capstone.write_report(path, unanswered, translator, pairs, "x") == "No report yet: answer question 3 first."
    assert not path.parent.exists()
    numbers = {name: 1.5 for name in drive.NUMBERS} | {"p": 0.01}
    report = {"greedy": ["oui"] * 30, "beam": ["non"] * 30, "failures": {"name": 2, "other": 7}, **numbers}
    owners = {"LayerNorm": True, "bleu": False}
    said = capstone.write_report(path, lambda *given: report, translator, pairs, "your own, from a/b", owners)
    assert said == f"{path.as_posix()}: written, on 30 sentences."
    text = path.read_text("utf8")
    for line in (
        "Translator: your own, from a/b.",
        "| `LayerNorm` | yours |\n| `bleu` | the course |",
        "BLEU above 15: no.",
        "| other | 7 |\n| name | 2 |",
        "p = 0.010",
        "significant at 5 %. (Double sacreBLEU's p alone",
    ):
        assert line in text
    assert text.count("  - greedy: oui") == 10
    one_tail = capstone.report_text(report | {"p": 0.03}, pairs, "x", {})
    assert "not significant at 5 %" in one_tail  # as the lesson says: if sacreBLEU's p is 0.03, think 0.06
    assert [file.name for file in path.parent.iterdir()] == ["capstone.md"]
