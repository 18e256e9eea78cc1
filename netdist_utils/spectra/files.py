"""The weights of a file, one tensor in memory at a time.

Files come from anywhere, so nothing in them is run (no pickle is opened), and whatever a damaged
or hostile one makes its decoder raise becomes one error that names the file.
"""

import json
from collections.abc import Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from netdist_utils.spectra.layers import LayerSpectrum, each_layer

LARGEST = 2**33  # bytes of one tensor of an archive, whose own header may promise anything
TORCHVISION = "torchvision:"


class Weights(Mapping):
    """Tensors by name, each read when it is asked for.

    Parameters
    ----------
    readers : dict of str to callable
    source : str
        Where they come from, for errors.
    """

    def __init__(self, readers, source):
        self._readers, self._source = readers, source

    def __getitem__(self, name):
        read = self._readers[name]
        with _decoding(f"{self._source}, {name!r}"):
            return read()

    def __iter__(self):
        return iter(self._readers)

    def __len__(self):
        return len(self._readers)


def open_weights(source):
    """The weights of a file or folder, for every function of this room that takes a model.

    Parameters
    ----------
    source : str or pathlib.Path
        A ``.safetensors`` file; an ``.npz`` file of weights, or of singular values as
        `save_spectra` writes them; a folder of ``.safetensors`` files, with or without the
        index that Hugging Face writes; or ``"torchvision:resnet18"`` for a model of that name
        with its published weights, which are downloaded.

    Returns
    -------
    Weights
        A mapping of names to tensors, or to `LayerSpectrum` where singular values are stored.

    Raises
    ------
    ValueError
        If it is none of these, is damaged, or holds nothing.

    Examples
    --------
    >>> open_weights("model.pt")
    Traceback (most recent call last):
        ...
    ValueError: model.pt is no .safetensors file, .npz file or folder of the former
    """
    path = Path(source)
    with _decoding(source):
        if str(source).startswith(TORCHVISION):
            readers = _of_torchvision(str(source).removeprefix(TORCHVISION))
        elif path.is_dir():
            readers = _of_folder(path)
        elif path.suffix in (".safetensors", ".npz"):
            readers = _of_safetensors(path) if path.suffix == ".safetensors" else _of_npz(path)
        else:
            readers = None
    if readers is None:
        raise ValueError(f"{source} is no .safetensors file, .npz file or folder of the former")
    if not readers:
        raise ValueError(f"{source} holds no tensors")
    return Weights(readers, source)


def save_spectra(model, path):
    """Singular values of each layer, as an ``.npz`` file that `open_weights` reads.

    Parameters
    ----------
    model : torch.nn.Module or collections.abc.Mapping
    path : str or pathlib.Path
        Is overwritten. An entry a layer holds its singular values (float32), descending, and
        one named ``layer/shape`` the shape of its weight as a matrix.

    Raises
    ------
    ValueError
        If no layer has a spectrum.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_spectra(torch.nn.Linear(30, 10), Path(folder) / "found.npz")
    ...     open_weights(Path(folder) / "found.npz")[""].shape
    (10, 30)
    """
    entries = {}
    for name, layer in each_layer(model):
        if isinstance(layer, LayerSpectrum):
            singular = np.sqrt(layer.eigenvalues * max(layer.shape))
            entries |= {name: singular.astype(np.float32), f"{name}/shape": np.array(layer.shape)}
    if not entries:
        raise ValueError(f"{path} is not written: no layer has a spectrum")
    np.savez_compressed(path, **entries)


@contextmanager
def _decoding(what):
    """Whatever a decoder raises, as one error of one line."""
    try:
        yield
    except Exception as error:  # a damaged file makes its decoder raise anything
        reason = " ".join(f"{error or type(error).__name__}".split())
        raise ValueError(f"{what} cannot be read: {reason}") from error


def _of_safetensors(path):
    file = safe_open(path, framework="pt")
    return {name: partial(file.get_tensor, name) for name in file.keys()}  # noqa: SIM118


def _of_folder(path):
    """Readers of the shards that an index names, or of all files where there is none."""
    indices = sorted(path.glob("*.safetensors.index.json"))
    if not indices:
        files = sorted(path.glob("*.safetensors"))
        return {name: read for file in files for name, read in _of_safetensors(file).items()}
    shard_of = json.loads(indices[0].read_text(encoding="utf-8"))["weight_map"]
    if outside := [shard for shard in shard_of.values() if Path(shard).name != shard]:
        raise ValueError(f"its index names {outside[0]!r}, which is not in the folder")
    shards = {shard: _of_safetensors(path / shard) for shard in set(shard_of.values())}
    return {name: shards[shard][name] for name, shard in shard_of.items()}


def _of_npz(path):
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        names = [name for name in archive.files if not name.endswith("/shape")]
    return {name: partial(_of_archive, path, name) for name in names}


def _of_archive(path, name):
    """A tensor of an archive, or a spectrum where its singular values are stored."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        size = archive.zip.getinfo(f"{name}.npy").file_size
        if size > LARGEST:
            raise ValueError(f"{size:,} bytes are more than the {LARGEST:,} of one tensor")
        array = archive[name]
        if f"{name}/shape" in archive.files:
            return LayerSpectrum.of_singular_values(name, array, archive[f"{name}/shape"])
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))


def _of_torchvision(name):
    from torchvision.models import get_model

    state = get_model(name, weights="DEFAULT").state_dict()
    return {key: partial(state.get, key) for key in state}
