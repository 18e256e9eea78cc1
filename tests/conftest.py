"""What all tests share: a cache folder of their own, no windows, and no clock."""

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")

# A test that fails where the machine is busy says nothing of the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads what another, or a user, has left in the cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NETDIST_CACHE_DIR", str(folder))
    for name in ("NETDIST_SCALE", "NETDIST_DATASET", "NETDIST_LEDGER", "NETDIST_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder
