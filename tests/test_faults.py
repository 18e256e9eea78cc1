"""What breaks a run from outside: damaged files, full disks, kills, short memory.

Of each it is asked that no wrong result comes out, that nothing which was there is lost, and that
the same run once more gives what an undisturbed one gives, to the bit. Downloads that fail are in
`test_cifar`.
"""

import errno
import io
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import nullcontext
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from jupyter_cache import get_cache
from safetensors.torch import load_file, save_file
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from netdist_utils import cifar, claims, data, settings, store, training
from tests import test_cifar
from tests.helpers import CIRCLE, equal, fit, small, weights
from tests.test_store import Training, networks, wanted

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import ledger_page
import stale_cache

archive, faulty = test_cifar.archive, test_cifar.faulty  # fixtures
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def trained(own_cache):
    """A network in the cache, and its file."""
    (network,) = fit([0], cache=True)
    (path,) = networks(own_cache)
    return network, path


# A file that is no longer what was written


def flipped(where):
    """One bit of a file: of the byte at a place, or of the first of these bytes."""

    def damage(path):
        content = bytearray(path.read_bytes())
        content[content.index(where) if isinstance(where, bytes) else where] ^= 64
        path.write_bytes(content)

    return damage


def shortened(share):
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def rewritten(change):
    """With a header in order, as an older program without checksums would have written it."""
    return lambda path: save_file({k: change(v) for k, v in load_file(path).items()}, path)


def of_another_network(path):
    """The same shapes, and a checksum that is right for another name."""
    fit([1], cache=True)
    (other,) = (p for p in networks(path.parent.parent) if p != path)
    other.replace(path)


def a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "a bit of a weight": flipped(-5),
    "a bit of the header": flipped(b"data_offsets"),
    "a bit of the header's length": flipped(1),
    "cut in its data": shortened(0.9),
    "cut in its header": shortened(0.05),
    "empty": shortened(0),
    "text": lambda path: path.write_text("no network\n" * 30, encoding="utf-8"),
    "a folder": a_folder,
    "another network": of_another_network,
    "other shapes": lambda path: save_file({"1.weight": torch.zeros(3, 2)}, path),
    "another dtype": rewritten(lambda w: w.double()),
    "NaN": rewritten(lambda w: w * float("nan")),
    "infinity": rewritten(lambda w: w / 0),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_network_is_set_aside_and_trained_again(trained, damage):
    network, path = trained
    damage(path)
    with pytest.warns(UserWarning, match=f"{path.name}.*set aside as {path.stem}.damaged"):
        (again,) = fit([0], cache=True)
    assert equal(again, network)
    assert path.is_file() and path.with_suffix(".damaged").exists()
    (once_more,) = fit([0], cache=True)  # from the new file, and without a warning
    assert equal(once_more, network)


def test_a_file_without_the_right_to_read_it_is_set_aside(trained, monkeypatch):
    network, path = trained
    inner, closed = type(path).read_bytes, [path]

    def read_bytes(asked):
        if asked in closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(asked))
        return inner(asked)

    monkeypatch.setattr(type(path), "read_bytes", read_bytes)
    with pytest.warns(UserWarning, match=f"{path.name}.*Permission denied.*set aside"):
        (again,) = fit([0], cache=True)
    closed.clear()
    assert equal(again, network) and equal(fit([0], cache=True)[0], network)


@pytest.mark.parametrize("checksum", [True, False])
def test_no_flipped_bit_gives_a_wrong_network(trained, checksum):
    """A bit of each byte. The control is a file of before the checksum: there, some do."""
    network, path = trained
    if not checksum:
        save_file(load_file(path), path, metadata={"seconds": "1.0"})
    content, expected, wrong = path.read_bytes(), weights(network).view(torch.int32), 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found, _ = store._load(network, path)
        except store.DAMAGE:
            continue
        wrong += not torch.equal(weights(found).view(torch.int32), expected)
    assert (wrong == 0) == checksum


def test_a_file_of_before_the_checksum_is_read(trained):
    """Such files are many; raising `store.FORMAT` would throw them all away."""
    network, path = trained
    save_file(load_file(path), path, metadata={"seconds": "12.5"})
    found, seconds = store._load(small(), path)
    assert equal(found, network) and seconds == 12.5


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        OSError(errno.EMFILE, "Too many open files"),
    ],
)
def test_a_machine_short_of_something_damages_no_file(trained, monkeypatch, error):
    """What is no fault of the file is raised as it is; the file stays where it is."""
    network, path = trained

    def fail(content):
        raise error

    with monkeypatch.context() as patch, pytest.raises(type(error), match="memory|open files"):
        patch.setattr(store, "load", fail)
        fit([0], cache=True)
    assert equal(store._load(small(), path)[0], network)


def test_only_who_holds_the_lock_sets_a_file_aside(trained, monkeypatch):
    """Between a look and the lock, another process may have put a good file there."""
    network, path = trained
    good = path.read_bytes()
    flipped(-5)(path)
    inner = store._locks

    def mended_meanwhile(files):
        path.write_bytes(good)
        return inner(files)

    monkeypatch.setattr(store, "_locks", mended_meanwhile)
    monkeypatch.setattr(training, "_train", lambda starts, *of_it: starts and pytest.fail())
    assert equal(fit([0], cache=True)[0], network)
    assert path.read_bytes() == good and not path.with_suffix(".damaged").exists()


# A disk that takes nothing


def full(folder, monkeypatch):
    """A disk of 4 KiB that holds 4 KiB; without the right to mount one, an error that says so."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0:
        (folder / "networks").mkdir()
        (folder / "full").write_bytes(bytes(4096))
        return
    injected(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))


def read_only(folder, monkeypatch):
    """The same, read-only."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0:
        return
    injected(monkeypatch, OSError(errno.EROFS, "Read-only file system"))


def no_folder(folder, monkeypatch):
    """A file stands where the cache folder should be."""
    folder.rmdir()
    folder.write_bytes(b"")


def injected(monkeypatch, error):
    inner = type(settings.cache_dir()).open

    def fail(path, mode="r", *options, **more):
        if set(mode) & set("wxa"):
            raise error
        return inner(path, mode, *options, **more)

    monkeypatch.setattr(type(settings.cache_dir()), "open", fail)


@pytest.fixture(params=[full, read_only, no_folder], ids=["full", "read-only", "no folder"])
def poor_disk(request, tmp_path, monkeypatch):
    """A cache folder in which nothing can be written."""
    folder = tmp_path / "disk"
    folder.mkdir()
    monkeypatch.setenv("NETDIST_CACHE_DIR", str(folder))
    request.param(folder, monkeypatch)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)


def left(folder):
    """Files in a folder, but for locks and what filled it."""
    found = {path for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if path.suffix != ".lock" and path.name != "full"}


def test_networks_are_trained_where_nothing_can_be_kept(poor_disk):
    expected = fit([0, 1])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")  # as a notebook has it: the same words are said once
        found = fit([0, 1], cache=True)
        again = fit([0, 1], cache=True)
    (only,) = caught
    assert "networks cannot be written" in str(only.message)
    for one, two, three in zip(expected, found, again, strict=True):
        assert equal(one, two) and equal(one, three)
    assert left(poor_disk) == set()


CLAIM = {"kind": "reproduces", "title": "Accuracy", "source": "0.9", "null": "", "why": "Seen.",
         "chapter": "09_made_up", "band": {"any": [0, 1]}}  # fmt: skip


def test_claims_are_judged_where_nothing_can_be_kept(poor_disk, monkeypatch):
    monkeypatch.setattr(claims, "_measured", {})
    monkeypatch.setattr(claims, "tables", lambda: {"made_up": CLAIM})
    with pytest.warns(UserWarning, match="ledger cannot be written"):
        assert claims.check("made_up", 0.5) == 0.5
    with pytest.raises(claims.ClaimError):
        claims.check("made_up", 1.5)
    with pytest.warns(UserWarning, match="runs cannot be written"):
        assert "| Accuracy | source: 0.9 | 0.5 |" in claims.table("09_made_up").data
    assert left(poor_disk) == set()


