"""The files of CIFAR-10, from a tiny copy of it and a server on this machine."""

import errno
import functools
import hashlib
import http.server
import io
import os
import pickle
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from filelock import FileLock

from netdist_utils import cifar, data


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
    """The address and checksum, pointed at a server on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / cifar.ARCHIVE).write_bytes(archive)
    handler = functools.partial(Quiet, directory=folder)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))  # looks for its end often
    thread.start()
    monkeypatch.setattr(cifar, "ADDRESS", f"http://127.0.0.1:{httpd.server_port}/{cifar.ARCHIVE}")
    monkeypatch.setattr(cifar, "MD5", hashlib.md5(archive).hexdigest())
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
    def lock(name, timeout):
        np.savez(own_cache / "cifar10.npz", **tiny)
        yield

    monkeypatch.setattr(cifar, "FileLock", lock)
    monkeypatch.setattr(cifar, "_fetch", lambda *of_it: pytest.fail("downloaded"))
    assert same(cifar.arrays(), tiny)


# Servers that fail, each in its own way


class Faulty(Quiet):
    """Serves one file as its server's ``manner`` says, and notes what it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        self.server.asked.append((self.path, self.headers["Range"]))
        self.server.manner(self, self.server.content)

    def say(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def send_all(self, content):
        self.say(200, ("Content-Length", len(content)))
        self.wfile.write(content)

    def send_range(self, content):
        first = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if first >= len(content):
            return self.send_error(416)
        said = ("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.say(206, said, ("Content-Length", len(content) - first))
        self.wfile.write(content[first:])


def silent(request, content):
    request.server.over.wait()


def silent_after_a_while(request, content):
    request.say(200, ("Content-Length", len(content)))
    request.wfile.write(content[:1000])
    request.server.over.wait()


def dripping(request, content):
    request.say(200, ("Content-Length", len(content)))
    request.wfile.write(content[:-250])
    drip(request, content[-250:])


def dripping_headers(request, content):
    drip(request, b"HTTP/1.1 200 OK\r\n" + b"X-Nothing: 0\r\n" * 18)
    request.wfile.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)


def drip(request, content):
    """In five seconds; who waits so long has the file."""
    for byte in content:
        if request.server.over.wait(0.02):
            return
        request.wfile.write(bytes([byte]))


def wrong(request, content):
    request.send_all(b"<html>Please log in to this network.</html>")


def not_found(request, content):
    request.send_error(404)


def out_of_order(request, content):
    request.send_error(503)


def no_http(request, content):
    request.wfile.write(b"220 welcome\r\n")


def cut_off(request, content):
    """Half of the file on the first try; then as `Faulty.send_range`, where that is allowed."""
    if len(request.server.asked) == 1:
        request.say(200, ("Content-Length", len(content)))
        request.wfile.write(content[: len(content) // 2])
    elif request.server.ranges:
        request.send_range(content)
    else:
        request.send_all(content)


@pytest.fixture
def faulty(archive, monkeypatch):
    """A server whose ``manner`` a test sets, and limits that a busy machine stays within."""
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    httpd.asked, httpd.over, httpd.content = [], threading.Event(), archive
    httpd.ranges, httpd.handle_error = True, lambda *of_whom: None  # who asked may have gone
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(cifar, "ADDRESS", f"http://127.0.0.1:{httpd.server_port}/cifar.tar.gz")
    monkeypatch.setattr(cifar, "MD5", hashlib.md5(archive).hexdigest())
    monkeypatch.setattr(cifar, "SILENCE", 30)
    monkeypatch.setattr(cifar, "LIMIT", 60)
    yield httpd
    httpd.over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def partial(folder):
    return folder / f"{cifar.ARCHIVE}.tmp"


@pytest.mark.parametrize(
    ("manner", "limits", "words"),
    [
        (silent, {"SILENCE": 0.1}, "timed out"),
        (silent_after_a_while, {"SILENCE": 0.1}, "timed out"),
        (dripping, {"LIMIT": 0.5}, "not done after 0.5 seconds"),
        (dripping_headers, {"LIMIT": 0.5}, "not done after 0.5 seconds"),
        (wrong, {}, "has MD5 [0-9a-f]{32}, not"),
        (not_found, {}, "404"),
        (out_of_order, {}, "503"),
        (no_http, {}, "220 welcome"),
    ],
)
def test_a_download_that_fails_ends_and_the_digits_are_used(
    faulty, own_cache, monkeypatch, manner, limits, words
):
    with monkeypatch.context() as patch:
        for name, seconds in limits.items():
            patch.setattr(cifar, name, seconds)
        faulty.manner = manner
        with pytest.warns(UserWarning, match=f"(?s){words}.*digits are used instead"):
            assert data.images().name == "digits"
    faulty.manner = Faulty.send_all  # the lock is free, and what has come does no harm
    assert data.images().name == "cifar10"
    kept = sorted(path.name for path in own_cache.iterdir() if path.suffix != ".lock")
    assert kept == [cifar.ARCHIVE, "cifar10.npz"]


def test_a_wrong_file_is_not_kept(faulty, own_cache):
    faulty.manner = wrong
    with pytest.raises(cifar.MissingDataError):
        cifar.arrays()
    assert not partial(own_cache).exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_off_goes_on_where_it_stopped(tiny, faulty, ranges):
    faulty.manner, faulty.ranges = cut_off, ranges
    assert same(cifar.arrays(), tiny)
    half = len(faulty.content) // 2
    assert [of for _, of in faulty.asked] == ["bytes=0-", f"bytes={half}-"]


def test_another_run_goes_on_where_the_last_stopped(tiny, faulty, own_cache):
    partial(own_cache).write_bytes(faulty.content[:500])
    faulty.manner = Faulty.send_range
    assert same(cifar.arrays(), tiny)
    assert [of for _, of in faulty.asked] == ["bytes=500-"]


@pytest.mark.parametrize("part", [b"x" * 500, b"x" * 100_000])
def test_a_part_of_something_else_does_no_harm(tiny, faulty, own_cache, part):
    """Too long for a rest, or completed to a wrong file: the second try begins anew."""
    partial(own_cache).write_bytes(part)
    faulty.manner = Faulty.send_range
    assert same(cifar.arrays(), tiny)
    assert [of for _, of in faulty.asked] == [f"bytes={len(part)}-", "bytes=0-"]


def test_a_proxy_is_asked(tiny, faulty, monkeypatch):
    """The address has no server; the proxy knows how to reach it."""
    proxy = cifar.ADDRESS.rpartition("/")[0]
    monkeypatch.setattr(cifar, "ADDRESS", "http://data.invalid/cifar.tar.gz")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    faulty.manner = Faulty.send_all
    assert same(cifar.arrays(), tiny)
    assert [path for path, _ in faulty.asked] == ["http://data.invalid/cifar.tar.gz"]


def test_a_lock_that_is_kept_is_not_waited_for_without_end(tiny, own_cache, monkeypatch):
    monkeypatch.setattr(cifar, "LIMIT", 0.1)
    with (
        FileLock(own_cache / "cifar10.lock"),
        ThreadPoolExecutor(1) as other,
        pytest.raises(cifar.MissingDataError, match="lock"),
    ):
        other.submit(cifar.arrays).result(timeout=60)


def test_a_download_that_took_too_long_is_over(faulty, own_cache, monkeypatch):
    """No thread goes on with it behind the back of whoever was told that it has failed."""
    inner, ended = cifar._fetch, threading.Event()

    def fetch(*of_it):
        inner(*of_it)
        ended.set()

    monkeypatch.setattr(cifar, "_fetch", fetch)
    monkeypatch.setattr(cifar, "LIMIT", 0.5)
    faulty.manner = dripping
    with pytest.raises(cifar.MissingDataError):
        cifar.arrays()
    assert ended.wait(60) and not (own_cache / cifar.ARCHIVE).exists()


def test_a_stopped_download_writes_no_more(faulty, tmp_path):
    """Who interrupts a cell and runs it again has one download, and not two in one file."""
    stop, faults = threading.Event(), []
    stop.set()
    faulty.manner = Faulty.send_all
    cifar._fetch(tmp_path, stop, faults)
    assert partial(tmp_path).stat().st_size == 0 and "cut off" in faults[0]


@pytest.mark.parametrize(
    "error",
    [MemoryError("no room"), OSError(errno.EACCES, "Permission denied", "cifar10.npz")],
)
def test_what_is_the_machines_fault_is_no_damage(tiny, own_cache, monkeypatch, error):
    """Nobody is told to delete a good file because memory is short, or a right is missing."""
    np.savez(own_cache / "cifar10.npz", **tiny)

    def fail(*arguments):
        raise error

    monkeypatch.setattr(cifar.np, "load", fail)
    with pytest.raises(type(error), match=r"no room|cifar10\.npz"):
        cifar.arrays()


def test_a_home_is_understood(tiny, own_cache, monkeypatch):
    monkeypatch.setenv("HOME", str(own_cache))
    (own_cache / "data").mkdir()
    np.savez(own_cache / "data" / "cifar10.npz", **tiny)
    assert same(cifar.arrays("~/data"), tiny)
    monkeypatch.setenv("NETDIST_DATA_DIR", "~/data")
    assert same(cifar.arrays(), tiny)
