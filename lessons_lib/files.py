"""Files and folders that are there whole, or not at all, whatever pulls the plug; and places that can take them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lessons_lib.errors import UserError

COMPLETE = ".complete"  # in a folder that is being replaced: its new files, all of them, from the moment they are whole
LFS_POINTER = b"version https://git-lfs"


def refuse_pointer(path: Path) -> None:
    """Raise ValueError if Git left a note in the place of a large file."""
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise UserError(f"{path} is a pointer of Git LFS, and not the file itself; fetch it: git lfs pull")


def write_whole(path: str | Path, data: bytes | str, fix: str = "free some space, or write to another place") -> None:
    """Write a file, and its folder if there is none; an old file stays until the new one is whole on the disk.

    Text is written as UTF-8. A link stays a link, to the new file. A pipe and a device (``/dev/stdout``) are written to
    as they are: in their place a file would be a surprise.

    Args:
        fix: what the error says is to be done.
    Raises:
        ValueError: ``path`` is a folder.
        OSError: it cannot be written, for example because the disk is full; what was there before is untouched.
    """
    shown = path
    is_file = Path(path).is_file() and Path(path).absolute().parts[1] not in ("dev", "proc")
    path = Path(path).resolve() if is_file or (Path(path).is_symlink() and not Path(path).exists()) else Path(path)
    # Names of files that are no text reach us as lone surrogates; what has none is not changed.
    data = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    if path.is_dir():
        raise UserError(f"{shown} is a folder; give a file")
    beside = path.with_name(f".{path.name}.partial")
    try:
        if path.exists() and not is_file:
            with path.open("ab") as stream:
                stream.write(data)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # on the disk itself, before the name changes hands
        os.replace(beside, path)
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OSError(f"{shown} cannot be written ({error.strerror or error}); {fix}") from None


def check_name(path: str | Path) -> None:
    """Raise ValueError if the path is no text: `safetensors` could not open what is written there."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UserError(f"{path} holds bytes that are not UTF-8; give a folder with another name") from None


def check_place(path: str | Path, example: str) -> None:
    """Raise ValueError unless a file may be written to ``path``: to be asked before the work, not after it.

    Args:
        example: what a file there could be called.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; give a file, such as {path / example}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path.parent} does not exist; make it, or give another --out")


@contextmanager
def replacing_whole(folder: Path, what: str = "the files", fix: str = "free some space") -> Iterator[Path]:
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
        raise OSError(f"{folder} cannot take {what} ({error.strerror or error}); {fix}") from None
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
