"""Spectra of networks that others have trained and published."""

import math
from importlib.resources import files

import numpy as np

from netdist_utils.spectra.layers import LayerSpectrum


def published():
    """Spectra of two series of published networks, all trained on CIFAR-10.

    Their singular values come with this package, with the notices of their authors in
    ``spectra/data/published_spectra.LICENSES.txt``; the weights do not.

    Returns
    -------
    dict of str to list of LayerSpectrum
        ``"resnet20"``, ``"resnet32"``, ``"resnet44"`` and ``"resnet56"``: four depths of one
        architecture, trained by Y. Idelbayev. ``"lenet_epoch_0"`` to ``"lenet_epoch_9"``: the
        small network of DeepDataProfiler after each of ten epochs. Convolutions are flattened
        to (out, in * kernel).

    Examples
    --------
    >>> layers = published()["lenet_epoch_9"]
    >>> [(layer.name, layer.shape) for layer in layers if layer.kind == "Linear"]
    [('fc1', (120, 400)), ('fc2', (84, 120)), ('fc3', (10, 84))]
    """
    file, found = files("netdist_utils") / "spectra/data/published_spectra.npz", {}
    with file.open("rb") as opened, np.load(opened) as stored:
        for key in stored.files:
            if key.endswith("/shape"):
                continue
            network, _, layer = key.partition("/")
            rows, *others = stored[f"{key}/shape"].tolist()
            shape = rows, math.prod(others)
            eigenvalues = np.square(stored[key], dtype=float) / max(shape)
            kind = "Linear" if len(others) == 1 else "Conv2d"
            spectrum = LayerSpectrum(layer, kind, shape, eigenvalues)
            found.setdefault(network, []).append(spectrum)
    return found
