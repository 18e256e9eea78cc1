"""The loss of every one of the 2^H subnetworks, exactly.

With one hidden layer the logit margin is a sum over units, so the loss of every one of the 2^H
subnetworks can be had exactly. Subsets are numbered by their bits: in subset m, unit i is kept
where bit i of m is 1. In deeper networks units count through the hidden layers, first layer first.
"""

import torch

from netdist_utils import models
from netdist_utils.ablation.masks import bits, hidden, n_units
from netdist_utils.ablation.subsets import inverse_walsh, subset_sums, walsh

MOST_UNITS = 24

# One logarithm serves several points, log a + log b = log ab, as long as the product of their
# factors 1 + e^margin fits into double precision: e^690 does, with room for the ones.
LARGEST_EXPONENT = 690.0


@torch.no_grad()
def all_losses(model, split, fill=None):
    """Cross-entropy of every subnetwork, exactly.

    Parameters
    ----------
    model : torch.nn.Sequential
        At most 24 hidden units in all, two classes.
    split : data.Split
        x (N, D), y (N,).
    fill : (H,) or (N, H) tensor, optional
        What a removed unit puts out in place of zero (its mean, or its outputs on other
        samples); one hidden layer only.

    Returns
    -------
    (2**H,) float64 tensor, on the CPU
        Entry m in nats, with unit i kept where bit i of m is 1.

    Raises
    ------
    ValueError
        If there are more than 24 units, or ``fill`` is given for a deeper network.

    Notes
    -----
    A unit that is off at a point may be removed there at no change, so points are grouped by the
    units that are on, and a group of A units needs 2^A losses. Their Walsh coefficients, added up
    over groups, are those of the whole table. Within a group the exponential of a sum factors into
    two tables of 2^(A/2) rows, a product of such sums is a matrix product, and one logarithm
    serves up to 16 points. Points whose logits are too large for that take a slower, safe path.

    Examples
    --------
    >>> from netdist_utils import data
    >>> all_losses(models.mlp([2, 3, 2]), data.circle(5, 0)).shape
    torch.Size([8])
    """
    n = n_units(model)
    if n > MOST_UNITS:
        evaluations = 2.0**n * len(split)
        raise ValueError(
            f"{n} units have 2^{n} subnetworks: {2.0 ** (n + 3) / 2**30:,.2f} GiB and about "
            f"{evaluations / 3e9 / 60:,.0f} minutes; up to {MOST_UNITS} are enumerated. Sample "
            "masks instead and use losses(model, split, masks)"
        )
    layers = models.weight_layers(model)
    if fill is not None and len(layers) > 2:
        raise ValueError(f"fill takes one hidden layer, not {len(layers) - 1}")
    last = model[layers[-2]].out_features
    masks = bits(torch.arange(2 ** (n - last)), n - last)  # of all hidden layers but the last
    found = torch.empty(len(masks), 2**last, dtype=torch.float64)
    for row, mask in enumerate(masks):
        h = hidden(model, split.x, mask[None], layers[:-1])[0]
        found[row] = _additive_losses(h, model[layers[-1]], split.y, fill)
    return found.T.flatten()  # the last layer's units are the highest bits


def _additive_losses(h, output, y, fill):
    """Losses (2**H,) of all subsets of one hidden layer with outputs h (N, H)."""
    h = h.double().cpu()
    weight = (output.weight[1] - output.weight[0]).double().cpu()  # (H,)
    bias = 0.0 if output.bias is None else float(output.bias[1] - output.bias[0])
    fill = torch.zeros_like(h) if fill is None else torch.as_tensor(fill).double().cpu()
    sign = 1.0 - 2.0 * y.cpu().double()  # the loss is log(1 + exp(sign * margin))
    start = sign * (bias + (fill * weight).expand_as(h).sum(1))  # (N,)
    terms = sign[:, None] * (h - fill) * weight  # (N, H)
    sets, group = _active_sets(terms)
    if sets is None:
        return _loss_sums(start, terms) / len(h)
    coefficients = torch.zeros(2 ** h.shape[1]).double()
    for k, units in enumerate(sets):
        here = group == k
        subsets = subset_sums(2**units)  # of these units, numbered among all
        coefficients[subsets] += walsh(_loss_sums(start[here], terms[here][:, units]))
    sums = inverse_walsh(coefficients)
    # Rounding is 1e-15 of the largest loss; where the smallest would feel it, all units at once.
    small = sums.min() < 1e-9 * sums.max()
    return (_loss_sums(start, terms) if small else sums) / len(h)


