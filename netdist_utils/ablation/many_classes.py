"""The losses of all subnetworks of one hidden layer and any number of classes.

Under a subset of the units the loss at a point is log sum_k e^(d_k), where d_k is the logit of
class k less that of the point's own class: a sum over units, as each logit is. So e^(d_k) is a
product, an entry of the outer product of two small tables, one for each half of the units. The
sum over classes is a product of two matrices, (2^(H/2), K) and (K, 2^(H/2)); and since
log a + log b = log ab, one logarithm serves several points.
"""

import torch
from torch import nn

from netdist_utils.ablation.subsets import subset_sums

# The product of the sums under one logarithm is at most (K e^largest)^points: this leaves room.
LARGEST_EXPONENT = 650.0
CHUNK = 2**22  # entries of a table of all subsets, for the points that are in memory at once


def softmax_losses(h, output, y, fill=None, groups=None):
    """Mean cross-entropy of all subsets of one hidden layer.

    Parameters
    ----------
    h : (N, H) tensor
        Outputs of the hidden units.
    output : torch.nn.Linear
        From the hidden units to K classes.
    y : (N,) long tensor
    fill : (H,) or (N, H) tensor, optional
        What a removed unit puts out; zero by default.
    groups : (H,) long tensor, optional
        Number of each unit's group, from 0: the units of a group are removed together.

    Returns
    -------
    (2**H,) float64 tensor, on the CPU
        With groups, 2 to the number of groups.

    Examples
    --------
    >>> softmax_losses(torch.zeros(5, 3), torch.nn.Linear(3, 4), torch.zeros(5).long()).shape
    torch.Size([8])
    """
    h, y, n_points = h.double().cpu(), y.cpu(), len(h)
    weight = output.weight.detach().double().cpu()  # (K, H)
    bias = torch.zeros(len(weight)) if output.bias is None else output.bias.detach().cpu()
    fill = torch.zeros_like(h) if fill is None else torch.as_tensor(fill).double().cpu()
    start = bias.double() + fill.expand_as(h) @ weight.T  # (N, K): logits of no unit
    terms = (h - fill)[:, None] * weight  # (N, K, H): what each unit adds
    if groups is not None:
        terms = terms @ nn.functional.one_hot(groups).double()  # (N, K, G)
    own = torch.arange(n_points), y
    return _log_sums(start - start[own][:, None], terms - terms[own][:, None]) / n_points


def _log_sums(start, terms):
    """Sum over points of log sum_k e^(start_k + subset's terms_k), for all subsets: (2^H,)."""
    half = terms.shape[2] // 2
    low = subset_sums(terms[:, :, :half])  # (N, K, 2^half)
    high = subset_sums(terms[:, :, half:], start)  # (N, K, 2^(H - half))
    largest = (low.amax(2) + high.amax(2)).amax(1)  # at least 0, for the point's own class
    total = torch.zeros(high.shape[2], low.shape[2]).double()
    left = torch.ones(len(start), dtype=torch.bool)
    for size in (16, 8, 4, 2, 1):  # points whose sums may be multiplied before the logarithm
        chosen = (left & (largest <= LARGEST_EXPONENT / size)).nonzero()[:, 0]
        chosen = chosen[: len(chosen) // size * size]
        left[chosen] = False
        at_once = max(size, CHUNK // total.numel() // size * size)
        for some in chosen.split(at_once):
            sums = torch.bmm(high[some].exp().mT, low[some].exp())  # (B, 2^(H - half), 2^half)
            total += sums.view(-1, size, *total.shape).prod(1).log_().sum(0)
    for k in left.nonzero()[:, 0]:  # logits too large for exponentials
        total += torch.logsumexp(high[k][:, :, None] + low[k][:, None], dim=0)
    return total.flatten()
