"""First and second moments of activations, streamed over a data set.

Chapters 1, 3 and 4 compare networks through these: covariances, correlations, regressions and
their held-out errors are all functions of means and second moments, so no activation is kept.

Sums of a batch are taken around its mean. A variance is a difference of two sums, and how far
these are off depends on the processor; around the mean they are small (Chan, Golub and LeVeque,
1983).

In a convolutional layer the channels are the units and the positions are more samples.
"""

from dataclasses import dataclass

import torch

from netdist_utils import checks, models

# A unit whose variance is below this share of its second moment counts as constant. That is far
# above the rounding of activations: in single precision, and in double.
CONSTANT, CONSTANT_IN_DOUBLE = 1e-5, 1e-12


@dataclass(frozen=True)
class LayerMoments:
    """Means and mean products of the units of one layer, for several networks at once.

    Attributes
    ----------
    sizes : tuple of int
        Units D of each network.
    count : int
        Samples, times positions.
    means : (sum D,) float64 tensor
        Of all networks' units side by side.
    seconds : (sum D, sum D) float64 tensor
        Mean outer products of the same.
    constant : float
        Share of its second moment below which a unit counts as constant.

    Examples
    --------
    >>> found = moments([models.mlp([4, 3])], torch.randn(9, 4), [1])[1]
    >>> found.count, found.covariance().shape
    (9, torch.Size([3, 3]))
    """

    sizes: tuple
    count: int
    means: torch.Tensor
    seconds: torch.Tensor
    constant: float = CONSTANT

    def mean(self, i=0):
        """E[phi_i] of network i: (D_i,) float64 tensor."""
        return self.means[self._units(i)]

    def second(self, i=0, j=None):
        """E[phi_i^T phi_j]: (D_i, D_j) float64 tensor; j is i where it is not given."""
        return self.seconds[self._units(i), self._units(i if j is None else j)]

    def covariance(self, i=0, j=None):
        """The same less the product of the means."""
        j = i if j is None else j
        return self.second(i, j) - torch.outer(self.mean(i), self.mean(j))

    def correlation(self, i=0, j=None):
        """Correlations (D_i, D_j); the row or column of a dead unit is 0."""
        j = i if j is None else j
        return self.scale(i)[:, None] * self.covariance(i, j) * self.scale(j)

    def dead(self, i=0):
        """Which units of network i never change: (D_i,) bool tensor."""
        return self._variance(i) <= self.constant * self.second(i).diagonal()

    def deviation(self, i=0):
        """Standard deviation of each unit, 0 for a dead one: (D_i,) float64 tensor."""
        return torch.where(self.dead(i), 0, self._variance(i).clamp_min(0).sqrt())

    def scale(self, i=0):
        """1 / standard deviation of each unit, 0 for a dead one: (D_i,) float64 tensor."""
        return torch.where(self.dead(i), 0, 1 / self.deviation(i))

    def merged(self, *others):
        """Moments of all samples from those of parts of them, in whatever order they come.

        Counts are added exactly; means and products are weighted by them in double precision, so
        that two splits of the same data differ by rounding, some 1e-15 of the largest entry.

        Parameters
        ----------
        *others : LayerMoments
            Of other samples, by the same networks.

        Returns
        -------
        LayerMoments

        Raises
        ------
        ValueError
            If they are of networks of other sizes.

        Examples
        --------
        >>> one = moments([models.mlp([4, 3])], torch.randn(9, 4), [1])[1]
        >>> one.merged(one, one).count
        27
        """
        parts = [self, *others]
        if len({part.sizes for part in parts}) > 1:
            sizes = [part.sizes for part in parts]
            raise ValueError(f"moments of {sizes} units; those of the same networks are needed")
        count = sum(part.count for part in parts)
        means = sum(part.means * part.count for part in parts) / count
        seconds = sum(part.seconds * part.count for part in parts) / count
        constant = max(part.constant for part in parts)
        return LayerMoments(self.sizes, count, means, seconds, constant)

    def _variance(self, i):
        return self.second(i).diagonal() - self.mean(i).square()

    def _units(self, i):
        if isinstance(i, bool) or i not in range(len(self.sizes)):
            raise ValueError(f"network {i!r} is none of 0..{len(self.sizes) - 1}")
        first = sum(self.sizes[:i])
        return slice(first, first + self.sizes[i])