def test_images_are_used_where_they_cannot_be_kept(poor_disk, tiny, tmp_path, monkeypatch):
    """Decoded from the archive in another folder."""
    monkeypatch.setattr(cifar, "_read_archive", lambda path: tiny)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / cifar.ARCHIVE).touch()
    monkeypatch.setenv("NETDIST_DATA_DIR", str(tmp_path / "data"))
    with pytest.warns(UserWarning, match="disk cannot be written.*not kept"):
        assert np.array_equal(cifar.arrays()["test_labels"], tiny["test_labels"])
    assert left(poor_disk) == set()


def test_the_digits_are_used_where_a_download_cannot_be_kept(poor_disk, faulty):
    faulty.manner, faulty.content = test_cifar.Faulty.send_all, bytes(100_000)
    words = "No space|Read-only|File exists"
    with pytest.warns(UserWarning, match=f"CIFAR-10 is not in .*({words}).*digits are used"):
        assert data.images().name == "digits"
    assert left(poor_disk) == set()


# Who may read, and how many files are open


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664)])
def test_files_have_the_rights_that_the_umask_gives(own_cache, umask, mode):
    before = os.umask(umask)
    try:
        fit([0], cache=True)
    finally:
        os.umask(before)
    (path,) = networks(own_cache)
    assert path.stat().st_mode & 0o777 == mode


def test_many_networks_need_few_open_files(own_cache):
    """As many as macOS allows a process are 256: here, 80 more than are open now."""
    resource = pytest.importorskip("resource")  # which Windows lacks, as it lacks the limit
    train, (starts, files) = Training(), wanted(own_cache, 300)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = os.dup(0)
    os.close(top)
    resource.setrlimit(resource.RLIMIT_NOFILE, (top + 80, before[1]))
    try:
        found = store.fetch(starts, files, train)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(found) == len(networks(own_cache)) == 300


@pytest.mark.parametrize(("n", "step"), [(5, 1), (300, 30)])
def test_runs_that_share_networks_share_a_lock(own_cache, monkeypatch, n, step):
    """Of few all are shared; of many, enough that who wants most of the same waits."""
    _, files = wanted(own_cache, n + step)
    taken = []

    def lock(name):
        taken[-1].add(name)
        return nullcontext()

    monkeypatch.setattr(store, "FileLock", lock)
    for part in (slice(0, n), slice(step, n + step)):
        taken.append(set())
        store._locks(files[part]).close()
    assert [len(of_run) for of_run in taken] == [min(n, store.LOCKS)] * 2
    assert taken[0] & taken[1]


# Killed, and two at once


def _hang(cache, where, reached):
    """Train in a process that stops at some place until it is killed."""
    os.environ["NETDIST_CACHE_DIR"] = str(cache)

    def hang(*arguments, **options):
        reached.set()
        time.sleep(600)

    module, name = where
    setattr({"training": training, "store": store}[module], name, hang)
    fit([0, 1], cache=True)


@pytest.mark.parametrize("where", [("training", "_descend"), ("store", "save")])
def test_a_killed_run_can_be_run_again(own_cache, where):
    """In training, and while a file is being written."""
    reached = SPAWN.Event()
    run = SPAWN.Process(target=_hang, args=(own_cache, where, reached))
    run.start()
    assert reached.wait(300)
    os.kill(run.pid, signal.SIGKILL)
    run.join()
    assert networks(own_cache) == []
    orphans = [*own_cache.rglob("*.tmp"), *own_cache.rglob("*.lock")]
    assert len(orphans) == 2 + (where[0] == "store")
    for path in orphans:  # a day passes
        os.utime(path, (0, 0))
    found = fit([0, 1], cache=True)
    assert all(equal(one, two) for one, two in zip(found, fit([0, 1]), strict=True))
    assert not list(own_cache.rglob("*.tmp"))


def test_a_young_temporary_file_is_left_to_its_writer(own_cache):
    young, old = own_cache / "young.tmp", own_cache / "old.tmp"
    for path in (young, old):
        path.touch()
    os.utime(old, (0, time.time() - settings.ORPHANED - 60))
    settings.keep(own_cache / "kept", lambda file: file.write(b"1"))
    assert sorted(path.name for path in own_cache.iterdir()) == ["kept", "young.tmp"]


