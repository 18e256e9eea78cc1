"""The files of CIFAR-10 (Krizhevsky 2009): found, decoded once, and checked.

They come from the cache folder, from ``NETDIST_DATA_DIR``, or from torchvision's download, and
every way ends in the same four arrays, checked by SHA-256. A damaged file is told apart from a
missing one, named, and never used.
"""

import hashlib
import os
import pickle
import shutil
import socket
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

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
    folders = [Path(root) if root else settings.cache_dir()]
    if not root and os.environ.get("NETDIST_DATA_DIR"):
        folders.append(Path(os.environ["NETDIST_DATA_DIR"]))
    for folder in folders:
        if (folder / "cifar10.npz").exists():
            return _verified(folder / "cifar10.npz", _read_npz)
        if (folder / ARCHIVE).exists():
            return _decode_and_keep(folder / ARCHIVE, folders[0])
    folders[0].mkdir(parents=True, exist_ok=True)
    with FileLock(folders[0] / "cifar10.lock"):  # a second process waits, then finds the file
        if not (folders[0] / "cifar10.npz").exists():
            return _decode_and_keep(_download(folders[0]), folders[0])
    return _verified(folders[0] / "cifar10.npz", _read_npz)


def _verified(path, read):
    """Arrays of a file, each equal to the official one to the byte."""
    try:
        found = read(path)
    except Exception as error:  # zipfile, zlib, tarfile and pickle raise classes of their own
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


def _decode_and_keep(archive, folder):
    """Arrays of the archive, kept decoded beside it for the next time."""
    found = _verified(archive, _read_archive)
    if os.access(folder, os.W_OK):
        partial = folder / f"cifar10.{os.getpid()}.tmp.npz"
        np.savez(partial, **found)
        partial.replace(folder / "cifar10.npz")  # whole or not at all
    return found


def _download(folder):
    """Fetch the official archive through torchvision; give up within seconds if unreachable."""
    try:
        from torchvision.datasets import CIFAR10
        from torchvision.datasets.utils import download_url
    except ImportError as error:
        raise MissingDataError(
            f"CIFAR-10 is not in {folder}, and torchvision is missing."
        ) from error
    address = urlsplit(CIFAR10.url)
    port = address.port or (443 if address.scheme == "https" else 80)
    partial = folder / f"download.{os.getpid()}"
    try:
        socket.create_connection((address.hostname, port), timeout=5).close()
        download_url(CIFAR10.url, str(partial), ARCHIVE, CIFAR10.tgz_md5)
        (partial / ARCHIVE).replace(folder / ARCHIVE)  # whole or not at all
    except (OSError, RuntimeError) as error:
        raise MissingDataError(
            f"CIFAR-10 is not in {folder} and could not be downloaded ({error})."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / ARCHIVE
