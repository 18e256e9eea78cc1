"""The order of units that lowers the loss half-way between two networks, by swaps of two.

`match` brings weights together. Whether a barrier that is left is the order's fault can only be
told by an order that was chosen for the loss. Half-way between two networks of one hidden layer,
the logits are a sum over pairs of units; so a swap of two units changes two terms of it, and all
swaps are tried at once.
"""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.units import read_alike

MOST_SWAPS = 10_000  # each lowers the loss, so the descent ends; far fewer are needed


def match_by_loss(reference, model, split, start):
    """Descend the midpoint's loss by the best swap of two units, until none lowers it.

    A local search: the order found is a minimum among its neighbours, not of all orders.

    Parameters
    ----------
    reference, model : torch.nn.Sequential
        Of one hidden layer and the same widths; neither is changed.
    split : data.Split
        On which the loss is taken: the training data, if others are to judge the result.
    start : list of (H,) long tensor from 0 on
        Where to begin, such as `match` of the two.

    Returns
    -------
    list of one (H,) long tensor
        As `permute` takes it.

    Raises
    ------
    ValueError
        If there is not one hidden layer, or widths differ.

    Examples
    --------
    >>> from netdist_utils import data, matching
    >>> net, split = models.mlp([2, 5, 2]), data.circle(20, 0)
    >>> turned = matching.permute(net, [torch.tensor([1, 0, 2, 4, 3])])
    >>> len(match_by_loss(net, turned, split, matching.match(net, turned))[0])
    5
    """
    widths = read_alike([reference, model])[0].widths
    if len(widths) != 3:
        raise ValueError(f"widths {widths}: match_by_loss takes one hidden layer")
    terms, constant = _midpoint_terms(reference, model, split.x)  # (H, H, N, K), (N, K)
    if [len(order) for order in start] != widths[1:2] or start[0].max() >= widths[1]:
        raise ValueError(f"start is {start}; one order of {widths[1]} units is needed")
    (order,), y, rows = start, split.labels_for(constant), torch.arange(widths[1])
    order, (i, j) = order.clone(), torch.triu_indices(widths[1], widths[1], 1)
    logits = constant + terms[rows, order].sum(0)  # (N, K)
    least = nn.functional.cross_entropy(logits, y)
    if widths[1] == 1:
        return [order]
    for _ in range(MOST_SWAPS):
        to_i, to_j = order[j], order[i]  # the partners of i and j after the swap
        change = terms[i, to_i] + terms[j, to_j] - terms[i, to_j] - terms[j, to_i]  # (swaps, N, K)
        losses = nn.functional.cross_entropy(
            (logits + change).movedim(2, 1), y.expand(len(i), -1), reduction="none"
        ).mean(1)
        best = losses.argmin()
        if losses[best] >= least - 1e-7:  # single precision
            return [order]
        logits, least = logits + change[best], losses[best]
        one, other = i[best], j[best]
        order[one], order[other] = order[other].clone(), order[one].clone()
    raise RuntimeError(f"still descending after {MOST_SWAPS} swaps, which is a fault of the code")


@torch.no_grad()
def _midpoint_terms(reference, model, x):
    """What the mean of unit i of one and unit j of the other adds to the logits: (H, H, N, K)."""
    (first, last), device = models.weight_layers(reference), models.device_of(reference)
    x = x.flatten(1).to(device)
    other = models.clone(model).to(device)
    into = (reference[first](x).T[:, None] + other[first](x).T[None]).div(2).relu()  # (H, H, N)
    out = (reference[last].weight.T[:, None] + other[last].weight.T[None]) / 2  # (H, H, K)
    biases = [net[last].bias for net in (reference, other)]
    constant = out.new_zeros(out.shape[-1]) if biases[0] is None else sum(biases) / 2
    return into[..., None] * out[:, :, None], constant.expand(len(x), -1)
