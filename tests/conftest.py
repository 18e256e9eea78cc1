"""What all tests share: a cache folder of their own, no windows, and no clock."""

import hashlib
import socket

import hypothesis
import matplotlib
import numpy as np
import pytest

from netdist_utils import cifar
from tests.browser import launched

matplotlib.use("Agg")

# A test that fails where the machine is busy says nothing of the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests of a module."""
    with launched() as chromium:
        yield chromium


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads what another, or a user, has left in the cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NETDIST_CACHE_DIR", str(folder))
    for name in ("NETDIST_SCALE", "NETDIST_DATASET", "NETDIST_LEDGER", "NETDIST_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def tiny(monkeypatch):
    """The four arrays of a CIFAR-10 of twelve images, which passes for the official one."""
    rng = np.random.default_rng(0)
    found = {
        "train_images": rng.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8),
        "train_labels": np.arange(10, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8),
        "test_labels": np.array([3, 1], dtype=np.uint8),
    }
    sums = {name: hashlib.sha256(array).hexdigest() for name, array in found.items()}
    monkeypatch.setattr(cifar, "SHA256", sums)
    return found


@pytest.fixture
def offline(monkeypatch):
    """An address at which nothing listens: held for the whole test, so that nobody else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}/none.tar.gz"
        monkeypatch.setattr(cifar, "ADDRESS", address)
        yield
