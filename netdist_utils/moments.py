"""First and second moments of activations, streamed over a data set.

Chapters 1, 3 and 4 compare networks through these: covariances, correlations, regressions and
their held-out errors are all functions of means and second moments, so no activation is kept.

In a convolutional layer the channels are the dimensions and the positions are more samples.
"""

from dataclasses import dataclass

import torch

from netdist_utils import models

# A unit whose variance is below this share of its second moment is constant, to the rounding of
# the single-precision sums in which moments are taken.
CONSTANT = 1e-5


@dataclass(frozen=True)
class Moments:
    """First and second moments of some layers of several networks, over one data set.

    Attributes
    ----------
    sizes : dict of int to list of int
        Dimensions D of each network's activations, by layer.
    counts : dict of int to int
        Samples (times positions), by layer.
    means : dict of int to (sum D,) float64 tensor
    seconds : dict of int to (sum D, sum D) float64 tensor
        Mean outer products of all networks' activations put side by side.
    """

    sizes: dict
    counts: dict
    means: dict
    seconds: dict

    def mean(self, layer, i=0):
        """E[phi_i] of one layer: (D_i,) float64 tensor."""
        return self.means[layer].split(self.sizes[layer])[i]

    def second(self, layer, i=0, j=None, centered=False):
        """E[phi_i^T phi_j] of one layer, or the covariance where centered.

        Parameters
        ----------
        layer : int
        i, j : int
            Networks; j is i by default.
        centered : bool

        Returns
        -------
        (D_i, D_j) float64 tensor
        """
        first = [sum(self.sizes[layer][:k]) for k in range(len(self.sizes[layer]) + 1)]
        j = i if j is None else j
        rows, columns = slice(first[i], first[i + 1]), slice(first[j], first[j + 1])
        matrix = self.seconds[layer][rows, columns]
        mean = self.means[layer]
        return matrix - torch.outer(mean[rows], mean[columns]) if centered else matrix


def moments(networks, x, layers, batch_size=1000):
    """Self and cross second moments, with means, in one streaming pass.

    Parameters
    ----------
    networks : list of torch.nn.Sequential
    x : (N, ...) tensor, or a list of one such tensor a network
        Of a list, sample n of one network is paired with sample n of the others: shuffle one
        of them for a null.
    layers : iterable of int
        Indices into every network; a layer's activations are its output, -1 is the input.
    batch_size : int
        Memory grows with it, and not with N.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If there are no samples, if the tensors of a list are not one a network and of one
        length, or if two networks' layers have other numbers of positions.

    Examples
    --------
    >>> found = moments([models.mlp([4, 3, 2])], torch.ones(10, 4), [-1, 2])
    >>> found.second(-1).shape, found.counts[2]
    (torch.Size([4, 4]), 10)
    """
    layers = list(layers)
    inputs = list(x) if isinstance(x, list | tuple) else [x] * len(networks)
    if not networks or len(inputs) != len(networks) or len({len(part) for part in inputs}) != 1:
        shapes = [tuple(part.shape) for part in inputs]
        raise ValueError(
            f"inputs of shapes {shapes} for {len(networks)} networks; one each, of one length"
        )
    if len(inputs[0]) == 0:
        raise ValueError(f"x has shape {tuple(inputs[0].shape)}; one sample or more is needed")
    sizes, counts, sums, products = {}, dict.fromkeys(layers, 0), {}, {}
    for batches in zip(*(part.split(batch_size) for part in inputs), strict=True):
        found = [
            models.outputs(model, batch, layers)
            for model, batch in zip(networks, batches, strict=True)
        ]
        for layer in layers:
            parts = [as_samples(acts[layer]) for acts in found]
            if len({len(part) for part in parts}) > 1:
                shapes = [tuple(acts[layer].shape) for acts in found]
                raise ValueError(f"layer {layer}: activations of shapes {shapes} do not pair up")
            h = torch.cat([part.to(parts[0].device) for part in parts], dim=1)  # (B, sum D)
            sizes[layer] = [part.shape[1] for part in parts]
            counts[layer] += len(h)
            # Products in single precision are fast; adding many of them up wants double.
            sums[layer] = sums.get(layer, 0) + h.sum(0).double()
            products[layer] = products.get(layer, 0) + (h.T @ h).double()
    return Moments(
        sizes,
        counts,
        {layer: sums[layer] / counts[layer] for layer in layers},
        {layer: products[layer] / counts[layer] for layer in layers},
    )


def correlation(found, layer, i, j):
    """Correlations of the units of networks i and j, from moments; 0 for units that never change.

    Parameters
    ----------
    found : Moments
    layer, i, j : int

    Returns
    -------
    (C_i, C_j) float64 tensor

    Raises
    ------
    ValueError
        If a moment is NaN.

    Examples
    --------
    >>> net = models.mlp([4, 3])
    >>> correlation(moments([net, net], torch.randn(9, 4), [1]), 1, 0, 1).shape
    torch.Size([3, 3])
    """
    covariance = found.second(layer, i, j, centered=True)
    if not torch.isfinite(covariance).all():
        raise ValueError(f"activations of layer {layer} of networks {i}, {j} are NaN or infinite")
    return (
        inverse_deviations(found, layer, i)[:, None]
        * covariance
        * inverse_deviations(found, layer, j)
    )


def dead_units(found, layer, i):
    """Which units of a network's layer never change.

    Parameters
    ----------
    found : Moments
    layer, i : int

    Returns
    -------
    (C,) bool tensor

    Examples
    --------
    >>> found = moments([models.mlp([4, 3])], torch.ones(9, 4), [1])
    >>> dead_units(found, 1, 0)
    tensor([True, True, True])
    """
    variance = found.second(layer, i, centered=True).diagonal()
    return variance <= CONSTANT * found.second(layer, i).diagonal()


def inverse_deviations(found, layer, i):
    """1 / standard deviation of each unit; 0 for units that never change.

    Parameters
    ----------
    found : Moments
    layer, i : int

    Returns
    -------
    (C,) float64 tensor

    Examples
    --------
    >>> found = moments([torch.nn.Sequential()], torch.tensor([[0.0, 5.0], [4.0, 5.0]]), [-1])
    >>> inverse_deviations(found, -1, 0)
    tensor([0.5000, 0.0000], dtype=torch.float64)
    """
    variance = found.second(layer, i, centered=True).diagonal()
    scale = variance.clamp_min(torch.finfo(variance.dtype).tiny).rsqrt()
    return torch.where(dead_units(found, layer, i), 0, scale)


def as_samples(activations):
    """(B, D) as it is; (B, C, H, W) as (B H W, C): positions are samples.

    Examples
    --------
    >>> as_samples(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([32, 3])
    """
    if activations.ndim == 4:
        return activations.permute(0, 2, 3, 1).flatten(0, 2)
    return activations.flatten(1)