def _check_and_fit(cache, seeds, trained, barrier):
    """What a build does: train, and leave a record of each claim."""
    os.environ["NETDIST_CACHE_DIR"] = str(cache)
    inner = training._train

    def counting(starts, *rest):
        with trained.get_lock():
            trained.value += len(starts)
        return inner(starts, *rest)

    training._train = counting
    barrier.wait()
    fit(seeds, cache=True, epochs=20)
    claims.tables = lambda: {"made_up": CLAIM}
    for i in range(100):
        claims.check("made_up", i / 100)


def test_two_builds_at_once_lose_nothing(own_cache):
    """They want two networks of three in common; each network is trained once."""
    trained, barrier = SPAWN.Value("i", 0), SPAWN.Barrier(2, timeout=300)
    runs = [
        SPAWN.Process(target=_check_and_fit, args=(own_cache, seeds, trained, barrier))
        for seeds in ([0, 1, 2], [1, 2, 3])
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    assert trained.value == 4 == len(networks(own_cache))
    assert json.loads((claims.ledger_dir() / "made_up.json").read_text())["value"] == 0.99
    assert not list(own_cache.rglob("*.tmp"))


def test_threads_do_not_meet_in_one_file(own_cache):
    """Eight threads write one file again and again; it is whole whenever it is looked at."""
    path, texts = own_cache / "shared", [str(i).encode() * 50_000 for i in range(8)]
    faults = []

    def write(text):
        for _ in range(20):
            settings.keep(path, lambda file: file.write(text))
            if path.read_bytes() not in texts:
                faults.append(text[:1])

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not faults and not caught and [p.name for p in own_cache.iterdir()] == ["shared"]


# Memory that is short


SHORT = {
    "CUDA": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    "CPU": RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate "
                        "memory: you tried to allocate 200000000 bytes."),
    "Windows": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 2e9"),
    "Python": MemoryError(),
}  # fmt: skip


def room_for(most, error, monkeypatch):
    """A machine on which so many networks train at once; the sizes of the groups that did."""
    inner, sizes = training._descend, []

    def descend(members, *rest):
        if len(members) > most:
            raise error
        sizes.append(len(members))
        return inner(members, *rest)

    monkeypatch.setattr(training, "_descend", descend)
    return sizes


@pytest.mark.parametrize("error", SHORT.values(), ids=SHORT)
def test_an_ensemble_that_does_not_fit_is_trained_in_halves(monkeypatch, error):
    """The same networks to the bit, as long as two or more are trained together."""
    whole = fit(range(11))
    sizes = room_for(3, error, monkeypatch)
    assert all(equal(one, two) for one, two in zip(whole, fit(range(11)), strict=True))
    assert sizes == [2, 3, 3, 3]


def test_one_by_one_the_networks_are_those_of_the_ensemble(monkeypatch):
    """Alone, a network's sums are taken in another order: the same up to `TOLERANCE`."""
    whole = fit(range(6))
    sizes = room_for(1, SHORT["CUDA"], monkeypatch)
    for one, two in zip(whole, fit(range(6)), strict=True):
        a, b = (training.logits(model, CIRCLE.x).cpu() for model in (one, two))
        assert (a - b).abs().max() <= training.TOLERANCE * a.abs().max()
    assert sizes == [1] * 6


def test_what_does_not_fit_alone_is_an_error(monkeypatch):
    room_for(0, SHORT["CPU"], monkeypatch)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        fit(range(4))


def test_other_errors_are_not_tried_again(monkeypatch):
    sizes = room_for(1, RuntimeError("mat1 and mat2 shapes cannot be multiplied"), monkeypatch)
    with pytest.raises(RuntimeError, match="shapes"):
        fit(range(4))
    assert sizes == []


# Data that have changed


