"""The loss of every one of the 2^H subnetworks, exactly.

With one hidden layer the logit margin is a sum over units, so the loss of every one of the 2^H
subnetworks can be had exactly. Subsets are numbered by their bits: in subset m, unit i is kept
where bit i of m is 1. In deeper networks units count through the hidden layers, first layer first.
"""

import torch

from netdist_utils import models
from netdist_utils.ablation.many_classes import softmax_losses
from netdist_utils.ablation.masks import bits, hidden, n_units
from netdist_utils.ablation.two_classes import logistic_losses

MOST_UNITS = 24


@torch.no_grad()
def all_losses(model, split, fill=None, groups=None):
    """Cross-entropy of every subnetwork, exactly.

    Parameters
    ----------
    model : torch.nn.Sequential
        At most 24 hidden units in all, or groups of them; any number of classes.
    split : data.Split
        x (N, D), y (N,).
    fill : (H,) tensor or (N, H) tensor, optional
        What a removed unit puts out in place of zero (its mean, or its outputs on other
        samples); one hidden layer only.
    groups : (H,) long tensor from 0 on, optional
        Number of each unit's group, from 0 to G - 1: the units of a group are removed together,
        so that a wide network has 2^G subnetworks; one hidden layer only.

    Returns
    -------
    (2**H,) or (2**G,) float64 tensor, on the CPU
        Entry m in nats, with unit (or group) i kept where bit i of m is 1.

    Raises
    ------
    ValueError
        If there are more than 24 units or groups, not one group a unit, a label without an
        output, or ``fill`` or ``groups`` are given for a deeper network.

    Notes
    -----
    With one hidden layer each logit is a sum over units, so its exponential is a product of one
    factor for each unit: split the units in two halves, and the 2^H exponentials of a class are
    the products of two tables of 2^(H/2). The sum over classes is then a matrix product, and one
    logarithm serves up to 16 points (`many_classes`). For two classes there are further savings
    (`two_classes`). In deeper networks this is done for each subset of the layers before the last.

    Examples
    --------
    >>> from netdist_utils import data
    >>> all_losses(models.mlp([2, 3, 2]), data.circle(5, 0)).shape
    torch.Size([8])
    """
    units = n_units(model)
    if groups is not None and len(groups) != units:
        raise ValueError(f"{len(groups)} groups were given; one for each of {units} units")
    n = units if groups is None else int(groups.max()) + 1
    if n > MOST_UNITS:
        evaluations, what = 2.0**n * len(split), "units" if groups is None else "groups"
        raise ValueError(
            f"{n} {what} have 2^{n} subnetworks: {2.0 ** (n + 3) / 2**30:,.2f} GiB and "
            f"about {evaluations / 3e9 / 60:,.0f} minutes; up to {MOST_UNITS} are enumerated. "
            "Sample masks instead and use losses(model, split, masks)"
        )
    layers = models.weight_layers(model)
    output = model[layers[-1]]
    additive = logistic_losses if output.out_features == 2 else softmax_losses
    if not (fill is None and groups is None) and len(layers) > 2:
        raise ValueError(f"fill and groups take one hidden layer, not {len(layers) - 1}")
    if groups is not None:
        h = hidden(model, split.x, None, layers[:-1])[0]
        return softmax_losses(h, output, split.y, fill, groups)
    last = model[layers[-2]].out_features
    masks = bits(torch.arange(2 ** (n - last)), n - last)  # of all hidden layers but the last
    found = torch.empty(len(masks), 2**last, dtype=torch.float64)
    for row, mask in enumerate(masks):
        h = hidden(model, split.x, mask[None], layers[:-1])[0]
        found[row] = additive(h, output, split.y, fill)
    return found.T.flatten()  # the last layer's units are the highest bits
