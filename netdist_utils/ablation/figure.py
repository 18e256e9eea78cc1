"""Chapter 2's explorer: switch units on and off, and see what is left of the network."""

import numpy as np
import torch

from netdist_utils import interactive, models
from netdist_utils.ablation.masks import n_units
from netdist_utils.ablation.subsets import best_subsets

QUANTILES = 4001  # of the losses of all subnetworks: percentiles to a fortieth of a percent


def explorer(model, split, values, radius=(2 / np.pi) ** 0.5):
    """An interactive figure of every subnetwork of a small classifier of the plane.

    Parameters
    ----------
    model : torch.nn.Sequential
        2 inputs, one hidden layer, 2 classes.
    split : data.Split
        Points on which the live loss is measured, those of ``values``.
    values : (2**H,) tensor
        Of `ablation.all_losses`.
    radius : float from 0 on
        Of the circle to draw.

    Returns
    -------
    IPython.display.HTML
        Self-contained: weights, points and the quantiles of the losses are inside.

    Raises
    ------
    ValueError
        If the network is not 2-H-2, or the values are not 2**H.

    Examples
    --------
    >>> from netdist_utils import ablation, data
    >>> net, points = models.mlp([2, 3, 2]), data.circle(10, 0)
    >>> html = explorer(net, points, ablation.all_losses(net, points))
    """
    n = n_units(model)
    first, last = (
        model[i] for i in (models.weight_layers(model)[0], models.weight_layers(model)[-1])
    )
    if first.in_features != 2 or last.in_features != n or len(values) != 2**n:
        raise ValueError(f"{model} with {len(values)} values; a 2-H-2 network and 2**H are needed")

    def packed(tensor):
        return interactive.pack(np.asarray(tensor.detach().cpu().numpy(), dtype=np.float32))

    margin = last.weight[1] - last.weight[0]  # the logit of class 1 over class 0
    bias = torch.zeros(()) if last.bias is None else last.bias[1] - last.bias[0]
    hidden_bias = torch.zeros(n) if first.bias is None else first.bias
    on = models.outputs(model, split.x, [models.weight_layers(model)[0] + 1]).popitem()[1] > 0
    dead = ~(on.any(0) & (margin != 0)).cpu()  # removing them changes no loss
    quantiles = torch.from_numpy(np.quantile(values.numpy(), np.linspace(0, 1, QUANTILES)))
    return interactive.figure(
        "ablation",
        {
            "units": n,
            "dead": dead.nonzero()[:, 0].tolist(),
            "weight": packed(first.weight),
            "bias": packed(hidden_bias),
            "margin": packed(margin),
            "offset": bias.item(),
            "x": packed(split.x),
            "y": interactive.pack(split.y.numpy().astype(np.uint8)),
            "quantiles": packed(quantiles),
            "best": best_subsets(values).tolist(),
            "radius": float(radius),
        },
        title="Explorer of subnetworks",
    )
