"""Files appear whole, at the place that was named, or not at all."""

import errno
import os
import re
import threading
from pathlib import Path

import pytest

import lessons_lib
from lessons_lib.files import COMPLETE, check_name, check_place, finish, refuse_pointer, replacing_whole, write_whole

NOT_TEXT = os.fsdecode(b"mod\xe8le")  # as a system of the nineties wrote it


def test_a_file_is_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_whole(path, "été")
    assert path.read_bytes() == "été".encode()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for function in ("fsync", "replace"):
        monkeypatch.setattr(os, function, full)
        with pytest.raises(OSError, match=r"a cannot be written \(No space left on device\); give another --out"):
            write_whole(path, "new", "give another --out")
        monkeypatch.undo()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a", "été")]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to("real")
    for text in ("old", "new"):  # the first time the file is not there yet
        write_whole(tmp_path / "link", text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == text


def test_a_pipe_and_a_device_stay_what_they_are(tmp_path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    listener = threading.Thread(target=lambda: heard.append(pipe.read_text()), daemon=True)
    listener.start()
    write_whole(pipe, "0-0 1-1\n")
    listener.join(timeout=60)
    assert heard == ["0-0 1-1\n"]
    assert pipe.is_fifo()
    write_whole(f"/dev/fd/{os.open(os.devnull, os.O_WRONLY)}", "lost")
    with pytest.raises(OSError, match=r"/dev/full cannot be written \(No space left on device\)"):
        write_whole("/dev/full", "x")
    assert Path("/dev/full").is_char_device()


def test_what_is_no_text_in_a_name_is_written_so_that_json_can_be_read(tmp_path):
    write_whole(tmp_path / "a.json", f'"{NOT_TEXT}"')
    assert (tmp_path / "a.json").read_bytes() == rb'"mod\udce8le"'


def test_places_are_looked_at_before_the_work(tmp_path):
    check_place(tmp_path / "a", "b")
    with pytest.raises(ValueError, match=r"is a folder; give a file, such as .*/report\.html"):
        check_place(tmp_path, "report.html")
    with pytest.raises(ValueError, match=r"none does not exist; make it, or give another --out"):
        check_place(tmp_path / "none" / "a", "b")
    with pytest.raises(ValueError, match="is a folder; give a file"):
        write_whole(tmp_path, "a")
    check_name("modèle 🙂")
    with pytest.raises(ValueError, match="bytes that are not UTF-8; give a folder with another name"):
        check_name(NOT_TEXT)


def test_a_pointer_of_git_is_no_model(tmp_path):
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ValueError, match="is a pointer of Git LFS, and not the file itself; fetch it: git lfs pull"):
        refuse_pointer(tmp_path / "model.safetensors")


def test_what_the_user_can_mend_is_a_user_error():
    """A plain `ValueError` ends a command as a fault of ours. The lexicon and the grader have no user at a command."""
    root = Path(lessons_lib.__file__).parent
    elsewhere = ("grading", "studies", "widgets", "language")
    plain = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        if not set(elsewhere) & set(path.relative_to(root).parts)
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"raise (ValueError|TypeError|RuntimeError)\(", line)
    ]
    assert not plain


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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
