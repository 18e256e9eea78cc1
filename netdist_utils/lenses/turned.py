"""Partners with the same spectra and the same Gram matrices, whose units were taken from them.

They are the strongest nulls that a pair of networks brings along, and the poorest descriptions
from which a network can be drawn.
"""

import torch

from netdist_utils import models
from netdist_utils.random_matrices import random_rotation
from netdist_utils.units import axes


def rotated_units(model, generator):
    """A network whose hidden units are random mixtures of a model's.

    Incoming weights of a layer's units are turned by a rotation, outgoing ones back. Spectra and
    what a linear map could learn of the weights stay; units are lost, and with the ReLU between
    the two turns the function as well.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of Linear, Conv2d, ReLU, pooling and Flatten; left as it is.
    generator : torch.Generator

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> net = models.mlp([4, 3, 2])
    >>> mixed = rotated_units(net, torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(mixed[3].weight @ mixed[1].weight, net[3].weight @ net[1].weight))
    True
    """
    result = models.freeze(models.clone(model))
    turns = {}
    for a in axes(model):
        p = result.get_parameter(a.parameter)
        size = p.shape[a.axis] // a.block
        if a.hidden not in turns:
            turns[a.hidden] = random_rotation(size, generator)
        turn = turns[a.hidden].to(p)
        moved = p.data.movedim(a.axis, 0)  # (H * block, ...)
        mixed = (turn @ moved.reshape(size, -1)).reshape(moved.shape)
        p.data = mixed.movedim(0, a.axis).contiguous()
    return result


def from_spectrum(model, generator):
    """A network whose weights have a model's singular values, in random directions.

    Biases are the model's.

    Parameters
    ----------
    model, generator
        As in `rotated_units`.

    Examples
    --------
    >>> net = models.freeze(models.mlp([4, 3, 2]))
    >>> drawn = from_spectrum(net, torch.Generator().manual_seed(0))
    >>> norms = [float(torch.linalg.matrix_norm(m[1].weight, 2)) for m in (net, drawn)]
    >>> abs(norms[0] - norms[1]) < 1e-5
    True
    """
    models.check(model)
    result = models.freeze(models.clone(model))
    for index in models.weight_layers(model):
        weight = result[index].weight
        values = torch.linalg.svdvals(weight.flatten(1).double())
        rows, columns = weight.flatten(1).shape
        left, right = (random_rotation(n, generator)[:, : len(values)] for n in (rows, columns))
        drawn = (left * values.cpu()) @ right.T
        weight.data = drawn.view(weight.shape).to(weight)
    return result
