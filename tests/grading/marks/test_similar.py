"""Answers that are alike: copies are found, and what the course explains is not."""

import re
import textwrap
import time

import pytest
from a_class import exercise, learner

from lessons_lib.grading.marks.fingerprints import LONGEST, WINDOW, K, grams, winnow, words
from lessons_lib.grading.marks.similar import FEWEST, SHARE, of_the_course, own_fingerprints, similar
from lessons_lib.grading.reference import cut, folder, solutions

# The same question answered by two people who never met.
HERS = '''
import torch


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    """Keep the best `beam` beginnings."""
    hypotheses = [([], 0.0)]  # words, and the sum of their logarithms
    finished = []
    for _ in range(max_length):
        grown = []
        for words, score in hypotheses:
            row = next_log_probabilities(words)
            values, places = torch.topk(row, min(2 * beam, len(row)))
            for value, place in zip(values.tolist(), places.tolist()):
                grown.append((words + [place], score + value))
        grown.sort(key=lambda pair: pair[1], reverse=True)
        hypotheses = []
        for words, score in grown[:beam]:
            if words[-1] == eos_id:
                finished.append((score / len(words) ** length_penalty, words))
            else:
                hypotheses.append((words, score))
        if not hypotheses:
            break
    finished += [(score / len(words) ** length_penalty, words) for words, score in hypotheses]
    return max(finished)[1]
'''
HIS = """
class Beam:
    def __init__(self, score, tokens):
        self.score = score
        self.tokens = tokens

    def norm(self, p):
        return self.score / (max(len(self.tokens), 1) ** p)


def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):
    live, done, step = [Beam(0.0, ())], [], 0
    while live and step < max_length:
        step += 1
        options = []
        for b in live:
            lp = next_log_probabilities(list(b.tokens))
            options.extend(Beam(b.score + float(lp[t]), b.tokens + (t,)) for t in range(lp.shape[0]))
        options = sorted(options, key=lambda b: -b.score)[:beam]
        done.extend(filter(lambda b: b.tokens[-1] == eos_id, options))
        live = [b for b in options if b.tokens[-1] != eos_id]
    best = None
    for b in done + live:
        if best is None or b.norm(length_penalty) > best.norm(length_penalty):
            best = b
    return list(best.tokens)
"""
RENAMED = {
    "hypotheses": "live",
    "finished": "done",
    "grown": "cands",
    "words": "seq",
    "score": "s",
    "row": "lp",
    "values": "vs",
    "places": "ix",
    "value": "v",
    "place": "i",
    "pair": "x",
}


def copied(text: str) -> str:
    """As somebody hides it: other names, other comments, no docstring, annotations, another layout and alias."""
    for old, new in RENAMED.items():
        text = re.sub(rf"\b{old}\b", new, text)
    text = re.sub(r'    """.*"""\n', "", text).replace("import torch", "import torch as T").replace("torch.", "T.")
    text = text.replace("done = []", "done: list = []").replace("max_length,", "max_length: int,", 1)
    return text.replace("    ", "  ").replace("in range", "in  range") + "# my own work\n"


def of(*answers: str, question: str = "q2"):
    return [
        learner(f"l{i}", exercise("12_translation", 3, 3, 3, answers={question: text}))
        for i, text in enumerate(answers)
    ]


def test_a_copy_with_other_names_is_found():
    assert copied(HERS) != HERS
    assert words(copied(HERS)) == words(HERS)
    (pair,) = similar(of(HERS, HIS, copied(HERS)))
    assert (pair.first.key, pair.second.key, pair.lesson, pair.questions) == ("l0", "l2", "12_translation", ("q2",))
    assert pair.shared == pair.of >= FEWEST
    assert pair.texts == (HERS, copied(HERS))


def test_a_copy_with_a_line_changed_and_a_part_added_is_found():
    changed = copied(HERS).replace("2 * beam", "beam + 1") + "\n\ndef helper(x):\n    return [x, x + 1, x * 2 - 7]\n"
    (pair,) = similar(of(HERS, changed))
    assert SHARE <= pair.shared / pair.of < 1


def test_two_who_never_met_are_not():
    assert similar(of(HERS, HIS)) == []
    assert min(len(own_fingerprints(text)) for text in (HERS, HIS)) >= FEWEST


def test_half_an_answer_in_common_is_below_the_threshold():
    """In whoever has fewer fingerprints: the loop is hers, what comes before and after is his own."""
    begin = "def beam_search(next_log_probabilities, eos_id, max_length, beam, length_penalty):\n"
    his_own = "".join(f"    a{i} = beam.{c}(eos_id, {i})[max_length : {i}]\n" for i, c in enumerate("abcdefghijklm"))
    loop = textwrap.dedent(HERS.partition("grown = []\n")[2].partition("        hypotheses = []")[0])
    half = begin + his_own + textwrap.indent(loop, "    ")
    hers, his = map(own_fingerprints, (HERS, half))
    shared = len(hers & his)
    assert FEWEST <= shared < SHARE * min(len(hers), len(his))
    assert similar(of(HERS, half)) == []


