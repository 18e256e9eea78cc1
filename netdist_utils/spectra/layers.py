"""The spectrum of each layer of any model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from netdist_utils import workers

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)

CHUNK = 2**25  # entries that are in double precision at a time


@dataclass(frozen=True)
class LayerSpectrum:
    """Eigenvalues of one layer's weights.

    Attributes
    ----------
    name : str
        As in ``model.named_modules()``.
    kind : str
        The module's type.
    shape : (int, int)
        Rows (outputs) and columns of the matrix: of one group, where there are groups.
    eigenvalues : (M,) numpy array
        Of W^T W / N, descending; N is the larger side, M the smaller. Those of all groups.
        What is below rounding is 0.
    groups : int
    """

    name: str
    kind: str
    shape: tuple
    eigenvalues: np.ndarray
    groups: int = 1

    @property
    def aspect_ratio(self):
        """Q = N / M, larger side over smaller."""
        return max(self.shape) / min(self.shape)

    @classmethod
    def of_singular_values(cls, name, values, shape):
        """From the singular values (G * M,) of a weight of G groups, descending, and its shape."""
        values, shape = np.asarray(values, dtype=float), [int(length) for length in shape]
        rows, columns = shape[0], math.prod(shape[1:])
        groups, rest = divmod(len(values), max(1, min(rows, columns)))
        if values.ndim != 1 or not groups or rest or not np.isfinite(values).all():
            raise ValueError(
                f"{values.shape} singular values, all finite, do not belong to a weight of {shape}"
            )
        return cls(name, _kind(shape), (rows, columns), values**2 / max(rows, columns), groups)


def layer_spectra(model):
    """Spectrum of each Linear and convolutional layer, wherever it stands in the model.

    A convolution is flattened to (out, in * kernel); a grouped one is one matrix a group;
    a transposed one is the matrix of its groups, rows being outputs all the same. Weights that
    two layers share are counted once.

    Parameters
    ----------
    model : torch.nn.Module or collections.abc.Mapping
        Of a mapping (a state dict) each floating-point tensor of 2 to 5 axes is a layer: groups,
        transposition and embeddings can't be told there. A mapping may hold spectra instead, as
        `each_layer` gives them.

    Returns
    -------
    list of LayerSpectrum
        In the model's order. What is left out, `unjudged_layers` lists.

    Raises
    ------
    TypeError
        If it is neither a Module nor a mapping.
    ValueError
        If a weight is NaN or infinite.

    Examples
    --------
    >>> first, second = layer_spectra(nn.Sequential(nn.Linear(300, 100), nn.Linear(100, 10)))
    >>> first.shape, first.eigenvalues.shape, first.aspect_ratio
    ((100, 300), (100,), 3.0)
    """
    return [found for _, found in each_layer(model) if isinstance(found, LayerSpectrum)]


def each_layer(model):
    """Spectra of the layers one after the other, with one weight in memory at a time.

    Parameters
    ----------
    model : as in `layer_spectra`

    Yields
    ------
    (str, LayerSpectrum or str)
        Name, and spectrum or the reason why there is none. ``dict(each_layer(model))`` is a
        mapping that every function here takes in place of the model.

    Examples
    --------
    >>> found = dict(each_layer(nn.Sequential(nn.Linear(9, 4), nn.Embedding(5, 2))))
    >>> found["1"], layer_spectra(found)[0].shape
    ('Embedding is neither Linear nor a convolution', (4, 9))
    """
    return workers.each(_judged, _layers(model))


def _judged(name, kind, weight):
    return name, _spectrum(name, kind, weight) if torch.is_tensor(weight) else weight


def unjudged_layers(model):
    """Layers whose weights have no spectrum here, and the reason of each.

    Parameters
    ----------
    model : as in `layer_spectra`

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> unjudged_layers(nn.Sequential(nn.Linear(2, 2), nn.Embedding(5, 2)))
    {'1': 'Embedding is neither Linear nor a convolution'}
    """
    return {name: found for name, _, found in _layers(model) if isinstance(found, str)}


def _layers(model):
    """Yields name, kind, and a (groups, rows, columns) tensor, a spectrum or a reason."""
    if isinstance(model, Mapping):
        return _layers_of_mapping(model)
    if not isinstance(model, nn.Module):
        raise TypeError(f"a torch.nn.Module or a dict of tensors is needed, not {type(model)}")
    return _layers_of_module(model)


def _layers_of_module(model):
    seen = {}
    for name, module in model.named_modules():
        kind, weight = type(module).__name__, getattr(module, "weight", None)
        if not isinstance(module, (nn.Linear, *CONVOLUTIONS)):
            if any(p.ndim > 1 for p in module.parameters(recurse=False)):
                yield name, kind, f"{kind} is neither Linear nor a convolution"
        elif isinstance(weight, nn.parameter.UninitializedParameter):
            yield name, kind, f"{kind} has no weight yet: pass an input through it first"
        elif not torch.is_tensor(weight) or weight.numel() == 0 or weight.is_meta:
            yield name, kind, f"{kind} has no weight with entries"
        elif id(weight) in seen:
            yield name, kind, f"shares its weight with {seen[id(weight)]}"
        else:
            if weight is module._parameters.get("weight"):  # not made anew at each access
                seen[id(weight)] = name
            yield name, kind, _matrices(module, weight)


def _matrices(module, weight):
    """Weight as (groups, rows, columns)."""
    weight, groups = weight.detach(), getattr(module, "groups", 1)
    if isinstance(module, TRANSPOSED):  # stored as (in, out / groups, ...)
        weight = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    return weight.unflatten(0, (groups, -1)).flatten(2)


def _layers_of_mapping(state):
    seen = {}
    for key, weight in state.items():
        name = key.removesuffix(".weight")
        if isinstance(weight, LayerSpectrum | str):
            yield name, "", weight
        if not torch.is_tensor(weight) or weight.ndim < 2:
            continue
        # Only a dict holds all its tensors at once: one read from a file may take the place in
        # memory of the one before.
        place = (weight.data_ptr(), weight.shape) if isinstance(state, dict) else key
        kind = _kind(weight.shape)
        if weight.ndim > 5 or weight.numel() == 0 or not weight.is_floating_point():
            yield name, kind, f"{weight.dtype} of shape {tuple(weight.shape)} is no layer's weight"
        elif place in seen:
            yield name, kind, f"shares its weight with {seen[place]}"
        else:
            seen[place] = name
            yield name, kind, weight.detach().flatten(1)[None]


def _kind(shape):
    return f"{len(shape) - 2}d" if len(shape) > 2 else "matrix"


def _spectrum(name, kind, matrices):
    """Eigenvalues of the smaller Gram matrix of each group, in double precision."""
    groups, rows, columns = matrices.shape
    tall = matrices if rows >= columns else matrices.mT  # (G, N, M)
    gram = 0
    for part in tall.split(max(1, CHUNK // (groups * tall.shape[2])), dim=1):
        part = part.double()
        gram = gram + part.mT @ part  # (G, M, M)
    if not math.isfinite(gram.sum()):
        bad = int((~torch.isfinite(matrices.double())).sum())
        raise ValueError(
            f"layer {name!r} ({kind}): {bad} of {matrices.numel()} weights are NaN or infinite"
        )
    values = torch.linalg.eigvalsh(gram / tall.shape[1])  # (G, M)
    rounding = values.amax() * np.finfo(float).eps * max(rows, columns)
    values = torch.where(values > rounding, values, 0).flatten()
    return LayerSpectrum(
        name, kind, (rows, columns), values.sort(descending=True).values.cpu().numpy(), groups
    )


def convolution_spectra(weight, side):
    """Eigenvalues of a convolution, three ways.

    Parameters
    ----------
    weight : (out, in, h, w) tensor
    side : int from 1 on
        Of the square image that the operator acts on, at least h and w.

    Returns
    -------
    dict of str to numpy array
        ``"flattened"``: of the (out, in*h*w) matrix. ``"slices"``: of the h*w matrices
        (out, in), pooled. ``"operator"``: of the convolution as a linear map of images with
        periodic borders and stride 1, exactly: one (out, in) matrix a frequency (Sedghi, Gupta
        and Long 2019). All are squared singular values, descending, not divided.

    Raises
    ------
    ValueError
        If the weight has not four axes or the kernel is larger than the image.

    Examples
    --------
    >>> found = convolution_spectra(torch.ones(1, 1, 1, 1), side=2)
    >>> found["operator"]
    array([1., 1., 1., 1.])
    """
    if max(weight.shape[2:]) > side:
        raise ValueError(f"side is {side}, smaller than a kernel of shape {tuple(weight.shape)}")
    weight = weight.detach().double().cpu()
    waves = torch.fft.fft2(weight, s=(side, side)).permute(2, 3, 0, 1)  # (side, side, out, in)
    ways = {
        "flattened": weight.flatten(1),
        "slices": weight.permute(2, 3, 0, 1),  # (h, w, out, in)
        "operator": waves,
    }
    return {
        name: np.sort(torch.linalg.svdvals(matrices).square().flatten().numpy())[::-1]
        for name, matrices in ways.items()
    }
