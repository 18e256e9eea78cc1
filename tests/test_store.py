import multiprocessing
import os

import pytest

from netdist_utils import data, models, store, training
from tests.helpers import CIRCLE, equal, fit, small


def networks(cache):
    return sorted((cache / "networks").glob("*.safetensors"))


def test_the_cache_returns_what_was_trained(own_cache, monkeypatch):
    first = fit([0, 1], cache=True)
    assert len(networks(own_cache)) == 2
    with monkeypatch.context() as patch:  # the second time nothing may be trained
        patch.setattr(training, "_train", lambda starts, *rest: starts and pytest.fail("trained"))
        second = fit([1, 0], cache=True)
    assert equal(first[0], second[1]) and equal(first[1], second[0])
    fit([1, 2], cache=True)
    assert len(networks(own_cache)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.2},
        {"epochs": 2},
        {"momentum": 0.0},
        {"batch_size": 64},
        {"weight_decay": 0.1},
        {"optimizer": "adam"},
        {"schedule": "cosine"},
        {"make_model": lambda: models.mlp([2, 9, 2])},
        {"make_model": lambda: models.mlp([2, 8, 2], bias=False)},
        {"split": data.circle(130, seed=1)},
    ],
)
def test_the_cache_tells_trainings_apart(own_cache, change):
    fit([0], cache=True)
    fit([0], cache=True, **change)
    assert len(networks(own_cache)) == 2


def test_a_history_and_its_end_share_their_file(own_cache):
    training.fit_history(small, CIRCLE, 0, epochs=3, lr=0.1, progress=False)
    before = networks(own_cache)
    fit([0], cache=True)
    assert networks(own_cache) == before and len(before) == 4


def test_a_killed_write_leaves_no_half_file(own_cache, monkeypatch):
    def killed(tensors, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store, "save_file", killed)
        fit([0], cache=True)
    assert networks(own_cache) == []
    fit([0], cache=True)
    assert len(networks(own_cache)) == 1


def _train_and_count(cache, trained, barrier):
    os.environ["NETDIST_CACHE_DIR"] = str(cache)
    inner = training._train

    def counting(starts, *rest):
        with trained.get_lock():
            trained.value += len(starts)
        return inner(starts, *rest)

    training._train = counting
    barrier.wait()
    fit([0, 1], cache=True, epochs=20)


def test_two_runs_at_once_train_a_network_once(own_cache):
    context = multiprocessing.get_context("spawn")
    # A run that fails before it is ready breaks the barrier: an error, and no wait without end.
    trained, barrier = context.Value("i", 0), context.Barrier(2, timeout=300)
    runs = [
        context.Process(target=_train_and_count, args=(own_cache, trained, barrier))
        for _ in range(2)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert trained.value == 2