def test_those_with_most_in_common_come_first():
    pairs = similar(of(HIS, HIS + "\n", HERS, HERS + "\n"))
    shared = [pair.shared for pair in pairs]
    assert shared == sorted(shared, reverse=True)
    assert shared[0] > shared[1]
    assert [pair.first.key for pair in pairs] == ["l0", "l2"] or [pair.first.key for pair in pairs] == ["l2", "l0"]
    three = similar(of(HERS, HERS, HERS))
    assert [(pair.first.key, pair.second.key) for pair in three] == [("l0", "l1"), ("l0", "l2"), ("l1", "l2")]


def test_solutions_are_explained_by_the_course():
    whole = "\n\n\n".join(solutions().values())
    for text in (*solutions().values(), whole):
        renamed = re.sub(r"\bscores\b", "s", text)
        assert len(own_fingerprints(text)) < FEWEST
        assert similar(of(text, renamed)) == []


def test_untouched_exercises_are_explained_by_the_course():
    for path in sorted(folder().glob("[0-9][0-9]_*.py")):
        parts = cut(path.read_text("utf8"))
        skeleton = "\n\n\n".join(text for kind, _, text in parts if kind in ("setup", "answer"))
        assert "NotImplementedError" in skeleton
        assert similar(of(skeleton, skeleton)) == []


def test_short_answers_say_nothing():
    text = "def causal_mask(n):\n    return ~torch.ones(n, n).triu(1).bool()\n"
    assert similar(of(text, text)) == []


def test_one_text_for_two_questions_is_one_pair():
    people = [
        learner(key, exercise("12_translation", 3, 3, 3, answers={"q1": HIS, "q2": HERS, "q3": HERS}))
        for key in ("ana", "ben")
    ]
    assert [pair.questions for pair in similar(people)] == [("q1",), ("q2", "q3")]


def test_different_questions_and_missing_answers_are_not_compared():
    (ana,), (ben,) = of(HERS), of(HERS, question="q3")
    assert similar([ana, ben, learner("cem", exercise("12_translation", None, None, None))]) == []


@pytest.mark.parametrize(
    "text", ["def f(:", "\0", "", "x = " + "(" * 5_000, "f'{x!r:>{w}}'\n", "a = b'x'\n", HERS + "#" * LONGEST]
)
def test_any_text_is_survived(text):
    assert len(own_fingerprints(text)) < FEWEST
    assert similar(of(text, text)) == []


def test_winnowing_keeps_its_promise():
    """Schleimer et al., section 3: a run of K + WINDOW - 1 words in common is always found, one below K never."""
    common = [f"c{i}" for i in range(K + WINDOW - 1)]
    for before in range(30):
        one = [f"a{i}" for i in range(before)] + common + [f"a{i}" for i in range(50)]
        two = [f"b{i}" for i in range(30 - before)] + common + [f"b{i}" for i in range(40)]
        assert winnow(grams(one)) & winnow(grams(two))
    short = common[: K - 1]
    assert not set(grams(["a", *short, "b"])) & set(grams(["c", *short, "d"]))


def test_fingerprints_are_the_same_everywhere():
    assert grams(["a"] * K) == [grams(["a"] * K + ["b"])[0]]
    assert grams(["a"] * K) == [10799847083995103699]
    assert winnow([]) == set()
    assert winnow([5, 3]) == {3}
    assert winnow([9, 8, 7, 6, 5, 1]) == {5, 1}


def test_names_that_matter_stay():
    softmax = words("def f(x):\n    y = x.softmax(-1)\n    return y\n")
    assert softmax == words("def g(a):\n    b = a.softmax(-1)\n    return b\n")
    assert softmax == [["def v", "v", "Assign", "v", "Call", ".softmax", "v", "UnaryOp", "USub", "1", "Return", "v"]]
    assert softmax != words("def f(x):\n    y = x.sigmoid(-1)\n    return y\n")
    assert words("def split_heads(x):\n    return x\n", kept={"split_heads"})[0][0] == "def split_heads"


def test_attributes_of_its_own_are_names():
    one = "class A(Module):\n    def forward(self, x):\n        self.rate = x\n        return self.rate.relu()\n"
    assert words(one) == words(one.replace("rate", "speed"))
    assert ".relu" in words(one)[0]
    assert words(one) != words(one.replace("relu", "tanh"))


def test_an_alias_hides_nothing_and_a_helper_is_a_name():
    one = "import torch.nn.functional as F\ndef helper(x):\n    return F.relu(x)\ndef f(x):\n    return helper(x)\n"
    two = "from torch.nn import functional\ndef aid(y):\n    return functional.relu(y)\ndef f(y):\n    return aid(y)\n"
    assert words(one) == words(two)


def test_a_hundred_learners_take_seconds():
    """13 long answers each; half of the class has one text: 1225 pairs a question."""
    of_the_course()
    people = []
    for i in range(100):
        own = HERS if i % 2 else HERS.replace("2 * beam", " + ".join(f"{i} * {n}" for n in range(20)))
        exercises = [exercise(f"{n:02}_x", 3, answers={"q1": f"{own}\nx = {n}\n"}) for n in range(1, 14)]
        people.append(learner(f"l{i}", *exercises))
    begin = time.process_time()
    pairs = similar(people)
    assert time.process_time() - begin < 20  # seconds; 2.5 on the machine that this was written on
    assert len(pairs) >= 13 * 1225
