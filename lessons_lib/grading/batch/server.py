"""The untrusted side: a warm process that forks one child a question, and never sees a hand-in or a result itself.

It has loaded PyTorch and all that drives answers, which takes seconds, and nothing that judges. Whoever wants a
question answered sends it one end of a new connection; the child that it forks reads the answer's text there, is shut
in a box (`box.py`), and then answers one set of inputs after another. What one child does stays in that child.
"""

import contextlib
import gc
import json
import linecache
import os
import signal
import socket
import struct
import sys
import time
import types
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

import lessons_lib.grading
from lessons_lib.grading import parts
from lessons_lib.grading.arrays import MAX_BYTES, encode, text_array
from lessons_lib.grading.batch.box import Level, enter, shut
from lessons_lib.grading.batch.lifetime import end_with
from lessons_lib.grading.drive.question import Question
from lessons_lib.grading.drive.run import LESSONS, questions, run

MOST = 2 * MAX_BYTES  # of one message: arrays in base64
PAUSE = 600.0  # seconds that a child waits for its next inputs
LENGTH = struct.Struct("<I")


class Server:
    """The process; `connect()` gives a connection to a new child of it. Ends with the process that made it."""

    def __init__(self, level: Level):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                end_with(parent)
                ours.close()
                _serve(theirs, level)
            os._exit(0)
        theirs.close()
        self.socket = ours

    def connect(self, slot: int) -> tuple[socket.socket, int]:
        """A connection to a new child, and the handle by which it can be killed, with all that it starts.

        Args:
            slot: a number that no other child has at this time.
        Raises:
            OSError: the server or the box failed.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            socket.send_fds(self.socket, [bytes([slot])], [theirs.fileno()])
        try:
            ours.settimeout(30)
            told, handles, *_ = socket.recv_fds(ours, 1, 1)
        except OSError:
            ours.close()
            raise
        if told != b"+" or not handles:
            ours.close()
            raise OSError("no process could be shut in a box")
        return ours, handles[0]

    def close(self) -> None:
        self.socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def load() -> None:
    """Load what every child would load otherwise: all drives, and what PyTorch loads when an optimizer is made."""
    for lesson in LESSONS:
        questions(lesson.removeprefix("lesson_"))
    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """One JSON object; bytes in it as base64."""
    data = json.dumps(message, default=lambda value: b64encode(value).decode()).encode()
    connection.sendall(LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket, until: float) -> Any:
    """One JSON value, whatever it is.

    Args:
        until: the moment, by time.monotonic(), after which nobody waits.
    Raises:
        TimeoutError: nothing whole came in time.
        EOFError: the other side is gone.
        ValueError: it is too long, or no JSON.
    """
    size = LENGTH.unpack(_exactly(connection, LENGTH.size, until))[0]
    if size > MOST:
        raise ValueError(f"{size / 2**20:,.0f} MiB of results; at most {MOST // 2**20} MiB are read")
    try:
        return json.loads(_exactly(connection, size, until))
    except RecursionError:
        raise ValueError("results that are nested too deep") from None


def _exactly(connection: socket.socket, size: int, until: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        try:
            more = connection.recv(min(size - len(data), 2**20))
        except ConnectionError:
            more = b""
        if not more:
            raise EOFError
        data += more
    return bytes(data)


def blobs(value: Any) -> dict[str, bytes]:
    """Arrays of a message.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError("results that are no arrays")
    return {name: b64decode(text, validate=True) for name, text in value.items()}


def _serve(socket_: socket.socket, level: Level) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a child; the system clears it away
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # a collection in a child would copy every page of what is shared
    while True:
        message, handles, *_ = socket.recv_fds(socket_, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            with contextlib.suppress(BaseException):
                socket_.close()
                _outer(socket.socket(fileno=handles[0]), level, message[0])
            os._exit(0)
        for handle in handles:
            os.close(handle)


def _outer(connection: socket.socket, level: Level, slot: int) -> None:
    """Prepare the box, fork the one that goes into it, and hand out the handle by which it can be killed."""
    end_with(os.getppid())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    shut(level)
    begin, ready = os.pipe()
    inner = os.fork()
    if inner == 0:
        os.close(ready)
        os.read(begin, 1)
        with contextlib.suppress(BaseException):
            _inner(connection, level, slot)
        os._exit(0)
    handle = os.pidfd_open(inner) if hasattr(os, "pidfd_open") else os.open(os.devnull, os.O_RDONLY)
    socket.send_fds(connection, [b"+"], [handle])
    connection.close()
    os.close(begin)
    os.write(ready, b"+")
    os.waitpid(inner, 0)


def _inner(connection: socket.socket, level: Level, slot: int) -> None:
    job = receive(connection, time.monotonic() + 30)
    _nothing_else_open(connection.fileno())
    enter(level, slot, job["seconds"])
    send(connection, {"ready": True})  # from here on, what goes wrong is the answer's own doing
    question, namespace, failed = _prepare(job)
    while True:
        inputs = blobs(receive(connection, time.monotonic() + PAUSE))
        send(connection, failed or run(question, namespace, inputs))


def _nothing_else_open(kept: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, 1024)
    sys.stdin = open(0)  # noqa: SIM115
    sys.stdout = sys.stderr = open(1, "w")  # noqa: SIM115


def _prepare(job: Mapping[str, Any]) -> tuple[Question, dict[str, Any], dict[str, bytes]]:
    """The question, and the namespace that its answer leaves: the course's parts first, then the learner's statements.

    Where a statement fails, the ones behind it are tried all the same. The first that failed is told, as the results
    that every input has, if the answer is not there then.
    """
    question = questions(job["lesson"])[job["question"]]
    question = replace(question, seconds=question.seconds * job["patience"])
    space: dict[str, Any] = {"__name__": parts.REFERENCE}
    for text in job["parts"].values():
        exec(compile(text, parts.REFERENCE, "exec"), space)
    course = dict(space)
    lessons_lib.grading.check = space["check"] = _Check(course)  # type: ignore[attr-defined]
    space["__name__"] = "__main__"
    sys.modules["__main__"] = types.ModuleType("__main__")
    failed = None
    for cell, line, text in job["statements"]:
        file = f"<cell {cell}>"
        source = "\n" * (line - 1) + text
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            exec(compile(source, file, "exec"), space)
        except BaseException as error:
            failed = failed or f"cell {cell}, line {_line(error, file, line)}: {type(error).__name__}: {error}"
    complete = failed is None or all(name in space for name in question.signatures)
    return question, space, {} if complete else encode({"error": text_array(failed)})


def _line(error: BaseException, file: str, line: int) -> int:
    """Where in the cell a statement failed that begins on `line`."""
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


class _Check:
    """What stands for `check` here: it gives the course's parts, and does nothing else."""

    def __init__(self, course: Mapping[str, Any]):
        self._course = course

    def part(self, *names: str) -> Any:
        found = [self._course[name] for name in names]
        return found[0] if len(names) == 1 else found

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: None

    def __call__(self, *arguments: Any, **options: Any) -> None:
        pass
