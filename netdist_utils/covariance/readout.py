"""What the activations of a layer say of the classes: a linear classifier in closed form."""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.moments import moments


def ridge_readout(model, layer, split, penalty=1e-2):
    """A network up to a layer, with a new linear classifier on it, by ridge regression.

    Least squares of one-hot labels on the layer's activations, both centred: exact, from one
    pass over the data, so that no step size and no number of epochs limit the comparison of two
    networks.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer, or -1
        Whose output the classifier reads, all units and positions; -1 is the input.
    split : data.Split of any labels
        Training data; there are as many classes as its largest label says.
    penalty : positive float
        On the squared weights, as a share of the activations' mean variance.

    Returns
    -------
    torch.nn.Sequential
        Copies of the layers up to ``layer``, a Flatten, and a Linear with K outputs, frozen.

    Raises
    ------
    ValueError
        If the penalty is not positive.

    Examples
    --------
    >>> from netdist_utils import data, training
    >>> images = data.digits()
    >>> linear = ridge_readout(models.mlp([64, 10]), -1, images.train)  # of the pixels
    >>> training.accuracy(linear, images.test) > 0.9
    True
    """
    features = nn.Sequential(*models.clone(model)[: layer + 1], nn.Flatten())
    # The labels are the activations of a second network, which puts out what it gets.
    labels = nn.Sequential(*(nn.Identity() for _ in features))
    one_hot = nn.functional.one_hot(split.y).float()
    top = len(features) - 1
    found = moments([features, labels], [split.x, one_hot], [top])[top]
    covariance = found.covariance(0)  # (D, D)
    price = penalty * covariance.diagonal().mean() * torch.eye(len(covariance)).to(covariance)
    weight = torch.linalg.solve(covariance + price, found.covariance(0, 1)).T  # (K, D)
    readout = nn.Linear(weight.shape[1], weight.shape[0])
    readout.weight = nn.Parameter(weight.float())
    readout.bias = nn.Parameter((found.mean(1) - weight @ found.mean(0)).float())
    return models.freeze(nn.Sequential(*features, readout))
