"""What all tests share: a cache folder of their own, and no windows."""

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test reads what another, or a user, has left in the cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NETDIST_CACHE_DIR", str(folder))
    for name in ("NETDIST_SCALE", "NETDIST_DATASET", "NETDIST_LEDGER", "NETDIST_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder
