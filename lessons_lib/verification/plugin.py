"""The plugin of pytest by which a run of nbval compares pictures and widgets, too.

`notebooks/conftest.py` switches it on for `make test`, `nbval_run` for `lessons verify`.
"""

from typing import no_type_check

import pytest
from nbval.plugin import IPyNbCell

from lessons_lib.verification.shown import stale


@pytest.hookimpl(wrapper=True)
@no_type_check  # which would hide from pytest that this is a generator
def pytest_runtest_call(item):
    result = yield
    if isinstance(item, IPyNbCell) and item.options["check"] and (found := stale(item)):
        item.raise_cell_error(f"This cell shows something else than the notebook stores: {found}")
    return result
