"""Answers out of cells, as learners leave them."""

import json
import re
import time

import pytest
from hostile import NAME, RIGHT

from lessons_lib.errors import UserError
from lessons_lib.grading.batch import answers, box
from lessons_lib.grading.batch.answers import Notebook, exercises, lesson_of, read_notebook, with_what_they_use
from lessons_lib.grading.batch.lane import Lane
from lessons_lib.grading.batch.server import Server
from lessons_lib.grading.parts import known
from lessons_lib.grading.reference import folder

NAMES = (NAME,)
BODY = re.sub(r"import torch\n", "", RIGHT).strip()


def run(cells: list[str], name: str = "f", parts=()) -> object:
    """What the name is when the statements of its answer have run."""
    answer = Notebook(cells).answer((name,), set(parts))
    assert answer.trouble is None, answer.trouble
    space: dict = {}
    for one in answer.statements:
        exec(one.text, space)
    return space[name]


CALLED = {
    "plain": ["def f(): return 1"],
    "the last of two": ["def f(): return 0", "def f(): return 1"],
    "a cell twice": ["A = 1", "def f(): return A", "A = 1", "def f(): return A"],
    "a helper below": ["def f(): return g()", "def g(): return 1"],
    "a helper of a helper": ["def h(): return 1", "def f(): return g()", "def g(): return h()"],
    "constants": ["A, B = 0, 1", "def f(): return B"],
    "a chain of constants": ["C = A = 1", "B = A", "def f(): return B"],
    "a starred tuple": ["A, *B = 0, 1, 2", "def f(): return B[0]"],
    "an import": ["import math", "def f(): return math.gcd(1, 1)"],
    "an import of a part": ["import os.path", "def f(): return int(os.path.join('a', 'b') > '')"],
    "an import by another name": ["from math import gcd as g", "def f(): return g(1, 1)"],
    "a star import": ["from math import *", "def f(): return gcd(1, 1)"],
    "inside if": ["if True:\n    def f(): return 1\nelse:\n    def f(): return 0"],
    "inside try": [
        "try:\n    import nothing_at_all as g\nexcept ImportError:\n    g = lambda: 1",
        "def f(): return g()",
    ],
    "inside for": ["for A in (0, 1): pass", "def f(): return A"],
    "inside with": ["import contextlib\nwith contextlib.nullcontext(1) as A: pass", "def f(): return A"],
    "a walrus": ["if (A := 1): pass", "def f(): return A"],
    "annotated": ["A: int = 1", "def f() -> int: return A"],
    "a default": ["A = 1", "def f(a=A): return a"],
    "added to": ["A = 0", "A += 1", "def f(): return A"],
    "an entry": ["A = {}", "A['x'] = 1", "def f(): return A['x']"],
    "a decorator": ["def twice(g): return lambda: g() * 2", "@twice\ndef f(): return 0.5"],
    "a decorator with an argument": ["def put(n): return lambda g: lambda: n", "\n\n@put(1)\ndef f():\n    return 0"],
    "a lambda": ["f = lambda: 1"],
    "a method of a class": [
        "class M:\n    def run(self): return 0",
        "M.run = lambda self: 1",
        "def f(): return M().run()",
    ],
    "a method set": ["class M: pass", "setattr(M, 'run', lambda self: 1)", "def f(): return M().run()"],
    "a class on an earlier self": ["class M:\n    a = 1", "class M(M):\n    b = 0", "def f(): return M.a"],
    "a function around an earlier self": ["def f(): return 0.5", "g = f\ndef f(): return 2 * g()"],
    "a base class": ["class B:\n    a = 1", "class M(B): pass", "def f(): return M.a"],
    "a type in a signature": ["from typing import Optional", "def f(a: Optional[int] = None): return 1"],
    "several on a line": ["A = 0; B = 1; print('no')", "def f(): return B"],
    "a magic above": ["%matplotlib inline\nA = 1", "def f(): return A"],
    "a magic inside": ["def f():\n    %time\n    return 1"],
    "a timed statement": ["%time A = 1", "def f(): return A"],
    "a timed cell": ["%%time\nA = 1\n", "%%capture out\ndef f(): return A"],
    "empty lines before it": ["\n\n%%time\ndef f(): return 1"],
    "two magics of a cell": ["%%capture\n%%time\ndef f(): return 1"],
    "a shell line": ["!pip install torch\nA = 1", "def f(): return A"],
    "a shell line of two": ["!echo a \\\n    b\nA = 1", "def f(): return A"],
    "a shell line's result": ["files = !ls\nA = 1", "def f(): return A"],
    "a question": ["print?\nA = 1", "?print\nprint??\ndef f(): return A"],
    "a modulo that begins a line": ["A = (7\n  % 2)\n!ls", "def f(): return A"],
    "a modulo alone": ["A = (7\n  % 2)", "def f(): return A"],
    "a text with a magic": ["A = '''\n%time\n'''", "def f(): return A.count('%')"],
    "another language": ["%%bash\nf=2", "def f(): return 1"],
    "another language, unreadable": ["%%html\n<b>f</b> 'x", "def f(): return 1"],
    "what another cell cannot read": ["def g(:", "x = = 1", "def f(): return 1"],
    "a cell of nothing": ["", "   \n", "# nothing", "def f(): return 1"],
    "Windows lines": ["A = 1\r\ndef f():\r\n    return A\r\n"],
    "old Apple lines": ["A = 1\rdef f():\r    return A\r"],
    "a form feed": ["\x0cA = 1\n", "def f(): return A"],
    "French": ["été = 1", "def f(): return été"],
    "what trains": ["A = 1", "def f(): return A", "loss = nothing_at_all(f)", "check('q1')\nf()"],
    "async helpers": ["async def g(): pass", "def f(): return int(bool(g))"],
}


