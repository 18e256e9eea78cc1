"""Independent work side by side: on this machine's cores, or where joblib is told to do it.

On a CPU, jobs side by side are threads with one thread of torch each. Two threads of torch on
one small product wait for each other, and beside another program they wait long
(``benchmarks/bench_cores.py``); jobs that share nothing do not. A ``joblib.parallel_config``
around a call of this package puts its jobs on processes, Ray or Dask.
"""

import torch
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import get_active_backend

from netdist_utils import checks, settings


def plan(all_cores=False):
    """How many jobs run at once, and whether they do in this process.

    Parameters
    ----------
    all_cores : bool
        What no ``joblib.parallel_config`` decides, decides this: as many jobs as there are cores
        (on a GPU and within a job, one), or one.

    Returns
    -------
    int
    bool

    Examples
    --------
    >>> with parallel_config(n_jobs=3):
    ...     plan()
    (3, True)
    """
    backend, _ = get_active_backend(prefer="threads")
    _, n_jobs = get_active_backend()  # with a preference joblib says 1, whatever is configured
    here = getattr(backend, "supports_sharedmem", False)
    if n_jobs is None:
        free = not backend.nesting_level and (not here or (all_cores and _on_cpu()))
        n_jobs = -1 if free else 1
    return backend.effective_n_jobs(n_jobs), here


def each(function, jobs, all_cores=False):
    """What a function says of each job, in their order, as soon as it is known (Ray: at the end).

    Parameters
    ----------
    function : callable
        Neither ``torch.no_grad`` nor a seed around the call reaches it.
    jobs : iterable of tuple
        The arguments of each.
    all_cores : bool
        As in `plan`; and one thread of torch a job, even of one job alone.

    Yields
    ------
    object

    Examples
    --------
    >>> list(each(pow, [(2, 3), (3, 2)]))
    [8, 9]
    """
    n_jobs, here = plan(all_cores)
    before = torch.get_num_threads()
    threads = 1 if _on_cpu() and (all_cores or n_jobs > 1) else before
    torch.set_num_threads(threads)  # what new threads of this process start from
    try:
        if here and n_jobs == 1:
            yield from (function(*job) for job in jobs)
        else:
            in_turn = getattr(get_active_backend()[0], "supports_return_generator", False)
            run = Parallel(n_jobs, prefer="threads", return_as="generator" if in_turn else "list")
            outputs = run(delayed(_do)(threads, function, *job) for job in jobs)
            run.return_generator = False  # or it warns who stops early, as where one is bad
            yield from outputs
    finally:
        torch.set_num_threads(before)


def _do(threads, function, *job):
    """One job, within which nothing is spread any further."""
    torch.set_num_threads(threads)  # once more, for other processes
    with parallel_config("sequential"):
        return function(*job)


def _on_cpu():
    return settings.device().type == "cpu"


checks.guard(__name__)
