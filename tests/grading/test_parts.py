"""A learner's translator, part by part: what `check.keep()` writes, and what `check.part(…)` makes of it."""

import linecache
import math
import re

import pytest
import torch

from lessons_lib.grading import parts
from lessons_lib.grading.errors import PartError
from lessons_lib.grading.notebook import Check
from lessons_lib.grading.reference import solutions
from lessons_lib.grading.source import NotPlain, standalone

SOLVED = solutions()
TORCH = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
number = iter(range(1000))


def notebook(*texts, **variables):
    """The variables that cells leave, with their text where Python finds that of a notebook's cells."""
    space = {"__name__": "__main__"} | variables
    for text in texts:
        name = f"<cell {next(number)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), space)
    return space


def solution(name):
    return SOLVED[name]


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Check()

    def keep(lesson, *texts, **variables):
        made.open(lesson)
        made.keep(namespace=notebook(*texts, **variables))

    made.kept = keep
    return made


class TestStandalone:
    def test_it_takes_along_imports_constants_helpers_and_decorators(self):
        cells = (
            "import math\nimport torch.nn.functional as F\nfrom functools import lru_cache as cached\nPAD = 0\nno = 1",
            "@cached\ndef root(x):\n    return math.sqrt(x)",
            "def answer(x, pad=PAD):\n    math_ = [root(i) for i in x]\n    return F, math_",
        )
        text = standalone(["answer"], notebook(*cells))
        assert text == (
            "import math\nimport torch.nn.functional as F\nfrom functools import lru_cache as cached\nPAD = 0\n\n\n"
            "@cached\ndef root(x):\n    return math.sqrt(x)\n\n\n"
            "def answer(x, pad=PAD):\n    math_ = [root(i) for i in x]\n    return F, math_\n"
        )
        alone: dict = {}
        exec(text, alone)
        assert alone["answer"]([4.0])[1] == [2.0]

    def test_a_class_that_was_written_twice_is_the_last_one(self):
        both = "class A:\n    def f(self):\n        return 1\nclass A:\n    def f(self):\n        return 2"
        assert standalone(["A"], notebook(both)).count("return 2") == 1
        assert "return 1" not in standalone(["A"], notebook(both))

    def test_functions_that_call_each_other(self):
        text = standalone(
            ["even"],
            notebook("def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n and even(n - 1)"),
        )
        assert text.count("def ") == 2

    def test_a_local_name_is_not_taken_for_the_notebooks(self):
        assert "weight =" not in standalone(
            ["f"], notebook("def f(x):\n    y = x\n    return y.weight", y=5, weight=torch.ones(2))
        )

    @pytest.mark.parametrize(
        ("cell", "variables", "message"),
        [
            ("def f():\n    return table", {"table": torch.ones(2)}, "`f` uses `table`, a Tensor of this notebook"),
            ("%%time\ndef f():\n    return 1", {}, "the text of `f` is not to be had"),
            ("import functools\nf = functools.partial(int, base=2)", {}, "`f` is a partial; define it with `def` or"),
            (
                "class f:\n  def g(self): pass\n---\nclass f(f):\n  x = 1",
                {},
                "`f` is built on an earlier `f`; write it as one class",
            ),
        ],
    )
    def test_what_cannot_be_written_is_named(self, cell, variables, message):
        cells = cell.split("\n---\n")
        if "%%" in cell:  # Python cannot read such a cell, and IPython runs it all the same
            space = notebook(cell.partition("\n")[2], **variables)
            linecache.cache[space["f"].__code__.co_filename] = (len(cell), None, cell.splitlines(True), "")
        else:
            space = notebook(*cells, **variables)
        with pytest.raises(NotPlain, match=re.escape(message)):
            standalone(["f"], space)

    @pytest.mark.parametrize(
        "cell",
        [
            "from enum import Enum\nclass Kind(Enum):\n    A = 3\ndef f(): return Kind.A.value",
            "from typing import NamedTuple\nclass A(NamedTuple):\n  a: int\n  b: int = 2\ndef f(): return sum(A(1))",
            "from dataclasses import dataclass\n@dataclass\nclass A:\n  a: int\n  b: int = 2\ndef f(): return A(3).a",
            "sizes = {'a': (1, 2), 'b': [3.5, float('-inf')], 'c': {1}}\ndef f(): return sum(sizes['a'])",
            "import torch\ndevice, kind = torch.device('cpu'), torch.int64\n"
            "def f(): return torch.ones(3, dtype=kind, device=device).sum().item()",
            "double = lambda x: 2 * x\ndef f(): return double(1) + 1",
            "Two = tuple[int, int]\nMaybe = int | None\ndef f(x: Two = (1, 2), y: Maybe = None): return sum(x)",
            "class Plain:\n    three = 3\ndef f(): return Plain.three",
        ],
    )
    def test_plain_python_of_many_kinds(self, cell):
        alone: dict = {}
        exec(standalone(["f"], notebook(cell)), alone)
        assert alone["f"]() == 3


