"""Can the lock be installed on every system and Python that the book runs on?

    python tools/lock_check.py

uv resolves ``requirements.txt`` for each of them, from wheels (but for `SOURCES`), and installs
nothing.
"""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.txt"
PYTHONS = ("3.11", "3.12", "3.13")
# uv's names of the systems, and what their markers see.
SYSTEMS = {
    "x86_64-unknown-linux-gnu": ("linux", "Linux", "posix", "x86_64"),
    "aarch64-unknown-linux-gnu": ("linux", "Linux", "posix", "aarch64"),
    "aarch64-apple-darwin": ("darwin", "Darwin", "posix", "arm64"),
    "x86_64-pc-windows-msvc": ("win32", "Windows", "nt", "AMD64"),
}
PLACES = list(product(PYTHONS, SYSTEMS))
MACOS = "14.0"  # the oldest for which there is a wheel of PyTorch
SOURCES = ("scour",)  # pure Python, for which there is no wheel


class Pin(NamedTuple):
    """One line of the lock, with its hashes."""

    name: str
    version: str
    marker: str
    hashes: tuple

    def holds(self, python, system):
        """Whether this line counts there."""
        return holds(self.marker, python, system)


def holds(marker, python, system):
    """Whether an environment marker is true there; an empty one always is.

    >>> holds("python_version < '3.13' and sys_platform == 'linux'", "3.12", list(SYSTEMS)[0])
    True
    """
    names = ("sys_platform", "platform_system", "os_name", "platform_machine")
    there = dict(zip(names, SYSTEMS[system], strict=True))
    there |= {"python_version": python, "python_full_version": f"{python}.99"}
    return not marker or Marker(marker).evaluate(there)


def pins(text):
    """The lines of a lock.

    >>> pins("six==1.17.0 ; os_name == 'nt' \\\\\\n    --hash=sha256:47\\n")
    [Pin(name='six', version='1.17.0', marker="os_name == 'nt'", hashes=('sha256:47',))]
    """
    line = r"^([\w.-]+)==([^\s;]+)(?: ; (.+?))?(?: \\)?$((?:\n    --hash=.*)*)"
    return [
        Pin(name, version, marker, tuple(re.findall(r"--hash=(\S+)", hashes)))
        for name, version, marker, hashes in re.findall(line, text, re.MULTILINE)
    ]


def missing(python, system):
    """What uv says that keeps the lock from being installed there; empty if nothing does."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--require-hashes"]
    command += ["--requirement", LOCK, "--only-binary", ":all:", "--no-deps"]
    command += [f"--no-binary={name}" for name in SOURCES]
    command += ["--python-version", python, "--python-platform", system]
    command += ["--target", Path(gettempdir()) / "nothing-is-installed-here"]
    there = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
    done = subprocess.run(command, env=there, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def left_out(lock, python, system):
    """Names in the lock that this place goes without."""
    held = {pin.name for pin in lock if pin.holds(python, system)}
    return sorted({pin.name for pin in lock} - held)


def check():
    """Say of each place what it goes without; fail where a wheel is missing."""
    lock, failures = pins(LOCK.read_text(encoding="utf-8")), 0
    for python, system in PLACES:
        trouble = missing(python, system)
        failures += bool(trouble)
        print(f"Python {python}, {system}: {'FAILS' if trouble else 'resolves'}")
        print(f"  without {', '.join(left_out(lock, python, system)) or 'nothing'}\n{trouble}")
    return failures


if __name__ == "__main__":
    sys.exit(check())
