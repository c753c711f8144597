"""Whatever a learner's code does, a check ends with a sentence."""

import ast
import dataclasses
import importlib
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lessons_lib import attention as library
from lessons_lib.grading import notebook
from lessons_lib.grading.arrays import encode, text_array
from lessons_lib.grading.drive.limits import TimeUp, time_limit, watch_calls
from lessons_lib.grading.drive.run import GRADING, LESSONS, TRUSTED, run
from lessons_lib.grading.errors import CheckError
from lessons_lib.grading.judge.verdict import Verdict, judge, steps
from lessons_lib.grading.lesson_01 import drive as drive_01
from lessons_lib.grading.notebook import Check, grade

NAME = "scaled_dot_product_attention"
RIGHT = """
import math
import torch
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights
"""


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """More seconds than a learner waits: the machine of the tests may be busy."""
    for name, question in list(drive_01.QUESTIONS.items()):
        monkeypatch.setitem(drive_01.QUESTIONS, name, dataclasses.replace(question, seconds=60.0))


def grade_code(code: str, question: str = "q1"):
    namespace = {"__name__": "__main__"}
    exec(compile(code, "<cell>", "exec"), namespace)
    return grade("01_self_attention", question, namespace)


def grade_returned(returned) -> str:
    """The hint for a function that returns always the same."""
    result = grade("01_self_attention", "q1", {NAME: lambda *inputs: returned})
    assert result.points == 0
    assert "\n" not in result.hint
    assert "unexpected form" not in result.hint
    return result.hint


