"""How many directions of its input a layer needs."""

import torch
from torch import nn

from netdist_utils import models


@torch.no_grad()
def clip_curve(model, layer, basis, split, ranks=None, batch_size=1000):
    """Accuracy with a layer's input projected on the first r vectors of a basis, for each r.

    In the basis, the layer's output at rank r + 1 is that at rank r plus one term, so no model is
    copied and each rank costs one term and the layers above.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
        Index of a Linear or Conv2d.
    basis : (R, D) tensor
        Orthonormal rows; D inputs of a Linear, channels of a Conv2d.
    split : data.Split
    ranks : sequence of int from 0 on, optional
        Between 0 and R; all from 1 to R by default.
    batch_size : int from 1 on
        Images at a time; memory grows with it.

    Returns
    -------
    (number of ranks,) tensor

    Raises
    ------
    TypeError
        If the layer is neither Linear nor Conv2d.
    ValueError
        If the basis or a rank does not fit the layer, or a label has no output.

    Examples
    --------
    >>> from netdist_utils import data
    >>> clip_curve(models.mlp([2, 3, 2]), 1, torch.eye(2), data.circle(10, 0)).shape
    torch.Size([2])
    """
    operation = model[layer]
    if not isinstance(operation, nn.Linear | nn.Conv2d):
        raise TypeError(
            f"layer {layer} is {operation}; only Linear and Conv2d have a clipped input"
        )
    weight = operation.weight  # (out, D) or (out, D, h, w)
    basis = basis.to(weight)
    if basis.shape[1] != weight.shape[1]:
        raise ValueError(f"basis {tuple(basis.shape)} does not fit weights {tuple(weight.shape)}")
    ranks = range(1, len(basis) + 1) if ranks is None else ranks
    if max(ranks, default=0) > len(basis):
        raise ValueError(f"ranks must lie in 0..{len(basis)}, not {list(ranks)}")
    turned = torch.tensordot(basis, weight, dims=([1], [1])).movedim(0, 1)  # (out, R[, h, w])
    rest = model[layer + 1 :]
    correct = torch.zeros(len(basis) + 1, dtype=torch.long)
    labels = split.y.to(basis.device)
    for x, y in zip(split.x.split(batch_size), labels.split(batch_size), strict=True):
        h = models.outputs(model, x, [layer - 1])[layer - 1]
        coordinates = torch.tensordot(h, basis, dims=([1], [1])).movedim(-1, 1)  # (B, R[, H, W])
        z = operation(torch.zeros_like(h))  # the bias alone: rank 0
        for r in range(max(ranks, default=0) + 1):
            if r:
                _add_term(z, coordinates, turned, r - 1, operation)
            if r in ranks:
                predicted = rest(z).argmax(1)
                correct[r] += int((predicted == y).sum())
    return correct[list(ranks)].float() / len(split)


def _add_term(z, coordinates, turned, k, operation):
    """Add the contribution of basis vector k to the layer's output, in place."""
    if isinstance(operation, nn.Linear):
        z.addr_(coordinates[:, k], turned[:, k])
    else:
        image, kernel = coordinates[:, k : k + 1], turned[:, k : k + 1]
        z += operation._conv_forward(image, kernel, None)  # padded and dilated as the layer is
