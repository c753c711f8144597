"""Every shape in a signature of lessons_lib is checked while the tests run: a wrong one fails the test."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# The grammar has no tensors and millions of small calls: imported before the hook, it runs 18 times faster.
import lessons_lib.translation.grammar  # noqa: F401

install_import_hook("lessons_lib", "beartype.beartype")
