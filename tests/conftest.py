"""Every shape in a signature of lessons_lib is checked while the tests run: a wrong one fails the test."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
install_import_hook("lessons_lib", "beartype.beartype")
