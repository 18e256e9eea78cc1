"""The hidden units of a multi-layer perceptron, and what may be done to them at no change.

A ReLU network computes the same function when the units of a hidden layer are reordered, and when
a unit's incoming weights are multiplied by a positive factor and its outgoing ones divided by it.
Of networks made of Flatten, Linear and ReLU alone.
"""

from itertools import pairwise

import torch
from torch import nn

from netdist_utils import models


def widths(model):
    """Inputs, hidden units of each layer, and outputs of a multi-layer perceptron.

    Parameters
    ----------
    model : torch.nn.Sequential

    Returns
    -------
    list of int

    Raises
    ------
    TypeError
        If a layer is not Flatten, Linear or ReLU, or none is Linear.
    ValueError
        If a weight is NaN or infinite.

    Examples
    --------
    >>> widths(models.mlp([64, 15, 10]))
    [64, 15, 10]
    """
    models.check(model, allowed=(nn.Flatten, nn.Linear, nn.ReLU))
    linear = [model[i] for i in models.weight_layers(model)]
    if not linear:
        raise TypeError(f"{model} has no Linear layer")
    return [linear[0].in_features, *(layer.out_features for layer in linear)]


def permute(model, permutations):
    """The same function with its hidden units reordered.

    Parameters
    ----------
    model : torch.nn.Sequential
        A multi-layer perceptron; left as it is.
    permutations : list of (H,) long tensors
        One a hidden layer: unit i of the result is unit ``permutations[l][i]`` of the model.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If there is not one permutation of the right length a hidden layer.

    Examples
    --------
    >>> net = models.mlp([2, 3, 1])
    >>> turned = permute(net, [torch.tensor([2, 0, 1])])
    >>> bool((turned[1].weight[0] == net[1].weight[2]).all())
    True
    """
    hidden = widths(model)[1:-1]
    lengths = [len(p) for p in permutations]
    if lengths != hidden or any(
        not torch.equal(torch.sort(torch.as_tensor(p).cpu()).values, torch.arange(len(p)))
        for p in permutations
    ):
        raise ValueError(
            f"permutations of lengths {lengths} were given; one of 0..H-1 is needed for each "
            f"hidden layer, H = {hidden}"
        )
    result = models.clone(model)
    for (here, after), permutation in zip(_neighbours(result), permutations, strict=True):
        order = torch.as_tensor(permutation).to(here.weight.device)
        for p in here.parameters():
            p.data = p.data[order]
        after.weight.data = after.weight.data[:, order]
    return result


def canonical(model):
    """The same function with each hidden unit's incoming weights (and bias) of norm 1.

    A ReLU commutes with a positive factor, so a unit's incoming weights may be divided by their
    norm if its outgoing weights are multiplied by it. A unit without incoming weights is left.

    Parameters
    ----------
    model : torch.nn.Sequential

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> net = canonical(models.mlp([2, 3, 1], bias=False))
    >>> net[1].weight.norm(dim=1).round(decimals=4)
    tensor([1., 1., 1.])
    """
    widths(model)
    result = models.frozen(models.clone(model))
    for here, after in _neighbours(result):
        columns = [p if p.ndim > 1 else p[:, None] for p in here.parameters()]
        incoming = torch.cat(columns, dim=1)  # (H, in), or (H, in + 1) with the bias
        norm = incoming.norm(dim=1)
        norm = torch.where(norm > 0, norm, torch.ones_like(norm))
        for p in here.parameters():
            p.data /= norm.view(-1, *[1] * (p.ndim - 1))
        after.weight.data *= norm
    return result


def same_widths(networks):
    """The widths that all networks have.

    Parameters
    ----------
    networks : list of torch.nn.Sequential

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        If the widths of two of them differ, or one has biases and one has none.

    Examples
    --------
    >>> same_widths([models.mlp([4, 3, 2]), models.mlp([4, 3, 2])])
    [4, 3, 2]
    """
    sizes = [widths(model) for model in networks]
    biases = [[model[i].bias is None for i in models.weight_layers(model)] for model in networks]
    for size, bias in zip(sizes, biases, strict=True):
        if size != sizes[0] or bias != biases[0]:
            raise ValueError(
                f"networks of widths {sizes[0]} and {size} (or with and without biases) "
                "cannot be compared unit by unit"
            )
    return sizes[0]


def _neighbours(model):
    """Pairs of neighbouring Linear layers: a hidden layer's units lie between the two."""
    return list(pairwise(model[i] for i in models.weight_layers(model)))
