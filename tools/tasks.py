"""The commands of the book, the same on every system.

    python tools/tasks.py env       the environment .venv, as requirements.txt locks it
    python tools/tasks.py book      the book: _build/html/index.html
    python tools/tasks.py test      every test
    python tools/tasks.py package   the package's tests alone
    python tools/tasks.py lint
    python tools/tasks.py notebooks
    python tools/tasks.py lock      requirements.txt again, from requirements.in
    python tools/tasks.py lock-check

``make book`` (Makefile) and, on Windows, ``.\\make book`` (make.bat) call these and add nothing.
Only the standard library is needed: this runs before there is an environment.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / ".stamp"
LOCK = ROOT / "requirements.txt"
COMPILE = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-annotate"]
COMPILE += ["--quiet", "--custom-compile-command=make lock"]
# Beside another program, threads that wait actively keep a core from who has work for it.
COMPUTE = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
# Built pages show no progress bars, and the ledger is of this build alone.
BUILD = {
    **COMPUTE,
    "TQDM_DISABLE": "1",
    "NETDIST_LEDGER": str(ROOT / "_build" / "ledger"),
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def env():
    """Make the environment, or bring it up to date if the lock or the package's needs changed."""
    wanted = fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    STAMP.unlink(missing_ok=True)  # what breaks off below does not pass for whole
    bare_env()
    install(PYTHON, "--require-hashes", "--requirement", LOCK)
    install(PYTHON, "--no-deps", "--editable", ROOT)
    STAMP.write_text(wanted, encoding="utf-8")


def book():
    env()
    run(PYTHON, ROOT / "tools" / "stale_cache.py")
    run(program("jupyter-book"), "build", ".", "--warningiserror", "--keep-going", **BUILD)
    print("The book: _build/html/index.html")


def test():
    env()
    run(PYTHON, "-m", "pytest", **COMPUTE)
    chapters = sorted(path.relative_to(ROOT) for path in ROOT.glob("notebooks/*.ipynb"))
    nbmake = ["--nbmake", "--nbmake-timeout=600", "--override-ini", "addopts="]
    nbmake += ["--override-ini", "filterwarnings=default"]
    smoke = {**COMPUTE, "NETDIST_SCALE": "smoke", "TQDM_DISABLE": "1"}
    run(PYTHON, "-m", "pytest", *nbmake, *chapters, **smoke)


def package():
    env()
    run(PYTHON, "-m", "pytest", *package_tests(), **COMPUTE)


def package_tests(root=ROOT):
    """Doctests, and each file of tests/ that is named after a module or room of the package."""
    folders = [root / "netdist_utils", root / "netdist_course"]
    names = {path.stem for folder in folders for path in folder.iterdir()}
    tests = [path for path in sorted(root.glob("tests/test_*.py")) if is_about(path.stem, names)]
    return [path.relative_to(root) for path in [*folders, *tests]]


def is_about(test, names):
    """Whether a test's file belongs to one of these modules.

    >>> is_about("test_store", {"store"}), is_about("test_spectra_figure", {"spectra"})
    (True, True)
    >>> is_about("test_storeys", {"store"})
    False
    """
    about = test.removeprefix("test_")
    return any(about == name or about.startswith(f"{name}_") for name in names)


def lint():
    env()
    run(program("ruff"), "check", ".")
    run(program("ruff"), "format", "--check", ".")


def notebooks():
    env()
    run(PYTHON, ROOT / "tools" / "sync_notebooks.py")


def lock(*options):
    """Resolve requirements.in for all systems and Pythons at once.

    Versions stay as they are unless requirements.in or an option of uv's asks for others:
    ``python tools/tasks.py lock --upgrade-package scipy``. This machine's own index is not asked.
    """
    bare_env()
    uv = find_uv() or sys.exit("The lock is written by uv, and pip finds none here.")
    run(uv, "pip", "compile", *COMPILE, "requirements.in", "--output-file", LOCK.name, *options)


def lock_check():
    env()
    run(PYTHON, ROOT / "tools" / "lock_check.py")


TASKS = {
    task.__name__.replace("_", "-"): task
    for task in (env, book, test, package, lint, notebooks, lock, lock_check)
}

# The environment

PIP = [PYTHON, "-m", "pip", "--disable-pip-version-check"]


def bare_env():
    """A Python of our own with pip, where there is none that runs."""
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", "--clear", VENV)


def fingerprint():
    """SHA-256 of what decides what is installed."""
    files = LOCK, ROOT / "pyproject.toml"
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def install(python, *what):
    """Install into the environment of this Python: by uv where it can be had, else by pip."""
    uv = find_uv()
    command = [uv, "pip", "install", "--quiet", "--python", python, *what]
    if uv and succeeds(*command, **uv_settings(pip_settings())):
        return
    print("uv cannot be used here: pip installs instead, which takes longer.", flush=True)
    run(python, *PIP[1:], "install", "--quiet", *what)


def find_uv():
    """The environment's uv, any other on the PATH, or the one that pip finds; None without."""
    found = shutil.which("uv", path=str(BIN)) or shutil.which("uv")
    if found:
        return found
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder) / "uv.txt"
        requirement.write_text(locked("uv"), encoding="utf-8")
        succeeds(*PIP, "install", "--quiet", "--retries=1", "--requirement", requirement)
    return shutil.which("uv", path=str(BIN))


def locked(name):
    """What the lock says of one package, its hashes too; the bare name if it says nothing."""
    found = re.search(
        rf"^{name}==.*(?:\n    --hash=.*)+", LOCK.read_text(encoding="utf-8"), re.MULTILINE
    )
    return found[0] if found else name


def pip_settings():
    """{setting: value} of this machine's pip, say where it looks for packages.

    pip's order: its environment variables hide ``[install]``, and this hides ``[global]``.
    """
    lines = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True).stdout
    found = {}
    for section in ("global", "install", ":env:"):
        found |= dict(re.findall(rf"^{section}\.([\w-]+)='(.*)'$", lines, re.MULTILINE))
    return {name: " ".join(value.replace(r"\n", " ").split()) for name, value in found.items()}


def uv_settings(pip):
    """The same places for uv, which does not read pip's settings.

    As pip does, uv takes a package from whichever place has it; the lock's hashes say which
    files are right. A variable that somebody has set for uv is left as it is.

    >>> uv_settings({"index-url": "https://packages.invalid/simple"})["UV_DEFAULT_INDEX"]
    'https://packages.invalid/simple'
    """
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    found = {uv: pip[name] for name, uv in names.items() if name in pip}
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = found["UV_FIND_LINKS"].replace(" ", ",")
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {uv: value for uv, value in found.items() if uv not in os.environ}


# Commands


def program(name):
    """A program of the environment, whatever its ending is on this system."""
    return shutil.which(name, path=str(BIN))


def succeeds(*command, **variables):
    """Run in the repository's folder, with further environment variables; files are UTF-8."""
    command = [str(part) for part in command]
    variables = {**os.environ, "PYTHONUTF8": "1", **variables}
    return subprocess.run(command, cwd=ROOT, env=variables).returncode == 0


def run(*command, **variables):
    if not succeeds(*command, **variables):
        sys.exit(f"This failed: {' '.join(map(str, command))}")


def main(name="", *options):
    if name not in TASKS:
        sys.exit(__doc__)
    if sys.version_info < (3, 11):  # noqa: UP036, whatever Python is here runs this
        sys.exit(
            f"Python 3.11 to 3.13 is needed, and {sys.executable} is {sys.version.split()[0]}."
        )
    TASKS[name](*options)


if __name__ == "__main__":
    main(*sys.argv[1:])