class Sneaky:
    """Looks like an array to NumPy."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("never asked")


class Shy:
    def __getattr__(self, name):
        raise OSError(name)

    def __repr__(self):
        raise OSError("no")


class OwnTensor(torch.Tensor):
    pass


TWO = torch.zeros(2)
RETURNED = {
    "an object with __array__": ((Sneaky(), Sneaky()), "`output` is a {here}.Sneaky, not a torch"),
    "an object without a repr": (Shy(), "returns a {here}.Shy, not 2 tensors"),
    "numpy": ((np.zeros((5, 6)), np.zeros((5, 7))), "`output` is a numpy.ndarray, not a torch.Tensor"),
    "text": ("ab", "returns a str, not 2 tensors"),
    "a number": (3.5, "returns a float, not 2 tensors"),
    "none of two": ((TWO, None), "`weights` is a NoneType"),
    "a subclass of a tensor": ((TWO.as_subclass(OwnTensor), TWO), "OwnTensor, not a torch.Tensor"),
    "sparse": ((torch.zeros(5, 6).to_sparse(), TWO), "not an ordinary tensor"),
    "complex": ((torch.zeros(5, 6, dtype=torch.complex64), TWO), "not an ordinary tensor"),
    "meta": ((torch.zeros(5, 6, device="meta"), TWO), "not an ordinary tensor"),
    "larger than memory": ((torch.zeros(1).expand(10**6, 10**6), TWO), "more than 16 MiB"),
    "no numbers": ((torch.zeros(0), torch.zeros(0)), "`output` has the shape (0,)"),
    "a generator": ((x for x in (1, 2)), "returns a generator, not 2 tensors"),
    "bfloat16": ((TWO.bfloat16(), TWO.bfloat16()), "`output` has the shape (2,)"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_whatever_is_returned_gets_one_clear_line(name):
    returned, expected = RETURNED[name]
    assert expected.replace("{here}", __name__) in grade_returned(returned)


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
DTYPES = st.sampled_from([torch.float32, torch.float64, torch.int64, torch.bool, torch.bfloat16, torch.float16])
SHAPES = st.lists(st.integers(0, 8), max_size=5)
TENSORS = st.builds(lambda shape, dtype: torch.ones(shape, dtype=dtype), SHAPES, DTYPES)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.recursive(NUMBERS | TENSORS, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)))
def test_no_return_value_breaks_the_grader(returned):
    grade_returned(returned)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(DTYPES, st.sampled_from([0.0, 1.0, -3.0, float("nan"), float("inf"), float("-inf"), 1e30]))
def test_no_numbers_break_the_grader(dtype, number):
    def answer(query, key, value, mask=None):
        output = query[..., :1] * 0 + value.sum(dim=-2, keepdim=True)
        weights = query[..., :1] * 0 + key[..., 0].unsqueeze(-2)
        return torch.full_like(output, 0).add(number).to(dtype), torch.full_like(weights, 0).add(number).to(dtype)

    for question in ("q1", "q2"):
        result = grade("01_self_attention", question, {NAME: answer})
        assert result.points == 0
        assert "unexpected form" not in result.hint, result.hint


CODES = {
    "exit": ("def {name}(*x): exit()", "SystemExit on line 1"),
    "recursion": ("def {name}(*x): return {name}(*x)", "RecursionError on line 1"),
    "a message of many lines": ("def {name}(*x): raise ValueError('one.\\ntwo')", "ValueError on line 1: one"),
    "a message that fails": (
        "class E(Exception):\n  def __str__(self): raise OSError\ndef {name}(*x): raise E",
        "its message cannot be read",
    ),
    "async": ("async def {name}(*x): return 1", "returns a coroutine, not 2 tensors"),
    "a class": ("class {name}:\n  def __init__(self, *x): pass", "not 2 tensors"),
    "no parameters": ("def {name}(): return 1", "takes 0 positional arguments but 3 were given"),
    "untouched": ("def {name}(*x): raise NotImplementedError('write it')", "not answered yet: write it"),
    "a kind of NotImplementedError": (
        "class E(NotImplementedError): pass\ndef {name}(*x): raise E('later')",
        "E on line 2: later",
    ),
    "input": ("def {name}(*x): return input()", "on line 1"),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CODES)
def test_whatever_is_done_gets_one_clear_line(name):
    code, expected = CODES[name]
    result = grade_code(code.format(name=NAME))
    assert result.points == 0
    assert expected in result.hint


def test_changed_libraries_do_not_move_the_judge(monkeypatch):
    monkeypatch.setattr(torch, "softmax", lambda scores, dim: scores)
    monkeypatch.setattr(library, NAME, lambda *inputs: None)
    result = grade_code(RIGHT)
    assert result.points == 0
    assert "softmax is missing" in result.hint
    monkeypatch.undo()
    monkeypatch.setattr(library, NAME, lambda *inputs: None)
    assert grade_code(RIGHT).points == 3
    monkeypatch.setattr(torch, "from_numpy", lambda array: 1 / 0)
    assert "ZeroDivisionError" in grade_code(RIGHT).hint


def test_the_judges_reference_is_not_an_answer():
    code = (
        "import torch\nfrom lessons_lib.grading.judge.reference import attention\n"
        f"def {NAME}(*x): return tuple(map(torch.from_numpy, attention(*(t.detach().numpy() for t in x))))"
    )
    assert "the answer calls lessons_lib.grading.judge.reference.attention" in grade_code(code).hint


def test_results_learned_by_heart_fail_on_fresh_inputs():
    """An answer that knows everything about the inputs that never change."""
    known = {}
    right = {"__name__": "__main__"}
    exec(RIGHT, right)

    def recite(*tensors):
        key = tuple(tuple(t.flatten().tolist()) for t in tensors)
        return known[key](*tensors)

    def learn(*tensors):
        known[tuple(tuple(t.flatten().tolist()) for t in tensors)] = right[NAME]
        return right[NAME](*tensors)

    assert grade("01_self_attention", "q1", {NAME: learn}, seeds=(0, 1)).points == 3
    assert grade("01_self_attention", "q1", {NAME: recite}, seeds=(0, 1)).points == 3
    result = grade("01_self_attention", "q1", {NAME: recite})
    assert result.points == 0
    assert "is a result or a size written into the code?" in result.hint


def test_random_state_and_output_are_the_learners_own(capsys):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    grade_code("import torch\ndef " + NAME + "(*x):\n  print('noise'); torch.rand(9)")
    assert torch.equal(torch.rand(3), expected)
    assert capsys.readouterr() == ("", "")


def swallow_alarms_until(end: float) -> None:
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            if time.monotonic() > end:
                raise


def test_the_time_limit_interrupts_and_gives_the_old_alarm_back():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(time.monotonic()))
    outer = signal.setitimer(signal.ITIMER_REAL, 0.6)
    begin = time.monotonic()
    try:
        with pytest.raises(TimeUp), time_limit(0.1):
            swallow_alarms_until(begin + 0.35)
        while not rang and time.monotonic() - begin < 30:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, before)
    assert 0.5 < rang[0] - begin < 30


def test_outside_the_main_thread_there_is_no_limit_but_a_result():
    results = []
    thread = threading.Thread(target=lambda: results.append(grade_code(RIGHT)))
    thread.start()
    thread.join(30)
    assert results[0].points == 3


def test_watching_calls_restores_what_watched_before():
    seen = []
    sys.setprofile(lambda *event: seen.append(event))
    try:
        with watch_calls(("lessons_lib.attention",)) as called:
            library.check_heads(4, 2)
        watching = sys.getprofile()
    finally:
        sys.setprofile(None)
    assert "lessons_lib.attention.check_heads" in called
    assert watching is not None


def test_drive_never_imports_judge():
    paths = [*(GRADING / "drive").glob("*.py"), *GRADING.glob("lesson_*/drive.py")]
    assert len(paths) > len(LESSONS)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not [name for name in names if f"{module}.{name}.".startswith(tuple(f"{x}." for x in TRUSTED))], path
    code = "import sys, lessons_lib.grading.drive.run as r; r.questions('01_self_attention'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lessons_lib.grading.lesson_01.drive" in loaded
    assert not [name for name in loaded if name.startswith(TRUSTED)]


def test_the_judge_answers_to_any_bytes():
    namespace = {"__name__": "__main__"}
    exec(RIGHT, namespace)
    inputs, question_steps = drive_01.make_tensors(0), steps("01_self_attention", "q1")
    right = run(drive_01.QUESTIONS["q1"], namespace, encode(inputs))
    assert judge(question_steps, inputs, right) == Verdict(3, None)
    assert judge(question_steps, inputs, {}) == Verdict(0, "the call 'plain' was not made")
    assert "cannot be read" in judge(question_steps, inputs, right | {"plain.output": b"x"}).hint
    looked_at = [name for name in right if not name.startswith(("square", "again")) and not name.endswith("_after")]
    assert len(looked_at) == 2 * 7 + 3
    for name in looked_at:
        missing = {other: blob for other, blob in right.items() if other != name}
        empty = right | encode({name: np.zeros(0)})
        integers = right | encode({name: np.ones((3, 3, 3), dtype=np.int8)})
        for blobs in (missing, empty, integers):
            assert judge(question_steps, inputs, blobs).hint is not None, name


def test_seconds_belong_to_the_question(monkeypatch):
    quick = dataclasses.replace(drive_01.QUESTIONS["q1"], seconds=0.2, busy=150.0)
    monkeypatch.setitem(drive_01.QUESTIONS, "q1", quick)
    begin = time.monotonic()
    hint = grade_code(f"def {NAME}(*x):\n  while True: pass").hint
    assert hint == "still running after 0.2 s on line 2: is there a loop that never ends?"
    assert time.monotonic() - begin < 30


def test_a_busy_machine_costs_nobody_points(monkeypatch):
    """Waiting stands for it: the clock goes on, and this thread computes nothing."""
    slow = RIGHT.replace("    scores =", "    import time; time.sleep(0.05)\n    scores =")
    ready = dataclasses.replace(drive_01.QUESTIONS["q1"], seconds=3.0)
    monkeypatch.setitem(drive_01.QUESTIONS, "q1", ready)
    grade_code(RIGHT)  # what loads at the first call
    monkeypatch.setattr(time, "thread_time", lambda real=time.thread_time: real() / 100)
    monkeypatch.setitem(drive_01.QUESTIONS, "q1", dataclasses.replace(ready, seconds=0.1, busy=600.0))
    assert grade_code(slow).points == 3
    monkeypatch.setitem(drive_01.QUESTIONS, "q1", dataclasses.replace(ready, seconds=0.1, busy=1.0))
    hint = grade_code(slow).hint
    assert re.fullmatch(r"still running after 0\.1 s on line \d: does it wait, or is the machine busy\?", hint)


def test_a_time_that_is_over_blames_no_size_written_into_the_code(monkeypatch):
    seeds = iter([0, 0, 1])
    real = notebook.run
    over = encode({"error": text_array("still running after 5 s on line 2: is there a loop that never ends?")})
    monkeypatch.setattr(notebook, "run", lambda *given: over if next(seeds) else real(*given))
    assert grade_code(RIGHT).hint.startswith("still running after 5 s")


@pytest.mark.parametrize("error", ["BaseException('so')", "GeneratorExit", "SystemExit(3)"])
def test_no_error_of_the_answer_escapes(error):
    hint = grade_code(f"def {NAME}(*x):\n  raise {error}").hint
    assert hint.startswith(error.partition("(")[0] + " on line 2")


def test_the_stop_button_still_stops():
    with pytest.raises(KeyboardInterrupt):
        grade_code(f"def {NAME}(*x):\n  raise KeyboardInterrupt")


def test_a_notebooks_defaults_neither_matter_nor_change():
    from answers import course

    torch.set_default_dtype(torch.float64)
    try:
        assert grade("07_feed_forward", "q1", course(), (0,)).points == 3
        assert grade_code(RIGHT).points == 3
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    grade_code(f"import torch\ndef {NAME}(*x):\n  torch.set_default_dtype(torch.float64)")
    assert torch.get_default_dtype() == torch.float32


def test_what_is_compiled_is_tried_as_it_was_written():
    code = RIGHT.replace("def scaled", "@torch.compile\ndef scaled")
    assert code != RIGHT
    begin = time.monotonic()
    assert grade_code(code).points == 3
    assert time.monotonic() - begin < 60


def test_the_line_that_is_told_is_the_learners():
    from answers import course

    code = (
        "from torch import nn\nclass EncoderLayer(nn.Module):\n  def __init__(self, *sizes):\n    super().__init__()\n"
    )
    code += "    self.attention = MultiHeadAttention(7, 2, 3, 4)\n"
    namespace = {**course(), "__name__": "__main__"}
    exec(compile(code, "<cell 5>", "exec"), namespace)
    assert " on line 5" in grade("05_encoder_decoder", "q1", namespace).hint


def test_wrong_kinds_of_arguments_are_one_sentence():
    check = Check()
    with pytest.raises(CheckError, match="no exercise 1; use its notebook's name"):
        check.open(1)
    with pytest.raises(CheckError, match=r"5 is no sentence: write check\.translate"):
        check.translate(5)
    check.open("01_self_attention")
    with pytest.raises(CheckError, match="question 1 is none of"):
        check(1)


def test_an_import_is_no_call_of_a_forbidden_package():
    """The finder of old names is asked for every import: what it does is not the learner's doing."""
    with watch_calls(("lessons_lib.translation",)) as called:
        for name in ("lessons_lib.translation.no_such_module", "no_such_module_at_all"):
            with pytest.raises(ModuleNotFoundError):
                importlib.import_module(name)
    assert called == set()
