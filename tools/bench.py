"""Run the benchmarks and write their figures to ``book/benchmarks.json``: ``make bench``.

python tools/bench.py                  # all files, each in a process of its own; writes
python tools/bench.py matching spectra # these files; prints, and writes nothing
python tools/bench.py --quick          # tiny sizes, to see that all works; prints

The page "Benchmarks" of the book is made from that file alone (``tools/benchmarks_page.py``).
"""

import argparse
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from ratios import ratio

ROOT = Path(__file__).resolve().parent.parent
FOLDER, FIGURES = ROOT / "benchmarks", ROOT / "book" / "benchmarks.json"
PARTS = ("rows", "growth", "memory")  # a process each: a peak of memory only rises
BUSY = 0.5  # load, in processes that want to run, from which a machine is called busy


def files():
    """Names of all benchmarks: "ablation" of ``benchmarks/bench_ablation.py``."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def parts(name):
    """What a file offers, by its text: to import it takes seconds."""
    text = (FOLDER / f"bench_{name}.py").read_text(encoding="utf-8")
    return [part for part in PARTS if f"\ndef {part}(" in text]


def measure(name, part):
    """The rows of one part of one file, in this process, with what the machine could do in it."""
    sys.path.insert(0, str(FOLDER))
    timing = importlib.import_module("timing")
    module = importlib.import_module(f"bench_{name}")
    rows = [{"file": name, **row} for row in getattr(module, part)()]
    return {"rows": rows, "limits": timing.limits() if part == "growth" and rows else None}


def measured(name, part, quick):
    """The same in a process of its own: no benchmark finds what another left in memory."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "found.json")
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TQDM_DISABLE": "1"}
        env |= {"NETDIST_DEVICE": "cpu"}  # what is measured on a GPU says so itself
        env |= {"NETDIST_BENCH_QUICK": "1"} if quick else {}
        command = [sys.executable, __file__, "--only", name, part, "--out", str(written)]
        subprocess.run(command, check=True, env=env)
        return json.loads(written.read_text(encoding="utf-8"))


def rounded(value):
    """The same with four digits a number: more is noise."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def in_lines(found):
    """JSON with a line for each key, and for each row of a list.

    >>> print(in_lines({"a": {"b": 1}, "rows": [[1, 2], [3, 4]]}))
    {
     "a": {"b": 1},
     "rows": [
      [1, 2],
      [3, 4]
     ]
    }
    <BLANKLINE>
    """
    texts = {}
    for key, value in found.items():
        texts[key] = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value)
            texts[key] = f"[\n  {rows}\n ]"
    return "{\n" + ",\n".join(f' "{key}": {text}' for key, text in texts.items()) + "\n}\n"


def processor():
    """What the processor calls itself."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine():
    """What the figures were measured on, and with."""
    import joblib
    import numpy as np
    import psutil
    import torch
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    pools = {f"{pool['internal_api']} {pool['version']}" for pool in threadpool_info()}
    mkl = re.search(r"Math Kernel Library Version ([\d.]+)", torch.__config__.show())
    pools |= {f"MKL {mkl[1]} in torch"} if mkl else set()
    return {
        "processor": processor(),
        "cores": joblib.cpu_count(),  # those that this process may use
        "memory_gib": psutil.virtual_memory().total / 2**30,
        "system": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {
            "Python": platform.python_version(),
            "torch": torch.__version__,
            "NumPy": np.__version__,
            "BLAS": ", ".join(sorted(p for p in pools if "openmp" not in p and "None" not in p)),
        },
    }


def load():
    """Processes that wanted to run, on average over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def commit():
    """Short name of the commit; with " and changes" where files differ from it."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    other = ("status", "--porcelain", "--untracked-files=no", "--", ".", ":!book/benchmarks.json")
    changed = subprocess.run([*git, *other], capture_output=True, text=True).stdout
    return (name.stdout.strip() or "unknown") + " and changes" * bool(changed)


def run(names, quick):
    """All figures of some files, with the machine, as they stand in the JSON."""
    before, began = load(), time.perf_counter()
    found = {part: [] for part in PARTS}
    limits = []
    for name in names:
        for part in parts(name):
            print(f"== {name}: {part} ({time.perf_counter() - began:.0f} s)", flush=True)
            here = measured(name, part, quick)
            found[part] += here["rows"]
            limits += [here["limits"]] if here["limits"] else []
            for row in here["rows"]:
                print(line(row), flush=True)
    return rounded(
        {
            "date": date.today().isoformat(),
            "commit": commit(),
            "quick": quick,
            "load_before": before,
            "busy": before >= BUSY,
            "seconds": time.perf_counter() - began,
            "machine": machine(),
            "limits": {key: median(each[key] for each in limits) for key in limits[0]}
            if limits
            else {},
            **found,
        }
    )


def line(row):
    """One row as it is printed while the benchmarks run."""
    if "gib" in row:
        return f"   {row['what']}: {row['gib']:.2f} GiB more"
    if "axis" in row:
        steps = zip(row["at"], row["ours"], row["floor"], strict=True)
        over = ", ".join(
            f"{n}: {median(t):.3g} s, {median(t) / f:.3g} floors" for n, t, f in steps
        )
        return f"   {row['what']} over {row['axis']}: {over}"
    found = ratio(row["ours"], row["theirs"])
    return (
        f"   {row['what']}, {row['size']}: {median(row['ours']):.3g} s; {row['against']}: "
        f"{found.median:.3g} times as long ({found.least:.3g} to {found.most:.3g}). "
        f"Equal: {row['checked']}"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", choices=[*files(), []], help="all by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all works")
    parser.add_argument("--write", action="store_true", help="write a partial run down, too")
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=FIGURES, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.only:
        found = measure(*chosen.only)
    else:
        found = run(chosen.names or files(), chosen.quick)
        if (chosen.quick or chosen.names) and not chosen.write:
            return
    chosen.out.write_text(in_lines(found), encoding="utf-8")


if __name__ == "__main__":
    main()
