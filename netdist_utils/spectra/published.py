"""Spectra of networks that others have trained and published."""

from dataclasses import replace
from importlib.resources import as_file, files

from netdist_utils.spectra.files import open_weights


def published():
    """Spectra of two series of published networks, all trained on CIFAR-10.

    Their singular values come with this package, with the notices of their authors in
    ``spectra/data/published_spectra.LICENSES.txt``; the weights do not.

    Returns
    -------
    dict of str to dict of str to LayerSpectrum
        By network and layer. ``"resnet20"``, ``"resnet32"``, ``"resnet44"`` and ``"resnet56"``
        are four depths of one architecture, trained by Y. Idelbayev; ``"lenet_epoch_0"`` to
        ``"lenet_epoch_9"`` the small network of DeepDataProfiler after each of ten epochs.
        Convolutions are flattened to (out, in * kernel). Each network is a mapping that `table`
        and the other functions take.

    Examples
    --------
    >>> layers = published()["lenet_epoch_9"]
    >>> [(name, layer.shape) for name, layer in layers.items() if layer.kind == "matrix"]
    [('fc1', (120, 400)), ('fc2', (84, 120)), ('fc3', (10, 84))]
    """
    found = {}
    with as_file(files("netdist_utils") / "spectra/data/published_spectra.npz") as path:
        for key, layer in open_weights(path).items():
            network, _, name = key.partition("/")
            found.setdefault(network, {})[name] = replace(layer, name=name)
    return found
