"""The losses of all subnetworks of one hidden layer and two classes.

The loss at a point is log(1 + e^margin), and the margin is a sum over units. A unit that is off at
a point may be removed there at no change, so points are grouped by the units that are on, and a
group of A units needs 2^A losses. Their Walsh coefficients, added up over groups, are those of the
whole table. Within a group the exponential of a sum factors into two tables of 2^(A/2) rows, a
product of such sums is a matrix product, and one logarithm serves up to 16 points. Points whose
logits are too large for that take a slower, safe path.
"""

import torch

from netdist_utils.ablation.masks import bits
from netdist_utils.ablation.subsets import inverse_walsh, subset_sums, walsh

# One logarithm serves several points, log a + log b = log ab, as long as the product of their
# factors 1 + e^margin fits into double precision: e^690 does, with room for the ones.
LARGEST_EXPONENT = 690.0


def logistic_losses(h, output, y, fill=None):
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
