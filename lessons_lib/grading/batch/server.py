"""The untrusted side: a warm process that forks one child a question, and never sees a hand-in or a result itself.

It has loaded PyTorch and all that drives answers, which takes seconds, and nothing that judges. Whoever wants a
question answered sends it one end of a new connection; the child that it forks reads the answer's text there, is shut
in a box (`box.py`), and then answers one set of inputs after another. What one child does stays in that child. The
warm process is a Python of its own, and no fork of the one that grades: so no child's memory, environment or command
line has a seed, a judge, a secret or another's hand-in.
"""

import contextlib
import gc
import inspect
import json
import linecache
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import types
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import lessons_lib.grading
from lessons_lib.grading import parts
from lessons_lib.grading.arrays import MAX_BYTES, encode, text_array
from lessons_lib.grading.batch.box import LEVELS, Level, end, enter, others_of_this_user, shut
from lessons_lib.grading.drive.question import Question
from lessons_lib.grading.drive.run import LESSONS, questions, run

MOST = 2 * MAX_BYTES  # of one message: arrays in base64
PAUSE = 600.0  # seconds that a child waits for its next inputs
LENGTH = struct.Struct("<I")
MOST_MARKS = 2_000  # of JSON's commas, colons and brackets in results: 200 arrays have 400
STARTING = 120.0  # seconds that loading PyTorch may take
ENDING = 20.0  # seconds that the processes of a box may take to be gone
START = "import sys; from lessons_lib.grading.batch.server import main; main(int(sys.argv[1]), sys.argv[2])"
# What a child's environment has of ours; the rest, such as a token, is nobody's business.
KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
ENVIRONMENT = {
    "HOME": "/tmp",
    "USER": "learner",
    "LOGNAME": "learner",
    "MPLBACKEND": "agg",
    "CUDA_VISIBLE_DEVICES": "",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Server:
    """The process; `connect()` gives a connection to a new child of it. Ends with the process that made it."""

    def __init__(self, level: Level):
        self.level = level
        self._start()

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        here = [str(Path(lessons_lib.__file__).parents[1]), *filter(None, sys.path)]
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(theirs.fileno()), self.level.name],
                env=kept | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(here))},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.pid, self.socket = self._process.pid, ours

    def connect(self, slot: int) -> tuple[socket.socket, int]:
        """A connection to a new child, and a handle that can be read when the child and all it started are gone.

        They go when the connection is closed. A server that is gone is started anew.

        Args:
            slot: a number that no other child has at this time.
        Raises:
            OSError: the server or the box failed.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                socket.send_fds(self.socket, [bytes([slot])], [theirs.fileno()])
            except ConnectionError:
                self.socket.close()
                self._start()
                socket.send_fds(self.socket, [bytes([slot])], [theirs.fileno()])
        handles: list[int] = []
        try:
            ours.settimeout(STARTING)
            told, handles, *_ = socket.recv_fds(ours, 1, 1)
            if told != b"+" or not handles:
                raise OSError("no process could be shut in a box")
        except OSError:
            ours.close()
            for handle in handles:
                os.close(handle)
            raise
        return ours, handles[0]

    def close(self) -> None:
        self.socket.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def disconnect(connection: socket.socket, handle: int) -> None:
    """Give up a child: when this returns, it and all that it started are gone."""
    connection.close()
    gone = select.poll()
    gone.register(handle, select.POLLIN)
    gone.poll(ENDING * 1000)
    os.close(handle)


def main(handle: int, level: str) -> None:
    """The warm process."""
    load()
    _serve(socket.socket(fileno=handle), LEVELS[level])


def load() -> None:
    """Load what every child would load otherwise: all drives, and what PyTorch loads when an optimizer is made."""
    torch.set_num_threads(1)
    for lesson in LESSONS:
        for question in questions(lesson.removeprefix("lesson_")).values():
            question.ready()
    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """One JSON object; bytes in it as base64."""
    data = json.dumps(message, default=lambda value: b64encode(value).decode()).encode()
    connection.sendall(LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket, until: float, marks: float = float("inf")) -> Any:
    """One JSON value, whatever it is.

    Args:
        until: the moment, by time.monotonic(), after which nobody waits.
        marks: how many commas, colons and brackets it may have: what is read takes memory for each.
    Raises:
        TimeoutError: nothing whole came in time.
        EOFError: the other side is gone.
        ValueError: it is too long, or no JSON.
    """
    size = LENGTH.unpack(_exactly(connection, LENGTH.size, until))[0]
    if size > MOST:
        raise ValueError(f"{size / 2**20:,.0f} MiB of results; at most {MOST // 2**20} MiB are read")
    data = _exactly(connection, size, until)
    if marks < float("inf") and sum(map(data.count, (b",", b":", b"[", b"{"))) > marks:
        raise ValueError("results that are no arrays")
    try:
        return json.loads(data)
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
    others = others_of_this_user()
    gc.freeze()  # a collection in a child would copy every page of what is shared
    while True:
        message, handles, *_ = socket.recv_fds(socket_, 1, 1)
        if not message:
            return
        with contextlib.suppress(OSError):  # no process to be had: the connection closes, and who asked asks again
            if os.fork() == 0:
                with contextlib.suppress(BaseException):
                    socket_.close()
                    _outer(socket.socket(fileno=handles[0]), level, message[0], others)
                os._exit(0)
        for handle in handles:
            os.close(handle)


def _outer(connection: socket.socket, level: Level, slot: int, others: int) -> None:
    """Prepare the box, fork the one that goes into it, and clear the box when that ends or is given up."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    folder = shut(level, slot)
    told, here = os.pipe()  # `here` is open as long as this process lives, and not in the child
    inner = os.fork()
    if inner == 0:
        os.close(here)
        with contextlib.suppress(BaseException):
            _inner(connection, level, slot, folder, others)
        os._exit(0)
    try:
        socket.send_fds(connection, [b"+"], [told])
        os.close(told)
        _watch(connection, inner)
    finally:
        end(level, slot, inner, folder)


