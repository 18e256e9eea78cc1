"""A Sphinx extension: what many networks cost on a cluster, by simulation; and how to open one.

The page ``book/cluster`` shows `dask_cluster` and `ray_cluster` as they stand here, and as the
tests use them. The directive ``cluster-cost`` shows what `simulate` gives. The cost of
one network is measured, on the machine that ``cluster_cost.json`` names, by

    python tools/cluster_page.py
"""

import heapq
import json
import math
import os
import platform
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import figures
import numpy as np
import shared
from ratios import brief

from netdist_utils import plotting

MEASURED = Path(__file__).with_name("cluster_cost.json")
NETWORKS, CHUNK = 10_000, 16
WORKERS = (1, 3, 10, 30, 100, 300, 1000)
START = 15.0  # seconds until a worker has started and has imported torch
SPREAD = 0.2  # of the logarithm of a chunk's duration
SEND = 0.05  # seconds in which the caller sends one chunk its data, one after the other
KILLED = 0.05  # share of chunks whose worker is killed in them


# How to open a cluster


@contextmanager
def dask_cluster(n_workers, memory):
    """Processes of this machine, as configured for joblib."""
    from dask.distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        memory_limit=memory,
        dashboard_address="localhost:0",  # a free port: None takes 8787, which another's may have
    )
    with cluster, Client(cluster):
        yield {"backend": "dask"}


@contextmanager
def ray_cluster(n_workers, memory=None):
    """The same by Ray, which bounds no worker's memory by itself."""
    import ray
    from ray.util.joblib import register_ray

    ray.init(
        num_cpus=n_workers,
        object_store_memory=2**28,  # shared bytes: what workers are given
        include_dashboard=False,
    )
    register_ray()
    # What a killed worker has left is done again, in a new one.
    again = {"max_restarts": -1, "max_task_retries": -1}
    try:
        yield {
            "backend": "ray",
            "n_jobs": n_workers,
            "ray_remote_args": again,
        }
    finally:
        ray.shutdown()


CLUSTERS = {"dask": dask_cluster, "ray": ray_cluster}


# What it costs


def simulate(durations, n_workers, *, start=0.0, send=0.0, killed=0.0, seed=0):
    """Seconds until all chunks are done: each free worker takes the next one.

    Parameters
    ----------
    durations : sequence of float
        Seconds of each chunk, in the order in which they are handed out.
    n_workers : int
    start : float
        Seconds before a worker can take anything; once more after it was killed.
    send : float
        Seconds in which the caller sends a chunk with its data, one chunk at a time.
    killed : float
        Probability that a chunk's worker is killed in it, at a uniform time; the chunk is
        handed out again, first of all.
    seed : int

    Returns
    -------
    float
        Elapsed.
    float
        Worker-seconds paid: from the beginning to the end, on all workers.

    Examples
    --------
    >>> simulate([1.0] * 7, 3)
    (3.0, 9.0)
    """
    if n_workers < 1 or not 0 <= killed < 1:
        raise ValueError(f"{n_workers} workers, killed {killed}: 1 or more, a share below 1")
    rng, waiting = np.random.default_rng(seed), list(durations)[::-1]
    to_do, sent, idle, now = len(waiting), 0.0, [], 0.0  # sent: the caller is free from then
    events = [(start, worker, "ready", None) for worker in range(n_workers)]
    while to_do:
        now, worker, what, chunk = heapq.heappop(events)
        if what == "killed":
            waiting.append(chunk)
            heapq.heappush(events, (now + start, worker, "ready", None))
        else:
            to_do -= chunk is not None
            idle.append(worker)
        while idle and waiting:
            chunk, dies = waiting.pop(), rng.random() < killed
            after, end = (rng.random() * chunk, "killed") if dies else (chunk, "done")
            sent = max(now, sent) + send
            heapq.heappush(events, (sent + after, idle.pop(), end, chunk))
    return now, now * n_workers


def durations(seconds, n_networks=NETWORKS, spread=SPREAD, seed=0):
    """Seconds of each chunk of up to 16 networks: of mean ``seconds`` a network, log-normal.

    >>> float(durations(2.0, 40, spread=0).sum())
    80.0
    """
    sizes = np.full(math.ceil(n_networks / CHUNK), float(CHUNK))
    sizes[-1] = n_networks - sizes[:-1].sum()
    factors = np.random.default_rng(seed).lognormal(-(spread**2) / 2, spread, len(sizes))
    return seconds * sizes * factors


def costs(seconds):
    """Of each number of workers: seconds with and without kills, worker-seconds, the floor."""
    chunks = durations(seconds)
    for n in WORKERS:
        calm, _ = simulate(chunks, n, start=START, send=SEND)
        killed, paid = simulate(chunks, n, start=START, send=SEND, killed=KILLED)
        floor = chunks.sum() / n
        yield {"workers": n, "floor": floor, "calm": calm, "killed": killed, "paid": paid}


