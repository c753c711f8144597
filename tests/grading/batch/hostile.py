"""Answers that mean harm, as cells of a notebook: harmless stand-ins, for our own guard.

Each defines the function of exercise 1. What is not held back would give all points: `attempt()` is true if it got what
it wanted, and then the answer is right. Words in capitals are put in by the test: ROOT, the checkout; FOLDER, that of
another hand-in; PORT, of a listener of the test's own; NUMBER, a seed with a space in it.
"""

from dataclasses import dataclass

NAME = "scaled_dot_product_attention"
RIGHT = f"""
import torch
def {NAME}(query, key, value, mask=None):
    weights = torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1)
    return weights @ value, weights
"""
HEAD = (
    f"import ctypes, gc, os, re, signal, socket, sys, threading, time\nimport numpy\nimport torch\n\ndef {NAME}(*x):\n"
)
# The connection's descriptor, and one message on it.
FORGE = """
import base64, json, os, socket, struct
import numpy
from lessons_lib.grading.arrays import encode
def connection():
    for number in range(3, 300):
        try:
            found = socket.socket(fileno=number)
            found.setblocking(True)
            return found
        except OSError:
            continue
def forge(data, size=None):
    connection().sendall(struct.pack("<I", len(data) if size is None else size) + data)
    os._exit(0)
def texts(arrays):
    return json.dumps({name: base64.b64encode(blob).decode() for name, blob in encode(arrays).items()}).encode()
CASES = ("plain", "square", "batch", "heads", "shuffled", "large", "double", "device", "again", "gradient")
"""
TRY = f"""
import ctypes, gc, os, resource, signal, socket, sys, time
import torch
def {NAME}(query, key, value, mask=None):
    try:
        won = attempt()
    except BaseException as error:
        raise RuntimeError("held back by " + type(error).__name__)
    if not won:
        raise RuntimeError("held back: nothing is there")
    weights = torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, dim=-1)
    return weights @ value, weights
"""
ALWAYS, ALONE = "limits", "namespaces"  # the least level that holds it back
ENDED, STOPPED, NOTHING = "ended before it gave a result", r"stopped after [\d.]+ s", "returns nothing"
RUNNING, BACK = (
    rf"still running after [\d.]+ s|{STOPPED}",
    "held back",
)  # a busy machine may come too late for the first


@dataclass(frozen=True)
class Kind:
    """One hostile answer.

    Args:
        hint: a pattern for what is said of it.
        needs: the least level of the box that holds it back.
    """

    text: str
    hint: str
    needs: str = ALWAYS

    @property
    def quick(self) -> bool:
        """Whether it may be stopped after a second: it never ends by itself."""
        return STOPPED in self.hint


def _body(lines: str, hint: str, *rest) -> Kind:
    inside = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
    return Kind(HEAD + inside, hint, *rest)


def _try(lines: str, needs: str = ALONE) -> Kind:
    inside = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
    return Kind(f"{TRY}def attempt():\n{inside}", BACK, needs)


def _forge(line: str, hint: str) -> Kind:
    return Kind(f"{FORGE}def {NAME}(*x):\n    {line}\n", hint)


FAKES = "{f'{case}.{name}': numpy.zeros((5, 7), 'f4') for case in CASES for name in ('output', 'weights', 'query')}"

