"""All reports of a class, in a folder."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from a_class import MARKUP, a_class, exercise, learner

from lessons_lib.errors import UserError
from lessons_lib.grading.marks import CLASS, FILES, write_reports
from lessons_lib.grading.marks.names import file_names

KEYS = ["../../x", "a/b", "a\\b", "CON", "con", "Nul.txt", "x" * 300, "ana", "Ana", "ANA", "", ".", "..", " ", "-rf"]
KEYS += [
    "José",
    "Jose\u0301",
    "été",
    "李雷",
    "\0",
    "a\nb",
    "\udce9",
    "aux",
    "com1",
    "x" * 299 + "y",
    MARKUP,
    "~",
    "a.",
    "a",
]


def test_names_are_safe_on_every_system():
    names = file_names(KEYS)
    assert len({name.lower() for name in names.values()}) == len(KEYS)
    for name in names.values():
        assert 1 <= len(name) <= 53
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
        assert name[0] != "-"
        assert name.partition(".")[0] not in ("con", "aux", "nul", "com1")


def test_a_name_stays_readable_and_depends_on_its_key_alone():
    names = file_names(KEYS)
    assert (names["ana"], names["a"]) == ("ana", "a")
    assert names["Ana"].startswith("ana-")
    assert names["José"].startswith("jose-")
    assert file_names(["CON"]) == {"CON": names["CON"]}


def test_no_key_can_take_the_name_of_another():
    """Neither by being another's marked name, nor by being there twice."""
    name = file_names(["Ana"])["Ana"]
    both = file_names(["Ana", name])
    assert both["Ana"] != both[name]
    with pytest.raises(UserError, match="two learners have the key 'ana'"):
        file_names(["ana", "ana"])


def test_everything_is_written_below_the_folder(tmp_path):
    out = tmp_path / "deep" / "report"
    learners = [learner(key) for key in KEYS]
    paths = write_reports(learners, out, "A course")
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert there == set(paths)
    assert len(paths) == len(set(paths)) == len(FILES) + 1 + 3 * len(KEYS)
    assert all(path.is_relative_to(out) for path in paths)
    assert {path.name for path in out.iterdir()} == {*FILES, CLASS, "learners", "gradescope", "github_classroom"}


def test_links_lead_to_files(tmp_path):
    write_reports([learner(key) for key in KEYS], tmp_path, "A course")
    links = set(re.findall(r'href="([^"#]+)"', (tmp_path / CLASS).read_text("utf8")))
    assert len(links) == len(FILES) + len(KEYS)
    assert all((tmp_path / link).is_file() for link in links)


def test_each_results_json_is_of_its_learner(tmp_path):
    write_reports(a_class(), tmp_path, "A course")
    scores = {path.parent.name: json.loads(path.read_bytes())["score"] for path in tmp_path.glob("gradescope/*/*.json")}
    assert scores == {"ana": 12, "ben": 6, "cem": 1, "dot": 0}


HASHES = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from a_class import a_class, exercise, learner
from lessons_lib.grading.marks import write_reports
text = "\\n".join(f"y{i} = f({i}, [x + {i} for x in z if x > {i}])" for i in range(9))
more = [learner(k, *(exercise(n, 3, 1, answers={"q1": text}) for n in ("01_self_attention", "02_query_key_value")))
        for k in ("E", "e", "f")]
out = Path(sys.argv[2])
for path in write_reports([*a_class(), *more], out, "A course"):
    print(path.relative_to(out), hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_same_class_gives_the_same_bytes(tmp_path):
    """In other processes, with another order of sets, another language and another time zone."""
    said = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        root = Path(__file__).parents[3]
        command = [sys.executable, "-c", HASHES, str(Path(__file__).parent), str(tmp_path / seed)]
        said.append(subprocess.run(command, env=env, cwd=root, capture_output=True, text=True, check=True).stdout)
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == len(FILES) + 1 + 3 * 7
    assert "similar.html" in said[0]


def test_written_again_it_is_the_same_and_other_files_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    before = [hashlib.sha256(path.read_bytes()).digest() for path in write_reports(a_class(), tmp_path, "A course")]
    after = [hashlib.sha256(path.read_bytes()).digest() for path in write_reports(a_class(), tmp_path, "A course")]
    assert before == after
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_every_learner_has_a_row_a_page_and_results(tmp_path):
    write_reports(a_class(), tmp_path, "A course")
    assert len((tmp_path / "gradebook.csv").read_text("utf-8-sig").splitlines()) == 5
    assert len(list(tmp_path.glob("learners/*.html"))) == len(list(tmp_path.glob("gradescope/*/results.json"))) == 4
    assert "dot" in (tmp_path / "left_out.csv").read_text("utf8")


def test_a_class_that_cannot_be_reported_leaves_no_file(tmp_path):
    other = learner("ben", exercise("01_self_attention", 3))
    for learners in ([], [learner("ana"), other], [learner("ana"), learner("ana")]):
        with pytest.raises(UserError) as error:
            write_reports(learners, tmp_path / "out", "A course")
        assert len(str(error.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()
