"""The same work on a real Dask cluster and a real Ray cluster, of two workers on this machine.

The code that opens a cluster is the one that the page "On a cluster" of the book shows.
"""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from joblib import parallel_config

from netdist_utils import ablation, data, lenses, models, spectra, training, workers
from netdist_utils.moments import moments
from tests.helpers import equal, fit, gaussian, net
from tests.test_store import networks

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import cluster_page

NAMES = ["dask", "ray"]
WHY = "has no wheel for every system that the book runs on, and is not installed on this one"
pytestmark = [
    pytest.mark.timeout(120),
    # What these two libraries and what they start say of themselves, not of us.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", params=NAMES)
def cluster(request):
    """An open cluster of two workers: a function that gives the context in which it is used."""
    name = request.param
    pytest.importorskip("distributed" if name == "dask" else "ray", reason=f"{name} {WHY}")
    with cluster_page.CLUSTERS[name](n_workers=2, memory="2GiB") as configuration:
        yield lambda: parallel_config(**configuration)


SPLIT = data.digits().train.first(300)


def make():
    return models.mlp([64, 12, 10])


def test_dask_opens_beside_a_program_that_has_its_usual_port():
    """As where two builds run at once: Dask warns where it finds 8787 taken."""
    pytest.importorskip("distributed", reason=f"dask {WHY}")
    with socket.socket() as other:
        with suppress(OSError):  # somebody else has it: as good
            other.bind(("127.0.0.1", 8787))
            other.listen()
        with cluster_page.dask_cluster(n_workers=1, memory="2GiB") as configuration:
            assert configuration == {"backend": "dask"}


def test_networks_of_several_seeds_are_the_same(cluster, own_cache):
    """To the bit; their files are written where the call is, and serve without a cluster."""
    here = fit(range(6), SPLIT, make)
    with cluster():
        there = fit(range(6), SPLIT, make, cache=True)
    assert all(equal(a, b) for a, b in zip(here, there, strict=True))
    assert len(networks(own_cache)) == 6
    assert all(
        equal(a, b) for a, b in zip(here, fit(range(6), SPLIT, make, cache=True), strict=True)
    )


def test_pairs_are_the_same(cluster):
    nets = [net(64, 12, 10, seed=k) for k in range(3)]
    with cluster():
        there = lenses.measure_pairs(nets, data.digits().test)
    pd.testing.assert_frame_equal(there, lenses.measure_pairs(nets, data.digits().test))


def test_masks_and_spectra_are_the_same(cluster, request, monkeypatch):
    if "ray" in request.node.callspec.id:
        pytest.skip("Ray starts its workers anew for each call, which takes long")
    model, masks = net(64, 8, 10), gaussian(50, 8).sigmoid()
    parts = masks.split(9)
    monkeypatch.setattr(ablation.masks, "_parts", lambda *of_all: parts)
    with cluster():
        there = ablation.losses(model, SPLIT, masks)
    assert torch.equal(there, ablation.losses(model, SPLIT, masks))
    with cluster():
        there = spectra.layer_spectra(model)
    for a, b in zip(there, spectra.layer_spectra(model), strict=True):
        assert a.name == b.name and np.array_equal(a.eigenvalues, b.eigenvalues)


def part_of_moments(model, seed, n):
    """Moments of one part of the data, the process that took them, its memory, and its plans."""
    found = moments([model], gaussian(n, 64, seed=seed), [1])[1]
    return found, os.getpid(), psutil.Process().memory_info().rss, workers.plan(all_cores=True)


def test_parts_merge_and_a_workers_memory_does_not_grow_with_them(cluster):
    """Forty parts of 13 MB, in two other processes that may have 2 GiB: as much as after a few."""
    model, n = net(64, 12, 10), 50_000
    with cluster():
        assert workers.plan() == (2, False)
        jobs = [(model, seed, n) for seed in range(40)]
        found = zip(*workers.each(part_of_moments, jobs), strict=True)
    (first, *rest), pids, memory, plans = found
    assert set(plans) == {(1, True)}  # within a job nothing is spread any further
    assert len(set(pids)) == 2 and os.getpid() not in pids
    assert max(memory) < 2**31 and max(memory[20:]) < max(memory[:20]) + 100 * 2**20
    with parallel_config(n_jobs=1):  # one thread, as a worker has: more may round in another order
        x = torch.cat([gaussian(n, 64, seed=seed) for seed in range(40)])
        whole = next(workers.each(moments, [([model], x, [1])], all_cores=True))[1]
    together = first.merged(*rest)
    assert together.count == whole.count == 40 * n
    torch.testing.assert_close(together.seconds, whole.seconds, rtol=1e-12, atol=1e-13)


# A worker that is killed


def train_and_hang_once(folder, i, *job):
    """A group of networks; who trains the first one for the first time never ends."""
    tried = Path(folder) / f"{i}"
    if i == 0 and not tried.exists():
        tried.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)
    tried.touch()
    return training._train_group(*job)


@contextmanager
def killed(path):
    """Kill the process whose id a file will hold, as a machine does that is switched off."""
    done = []

    def kill():
        while not (path.exists() and path.read_text(encoding="utf-8")):
            time.sleep(0.1)
        os.kill(int(path.read_text(encoding="utf-8")), signal.SIGKILL)
        done.append(True)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    yield done
    killer.join(60)


def test_the_work_of_a_killed_worker_is_done_again(cluster, tmp_path):
    recipe = training.Recipe(epochs=3, lr=0.1)
    common = SPLIT.x, SPLIT.y, recipe, {3}, int
    pairs = [[0, 1], [2, 3], [4, 5], [6, 7]]
    jobs = [([training.start(make, seed) for seed in pair], pair, *common) for pair in pairs]
    with cluster(), killed(tmp_path / "0") as done:
        named = [(str(tmp_path), i, *job) for i, job in enumerate(jobs)]
        found = [kept[3] for group in workers.each(train_and_hang_once, named) for kept in group]
    assert done
    assert all(equal(a, b) for a, b in zip(found, fit(range(8), SPLIT, make), strict=True))