@pytest.mark.parametrize(
    "change",
    [
        lambda split: split.y.copy_(1 - split.y),
        lambda split: split.y.numpy().__setitem__(slice(None), 1),
        lambda split: split.x.data.mul_(2),
    ],
    ids=["in place", "through numpy", "through .data"],
)
def test_data_that_were_changed_in_place_give_new_networks(own_cache, change):
    split = data.circle(130, seed=0)
    (before,) = fit([0], split, cache=True)
    change(split)
    (after,) = fit([0], split, cache=True)
    assert not equal(before, after)
    assert equal(after, fit([0], split)[0]) and len(networks(own_cache)) == 2


# A built book


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder as a build leaves it: one chapter in the cache, its run and claims on record."""
    monkeypatch.setattr(claims, "tables", lambda: {"made_up": CLAIM})
    monkeypatch.setattr(data, "images", data.digits)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    nbformat.write(notebook, tmp_path / "09_made_up.ipynb")
    cache = get_cache(tmp_path / ".jupyter_cache")
    cache.cache_notebook_file(tmp_path / "09_made_up.ipynb", check_validity=False)
    for name in ("made_up.json", "runs/09_made_up.json"):
        settings.keep(tmp_path / "ledger" / name, lambda file: file.write(b"{}"))
    (tmp_path / "inputs.sha256").write_text(stale_cache.fingerprint(), encoding="utf-8")
    return tmp_path


def forgets(book):
    """Whether the next build runs the chapters anew."""
    stale_cache.main(book)
    gone = {name for name in (".jupyter_cache", "ledger") if not (book / name).exists()}
    assert len(gone) in (0, 2)
    return bool(gone)


def test_a_book_of_which_nothing_has_changed_is_kept(book):
    assert not forgets(book)


@pytest.mark.parametrize("name", ["made_up.json", "runs/09_made_up.json", ""])
def test_a_book_that_has_lost_a_record_runs_its_chapters_anew(book, name, capsys):
    """The ledger, or one file of it: the cached page alone would say that all is well."""
    shutil.rmtree(book / "ledger") if not name else (book / "ledger" / name).unlink()
    assert forgets(book)
    assert "lacks records of 09_made_up" in capsys.readouterr().out


def test_a_claim_that_is_measured_elsewhere_is_not_missed(book, monkeypatch):
    monkeypatch.setattr(
        claims, "tables", lambda: {"made_up": CLAIM, "far": CLAIM | {"needs": "x"}}
    )
    assert not forgets(book)


@pytest.mark.parametrize(
    "others", [lambda: data.digits(seed=1), lambda: data.digits().first(500, 500)]
)
def test_a_book_notices_that_its_data_have_changed(book, monkeypatch, capsys, others):
    """As when CIFAR-10 has arrived since; the next time it knows them."""
    monkeypatch.setattr(data, "images", others)
    assert forgets(book) and "data changed" in capsys.readouterr().out
    stale_cache.main(book)
    assert not capsys.readouterr().out


def warned(folder):
    """What Sphinx warns of in a book of one chapter and the ledger."""
    for name, text in {
        "index": "Book\n====\n\n.. toctree::\n\n   notebooks/09_made_up\n   book/ledger\n",
        "notebooks/09_made_up": "Chapter\n=======\n\nWords.\n",
        "book/ledger": "Ledger\n======\n\n.. claims-ledger::\n",
    }.items():
        settings.keep(folder / f"{name}.rst", lambda file, text=text: file.write(text.encode()))
    said, places = io.StringIO(), [str(folder / name) for name in ("", "out", "trees")]
    extensions = {"extensions": ["ledger_page"]}
    with docutils_namespace():
        app = Sphinx(places[0], None, *places[1:], "pseudoxml", extensions, None, said)
        app.build()
    return said.getvalue()


def test_a_ledger_without_records_fails_the_build(own_cache, tmp_path, monkeypatch):
    """The book is built with warnings as errors."""
    monkeypatch.setattr(claims, "tables", lambda: {"made_up": CLAIM})
    monkeypatch.setattr(ledger_page, "section_of", lambda name, chapter: "")
    assert "notebooks/09_made_up left no record of ['made_up']" in warned(tmp_path / "one")
    claims.check("made_up", 0.5)
    assert warned(tmp_path / "two") == ""
