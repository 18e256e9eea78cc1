"""Run the six chapters as Colab does: another Python, NumPy 2, no graspologic, an empty folder.

    python tools/colab_check.py --python python3.13 --venv .venv-colab

The package is installed by its name alone: it must ask for nothing that Colab's image would
have to downgrade. Chapters run at smoke scale, side by side, one thread each.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from tasks import ROOT, install

CHECK = (
    "import importlib.util, numpy; print('NumPy', numpy.__version__);"
    "assert int(numpy.__version__.split('.')[0]) >= 2;"
    "assert importlib.util.find_spec('graspologic') is None"
)


def chapters(root=ROOT):
    """All six, those first that take longest."""
    return sorted(root.glob("notebooks/0*.ipynb"), key=lambda path: -path.stat().st_size)


def environment(python, venv):
    """A folder with today's package and what runs a notebook; its Python."""
    inside = venv / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", venv], check=True)
    install(inside, ROOT, "nbclient", "nbformat", "ipykernel")
    install(inside, "--force-reinstall", "--no-deps", ROOT)
    subprocess.run([inside, "-c", CHECK], check=True)
    return inside


def execute(python, notebook, cache):
    """Run one chapter in an empty folder. Returns its last words, empty if it has none."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"NETDIST_SCALE": "smoke", "NETDIST_DEVICE": "cpu", "NETDIST_CACHE_DIR": cache}
    variables |= {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(notebook, folder)
        command = [python, "-m", "jupyter", "execute", "--timeout=600", notebook.name]
        quiet = {"capture_output": True, "text": True}
        done = subprocess.run(command, cwd=folder, env=variables, **quiet)
    print(f"{notebook.stem}: {perf_counter() - began:.0f} s", flush=True)
    return f"{notebook.name}:\n{done.stderr}" if done.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="python3")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-colab")
    options = parser.parse_args()
    python = environment(options.python, options.venv.resolve())
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = list(pool.map(lambda path: execute(python, path, cache), chapters()))
    failed = [error for error in errors if error]
    print(*failed, f"{len(errors) - len(failed)} passed, {len(failed)} failed", sep="\n")
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
