"""New networks drawn from a distribution fitted to many whose units are in one order.

The distributions differ in what they let vary together: nothing (each weight on its own), the
weights of a unit, or all weights. Each draw keeps every weight's mean and variance.
"""

import numpy as np
import torch
from torch import nn

from netdist_utils import models
from netdist_utils.units import along, read, read_alike


def sample_gaussian(networks, generator, covariance="full"):
    """One new network from a Gaussian fitted to the weights of many.

    Parameters
    ----------
    networks : list of 2 or more torch.nn.Sequential
        Of the same widths, their units matched.
    generator : torch.Generator
    covariance : {"full", "units", "diagonal"}
        ``"full"``: the sample covariance of all weights, whose rank is one less than the number
        of networks. ``"units"``: the weights of a unit vary together, units independently of one
        another. ``"diagonal"``: each weight on its own.

    Returns
    -------
    torch.nn.Sequential
        Drawn weights in the layers of the first network, without gradients.

    Raises
    ------
    ValueError
        If there are fewer than two networks or the covariance is unknown.

    Examples
    --------
    >>> pair = [models.mlp([2, 3, 1]) for _ in range(2)]
    >>> len(sample_gaussian(pair, torch.Generator().manual_seed(0)))
    4
    """
    vectors = _vectors(networks)
    group = {
        "full": torch.zeros(len(vectors[0]), dtype=torch.long),
        "units": _unit_of_each_weight(networks[0]),
        "diagonal": torch.arange(len(vectors[0])),
    }[covariance]  # weights of one number share their random numbers
    mean = vectors.mean(0)
    deviations = (vectors - mean) / (len(vectors) - 1) ** 0.5  # (S, P): covariance is D^T D
    z = torch.randn(len(vectors), int(group.max()) + 1, generator=generator).to(mean)
    return _network(networks[0], mean + (z[:, group] * deviations).sum(0))


def sample_slots(networks, generator):
    """One new network whose units are taken as they are from networks drawn at random.

    Unit i of the result is unit i of some network, its next unit that of another; no
    distribution is assumed.

    Parameters
    ----------
    networks, generator
        As in `sample_gaussian`.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> pair = [models.mlp([2, 3, 1]) for _ in range(2)]
    >>> drawn = sample_slots(pair, torch.Generator().manual_seed(0))
    >>> any(bool((drawn[1].weight[0] == net[1].weight[0]).all()) for net in pair)
    True
    """
    vectors, unit = _vectors(networks), _unit_of_each_weight(networks[0])
    donors = torch.randint(len(vectors), (int(unit.max()) + 1,), generator=generator)
    return _network(networks[0], vectors[donors[unit], torch.arange(len(unit))])


def _vectors(networks):
    """All weights (S, P) of two networks or more, on the CPU."""
    read_alike(networks)
    vectors = [nn.utils.parameters_to_vector(m.parameters()).detach().cpu() for m in networks]
    return torch.stack(vectors)


def _unit_of_each_weight(model):
    """For each weight the number of its unit (P,).

    A weight belongs to the unit that it enters, a weight of the output layer to the unit that it
    leaves; what belongs to no hidden unit, the output's bias, is one group.
    """
    weights = read(model)
    numbers = {name: torch.zeros(p.shape).long() for name, p in weights.parameters.items()}
    firsts = np.cumsum([1, *weights.hidden])
    # Units that a weight enters are written last, over those that it leaves.
    for a in sorted(weights.axes, key=lambda a: -a.axis):
        units = torch.arange(weights.hidden[a.hidden]) + firsts[a.hidden]
        numbers[a.parameter][:] = along(units, numbers[a.parameter], a.axis, a.block)
    return torch.cat([p.flatten() for p in numbers.values()])


def _network(model, vector):
    result = models.freeze(models.clone(model))
    nn.utils.vector_to_parameters(vector.to(models.device_of(model)), result.parameters())
    return result
