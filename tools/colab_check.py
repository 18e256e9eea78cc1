"""Run chapter 1 as Colab does: another Python, NumPy 2, no graspologic, an empty folder.

    python tools/colab_check.py --python python3.13 --venv .venv-colab

The environment is made with plain ``pip install .``: the package must ask for nothing that
Colab's image would have to downgrade.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "01_matching_mlps.ipynb"
CHECK = (
    "import importlib.util, numpy; print('NumPy', numpy.__version__);"
    "assert int(numpy.__version__.split('.')[0]) >= 2;"
    "assert importlib.util.find_spec('graspologic') is None"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="python3")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv-colab")
    options = parser.parse_args()
    venv = options.venv.resolve()
    if not (venv / "bin" / "python").exists():
        subprocess.run([options.python, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, ROOT, "nbclient", "nbformat", "ipykernel"], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", ROOT], check=True)  # today's code
    subprocess.run([python, "-c", CHECK], check=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(NOTEBOOK, folder)
        environment = {**os.environ, "NETDIST_SCALE": "smoke", "TQDM_DISABLE": "1"}
        environment |= {"NETDIST_CACHE_DIR": f"{folder}/cache", "NETDIST_DEVICE": "cpu"}
        environment.pop("PYTHONPATH", None)
        run = (
            "import nbformat, nbclient;"
            f"n = nbformat.read({NOTEBOOK.name!r}, 4);"
            "nbclient.NotebookClient(n, timeout=600, kernel_name='python3').execute();"
            "print('1 passed, 0 failed')"
        )
        subprocess.run([python, "-c", run], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    main()
