"""REPAIR: give the mean network the activation statistics of its parents (Jordan et al. 2023)."""

import torch

from netdist_utils import models
from netdist_utils.moments import moments
from netdist_utils.units import along, read_alike


def repair(model, parents, x):
    """An averaged network whose units vary as much as those of the networks it was averaged from.

    Where the parents' units are not quite alike, their mean varies less than either: averaging
    two weights of correlation r shrinks the variance. Layer by layer, the mean and the standard
    deviation of each unit's input to the ReLU are set to the parents' mean values.

    Parameters
    ----------
    model : torch.nn.Sequential
        Such as the `average` of the parents; left as it is.
    parents : list of 1 or more torch.nn.Sequential
        In one order of units.
    x : (N, ...) inputs
        Inputs on which statistics are taken.

    Returns
    -------
    torch.nn.Sequential
        Of the same widths, with biases where the model has them.

    Raises
    ------
    ValueError
        If the widths differ, there is no parent, or the model has no biases to set the means.

    Examples
    --------
    >>> net, x = models.mlp([4, 3, 2]), torch.randn(50, 4)
    >>> same = repair(net, [net], x)
    >>> bool(torch.allclose(same[1].weight, net[1].weight, atol=1e-5))
    True
    """
    hidden = models.weight_layers(model)[:-1]
    read_alike([model, *parents])
    if any(model[index].bias is None for index in hidden):
        raise ValueError(f"{model} has no biases to set the means of its units")
    result = models.freeze(models.clone(model))
    of_parents = moments(parents, x, hidden)
    for index in hidden:
        mean, std = (
            torch.stack([statistic(k) for k in range(len(parents))]).mean(0)
            for statistic in (of_parents[index].mean, of_parents[index].deviation)
        )
        now = moments([result], x, [index])[index]
        factor = torch.where(now.dead(), 1, std * now.scale())  # (H,)
        layer = result[index]
        layer.weight.mul_(along(factor, layer.weight))
        layer.bias.sub_(now.mean()).mul_(factor).add_(mean)
    return result