LEFT = "looks for what another answer left"
KINDS: dict[str, Kind] = {
    # time
    "a loop": _body("while True: pass", RUNNING),
    "a loop that swallows every error": _body(
        "while True:\n    try: time.sleep(0.01)\n    except BaseException: pass", STOPPED
    ),
    "a huge matrix": _body("a = torch.ones(7000, 7000)\nreturn a @ a @ a, a", RUNNING),
    "a huge power": _body("return 9 ** 9 ** 9", RUNNING),
    "sleep": _body("time.sleep(1000)", RUNNING),
    "sleep without the alarm": _body("signal.setitimer(signal.ITIMER_REAL, 0)\ntime.sleep(1000)", STOPPED),
    "an alarm that does nothing": _body(
        "signal.signal(signal.SIGALRM, lambda *_: None)\nwhile True: time.sleep(1)", STOPPED
    ),
    "a pattern that never ends": _body("re.match('(a+)+$', 'a' * 60 + 'b')", RUNNING),
    "a lock that nobody opens": _body("lock = threading.Lock()\nlock.acquire()\nlock.acquire()", RUNNING),
    "an import that never ends": _body(
        "open('slow_one.py', 'w').write('while True: pass')\nsys.path.insert(0, os.getcwd())\nimport slow_one", RUNNING
    ),
    "a loop at the top of a cell": Kind(f"{RIGHT}\nLOOP = sum(0 for _ in iter(int, 1))\n{NAME}.loop = LOOP", STOPPED),
    "a loop in __del__": _body(
        "class Slow:\n    def __del__(self):\n        while True: pass\nSlow()", f"{NOTHING}|{RUNNING}"
    ),
    "a loop at the end": _body("import atexit\n@atexit.register\ndef loop():\n    while True: pass", NOTHING),
    "a thread that never ends": _body(
        "threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()", f"{NOTHING}|{RUNNING}|{ENDED}"
    ),
    # the end
    "exit": _body("exit()", "SystemExit"),
    "the end without a word": _body("os._exit(0)", ENDED),
    "the end at the top of a cell": Kind(f"{RIGHT}\n{NAME}.end = __import__('os')._exit(0)", ENDED),
    "a crash": _body("ctypes.string_at(1)", ENDED),
    "abort": _body("os.abort()", ENDED),
    "the stop button": _body("raise KeyboardInterrupt", ENDED),
    "SIGKILL to itself": _body("os.kill(os.getpid(), signal.SIGKILL)", f"{NOTHING}|{ENDED}"),
    "SIGSTOP to itself": _body("os.kill(os.getpid(), signal.SIGSTOP)", f"{NOTHING}|{STOPPED}"),
    "SIGKILL to everybody": _body(
        "if os.getpid() == 1: os.kill(-1, signal.SIGKILL)", f"{NOTHING}|{ENDED}|No such process", ALONE
    ),
    "SIGKILL to the one above": _body(
        "if os.getpid() == 1: os.kill(os.getppid(), signal.SIGKILL)", f"{NOTHING}|{ENDED}", ALONE
    ),
    # what there is of the machine
    "many processes": _body(
        "for _ in range(200):\n    if os.fork() == 0:\n        time.sleep(60)\n        os._exit(0)",
        "BlockingIOError",
        ALONE,
    ),
    "many threads": _body(
        "for _ in range(1000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "can't start new thread",
        ALONE,
    ),
    "memory": _body("return torch.ones(5 * 2**30, dtype=torch.uint8)", "RuntimeError.*memory"),
    "memory, in Python": _body("return bytearray(5 * 2**30)", "MemoryError"),
    "endless depth": _body(f"sys.setrecursionlimit(10**9)\n{NAME}()", f"{ENDED}|{RUNNING}|MemoryError"),
    "a large file": _body(
        "with open('large', 'wb') as file:\n    for _ in range(100): file.write(bytes(2**20))", "OSError"
    ),
    "a full disk": _body(
        "for i in range(10):\n    with open(f'file{i}', 'wb') as file: file.write(bytes(10 * 2**20))", "OSError", ALONE
    ),
    "output": _body(
        "for _ in range(300):\n    print('x' * 10**5)\n    sys.stderr.write('x' * 10**5)\n    os.write(2, b'x' * 10**5)"
        "\n    os.write(1, b'x' * 10**5)",
        NOTHING,
    ),
    "many open files": _body("files = [open('/dev/null') for _ in range(1000)]", "OSError"),
    "waiting for an input": _body("input()", "EOFError"),
    # what the check itself uses
    "PyTorch changed": _body("torch.from_numpy = lambda array: 1 / 0", f"{NOTHING}|ZeroDivisionError"),
    "NumPy changed": _body(
        "numpy.allclose = numpy.array_equal = lambda *a, **k: True\nreturn x[0], x[0]", r"`?output|weights"
    ),
    "Python changed": _body(
        "import builtins\nbuiltins.isinstance = builtins.all = lambda *a: True\nbuiltins.len = lambda _: 2", "."
    ),
    "the clock changed": _body("time.monotonic = time.time = lambda: 0.0\nwhile True: pass", RUNNING),
    "the drive changed": _body(
        "from lessons_lib.grading.lesson_01 import drive\ndrive.run_case = lambda *a, **k: {}", "was not made|nothing"
    ),
    "the server changed": Kind(
        f"from lessons_lib.grading.batch import server\nserver.run = lambda *a: {{}}\ndef {NAME}(*x): return server",
        "was not made",
    ),
    "the sending changed": Kind(
        f"from lessons_lib.grading.batch import server\nserver.send = lambda *a: None\ndef {NAME}(*x): return server",
        STOPPED,
    ),
    "what encodes changed": Kind(
        f"from lessons_lib.grading.drive import run\nrun.encode = lambda arrays: {{'passed': b'3', 'points': b'3'}}\n"
        f"def {NAME}(*x): return run",
        "cannot be read",
    ),
    "a tensor's method changed": _body(
        "torch.Tensor.numpy = lambda self: numpy.zeros((5, 7), 'f4')\nreturn x[0], x[0]", "."
    ),
    "the library, unseen": _body(
        f"from lessons_lib import attention\nsys.setprofile(None)\nreturn attention.{NAME}(*x)", "RuntimeError|calls"
    ),
    "the library, in a thread": _body(
        "from lessons_lib import attention\nfrom concurrent.futures import ThreadPoolExecutor\n"
        f"with ThreadPoolExecutor() as pool: return pool.submit(attention.{NAME}, *x).result()",
        "RuntimeError|calls",
    ),
    "the library's own": Kind(f"from lessons_lib.attention import {NAME}", "define your own"),
    # objects that lie
    "equal to everything": _body(
        "class Equal:\n    __eq__ = __lt__ = __gt__ = lambda *a: True\n    __hash__ = lambda self: 0\n"
        "    __getattr__ = lambda self, name: self\n    __call__ = lambda self, *a: self\nreturn Equal(), Equal()",
        "not a torch.Tensor",
    ),
    "says it is a tensor": _body(
        "class Tensor:\n    __class__ = torch.Tensor\n    shape = (5, 7)\n    dtype = torch.float32\n"
        "return Tensor(), Tensor()",
        "not a torch.Tensor",
    ),
    "a tensor of its own kind": _body(
        "class Own(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *a, **k): return True\n"
        "return x[0].as_subclass(Own), x[0]",
        "not a torch.Tensor",
    ),
    "a pair that lies about its length": _body(
        "class Pair(tuple):\n    __len__ = lambda self: 2\nreturn Pair((x[0],) * 9)", "."
    ),
    "larger than memory": _body("return torch.zeros(1).expand(10**6, 10**6), x[0]", "more than 16 MiB"),
    "a long axis of nothing": _body("return torch.zeros(10**12, 0), torch.zeros(10**12, 0)", "."),
    "no numbers": _body("return x[0] * float('nan'), x[0] * float('inf')", "."),
    "an error without a text": _body(
        "class E(Exception):\n    def __str__(self): raise OSError\nraise E", "message cannot be read"
    ),
    "such an error at the top": Kind(
        f"class E(Exception):\n    def __str__(self): raise OSError\ndef fail(): raise E\n{NAME} = fail()",
        "cell 1.*: E",
    ),
    # results by its own hand
    "wrong arrays": _forge(f"forge(texts({FAKES}))", "."),
    "wrong arrays twice": _forge(f"connection().sendall(b''); forge(texts({FAKES}) + texts({FAKES}))", "."),
    "garbage": _forge("forge(os.urandom(5000))", "cannot be read"),
    "a message of 4 GiB": _forge("forge(b'x', 2**32 - 1)", "at most"),
    "half a message": _forge("forge(b'x', 1000)", ENDED),
    "brackets in brackets": _forge("forge(b'[' * 10**5)", "no arrays"),
    "few brackets in brackets": _forge("forge(b'[' * 1500 + b']' * 1500)", "no arrays|too deep"),
    "points": _forge('forge(b\'{"passed": 3, "points": 3, "hint": null}\')', "no arrays"),
    "a list": _forge("forge(b'[3, 3]')", "no arrays"),
    "a number that is none": _forge("forge(b'NaN')", "no arrays"),
    "a long number": _forge("forge(b'9' * 10**5)", "cannot be read|no arrays"),
    "no base64": _forge('forge(b\'{"plain.output": "!!"}\')', "cannot be read"),
    "no arrays": _forge('forge(b\'{"plain.output": "AAAA"}\')', "cannot be read"),
    "other names": _forge("forge(texts({'a.b': numpy.zeros(3)}).replace(b'a.b', b'../a'))", "cannot be read"),
    "more than is due": _forge(
        "forge(texts({f'{case}.output': numpy.zeros(10**5) for case in CASES}))", "MiB of results"
    ),
    "ten thousand arrays": _forge(
        "forge(b'{' + b','.join(b'\"a%d\": \"\"' % i for i in range(10**4)) + b'}')", "no arrays"
    ),
    "a long axis of nothing, by hand": _forge(
        "forge(texts({f'{case}.{n}': numpy.zeros((10**12, 0)) for case in CASES for n in ('output', 'weights')}))",
        "cannot be read",
    ),
    "a hint of its own": _forge(
        "forge(texts({'error': numpy.frombuffer(b'<script>\\n' * 99 + b'3 of 3 points', 'u1')}))", "<script> <script>"
    ),
    # what is nobody's business
    "reads the judge": _try("from lessons_lib.grading.judge.reference import attention\nreturn True"),
    "reads the lesson's judge": _try("from lessons_lib.grading.lesson_01 import judge, mistakes\nreturn True"),
    "reads their text": _try(
        "from lessons_lib.grading import drive\nfolder = os.path.dirname(os.path.dirname(drive.__file__))\n"
        "return [n for f, _, s in os.walk(folder) for n in s if n.startswith(('judge', 'mistakes', 'compare')) "
        "and os.path.getsize(os.path.join(f, n))]"
    ),
    "reads the solutions": _try("from lessons_lib.grading.reference import solutions\nreturn solutions()"),
    "reads the checkout": _try("return [n for n in os.listdir('ROOT') if n not in ('lessons_lib', '.venv')]"),
    "reads another's hand-in": _try("return open('FOLDER/theirs.ipynb').read()"),
    "reads it by a link": _try("os.symlink('FOLDER/theirs.ipynb', 'link')\nreturn open('link').read()"),
    "reads it from above": _try("return open('/proc/self/root/FOLDER/theirs.ipynb').read()"),
    "reads it by the one above": _try("return os.listdir(f'/proc/{os.getppid()}/root/FOLDER')"),
    "reads the seed": _try(
        "seed = int('NUMBER'.replace(' ', ''))\n"
        "texts = [open(f'/proc/{n}/cmdline').read() for n in os.listdir('/proc') if n.isdigit()] + sys.argv\n"
        "return any(str(seed) in t for t in texts) or any(o == seed for o in gc.get_objects() if type(o) is int)",
        ALWAYS,
    ),
    "reads what the process was started with": _try(
        "return 'CLASS_TOKEN' in os.environ or b'CLASS_TOKEN' in open('/proc/self/environ', 'rb').read()", ALWAYS
    ),
    "reads what others were started with": _try(
        "pids = [n for n in os.listdir('/proc') if n.isdigit()]\n"
        "return [n for n in pids if b'CLASS_TOKEN' in open(f'/proc/{n}/environ', 'rb').read()]"
    ),
    "reads another's memory": _try("return open(f'/proc/{os.getppid()}/mem', 'rb')"),
    "sees other processes": _try("return [n for n in os.listdir('/proc') if n.isdigit() and int(n) != os.getpid()]"),
    "looks for the judge in memory": _try(
        "own = ('lessons_lib.grading.judge', 'lessons_lib.grading.batch.lane', 'lessons_lib.grading.notebook')\n"
        "found = [n for n in sys.modules if n.startswith(own) or n.endswith(('judge', 'mistakes'))]\n"
        "import inspect\nframes = [f.filename for f in inspect.stack() if 'judge' in f.filename]\n"
        "return found or frames or [o for o in gc.get_objects() if type(o).__name__ in ('Verdict', 'Step', 'Result')]",
        ALWAYS,
    ),
    "looks for open files": _try(
        "paths = [f'/proc/self/fd/{n}' for n in os.listdir('/proc/self/fd')]\n"
        "names = [os.readlink(path) for path in paths if os.path.exists(path)]\n"
        "return [n for n in names if not n.startswith(('socket:', '/proc/')) and not n.endswith('/null')]",
        ALWAYS,
    ),
    LEFT: _try(
        "if not hasattr(attempt, 'old'):\n"
        "    there = [n for f in ('/tmp', '/dev/shm') if os.path.isdir(f) for n in os.listdir(f)]\n"
        "    attempt.old = [n for n in there if 'left' in n]\n"
        "    open('/tmp/left_behind', 'w').write('x')\nreturn attempt.old"
    ),
    # outside
    "the network": _try("return socket.create_connection(('127.0.0.1', int('PORT')), 1)"),
    "the network, by urllib": _try(
        "import urllib.request\nreturn urllib.request.urlopen('http://127.0.0.1:PORT/', timeout=1)"
    ),
    "a socket without a file": _try(
        "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0lessons-hostile-PORT')\nreturn s"
    ),
    "writes in the library": _try("import lessons_lib\nreturn open(os.path.dirname(lessons_lib.__file__) + '/x', 'w')"),
    "writes beside Python": _try("return open(os.path.join(sys.prefix, 'lessons_hostile'), 'w')"),
    "writes in another's folder": _try("return open('FOLDER/written', 'w')"),
    "writes at the root": _try("return open('/lessons_hostile', 'w')"),
    "leaves a process": _body(
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        signal.signal(signal.SIGHUP, signal.SIG_IGN)\n        for n in range(3, 300):\n"
        "            try: os.close(n)\n            except OSError: pass\n        time.sleep(100)\n"
        "    os._exit(0)",
        NOTHING,
    ),
    "leaves a process of another program": _body(
        "import subprocess\nsubprocess.Popen(['sleep', '100'], start_new_session=True)", NOTHING
    ),
    # the box itself
    "more than its limits": _try("resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999))\nreturn True", ALWAYS),
    "name spaces of its own": _try("return ctypes.CDLL(None).unshare(0x10000000) == 0"),
    "mounts": _try("return ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0", ALWAYS),
    "takes a cover off": _try(
        "from lessons_lib.grading import drive\nfolder = os.path.dirname(os.path.dirname(drive.__file__))\n"
        "return ctypes.CDLL(None).umount2((folder + '/judge').encode(), 2) == 0",
        ALWAYS,
    ),
    "another root": _try("os.chroot('/tmp')\nreturn True", ALWAYS),
    "another user": _try("os.setuid(0 if os.getuid() else 1)\nreturn True", ALONE),
    "traces another": _try("return ctypes.CDLL(None).ptrace(16, os.getppid() or 1, 0, 0) == 0"),
    "settings of the system": _try("return open('/proc/sys/user/max_user_namespaces', 'w').write('9')"),
    "a device": _try("os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0))\nreturn open('/tmp/disk', 'rb')", ALWAYS),
}