@pytest.mark.parametrize("name", CALLED)
def test_what_is_needed_is_taken(name):
    assert run(CALLED[name])() == 1


def test_nothing_else_is_taken():
    cells = [
        "import math",
        "A = 1\nB = 2",
        "def f(): return A",
        "def g(): return B",
        "f()",
        "check('q1')",
        "loss = train()",
    ]
    assert [one.text for one in Notebook(cells).answer(("f",), set()).statements] == ["A = 1", "def f(): return A"]


def test_the_courses_parts_stand_for_earlier_ones():
    cells = ["class LayerNorm: pass", "class EncoderLayer:\n    def __init__(self): self.norm = LayerNorm()"]
    answer = Notebook(cells).answer(("EncoderLayer",), set(known()))
    assert (len(answer.statements), answer.given) == (1, ("LayerNorm",))
    cells = ['LN, MHA = check.part("LayerNorm", "MultiHeadAttention")', "class EncoderLayer:\n    parts = LN, MHA"]
    answer = Notebook(cells).answer(("EncoderLayer",), set(known()))
    assert (len(answer.statements), answer.given) == (2, ("LayerNorm", "MultiHeadAttention"))


def test_what_is_asked_for_is_never_given():
    answer = Notebook(['A = check.part("LayerNorm")', "class LayerNorm(A): pass"]).answer(("LayerNorm",), set(known()))
    assert answer.given == ()
    assert "LayerNorm" in with_what_they_use(["EncoderLayer"])
    assert "LayerNorm" not in with_what_they_use(["EncoderLayer"], without=["LayerNorm"])


def test_a_cell_that_should_define_it_says_why_not():
    notebook = Notebook(["A = 1", "def f(x:\n    return x", "async def g(:"])
    assert notebook.answer(("f",), set()).trouble.startswith(
        "cell 2, which should define `f`, cannot be read: SyntaxError"
    )
    assert notebook.answer(("g",), set()).trouble.startswith("cell 3, which should define `g`")
    assert notebook.answer(("h",), set()).trouble == "not found: no cell defines `h`"
    assert "line 1" in notebook.unread[2]


def notebook_bytes(cells: list) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def test_notebooks_as_they_come():
    cells = [
        {"cell_type": "markdown", "source": "def f(): return 0"},
        {"cell_type": "code", "source": ["A = 1\n", "B = 2"]},
        {"cell_type": "code", "source": "def f(): return A", "metadata": {"x": None}, "outputs": "?"},
        {"cell_type": "code"},
        {"cell_type": "raw", "source": "def f(): return 0"},
    ]
    assert read_notebook("a.ipynb", notebook_bytes(cells)).cells == ["A = 1\nB = 2", "def f(): return A", ""]
    assert read_notebook("a.ipynb", b"\xef\xbb\xbf" + notebook_bytes(cells)).cells[0] == "A = 1\nB = 2"
    assert run(read_notebook("a.py", b"A = 1\n# %%\ndef f():\n    return A\n# %% [markdown]\n# no\n").cells)() == 1
    assert run(read_notebook("a.py", b"A = 1\r\n# %%\r\ndef f():\r\n    return A\r\n").cells)() == 1


BROKEN = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"3",
    "no cells": b"{}",
    "cells that are none": b'{"cells": 3}',
    "a text for cells": b'{"cells": "abc"}',
    "cells of nothing": b'{"cells": [null]}',
    "a source of numbers": b'{"cells": [{"cell_type": "code", "source": [1]}]}',
    "a source that is none": b'{"cells": [{"cell_type": "code", "source": 1}]}',
    "brackets": b"[" * 100_000,
    "bytes": b"\xff\xfe\x00",
    "a long number": b'{"cells": ' + b"9" * 10_000 + b"}",
    "a picture": b"\x89PNG\r\n",
    "many cells": notebook_bytes([{"cell_type": "code", "source": ""}] * 2_001),
    "large": b" " * (answers.MOST_BYTES + 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_notebook_is_one_sentence(name):
    with pytest.raises(UserError) as caught:
        read_notebook("theirs.ipynb", BROKEN[name])
    assert "theirs.ipynb" in str(caught.value)
    assert "\n" not in str(caught.value)


LONG = {
    "spaces": " " * 49_000,
    "lines": "\n" * 40_000 + "%x",
    "minuses": "x = " + "-" * 40_000 + "1",
    "brackets": "x = " + "(" * 20_000,
    "statements": "a = 1\n" * 8_000,
    "statements on a line": "a = 1;" * 8_000,
    "a chain": "".join(f"a{i + 1} = a{i}\n" for i in range(2_500)),
    "a sum": "x = " + "1+" * 20_000 + "1",
    "a list": "x = [" + "0," * 20_000 + "]",
    "magics": "%ls\n" * 10_000 + "a b",
    "shell results": "a = !x\n" * 6_000 + "a b",
    "texts in a text": "x = f'" + "{a}" * 15_000 + "'",
    "words": "a " * 20_000 + "\n%s\n",
    "decorators": "@a\n" * 10_000 + "def b(): pass",
    "a null": "f = 1\0",
    "half a letter": "f = '\ud800'",
    "a text that does not end": "%a\n'''",
    "too long": "a" * 60_000,
}


@pytest.mark.parametrize("name", LONG)
def test_no_cell_holds_the_reader_up(name):
    begin = time.process_time()
    notebook = Notebook([LONG[name], "def f(): return 1"])
    assert run(notebook.cells)() == 1
    assert notebook.answer(("no_such",), set()).trouble == "not found: no cell defines `no_such`"
    assert time.process_time() - begin < 20


def test_a_long_notebook_is_read_as_far_as_it_goes():
    notebook = Notebook(["def f(): return 1", *["A = 1\n" * 5_000] * 100, "def g(): return 1"])
    assert notebook.answer(("f",), set()).trouble is None
    assert notebook.unread[2].startswith("ValueError: with it, there are more than 5000 statements")
    assert notebook.unread[101].startswith("ValueError: it has 30000 characters")


def test_the_exercise_is_told_by_its_name_or_its_first_cell():
    assert lesson_of("Ann 03_multi_head_attention (1).ipynb", Notebook([])) == "03_multi_head_attention"
    assert lesson_of("a.ipynb", Notebook(['check.open("04_positional_encoding")'])) == "04_positional_encoding"
    assert lesson_of("a.ipynb", Notebook(["check.open(3)"])) is None


@pytest.fixture(scope="module")
def lane():
    server = Server(box.level())
    yield Lane(server, 4)
    server.close()


GRADED = {
    "course's own": ("06_layer_norm", "q1", 'A = check.part("LayerNorm")\nclass LayerNorm(A): pass', 0, "cell 1"),
    "course's own, by another": (
        "06_layer_norm",
        "q1",
        'A = check.part("EncoderLayer")\nG = A.__init__.__globals__\nclass LayerNorm(G["LayerNorm"]): pass',
        0,
        "KeyError|cell 1",
    ),
    "an import": ("06_layer_norm", "q1", "from lessons_lib.norms import LayerNorm", 0, "define your own"),
    "a failing helper": (
        "01_self_attention",
        "q1",
        f"A = 1 / 0\n{BODY.replace('= torch.softmax(', '= A * torch.softmax(')}",
        0,
        "NameError",
    ),
    "a failing line": (
        "01_self_attention",
        "q1",
        f"import torch\n\ndef double(f):\n    return 1 / 0\n\n@double\n{BODY}",
        0,
        "^cell 1, line 4: ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("name", GRADED)
def test_graded(lane, name):
    lesson, question, cell, points, hint = GRADED[name]
    result = lane.grade(lesson, question, Notebook([cell]), (0,))
    assert result.points == points
    assert re.search(hint, result.hint), result.hint


def test_a_line_of_a_helper_above_is_told(lane):
    cell = f"import torch\ndef half(x):\n    return x / [2]\n\n{BODY.replace('query @ key', 'half(query) @ key')}"
    assert "on line 3 (`return x / [2]`)" in lane.grade("01_self_attention", "q1", Notebook([cell]), (0,)).hint


def cells_of(lesson: str) -> list[str]:
    """The exercise with the course's answers."""
    parts = re.split(r"^# %% ?(.*)$", (folder() / f"{lesson}.py").read_text("utf8"), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [text for title, text in pairs if title.split()[:1] != ["answer"] and "[markdown]" not in title]


@pytest.mark.parametrize("lesson", [one for one in exercises() if one[:2] in ("01", "04", "06", "08", "10")])
def test_the_courses_answers_have_all_points_in_any_order(lane, lesson):
    from lessons_lib.grading.drive.run import questions

    cells = cells_of(lesson)
    muddled = ["%matplotlib inline", "def broken(:", *reversed(cells), "!ls", *reversed(cells)]
    for name in questions(lesson):
        result = lane.grade(lesson, name, Notebook(muddled), (0,))
        assert result.points == result.total, result.text()
