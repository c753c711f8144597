"""The trainings on the page Benchmarks: each has its card in benchmarks/cards, and the page says what the card says."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARDS = sorted((ROOT / "benchmarks" / "cards").glob("*.json"))
ROWS = (ROOT / "book" / "benchmarks.md").read_text("utf-8").splitlines()


def test_there_are_cards():
    assert CARDS


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_the_page_says_what_the_card_says(path):
    """A row for each test set and beam: name, minutes, steps, test set, beam, BLEU, chrF."""
    card = json.loads(path.read_text("utf-8"))
    for test in card["tests"]:
        search = "greedy" if test["beam"] == 1 else f"{test['beam']} beams"
        said = [f"{card['minutes']:.0f}", f"{card['steps']:,}", test["set"], search]
        cells = [path.stem, *said, f"{test['bleu']:.1f}", f"{test['chrf']:.1f}"]
        assert f"| {' | '.join(cells)} |" in ROWS


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_says_all_that_is_needed_to_repeat_the_run(path):
    card = json.loads(path.read_text("utf-8"))
    assert {"command", "seed", "hardware", "precision", "processes", "versions", "parameters", "training"} <= set(card)
    assert len(card["data"]["sha256"]) == 64
    assert "/" not in card["command"].replace(" runs/", " ")
    assert all(test["signature"].startswith("nrefs:1|case:mixed") for test in card["tests"])
