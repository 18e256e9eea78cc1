"""The cache of trained networks: one safetensors file each, named by what determines it.

Two chapters that run at once train a network once, and a killed run leaves no half file. A file
is checked when it is read: shapes, dtypes, finite weights, and a SHA-256 of them beside the name
of the network. What fails is set aside as ``.damaged`` and trained again. Files of before this
checksum have none, and are read with the other checks.
"""

import hashlib
import json
import warnings
from contextlib import ExitStack, suppress
from dataclasses import asdict
from time import perf_counter

import torch
from filelock import FileLock
from safetensors import SafetensorError
from safetensors.torch import load, save

from netdist_utils import data, models, settings

_spared = []  # seconds of training that files have spared this process
FORMAT = 3  # raise it when a change of `training` changes the networks that come out
LOCKS = 64  # held at once: a process may have 256 open files under macOS
# What a file raises that is not what was written. Of others (no memory, too many open files) the
# file is not the cause.
DAMAGE = (SafetensorError, KeyError, ValueError, PermissionError, IsADirectoryError)


def path_of(model, fingerprint, seed, recipe, epoch):
    """File of one network, named by the SHA-256 of all that determines it.

    Parameters
    ----------
    model : torch.nn.Sequential
        Its start.
    fingerprint : str
        That of the training data, `data.Split.fingerprint`.
    seed : int from 0 on
    recipe : training.Recipe
    epoch : int

    Returns
    -------
    pathlib.Path
    """
    # Under a constant rate, epoch 3 of ten is the same network as epoch 3 of three.
    horizon = recipe.epochs if recipe.schedule == "cosine" else None
    text = {**asdict(recipe), "epochs": horizon, "epoch": epoch, "seed": seed, "format": FORMAT}
    text |= {name: float(text[name]) for name in ("lr", "momentum", "weight_decay")}
    text |= {"layers": repr(model), "data": fingerprint, "torch": torch.__version__}
    digest = hashlib.sha256(json.dumps(text, sort_keys=True).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy())
    digest.update(settings.device().type.encode())
    place = settings.folder(settings.cache_dir() / "networks")
    return place / f"{digest.hexdigest()}.safetensors"


def fetch(starts, files, train):
    """Networks from their files; what is missing is trained, by one process at a time, and kept.

    A damaged file is set aside with a warning, and its network is trained again. Where the
    folder cannot be written, the networks are trained and returned, with one warning.

    Parameters
    ----------
    starts : list of torch.nn.Sequential
        Untrained networks, which have the right shapes.
    files : list of dict of int to pathlib.Path
        For each network, the file after each epoch that is wanted.
    train : callable
        Takes positions in the list, yields for each a dict from epoch to network. Each is kept
        as soon as it comes: what is killed later has lost no more than was not done.

    Returns
    -------
    list of dict of int to torch.nn.Sequential
    """
    found = [_stored(*wanted) for wanted in zip(starts, files, strict=True)]
    if None in found:
        with _locks(files):  # once more: who held the locks may have trained them
            found = [
                of_network or _stored(start, by_epoch, set_aside=True)
                for of_network, start, by_epoch in zip(found, starts, files, strict=True)
            ]
            missing = [i for i, of_network in enumerate(found) if of_network is None]
            began = perf_counter()  # of a group that comes at once, the first bears all seconds
            for i, snapshots in zip(missing, train(missing), strict=True):
                found[i], seconds = snapshots, perf_counter() - began
                for epoch, model in snapshots.items():
                    _save(model, files[i][epoch], seconds * (epoch == max(snapshots)))
                began = perf_counter()
    return found


def spared_seconds():
    """How long it took to train the networks that this process found on disk.

    Examples
    --------
    >>> spared_seconds() >= 0
    True
    """
    return sum(_spared)


def _locks(files):
    """Locks of the networks wanted, taken in one order so that no two runs wait on each other.

    Of many networks, the first in that order, which another run that wants most of them takes
    too. Two runs that share few of many may both train these few; their files are the same.
    """
    held = ExitStack()
    with held:
        for name in sorted({str(by_epoch[max(by_epoch)]) for by_epoch in files})[:LOCKS]:
            with suppress(OSError, NotImplementedError):  # read-only, or a disk without locks
                held.enter_context(FileLock(f"{name}.lock"))
        return held.pop_all()


def _stored(start, files, set_aside=False):
    """A network after each epoch, from its files; None where one is missing or damaged.

    Only who holds the lock sets a damaged file aside: another may have put a good one there.
    """
    found, seconds = {}, 0.0
    for epoch, path in files.items():
        try:
            found[epoch], spared = _load(start, path)
            seconds += spared
        except (FileNotFoundError, NotADirectoryError):
            return None
        except DAMAGE as error:
            if set_aside:
                aside = path.with_suffix(".damaged")
                words = f"{path} is damaged ({error}), set aside as {aside.name}"
                warnings.warn(f"{words}, and its network trained again", stacklevel=2)
                with suppress(OSError):
                    path.replace(aside)
            return None
    _spared.append(seconds)
    return found


def _save(model, path, seconds):
    weights = {k: v.cpu().contiguous() for k, v in model.state_dict().items()}
    said = {"seconds": f"{seconds:.3f}", **_identity(path, weights)}
    settings.keep(path, lambda file: file.write(save(weights, said)))


def _load(start, path):
    """The cached weights in a copy of the start, and the seconds that their training took."""
    content = path.read_bytes()
    weights = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    said = header.get("__metadata__", {})
    loaded = models.clone(start)
    shapes, expected = (_shapes(of) for of in (weights, loaded.state_dict()))
    if shapes != expected:
        raise ValueError(f"it holds {shapes} in place of {expected}")
    if not all(tensor.isfinite().all() for tensor in weights.values()):
        raise ValueError("its weights are NaN or infinite")
    if any(said.get(key, value) != value for key, value in _identity(path, weights).items()):
        raise ValueError("it holds other weights than were written")
    loaded.load_state_dict(weights)
    return models.freeze(loaded.to(settings.device())), float(said.get("seconds", 0))


def _shapes(weights):
    return {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in weights.items()}


def _identity(path, weights):
    """What a file says of its weights: whose they are, and their SHA-256."""
    digest = data.fingerprint(weights[name] for name in sorted(weights))
    return {"network": path.stem, "sha256": digest}
