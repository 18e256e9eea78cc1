"""The files of CIFAR-10, from a tiny copy of it and a server on this machine."""

import functools
import hashlib
import http.server
import io
import os
import pickle
import tarfile
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from netdist_utils import cifar


@pytest.fixture
def archive(tiny):
    """The same images in the official archive's layout, as bytes."""
    parts = {f"data_batch_{i + 1}": ("train", slice(2 * i, 2 * i + 2)) for i in range(5)}
    batches = {}
    for name, (part, rows) in {**parts, "test_batch": ("test", slice(0, 2))}.items():
        flat = tiny[f"{part}_images"][rows].transpose(0, 3, 1, 2).reshape(2, 3072)
        batches[name] = {"data": flat, "labels": tiny[f"{part}_labels"][rows].tolist()}
    return packed(batches)


def packed(batches):
    """Pickled batches by name, as the bytes of a .tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, batch in batches.items():
            content = pickle.dumps(batch)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(archive, tmp_path, monkeypatch):
    """torchvision's address and checksum, pointed at a server on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / cifar.ARCHIVE).write_bytes(archive)
    handler = functools.partial(Quiet, directory=folder)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))  # looks for its end often
    thread.start()
    monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{httpd.server_port}/{cifar.ARCHIVE}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive).hexdigest())
    yield folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def same(found, expected):
    return all(np.array_equal(found[name], expected[name]) for name in expected)


def test_three_ways_one_result(tiny, archive, server, own_cache, tmp_path, monkeypatch):
    """Download, then the decoded file it left; a folder's npz; a folder's archive."""
    assert same(cifar.arrays(), tiny)
    assert (own_cache / "cifar10.npz").exists()
    (server / cifar.ARCHIVE).unlink()  # from here on only the cache can serve
    assert same(cifar.arrays(), tiny)

    npz = tmp_path / "npz"
    npz.mkdir()
    np.savez(npz / "cifar10.npz", **tiny)
    assert same(cifar.arrays(npz), tiny)

    tar = tmp_path / "tar"
    tar.mkdir()
    (tar / cifar.ARCHIVE).write_bytes(archive)
    assert same(cifar.arrays(tar), tiny)
    assert same(cifar.arrays(tar), tiny)

    (own_cache / "cifar10.npz").unlink()
    (own_cache / cifar.ARCHIVE).unlink()
    monkeypatch.setenv("NETDIST_DATA_DIR", str(npz))
    assert same(cifar.arrays(), tiny)


def test_a_damaged_file_is_named_and_never_used(tiny, archive, tmp_path):
    path = tmp_path / "cifar10.npz"
    wrong = {**tiny, "test_images": tiny["test_images"] ^ 1}
    np.savez(path, **wrong)
    with pytest.raises(
        cifar.DamagedDataError, match=r"cifar10.npz: test_images.*\(2, 32, 32, 3\)"
    ):
        cifar.arrays(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(cifar.DamagedDataError, match="cifar10.npz"):
        cifar.arrays(tmp_path)
    path.unlink()
    (tmp_path / cifar.ARCHIVE).write_bytes(archive[: len(archive) // 2])
    with pytest.raises(cifar.DamagedDataError, match="cifar-10-python"):
        cifar.arrays(tmp_path)


def test_a_truncated_download_leaves_nothing(tiny, server, own_cache):
    whole = (server / cifar.ARCHIVE).read_bytes()
    (server / cifar.ARCHIVE).write_bytes(whole[:-100])
    with pytest.raises(cifar.MissingDataError, match="could not be downloaded"):
        cifar.arrays()
    assert not list(own_cache.glob("*cifar-10*")) and not list(own_cache.glob("download*"))


class Intruder:
    """Unpickled, it would make a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_an_archive_runs_no_code(tiny, tmp_path):
    """Nothing is built of it but arrays: a file that nobody has checked may hold anything."""
    made = tmp_path / "made"
    (tmp_path / cifar.ARCHIVE).write_bytes(packed({"test_batch": Intruder(made)}))
    with pytest.raises(cifar.DamagedDataError, match="mkdir has no place"):
        cifar.arrays(tmp_path)
    assert not made.exists()
    pickle.loads(pickle.dumps(Intruder(made)))  # the control: an ordinary unpickler does it
    assert made.exists()


def test_who_waits_for_a_download_finds_it_done(tiny, own_cache, monkeypatch):
    """Whoever held the lock has just kept the file: nothing is downloaded a second time."""

    @contextmanager
    def lock(name):
        np.savez(own_cache / "cifar10.npz", **tiny)
        yield

    monkeypatch.setattr(cifar, "FileLock", lock)
    monkeypatch.setattr(cifar, "_download", lambda folder: pytest.fail("downloaded"))
    assert same(cifar.arrays(), tiny)