class TestKeep:
    def test_right_answers_are_kept_and_found_again(self, check, capsys):
        names = ("split_heads", "merge_heads", "MultiHeadAttention")
        check.kept("03_multi_head_attention", TORCH, *map(solution, names))
        said = capsys.readouterr().out
        assert (
            said == "split_heads, merge_heads: kept in my_translator.py\nMultiHeadAttention: kept in my_translator.py\n"
        )
        assert list(parts.cells(parts.FILE.read_text("utf8"))) == list(names)
        check.open("05_encoder_decoder")
        mine, table = check.part("MultiHeadAttention", "sinusoidal_table")
        assert capsys.readouterr().out == "yours: MultiHeadAttention\nthe course's: sinusoidal_table\n"
        assert mine.__module__ == "my_translator"
        assert table(3, 4).shape == (3, 4)

    def test_a_wrong_answer_is_not_kept_and_leaves_the_file_alone(self, check, capsys):
        check.kept("06_layer_norm", TORCH, solution("LayerNorm"), solution("RMSNorm"))
        before = parts.FILE.read_bytes()
        wrong = solution("RMSNorm").replace("eps=1e-6", "eps=1e-1")
        assert wrong != solution("RMSNorm")
        capsys.readouterr()
        check.kept("06_layer_norm", TORCH, solution("LayerNorm"), wrong)
        said = capsys.readouterr().out.splitlines()
        assert said[0] == "LayerNorm: kept in my_translator.py"
        assert re.fullmatch(r"RMSNorm: not kept, q2 has \d of \d points: .+", said[1])
        assert said[2].startswith("Residual: not kept, q3 has 0 of 3 points: ")
        assert parts.FILE.read_bytes() == before

    def test_half_an_answer_is_not_kept(self, check, capsys):
        """MultiHeadAttention is asked for in two questions; this one ignores its mask."""
        blind = solution("MultiHeadAttention").replace("if mask is None:", "if True:")
        assert blind != solution("MultiHeadAttention")
        check.kept("03_multi_head_attention", TORCH, *map(solution, ("split_heads", "merge_heads")), blind)
        assert re.search(
            r"^MultiHeadAttention: not kept, q3 has \d of 3 points: .+$", capsys.readouterr().out, re.MULTILINE
        )
        assert "class MultiHeadAttention" not in parts.FILE.read_text("utf8")

    def test_an_answer_that_leans_on_its_notebook_is_told_so(self, check, capsys):
        leaning = "def causal_mask(length):\n    return triangle[:length, :length].clone()"
        check.kept("08_masking", TORCH, leaning, triangle=torch.ones(2_000, 2_000).tril().bool())
        assert (
            "causal_mask: not kept: `causal_mask` uses `triangle`, a Tensor of this notebook" in capsys.readouterr().out
        )
        assert not parts.FILE.exists()

    def test_two_helpers_of_one_name_are_told_apart(self, check, capsys):
        own = "def half(x):\n    return x {}\n" + solution("causal_mask").replace(
            "return position", "half(2)\n    return position"
        )
        check.kept("08_masking", TORCH, own.format("/ 2"), solution("padding_mask"))
        capsys.readouterr()
        other = "def half(x):\n    return x // 2\n" + solution("padding_mask").replace(
            "return (", "half(2)\n    return ("
        )
        check.kept("08_masking", TORCH, other)
        said = capsys.readouterr().out
        assert "padding_mask: not kept: `half` is something else beside `causal_mask` in my_translator.py" in said

    def test_a_name_that_belongs_to_another_exercise_is_told(self, check, capsys):
        own = "def rotate(x, here):\n    return x\n" + solution("causal_mask").replace(
            "return position", "rotate(2, here=1)\n    return position"
        )
        check.kept("08_masking", TORCH, own)
        said = capsys.readouterr().out
        assert (
            "causal_mask: not kept, `causal_mask` uses your `rotate`, but in my_translator.py this is the name of"
            in said
        )

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("# %% lesson 06: RMSNorm\nclass RMSNorm(:\n", "my_translator.py, line 2: SyntaxError: "),
            (b"# %% lesson 06: RMSNorm\nx = '\xe9'\n", "my_translator.py: byte 29 is not UTF-8; save"),
            (
                "# %% lesson 08: padding_mask\ndef mask(tokens, pad_id):\n    return tokens\n",
                "my_translator.py: the cell `# %% lesson 08: padding_mask` defines no `padding_mask`; give it its name",
            ),
            (
                "import torch\ndef padding_mask(tokens, pad_id):\n    return tokens\n",
                "my_translator.py, line 2: `padding_mask` has lost its title; write `# %% lesson 08: padding_mask` on",
            ),
        ],
    )
    def test_a_file_that_the_learner_has_damaged_is_one_sentence(self, check, capsys, text, message):
        parts.FILE.write_bytes(text if isinstance(text, bytes) else text.encode())
        check.kept("08_masking", TORCH, solution("causal_mask"), solution("padding_mask"))
        said = capsys.readouterr().out.splitlines()
        if "padding_mask" not in message:
            assert said[0].startswith(f"causal_mask: not kept: {message}")
        check.lesson = None
        for use in (lambda: check.part("causal_mask"), lambda: check.translate("The cat sleeps.")):
            if "padding_mask" in message:
                parts.FILE.write_text(text, "utf8")
            with pytest.raises(PartError) as caught:
                use()
            assert str(caught.value).startswith(message)

    def test_what_is_quoted_is_what_was_tried(self, check, capsys):
        """Not what stands on that line of the file, which holds the answer of yesterday."""
        check.kept("08_masking", TORCH, solution("causal_mask"))
        capsys.readouterr()
        worse = solution("causal_mask").replace("    position", "    1 / (__name__ == '__main__')\n    position", 1)
        check.kept("08_masking", TORCH, worse)
        assert "(`1 / (__name__ == '__main__')`)" in capsys.readouterr().out.splitlines()[0]

    def test_what_the_learner_wrote_at_the_top_stays(self, check):
        parts.FILE.write_text('"""Mine."""\n\nX = 1\n', "utf8")
        check.kept("08_masking", TORCH, solution("causal_mask"))
        check.kept("08_masking", TORCH, solution("padding_mask"))
        text = parts.FILE.read_text("utf8")
        assert text.startswith('"""Mine."""\n\nX = 1\n\n\n# %% lesson 08: causal_mask\n')
        assert text.count("# %%") == 2
        assert [path.name for path in parts.FILE.parent.iterdir()] == [parts.FILE.name]


class TestPart:
    def test_parts_are_put_together_in_both_directions(self, check):
        """The course's layer uses the learner's norm, and the learner's layer the course's attention."""
        norm = solution("LayerNorm").replace(
            "return ", "LayerNorm.calls = getattr(LayerNorm, 'calls', 0) + 1\n        return "
        )
        check.kept("06_layer_norm", TORCH, norm)
        given = ("MultiHeadAttention", "LayerNorm", "FeedForward")
        check.lesson = None
        given = dict(zip(given, check.part(*given), strict=True))
        check.kept("05_encoder_decoder", TORCH, *map(solution, ("EncoderLayer", "DecoderLayer")), **given)
        check.open("10_model_sizes")
        model, norm = check.part("EncoderDecoder", "LayerNorm")
        translator = model(11, 8, 2, 16, 2)
        norm.calls = 0
        assert translator(torch.tensor([[3, 4, 2]]), torch.tensor([[1, 5]])).shape == (1, 2, 11)
        assert norm.calls == 2 * 2 + 1 + 3 * 2 + 1
        assert parts.owners() | {"LayerNorm": True, "EncoderLayer": True, "DecoderLayer": True} == parts.owners()
        assert sum(parts.owners().values()) == 3

    def test_the_courses_parts_alone_translate_as_the_library_does(self, check, capsys):
        from lessons_lib.translation.course_model import load_course_translator

        sentence = "The tired girls have not eaten the red apples."
        check.translate(sentence)
        [translation] = load_course_translator("cpu").translate([sentence])
        assert capsys.readouterr().out.splitlines() == [
            translation.text,
            "your parts in it: none yet; the course's: the other 11",
        ]

    def test_parts_that_do_not_work_together(self, check):
        parts.FILE.write_text("# %% lesson 08: causal_mask\ndef causal_mask():\n    return None\n", "utf8")
        with pytest.raises(PartError, match="the parts do not work together: TypeError: causal_mask"):
            check.translate("The cat sleeps.")

    def test_every_name_of_an_exercise_has_the_courses_own(self):
        assert list(SOLVED) == list(parts.known())

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("Tension", "no exercise has a part 'Tension'; use scaled_"),
            ("EncoderLayer", "is what this exercise asks for"),
        ],
    )
    def test_a_part_that_is_not_to_be_had(self, check, name, message):
        check.open("05_encoder_decoder")
        with pytest.raises(PartError, match=message):
            check.part(name)

    @pytest.mark.parametrize(("line", "error"), [("1 / 0", "ZeroDivisionError"), ("def (", "SyntaxError")])
    def test_a_file_that_does_not_run_is_named_with_its_line(self, check, line, error):
        parts.FILE.write_text(f'"""Mine."""\n\n# %% lesson 08: causal_mask\nimport torch\n{line}\n', "utf8")
        with pytest.raises(PartError, match=rf"^my_translator.py, line 5: {error}: .*Mend it, or delete its cell"):
            check.part("causal_mask")

    def test_the_list_of_parts(self, check, capsys):
        check.kept("08_masking", TORCH, solution("causal_mask"))
        capsys.readouterr()
        check.parts()
        said = capsys.readouterr().out
        assert re.search(r"^lesson 08  causal_mask +yours$", said, re.MULTILINE)
        assert re.search(r"^lesson 08  padding_mask +the course's$", said, re.MULTILINE)


def test_math_of_the_first_part(check):
    """What comes back is the function, not its text."""
    attention = check.part("scaled_dot_product_attention")
    output, weights = attention(torch.zeros(1, 4), torch.zeros(2, 4), torch.eye(2))
    assert torch.allclose(weights, torch.full((1, 2), 0.5))
    assert math.isclose(output.sum().item(), 1.0)
