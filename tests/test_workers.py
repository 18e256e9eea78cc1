"""Jobs side by side: the same results in the same order, one thread each, and nothing left behind.

What they do on Ray and Dask is in `test_clusters`.
"""

import threading

import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from torch import nn

from netdist_utils import data, models, settings, training, workers
from tests.helpers import CIRCLE, equal, fit, gaussian, small
from tests.test_faults import SHORT


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def threads_of(job):
    """A job of some length that says how many threads of torch it has, and which thread it is."""
    torch.ones(300, 300) @ torch.ones(300, 300)
    return job, torch.get_num_threads(), threading.get_ident()


def fails(job):
    raise ArithmeticError(f"job {job}")


def inner(job):
    """What a job says of jobs of its own."""
    return workers.plan(), list(workers.each(divmod, [(job, 3), (job, 4)], all_cores=True))


CONFIGURED = [
    {"n_jobs": 2},
    {"n_jobs": 3, "backend": "threading"},
    {"n_jobs": 2, "backend": "loky"},
    {"n_jobs": 1},
    {"backend": "sequential"},
]


@pytest.mark.parametrize("config", CONFIGURED, ids=str)
def test_jobs_keep_their_order_and_have_one_thread_each(two_threads, config):
    with parallel_config(**config):
        found = list(workers.each(threads_of, [(i,) for i in range(20)], all_cores=True))
    assert [job for job, _, _ in found] == list(range(20))
    assert {threads for _, threads, _ in found} == {1}
    assert torch.get_num_threads() == 2


def test_without_a_configuration_one_job_runs_here_and_as_it_did_before(two_threads):
    found = list(workers.each(threads_of, [(0,), (1,)]))
    assert [(threads, thread) for _, threads, thread in found] == [(2, threading.get_ident())] * 2


@pytest.mark.parametrize("config", CONFIGURED, ids=str)
def test_after_an_error_threads_are_put_back(two_threads, config):
    with parallel_config(**config), pytest.raises(ArithmeticError, match="job 0"):
        list(workers.each(fails, [(0,)], all_cores=True))
    assert torch.get_num_threads() == 2


def test_who_stops_half_way_gets_the_threads_back(two_threads):
    with parallel_config(n_jobs=1):
        jobs = workers.each(threads_of, [(i,) for i in range(3)], all_cores=True)
        assert next(jobs)[1] == 1 == torch.get_num_threads()
        jobs.close()
    assert torch.get_num_threads() == 2


def test_how_many_jobs_run_is_what_is_configured():
    assert workers.plan() == (1, True)
    assert workers.plan(all_cores=True)[0] == Parallel(-1, "threading")._effective_n_jobs()
    with parallel_config(n_jobs=1):
        assert workers.plan(all_cores=True) == (1, True)
    with parallel_config(n_jobs=5):
        assert workers.plan(all_cores=True) == workers.plan() == (5, True)
    with parallel_config("loky", n_jobs=2):
        assert workers.plan() == (2, False)


def test_on_a_gpu_nothing_is_spread_unless_it_is_configured(monkeypatch):
    monkeypatch.setattr(settings, "device", lambda: torch.device("cuda"))
    assert workers.plan(all_cores=True) == (1, True)
    with parallel_config(n_jobs=2):
        assert workers.plan() == (2, True)


@pytest.mark.parametrize("config", CONFIGURED[:3], ids=str)
def test_within_a_job_nothing_is_spread_any_further(config):
    with parallel_config(**config):
        found = list(workers.each(inner, [(10,), (11,)]))
    assert found == [((1, True), [(3, 1), (2, 2)]), ((1, True), [(3, 2), (2, 3)])]


def test_within_somebody_elses_jobs_nothing_is_spread_either():
    found = Parallel(2, "threading")(delayed(workers.plan)(all_cores=True) for _ in range(2))
    assert found == [(1, True)] * 2


# Networks


WIDE = [256, 96, 10]
NOISE = data.Split(gaussian(200, 256), torch.arange(200) % 10)


