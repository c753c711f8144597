"""What is made of the results of a class: tables, import files for learning platforms, and pages.

`questions` says what was asked; `gradebook`, `gradescope`, `github_classroom` and `learning_platforms` write what other
programs read, by `tables`; `pages`, `class_page` and `similar_page` write HTML, by `shell` and `histogram`; `similar`
compares answers by their `fingerprints`; `names` makes file names. Nothing here grades, and the same results give the
same bytes.
"""

from collections.abc import Sequence
from pathlib import Path

from lessons_lib.files import write_whole
from lessons_lib.grading.batch.results import Learner
from lessons_lib.grading.marks import github_classroom, gradescope
from lessons_lib.grading.marks.class_page import class_page
from lessons_lib.grading.marks.gradebook import gradebook
from lessons_lib.grading.marks.learning_platforms import canvas, left_out_table, moodle
from lessons_lib.grading.marks.names import file_names
from lessons_lib.grading.marks.pages import learner_page
from lessons_lib.grading.marks.similar import similar
from lessons_lib.grading.marks.similar_page import similar_page

CLASS = "class.html"
FILES = {
    "gradebook.csv": "gradebook.csv: points of every question, for a spreadsheet",
    "canvas.csv": "canvas.csv: to import into Canvas's gradebook",
    "moodle.csv": "moodle.csv: to import into Moodle's gradebook",
    "left_out.csv": "left_out.csv: who is not in these two, and why",
    "similar.html": "answers that are alike: information, not a verdict",
}


def write_reports(learners: Sequence[Learner], out: Path, course_title: str) -> list[Path]:
    """Write all reports of a class into a folder, and give their paths, in the order in which they were written.

    For who teaches: `class.html`, and the files of `FILES`. For each learner, by a safe form of the key
    (`names.file_names`): `learners/NAME.html`, `gradescope/NAME/results.json` and `github_classroom/NAME/results.json`.
    Other files in the folder stay.

    Raises:
        UserError: there is no learner, two have one key, or they were asked different questions.
        ValueError: points that do not add up.
        OSError: a file cannot be written.
    """
    names = file_names(learner.key for learner in learners)
    pages = {key: f"learners/{name}.html" for key, name in names.items()}
    (for_canvas, not_canvas), (for_moodle, not_moodle) = canvas(learners), moodle(learners)
    left_out = [*not_canvas, *not_moodle]
    texts = {
        "gradebook.csv": gradebook(learners),
        "canvas.csv": for_canvas,
        "moodle.csv": for_moodle,
        "left_out.csv": left_out_table(left_out),
        "similar.html": similar_page(similar(learners), course_title, pages),
    }
    for learner in learners:
        texts[pages[learner.key]] = learner_page(learner, course_title)
        for host in (gradescope, github_classroom):
            folder = host.__name__.rpartition(".")[2]
            texts[f"{folder}/{names[learner.key]}/results.json"] = host.results_json(learner)
    texts[CLASS] = class_page(learners, course_title, pages, FILES, left_out)
    for name, text in texts.items():
        write_whole(out / name, text)
    return [out / name for name in texts]
