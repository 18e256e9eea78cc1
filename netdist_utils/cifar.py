"""The files of CIFAR-10 (Krizhevsky 2009): found, decoded once, and checked.

They come from the cache folder, from ``NETDIST_DATA_DIR``, or from a download, and every way ends
in the same four arrays, checked by SHA-256. A damaged file is told apart from a missing one,
named, and never used. A download ends, well or not, within `LIMIT`, and the next goes on from
where it stopped.
"""

import errno
import hashlib
import os
import pickle
import tarfile
import threading
from io import BytesIO
from pathlib import Path
from urllib.request import Request, build_opener

import numpy as np
from filelock import FileLock

from netdist_utils import settings

# Of each array's bytes in C order: those of the official data set.
SHA256 = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
ARCHIVE = "cifar-10-python.tar.gz"
ADDRESS = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c58f30108f718f92721af3b95e74349a"
SILENCE, LIMIT = 10, 900  # seconds that a server may be silent, and that a download may take
USELESS = {errno.ENOSPC, errno.EDQUOT, 416}  # disk full, quota full, HTTP's "range not there"
CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip


class DamagedDataError(Exception):
    """A data file is there, but is not the data set: it is named, and never used."""


class MissingDataError(Exception):
    """No copy of the data set was found, and none could be downloaded."""


def arrays(root=None):
    """The four decoded arrays of CIFAR-10, verified, from wherever they are first found.

    Parameters
    ----------
    root : path, optional
        The only folder to look in and to download to. Without it: the cache folder, then
        ``NETDIST_DATA_DIR``, then a download into the cache folder.

    Returns
    -------
    dict of str to numpy array
        ``train_images`` (50000, 32, 32, 3) uint8, ``train_labels`` (50000,) uint8, and the
        same for ``test`` with 10000.

    Raises
    ------
    DamagedDataError
        If a file that is there fails its SHA-256 or cannot be read.
    MissingDataError
        If there is no file and no download.

    Examples
    --------
    >>> arrays()["train_images"].shape  # doctest: +SKIP
    (50000, 32, 32, 3)
    """
    folders = [Path(root).expanduser() if root else settings.cache_dir()]
    if not root and os.environ.get("NETDIST_DATA_DIR"):
        folders.append(Path(os.environ["NETDIST_DATA_DIR"]).expanduser())
    found = _at_hand(folders)
    if found is None:
        _download(settings.folder(folders[0]))
        found = _at_hand(folders)
    return found


def _at_hand(folders):
    """Arrays of the first file that is there, decoded ones before an archive; None without."""
    for folder in folders:
        if (folder / "cifar10.npz").exists():
            return _verified(folder / "cifar10.npz", _read_npz)
        if (folder / ARCHIVE).exists():
            found = _verified(folder / ARCHIVE, _read_archive)
            np.savez(content := BytesIO(), **found)  # on a full disk, savez itself leaves noise
            settings.keep(folders[0] / "cifar10.npz", lambda file: file.write(content.getbuffer()))
            return found
    return None


def _verified(path, read):
    """Arrays of a file, each equal to the official one to the byte."""
    try:
        found = read(path)
    except Exception as error:  # zipfile, zlib, tarfile and pickle raise classes of their own
        # What has a number is the machine's fault (no right to read), as is a lack of memory.
        if isinstance(error, MemoryError) or getattr(error, "errno", None):
            raise
        raise DamagedDataError(f"{path} cannot be read ({error!r}): delete it") from error
    for name, expected in SHA256.items():
        digest = hashlib.sha256(np.ascontiguousarray(found[name])).hexdigest()
        if digest != expected:
            raise DamagedDataError(
                f"{path}: {name}, shape {found[name].shape}, has SHA-256 {digest}, but "
                f"CIFAR-10's is {expected}: delete the file"
            )
    return found


def _read_npz(path):
    with open(path, "rb") as opened, np.load(opened) as file:
        return {name: file[name] for name in SHA256}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds arrays and nothing else: a file that nobody has checked yet must not run code."""

    def find_class(self, module, name):
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} has no place in CIFAR-10")


def _read_archive(path):
    """Decode the official archive: pickled batches of (N, 3072) bytes, channel first."""
    batches = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            if name.startswith(("data_batch_", "test_batch")):
                batches[name] = _ArrayUnpickler(
                    archive.extractfile(member), encoding="latin1"
                ).load()
    found = {}
    for part in ("train", "test"):
        names = [f"data_batch_{i}" for i in range(1, 6)] if part == "train" else ["test_batch"]
        flat = np.concatenate([batches[name]["data"] for name in names])
        labels = np.concatenate([batches[name]["labels"] for name in names])
        found[f"{part}_images"] = flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy()
        found[f"{part}_labels"] = labels.astype(np.uint8)
    return found


def _download(folder):
    """Fetch the official archive, one process at a time, within `LIMIT`."""
    stop, faults = threading.Event(), []
    try:
        with FileLock(folder / "cifar10.lock", timeout=2 * LIMIT):
            if not any((folder / name).exists() for name in ("cifar10.npz", ARCHIVE)):
                # A thread, since urllib limits each wait for a server and not their sum.
                worker = threading.Thread(target=_fetch, args=(folder, stop, faults), daemon=True)
                worker.start()
                worker.join(LIMIT)
                if worker.is_alive():
                    faults.append(f"not done after {LIMIT} seconds")
    except OSError as error:  # the folder cannot be written, or another process keeps the lock
        faults.append(str(error))
    finally:
        stop.set()
    if faults and not (folder / ARCHIVE).exists():
        why = ", then ".join(dict.fromkeys(faults))
        raise MissingDataError(f"CIFAR-10 is not in {folder} and could not be downloaded ({why}).")


def _fetch(folder, stop, faults):
    """Try twice, first where an earlier attempt stopped; then for a Python without certificates.

    What comes is known by its MD5, so that it does not matter who has sent it.
    """
    part = folder / f"{ARCHIVE}.tmp"
    for address in (ADDRESS, ADDRESS.replace("https:", "http:")):
        try:
            _append(part, address, stop)
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "md5").hexdigest()
            if digest == MD5:
                part.replace(folder / ARCHIVE)
                return
            part.unlink()
            faults.append(f"{address} has MD5 {digest}, not {MD5}")
        except Exception as error:  # of urllib, http and the disk; who waits reports it
            faults.append(str(error) or repr(error))
            # A full disk, or a server that has nothing beyond this part: it is of no use.
            if {getattr(error, "errno", None), getattr(error, "code", None)} & USELESS:
                part.unlink(missing_ok=True)


def _append(part, address, stop):
    """Write what the part lacks, or all of it anew where the server sends no ranges."""
    have = part.stat().st_size if part.exists() else 0
    request = Request(address, headers={"Range": f"bytes={have}-"})
    with build_opener().open(request, timeout=SILENCE) as answer:  # through a proxy that is set
        have = have if answer.status == 206 else 0
        total = answer.length and have + answer.length
        bar = settings.progress(total=total, initial=have, unit="B", unit_scale=True)
        # Once stopped, this is another's file: nothing of it is written over.
        with part.open("ab" if have or stop.is_set() else "wb") as file, bar:
            while not stop.is_set() and (chunk := answer.read1(2**16)):
                file.write(chunk)
                bar.update(len(chunk))
        if answer.length or stop.is_set():
            raise ConnectionError(f"cut off with {answer.length} bytes to come")
