"""Stored studies are of the present code, their cards say their numbers, and an unknown one is named."""

import pytest

from lessons_lib import studies
from lessons_lib.studies._card import card


@pytest.mark.parametrize("name", studies.names())
def test_the_numbers_are_those_of_the_present_code(name):
    study = studies.load(name)
    assert study.made["program"] == studies.program(name), f"run: python -m lessons_lib.studies {name}"
    assert study.seeds == list(studies.module(name).SEEDS)
    assert len(study.seeds) >= 3
    assert all(len(values) == len(study.seeds) for values in study.results.values())


@pytest.mark.parametrize("name", studies.names())
def test_the_card_says_what_was_measured(name):
    study = studies.load(name)
    assert set(study.verdicts.values()) <= {"true", "false", "open"}
    assert (studies.FOLDER / f"{name}.md").read_text("utf8") == card(study)


def test_an_unknown_study_is_named():
    with pytest.raises(ValueError, match="no study 'nothing'"):
        studies.load("nothing")
