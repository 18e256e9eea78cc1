"""Forget the executed chapters when the package or the settings that they ran with have changed.

The book's cache knows a chapter by the code in its cells; what the cells import it does not see.
"""

import hashlib
import os
import shutil
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"


def fingerprint():
    """SHA-256 of the packages' files and of the variables NETDIST_*."""
    digest = hashlib.sha256()
    packages = (ROOT / "netdist_utils").rglob("*"), (ROOT / "netdist_course").rglob("*")
    for path in sorted(chain(*packages)):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for name in sorted(os.environ):
        if name.startswith("NETDIST_") and name != "NETDIST_LEDGER":
            digest.update(f"{name}={os.environ[name]}".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    stamp, now = BUILD / "inputs.sha256", fingerprint()
    if not stamp.exists() or stamp.read_text() != now:
        for name in (".jupyter_cache", ".doctrees", "ledger"):
            shutil.rmtree(BUILD / name, ignore_errors=True)
        BUILD.mkdir(exist_ok=True)
        stamp.write_text(now)