@dataclass(frozen=True)
class Moments:
    """`LayerMoments` of some layers of several networks, over one data set: ``found[layer]``.

    Attributes
    ----------
    layers : dict of int to LayerMoments
    """

    layers: dict

    def __getitem__(self, layer):
        if layer not in self.layers:
            raise ValueError(f"layer {layer!r} is none of {list(self.layers)}")
        return self.layers[layer]

    def mean(self, layer, i=0):
        """As `LayerMoments.mean` of that layer."""
        return self[layer].mean(i)

    def second(self, layer, i=0, j=None, centered=False):
        """As `LayerMoments.covariance` of that layer where centered, else as its ``second``."""
        return self[layer].covariance(i, j) if centered else self[layer].second(i, j)


def moments(networks, x, layers, batch_size=1000):
    """Self and cross second moments, with means, in one streaming pass.

    Parameters
    ----------
    networks : list of 1 or more torch.nn.Sequential
    x : (N, ...) inputs, or one each
        Of a list, sample n of one network is paired with sample n of the others: shuffle one
        of them for a null.
    layers : indices of layers, or -1
        Indices into every network; a layer's activations are its output, -1 is the input.
    batch_size : int from 1 on
        Memory grows with it, and not with N.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If there are no samples, an activation is NaN or infinite, the tensors of a list are not
        one a network and of one length, or two networks' layers have other numbers of positions.

    Examples
    --------
    >>> found = moments([models.mlp([4, 3, 2])], torch.ones(10, 4), [-1, 2])
    >>> found[-1].second().shape, found[2].count
    (torch.Size([4, 4]), 10)
    """
    inputs = x if isinstance(x, list | tuple) else [x] * len(networks)
    layers = list(dict.fromkeys(layers))
    sums, sizes, dtypes = {}, {}, {}
    for batches in zip(*(part.split(batch_size) for part in inputs), strict=True):
        outputs = [models.outputs(*pair, layers) for pair in zip(networks, batches, strict=True)]
        for layer in layers:
            h, sizes[layer] = _side_by_side(layer, [of_layer[layer] for of_layer in outputs])
            dtypes[layer], new = h.dtype, _sums(h)
            sums[layer] = [a + b for a, b in zip(sums.get(layer, (0, 0, 0)), new, strict=True)]
    found = {}
    for layer, (count, total, product) in sums.items():
        constant = CONSTANT_IN_DOUBLE if dtypes[layer] == torch.double else CONSTANT
        found[layer] = LayerMoments(sizes[layer], count, total / count, product / count, constant)
        _check_finite(layer, found[layer])
    return Moments(found)


def _sums(h):
    """Count, sum and sum of outer products of the rows, in double precision.

    Products in single precision are fast, and harmless around the mean of these rows.
    """
    mean = h.mean(0)
    centred, mean = h - mean, mean.double()
    rest, product = centred.sum(0).double(), (centred.T @ centred).double()
    total = len(h) * mean + rest  # the mean is rounded: a rest is left
    return len(h), total, product.addr_(mean, rest).addr_(total, mean)


def _side_by_side(layer, activations):
    """Samples of all networks in one matrix (B, sum D), and the units of each."""
    parts = [as_samples(h) for h in activations]
    if len({len(part) for part in parts}) > 1:
        shapes = [tuple(h.shape) for h in activations]
        raise ValueError(f"layer {layer}: activations of shapes {shapes} do not pair up")
    together = torch.cat([part.to(parts[0].device) for part in parts], dim=1)
    return together, tuple(part.shape[1] for part in parts)


def _check_finite(layer, found):
    """Name the networks whose activations are not finite."""
    bad = [i for i in range(len(found.sizes)) if not torch.isfinite(found.second(i)).all()]
    if bad:
        raise ValueError(f"activations of layer {layer} of networks {bad} are NaN or infinite")


def as_samples(activations):
    """(B, D) as it is; (B, C, H, W) as (B H W, C): positions are samples.

    Parameters
    ----------
    activations : possibly empty (B, D, ...) tensor with NaN

    Examples
    --------
    >>> as_samples(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([32, 3])
    """
    if activations.ndim == 4:
        return activations.permute(0, 2, 3, 1).flatten(0, 2)
    return activations.flatten(1)


checks.guard(__name__)
