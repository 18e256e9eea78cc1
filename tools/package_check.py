"""Run the package's own tests on other versions than the book's: one cell of CI's matrix.

    python tools/package_check.py --python 3.12 --numpy 2
    python tools/package_check.py --python 3.11 --numpy 1.26 --graspologic
    python tools/package_check.py --python 3.11 --oldest      all that pyproject.toml admits

The environment is a folder of its own, made by uv. The tools of the tests are those of the lock.
"""

import argparse
import os
import subprocess
from pathlib import Path

from tasks import LOCK, ROOT, bare_env, find_uv, package_tests, pip_settings, uv_settings

TOOLS = ("pytest", "hypothesis", "networkx", "playwright", "powerlaw")


def tools(installed):
    """The tests' tools as the lock pins them, but for those that are there, in any version."""
    there = {line.partition("==")[0] for line in installed.splitlines()}
    pins = [
        line.split()[0] for line in LOCK.read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    return [pin for pin in pins if pin.partition("==")[0] in set(TOOLS) - there]


def needs(options):
    """The package, and what is asked of the versions of its libraries."""
    extra = "[graspologic]" if options.graspologic else ""
    numpy = [f"numpy=={options.numpy}.*"] if options.numpy else []
    resolution = "lowest-direct" if options.oldest else "highest"
    return ["--resolution", resolution, "--editable", f"{ROOT}{extra}", *numpy]


def make(venv, options):
    """An environment in which the package stands, and its tests can run. Returns its Python."""
    bare_env()  # uv is installed into it where there is none
    uv, variables = find_uv(), {**os.environ, **uv_settings(pip_settings())}
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def call(*arguments):
        run = {"check": True, "env": variables, "stdout": subprocess.PIPE, "text": True}
        return subprocess.run([uv, *arguments], **run).stdout

    call("venv", "--quiet", "--clear", "--python", options.python, venv)
    install = ["pip", "install", "--quiet", "--python", python]
    call(*install, *needs(options))
    installed = call("pip", "freeze", "--exclude-editable", "--python", python)
    print(*installed.split())
    pinned = venv / "pinned.txt"
    pinned.write_text(installed, encoding="utf-8")  # the tools move nothing of this
    call(*install, "--requirement", pinned, *tools(installed))
    return python


def parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="3.11")
    parser.add_argument("--numpy", default="", help="1.26 or 2; else what uv chooses")
    parser.add_argument("--graspologic", action="store_true")
    parser.add_argument("--oldest", action="store_true")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-package")
    return parser


def main():
    options = parser().parse_args()
    python = make(options.venv.resolve(), options)
    # Old libraries warn of each other; elsewhere a warning is an error.
    lenient = ["--override-ini", "filterwarnings=default"] if options.oldest else []
    tests = [python, "-m", "pytest", *lenient, *package_tests()]
    raise SystemExit(subprocess.run(tests, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
