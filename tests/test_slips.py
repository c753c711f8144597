"""Each slip is noticed, and told by its name, whatever the drawn inputs are."""

import pytest
from slip_tables import graded, slips

ALL = slips()


@pytest.mark.parametrize("slip", ALL, ids=str)
def test_it_is_told_by_its_name(slip):
    for seed in (0, 7):
        assert slip.hint in (graded(slip, seed).hint or "nothing"), graded(slip, seed).text()
