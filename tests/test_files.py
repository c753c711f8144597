"""A file and a folder are there whole or not at all, at whatever moment the plug is pulled."""

import errno
import os

import pytest

from lessons_lib.files import COMPLETE, finish, replacing_whole, write_whole


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, function):
    path = tmp_path / "toy.bin"
    write_whole(path, b"old")
    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match=r"toy\.bin cannot be written, 0\.0 MB \(No space left on device\); give another"):
        write_whole(path, b"new", "give another --out")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["toy.bin"]


def test_text_keeps_its_line_ends_and_its_folder_is_made(tmp_path):
    write_whole(tmp_path / "a" / "b.txt", "é\r\nx\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "é\r\nx\n".encode()


def written(folder, text):
    for name in ("one", "two", "three"):
        (folder / name).write_text(text)


def texts(folder):
    return {path.read_text() for path in folder.iterdir()}


def test_a_folder_is_replaced_together(tmp_path):
    out = tmp_path / "out"
    for text in ("old", "new"):
        with replacing_whole(out) as folder:
            written(folder, text)
    assert texts(out) == {"new"}


def test_an_error_on_the_way_leaves_the_old_folder_or_none(tmp_path):
    out = tmp_path / "out"
    message = r"out cannot take the model \(No space left on device\); free some space"
    with pytest.raises(OSError, match=message), replacing_whole(out, "the model"):
        full()
    assert not out.exists()
    with replacing_whole(out) as folder:
        written(folder, "old")
    with pytest.raises(OSError, match="cannot take the files"), replacing_whole(out) as folder:
        (folder / "one" / "two").write_text("new")
    assert texts(out) == {"old"}


@pytest.mark.parametrize("renamings", range(5))
def test_the_plug_at_any_renaming_leaves_all_old_files_or_all_new_ones(tmp_path, monkeypatch, renamings):
    with replacing_whole(tmp_path) as folder:
        written(folder, "old")
    real, done = os.replace, []

    def cut(source, target):
        if len(done) == renamings:
            raise KeyboardInterrupt
        done.append(real(source, target))

    monkeypatch.setattr(os, "replace", cut)
    try:
        with replacing_whole(tmp_path) as folder:
            written(folder, "new")
    except KeyboardInterrupt:
        assert renamings < 4
    monkeypatch.undo()
    finish(tmp_path)
    assert texts(tmp_path) == {"new" if renamings else "old"}
    assert not (tmp_path / COMPLETE).exists()
