"""What the benchmarks share: the least of a few runs, and the peak of memory."""

import resource
import time


def seconds(run, repeats=3):
    """Least of a few runs: what the machine needs when nothing disturbs it."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def peak_gib(run):
    """How far a run raises the peak of this process's memory; run the largest first."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
