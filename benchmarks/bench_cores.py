"""One thread or two: what a training costs when the machine is quiet, and beside a busy loop.

    python tools/bench.py cores

The busy loop is a process of two threads of matrix products, which this file starts and ends.
How threads wait is settled when a process starts (``OMP_WAIT_POLICY``), so each row is measured
in a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext

import torch

from netdist_utils import data, models, training

RUNS = 5
LIMIT = 4  # seconds after which no further run of what collapses is begun
STEPS = 10  # timed at once
EPOCHS = 10  # of an ensemble, so that not only its start is timed
WIDTHS, BATCH, NETWORKS, IMAGES = [1024, 256, 10], 64, 4, 640
LOOP = """
import os, torch
torch.set_num_threads(2)
matrix, parent = torch.randn(500, 500), os.getppid()
while os.getppid() == parent:
    matrix @ matrix
"""
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}


@contextmanager
def busy_loop():
    """A second process that wants two cores, and ends with this one."""
    loop = subprocess.Popen([sys.executable, "-c", LOOP], env=without_limits())
    time.sleep(3)  # until it has started
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def without_limits():
    """The environment, less what tells threads how to wait and how many they are."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "MKL_", "KMP_"))}


def noise():
    x = torch.randn(IMAGES, WIDTHS[0], generator=torch.Generator().manual_seed(0))
    return data.Split(x, torch.arange(IMAGES) % WIDTHS[-1])


def make():
    return models.mlp(WIDTHS)


# What is timed: each returns a run, which returns networks


def steps(threads):
    """Ten steps of one network on one batch."""
    torch.set_num_threads(threads)
    model, split = training.start(make, 0).requires_grad_(), noise().first(BATCH)
    descent = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def run():
        for _ in range(STEPS):
            descent.zero_grad()
            torch.nn.functional.cross_entropy(model(split.x), split.y).backward()
            descent.step()
        return [model]

    return run


def ensemble(threads):
    """Four networks: by `fit_ensemble`, or as before, all in one stack on two threads."""
    torch.set_num_threads(2)
    split, recipe = noise(), training.Recipe(epochs=EPOCHS, lr=0.01, batch_size=BATCH)
    starts = [training.start(make, seed) for seed in range(NETWORKS)]

    def now():
        options = {"epochs": EPOCHS, "lr": 0.01, "batch_size": BATCH, "progress": False}
        return training.fit_ensemble(make, split, range(NETWORKS), cache=False, **options)

    def before():
        job = starts, range(NETWORKS), split.x, split.y, recipe, {EPOCHS}, int
        return [snapshots[EPOCHS] for snapshots in training._train_group(*job)]

    return now if threads == 1 else before


TIMED = {"steps": (steps, STEPS), "ensemble": (ensemble, 1)}


def measure(what, threads):
    """In a process of its own: losses after the first run, and seconds of each later one."""
    make_run, share = TIMED[what]
    run = make_run(int(threads))
    result = [training.cross_entropy(model, noise()) for model in run()]
    found, began = [], time.perf_counter()
    while len(found) < RUNS and (not found or time.perf_counter() - began < LIMIT):
        before = time.perf_counter()
        run()
        found.append((time.perf_counter() - before) / share)
    print(json.dumps([result, found]))


def in_a_process(what, threads, **variables):
    command = [sys.executable, __file__, what, str(threads)]
    there = {**without_limits(), **variables}
    return json.loads(subprocess.run(command, env=there, capture_output=True, check=True).stdout)


def rows():
    """Of each way, what it costs when the machine is quiet and beside a busy loop."""
    size = f"{'-'.join(map(str, WIDTHS))}, batch {BATCH}"
    trained = f"{NETWORKS} networks trained by fit_ensemble"
    ways = [
        ("one step, one thread", "steps", (1, {}), "two threads"),
        ("one step, two threads that wait passively", "steps", (2, PASSIVE), "two threads"),
        (trained, "ensemble", (1, {}), "one stack on two threads"),
        (f"{trained}, passive", "ensemble", (1, PASSIVE), "not passive"),
    ]
    for place, disturbed in (("quiet", nullcontext), ("beside a busy loop", busy_loop)):
        with disturbed():
            for what, timed, (threads, variables), against in ways:
                other = 1 if against == "not passive" else 2
                result, ours = in_a_process(timed, threads, **variables)
                expected, theirs = in_a_process(timed, other)
                off = max(abs(a / b - 1) for a, b in zip(result, expected, strict=True))
                if off > training.TOLERANCE:
                    raise SystemExit(f"{what}: losses {result} and {expected}")
                yield {
                    "chapter": "training",
                    "what": f"{what}, {place}",
                    "size": size,
                    "against": against,
                    "ours": ours,
                    "theirs": theirs,
                    "checked": f"losses agree to {off:.0e}" if off else "losses are equal",
                }


if __name__ == "__main__":
    measure(*sys.argv[1:])
