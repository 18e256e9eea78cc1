"""What the benchmarks share: two ways measured in turn, growth beside its floor, memory.

`tools/bench.py` (``make bench``) runs the files ``bench_*.py`` and writes their figures down. Each
offers a generator ``rows()`` of `compare`, and where the cost of something grows, ``growth()`` of
`grow`. With ``NETDIST_BENCH_QUICK=1`` sizes are tiny: to see that all works, not how fast.
"""

import os
import time
from functools import cache
from importlib.metadata import version

import numpy as np
import torch

QUICK = bool(os.environ.get("NETDIST_BENCH_QUICK"))
SHORT = 2.0  # seconds below which a run is repeated more often
GPU = "cuda" if torch.cuda.is_available() else None


def release(name):
    """A library's version as it is spoken of: without what it was built for."""
    return version(name).partition("+")[0]


def size(whole, quick):
    """The size to measure at, or the tiny one of a quick run."""
    return quick if QUICK else whole


def seconds(run, repeats=3):
    """Least of a few runs: what the machine needs when nothing disturbs it."""
    return min(timed(run)[0] for _ in range(repeats))


def timed(run):
    """Seconds of one run, to the end of what it started on a GPU, and its result."""
    began = time.perf_counter()
    result = run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began, result


def peak_gib(run):
    """How far a run raises the peak of this process's memory; run the largest first."""
    import resource  # which Windows has not

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20


def repeated(run, times):
    """A short run so many times over; its seconds are then to be divided by them."""

    def runs():
        for _ in range(times):
            result = run()
        return result

    return runs


def trained_on(device, run):
    """The same run with `settings.device` being a device: where networks are trained."""

    def there():
        before = os.environ.get("NETDIST_DEVICE", "cpu")
        os.environ["NETDIST_DEVICE"] = device
        try:
            return run()
        finally:
            os.environ["NETDIST_DEVICE"] = before

    return there


def in_turn(*runs, check):
    """Seconds of each way, run in turn, and how their results were seen equal before.

    The first run of each warms up, and gives the results that ``check`` compares: it returns
    words, or raises.
    """
    first = [timed(run) for run in runs]
    checked = check(*(result for _, result in first))
    repeats = 5 if max(took for took, _ in first) < SHORT else 3
    times = [[timed(run)[0] for run in runs] for _ in range(size(repeats, 2))]
    return [list(column) for column in zip(*times, strict=True)], checked


def compare(
    *, chapter, what, size, against, ours, theirs, check, ours_by=1, theirs_by=1, gpu=None
):
    """One row of the table: our way and another one, their results seen equal first.

    Parameters
    ----------
    chapter, what, size, against : str
        Where it belongs, what is computed, how large, and the other way with its version.
    ours, theirs : callable
        Each returns its result.
    check : callable
        Takes both results; says in words in what they agree, or raises ValueError.
    ours_by, theirs_by : float
        What a run's seconds are multiplied by, where it does more or less than the whole.
    gpu : callable, optional
        Takes a device, returns the callable that does our way there; called with the GPU, and
        only where there is one.
    """
    (mine, other), checked = in_turn(ours, theirs, check=check)
    row = {"chapter": chapter, "what": what, "size": size, "against": against, "checked": checked}
    row |= {"ours": [t * ours_by for t in mine], "theirs": [t * theirs_by for t in other]}
    if gpu and GPU:
        times, _ = in_turn(gpu(GPU), theirs, check=check)
        row["gpu"] = [t * ours_by for t in times[0]]
    return row


def grow(
    *,
    chapter,
    what,
    against,
    axis,
    at,
    ways,
    check,
    floor,
    floor_is,
    theirs_by=lambda n: 1,
    theirs_to=np.inf,
):
    """One panel of the figure: how two ways grow with a size, over what the machine must do.

    Parameters
    ----------
    axis : str
        Name of the size, with its unit.
    at : sequence of int
    ways : callable
        Takes a size, returns (ours, theirs).
    floor : callable
        Takes a size, returns the seconds of `floor`.
    floor_is : str
        What the floor counts.
    theirs_by : callable
        Takes a size: what the other way's seconds are multiplied by.
    theirs_to : int
        Largest size at which the other way is run.
    """
    mine, other = [], []
    for n in at:
        ours, theirs = ways(n)
        if n <= theirs_to:
            times, _ = in_turn(ours, theirs, check=check)
            other.append([t * theirs_by(n) for t in times[1]])
        else:
            times, _ = in_turn(ours, check=lambda result: "")
        mine.append(times[0])
    panel = {"chapter": chapter, "what": what, "against": against, "axis": axis, "at": list(at)}
    panel |= {"ours": mine, "theirs": other or None}
    return panel | {"floor": [floor(n) for n in at], "floor_is": floor_is}


@cache
def limits():
    """What this machine can do: bytes a second copied, operations a second of a large product.

    The best of twenty runs, with as many threads as the benchmarks have, so that a slow moment of
    the machine does not lower it: {"bandwidth": ..., "single": ..., "double": ...}.
    """
    source = torch.ones(size(2**26, 2**20))  # 256 MiB: more than any cache holds
    target, n = torch.empty_like(source), size(1536, 256)
    target.copy_(source)
    found = {"bandwidth": 2 * source.nbytes / seconds(lambda: target.copy_(source), 20)}
    for name, dtype in (("single", torch.float32), ("double", torch.float64)):
        a = torch.ones(n, n, dtype=dtype)
        a @ a
        found[name] = 2 * n**3 / seconds(lambda a=a: a @ a, 20)
    return found


def floor(n_bytes, operations, precision="double"):
    """Seconds that so much takes at the rates of `limits`, below which no program can stay.

    The larger of the two: bytes over bandwidth, operations over the peak of that precision.
    """
    machine = limits()
    return max(n_bytes / machine["bandwidth"], operations / machine[precision])


def close(ours, theirs, within, of):
    """In what two results agree, in words; raises ValueError where one lies farther away.

    Parameters
    ----------
    ours, theirs : array_like of one shape
    within : float
        Largest difference allowed, as a share of the largest of theirs.
    of : str
        What they are.
    """
    ours, theirs = (np.asarray(torch.as_tensor(v).detach().cpu(), float) for v in (ours, theirs))
    if ours.shape != theirs.shape:
        raise ValueError(f"{of}: shapes {ours.shape} and {theirs.shape} are to be compared")
    gap, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
    if not gap <= within * largest:
        raise ValueError(f"{of} differ by {gap:.3g}, more than {within:g} of {largest:.3g}")
    return f"{of}, to 1 part in {1 / within:,.0f}" if within else f"{of}, exactly"