def _active_sets(terms):
    """Groups of points at which the same units matter: the sets of units, and each point's group.

    Without fill, a unit that is off at a point may be removed there at no change. None in place
    of the sets where the tables of all groups would be no smaller than that of all units.
    """
    n = terms.shape[1]
    if n <= 12:  # a small table is faster than sorting points
        return None, None
    numbers, group = ((terms != 0) << torch.arange(n)).sum(1).unique(return_inverse=True)
    sets = [mask.nonzero()[:, 0] for mask in bits(numbers, n)]
    fewer = sum(2 ** len(units) for units in sets) < 2**n
    return (sets, group) if fewer else (None, None)


def _loss_sums(start, terms):
    """Sum over points of log(1 + e^(start + subset's terms)), for all subsets: (2^A,)."""
    half = terms.shape[1] // 2
    low, high = subset_sums(terms[:, :half]), subset_sums(terms[:, half:], start)  # (N, 2^half)
    total = torch.zeros(high.shape[1], low.shape[1]).double()
    largest = low.amax(1) + high.amax(1).clamp_min(0)  # neither table nor a margin exceeds it
    left = torch.ones(len(start), dtype=torch.bool)
    for size in (16, 8, 4, 2, 1):  # points whose factors may be multiplied before the logarithm
        chosen = left & (largest <= LARGEST_EXPONENT / size)
        left &= ~chosen
        for some in chosen.nonzero()[:, 0].split(4096):  # spares memory
            _add_by_products(total, low[some].exp(), high[some].exp(), size)
    _add_by_softplus(total, low[left], high[left])
    return total.flatten()


def _add_by_products(total, low, high, size):
    """Add sum_n log(1 + high low), with one logarithm for as many points as size says.

    The factors of up to four points are multiplied by a matrix product, since
    (1 + a b)(1 + c d) = 1 + ab + cd + ac bd = (1, a, c, ac) . (1, b, d, bd).
    """
    at_once = min(size, 4)
    high = _subset_products(high, size, at_once).mT.contiguous()  # (G, 2^half, 2^at_once)
    low = _subset_products(low, size, at_once)  # (G, 2^at_once, 2^half)
    rows = min(256, len(total))  # a block of the total that stays in the processor's cache
    step = size // at_once * max(1, 2**18 // (rows * total.shape[1]))
    buffer = torch.empty(min(step, len(low)), rows, total.shape[1]).double()
    for block in range(0, len(total), rows):
        for first in range(0, len(low), step):
            here = low[first : first + step]
            products = buffer[: len(here)]
            torch.bmm(high[first : first + step, block : block + rows], here, out=products)
            groups = products.view(-1, size // at_once, *products.shape[1:])
            for k in range(1, groups.shape[1]):
                groups[:, 0] *= groups[:, k]
            logs = groups[:, 0].log_()
            total[block : block + rows] += logs.sum(0) if len(logs) > 1 else logs[0]


def _subset_products(table, size, at_once):
    """Rows (N, M) in groups, each as the products of all its subsets: (G, 2^at_once, M)."""
    spare = table.new_zeros(-len(table) % size, table.shape[1])  # their factors are 1 + 0
    groups = torch.cat([table, spare]).view(-1, at_once, table.shape[1])
    products = torch.ones_like(groups[:, :1])
    for k in range(at_once):
        products = torch.cat([products, products * groups[:, k : k + 1]], dim=1)
    return products


def _add_by_softplus(total, low, high):
    """The same without products: nothing overflows, whatever the logits."""
    for k in range(len(low)):
        margin = high[k][:, None] + low[k]
        total += torch.logaddexp(margin, torch.zeros(()).double())
