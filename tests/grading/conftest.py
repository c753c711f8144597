"""What an answer calls of the library is checked elsewhere; here thousands of answers run."""

import pytest


@pytest.fixture(autouse=True)
def _quick(unchecked_shapes):
    return
