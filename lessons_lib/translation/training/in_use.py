"""One training a folder: a second process that wants it hears who is there."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lessons_lib.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOCK = "in_use"


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Hold ``folder``, which is made if need be. The system lets go of it when the process ends, however it ends.

    Systems without `fcntl` go on unguarded.

    Raises:
        ValueError: another process, or another training of this one, holds it; names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+") as file:
        if fcntl:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "another"
                fix = "wait for it, or give another --out"
                raise UserError(f"{folder.parent} is in use by process {holder}, which trains there; {fix}") from None
            except OSError:  # a file system without locks
                pass
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()} on {platform.node()}\n")
        file.flush()
        yield