@pytest.fixture
def chunks(monkeypatch):
    """However small they are, networks are spread over all cores."""
    monkeypatch.setattr(training, "WORK_OF_A_CORE", 1)


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 7])
@pytest.mark.parametrize("stacked", [True, False])
def test_a_network_does_not_depend_on_how_many_cores_there_are(
    n_jobs, stacked, chunks, monkeypatch, two_threads
):
    """To the bit, since each group has one thread. The control: stacked or not, sums differ."""
    monkeypatch.setattr(training, "BATCHED_PARAMETERS", 10**9 if stacked else 0)
    options = {"make_model": lambda: models.mlp(WIDE), "split": NOISE, "batch_size": 64}
    with parallel_config(n_jobs=1):
        one_by_one = fit(range(7), **options)
    with parallel_config(n_jobs=n_jobs):
        found = fit(range(7), **options)
    assert all(equal(a, b) for a, b in zip(one_by_one, found, strict=True))
    for a, b in zip(found, fit(range(7), **options), strict=True):  # as the machine has it
        assert equal(a, b)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("n", "jobs", "sizes"),
    [(1, 4, [1]), (2, 4, [2]), (3, 4, [3]), (7, 2, [3, 4]), (7, 3, [2, 2, 3]), (8, 99, [2] * 4)],
)
def test_a_stack_is_cut_for_as_many_cores_as_there_are(n, jobs, sizes, chunks):
    """Two stay together: the sums of one alone are taken in another order."""
    starts, recipe = [small()] * n, training.Recipe(epochs=1, lr=0.1)
    with parallel_config(n_jobs=jobs):
        groups = training._groups(starts, recipe, torch.device("cpu"))
    assert [i for group in groups for i in group] == list(range(n))
    assert [len(group) for group in groups] == sizes


def test_a_stack_of_small_networks_stays_whole_here_and_is_cut_for_other_processes():
    starts, recipe = [small()] * 40, training.Recipe(epochs=1, lr=0.1)
    sizes = lambda: [len(g) for g in training._groups(starts, recipe, torch.device("cpu"))]
    with parallel_config(n_jobs=4):
        assert sizes() == [40]
    with parallel_config("loky", n_jobs=2):
        assert sizes() == [13, 13, 14]  # at most `MEMBERS_ELSEWHERE`
    assert len(training._groups(starts, recipe, torch.device("cuda"))) == 1


def test_other_processes_train_the_same_networks(chunks):
    here = fit(range(4))
    with parallel_config("loky", n_jobs=2):
        there = fit(range(4))
    assert all(equal(a, b) for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_bar_is_full_at_the_end(backend, chunks, monkeypatch):
    bars, inner = [], settings.progress

    def progress(**options):
        bars.append(inner(**options))
        return bars[-1]

    monkeypatch.setattr(settings, "progress", progress)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    with parallel_config(backend, n_jobs=2):
        fit(range(4), progress=True)
    assert bars[0].n == bars[0].total == 2 * 3


@pytest.mark.parametrize("ready", [True, False])
def test_who_asks_for_no_more_is_not_warned_of_the_rest(ready):
    """Of what joblib has ready by then, and of what it cancels."""
    done = threading.Barrier(2)  # the second job and this test

    def job(number):
        if number == 1:
            done.wait(20)
        return number

    with parallel_config(n_jobs=3):
        found = workers.each(job, [(n,) for n in range(4)])
        assert next(found) == 0
        if ready:
            done.wait(20)
        else:
            threading.Timer(0.2, done.wait, [20]).start()
        found.close()


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_the_first_seed_that_diverges_is_named(n_jobs, chunks):
    def make():
        model = small()
        if model[1].weight[0, 0] > 0:
            nn.init.constant_(model[1].weight, 1e38)
        return model

    signs = [float(training.start(small, seed)[1].weight[0, 0]) > 0 for seed in range(8)]
    first = signs.index(True)
    with (
        parallel_config(n_jobs=n_jobs),
        pytest.raises(FloatingPointError, match=f"seed {first} diverged"),
    ):
        fit(range(8), make_model=make)


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("error", SHORT.values(), ids=SHORT)
def test_networks_that_do_not_fit_side_by_side_are_trained_one_by_one(
    error, n, chunks, monkeypatch
):
    monkeypatch.setattr(training, "BATCHED_PARAMETERS", 0)
    expected, inner, main = fit(range(n)), training._descend, threading.get_ident()

    def descend(*arguments):
        if threading.get_ident() != main:
            raise error
        return inner(*arguments)

    monkeypatch.setattr(training, "_descend", descend)
    with parallel_config(n_jobs=2):
        found = fit(range(n))
    assert all(equal(a, b) for a, b in zip(found, expected, strict=True))


def test_other_errors_of_a_job_are_not_tried_again(chunks, monkeypatch):
    calls = []

    def descend(*arguments):
        calls.append(threading.get_ident())
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(training, "_descend", descend)
    with parallel_config(n_jobs=2), pytest.raises(RuntimeError, match="shapes"):
        fit(range(8), CIRCLE)
    assert calls and threading.get_ident() not in calls
