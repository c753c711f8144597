"""Install a Debian package where this user may; never ask for a password. Also `python3 -m tools.debian NAME`."""

import os
import shutil
import subprocess
import sys

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def apt_prefix() -> list[str] | None:
    """What goes before apt-get: nothing for root, sudo where it asks no password; None where it may not be used."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], **QUIET).returncode == 0:
        return ["sudo", "-n"]
    return None


def install(package: str) -> bool:
    """Install `package` with apt-get; False where apt-get is missing, not allowed, or fails."""
    prefix = apt_prefix()
    if prefix is None:
        return False
    print(f"Installing {package} with apt-get ...", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    commands = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", package]]
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            return False
    return True


def is_installed(package: str) -> bool:
    return bool(shutil.which("dpkg")) and subprocess.run(["dpkg", "--status", package], **QUIET).returncode == 0


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if not is_installed(name):
            install(name)
