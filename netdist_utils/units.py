"""The hidden units of a multi-layer perceptron, and what may be done to them at no change.

A ReLU network computes the same function when the units of a hidden layer are reordered, and when
a unit's incoming weights are multiplied by a positive factor and its outgoing ones divided by it.
Of networks made of Flatten, Linear and ReLU alone.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from netdist_utils import models


@dataclass(frozen=True)
class Perceptron:
    """A multi-layer perceptron as arrays: checked and read once, at the door.

    Attributes
    ----------
    layers : list of int
        Where in the Sequential its Linear layers stand.
    weights : list of (out, in) float64 arrays
    biases : list of (out,) float64 arrays
        None in place of one that a layer does not have.

    Examples
    --------
    >>> read(models.mlp([64, 15, 10])).widths
    [64, 15, 10]
    """

    layers: list
    weights: list
    biases: list

    @property
    def widths(self):
        """Inputs, hidden units of each layer, and outputs."""
        return [self.weights[0].shape[1], *(len(weight) for weight in self.weights)]

    def units(self, layer):
        """u_i = [W_l; b_l; W_(l+1)^T]_i, all weights of hidden unit i: (H, in + 1 + out)."""
        own = [self.weights[layer], self.biases[layer], self.weights[layer + 1].T]
        return np.concatenate([p.reshape(len(p), -1) for p in own if p is not None], axis=1)

    def reordered(self, layer, order):
        """The same function with the units of one hidden layer in another order."""
        weights, biases = list(self.weights), list(self.biases)
        weights[layer], weights[layer + 1] = weights[layer][order], weights[layer + 1][:, order]
        biases[layer] = None if biases[layer] is None else biases[layer][order]
        return Perceptron(self.layers, weights, biases)


def read(model):
    """The weights of a multi-layer perceptron as arrays.

    Parameters
    ----------
    model : torch.nn.Sequential

    Returns
    -------
    Perceptron

    Raises
    ------
    TypeError
        If a layer is not Flatten, Linear or ReLU, or none is Linear.
    ValueError
        If a weight is NaN or infinite.

    Examples
    --------
    >>> [weight.shape for weight in read(models.mlp([4, 3, 2])).weights]
    [(3, 4), (2, 3)]
    """
    models.check(model, allowed=(nn.Flatten, nn.Linear, nn.ReLU))
    layers = models.weight_layers(model)
    if not layers:
        raise TypeError(f"{model} has no Linear layer")
    weights = [_array(model[i].weight) for i in layers]
    return Perceptron(layers, weights, [_array(model[i].bias) for i in layers])


def read_alike(networks):
    """Several networks as `read` reads them, all of the same widths.

    Parameters
    ----------
    networks : list of torch.nn.Sequential

    Returns
    -------
    list of Perceptron

    Raises
    ------
    ValueError
        If the widths of two of them differ, or one has biases and one has none.

    Examples
    --------
    >>> len(read_alike([models.mlp([4, 3, 2]), models.mlp([4, 3, 2])]))
    2
    """
    found = [read(model) for model in networks]
    for other in found:
        biases = [[b is None for b in one.biases] for one in (found[0], other)]
        if other.widths != found[0].widths or biases[0] != biases[1]:
            raise ValueError(
                f"networks of widths {found[0].widths} and {other.widths} (or with and without "
                "biases) cannot be compared unit by unit"
            )
    return found


def widths(model):
    """Inputs, hidden units of each layer, and outputs of a multi-layer perceptron.

    Parameters
    ----------
    model : torch.nn.Sequential
        Refused as in `read`.

    Returns
    -------
    list of int

    Examples
    --------
    >>> widths(models.mlp([64, 15, 10]))
    [64, 15, 10]
    """
    return read(model).widths


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
        Of the same layers.

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
    orders = [torch.as_tensor(order) for order in permutations]
    lengths = [len(order) for order in orders]
    if lengths != hidden or not all(_is_permutation(order) for order in orders):
        raise ValueError(
            f"permutations of lengths {lengths} were given; one of 0..H-1 is needed for each "
            f"hidden layer, H = {hidden}"
        )
    result = models.clone(model)
    for (here, after), order in zip(_neighbours(result), orders, strict=True):
        order = order.to(here.weight.device)
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
        A multi-layer perceptron; left as it is.

    Returns
    -------
    torch.nn.Sequential
        Of the same layers.

    Examples
    --------
    >>> net = canonical(models.mlp([2, 3, 1], bias=False))
    >>> bool(torch.allclose(net[1].weight.norm(dim=1), torch.ones(3)))
    True
    """
    models.check(model, allowed=(nn.Flatten, nn.Linear, nn.ReLU))
    result = models.freeze(models.clone(model))
    for here, after in _neighbours(result):
        columns = [p if p.ndim > 1 else p[:, None] for p in here.parameters()]
        incoming = torch.cat(columns, dim=1)  # (H, in), or (H, in + 1) with the bias
        norm = incoming.norm(dim=1)
        norm = torch.where(norm > 0, norm, torch.ones_like(norm))
        for p in here.parameters():
            p.data /= norm.view(-1, *[1] * (p.ndim - 1))
        after.weight.data *= norm
    return result


def _array(parameter):
    """A weight in double precision; None stays None."""
    return None if parameter is None else parameter.detach().cpu().numpy().astype(float)


def _is_permutation(order):
    return torch.equal(order.cpu().sort().values, torch.arange(len(order)))


def _neighbours(model):
    """Pairs of neighbouring Linear layers: a hidden layer's units lie between the two."""
    return list(pairwise(model[i] for i in models.weight_layers(model)))