# The cost of one


def measure(epochs=1):
    """Train one chunk of chapter 6's base network for an epoch, on one core."""
    import torch

    from netdist_utils import data, training, zoo

    torch.set_num_threads(1)
    setting = zoo.setting(data.images())
    recipe = training.Recipe(**{**setting.recipe, "epochs": epochs})
    starts = [training.start(setting.make_model, seed) for seed in range(CHUNK)]
    job = starts, range(CHUNK), setting.train.x, setting.train.y, recipe, {epochs}, int
    began = time.thread_time()
    training._train_group(*job)
    took = time.thread_time() - began
    return {
        "seconds": round(took / CHUNK / epochs * setting.recipe["epochs"], 3),
        "network": "-".join(str(w.shape[1]) for w in _weights(starts[0])) + "-10",
        "images": len(setting.train),
        "epochs": setting.recipe["epochs"],
        "measured_epochs": epochs,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "torch": torch.__version__,
    }


def _weights(model):
    return [p for p in model.parameters() if p.ndim > 1]


def measured():
    """What `measure` has found, when it was last asked."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


# The page


def sentence(known):
    """What was measured, and what was assumed."""
    sizes = [int(n) for n in known["network"].split("-")]
    weights = sum(a * b for a, b in pairwise(sizes))
    return (
        f"Measured: an epoch of a {known['network']} network over {known['images']:,} images, in "
        f"a stack of {CHUNK} on one core ({known['machine']}, PyTorch {known['torch']}; epochs "
        f"run: {known['measured_epochs']}). Its {known['epochs']} epochs are "
        f"{known['seconds']:.1f} s. Assumed: {brief(START)} to start a worker; {SEND} s in which "
        "the caller sends a chunk its data, one chunk after the other; durations of chunks that "
        f"are log-normal with a standard deviation of {SPREAD:.0%}; and, where workers are killed,"
        f" one chunk of {1 / KILLED:.0f} whose worker is. Left out: the way back of "
        f"{4 * weights * NETWORKS / 1e9:.0f} GB of weights to the caller."
    )


def table(found):
    """Rows of what `costs` says."""
    names = ("Workers", "Work / workers", "Time", "Time, workers killed", "Worker-hours then")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(
        f"<tr><td>{row['workers']:,}</td><td>{brief(row['floor'])}</td>"
        f"<td>{brief(row['calm'])}</td><td>{brief(row['killed'])}</td>"
        f"<td>{row['paid'] / 3600:,.0f}</td></tr>"
        for row in found
    )
    return f'<table class="docutils"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def figure(found):
    """Time over workers, on two logarithmic axes, as an SVG in the page's colours."""
    drawing = figures.drawn(draw, found, alt(found), "cluster-")
    caption = (
        f"Hours until {NETWORKS:,} networks are trained. Nothing is faster than the dashed line, "
        "the work divided by the workers."
    )
    return figures.captioned(drawing, caption)


def draw(canvas, found):
    canvas.set_size_inches(6, 3.2)
    ax = canvas.add_subplot()
    for name, label, color, style in (
        ("floor", "work / workers", "null", "--"),
        ("calm", "no worker is killed", "matched", "o-"),
        ("killed", "workers are killed", "unmatched", "s-"),
    ):
        hours = [row[name] / 3600 for row in found]
        ax.loglog(WORKERS, hours, style, ms=4, color=plotting.COLORS[color], label=label)
    ax.set(xlabel="workers", ylabel="hours")
    ax.set_xticks(WORKERS, [f"{n:,}" for n in WORKERS])
    ax.yaxis.set_major_formatter(figures.plain)
    ax.minorticks_off()
    ax.legend()


def alt(found):
    """What the figure shows."""
    first, last = found[0], found[-1]
    return (
        f"Hours over workers, both axes logarithmic. From {first['workers']} worker to "
        f"{last['workers']:,} the work divided by workers falls in a straight line from "
        f"{brief(first['floor'])} to {brief(last['floor'])}. The time it takes leaves that line, "
        f"from {brief(first['calm'])} to {brief(last['calm'])}, and to {brief(last['killed'])} "
        "where workers are killed."
    )


def content():
    """What stands on the page: what was measured, the table, and the figure."""
    known = measured()
    found = list(costs(known["seconds"]))
    return f"<p>{sentence(known)}</p>{table(found)}{figure(found)}"


def setup(app):
    app.add_directive("cluster-cost", shared.inline(content))
    # What was measured may have changed where the page has not.
    app.connect("env-get-outdated", lambda *_: ["book/cluster"])
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    MEASURED.write_text(json.dumps(measure(), indent=2) + "\n", encoding="utf-8")
    print(sentence(measured()))
