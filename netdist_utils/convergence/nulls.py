"""Networks that have learned nothing, made like trained ones in what is no feature."""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.moments import as_samples


@torch.no_grad()
def with_zeros_of(model, reference, x):
    """A network with biases set so that its units are zero as often as those of another.

    Layer by layer, the unit that is k-th most often zero in the model gets the share of zeros of
    the unit that is k-th most often zero in the reference. The weights stay as they are.

    Parameters
    ----------
    model, reference : torch.nn.Sequential
        Of one shape, with a bias in front of each ReLU.
    x : (N, ...) inputs
        On which zeros are counted, over positions too.

    Returns
    -------
    torch.nn.Sequential
        A copy of the model, with other biases.

    Raises
    ------
    ValueError
        If a ReLU does not follow a layer with biases.

    Examples
    --------
    >>> model, reference = models.mlp([4, 3, 2]), models.mlp([4, 3, 2])
    >>> reference[1].bias.data -= 9.0  # all its units are dead
    >>> x = torch.rand(50, 4)
    >>> bool((with_zeros_of(model, reference, x)[:3](x) < 1e-6).all())  # zero, up to rounding
    True
    """
    copy = models.clone(model)
    h = wanted = x.to(models.device_of(model))
    for k, (layer, other) in enumerate(zip(copy, reference, strict=True)):
        if isinstance(layer, nn.ReLU):
            if k == 0 or getattr(copy[k - 1], "bias", None) is None:
                raise ValueError(f"layer {k} is a ReLU; a layer with biases must stand before it")
            here, there = as_samples(h), as_samples(wanted)
            order = zeros(here).argsort()  # of the model's units, least often zero first
            lowered = torch.empty_like(copy[k - 1].bias)
            lowered[order] = thresholds(here[:, order], zeros(there).sort().values)
            copy[k - 1].bias.data -= lowered
            h = h - lowered.view(-1, *[1] * (h.ndim - 2))
        h, wanted = layer(h), other(wanted)
    return copy


def zeros(acts):
    """Share of samples that a ReLU would put at zero, of each column.

    Examples
    --------
    >>> zeros(torch.tensor([[-1.0, 2.0], [0.0, -3.0]]))
    tensor([1.0000, 0.5000], dtype=torch.float64)
    """
    return (acts <= 0).double().mean(0)


def thresholds(acts, shares):
    """Values that given shares of the entries of each column do not exceed (one entry at least).

    Examples
    --------
    >>> thresholds(torch.tensor([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]]), torch.tensor([0.4, 1.0]))
    tensor([1., 3.])
    """
    counts = (shares * len(acts)).round().long().clamp_min(1).tolist()
    columns = acts.T.contiguous()
    return torch.stack([c.kthvalue(n).values for c, n in zip(columns, counts, strict=True)])