def _watch(connection: socket.socket, inner: int) -> None:
    """Wait until the child has ended, or nobody is at the other end of its connection."""
    other_end = select.poll()
    other_end.register(connection, 0)  # told without asking: the other end is closed
    while os.waitid(os.P_PID, inner, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if other_end.poll(50):
            return


def _inner(connection: socket.socket, level: Level, slot: int, folder: str, others: int) -> None:
    job = receive(connection, time.monotonic() + 30)
    _nothing_else_open(connection.fileno())
    enter(level, slot, job["seconds"], folder, others)
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
    question = replace(question, busy=job["patience"])
    space: dict[str, Any] = {"__name__": parts.REFERENCE}
    for text in job["parts"].values():
        with contextlib.suppress(NameError):  # built on what is asked for here: not to be had
            exec(compile(text, parts.REFERENCE, "exec"), space)
    course = dict(space)
    lessons_lib.grading.check = space["check"] = _Check(course)  # type: ignore[attr-defined]
    space["__name__"] = "__main__"
    sys.modules["__main__"] = types.ModuleType("__main__")
    failed = None
    for cell, line, text in job["statements"]:
        file = f"<cell {cell}>"
        _remember(file, line, text)
        try:
            exec(compile("\n" * (line - 1) + text, file, "exec"), space)
        except BaseException as error:
            failed = failed or f"cell {cell}, line {_line(error, file, line)}: {_told(error)}"
    _empty_functions(tuple(name for name in question.forbidden if name.partition(".")[0] == "lessons_lib"))
    if job["driver"]:
        checks: dict[str, Any] = {"__name__": "extra_check"}
        exec(compile(job["driver"], "<extra check>", "exec"), checks)
        question = replace(question, drive=checks["drive"])
    complete = failed is None or all(name in space for name in question.signatures)
    return question, space, {} if complete else encode({"error": text_array(failed)})


def _remember(file: str, line: int, text: str) -> None:
    """Keep the lines of a statement, beside those of its cell's others, for who asks what stands on a line."""
    lines = linecache.cache[file][2] if file in linecache.cache else []
    new = [f"{each}\n" for each in text.split("\n")]
    lines = [*lines, *["\n"] * (line - 1 + len(new) - len(lines))]
    lines[line - 1 : line - 1 + len(new)] = new
    linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # its own text may fail too
        return type(error).__name__


def _empty_functions(modules: tuple[str, ...]) -> None:
    """Empty the functions of what the answer may not call, so that it has nothing of calling them unseen.

    `watch_calls` sees a call and says which it was, but not in another thread or where the answer has switched it off.
    """
    for name, module in list(sys.modules.items()):
        if any(f"{name}.".startswith(f"{each}.") for each in modules):
            for function in _functions(module, name):
                code, own = function.__code__, _nothing.__code__
                said = f"the answer calls {name}.{function.__qualname__}: build that yourself"
                consts = tuple(said if const == NOT_HERE else const for const in own.co_consts)
                function.__code__ = own.replace(co_name=code.co_name, co_freevars=code.co_freevars, co_consts=consts)


def _functions(owner: Any, module: str) -> Iterator[types.FunctionType]:
    for value in list(vars(owner).values()):
        if getattr(value, "__module__", module) != module:
            continue
        if isinstance(value, type):
            yield from _functions(value, module)
        elif isinstance(value, property):
            yield from (each for each in (value.fget, value.fset) if isinstance(each, types.FunctionType))
        else:
            inner = inspect.unwrap(getattr(value, "__func__", value))
            if isinstance(inner, types.FunctionType) and inner.__module__ == module:
                yield inner


NOT_HERE = "the answer calls what it is to build"


def _nothing(*arguments: Any, **options: Any) -> Any:
    raise RuntimeError("the answer calls what it is to build")  # a constant of its code: NOT_HERE, which is replaced


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
