"""The cache of trained networks: one safetensors file each, named by what determines it.

Two chapters that run at once train a network once, and a killed run leaves no half file.
"""

import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import asdict
from time import perf_counter

import torch
from filelock import FileLock
from safetensors import safe_open
from safetensors.torch import save_file

from netdist_utils import models, settings

_spared = []  # seconds of training that files have spared this process
FORMAT = 3  # raise it when a change of `training` changes the networks that come out


def path_of(model, split, seed, recipe, epoch):
    """File of one network, named by the SHA-256 of all that determines it.

    Parameters
    ----------
    model : torch.nn.Sequential
        Its start.
    split : data.Split
    seed : int
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
    text |= {"layers": repr(model), "data": split.fingerprint, "torch": torch.__version__}
    digest = hashlib.sha256(json.dumps(text, sort_keys=True).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy())
    digest.update(settings.device().type.encode())
    return settings.cache_dir() / "networks" / f"{digest.hexdigest()}.safetensors"


def fetch(starts, files, train):
    """Networks from their files; what is missing is trained, by one process at a time, and kept.

    Parameters
    ----------
    starts : list of torch.nn.Sequential
        Untrained networks, which have the right shapes.
    files : list of dict of int to pathlib.Path
        For each network, the file after each epoch that is wanted.
    train : callable
        Takes positions in the list, returns for each a dict from epoch to network.

    Returns
    -------
    list of dict of int to torch.nn.Sequential
    """
    found = {}
    if _missing(files):
        with _locks(files):
            missing = _missing(files)  # once more: who held the locks may have trained them
            began = perf_counter()
            found = dict(zip(missing, train(missing), strict=True))
            seconds = (perf_counter() - began) / max(1, len(missing))
            for i, snapshots in found.items():
                for epoch, model in snapshots.items():
                    _save(model, files[i][epoch], seconds * (epoch == max(snapshots)))
    for i, start in enumerate(starts):
        if i not in found:
            found[i] = {epoch: _load(start, path) for epoch, path in files[i].items()}
    return [found[i] for i in range(len(starts))]


def spared_seconds():
    """How long it took to train the networks that this process found on disk.

    Examples
    --------
    >>> spared_seconds() >= 0
    True
    """
    return sum(_spared)


def _missing(files):
    """Positions of the networks of which some epoch is not on disk."""
    return [
        i for i, by_epoch in enumerate(files) if not all(p.exists() for p in by_epoch.values())
    ]


def _locks(files):
    """Locks of all networks wanted, taken in one order so that no two runs wait on each other."""
    folder = settings.cache_dir() / "networks"
    folder.mkdir(exist_ok=True)
    held = ExitStack()
    with held:
        for name in sorted({str(by_epoch[max(by_epoch)]) for by_epoch in files}):
            held.enter_context(FileLock(f"{name}.lock"))
        return held.pop_all()


def _save(model, path, seconds):
    """Write beside the target, then rename: a killed run leaves no half file."""
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    weights = {k: v.cpu().contiguous() for k, v in model.state_dict().items()}
    save_file(weights, partial, metadata={"seconds": f"{seconds:.3f}"})
    partial.replace(path)


def _load(start, path):
    """The cached weights in a copy of the start, which has the right shapes."""
    loaded = models.clone(start)
    with safe_open(path, "pt") as file:
        loaded.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        _spared.append(float((file.metadata() or {}).get("seconds", 0)))
    return models.freeze(loaded.to(settings.device()))
