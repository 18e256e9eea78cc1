"""A network is trained once, by whoever comes first, and its file is whole or not there."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
import torch
from filelock import FileLock
from safetensors.torch import save_file

from netdist_utils import data, models, settings, store, training
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


def test_the_time_of_a_training_is_spared_once(monkeypatch):
    """A clock of five seconds a training: the last network of a history brings all of it."""
    monkeypatch.setattr(store, "perf_counter", count(0, 5).__next__)
    training.fit_history(small, CIRCLE, 0, epochs=3, lr=0.1, progress=False)
    spared = store.spared_seconds()
    fit([0], cache=True, epochs=1)
    assert store.spared_seconds() == spared
    fit([0], cache=True)
    assert store.spared_seconds() == spared + 5
    training.fit_history(small, CIRCLE, 0, epochs=3, lr=0.1, progress=False)
    assert store.spared_seconds() == spared + 10


def test_a_killed_write_leaves_no_half_file(own_cache, monkeypatch):
    def killed(weights, said):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store, "save", killed)
        fit([0], cache=True)
    assert networks(own_cache) == [] == list((own_cache / "networks").glob("*.tmp*"))
    fit([0], cache=True)
    assert len(networks(own_cache)) == 1


# The protocol of the cache, with a training that only says what it was asked for


class Training:
    """Returns a planted network for each position, and remembers which were asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, positions):
        self.asked.append(list(positions))
        return [{0: training.start(small, 100 + i)} for i in positions]


def wanted(cache, n):
    """Starts of n networks, and the file of each."""
    (cache / "networks").mkdir(exist_ok=True)
    starts = [training.start(small, i) for i in range(n)]
    return starts, [{0: cache / "networks" / f"{i}.safetensors"} for i in range(n)]


def locks(enter, leave=lambda name: None):
    """A lock that waits for nobody, and does something when it is taken and given back."""

    @contextmanager
    def lock(name):
        enter(name)
        yield
        leave(name)

    return lock


def test_nothing_wanted_is_nothing_trained(own_cache):
    train = Training()
    assert store.fetch([], [], train) == [] and train.asked == []


def test_only_what_is_missing_is_trained_and_only_once(own_cache):
    train, (starts, files) = Training(), wanted(own_cache, 3)
    store.fetch(starts[1:2], files[1:2], lambda _: [{0: training.start(small, 101)}])
    found = store.fetch(starts, files, train)
    assert train.asked == [[0, 2]]
    assert all(equal(of[0], training.start(small, 100 + i)) for i, of in enumerate(found))
    assert len(store.fetch(starts, files, train)) == 3 and len(train.asked) == 1


@pytest.mark.parametrize("meanwhile", [[], [0], [0, 1]])
def test_under_the_lock_it_looks_again(own_cache, monkeypatch, meanwhile):
    """Whoever held the locks may have trained a network meanwhile: here, it has trained these."""
    train, (starts, files) = Training(), wanted(own_cache, 2)

    def theirs(name):
        for i in meanwhile:
            if name == f"{files[i][0]}.lock":
                save_file(training.start(small, 200 + i).state_dict(), files[i][0])

    monkeypatch.setattr(store, "FileLock", locks(theirs))
    found = store.fetch(starts, files, train)
    assert train.asked == [[i for i in (0, 1) if i not in meanwhile]]
    for i, of_network in enumerate(found):
        seed = (200 if i in meanwhile else 100) + i
        assert equal(of_network[0], training.start(small, seed))


def test_a_file_that_was_mended_before_the_lock_was_taken_stays(own_cache, monkeypatch):
    """Only who holds the lock sets a damaged file aside, for another may put a good one there."""
    train, (starts, files), good = Training(), wanted(own_cache, 1), training.start(small, 7)
    path = files[0][0]
    path.write_bytes(b"damaged")
    theirs = locks(lambda name: save_file(good.state_dict(), path))
    monkeypatch.setattr(store, "FileLock", theirs)
    (found,) = store.fetch(starts, files, train)
    assert equal(found[0], good) and train.asked == [[]]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_locks_are_taken_in_one_order(own_cache, monkeypatch, order):
    """So two runs that want the same networks in other orders do not wait on each other."""
    starts, files = wanted(own_cache, 3)
    taken, left = [], []
    monkeypatch.setattr(store, "FileLock", locks(taken.append, left.append))
    store.fetch([starts[i] for i in order], [files[i] for i in order], Training())
    assert taken == left[::-1] == [f"{of[0]}.lock" for of in files]


def test_what_was_trained_before_a_failure_is_kept(own_cache):
    starts, files = wanted(own_cache, 3)

    def train(positions):
        yield {0: training.start(small, 100)}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.fetch(starts, files, train)
    assert [of_network[0].exists() for of_network in files] == [True, False, False]
    again = Training()
    store.fetch(starts, files, again)
    assert again.asked == [[1, 2]]


def test_a_training_that_fails_keeps_no_lock(own_cache):
    starts, files = wanted(own_cache, 2)
    with pytest.raises(ZeroDivisionError):
        store.fetch(starts, files, lambda _: 1 / 0)
    for of_network in files:
        with FileLock(f"{of_network[0]}.lock", timeout=0):  # raises where it is still held
            pass


def test_a_file_is_named_by_what_determines_the_network(own_cache):
    """A rate of 1 is one of 1.0; how long a constant rate would go on does not matter."""
    recipe, start = training.Recipe(epochs=3, lr=1.0), small()

    def name(epoch=2, **change):
        return store.path_of(start, CIRCLE.fingerprint, 0, replace(recipe, **change), epoch)

    assert name() == name(lr=1) == name(epochs=10)
    assert name(schedule="cosine") != name(schedule="cosine", epochs=10)
    assert len({name(), name(epoch=3), name(lr=0.5), name(schedule="cosine")}) == 4
    assert store.path_of(start, CIRCLE.fingerprint, 1, recipe, 2) != name()


def test_start_version_and_device_are_part_of_the_name(monkeypatch):
    """All else being equal: other weights of one shape, another torch, another device."""
    recipe, start, other = training.Recipe(epochs=1, lr=0.1), small(), small()

    def name(model=start):
        return store.path_of(model, CIRCLE.fingerprint, 0, recipe, 1)

    before, names = name(), {name(), name(other)}
    for where, what, value in [
        (torch, "__version__", "0.0"),
        (settings, "device", lambda: torch.device("meta")),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(where, what, value)
            names.add(name())
    assert len(names) == 4 and name() == name(models.clone(start)) == before
