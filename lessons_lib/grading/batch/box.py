"""A box for one process that nobody trusts: what it can see, reach and use up. Linux; elsewhere only the limits.

A process calls `shut`, forks, and its child calls `enter`; in the end the process calls `end`. With namespaces (of its
own user, where we are not root: no rights are needed) the child then sees a file system of its own, which holds Python,
its packages and a small scratch folder, all read-only or empty; no network; no other process; and it has no rights that
it could win back. Where the system forbids them, what is left is a user of its own, if we are root, and limits.
`level()` says which of these holds here, for people and for `--require-isolation`.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import lessons_lib
from lessons_lib.grading.reference import PACKED

NOBODY = 65_534
FIRST_USER = 61_184  # from here on no distribution gives numbers to users: one for each process at a time
MEMORY = 3 * 2**30  # bytes of address space beyond what is mapped when the box is shut
SCRATCH = 64 * 2**20  # bytes of files
FILES, PROCESSES = 256, 32
# From <linux/sched.h>, <sys/mount.h>, <linux/mount.h>, <linux/prctl.h>
NEW_NS, NEW_UTS, NEW_IPC, NEW_USER, NEW_PID, NEW_NET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
DETACH = 2
SET_DUMPABLE, SET_NO_NEW_PRIVS, SET_DEATH_SIGNAL, DROP_BOUND, SET_CHILD_SUBREAPER = 4, 38, 1, 24, 36
# What of the system a Python needs; never /home, /root, /opt, /tmp, /var, /run.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
GRADING = Path(lessons_lib.__file__).parent / "grading"


@dataclass(frozen=True)
class Level:
    """What a box holds back on this machine."""

    name: str  # "namespaces", "user" or "limits"
    sentence: str

    @property
    def isolated(self) -> bool:
        return self.name == "namespaces"


LEVELS = {
    "namespaces": Level("namespaces", "no network, no files but Python's, no other process, limits"),
    "user": Level("user", "another user and limits, but the network and readable files are open"),
    "limits": Level("limits", "limits alone: the network, your files and your processes are open"),
}


def level() -> Level:
    """What can be had here: tried out, in processes that end."""
    if sys.platform == "linux":
        for name in ("namespaces", "user"):
            if _try(LEVELS[name]):
                return LEVELS[name]
    return LEVELS["limits"]


def shut(wanted: Level, slot: int) -> str:
    """Prepare a box for the child that this process, which must have one thread, forks next; its scratch folder.

    Raises:
        OSError: the system forbids it.
    """
    if sys.platform == "linux":  # what the child leaves behind becomes ours, so that `end` finds it
        _call("prctl", SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if wanted.name != "namespaces":
        folder = tempfile.mkdtemp(prefix="answer-")
        if wanted.name == "user":
            os.chown(folder, FIRST_USER + slot, FIRST_USER + slot)
        return folder
    spaces, user, group = NEW_NS | NEW_NET | NEW_IPC | NEW_UTS | NEW_PID, os.geteuid(), os.getegid()
    if user == 0:
        _call("unshare", spaces)
    else:
        _call("unshare", spaces | NEW_USER)
        _map_user(user, group)
    return "/tmp"


def enter(wanted: Level, slot: int, seconds: float, folder: str, others: int = 0) -> None:
    """Go into the box, for good.

    Args:
        slot: numbers of processes that run at one time differ, so that their users do.
        seconds: of the processor's time.
        folder: what `shut` gave.
        others: processes that this user has beside the box.
    Raises:
        OSError: the system forbids it.
    """
    os.setsid()
    root = os.geteuid() == 0
    with contextlib.suppress(OSError):  # where memory runs out, this process is the first to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    if wanted.name == "namespaces":
        _own_files()
    if root and wanted.name != "limits":
        user, others = FIRST_USER + slot, 0
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder)
    if wanted.name == "namespaces":
        if root:  # a name space of users, only so that none can be made inside
            _call("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # who has changed its user may not write its own uid_map
            _call("unshare", NEW_USER)
            _map_user(user, user)
        with contextlib.suppress(OSError):  # where there is no /proc, or a kernel without this number
            Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if wanted.name == "namespaces" and _counts_alone():
        others = 0
    _limit(seconds, PROCESSES + others)
    if sys.platform == "linux":
        _give_up_rights()


def end(wanted: Level, slot: int, child: int, folder: str) -> None:
    """Kill the child and whatever it has started; in the end none of them is there."""
    for kill in (os.kill, os.killpg):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)  # in a name space of processes, all go with the first
    if wanted.name == "user":
        _kill_all_of(FIRST_USER + slot)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
    with contextlib.suppress(ChildProcessError):
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                _kill_children()
                time.sleep(0.002)
    if wanted.name != "namespaces":
        shutil.rmtree(folder, ignore_errors=True)


def others_of_this_user() -> int:
    """How many processes and threads this user has, about, and may yet have: a limit of processes counts them all."""
    found = 256
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found += len(os.listdir(folder / "task")) if folder.stat().st_uid == os.getuid() else 0
    return found


def _counts_alone() -> bool:
    """Whether the kernel counts the processes of a name space of users apart from its user's others: since 5.14."""
    numbers = os.uname().release.split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdigit()) >= (5, 14)


def _kill_all_of(user: int) -> None:
    """All processes of a user at once, so that none can start another meanwhile."""
    if (child := os.fork()) == 0:
        with contextlib.suppress(BaseException):
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(child, 0)


def _kill_children() -> None:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                os.kill(int(path.parent.name), signal.SIGKILL)


