"""Every shape in a signature of lessons_lib is checked while the tests run: a wrong one fails the test."""

import os

import jaxtyping
import pytest

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The grammar has no tensors and millions of small calls: imported before the hook, it runs 18 times faster.
import lessons_lib.translation.grammar  # noqa: F401

jaxtyping.install_import_hook("lessons_lib", "beartype.beartype")


@pytest.fixture
def unchecked_shapes():
    """No checks for the length of a test: a compiler that traces the model sees symbols where they want numbers."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
