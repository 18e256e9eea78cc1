"""Networks run with their hidden units multiplied by the entries of a mask."""

import torch
from torch import nn

from netdist_utils import models, workers


def n_units(model):
    """Number of hidden units of a classifier.

    Parameters
    ----------
    model : torch.nn.Sequential
        Flatten, Linear, ReLU, ..., Linear with two outputs or more.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If a layer is of another type, or the order of layers is another.
    ValueError
        If there are fewer than two outputs, no hidden layer, or a weight is not finite.

    Examples
    --------
    >>> n_units(models.mlp([2, 20, 2]))
    20
    """
    models.check(model, allowed=(nn.Flatten, nn.Linear, nn.ReLU))
    if not (linear := [model[i] for i in models.weight_layers(model)]):
        raise TypeError(f"{model} has no layer with weights")
    expected = models.mlp([linear[0].in_features, *(layer.out_features for layer in linear)])
    if [type(layer) for layer in model] != [type(layer) for layer in expected]:
        raise TypeError(f"{model} is not Flatten, then Linear layers with a ReLU between them")
    sizes = [layer.out_features for layer in linear]
    if len(sizes) < 2 or sizes[-1] < 2:
        raise ValueError(f"layers of {sizes} outputs: hidden units and two classes are needed")
    return sum(sizes[:-1])


def losses(model, split, masks):
    """Cross-entropy of some subnetworks, by running them.

    Parameters
    ----------
    model : torch.nn.Sequential
        Any number of hidden layers.
    split : data.Split
    masks : (M, H) tensor in [0, 1]
        Each unit's output is multiplied by its entry.

    Returns
    -------
    (M,) tensor
        In nats, each the mean over the samples of the split; on the model's device.

    Raises
    ------
    ValueError
        If there is not one mask entry a hidden unit, or one lies outside [0, 1].

    Examples
    --------
    >>> from netdist_utils import data
    >>> losses(models.mlp([2, 3, 2]), data.circle(5, 0), torch.ones(4, 3)).shape
    torch.Size([4])
    """
    jobs = ((model, split, part) for part in _parts(model, split, masks))
    return torch.cat(list(workers.each(_losses_alone, jobs)))


def mask_gradients(model, split, masks):
    """Derivative of the loss by each entry of the mask.

    Parameters
    ----------
    model, split, masks
        As in `losses`.

    Returns
    -------
    (M, H) tensor
        Not the effect of removing a unit, but the slope at this mask.

    Examples
    --------
    >>> from netdist_utils import data
    >>> mask_gradients(models.mlp([2, 3, 2]), data.circle(5, 0), torch.ones(4, 3)).shape
    torch.Size([4, 3])
    """
    found = []
    for part in _parts(model, split, masks):
        part = part.detach().clone().requires_grad_()
        found.append(torch.autograd.grad(_losses(model, split, part).sum(), part)[0])
    return torch.cat(found)


def _parts(model, split, masks):
    """The masks in pieces small enough to run at once."""
    n = n_units(model)
    if masks.shape[1] != n:
        raise ValueError(f"masks of shape {tuple(masks.shape)} were given; (M, {n}) is needed")
    weight = model[models.weight_layers(model)[0]].weight
    return masks.to(weight).split(max(1, 10_000_000 // (len(split) * n)))


@torch.no_grad()
def _losses_alone(model, split, masks):
    return _losses(model, split, masks)


def _losses(model, split, masks):
    layers = models.weight_layers(model)
    h = hidden(model, split.x, masks, layers[:-1])
    z = model[layers[-1]](h * masks[:, None, -h.shape[2] :])  # (M, N, 2)
    labels = split.labels_for(z).expand(len(masks), -1)
    return nn.functional.cross_entropy(z.movedim(2, 1), labels, reduction="none").mean(1)


def hidden(model, x, masks, layers):
    """Outputs (M, N, H) of the last hidden layer, the layers before it masked, itself not yet."""
    h, first = x.to(models.device_of(model)).flatten(1)[None], 0
    for index in layers:
        h = model[index](h).relu()
        size = h.shape[2]
        if index != layers[-1]:
            h = h * masks[:, None, first : first + size].to(h)
        first += size
    return h


def bits(numbers, n):
    """(M,) subset numbers as masks (M, n)."""
    return (numbers[:, None] >> torch.arange(n)) & 1
