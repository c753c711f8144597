"""Writing so that a reader finds the old file or the new one, never a half, whatever pulls the plug; a folder too."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COMPLETE = ".complete"  # in a folder that is being replaced: its new files, all of them, from the moment they are whole


def write_whole(path: str | Path, data: bytes | str, advice: str = "free some space, or give another place") -> None:
    """Write a file, and its folder if there is none; text as UTF-8, its lines ended as they are.

    Args:
        advice: what to do if it cannot be written.
    Raises:
        OSError: it cannot be written, for example because the disk is full; what was there before is untouched.
    """
    path = Path(path)
    data = data.encode() if isinstance(data, str) else data
    beside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_through(beside, data)
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OSError(
            f"{path} cannot be written, {len(data) / 1e6:.1f} MB ({error.strerror or error}); {advice}"
        ) from None


@contextmanager
def replacing_whole(folder: Path, what: str = "the files", advice: str = "free some space") -> Iterator[Path]:
    """A temporary folder whose files all stand in ``folder`` afterwards, or none does if an error comes before.

    The old files stay until the new ones are complete on the disk. Then one renaming decides, and `finish` moves them
    to their places: the next who opens the folder does it if this process can't.

    Args:
        what: the files are together, for the error.
    Raises:
        OSError: a file cannot be written, for example because the disk is full.
    """
    folder = Path(folder).absolute()
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    finish(folder)
    partial = Path(tempfile.mkdtemp(prefix=".new-", suffix=".partial", dir=folder))
    try:
        yield partial
        for path in partial.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(partial, folder / COMPLETE)
        finish(folder)
    except OSError as error:
        raise OSError(f"{folder} cannot take {what} ({error.strerror or error}); {advice}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


def finish(folder: Path) -> None:
    """Move to their places the complete new files of a replacement that was cut off, if there are any.

    Raises:
        OSError: a file cannot be moved, for example in a folder that is only for reading.
    """
    complete = Path(folder) / COMPLETE
    if complete.is_dir():
        with suppress(FileNotFoundError):  # another process does the same
            for path in complete.iterdir():
                os.replace(path, Path(folder) / path.name)
            complete.rmdir()


def _write_through(path: Path, data: bytes) -> None:
    """To the disk itself, before the name changes hands."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