def _map_user(user: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def _give_up_rights() -> None:
    _call("prctl", SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    for right in range(64):
        _LIBC.prctl(DROP_BOUND, right, 0, 0, 0)  # fails where there is none to give up
    _call("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _call("capset", header, nothing)


def _own_files() -> None:
    """A root that holds what is listed, read-only, and a scratch folder; the old one is gone."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    paths, secrets = visible(), hidden()
    root = _free_folder(paths)
    _mount("root", root, "tmpfs", MS_NOSUID | MS_NODEV, f"size={SCRATCH},mode=755")
    os.makedirs(f"{root}/tmp")  # first: what is visible may lie below
    _mount("scratch", f"{root}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, f"size={SCRATCH},mode=1777")
    for path in (*paths, *DEVICES):
        _bind(path, root + path)
    for path in secrets:
        _cover(root + path)
    for name in ("/proc", "/old"):
        os.makedirs(root + name, exist_ok=True)
    with contextlib.suppress(OSError):  # a container may forbid it; PyTorch and NumPy do without
        _mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV)
    _call("syscall", ctypes.c_long(_PIVOT_ROOT), root.encode(), f"{root}/old".encode())
    os.chdir("/")
    _call("umount2", b"/old", DETACH)
    os.rmdir("/old")
    _mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _free_folder(paths: list[str]) -> str:
    """A folder that can be covered, for this process alone, because nothing that is needed lies below."""
    for folder in ("/tmp", "/mnt", "/media", "/srv", "/var/tmp"):
        if os.path.isdir(folder) and not any(f"{path}/".startswith(f"{folder}/") for path in paths):
            return folder
    raise FileNotFoundError("/tmp, /mnt, /media, /srv, /var/tmp: none is free for a new root")


def visible() -> list[str]:
    """Files and folders that a Python with this library needs, none of them inside another."""
    library = str(Path(lessons_lib.__file__).resolve().parent)
    installed = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed += [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    wanted = {*SYSTEM, *installed, sys.prefix, sys.base_prefix, library, str(Path(lessons_lib.__file__).parent)}
    there = sorted(path for path in {*wanted, *map(os.path.realpath, wanted)} if os.path.exists(path))
    return [path for path in there if not any(path != other and path.startswith(f"{other}/") for other in there)]


def hidden() -> list[str]:
    """What lies in there and is nobody's business: all that judges, the solutions, and what a checkout has beside."""
    found, seen = [], visible()
    for grading in {GRADING, *(Path(path) / "lessons_lib" / "grading" for path in seen)}:
        found += [grading / "judge", grading / "solutions", grading / PACKED]
        found += [path for path in grading.glob("lesson_*/*") if path.name not in ("drive.py", "__init__.py")]
    root = GRADING.parents[1]
    if (root / "solutions").is_dir() and any(f"{root}/".startswith(f"{path}/") for path in seen):
        needed = {*map(os.path.realpath, (sys.prefix, sys.base_prefix)), str(GRADING)}
        found += [path for path in root.iterdir() if not any(f"{each}/".startswith(f"{path}/") for each in needed)]
    return [str(path) for path in found if path.exists() and not path.is_symlink()]


def _cover(path: str) -> None:
    if os.path.isdir(path):
        _mount("hidden", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=755")
    else:
        _mount("/dev/null", path, None, MS_BIND)


def _bind(path: str, inside: str) -> None:
    if os.path.islink(path):  # /bin -> usr/bin
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        os.symlink(os.readlink(path), inside)
        return
    if os.path.isdir(path):
        os.makedirs(inside, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(inside), exist_ok=True)
        os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(path, inside, None, MS_BIND | (MS_REC if os.path.isdir(path) else 0))
    if path not in DEVICES:
        _remount_read_only(inside)


def _remount_read_only(path: str) -> None:
    """With the flags that the mount below has: they may not be taken off."""
    flags, found = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, os.statvfs(path).f_flag
    for bit, flag in ((os.ST_NODEV, MS_NODEV), (os.ST_NOEXEC, 8), (os.ST_NOATIME, 1024), (os.ST_RELATIME, 1 << 21)):
        flags |= flag if found & bit else 0
    _mount("none", path, None, flags)


def _limit(seconds: float, processes: int) -> None:
    whole = int(seconds) + 1
    limits = {
        resource.RLIMIT_CPU: whole,
        resource.RLIMIT_FSIZE: SCRATCH,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
        limits |= {resource.RLIMIT_AS: MEMORY + pages * resource.getpagesize(), resource.RLIMIT_NPROC: processes}
    for limit, most in limits.items():
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(limit, (most, most))


def _pythons() -> list[str]:
    return [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), str(GRADING)]


def _try(wanted: Level) -> bool:
    """Whether a process can be put into such a box."""
    if wanted.name == "user" and os.geteuid() != 0:
        return False
    if (outer := os.fork()) == 0:
        code = 1
        with contextlib.suppress(BaseException):
            folder = shut(wanted, 0)
            if (inner := os.fork()) == 0:
                with contextlib.suppress(BaseException):
                    enter(wanted, 0, 60.0, folder)
                    os._exit(int(not all(os.access(path, os.R_OK | os.X_OK) for path in _pythons())))
                os._exit(1)
            code = int(os.waitpid(inner, 0)[1] != 0)
            end(wanted, 0, inner, folder)
        os._exit(code)
    return os.waitpid(outer, 0)[1] == 0


_LIBC = ctypes.CDLL(None, use_errno=True)
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, -1) if hasattr(os, "uname") else -1


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [None if text is None else text.encode() for text in (source, target, kind)]
    _call("mount", *texts, ctypes.c_ulong(flags), None if data is None else data.encode())


def _call(name: str, *arguments) -> None:
    if getattr(_LIBC, name)(*arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}{arguments[:2]}: {os.strerror(code)}")
