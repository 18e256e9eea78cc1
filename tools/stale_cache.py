"""Forget the executed chapters when what they ran with has changed, or their records are gone.

The book's cache knows a chapter by the code in its cells. What it does not see: the package that
they import, the data that `data.images` finds, and the records that they left for the ledger.
"""

import hashlib
import os
import shutil
from itertools import chain
from pathlib import Path

from jupyter_cache import get_cache

from netdist_utils import claims, data

ROOT = Path(__file__).resolve().parent.parent


def fingerprint():
    """SHA-256 of the packages' files, of the variables NETDIST_*, and of the data set."""
    digest = hashlib.sha256()
    packages = (ROOT / "netdist_utils").rglob("*"), (ROOT / "netdist_course").rglob("*")
    for path in sorted(chain(*packages)):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for name in sorted(os.environ):
        if name.startswith("NETDIST_") and name != "NETDIST_LEDGER":
            digest.update(f"{name}={os.environ[name]}".encode())
    images = data.images()
    digest.update((images.train.fingerprint + images.test.fingerprint).encode())
    return digest.hexdigest()


def without_records(build):
    """Chapters in the cache of which the ledger lacks the run, or a claim."""
    if not (build / ".jupyter_cache").is_dir():
        return []
    cached = {Path(r.uri).stem for r in get_cache(build / ".jupyter_cache").list_cache_records()}
    records = [(c["chapter"], f"{n}.json") for n, c in claims.tables().items() if "needs" not in c]
    records += [(chapter, f"runs/{chapter}.json") for chapter, _ in records]
    gone = {c for c, name in records if c in cached and not (build / "ledger" / name).is_file()}
    return sorted(gone)


def main(build=ROOT / "_build"):
    """Forget what was executed where it cannot be trusted, and say why."""
    stamp, now = build / "inputs.sha256", fingerprint()
    changed = not stamp.exists() or stamp.read_text(encoding="utf-8") != now
    gone = without_records(build)
    if changed or gone:
        for name in (".jupyter_cache", ".doctrees", "ledger"):
            shutil.rmtree(build / name, ignore_errors=True)
        build.mkdir(exist_ok=True)
        stamp.write_text(now, encoding="utf-8")
        lacking = f"the ledger lacks records of {', '.join(gone)}"
        print(f"All chapters run anew: {lacking if gone else 'code, settings or data changed'}.")


if __name__ == "__main__":
    main()
