"""A model that the commands export, sentences to compare by, and how a user's error looks; for each command's tests."""

from collections.abc import Callable

import pytest

from lessons_lib.cli import main


@pytest.fixture
def sentences(tmp_path, request) -> str:
    """A file of the module's `TEXTS`, and a blank line."""
    path = tmp_path / "sentences.txt"
    path.write_text("\n".join(request.module.TEXTS) + "\n\n", "utf-8")
    return str(path)


@pytest.fixture
def fails(capsys, request) -> Callable[..., str]:
    """Calls the module's `COMMAND`, whose user errs: exit code 2, one line on stderr, which it returns, no output."""

    def call(*arguments: str) -> str:
        assert main([request.module.COMMAND, *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return call
