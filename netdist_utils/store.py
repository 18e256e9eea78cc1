"""The cache of trained networks: one safetensors file each, named by what determines it.

Two chapters that run at once train a network once, and a killed run leaves no half file.
"""

import hashlib
import json
import os
from contextlib import contextmanager

import torch
from filelock import FileLock
from safetensors.torch import load_file, save_file

from netdist_utils import models, settings

FORMAT = 1  # raise it when a change of `training` changes the networks that come out


def path_of(model, split, seed, recipe, epoch):
    """File of one network, named by the SHA-256 of all that determines it."""
    # Under a constant rate, epoch 3 of ten is the same network as epoch 3 of three.
    horizon = recipe["epochs"] if recipe["schedule"] == "cosine" else None
    text = {**recipe, "epochs": horizon, "epoch": epoch, "seed": seed, "format": FORMAT}
    text |= {"layers": repr(model), "data": split.fingerprint, "torch": torch.__version__}
    digest = hashlib.sha256(json.dumps(text, sort_keys=True).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy())
    digest.update(settings.device().type.encode())
    return settings.cache_dir() / "networks" / f"{digest.hexdigest()}.safetensors"


def missing(paths):
    """Positions of the networks of which some epoch is not on disk."""
    return [
        i for i, by_epoch in enumerate(paths) if not all(p.exists() for p in by_epoch.values())
    ]


@contextmanager
def lock(paths):
    """Locks of all networks wanted, taken in one order so that no two runs wait on each other."""
    folder = settings.cache_dir() / "networks"
    folder.mkdir(exist_ok=True)
    names = sorted({str(by_epoch[max(by_epoch)]) for by_epoch in paths})
    locks = [FileLock(f"{name}.lock") for name in names]
    try:
        for lock in locks:
            lock.acquire()
        yield
    finally:
        for lock in locks:
            lock.release()


def save(model, path):
    """Write beside the target, then rename: a killed run leaves no half file."""
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    save_file({k: v.cpu().contiguous() for k, v in model.state_dict().items()}, partial)
    partial.replace(path)


def load(model, path):
    """The cached weights in a copy of the start, which has the right shapes."""
    loaded = models.clone(model)
    loaded.load_state_dict(load_file(path))
    return models.frozen(loaded.to(settings.device()))
